//! What a fork must not share: descriptors whose kernel object both processes would own, and state
//! that a lock held by another thread would leave stuck in the child.
//!
//! One set of `pthread_atfork` handlers, registered at first use. In the child each registered
//! descriptor is replaced, under its own number, by `/dev/null` (or, for a stop, by an event of the
//! child's own). The table is lock-free, since the child may use only async-signal-safe calls.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU64, Ordering};

use rustix::io::Errno;

use crate::omit::{self, Step};

/// What becomes of a descriptor in a forked child.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum InChild {
    /// `/dev/null` takes its number: the kernel object stays the parent's alone.
    Nothing = 1,
    /// A new event takes its number.
    OwnEvent = 2,
}

const CHUNK: usize = 1024;
const CHUNKS: usize = 4096;

/// By descriptor number: 0, or an `InChild`.
static TABLE: [AtomicPtr<[AtomicU8; CHUNK]>; CHUNKS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS];
static DEV_NULL: AtomicI32 = AtomicI32::new(-1);

/// Counts forks in the line of processes that leads here: another number, another process.
static GENERATION: AtomicU64 = AtomicU64::new(1);
static FORKS_BEGUN: AtomicU64 = AtomicU64::new(0);
static FORKS_ENDED: AtomicU64 = AtomicU64::new(0);

/// The number of the current process's generation. Makes sure that forks are noticed from now on.
pub(crate) fn generation() -> u64 {
    watch_forks();
    GENERATION.load(Ordering::Acquire)
}

fn watch_forks() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // Miri forks nothing, and knows no handlers of forks.
        if cfg!(miri) {
            return;
        }
        // SAFETY: the three handlers are plain functions that live as long as this library is loaded;
        // glibc drops them when the library is unloaded.
        unsafe {
            let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
            DEV_NULL.store(null, Ordering::Release);
            libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child));
        }
    });
}

extern "C" fn before() {
    FORKS_BEGUN.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn after_in_parent() {
    FORKS_ENDED.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn after_in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    FORKS_ENDED.store(FORKS_BEGUN.load(Ordering::SeqCst), Ordering::SeqCst);
    if omit::is_out(Step::ForgetLock) {
        return;
    }
    let null = DEV_NULL.load(Ordering::SeqCst);
    for (index, chunk) in TABLE.iter().enumerate() {
        let chunk = chunk.load(Ordering::SeqCst);
        if chunk.is_null() {
            continue;
        }
        // SAFETY: chunks are leaked boxes, valid for ever once published.
        let chunk = unsafe { &*chunk };
        for (offset, kind) in chunk.iter().enumerate() {
            let fd = (index * CHUNK + offset) as RawFd;
            match kind.load(Ordering::SeqCst) {
                0 => {}
                // SAFETY: only async-signal-safe calls, on a number that this library owns.
                1 => unsafe { replace(fd, null) },
                // SAFETY: as above.
                _ => unsafe { replace_by_event(fd) },
            }
        }
    }
}

/// # Safety
/// `fd` is a descriptor that this library owns in the child.
unsafe fn replace(fd: RawFd, by: RawFd) {
    // SAFETY: as the caller promises; without /dev/null, closing is the best that is left.
    unsafe {
        if by < 0 || libc::dup3(by, fd, libc::O_CLOEXEC) < 0 {
            libc::close(fd);
        }
    }
}

/// # Safety
/// `fd` is a descriptor that this library owns in the child.
unsafe fn replace_by_event(fd: RawFd) {
    // SAFETY: as the caller promises. Closing first frees a number, so that the new event finds one.
    unsafe {
        libc::close(fd);
        let event = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
        if event >= 0 && event != fd {
            libc::dup3(event, fd, libc::O_CLOEXEC);
            libc::close(event);
        }
    }
}

fn slot(fd: RawFd) -> Option<&'static AtomicU8> {
    let fd = usize::try_from(fd).ok()?;
    let chunk = TABLE.get(fd / CHUNK)?;
    let mut pointer = chunk.load(Ordering::Acquire);
    if pointer.is_null() {
        let fresh = Box::into_raw(Box::new([const { AtomicU8::new(0) }; CHUNK]));
        match chunk.compare_exchange(
            std::ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => pointer = fresh,
            Err(other) => {
                // SAFETY: `fresh` was never published.
                drop(unsafe { Box::from_raw(fresh) });
                pointer = other;
            }
        }
    }
    // SAFETY: chunks are leaked boxes, valid for ever once published.
    Some(unsafe { &(*pointer)[fd % CHUNK] })
}

/// An owned descriptor that a forked child does not share.
#[derive(Debug)]
pub(crate) struct PrivateFd(OwnedFd);

impl PrivateFd {
    /// Opens by `open` and registers the descriptor, with no fork in between: a child that got an
    /// unregistered copy would keep the kernel object alive.
    pub(crate) fn open(
        in_child: InChild,
        open: impl Fn() -> Result<OwnedFd, Errno>,
    ) -> Result<PrivateFd, Errno> {
        watch_forks();
        loop {
            let begun = FORKS_BEGUN.load(Ordering::SeqCst);
            if begun != FORKS_ENDED.load(Ordering::SeqCst) {
                // Another thread is inside fork(2) at this moment.
                std::thread::yield_now();
                continue;
            }
            let fd = open()?;
            let Some(slot) = slot(fd.as_raw_fd()) else {
                return Err(Errno::MFILE);
            };
            slot.store(in_child as u8, Ordering::SeqCst);
            let fd = PrivateFd(fd);
            if FORKS_BEGUN.load(Ordering::SeqCst) == begun {
                return Ok(fd);
            }
        }
    }

