package multispool

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestListIsSortedAndCanBeLeft(t *testing.T) {
	spool := newSpool(t)
	for i := range 20 {
		name := fmt.Sprintf("n%02d", 19-i)
		must(t, spool.ReserveName(name))
		_, err := spool.Enqueue("incoming", nil, nil, WithName(name), WithDurability(DurabilityNone))
		must(t, err)
	}
	found := names(t, spool, "incoming")
	if len(found) != 20 || !slices.IsSorted(found) {
		t.Errorf("listed %q", found)
	}
	for range spool.List("incoming") {
		break
	}
	list := spool.List("incoming")
	for range 2 {
		n := 0
		for _, err := range list {
			must(t, err)
			n++
		}
		if n != 20 {
			t.Errorf("listed %d", n)
		}
	}
}

func TestListEndsWithErrClosedWhenTheSpoolIsClosedMeanwhile(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "", "")
	enqueue(t, spool, "incoming", "", "")
	var last error
	n := 0
	for _, err := range spool.List("incoming") {
		n++
		last = err
		must(t, spool.Close())
	}
	if n != 2 {
		t.Errorf("went round %d times", n)
	}
	wantError(t, last, ErrClosed)
}

func TestEntryIsNamedWithoutLookingAtTheDisk(t *testing.T) {
	spool := newSpool(t)
	entry, err := spool.Entry("incoming", "ghost")
	must(t, err)
	_, err = entry.Stat()
	wantError(t, err, ErrNotFound)
}

func TestStatIsOfTheRegistryFile(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "metadata", "data")
	when := time.Unix(1_000_000_000, 123_000_000)
	must(t, os.Chtimes(filepath.Join(spool.Dir(), ".registry", entry.Name()), when, when))
	stat, err := entry.Stat()
	must(t, err)
	if !stat.Modified.Equal(when) || stat.Size != 0 || stat.Changed.Before(when) {
		t.Errorf("stat is %+v", stat)
	}
}

func TestDirectWorksWithoutOwnership(t *testing.T) {
	spool := newSpool(t)
	empty := listing(t, spool.Dir())
	entry := enqueue(t, spool, "incoming", "m", "d")
	direct := entry.Direct()
	must(t, direct.Save([]byte("other")))
	metadata, err := direct.Contents()
	must(t, err)
	if string(metadata) != "other" {
		t.Errorf("metadata is %q", metadata)
	}
	must(t, direct.DataFile().Save([]byte("other data")))
	data, err := direct.DataFile().Load()
	must(t, err)
	if string(data) != "other data" {
		t.Errorf("data is %q", data)
	}
	must(t, direct.Remove())
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(empty, after) {
		t.Errorf("left behind: %q", after)
	}
}

func TestStatsCountWhatIsThere(t *testing.T) {
	spool := newSpool(t)
	enqueue(t, spool, "incoming", "four", "sixsix")
	enqueue(t, spool, "incoming", "", "")
	checkOut(t, enqueue(t, spool, "done", "m", "d"))
	stats, err := spool.Stats()
	must(t, err)
	if len(stats.Queues) != 2 || stats.Queues[0].Queue != "done" || stats.Queues[1].Queue != "incoming" {
		t.Fatalf("queues are %+v", stats.Queues)
	}
	done, incoming := stats.Queues[0], stats.Queues[1]
	if incoming.Entries != 2 || incoming.CheckedOutAlive != 0 || incoming.OldestAge < 0 || incoming.DataBytes != -1 || incoming.MetadataBytes != -1 {
		t.Errorf("incoming is %+v", incoming)
	}
	if done.Entries != 0 || done.CheckedOutAlive != 1 || done.CheckedOutDead != 0 || done.OldestAge >= 0 {
		t.Errorf("done is %+v", done)
	}
	if stats.FreeBytes == 0 || stats.FreeInodes < -1 {
		t.Errorf("disk is %+v", stats)
	}
	stats, err = spool.Stats(WithBytes())
	must(t, err)
	if incoming := stats.Queues[1]; incoming.MetadataBytes != 4 || incoming.DataBytes != 6 {
		t.Errorf("incoming is %+v", incoming)
	}
}
