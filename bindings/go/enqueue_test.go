package multispool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEnqueuedEntryIsListedWithItsMetadataAndData(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "what it is", "what is in it")
	if entry.Queue() != "incoming" || entry.String() != "incoming/"+entry.Name() || entry.Spool() != spool {
		t.Errorf("entry is %v", entry)
	}
	if found := names(t, spool, "incoming"); !reflect.DeepEqual(found, []string{entry.Name()}) {
		t.Errorf("listed %q", found)
	}
	metadata, err := entry.Direct().Contents()
	must(t, err)
	data, err := entry.Direct().DataFile().Load()
	must(t, err)
	if string(metadata) != "what it is" || string(data) != "what is in it" {
		t.Errorf("read %q and %q", metadata, data)
	}
}

func TestAnyBytesComeBackAsTheyWere(t *testing.T) {
	spool := newSpool(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
	for name, content := range map[string][]byte{
		"nil": nil, "empty": {}, "NUL": {0, 'a', 0}, "invalid UTF-8": {0xff, 0xfe, 0xc0}, "10 MB": large,
	} {
		t.Run(name, func(t *testing.T) {
			entry, err := spool.Enqueue("incoming", content, content)
			must(t, err)
			checkout, err := entry.Checkout()
			must(t, err)
			defer checkout.Close()
			data, err := checkout.DataFile().Load()
			must(t, err)
			if !bytes.Equal(checkout.Metadata(), content) || !bytes.Equal(data, content) {
				t.Errorf("%d bytes came back as %d and %d, changed", len(content), len(checkout.Metadata()), len(data))
			}
			must(t, checkout.SetMetadata(content))
			must(t, checkout.DataFile().Save(content))
			must(t, checkout.Save("done"))
			saved, err := spool.Entry("done", entry.Name())
			must(t, err)
			metadata, err := saved.Direct().Contents()
			must(t, err)
			if !bytes.Equal(metadata, content) {
				t.Errorf("saved metadata of %d bytes came back as %d, changed", len(content), len(metadata))
			}
		})
	}
}

func TestEnqueueReaderStreamsAllThatItYields(t *testing.T) {
	spool := newSpool(t)
	content := strings.Repeat("piece by piece ", 100_000)
	entry, err := spool.EnqueueReader("incoming", []byte("m"), iotest.HalfReader(strings.NewReader(content)))
	must(t, err)
	data, err := entry.Direct().DataFile().Load()
	must(t, err)
	if string(data) != content {
		t.Errorf("%d bytes came back as %d", len(content), len(data))
	}
}

func TestAFailingReaderEnqueuesNothing(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	broken := errors.New("the line is broken")
	entry, err := spool.EnqueueReader("incoming", []byte("m"),
		io.MultiReader(strings.NewReader("first half"), iotest.ErrReader(broken)))
	wantError(t, err, broken)
	if entry != nil {
		t.Errorf("an entry came back: %v", entry)
	}
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("in the middle") }

func TestAPanickingReaderEnqueuesNothing(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = spool.EnqueueReader("incoming", nil, panickingReader{})
	}()
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

func TestEnqueueFileTakesTheFilesContents(t *testing.T) {
	spool := newSpool(t)
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte("from a file"), 0o600))
	entry, err := spool.EnqueueFile("incoming", []byte("m"), path)
	must(t, err)
	data, err := entry.Direct().DataFile().Load()
	must(t, err)
	if string(data) != "from a file" {
		t.Errorf("data is %q", data)
	}
	before := listing(t, spool.Dir())
	if _, err := spool.EnqueueFile("incoming", nil, path+".gone"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	_, err = spool.EnqueueFile("incoming", nil, "a\x00b")
	wantError(t, err, ErrInvalidArgument)
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

func TestEnqueueWriterShowsNothingBeforeCommit(t *testing.T) {
	spool := newSpool(t)
	writer, err := spool.EnqueueWriter("incoming", WithDurability(DurabilityOriginal))
	must(t, err)
	defer writer.Close()
	for _, piece := range []string{"one ", "", "two"} {
		if n, err := writer.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("wrote %d of %q: %v", n, piece, err)
		}
	}
	wantCount(t, spool, "incoming", 0)
	entry, err := writer.Commit([]byte("m"))
	must(t, err)
	if entry.Name() != writer.Name() {
		t.Errorf("entry is %v, the writer promised %q", entry, writer.Name())
	}
	data, err := entry.Direct().DataFile().Load()
	must(t, err)
	if string(data) != "one two" {
		t.Errorf("data is %q", data)
	}
	_, err = writer.Commit(nil)
	wantError(t, err, ErrFinished)
	_, err = writer.Write([]byte("more"))
	wantError(t, err, ErrFinished)
	must(t, writer.Close())
	must(t, writer.Close())
	_, err = writer.Write([]byte("more"))
	wantError(t, err, ErrClosed)
	_, err = writer.Commit(nil)
	wantError(t, err, ErrClosed)
	wantCount(t, spool, "incoming", 1)
}

func TestEnqueueWriterClosedWithoutCommitLeavesNothing(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	writer, err := spool.EnqueueWriter("incoming")
	must(t, err)
	_, err = writer.Write([]byte("in vain"))
	must(t, err)
	must(t, writer.Close())
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

func TestReservedNamesAreUsedOnceAndNeverTwice(t *testing.T) {
	spool := newSpool(t)
	name, err := spool.Reserve()
	must(t, err)
	wantError(t, spool.ReserveName(name), ErrNameTaken)
	wantError(t, spool.ReserveName(name), os.ErrExist)
	entry, err := spool.Enqueue("incoming", []byte("m"), []byte("d"), WithName(name))
	must(t, err)
	if entry.Name() != name {
		t.Errorf("entry is %v, want the name %q", entry, name)
	}
	_, err = spool.Enqueue("done", nil, nil, WithName(name))
	wantError(t, err, ErrNameTaken)
	_, err = spool.Enqueue("incoming", nil, nil, WithName("never-reserved"))
	wantError(t, err, ErrNotFound)
	must(t, spool.ReserveName("mine"))
	_, err = spool.EnqueueReader("incoming", nil, strings.NewReader("d"), WithName("mine"))
	must(t, err)
	if found := names(t, spool, "incoming"); !reflect.DeepEqual(found, []string{name, "mine"}) {
		t.Errorf("listed %q", found)
	}
}

func TestNamesAreAnyBytes(t *testing.T) {
	spool := newSpool(t, "queue \xff\xfe")
	for _, name := range []string{"a\xff\xfeb", "with space", "new\nline", "-dash", strings.Repeat("x", 244)} {
		must(t, spool.ReserveName(name))
		entry, err := spool.Enqueue("queue \xff\xfe", nil, nil, WithName(name))
		must(t, err)
		if entry.Name() != name || entry.Queue() != "queue \xff\xfe" {
			t.Errorf("%q came back as %q in %q", name, entry.Name(), entry.Queue())
		}
	}
	queues, err := Discover(spool.Dir())
	must(t, err)
	if !reflect.DeepEqual(queues, []string{"queue \xff\xfe"}) {
		t.Errorf("discovered %q", queues)
	}
	wantCount(t, spool, "queue \xff\xfe", 5)
}
