package multispool

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// The environment variables that make the test program another, with a spool's directory as value.
const (
	roleHold     = "MULTISPOOL_TEST_HOLD"      // a worker, to be killed
	roleFullDisk = "MULTISPOOL_TEST_FULL_DISK" // a producer on a full disk
	roleBadSync  = "MULTISPOOL_TEST_BAD_SYNC"  // a producer on a disk that fails to sync
)

func TestMain(m *testing.M) {
	for role, play := range map[string]func(dir string){
		roleHold: hold, roleFullDisk: produceOnAFullDisk, roleBadSync: produceWithoutSyncs,
	} {
		if dir := os.Getenv(role); dir != "" {
			play(dir)
		}
	}
	os.Exit(m.Run())
}

// hold takes an entry, says so, and keeps it until killed.
func hold(dir string) {
	spool, err := Load(dir, []string{"incoming", "done"})
	if err == nil {
		var reader *Reader
		if reader, err = spool.Reader("incoming"); err == nil {
			var checkout *Checkout
			if checkout, err = reader.Dequeue(context.Background()); err == nil {
				fmt.Println(checkout.Name())
				_, _ = io.Copy(io.Discard, os.Stdin)
				_ = checkout.Close()
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// startHolder is a process that has taken an entry.
func startHolder(t *testing.T, spool *Spool) (worker *exec.Cmd, name string) {
	t.Helper()
	worker = exec.Command("/proc/self/exe")
	worker.Env = append(os.Environ(), roleHold+"="+spool.Dir())
	worker.Stderr = os.Stderr
	_, err := worker.StdinPipe()
	must(t, err)
	out, err := worker.StdoutPipe()
	must(t, err)
	must(t, worker.Start())
	t.Cleanup(func() {
		_ = worker.Process.Kill()
		_ = worker.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the worker took nothing")
	}
	return worker, lines.Text()
}

func TestRecoverPutsBackWhatADeadWorkerHeldAndLeavesALiveOneAlone(t *testing.T) {
	spool := newSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	worker, name := startHolder(t, spool)
	if name != entry.Name() {
		t.Fatalf("the worker has %q", name)
	}
	returned, err := spool.Recover()
	must(t, err)
	if len(returned) != 0 {
		t.Fatalf("taken from a live worker: %v", returned)
	}
	_, err = entry.TryCheckout()
	wantError(t, err, ErrNotFound)
	stats, err := spool.Stats()
	must(t, err)
	if q := stats.Queues[1]; q.CheckedOutAlive != 1 || q.CheckedOutDead != 0 {
		t.Errorf("stats are %+v", q)
	}
	must(t, worker.Process.Kill())
	_ = worker.Wait()
	stats, err = spool.Stats()
	must(t, err)
	if q := stats.Queues[1]; q.CheckedOutAlive != 0 || q.CheckedOutDead != 1 {
		t.Errorf("stats are %+v", q)
	}
	returned, err = spool.Recover(WithMinAge(3600e9))
	must(t, err)
	if len(returned) != 0 {
		t.Fatalf("younger than asked for: %v", returned)
	}
	returned, err = spool.Recover(WithDurability(DurabilityNone))
	must(t, err)
	if len(returned) != 1 || returned[0].Name() != entry.Name() || returned[0].Queue() != "incoming" {
		t.Fatalf("recovered %v", returned)
	}
	checkout, err := entry.Checkout()
	must(t, err)
	must(t, checkout.Remove())
	must(t, checkout.Close())
}

// unprivileged runs the calling test again in a child process as a user without privileges, if this
// one is root, to whom permissions mean nothing. It tells whether the test goes on here.
func unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	scratch, err := os.MkdirTemp("/tmp", "multispool")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(scratch) })
	must(t, os.Chown(scratch, 65534, 65534))
	child := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), "TMPDIR="+scratch, "HOME="+scratch)
	child.Dir = "/"
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("as user 65534: %v\n%s", err, out)
	}
	return false
}

func TestWithoutPermissionNothingOpens(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	for _, part := range []string{".", ".registry", ".tmp", ".data", "incoming", "incoming/.checkout"} {
		for _, mode := range []fs.FileMode{0, 0o500} {
			t.Run(fmt.Sprintf("%s %o", part, mode), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "spool")
				create(t, dir)
				locked := filepath.Join(dir, part)
				must(t, os.Chmod(locked, mode))
				t.Cleanup(func() { os.Chmod(locked, 0o700) })
				if part == "." && mode == 0o500 {
					return // entries are made below the root, never in it
				}
				_, err := Load(dir, []string{"incoming"})
				wantError(t, err, ErrPermission)
				wantError(t, err, fs.ErrPermission)
				if mode == 0o500 {
					looking, err := Load(dir, []string{"incoming"}, WithReadOnly())
					must(t, err)
					looking.Close()
				}
			})
		}
	}
}

func TestUnreadableMetadataStopsNobody(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	spool := newSpool(t)
	bad := enqueue(t, spool, "incoming", "bad", "d")
	good := enqueue(t, spool, "incoming", "good", "d")
	must(t, os.Chmod(filepath.Join(spool.Dir(), "incoming", bad.Name()), 0))
	reader, err := spool.Reader("incoming")
	must(t, err)
	defer reader.Close()
	var failures, taken int
	for checkout, err := range reader.Available() {
		if err != nil {
			failures++
			continue
		}
		taken++
		if checkout.Name() != good.Name() {
			t.Errorf("took %v", checkout)
		}
	}
	if failures != 1 || taken != 1 {
		t.Errorf("%d failures and %d entries, want one of each", failures, taken)
	}
}
