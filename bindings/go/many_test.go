package multispool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// items are so many, numbered.
func items(n int) []Item {
	all := make([]Item, n)
	for i := range all {
		all[i] = Item{Metadata: fmt.Append(nil, i), Data: bytes.Repeat([]byte("d"), i)}
	}
	return all
}

func TestEnqueueManyAddsEachItemInItsOrder(t *testing.T) {
	spool := newSpool(t)
	for _, n := range []int{0, 1, 600} { // more than a piece of the library's
		entries, err := spool.EnqueueMany("incoming", items(n))
		must(t, err)
		if len(entries) != n {
			t.Fatalf("%d entries of %d", len(entries), n)
		}
		for i, entry := range entries {
			metadata, err := entry.Direct().Contents()
			must(t, err)
			data, err := entry.Direct().DataFile().Load()
			must(t, err)
			if string(metadata) != fmt.Sprint(i) || len(data) != i {
				t.Errorf("item %d came back as %q and %d bytes", i, metadata, len(data))
			}
		}
	}
	wantCount(t, spool, "incoming", 601)
}

func TestAnItemThatFailsKeepsNoOtherBack(t *testing.T) {
	spool := newSpool(t)
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte("from a file"), 0o600))
	entries, err := spool.EnqueueMany("incoming", []Item{{File: path}, {File: path + ".gone"}, {File: "a\x00b"}, {Data: []byte("last")}})
	if len(entries) != 4 || entries[0] == nil || entries[1] != nil || entries[2] != nil || entries[3] == nil {
		t.Fatalf("entries are %v", entries)
	}
	wantError(t, err, os.ErrNotExist)
	wantError(t, err, ErrInvalidArgument)
	if text := err.Error(); !strings.Contains(text, "item 1: ") || !strings.Contains(text, "item 2: ") || strings.Contains(text, "item 3: ") {
		t.Errorf("the error is %q", text)
	}
	data, err := entries[0].Direct().DataFile().Load()
	must(t, err)
	if string(data) != "from a file" {
		t.Errorf("data is %q", data)
	}
	wantCount(t, spool, "incoming", 2)
	_, err = spool.EnqueueMany("other", items(2))
	wantError(t, err, ErrUnknownQueue)
	must(t, spool.ReserveName("one"))
	_, err = spool.EnqueueMany("incoming", items(2), WithName("one"))
	wantError(t, err, ErrInvalidArgument)
}

func TestEnqueueManyTakesNamesFromAGenerator(t *testing.T) {
	spool := newSpool(t)
	entries, err := spool.EnqueueMany("incoming", append(items(2), Item{File: "/dev/null"}), WithNameGenerator(numbered))
	must(t, err)
	for i, entry := range entries {
		if want := fmt.Sprintf("job-%d", i); entry.Name() != want {
			t.Errorf("item %d is %v, want %q", i, entry, want)
		}
	}
	entries, err = spool.EnqueueMany("incoming", []Item{{File: "/nothing"}, {}}, WithNameGenerator(numbered))
	wantError(t, err, os.ErrNotExist)
	if entries[0] != nil || entries[1] == nil {
		t.Errorf("entries are %v", entries)
	}
}

func TestDequeueManyTakesWhatIsThereAndWaitsForOne(t *testing.T) {
	spool := newSpool(t)
	reader := newReader(t, spool)
	_, err := reader.DequeueManyAvailable(10)
	wantError(t, err, ErrEmpty)
	_, err = reader.DequeueMany(limited(t), 0)
	wantError(t, err, ErrInvalidArgument)
	_, err = reader.DequeueManyAvailable(-1)
	wantError(t, err, ErrInvalidArgument)

	taken := make(chan []*Checkout)
	go func() {
		checkouts, err := reader.DequeueMany(limited(t), 10)
		if err != nil {
			t.Error(err)
		}
		taken <- checkouts
	}()
	awaitWaiting(t, 1)
	enqueue(t, spool, "incoming", "waited for", "d")
	first := <-taken
	if len(first) != 1 || string(first[0].Metadata()) != "waited for" {
		t.Fatalf("took %v", first)
	}
	must(t, RemoveMany(first))
	must(t, first[0].Close())

	_, err = spool.EnqueueMany("incoming", items(25))
	must(t, err)
	var sizes []int
	for range 3 {
		checkouts, err := reader.DequeueMany(limited(t), 10)
		must(t, err)
		sizes = append(sizes, len(checkouts))
		must(t, SaveMany(checkouts, "done"))
		for _, checkout := range checkouts {
			if !checkout.Finished() {
				t.Errorf("%v is not finished", checkout)
			}
			must(t, checkout.Close())
		}
	}
	if !reflect.DeepEqual(sizes, []int{10, 10, 5}) {
		t.Errorf("took %v", sizes)
	}
	wantCount(t, spool, "done", 25)
	wantCount(t, spool, "incoming", 0)
	ctx, cancel := context.WithCancel(limited(t))
	cancel()
	_, err = reader.DequeueMany(ctx, 1)
	wantError(t, err, context.Canceled)
	must(t, reader.Close())
	_, err = reader.DequeueMany(limited(t), 1)
	wantError(t, err, ErrClosed)
}

