package multispool

// #include <multispool.h>
import "C"

import (
	"errors"
	"fmt"
)

// NameGenerator makes the names of new entries. Several goroutines may ask one at once.
type NameGenerator interface {
	// Next is a name to try: attempt is 0, and then one more for each name before it that was taken.
	Next(attempt int) string
}

// NameGeneratorFunc is a function as a NameGenerator.
type NameGeneratorFunc func(attempt int) string

// Next calls the function.
func (f NameGeneratorFunc) Next(attempt int) string { return f(attempt) }

// A NameGeneratorOption is an option of a spool, of each way to enqueue, and of Reserve.
type NameGeneratorOption struct{ generator NameGenerator }

// WithNameGenerator takes names from a generator of the caller's, for one call or for a whole
// spool; without it they are the library's, which sort by time and are never used again. The
// generator is asked up to 1,000 times (ErrNamesExhausted). If an enqueue fails after its name was
// reserved, the name stays reserved until a Repair.
func WithNameGenerator(generator NameGenerator) NameGeneratorOption {
	return NameGeneratorOption{generator}
}

func (NameGeneratorOption) setSpool(*C.multispool_spool_options, **C.multispool_error) C.int32_t {
	return C.MULTISPOOL_OK
}

func (NameGeneratorOption) setEnqueue(*C.multispool_enqueue_options, **C.multispool_error) C.int32_t {
	return C.MULTISPOOL_OK
}

func (n NameGeneratorOption) reserveBy() NameGenerator { return n.generator }

// generatorOf is the last generator among the options, or nil.
func generatorOf(options []SpoolOption) (generator NameGenerator) {
	for _, option := range options {
		if o, ok := option.(NameGeneratorOption); ok {
			generator = o.generator
		}
	}
	return generator
}

// attemptsForAName is after how many names that are all taken a generator has no more chance.
const attemptsForAName = 1000

// reserveBy reserves the first name of the generator's that is free.
func (s *Spool) reserveBy(generator NameGenerator) (string, error) {
	for attempt := range attemptsForAName {
		name := generator.Next(attempt)
		err := s.ReserveName(name)
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, ErrNameTaken) {
			return "", err
		}
	}
	return "", &Error{
		Status:  StatusNamesExhausted,
		Op:      "reserve",
		Path:    s.dir,
		Message: fmt.Sprintf("reserve in %q: %d names of the generator were all taken: make it give others", s.dir, attemptsForAName),
	}
}

// generatorFor is who names an entry that is enqueued with these options: nil for the library, and
// where the options have a name.
func (s *Spool) generatorFor(options []EnqueueOption) NameGenerator {
	generator := s.names
	for _, option := range options {
		switch o := option.(type) {
		case reservedName:
			return nil
		case NameGeneratorOption:
			generator = o.generator
		}
	}
	return generator
}

// reservedName is the option of an enqueue that has its name already.
type reservedName string

// WithName enqueues under a name that was reserved before, by anyone.
func WithName(reserved string) EnqueueOption { return reservedName(reserved) }

func (n reservedName) setEnqueue(o *C.multispool_enqueue_options, e **C.multispool_error) C.int32_t {
	name, err := nameText("enqueue", string(n))
	if err != nil {
		return C.MULTISPOOL_INVALID_NAME
	}
	return C.multispool_enqueue_options_set_name(o, name, e)
}
