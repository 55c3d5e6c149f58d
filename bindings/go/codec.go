//go:build cgo

package multispool

import (
	"bufio"
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// A Codec turns values of a type into bytes and back. It can be the user's own; several goroutines
// may use one at once.
type Codec[T any] interface {
	// Encode writes the value. What it writes may be larger than memory.
	Encode(w io.Writer, value T) error
	// Decode reads what Encode wrote; the reader ends where that ends. It returns an error for
	// whatever Encode cannot have written.
	Decode(r io.Reader) (T, error)
}

// codec is a Codec of two functions.
type codec[T any] struct {
	encode func(io.Writer, T) error
	decode func(io.Reader) (T, error)
}

func (c codec[T]) Encode(w io.Writer, value T) error { return c.encode(w, value) }

func (c codec[T]) Decode(r io.Reader) (T, error) { return c.decode(r) }

// JSON is the codec of encoding/json: one value, and a line feed after it.
func JSON[T any]() Codec[T] {
	return codec[T]{
		encode: func(w io.Writer, value T) error {
			encoder := json.NewEncoder(w)
			encoder.SetEscapeHTML(false)
			return encoder.Encode(value)
		},
		decode: func(r io.Reader) (value T, err error) {
			decoder := json.NewDecoder(r)
			if err := decoder.Decode(&value); err != nil {
				return value, whole(err)
			}
			if _, err := decoder.Token(); err != io.EOF {
				return value, errors.New("there is more after the JSON value")
			}
			return value, nil
		},
	}
}

// Gob is the codec of encoding/gob: each file is a stream of its own, with its types.
func Gob[T any]() Codec[T] {
	return codec[T]{
		encode: func(w io.Writer, value T) error { return gob.NewEncoder(w).Encode(&value) },
		decode: func(r io.Reader) (value T, err error) {
			// A reader of single bytes, so that the decoder takes no more than its value.
			buffer := bufio.NewReader(r)
			if err := gob.NewDecoder(buffer).Decode(&value); err != nil {
				return value, whole(err)
			}
			if _, err := buffer.ReadByte(); err != io.EOF {
				return value, errors.New("there is more after the gob value")
			}
			return value, nil
		},
	}
}

// Text is the codec of types with a text form, such as [time.Time] and [net/netip.Addr]: Text[time.Time]().
func Text[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}]() Codec[T] {
	return codec[T]{
		encode: func(w io.Writer, value T) error {
			text, err := P(&value).MarshalText()
			if err != nil {
				return err
			}
			_, err = w.Write(text)
			return err
		},
		decode: func(r io.Reader) (value T, err error) {
			text, err := io.ReadAll(r)
			if err != nil {
				return value, err
			}
			return value, P(&value).UnmarshalText(text)
		},
	}
}

// String is the codec of strings, as they are.
func String[T ~string]() Codec[T] {
	return codec[T]{
		encode: func(w io.Writer, value T) error {
			_, err := io.WriteString(w, string(value))
			return err
		},
		decode: func(r io.Reader) (T, error) {
			text, err := io.ReadAll(r)
			return T(text), err
		},
	}
}

// Bytes is the codec of bytes, as they are.
func Bytes[T ~[]byte]() Codec[T] {
	return codec[T]{
		encode: func(w io.Writer, value T) error {
			_, err := w.Write(value)
			return err
		},
		decode: func(r io.Reader) (T, error) { return io.ReadAll(r) },
	}
}

// whole is err for a reader that must not end within a value.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// CodecError is metadata or data that a codec could not turn into bytes, or back. What cannot be
// decoded is also ErrCorrupt: that one entry is of no use to these types, and others are.
type CodecError struct {
	// Op is "encode metadata", "encode data", "decode metadata" or "decode data".
	Op string
	// Entry is the entry that it is about; nil for one that was to be enqueued.
	Entry *Entry
	// Err is the codec's error.
	Err error
}

// Error says which entry and why.
func (e *CodecError) Error() string {
	if e.Entry == nil {
		return fmt.Sprintf("multispool: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("multispool: %s of %q in %q: %v", e.Op, e.Entry.String(), e.Entry.spool.dir, e.Err)
}

// Unwrap is the codec's error.
func (e *CodecError) Unwrap() error { return e.Err }

// Is tells that what cannot be decoded is ErrCorrupt.
func (e *CodecError) Is(target error) bool {
	return target == ErrCorrupt && (e.Op == decodeMetadata || e.Op == decodeData)
}

// LogValue is the error as a group, so that each part can be searched for.
func (e *CodecError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("op", e.Op), slog.String("message", e.Err.Error())}
	if e.Entry != nil {
		attrs = append(attrs, slog.Any("entry", e.Entry))
	}
	return slog.GroupValue(attrs...)
}

const (
	encodeMetadata = "encode metadata"
	encodeData     = "encode data"
	decodeMetadata = "decode metadata"
	decodeData     = "decode data"
)

// encode writes a value; what failed may be the codec, or w.
func encode[T any](c Codec[T], w io.Writer, value T, operation string, entry *Entry) error {
	sink := &failureKeeper{writer: w}
	// Codecs may write byte by byte, and each write is a call into the library.
	buffer := bufio.NewWriter(sink)
	err := c.Encode(buffer, value)
	if err == nil {
		err = buffer.Flush()
	}
	if sink.err != nil {
		return sink.err
	}
	if err != nil {
		return &CodecError{Op: operation, Entry: entry, Err: err}
	}
	return nil
}

// encoded is a value's bytes.
func encoded[T any](c Codec[T], value T, operation string, entry *Entry) ([]byte, error) {
	var buffer bytes.Buffer
	err := encode(c, &buffer, value, operation, entry)
	return buffer.Bytes(), err
}

// decode is the value that bytes stand for; what failed may be the codec, or r.
func decode[T any](c Codec[T], r io.Reader, operation string, entry *Entry) (T, error) {
	source := &readFailureKeeper{reader: r}
	value, err := c.Decode(source)
	if err == nil {
		return value, nil
	}
	var none T
	if source.err != nil {
		return none, source.err
	}
	return none, &CodecError{Op: operation, Entry: entry, Err: err}
}

// readFailureKeeper tells a source's failure from its codec's.
type readFailureKeeper struct {
	reader io.Reader
	err    error
}

func (k *readFailureKeeper) Read(p []byte) (int, error) {
	n, err := k.reader.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}
