package multispool

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// What an operation costs at each level of durability. Compare two states of the tree with
//
//	go test -run '^$' -bench . -count 10 >old.txt    (and new.txt, then: benchstat old.txt new.txt)

// atEachDurability runs a benchmark on a spool of each level.
func atEachDurability(b *testing.B, run func(b *testing.B, spool *Spool)) {
	for _, level := range []Durability{DurabilityNone, DurabilityOriginal, DurabilityFull} {
		b.Run(level.String(), func(b *testing.B) {
			spool, err := Create(newSpool(b).Dir(), []string{"incoming", "done"}, WithDurability(level))
			must(b, err)
			defer spool.Close()
			run(b, spool)
		})
	}
}

var kilobyte = make([]byte, 1024)

func BenchmarkEnqueue(b *testing.B) {
	atEachDurability(b, func(b *testing.B, spool *Spool) {
		b.SetBytes(int64(len(kilobyte)))
		for b.Loop() {
			_, err := spool.Enqueue("incoming", []byte("metadata"), kilobyte)
			must(b, err)
		}
	})
}

func BenchmarkEnqueueByEightGoroutines(b *testing.B) {
	atEachDurability(b, func(b *testing.B, spool *Spool) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := spool.Enqueue("incoming", []byte("metadata"), kilobyte); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkDequeueAndSave(b *testing.B) {
	atEachDurability(b, func(b *testing.B, spool *Spool) {
		fill(b, spool)
		reader, err := spool.Reader("incoming")
		must(b, err)
		defer reader.Close()
		b.ResetTimer()
		for range b.N {
			checkout, err := reader.DequeueAvailable()
			must(b, err)
			must(b, checkout.Save("done"))
			must(b, checkout.Close())
		}
	})
}

func BenchmarkCheckoutAndRemove(b *testing.B) {
	atEachDurability(b, func(b *testing.B, spool *Spool) {
		entries := fill(b, spool)
		b.ResetTimer()
		for i := range b.N {
			must(b, entries[i].WithEntry(func(*Checkout) (Outcome, error) { return Remove(), nil }))
		}
	})
}

// fill enqueues an entry for each round.
func fill(b *testing.B, spool *Spool) []*Entry {
	b.Helper()
	entries := make([]*Entry, b.N)
	for i := range entries {
		entry, err := spool.Enqueue("incoming", []byte("metadata"), nil, WithDurability(DurabilityNone))
		must(b, err)
		entries[i] = entry
	}
	return entries
}

// BenchmarkManyThroughAQueue is for each entry of batches of 100.
func BenchmarkManyThroughAQueue(b *testing.B) {
	atEachDurability(b, func(b *testing.B, spool *Spool) {
		reader, err := spool.Reader("incoming")
		must(b, err)
		defer reader.Close()
		b.ResetTimer()
		for left := b.N; left > 0; left -= 100 {
			_, err := spool.EnqueueMany("incoming", items(min(100, left)))
			must(b, err)
			checkouts, err := reader.DequeueMany(context.Background(), 100)
			must(b, err)
			must(b, RemoveMany(checkouts))
			for _, checkout := range checkouts {
				must(b, checkout.Close())
			}
		}
	})
}

func BenchmarkTypedRoundTrip(b *testing.B) {
	spool := recordings.Of(newSpool(b))
	samples := make([]uint16, 512)
	for b.Loop() {
		entry, err := spool.Enqueue("incoming", job{Title: "song"}, samples, WithDurability(DurabilityNone))
		must(b, err)
		must(b, entry.WithEntry(func(checkout *song) (Outcome, error) {
			_, err := checkout.DataFile().Load()
			return Remove(), err
		}, WithDurability(DurabilityNone)))
	}
}

// BenchmarkArrivalWakesAWait is from the beginning of an enqueue to the entry in the waiter's hands.
func BenchmarkArrivalWakesAWait(b *testing.B) {
	spool := newSpool(b)
	reader, err := spool.Reader("incoming", WithDurability(DurabilityNone))
	must(b, err)
	defer reader.Close()
	taken := make(chan *Checkout)
	for range b.N {
		b.StopTimer()
		go func() {
			checkout, err := reader.Dequeue(context.Background())
			if err != nil {
				b.Error(err)
			}
			taken <- checkout
		}()
		awaitWaiting(b, 1)
		b.StartTimer()
		_, err := spool.Enqueue("incoming", nil, nil, WithDurability(DurabilityNone))
		must(b, err)
		checkout := <-taken
		b.StopTimer()
		must(b, checkout.Remove())
		must(b, checkout.Close())
		b.StartTimer()
	}
}

// BenchmarkCancelEndsAWait is from the cancel to the return of Dequeue.
func BenchmarkCancelEndsAWait(b *testing.B) {
	reader, err := newSpool(b).Reader("incoming")
	must(b, err)
	defer reader.Close()
	ended := make(chan error)
	for range b.N {
		b.StopTimer()
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			_, err := reader.Dequeue(ctx)
			ended <- err
		}()
		awaitWaiting(b, 1)
		b.StartTimer()
		cancel()
		wantError(b, <-ended, context.Canceled)
	}
}

func BenchmarkWorker(b *testing.B) {
	for _, goroutines := range []int{1, 4, 16} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			spool := newSpool(b)
			fill(b, spool)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var handled sync.WaitGroup
			handled.Add(b.N)
			worker := Worker{
				Spool: spool, Queue: "incoming", Goroutines: goroutines, ReaderOptions: []ReaderOption{WithDurability(DurabilityNone)},
				Handler: func(context.Context, *Checkout) (Outcome, error) {
					handled.Done()
					return Remove(), nil
				},
			}
			b.ResetTimer()
			ended := make(chan error)
			go func() { ended <- worker.Run(ctx) }()
			handled.Wait()
			cancel()
			must(b, <-ended)
		})
	}
}
