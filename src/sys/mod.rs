//! The only door to the kernel: everything below is a system call with its retries, or a state that
//! the kernel and a fork force upon us. Nothing here knows what a spool is.

#![allow(unsafe_code)]

pub(crate) mod clock;
pub(crate) mod dir;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod file_system;
pub(crate) mod fork;
pub(crate) mod host;
pub(crate) mod inotify;
pub(crate) mod journal;
pub(crate) mod lock;
pub(crate) mod random;
pub(crate) mod rename;
pub(crate) mod sync;
pub(crate) mod thread;
