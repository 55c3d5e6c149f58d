package multispool

// #include <multispool.h>
import "C"

import "context"

// atOnce is how many entries one call takes at most, whatever it is asked for: each costs a
// descriptor.
const atOnce = 1 << 16

// DequeueMany takes as many entries as are there, most (and 65,536) at most, and waits for one if
// there is none: see Dequeue. A failure after some were taken is that of the next call.
func (r *Reader) DequeueMany(ctx context.Context, most int) ([]*Checkout, error) {
	var checkouts []*Checkout
	err := r.await(ctx, func() (ended bool, err error) {
		checkouts, err = r.nextMany(most)
		return len(checkouts) > 0, err
	})
	return checkouts, err
}

// DequeueManyAvailable takes as many entries as are there, most at most, and does not wait: ErrEmpty
// says that there are none.
func (r *Reader) DequeueManyAvailable(most int) ([]*Checkout, error) {
	checkouts, err := r.nextMany(most)
	if len(checkouts) == 0 && err == nil {
		return nil, failure("dequeue_available from", r.queue, C.MULTISPOOL_EMPTY, nil)
	}
	return checkouts, err
}

// nextMany is none without an error when nothing is available.
func (r *Reader) nextMany(most int) ([]*Checkout, error) {
	var checkouts []*Checkout
	err := r.use("dequeue", func(reader *C.multispool_reader) error {
		most := max(0, min(most, atOnce))
		taken := make([]*C.multispool_checkout, max(1, most)) // so that 0, which is refused, has an address too
		var count C.size_t
		var cause *C.multispool_error
		status := C.multispool_reader_dequeue_many(reader, nil, 0, C.size_t(most), &taken[0], &count, &cause)
		if status == C.MULTISPOOL_EMPTY {
			return nil
		}
		if err := failure("dequeue from", r.queue, status, cause); err != nil {
			return err
		}
		for _, native := range taken[:count] {
			checkouts = append(checkouts, newCheckout(r.spool, r.queue, native))
		}
		return nil
	})
	return checkouts, err
}
