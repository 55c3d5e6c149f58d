// Distributed is a hand in Go: one process that does one thing to a spool, and tells its log of each call before and
// after it, as the hand in Rust does (../rust/src/hand/main.rs).
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"multispool.dev/multispool"
)

const wait = 200 * time.Millisecond

func main() {
	if len(os.Args) < 5 {
		must(errors.New("usage: distributed CONTROL NUMBER SPOOL VERB ARGUMENTS"))
	}
	log := createLog(os.Args[1], os.Args[2])
	var spool *multispool.Spool
	log.call("open", "-", func() (err error) {
		spool, err = multispool.Load(os.Args[3], []string{"incoming", "done"})
		return err
	})
	log.awaitGo()
	switch os.Args[4] {
	case "reserve":
		reserve(log, spool, argument(5))
	case "enqueue":
		enqueue(log, spool, argument(5), argument(6))
	case "work":
		work(log, spool, argument(5), argument(6))
	case "keep":
		keep(log, spool)
	default:
		must(fmt.Errorf("no such verb: %s", os.Args[4]))
	}
}

func argument(i int) int {
	if i >= len(os.Args) {
		must(errors.New("too few arguments"))
	}
	number, err := strconv.Atoi(os.Args[i])
	must(err)
	return number
}

func linger(most int) { time.Sleep(time.Duration(rand.IntN(most+1)) * time.Millisecond) }

func reserve(log *tellLog, spool *multispool.Spool, count int) {
	for i := range count {
		name := fmt.Sprintf("r-%d", i)
		log.ask("reserve", name)
		switch err := spool.ReserveName(name); {
		case err == nil:
			log.answer("done", name, "")
		case errors.Is(err, multispool.ErrNameTaken):
			log.answer("refused", name, "")
		default:
			log.fail(name, err)
		}
	}
}

func enqueue(log *tellLog, spool *multispool.Spool, count, most int) {
	for i := range count {
		name := fmt.Sprintf("e-%s-%d", log.number, i)
		end := "save"
		if i%2 == 1 {
			end = "remove"
		}
		log.call("reserve", name, func() error { return spool.ReserveName(name) })
		log.goesOn("enqueue", name, func() error {
			_, err := spool.Enqueue("incoming", []byte(end), dataOf(name), multispool.WithName(name))
			return err
		})
		linger(most)
	}
}

// dataOf tells whose data it is.
func dataOf(name string) []byte { return bytes.Repeat([]byte(name+"\n"), 100) }

func work(log *tellLog, spool *multispool.Spool, limit, most int) {
	reader, err := spool.Reader("incoming")
	must(err)
	ended := 0
	for !log.has("stop") {
		checkout := dequeue(log, reader)
		if checkout == nil {
			log.answer("nothing", "-", "")
			recoverLost(log, spool)
			continue
		}
		handle(log, checkout, most)
		ended++
		if ended == limit {
			return
		}
	}
}

// dequeue is nil when nothing came for a while.
func dequeue(log *tellLog, reader *multispool.Reader) *multispool.Checkout {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	log.ask("dequeue", "-")
	checkout, err := reader.Dequeue(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.fail("-", err)
	}
	return checkout
}

func recoverLost(log *tellLog, spool *multispool.Spool) {
	log.ask("recover", "-")
	entries, err := spool.Recover()
	if err != nil {
		log.fail("-", err)
	}
	log.answer("done", "-", strconv.Itoa(len(entries)))
}

func handle(log *tellLog, checkout *multispool.Checkout, most int) {
	name := checkout.Name()
	log.answer("done", name, "")
	if !read(log, checkout) {
		return
	}
	linger(most)
	log.awaitLetGo()
	if rand.IntN(2) == 0 && !log.goesOn("renew", name, checkout.Renew) {
		return
	}
	finish(log, checkout)
}

// read says whether the entry is still ours.
func read(log *tellLog, checkout *multispool.Checkout) bool {
	name := checkout.Name()
	log.ask("read", name)
	data, err := checkout.DataFile().Load()
	switch {
	case errors.Is(err, multispool.ErrLostOwnership):
		log.answer("lost", name, "")
		return false
	case err != nil:
		log.fail(name, err)
	case !bytes.Equal(data, dataOf(name)):
		log.answer("torn", name, string(data))
	default:
		log.answer("done", name, "")
	}
	return true
}

func finish(log *tellLog, checkout *multispool.Checkout) {
	switch end := string(checkout.Metadata()); end {
	case "save":
		log.goesOn("save", checkout.Name(), func() error { return checkout.Save("done") })
	case "remove":
		log.goesOn("remove", checkout.Name(), func() error { return checkout.Remove() })
	default:
		must(fmt.Errorf("the metadata of %s are %q", checkout.Name(), end))
	}
}

func keep(log *tellLog, spool *multispool.Spool) {
	reader, err := spool.Reader("incoming")
	must(err)
	log.ask("dequeue", "-")
	checkout, err := reader.DequeueAvailable()
	must(err)
	if checkout == nil {
		must(errors.New("there is nothing to keep"))
	}
	log.answer("done", checkout.Name(), "")
	log.call("keep", checkout.Name(), checkout.Keep)
	log.awaitLetGo()
	finish(log, checkout)
}
