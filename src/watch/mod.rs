//! Waiting for a queue to change. "Drain, then list" lives here and in the reader: events that came
//! before a listing are taken first, so that nothing that arrives after it goes unseen.

pub(crate) mod inotify;
pub(crate) mod poll;
pub(crate) mod watcher;
