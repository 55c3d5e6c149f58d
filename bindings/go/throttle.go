package multispool

// #include <multispool.h>
import "C"

import (
	"io"
	"sync"
)

// A Throttle lets operations on the disk go on, each when its time has come: it calls operation
// once, before it returns, in whatever goroutine. An operation never waits for entries, so whoever
// waits holds no place; several may be asked for at once.
type Throttle func(operation func())

// WithThrottle sends all that the spool, and what is made from it, does on the disk through a
// throttle of the caller's, step by step, Create and Load included; only what the Close of a writer
// clears away is not sent through it. WithMaxConcurrent is simpler, and does for most.
func WithThrottle(throttle Throttle) SpoolOption { return throttleOption{throttle} }

type throttleOption struct{ throttle Throttle }

func (throttleOption) setSpool(*C.multispool_spool_options, **C.multispool_error) C.int32_t {
	return C.MULTISPOOL_OK
}

// throttleOf is the last throttle among the options, or nil.
func throttleOf(options []SpoolOption) (throttle Throttle) {
	for _, option := range options {
		if o, ok := option.(throttleOption); ok {
			throttle = o.throttle
		}
	}
	return throttle
}

// run calls f through the throttle; a nil throttle is none.
func (t Throttle) run(operation string, f func() error) error {
	if t == nil {
		return f()
	}
	err := error(&Error{
		Status:  StatusInvalidArgument,
		Op:      operation,
		Message: operation + ": the throttle returned without having called it: a throttle must call each operation once",
	})
	var once sync.Once
	t(func() { once.Do(func() { err = f() }) })
	return err
}

// throttled is an open file whose reads go through a throttle.
type throttled struct {
	file     io.ReadSeekCloser
	throttle Throttle
}

func (t *throttled) Read(p []byte) (n int, err error) {
	err = t.throttle.run("read data", func() error {
		var failed error
		n, failed = t.file.Read(p)
		return failed
	})
	return n, err
}

func (t *throttled) Seek(offset int64, whence int) (int64, error) { return t.file.Seek(offset, whence) }

func (t *throttled) Close() error { return t.file.Close() }
