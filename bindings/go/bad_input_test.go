package multispool

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLoadRefusesWhatIsNoUsableSpool(t *testing.T) {
	cases := map[string]struct {
		prepare func(t *testing.T, dir string)
		want    error
	}{
		"missing": {func(*testing.T, string) {}, ErrMissing},
		"a file in its place": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(dir, []byte("not a directory"), 0o600))
		}, ErrNotASpool},
		"an empty directory": {func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
		}, ErrNotASpool},
		"another directory": {func(t *testing.T, dir string) {
			must(t, os.MkdirAll(filepath.Join(dir, "something"), 0o700))
		}, ErrNotASpool},
		"half made": {func(t *testing.T, dir string) {
			must(t, os.MkdirAll(filepath.Join(dir, ".multispool"), 0o700))
			must(t, os.MkdirAll(filepath.Join(dir, ".registry"), 0o700))
		}, ErrNotASpool},
		"without data directory": {func(t *testing.T, dir string) {
			create(t, dir)
			must(t, os.Remove(filepath.Join(dir, ".data")))
		}, ErrMissing},
		"without queue directory": {func(t *testing.T, dir string) {
			create(t, dir)
			must(t, os.RemoveAll(filepath.Join(dir, "incoming")))
		}, ErrMissing},
		"without checkout directory": {func(t *testing.T, dir string) {
			create(t, dir)
			must(t, os.Remove(filepath.Join(dir, "incoming", ".checkout")))
		}, ErrMissing},
		"with an unknown need": {func(t *testing.T, dir string) {
			create(t, dir)
			record := filepath.Join(dir, ".multispool", "format")
			must(t, os.WriteFile(record, []byte("multispool 1\nmode local\nowners locking\nneeds antigravity\n"), 0o600))
		}, ErrUnsupported},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "spool")
			c.prepare(t, dir)
			var before []string
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				before = listing(t, dir)
			}
			spool, err := Load(dir, []string{"incoming"})
			wantError(t, err, c.want)
			if spool != nil {
				t.Error("a spool came back with the error")
			}
			if !strings.Contains(err.Error(), dir) {
				t.Errorf("the path is not in %q", err)
			}
			if name == "missing" {
				wantError(t, err, fs.ErrNotExist)
			}
			if name == "with an unknown need" && !strings.Contains(err.Error(), "antigravity") {
				t.Errorf("the word is not in %q", err)
			}
			if before != nil {
				if after := listing(t, dir); !reflect.DeepEqual(before, after) {
					t.Errorf("changed from %q to %q", before, after)
				}
			}
		})
	}
}

func create(t *testing.T, dir string) {
	t.Helper()
	spool, err := Create(dir, []string{"incoming"})
	must(t, err)
	must(t, spool.Close())
}

func TestCreateRefusesADirectoryWithSomethingElse(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("precious"), 0o600))
	_, err := Create(dir, []string{"incoming"})
	wantError(t, err, ErrNotEmpty)
	if after := listing(t, dir); !reflect.DeepEqual(after, []string{"thesis.txt"}) {
		t.Errorf("now there is %q", after)
	}
}

func TestCreateFinishesAHalfMadeSpool(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, ".multispool"), 0o700))
	must(t, os.Mkdir(filepath.Join(dir, ".registry"), 0o700))
	spool, err := Create(dir, []string{"incoming"})
	must(t, err)
	defer spool.Close()
	enqueue(t, spool, "incoming", "m", "d")
}

func TestDiscoverRefusesWhatIsNoSpool(t *testing.T) {
	_, err := Discover(filepath.Join(t.TempDir(), "nothing"))
	wantError(t, err, ErrMissing)
	_, err = Discover(t.TempDir())
	wantError(t, err, ErrNotASpool)
	_, err = Discover("a\x00b")
	wantError(t, err, ErrInvalidArgument)
}

