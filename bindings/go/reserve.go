package multispool

// #include <multispool.h>
import "C"

// A ReserveOption changes one Reserve.
type ReserveOption interface{ reserveBy() NameGenerator }

// Reserve makes a name that nothing in the spool has, and keeps it for a later Enqueue with
// WithName, by anyone. Without a generator of the caller's the name sorts by time and is never used
// again.
func (s *Spool) Reserve(options ...ReserveOption) (string, error) {
	generator := s.names
	for _, option := range options {
		generator = option.reserveBy()
	}
	if generator != nil {
		return s.reserveBy(generator)
	}
	return s.reserve(nil, "")
}

// ReserveName reserves a name of the caller's choice; ErrNameTaken says that it is in use.
func (s *Spool) ReserveName(name string) error {
	text, err := nameText("reserve", name)
	if err != nil {
		return err
	}
	_, err = s.reserve(text, name)
	return err
}

func (s *Spool) reserve(text *C.char, subject string) (string, error) {
	var reserved string
	err := s.handle.use("reserve", func(spool *C.multispool_spool) error {
		var buffer *C.multispool_buffer
		var cause *C.multispool_error
		status := C.multispool_reserve(spool, text, &buffer, &cause)
		if buffer != nil {
			reserved = string(taken(buffer))
		}
		return failure("reserve", subject, status, cause)
	})
	return reserved, err
}
