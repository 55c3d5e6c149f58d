package multispool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// samples is a codec of the user's own: one that fails for values that it does not like.
type samples struct{}

var errTooLoud = errors.New("too loud")

func (samples) Encode(w io.Writer, values []uint16) error {
	for _, value := range values {
		if value == 0xffff {
			return errTooLoud
		}
		if err := binary.Write(w, binary.BigEndian, value); err != nil {
			return err
		}
	}
	return nil
}

func (samples) Decode(r io.Reader) ([]uint16, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(text)%2 != 0 {
		return nil, errors.New("half a sample")
	}
	values := make([]uint16, len(text)/2)
	return values, binary.Read(bytes.NewReader(text), binary.BigEndian, values)
}

var recordings = Spoolable[job, []uint16]{
	Metadata: JSON[job](),
	Data:     samples{},
	Queues:   []string{"incoming", "done"},
}

type song = TypedCheckout[job, []uint16]

func newTyped(t *testing.T) *Typed[job, []uint16] {
	t.Helper()
	spool, err := recordings.Create(filepath.Join(t.TempDir(), "spool"))
	must(t, err)
	t.Cleanup(func() { spool.Close() })
	return spool
}

func enqueueJob(t *testing.T, spool *Typed[job, []uint16], title string, data ...uint16) *TypedEntry[job, []uint16] {
	t.Helper()
	entry, err := spool.Enqueue("incoming", job{Title: title}, data)
	must(t, err)
	return entry
}

func TestATypedSpoolGivesBackTheValuesThatItWasGiven(t *testing.T) {
	spool := newTyped(t)
	entry := enqueueJob(t, spool, "a song", 1, 2, 3)
	again, err := recordings.Load(spool.Dir())
	must(t, err)
	defer again.Close()
	for found, err := range again.List("incoming") {
		must(t, err)
		if found.Name() != entry.Name() {
			t.Errorf("listed %v", found)
		}
		metadata, err := found.Direct().Contents()
		must(t, err)
		data, err := found.Direct().DataFile().Load()
		must(t, err)
		if metadata.Title != "a song" || !reflect.DeepEqual(data, []uint16{1, 2, 3}) {
			t.Errorf("found %+v and %v", metadata, data)
		}
	}
	reader, err := again.Reader("incoming")
	must(t, err)
	defer reader.Close()
	checkout, err := reader.Dequeue(limited(t))
	must(t, err)
	defer checkout.Close()
	must(t, checkout.Update(func(metadata job) job {
		metadata.Attempts++
		return metadata
	}))
	if checkout.Metadata().Attempts != 1 {
		t.Errorf("metadata is %+v", checkout.Metadata())
	}
	must(t, checkout.DataFile().Save([]uint16{7}))
	must(t, checkout.Save("done"))
	saved, err := spool.Entry("done", entry.Name())
	must(t, err)
	must(t, saved.WithEntry(func(checkout *song) (Outcome, error) {
		data, err := checkout.DataFile().Load()
		if m := checkout.Metadata(); m.Title != "a song" || m.Attempts != 1 || !reflect.DeepEqual(data, []uint16{7}) {
			t.Errorf("saved as %+v and %v", m, data)
		}
		return Remove(), err
	}))
	_, err = reader.DequeueAvailable()
	wantError(t, err, ErrEmpty)
}

