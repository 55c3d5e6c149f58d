package multispool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newReader(t testing.TB, spool *Spool, options ...ReaderOption) *Reader {
	t.Helper()
	reader, err := spool.Reader("incoming", options...)
	must(t, err)
	t.Cleanup(func() { reader.Close() })
	return reader
}

// limited is a context that fails a test that hangs.
// awaitWaiting returns when n goroutines wait in the runtime's poller.
func TestDequeueTakesInOrderAndAvailableEnds(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool, WithDurability(DurabilityNone), WithPollInterval(50*time.Millisecond))
	if reader.Queue() != "incoming" || reader.Spool() != spool {
		t.Errorf("reads %q of %v", reader.Queue(), reader.Spool())
	}
	_, err := reader.DequeueAvailable()
	wantError(t, err, ErrEmpty)
	first := enqueue(t, spool, "incoming", "1", "")
	second := enqueue(t, spool, "incoming", "2", "")
	checkout, err := reader.Dequeue(limited(t))
	must(t, err)
	defer checkout.Close()
	if checkout.Name() != first.Name() {
		t.Errorf("took %v first", checkout)
	}
	next, err := reader.DequeueAvailable()
	must(t, err)
	defer next.Close()
	if next.Name() != second.Name() {
		t.Errorf("took %v second", next)
	}
	_, err = reader.DequeueAvailable()
	wantError(t, err, ErrEmpty)
}

func TestManyGoroutinesShareOneReader(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	const goroutines, entries = 16, 200
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	var taken sync.Map
	var count atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				checkout, err := reader.Dequeue(ctx)
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
				}
				if _, twice := taken.LoadOrStore(checkout.Name(), true); twice {
					t.Errorf("%v was taken twice", checkout)
				}
				if err := checkout.Save("done", WithDurability(DurabilityNone)); err != nil {
					t.Error(err)
				}
				checkout.Close()
				if count.Add(1) == entries {
					cancel()
				}
			}
		}()
	}
	awaitWaiting(t, 1)
	for range entries {
		_, err := spool.Enqueue("incoming", nil, nil, WithDurability(DurabilityNone))
		must(t, err)
	}
	all.Wait()
	wantCount(t, spool, "done", entries)
}

func TestAllGoesOnUntilTheContextIsDone(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	for i := range 5 {
		enqueue(t, spool, "incoming", strconv.Itoa(i), "")
	}
	var seen []string
	for checkout, err := range reader.All(ctx) {
		must(t, err)
		seen = append(seen, string(checkout.Metadata()))
		must(t, checkout.Save("done"))
		switch len(seen) {
		case 5:
			enqueue(t, spool, "incoming", "late", "")
		case 6:
			cancel()
		}
	}
	if !reflect.DeepEqual(seen, []string{"0", "1", "2", "3", "4", "late"}) {
		t.Errorf("saw %q", seen)
	}
	wantCount(t, spool, "done", 6)
}

func TestAvailableTriesEachEntryOnceAndReleasesWhatIsLeftUnfinished(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	for i := range 5 {
		enqueue(t, spool, "incoming", strconv.Itoa(i), "")
	}
	seen := map[string]int{}
	for checkout, err := range reader.Available() {
		must(t, err)
		seen[string(checkout.Metadata())]++
	}
	if want := map[string]int{"0": 1, "1": 1, "2": 1, "3": 1, "4": 1}; !reflect.DeepEqual(seen, want) {
		t.Errorf("saw %v", seen)
	}
	wantCount(t, spool, "incoming", 5)
}

func TestLeavingTheLoopGivesTheEntryBack(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "m", "d")
	for range newReader(t, spool).All(limited(t)) {
		wantCount(t, spool, "incoming", 0)
		break
	}
	wantCount(t, spool, "incoming", 1)
	func() {
		defer func() {
			if recover() != "in the body" {
				t.Error("the panic was swallowed")
			}
		}()
		for range newReader(t, spool).Available() {
			panic("in the body")
		}
	}()
	wantCount(t, spool, "incoming", 1)
}

func TestADamagedEntryIsReportedWithItsPathAndStopsNobody(t *testing.T) {
	spool := newSpool(t)
	damaged := enqueue(t, spool, "incoming", "damaged", "d")
	enqueue(t, spool, "incoming", "whole", "d")
	must(t, os.Remove(filepath.Join(spool.Dir(), ".data", damaged.Name())))
	var seen []string
	var failures []error
	for checkout, err := range newReader(t, spool).Available() {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		seen = append(seen, string(checkout.Metadata()))
		must(t, checkout.Remove())
	}
	if !reflect.DeepEqual(seen, []string{"whole"}) || len(failures) != 1 {
		t.Fatalf("saw %q, failures %v", seen, failures)
	}
	wantError(t, failures[0], ErrCorrupt)
	if !strings.Contains(failures[0].Error(), damaged.Name()) {
		t.Errorf("the entry is not named in %q", failures[0])
	}
}

func TestConstantCollectionLosesNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	spool := newSpool(t)
	const workers, entries = 8, 25
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	var count atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Add(2)
		go func() {
			defer all.Done()
			for i := range entries {
				content := []byte(fmt.Sprint(i))
				if _, err := spool.Enqueue("incoming", content, content, WithDurability(DurabilityNone)); err != nil {
					t.Error(err)
				}
			}
		}()
		go func() {
			defer all.Done()
			reader, err := spool.Reader("incoming", WithDurability(DurabilityNone))
			if err != nil {
				t.Error(err)
				return
			}
			for ctx.Err() == nil {
				// Neither the reader nor the checkouts are closed: collecting them must not hurt those in use.
				checkout, err := reader.Dequeue(ctx)
				if err != nil {
					break
				}
				runtime.GC()
				data, err := checkout.DataFile().Load()
				if err != nil || !bytes.Equal(data, checkout.Metadata()) {
					t.Errorf("%q for %q: %v", data, checkout.Metadata(), err)
				}
				if err := checkout.Remove(); err != nil {
					t.Error(err)
				}
				if count.Add(1) == workers*entries {
					cancel()
				}
			}
		}()
	}
	all.Wait()
	if n := count.Load(); n != workers*entries {
		t.Errorf("%d of %d taken", n, workers*entries)
	}
}

func TestAReaderThatIsToKeepTheOrderGoesOnWithTheNextName(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool, WithStrictOrder())
	var entries []*Entry
	for range 12 {
		entries = append(entries, enqueue(t, spool, "incoming", "m", ""))
	}
	for i := 0; i < len(entries); i += 2 {
		checkout, err := reader.DequeueAvailable()
		must(t, err)
		defer checkout.Close()
		if checkout.Name() != entries[i].Name() {
			t.Errorf("took %s, not %s", checkout.Name(), entries[i].Name())
		}
		// Another is quicker with the one after it.
		other, err := entries[i+1].Checkout()
		must(t, err)
		defer other.Close()
	}
}
