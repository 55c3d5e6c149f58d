package multispool

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

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

func TestWhetherTheEntryOrTheCancelComesFirstDecidesAndNothingIsDropped(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool, WithDurability(DurabilityNone))
	type result struct {
		checkout *Checkout
		err      error
	}
	// dequeue is a wait that has begun.
	dequeue := func() (cancel context.CancelFunc, ended chan result) {
		ctx, cancel := context.WithCancel(limited(t))
		ended = make(chan result, 1)
		go func() {
			checkout, err := reader.Dequeue(ctx)
			ended <- result{checkout, err}
		}()
		awaitWaiting(t, 1)
		return cancel, ended
	}
	put := func() {
		_, err := spool.Enqueue("incoming", nil, nil, WithDurability(DurabilityNone))
		must(t, err)
	}
	for round := range 50 {
		// The wait is over before the entry comes: it stays.
		cancel, ended := dequeue()
		cancel()
		wantError(t, (<-ended).err, context.Canceled)
		put()
		wantCount(t, spool, "incoming", 1)

		// The entry is delivered before the cancel comes.
		checkout, err := reader.Dequeue(limited(t))
		must(t, err)
		must(t, checkout.Remove())
		checkout.Close()
		cancel, ended = dequeue()
		put()
		got := <-ended
		cancel()
		must(t, got.err)
		must(t, got.checkout.Remove())
		got.checkout.Close()

		// Both come at once: the entry is in the caller's hands, or in the queue; never in between.
		cancel, ended = dequeue()
		go cancel()
		put()
		got = <-ended
		cancel()
		switch {
		case got.err == nil:
			wantCount(t, spool, "incoming", 0)
			must(t, got.checkout.Release())
			got.checkout.Close()
		case !errors.Is(got.err, context.Canceled):
			t.Fatal(got.err)
		}
		found := names(t, spool, "incoming")
		if len(found) != 1 {
			t.Fatalf("round %d: the queue has %q", round, found)
		}
		entry, err := spool.Entry("incoming", found[0])
		must(t, err)
		must(t, entry.Direct().Remove())
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