func TestEveryWayToTakeAnEntryHasTheTypes(t *testing.T) {
	type given struct {
		spool  *Typed[job, []uint16]
		reader *TypedReader[job, []uint16]
		entry  *TypedEntry[job, []uint16]
	}
	first := func(loop iter.Seq2[*song, error]) (*song, error) {
		for checkout, err := range loop {
			if err == nil {
				err = checkout.Save("done")
			}
			return checkout, err
		}
		return nil, ErrEmpty
	}
	for name, take := range map[string]func(given) (*song, error){
		"Checkout":         func(g given) (*song, error) { return g.entry.Checkout() },
		"TryCheckout":      func(g given) (*song, error) { return g.entry.TryCheckout() },
		"DequeueAvailable": func(g given) (*song, error) { return g.reader.DequeueAvailable() },
		"All":              func(g given) (*song, error) { return first(g.reader.All(limited(t))) },
		"Available":        func(g given) (*song, error) { return first(g.reader.Available()) },
		"TryWithEntry": func(g given) (taken *song, err error) {
			return taken, g.entry.TryWithEntry(func(checkout *song) (Outcome, error) {
				taken = checkout
				return Save("done"), nil
			})
		},
		"ListCheckoutsUnsafe": func(g given) (*song, error) {
			checkOut(t, g.entry.Entry)
			return first(g.spool.ListCheckoutsUnsafe("incoming"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			spool := newTyped(t)
			entry := enqueueJob(t, spool, name, 1)
			reader, err := spool.Reader("incoming")
			must(t, err)
			defer reader.Close()
			checkout, err := take(given{spool, reader, entry})
			must(t, err)
			if checkout.Metadata().Title != name {
				t.Errorf("metadata is %+v", checkout.Metadata())
			}
			must(t, checkout.Close())
		})
	}
}

func TestWhatCannotBeEncodedIsNotEnqueuedAndChangesNothing(t *testing.T) {
	spool := newTyped(t)
	before := listing(t, spool.Dir())
	_, err := spool.Enqueue("incoming", job{}, []uint16{1, 0xffff})
	wantError(t, err, errTooLoud)
	var wrong *CodecError
	if !errors.As(err, &wrong) || wrong.Op != "encode data" || wrong.Entry != nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("error is %+v", err)
	}
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
	loud := Spoolable[[]uint16, []byte]{Metadata: samples{}, Data: Bytes[[]byte]()}.Of(spool.Spool)
	_, err = loud.Enqueue("incoming", []uint16{0xffff}, nil)
	wantError(t, err, errTooLoud)
	entry, err := loud.Enqueue("incoming", []uint16{1}, nil)
	must(t, err)
	must(t, entry.WithEntry(func(checkout *TypedCheckout[[]uint16, []byte]) (Outcome, error) {
		wantError(t, checkout.SetMetadata([]uint16{0xffff}), errTooLoud)
		if !reflect.DeepEqual(checkout.Metadata(), []uint16{1}) {
			t.Errorf("metadata is %v", checkout.Metadata())
		}
		_, err := checkout.SaveWith("done", []uint16{0xffff})
		wantError(t, err, errTooLoud)
		return checkout.SaveWith("done", []uint16{2})
	}))
	wantError(t, entry.Direct().Save([]uint16{0xffff}), errTooLoud)
	song := enqueueJob(t, spool, "quiet", 1)
	wantError(t, song.Direct().DataFile().Save([]uint16{0xffff}), errTooLoud)
	data, err := song.Direct().DataFile().Load()
	must(t, err)
	if !reflect.DeepEqual(data, []uint16{1}) {
		t.Errorf("data is %v", data)
	}
}

func TestWhatCannotBeDecodedIsGivenBackAndStopsNobody(t *testing.T) {
	spool := newTyped(t)
	bad, err := spool.Spool.Enqueue("incoming", []byte("not JSON"), nil)
	must(t, err)
	enqueueJob(t, spool, "good", 1)
	reader, err := spool.Reader("incoming")
	must(t, err)
	defer reader.Close()
	var seen []string
	for checkout, err := range reader.Available() {
		if err != nil {
			seen = append(seen, "bad")
			var wrong *CodecError
			if !errors.As(err, &wrong) || wrong.Entry.Name() != bad.Name() || !errors.Is(err, ErrCorrupt) ||
				!strings.Contains(err.Error(), bad.Name()) || !strings.Contains(err.Error(), spool.Dir()) {
				t.Errorf("error is %v", err)
			}
			continue
		}
		seen = append(seen, checkout.Metadata().Title)
		must(t, checkout.Remove())
	}
	if !reflect.DeepEqual(seen, []string{"bad", "good"}) {
		t.Errorf("saw %q", seen)
	}
	wantCount(t, spool.Spool, "incoming", 1)
	entry, err := spool.Entry("incoming", bad.Name())
	must(t, err)
	for name, take := range map[string]func() error{
		"Checkout":     func() error { _, err := entry.Checkout(); return err },
		"TryCheckout":  func() error { _, err := entry.TryCheckout(); return err },
		"WithEntry":    func() error { return entry.WithEntry(nil) },
		"TryWithEntry": func() error { return entry.TryWithEntry(nil) },
		"Contents":     func() error { _, err := entry.Direct().Contents(); return err },
	} {
		if err := take(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		wantCount(t, spool.Spool, "incoming", 1)
	}
	song := enqueueJob(t, spool, "half", 1)
	must(t, os.WriteFile(filepath.Join(spool.Dir(), ".data", song.Name()), []byte{1}, 0o600))
	_, err = song.Direct().DataFile().Load()
	wantError(t, err, ErrCorrupt)
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("test", "error", err.(*CodecError))
	for _, want := range []string{`error.op="decode data"`, `error.message="half a sample"`, "error.entry.name=" + song.Name()} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %s", want, &out)
		}
	}
}

