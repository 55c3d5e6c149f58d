package multispool

// #include <multispool.h>
import "C"

import (
	"fmt"
	"io"
	"slices"
)

// Enqueue adds an entry to queue. When it returns nil the entry is visible, and as durable as the
// spool or the options promise. With ErrNotDurable the entry is returned as well: it is visible and
// must not be enqueued again. After any other error nothing is left. The errors are ErrUnknownQueue,
// and with WithName also ErrNotFound (never reserved) and ErrNameTaken.
func (s *Spool) Enqueue(queue string, metadata, data []byte, options ...EnqueueOption) (*Entry, error) {
	return s.enqueue(queue, options, func(spool *C.multispool_spool, queue *C.char, o *C.multispool_enqueue_options,
		entry **C.multispool_entry, cause **C.multispool_error,
	) C.int32_t {
		m, mLength := borrowed(metadata)
		d, dLength := borrowed(data)
		return C.multispool_enqueue(spool, queue, m, mLength, d, dLength, o, entry, cause)
	})
}

// EnqueueFile is Enqueue with the contents of the file at path as data.
func (s *Spool) EnqueueFile(queue string, metadata []byte, path string, options ...EnqueueOption) (*Entry, error) {
	file, err := pathText("enqueue", path)
	if err != nil {
		return nil, err
	}
	return s.enqueue(queue, options, func(spool *C.multispool_spool, queue *C.char, o *C.multispool_enqueue_options,
		entry **C.multispool_entry, cause **C.multispool_error,
	) C.int32_t {
		m, mLength := borrowed(metadata)
		return C.multispool_enqueue_file(spool, queue, m, mLength, file, o, entry, cause)
	})
}

// EnqueueReader is Enqueue with all that data yields, which may be larger than memory. If data
// fails, nothing is enqueued, and its error is wrapped in the one returned.
func (s *Spool) EnqueueReader(queue string, metadata []byte, data io.Reader, options ...EnqueueOption) (*Entry, error) {
	writer, err := s.EnqueueWriter(queue, options...)
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	sink := &failureKeeper{writer: writer}
	if _, err := io.Copy(sink, data); err != nil {
		if sink.err != nil {
			return nil, sink.err
		}
		return nil, fmt.Errorf("multispool: enqueue into %q: read the data: %w", queue, err)
	}
	return writer.Commit(metadata)
}

// failureKeeper tells a writer's failure from its source's.
type failureKeeper struct {
	writer io.Writer
	err    error
}

func (k *failureKeeper) Write(p []byte) (int, error) {
	n, err := k.writer.Write(p)
	k.err = err
	return n, err
}

func (s *Spool) enqueue(queue string, options []EnqueueOption,
	call func(*C.multispool_spool, *C.char, *C.multispool_enqueue_options, **C.multispool_entry, **C.multispool_error) C.int32_t,
) (*Entry, error) {
	var entry *Entry
	err := s.withEnqueue(queue, options, func(spool *C.multispool_spool, text *C.char, o *C.multispool_enqueue_options) error {
		var native *C.multispool_entry
		var cause *C.multispool_error
		status := call(spool, text, o, &native, &cause)
		entry = s.takenEntry(queue, native)
		return failure("enqueue into", queue, status, cause)
	})
	return entry, err
}

// withEnqueue turns the arguments that all ways to enqueue share into the library's.
func (s *Spool) withEnqueue(queue string, options []EnqueueOption,
	call func(*C.multispool_spool, *C.char, *C.multispool_enqueue_options) error,
) error {
	text, err := queueText("enqueue", queue)
	if err != nil {
		return err
	}
	generator := s.generatorFor(options)
	if generator != nil {
		options = append(slices.Clip(options), WithNameGenerator(generator)) // so that there are native options
	}
	native, err := build("enqueue", options,
		func(o **C.multispool_enqueue_options, e **C.multispool_error) C.int32_t {
			return C.multispool_enqueue_options_new(o, e)
		}, EnqueueOption.setEnqueue)
	if native != nil {
		defer C.multispool_enqueue_options_free(native)
	}
	if err != nil {
		return err
	}
	// A queue that is unknown must not cost a name: the library refuses it.
	if generator != nil && slices.Contains(s.queues, queue) {
		if err := s.nameBy(generator, native); err != nil {
			return err
		}
	}
	return s.handle.use("enqueue", func(spool *C.multispool_spool) error {
		return call(spool, text, native)
	})
}

// nameBy makes an enqueue use a name that the generator gave and that is reserved now.
func (s *Spool) nameBy(generator NameGenerator, options *C.multispool_enqueue_options) error {
	name, err := s.reserveBy(generator)
	if err != nil {
		return err
	}
	var cause *C.multispool_error
	status := reservedName(name).setEnqueue(options, &cause)
	return failure("enqueue", name, status, cause)
}

// EnqueueWriter is an entry in the making: write its data, then Commit. It is not visible before.
type EnqueueWriter struct {
	handle *exclusive[*C.multispool_enqueue_writer]
	spool  *Spool
	queue  string
	name   string
}

// EnqueueWriter begins an entry whose data is written piece by piece. Close it in any case.
func (s *Spool) EnqueueWriter(queue string, options ...EnqueueOption) (*EnqueueWriter, error) {
	var writer *EnqueueWriter
	err := s.withEnqueue(queue, options, func(spool *C.multispool_spool, text *C.char, o *C.multispool_enqueue_options) error {
		var native *C.multispool_enqueue_writer
		var cause *C.multispool_error
		status := C.multispool_enqueue_writer_create(spool, text, o, &native, &cause)
		if err := failure("enqueue into", queue, status, cause); err != nil {
			return err
		}
		writer = &EnqueueWriter{
			handle: newExclusive(native, s.handle.throttle, func(p *C.multispool_enqueue_writer) { C.multispool_enqueue_writer_free(p) }),
			spool:  s,
			queue:  queue,
			name:   C.GoString(C.multispool_enqueue_writer_name(native)),
		}
		return nil
	})
	return writer, err
}

// Name is the name that the entry will have.
func (w *EnqueueWriter) Name() string { return w.name }

// Write adds p to the data.
func (w *EnqueueWriter) Write(p []byte) (int, error) {
	err := w.handle.use("enqueue", func(writer *C.multispool_enqueue_writer) error {
		data, length := borrowed(p)
		var cause *C.multispool_error
		status := C.multispool_enqueue_writer_write(writer, data, length, &cause)
		return failure("enqueue", w.name, status, cause)
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Commit makes the entry visible, with the promises and errors of Spool.Enqueue.
func (w *EnqueueWriter) Commit(metadata []byte) (*Entry, error) {
	var entry *Entry
	err := w.handle.use("enqueue", func(writer *C.multispool_enqueue_writer) error {
		m, length := borrowed(metadata)
		var native *C.multispool_entry
		var cause *C.multispool_error
		status := C.multispool_enqueue_writer_commit(writer, m, length, &native, &cause)
		entry = w.spool.takenEntry(w.queue, native)
		return failure("enqueue", w.name, status, cause)
	})
	return entry, err
}

// Close throws away what was not committed, and the name that was reserved for it. It always
// returns nil, and may be called again.
func (w *EnqueueWriter) Close() error {
	return w.handle.close(nil)
}
