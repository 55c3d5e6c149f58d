//go:build cgo

package multispool

import (
	"context"
	"iter"
)

// TypedReader is a Reader whose entries hold Go values. An entry whose metadata cannot be decoded
// (CodecError, which is also ErrCorrupt) is given back: like one that is damaged it stops nobody,
// and is tried again as WithRetryAfter says.
type TypedReader[M, D any] struct {
	*Reader
	typed *Typed[M, D]
}

// Reader is Spool.Reader.
func (t *Typed[M, D]) Reader(queue string, options ...ReaderOption) (*TypedReader[M, D], error) {
	reader, err := t.Spool.Reader(queue, options...)
	if err != nil {
		return nil, err
	}
	return &TypedReader[M, D]{reader, t}, nil
}

// Dequeue is Reader.Dequeue.
func (r *TypedReader[M, D]) Dequeue(ctx context.Context) (*TypedCheckout[M, D], error) {
	return r.typed.taken(r.Reader.Dequeue(ctx))
}

// DequeueAvailable is Reader.DequeueAvailable.
func (r *TypedReader[M, D]) DequeueAvailable() (*TypedCheckout[M, D], error) {
	return r.typed.taken(r.Reader.DequeueAvailable())
}

// All is Reader.All.
func (r *TypedReader[M, D]) All(ctx context.Context) iter.Seq2[*TypedCheckout[M, D], error] {
	return r.decoded(r.Reader.All(ctx))
}

// Available is Reader.Available.
func (r *TypedReader[M, D]) Available() iter.Seq2[*TypedCheckout[M, D], error] {
	return r.decoded(r.Reader.Available())
}

// decoded is a loop with types: its checkouts are finished, or given back, by the loop inside.
func (r *TypedReader[M, D]) decoded(loop iter.Seq2[*Checkout, error]) iter.Seq2[*TypedCheckout[M, D], error] {
	return func(yield func(*TypedCheckout[M, D], error) bool) {
		for checkout, err := range loop {
			var typed *TypedCheckout[M, D]
			if err == nil {
				typed, err = r.typed.Decode(checkout)
			}
			if !yield(typed, err) {
				return
			}
		}
	}
}
