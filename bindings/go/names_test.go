package multispool

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// numbered gives job-0, job-1 and so on, beginning anew for each entry.
var numbered = NameGeneratorFunc(func(attempt int) string { return fmt.Sprintf("job-%d", attempt) })

func TestAGeneratorIsAskedAgainWhileItsNamesAreTaken(t *testing.T) {
	spool := newSpool(t)
	var attempts []int
	generator := NameGeneratorFunc(func(attempt int) string {
		attempts = append(attempts, attempt)
		return numbered(attempt)
	})
	for i := range 3 {
		name, err := spool.Reserve(WithNameGenerator(generator))
		must(t, err)
		if want := fmt.Sprintf("job-%d", i); name != want {
			t.Errorf("reserved %q, want %q", name, want)
		}
	}
	if !reflect.DeepEqual(attempts, []int{0, 0, 1, 0, 1, 2}) {
		t.Errorf("asked with attempts %v", attempts)
	}
	entry, err := spool.Enqueue("incoming", []byte("m"), []byte("d"), WithName("job-1"))
	must(t, err)
	if entry.Name() != "job-1" {
		t.Errorf("enqueued as %v", entry)
	}
}

func TestEveryWayToEnqueueTakesNamesFromAGenerator(t *testing.T) {
	spool, err := Create(newSpool(t).Dir(), []string{"incoming", "done"}, WithNameGenerator(numbered))
	must(t, err)
	defer spool.Close()
	enqueue(t, spool, "incoming", "m", "d")
	_, err = spool.EnqueueFile("incoming", nil, "/dev/null", WithDurability(DurabilityNone))
	must(t, err)
	_, err = spool.EnqueueReader("incoming", nil, strings.NewReader("d"))
	must(t, err)
	writer, err := spool.EnqueueWriter("incoming")
	must(t, err)
	defer writer.Close()
	if writer.Name() != "job-3" {
		t.Errorf("the writer has %q", writer.Name())
	}
	_, err = writer.Commit(nil)
	must(t, err)
	name, err := spool.Reserve()
	must(t, err)
	if name != "job-4" {
		t.Errorf("reserved %q", name)
	}
	own := NameGeneratorFunc(func(int) string { return "own" })
	_, err = spool.Enqueue("incoming", nil, nil, WithNameGenerator(own))
	must(t, err)
	_, err = spool.Enqueue("incoming", nil, nil, WithName("job-4"))
	must(t, err)
	want := []string{"job-0", "job-1", "job-2", "job-3", "job-4", "own"}
	if found := names(t, spool, "incoming"); !reflect.DeepEqual(found, want) {
		t.Errorf("listed %q, want %q", found, want)
	}
}

func TestAGeneratorWithoutAFreeNameIsErrNamesExhausted(t *testing.T) {
	spool := newSpool(t)
	must(t, spool.ReserveName("only"))
	asked := 0
	only := NameGeneratorFunc(func(int) string { asked++; return "only" })
	_, err := spool.Enqueue("incoming", nil, nil, WithNameGenerator(only))
	wantError(t, err, ErrNamesExhausted)
	if asked != 1000 || !strings.Contains(err.Error(), spool.Dir()) {
		t.Errorf("asked %d times: %v", asked, err)
	}
	wantCount(t, spool, "incoming", 0)
}

func TestAGeneratorsImpossibleNameIsRefusedAndAnUnknownQueueCostsNone(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	for _, name := range []string{"", "a/b", ".dot", "a\x00b", strings.Repeat("x", 245)} {
		bad := NameGeneratorFunc(func(int) string { return name })
		_, err := spool.Enqueue("incoming", nil, nil, WithNameGenerator(bad))
		wantError(t, err, ErrInvalidName)
		_, err = spool.Reserve(WithNameGenerator(bad))
		wantError(t, err, ErrInvalidName)
	}
	_, err := spool.Enqueue("other", nil, nil, WithNameGenerator(numbered))
	wantError(t, err, ErrUnknownQueue)
	_, err = spool.Enqueue("incoming", nil, nil, WithNameGenerator(numbered), WithDurability(9))
	wantError(t, err, ErrInvalidArgument)
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("changed from %q to %q", before, after)
	}
}

func TestGoroutinesThatShareAGeneratorNeverShareAName(t *testing.T) {
	spool := newSpool(t)
	var next atomic.Int64
	generator := NameGeneratorFunc(func(int) string { return fmt.Sprint(next.Add(1) % 300) })
	const goroutines, each = 8, 25
	reserved := make([][]string, goroutines)
	var all sync.WaitGroup
	for i := range reserved {
		all.Add(1)
		go func() {
			defer all.Done()
			for range each {
				name, err := spool.Reserve(WithNameGenerator(generator))
				if err != nil && !errors.Is(err, ErrNamesExhausted) {
					t.Error(err)
				}
				reserved[i] = append(reserved[i], name)
			}
		}()
	}
	all.Wait()
	together := slices.Concat(reserved...)
	slices.Sort(together)
	if len(slices.Compact(together)) != goroutines*each {
		t.Errorf("names were given twice: %q", together)
	}
}
