package multispool

// #include <multispool.h>
import "C"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// Reader takes entries from a queue, one by one, and waits for them. Any number of readers,
// goroutines and processes may read one queue: each entry goes to one of them. A Reader that waits
// holds a descriptor, and no operating system thread. Close it when done.
type Reader struct {
	handle *exclusive[*C.multispool_reader]
	spool  *Spool
	queue  string
	// turn is held by the one goroutine that waits; the others line up for it, able to give up.
	turn    chan struct{}
	closing chan struct{}

	mu     sync.Mutex
	closed bool
	signal *os.File
}

// attempts bounds how many readers are inside the library at once: each call takes an operating
// system thread while it lasts, and the runtime keeps every thread that it ever needed.
var attempts = make(chan struct{}, 16)

// Reader makes a reader of queue.
func (s *Spool) Reader(queue string, options ...ReaderOption) (*Reader, error) {
	list, unpin, err := queueList("reader", []string{queue})
	if err != nil {
		return nil, err
	}
	defer unpin()
	o, err := build("reader", options,
		func(o **C.multispool_reader_options, e **C.multispool_error) C.int32_t {
			return C.multispool_reader_options_new(o, e)
		}, ReaderOption.setReader)
	defer C.multispool_reader_options_free(o)
	if err != nil {
		return nil, err
	}
	var native *C.multispool_reader
	err = s.handle.use("reader", func(spool *C.multispool_spool) error {
		var cause *C.multispool_error
		status := C.multispool_reader_create(spool, list, 1, o, &native, &cause)
		return failure("reader", queue, status, cause)
	})
	if err != nil {
		return nil, err
	}
	return &Reader{
		handle:  newExclusive(native, s.handle.throttle, func(p *C.multispool_reader) { C.multispool_reader_free(p) }),
		spool:   s,
		queue:   queue,
		turn:    make(chan struct{}, 1),
		closing: make(chan struct{}),
	}, nil
}

// Spool is the spool that the reader reads.
func (r *Reader) Spool() *Spool { return r.spool }

// Queue is the queue that the reader reads.
func (r *Reader) Queue() string { return r.queue }

// String is the spool's directory and the queue.
func (r *Reader) String() string { return r.spool.dir + "/" + r.queue }

// LogValue is the spool's directory and the queue.
func (r *Reader) LogValue() slog.Value {
	return slog.GroupValue(slog.String("dir", r.spool.dir), slog.String("queue", r.queue))
}

// Dequeue takes the next entry, and waits for one if there is none. When ctx is done first it
// returns ctx.Err(), and no entry was taken; an entry once taken is returned. ErrCorrupt is one
// damaged entry, with its path: the next call goes on to others.
func (r *Reader) Dequeue(ctx context.Context) (*Checkout, error) {
	var checkout *Checkout
	err := r.await(ctx, func() (ended bool, err error) {
		checkout, err = r.next()
		return checkout != nil, err
	})
	return checkout, err
}

// await makes attempts until one ends, by taking something or by an error.
func (r *Reader) await(ctx context.Context, attempt func() (ended bool, err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// First of all, as a reader that can wait does not pause for names that are busy.
	signal, err := r.waitable()
	if err != nil {
		return err
	}
	if ended, err := attempt(); ended || err != nil {
		return err
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closing:
		return closedError("dequeue")
	}
	return r.wait(ctx, signal, attempt)
}

// DequeueAvailable takes the next entry that is there, and does not wait: ErrEmpty says that there
// is none. ErrCorrupt is one damaged entry, with its path: the next call goes on to others.
func (r *Reader) DequeueAvailable() (*Checkout, error) {
	checkout, err := r.next()
	if checkout == nil && err == nil {
		return nil, failure("dequeue_available from", r.queue, C.MULTISPOOL_EMPTY, nil)
	}
	return checkout, err
}

func (r *Reader) use(operation string, f func(*C.multispool_reader) error) error {
	return r.handle.use(operation, func(reader *C.multispool_reader) error {
		attempts <- struct{}{}
		defer func() { <-attempts }()
		return f(reader)
	})
}

// next is nil without an error when nothing is available.
func (r *Reader) next() (*Checkout, error) {
	var checkout *Checkout
	err := r.use("dequeue", func(reader *C.multispool_reader) error {
		var native *C.multispool_checkout
		var cause *C.multispool_error
		status := C.multispool_reader_dequeue(reader, nil, 0, &native, &cause)
		if status == C.MULTISPOOL_EMPTY {
			return nil
		}
		if err := failure("dequeue from", r.queue, status, cause); err != nil {
			return err
		}
		checkout = newCheckout(r.spool, r.queue, native)
		return nil
	})
	return checkout, err
}

// wait waits in the runtime's poller. The library's descriptor becomes readable when a dequeue may
// succeed, and only a dequeue that finds nothing makes it unreadable again: so each try is made
// inside conn.Read, which has forgotten older events by then and wakes for every newer one.
func (r *Reader) wait(ctx context.Context, signal *os.File, attempt func() (ended bool, err error)) error {
	conn, err := signal.SyscallConn()
	if err != nil {
		return r.waitError(ctx, err)
	}
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		// It fails only when the reader is closed, which ends the wait as well.
		_ = signal.SetReadDeadline(time.Unix(1, 0))
		close(cancelled)
	})
	defer func() {
		if !stop() {
			<-cancelled
			// The next wait starts without a deadline; a closed reader has no next.
			_ = signal.SetReadDeadline(time.Time{})
		}
	}()
	var ended bool
	var failed error
	err = conn.Read(func(uintptr) bool {
		ended, failed = attempt()
		return ended || failed != nil
	})
	if !ended && failed == nil {
		return r.waitError(ctx, err)
	}
	return failed
}

