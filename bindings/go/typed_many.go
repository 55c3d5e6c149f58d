//go:build cgo

package multispool

import (
	"context"
	"errors"
)

// TypedItem is one of the entries that EnqueueMany adds.
type TypedItem[M, D any] struct {
	Metadata M
	Data     D
}

// EnqueueMany is Spool.EnqueueMany with values, which are encoded in memory.
func (t *Typed[M, D]) EnqueueMany(queue string, items []TypedItem[M, D], options ...EnqueueOption) ([]*TypedEntry[M, D], error) {
	var failures []error
	var plain []Item
	var places []int // of the items that could be encoded
	for i, item := range items {
		metadata, err := encoded(t.metadata, item.Metadata, encodeMetadata, nil)
		if err != nil {
			failures = append(failures, itemError(i, err))
			continue
		}
		data, err := encoded(t.data, item.Data, encodeData, nil)
		if err != nil {
			failures = append(failures, itemError(i, err))
			continue
		}
		plain, places = append(plain, Item{Metadata: metadata, Data: data}), append(places, i)
	}
	added, err := t.Spool.EnqueueMany(queue, plain, options...)
	entries := make([]*TypedEntry[M, D], len(items))
	for i, entry := range added {
		entries[places[i]] = t.entry(entry)
	}
	return entries, errors.Join(append(failures, err)...)
}

// DequeueMany is Reader.DequeueMany. Entries whose metadata cannot be decoded are given back; the
// others are returned with the error.
func (r *TypedReader[M, D]) DequeueMany(ctx context.Context, most int) ([]*TypedCheckout[M, D], error) {
	return r.typed.takenMany(r.Reader.DequeueMany(ctx, most))
}

// DequeueManyAvailable is Reader.DequeueManyAvailable. Entries whose metadata cannot be decoded are
// given back; the others are returned with the error.
func (r *TypedReader[M, D]) DequeueManyAvailable(most int) ([]*TypedCheckout[M, D], error) {
	return r.typed.takenMany(r.Reader.DequeueManyAvailable(most))
}

func (t *Typed[M, D]) takenMany(checkouts []*Checkout, err error) ([]*TypedCheckout[M, D], error) {
	failures := []error{err}
	var typed []*TypedCheckout[M, D]
	for _, checkout := range checkouts {
		one, err := t.taken(checkout, nil)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		typed = append(typed, one)
	}
	return typed, errors.Join(failures...)
}
