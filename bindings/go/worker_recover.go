//go:build cgo

package multispool

import "time"

// ranEmpty is how long a queue must have given nothing to count as empty.
const ranEmpty = 10 * time.Millisecond

// recoverer gives the entries of dead owners to the living, every so often and when the queue ran
// empty, until no more are to be taken.
func (r *run) recoverer() {
	ticker := time.NewTicker(r.RecoverEvery)
	defer ticker.Stop()
	for {
		select {
		case <-r.taking.Done():
			return
		case <-ticker.C:
		case <-r.emptied:
			if !r.stillEmpty() {
				continue
			}
		}
		r.giveBackDead()
	}
}

// stillEmpty tells whether the queue gives nothing for a while.
func (r *run) stillEmpty() bool {
	timer := time.NewTimer(ranEmpty)
	defer timer.Stop()
	select {
	case <-r.taking.Done():
		return false
	case <-timer.C:
		return r.idle.Load()
	}
}

// giveBackDead is one Recover; that it fails stops nobody, since the next one comes.
func (r *run) giveBackDead() {
	entries, err := r.Spool.Recover()
	if err != nil {
		r.Logger.Error("multispool: the entries of dead owners cannot all be given back", "spool", r.Spool, "error", err)
	}
	for _, entry := range entries {
		r.Logger.Info("multispool: an entry whose owner died goes back", "entry", entry)
	}
}
