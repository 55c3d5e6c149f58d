//go:build cgo

package multispool

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
)

// TypedCheckout is a Checkout whose metadata and data are Go values.
type TypedCheckout[M, D any] struct {
	*Checkout
	typed    *Typed[M, D]
	metadata atomic.Pointer[M]
}

// Decode is a checkout with these types; CodecError says that its metadata has none. Both are the
// same checkout: one of them is to be closed.
func (t *Typed[M, D]) Decode(checkout *Checkout) (*TypedCheckout[M, D], error) {
	metadata, err := t.metadataOf(checkout.entry(), checkout.Metadata())
	if err != nil {
		return nil, err
	}
	typed := &TypedCheckout[M, D]{Checkout: checkout, typed: t}
	typed.metadata.Store(&metadata)
	return typed, nil
}

func (t *Typed[M, D]) metadataOf(entry *Entry, text []byte) (M, error) {
	return decode(t.metadata, bytes.NewReader(text), decodeMetadata, entry)
}

// taken is Decode for what was just checked out: what cannot be decoded is given back.
func (t *Typed[M, D]) taken(checkout *Checkout, err error) (*TypedCheckout[M, D], error) {
	if err != nil {
		return nil, err
	}
	typed, err := t.Decode(checkout)
	if err != nil {
		return nil, errors.Join(err, checkout.Close())
	}
	return typed, nil
}

// decoding is f as a function of a Checkout.
func (t *Typed[M, D]) decoding(f func(*TypedCheckout[M, D]) (Outcome, error)) func(*Checkout) (Outcome, error) {
	return func(checkout *Checkout) (Outcome, error) {
		typed, err := t.Decode(checkout)
		if err != nil {
			return Outcome{}, err
		}
		return f(typed)
	}
}

// Handler is f as the Handler of a Worker. Metadata that cannot be decoded is a failure (CodecError),
// and f is not called.
func (t *Typed[M, D]) Handler(f func(ctx context.Context, checkout *TypedCheckout[M, D]) (Outcome, error)) Handler {
	return func(ctx context.Context, checkout *Checkout) (Outcome, error) {
		return t.decoding(func(typed *TypedCheckout[M, D]) (Outcome, error) { return f(ctx, typed) })(checkout)
	}
}

// Metadata is the entry's metadata, as last updated.
func (c *TypedCheckout[M, D]) Metadata() M { return *c.metadata.Load() }

// Update is Checkout.Update.
func (c *TypedCheckout[M, D]) Update(f func(metadata M) M) error {
	return c.SetMetadata(f(c.Metadata()))
}

// SetMetadata is Checkout.SetMetadata. What cannot be encoded (CodecError) changes nothing.
func (c *TypedCheckout[M, D]) SetMetadata(metadata M) error {
	text, err := encoded(c.typed.metadata, metadata, encodeMetadata, c.entry())
	if err != nil {
		return err
	}
	if err := c.Checkout.SetMetadata(text); err != nil {
		return err
	}
	c.metadata.Store(&metadata)
	return nil
}

// SaveWith is the outcome SaveWith, for a handler to return at once.
func (c *TypedCheckout[M, D]) SaveWith(queue string, metadata M) (Outcome, error) {
	text, err := encoded(c.typed.metadata, metadata, encodeMetadata, c.entry())
	return SaveWith(queue, text), err
}

// DataFile is Checkout.DataFile.
func (c *TypedCheckout[M, D]) DataFile() *TypedDataFile[D] {
	return &TypedDataFile[D]{c.Checkout.DataFile(), c.typed.data, c.entry()}
}
