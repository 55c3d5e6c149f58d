package multispool

// #include <multispool.h>
import "C"

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"
	"unicode/utf8"
)

// DirKind says which kind of directory of a spool it is.
type DirKind int32

// The kinds of directories.
const (
	DirRegistry      DirKind = C.MULTISPOOL_DIR_REGISTRY
	DirTmp           DirKind = C.MULTISPOOL_DIR_TMP
	DirData          DirKind = C.MULTISPOOL_DIR_DATA
	DirQueue         DirKind = C.MULTISPOOL_DIR_QUEUE
	DirQueueCheckout DirKind = C.MULTISPOOL_DIR_QUEUE_CHECKOUT
)

// Dir is a directory of a spool.
type Dir struct {
	Kind DirKind
	// Queue is the queue that it is of, or "".
	Queue string
	// NameOnDisk is its path below the spool's directory, such as "incoming/.checkout".
	NameOnDisk string
}

// String is the name on disk.
func (d Dir) String() string { return d.NameOnDisk }

// FileWithMtime is a file, and when it was touched last.
type FileWithMtime struct {
	// Filename is its name in its directory, any bytes.
	Filename string
	Mtime    time.Time
}

// ProblemKind says what is wrong.
type ProblemKind int32

// The kinds of problems. The first three are those of the original implementation.
const (
	// ProblemTooOld is a file that has been where it is for longer than its limit.
	ProblemTooOld ProblemKind = C.MULTISPOOL_PROBLEM_TOO_OLD
	// ProblemOrphaned is a file whose name is not reserved; or a reservation whose name is in no
	// queue, owned by nobody, and older than its limit.
	ProblemOrphaned ProblemKind = C.MULTISPOOL_PROBLEM_ORPHANED
	// ProblemDuplicated is a name in several places of which it may have one.
	ProblemDuplicated ProblemKind = C.MULTISPOOL_PROBLEM_DUPLICATED
	// ProblemDeadOwner is a checked-out entry whose owner died, or let go of it.
	ProblemDeadOwner ProblemKind = C.MULTISPOOL_PROBLEM_DEAD_OWNER
	// ProblemDataMissing is an entry without data.
	ProblemDataMissing ProblemKind = C.MULTISPOOL_PROBLEM_DATA_MISSING
	// ProblemDamaged is what is not a readable regular file with one name.
	ProblemDamaged ProblemKind = C.MULTISPOOL_PROBLEM_DAMAGED
	// ProblemHalfMade is data under a reserved name that is in no queue: its maker or remover died.
	ProblemHalfMade ProblemKind = C.MULTISPOOL_PROBLEM_HALF_MADE
	// ProblemImpossibleName is a name that no entry can have.
	ProblemImpossibleName ProblemKind = C.MULTISPOOL_PROBLEM_IMPOSSIBLE_NAME
	// ProblemDirectoryMissing is a directory of the spool that is not there.
	ProblemDirectoryMissing ProblemKind = C.MULTISPOOL_PROBLEM_DIRECTORY_MISSING
	// ProblemLowSpace is a file system with less room than the limits ask for.
	ProblemLowSpace ProblemKind = C.MULTISPOOL_PROBLEM_LOW_SPACE
)

var problemWords = map[ProblemKind]string{
	ProblemTooOld:           "too_old",
	ProblemOrphaned:         "orphaned",
	ProblemDuplicated:       "duplicated",
	ProblemDeadOwner:        "dead_owner",
	ProblemDataMissing:      "data_missing",
	ProblemDamaged:          "damaged",
	ProblemHalfMade:         "half_made",
	ProblemImpossibleName:   "impossible_name",
	ProblemDirectoryMissing: "directory_missing",
	ProblemLowSpace:         "low_space",
}

// String is the kind's word, such as "dead_owner".
func (k ProblemKind) String() string { return word(problemWords, k) }

// Severity says how much a problem matters.
type Severity int32

// The severities, in order.
const (
	// SeverityGarbage takes room, and nothing else.
	SeverityGarbage Severity = C.MULTISPOOL_SEVERITY_GARBAGE
	// SeverityStuck keeps entries from getting on.
	SeverityStuck Severity = C.MULTISPOOL_SEVERITY_STUCK
	// SeverityDamage is an entry, or a spool, that is damaged.
	SeverityDamage Severity = C.MULTISPOOL_SEVERITY_DAMAGE
)

var severityWords = map[Severity]string{
	SeverityGarbage: "garbage", SeverityStuck: "stuck", SeverityDamage: "damage",
}

// String is the severity's word, such as "stuck".
func (s Severity) String() string { return word(severityWords, s) }

// Mend says what mends a problem.
type Mend int32

// What mends a problem.
const (
	// MendRepair is Spool.Repair.
	MendRepair Mend = C.MULTISPOOL_MEND_REPAIR
	// MendRecover is Spool.Recover.
	MendRecover Mend = C.MULTISPOOL_MEND_RECOVER
	// MendWorkers is more or faster workers, or a look at the one that has the entry.
	MendWorkers Mend = C.MULTISPOOL_MEND_WORKERS
	// MendInspect is a person's look at the files.
	MendInspect Mend = C.MULTISPOOL_MEND_INSPECT
	// MendMakeRoom is more room on the file system.
	MendMakeRoom Mend = C.MULTISPOOL_MEND_MAKE_ROOM
)

