package multispool

// #include <multispool.h>
import "C"

import (
	"io/fs"
	"time"
)

// Durability is what is promised when a call has returned.
type Durability int32

const (
	// DurabilityNone survives the death of any process, not of the machine.
	DurabilityNone Durability = C.MULTISPOOL_DURABILITY_NONE
	// DurabilityOriginal syncs the metadata before it becomes visible, and nothing else.
	DurabilityOriginal Durability = C.MULTISPOOL_DURABILITY_ORIGINAL
	// DurabilityFull survives the loss of power, on file systems that journal renames (ext4 with a
	// journal, xfs, btrfs); on others it is a best effort. It is the default.
	DurabilityFull Durability = C.MULTISPOOL_DURABILITY_FULL
)

// String is "none", "original" or "full".
func (d Durability) String() string {
	switch d {
	case DurabilityNone:
		return "none"
	case DurabilityOriginal:
		return "original"
	case DurabilityFull:
		return "full"
	}
	return "unknown"
}

// Owners says how the owner of a checked-out entry is known.
type Owners int32

const (
	// OwnersLocking is the default: every process that uses the spool takes locks, so a dead owner is
	// known at once.
	OwnersLocking Owners = C.MULTISPOOL_OWNERS_LOCKING
	// OwnersMixed is for a spool that processes without locks share, such as those of the original
	// implementation: a dead owner is told by age.
	OwnersMixed Owners = C.MULTISPOOL_OWNERS_MIXED
)

// String is "locking" or "mixed".
func (o Owners) String() string {
	return word(map[Owners]string{OwnersLocking: "locking", OwnersMixed: "mixed"}, o)
}

// Mode says who shares a spool.
type Mode int32

const (
	// ModeLocal is a spool of one machine.
	ModeLocal Mode = C.MULTISPOOL_MODE_LOCAL
	// ModeNetwork is a spool on a file system that several machines share.
	ModeNetwork Mode = C.MULTISPOOL_MODE_NETWORK
)

// String is "local" or "network".
func (m Mode) String() string {
	return word(map[Mode]string{ModeLocal: "local", ModeNetwork: "network"}, m)
}

type (
	// A SpoolOption changes how Create, Load and LoadUnsafe open a spool.
	SpoolOption interface {
		setSpool(*C.multispool_spool_options, **C.multispool_error) C.int32_t
	}
	// An EnqueueOption changes one enqueue.
	EnqueueOption interface {
		setEnqueue(*C.multispool_enqueue_options, **C.multispool_error) C.int32_t
	}
	// A CheckoutOption changes one checkout, and how what it returns is finished by default.
	CheckoutOption interface {
		setCheckout(*C.multispool_checkout_options, **C.multispool_error) C.int32_t
	}
	// A SaveOption changes one save.
	SaveOption interface {
		setSave(*C.multispool_save_options, **C.multispool_error) C.int32_t
	}
	// A RemoveOption changes one remove.
	RemoveOption interface {
		setRemove(*C.multispool_remove_options, **C.multispool_error) C.int32_t
	}
	// A ReaderOption changes how a Reader takes entries.
	ReaderOption interface {
		setReader(*C.multispool_reader_options, **C.multispool_error) C.int32_t
	}
	// A RecoverOption changes one recover.
	RecoverOption interface {
		setRecover(*C.multispool_recover_options, **C.multispool_error) C.int32_t
	}
	// A RepairOption changes one repair.
	RepairOption interface {
		setRepair(*C.multispool_repair_options, **C.multispool_error) C.int32_t
	}
	// A StatsOption changes what Stats counts.
	StatsOption interface {
		setStats(*C.multispool_stats_options, **C.multispool_error) C.int32_t
	}
)

type (
	spoolOption  func(*C.multispool_spool_options, **C.multispool_error) C.int32_t
	readerOption func(*C.multispool_reader_options, **C.multispool_error) C.int32_t
	repairOption func(*C.multispool_repair_options, **C.multispool_error) C.int32_t
	statsOption  func(*C.multispool_stats_options, **C.multispool_error) C.int32_t
)

