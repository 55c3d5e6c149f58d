package multispool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func newSpool(t testing.TB, queues ...string) *Spool {
	t.Helper()
	if len(queues) == 0 {
		queues = []string{"incoming", "done"}
	}
	spool, err := Create(filepath.Join(t.TempDir(), "spool"), queues)
	must(t, err)
	t.Cleanup(func() { spool.Close() })
	return spool
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error is %v, want %v", err, target)
	}
}

func enqueue(t testing.TB, spool *Spool, queue, metadata, data string) *Entry {
	t.Helper()
	entry, err := spool.Enqueue(queue, []byte(metadata), []byte(data))
	must(t, err)
	return entry
}

func names(t testing.TB, spool *Spool, queue string) []string {
	t.Helper()
	found := []string{}
	for entry, err := range spool.List(queue) {
		must(t, err)
		found = append(found, entry.Name())
	}
	return found
}

func wantCount(t testing.TB, spool *Spool, queue string, want int) {
	t.Helper()
	if found := names(t, spool, queue); len(found) != want {
		t.Fatalf("%s has %d entries %q, want %d", queue, len(found), found, want)
	}
}

// listing is every file and directory below dir.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	var paths []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != dir {
			paths = append(paths, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	}))
	return paths
}

func TestCreateMakesASpoolThatLoadsAndIsDiscovered(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	created, err := Create(dir, []string{"incoming", "done"})
	must(t, err)
	defer created.Close()
	loaded, err := Load(dir, []string{"incoming"})
	must(t, err)
	defer loaded.Close()
	if loaded.Dir() != dir || loaded.String() != dir {
		t.Errorf("dir is %q and %q, want %q", loaded.Dir(), loaded, dir)
	}
	if got := loaded.Queues(); !reflect.DeepEqual(got, []string{"incoming"}) {
		t.Errorf("loaded with %q", got)
	}
	queues, err := Discover(dir)
	must(t, err)
	if !reflect.DeepEqual(queues, []string{"done", "incoming"}) {
		t.Errorf("discovered %q", queues)
	}
}

func TestCreateAgainAddsQueues(t *testing.T) {
	spool := newSpool(t, "a")
	again, err := Create(spool.Dir(), []string{"b"})
	must(t, err)
	defer again.Close()
	queues, err := Discover(spool.Dir())
	must(t, err)
	if !reflect.DeepEqual(queues, []string{"a", "b"}) {
		t.Errorf("discovered %q", queues)
	}
}

func TestLoadUnsafeLooksAtNothingBeforeFirstUse(t *testing.T) {
	spool, err := LoadUnsafe(filepath.Join(t.TempDir(), "nothing"), []string{"incoming"})
	must(t, err)
	defer spool.Close()
	if _, err := spool.Enqueue("incoming", nil, nil); !errors.Is(err, ErrMissing) {
		t.Errorf("enqueue into nothing: %v", err)
	}
}

func TestOptionsReachTheSpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	spool, err := Create(
		dir, []string{"incoming"},
		WithDurability(DurabilityNone), WithOwners(OwnersMixed), WithMode(ModeLocal), WithMaxConcurrent(2),
		WithFileMode(0o640), WithDirMode(0o750|fs.ModeSetgid), WithGroup(uint32(os.Getegid())),
	)
	must(t, err)
	defer spool.Close()
	level, err := spool.Durability()
	must(t, err)
	if level != DurabilityNone || level.String() != "none" {
		t.Errorf("durability is %v", level)
	}
	record, err := os.ReadFile(filepath.Join(dir, ".multispool", "format"))
	must(t, err)
	if !strings.Contains(string(record), "owners mixed") {
		t.Errorf("the record says %q", record)
	}
	info, err := os.Stat(filepath.Join(dir, "incoming"))
	must(t, err)
	if info.Mode() != 0o750|fs.ModeSetgid|fs.ModeDir {
		t.Errorf("queue directory has mode %v", info.Mode())
	}
	entry := enqueue(t, spool, "incoming", "m", "d")
	info, err = os.Stat(filepath.Join(dir, "incoming", entry.Name()))
	must(t, err)
	if info.Mode() != 0o640 {
		t.Errorf("metadata has mode %v", info.Mode())
	}
}

