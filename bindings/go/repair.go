package multispool

// #include <multispool.h>
import "C"

import (
	"errors"
	"fmt"
)

// RepairAction says what a step of a repair does.
type RepairAction int32

// The actions of a repair.
const (
	// RepairRemoveTemporary removes a temporary file of a dead process.
	RepairRemoveTemporary RepairAction = C.MULTISPOOL_REPAIR_REMOVE_TEMPORARY
	// RepairRemoveData removes data without an entry.
	RepairRemoveData RepairAction = C.MULTISPOOL_REPAIR_REMOVE_DATA
	// RepairAdopt gives an entry its registry file again.
	RepairAdopt RepairAction = C.MULTISPOOL_REPAIR_ADOPT
	// RepairRemoveReservation removes a reservation whose name is in no queue, and its data.
	RepairRemoveReservation RepairAction = C.MULTISPOOL_REPAIR_REMOVE_RESERVATION
)

var repairWords = map[RepairAction]string{
	RepairRemoveTemporary:   "remove_temporary",
	RepairRemoveData:        "remove_data",
	RepairAdopt:             "adopt",
	RepairRemoveReservation: "remove_reservation",
}

// String is the action's word, such as "remove_data".
func (a RepairAction) String() string { return word(repairWords, a) }

// RepairStep is one thing that a repair does.
type RepairStep struct {
	Action   RepairAction
	Dir      Dir
	Filename string
}

// String is a line for people.
func (s RepairStep) String() string {
	return fmt.Sprintf("%s %s/%s", s.Action, s.Dir, s.Filename)
}

// RepairPlan is what a repair would do. Close it when done.
type RepairPlan struct {
	handle *handle[*C.multispool_plan]
	steps  []RepairStep
}

// Repair looks for what crashes left, and makes a plan to clear it, which changes nothing before
// Apply. What was touched less than WithMinAge (10 minutes) ago is left alone, and so is what is
// damaged, which is for a person to look at.
func (s *Spool) Repair(options ...RepairOption) (*RepairPlan, error) {
	o, err := build("repair", options,
		func(o **C.multispool_repair_options, e **C.multispool_error) C.int32_t {
			return C.multispool_repair_options_new(o, e)
		}, RepairOption.setRepair)
	defer C.multispool_repair_options_free(o)
	if err != nil {
		return nil, err
	}
	var native *C.multispool_plan
	err = s.handle.use("repair", func(spool *C.multispool_spool) error {
		var cause *C.multispool_error
		status := C.multispool_spool_repair_plan(spool, o, &native, &cause)
		return failure("repair", "", status, cause)
	})
	if err != nil {
		return nil, err
	}
	return &RepairPlan{
		steps:  stepsOf(C.multispool_plan_steps(native)),
		handle: newHandle(native, s.handle.throttle, func(p *C.multispool_plan) { C.multispool_plan_free(p) }),
	}, nil
}

// Steps are what Apply will do, in this order.
func (p *RepairPlan) Steps() []RepairStep { return append([]RepairStep{}, p.steps...) }

// Apply does the steps, each under the lock of its name and after another look, so that it is safe
// beside live workers: what has come to life since, or is being worked on, is left alone. It
// returns the steps that were done; what failed is in the error, all of it.
func (p *RepairPlan) Apply() ([]RepairStep, error) {
	var done []RepairStep
	err := p.handle.use("repair", func(plan *C.multispool_plan) error {
		var repaired *C.multispool_repaired
		var cause *C.multispool_error
		status := C.multispool_plan_apply(plan, &repaired, &cause)
		failed := failure("repair", "", status, cause)
		if repaired == nil {
			return failed
		}
		defer C.multispool_repaired_free(repaired)
		done = stepsOf(C.multispool_repaired_steps(repaired))
		var failures []error
		for i := range C.multispool_repaired_failure_count(repaired) {
			failures = append(failures, told(C.multispool_repaired_failure(repaired, i)))
		}
		return errors.Join(failures...)
	})
	return done, err
}

// Close frees the plan; the spool is not touched. It always returns nil, and may be called again.
func (p *RepairPlan) Close() error {
	p.handle.close()
	return nil
}

func stepsOf(native *C.multispool_steps) []RepairStep {
	steps := []RepairStep{}
	for i := range C.multispool_steps_count(native) {
		steps = append(steps, RepairStep{
			Action: RepairAction(C.multispool_steps_action(native, i)),
			Dir: Dir{
				Kind:       DirKind(C.multispool_steps_dir_kind(native, i)),
				Queue:      C.GoString(C.multispool_steps_dir_queue(native, i)),
				NameOnDisk: C.GoString(C.multispool_steps_dir_name_on_disk(native, i)),
			},
			Filename: C.GoString(C.multispool_steps_filename(native, i)),
		})
	}
	return steps
}
