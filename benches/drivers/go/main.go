// Driver is the driver of the Go package for tools/bench; the same roles as those of benches/drivers/c/roles.h.
//
//	driver PEER DURABILITY DIR ROLE ARGUMENT...
//
// DURABILITY is one of off, original, on.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"multispool.dev/multispool"
)

const (
	// How long a consumer waits for one more message before it says that there are no more.
	patience = 2 * time.Second
	queue    = "queue"
)

var (
	metadata = bytes.Repeat([]byte("m"), 100)
	data     = bytes.Repeat([]byte("d"), 1024)
)

func main() {
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "driver: started by tools/bench")
		os.Exit(2)
	}
	if err := play(os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

func play(durability, dir, role string, arguments []string) error {
	level, known := map[string]multispool.Durability{
		"off":      multispool.DurabilityNone,
		"original": multispool.DurabilityOriginal,
		"on":       multispool.DurabilityFull,
	}[durability]
	if !known {
		return fmt.Errorf("%s is none of off, original, on", durability)
	}
	n, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	second := 1e9
	if len(arguments) > 1 {
		if second, err = strconv.ParseFloat(arguments[1], 64); err != nil {
			return err
		}
	}
	spool, err := multispool.Create(dir, []string{queue}, multispool.WithDurability(level))
	if err != nil {
		return err
	}
	defer spool.Close()
	if role == "put" {
		return put(spool, n, second)
	}
	if role == "latp" {
		return putTimes(spool, n, time.Duration(second)*time.Microsecond)
	}
	reader, err := spool.Reader(queue)
	if err != nil {
		return err
	}
	defer reader.Close()
	switch role {
	case "get":
		return get(reader, n, second)
	case "latc":
		return getTimes(reader, n)
	case "idle":
		return idle(reader, time.Duration(n)*time.Second)
	}
	return fmt.Errorf("unknown role %s", role)
}

func put(spool *multispool.Spool, n int, seconds float64) error {
	var samples samples
	used, began := cpu(), now()
	last := began
	for len(samples) < n && last-began < seconds {
		if _, err := spool.Enqueue(queue, metadata, data); err != nil {
			return err
		}
		time := now()
		samples = append(samples, time-last)
		last = time
	}
	return samples.report(began, last, cpu()-used)
}

// take is nil when none came in that time.
func take(reader *multispool.Reader, wait time.Duration) (*multispool.Checkout, error) {
	checkout, err := reader.DequeueAvailable()
	if !errors.Is(err, multispool.ErrEmpty) {
		return checkout, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	checkout, err = reader.Dequeue(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return checkout, err
}

func get(reader *multispool.Reader, n int, seconds float64) error {
	var samples samples
	used, began := cpu(), now()
	last := began
	for len(samples) < n && last-began < seconds {
		checkout, err := take(reader, patience)
		if err != nil {
			return err
		}
		if checkout == nil {
			break
		}
		if _, err := checkout.DataFile().Load(); err != nil {
			return err
		}
		if err := checkout.Remove(); err != nil {
			return err
		}
		time := now()
		samples = append(samples, time-last)
		last = time
	}
	return samples.report(began, last, cpu()-used)
}

func putTimes(spool *multispool.Spool, n int, pause time.Duration) error {
	for range n {
		time.Sleep(pause)
		binary.NativeEndian.PutUint64(metadata, math.Float64bits(now()))
		if _, err := spool.Enqueue(queue, metadata, data); err != nil {
			return err
		}
	}
	return nil
}

func getTimes(reader *multispool.Reader, n int) error {
	// So that it waits, whatever is made when that is done first.
	if checkout, err := take(reader, time.Millisecond); checkout != nil || err != nil {
		return fmt.Errorf("it is not empty: %w", err)
	}
	fmt.Println("ready")
	var samples samples
	for len(samples) < n {
		checkout, err := take(reader, 10*patience)
		if err != nil {
			return err
		}
		if checkout == nil {
			return errors.New("a message did not come")
		}
		if _, err := checkout.DataFile().Load(); err != nil {
			return err
		}
		time := now()
		samples = append(samples, time-math.Float64frombits(binary.NativeEndian.Uint64(checkout.Metadata())))
		if err := checkout.Remove(); err != nil {
			return err
		}
	}
	samples.reportLatency()
	return nil
}

func idle(reader *multispool.Reader, wait time.Duration) error {
	if checkout, err := take(reader, wait); checkout != nil || err != nil {
		return fmt.Errorf("it is not empty: %w", err)
	}
	kb, err := residentKB("VmRSS:")
	fmt.Printf("{\"rss_kb\":%d}\n", kb)
	return err
}
