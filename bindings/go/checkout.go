package multispool

// #include <multispool.h>
import "C"

import (
	"errors"
	"io"
	"iter"
	"log/slog"
	"sync/atomic"
)

// Checkout is an entry that this process owns: no other gets it. It ends with the first Save, Remove
// or Release that succeeds or is ErrNotDurable; a later one is ErrFinished. Close it in any case.
// Several goroutines may use it; they take turns.
type Checkout struct {
	handle   *exclusive[*C.multispool_checkout]
	spool    *Spool
	queue    string
	name     string
	metadata atomic.Pointer[[]byte]
	// borrowed is a checkout that another process may own: closing it must not give it back.
	borrowed bool
}

func newCheckout(spool *Spool, queue string, native *C.multispool_checkout) *Checkout {
	var length C.size_t
	data := C.multispool_checkout_metadata(native, &length)
	metadata := copied(data, length)
	c := &Checkout{
		handle: newExclusive(native, spool.handle.throttle, freeCheckout),
		spool:  spool,
		queue:  queue,
		name:   C.GoString(C.multispool_checkout_name(native)),
	}
	c.metadata.Store(&metadata)
	return c
}

func freeCheckout(native *C.multispool_checkout) { C.multispool_checkout_free(native) }

// ListCheckoutsUnsafe is the entries that are checked out of queue at the time, by anyone. A save or
// remove of what it yields takes it from its owner, if it has one: it is for whoever knows that
// there is none. Closing one, or going on to the next, gives nothing back. An error ends the loop.
func (s *Spool) ListCheckoutsUnsafe(queue string) iter.Seq2[*Checkout, error] {
	return func(yield func(*Checkout, error) bool) {
		text, err := queueText("list_checkouts_unsafe", queue)
		if err != nil {
			yield(nil, err)
			return
		}
		var cursor *C.multispool_checkouts
		err = s.handle.use("list_checkouts_unsafe", func(spool *C.multispool_spool) error {
			var cause *C.multispool_error
			status := C.multispool_list_checkouts_unsafe(spool, text, &cursor, &cause)
			return failure("list_checkouts_unsafe", queue, status, cause)
		})
		if err != nil {
			yield(nil, err)
			return
		}
		defer C.multispool_checkouts_free(cursor)
		for {
			checkout, err := s.nextCheckout(queue, cursor)
			if checkout == nil && err == nil {
				return
			}
			if !yield(checkout, err) || err != nil && !errors.Is(err, ErrCorrupt) {
				return
			}
		}
	}
}

// nextCheckout is nil without an error at the end.
func (s *Spool) nextCheckout(queue string, cursor *C.multispool_checkouts) (*Checkout, error) {
	var checkout *Checkout
	err := s.handle.use("list_checkouts_unsafe", func(*C.multispool_spool) error {
		var native *C.multispool_checkout
		var cause *C.multispool_error
		status := C.multispool_checkouts_next(cursor, &native, &cause)
		if status == C.MULTISPOOL_EMPTY {
			return nil
		}
		if err := failure("list_checkouts_unsafe", "", status, cause); err != nil {
			return err
		}
		checkout = newCheckout(s, queue, native)
		checkout.borrowed = true
		return nil
	})
	return checkout, err
}

// Spool is the spool that the entry is in.
func (c *Checkout) Spool() *Spool { return c.spool }

// Queue is the queue that the entry was taken from.
func (c *Checkout) Queue() string { return c.queue }

// Name is the entry's name, which stays the same until it is removed.
func (c *Checkout) Name() string { return c.name }

// checkout is itself, in whatever type it is embedded.
func (c *Checkout) checkout() *Checkout { return c }

// entry names the entry in the queue that it was taken from.
func (c *Checkout) entry() *Entry { return &Entry{spool: c.spool, queue: c.queue, name: c.name} }

// String is "queue/name".
func (c *Checkout) String() string { return c.queue + "/" + c.name }

// LogValue is the queue and the name.
func (c *Checkout) LogValue() slog.Value {
	return slog.GroupValue(slog.String("queue", c.queue), slog.String("name", c.name))
}

// Metadata is a copy of the entry's metadata, as last updated.
func (c *Checkout) Metadata() []byte {
	return append([]byte{}, *c.metadata.Load()...)
}

// Update replaces the metadata by what f makes of it. Nothing is written before Save; Release and
// Close drop it.
func (c *Checkout) Update(f func(metadata []byte) []byte) error {
	return c.SetMetadata(f(c.Metadata()))
}

// SetMetadata replaces the metadata. Nothing is written before Save; Release and Close drop it.
func (c *Checkout) SetMetadata(metadata []byte) error {
	return c.handle.look("update", func(native *C.multispool_checkout) error {
		m, length := borrowed(metadata)
		var cause *C.multispool_error
		status := C.multispool_checkout_update(native, m, length, &cause)
		if err := failure("update", c.name, status, cause); err != nil {
			return err
		}
		kept := append([]byte{}, metadata...)
		c.metadata.Store(&kept)
		return nil
	})
}

// DataFile is the entry's data. It is of use until the checkout is finished.
func (c *Checkout) DataFile() *DataFile {
	return &DataFile{name: c.name, throttle: c.handle.throttle, held: c, use: func(operation string, f func(*C.multispool_data_file) error) error {
		return c.handle.use(operation, func(native *C.multispool_checkout) error {
			var file *C.multispool_data_file
			var cause *C.multispool_error
			status := C.multispool_checkout_data_file(native, &file, &cause)
			if err := failure(operation, c.name, status, cause); err != nil {
				return err
			}
			defer C.multispool_data_file_free(file)
			return f(file)
		})
	}}
}

