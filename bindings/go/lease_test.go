package multispool

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// newSharedSpool is a spool for several hosts, with leases of 8 s.
func newSharedSpool(t *testing.T) *Spool {
	t.Helper()
	spool, err := Create(filepath.Join(t.TempDir(), "spool"), []string{"incoming", "done"},
		WithMode(ModeNetwork), WithLease(8*time.Second), WithDurability(DurabilityNone))
	must(t, err)
	t.Cleanup(func() { must(t, spool.Close()) })
	return spool
}

// runOut has a file look as if it was renewed last a minute ago.
func runOut(t *testing.T, path ...string) {
	t.Helper()
	then := time.Now().Add(-time.Minute)
	must(t, os.Chtimes(filepath.Join(path...), then, then))
}

func TestASharedSpoolSaysItsModeAndLease(t *testing.T) {
	spool := newSharedSpool(t)
	mode, err := spool.Mode()
	must(t, err)
	lease, err := spool.Lease()
	must(t, err)
	if mode != ModeNetwork || lease != 8*time.Second {
		t.Errorf("mode is %v, lease %v", mode, lease)
	}
	local := newSpool(t)
	mode, err = local.Mode()
	must(t, err)
	lease, err = local.Lease()
	must(t, err)
	if mode != ModeLocal || lease != 0 {
		t.Errorf("mode is %v, lease %v", mode, lease)
	}
	_, err = Create(filepath.Join(t.TempDir(), "spool"), []string{"q"}, WithMode(ModeNetwork), WithLease(time.Second))
	wantError(t, err, ErrInvalidArgument)
}

func TestALateHolderIsToldThatAnotherHasItsEntry(t *testing.T) {
	spool := newSharedSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	late, err := entry.Checkout()
	must(t, err)
	must(t, late.Renew())
	runOut(t, spool.Dir(), ".multispool/claims", entry.Name())
	runOut(t, spool.Dir(), "incoming/.checkout", entry.Name())
	returned, err := spool.Recover()
	must(t, err)
	if len(returned) != 1 {
		t.Fatalf("returned %v", returned)
	}
	taken, err := entry.Checkout()
	must(t, err)
	wantError(t, late.Renew(), ErrLostOwnership)
	wantError(t, late.Save("done"), ErrLostOwnership)
	wantError(t, late.Close(), ErrLostOwnership)
	must(t, taken.Save("done"))
	must(t, taken.Close())
}

func TestAKeptLeaseIsRenewedInTheBackground(t *testing.T) {
	spool := newSharedSpool(t)
	entry := enqueue(t, spool, "incoming", "m", "d")
	claim := filepath.Join(spool.Dir(), ".multispool/claims", entry.Name())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(t, entry.WithEntry(func(*Checkout) (Outcome, error) {
		runOut(t, claim)
		for ctx.Err() == nil {
			stat, err := os.Stat(claim)
			must(t, err)
			if time.Since(stat.ModTime()) < 30*time.Second {
				return Remove(), nil
			}
			time.Sleep(20 * time.Millisecond)
		}
		return Release(), ctx.Err()
	}))
}
