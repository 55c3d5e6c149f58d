//go:build cgo

package multispool

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
)

// ErrClosed is a handle that was used after its Close. It is also fs.ErrClosed.
var ErrClosed error = fmt.Errorf("multispool: handle %w", fs.ErrClosed)

func closedError(operation string) error {
	return fmt.Errorf("%w (%s)", ErrClosed, operation)
}

// handle owns a pointer of the library that any number of goroutines may use at once. Closing it
// while it is in use frees it when the last user is done.
type handle[P any] struct {
	mu      sync.Mutex
	pointer P
	users   int
	closed  bool
	free    func(P)
	net     runtime.Cleanup
	// throttle is what passes through use.
	throttle Throttle
}

func newHandle[P any](pointer P, throttle Throttle, free func(P)) *handle[P] {
	h := &handle[P]{pointer: pointer, throttle: throttle, free: free}
	h.net = runtime.AddCleanup(h, free, pointer)
	return h
}

// use calls f, which touches the disk, with the pointer, or fails with ErrClosed.
func (h *handle[P]) use(operation string, f func(P) error) error {
	if h.throttle == nil {
		return h.look(operation, f)
	}
	return h.look(operation, func(pointer P) error {
		return h.throttle.run(operation, func() error { return f(pointer) })
	})
}

// look is use for what does not touch the disk.
func (h *handle[P]) look(operation string, f func(P) error) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return closedError(operation)
	}
	h.users++
	h.mu.Unlock()
	defer h.leave()
	err := f(h.pointer)
	runtime.KeepAlive(h)
	return err
}

func (h *handle[P]) leave() {
	h.mu.Lock()
	h.users--
	last := h.closed && h.users == 0
	h.mu.Unlock()
	if last {
		h.free(h.pointer)
	}
}

func (h *handle[P]) close() {
	h.mu.Lock()
	first, idle := !h.closed, h.users == 0
	h.closed = true
	h.mu.Unlock()
	if !first {
		return
	}
	h.net.Stop()
	if idle {
		h.free(h.pointer)
	}
}

// exclusive owns a pointer of the library that one goroutine may use at a time: the others wait for
// their turn.
type exclusive[P any] struct {
	mu      sync.Mutex
	pointer P
	closed  bool
	free    func(P)
	net     runtime.Cleanup
	// throttle is what passes through use.
	throttle Throttle
	// number is in which order several are locked at once.
	number uint64
}

// made is how many exclusive handles there have been.
var made atomic.Uint64

func newExclusive[P any](pointer P, throttle Throttle, free func(P)) *exclusive[P] {
	e := &exclusive[P]{pointer: pointer, throttle: throttle, free: free, number: made.Add(1)}
	e.net = runtime.AddCleanup(e, free, pointer)
	return e
}

// use calls f, which touches the disk, with the pointer, or fails with ErrClosed.
func (e *exclusive[P]) use(operation string, f func(P) error) error {
	if e.throttle == nil {
		return e.look(operation, f)
	}
	return e.look(operation, func(pointer P) error {
		return e.throttle.run(operation, func() error { return f(pointer) })
	})
}

// look is use for what does not touch the disk.
func (e *exclusive[P]) look(operation string, f func(P) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return closedError(operation)
	}
	err := f(e.pointer)
	runtime.KeepAlive(e)
	return err
}

// close calls last, which may be nil, before it frees; only the first close does anything.
func (e *exclusive[P]) close(last func(P) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.net.Stop()
	defer e.free(e.pointer)
	if last == nil {
		return nil
	}
	return last(e.pointer)
}
