//! The C ABI: the functions of `include/multispool.h`, which is generated from the files here, one
//! section a file.
//!
//! Nothing below knows about paths, renames or retries: each export checks its arguments, calls the
//! crate's own interface inside one guard ([`guard`]) and turns the answer into a status.
//! What C must respect is what the types say: `Option<&T>` and `Option<&mut T>` are pointers that may be
//! NULL, `Option<Box<T>>` is a handle given back, `MaybeUninit` is an output.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, reason = "the names of C types")]
#![allow(clippy::too_many_arguments, reason = "C has no default arguments")]

mod argument;
mod batch;
mod buffer;
mod checkout;
mod daemon;
mod data_file;
mod enqueue;
mod entry;
mod error;
mod event;
mod guard;
mod handle;
mod limits;
mod monitor;
mod names;
mod problems;
mod reader;
mod recover;
mod repair;
mod spool;
mod stats;
mod status;
mod stop;
mod time;
mod version;
