// Worker takes entries out of a queue, changes them and moves them on, for ever, and tells its log
// before and after each step:
//
//	worker SPOOL LOG PROCESS SEED DURABILITY QUEUE
//
// Two goroutines work, and recover now and then. Exit status: 1 something happened that must not.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"multispool.dev/multispool"
	"multispool.dev/storm/told"
)

const (
	goroutines   = 2
	recoverEvery = 16
)

func main() {
	arguments := os.Args[1:]
	if len(arguments) != told.Arguments+1 {
		told.Must(errors.New("usage: worker SPOOL LOG PROCESS SEED DURABILITY QUEUE"))
	}
	spool := told.Begin(arguments)
	recoverDead(spool)
	for range goroutines {
		go work(spool, arguments[told.Arguments])
	}
	select {}
}

var sessions atomic.Uint64

func work(spool *multispool.Spool, queue string) {
	reader, err := spool.Reader(queue, multispool.WithRetryAfter(50*time.Millisecond, 500*time.Millisecond))
	told.Must(err)
	for {
		checkout := dequeue(reader)
		if checkout == nil {
			recoverDead(spool)
			continue
		}
		session := sessions.Add(1)
		handle(checkout, session)
		if session%recoverEvery == 0 {
			recoverDead(spool)
		}
	}
}

// dequeue is nil when nothing came for a while.
func dequeue(reader *multispool.Reader) *multispool.Checkout {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	checkout, err := reader.Dequeue(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		told.Must(err)
	}
	return checkout
}

func recoverDead(spool *multispool.Spool) {
	// Both goroutines recover: each its own way in the log.
	session := sessions.Add(1)
	told.Record{Session: session}.Note("recovering")
	entries, err := spool.Recover()
	told.Must(err)
	for _, entry := range entries {
		told.Record{Session: session, Name: entry.Name(), Queue: entry.Queue()}.Note("recovered")
	}
}

func handle(checkout *multispool.Checkout, session uint64) {
	metadata := checkout.Metadata()
	serial, _, whole := bytes.Cut(metadata, []byte("\n"))
	record := told.Record{
		Session: session, Serial: string(serial), Name: checkout.Name(), Queue: checkout.Queue(),
		Metadata: told.Sum(metadata),
	}
	record.Note("taken")
	if !whole {
		told.Must(fmt.Errorf("metadata without a serial number: %q", metadata))
	}
	data, err := checkout.DataFile().Load()
	told.Must(err)
	record.Data = told.Sum(data)
	record.Note("read")
	told.Linger(40)
	if told.Below(4) == 0 {
		changeData(checkout, &record)
	}
	told.Linger(40)
	finish(checkout, &record)
	told.Must(checkout.Close())
}

func changeData(checkout *multispool.Checkout, record *told.Record) {
	data := told.Data(record.Serial, fmt.Sprintf("%s.%d", told.Process, record.Session))
	record.Data = told.Sum(data)
	record.Note("writing")
	if told.Below(2) == 0 {
		told.Must(checkout.DataFile().Save(data))
	} else {
		writer, err := checkout.DataWriter()
		told.Must(err)
		half := len(data) / 2
		_, err = writer.Write(data[:half])
		told.Must(err)
		told.Linger(40)
		_, err = writer.Write(data[half:])
		told.Must(err)
		told.Must(writer.Commit())
		told.Must(writer.Close())
	}
	record.Note("written")
}

func finish(checkout *multispool.Checkout, record *told.Record) {
	queue := checkout.Queue()
	switch roll := told.Below(100); {
	case roll < 80 && queue == "outgoing":
		record.Note("removing")
		told.Must(checkout.Remove())
		record.Note("removed")
	case roll < 95:
		to := queue
		if roll < 88 {
			to = next(queue, record.Name)
		}
		addHop(checkout, record, to)
		record.Note("saving")
		told.Must(checkout.Save(to))
		record.Note("saved")
	default:
		// A release drops the change.
		addHop(checkout, record, queue)
		record.Note("releasing")
		told.Must(checkout.Release())
		record.Note("released")
	}
}

// addHop adds a hop's line to the metadata.
func addHop(checkout *multispool.Checkout, record *told.Record, to string) {
	told.Must(checkout.Update(func(metadata []byte) []byte {
		return fmt.Appendf(metadata, "%s.%d %s %s\n", told.Process, record.Session, checkout.Queue(), to)
	}))
	record.Metadata = told.Sum(checkout.Metadata())
	record.Queue = to
}

// next is the queue to go to. A name that is used again and again is removed in the end.
func next(queue, name string) string {
	if queue != "middle" {
		return "middle"
	}
	if told.Below(2) == 0 || strings.HasPrefix(name, "again-") {
		return "outgoing"
	}
	return "done"
}
