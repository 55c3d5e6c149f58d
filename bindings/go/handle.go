package multispool

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync"
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
}

func newHandle[P any](pointer P, free func(P)) *handle[P] {
	h := &handle[P]{pointer: pointer, free: free}
	h.net = runtime.AddCleanup(h, free, pointer)
	return h
}

// use calls f with the pointer, or fails with ErrClosed.
func (h *handle[P]) use(operation string, f func(P) error) error {
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
}

func newExclusive[P any](pointer P, free func(P)) *exclusive[P] {
	e := &exclusive[P]{pointer: pointer, free: free}
	e.net = runtime.AddCleanup(e, free, pointer)
	return e
}

// use calls f with the pointer, or fails with ErrClosed.
func (e *exclusive[P]) use(operation string, f func(P) error) error {
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
