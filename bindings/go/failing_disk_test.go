package multispool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// failing makes a system call of this thread fail from now on, for that descriptor or, with -1, for
// all above standard error (seccomp).
func failing(call uintptr, fd int, errno syscall.Errno) error {
	type instruction struct {
		code   uint16
		jt, jf uint8
		k      uint32
	}
	const load, jumpIfEqual, jumpIfGreater, answer = 0x20, 0x15, 0x25, 0x06
	const number, firstArgument = 0, 16 // in struct seccomp_data; the low half comes first
	which := instruction{jumpIfEqual, 0, 1, uint32(fd)}
	if fd < 0 {
		which = instruction{jumpIfGreater, 0, 1, 2}
	}
	filter := []instruction{
		{load, 0, 0, number},
		{jumpIfEqual, 0, 3, uint32(call)},
		{load, 0, 0, firstArgument},
		which,
		{answer, 0, 0, 0x00050000 | uint32(errno)},
		{answer, 0, 0, 0x7fff0000},
	}
	program := struct {
		length uint16
		filter *instruction
	}{uint16(len(filter)), &filter[0]}
	const noNewPrivileges, seccomp, withFilter = 38, 22, 2
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, noNewPrivileges, 1, 0); err != 0 {
		return err
	}
	if _, _, err := syscall.RawSyscall(syscall.SYS_PRCTL, seccomp, withFilter, uintptr(unsafe.Pointer(&program))); err != 0 {
		return err
	}
	return nil
}

// onAFailingDisk lets check enqueue after a system call was made to fail, and ends the process.
func onAFailingDisk(dir string, prepare, check func(*Spool) error) {
	runtime.LockOSThread()
	spool, err := Load(dir, []string{"incoming", "done"})
	if err == nil {
		err = prepare(spool)
	}
	if err == nil {
		err = check(spool)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func produceOnAFullDisk(dir string) {
	onAFailingDisk(dir, func(*Spool) error {
		return failing(syscall.SYS_WRITE, -1, syscall.ENOSPC)
	}, func(spool *Spool) error {
		entry, err := spool.Enqueue("incoming", []byte("m"), []byte("d"))
		var e *Error
		if entry != nil || !errors.Is(err, ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &e) ||
			e.Errno != syscall.ENOSPC || !strings.HasPrefix(e.Path, dir) || errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("enqueued %v: %w (%+v)", entry, err, e)
		}
		_, err = spool.EnqueueReader("incoming", nil, strings.NewReader("d"))
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("enqueued from a reader: %w", err)
		}
		return nil
	})
}

func produceWithoutSyncs(dir string) {
	onAFailingDisk(dir, func(spool *Spool) error {
		// The first makes the library open what it syncs.
		if _, err := spool.Enqueue("incoming", []byte("before"), nil); err != nil {
			return err
		}
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return err
		}
		for _, name := range fds {
			var fd int
			target, _ := os.Readlink("/proc/self/fd/" + name.Name())
			if target == filepath.Join(dir, "incoming") {
				fmt.Sscan(name.Name(), &fd)
				return failing(syscall.SYS_FSYNC, fd, syscall.EIO)
			}
		}
		return errors.New("the queue's directory is not open")
	}, func(spool *Spool) error {
		entry, err := spool.Enqueue("incoming", []byte("m"), []byte("d"))
		var e *Error
		if entry == nil || !errors.Is(err, ErrNotDurable) || !errors.Is(err, syscall.EIO) || !errors.As(err, &e) || e.Name != entry.Name() {
			return fmt.Errorf("enqueued %v: %w", entry, err)
		}
		return nil
	})
}

// playing runs this test program in a role.
func playing(t *testing.T, role string, spool *Spool) {
	t.Helper()
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), role+"="+spool.Dir())
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestAFullDiskIsErrNoSpaceAndENOSPCAndNothingIsLeft(t *testing.T) {
	spool := newSpool(t)
	before := fmt.Sprint(listing(t, spool.Dir()))
	playing(t, roleFullDisk, spool)
	if after := fmt.Sprint(listing(t, spool.Dir())); after != before {
		t.Errorf("changed from %s to %s", before, after)
	}
}

func TestAnEntryThatIsVisibleAndNotKnownToBeDurableIsReturnedWithErrNotDurable(t *testing.T) {
	spool := newSpool(t)
	playing(t, roleBadSync, spool)
	wantCount(t, spool, "incoming", 2)
}
