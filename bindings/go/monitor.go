package multispool

// #include <multispool.h>
import "C"

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"time"
)

// MonitorSpec is what a monitor looks at, and by which limits. It can be kept as JSON.
type MonitorSpec struct {
	SpoolDir string
	Limits   Limits
}

// MarshalJSON writes the spec, for use in other languages too.
func (s MonitorSpec) MarshalJSON() ([]byte, error) {
	dir, err := pathText("monitor", s.SpoolDir)
	if err != nil {
		return nil, err
	}
	limits, err := s.Limits.native("monitor")
	defer C.multispool_limits_free(limits)
	if err != nil {
		return nil, err
	}
	var text *C.multispool_buffer
	var cause *C.multispool_error
	status := C.multispool_monitor_spec_to_json(dir, limits, &text, &cause)
	if err := failure("monitor", "", status, cause); err != nil {
		return nil, err
	}
	return taken(text), nil
}

// UnmarshalJSON reads what MarshalJSON writes. The limits, or some of them, may be left out.
func (s *MonitorSpec) UnmarshalJSON(text []byte) error {
	json, err := jsonText("monitor", text)
	if err != nil {
		return err
	}
	var dir *C.multispool_buffer
	var limits *C.multispool_limits
	var cause *C.multispool_error
	status := C.multispool_monitor_spec_from_json(json, &dir, &limits, &cause)
	if err := failure("monitor", "", status, cause); err != nil {
		return err
	}
	defer C.multispool_limits_free(limits)
	*s = MonitorSpec{SpoolDir: string(taken(dir)), Limits: limitsOf(limits)}
	return nil
}

// Monitor looks at a spool for what is wrong with it. It only reads, and owns nothing. Goroutines
// that use one at the same time wait for each other. Close it when done.
type Monitor struct {
	handle *exclusive[*C.multispool_monitor]
}

// NewMonitor makes a monitor of the spool in dir, which must be there: a monitor never creates
// one. Nil limits are DefaultLimits.
func NewMonitor(dir string, limits *Limits) (*Monitor, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	path, err := pathText("monitor", dir)
	if err != nil {
		return nil, err
	}
	l, err := limits.native("monitor")
	defer C.multispool_limits_free(l)
	if err != nil {
		return nil, err
	}
	var native *C.multispool_monitor
	var cause *C.multispool_error
	status := C.multispool_monitor_create(path, l, &native, &cause)
	if err := failure("monitor", "", status, cause); err != nil {
		return nil, err
	}
	free := func(p *C.multispool_monitor) { C.multispool_monitor_free(p) }
	return &Monitor{handle: newExclusive(native, nil, free)}, nil
}

// RunOnce looks once, and returns the problems in order; see Spool.Problems. When ctx is done it
// does not begin; a look that has begun is not cut short.
func (m *Monitor) RunOnce(ctx context.Context) ([]Problem, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var problems []Problem
	err := m.handle.use("run_once", func(monitor *C.multispool_monitor) error {
		var native *C.multispool_problems
		var cause *C.multispool_error
		status := C.multispool_monitor_run_once(monitor, &native, &cause)
		if err := failure("run_once", "", status, cause); err != nil {
			return err
		}
		problems = problemsOf(native)
		return nil
	})
	return problems, err
}

// Close ends the monitor; what Events iterates over goes on. It always returns nil, and may be
// called again.
func (m *Monitor) Close() error { return m.handle.close(nil) }

// EventKind says whether a problem came or went.
type EventKind int32

// The kinds of events.
const (
	// EventStart is a problem that more checks in a row have seen than the daemon waits for.
	EventStart EventKind = C.MULTISPOOL_EVENT_START
	// EventEnd is a problem that started, and that a check did not see any more.
	EventEnd EventKind = C.MULTISPOOL_EVENT_END
)

// String is "start" or "end".
func (k EventKind) String() string {
	return word(map[EventKind]string{EventStart: "start", EventEnd: "end"}, k)
}

// Event is a problem that came or went, and when the check was made that showed it.
type Event struct {
	Kind    EventKind
	Time    time.Time
	Problem Problem
}

// Compare orders events as the original implementation does: by kind, time, problem.
func (e Event) Compare(other Event) int {
	return cmp.Or(cmp.Compare(e.Kind, other.Kind), e.Time.Compare(other.Time), e.Problem.Compare(other.Problem))
}

// String is a line for people.
func (e Event) String() string { return fmt.Sprintf("%s: %s", e.Kind, e.Problem) }

// LogValue is the event as a group, so that each part can be searched for.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("event", e.Kind.String()), slog.Time("time", e.Time), slog.Any("problem", e.Problem))
}

// MarshalJSON has the keys that the command prints.
func (e Event) MarshalJSON() ([]byte, error) {
	object := e.Problem.object()
	object["event"] = e.Kind.String()
	object["time"] = e.Time.UTC().Format("2006-01-02T15:04:05.000Z")
	return json.Marshal(object)
}

