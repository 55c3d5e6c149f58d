package multispool

// #include <multispool.h>
import "C"

import (
	"io"
	"os"
)

// DataFile is an entry's data: any bytes, which may be more than fit into memory. It holds nothing
// open and needs no Close.
type DataFile struct {
	name     string
	throttle Throttle
	use      func(operation string, f func(*C.multispool_data_file) error) error
	// held is the checkout whose data it is, or nil.
	held *Checkout
}

// Path is where the data is, for programs that read files by name. What they write there is theirs
// to sync.
func (d *DataFile) Path() (string, error) {
	var path string
	err := d.use("data path", func(file *C.multispool_data_file) error {
		path = C.GoString(C.multispool_data_file_path(file))
		return nil
	})
	return path, err
}

// Load reads all of it.
func (d *DataFile) Load() ([]byte, error) {
	if d.held != nil {
		return d.held.loadData()
	}
	var data []byte
	err := d.use("load data", func(file *C.multispool_data_file) error {
		var buffer *C.multispool_buffer
		var cause *C.multispool_error
		status := C.multispool_data_file_load(file, &buffer, &cause)
		if err := failure("load data", d.name, status, cause); err != nil {
			return err
		}
		data = taken(buffer)
		return nil
	})
	return data, err
}

// Save replaces all of it at once: a reader, or a crash, sees the old data or the new.
func (d *DataFile) Save(data []byte) error {
	return d.use("save data", func(file *C.multispool_data_file) error {
		p, length := borrowed(data)
		var cause *C.multispool_error
		status := C.multispool_data_file_save(file, p, length, &cause)
		return failure("save data", d.name, status, cause)
	})
}

// Stat is its size and times.
func (d *DataFile) Stat() (Stat, error) {
	var stat Stat
	err := d.use("stat data", func(file *C.multispool_data_file) error {
		var modified, changed C.int64_t
		var size C.uint64_t
		var cause *C.multispool_error
		status := C.multispool_data_file_stat(file, &modified, &changed, &size, &cause)
		if err := failure("stat data", d.name, status, cause); err != nil {
			return err
		}
		stat = newStat(modified, changed, size)
		return nil
	})
	return stat, err
}

// Open opens it for reading; the caller closes it. What it reads does not change when the data is
// saved anew.
func (d *DataFile) Open() (io.ReadSeekCloser, error) {
	var opened *os.File
	err := d.use("open data", func(file *C.multispool_data_file) error {
		var fd C.int
		var cause *C.multispool_error
		status := C.multispool_data_file_open(file, &fd, &cause)
		if err := failure("open data", d.name, status, cause); err != nil {
			return err
		}
		opened = os.NewFile(uintptr(fd), C.GoString(C.multispool_data_file_path(file)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.throttle != nil {
		return &throttled{file: opened, throttle: d.throttle}, nil
	}
	return opened, nil
}

// Writer begins new data, in the place of the old when it is committed. Close it in any case.
func (d *DataFile) Writer() (*DataWriter, error) {
	var writer *DataWriter
	err := d.use("write data", func(file *C.multispool_data_file) error {
		var native *C.multispool_data_writer
		var cause *C.multispool_error
		status := C.multispool_data_file_writer(file, &native, &cause)
		if err := failure("write data", d.name, status, cause); err != nil {
			return err
		}
		writer = &DataWriter{
			handle: newExclusive(native, d.throttle, func(p *C.multispool_data_writer) { C.multispool_data_writer_free(p) }),
			name:   d.name,
		}
		return nil
	})
	return writer, err
}

// DataWriter collects new data for an entry, beside the old. Several goroutines may use it; they
// take turns.
type DataWriter struct {
	handle *exclusive[*C.multispool_data_writer]
	name   string
}

// Write adds p to the new data.
func (w *DataWriter) Write(p []byte) (int, error) {
	err := w.handle.use("write data", func(native *C.multispool_data_writer) error {
		data, length := borrowed(p)
		var cause *C.multispool_error
		status := C.multispool_data_writer_write(native, data, length, &cause)
		return failure("write data", w.name, status, cause)
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Commit puts the new data in the place of the old, at once and as durable as the spool promises. A
// crash between it and the save of the entry leaves new data with the old metadata.
func (w *DataWriter) Commit() error {
	return w.handle.use("commit data", func(native *C.multispool_data_writer) error {
		var cause *C.multispool_error
		status := C.multispool_data_writer_commit(native, &cause)
		return failure("commit data", w.name, status, cause)
	})
}

// Close throws away what was not committed. It always returns nil, and may be called again.
func (w *DataWriter) Close() error {
	return w.handle.close(nil)
}
