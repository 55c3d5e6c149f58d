package multispool

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// problemAtTime is one that was found at a time of its own.
func problemAtTime(kind ProblemKind, name string, seconds int64, dirs ...Dir) Problem {
	return Problem{
		Kind: kind, File: FileWithMtime{name, time.Unix(seconds, 0)}, Dirs: dirs,
		Severity: SeverityStuck, Mend: MendRecover, Message: kind.String() + " " + name,
	}
}

func TestProblemsAndEventsHaveAnOrder(t *testing.T) {
	registry, data := Dir{Kind: DirRegistry}, Dir{Kind: DirData}
	inA, inB := Dir{Kind: DirQueue, Queue: "a"}, Dir{Kind: DirQueue, Queue: "b"}
	problems := []Problem{
		problemAtTime(ProblemTooOld, "a", 1, inA),
		problemAtTime(ProblemTooOld, "a", 1, inB),
		problemAtTime(ProblemTooOld, "a", 2, inA),
		problemAtTime(ProblemTooOld, "b", 1, inA),
		problemAtTime(ProblemOrphaned, "a", 1, registry),
		problemAtTime(ProblemOrphaned, "a", 1, data),
		problemAtTime(ProblemDuplicated, "a", 1, inA),
		problemAtTime(ProblemDuplicated, "a", 1, inA, inB),
	}
	for i, a := range problems {
		for j, b := range problems {
			if got := a.Compare(b); got != compareInts(i, j) {
				t.Errorf("%d compared with %d is %d", i, j, got)
			}
		}
	}
	events := []Event{
		{EventStart, time.Unix(1, 0), problems[0]},
		{EventStart, time.Unix(1, 0), problems[1]},
		{EventStart, time.Unix(2, 0), problems[0]},
		{EventEnd, time.Unix(1, 0), problems[0]},
	}
	backwards := slices.Clone(events)
	slices.Reverse(backwards)
	slices.SortFunc(backwards, Event.Compare)
	if !reflect.DeepEqual(backwards, events) {
		t.Errorf("sorted as %v", backwards)
	}
}

func compareInts(a, b int) int { return max(-1, min(1, a-b)) }

func TestProblemsAndEventsAreLoggedByTheirParts(t *testing.T) {
	problem := problemAtTime(ProblemDeadOwner, "n", 1, Dir{DirQueueCheckout, "incoming", "incoming/.checkout"})
	event := Event{EventStart, time.Unix(2, 0), problem}
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("test", "problem", problem, "event", event)
	for _, want := range []string{
		"problem.kind=dead_owner", "problem.name=n", "problem.places=[incoming/.checkout]", "problem.severity=stuck",
		"problem.action=recover", "event.event=start", "event.problem.kind=dead_owner",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %s", want, &out)
		}
	}
	if got := fmt.Sprint(event); got != "start: dead_owner n" {
		t.Errorf("printed as %q", got)
	}
	if got := fmt.Sprint(ProblemKind(99), Mend(0), EventKind(7), problem.Dirs[0]); got != "unknown(99) unknown(0) unknown(7) incoming/.checkout" {
		t.Errorf("printed as %q", got)
	}
	text, err := json.Marshal(problemAtTime(ProblemDamaged, "\xff", 1))
	must(t, err)
	if !strings.Contains(string(text), `"name_base64":"/w=="`) || strings.Contains(string(text), `"name":`) {
		t.Errorf("a name that is not UTF-8 is %s", text)
	}
}

func TestLimitsAreKeptAsJSON(t *testing.T) {
	limits := DefaultLimits()
	limits.MaxTmpFileAge = 90 * time.Second
	limits.MaxQueueAges = map[string]time.Duration{"incoming": time.Hour}
	limits.MinFreeInodes = 7
	text, err := json.Marshal(limits)
	must(t, err)
	var back Limits
	must(t, json.Unmarshal(text, &back))
	if !reflect.DeepEqual(back, limits) {
		t.Errorf("%+v came back as %+v", limits, back)
	}
	must(t, json.Unmarshal([]byte("{}"), &back))
	if !reflect.DeepEqual(back, DefaultLimits()) {
		t.Errorf("nothing was read as %+v", back)
	}
	wantError(t, json.Unmarshal([]byte(`{"max_patience":"1s"}`), &back), ErrInvalidArgument)
	limits.MaxQueueAges = map[string]time.Duration{"a\x00b": time.Hour}
	if _, err := json.Marshal(limits); err == nil {
		t.Error("a queue with a NUL in its name was written")
	}
}

func TestSentinelsSayWhatTheyAre(t *testing.T) {
	if got := fmt.Sprint(ErrLostOwnership); got != "multispool: ownership lost" {
		t.Errorf("printed as %q", got)
	}
	if got := fmt.Sprint(DurabilityNone, DurabilityOriginal, DurabilityFull, Durability(9)); got != "none original full unknown" {
		t.Errorf("printed as %q", got)
	}
}
