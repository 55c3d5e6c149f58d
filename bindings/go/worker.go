//go:build cgo

package multispool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"
)

// Worker takes entries from a queue and has a handler work on them, several at once. Its zero values
// are the defaults; Spool, Queue and Handler must be set. It is not changed by Run, and may be run
// again, and by several goroutines at once.
type Worker struct {
	Spool *Spool
	// Queue is where the entries are taken from.
	Queue string
	// Handler does the work.
	Handler Handler
	// Goroutines is how many entries are worked on at once: by default, GOMAXPROCS. Waiting ones hold
	// no thread.
	Goroutines int
	// Failed says what becomes of an entry whose handler failed or panicked (PanicError): Save to a
	// queue of failures, for example, once the metadata says that there were enough attempts. By
	// default it is given back, and tried again as WithRetryAfter says.
	Failed func(checkout *Checkout, err error) Outcome
	// DrainLimit is how long handlers may go on undisturbed when Run is told to end; then their context
	// is done, with ErrDrainLimit as its cause. By default 20 s; less than 0 is no limit.
	DrainLimit time.Duration
	// AbandonLimit is how long after that Run waits for handlers that do not heed their context, before
	// it returns without them (AbandonedError). By default 5 s.
	AbandonLimit time.Duration
	// RecoverEvery is how often the entries of dead owners are given back, besides at the start and when
	// the queue runs empty. By default 15 s; less than 0 is never, not at the start either.
	RecoverEvery time.Duration
	// ReaderOptions are those of its Reader.
	ReaderOptions []ReaderOption
	// Logger is told of each failure. By default it is slog.Default().
	Logger *slog.Logger
}

// ErrDrainLimit is the cause of a handler's context that ended because the DrainLimit was over.
var ErrDrainLimit = errors.New("multispool: the worker was told to end, and its drain limit is over")

// AbandonedError says that handlers went on when the worker's limits were over. Their entries stay
// checked out, so that nobody else works on them meanwhile; each is finished as its handler says when
// that returns, or goes to another worker by Recover when this process ends.
type AbandonedError struct{ Entries []*Entry }

// Error names the entries.
func (e *AbandonedError) Error() string {
	return fmt.Sprintf("multispool: the worker ended while handlers went on with %d entries: %v", len(e.Entries), e.Entries)
}

// Run takes entries, and waits for more, until ctx is done. Then it takes no more, lets the handlers
// in hand finish within the limits, and returns nil, or an AbandonedError. The handlers' context has
// the values of ctx, and outlives it by the DrainLimit. A failure to read the queue, such as
// ErrMissing, ends it in the same way, and is returned; one damaged entry, or a handler that fails,
// does not.
func (w *Worker) Run(ctx context.Context) error {
	if w.Spool == nil || w.Handler == nil {
		return &Error{
			Status: StatusInvalidArgument, Op: "work",
			Message: "work: a Worker needs a Spool, a Queue and a Handler",
		}
	}
	reader, err := w.Spool.Reader(w.Queue, w.ReaderOptions...)
	if err != nil {
		return err
	}
	defer reader.Close()
	r := newRun(ctx, w.withDefaults(), reader)
	defer r.stop(nil)
	done := r.start()
	select {
	case <-r.taking.Done():
	case <-done:
	}
	if !r.drained(done) {
		return errors.Join(r.failure(), &AbandonedError{r.inHand()})
	}
	return r.failure()
}

func (w *Worker) withDefaults() Worker {
	c := *w
	if c.Goroutines <= 0 {
		c.Goroutines = runtime.GOMAXPROCS(0)
	}
	if c.DrainLimit == 0 {
		c.DrainLimit = 20 * time.Second
	}
	if c.AbandonLimit == 0 {
		c.AbandonLimit = 5 * time.Second
	}
	if c.RecoverEvery == 0 {
		c.RecoverEvery = 15 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
