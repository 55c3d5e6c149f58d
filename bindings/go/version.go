package multispool

// #include <multispool.h>
import "C"

import (
	"fmt"
	"sync"
)

// LibraryVersion is the version of the C library that the program runs with, such as "0.1.0".
func LibraryVersion() string {
	return C.GoString(C.multispool_version_string())
}

// FormatVersion is the version of the format on disk that the library writes.
func FormatVersion() int {
	return int(C.multispool_format_version())
}

// checkVersion is the first step of all that opens a spool: calling a library with another contract
// would end in a crash far from its cause.
var checkVersion = sync.OnceValue(func() error {
	header, library := uint32(C.MULTISPOOL_VERSION), uint32(C.multispool_version())
	if compatible(header, library) {
		return nil
	}
	return &Error{
		Status: StatusUnsupported,
		Op:     "load the library",
		Message: fmt.Sprintf("this program was built for multispool %s and runs with %s: install the same major version, "+
			"no older than that, or build the program again", version(header), version(library)),
	}
})

// compatible tells whether a program compiled against header may call library: the same major
// version, and a minor that is not older.
func compatible(header, library uint32) bool {
	return library>>16 == header>>16 && library>>8&0xff >= header>>8&0xff
}

func version(v uint32) string {
	return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
}
