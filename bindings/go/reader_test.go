package multispool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// awaitWaiting returns when n goroutines wait in the runtime's poller.
func awaitWaiting(t testing.TB, n int) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		length := runtime.Stack(stacks, true)
		if length == len(stacks) {
			stacks = make([]byte, 2*len(stacks))
			continue
		}
		waiting := bytes.Count(stacks[:length], []byte("[IO wait"))
		if waiting >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d wait", waiting, n)
		}
	}
}

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

func TestAWaitingDequeueSeesAnArrival(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	ctx := limited(t)
	for i := range 50 {
		taken := make(chan string)
		go func() {
			checkout, err := reader.Dequeue(ctx)
			if err != nil {
				taken <- err.Error()
				return
			}
			defer checkout.Close()
			taken <- string(checkout.Metadata())
			_ = checkout.Remove()
		}()
		if i%2 == 0 {
			awaitWaiting(t, 1)
		}
		enqueue(t, spool, "incoming", strconv.Itoa(i), "")
		if got := <-taken; got != strconv.Itoa(i) {
			t.Fatalf("round %d: %s", i, got)
		}
	}
}

func TestDequeueOfADoneContextTakesNothing(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	enqueue(t, spool, "incoming", "m", "d")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := reader.Dequeue(ctx)
	wantError(t, err, context.Canceled)
	wantCount(t, spool, "incoming", 1)
}

func TestACancelledWaitEndsAndTheReaderGoesOn(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() {
			_, err := reader.Dequeue(ctx)
			ended <- err
		}()
		awaitWaiting(t, 1)
		cancel()
		wantError(t, <-ended, context.Canceled)
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := reader.Dequeue(short)
	wantError(t, err, context.DeadlineExceeded)
	entry := enqueue(t, spool, "incoming", "m", "d")
	checkout, err := reader.Dequeue(limited(t))
	must(t, err)
	defer checkout.Close()
	if checkout.Name() != entry.Name() {
		t.Errorf("took %v", checkout)
	}
}

func TestCancelledWaitsNeverDropAnEntry(t *testing.T) {
	spool := newSpool(t)
	const entries = 300
	limit := limited(t)
	var taken sync.Map
	var count atomic.Int64
	finished := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		reader := newReader(t, spool, WithDurability(DurabilityNone))
		all.Add(1)
		go func() {
			defer all.Done()
			for limit.Err() == nil {
				select {
				case <-finished:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(limit, time.Duration(rand.IntN(300))*time.Microsecond)
				checkout, err := reader.Dequeue(ctx)
				cancel()
				if err != nil {
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
						return
					}
					continue
				}
				if _, twice := taken.LoadOrStore(checkout.Name(), true); twice {
					t.Errorf("%v was taken twice", checkout)
				}
				if err := checkout.Remove(); err != nil {
					t.Error(err)
				}
				checkout.Close()
				if count.Add(1) == entries {
					close(finished)
				}
			}
		}()
	}
	for range entries {
		_, err := spool.Enqueue("incoming", nil, nil, WithDurability(DurabilityNone))
		must(t, err)
	}
	all.Wait()
	if n := count.Load(); n != entries {
		t.Errorf("%d of %d entries taken", n, entries)
	}
	for checkout := range spool.ListCheckoutsUnsafe("incoming") {
		t.Errorf("%v was taken and not delivered", checkout)
	}
}

func TestAnArrivalIsNotStrandedOnAReaderThatStoppedWaiting(t *testing.T) {
	spool := newSpool(t)
	stopped, waiting := newReader(t, spool), newReader(t, spool)
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() {
			_, err := stopped.Dequeue(ctx)
			ended <- err
		}()
		awaitWaiting(t, 1)
		taken := make(chan error)
		go func() {
			checkout, err := waiting.Dequeue(limited(t))
			if err == nil {
				err = checkout.Remove()
				checkout.Close()
			}
			taken <- err
		}()
		awaitWaiting(t, 2)
		cancel()
		wantError(t, <-ended, context.Canceled)
		enqueue(t, spool, "incoming", "m", "d")
		must(t, <-taken)
	}
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

