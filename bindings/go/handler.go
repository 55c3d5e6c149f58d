//go:build cgo

package multispool

import (
	"context"
	"fmt"
	"runtime/debug"
)

// A Handler does the work for one entry, and says what becomes of it. An error, a panic and an
// unfinished checkout with the zero Outcome give the entry back. It may finish the checkout itself;
// then the outcome is not looked at. It may run again for the same entry, after a crash for example,
// and must then come to the same result.
type Handler func(ctx context.Context, checkout *Checkout) (Outcome, error)

// PanicError is what a Handler panicked with.
type PanicError struct {
	Value any
	// Stack is where, for people.
	Stack []byte
}

// Error is the value. A log of the error alone has no stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("multispool: the handler panicked: %v", e.Value)
}

// Unwrap is the value, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// call is the handler's answer; its panic is an error.
func (h Handler) call(ctx context.Context, checkout *Checkout) (outcome Outcome, err error) {
	defer func() {
		// runtime.Goexit has no value to recover, and cannot be held up.
		if value := recover(); value != nil {
			outcome, err = Outcome{}, &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return h(ctx, checkout)
}