// loadData reads the data without a handle of its own.
func (c *Checkout) loadData() ([]byte, error) {
	var data []byte
	err := c.handle.use("load data", func(native *C.multispool_checkout) error {
		var buffer *C.multispool_buffer
		var cause *C.multispool_error
		status := C.multispool_checkout_load_data(native, &buffer, &cause)
		if err := failure("load data", c.name, status, cause); err != nil {
			return err
		}
		data = taken(buffer)
		return nil
	})
	return data, err
}

// Data opens the entry's data for reading; the caller closes it. It goes on reading what was there
// when it was opened, whatever becomes of the entry.
func (c *Checkout) Data() (io.ReadSeekCloser, error) { return c.DataFile().Open() }

// DataWriter begins new data for the entry, in the place of the old when it is committed.
func (c *Checkout) DataWriter() (*DataWriter, error) { return c.DataFile().Writer() }

// DataPath is the path of the entry's data, for programs that read files by name. What they write
// there is theirs to sync.
func (c *Checkout) DataPath() (string, error) { return c.DataFile().Path() }

// Save moves the entry to queue, which may be any of the spool's, with its metadata as updated, and
// finishes the checkout. ErrNotDurable is done; ErrLostOwnership says that the entry was not ours
// any more and is left alone. After any other error the checkout is as before.
func (c *Checkout) Save(queue string, options ...SaveOption) error {
	text, err := queueText("save", queue)
	if err != nil {
		return err
	}
	o, err := build("save", options,
		func(o **C.multispool_save_options, e **C.multispool_error) C.int32_t {
			return C.multispool_save_options_new(o, e)
		}, SaveOption.setSave)
	if o != nil {
		defer C.multispool_save_options_free(o)
	}
	if err != nil {
		return err
	}
	return c.handle.use("save", func(native *C.multispool_checkout) error {
		var cause *C.multispool_error
		status := C.multispool_checkout_save(native, text, o, &cause)
		return failure("save", c.name, status, cause)
	})
}

// Remove deletes the entry with its data, and finishes the checkout. Its errors are those of Save.
func (c *Checkout) Remove(options ...RemoveOption) error {
	o, err := build("remove", options,
		func(o **C.multispool_remove_options, e **C.multispool_error) C.int32_t {
			return C.multispool_remove_options_new(o, e)
		}, RemoveOption.setRemove)
	if o != nil {
		defer C.multispool_remove_options_free(o)
	}
	if err != nil {
		return err
	}
	return c.handle.use("remove", func(native *C.multispool_checkout) error {
		var cause *C.multispool_error
		status := C.multispool_checkout_remove(native, o, &cause)
		return failure("remove", c.name, status, cause)
	})
}

// Renew makes the ownership last for another lease, where several hosts share the spool: to be
// called well within one, such as every quarter, unless [Checkout.Keep] does it. Elsewhere it sees
// that the entry is still here. ErrLostOwnership means that another has the entry by now, or that it
// was given back: what was done with it does not count.
func (c *Checkout) Renew() error {
	return c.handle.use("renew", func(native *C.multispool_checkout) error {
		var cause *C.multispool_error
		status := C.multispool_checkout_renew(native, &cause)
		return failure("renew", c.name, status, cause)
	})
}

// Keep has the lease renewed in the background, each quarter of its time, until the checkout ends.
// Where no lease is needed it does nothing. Whether the lease was lost all the same, because this
// host was cut off, the next call tells. A [Worker] and WithEntry keep what they hand out.
func (c *Checkout) Keep() error {
	return c.handle.use("keep", func(native *C.multispool_checkout) error {
		var cause *C.multispool_error
		status := C.multispool_checkout_keep(native, &cause)
		return failure("keep", c.name, status, cause)
	})
}

// Release puts the entry back into its queue with its old metadata, and finishes the checkout. Data
// that was committed stays. Its errors are those of Save.
func (c *Checkout) Release() error {
	return c.handle.use("release", c.releaseNative)
}

func (c *Checkout) releaseNative(native *C.multispool_checkout) error {
	var cause *C.multispool_error
	status := C.multispool_checkout_release(native, &cause)
	return failure("release", c.name, status, cause)
}

// Finish ends the checkout as the outcome says.
func (c *Checkout) Finish(outcome Outcome) error {
	if outcome.newMetadata {
		if err := c.SetMetadata(outcome.metadata); err != nil {
			return err
		}
	}
	switch outcome.kind {
	case saved:
		return c.Save(outcome.queue)
	case removed:
		return c.Remove()
	default:
		return c.Release()
	}
}

// Finished tells whether the checkout has ended, or was closed.
func (c *Checkout) Finished() bool {
	finished := true
	// A closed handle is the answer, not a failure.
	_ = c.handle.look("finished", func(native *C.multispool_checkout) error {
		finished = C.multispool_checkout_finished(native) != 0
		return nil
	})
	return finished
}

// Close releases the entry if it is not finished, and returns that release's error. It may be called
// again, which does nothing.
func (c *Checkout) Close() error {
	return c.handle.close(func(native *C.multispool_checkout) error {
		if c.borrowed || C.multispool_checkout_finished(native) != 0 {
			return nil
		}
		return c.handle.throttle.run("release", func() error { return c.releaseNative(native) })
	})
}

// run calls f on the entry, and ends it as f says: by a release if f fails or panics.
func (c *Checkout) run(f func(*Checkout) (Outcome, error)) (err error) {
	defer func() {
		if closeErr := c.Close(); closeErr != nil {
			err = errors.Join(err, closeErr)
		}
	}()
	// However long f takes.
	if err := c.Keep(); err != nil {
		return err
	}
	outcome, err := f(c)
	if err != nil || c.Finished() {
		return err
	}
	return c.Finish(outcome)
}