func threads(t testing.TB) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	must(t, err)
	return len(tasks)
}

func descriptors(t testing.TB) (all, inotify int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, fd := range fds {
		if target, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.Contains(target, "inotify") {
			inotify++
		}
	}
	return len(fds), inotify
}

func TestAThousandWaitingReadersHoldNoThreadsAndLeakNothing(t *testing.T) {
	spool := newSpool(t)
	const waiters = 1000
	warm := newReader(t, spool)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	_, err := warm.Dequeue(ctx)
	cancel()
	wantError(t, err, context.DeadlineExceeded)
	goroutines, threadsBefore := runtime.NumGoroutine(), threads(t)
	descriptorsBefore, _ := descriptors(t)

	waiting, stop := context.WithCancel(limited(t))
	defer stop()
	readers := make([]*Reader, waiters)
	var all sync.WaitGroup
	var taken atomic.Int64
	delivered := make(chan string, waiters)
	for i := range readers {
		readers[i] = newReader(t, spool)
		all.Add(1)
		go func() {
			defer all.Done()
			checkout, err := readers[i].Dequeue(waiting)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			taken.Add(1)
			delivered <- checkout.Name()
			if err := checkout.Remove(); err != nil {
				t.Error(err)
			}
			checkout.Close()
		}()
	}
	awaitWaiting(t, waiters)
	if more := threads(t) - threadsBefore; more >= 20 {
		t.Errorf("%d more threads", more)
	}
	if _, inotify := descriptors(t); inotify > 1 {
		t.Errorf("%d inotify instances", inotify)
	}
	for range 50 {
		entry := enqueue(t, spool, "incoming", "m", "d")
		if name := <-delivered; name != entry.Name() {
			t.Fatalf("%q was delivered, want %q", name, entry.Name())
		}
	}
	if more := threads(t) - threadsBefore; more >= 20 {
		t.Errorf("%d more threads after deliveries", more)
	}
	stop()
	all.Wait()
	for _, reader := range readers {
		must(t, reader.Close())
	}
	if taken.Load() != 50 {
		t.Errorf("%d taken", taken.Load())
	}
	if after, _ := descriptors(t); after > descriptorsBefore {
		t.Errorf("%d descriptors, %d before", after, descriptorsBefore)
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
}

func TestCloseEndsEveryWait(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	ended := make(chan error)
	for range 8 {
		go func() {
			_, err := reader.Dequeue(context.Background())
			ended <- err
		}()
	}
	awaitWaiting(t, 1)
	must(t, reader.Close())
	must(t, reader.Close())
	for range 8 {
		wantError(t, <-ended, ErrClosed)
	}
	_, err := reader.Dequeue(context.Background())
	wantError(t, err, ErrClosed)
	_, err = reader.DequeueAvailable()
	wantError(t, err, ErrClosed)
	for _, err := range reader.All(context.Background()) {
		wantError(t, err, ErrClosed)
	}
	for _, err := range reader.Available() {
		wantError(t, err, ErrClosed)
	}
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

func TestAWatchedQueueThatGoesAwayIsAnErrorNotAWait(t *testing.T) {
	for name, takeAway := range map[string]func(path string) error{
		"moved":   func(path string) error { return os.Rename(path, path+".old") },
		"removed": os.RemoveAll,
	} {
		t.Run(name, func(t *testing.T) {
			spool := newSpool(t)
			reader := newReader(t, spool)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			ended := make(chan error)
			go func() {
				_, err := reader.Dequeue(ctx)
				ended <- err
			}()
			awaitWaiting(t, 1)
			must(t, takeAway(filepath.Join(spool.Dir(), "incoming")))
			wantError(t, <-ended, ErrMissing)
		})
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
