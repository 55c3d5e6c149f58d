package multispool

// #include <multispool.h>
import "C"

// Direct works on an entry's files in its queue without taking it: with no check, and no protection
// from others who do the same or take the entry meanwhile.
type Direct struct{ entry *Entry }

// Direct is the entry without ownership.
func (e *Entry) Direct() Direct { return Direct{e} }

// Contents is the metadata as it is now; who saves it later should look again after a checkout. The
// error of an entry that is gone is ErrNotFound.
func (d Direct) Contents() ([]byte, error) {
	var contents []byte
	err := d.entry.use("direct contents", func(native *C.multispool_entry) error {
		var buffer *C.multispool_buffer
		var cause *C.multispool_error
		status := C.multispool_entry_direct_contents(native, &buffer, &cause)
		if err := failure("direct contents", d.entry.name, status, cause); err != nil {
			return err
		}
		contents = taken(buffer)
		return nil
	})
	return contents, err
}

// Save replaces the metadata, and makes the file if there is none.
func (d Direct) Save(metadata []byte) error {
	return d.entry.use("direct save", func(native *C.multispool_entry) error {
		m, length := borrowed(metadata)
		var cause *C.multispool_error
		status := C.multispool_entry_direct_save(native, m, length, &cause)
		return failure("direct save", d.entry.name, status, cause)
	})
}

// Remove deletes the entry with its data and its name's reservation. The error of an entry that is
// gone is ErrNotFound.
func (d Direct) Remove() error {
	return d.entry.use("direct remove", func(native *C.multispool_entry) error {
		var cause *C.multispool_error
		status := C.multispool_entry_direct_remove(native, &cause)
		return failure("direct remove", d.entry.name, status, cause)
	})
}

// DataFile is the entry's data.
func (d Direct) DataFile() *DataFile {
	return &DataFile{name: d.entry.name, throttle: d.entry.spool.handle.throttle, use: func(operation string, f func(*C.multispool_data_file) error) error {
		return d.entry.use(operation, func(native *C.multispool_entry) error {
			var file *C.multispool_data_file
			var cause *C.multispool_error
			status := C.multispool_entry_direct_data_file(native, &file, &cause)
			if err := failure(operation, d.entry.name, status, cause); err != nil {
				return err
			}
			defer C.multispool_data_file_free(file)
			return f(file)
		})
	}}
}
