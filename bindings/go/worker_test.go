package multispool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// logged collects what a worker logs.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// worker is one of the queue incoming, whose log goes to the test.
func worker(spool *Spool, handler Handler) (*Worker, *logged) {
	log := &logged{}
	return &Worker{
		Spool: spool, Queue: "incoming", Handler: handler, Goroutines: 4,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

// running runs a worker; end tells it to end, and returns what Run returned.
func running(t *testing.T, w *Worker) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- w.Run(ctx) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		select {
		case err := <-result:
			return err
		case <-time.After(time.Minute):
			t.Fatal("the worker does not end")
			return nil
		}
	}
}

func TestAWorkerFinishesEachEntryAsItsHandlerSays(t *testing.T) {
	spool := newSpool(t)
	var handled sync.WaitGroup
	handled.Add(40)
	w, log := worker(spool, func(_ context.Context, checkout *Checkout) (Outcome, error) {
		defer handled.Done()
		switch string(checkout.Metadata()) {
		case "save":
			return SaveWith("done", []byte("saved")), nil
		case "own":
			return Outcome{}, checkout.Save("done")
		default:
			return Remove(), nil
		}
	})
	end := running(t, w)
	for _, metadata := range []string{"save", "own", "remove", "remove"} {
		for range 10 {
			enqueue(t, spool, "incoming", metadata, "d")
		}
	}
	handled.Wait()
	must(t, end())
	wantCount(t, spool, "incoming", 0)
	wantCount(t, spool, "done", 20)
	if log.String() != "" {
		t.Errorf("logged %s", log)
	}
}

func TestAWorkerHandlesSeveralEntriesAtOnceAndNoMoreThanItMay(t *testing.T) {
	spool := newSpool(t)
	const entries = 12
	var now, most atomic.Int64
	var handled sync.WaitGroup
	handled.Add(entries)
	together := make(chan struct{})
	var arrived atomic.Int64
	w, _ := worker(spool, func(context.Context, *Checkout) (Outcome, error) {
		defer handled.Done()
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		if arrived.Add(1) == 4 {
			close(together)
		}
		<-together // the first four are here before any goes on
		return Remove(), nil
	})
	for range entries {
		enqueue(t, spool, "incoming", "m", "d")
	}
	end := running(t, w)
	handled.Wait()
	must(t, end())
	if most.Load() != 4 {
		t.Errorf("%d at once, want 4", most.Load())
	}
}

func TestAHandlerThatFailsOrPanicsGivesItsEntryBackAndTheWorkerGoesOn(t *testing.T) {
	spool := newSpool(t)
	broken := errors.New("handler broken")
	for _, metadata := range []string{"fails", "panics", "panics with an error", "asks for what is not there"} {
		enqueue(t, spool, "incoming", metadata, "d")
	}
	last := make(chan struct{})
	w, log := worker(spool, func(_ context.Context, checkout *Checkout) (Outcome, error) {
		must(t, checkout.SetMetadata([]byte("half done")))
		switch entry := contentsOfCheckout(checkout); entry {
		case "fails":
			return Remove(), broken
		case "panics":
			panic("handler panicked")
		case "panics with an error":
			panic(broken)
		case "asks for what is not there":
			return Save("no such queue"), nil
		default:
			defer close(last)
			return Save("done"), nil
		}
	})
	w.Goroutines = 1 // in order, so that the last comes last
	end := running(t, w)
	enqueue(t, spool, "incoming", "works", "d")
	<-last
	must(t, end())
	wantCount(t, spool, "done", 1)
	var left []string
	for entry, err := range spool.List("incoming") {
		must(t, err)
		left = append(left, contents(t, spool, "incoming", entry.Name()))
	}
	if want := []string{"fails", "panics", "panics with an error", "asks for what is not there"}; !reflect.DeepEqual(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	for _, want := range []string{"handler broken", "handler panicked", "worker_test.go", "no such queue"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q was not logged: %s", want, log)
		}
	}
}

