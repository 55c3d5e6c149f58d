package multispool

// #include <multispool.h>
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// terminated is s as the library reads a string: its bytes and a NUL, in Go's memory, for the
// length of one call. A NUL inside would cut it short unnoticed.
func terminated(operation, what, s string, status Status) (*C.char, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, &Error{
			Status:  status,
			Op:      operation,
			Message: fmt.Sprintf("%s: the %s %q has a NUL byte in it: use one without", operation, what, s),
		}
	}
	b := append([]byte(s), 0)
	return (*C.char)(unsafe.Pointer(&b[0])), nil
}

func queueText(operation, queue string) (*C.char, error) {
	return terminated(operation, "queue name", queue, StatusInvalidName)
}

func nameText(operation, name string) (*C.char, error) {
	return terminated(operation, "entry name", name, StatusInvalidName)
}

func pathText(operation, path string) (*C.char, error) {
	return terminated(operation, "path", path, StatusInvalidArgument)
}

// queueList is an array of strings for the length of one call; unpin after it.
func queueList(operation string, queues []string) (list **C.char, unpin func(), err error) {
	texts := make([]*C.char, len(queues))
	var pins runtime.Pinner
	for i, queue := range queues {
		text, err := queueText(operation, queue)
		if err != nil {
			pins.Unpin()
			return nil, nil, err
		}
		pins.Pin(text)
		texts[i] = text
	}
	return unsafe.SliceData(texts), pins.Unpin, nil
}

// borrowed is b for the length of one call.
func borrowed(b []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b))
}

// copied is a Go copy of the library's bytes: never nil, so that empty and absent differ.
func copied(data *C.uint8_t, length C.size_t) []byte {
	if length == 0 {
		return []byte{}
	}
	return append([]byte{}, unsafe.Slice((*byte)(data), length)...)
}

// taken copies a buffer's bytes and frees it.
func taken(buffer *C.multispool_buffer) []byte {
	defer C.multispool_buffer_free(buffer)
	var length C.size_t
	data := C.multispool_buffer_data(buffer, &length)
	return copied(data, length)
}
