// Compress is the middle stage of the demo: it takes entries from "incoming", gzips their data, puts
// the digest of the original contents into the metadata, and saves them to "compressed".
//
//	compress [-workers N] [-recover-every 15s] SPOOL
//
// The metadata is a JSON object, {"path": ..., "size": in bytes}, of the contents; "sha256" in hex is
// added to it. The stage may be killed at any time and started again. Once a second, and at the end,
// a line of progress goes to standard error:
//
//	{"stage":"compress","entries":1200,"bytes":9000000,"seconds":2.0}
//
// Bytes are those of the original contents; all is counted from the start of this process. SIGTERM and
// SIGINT finish the entries in hand, then end; a second signal ends it at once. Exit status: 0 done,
// 1 failure, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"multispool.dev/multispool"
)

func main() {
	workers := flag.Int("workers", 2*runtime.NumCPU(), "how many entries to work on at once")
	recoverEvery := flag.Duration("recover-every", 15*time.Second, "how often to give back what dead processes held")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: compress [-workers N] [-recover-every DURATION] SPOOL")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *workers < 1 || *recoverEvery <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal is not caught any more
	if err := run(ctx, flag.Arg(0), *workers, *recoverEvery); err != nil {
		complain(err)
		os.Exit(1)
	}
}

func complain(err error) {
	fmt.Fprintln(os.Stderr, "compress:", err)
}

// run works until ctx is done, or until a failure that will not go away.
func run(ctx context.Context, dir string, workers int, recoverEvery time.Duration) error {
	spool, err := multispool.Load(dir, []string{"incoming", "compressed"})
	if err != nil {
		return err
	}
	defer spool.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	progress := newProgress(os.Stderr)
	recoverDead(spool)
	var background sync.WaitGroup
	background.Add(2)
	go func() {
		defer background.Done()
		every(ctx, time.Second, progress.report)
	}()
	go func() {
		defer background.Done()
		every(ctx, recoverEvery, func() { recoverDead(spool) })
	}()

	failures := make([]error, workers)
	var working sync.WaitGroup
	for i := range workers {
		working.Add(1)
		go func() {
			defer working.Done()
			if failures[i] = work(ctx, spool, progress); failures[i] != nil {
				cancel() // what fails for one fails for all
			}
		}()
	}
	working.Wait()
	cancel()
	background.Wait()
	progress.report()
	return errors.Join(failures...)
}

func every(ctx context.Context, interval time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f()
		case <-ctx.Done():
			return
		}
	}
}

// recoverDead puts back into their queue what an earlier run held when it was killed.
func recoverDead(spool *multispool.Spool) {
	if _, err := spool.Recover(); err != nil {
		complain(err)
	}
}

// work takes entry after entry until ctx is done. The entry in hand is finished though it is.
func work(ctx context.Context, spool *multispool.Spool, progress *progress) error {
	reader, err := spool.Reader("incoming")
	if err != nil {
		return err
	}
	defer reader.Close()
	compressor := newCompressor()
	var last error // that of one entry, or the one that ended the loop
	for checkout, err := range reader.All(ctx) {
		last = err
		if err != nil {
			complain(err)
			continue
		}
		bytes, err := compressor.compress(checkout)
		if err == nil {
			err = checkout.Save("compressed")
		}
		if err != nil {
			complain(fmt.Errorf("%v: %w", checkout, err))
		}
		if err == nil || errors.Is(err, multispool.ErrNotDurable) {
			progress.count(bytes)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return last
}
