package multispool

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

type job struct {
	Title    string
	Attempts int
	Tags     []string
	When     time.Time
}

// comesBack encodes and decodes, the bytes coming one at a time.
func comesBack[T any](t *testing.T, c Codec[T], value T) (back T, text []byte) {
	t.Helper()
	var buffer bytes.Buffer
	must(t, c.Encode(&buffer, value))
	text = bytes.Clone(buffer.Bytes())
	back, err := c.Decode(iotest.OneByteReader(&buffer))
	must(t, err)
	return back, text
}

func TestEachCodecGivesBackWhatItWasGiven(t *testing.T) {
	full := job{"<a> & b", 3, []string{"x", ""}, time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC)}
	if got, text := comesBack(t, JSON[job](), full); !reflect.DeepEqual(got, full) || !bytes.Contains(text, []byte(`"<a> & b"`)) {
		t.Errorf("JSON: %+v from %s", got, text)
	}
	if got, _ := comesBack(t, Gob[job](), full); !reflect.DeepEqual(got, full) {
		t.Errorf("gob: %+v", got)
	}
	if got, _ := comesBack(t, Gob[int](), 0); got != 0 {
		t.Errorf("gob: %d", got)
	}
	if got, text := comesBack(t, Text[time.Time](), full.When); !got.Equal(full.When) || string(text) != "2024-02-29T01:02:03.000000004Z" {
		t.Errorf("text: %v from %s", got, text)
	}
	number := *big.NewInt(12345678901234567)
	if got, _ := comesBack(t, Text[big.Int](), number); got.Cmp(&number) != 0 {
		t.Errorf("text: %v", &got)
	}
	type kind string
	if got, text := comesBack(t, String[kind](), "a\x00\xff"); got != "a\x00\xff" || string(text) != "a\x00\xff" {
		t.Errorf("string: %q from %q", got, text)
	}
	if got, _ := comesBack(t, Bytes[[]byte](), []byte{0, 255}); !bytes.Equal(got, []byte{0, 255}) {
		t.Errorf("bytes: %v", got)
	}
	if got, text := comesBack(t, Bytes[[]byte](), nil); got == nil || len(text) != 0 {
		t.Errorf("bytes: %v from %v", got, text)
	}
}

func TestWhatNoCodecWroteIsRefused(t *testing.T) {
	var gob bytes.Buffer
	must(t, Gob[job]().Encode(&gob, job{Title: "t"}))
	whole := gob.String()
	for name, decode := range map[string]func() error{
		"JSON, empty":      func() error { _, err := JSON[job]().Decode(strings.NewReader("")); return err },
		"JSON, cut short":  func() error { _, err := JSON[job]().Decode(strings.NewReader(`{"Title":`)); return err },
		"JSON, two values": func() error { _, err := JSON[job]().Decode(strings.NewReader("{}\n{}")); return err },
		"JSON, wrong type": func() error { _, err := JSON[job]().Decode(strings.NewReader("[]")); return err },
		"gob, empty":       func() error { _, err := Gob[job]().Decode(strings.NewReader("")); return err },
		"gob, cut short":   func() error { _, err := Gob[job]().Decode(strings.NewReader(whole[:len(whole)-1])); return err },
		"gob, more":        func() error { _, err := Gob[job]().Decode(strings.NewReader(whole + "x")); return err },
		"gob, wrong type":  func() error { _, err := Gob[int]().Decode(strings.NewReader(whole)); return err },
		"text":             func() error { _, err := Text[time.Time]().Decode(strings.NewReader("yesterday")); return err },
	} {
		if err := decode(); err == nil || err == io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFailureOfTheDiskIsNotTheCodecs(t *testing.T) {
	broken := errors.New("the disk is broken")
	_, err := decode(JSON[job](), iotest.ErrReader(broken), decodeData, nil)
	wantError(t, err, broken)
	if errors.Is(err, ErrCorrupt) {
		t.Errorf("%v says that the entry is damaged", err)
	}
	err = encode(String[string](), failingWriter{broken}, "text", encodeData, nil)
	wantError(t, err, broken)
	var wrong *CodecError
	if errors.As(err, &wrong) {
		t.Errorf("%v says that the codec failed", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
