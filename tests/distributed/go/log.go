package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"multispool.dev/multispool"
)

// tellLog is what a hand tells, and what it is told, by way of its local directory.
type tellLog struct {
	control, number string
	file            *os.File
}

func createLog(control, number string) *tellLog {
	path := filepath.Join(control, number+".log")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o666)
	must(err)
	return &tellLog{control, number, file}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// note adds a line, by one write, with the time of this call.
func (l *tellLog) note(words string) {
	var now syscall.Timespec
	const boottime = 7
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, boottime, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		must(errno)
	}
	_, err := fmt.Fprintf(l.file, "%d %s\n", now.Nano(), strings.ReplaceAll(words, "\n", " "))
	must(err)
}

func (l *tellLog) ask(verb, name string) { l.note("ask " + verb + " " + name) }

func (l *tellLog) answer(answer, name, detail string) { l.note(answer + " " + name + " " + detail) }

// fail tells of a call that failed, and ends the process: nothing is finished or given back on the way out.
func (l *tellLog) fail(name string, err error) {
	l.answer("failed", name, err.Error())
	os.Exit(75)
}

// call is for what must work.
func (l *tellLog) call(verb, name string, f func() error) {
	l.ask(verb, name)
	if err := f(); err != nil {
		l.fail(name, err)
	}
	l.answer("done", name, "")
}

// goesOn is for a call of an entry's holder: false, it is not the holder any more. What is done but not known to be
// durable is done.
func (l *tellLog) goesOn(verb, name string, f func() error) bool {
	l.ask(verb, name)
	switch err := f(); {
	case err == nil || errors.Is(err, multispool.ErrNotDurable):
		l.answer("done", name, "")
		return true
	case errors.Is(err, multispool.ErrLostOwnership):
		l.answer("lost", name, "")
	default:
		l.fail(name, err)
	}
	return false
}

func (l *tellLog) has(file string) bool {
	_, err := os.Stat(filepath.Join(l.control, file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		must(err)
	}
	return err == nil
}

// look is how often it looks whether it may go on.
const look = 10 * time.Millisecond

func (l *tellLog) awaitGo() {
	for !l.has("go") {
		time.Sleep(look)
	}
}

func (l *tellLog) awaitLetGo() {
	for l.has(l.number + ".hold") {
		time.Sleep(look)
	}
}