func (f spoolOption) setSpool(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
	return f(o, e)
}

func (f readerOption) setReader(o *C.multispool_reader_options, e **C.multispool_error) C.int32_t {
	return f(o, e)
}

func (f repairOption) setRepair(o *C.multispool_repair_options, e **C.multispool_error) C.int32_t {
	return f(o, e)
}

func (f statsOption) setStats(o *C.multispool_stats_options, e **C.multispool_error) C.int32_t {
	return f(o, e)
}

// A DurabilityOption is an option of every call that has a durability.
type DurabilityOption struct{ level C.int32_t }

// WithDurability chooses the promise for a whole spool, or for one call, reader or checkout.
func WithDurability(d Durability) DurabilityOption { return DurabilityOption{C.int32_t(d)} }

func (d DurabilityOption) setSpool(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
	return C.multispool_spool_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setEnqueue(o *C.multispool_enqueue_options, e **C.multispool_error) C.int32_t {
	return C.multispool_enqueue_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setCheckout(o *C.multispool_checkout_options, e **C.multispool_error) C.int32_t {
	return C.multispool_checkout_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setSave(o *C.multispool_save_options, e **C.multispool_error) C.int32_t {
	return C.multispool_save_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setRemove(o *C.multispool_remove_options, e **C.multispool_error) C.int32_t {
	return C.multispool_remove_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setReader(o *C.multispool_reader_options, e **C.multispool_error) C.int32_t {
	return C.multispool_reader_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setRecover(o *C.multispool_recover_options, e **C.multispool_error) C.int32_t {
	return C.multispool_recover_options_set_durability(o, d.level, e)
}

func (d DurabilityOption) setRepair(o *C.multispool_repair_options, e **C.multispool_error) C.int32_t {
	return C.multispool_repair_options_set_durability(o, d.level, e)
}

// WithReadOnly opens a spool to look at it: reading permission is enough, and each write through it
// is ErrPermission before the disk is touched.
func WithReadOnly() SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_read_only(o, 1, e)
	})
}

// WithOwners is recorded in the spool by Create.
func WithOwners(owners Owners) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_owners(o, C.int32_t(owners), e)
	})
}

// WithMode is recorded in the spool by Create, and needed to load a spool without a record from a
// network file system. Without it a new spool has the mode of its file system: ModeNetwork on a
// network or FUSE file system.
func WithMode(mode Mode) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_mode(o, C.int32_t(mode), e)
	})
}

// WithLease is recorded in a spool for several hosts by Create: how long whoever takes an entry owns
// it unless it renews, with [Checkout.Renew] or [Checkout.Keep]. Whole seconds, from 4 s to a day;
// without it 2 minutes.
func WithLease(lease time.Duration) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_lease(o, C.uint64_t(max(lease.Milliseconds(), 0)), e)
	})
}

// WithMaxConcurrent limits how many steps on the disk the spool makes at once; 0 is no limit.
func WithMaxConcurrent(n uint32) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_max_concurrent(o, C.uint32_t(n), e)
	})
}

// WithFileMode is the permission of files that are made, whatever the umask; without it they are
// 0666 less the umask.
func WithFileMode(mode fs.FileMode) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_file_mode(o, modeBits(mode), e)
	})
}

// WithDirMode is the permission of directories that are made, whatever the umask, such as
// 0770|fs.ModeSetgid; without it they are 0777 less the umask.
func WithDirMode(mode fs.FileMode) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_dir_mode(o, modeBits(mode), e)
	})
}

// WithGroup is the group of all that is made.
func WithGroup(gid uint32) SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_group(o, C.uint32_t(gid), e)
	})
}

// WithAllowWorldWritable opens a spool although every user of the machine may write its directory.
func WithAllowWorldWritable() SpoolOption {
	return spoolOption(func(o *C.multispool_spool_options, e **C.multispool_error) C.int32_t {
		return C.multispool_spool_options_set_allow_world_writable(o, 1, e)
	})
}

