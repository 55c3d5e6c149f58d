package multispool

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"
)

// TestEveryHandleMayBeClosedWhileItIsUsed: goroutines use each kind of handle until another closes
// it; each then gets ErrClosed, and none anything that it could not get on an open handle.
func TestEveryHandleMayBeClosedWhileItIsUsed(t *testing.T) {
	type closable struct {
		uses  map[string]func() error
		close func() error
	}
	for name, open := range map[string]func(t *testing.T, spool *Spool) closable{
		"Reader": func(t *testing.T, spool *Spool) closable {
			reader, err := spool.Reader("incoming")
			must(t, err)
			return closable{map[string]func() error{
				"DequeueAvailable": func() error { _, err := reader.DequeueAvailable(); return err },
				"Dequeue":          func() error { _, err := reader.Dequeue(context.Background()); return err },
				"All": func() (last error) {
					for _, last = range reader.All(context.Background()) {
					}
					return last
				},
			}, reader.Close}
		},
		"Checkout": func(t *testing.T, spool *Spool) closable {
			checkout, err := enqueue(t, spool, "done", "m", "d").Checkout()
			must(t, err)
			return closable{map[string]func() error{
				"SetMetadata": func() error { return checkout.SetMetadata([]byte("x")) },
				"Load":        func() error { _, err := checkout.DataFile().Load(); return err },
				"Data": func() error {
					data, err := checkout.Data()
					if err == nil {
						err = data.Close()
					}
					return err
				},
				"Metadata, and then Path": func() error {
					_, _ = checkout.Metadata(), checkout.Finished()
					_, err := checkout.DataPath()
					return err
				},
			}, checkout.Close}
		},
		"DataWriter": func(t *testing.T, spool *Spool) closable {
			writer, err := checkOut(t, enqueue(t, spool, "done", "m", "d")).DataWriter()
			must(t, err)
			return closable{map[string]func() error{
				"Write": func() error { _, err := writer.Write([]byte("d")); return err },
			}, writer.Close}
		},
		"EnqueueWriter": func(t *testing.T, spool *Spool) closable {
			writer, err := spool.EnqueueWriter("done")
			must(t, err)
			return closable{map[string]func() error{
				"Write": func() error { _, err := writer.Write([]byte("d")); return err },
			}, writer.Close}
		},
		"Monitor": func(t *testing.T, spool *Spool) closable {
			monitor, err := NewMonitor(spool.Dir(), nil)
			must(t, err)
			return closable{map[string]func() error{
				"RunOnce": func() error { _, err := monitor.RunOnce(context.Background()); return err },
				"Events": func() error {
					ctx, cancel := context.WithCancel(context.Background())
					cancel()
					for _, err := range monitor.Events(ctx, nil) {
						return err
					}
					return nil
				},
			}, monitor.Close}
		},
		"RepairPlan": func(t *testing.T, spool *Spool) closable {
			plan, err := spool.Repair()
			must(t, err)
			return closable{map[string]func() error{
				"Apply": func() error { _ = plan.Steps(); _, err := plan.Apply(); return err },
			}, plan.Close}
		},
	} {
		t.Run(name, func(t *testing.T) {
			handle := open(t, newSpool(t))
			var all, used sync.WaitGroup
			for use, call := range handle.uses {
				for range 2 {
					all.Add(1)
					used.Add(1)
					go func() {
						defer all.Done()
						first := sync.OnceFunc(used.Done)
						for {
							if use == "Dequeue" || use == "All" {
								first() // it waits in its first call
							}
							err := call()
							first()
							if errors.Is(err, ErrClosed) && errors.Is(err, fs.ErrClosed) {
								return
							}
							if err != nil && !errors.Is(err, ErrEmpty) {
								t.Errorf("%s: %v", use, err)
								return
							}
						}
					}()
				}
			}
			used.Wait()
			for range 2 {
				all.Add(1)
				go func() {
					defer all.Done()
					if err := handle.close(); err != nil {
						t.Error(err)
					}
				}()
			}
			all.Wait()
		})
	}
}
