//! What the programs of the storm in Rust share.

pub mod record;
pub mod told;
