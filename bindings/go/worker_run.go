//go:build cgo

package multispool

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// errGoexit ends a run: the goroutine that it needs is gone.
var errGoexit = errors.New("multispool: a handler ended the worker's goroutine (runtime.Goexit)")

// run is a Worker at work.
type run struct {
	Worker
	reader *Reader
	// taking is done when no more entries are to be taken, stop makes it so.
	taking context.Context
	stop   context.CancelCauseFunc
	// handling is the handlers' context, which cut ends.
	handling context.Context
	cut      context.CancelCauseFunc
	// idle says that nothing was taken since the queue gave nothing; emptied tells the recoverer.
	idle    atomic.Bool
	emptied chan struct{}

	mu     sync.Mutex
	failed error
	held   map[*Checkout]struct{}
}

func newRun(ctx context.Context, w Worker, reader *Reader) *run {
	r := &run{Worker: w, reader: reader, emptied: make(chan struct{}, 1), held: map[*Checkout]struct{}{}}
	r.taking, r.stop = context.WithCancelCause(ctx)
	r.handling, r.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	return r
}

// start returns a channel that is closed when all goroutines have ended.
func (r *run) start() <-chan struct{} {
	var all sync.WaitGroup
	if r.RecoverEvery >= 0 {
		r.giveBackDead()
		all.Add(1)
		go func() {
			defer all.Done()
			r.recoverer()
		}()
	}
	for range r.Goroutines {
		all.Add(1)
		go func() {
			defer all.Done()
			returned := false
			defer func() {
				if !returned {
					r.fail(errGoexit)
				}
			}()
			r.work()
			returned = true
		}()
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	return done
}

// drained waits for the handlers within the limits, and tells whether all have ended.
func (r *run) drained(done <-chan struct{}) bool {
	defer r.cut(nil)
	if ended(done, r.DrainLimit) {
		return true
	}
	r.cut(ErrDrainLimit)
	return ended(done, r.AbandonLimit)
}

// ended tells whether done was closed within the limit; less than 0 is none.
func ended(done <-chan struct{}, limit time.Duration) bool {
	var over <-chan time.Time
	if limit >= 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-done:
		return true
	case <-over:
		return false
	}
}

// fail ends the run with an error; the first counts.
func (r *run) fail(err error) {
	r.mu.Lock()
	if r.failed == nil {
		r.failed = err
	}
	r.mu.Unlock()
	r.stop(err)
}

func (r *run) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// inHand is what the handlers have, in the order of names.
func (r *run) inHand() []*Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := []*Entry{}
	for checkout := range r.held {
		entries = append(entries, checkout.entry())
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return cmp.Compare(a.name, b.name) })
	return entries
}

// work takes entry after entry until the run is to end.
func (r *run) work() {
	for {
		checkout, err := r.next()
		switch {
		case err == nil:
			r.handle(checkout)
		case r.taking.Err() != nil:
			return
		case errors.Is(err, ErrCorrupt):
			r.Logger.Error("multispool: an entry cannot be taken", "queue", r.Queue, "error", err)
		default:
			r.fail(err)
			return
		}
	}
}

func (r *run) next() (*Checkout, error) {
	if err := r.taking.Err(); err != nil {
		return nil, err
	}
	checkout, err := r.reader.DequeueAvailable()
	if errors.Is(err, ErrEmpty) {
		if !r.idle.Swap(true) {
			r.tellEmptied()
		}
		checkout, err = r.reader.Dequeue(r.taking)
	}
	if err == nil {
		r.idle.Store(false)
	}
	return checkout, err
}

func (r *run) tellEmptied() {
	select {
	case r.emptied <- struct{}{}:
	default: // it has been told, and not looked yet
	}
}

// handle has the handler work on an entry, and finishes it.
func (r *run) handle(checkout *Checkout) {
	r.hold(checkout)
	defer r.letGo(checkout)
	if r.taking.Err() != nil {
		return // it came while the run was told to end: it is not begun any more
	}
	if err := checkout.Keep(); err != nil {
		r.tell("multispool: an entry's lease cannot be kept, it goes back", checkout, err)
		return
	}
	outcome, err := r.Handler.call(r.handling, checkout)
	if err != nil {
		outcome = r.outcomeOf(checkout, err)
	}
	if checkout.Finished() {
		return
	}
	if err := checkout.Finish(outcome); err != nil {
		r.tell("multispool: an entry cannot be finished as its handler said", checkout, err, "outcome", outcome)
	}
}

// outcomeOf says what becomes of an entry whose handler failed.
func (r *run) outcomeOf(checkout *Checkout, err error) Outcome {
	if r.handling.Err() != nil && errors.Is(err, r.handling.Err()) {
		r.tell("multispool: a handler was interrupted, its entry goes back", checkout, err)
		return Release()
	}
	r.tell("multispool: a handler failed", checkout, err)
	if r.Failed == nil {
		return Release()
	}
	decide := Handler(func(_ context.Context, checkout *Checkout) (Outcome, error) {
		return r.Failed(checkout, err), nil
	})
	outcome, err := decide.call(r.handling, checkout)
	if err != nil {
		r.tell("multispool: the function Failed failed", checkout, err)
	}
	return outcome
}

// tell logs a failure, with the stack of a panic.
func (r *run) tell(message string, checkout *Checkout, err error, more ...any) {
	args := append([]any{"entry", checkout, "error", err}, more...)
	var panicked *PanicError
	if errors.As(err, &panicked) {
		args = append(args, "stack", string(panicked.Stack))
	}
	r.Logger.Error(message, args...)
}

func (r *run) hold(checkout *Checkout) {
	r.mu.Lock()
	r.held[checkout] = struct{}{}
	r.mu.Unlock()
}

// letGo gives back what is not finished, also when a handler ends its goroutine.
func (r *run) letGo(checkout *Checkout) {
	if err := checkout.Close(); err != nil {
		r.tell("multispool: an entry cannot be given back: Recover will", checkout, err)
	}
	r.mu.Lock()
	delete(r.held, checkout)
	r.mu.Unlock()
}
