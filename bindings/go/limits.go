package multispool

// #include <multispool.h>
import "C"

import (
	"math"
	"time"
)

// Limits say from when on something is a problem. Begin with DefaultLimits, since the zero value
// allows no age at all. A part of a millisecond is rounded up.
type Limits struct {
	// MaxCheckedOutAge is how long ago a checked-out entry may have been touched last.
	MaxCheckedOutAge time.Duration
	// MaxTmpFileAge is how old a temporary file may be.
	MaxTmpFileAge time.Duration
	// MaxQueueAges is how long an entry may wait in these queues; the others have no limit.
	MaxQueueAges map[string]time.Duration
	// MaxReservationAge is how old a reservation may be whose name is in no queue.
	MaxReservationAge time.Duration
	// MinFreeBytes must be left on the file system for unprivileged users; 0 asks for none.
	MinFreeBytes uint64
	// MinFreeInodes is how many files there must be room for, where the file system counts them.
	MinFreeInodes uint64
}

// DefaultLimits are the library's: 10 minutes for each age, no limit for queues, 16 MiB and 1,000
// files of room.
func DefaultLimits() Limits {
	limits, err := limitsFrom("limits", func(l **C.multispool_limits, e **C.multispool_error) C.int32_t {
		return C.multispool_limits_new(l, e)
	})
	if err != nil {
		// Only memory can lack, and then the runtime has panicked long before.
		panic(err)
	}
	return limits
}

// MarshalJSON writes the limits with ages such as "10m", for use in other languages too.
func (l Limits) MarshalJSON() ([]byte, error) {
	native, err := l.native("limits")
	defer C.multispool_limits_free(native)
	if err != nil {
		return nil, err
	}
	var text *C.multispool_buffer
	var cause *C.multispool_error
	if err := failure("limits", "", C.multispool_limits_to_json(native, &text, &cause), cause); err != nil {
		return nil, err
	}
	return taken(text), nil
}

// UnmarshalJSON reads what MarshalJSON writes; what is left out has its default, and what is
// unknown is ErrInvalidArgument.
func (l *Limits) UnmarshalJSON(text []byte) error {
	json, err := jsonText("limits", text)
	if err != nil {
		return err
	}
	limits, err := limitsFrom("limits", func(n **C.multispool_limits, e **C.multispool_error) C.int32_t {
		return C.multispool_limits_from_json(json, n, e)
	})
	if err == nil {
		*l = limits
	}
	return err
}

func jsonText(operation string, text []byte) (*C.char, error) {
	return terminated(operation, "JSON text", string(text), StatusInvalidArgument)
}

// native is the library's copy of the limits, which the caller frees, on failure too.
func (l *Limits) native(operation string) (*C.multispool_limits, error) {
	var native *C.multispool_limits
	if l == nil {
		return nil, nil
	}
	var cause *C.multispool_error
	status := C.multispool_limits_new(&native, &cause)
	set := func(next func(**C.multispool_error) C.int32_t) {
		if status == C.MULTISPOOL_OK {
			status = next(&cause)
		}
	}
	set(func(e **C.multispool_error) C.int32_t {
		return C.multispool_limits_set_max_checked_out_age_ms(native, milliseconds(l.MaxCheckedOutAge), e)
	})
	set(func(e **C.multispool_error) C.int32_t {
		return C.multispool_limits_set_max_tmp_file_age_ms(native, milliseconds(l.MaxTmpFileAge), e)
	})
	set(func(e **C.multispool_error) C.int32_t {
		return C.multispool_limits_set_max_reservation_age_ms(native, milliseconds(l.MaxReservationAge), e)
	})
	set(func(e **C.multispool_error) C.int32_t {
		return C.multispool_limits_set_min_free_bytes(native, C.uint64_t(l.MinFreeBytes), e)
	})
	set(func(e **C.multispool_error) C.int32_t {
		return C.multispool_limits_set_min_free_inodes(native, C.uint64_t(l.MinFreeInodes), e)
	})
	for queue, age := range l.MaxQueueAges {
		text, err := queueText(operation, queue)
		if err != nil {
			return native, err
		}
		set(func(e **C.multispool_error) C.int32_t {
			return C.multispool_limits_set_max_queue_age_ms(native, text, milliseconds(age), e)
		})
	}
	return native, failure(operation, "", status, cause)
}

// limitsFrom copies what make makes.
func limitsFrom(operation string, make func(**C.multispool_limits, **C.multispool_error) C.int32_t) (Limits, error) {
	var native *C.multispool_limits
	var cause *C.multispool_error
	if err := failure(operation, "", make(&native, &cause), cause); err != nil {
		return Limits{}, err
	}
	defer C.multispool_limits_free(native)
	return limitsOf(native), nil
}

func limitsOf(native *C.multispool_limits) Limits {
	limits := Limits{
		MaxCheckedOutAge:  duration(C.multispool_limits_max_checked_out_age_ms(native)),
		MaxTmpFileAge:     duration(C.multispool_limits_max_tmp_file_age_ms(native)),
		MaxReservationAge: duration(C.multispool_limits_max_reservation_age_ms(native)),
		MinFreeBytes:      uint64(C.multispool_limits_min_free_bytes(native)),
		MinFreeInodes:     uint64(C.multispool_limits_min_free_inodes(native)),
	}
	for i := range C.multispool_limits_queue_count(native) {
		if limits.MaxQueueAges == nil {
			limits.MaxQueueAges = map[string]time.Duration{}
		}
		queue := C.GoString(C.multispool_limits_queue(native, i))
		limits.MaxQueueAges[queue] = duration(C.multispool_limits_max_queue_age_ms(native, i))
	}
	return limits
}

// duration is a number of milliseconds, or the longest that there is for more than that.
func duration(ms C.int64_t) time.Duration {
	if int64(ms) > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}
