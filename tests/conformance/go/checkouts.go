package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"multispool.dev/multispool"
)

func checkout(a *agent, step line) (line, error) {
	entry, err := a.entryOf(step)
	if err != nil {
		return ok(), err
	}
	options, err := durability[multispool.CheckoutOption](step, nil)
	if err != nil {
		return ok(), err
	}
	take := entry.Checkout
	if step.word == "try_checkout" {
		take = entry.TryCheckout
	}
	checkout, err := take(options...)
	return a.taken(step, checkout, err)
}

// taken keeps a checkout, and tells what it is.
func (a *agent) taken(step line, checkout *multispool.Checkout, err error) (line, error) {
	if err != nil {
		return ok(), err
	}
	a.checkouts[step.get("as")] = checkout
	return tell(checkout), nil
}

func tell(checkout *multispool.Checkout) line {
	return ok().with("queue", checkout.Queue()).with("name", checkout.Name()).
		with("metadata", string(checkout.Metadata()))
}

func listCheckouts(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	answer := ok()
	for checkout, err := range spool.ListCheckoutsUnsafe(step.get("queue")) {
		if errors.Is(err, multispool.ErrCorrupt) {
			answer = answer.with("corrupt", "yes")
			continue
		}
		if err != nil {
			return answer, err
		}
		answer = answer.with("entry", checkout.Name())
		if step.has("take") && step.get("take") == checkout.Name() {
			a.checkouts[step.get("as")] = checkout
		}
	}
	return answer, nil
}

func show(a *agent, step line) (line, error) {
	checkout, err := hand(a.checkouts, step, "checkout")
	if err != nil {
		return ok(), err
	}
	return tell(checkout).with("finished", yesNo(checkout.Finished())), nil
}

func update(a *agent, step line) (line, error) {
	checkout, err := hand(a.checkouts, step, "checkout")
	if err != nil {
		return ok(), err
	}
	return ok(), checkout.Update(func([]byte) []byte { return []byte(step.get("metadata")) })
}

func save(a *agent, step line) (line, error) {
	checkout, err := hand(a.checkouts, step, "checkout")
	if err != nil {
		return ok(), err
	}
	options, err := durability[multispool.SaveOption](step, nil)
	if err != nil {
		return ok(), err
	}
	return ok(), checkout.Save(step.get("queue"), options...)
}

func remove(a *agent, step line) (line, error) {
	checkout, err := hand(a.checkouts, step, "checkout")
	if err != nil {
		return ok(), err
	}
	options, err := durability[multispool.RemoveOption](step, nil)
	if err != nil {
		return ok(), err
	}
	return ok(), checkout.Remove(options...)
}

func release(a *agent, step line) (line, error) {
	checkout, err := hand(a.checkouts, step, "checkout")
	if err != nil {
		return ok(), err
	}
	return ok(), checkout.Release()
}

// drop leaves an unfinished checkout to the garbage collector, since Close would give it back.
func drop(a *agent, step line) (line, error) {
	checkout, err := hand(a.checkouts, step, "checkout")
	if err != nil {
		return ok(), err
	}
	spool, queue := checkout.Spool(), checkout.Queue()
	before, err := owned(spool, queue)
	if err != nil {
		return ok(), err
	}
	delete(a.checkouts, step.get("checkout"))
	checkout = nil
	for range 1000 {
		runtime.GC()
		now, err := owned(spool, queue)
		if err != nil || now < before {
			return ok(), err
		}
		// The clean-up has a goroutine of its own.
		time.Sleep(time.Millisecond)
	}
	return ok(), errors.New("the checkout is not collected")
}

// owned is how many entries of a queue have an owner that lives.
func owned(spool *multispool.Spool, queue string) (uint64, error) {
	stats, err := spool.Stats()
	if err != nil {
		return 0, err
	}
	for _, counted := range stats.Queues {
		if counted.Queue == queue {
			return counted.CheckedOutAlive, nil
		}
	}
	return 0, fmt.Errorf("no queue %q", queue)
}

// dataFile is the data of the checkout or the entry that a step is about.
func (a *agent) dataFile(step line) (*multispool.DataFile, error) {
	if step.has("checkout") {
		checkout, err := hand(a.checkouts, step, "checkout")
		if err != nil {
			return nil, err
		}
		return checkout.DataFile(), nil
	}
	entry, err := a.entryOf(step)
	if err != nil {
		return nil, err
	}
	return entry.Direct().DataFile(), nil
}

func dataPath(a *agent, step line) (line, error) {
	file, err := a.dataFile(step)
	if err != nil {
		return ok(), err
	}
	path, err := file.Path()
	return ok().with("path", path), err
}

func dataLoad(a *agent, step line) (line, error) {
	file, err := a.dataFile(step)
	if err != nil {
		return ok(), err
	}
	data, err := file.Load()
	return ok().with("data", string(data)), err
}

func dataStat(a *agent, step line) (line, error) {
	file, err := a.dataFile(step)
	if err != nil {
		return ok(), err
	}
	stat, err := file.Stat()
	return times(stat), err
}

func dataSave(a *agent, step line) (line, error) {
	file, err := a.dataFile(step)
	if err != nil {
		return ok(), err
	}
	return ok(), file.Save([]byte(step.get("data")))
}

func beginData(a *agent, step line) (line, error) {
	file, err := a.dataFile(step)
	if err != nil {
		return ok(), err
	}
	writer, err := file.Writer()
	if err == nil {
		a.dataWriters[step.get("as")] = writer
	}
	return ok(), err
}

func write(a *agent, step line) (line, error) {
	data := []byte(step.get("data"))
	if step.has("writer") {
		writer, err := hand(a.writers, step, "writer")
		if err == nil {
			_, err = writer.Write(data)
		}
		return ok(), err
	}
	writer, err := hand(a.dataWriters, step, "data_writer")
	if err == nil {
		_, err = writer.Write(data)
	}
	return ok(), err
}

func commit(a *agent, step line) (line, error) {
	if step.has("writer") {
		writer, err := hand(a.writers, step, "writer")
		if err != nil {
			return ok(), err
		}
		entry, err := writer.Commit([]byte(step.get("metadata")))
		return place(entry), err
	}
	writer, err := hand(a.dataWriters, step, "data_writer")
	if err != nil {
		return ok(), err
	}
	return ok(), writer.Commit()
}
