package multispool

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
)

func checkOut(t testing.TB, entry *Entry, options ...CheckoutOption) *Checkout {
	t.Helper()
	checkout, err := entry.Checkout(options...)
	must(t, err)
	t.Cleanup(func() { checkout.Close() })
	return checkout
}

func contents(t testing.TB, spool *Spool, queue, name string) string {
	t.Helper()
	entry, err := spool.Entry(queue, name)
	must(t, err)
	metadata, err := entry.Direct().Contents()
	must(t, err)
	return string(metadata)
}

func TestCheckoutTakesTheEntryFromEveryoneElse(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	checkout := checkOut(t, entry)
	if checkout.Name() != entry.Name() || checkout.Queue() != "incoming" || checkout.String() != entry.String() || checkout.Spool() != spool {
		t.Errorf("took %v, want %v", checkout, entry)
	}
	if string(checkout.Metadata()) != "m" || checkout.Finished() {
		t.Errorf("metadata %q, finished %v", checkout.Metadata(), checkout.Finished())
	}
	_, err := entry.Checkout()
	wantError(t, err, ErrMissing)
	wantError(t, err, os.ErrNotExist)
	_, err = entry.TryCheckout()
	wantError(t, err, ErrNotFound)
	wantError(t, err, os.ErrNotExist)
	wantCount(t, spool, "incoming", 0)
}

func TestSaveMovesTheEntryWithItsNewMetadata(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	must(t, checkout.Update(func(metadata []byte) []byte { return append(metadata, " and more"...) }))
	if string(checkout.Metadata()) != "m and more" {
		t.Errorf("metadata is %q", checkout.Metadata())
	}
	must(t, checkout.Save("done"))
	if got := contents(t, spool, "done", checkout.Name()); got != "m and more" {
		t.Errorf("saved %q", got)
	}
	wantCount(t, spool, "incoming", 0)
}

func TestMetadataIsACopy(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	checkout.Metadata()[0] = 'x'
	own := []byte("own")
	must(t, checkout.SetMetadata(own))
	own[0] = 'x'
	if string(checkout.Metadata()) != "own" {
		t.Errorf("metadata is %q", checkout.Metadata())
	}
}