var mendWords = map[Mend]string{
	MendRepair: "repair", MendRecover: "recover", MendWorkers: "workers", MendInspect: "inspect", MendMakeRoom: "make_room",
}

// String is the mend's word, such as "recover".
func (m Mend) String() string { return word(mendWords, m) }

// word names a number, also one that a newer library has.
func word[K ~int32](words map[K]string, number K) string {
	if w, ok := words[number]; ok {
		return w
	}
	return fmt.Sprintf("unknown(%d)", int32(number))
}

// Problem is something that is wrong with a spool. Two are the same if kind, file, time and
// directories are: the same name with another time was moved in between.
type Problem struct {
	Kind     ProblemKind
	File     FileWithMtime
	Dirs     []Dir
	Severity Severity
	Mend     Mend
	// Message is a line for people.
	Message string
}

// Compare orders problems as the original implementation does: by kind, file, time, directories.
func (p Problem) Compare(other Problem) int {
	return cmp.Or(
		cmp.Compare(p.Kind, other.Kind),
		cmp.Compare(p.File.Filename, other.File.Filename),
		p.File.Mtime.Compare(other.File.Mtime),
		slices.CompareFunc(p.Dirs, other.Dirs, func(a, b Dir) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Queue, b.Queue))
		}),
	)
}

// String is the line for people.
func (p Problem) String() string { return p.Message }

// LogValue is the problem as a group, so that each part can be searched for.
func (p Problem) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("kind", p.Kind.String()),
		slog.String("name", p.File.Filename),
		slog.Any("places", p.places()),
		slog.Time("mtime", p.File.Mtime),
		slog.String("severity", p.Severity.String()),
		slog.String("action", p.Mend.String()),
	)
}

// MarshalJSON has the keys that the command prints. A name that is not UTF-8 is under name_base64.
func (p Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(p.object())
}

func (p Problem) object() map[string]any {
	object := map[string]any{
		"kind":        p.Kind.String(),
		"places":      p.places(),
		"mtime":       p.File.Mtime.UTC().Format("2006-01-02T15:04:05.000Z"),
		"age_seconds": max(0, time.Since(p.File.Mtime).Seconds()),
		"severity":    p.Severity.String(),
		"action":      p.Mend.String(),
	}
	if utf8.ValidString(p.File.Filename) {
		object["name"] = p.File.Filename
	} else {
		object["name_base64"] = base64.StdEncoding.EncodeToString([]byte(p.File.Filename))
	}
	return object
}

func (p Problem) places() []string {
	places := []string{}
	for _, dir := range p.Dirs {
		places = append(places, dir.NameOnDisk)
	}
	return places
}

func problemAt(problems *C.multispool_problems, i C.size_t) Problem {
	p := Problem{
		Kind: ProblemKind(C.multispool_problems_kind(problems, i)),
		File: FileWithMtime{
			Filename: C.GoString(C.multispool_problems_filename(problems, i)),
			Mtime:    time.Unix(0, int64(C.multispool_problems_mtime_ns(problems, i))),
		},
		Severity: Severity(C.multispool_problems_severity(problems, i)),
		Mend:     Mend(C.multispool_problems_mend(problems, i)),
		Message:  C.GoString(C.multispool_problems_message(problems, i)),
	}
	for d := range C.multispool_problems_dir_count(problems, i) {
		p.Dirs = append(p.Dirs, Dir{
			Kind:       DirKind(C.multispool_problems_dir_kind(problems, i, d)),
			Queue:      C.GoString(C.multispool_problems_dir_queue(problems, i, d)),
			NameOnDisk: C.GoString(C.multispool_problems_dir_name_on_disk(problems, i, d)),
		})
	}
	return p
}

// problemsOf copies a list and frees it.
func problemsOf(native *C.multispool_problems) []Problem {
	defer C.multispool_problems_free(native)
	problems := []Problem{}
	for i := range C.multispool_problems_count(native) {
		problems = append(problems, problemAt(native, i))
	}
	return problems
}

// Problems looks at the spool once, in all the queues that it has on disk, and returns what is
// wrong, in order. It changes nothing, owns nothing, and is safe beside live workers: a busy,
// healthy spool has no problem. Nil limits are DefaultLimits.
func (s *Spool) Problems(limits *Limits) ([]Problem, error) {
	l, err := limits.native("scan")
	defer C.multispool_limits_free(l)
	if err != nil {
		return nil, err
	}
	var problems []Problem
	err = s.handle.use("scan", func(spool *C.multispool_spool) error {
		var native *C.multispool_problems
		var cause *C.multispool_error
		status := C.multispool_spool_problems(spool, l, &native, &cause)
		if err := failure("scan", "", status, cause); err != nil {
			return err
		}
		problems = problemsOf(native)
		return nil
	})
	return problems, err
}
