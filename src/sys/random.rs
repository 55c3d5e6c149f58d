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
    let mut letters = String::with_capacity(count);
    while letters.len() < count {
        match supply.pop() {
            Some(byte) => letters.push(char::from(LETTERS[usize::from(byte & 31)])),
            None => *supply = draw(),
        }
    }
    letters
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
