package multispool

// #include <multispool.h>
import "C"

import "time"

// Stats is how full a spool is.
type Stats struct {
	// Queues are the queues that the spool was opened with, in the order of their names.
	Queues []QueueStats
	// FreeBytes is what an unprivileged user can still write to the disk.
	FreeBytes uint64
	// FreeInodes is how many files can still be made, or -1 where the file system does not count them.
	FreeInodes int64
}

// QueueStats is how full a queue is.
type QueueStats struct {
	Queue string
	// Entries can be taken.
	Entries uint64
	// CheckedOutAlive are owned by a living process, CheckedOutDead by one that died: Recover puts
	// those back.
	CheckedOutAlive uint64
	CheckedOutDead  uint64
	// OldestAge is how long the entry that waits longest has been there, or negative for an empty
	// queue. It counts whole milliseconds.
	OldestAge time.Duration
	// MetadataBytes and DataBytes are sizes added up, or -1 without WithBytes.
	MetadataBytes int64
	DataBytes     int64
}

// Stats counts what is in the spool, without stopping anyone: the numbers are of one moment each.
func (s *Spool) Stats(options ...StatsOption) (*Stats, error) {
	o, err := build("stats", options,
		func(o **C.multispool_stats_options, e **C.multispool_error) C.int32_t {
			return C.multispool_stats_options_new(o, e)
		}, StatsOption.setStats)
	defer C.multispool_stats_options_free(o)
	if err != nil {
		return nil, err
	}
	var stats *Stats
	err = s.handle.use("stats", func(spool *C.multispool_spool) error {
		var native *C.multispool_stats
		var cause *C.multispool_error
		status := C.multispool_spool_stats(spool, o, &native, &cause)
		if err := failure("stats", "", status, cause); err != nil {
			return err
		}
		defer C.multispool_stats_free(native)
		stats = &Stats{
			FreeBytes:  uint64(C.multispool_stats_free_bytes(native)),
			FreeInodes: int64(C.multispool_stats_free_inodes(native)),
		}
		for i := range C.multispool_stats_queue_count(native) {
			stats.Queues = append(stats.Queues, QueueStats{
				Queue:           C.GoString(C.multispool_stats_queue(native, i)),
				Entries:         uint64(C.multispool_stats_entries(native, i)),
				CheckedOutAlive: uint64(C.multispool_stats_checked_out_alive(native, i)),
				CheckedOutDead:  uint64(C.multispool_stats_checked_out_dead(native, i)),
				OldestAge:       time.Duration(C.multispool_stats_oldest_age_ms(native, i)) * time.Millisecond,
				MetadataBytes:   int64(C.multispool_stats_metadata_bytes(native, i)),
				DataBytes:       int64(C.multispool_stats_data_bytes(native, i)),
			})
		}
		return nil
	})
	return stats, err
}
