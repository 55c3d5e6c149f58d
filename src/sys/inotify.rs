//! inotify: the kernel's word that something happened in a directory.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::fork::{InChild, PrivateFd};

/// A process's inotify instance.
pub(crate) struct Inotify(PrivateFd);

/// What happened in a watched directory.
pub(crate) enum Happening<'a> {
    /// A file appeared under this name.
    Arrival { watch: i32, name: &'a [u8] },
    /// The file or directory of this name was removed.
    Removal { watch: i32, name: &'a [u8] },
    /// The directory itself was removed, moved or unmounted. The kernel tells of a removal only once
    /// nobody has the directory open.
    Gone { watch: i32 },
    /// The kernel dropped events: anything may have happened anywhere.
    Overflow,
}

impl Inotify {
    pub(crate) fn new() -> Result<Inotify, Errno> {
        PrivateFd::open(InChild::Nothing, || {
            inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
        })
        .map(Inotify)
    }

    /// Watches the directory that is open as `dir`; `path` is where it is, should /proc be missing.
    pub(crate) fn watch(&self, dir: BorrowedFd<'_>, path: &Path) -> Result<i32, Errno> {
        let flags = WatchFlags::MOVED_TO
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let open = format!("/proc/self/fd/{}", dir.as_raw_fd());
        match inotify::add_watch(self.0.as_fd(), open, flags) {
            Err(Errno::NOENT) => inotify::add_watch(self.0.as_fd(), path, flags),
            result => result,
        }
    }

    pub(crate) fn unwatch(&self, watch: i32) {
        // EINVAL: the kernel dropped the watch with its directory.
        let _ = inotify::remove_watch(self.0.as_fd(), watch);
    }

    /// Gives all that has happened so far to `each`; does not wait.
    pub(crate) fn drain(&self, mut each: impl FnMut(Happening<'_>)) -> Result<(), Errno> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 16 * 1024];
        let mut reader = Reader::new(self.0.as_fd(), &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            };
            let (watch, flags) = (event.wd(), event.events());
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                each(Happening::Overflow);
            } else if flags.intersects(
                ReadFlags::DELETE_SELF
                    | ReadFlags::MOVE_SELF
                    | ReadFlags::UNMOUNT
                    | ReadFlags::IGNORED,
            ) {
                each(Happening::Gone { watch });
            } else if let Some(name) = event.file_name() {
                let name = name.to_bytes();
                each(if flags.contains(ReadFlags::DELETE) {
                    Happening::Removal { watch, name }
                } else {
                    Happening::Arrival { watch, name }
                });
            }
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
