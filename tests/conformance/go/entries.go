package main

import (
	"fmt"

	"multispool.dev/multispool"
)

// entryOf is the entry that a step is about.
func (a *agent) entryOf(step line) (*multispool.Entry, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return nil, err
	}
	return spool.Entry(step.get("queue"), step.get("name"))
}

func reserve(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	if step.has("name") {
		return ok().with("name", step.get("name")), spool.ReserveName(step.get("name"))
	}
	name, err := spool.Reserve()
	return ok().with("name", name), err
}

func enqueueOptions(step line) ([]multispool.EnqueueOption, error) {
	options, err := durability[multispool.EnqueueOption](step, nil)
	if step.has("name") {
		options = append(options, multispool.WithName(step.get("name")))
	}
	return options, err
}

func enqueue(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	options, err := enqueueOptions(step)
	if err != nil {
		return ok(), err
	}
	if step.get("reserve") == "yes" {
		if err := spool.ReserveName(step.get("name")); err != nil {
			return ok(), err
		}
	}
	queue, metadata := step.get("queue"), []byte(step.get("metadata"))
	var entry *multispool.Entry
	if step.has("path") {
		entry, err = spool.EnqueueFile(queue, metadata, step.get("path"), options...)
	} else {
		entry, err = spool.Enqueue(queue, metadata, []byte(step.get("data")), options...)
	}
	return place(entry), err
}

// place is where an entry is, if there is one.
func place(entry *multispool.Entry) line {
	if entry == nil {
		return ok()
	}
	return ok().with("queue", entry.Queue()).with("name", entry.Name())
}

func beginEnqueue(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	options, err := enqueueOptions(step)
	if err != nil {
		return ok(), err
	}
	writer, err := spool.EnqueueWriter(step.get("queue"), options...)
	if err != nil {
		return ok(), err
	}
	a.writers[step.get("as")] = writer
	return ok().with("name", writer.Name()), nil
}

func list(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	answer := ok()
	for entry, err := range spool.List(step.get("queue")) {
		if err != nil {
			return answer, err
		}
		answer = answer.with("entry", entry.Name())
	}
	return answer, nil
}

func entry(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	return place(entry), err
}

func stat(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	if err != nil {
		return ok(), err
	}
	stat, err := entry.Stat()
	return times(stat), err
}

func times(stat multispool.Stat) line {
	return ok().with("mtime_ns", fmt.Sprint(stat.Modified.UnixNano())).with("size", fmt.Sprint(stat.Size))
}

func directContents(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	if err != nil {
		return ok(), err
	}
	metadata, err := entry.Direct().Contents()
	return ok().with("metadata", string(metadata)), err
}

func directSave(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	if err != nil {
		return ok(), err
	}
	return ok(), entry.Direct().Save([]byte(step.get("metadata")))
}

func directRemove(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	if err != nil {
		return ok(), err
	}
	return ok(), entry.Direct().Remove()
}

// outcome is what a handler decides, as a step says.
func outcome(step line) (multispool.Outcome, error) {
	switch step.get("outcome") {
	case "save":
		if step.has("metadata") {
			return multispool.SaveWith(step.get("to"), []byte(step.get("metadata"))), nil
		}
		return multispool.Save(step.get("to")), nil
	case "remove":
		return multispool.Remove(), nil
	case "release":
		return multispool.Release(), nil
	default:
		return multispool.Release(), errHandlerFailed
	}
}

func withEntry(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	if err != nil {
		return ok(), err
	}
	answer := ok()
	handler := func(checkout *multispool.Checkout) (multispool.Outcome, error) {
		data, err := checkout.DataFile().Load()
		if err != nil {
			return multispool.Release(), err
		}
		answer = answer.with("metadata", string(checkout.Metadata())).with("data", string(data))
		if step.has("data") {
			if err := checkout.DataFile().Save([]byte(step.get("data"))); err != nil {
				return multispool.Release(), err
			}
		}
		return outcome(step)
	}
	if step.word == "with_entry" {
		err = entry.WithEntry(handler)
	} else {
		err = entry.TryWithEntry(handler)
	}
	return answer, err
}