// DaemonSpec says how often Events checks, and what it tells. Begin with DefaultDaemonSpec.
type DaemonSpec struct {
	// CheckEvery is the pause between the end of a check and the beginning of the next; it is at least
	// five times as long as the check took, unless it is 0. A part of a millisecond is rounded up.
	CheckEvery time.Duration
	// AlertAfterCycles: a problem is told when more checks in a row than this have seen it.
	AlertAfterCycles uint64
}

// DefaultDaemonSpec is the library's: every 15 seconds, after 2 cycles.
func DefaultDaemonSpec() DaemonSpec {
	spec, err := daemonSpecFrom(func(o **C.multispool_daemon_options, e **C.multispool_error) C.int32_t {
		return C.multispool_daemon_options_new(o, e)
	})
	if err != nil {
		// Only memory can lack, and then the runtime has panicked long before.
		panic(err)
	}
	return spec
}

func daemonSpecFrom(make func(**C.multispool_daemon_options, **C.multispool_error) C.int32_t) (DaemonSpec, error) {
	var native *C.multispool_daemon_options
	var cause *C.multispool_error
	if err := failure("daemon", "", make(&native, &cause), cause); err != nil {
		return DaemonSpec{}, err
	}
	defer C.multispool_daemon_options_free(native)
	return DaemonSpec{
		CheckEvery:       duration(C.multispool_daemon_options_check_every_ms(native)),
		AlertAfterCycles: uint64(C.multispool_daemon_options_alert_after_cycles(native)),
	}, nil
}

// native is the library's copy of the spec, which the caller frees, on failure too.
func (d *DaemonSpec) native() (*C.multispool_daemon_options, error) {
	if d == nil {
		return nil, nil
	}
	var native *C.multispool_daemon_options
	var cause *C.multispool_error
	status := C.multispool_daemon_options_new(&native, &cause)
	if status == C.MULTISPOOL_OK {
		status = C.multispool_daemon_options_set_check_every_ms(native, milliseconds(d.CheckEvery), &cause)
	}
	if status == C.MULTISPOOL_OK {
		status = C.multispool_daemon_options_set_alert_after_cycles(native, C.uint64_t(d.AlertAfterCycles), &cause)
	}
	return native, failure("daemon", "", status, cause)
}

// MarshalJSON writes the spec, for use in other languages too.
func (d DaemonSpec) MarshalJSON() ([]byte, error) {
	native, err := d.native()
	defer C.multispool_daemon_options_free(native)
	if err != nil {
		return nil, err
	}
	var text *C.multispool_buffer
	var cause *C.multispool_error
	status := C.multispool_daemon_options_to_json(native, &text, &cause)
	if err := failure("daemon", "", status, cause); err != nil {
		return nil, err
	}
	return taken(text), nil
}

// UnmarshalJSON reads what MarshalJSON writes; what is left out has its default.
func (d *DaemonSpec) UnmarshalJSON(text []byte) error {
	json, err := jsonText("daemon", text)
	if err != nil {
		return err
	}
	spec, err := daemonSpecFrom(func(o **C.multispool_daemon_options, e **C.multispool_error) C.int32_t {
		return C.multispool_daemon_options_from_json(json, o, e)
	})
	if err == nil {
		*d = spec
	}
	return err
}

// Events checks the spool again and again until ctx is done, and yields what comes and what goes;
// of one check the ends come before the starts. A check that fails is yielded as an error, and the
// next one is made all the same. Each loop counts anew. Between checks it holds no operating system
// thread. A nil spec is DefaultDaemonSpec.
func (m *Monitor) Events(ctx context.Context, spec *DaemonSpec) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		daemon, err := m.start(spec)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer C.multispool_daemon_free(daemon)
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			for ctx.Err() == nil {
				event, err := nextEvent(daemon)
				if event == nil && err == nil {
					break
				}
				if event == nil {
					event = &Event{}
				}
				if !yield(*event, err) {
					return
				}
				if err != nil {
					break
				}
			}
			timer.Reset(duration(C.multispool_daemon_until_check_ms(daemon)))
		}
	}
}

func (m *Monitor) start(spec *DaemonSpec) (*C.multispool_daemon, error) {
	options, err := spec.native()
	defer C.multispool_daemon_options_free(options)
	if err != nil {
		return nil, err
	}
	var daemon *C.multispool_daemon
	err = m.handle.use("events", func(monitor *C.multispool_monitor) error {
		var cause *C.multispool_error
		status := C.multispool_daemon_start(monitor, options, &daemon, &cause)
		return failure("events", "", status, cause)
	})
	return daemon, err
}

// nextEvent is nil without an error when no check is due.
func nextEvent(daemon *C.multispool_daemon) (*Event, error) {
	var native *C.multispool_event
	var cause *C.multispool_error
	status := C.multispool_daemon_next(daemon, nil, 0, &native, &cause)
	if status == C.MULTISPOOL_EMPTY || status == C.MULTISPOOL_INTERRUPTED {
		return nil, nil
	}
	if err := failure("events", "", status, cause); err != nil {
		return nil, err
	}
	defer C.multispool_event_free(native)
	return &Event{
		Kind:    EventKind(C.multispool_event_kind(native)),
		Time:    time.Unix(0, int64(C.multispool_event_time_ns(native))),
		Problem: problemAt(C.multispool_event_problem(native), 0),
	}, nil
}
