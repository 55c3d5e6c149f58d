package multispool

// #include <multispool.h>
import "C"

import (
	"iter"
	"log/slog"
	"time"
)

// Entry names an entry in a queue. It owns nothing: whether the entry is still there is found out
// when it is used. Any number of goroutines may use it at once.
type Entry struct {
	spool *Spool
	queue string
	name  string
}

// Stat is what the file system knows about a file.
type Stat struct {
	// Modified is when its contents last changed.
	Modified time.Time
	// Changed is when anything about it last changed, its name included.
	Changed time.Time
	// Size is in bytes.
	Size int64
}

// Entry names an entry without looking at the disk. The errors are ErrInvalidName and
// ErrUnknownQueue.
func (s *Spool) Entry(queue, name string) (*Entry, error) {
	entry := &Entry{spool: s, queue: queue, name: name}
	err := entry.lend("entry", s.handle.look, func(*C.multispool_entry) error { return nil })
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// List is the entries of queue at the time, sorted by the bytes of their names. They are read
// as the loop goes on; an entry that comes or goes meanwhile may be among them or not. An error
// ends the loop.
func (s *Spool) List(queue string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		text, err := queueText("list", queue)
		if err != nil {
			yield(nil, err)
			return
		}
		var cursor *C.multispool_entries
		err = s.handle.use("list", func(spool *C.multispool_spool) error {
			var cause *C.multispool_error
			status := C.multispool_list(spool, text, &cursor, &cause)
			return failure("list", queue, status, cause)
		})
		if err != nil {
			yield(nil, err)
			return
		}
		defer C.multispool_entries_free(cursor)
		for {
			entry, err := s.nextEntry("list", cursor)
			if entry == nil && err == nil {
				return
			}
			if !yield(entry, err) || err != nil {
				return
			}
		}
	}
}

// nextEntry is nil without an error at the end.
func (s *Spool) nextEntry(operation string, cursor *C.multispool_entries) (*Entry, error) {
	var entry *Entry
	err := s.handle.use(operation, func(*C.multispool_spool) error {
		var native *C.multispool_entry
		var cause *C.multispool_error
		status := C.multispool_entries_next(cursor, &native, &cause)
		if status == C.MULTISPOOL_EMPTY {
			return nil
		}
		if native != nil {
			entry = s.takenEntry(C.GoString(C.multispool_entry_queue(native)), native)
		}
		return failure(operation, "", status, cause)
	})
	return entry, err
}

// takenEntry keeps what identifies an entry of queue, and frees the library's.
func (s *Spool) takenEntry(queue string, native *C.multispool_entry) *Entry {
	if native == nil {
		return nil
	}
	defer C.multispool_entry_free(native)
	return &Entry{
		spool: s,
		queue: queue,
		name:  C.GoString(C.multispool_entry_name(native)),
	}
}

// use lends f, which touches the disk, the library's entry.
func (e *Entry) use(operation string, f func(*C.multispool_entry) error) error {
	return e.lend(operation, e.spool.handle.use, f)
}

func (e *Entry) lend(operation string, with func(string, func(*C.multispool_spool) error) error,
	f func(*C.multispool_entry) error,
) error {
	queue, err := queueText(operation, e.queue)
	if err != nil {
		return err
	}
	name, err := nameText(operation, e.name)
	if err != nil {
		return err
	}
	return with(operation, func(spool *C.multispool_spool) error {
		var native *C.multispool_entry
		var cause *C.multispool_error
		status := C.multispool_entry_create(spool, queue, name, &native, &cause)
		if err := failure(operation, e.name, status, cause); err != nil {
			return err
		}
		defer C.multispool_entry_free(native)
		return f(native)
	})
}

// Spool is the spool that the entry is in.
func (e *Entry) Spool() *Spool { return e.spool }

// Queue is the queue that the entry was in when it was named.
func (e *Entry) Queue() string { return e.queue }

