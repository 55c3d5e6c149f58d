//! Random letters for names that nobody else must guess or hit upon.

use std::sync::Mutex;

use rustix::rand::{GetRandomFlags, getrandom};

use super::fork::PerProcess;
use super::sync::lock;

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// So many bytes are asked for at once; a forked child asks anew.
const DRAWN: usize = 256;

static SUPPLY: PerProcess<Mutex<Vec<u8>>> = PerProcess::new();

/// `count` letters of 5 random bits each.
pub(crate) fn letters(count: usize) -> String {
    let mut supply = lock(SUPPLY.get(Mutex::default));
    (0..count)
        .map(|_| char::from(LETTERS[usize::from(byte(&mut supply) & 31)]))
        .collect()
}

/// A number below `limit`; 0 where that is 0.
pub(crate) fn below(limit: usize) -> usize {
    let mut supply = lock(SUPPLY.get(Mutex::default));
    let bytes = [(); 8].map(|()| byte(&mut supply));
    // Not quite even, by less than anybody could notice.
    usize::from_ne_bytes(bytes).checked_rem(limit).unwrap_or(0)
}

fn byte(supply: &mut Vec<u8>) -> u8 {
    loop {
        match supply.pop() {
            Some(byte) => return byte,
            None => *supply = draw(),
        }
    }
}

fn draw() -> Vec<u8> {
    let mut bytes = vec![0; DRAWN];
    let mut filled = 0;
    while filled < DRAWN {
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
                filled = DRAWN;
            }
        }
    }
    bytes
}