// contentsOfCheckout is the metadata on disk.
func contentsOfCheckout(checkout *Checkout) string {
	text, err := os.ReadFile(filepath.Join(checkout.Spool().Dir(), checkout.Queue(), ".checkout", checkout.Name()))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestFailedDecidesWhatBecomesOfAnEntry(t *testing.T) {
	spool := newSpool(t, "incoming", "failed")
	broken := errors.New("handler broken")
	var decided sync.WaitGroup
	decided.Add(3)
	w, log := worker(spool, func(_ context.Context, checkout *Checkout) (Outcome, error) {
		if string(checkout.Metadata()) == "panics" {
			panic(broken)
		}
		return Outcome{}, fmt.Errorf("wrapped: %w", broken)
	})
	w.Failed = func(checkout *Checkout, err error) Outcome {
		defer decided.Done()
		if !errors.Is(err, broken) {
			t.Errorf("failed with %v", err)
		}
		var panicked *PanicError
		if errors.As(err, &panicked) != (string(checkout.Metadata()) == "panics") {
			t.Errorf("%s: %v", checkout.Metadata(), err)
		}
		if string(checkout.Metadata()) == "twice" {
			panic("in Failed")
		}
		return SaveWith("failed", fmt.Append(nil, err))
	}
	for _, metadata := range []string{"fails", "panics", "twice"} {
		enqueue(t, spool, "incoming", metadata, "d")
	}
	end := running(t, w)
	decided.Wait()
	must(t, end())
	wantCount(t, spool, "failed", 2)
	wantCount(t, spool, "incoming", 1)
	if !strings.Contains(log.String(), "in Failed") {
		t.Errorf("logged %s", log)
	}
}

// caller is the key of a value in a context.
type caller struct{}

func TestAWorkerThatIsToldToEndLetsItsHandlersFinish(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "in hand", "d")
	begun, goOn := make(chan struct{}), make(chan struct{})
	w, _ := worker(spool, func(ctx context.Context, _ *Checkout) (Outcome, error) {
		close(begun)
		<-goOn
		if ctx.Value(caller{}) != "me" {
			t.Error("the values of the context are not the handler's")
		}
		return Save("done"), ctx.Err() // which is not done
	})
	w.Goroutines = 1
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), caller{}, "me"))
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- w.Run(ctx) }()
	<-begun
	enqueue(t, spool, "incoming", "too late", "d")
	cancel()
	close(goOn)
	must(t, <-result)
	wantCount(t, spool, "done", 1)
	wantCount(t, spool, "incoming", 1)
}

func TestTheDrainLimitEndsTheHandlersContext(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "m", "d")
	begun := make(chan struct{})
	var cause atomic.Value
	w, log := worker(spool, func(ctx context.Context, _ *Checkout) (Outcome, error) {
		close(begun)
		<-ctx.Done()
		cause.Store(context.Cause(ctx))
		return Outcome{}, ctx.Err()
	})
	w.DrainLimit, w.AbandonLimit = time.Millisecond, -1
	w.Failed = func(_ *Checkout, err error) Outcome {
		t.Errorf("an interruption is no failure of the work: %v", err)
		return Remove()
	}
	end := running(t, w)
	<-begun
	must(t, end())
	if cause.Load() != ErrDrainLimit {
		t.Errorf("the cause is %v", cause.Load())
	}
	wantCount(t, spool, "incoming", 1)
	if !strings.Contains(log.String(), "interrupted") {
		t.Errorf("logged %s", log)
	}
}

func TestAHandlerThatHeedsNothingIsAbandonedAndKeepsItsEntry(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	begun, goOn := make(chan struct{}), make(chan struct{})
	w, _ := worker(spool, func(context.Context, *Checkout) (Outcome, error) {
		close(begun)
		<-goOn
		return Save("done"), nil
	})
	w.DrainLimit, w.AbandonLimit = time.Millisecond, time.Millisecond
	end := running(t, w)
	<-begun
	err := end()
	var abandoned *AbandonedError
	if !errors.As(err, &abandoned) || len(abandoned.Entries) != 1 || abandoned.Entries[0].Name() != entry.Name() {
		t.Fatalf("ended with %v", err)
	}
	if !strings.Contains(err.Error(), entry.Name()) {
		t.Errorf("the entry is not named in %q", err)
	}
	returned, err := spool.Recover()
	must(t, err)
	if len(returned) != 0 {
		t.Errorf("taken from a handler that goes on: %v", returned)
	}
	close(goOn)
	// It is finished after all, which is seen by its arrival.
	done, err := spool.Reader("done")
	must(t, err)
	defer done.Close()
	checkout, err := done.Dequeue(limited(t))
	must(t, err)
	must(t, checkout.Close())
}

