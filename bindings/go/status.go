package multispool

// #include <multispool.h>
import "C"

// Status is the library's number for how a call ended. Positive ones are expected outcomes,
// negative ones failures.
type Status int32

// The statuses. Their numbers are the C library's, and are never used again for another meaning.
const (
	StatusOK          Status = C.MULTISPOOL_OK
	StatusEmpty       Status = C.MULTISPOOL_EMPTY
	StatusStopped     Status = C.MULTISPOOL_STOPPED
	StatusTimedOut    Status = C.MULTISPOOL_TIMED_OUT
	StatusInterrupted Status = C.MULTISPOOL_INTERRUPTED
	StatusNotFound    Status = C.MULTISPOOL_NOT_FOUND
	StatusNameTaken   Status = C.MULTISPOOL_NAME_TAKEN

	StatusIO              Status = C.MULTISPOOL_IO
	StatusInvalidArgument Status = C.MULTISPOOL_INVALID_ARGUMENT
	StatusInvalidName     Status = C.MULTISPOOL_INVALID_NAME
	StatusNotASpool       Status = C.MULTISPOOL_NOT_A_SPOOL
	StatusNotEmpty        Status = C.MULTISPOOL_NOT_EMPTY
	StatusUnknownQueue    Status = C.MULTISPOOL_UNKNOWN_QUEUE
	StatusCorrupt         Status = C.MULTISPOOL_CORRUPT
	StatusFinished        Status = C.MULTISPOOL_FINISHED
	StatusForked          Status = C.MULTISPOOL_FORKED
	StatusUnsupported     Status = C.MULTISPOOL_UNSUPPORTED
	StatusNoSpace         Status = C.MULTISPOOL_NO_SPACE
	StatusPermission      Status = C.MULTISPOOL_PERMISSION
	StatusMissing         Status = C.MULTISPOOL_MISSING
	StatusLostOwnership   Status = C.MULTISPOOL_LOST_OWNERSHIP
	StatusNotDurable      Status = C.MULTISPOOL_NOT_DURABLE
	StatusDescriptors     Status = C.MULTISPOOL_DESCRIPTORS
	StatusNamesExhausted  Status = C.MULTISPOOL_NAMES_EXHAUSTED
	StatusPanic           Status = C.MULTISPOOL_PANIC
)

// String is the status's name in the C library, such as "NOT_FOUND".
func (s Status) String() string {
	return C.GoString(C.multispool_status_name(C.int32_t(s)))
}
