package multispool

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// counting is a throttle that counts what passes, and how much of it at once at most.
type counting struct {
	places      chan struct{}
	passed      atomic.Int64
	now, mostly atomic.Int64
}

func (c *counting) throttle(operation func()) {
	c.places <- struct{}{}
	defer func() { <-c.places }()
	c.passed.Add(1)
	now := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.mostly.Load(); now > most && !c.mostly.CompareAndSwap(most, now); most = c.mostly.Load() {
	}
	operation()
}

// throttledSpool is a spool whose throttle has so many places.
func throttledSpool(t *testing.T, places int) (*Spool, *counting) {
	t.Helper()
	c := &counting{places: make(chan struct{}, places)}
	spool, err := Create(newSpool(t).Dir(), []string{"incoming", "done"}, WithThrottle(c.throttle))
	must(t, err)
	t.Cleanup(func() { spool.Close() })
	return spool, c
}

func TestAllThatTouchesTheDiskGoesThroughTheThrottle(t *testing.T) {
	spool, c := throttledSpool(t, 1)
	entry := enqueue(t, spool, "incoming", "m", "data")
	var checkout *Checkout
	var reader *Reader
	var writer *DataWriter
	var making *EnqueueWriter
	var data io.ReadSeekCloser
	var err error
	for _, step := range []struct {
		name string
		want int64
		call func() error
	}{
		{"Enqueue", 1, func() error { _, err = spool.Enqueue("incoming", nil, nil); return err }},
		{"EnqueueWriter", 1, func() error { making, err = spool.EnqueueWriter("incoming"); return err }},
		{"EnqueueWriter.Write", 1, func() error { _, err = making.Write([]byte("d")); return err }},
		{"EnqueueWriter.Commit", 1, func() error { _, err = making.Commit(nil); return err }},
		{"Reserve", 1, func() error { _, err = spool.Reserve(); return err }},
		{"Entry", 0, func() error { _, err = spool.Entry("incoming", "n"); return err }},
		{"Entry.Stat", 1, func() error { _, err = entry.Stat(); return err }},
		{"Direct.Contents", 1, func() error { _, err = entry.Direct().Contents(); return err }},
		{"Direct.Save", 1, func() error { return entry.Direct().Save([]byte("m")) }},
		{"Stats", 1, func() error { _, err = spool.Stats(); return err }},
		{"Problems", 1, func() error { _, err = spool.Problems(nil); return err }},
		{"Recover", 2, func() error { _, err = spool.Recover(); return err }}, // and that there is no more
		{"Durability", 0, func() error { _, err = spool.Durability(); return err }},
		{"Reader", 1, func() error { reader, err = spool.Reader("incoming"); return err }},
		{"DequeueAvailable", 1, func() error { checkout, err = reader.DequeueAvailable(); return err }},
		{"SetMetadata", 0, func() error { return checkout.SetMetadata([]byte("new")) }},
		{"Data", 1, func() error { data, err = checkout.Data(); return err }},
		{"Data.Read", 1, func() error { _, err = data.Read(make([]byte, 2)); return err }},
		{"Data.Seek", 0, func() error { _, err = data.Seek(0, io.SeekStart); return err }},
		{"Data.Close", 0, func() error { return data.Close() }},
		{"DataFile.Load", 1, func() error { _, err = checkout.DataFile().Load(); return err }},
		{"DataFile.Save", 1, func() error { return checkout.DataFile().Save([]byte("d")) }},
		{"DataWriter", 1, func() error { writer, err = checkout.DataWriter(); return err }},
		{"DataWriter.Write", 1, func() error { _, err = writer.Write([]byte("d")); return err }},
		{"DataWriter.Commit", 1, func() error { return writer.Commit() }},
		{"Save", 1, func() error { return checkout.Save("done") }},
		{"Close after Save", 0, func() error { return checkout.Close() }},
		{"another DequeueAvailable", 1, func() error { checkout, err = reader.DequeueAvailable(); return err }},
		{"Close of an unfinished checkout", 1, func() error { return checkout.Close() }},
		{"Direct.Remove", 1, func() error { e, _ := spool.Entry("done", entry.Name()); return e.Direct().Remove() }},
	} {
		before := c.passed.Load()
		if err := step.call(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if passed := c.passed.Load() - before; passed != step.want {
			t.Errorf("%s: %d operations passed, want %d", step.name, passed, step.want)
		}
	}
	if _, err := Load(spool.Dir(), []string{"incoming"}, WithThrottle(func(func()) {})); err == nil ||
		!strings.Contains(err.Error(), "throttle") {
		t.Errorf("a throttle that does not call: %v", err)
	}
}

func TestAThrottleDecidesHowMuchGoesOnAtOnce(t *testing.T) {
	const places = 3
	spool, c := throttledSpool(t, places)
	var all sync.WaitGroup
	for range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				if _, err := spool.Enqueue("incoming", nil, nil, WithDurability(DurabilityNone)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	if most := c.mostly.Load(); most > places {
		t.Errorf("%d at once, of %d places", most, places)
	}
	wantCount(t, spool, "incoming", 16*20)
}

func TestWhoWaitsForAnEntryHoldsNoPlace(t *testing.T) {
	spool, _ := throttledSpool(t, 1)
	taken := make(chan error)
	for range 4 {
		reader := newReader(t, spool)
		go func() {
			checkout, err := reader.Dequeue(limited(t))
			if err == nil {
				err = checkout.Remove()
				checkout.Close()
			}
			taken <- err
		}()
	}
	awaitWaiting(t, 4)
	for range 4 {
		enqueue(t, spool, "incoming", "m", "d")
		must(t, <-taken)
	}
}

func TestAThrottleThatDoesNotCallTouchesNothing(t *testing.T) {
	open := true
	spool, err := Create(newSpool(t).Dir(), []string{"incoming", "done"}, WithThrottle(func(operation func()) {
		if open {
			operation()
			operation() // the second is not done again
		}
	}))
	must(t, err)
	defer spool.Close()
	enqueue(t, spool, "incoming", "m", "d")
	wantCount(t, spool, "incoming", 1)
	open = false
	_, err = spool.Enqueue("incoming", nil, nil)
	wantError(t, err, ErrInvalidArgument)
	open = true
	wantCount(t, spool, "incoming", 1)
}
