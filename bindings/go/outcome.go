//go:build cgo

package multispool

import "log/slog"

// Outcome says what becomes of an entry. The zero Outcome is Release().
type Outcome struct {
	kind        outcomeKind
	queue       string
	metadata    []byte
	newMetadata bool
}

type outcomeKind int

const (
	released outcomeKind = iota
	saved
	removed
)

// Save moves the entry to queue, with the metadata as the checkout has it.
func Save(queue string) Outcome { return Outcome{kind: saved, queue: queue} }

// SaveWith moves the entry to queue with other metadata.
func SaveWith(queue string, metadata []byte) Outcome {
	return Outcome{kind: saved, queue: queue, metadata: metadata, newMetadata: true}
}

// Remove deletes the entry with its data.
func Remove() Outcome { return Outcome{kind: removed} }

// Release puts the entry back where it was, with its old metadata.
func Release() Outcome { return Outcome{kind: released} }

// String is "save to queue", "remove" or "release".
func (o Outcome) String() string {
	switch o.kind {
	case saved:
		return "save to " + o.queue
	case removed:
		return "remove"
	default:
		return "release"
	}
}

// LogValue is the same text.
func (o Outcome) LogValue() slog.Value { return slog.StringValue(o.String()) }
