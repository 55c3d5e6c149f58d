package multispool

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// plant writes an empty file below the spool's directory.
func plant(t *testing.T, spool *Spool, path string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(spool.Dir(), path), nil, 0o600))
}

// makeOld makes a file an hour old.
func makeOld(t *testing.T, spool *Spool, path string) {
	t.Helper()
	then := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(filepath.Join(spool.Dir(), path), then, then))
}

func remove(t *testing.T, spool *Spool, path string) {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(spool.Dir(), path)))
}

// found is each problem as "kind places name".
func found(problems []Problem) []string {
	lines := []string{}
	for _, p := range problems {
		lines = append(lines, p.Kind.String()+" "+strings.Join(p.places(), "+")+" "+p.File.Filename)
	}
	return lines
}

func TestEachKindOfDamageIsFoundAndOnlyIt(t *testing.T) {
	limits := DefaultLimits()
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, spool *Spool, entry string) *Limits
		want   []string
		severe Severity
		mend   Mend
	}{
		{"nothing", func(*testing.T, *Spool, string) *Limits { return nil }, []string{}, 0, 0},
		{"an entry that waits too long", func(t *testing.T, spool *Spool, entry string) *Limits {
			makeOld(t, spool, "incoming/"+entry)
			limits := DefaultLimits()
			limits.MaxQueueAges = map[string]time.Duration{"incoming": time.Minute}
			return &limits
		}, []string{"too_old incoming ENTRY"}, SeverityStuck, MendWorkers},
		{"an old temporary file of an entry", func(t *testing.T, spool *Spool, entry string) *Limits {
			plant(t, spool, ".tmp/"+entry+".tmp.abcdef")
			makeOld(t, spool, ".tmp/"+entry+".tmp.abcdef")
			return nil
		}, []string{"too_old .tmp ENTRY.tmp.abcdef"}, SeverityGarbage, MendRepair},
		{"data of nobody", func(t *testing.T, spool *Spool, _ string) *Limits {
			plant(t, spool, ".data/stray")
			return nil
		}, []string{"orphaned .data stray"}, SeverityGarbage, MendRepair},
		{"an entry without its registry file", func(t *testing.T, spool *Spool, entry string) *Limits {
			remove(t, spool, ".registry/"+entry)
			remove(t, spool, ".data/"+entry)
			return nil
		}, []string{"orphaned incoming ENTRY", "data_missing incoming ENTRY"}, 0, 0},
		{"a checked-out entry without its registry file", func(t *testing.T, spool *Spool, entry string) *Limits {
			name := filepath.Join(spool.Dir(), "incoming", entry)
			must(t, os.Rename(name, filepath.Join(spool.Dir(), "incoming/.checkout", entry)))
			remove(t, spool, ".registry/"+entry)
			remove(t, spool, ".data/"+entry)
			return nil
		}, []string{"orphaned incoming/.checkout ENTRY", "data_missing incoming/.checkout ENTRY"}, 0, 0},
		{"an old reservation", func(t *testing.T, spool *Spool, _ string) *Limits {
			must(t, spool.ReserveName("r"))
			makeOld(t, spool, ".registry/r")
			return nil
		}, []string{"orphaned .registry r"}, SeverityGarbage, MendRepair},
		{"a temporary file of nobody", func(t *testing.T, spool *Spool, _ string) *Limits {
			plant(t, spool, ".tmp/x.tmp.abcdef")
			return nil
		}, []string{"orphaned .tmp x.tmp.abcdef"}, SeverityGarbage, MendRepair},
		{"a name in two queues", func(t *testing.T, spool *Spool, entry string) *Limits {
			plant(t, spool, "done/"+entry)
			return nil
		}, []string{"duplicated done+incoming ENTRY"}, SeverityDamage, MendInspect},
		{"no data", func(t *testing.T, spool *Spool, entry string) *Limits {
			remove(t, spool, ".data/"+entry)
			return nil
		}, []string{"data_missing incoming ENTRY"}, SeverityDamage, MendInspect},
		{"a directory in an entry's place", func(t *testing.T, spool *Spool, entry string) *Limits {
			remove(t, spool, "incoming/"+entry)
			must(t, os.Mkdir(filepath.Join(spool.Dir(), "incoming", entry), 0o700))
			return nil
		}, []string{"damaged incoming ENTRY"}, SeverityDamage, MendInspect},
		{"an enqueue that died", func(t *testing.T, spool *Spool, _ string) *Limits {
			must(t, spool.ReserveName("h"))
			plant(t, spool, ".data/h")
			then := time.Now().Add(-time.Minute)
			must(t, os.Chtimes(filepath.Join(spool.Dir(), ".registry/h"), then, then))
			return nil
		}, []string{"half_made .data h"}, SeverityGarbage, MendRepair},
		{"an editor's file", func(t *testing.T, spool *Spool, _ string) *Limits {
			plant(t, spool, "incoming/.x.swp")
			return nil
		}, []string{"impossible_name incoming .x.swp"}, SeverityGarbage, MendInspect},
		{"no room", func(*testing.T, *Spool, string) *Limits {
			limits.MinFreeBytes = 1 << 63
			return &limits
		}, []string{"low_space  spool"}, SeverityStuck, MendMakeRoom},
	} {
		t.Run(test.name, func(t *testing.T) {
			spool := newSpool(t)
			entry := enqueue(t, spool, "incoming", "m", "d")
			limits := test.damage(t, spool, entry.Name())
			problems, err := spool.Problems(limits)
			must(t, err)
			for i, line := range test.want {
				test.want[i] = strings.ReplaceAll(line, "ENTRY", entry.Name())
			}
			if got := found(problems); !reflect.DeepEqual(got, test.want) {
				t.Fatalf("found %q, want %q", got, test.want)
			}
			for _, p := range problems {
				if test.severe != 0 && (p.Severity != test.severe || p.Mend != test.mend) || p.Message == "" {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

func TestADeadOwnerIsKnownAtOnceAndASlowOneByAge(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	worker, _ := startHolder(t, spool)
	problems, err := spool.Problems(nil)
	must(t, err)
	if len(problems) != 0 {
		t.Fatalf("a live owner is no problem: %v", problems)
	}
	makeOld(t, spool, "incoming/.checkout/"+entry.Name())
	problems, err = spool.Problems(nil)
	must(t, err)
	if want := []string{"too_old incoming/.checkout " + entry.Name()}; !reflect.DeepEqual(found(problems), want) {
		t.Fatalf("found %q, want %q", found(problems), want)
	}
	must(t, worker.Process.Kill())
	_ = worker.Wait()
	problems, err = spool.Problems(nil)
	must(t, err)
	kinds := []ProblemKind{}
	for _, p := range problems {
		kinds = append(kinds, p.Kind)
	}
	if !reflect.DeepEqual(kinds, []ProblemKind{ProblemTooOld, ProblemDeadOwner}) {
		t.Fatalf("found %q", found(problems))
	}
	dir := problems[0].Dirs[0]
	if dir != (Dir{Kind: DirQueueCheckout, Queue: "incoming", NameOnDisk: "incoming/.checkout"}) {
		t.Errorf("the directory is %+v", dir)
	}
}

func TestAMonitorReadsOnlyAndNeverCreates(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := NewMonitor(missing, nil)
	wantError(t, err, ErrMissing)
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it was made: %v", err)
	}
	spool := newSpool(t)
	plant(t, spool, ".data/stray")
	before := listing(t, spool.Dir())
	monitor, err := NewMonitor(spool.Dir(), nil)
	must(t, err)
	problems, err := monitor.RunOnce(t.Context())
	must(t, err)
	if want := []string{"orphaned .data stray"}; !reflect.DeepEqual(found(problems), want) {
		t.Fatalf("found %q, want %q", found(problems), want)
	}
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("changed from %q to %q", before, after)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = monitor.RunOnce(done)
	wantError(t, err, context.Canceled)
	must(t, monitor.Close())
	must(t, monitor.Close())
	_, err = monitor.RunOnce(t.Context())
	wantError(t, err, ErrClosed)
	for _, err := range monitor.Events(t.Context(), nil) {
		wantError(t, err, ErrClosed)
	}
}

func TestAMonitorTellsOfMissingData(t *testing.T) {
	spool := newSpool(t)
	remove(t, spool, ".data")
	monitor, err := NewMonitor(spool.Dir(), nil)
	must(t, err)
	defer monitor.Close()
	problems, err := monitor.RunOnce(t.Context())
	must(t, err)
	if want := []string{"directory_missing .data spool"}; !reflect.DeepEqual(found(problems), want) {
		t.Fatalf("found %q, want %q", found(problems), want)
	}
}

func TestProblemsCompareByKindFileTimeAndPlace(t *testing.T) {
	spool := newSpool(t)
	for _, path := range []string{".data/b", ".data/a", ".tmp/c"} {
		plant(t, spool, path)
	}
	problems, err := spool.Problems(nil)
	must(t, err)
	if !slices.IsSortedFunc(problems, Problem.Compare) || len(problems) != 3 {
		t.Fatalf("not in order: %v", problems)
	}
	again, err := spool.Problems(nil)
	must(t, err)
	if !slices.EqualFunc(problems, again, func(a, b Problem) bool { return a.Compare(b) == 0 }) {
		t.Errorf("not the same: %v and %v", problems, again)
	}
	makeOld(t, spool, ".data/a")
	moved, err := spool.Problems(nil)
	must(t, err)
	if moved[0].Compare(again[0]) >= 0 {
		t.Errorf("the same name with another time is another problem: %v", moved[0])
	}
}

// fast checks without a pause to speak of, and tells at first sight.
var fast = DaemonSpec{CheckEvery: time.Millisecond}

func TestEventsTellWhatComesAndWhatGoes(t *testing.T) {
	spool := newSpool(t)
	monitor, err := NewMonitor(spool.Dir(), nil)
	must(t, err)
	defer monitor.Close()
	plant(t, spool, ".data/b")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := []string{}
	for event, err := range monitor.Events(ctx, &fast) {
		must(t, err)
		told = append(told, event.String())
		if time.Since(event.Time) > time.Minute || event.Time.After(time.Now()) {
			t.Errorf("told at %v", event.Time)
		}
		if event.Kind == EventStart && event.Problem.File.Filename == "b" {
			// By one rename: the next check sees both, the end first.
			must(t, os.Rename(filepath.Join(spool.Dir(), ".data/b"), filepath.Join(spool.Dir(), ".data/a")))
		}
		if len(told) == 3 {
			break
		}
	}
	problem := ": its name is not reserved"
	want := []string{"start: .data/b" + problem, "end: .data/b" + problem, "start: .data/a" + problem}
	if !reflect.DeepEqual(told, want) {
		t.Fatalf("told %q, want %q", told, want)
	}
}

func TestEventsEndWithTheContextAndOutliveAFailedCheck(t *testing.T) {
	spool := newSpool(t)
	monitor, err := NewMonitor(spool.Dir(), nil)
	must(t, err)
	defer monitor.Close()
	registry := filepath.Join(spool.Dir(), ".registry")
	must(t, os.Rename(registry, registry+"-away"))
	plant(t, spool, ".data/stray")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	failures, events := 0, 0
	for event, err := range monitor.Events(ctx, &fast) {
		if err != nil {
			wantError(t, err, fs.ErrNotExist)
			if failures++; failures == 2 {
				must(t, os.Rename(registry+"-away", registry))
			}
			continue
		}
		if event.Kind != EventStart {
			t.Errorf("told %v", event)
		}
		events++
		cancel()
	}
	if failures < 2 || events != 1 {
		t.Errorf("%d failures and %d events", failures, events)
	}
}

func TestSpecsSurviveTheWayToJSONAndBack(t *testing.T) {
	limits := DefaultLimits()
	if limits.MaxCheckedOutAge != 10*time.Minute || limits.MaxQueueAges != nil || limits.MinFreeInodes != 1000 {
		t.Errorf("the defaults are %+v", limits)
	}
	limits.MaxQueueAges = map[string]time.Duration{"incoming": 90 * time.Second}
	limits.MinFreeBytes = 7
	spec := MonitorSpec{SpoolDir: "/var/spool/jobs", Limits: limits}
	text, err := json.Marshal(spec)
	must(t, err)
	if !strings.Contains(string(text), `"max_queue_ages":{"incoming":"1m 30s"}`) {
		t.Errorf("the spec is %s", text)
	}
	var again MonitorSpec
	must(t, json.Unmarshal(text, &again))
	if !reflect.DeepEqual(spec, again) {
		t.Errorf("%+v became %+v", spec, again)
	}
	must(t, json.Unmarshal([]byte(`{"spool_dir":"/s"}`), &again))
	if !reflect.DeepEqual(again, MonitorSpec{SpoolDir: "/s", Limits: DefaultLimits()}) {
		t.Errorf("what is left out became %+v", again)
	}
	daemon := DaemonSpec{CheckEvery: time.Second, AlertAfterCycles: 5}
	text, err = json.Marshal(daemon)
	must(t, err)
	var other DaemonSpec
	must(t, json.Unmarshal(text, &other))
	if other != daemon {
		t.Errorf("%+v became %+v", daemon, other)
	}
	if spec := DefaultDaemonSpec(); spec != (DaemonSpec{CheckEvery: 15 * time.Second, AlertAfterCycles: 2}) {
		t.Errorf("the default is %+v", spec)
	}
	wantError(t, json.Unmarshal([]byte(`{"max_age":"1s"}`), &limits), ErrInvalidArgument)
	wantError(t, json.Unmarshal([]byte(`{"check_every":"soon"}`), &daemon), ErrInvalidArgument)
}

func TestProblemsAndEventsAreJSONAsTheCommandPrintsIt(t *testing.T) {
	spool := newSpool(t)
	must(t, os.WriteFile(filepath.Join(spool.Dir(), ".data/\xff"), nil, 0o600))
	problems, err := spool.Problems(nil)
	must(t, err)
	for _, test := range []struct {
		value any
		keys  []string
	}{
		{problems[0], []string{"action", "age_seconds", "kind", "mtime", "name_base64", "places", "severity"}},
		{Event{Kind: EventEnd, Problem: problems[0]}, []string{
			"action", "age_seconds", "event", "kind", "mtime", "name_base64", "places", "severity", "time",
		}},
	} {
		text, err := json.Marshal(test.value)
		must(t, err)
		var object map[string]any
		must(t, json.Unmarshal(text, &object))
		keys := []string{}
		for key := range object {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if !reflect.DeepEqual(keys, test.keys) {
			t.Errorf("%T has %q, want %q", test.value, keys, test.keys)
		}
	}
}

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	spool := newSpool(t)
	limits := DefaultLimits()
	limits.MaxTmpFileAge = -time.Second
	_, err := spool.Problems(&limits)
	wantError(t, err, ErrInvalidArgument)
	limits = DefaultLimits()
	limits.MaxQueueAges = map[string]time.Duration{"in/out": time.Second}
	_, err = NewMonitor(spool.Dir(), &limits)
	wantError(t, err, ErrInvalidName)
	limits.MaxQueueAges = map[string]time.Duration{"in\x00out": time.Second}
	_, err = NewMonitor(spool.Dir(), &limits)
	wantError(t, err, ErrInvalidName)
	monitor, err := NewMonitor(spool.Dir(), nil)
	must(t, err)
	defer monitor.Close()
	for _, err := range monitor.Events(t.Context(), &DaemonSpec{CheckEvery: -time.Second}) {
		wantError(t, err, ErrInvalidArgument)
	}
}
