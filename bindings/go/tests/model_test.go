package tests

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"multispool.dev/multispool"
	"pgregory.net/rapid"
)

// place is where an entry of the model is.
type place struct {
	queue    string
	metadata string
	data     string
}

// world is a spool, and what should be in it.
type world struct {
	spool   *multispool.Spool
	readers map[string]*multispool.Reader
	// waiting are the entries in the queues, held those in our hands, reserved the names without one.
	waiting  map[string]place
	held     map[string]place
	hands    map[string]*multispool.Checkout
	reserved map[string]bool
	// resting is what a reader gave back, and does not take again at once.
	resting map[string]bool
}

var queues = []string{"first", "second", "third"}

var fast = multispool.WithDurability(multispool.DurabilityNone)

func newWorld(t *rapid.T, dir string) *world {
	spool, err := multispool.Create(dir, queues, fast)
	must(t, err)
	w := &world{
		spool: spool, readers: map[string]*multispool.Reader{}, waiting: map[string]place{}, held: map[string]place{},
		hands: map[string]*multispool.Checkout{}, reserved: map[string]bool{}, resting: map[string]bool{},
	}
	for _, queue := range queues {
		w.readers[queue], err = spool.Reader(queue)
		must(t, err)
	}
	return w
}

func (w *world) close() {
	for _, checkout := range w.hands {
		checkout.Close()
	}
	for _, reader := range w.readers {
		reader.Close()
	}
	w.spool.Close()
}

type failer interface {
	Helper()
	Fatal(args ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// some draws one of the names, or skips the action if there is none.
func some[V any](t *rapid.T, from map[string]V, label string) string {
	if len(from) == 0 {
		t.Skip("none")
	}
	names := []string{}
	for name := range from {
		names = append(names, name)
	}
	slices.Sort(names)
	return rapid.SampledFrom(names).Draw(t, label)
}

func queue(t *rapid.T) string { return rapid.SampledFrom(queues).Draw(t, "queue") }

func content(t *rapid.T, label string) string {
	return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, label))
}

// take notes that an entry came into our hands, and compares what it is.
func (w *world) take(t *rapid.T, checkout *multispool.Checkout) {
	name := checkout.Name()
	want, ok := w.waiting[name]
	if !ok || want.queue != checkout.Queue() || want.metadata != string(checkout.Metadata()) {
		t.Fatalf("took %v with %q, want %+v", checkout, checkout.Metadata(), want)
	}
	data, err := checkout.DataFile().Load()
	must(t, err)
	if string(data) != want.data {
		t.Fatalf("the data of %v is %q, want %q", checkout, data, want.data)
	}
	delete(w.waiting, name)
	delete(w.resting, name)
	w.held[name], w.hands[name] = want, checkout
}

// drop notes that an entry left our hands, and closes the checkout.
func (w *world) drop(t *rapid.T, name string) {
	must(t, w.hands[name].Close())
	delete(w.hands, name)
	delete(w.held, name)
}

func (w *world) enqueued(t *rapid.T, entry *multispool.Entry, err error, p place) {
	must(t, err)
	if _, twice := w.waiting[entry.Name()]; twice || w.reserved[entry.Name()] {
		t.Fatalf("%v has a name that is in use", entry)
	}
	w.waiting[entry.Name()] = p
}

