//! Steps that a test may leave out, to see that it notices.
//!
//! Only a build with `RUSTFLAGS="--cfg multispool_omit"` can leave one out, and does so for the names in the
//! environment's `MULTISPOOL_OMIT`, separated by commas. In any other build nothing of this is left.

/// A step that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "a step has a name even where no test needs it yet"
)]
pub(crate) enum Step {
    /// `sync-data`: an enqueue's data before it is visible.
    SyncData,
    /// `sync-scratch`: new metadata, and data that replaces other data, before it is visible.
    SyncScratch,
    /// `sync-data-name`: the name of an enqueue's data.
    SyncDataName,
    /// `sync-registry-name`: the name of an enqueue's reservation.
    SyncRegistryName,
    /// `sync-queue`: the queue that an entry was enqueued, saved or released to, or recovered.
    SyncQueue,
    /// `sync-source`: the directories that a save or release moved it from.
    SyncSource,
    /// `sync-removal`: the directories that an entry was removed from, before its data goes.
    SyncRemoval,
    /// `sync-repair`: the directories that a repair changed.
    SyncRepair,
    /// `sync-before-repair`: the queues, before a repair takes the data of names that have no entry.
    SyncBeforeRepair,
    /// `sync-away`: the directories that a repair moves things to.
    SyncAway,
    /// `sync-before-reuse`: the queues, before an enqueue replaces data that its name has already.
    SyncBeforeReuse,
    /// `sync-create`: the directories that a create made, and those that they are in.
    SyncCreate,
    /// `sync-exchange`: the name of data that replaced other data.
    SyncExchange,
    /// `keep-order`: where a file system keeps the order of changes, one sync is enough.
    KeepOrder,
    /// `sync-answer`: the question, after a directory was synced, whether its file system has failed.
    SyncAnswer,
    /// `sync-round`: a sync that is shared by threads begins after the changes of each.
    SyncRound,
    /// `lock`: a name is owned by whoever asks.
    Lock,
    /// `lock-same-file`: the file that was locked is the one that still has the name.
    LockSameFile,
    /// `repair-lock`: a repair works under its name's lock.
    RepairLock,
    /// `entry-first`: a remove takes the entry before its data.
    EntryFirst,
    /// `undo-enqueue`: a failed enqueue takes back what it made.
    UndoEnqueue,
    /// `undo-checkout`: a checkout that fails after its move moves the entry back.
    UndoCheckout,
    /// `undo-save`: a save that fails puts the old metadata back.
    UndoSave,
    /// `exchange`: a save replaces metadata that is still there, and makes none anew.
    Exchange,
    /// `whole-write`: a write that was cut short goes on.
    WholeWrite,
    /// `regular-only`: only regular files of one name are read, and no link is followed.
    RegularOnly,
    /// `open-saved`: what a caller's own code has saved by path is opened, to be synced.
    OpenSaved,
    /// `still-named`: what was opened has this name still, and no other.
    StillNamed,
    /// `real-directories`: no link is followed to a directory of a spool.
    RealDirectories,
    /// `open-nonblocking`: no open waits for the other end of a FIFO.
    OpenNonblocking,
    /// `read-bound`: no more is read than there is to be room for.
    ReadBound,
    /// `touch-opened`: times are set on the file that was looked at, whatever has its name by then.
    TouchOpened,
    /// `second-look`: what looks wrong is looked at again.
    SecondLook,
    /// `forget-lock`: a forked child lets go of its parent's locks.
    ForgetLock,
    /// `watch-first`: a reader watches its queue before it lists it.
    WatchFirst,
    /// `claim-by-link`: among several hosts who has the claim owns the entry, not whoever's rename was answered.
    ClaimByLink,
    /// `holds-after-take`: among several hosts a take counts if the claim is still there after it.
    HoldsAfterTake,
    /// `verify-move`: among several hosts a move counts when both its ends were looked at.
    VerifyMove,
}

impl Step {
    #[cfg(multispool_omit)]
    fn name(self) -> &'static str {
        match self {
            Step::SyncData => "sync-data",
            Step::SyncScratch => "sync-scratch",
            Step::SyncDataName => "sync-data-name",
            Step::SyncRegistryName => "sync-registry-name",
            Step::SyncQueue => "sync-queue",
            Step::SyncSource => "sync-source",
            Step::SyncRemoval => "sync-removal",
            Step::SyncRepair => "sync-repair",
            Step::SyncBeforeRepair => "sync-before-repair",
            Step::SyncAway => "sync-away",
            Step::SyncBeforeReuse => "sync-before-reuse",
            Step::SyncCreate => "sync-create",
            Step::SyncExchange => "sync-exchange",
            Step::KeepOrder => "keep-order",
            Step::SyncAnswer => "sync-answer",
            Step::SyncRound => "sync-round",
            Step::Lock => "lock",
            Step::LockSameFile => "lock-same-file",
            Step::RepairLock => "repair-lock",
            Step::EntryFirst => "entry-first",
            Step::UndoEnqueue => "undo-enqueue",
            Step::UndoCheckout => "undo-checkout",
            Step::UndoSave => "undo-save",
            Step::Exchange => "exchange",
            Step::WholeWrite => "whole-write",
            Step::RegularOnly => "regular-only",
            Step::OpenSaved => "open-saved",
            Step::StillNamed => "still-named",
            Step::RealDirectories => "real-directories",
            Step::OpenNonblocking => "open-nonblocking",
            Step::ReadBound => "read-bound",
            Step::TouchOpened => "touch-opened",
            Step::SecondLook => "second-look",
            Step::ForgetLock => "forget-lock",
            Step::WatchFirst => "watch-first",
            Step::ClaimByLink => "claim-by-link",
            Step::HoldsAfterTake => "holds-after-take",
            Step::VerifyMove => "verify-move",
        }
    }
}

/// Whether the step is to be left out.
#[cfg(multispool_omit)]
pub(crate) fn is_out(step: Step) -> bool {
    static OUT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    OUT.get_or_init(|| std::env::var("MULTISPOOL_OMIT").unwrap_or_default())
        .split(',')
        .any(|name| name == step.name())
}

/// Whether the step is to be left out: never.
#[cfg(not(multispool_omit))]
pub(crate) const fn is_out(_: Step) -> bool {
    false
}

/// Panics, if the environment has `MULTISPOOL_PANIC`: a bug in whatever call of the C ABI is made then.
#[cfg(all(multispool_omit, feature = "capi"))]
#[allow(clippy::panic, reason = "what is asked for")]
pub(crate) fn panic_if_asked() {
    if std::env::var_os("MULTISPOOL_PANIC").is_some() {
        panic!("asked for");
    }
}

/// Panics if a test asks for it: never.
#[cfg(all(not(multispool_omit), feature = "capi"))]
pub(crate) const fn panic_if_asked() {}
