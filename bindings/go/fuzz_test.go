package multispool

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzNames: a name is refused before the disk is touched, or comes back as it was from wherever it
// is told.
func FuzzNames(f *testing.F) {
	for _, name := range []string{
		"a", "", ".", "..", ".dot", "a/b", "/", "a\x00b", "\xff\xfe", "new\nline", "a.tmp.abcdef", "-",
		strings.Repeat("x", 244), strings.Repeat("x", 245),
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		spool := newSpool(t)
		before := listing(t, spool.Dir())
		possible := name != "" && len(name) <= 244 && name[0] != '.' && !strings.ContainsAny(name, "/\x00")
		if !possible {
			wantError(t, spool.ReserveName(name), ErrInvalidName)
			_, err := spool.Enqueue("incoming", nil, nil, WithName(name))
			wantError(t, err, ErrInvalidName)
			_, err = Create(filepath.Join(t.TempDir(), "spool"), []string{name})
			wantError(t, err, ErrInvalidName)
			if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
				t.Errorf("changed from %q to %q", before, after)
			}
			return
		}
		must(t, spool.ReserveName(name))
		entry, err := spool.Enqueue("incoming", []byte(name), nil, WithName(name), WithDurability(DurabilityNone))
		must(t, err)
		checkout, err := newReader(t, spool).DequeueAvailable()
		must(t, err)
		defer checkout.Close()
		if entry.Name() != name || checkout.Name() != name || string(checkout.Metadata()) != name {
			t.Errorf("%q came back as %q, %q and %q", name, entry.Name(), checkout.Name(), checkout.Metadata())
		}
		must(t, checkout.Save("done", WithDurability(DurabilityNone)))
		if found := names(t, spool, "done"); !reflect.DeepEqual(found, []string{name}) {
			t.Errorf("listed %q", found)
		}
		queued, err := Create(filepath.Join(t.TempDir(), "spool"), []string{name}, WithDurability(DurabilityNone))
		must(t, err)
		defer queued.Close()
		found, err := Discover(queued.Dir())
		must(t, err)
		if !reflect.DeepEqual(found, []string{name}) {
			t.Errorf("discovered %q", found)
		}
	})
}

// fuzzCodec: whatever the bytes are, a codec refuses them or decodes them to what it encodes to the
// same value again.
func fuzzCodec[T any](f *testing.F, c Codec[T], values ...T) {
	for _, value := range values {
		var text bytes.Buffer
		if err := c.Encode(&text, value); err != nil {
			f.Fatal(err)
		}
		f.Add(text.Bytes())
		f.Add(text.Bytes()[:text.Len()/2])
		f.Add(append(text.Bytes(), 'x'))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := c.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := c.Encode(&again, value); err != nil {
			t.Fatalf("%+v was decoded from %q and cannot be encoded: %v", value, text, err)
		}
		back, err := c.Decode(bytes.NewReader(again.Bytes()))
		if err != nil || !reflect.DeepEqual(back, value) {
			t.Fatalf("%+v came back as %+v: %v", value, back, err)
		}
	})
}

func FuzzJSON(f *testing.F) {
	fuzzCodec(f, JSON[map[string]any](), map[string]any{"a": []any{1.5, "<&>", nil, true}}, map[string]any{}, nil)
}

func FuzzGob(f *testing.F) {
	type inner struct {
		Names []string
		Sizes map[string]int64
	}
	fuzzCodec(f, Gob[inner](), inner{}, inner{[]string{"a", ""}, map[string]int64{"b": -1}})
}

func FuzzText(f *testing.F) {
	fuzzCodec(f, Text[time.Time](), time.Unix(0, 0).UTC(), time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC))
}

func FuzzBytes(f *testing.F) {
	fuzzCodec(f, Bytes[[]byte](), nil, []byte("a\x00\xff"))
}
