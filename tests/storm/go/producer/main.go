// Producer enqueues entries into "incoming" and tells its log before and after each:
//
//	producer SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES
//
// Some are enqueued whole, some piece by piece, some under one of NAMES names that are used again
// and again. Exit status: 0 done, 1 something happened that must not.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"multispool.dev/multispool"
	"multispool.dev/storm/told"
)

const queue = "incoming"

func main() {
	arguments := os.Args[1:]
	if len(arguments) != told.Arguments+2 {
		told.Must(errors.New("usage: producer SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES"))
	}
	spool := told.Begin(arguments)
	defer spool.Close()
	count, err := strconv.Atoi(arguments[told.Arguments])
	told.Must(err)
	names, err := strconv.Atoi(arguments[told.Arguments+1])
	told.Must(err)
	for i := range count {
		produce(spool, i+1, names)
		told.Linger(10)
	}
}

func produce(spool *multispool.Spool, number, names int) {
	serial := fmt.Sprintf("%s.%d", told.Process, number)
	metadata, data := []byte(serial+"\n"), told.Data(serial, serial)
	record := told.Record{
		Session: uint64(number), Serial: serial, Queue: queue,
		Metadata: told.Sum(metadata), Data: told.Sum(data),
	}
	var entry *multispool.Entry
	var err error
	switch way := told.Below(4); {
	case way == 0:
		record.Note("enqueuing")
		entry, err = inPieces(spool, metadata, data)
	case way == 1 && reserve(spool, &record, names):
		told.Linger(100)
		record.Note("enqueuing")
		entry, err = spool.Enqueue(queue, metadata, data, multispool.WithName(record.Name))
		if errors.Is(err, multispool.ErrNotFound) || errors.Is(err, multispool.ErrNameTaken) {
			// A repair took the reservation for old, and perhaps another has made it anew.
			record.Note("refused")
			return
		}
	default:
		record.Note("enqueuing")
		entry, err = spool.Enqueue(queue, metadata, data)
	}
	told.Must(err)
	record.Name = entry.Name()
	record.Note("enqueued")
}

func inPieces(spool *multispool.Spool, metadata, data []byte) (*multispool.Entry, error) {
	writer, err := spool.EnqueueWriter(queue)
	told.Must(err)
	defer writer.Close()
	half := len(data) / 2
	_, err = writer.Write(data[:half])
	told.Must(err)
	told.Linger(10)
	_, err = writer.Write(data[half:])
	told.Must(err)
	return writer.Commit(metadata)
}

// reserve is false where the name is in use.
func reserve(spool *multispool.Spool, record *told.Record, names int) bool {
	name := fmt.Sprintf("again-%d", told.Below(names))
	err := spool.ReserveName(name)
	if errors.Is(err, multispool.ErrNameTaken) {
		return false
	}
	told.Must(err)
	record.Name = name
	return true
}