func TestOneThatCannotBeFinishedKeepsNoOtherBack(t *testing.T) {
	for name, finish := range map[string]func([]*Checkout) error{
		"SaveMany":   func(all []*Checkout) error { return SaveMany(all, "done") },
		"RemoveMany": func(all []*Checkout) error { return RemoveMany(all) },
	} {
		t.Run(name, func(t *testing.T) {
			spool := newSpool(t)
			entries, err := spool.EnqueueMany("incoming", items(4))
			must(t, err)
			var checkouts []*Checkout
			for _, entry := range entries {
				checkouts = append(checkouts, checkOut(t, entry))
			}
			for _, lost := range checkouts[1:3] {
				must(t, os.Rename(
					filepath.Join(spool.Dir(), "incoming", ".checkout", lost.Name()),
					filepath.Join(spool.Dir(), "incoming", lost.Name()),
				))
			}
			err = finish(checkouts)
			wantError(t, err, ErrLostOwnership)
			var told []string
			for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
				var e *Error
				if !errors.As(err, &e) || e.Status != StatusLostOwnership {
					t.Errorf("failure is %v", err)
				}
				told = append(told, e.Name)
			}
			if want := []string{checkouts[1].Name(), checkouts[2].Name()}; !reflect.DeepEqual(told, want) {
				t.Errorf("told of %q, want %q", told, want)
			}
			wantCount(t, spool, "incoming", 2)
			for i, checkout := range checkouts {
				if lost := i == 1 || i == 2; checkout.Finished() == lost {
					t.Errorf("%d is finished: %v", i, !lost)
				}
			}
		})
	}
}

func TestManyThatMakeNoSenseAreRefusedAndNothingIsDone(t *testing.T) {
	spool := newSpool(t)
	a, b := checkOut(t, enqueue(t, spool, "incoming", "a", "")), checkOut(t, enqueue(t, spool, "incoming", "b", ""))
	wantError(t, SaveMany([]*Checkout{a, b, a}, "done"), ErrInvalidArgument)
	wantError(t, SaveMany([]*Checkout{a, b}, "other"), ErrUnknownQueue)
	wantError(t, SaveMany([]*Checkout{a, b}, "a\x00"), ErrInvalidName)
	must(t, SaveMany([]*Checkout{}, "done"))
	must(t, RemoveMany[*Checkout](nil))
	must(t, b.Close())
	wantError(t, RemoveMany([]*Checkout{a, b}), ErrClosed)
	if a.Finished() {
		t.Error("finished by a call that was refused")
	}
	wantCount(t, spool, "incoming", 1)
}

func TestCallsThatShareCheckoutsTakeTurns(t *testing.T) {
	spool := newSpool(t)
	entries, err := spool.EnqueueMany("incoming", items(20))
	must(t, err)
	var checkouts, backwards []*Checkout
	for _, entry := range entries {
		checkout := checkOut(t, entry)
		checkouts, backwards = append(checkouts, checkout), append([]*Checkout{checkout}, backwards...)
	}
	var all sync.WaitGroup
	for _, some := range [][]*Checkout{checkouts, backwards, checkouts[5:], backwards[5:]} {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := SaveMany(some, "done"); err != nil && !errors.Is(err, ErrFinished) {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	wantCount(t, spool, "done", 20)
}

func TestManyTypedEntriesKeepTheirValues(t *testing.T) {
	spool := newTyped(t)
	entries, err := spool.EnqueueMany("incoming", []TypedItem[job, []uint16]{
		{job{Title: "first"}, []uint16{1}}, {job{Title: "loud"}, []uint16{0xffff}}, {job{Title: "last"}, nil},
	})
	wantError(t, err, errTooLoud)
	if entries[0] == nil || entries[1] != nil || entries[2] == nil || !strings.Contains(err.Error(), "item 1: ") {
		t.Fatalf("entries are %v: %v", entries, err)
	}
	_, err = spool.Spool.Enqueue("incoming", []byte("not JSON"), nil)
	must(t, err)
	reader, err := spool.Reader("incoming")
	must(t, err)
	defer reader.Close()
	checkouts, err := reader.DequeueMany(limited(t), 10)
	wantError(t, err, ErrCorrupt)
	if len(checkouts) != 2 || checkouts[0].Metadata().Title != "first" || checkouts[1].Metadata().Title != "last" {
		t.Fatalf("took %v", checkouts)
	}
	must(t, RemoveMany(checkouts))
	wantCount(t, spool.Spool, "incoming", 1)
	_, err = reader.DequeueManyAvailable(10)
	wantError(t, err, ErrEmpty)
}
