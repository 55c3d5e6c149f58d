package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"multispool.dev/multispool"
)

func open(a *agent, step line) (line, error) {
	options, err := spoolOptions(step)
	if err != nil {
		return ok(), err
	}
	opening := map[string]func(string, []string, ...multispool.SpoolOption) (*multispool.Spool, error){
		"create": multispool.Create, "load": multispool.Load, "load_unsafe": multispool.LoadUnsafe,
	}
	spool, err := opening[step.word](step.get("dir"), step.all("queue"), options...)
	if err == nil {
		a.spools[step.get("as")] = spool
	}
	return ok(), err
}

func spoolOptions(step line) ([]multispool.SpoolOption, error) {
	options, err := durability[multispool.SpoolOption](step, nil)
	if err != nil {
		return nil, err
	}
	if step.get("read_only") == "yes" {
		options = append(options, multispool.WithReadOnly())
	}
	if step.get("allow_world_writable") == "yes" {
		options = append(options, multispool.WithAllowWorldWritable())
	}
	if step.get("owners") == "mixed" {
		options = append(options, multispool.WithOwners(multispool.OwnersMixed))
	}
	if step.get("mode") == "network" {
		options = append(options, multispool.WithMode(multispool.ModeNetwork))
	}
	for key, option := range map[string]func(uint64) multispool.SpoolOption{
		"file_mode": func(bits uint64) multispool.SpoolOption { return multispool.WithFileMode(fs.FileMode(bits)) },
		"dir_mode":  func(bits uint64) multispool.SpoolOption { return multispool.WithDirMode(fs.FileMode(bits)) },
	} {
		if step.has(key) {
			bits, err := strconv.ParseUint(step.get(key), 8, 12)
			if err != nil {
				return nil, err
			}
			options = append(options, option(bits))
		}
	}
	if step.has("max_concurrent") {
		limit, err := strconv.ParseUint(step.get("max_concurrent"), 10, 32)
		if err != nil {
			return nil, err
		}
		options = append(options, multispool.WithMaxConcurrent(uint32(limit)))
	}
	return options, nil
}

func discover(_ *agent, step line) (line, error) {
	answer := ok()
	queues, err := multispool.Discover(step.get("dir"))
	for _, queue := range queues {
		answer = answer.with("queue", queue)
	}
	return answer, err
}

func describe(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	durability, err := spool.Durability()
	if err != nil {
		return ok(), err
	}
	readOnly, err := spool.ReadOnly()
	answer := ok().with("dir", spool.Dir()).with("durability", durability.String()).with("read_only", yesNo(readOnly))
	for _, queue := range spool.Queues() {
		answer = answer.with("queue", queue)
	}
	return answer, err
}

func closeAny(a *agent, step line) (line, error) {
	if len(step.values) == 0 {
		return ok(), errors.New("close what?")
	}
	switch key, name := step.values[0].key, step.values[0].text; key {
	case "spool":
		return ok(), closeOne(a.spools, name)
	case "writer":
		return ok(), closeOne(a.writers, name)
	case "data_writer":
		return ok(), closeOne(a.dataWriters, name)
	case "reader":
		return ok(), closeOne(a.readers, name)
	case "plan":
		return ok(), closeOne(a.plans, name)
	case "monitor":
		return ok(), closeOne(a.monitors, name)
	case "daemon":
		a.daemons[name].end()
		delete(a.daemons, name)
		return ok(), nil
	default:
		return ok(), fmt.Errorf("unknown kind %q", key)
	}
}

func closeOne[T interface{ Close() error }](handles map[string]T, name string) error {
	handle, there := handles[name]
	if !there {
		return fmt.Errorf("no handle %q", name)
	}
	delete(handles, name)
	return handle.Close()
}

func recoverDead(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	options, err := durability[multispool.RecoverOption](step, nil)
	if err == nil && step.has("min_age_ms") {
		age, wrong := step.milliseconds("min_age_ms")
		options, err = append(options, multispool.WithMinAge(age)), wrong
	}
	if err != nil {
		return ok(), err
	}
	entries, err := spool.Recover(options...)
	answer := ok()
	for _, entry := range entries {
		answer = answer.with("entry", entry.String())
	}
	return answer, err
}

func plan(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	var options []multispool.RepairOption
	if step.has("min_age_ms") {
		age, err := step.milliseconds("min_age_ms")
		if err != nil {
			return ok(), err
		}
		options = append(options, multispool.WithMinAge(age))
	}
	if step.has("to") {
		options = append(options, multispool.WithRepairTo(step.get("to")))
	}
	plan, err := spool.Repair(options...)
	if err != nil {
		return ok(), err
	}
	a.plans[step.get("as")] = plan
	return withSteps(ok(), plan.Steps()), nil
}

func apply(a *agent, step line) (line, error) {
	plan, err := hand(a.plans, step, "plan")
	if err != nil {
		return ok(), err
	}
	done, err := plan.Apply()
	return withSteps(ok(), done), err
}

func withSteps(answer line, steps []multispool.RepairStep) line {
	for _, step := range steps {
		answer = answer.with("step", fmt.Sprintf("%s %s/%s", step.Action, step.Dir.NameOnDisk, step.Filename))
	}
	return answer
}

func stats(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	var options []multispool.StatsOption
	if step.get("bytes") == "yes" {
		options = append(options, multispool.WithBytes())
	}
	stats, err := spool.Stats(options...)
	if err != nil {
		return ok(), err
	}
	answer := ok()
	for _, queue := range stats.Queues {
		if queue.Queue != step.get("queue") {
			continue
		}
		answer = answer.with("entries", fmt.Sprint(queue.Entries)).
			with("alive", fmt.Sprint(queue.CheckedOutAlive)).
			with("dead", fmt.Sprint(queue.CheckedOutDead)).
			with("oldest", yesNo(queue.OldestAge >= 0))
		if queue.MetadataBytes >= 0 {
			answer = answer.with("metadata_bytes", fmt.Sprint(queue.MetadataBytes)).
				with("data_bytes", fmt.Sprint(queue.DataBytes))
		}
	}
	return answer, nil
}