func TestATypedHandlerWorksForAWorker(t *testing.T) {
	spool := newTyped(t)
	enqueueJob(t, spool, "song", 1)
	_, err := spool.Spool.Enqueue("incoming", []byte("not JSON"), nil)
	must(t, err)
	handled, failed := make(chan string, 1), make(chan error, 1)
	w, _ := worker(spool.Spool, spool.Handler(func(_ context.Context, checkout *song) (Outcome, error) {
		defer func() { handled <- checkout.Metadata().Title }()
		metadata := checkout.Metadata()
		metadata.Attempts = 1
		return checkout.SaveWith("done", metadata)
	}))
	w.Failed = func(_ *Checkout, err error) Outcome {
		failed <- err
		return Save("done")
	}
	end := running(t, w)
	if title := <-handled; title != "song" {
		t.Errorf("handled %q", title)
	}
	wantError(t, <-failed, ErrCorrupt)
	must(t, end())
	wantCount(t, spool.Spool, "done", 2)
}

func TestASpoolableNamesAndThrottlesWhatItOpens(t *testing.T) {
	c := &counting{places: make(chan struct{}, 1)}
	described := recordings
	described.Names, described.Throttle = numbered, c.throttle
	dir := filepath.Join(t.TempDir(), "spool")
	spool, err := described.Create(dir)
	must(t, err)
	defer spool.Close()
	if entry := enqueueJob(t, spool, "a song"); entry.Name() != "job-0" {
		t.Errorf("enqueued as %v", entry)
	}
	if c.passed.Load() == 0 {
		t.Error("nothing went through the throttle")
	}
	own := NameGeneratorFunc(func(int) string { return "own" })
	other, err := described.Load(dir, WithNameGenerator(own))
	must(t, err)
	defer other.Close()
	if entry := enqueueJob(t, other, "a song"); entry.Name() != "own" {
		t.Errorf("enqueued as %v", entry)
	}
	_, err = described.LoadUnsafe(filepath.Join(dir, "nothing"))
	must(t, err)
	_, err = described.Load(filepath.Join(dir, "nothing"))
	wantError(t, err, ErrMissing)
}

func TestDataThatIsEncodedAlreadyIsStreamed(t *testing.T) {
	spool := newTyped(t)
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte{0, 1, 0, 2}, 0o600))
	fromFile, err := spool.EnqueueFile("incoming", job{Title: "file"}, path)
	must(t, err)
	streamed, err := spool.EnqueueReader("incoming", job{Title: "stream"}, bytes.NewReader([]byte{0, 1, 0, 2}))
	must(t, err)
	for title, entry := range map[string]*TypedEntry[job, []uint16]{"file": fromFile, "stream": streamed} {
		metadata, err := entry.Direct().Contents()
		must(t, err)
		data, err := entry.Direct().DataFile().Load()
		must(t, err)
		if metadata.Title != title || !reflect.DeepEqual(data, []uint16{1, 2}) {
			t.Errorf("%s came back as %+v and %v", title, metadata, data)
		}
	}
}

func TestATypedEntryThatIsGoneIsNotFound(t *testing.T) {
	spool := newTyped(t)
	_, err := spool.Entry("other", "n")
	wantError(t, err, ErrUnknownQueue)
	entry, err := spool.Entry("incoming", "ghost")
	must(t, err)
	_, err = entry.Direct().Contents()
	wantError(t, err, ErrNotFound)
	_, err = entry.Direct().DataFile().Load()
	wantError(t, err, ErrNotFound)
	_, err = entry.TryCheckout()
	wantError(t, err, ErrNotFound)
	if fmt.Sprint(entry) != "incoming/ghost" {
		t.Errorf("prints as %v", entry)
	}
}
