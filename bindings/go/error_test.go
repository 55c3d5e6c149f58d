package multispool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAnErrorSaysOperationPathAndReason(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nothing")
	_, err := Load(dir, []string{"incoming"})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	if e.Status != StatusMissing || e.Op == "" || e.Path != dir || e.Errno != syscall.ENOENT {
		t.Errorf("error is %+v", e)
	}
	wantError(t, err, syscall.ENOENT)
	wantError(t, err, fs.ErrNotExist)
	if errors.Is(err, ErrNotFound) || errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrClosed) {
		t.Errorf("is more than it should be: %v", err)
	}
	if message := err.Error(); !strings.HasPrefix(message, "multispool: ") || !strings.Contains(message, dir) {
		t.Errorf("message is %q", message)
	}
}

func TestAnOutcomeSaysWhichEntryItIsAbout(t *testing.T) {
	spool := newSpool(t)
	entry, err := spool.Entry("incoming", "ghost")
	must(t, err)
	_, err = entry.TryCheckout()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	if e.Status != StatusNotFound || e.Name != "ghost" || !strings.Contains(e.Error(), `"ghost"`) {
		t.Errorf("error is %+v", e)
	}
}

func TestEverySentinelIsItsOwnStatus(t *testing.T) {
	sentinels := map[Status]error{
		StatusEmpty: ErrEmpty, StatusNotFound: ErrNotFound, StatusNameTaken: ErrNameTaken, StatusIO: ErrIO,
		StatusInvalidArgument: ErrInvalidArgument, StatusInvalidName: ErrInvalidName, StatusNotASpool: ErrNotASpool,
		StatusNotEmpty: ErrNotEmpty, StatusUnknownQueue: ErrUnknownQueue, StatusCorrupt: ErrCorrupt,
		StatusFinished: ErrFinished, StatusForked: ErrForked, StatusUnsupported: ErrUnsupported, StatusNoSpace: ErrNoSpace,
		StatusPermission: ErrPermission, StatusMissing: ErrMissing, StatusLostOwnership: ErrLostOwnership,
		StatusNotDurable: ErrNotDurable, StatusDescriptors: ErrDescriptors, StatusNamesExhausted: ErrNamesExhausted,
		StatusPanic: ErrPanic,
	}
	for status := range sentinels {
		err := &Error{Status: status}
		for other, sentinel := range sentinels {
			if errors.Is(err, sentinel) != (status == other) {
				t.Errorf("%v is %v: %v", status, sentinel, status != other)
			}
		}
		if status.String() == "UNKNOWN" || status.String() == "" {
			t.Errorf("status %d has no name", status)
		}
	}
	if StatusNotDurable.String() != "NOT_DURABLE" || Status(1234).String() != "UNKNOWN" {
		t.Errorf("names are %q and %q", StatusNotDurable, Status(1234))
	}
}

func TestErrorsMapToThoseOfTheSystem(t *testing.T) {
	full := &Error{Status: StatusNoSpace, Errno: syscall.ENOSPC}
	wantError(t, full, syscall.ENOSPC)
	wantError(t, &Error{Status: StatusNameTaken}, fs.ErrExist)
	wantError(t, &Error{Status: StatusPermission}, fs.ErrPermission)
	wantError(t, &Error{Status: StatusIO, Errno: syscall.EACCES}, fs.ErrPermission)
	if errors.Unwrap(&Error{Status: StatusCorrupt}) != nil {
		t.Error("unwraps to something that is not there")
	}
}

func TestLogsHaveEachPartOnItsOwn(t *testing.T) {
	var out strings.Builder
	logger := slog.New(slog.NewTextHandler(&out, nil))
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	checkout := checkOut(t, entry)
	logger.Info("test", "error", &Error{Status: StatusNoSpace, Op: "save", Path: "/p", Errno: syscall.ENOSPC, Message: "full", Name: "n"},
		"entry", entry, "checkout", checkout, "spool", spool, "reader", newReader(t, spool), "outcome", Save("done"))
	if ModeLocal.String() != "local" || OwnersMixed.String() != "mixed" || fmt.Sprint(newReader(t, spool)) != spool.Dir()+"/incoming" {
		t.Errorf("printed as %v, %v and %v", ModeLocal, OwnersMixed, newReader(t, spool))
	}
	for _, want := range []string{
		"error.status=NO_SPACE", "error.op=save", "error.path=/p", "error.errno=28", "error.message=full", "error.name=n",
		"entry.queue=incoming", "entry.name=" + entry.Name(), "checkout.queue=incoming", "spool.dir=" + spool.Dir(),
		"reader.queue=incoming", `outcome="save to done"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
	}
}

func TestAnotherMajorOrAnOlderMinorIsRefused(t *testing.T) {
	at := func(major, minor, patch uint32) uint32 { return major<<16 | minor<<8 | patch }
	for _, c := range []struct {
		header, library uint32
		want            bool
	}{
		{at(0, 1, 0), at(0, 1, 0), true},
		{at(0, 1, 5), at(0, 1, 0), true},
		{at(0, 1, 0), at(0, 2, 0), true},
		{at(0, 2, 0), at(0, 1, 9), false},
		{at(0, 1, 0), at(1, 1, 0), false},
		{at(1, 0, 0), at(0, 9, 0), false},
	} {
		if compatible(c.header, c.library) != c.want {
			t.Errorf("built for %s, runs with %s: want %v", version(c.header), version(c.library), c.want)
		}
	}
	must(t, checkVersion())
	if LibraryVersion() == "" || FormatVersion() < 1 {
		t.Errorf("versions are %q and %d", LibraryVersion(), FormatVersion())
	}
}