func TestReadOnlySpoolLooksAndRefusesToWrite(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	before := listing(t, spool.Dir())
	looking, err := Load(spool.Dir(), []string{"incoming", "done"}, WithReadOnly())
	must(t, err)
	defer looking.Close()
	if readOnly, err := looking.ReadOnly(); !readOnly || err != nil {
		t.Errorf("read only: %v, %v", readOnly, err)
	}
	if readOnly, err := spool.ReadOnly(); readOnly || err != nil {
		t.Errorf("the first handle is read only: %v, %v", readOnly, err)
	}
	seen, err := looking.Entry("incoming", entry.Name())
	must(t, err)
	metadata, err := seen.Direct().Contents()
	must(t, err)
	if string(metadata) != "m" {
		t.Errorf("metadata is %q", metadata)
	}
	_, err = looking.Enqueue("incoming", nil, nil)
	wantError(t, err, ErrPermission)
	wantError(t, err, fs.ErrPermission)
	_, err = seen.Checkout()
	wantError(t, err, ErrPermission)
	wantError(t, seen.Direct().Remove(), ErrPermission)
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("changed from %q to %q", before, after)
	}
}

func TestWorldWritableSpoolIsRefusedUnlessAsked(t *testing.T) {
	spool := newSpool(t)
	must(t, os.Chmod(spool.Dir(), 0o777))
	_, err := Load(spool.Dir(), []string{"incoming"})
	wantError(t, err, ErrPermission)
	loaded, err := Load(spool.Dir(), []string{"incoming"}, WithAllowWorldWritable())
	must(t, err)
	loaded.Close()
}

func TestEverySpoolCallAfterCloseIsErrClosed(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	must(t, spool.Close())
	must(t, spool.Close())
	calls := map[string]func() error{
		"Enqueue":       func() error { _, err := spool.Enqueue("incoming", nil, nil); return err },
		"EnqueueFile":   func() error { _, err := spool.EnqueueFile("incoming", nil, "/dev/null"); return err },
		"EnqueueReader": func() error { _, err := spool.EnqueueReader("incoming", nil, strings.NewReader("")); return err },
		"EnqueueWriter": func() error { _, err := spool.EnqueueWriter("incoming"); return err },
		"Reserve":       func() error { _, err := spool.Reserve(); return err },
		"ReserveName":   func() error { return spool.ReserveName("n") },
		"Entry":         func() error { _, err := spool.Entry("incoming", "n"); return err },
		"Reader":        func() error { _, err := spool.Reader("incoming"); return err },
		"Recover":       func() error { _, err := spool.Recover(); return err },
		"Repair":        func() error { _, err := spool.Repair(); return err },
		"Problems":      func() error { _, err := spool.Problems(nil); return err },
		"Stats":         func() error { _, err := spool.Stats(); return err },
		"Durability":    func() error { _, err := spool.Durability(); return err },
		"ReadOnly":      func() error { _, err := spool.ReadOnly(); return err },
		"Entry.Stat":    func() error { _, err := entry.Stat(); return err },
		"Checkout":      func() error { _, err := entry.Checkout(); return err },
		"TryCheckout":   func() error { _, err := entry.TryCheckout(); return err },
		"Contents":      func() error { _, err := entry.Direct().Contents(); return err },
		"Direct.Load":   func() error { _, err := entry.Direct().DataFile().Load(); return err },
		"List": func() error {
			var last error
			for _, err := range spool.List("incoming") {
				last = err
			}
			return last
		},
		"ListCheckoutsUnsafe": func() error {
			var last error
			for _, err := range spool.ListCheckoutsUnsafe("incoming") {
				last = err
			}
			return last
		},
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrClosed) || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClosingTheSpoolWhileItIsUsedIsSafe(t *testing.T) {
	spool := newSpool(t)
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				if _, err := spool.Enqueue("incoming", []byte("m"), []byte("d"), WithDurability(DurabilityNone)); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range spool.List("incoming") {
		break
	}
	must(t, spool.Close())
	for range 8 {
		wantError(t, <-failed, ErrClosed)
	}
}

func TestWhatASpoolMadeOutlivesIt(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "m", "d")
	reader, err := spool.Reader("incoming")
	must(t, err)
	must(t, spool.Close())
	checkout, err := reader.DequeueAvailable()
	must(t, err)
	must(t, reader.Close())
	must(t, checkout.Save("done"))
	must(t, checkout.Close())
	again, err := Load(spool.Dir(), []string{"done"})
	must(t, err)
	defer again.Close()
	wantCount(t, again, "done", 1)
}
