//go:build cgo

package multispool

// TypedDataFile is a DataFile that holds a Go value: a handle, so that the user chooses when to read.
type TypedDataFile[D any] struct {
	*DataFile
	codec Codec[D]
	entry *Entry
}

// Load reads the value. What cannot be decoded is a CodecError.
func (d *TypedDataFile[D]) Load() (D, error) {
	file, err := d.Open()
	if err != nil {
		var none D
		return none, err
	}
	defer file.Close()
	return decode(d.codec, file, decodeData, d.entry)
}

// Save replaces the value at once: a reader, or a crash, sees the old one or the new. What cannot be
// encoded (CodecError) changes nothing.
func (d *TypedDataFile[D]) Save(data D) error {
	writer, err := d.Writer()
	if err != nil {
		return err
	}
	defer writer.Close()
	if err := encode(d.codec, writer, data, encodeData, d.entry); err != nil {
		return err
	}
	return writer.Commit()
}
