package multispool

// #include <multispool.h>
import "C"

import (
	"log/slog"
	"runtime"
	"time"
)

// Spool is an open spool. Any number of goroutines may use it at once.
type Spool struct {
	handle *handle[*C.multispool_spool]
	dir    string
	queues []string
	// names is who names what is enqueued; nil is the library.
	names NameGenerator
}

// Create opens the spool in dir, making what is missing of it and of its queues. It refuses a
// directory that holds anything else (ErrNotEmpty) and leaves that alone. Creating again, from
// several processes at once, or with more queues than there were, is fine.
func Create(dir string, queues []string, options ...SpoolOption) (*Spool, error) {
	return open("create", dir, queues, options,
		func(d *C.char, q **C.char, n C.size_t, o *C.multispool_spool_options, s **C.multispool_spool, e **C.multispool_error) C.int32_t {
			return C.multispool_spool_create(d, q, n, o, s, e)
		})
}

// Load opens the spool in dir, which must be there with all the queues asked for, and usable by
// this user. Nothing is made or changed. Its failures are ErrMissing, ErrNotASpool, ErrPermission
// and ErrUnsupported, each with the path it is about.
func Load(dir string, queues []string, options ...SpoolOption) (*Spool, error) {
	return open("load", dir, queues, options,
		func(d *C.char, q **C.char, n C.size_t, o *C.multispool_spool_options, s **C.multispool_spool, e **C.multispool_error) C.int32_t {
			return C.multispool_spool_load(d, q, n, o, s, e)
		})
}

// LoadUnsafe opens the spool in dir without looking at it: what is wrong there comes out at first
// use.
func LoadUnsafe(dir string, queues []string, options ...SpoolOption) (*Spool, error) {
	return open("load_unsafe", dir, queues, options,
		func(d *C.char, q **C.char, n C.size_t, o *C.multispool_spool_options, s **C.multispool_spool, e **C.multispool_error) C.int32_t {
			return C.multispool_spool_load_unsafe(d, q, n, o, s, e)
		})
}

func open(operation, dir string, queues []string, options []SpoolOption,
	call func(*C.char, **C.char, C.size_t, *C.multispool_spool_options, **C.multispool_spool, **C.multispool_error) C.int32_t,
) (*Spool, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	path, err := pathText(operation, dir)
	if err != nil {
		return nil, err
	}
	list, unpin, err := queueList(operation, queues)
	if err != nil {
		return nil, err
	}
	defer unpin()
	native, err := build(operation, options,
		func(o **C.multispool_spool_options, e **C.multispool_error) C.int32_t {
			return C.multispool_spool_options_new(o, e)
		}, SpoolOption.setSpool)
	defer C.multispool_spool_options_free(native)
	if err != nil {
		return nil, err
	}
	throttle := throttleOf(options)
	var spool *C.multispool_spool
	err = throttle.run(operation, func() error {
		var cause *C.multispool_error
		status := call(path, list, C.size_t(len(queues)), native, &spool, &cause)
		return failure(operation, "", status, cause)
	})
	if err != nil {
		return nil, err
	}
	s := &Spool{
		handle: newHandle(spool, throttle, func(p *C.multispool_spool) { C.multispool_spool_free(p) }),
		dir:    C.GoString(C.multispool_spool_dir(spool)),
		names:  generatorOf(options),
	}
	for i := range C.multispool_spool_queue_count(spool) {
		s.queues = append(s.queues, C.GoString(C.multispool_spool_queue(spool, i)))
	}
	runtime.KeepAlive(s)
	return s, nil
}

// Discover reads the queues of the spool in dir from disk, sorted.
func Discover(dir string) ([]string, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	path, err := pathText("discover", dir)
	if err != nil {
		return nil, err
	}
	var names *C.multispool_names
	var cause *C.multispool_error
	status := C.multispool_discover(path, &names, &cause)
	if err := failure("discover", "", status, cause); err != nil {
		return nil, err
	}
	defer C.multispool_names_free(names)
	queues := []string{}
	for {
		var name *C.char
		switch status := C.multispool_names_next(names, &name, &cause); status {
		case C.MULTISPOOL_OK:
			queues = append(queues, C.GoString(name))
		case C.MULTISPOOL_EMPTY:
			return queues, nil
		default:
			return queues, failure("discover", "", status, cause)
		}
	}
}

// Close frees what the spool holds in this process; the directory is not touched. Readers and
// checkouts that were made from it stay usable, and a call in progress ends as usual. Close always
// returns nil, and may be called again.
func (s *Spool) Close() error {
	s.handle.close()
	return nil
}

// Dir is the spool's directory, as it was given.
func (s *Spool) Dir() string { return s.dir }

// Queues are the queues that the spool was opened with, in the order of their names.
func (s *Spool) Queues() []string { return append([]string{}, s.queues...) }

// Mode is where the spool is used from.
func (s *Spool) Mode() (Mode, error) {
	var mode Mode
	err := s.handle.look("mode", func(spool *C.multispool_spool) error {
		mode = Mode(C.multispool_spool_mode(spool))
		return nil
	})
	return mode, err
}

// Lease is how long whoever takes an entry owns it unless it renews, where several hosts share the
// spool; 0 where they do not.
func (s *Spool) Lease() (time.Duration, error) {
	var lease time.Duration
	err := s.handle.look("lease", func(spool *C.multispool_spool) error {
		lease = time.Duration(C.multispool_spool_lease(spool)) * time.Millisecond
		return nil
	})
	return lease, err
}

// Durability is the promise of each call that does not choose its own.
func (s *Spool) Durability() (Durability, error) {
	var level Durability
	err := s.handle.look("durability", func(spool *C.multispool_spool) error {
		level = Durability(C.multispool_spool_durability(spool))
		return nil
	})
	return level, err
}

// ReadOnly tells whether the spool was opened with WithReadOnly.
func (s *Spool) ReadOnly() (bool, error) {
	var readOnly bool
	err := s.handle.look("read_only", func(spool *C.multispool_spool) error {
		readOnly = C.multispool_spool_read_only(spool) != 0
		return nil
	})
	return readOnly, err
}

// String is the spool's directory.
func (s *Spool) String() string { return s.dir }

// LogValue is the spool's directory and queues.
func (s *Spool) LogValue() slog.Value {
	return slog.GroupValue(slog.String("dir", s.dir), slog.Any("queues", s.queues))
}
