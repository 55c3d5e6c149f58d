package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build compiles the service once.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "service")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "service")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return program, err
})

func TestMain(m *testing.M) {
	status := m.Run()
	if program, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(status)
}

// process is a service that runs.
type process struct {
	*exec.Cmd
	url   string
	ended chan error
	// ending is closed when it says that it was told to end.
	ending chan struct{}
}

// start returns when the service serves.
func start(t *testing.T, spool, address string, arguments ...string) *process {
	t.Helper()
	program, err := build()
	must(t, err)
	p := &process{
		Cmd:   exec.Command(program, append(append([]string{"-listen", address}, arguments...), spool)...),
		ended: make(chan error, 1), ending: make(chan struct{}),
	}
	log, err := p.StderrPipe()
	must(t, err)
	must(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	serving := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(log); lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			var line struct{ Msg, Address string }
			_ = json.Unmarshal(lines.Bytes(), &line)
			switch line.Msg {
			case "serving":
				serving <- line.Address
			case "ending":
				close(p.ending)
			}
		}
		err := p.Wait()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, &all)
		}
		p.ended <- err
	}()
	select {
	case address := <-serving:
		p.url = "http://" + address
	case err := <-p.ended:
		t.Fatalf("it ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("it does not serve")
	}
	return p
}

// wait is how it ended.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(time.Minute):
		return errors.New("it does not end")
	}
}