func TestReleaseDropsTheNewMetadata(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	must(t, checkout.SetMetadata([]byte("other")))
	must(t, checkout.Release())
	if got := contents(t, spool, "incoming", checkout.Name()); got != "m" {
		t.Errorf("metadata is %q", got)
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	spool := newSpool(t)
	before := listing(t, spool.Dir())
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	must(t, checkout.Remove())
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
}

func TestCloseOfAnUnfinishedCheckoutReleases(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	must(t, checkout.SetMetadata([]byte("other")))
	must(t, checkout.Close())
	must(t, checkout.Close())
	if got := contents(t, spool, "incoming", checkout.Name()); got != "m" {
		t.Errorf("metadata is %q", got)
	}
}

func TestCloseOfAFinishedCheckoutChangesNothing(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	must(t, checkout.Save("done"))
	must(t, checkout.Close())
	wantCount(t, spool, "done", 1)
	wantCount(t, spool, "incoming", 0)
}

func TestAFinishedCheckoutIsErrFinishedAndAClosedOneErrClosed(t *testing.T) {
	finish := map[string]func(*Checkout) error{
		"Save":    func(c *Checkout) error { return c.Save("done") },
		"Remove":  func(c *Checkout) error { return c.Remove() },
		"Release": func(c *Checkout) error { return c.Release() },
	}
	later := map[string]func(*Checkout) error{
		"Finish": func(c *Checkout) error { return c.Finish(Remove()) },
		"Update": func(c *Checkout) error { return c.Update(func(m []byte) []byte { return m }) },
	}
	for name, call := range finish {
		later[name] = call
	}
	for name, call := range finish {
		t.Run(name, func(t *testing.T) {
			spool := newSpool(t)
			checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
			must(t, call(checkout))
			if !checkout.Finished() {
				t.Error("not finished")
			}
			for again, call := range later {
				if err := call(checkout); !errors.Is(err, ErrFinished) {
					t.Errorf("%s after %s: %v", again, name, err)
				}
			}
			must(t, checkout.Close())
			for again, call := range later {
				if err := call(checkout); !errors.Is(err, ErrClosed) {
					t.Errorf("%s after Close: %v", again, err)
				}
			}
			_, err := checkout.Data()
			wantError(t, err, ErrClosed)
			if string(checkout.Metadata()) != "m" || !checkout.Finished() {
				t.Errorf("after Close: %q, finished %v", checkout.Metadata(), checkout.Finished())
			}
		})
	}
}

func TestOutcomesAreValues(t *testing.T) {
	cases := map[string]struct {
		outcome  Outcome
		queue    string
		metadata string
	}{
		"save to done": {Save("done"), "done", "updated"},
		"save with":    {SaveWith("done", []byte("given")), "done", "given"},
		"release":      {Release(), "incoming", "m"},
		"zero":         {Outcome{}, "incoming", "m"},
		"remove":       {Remove(), "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spool := newSpool(t)
			entry := enqueue(t, spool, "incoming", "m", "d")
			must(t, entry.WithEntry(func(checkout *Checkout) (Outcome, error) {
				must(t, checkout.SetMetadata([]byte("updated")))
				return c.outcome, nil
			}))
			if c.queue == "" {
				wantCount(t, spool, "incoming", 0)
				wantCount(t, spool, "done", 0)
				return
			}
			if got := contents(t, spool, c.queue, entry.Name()); got != c.metadata {
				t.Errorf("metadata is %q, want %q", got, c.metadata)
			}
		})
	}
	for outcome, want := range map[string]string{Save("q").String(): "save to q", Remove().String(): "remove", Release().String(): "release"} {
		if outcome != want {
			t.Errorf("%q, want %q", outcome, want)
		}
	}
}

func TestWithEntryThatFailsReleasesAndPassesTheFailureOn(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	broken := errors.New("handler broken")
	if err := entry.WithEntry(func(*Checkout) (Outcome, error) { return Remove(), broken }); err != broken {
		t.Errorf("error is %v", err)
	}
	wantCount(t, spool, "incoming", 1)
	wantError(t, entry.WithEntry(func(*Checkout) (Outcome, error) { return Save("other"), nil }), ErrUnknownQueue)
	wantCount(t, spool, "incoming", 1)
	func() {
		defer func() {
			if recover() != "handler panicked" {
				t.Error("the panic was swallowed")
			}
		}()
		_ = entry.TryWithEntry(func(*Checkout) (Outcome, error) { panic("handler panicked") })
	}()
	wantCount(t, spool, "incoming", 1)
}

func TestWithEntryMayFinishTheCheckoutItself(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	must(t, entry.WithEntry(func(checkout *Checkout) (Outcome, error) {
		return Outcome{}, checkout.Save("done", WithDurability(DurabilityNone))
	}))
	wantCount(t, spool, "done", 1)
}

func TestAnEntryThatIsGoneIsMissingOrNotFound(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	must(t, entry.Direct().Remove())
	never := func(*Checkout) (Outcome, error) {
		t.Error("called")
		return Outcome{}, nil
	}
	wantError(t, entry.WithEntry(never), ErrMissing)
	wantError(t, entry.TryWithEntry(never), ErrNotFound)
	_, err := entry.Checkout()
	wantError(t, err, ErrMissing)
	_, err = entry.TryCheckout()
	wantError(t, err, ErrNotFound)
	_, err = entry.Stat()
	wantError(t, err, ErrNotFound)
	_, err = entry.Direct().Contents()
	wantError(t, err, ErrNotFound)
	wantError(t, entry.Direct().Remove(), ErrNotFound)
}