    /// A second descriptor of the same kernel object, close-on-exec, that a forked child does share.
    pub(crate) fn share(&self) -> Result<OwnedFd, Errno> {
        rustix::io::fcntl_dupfd_cloexec(self.as_fd(), 3)
    }
}

impl AsFd for PrivateFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for PrivateFd {
    fn drop(&mut self) {
        // Before the descriptor is closed, and its number another's.
        if let Some(slot) = slot(self.0.as_raw_fd()) {
            slot.store(0, Ordering::SeqCst);
        }
    }
}

/// State that each process makes anew: a child never touches (nor frees) what it inherited, since a
/// lock in it may be held by a thread that does not exist there.
pub(crate) struct PerProcess<T> {
    current: AtomicPtr<Stamped<T>>,
}

struct Stamped<T> {
    generation: u64,
    value: T,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> PerProcess<T> {
        PerProcess {
            current: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// This process's state, made by `fresh` at its first use.
    pub(crate) fn get(&self, fresh: impl FnOnce() -> T) -> &T {
        let generation = generation();
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: a published pointer stays valid until `self` is dropped.
        if let Some(stamped) = unsafe { current.as_ref() }
            && stamped.generation == generation
        {
            return &stamped.value;
        }
        let made = Box::into_raw(Box::new(Stamped {
            generation,
            value: fresh(),
        }));
        match self
            .current
            .compare_exchange(current, made, Ordering::AcqRel, Ordering::Acquire)
        {
            // What the child inherited is leaked, once per fork.
            // SAFETY: published just now.
            Ok(_) => unsafe { &(*made).value },
            Err(other) => {
                // SAFETY: `made` was never published; `other` was, by a thread of this process.
                unsafe {
                    drop(Box::from_raw(made));
                    &(*other).value
                }
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let current = *self.current.get_mut();
        if current.is_null() {
            return;
        }
        // SAFETY: published by `get`, and nobody borrows from `self` any more.
        unsafe {
            if (*current).generation == GENERATION.load(Ordering::Acquire) {
                drop(Box::from_raw(current));
            }
        }
    }
}

// SAFETY: the pointer is owned, published with release and read with acquire.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}
// SAFETY: as above; the value moves with it.
unsafe impl<T: Send> Send for PerProcess<T> {}

/// In a child between fork and exec: lets `fd` go through the exec.
pub(crate) fn keep_across_exec(command: &mut std::process::Command, fd: OwnedFd) {
    use std::os::unix::process::CommandExt;
    let hook = move || {
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).map_err(std::io::Error::from)
    };
    // SAFETY: the hook makes one async-signal-safe system call and allocates nothing.
    unsafe {
        command.pre_exec(hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::lock;
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    #[test]
    fn threads_that_come_first_at_once_share_one_state() {
        let state = PerProcess::new();
        let sum = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let count: &AtomicUsize = state.get(|| AtomicUsize::new(0));
                    sum.fetch_add(count.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(sum.into_inner(), 1 + 2 + 3);
    }

    #[test]
    fn an_open_descriptor_is_registered_as_what_its_owner_says() {
        let fd = PrivateFd::open(InChild::OwnEvent, crate::sys::event::new_descriptor)
            .expect("an event");
        let kind = slot(fd.as_fd().as_raw_fd()).expect("a slot");
        assert_eq!(kind.load(Ordering::SeqCst), InChild::OwnEvent as u8);
    }

    #[test]
    fn no_child_keeps_a_lock_of_its_parent_s_whenever_it_was_forked() {
        let file = tempfile::NamedTempFile::new()
            .expect("a temporary file")
            .into_temp_path();
        let (wait_end, hold_end) = std::io::pipe().expect("a pipe");
        let (locked, done) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut children = Vec::new();
        let kept = std::thread::scope(|scope| {
            let owner = scope.spawn(|| {
                let mut kept = 0;
                while !done.load(Ordering::SeqCst) {
                    let fd = PrivateFd::open(InChild::Nothing, || {
                        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
                        rustix::fs::open(&*file, flags, rustix::fs::Mode::empty())
                    })
                    .expect("opened");
                    // A child has its copy until its handler runs, a moment after the fork.
                    let patience = std::time::Instant::now() + std::time::Duration::from_secs(5);
                    while kept == 0 && !lock::try_lock(fd.as_fd()).expect("a lock") {
                        kept += usize::from(std::time::Instant::now() > patience);
                        std::thread::yield_now();
                    }
                    locked.fetch_add(1, Ordering::SeqCst);
                    // As a death does it: closed, never unlocked, registered to the last.
                    // SAFETY: the descriptor is this thread's, and is not used again.
                    unsafe { libc::close(fd.as_fd().as_raw_fd()) };
                    std::mem::forget(fd);
                }
                kept
            });
            for forks in 0..200 {
                while locked.load(Ordering::SeqCst) <= forks {
                    std::thread::yield_now();
                }
                // SAFETY: the child makes async-signal-safe calls alone, and lives until the pipe closes.
                unsafe {
                    let pid = libc::fork();
                    assert!(pid >= 0);
                    if pid == 0 {
                        libc::close(hold_end.as_raw_fd());
                        libc::read(wait_end.as_raw_fd(), [0_u8].as_mut_ptr().cast(), 1);
                        libc::_exit(0);
                    }
                    children.push(pid);
                }
            }
            done.store(true, Ordering::SeqCst);
            owner.join().expect("no panic")
        });
        drop(hold_end);
        for pid in children {
            // SAFETY: a child of ours.
            unsafe { libc::waitpid(pid, &mut 0, 0) };
        }
        assert_eq!(kept, 0, "locks were kept by children");
    }
}
