//go:build cgo

package multispool

// Spoolable describes what a spool holds: the types of metadata and data, how they become bytes,
// the queues, and where names come from. Keep one in a variable, and open spools with it:
//
//	var images = multispool.Spoolable[Job, []byte]{
//		Metadata: multispool.JSON[Job](),
//		Data:     multispool.Bytes[[]byte](),
//		Queues:   []string{"incoming", "done"},
//	}
//
//	spool, err := images.Create(dir)
type Spoolable[M, D any] struct {
	// Metadata should be small, since it is read and written more often than data.
	Metadata Codec[M]
	Data     Codec[D]
	Queues   []string
	// Names is who names new entries; nil is the library.
	Names NameGenerator
	// Throttle is what each step on the disk goes through; nil is none.
	Throttle Throttle
}

// Create is the function Create, for a spool of these types.
func (s Spoolable[M, D]) Create(dir string, options ...SpoolOption) (*Typed[M, D], error) {
	return s.open(Create, dir, options)
}

// Load is the function Load, for a spool of these types.
func (s Spoolable[M, D]) Load(dir string, options ...SpoolOption) (*Typed[M, D], error) {
	return s.open(Load, dir, options)
}

// LoadUnsafe is the function LoadUnsafe, for a spool of these types.
func (s Spoolable[M, D]) LoadUnsafe(dir string, options ...SpoolOption) (*Typed[M, D], error) {
	return s.open(LoadUnsafe, dir, options)
}

func (s Spoolable[M, D]) open(
	how func(string, []string, ...SpoolOption) (*Spool, error), dir string, options []SpoolOption,
) (*Typed[M, D], error) {
	// The caller's options come last, and count.
	all := make([]SpoolOption, 0, len(options)+2)
	if s.Names != nil {
		all = append(all, WithNameGenerator(s.Names))
	}
	if s.Throttle != nil {
		all = append(all, WithThrottle(s.Throttle))
	}
	spool, err := how(dir, s.Queues, append(all, options...)...)
	if err != nil {
		return nil, err
	}
	return s.Of(spool), nil
}

// Of is a spool that is open already, with these types. Queues, Names and Throttle are the spool's.
func (s Spoolable[M, D]) Of(spool *Spool) *Typed[M, D] {
	return &Typed[M, D]{Spool: spool, metadata: s.Metadata, data: s.Data}
}