func TestOwnershipThatIsLostIsToldAndNothingTouched(t *testing.T) {
	for name, finish := range map[string]func(*Checkout) error{
		"Save":    func(c *Checkout) error { return c.Save("done") },
		"Remove":  func(c *Checkout) error { return c.Remove() },
		"Release": func(c *Checkout) error { return c.Release() },
	} {
		t.Run(name, func(t *testing.T) {
			spool := newSpool(t)
			checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
			must(t, os.Rename(
				filepath.Join(spool.Dir(), "incoming", ".checkout", checkout.Name()),
				filepath.Join(spool.Dir(), "incoming", checkout.Name()),
			))
			wantError(t, finish(checkout), ErrLostOwnership)
			wantCount(t, spool, "incoming", 1)
			wantCount(t, spool, "done", 0)
		})
	}
}

func TestDurabilityIsChosenPerCall(t *testing.T) {
	spool := newSpool(t)
	for _, level := range []Durability{DurabilityNone, DurabilityOriginal, DurabilityFull} {
		entry, err := spool.Enqueue("incoming", []byte("m"), []byte("d"), WithDurability(level))
		must(t, err)
		must(t, checkOut(t, entry, WithDurability(level)).Release())
		must(t, checkOut(t, entry).Save("incoming", WithDurability(level)))
		must(t, checkOut(t, entry).Remove(WithDurability(level)))
	}
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	wantError(t, checkout.Save("done", WithDurability(9)), ErrInvalidArgument)
	wantError(t, checkout.Remove(WithDurability(9)), ErrInvalidArgument)
	if checkout.Finished() {
		t.Error("finished by a call that failed")
	}
}

func TestListCheckoutsUnsafeShowsWhatOthersHoldAndGivesNothingBack(t *testing.T) {
	spool := newSpool(t)
	held := checkOut(t, enqueue(t, spool, "incoming", "m1", "d"))
	other := checkOut(t, enqueue(t, spool, "incoming", "m2", "d"))
	enqueue(t, spool, "incoming", "not taken", "d")
	var found []string
	for checkout, err := range spool.ListCheckoutsUnsafe("incoming") {
		must(t, err)
		found = append(found, string(checkout.Metadata()))
		must(t, checkout.Close())
	}
	if !reflect.DeepEqual(found, []string{"m1", "m2"}) {
		t.Errorf("found %q", found)
	}
	wantCount(t, spool, "incoming", 1)
	must(t, held.Save("done"))
	for checkout, err := range spool.ListCheckoutsUnsafe("incoming") {
		must(t, err)
		must(t, checkout.Remove())
		must(t, checkout.Close())
	}
	wantError(t, other.Save("done"), ErrLostOwnership)
}

func TestGoroutinesThatUseOneCheckoutTakeTurnsAndOneFinishesIt(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "d"))
	var all sync.WaitGroup
	results := make([]error, 16)
	for i := range results {
		all.Add(1)
		go func() {
			defer all.Done()
			_ = checkout.SetMetadata([]byte("new"))
			_ = checkout.Metadata()
			_, _ = checkout.DataPath()
			switch i % 3 {
			case 0:
				results[i] = checkout.Save("done")
			case 1:
				results[i] = checkout.Release()
			default:
				results[i] = checkout.Close()
			}
		}()
	}
	all.Wait()
	for _, err := range results {
		if err != nil && !errors.Is(err, ErrFinished) && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if n := len(names(t, spool, "done")) + len(names(t, spool, "incoming")); n != 1 {
		t.Errorf("%d entries of one", n)
	}
}

func TestACheckoutThatIsCollectedStaysCheckedOutUntilRecover(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	func() {
		_, err := entry.Checkout()
		must(t, err)
	}()
	wantCount(t, spool, "incoming", 0)
	var returned []*Entry
	for range 1000 {
		runtime.GC()
		var err error
		returned, err = spool.Recover()
		must(t, err)
		if len(returned) > 0 {
			break
		}
		runtime.Gosched()
	}
	if !slices.ContainsFunc(returned, func(e *Entry) bool { return e.Name() == entry.Name() }) {
		t.Fatalf("recovered %v", returned)
	}
	wantCount(t, spool, "incoming", 1)
}
