package multispool

// #include <multispool.h>
import "C"

import (
	"cmp"
	"errors"
	"runtime"
	"slices"
)

// aCheckout is a Checkout, or a TypedCheckout.
type aCheckout interface{ checkout() *Checkout }

// SaveMany is the Save of many checkouts, each another one, to one queue; syncs that they share are
// made once. One that fails keeps no other back: all failures are joined in the error, each with the
// Name of its entry, and Finished tells which checkouts have ended.
func SaveMany[T aCheckout](checkouts []T, queue string) error {
	text, err := queueText("save", queue)
	if err != nil {
		return err
	}
	return finishMany("save", plain(checkouts),
		func(c **C.multispool_checkout, n C.size_t, statuses *C.int32_t, e **C.multispool_error) C.int32_t {
			return C.multispool_save_many(c, n, text, statuses, e)
		})
}

// RemoveMany is the Remove of many checkouts, each another one; syncs that they share are made once.
// Its errors are those of SaveMany.
func RemoveMany[T aCheckout](checkouts []T) error {
	return finishMany("remove", plain(checkouts),
		func(c **C.multispool_checkout, n C.size_t, statuses *C.int32_t, e **C.multispool_error) C.int32_t {
			return C.multispool_remove_many(c, n, statuses, e)
		})
}

// plain is the checkouts in whatever type they are embedded.
func plain[T aCheckout](checkouts []T) []*Checkout {
	all := make([]*Checkout, len(checkouts))
	for i, c := range checkouts {
		all[i] = c.checkout()
	}
	return all
}

func finishMany(operation string, checkouts []*Checkout,
	call func(**C.multispool_checkout, C.size_t, *C.int32_t, **C.multispool_error) C.int32_t,
) error {
	if len(checkouts) == 0 {
		return nil
	}
	unlock, err := lockAll(operation, checkouts)
	if err != nil {
		return err
	}
	defer unlock()
	pointers := make([]*C.multispool_checkout, len(checkouts))
	for i, c := range checkouts {
		pointers[i] = c.handle.pointer
	}
	err = checkouts[0].handle.throttle.run(operation, func() error {
		statuses := make([]C.int32_t, len(checkouts))
		var cause *C.multispool_error
		status := call(&pointers[0], C.size_t(len(pointers)), &statuses[0], &cause)
		return manyFailures(operation, checkouts, statuses, failure(operation, "", status, cause))
	})
	runtime.KeepAlive(checkouts)
	return err
}

// manyFailures is what failed: first, which the library explains, and the others by their statuses.
func manyFailures(operation string, checkouts []*Checkout, statuses []C.int32_t, first error) error {
	if first == nil {
		return nil
	}
	var explained *Error
	_ = errors.As(first, &explained) // the library's failures are no others
	failures := []error{}
	for i, status := range statuses {
		switch {
		case status == 0:
		case len(failures) == 0:
			explained.Name = checkouts[i].name
			failures = append(failures, first)
		default:
			failures = append(failures, failure(operation, checkouts[i].name, status, nil))
		}
	}
	if len(failures) == 0 {
		return first // the arguments were refused, and nothing was done
	}
	return errors.Join(failures...)
}

// lockAll takes the turn of each checkout, all of them in one order, so that two calls with the same
// ones do not wait for each other.
func lockAll(operation string, checkouts []*Checkout) (unlock func(), err error) {
	ordered := slices.Clone(checkouts)
	slices.SortFunc(ordered, func(a, b *Checkout) int { return cmp.Compare(a.handle.number, b.handle.number) })
	if len(slices.Compact(slices.Clone(ordered))) != len(ordered) {
		return nil, &Error{
			Status: StatusInvalidArgument, Op: operation,
			Message: operation + ": the same checkout is there twice: give each once",
		}
	}
	for _, c := range ordered {
		c.handle.mu.Lock()
	}
	unlock = func() {
		for _, c := range ordered {
			c.handle.mu.Unlock()
		}
	}
	for _, c := range ordered {
		if c.handle.closed {
			unlock()
			return nil, closedError(operation)
		}
	}
	return unlock, nil
}