func (w *world) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"enqueue": func(t *rapid.T) {
			p := place{queue(t), content(t, "metadata"), content(t, "data")}
			entry, err := w.spool.Enqueue(p.queue, []byte(p.metadata), []byte(p.data))
			w.enqueued(t, entry, err, p)
		},
		"enqueue a stream": func(t *rapid.T) {
			p := place{queue(t), content(t, "metadata"), content(t, "data")}
			entry, err := w.spool.EnqueueReader(p.queue, []byte(p.metadata), bytes.NewReader([]byte(p.data)))
			w.enqueued(t, entry, err, p)
		},
		"throw away a writer": func(t *rapid.T) {
			writer, err := w.spool.EnqueueWriter(queue(t))
			must(t, err)
			_, err = writer.Write([]byte(content(t, "data")))
			must(t, err)
			must(t, writer.Close())
		},
		"reserve": func(t *rapid.T) {
			name := rapid.StringMatching("[a-c]{1,2}").Draw(t, "name")
			err := w.spool.ReserveName(name)
			_, waiting := w.waiting[name]
			_, held := w.held[name]
			if taken := waiting || held || w.reserved[name]; taken != errors.Is(err, multispool.ErrNameTaken) {
				t.Fatalf("reserve %q: %v, and in use is %v", name, err, taken)
			}
			if err == nil {
				w.reserved[name] = true
			}
		},
		"enqueue under a reserved name": func(t *rapid.T) {
			name := some(t, w.reserved, "name")
			p := place{queue(t), content(t, "metadata"), content(t, "data")}
			entry, err := w.spool.Enqueue(p.queue, []byte(p.metadata), []byte(p.data), multispool.WithName(name))
			delete(w.reserved, name)
			w.enqueued(t, entry, err, p)
			if entry.Name() != name {
				t.Fatalf("enqueued as %v, want %q", entry, name)
			}
		},
		"enqueue under a name in use": func(t *rapid.T) {
			name := some(t, w.waiting, "name")
			if _, err := w.spool.Enqueue(queue(t), nil, nil, multispool.WithName(name)); !errors.Is(err, multispool.ErrNameTaken) {
				t.Fatalf("enqueue under %q: %v", name, err)
			}
		},
		"take the next": func(t *rapid.T) {
			from := queue(t)
			checkout, err := w.readers[from].DequeueAvailable()
			if errors.Is(err, multispool.ErrEmpty) {
				for name, p := range w.waiting {
					if p.queue == from && !w.resting[name] {
						t.Fatalf("%q gives nothing, and %q is in it", from, name)
					}
				}
				return
			}
			must(t, err)
			w.take(t, checkout)
		},
		"take by name": func(t *rapid.T) {
			name := some(t, w.waiting, "name")
			entry, err := w.spool.Entry(w.waiting[name].queue, name)
			must(t, err)
			checkout, err := entry.TryCheckout()
			must(t, err)
			w.take(t, checkout)
		},
		"take what is not there": func(t *rapid.T) {
			name := some(t, w.held, "name")
			entry, err := w.spool.Entry(w.held[name].queue, name)
			must(t, err)
			if _, err := entry.TryCheckout(); !errors.Is(err, multispool.ErrNotFound) {
				t.Fatalf("%v is ours: %v", entry, err)
			}
		},
		"update": func(t *rapid.T) {
			name := some(t, w.held, "name")
			must(t, w.hands[name].SetMetadata([]byte(content(t, "metadata"))))
		},
		"save data": func(t *rapid.T) {
			name := some(t, w.held, "name")
			p := w.held[name]
			p.data = content(t, "data")
			must(t, w.hands[name].DataFile().Save([]byte(p.data)))
			w.held[name] = p
		},
		"save": func(t *rapid.T) {
			name := some(t, w.held, "name")
			p := w.held[name]
			p.queue, p.metadata = queue(t), string(w.hands[name].Metadata())
			must(t, w.hands[name].Save(p.queue))
			w.drop(t, name)
			w.waiting[name] = p
		},
		"give back": func(t *rapid.T) {
			name := some(t, w.held, "name")
			p := w.held[name]
			if rapid.Bool().Draw(t, "by Close") {
				must(t, w.hands[name].Release())
			}
			w.drop(t, name)
			w.waiting[name], w.resting[name] = p, true
		},
		"remove": func(t *rapid.T) {
			name := some(t, w.held, "name")
			must(t, w.hands[name].Remove())
			if err := w.hands[name].Save("first"); !errors.Is(err, multispool.ErrFinished) {
				t.Fatalf("save after remove: %v", err)
			}
			w.drop(t, name)
		},
		"remove directly": func(t *rapid.T) {
			name := some(t, w.waiting, "name")
			entry, err := w.spool.Entry(w.waiting[name].queue, name)
			must(t, err)
			must(t, entry.Direct().Remove())
			delete(w.waiting, name)
			delete(w.resting, name)
		},
		"recover": func(t *rapid.T) {
			entries, err := w.spool.Recover()
			must(t, err)
			if len(entries) != 0 {
				t.Fatalf("taken from a live owner: %v", entries)
			}
		},
		"": w.check,
	}
}

// sabotage is the environment variable that names what is done behind the model's back.
const sabotage = "MULTISPOOL_TEST_SABOTAGE"

// sabotages is what the model must notice.
var sabotages = map[string]func(w *world, name string) error{
	"lose an entry": func(w *world, name string) error {
		return os.Remove(filepath.Join(w.spool.Dir(), w.waiting[name].queue, name))
	},
	"swap metadata": func(w *world, name string) error {
		return os.WriteFile(filepath.Join(w.spool.Dir(), w.waiting[name].queue, name), []byte("something else, and more of it"), 0o600)
	},
	"swap data": func(w *world, name string) error {
		return os.WriteFile(filepath.Join(w.spool.Dir(), ".data", name), []byte("something else, and more of it"), 0o600)
	},
	"leave garbage": func(w *world, _ string) error {
		return os.WriteFile(filepath.Join(w.spool.Dir(), ".data", "stray"), nil, 0o600)
	},
}

func TestTheModelNoticesWhatGoesWrong(t *testing.T) {
	for name := range sabotages {
		t.Run(name, func(t *testing.T) {
			child := exec.Command("/proc/self/exe", "-test.run", "^TestASpoolDoesWhatTheModelDoes$", "-rapid.nofailfile", "-rapid.shrinktime=1ms")
			child.Env = append(os.Environ(), sabotage+"="+name)
			out, err := child.CombinedOutput()
			if err == nil || !bytes.Contains(out, []byte("--- FAIL: TestASpoolDoesWhatTheModelDoes")) {
				t.Errorf("not noticed (%v):\n%s", err, out)
			}
		})
	}
}

// check compares each queue with the model.
func (w *world) check(t *rapid.T) {
	for _, queue := range queues {
		var want, got []string
		for name, p := range w.waiting {
			if p.queue == queue {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		for entry, err := range w.spool.List(queue) {
			must(t, err)
			got = append(got, entry.Name())
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s has %q, want %q", queue, got, want)
		}
		stats, err := w.spool.Stats()
		must(t, err)
		held := 0
		for _, p := range w.held {
			if p.queue == queue {
				held++
			}
		}
		for _, s := range stats.Queues {
			if s.Queue == queue && (s.Entries != uint64(len(want)) || s.CheckedOutAlive != uint64(held) || s.CheckedOutDead != 0) {
				t.Fatalf("the stats are %+v, want %d entries, %d checked out", s, len(want), held)
			}
		}
	}
}

func TestASpoolDoesWhatTheModelDoes(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		w := newWorld(t, filepath.Join(base, strconv.Itoa(n)))
		defer w.close()
		actions := w.actions()
		if do := sabotages[os.Getenv(sabotage)]; do != nil {
			actions["sabotage"] = func(t *rapid.T) { must(t, do(w, some(t, w.waiting, "name"))) }
		}
		t.Repeat(actions)
		problems, err := w.spool.Problems(nil)
		must(t, err)
		if len(problems) != 0 {
			t.Fatalf("problems: %v", problems)
		}
	})
}
