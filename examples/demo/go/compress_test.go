package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"multispool.dev/multispool"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newSpool(t *testing.T) *multispool.Spool {
	t.Helper()
	spool, err := multispool.Create(filepath.Join(t.TempDir(), "spool"), []string{"incoming", "compressed"})
	must(t, err)
	t.Cleanup(func() { spool.Close() })
	return spool
}

func packed(t *testing.T, contents []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := writer.Write(contents)
	must(t, err)
	must(t, writer.Close())
	return out.Bytes()
}

// awkward is contents whose gzip is as long as they are.
func awkward(t *testing.T) []byte {
	t.Helper()
	source := rand.NewChaCha8([32]byte{})
	noise := make([]byte, 200)
	_, _ = source.Read(noise)
	for zeros := range 200 {
		contents := append(bytes.Clone(noise), make([]byte, zeros)...)
		if len(packed(t, contents)) == len(contents) {
			return contents
		}
	}
	t.Fatal("none found")
	return nil
}

var states = map[string]func(t *testing.T, checkout *multispool.Checkout){
	"not begun": func(*testing.T, *multispool.Checkout) {},
	"data committed": func(t *testing.T, checkout *multispool.Checkout) {
		_, err := newCompressor().compress(checkout)
		must(t, err)
		must(t, checkout.Release()) // drops the new metadata
	},
	"metadata written as well": func(t *testing.T, checkout *multispool.Checkout) {
		_, err := newCompressor().compress(checkout)
		must(t, err)
		must(t, checkout.Save("incoming"))
	},
}

func TestTheResultIsTheSameWhereverAnEarlierRunWasKilled(t *testing.T) {
	for contentsName, contents := range map[string][]byte{
		"empty":               {},
		"text":                []byte(strings.Repeat("all work and no play\n", 5000)),
		"a gzip file":         packed(t, []byte("inside")),
		"a gzip of a gzip":    packed(t, packed(t, []byte("inside"))),
		"as long as its gzip": awkward(t),
	} {
		for state, before := range states {
			t.Run(contentsName+", "+state, func(t *testing.T) {
				spool := newSpool(t)
				metadata := fmt.Sprintf(`{"path":"a \u003c \"b\"","size":%d}`, len(contents))
				entry, err := spool.Enqueue("incoming", []byte(metadata), contents)
				must(t, err)
				earlier, err := entry.Checkout()
				must(t, err)
				before(t, earlier)
				must(t, earlier.Close())
				checkout, err := entry.Checkout()
				must(t, err)
				defer checkout.Close()
				length, err := newCompressor().compress(checkout)
				must(t, err)
				if length != int64(len(contents)) {
					t.Errorf("length is %d, want %d", length, len(contents))
				}
				want := fmt.Sprintf(`{"path":"a \u003c \"b\"","size":%d,"sha256":"%x"}`, len(contents), sha256.Sum256(contents))
				if got := string(checkout.Metadata()); got != want || !json.Valid([]byte(got)) {
					t.Errorf("metadata is %s, want %s", got, want)
				}
				data, err := checkout.Data()
				must(t, err)
				defer data.Close()
				unpacked, err := gzip.NewReader(data)
				must(t, err)
				got, err := io.ReadAll(unpacked)
				must(t, err)
				if !bytes.Equal(got, contents) {
					t.Errorf("%d bytes came out as %d, changed", len(contents), len(got))
				}
			})
		}
	}
}

func TestWhatIsNeitherTheOriginalNorItsGzipIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct{ metadata, data string }{
		"no JSON":             {`size 3`, "abc"},
		"no size":             {`{"path":"a"}`, "abc"},
		"another length":      {`{"path":"a","size":4}`, "abc"},
		"gzip of another":     {`{"path":"a","size":4}`, string(packed(t, []byte("abc")))},
		"half a gzip":         {`{"path":"a","size":3}`, string(packed(t, []byte("abc"))[:20])},
		"with another digest": {`{"path":"a","size":3,"sha256":"00"}`, string(packed(t, []byte("abc")))},
	} {
		t.Run(name, func(t *testing.T) {
			entry, err := newSpool(t).Enqueue("incoming", []byte(c.metadata), []byte(c.data))
			must(t, err)
			checkout, err := entry.Checkout()
			must(t, err)
			defer checkout.Close()
			if _, err := newCompressor().compress(checkout); err == nil {
				t.Error("there is no error")
			}
			data, err := checkout.DataFile().Load()
			must(t, err)
			if string(data) != c.data || string(checkout.Metadata()) != c.metadata {
				t.Errorf("changed to %q and %q", checkout.Metadata(), data)
			}
		})
	}
}

func TestRunCompressesAllAndEndsWhenTold(t *testing.T) {
	spool := newSpool(t)
	const entries = 50
	for i := range entries {
		contents := []byte(strings.Repeat("x", i))
		_, err := spool.Enqueue("incoming", fmt.Appendf(nil, `{"path":"%d","size":%d}`, i, i), contents,
			multispool.WithDurability(multispool.DurabilityNone))
		must(t, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- run(ctx, spool.Dir(), 4, time.Hour) }()
	reader, err := spool.Reader("compressed")
	must(t, err)
	defer reader.Close()
	for range entries {
		checkout, err := reader.Dequeue(ctx)
		must(t, err)
		must(t, checkout.Remove())
		must(t, checkout.Close())
	}
	cancel()
	must(t, <-ended)
	stats, err := spool.Stats()
	must(t, err)
	for _, queue := range stats.Queues {
		if queue.Entries != 0 || queue.CheckedOutAlive != 0 || queue.CheckedOutDead != 0 {
			t.Errorf("left: %+v", queue)
		}
	}
}

func TestProgressIsALineOfJSON(t *testing.T) {
	var out bytes.Buffer
	progress := newProgress(&out)
	progress.count(10)
	progress.count(20)
	progress.report()
	if !regexp.MustCompile(`^{"stage":"compress","entries":2,"bytes":30,"seconds":0\.\d}\n$`).Match(out.Bytes()) {
		t.Errorf("reported %q", out.String())
	}
}
