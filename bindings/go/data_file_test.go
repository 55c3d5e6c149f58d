package multispool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/iotest"
	"time"
)

func TestDataIsReadAsAStream(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "0123456789"))
	data, err := checkout.Data()
	must(t, err)
	defer data.Close()
	if err := iotest.TestReader(data, []byte("0123456789")); err != nil {
		t.Error(err)
	}
}

func TestCommittedDataTakesThePlaceOfTheOld(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "old"))
	old, err := checkout.Data()
	must(t, err)
	defer old.Close()
	writer, err := checkout.DataWriter()
	must(t, err)
	defer writer.Close()
	_, err = fmt.Fprintf(writer, "%s and %s", "new", "newer")
	must(t, err)
	before, err := checkout.DataFile().Load()
	must(t, err)
	if string(before) != "old" {
		t.Errorf("before the commit: %q", before)
	}
	must(t, writer.Commit())
	after, err := checkout.DataFile().Load()
	must(t, err)
	if string(after) != "new and newer" {
		t.Errorf("after the commit: %q", after)
	}
	still, err := io.ReadAll(old)
	must(t, err)
	if string(still) != "old" {
		t.Errorf("a reader from before sees %q", still)
	}
	wantError(t, writer.Commit(), ErrFinished)
	must(t, writer.Close())
	must(t, writer.Close())
	wantError(t, writer.Commit(), ErrClosed)
	_, err = writer.Write([]byte("more"))
	wantError(t, err, ErrClosed)
}

func TestDataThatIsNotCommittedIsThrownAway(t *testing.T) {
	spool := newSpool(t)
	checkout := checkOut(t, enqueue(t, spool, "incoming", "m", "old"))
	before := listing(t, spool.Dir())
	writer, err := checkout.DataWriter()
	must(t, err)
	_, err = writer.Write([]byte("in vain"))
	must(t, err)
	must(t, writer.Close())
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Errorf("left behind: %q", after)
	}
	data, err := checkout.DataFile().Load()
	must(t, err)
	if string(data) != "old" {
		t.Errorf("data is %q", data)
	}
}

func TestDataHasAPathASizeAndAWholeSave(t *testing.T) {
	spool := newSpool(t)
	start := time.Now().Add(-time.Minute)
	entry := enqueue(t, spool, "incoming", "m", "d")
	checkout := checkOut(t, entry)
	path, err := checkout.DataPath()
	must(t, err)
	if path != filepath.Join(spool.Dir(), ".data", entry.Name()) {
		t.Errorf("path is %q", path)
	}
	must(t, checkout.DataFile().Save([]byte("longer")))
	onDisk, err := os.ReadFile(path)
	must(t, err)
	if string(onDisk) != "longer" {
		t.Errorf("on disk: %q", onDisk)
	}
	stat, err := checkout.DataFile().Stat()
	must(t, err)
	if stat.Size != 6 || stat.Modified.Before(start) || stat.Changed.Before(start) {
		t.Errorf("stat is %+v", stat)
	}
	must(t, checkout.Save("done"))
	saved, err := spool.Entry("done", entry.Name())
	must(t, err)
	data, err := saved.Direct().DataFile().Load()
	must(t, err)
	if string(data) != "longer" {
		t.Errorf("data is %q", data)
	}
}
