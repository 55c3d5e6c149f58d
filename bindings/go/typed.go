//go:build cgo

package multispool

import (
	"io"
	"iter"
)

// Typed is a spool whose metadata and data are Go values. What it does not have of its own is the
// Spool's in it, and works on bytes. Any number of goroutines may use it at once.
type Typed[M, D any] struct {
	*Spool
	metadata Codec[M]
	data     Codec[D]
}

// Enqueue is Spool.Enqueue with values. If one of them cannot be encoded (CodecError), nothing is
// enqueued.
func (t *Typed[M, D]) Enqueue(queue string, metadata M, data D, options ...EnqueueOption) (*TypedEntry[M, D], error) {
	text, err := encoded(t.metadata, metadata, encodeMetadata, nil)
	if err != nil {
		return nil, err
	}
	writer, err := t.EnqueueWriter(queue, options...)
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	if err := encode(t.data, writer, data, encodeData, nil); err != nil {
		return nil, err
	}
	entry, err := writer.Commit(text)
	return t.entry(entry), err
}

// EnqueueReader is Spool.EnqueueReader: the data's bytes come from a stream, as the codec wrote them.
func (t *Typed[M, D]) EnqueueReader(queue string, metadata M, data io.Reader, options ...EnqueueOption) (*TypedEntry[M, D], error) {
	text, err := encoded(t.metadata, metadata, encodeMetadata, nil)
	if err != nil {
		return nil, err
	}
	entry, err := t.Spool.EnqueueReader(queue, text, data, options...)
	return t.entry(entry), err
}

// EnqueueFile is Spool.EnqueueFile: the data's bytes are those of a file, as the codec wrote them.
func (t *Typed[M, D]) EnqueueFile(queue string, metadata M, path string, options ...EnqueueOption) (*TypedEntry[M, D], error) {
	text, err := encoded(t.metadata, metadata, encodeMetadata, nil)
	if err != nil {
		return nil, err
	}
	entry, err := t.Spool.EnqueueFile(queue, text, path, options...)
	return t.entry(entry), err
}

// Entry is Spool.Entry.
func (t *Typed[M, D]) Entry(queue, name string) (*TypedEntry[M, D], error) {
	entry, err := t.Spool.Entry(queue, name)
	return t.entry(entry), err
}

// List is Spool.List.
func (t *Typed[M, D]) List(queue string) iter.Seq2[*TypedEntry[M, D], error] {
	return func(yield func(*TypedEntry[M, D], error) bool) {
		for entry, err := range t.Spool.List(queue) {
			if !yield(t.entry(entry), err) {
				return
			}
		}
	}
}

// ListCheckoutsUnsafe is Spool.ListCheckoutsUnsafe. Metadata that cannot be decoded is an error
// (CodecError) that does not end the loop.
func (t *Typed[M, D]) ListCheckoutsUnsafe(queue string) iter.Seq2[*TypedCheckout[M, D], error] {
	return func(yield func(*TypedCheckout[M, D], error) bool) {
		for checkout, err := range t.Spool.ListCheckoutsUnsafe(queue) {
			typed, err := t.taken(checkout, err)
			if !yield(typed, err) {
				return
			}
		}
	}
}

// entry is nil for nil.
func (t *Typed[M, D]) entry(entry *Entry) *TypedEntry[M, D] {
	if entry == nil {
		return nil
	}
	return &TypedEntry[M, D]{Entry: entry, typed: t}
}

// TypedEntry is an Entry whose metadata and data are Go values.
type TypedEntry[M, D any] struct {
	*Entry
	typed *Typed[M, D]
}

// Checkout is Entry.Checkout. An entry whose metadata cannot be decoded (CodecError) is given back.
func (e *TypedEntry[M, D]) Checkout(options ...CheckoutOption) (*TypedCheckout[M, D], error) {
	return e.typed.taken(e.Entry.Checkout(options...))
}

// TryCheckout is Entry.TryCheckout. An entry whose metadata cannot be decoded (CodecError) is given
// back.
func (e *TypedEntry[M, D]) TryCheckout(options ...CheckoutOption) (*TypedCheckout[M, D], error) {
	return e.typed.taken(e.Entry.TryCheckout(options...))
}

// WithEntry is Entry.WithEntry.
func (e *TypedEntry[M, D]) WithEntry(f func(*TypedCheckout[M, D]) (Outcome, error), options ...CheckoutOption) error {
	return e.Entry.WithEntry(e.typed.decoding(f), options...)
}

// TryWithEntry is Entry.TryWithEntry.
func (e *TypedEntry[M, D]) TryWithEntry(f func(*TypedCheckout[M, D]) (Outcome, error), options ...CheckoutOption) error {
	return e.Entry.TryWithEntry(e.typed.decoding(f), options...)
}

// Direct is Entry.Direct.
func (e *TypedEntry[M, D]) Direct() TypedDirect[M, D] { return TypedDirect[M, D]{e.Entry.Direct(), e} }

// TypedDirect is a Direct whose metadata and data are Go values.
type TypedDirect[M, D any] struct {
	Direct
	entry *TypedEntry[M, D]
}

// Contents is Direct.Contents.
func (d TypedDirect[M, D]) Contents() (M, error) {
	contents, err := d.Direct.Contents()
	if err != nil {
		var none M
		return none, err
	}
	return d.entry.typed.metadataOf(d.entry.Entry, contents)
}

// Save is Direct.Save.
func (d TypedDirect[M, D]) Save(metadata M) error {
	text, err := encoded(d.entry.typed.metadata, metadata, encodeMetadata, d.entry.Entry)
	if err != nil {
		return err
	}
	return d.Direct.Save(text)
}

// DataFile is Direct.DataFile.
func (d TypedDirect[M, D]) DataFile() *TypedDataFile[D] {
	return &TypedDataFile[D]{d.Direct.DataFile(), d.entry.typed.data, d.entry.Entry}
}
