package examples

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"multispool.dev/multispool"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build compiles one of the commands.
func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func TestWhatProducersEnqueueReachesDoneThoughAWorkerIsKilled(t *testing.T) {
	producer, worker := build(t, "producer"), build(t, "worker")
	dir := filepath.Join(t.TempDir(), "spool")
	const files = 200
	paths, want := []string{dir}, map[string]bool{}
	for i := range files {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("file %d", i))
		contents := strings.Repeat("x", i)
		must(t, os.WriteFile(path, []byte(contents), 0o600))
		paths = append(paths, path)
		want[fmt.Sprintf("%s\nsha256 %x", path, sha256.Sum256([]byte(contents)))] = true
	}
	out, err := exec.Command(producer, paths...).Output()
	must(t, err)
	if n := strings.Count(string(out), "\n"); n != files {
		t.Fatalf("%d names printed, want %d", n, files)
	}

	killed := exec.Command(worker, dir)
	lines, err := killed.StdoutPipe()
	must(t, err)
	must(t, killed.Start())
	if !bufio.NewScanner(lines).Scan() {
		t.Fatal("the worker did nothing")
	}
	must(t, killed.Process.Kill())
	_ = killed.Wait()

	last := exec.Command(worker, "-goroutines", "3", dir, "2")
	last.Stderr = os.Stderr
	must(t, last.Run())
	spool, err := multispool.Load(dir, []string{"incoming", "done"})
	must(t, err)
	defer spool.Close()
	for entry, err := range spool.List("done") {
		must(t, err)
		metadata, err := entry.Direct().Contents()
		must(t, err)
		if !want[string(metadata)] {
			t.Errorf("not wanted, or twice: %q", metadata)
		}
		delete(want, string(metadata))
	}
	if len(want) != 0 {
		t.Errorf("%d entries did not arrive", len(want))
	}
}

func TestAWorkerEndsWhenToldAndWithStatusZero(t *testing.T) {
	worker := build(t, "worker")
	dir := filepath.Join(t.TempDir(), "spool")
	spool, err := multispool.Create(dir, []string{"incoming", "done"})
	must(t, err)
	defer spool.Close()
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		_, err := spool.Enqueue("incoming", []byte("m"), []byte("d"))
		must(t, err)
		running := exec.Command(worker, dir)
		lines, err := running.StdoutPipe()
		must(t, err)
		must(t, running.Start())
		if !bufio.NewScanner(lines).Scan() {
			t.Fatal("the worker did nothing")
		}
		must(t, running.Process.Signal(signal))
		must(t, running.Wait())
	}
}

func TestWrongUsageAndFailuresHaveTheirStatus(t *testing.T) {
	producer, worker := build(t, "producer"), build(t, "worker")
	dir := filepath.Join(t.TempDir(), "spool")
	for _, c := range []struct {
		program string
		args    []string
		want    int
	}{
		{producer, nil, 2},
		{producer, []string{dir}, 2},
		{producer, []string{dir, filepath.Join(dir, "gone")}, 1},
		{worker, nil, 2},
		{worker, []string{dir, "soon"}, 2},
		{worker, []string{filepath.Join(dir, "nothing")}, 1},
	} {
		running := exec.Command(c.program, c.args...)
		_ = running.Run()
		if got := running.ProcessState.ExitCode(); got != c.want {
			t.Errorf("%s %q ends with %d, want %d", filepath.Base(c.program), c.args, got, c.want)
		}
	}
}
