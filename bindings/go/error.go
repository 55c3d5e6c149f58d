package multispool

// #include <multispool.h>
import "C"

import (
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
)

// Error is a failure, or an expected outcome other than success, of one operation.
type Error struct {
	// Status says what kind it is.
	Status Status
	// Op is the operation that failed, such as "enqueue".
	Op string
	// Path is the file or directory that it is about, or "".
	Path string
	// Errno is the system's reason, or 0.
	Errno syscall.Errno
	// Message is the whole sentence: operation, path, reason and what to do.
	Message string
	// Name is the entry that the error is about, where the operation had one, or "". With
	// StatusNotDurable it is the name of the entry that is visible.
	Name string
}

// sentinel is what errors.Is compares an Error's status with.
type sentinel struct {
	status Status
	text   string
}

func (s *sentinel) Error() string { return "multispool: " + s.text }

// What an error can be asked for with errors.Is.
var (
	// ErrEmpty is the outcome of DequeueAvailable when there is nothing to take.
	ErrEmpty error = &sentinel{StatusEmpty, "nothing available"}
	// ErrNotFound is an entry or a reserved name that is not there. It is an expected outcome: of
	// TryCheckout, another process was faster.
	ErrNotFound error = &sentinel{StatusNotFound, "not found"}
	// ErrNameTaken is a name that is in use in the spool already.
	ErrNameTaken error = &sentinel{StatusNameTaken, "name taken"}

	// ErrIO is a system call that failed for a reason that has no sentinel: Errno says which.
	ErrIO error = &sentinel{StatusIO, "input or output failed"}
	// ErrInvalidArgument is an argument that makes no sense.
	ErrInvalidArgument error = &sentinel{StatusInvalidArgument, "invalid argument"}
	// ErrInvalidName is a name that no entry or queue can have: empty, longer than 244 bytes, with a
	// slash or a NUL in it, or starting with a dot.
	ErrInvalidName error = &sentinel{StatusInvalidName, "invalid name"}
	// ErrNotASpool is a directory without a spool's structure.
	ErrNotASpool error = &sentinel{StatusNotASpool, "not a spool"}
	// ErrNotEmpty is a directory that Create left alone, as there is something else in it.
	ErrNotEmpty error = &sentinel{StatusNotEmpty, "directory not empty"}
	// ErrUnknownQueue is a queue that the spool was not opened with.
	ErrUnknownQueue error = &sentinel{StatusUnknownQueue, "unknown queue"}
	// ErrCorrupt is a damaged entry, such as one without data. Other entries are not affected.
	ErrCorrupt error = &sentinel{StatusCorrupt, "damaged entry"}
	// ErrFinished is a checkout or writer that was used after its end.
	ErrFinished error = &sentinel{StatusFinished, "already finished"}
	// ErrForked is a handle that was made before a fork and used in the child.
	ErrForked error = &sentinel{StatusForked, "handle of another process"}
	// ErrUnsupported is a spool, file system or library that this version cannot work with.
	ErrUnsupported error = &sentinel{StatusUnsupported, "unsupported"}
	// ErrNoSpace is a full disk or quota.
	ErrNoSpace error = &sentinel{StatusNoSpace, "no space left"}
	// ErrPermission is what this user may not do, and any write through a read-only spool.
	ErrPermission error = &sentinel{StatusPermission, "permission denied"}
	// ErrMissing is something that must be there and is not: the spool, one of its directories, or
	// the entry that Checkout was told to take.
	ErrMissing error = &sentinel{StatusMissing, "missing"}
	// ErrLostOwnership is a checked-out entry that is no longer this handle's: it was given back or
	// taken by another process meanwhile. Nothing was changed.
	ErrLostOwnership error = &sentinel{StatusLostOwnership, "ownership lost"}
	// ErrNotDurable is an operation that is done and visible, but not known to survive a loss of
	// power. Do not repeat it.
	ErrNotDurable error = &sentinel{StatusNotDurable, "done, but not known to be durable"}
	// ErrDescriptors is a process or system that is out of file descriptors.
	ErrDescriptors error = &sentinel{StatusDescriptors, "out of file descriptors"}
	// ErrNamesExhausted is a name generator that produced no free name.
	ErrNamesExhausted error = &sentinel{StatusNamesExhausted, "no free name"}
	// ErrPanic is a bug in the library: the handle refuses further use.
	ErrPanic error = &sentinel{StatusPanic, "internal error"}
)

// Error is the whole sentence: operation, path, reason and what to do.
func (e *Error) Error() string {
	return "multispool: " + e.Message
}

// Unwrap is the system's reason, if there was one.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Is compares with this package's sentinels and with those of io/fs.
func (e *Error) Is(target error) bool {
	if s, ok := target.(*sentinel); ok {
		return s.status == e.Status
	}
	switch target {
	case fs.ErrNotExist:
		return e.Status == StatusMissing || e.Status == StatusNotFound
	case fs.ErrExist:
		return e.Status == StatusNameTaken
	case fs.ErrPermission:
		return e.Status == StatusPermission
	}
	return false
}

// LogValue is the error as a group, so that each part can be searched for.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("status", e.Status.String()),
		slog.String("op", e.Op),
		slog.String("message", e.Message),
	}
	if e.Path != "" {
		attrs = append(attrs, slog.String("path", e.Path))
	}
	if e.Errno != 0 {
		attrs = append(attrs, slog.Int("errno", int(e.Errno)))
	}
	if e.Name != "" {
		attrs = append(attrs, slog.String("name", e.Name))
	}
	return slog.GroupValue(attrs...)
}

// failure makes the error of a call about subject, which is an entry's name or ""; nil for success.
// It frees cause.
func failure(operation, subject string, status C.int32_t, cause *C.multispool_error) error {
	if status == C.MULTISPOOL_OK {
		return nil
	}
	err := &Error{Status: Status(status), Op: operation, Name: subject}
	if cause == nil {
		err.Message = operation + ": " + outcomeText(err.Status)
		if subject != "" {
			err.Message = fmt.Sprintf("%s %q: %s", operation, subject, outcomeText(err.Status))
		}
		return err
	}
	defer C.multispool_error_free(cause)
	err.tell(cause)
	return err
}

// told is a failure that the library keeps.
func told(cause *C.multispool_error) error {
	err := &Error{Status: Status(C.multispool_error_status(cause))}
	err.tell(cause)
	return err
}

// tell copies what the library says of a failure.
func (e *Error) tell(cause *C.multispool_error) {
	e.Op = C.GoString(C.multispool_error_operation(cause))
	e.Path = C.GoString(C.multispool_error_path(cause))
	e.Errno = syscall.Errno(C.multispool_error_errno(cause))
	e.Message = C.GoString(C.multispool_error_message(cause))
	if name := C.multispool_error_name(cause); name != nil {
		e.Name = C.GoString(name)
	}
}

// outcomeText says what a status without an error object of the library means.
func outcomeText(s Status) string {
	switch s {
	case StatusEmpty:
		return "nothing available"
	case StatusNotFound:
		return "not there: it was never made, is gone, or another process has it"
	case StatusNameTaken:
		return "the name is in use in the spool"
	case StatusInvalidName:
		return "the name has a NUL byte in it: use one without"
	}
	return strings.ToLower(strings.ReplaceAll(s.String(), "_", " "))
}
