package multispool

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// litter leaves all that crashes can leave.
func litter(t *testing.T, spool *Spool) {
	t.Helper()
	must(t, spool.ReserveName("orphan"))
	_, err := spool.Enqueue("incoming", nil, nil, WithName("orphan"))
	must(t, err)
	remove(t, spool, ".registry/orphan")
	plant(t, spool, ".data/stray")
	plant(t, spool, ".tmp/gone.tmp.abcdef")
	must(t, spool.ReserveName("reserved"))
}

func TestARepairIsAPlanUntilItIsApplied(t *testing.T) {
	spool := newSpool(t)
	litter(t, spool)
	before := listing(t, spool.Dir())
	plan, err := spool.Repair(WithMinAge(0))
	must(t, err)
	defer plan.Close()
	lines := []string{}
	for _, step := range plan.Steps() {
		lines = append(lines, step.String())
	}
	want := []string{
		"remove_temporary .tmp/gone.tmp.abcdef", "remove_data .data/stray", "adopt incoming/orphan",
		"remove_reservation .registry/reserved",
	}
	if !reflect.DeepEqual(lines, want) {
		t.Fatalf("the plan is %q, want %q", lines, want)
	}
	if after := listing(t, spool.Dir()); !reflect.DeepEqual(before, after) {
		t.Fatalf("a plan changed %q to %q", before, after)
	}
	done, err := plan.Apply()
	must(t, err)
	if !reflect.DeepEqual(done, plan.Steps()) {
		t.Errorf("done: %v", done)
	}
	limits := DefaultLimits()
	limits.MaxReservationAge, limits.MaxTmpFileAge = 0, 0
	problems, err := spool.Problems(&limits)
	must(t, err)
	if len(problems) != 0 {
		t.Errorf("left: %v", problems)
	}
	entry, err := spool.Entry("incoming", "orphan")
	must(t, err)
	checkout, err := entry.Checkout()
	must(t, err)
	must(t, checkout.Remove())
	must(t, checkout.Close())
}

func TestARepairLeavesAloneWhatIsYoungAndMovesWhereItIsTold(t *testing.T) {
	spool := newSpool(t)
	litter(t, spool)
	young, err := spool.Repair()
	must(t, err)
	if steps := young.Steps(); len(steps) != 0 {
		t.Fatalf("younger than 10 minutes: %v", steps)
	}
	must(t, young.Close())
	must(t, young.Close())
	_, err = young.Apply()
	wantError(t, err, ErrClosed)
	to := filepath.Join(filepath.Dir(spool.Dir()), "away")
	plan, err := spool.Repair(WithMinAge(0), WithRepairTo(to), WithDurability(DurabilityNone))
	must(t, err)
	defer plan.Close()
	_, err = plan.Apply()
	must(t, err)
	if _, err := os.Stat(filepath.Join(to, ".data/stray")); err != nil {
		t.Error(err)
	}
}

func TestWhatARepairCannotDoIsInItsError(t *testing.T) {
	spool := newSpool(t)
	litter(t, spool)
	to := t.TempDir()
	for _, name := range []string{".data/stray", ".tmp/gone.tmp.abcdef"} {
		path := filepath.Join(to, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, nil, 0o600))
	}
	plan, err := spool.Repair(WithMinAge(0), WithRepairTo(to))
	must(t, err)
	defer plan.Close()
	done, err := plan.Apply()
	wantError(t, err, os.ErrExist)
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("not both: %v", err)
	}
	if len(done) != 2 {
		t.Errorf("done: %v", done)
	}
}

func TestARepairThatMakesNoSenseIsRefused(t *testing.T) {
	spool := newSpool(t)
	_, err := spool.Repair(WithMinAge(-time.Second))
	wantError(t, err, ErrInvalidArgument)
	_, err = spool.Repair(WithRepairTo("a\x00b"))
	wantError(t, err, ErrInvalidArgument)
	plant(t, spool, ".data/stray")
	looking, err := Load(spool.Dir(), []string{"incoming"}, WithReadOnly())
	must(t, err)
	defer looking.Close()
	plan, err := looking.Repair(WithMinAge(0))
	must(t, err)
	defer plan.Close()
	_, err = plan.Apply()
	wantError(t, err, ErrPermission)
}
