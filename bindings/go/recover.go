package multispool

// #include <multispool.h>
import "C"

// Recover puts back into their queues the checked-out entries whose owner is dead, and returns
// them. It is safe beside live workers, at any time, and two at once never return one entry twice.
// Call it when a worker starts and every 15 seconds. What could not be put back is in the error;
// the entries that went back are returned with it.
func (s *Spool) Recover(options ...RecoverOption) ([]*Entry, error) {
	o, err := build("recover", options,
		func(o **C.multispool_recover_options, e **C.multispool_error) C.int32_t {
			return C.multispool_recover_options_new(o, e)
		}, RecoverOption.setRecover)
	defer C.multispool_recover_options_free(o)
	if err != nil {
		return nil, err
	}
	var cursor *C.multispool_entries
	failed := s.handle.use("recover", func(spool *C.multispool_spool) error {
		var cause *C.multispool_error
		status := C.multispool_recover(spool, o, &cursor, &cause)
		return failure("recover", "", status, cause)
	})
	if cursor == nil {
		return nil, failed
	}
	defer C.multispool_entries_free(cursor)
	var entries []*Entry
	for {
		entry, err := s.nextEntry("recover", cursor)
		if failed == nil {
			failed = err
		}
		if entry == nil {
			return entries, failed
		}
		entries = append(entries, entry)
	}
}
