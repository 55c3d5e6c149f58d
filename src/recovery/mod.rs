//! Putting right what the dead left behind.

mod away;
pub(crate) mod recover;
pub(crate) mod repair;
