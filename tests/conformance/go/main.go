// The conformance suite's agent for Go: does each step by the package.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"multispool.dev/multispool"
)

// agent is what this program has in hand, by the names that the judge gave.
type agent struct {
	spools      map[string]*multispool.Spool
	writers     map[string]*multispool.EnqueueWriter
	dataWriters map[string]*multispool.DataWriter
	checkouts   map[string]*multispool.Checkout
	readers     map[string]*multispool.Reader
	stops       map[string]stop
	plans       map[string]*multispool.RepairPlan
	monitors    map[string]*multispool.Monitor
	daemons     map[string]*daemon
}

// stop is what ends waits in Go.
type stop struct {
	ctx     context.Context
	trigger context.CancelFunc
}

func newAgent() *agent {
	return &agent{
		spools:      map[string]*multispool.Spool{},
		writers:     map[string]*multispool.EnqueueWriter{},
		dataWriters: map[string]*multispool.DataWriter{},
		checkouts:   map[string]*multispool.Checkout{},
		readers:     map[string]*multispool.Reader{},
		stops:       map[string]stop{},
		plans:       map[string]*multispool.RepairPlan{},
		monitors:    map[string]*multispool.Monitor{},
		daemons:     map[string]*daemon{},
	}
}

// steps are all that the judge may ask for, but for reset.
var steps = map[string]func(*agent, line) (line, error){
	"agent":  func(*agent, line) (line, error) { return ok().with("language", "Go"), nil },
	"create": open, "load": open, "load_unsafe": open,
	"discover": discover, "describe": describe, "close": closeAny,
	"recover": recoverDead, "plan": plan, "apply": apply, "stats": stats,
	"reserve": reserve, "enqueue": enqueue, "begin_enqueue": beginEnqueue,
	"list": list, "entry": entry, "stat": stat,
	"direct_contents": directContents, "direct_save": directSave, "direct_remove": directRemove,
	"with_entry": withEntry, "try_with_entry": withEntry,
	"checkout": checkout, "try_checkout": checkout, "list_checkouts": listCheckouts,
	"show": show, "update": update, "save": save, "remove": remove, "release": release, "drop": drop,
	"data_path": dataPath, "data_load": dataLoad, "data_stat": dataStat, "data_save": dataSave,
	"begin_data": beginData, "write": write, "commit": commit,
	"reader": reader, "dequeue": dequeue, "dequeue_available": dequeueAvailable,
	"each": each, "each_available": each, "stop": makeStop, "trigger": trigger,
	"problems": problems, "monitor": monitor, "run_once": runOnce, "daemon": startDaemon, "next": next,
	"limits_json": limitsJSON, "limits_from_json": limitsFromJSON, "spec_from_json": specFromJSON,
	"daemon_json": daemonJSON,
}

func main() {
	hands := newAgent()
	input := bufio.NewReader(os.Stdin)
	for {
		text, err := input.ReadString('\n')
		if err != nil {
			return
		}
		step, err := parse(text[:len(text)-1])
		answer := ok()
		switch act := steps[step.word]; {
		case err != nil:
		case step.word == "reset":
			hands.letGo()
			hands = newAgent()
		case act == nil:
			err = fmt.Errorf("unknown step %q", step.word)
		default:
			answer, err = act(hands, step)
		}
		if err != nil {
			answer.word = status(err)
			answer = answer.with("message", err.Error())
		}
		fmt.Println(answer)
	}
}

// letGo ends what goes on by itself.
func (a *agent) letGo() {
	for _, daemon := range a.daemons {
		daemon.end()
	}
	for _, stop := range a.stops {
		stop.trigger()
	}
}

// errHandlerFailed is what a handler fails with of itself.
var errHandlerFailed = errors.New("the handler failed")

// status is the name of an error's status.
func status(err error) string {
	var failed *multispool.Error
	switch {
	case errors.Is(err, errHandlerFailed):
		return "HANDLER_FAILED"
	case errors.As(err, &failed):
		return failed.Status.String()
	case errors.Is(err, multispool.ErrEmpty):
		return "EMPTY"
	case errors.Is(err, context.DeadlineExceeded):
		return "TIMED_OUT"
	case errors.Is(err, context.Canceled):
		return "STOPPED"
	default:
		return "ERROR"
	}
}
