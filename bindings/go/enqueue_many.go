package multispool

// #include <multispool.h>
import "C"

import (
	"errors"
	"fmt"
)

// Item is one of the entries that EnqueueMany adds.
type Item struct {
	Metadata []byte
	Data     []byte
	// File is the path of a file whose contents are the data, if it is not "".
	File string
}

// EnqueueMany adds many entries for about the price of one sync. It is no transaction: each entry is
// all or nothing for itself, and one that fails keeps no other back. The entries are in the order of
// the items, nil where the item is not in the queue; all failures are joined in the error, with the
// item's place. A name generator of the caller's costs a sync for each, as does Enqueue.
func (s *Spool) EnqueueMany(queue string, items []Item, options ...EnqueueOption) ([]*Entry, error) {
	if s.generatorFor(options) != nil {
		return s.enqueueEach(queue, items, options)
	}
	entries := make([]*Entry, len(items))
	err := s.withEnqueue(queue, options, func(spool *C.multispool_spool, text *C.char, o *C.multispool_enqueue_options) error {
		var batch *C.multispool_batch
		var cause *C.multispool_error
		status := C.multispool_batch_create(spool, text, o, &batch, &cause)
		if err := failure("enqueue into", queue, status, cause); err != nil {
			return err
		}
		defer C.multispool_batch_free(batch)
		var failures []error
		var added []int // the items' places, in the order of the batch
		for i, item := range items {
			if err := addTo(batch, item); err != nil {
				failures = append(failures, itemError(i, err))
				continue
			}
			added = append(added, i)
		}
		// Each entry's own status is asked for below.
		_ = C.multispool_batch_commit(batch, nil)
		for index, i := range added {
			place := C.size_t(index)
			status := C.multispool_batch_status(batch, place, &cause)
			err := failure("enqueue into", queue, status, cause)
			if err != nil {
				failures = append(failures, itemError(i, err))
			}
			if err == nil || errors.Is(err, ErrNotDurable) {
				entries[i] = &Entry{spool: s, queue: queue, name: C.GoString(C.multispool_batch_name(batch, place))}
			}
		}
		return errors.Join(failures...)
	})
	return entries, err
}

func addTo(batch *C.multispool_batch, item Item) error {
	m, mLength := borrowed(item.Metadata)
	var cause *C.multispool_error
	if item.File == "" {
		d, dLength := borrowed(item.Data)
		return failure("enqueue", "", C.multispool_batch_add(batch, m, mLength, d, dLength, &cause), cause)
	}
	path, err := pathText("enqueue", item.File)
	if err != nil {
		return err
	}
	return failure("enqueue", "", C.multispool_batch_add_file(batch, m, mLength, path, &cause), cause)
}

func (s *Spool) enqueueEach(queue string, items []Item, options []EnqueueOption) ([]*Entry, error) {
	entries := make([]*Entry, len(items))
	var failures []error
	for i, item := range items {
		var err error
		if item.File == "" {
			entries[i], err = s.Enqueue(queue, item.Metadata, item.Data, options...)
		} else {
			entries[i], err = s.EnqueueFile(queue, item.Metadata, item.File, options...)
		}
		if err != nil {
			failures = append(failures, itemError(i, err))
		}
	}
	return entries, errors.Join(failures...)
}

func itemError(i int, err error) error { return fmt.Errorf("item %d: %w", i, err) }