func TestImpossibleNamesAreRefusedBeforeTheDiskIsTouched(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	for _, name := range []string{"", ".", "..", "a/b", "/", ".hidden", strings.Repeat("x", 245), "a\x00b"} {
		wantError(t, spool.ReserveName(name), ErrInvalidName)
		_, err := spool.Enqueue("incoming", nil, nil, WithName(name))
		wantError(t, err, ErrInvalidName)
		_, err = spool.EnqueueWriter("incoming", WithName(name))
		wantError(t, err, ErrInvalidName)
		_, err = Create(filepath.Join(t.TempDir(), "spool"), []string{name})
		wantError(t, err, ErrInvalidName)
		_, err = Load(spool.Dir(), []string{"incoming", name})
		wantError(t, err, ErrInvalidName)
		if len(name) != 245 { // what is found on disk may have up to 255 bytes
			_, err = spool.Entry("incoming", name)
			wantError(t, err, ErrInvalidName)
		}
	}
	_, err := spool.Entry("incoming", strings.Repeat("x", 256))
	wantError(t, err, ErrInvalidName)
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("changed from %q to %q", before, after)
	}
}

func TestUnknownQueuesAreRefusedEverywhere(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	_, err := spool.Enqueue("other", nil, nil)
	wantError(t, err, ErrUnknownQueue)
	_, err = spool.EnqueueReader("other", nil, strings.NewReader(""))
	wantError(t, err, ErrUnknownQueue)
	_, err = spool.EnqueueFile("other", nil, "/dev/null")
	wantError(t, err, ErrUnknownQueue)
	_, err = spool.Reader("other")
	wantError(t, err, ErrUnknownQueue)
	_, err = spool.Entry("other", "name")
	wantError(t, err, ErrUnknownQueue)
	for _, err := range spool.List("other") {
		wantError(t, err, ErrUnknownQueue)
	}
	for _, err := range spool.ListCheckoutsUnsafe("other") {
		wantError(t, err, ErrUnknownQueue)
	}
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("changed from %q to %q", before, after)
	}
	checkout, err := enqueue(t, spool, "incoming", "m", "d").Checkout()
	must(t, err)
	defer checkout.Close()
	wantError(t, checkout.Save("other"), ErrUnknownQueue)
	must(t, checkout.Save("done"))
}

func TestQueueNamesWithNULAreNotCutShort(t *testing.T) {
	spool := newSpool(t)
	queue := "incoming\x00rest"
	_, err := spool.Enqueue(queue, nil, nil)
	wantError(t, err, ErrInvalidName)
	_, err = spool.Reader(queue)
	wantError(t, err, ErrInvalidName)
	for _, err := range spool.List(queue) {
		wantError(t, err, ErrInvalidName)
	}
	for _, err := range spool.ListCheckoutsUnsafe(queue) {
		wantError(t, err, ErrInvalidName)
	}
	checkout, err := enqueue(t, spool, "incoming", "m", "d").Checkout()
	must(t, err)
	defer checkout.Close()
	wantError(t, checkout.Save(queue), ErrInvalidName)
	_, err = Load(spool.Dir()+"\x00", []string{"incoming"})
	wantError(t, err, ErrInvalidArgument)
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	spool := newSpool(t)
	_, err := Load(spool.Dir(), []string{"incoming"}, WithDurability(7))
	wantError(t, err, ErrInvalidArgument)
	_, err = Load(spool.Dir(), []string{"incoming"}, WithOwners(7))
	wantError(t, err, ErrInvalidArgument)
	_, err = Load(spool.Dir(), []string{"incoming"}, WithMode(7))
	wantError(t, err, ErrInvalidArgument)
	_, err = spool.Enqueue("incoming", nil, nil, WithDurability(-1))
	wantError(t, err, ErrInvalidArgument)
	_, err = spool.Reader("incoming", WithRetryAfter(-1e9, 1e9))
	wantError(t, err, ErrInvalidArgument)
	_, err = spool.Recover(WithMinAge(-1e9))
	wantError(t, err, ErrInvalidArgument)
	wantCount(t, spool, "incoming", 0)
}
