package main

import (
	"context"
	"fmt"
	"time"

	"multispool.dev/multispool"
)

func limits(step line) (*multispool.Limits, error) {
	limits := multispool.DefaultLimits()
	var err error
	age := func(key string, to *time.Duration) {
		if step.has(key) && err == nil {
			*to, err = step.milliseconds(key)
		}
	}
	age("max_checked_out_age_ms", &limits.MaxCheckedOutAge)
	age("max_tmp_file_age_ms", &limits.MaxTmpFileAge)
	age("max_reservation_age_ms", &limits.MaxReservationAge)
	if step.has("max_queue") {
		var queueAge time.Duration
		age("max_queue_age_ms", &queueAge)
		limits.MaxQueueAges = map[string]time.Duration{step.get("max_queue"): queueAge}
	}
	room := func(key string, to *uint64) {
		if step.has(key) && err == nil {
			var number int64
			number, err = step.number(key)
			*to = uint64(number)
		}
	}
	room("min_free_bytes", &limits.MinFreeBytes)
	room("min_free_inodes", &limits.MinFreeInodes)
	return &limits, err
}

func problems(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	limits, err := limits(step)
	if err != nil {
		return ok(), err
	}
	problems, err := spool.Problems(limits)
	return withProblems(problems), err
}

func monitor(a *agent, step line) (line, error) {
	limits, err := limits(step)
	if err != nil {
		return ok(), err
	}
	monitor, err := multispool.NewMonitor(step.get("dir"), limits)
	if err == nil {
		a.monitors[step.get("as")] = monitor
	}
	return ok(), err
}

func runOnce(a *agent, step line) (line, error) {
	monitor, err := hand(a.monitors, step, "monitor")
	if err != nil {
		return ok(), err
	}
	problems, err := monitor.RunOnce(context.Background())
	return withProblems(problems), err
}

func withProblems(problems []multispool.Problem) line {
	answer := ok()
	for _, problem := range problems {
		answer = answer.with("problem", problemText(problem))
	}
	return answer
}

// problemText is "KIND SEVERITY MEND PLACE/NAME...".
func problemText(problem multispool.Problem) string {
	text := fmt.Sprintf("%s %s %s", problem.Kind, problem.Severity, problem.Mend)
	for _, dir := range problem.Dirs {
		text += " " + dir.NameOnDisk
		if problem.Kind != multispool.ProblemDirectoryMissing {
			text += "/" + problem.File.Filename
		}
	}
	return text
}

// daemon is a loop over events, which are asked for one by one.
type daemon struct {
	events chan told
	ended  context.CancelFunc
}

type told struct {
	event multispool.Event
	err   error
}

func (d *daemon) end() { d.ended() }

func startDaemon(a *agent, step line) (line, error) {
	monitor, err := hand(a.monitors, step, "monitor")
	if err != nil {
		return ok(), err
	}
	spec := multispool.DefaultDaemonSpec()
	if step.has("check_every_ms") {
		if spec.CheckEvery, err = step.milliseconds("check_every_ms"); err != nil {
			return ok(), err
		}
	}
	if step.has("alert_after_cycles") {
		cycles, err := step.number("alert_after_cycles")
		if err != nil {
			return ok(), err
		}
		spec.AlertAfterCycles = uint64(cycles)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := make(chan told)
	go func() {
		for event, err := range monitor.Events(ctx, &spec) {
			select {
			case events <- told{event, err}:
			case <-ctx.Done():
			}
		}
	}()
	a.daemons[step.get("as")] = &daemon{events, cancel}
	return ok(), nil
}

func next(a *agent, step line) (line, error) {
	daemon, err := hand(a.daemons, step, "daemon")
	if err != nil {
		return ok(), err
	}
	ctx, cancel, err := a.wait(step)
	if err != nil {
		return ok(), err
	}
	defer cancel()
	select {
	case <-ctx.Done():
		return ok(), ctx.Err()
	case told := <-daemon.events:
		if told.err != nil {
			return ok(), told.err
		}
		return ok().with("event", told.event.Kind.String()).with("problem", problemText(told.event.Problem)), nil
	}
}

func limitsJSON(_ *agent, step line) (line, error) {
	limits, err := limits(step)
	if err != nil {
		return ok(), err
	}
	return withJSON(limits.MarshalJSON())
}

func limitsFromJSON(_ *agent, step line) (line, error) {
	var limits multispool.Limits
	if err := limits.UnmarshalJSON([]byte(step.get("json"))); err != nil {
		return ok(), err
	}
	return withJSON(limits.MarshalJSON())
}

func specFromJSON(_ *agent, step line) (line, error) {
	var spec multispool.MonitorSpec
	if err := spec.UnmarshalJSON([]byte(step.get("json"))); err != nil {
		return ok(), err
	}
	return withJSON(spec.MarshalJSON())
}

func daemonJSON(_ *agent, step line) (line, error) {
	var spec multispool.DaemonSpec
	if err := spec.UnmarshalJSON([]byte(step.get("json"))); err != nil {
		return ok(), err
	}
	return withJSON(spec.MarshalJSON())
}

func withJSON(text []byte, err error) (line, error) {
	return ok().with("json", string(text)), err
}
