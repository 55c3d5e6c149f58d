package tests

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"multispool.dev/multispool"
)

func newSpool(t *testing.T) *multispool.Spool {
	t.Helper()
	spool, err := multispool.Create(filepath.Join(t.TempDir(), "spool"), []string{"incoming", "done"})
	must(t, err)
	t.Cleanup(func() { spool.Close() })
	return spool
}

func enqueue(t *testing.T, spool *multispool.Spool) {
	t.Helper()
	_, err := spool.Enqueue("incoming", []byte("m"), []byte("d"), fast)
	must(t, err)
}

// TestNoGoroutineOutlivesWhatItWasStartedFor goes through all that waits or loops.
func TestNoGoroutineOutlivesWhatItWasStartedFor(t *testing.T) {
	for name, live := range map[string]func(t *testing.T, ctx context.Context, spool *multispool.Spool){
		"cancelled waits": func(t *testing.T, ctx context.Context, spool *multispool.Spool) {
			reader, err := spool.Reader("incoming")
			must(t, err)
			defer reader.Close()
			ctx, cancel := context.WithCancel(ctx)
			var all sync.WaitGroup
			for range 50 {
				all.Add(1)
				go func() {
					defer all.Done()
					if _, err := reader.Dequeue(ctx); !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}()
			}
			cancel()
			all.Wait()
		},
		"waits that Close ends": func(t *testing.T, ctx context.Context, spool *multispool.Spool) {
			var all sync.WaitGroup
			for range 50 {
				reader, err := spool.Reader("incoming")
				must(t, err)
				all.Add(2)
				go func() {
					defer all.Done()
					if _, err := reader.Dequeue(ctx); !errors.Is(err, multispool.ErrClosed) {
						t.Error(err)
					}
				}()
				go func() {
					defer all.Done()
					reader.Close()
				}()
			}
			all.Wait()
		},
		"loops that are left": func(t *testing.T, ctx context.Context, spool *multispool.Spool) {
			enqueue(t, spool)
			reader, err := spool.Reader("incoming")
			must(t, err)
			defer reader.Close()
			for range reader.All(ctx) {
				break
			}
			for range reader.Available() {
				break
			}
			for range spool.List("incoming") {
				break
			}
		},
		"events that are not waited for": func(t *testing.T, ctx context.Context, spool *multispool.Spool) {
			monitor, err := multispool.NewMonitor(spool.Dir(), nil)
			must(t, err)
			defer monitor.Close()
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			for range monitor.Events(ctx, nil) {
			}
		},
		"a worker that ends": func(t *testing.T, ctx context.Context, spool *multispool.Spool) {
			enqueue(t, spool)
			ctx, cancel := context.WithCancel(ctx)
			worker := multispool.Worker{
				Spool: spool, Queue: "incoming", Logger: slog.New(slog.DiscardHandler),
				Handler: func(context.Context, *multispool.Checkout) (multispool.Outcome, error) {
					cancel()
					return multispool.Remove(), nil
				},
			}
			must(t, worker.Run(ctx))
		},
		"a worker that fails": func(t *testing.T, ctx context.Context, spool *multispool.Spool) {
			enqueue(t, spool)
			ctx, cancel := context.WithCancel(ctx)
			worker := multispool.Worker{
				Spool: spool, Queue: "incoming", Logger: slog.New(slog.DiscardHandler),
				Handler: func(context.Context, *multispool.Checkout) (multispool.Outcome, error) {
					cancel()
					panic("handler panicked")
				},
			}
			must(t, worker.Run(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			spool := newSpool(t)
			before := goleak.IgnoreCurrent()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			live(t, ctx, spool)
			cancel()
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		})
	}
}