func TestAWorkerEndsWithTheErrorOfAQueueThatIsGone(t *testing.T) {
	spool := newSpool(t)
	w, _ := worker(spool, func(context.Context, *Checkout) (Outcome, error) { return Remove(), nil })
	result := make(chan error, 1)
	go func() { result <- w.Run(limited(t)) }()
	awaitWaiting(t, 1)
	must(t, os.RemoveAll(filepath.Join(spool.Dir(), "incoming")))
	wantError(t, <-result, ErrMissing)
	w.Queue = "other"
	wantError(t, w.Run(limited(t)), ErrUnknownQueue)
	wantError(t, (&Worker{}).Run(limited(t)), ErrInvalidArgument)
}

func TestADamagedEntryDoesNotEndAWorker(t *testing.T) {
	spool := newSpool(t)
	damaged := enqueue(t, spool, "incoming", "damaged", "d")
	must(t, os.Remove(filepath.Join(spool.Dir(), ".data", damaged.Name())))
	enqueue(t, spool, "incoming", "whole", "d")
	handled := make(chan string)
	w, log := worker(spool, func(_ context.Context, checkout *Checkout) (Outcome, error) {
		handled <- string(checkout.Metadata())
		return Remove(), nil
	})
	end := running(t, w)
	if got := <-handled; got != "whole" {
		t.Errorf("handled %q", got)
	}
	must(t, end())
	if !strings.Contains(log.String(), damaged.Name()) {
		t.Errorf("logged %s", log)
	}
}

func TestAHandlerThatEndsItsGoroutineEndsTheWorkerAndGivesItsEntryBack(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "m", "d")
	w, _ := worker(spool, func(context.Context, *Checkout) (Outcome, error) {
		runtime.Goexit()
		return Remove(), nil
	})
	if err := w.Run(limited(t)); err == nil || !strings.Contains(err.Error(), "Goexit") {
		t.Errorf("ended with %v", err)
	}
	wantCount(t, spool, "incoming", 1)
}

// telling is a worker that tells the metadata of what it handled.
func telling(spool *Spool) (w *Worker, handled chan string) {
	handled = make(chan string, 2)
	w, _ = worker(spool, func(_ context.Context, checkout *Checkout) (Outcome, error) {
		handled <- string(checkout.Metadata())
		return Remove(), nil
	})
	return w, handled
}

func TestAWorkerRecoversAtItsStartWhatADeadOwnerHeld(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "dead", "d")
	holder, _ := startHolder(t, spool)
	must(t, holder.Process.Kill())
	_ = holder.Wait()
	w, handled := telling(spool)
	end := running(t, w)
	if got := <-handled; got != "dead" {
		t.Errorf("handled %q", got)
	}
	must(t, end())
}

func TestAWorkerRecoversWhenItsQueueRunsEmpty(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "dead", "d")
	holder, _ := startHolder(t, spool)
	w, handled := telling(spool)
	end := running(t, w)
	awaitWaiting(t, 1)
	must(t, holder.Process.Kill())
	_ = holder.Wait()
	enqueue(t, spool, "incoming", "alive", "d") // and then the queue runs empty again
	got := []string{<-handled, <-handled}
	slices.Sort(got)
	if !reflect.DeepEqual(got, []string{"alive", "dead"}) {
		t.Errorf("handled %q", got)
	}
	must(t, end())
}

func TestAWorkerThatIsToldNeverToRecoverDoesNot(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "dead", "d")
	holder, _ := startHolder(t, spool)
	must(t, holder.Process.Kill())
	_ = holder.Wait()
	enqueue(t, spool, "incoming", "alive", "d")
	w, handled := telling(spool)
	w.RecoverEvery = -1
	end := running(t, w)
	if got := <-handled; got != "alive" {
		t.Errorf("handled %q", got)
	}
	must(t, end())
	stats, err := spool.Stats()
	must(t, err)
	if q := stats.Queues[1]; q.CheckedOutDead != 1 {
		t.Errorf("stats are %+v", q)
	}
}
