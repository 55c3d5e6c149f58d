package main

import (
	"context"
	"errors"
	"iter"
	"time"

	"multispool.dev/multispool"
)

func reader(a *agent, step line) (line, error) {
	spool, err := hand(a.spools, step, "spool")
	if err != nil {
		return ok(), err
	}
	var options []multispool.ReaderOption
	if step.has("retry_after_ms") {
		first, err := step.milliseconds("retry_after_ms")
		if err != nil {
			return ok(), err
		}
		options = append(options, multispool.WithRetryAfter(first, 2*first))
	}
	if step.get("strict_order") == "yes" {
		options = append(options, multispool.WithStrictOrder())
	}
	reader, err := spool.Reader(step.get("queue"), options...)
	if err == nil {
		a.readers[step.get("as")] = reader
	}
	return ok(), err
}

func makeStop(a *agent, step line) (line, error) {
	ctx, trigger := context.WithCancel(context.Background())
	a.stops[step.get("as")] = stop{ctx, trigger}
	return ok(), nil
}

func trigger(a *agent, step line) (line, error) {
	stop, err := hand(a.stops, step, "stop")
	if err == nil {
		stop.trigger()
	}
	return ok(), err
}

// wait is the context of a wait: a stop's, if a step names one, and a timeout.
func (a *agent) wait(step line) (context.Context, context.CancelFunc, error) {
	ctx := context.Background()
	if step.has("stop") {
		stop, err := hand(a.stops, step, "stop")
		if err != nil {
			return nil, nil, err
		}
		ctx = stop.ctx
	}
	if !step.has("timeout_ms") {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, nil
	}
	timeout, err := step.milliseconds("timeout_ms")
	ctx, cancel := context.WithDeadline(ctx, time.Now().Add(timeout))
	return ctx, cancel, err
}

func dequeue(a *agent, step line) (line, error) {
	reader, err := hand(a.readers, step, "reader")
	if err != nil {
		return ok(), err
	}
	ctx, cancel, err := a.wait(step)
	if err != nil {
		return ok(), err
	}
	defer cancel()
	checkout, err := reader.Dequeue(ctx)
	return a.taken(step, checkout, err)
}

func dequeueAvailable(a *agent, step line) (line, error) {
	reader, err := hand(a.readers, step, "reader")
	if err != nil {
		return ok(), err
	}
	checkout, err := reader.DequeueAvailable()
	return a.taken(step, checkout, err)
}

// each works through what is there, or through as many entries as are asked for, when a stop ends the loop.
func each(a *agent, step line) (line, error) {
	reader, err := hand(a.readers, step, "reader")
	if err != nil {
		return ok(), err
	}
	var entries iter.Seq2[*multispool.Checkout, error]
	var left int64
	end := func() {}
	if step.word == "each" {
		stop, err := hand(a.stops, step, "stop")
		if err != nil {
			return ok(), err
		}
		if left, err = step.number("count"); err != nil {
			return ok(), err
		}
		entries, end = reader.All(stop.ctx), stop.trigger
	} else {
		entries = reader.Available()
	}
	answer := ok()
	for checkout, err := range entries {
		if errors.Is(err, multispool.ErrCorrupt) {
			answer = answer.with("corrupt", "yes")
			continue
		}
		if err != nil {
			return answer, err
		}
		answer = answer.with("metadata", string(checkout.Metadata()))
		if left--; left == 0 {
			end()
		}
		decided, err := outcome(step)
		if err != nil {
			// What is left unfinished is given back.
			answer = answer.with("failed", "yes")
			continue
		}
		if err := checkout.Finish(decided); err != nil {
			return answer, err
		}
	}
	return answer, nil
}
