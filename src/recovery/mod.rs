//! Putting right what the dead left behind.

pub(crate) mod recover;
pub(crate) mod repair;
