//! What the driver and the hands have in common: the log, and what an entry's data is.

pub mod record;

/// The data of an entry tells whose it is.
pub fn data_of(name: &str) -> Vec<u8> {
    format!("{name}\n").repeat(100).into_bytes()
}
