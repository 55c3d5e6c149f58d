//! Random letters for names that nobody else must guess or hit upon.

use rustix::rand::{GetRandomFlags, getrandom};

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// `count` letters of 5 random bits each.
pub(crate) fn letters(count: usize) -> String {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        // The kernel's pool is ready long before any process of ours; only a signal can come in between.
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => {
                // No getrandom (a seccomp filter): std's hasher keys are random per process and use.
                use std::hash::{BuildHasher, RandomState};
                for byte in &mut bytes[filled..] {
                    *byte = RandomState::new().hash_one(filled) as u8;
                }
                filled = count;
            }
        }
    }
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte & 31)]))
        .collect()
}
