// Worker takes entries out of the queue "incoming" of a spool, works out the digest of their data,
// writes it into the metadata and saves them to "done". Start as many as you like: each entry goes
// to one of them.
//
//	worker [-goroutines N] SPOOL [SECONDS]
//
// It waits for more until SIGTERM or SIGINT, or until none came for SECONDS. The entries in hand are
// finished first; a second signal ends it at once. An entry whose worker dies goes back to its queue
// by Recover, which each worker calls at its start and every 15 seconds. Exit status: 0 done, 1
// failure, 2 wrong usage.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"multispool.dev/multispool"
)

const recoverEvery = 15 * time.Second

func main() {
	goroutines := flag.Int("goroutines", 4, "how many entries to work on at once")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: worker [-goroutines N] SPOOL [SECONDS]")
		flag.PrintDefaults()
	}
	flag.Parse()
	patience, err := patienceOf(flag.Args())
	if err != nil || *goroutines < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal is not caught any more
	if err := run(ctx, flag.Arg(0), *goroutines, patience); err != nil {
		slog.Error("worker", "error", err)
		os.Exit(1)
	}
}

// patienceOf is how long to wait for an entry: 0 for ever.
func patienceOf(args []string) (time.Duration, error) {
	switch len(args) {
	case 1:
		return 0, nil
	case 2:
		seconds, err := strconv.ParseFloat(args[1], 64)
		if err == nil && !(seconds > 0 && seconds < 1e9) {
			err = errors.New("out of range")
		}
		return time.Duration(seconds * float64(time.Second)), err
	}
	return 0, errors.New("one or two arguments")
}

func run(ctx context.Context, dir string, goroutines int, patience time.Duration) error {
	spool, err := multispool.Load(dir, []string{"incoming", "done"})
	if err != nil {
		return err
	}
	defer spool.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	recoverDead(spool)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel(nil)
	background.Add(1)
	go func() {
		defer background.Done()
		ticker := time.NewTicker(recoverEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				recoverDead(spool)
			case <-ctx.Done():
				return
			}
		}
	}()

	failures := make([]error, goroutines)
	var workers sync.WaitGroup
	for i := range goroutines {
		workers.Add(1)
		go func() {
			defer workers.Done()
			if failures[i] = work(ctx, spool, patience); failures[i] != nil {
				cancel(failures[i]) // what fails for one fails for all
			}
		}()
	}
	workers.Wait()
	return errors.Join(failures...)
}

// recoverDead gives the entries of owners that died to the workers that live.
func recoverDead(spool *multispool.Spool) {
	entries, err := spool.Recover()
	if err != nil {
		slog.Error("recover", "error", err)
	}
	for _, entry := range entries {
		slog.Info("recovered", "entry", entry)
	}
}

// work is nil when it was told to stop, and when nothing came any more.
func work(ctx context.Context, spool *multispool.Spool, patience time.Duration) error {
	reader, err := spool.Reader("incoming")
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		checkout, err := dequeue(ctx, reader, patience)
		switch {
		case err == nil:
			// The entry in hand is finished though ctx may be done meanwhile.
			if err := handle(checkout); err != nil {
				slog.Error("the entry goes back", "entry", checkout, "error", err)
			}
		case errors.Is(err, multispool.ErrCorrupt):
			slog.Error("one bad entry stops nobody", "error", err)
		case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
			return nil
		default:
			return err
		}
	}
}

func dequeue(ctx context.Context, reader *multispool.Reader, patience time.Duration) (*multispool.Checkout, error) {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	return reader.Dequeue(ctx)
}

// handle is what is done for each entry. It may run again for the same entry, and must then come to
// the same result.
func handle(checkout *multispool.Checkout) (err error) {
	// What was not saved goes back to its queue.
	defer func() { err = errors.Join(err, checkout.Close()) }()
	data, err := checkout.Data()
	if err != nil {
		return err
	}
	defer data.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, data); err != nil {
		return err
	}
	line := fmt.Appendf(nil, "\nsha256 %x", digest.Sum(nil))
	err = checkout.Update(func(metadata []byte) []byte {
		// A worker that was killed in the middle of its save has left the line there.
		return append(bytes.TrimSuffix(metadata, line), line...)
	})
	if err != nil {
		return err
	}
	if err := checkout.Save("done"); err != nil {
		return err
	}
	fmt.Printf("%s %x\n", checkout.Name(), digest.Sum(nil))
	return nil
}