// waitError says why a wait ended without an entry.
func (r *Reader) waitError(ctx context.Context, err error) error {
	select {
	case <-r.closing:
		return closedError("dequeue")
	default:
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return fmt.Errorf("multispool: wait for an entry in %q: %w", r.queue, err)
}

// waitable is our own duplicate of the library's descriptor, which the runtime's poller may close.
func (r *Reader) waitable() (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, closedError("dequeue")
	}
	if r.signal != nil {
		return r.signal, nil
	}
	var duplicate uintptr
	err := r.use("dequeue", func(reader *C.multispool_reader) error {
		var fd C.int
		var cause *C.multispool_error
		status := C.multispool_reader_fd(reader, &fd, &cause)
		if err := failure("wait for", r.queue, status, cause); err != nil {
			return err
		}
		var errno syscall.Errno
		duplicate, _, errno = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
		if errno != 0 {
			return fmt.Errorf("multispool: duplicate the descriptor of a reader of %q: %w", r.queue, errno)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// os.NewFile gives only nonblocking descriptors to the poller.
	if err := syscall.SetNonblock(int(duplicate), true); err != nil {
		syscall.Close(int(duplicate))
		return nil, fmt.Errorf("multispool: make the descriptor of a reader of %q nonblocking: %w", r.queue, err)
	}
	signal := os.NewFile(duplicate, "multispool reader of "+r.queue)
	if err := signal.SetReadDeadline(time.Time{}); err != nil {
		signal.Close()
		return nil, fmt.Errorf("multispool: wait on the descriptor of a reader of %q: %w", r.queue, err)
	}
	r.signal = signal
	return signal, nil
}

// All takes entry after entry and waits for more, until ctx is done. Each checkout belongs to the
// body of the loop: what the body leaves unfinished is released when it ends, by break, return or
// panic as well. Whoever hands entries to other goroutines calls Dequeue instead. One entry that is
// damaged or cannot be read (ErrCorrupt) is yielded as an error, and the loop goes on; so does one
// that could not be given back, which the next Recover returns. Any other error ends the loop. That
// ctx is done is no error: ask ctx.Err().
func (r *Reader) All(ctx context.Context) iter.Seq2[*Checkout, error] {
	return loop(func() (*Checkout, bool, error) {
		checkout, err := r.Dequeue(ctx)
		return checkout, checkout == nil && ctx.Err() != nil && errors.Is(err, ctx.Err()), err
	})
}

// Available takes entry after entry until there is none, and does not wait. Each entry is tried at
// most once. Checkouts and errors are as in All.
func (r *Reader) Available() iter.Seq2[*Checkout, error] {
	return loop(func() (*Checkout, bool, error) {
		checkout, err := r.next()
		return checkout, checkout == nil && err == nil, err
	})
}

func loop(take func() (checkout *Checkout, ended bool, err error)) iter.Seq2[*Checkout, error] {
	return func(yield func(*Checkout, error) bool) {
		for {
			checkout, ended, err := take()
			if ended {
				return
			}
			if err != nil {
				if !yield(nil, err) || !errors.Is(err, ErrCorrupt) {
					return
				}
				continue
			}
			more, err := lend(checkout, yield)
			if !more {
				return
			}
			if err != nil && !yield(nil, err) {
				return
			}
		}
	}
}

// lend yields a checkout and takes it back. The error is that of giving back an unfinished entry.
func lend(checkout *Checkout, yield func(*Checkout, error) bool) (more bool, err error) {
	defer func() { err = checkout.Close() }()
	return yield(checkout, nil), nil
}

// Close ends the reader, and each wait in it with ErrClosed. Entries that it returned stay checked
// out. It always returns nil, and may be called again.
func (r *Reader) Close() error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	signal := r.signal
	r.mu.Unlock()
	if !first {
		return nil
	}
	close(r.closing)
	if signal != nil {
		// Closing wakes the goroutine that waits on it; there is nothing to lose in an event counter.
		_ = signal.Close()
	}
	return r.handle.close(nil)
}