// WithRetryAfter says how soon a waiting Reader takes an entry again that it gave back or found
// bad: after first, doubling up to most. Without it, 1 s to 60 s. Milliseconds count; a part of one
// is rounded up.
func WithRetryAfter(first, most time.Duration) ReaderOption {
	return readerOption(func(o *C.multispool_reader_options, e **C.multispool_error) C.int32_t {
		return C.multispool_reader_options_set_retry_after_ms(o, milliseconds(first), milliseconds(most), e)
	})
}

// WithPollInterval is how often a Reader looks where the system cannot tell it of arrivals. A part
// of a millisecond is rounded up.
func WithPollInterval(interval time.Duration) ReaderOption {
	return readerOption(func(o *C.multispool_reader_options, e **C.multispool_error) C.int32_t {
		return C.multispool_reader_options_set_poll_interval_ms(o, milliseconds(interval), e)
	})
}

// WithStrictOrder has a Reader try names in their order even where other readers are quicker with
// them. Without it, one that finds an entry gone or busy leaps to another place of the queue and
// comes back later, so that readers of one queue do not try each other's entries. A reader that is
// alone keeps the order in either case.
func WithStrictOrder() ReaderOption {
	return readerOption(func(o *C.multispool_reader_options, e **C.multispool_error) C.int32_t {
		return C.multispool_reader_options_set_strict_order(o, 1, e)
	})
}

// A MinAgeOption is an option of recover and of repair.
type MinAgeOption struct{ age C.int64_t }

// WithMinAge leaves alone what was touched more recently. Without it, recover takes all that has no
// living owner, and in a spool with OwnersMixed what is older than 10 minutes; repair clears what
// is older than 10 minutes.
func WithMinAge(age time.Duration) MinAgeOption { return MinAgeOption{milliseconds(age)} }

func (m MinAgeOption) setRecover(o *C.multispool_recover_options, e **C.multispool_error) C.int32_t {
	return C.multispool_recover_options_set_min_age_ms(o, m.age, e)
}

func (m MinAgeOption) setRepair(o *C.multispool_repair_options, e **C.multispool_error) C.int32_t {
	return C.multispool_repair_options_set_min_age_ms(o, m.age, e)
}

// WithRepairTo moves what a repair would remove into this directory, on the spool's own file system.
func WithRepairTo(dir string) RepairOption {
	return repairOption(func(o *C.multispool_repair_options, e **C.multispool_error) C.int32_t {
		path, err := pathText("repair", dir)
		if err != nil {
			return C.MULTISPOOL_INVALID_ARGUMENT
		}
		return C.multispool_repair_options_set_to(o, path, e)
	})
}

// WithBytes makes Stats add up sizes, which asks the system about each file.
func WithBytes() StatsOption {
	return statsOption(func(o *C.multispool_stats_options, e **C.multispool_error) C.int32_t {
		return C.multispool_stats_options_set_bytes(o, 1, e)
	})
}

// build makes the library's options from ours: the zero pointer, which is its defaults, for none.
// The caller frees them, on failure too.
func build[O comparable, T any](
	operation string,
	options []T,
	create func(*O, **C.multispool_error) C.int32_t,
	set func(T, O, **C.multispool_error) C.int32_t,
) (built O, err error) {
	if len(options) == 0 {
		return built, nil
	}
	var cause *C.multispool_error
	if status := create(&built, &cause); status != C.MULTISPOOL_OK {
		return built, failure(operation, "", status, cause)
	}
	for _, option := range options {
		if status := set(option, built, &cause); status != C.MULTISPOOL_OK {
			return built, failure(operation, "", status, cause)
		}
	}
	return built, nil
}

func milliseconds(d time.Duration) C.int64_t {
	whole := d / time.Millisecond
	if d%time.Millisecond > 0 {
		whole++
	}
	return C.int64_t(whole)
}

// modeBits is a mode as the system writes it: Go keeps setuid, setgid and sticky elsewhere.
func modeBits(mode fs.FileMode) C.uint32_t {
	bits := uint32(mode) & 0o7777
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return C.uint32_t(bits)
}