// Name is the entry's name, which is unique in its spool.
func (e *Entry) Name() string { return e.name }

// String is "queue/name".
func (e *Entry) String() string { return e.queue + "/" + e.name }

// LogValue is the queue and the name.
func (e *Entry) LogValue() slog.Value {
	return slog.GroupValue(slog.String("queue", e.queue), slog.String("name", e.name))
}

// Stat is that of the entry's registry file, which is touched whenever the entry moves. The error
// of an entry that is gone is ErrNotFound.
func (e *Entry) Stat() (Stat, error) {
	var stat Stat
	err := e.use("stat", func(native *C.multispool_entry) error {
		var modified, changed C.int64_t
		var size C.uint64_t
		var cause *C.multispool_error
		status := C.multispool_entry_stat(native, &modified, &changed, &size, &cause)
		stat = newStat(modified, changed, size)
		return failure("stat", e.name, status, cause)
	})
	if err != nil {
		return Stat{}, err
	}
	return stat, nil
}

func newStat(modified, changed C.int64_t, size C.uint64_t) Stat {
	return Stat{Modified: time.Unix(0, int64(modified)), Changed: time.Unix(0, int64(changed)), Size: int64(size)}
}

// Checkout takes the entry, for a caller that expects to be the only one: that it is gone is the
// error ErrMissing.
func (e *Entry) Checkout(options ...CheckoutOption) (*Checkout, error) {
	return e.checkout("checkout", options,
		func(native *C.multispool_entry, o *C.multispool_checkout_options, c **C.multispool_checkout, e **C.multispool_error) C.int32_t {
			return C.multispool_entry_checkout(native, o, c, e)
		})
}

// TryCheckout takes the entry, for a caller that others may outrun: that it is gone is the expected
// outcome ErrNotFound.
func (e *Entry) TryCheckout(options ...CheckoutOption) (*Checkout, error) {
	return e.checkout("try_checkout", options,
		func(native *C.multispool_entry, o *C.multispool_checkout_options, c **C.multispool_checkout, e **C.multispool_error) C.int32_t {
			return C.multispool_entry_try_checkout(native, o, c, e)
		})
}

func (e *Entry) checkout(operation string, options []CheckoutOption,
	call func(*C.multispool_entry, *C.multispool_checkout_options, **C.multispool_checkout, **C.multispool_error) C.int32_t,
) (*Checkout, error) {
	o, err := build(operation, options,
		func(o **C.multispool_checkout_options, e **C.multispool_error) C.int32_t {
			return C.multispool_checkout_options_new(o, e)
		}, CheckoutOption.setCheckout)
	if o != nil {
		defer C.multispool_checkout_options_free(o)
	}
	if err != nil {
		return nil, err
	}
	var checkout *Checkout
	err = e.use(operation, func(native *C.multispool_entry) error {
		var taken *C.multispool_checkout
		var cause *C.multispool_error
		status := call(native, o, &taken, &cause)
		if err := failure(operation, e.name, status, cause); err != nil {
			return err
		}
		checkout = newCheckout(e.spool, e.queue, taken)
		return nil
	})
	return checkout, err
}

// WithEntry takes the entry, calls f, and finishes the entry as f's outcome says. If f fails or
// panics the entry is released, its changes to the metadata dropped, and the failure passed on. That
// the entry is gone is the error ErrMissing.
func (e *Entry) WithEntry(f func(*Checkout) (Outcome, error), options ...CheckoutOption) error {
	checkout, err := e.Checkout(options...)
	if err != nil {
		return err
	}
	return checkout.run(f)
}

// TryWithEntry is WithEntry for a caller that others may outrun: that the entry is gone is the
// expected outcome ErrNotFound.
func (e *Entry) TryWithEntry(f func(*Checkout) (Outcome, error), options ...CheckoutOption) error {
	checkout, err := e.TryCheckout(options...)
	if err != nil {
		return err
	}
	return checkout.run(f)
}
