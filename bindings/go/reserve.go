package multispool

// #include <multispool.h>
import "C"

// Reserve makes a name that nothing in the spool has, and keeps it for a later Enqueue with
// WithName, by anyone. The name sorts by time and is never used again.
func (s *Spool) Reserve() (string, error) {
	return s.reserve(nil, "")
}

// ReserveName reserves a name of the caller's choice; ErrNameTaken says that it is in use. A name
// generator is a loop around it.
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
