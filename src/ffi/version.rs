//! # Versions
//!
//! The macros say what a program was compiled against, the functions what it runs with. A wrapper
//! refuses another major version, and a minor version that is older than its own.

use std::ffi::c_char;

const VERSION: u32 = (number(env!("CARGO_PKG_VERSION_MAJOR")) << 16)
    | (number(env!("CARGO_PKG_VERSION_MINOR")) << 8)
    | number(env!("CARGO_PKG_VERSION_PATCH"));

const fn number(digits: &str) -> u32 {
    let digits = digits.as_bytes();
    let mut number = 0;
    let mut index = 0;
    while index < digits.len() {
        number = number * 10 + (digits[index] - b'0') as u32;
        index += 1;
    }
    number
}

/// The version of the library that runs, to compare with `MULTISPOOL_VERSION`:
/// major in bits 16 to 23, minor in bits 8 to 15, patch in bits 0 to 7.
///
/// # Safety
/// None is needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_version() -> u32 {
    VERSION
}

/// The same as text, to compare with `MULTISPOOL_VERSION_STRING`. It lives for ever; do not free it.
///
/// # Safety
/// None is needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of the format on disk that this library writes: the number in the first line of a
/// spool's `.multispool/format`. A spool that asks for more is refused with UNSUPPORTED.
///
/// # Safety
/// None is needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multispool_format_version() -> u32 {
    crate::FORMAT_VERSION
}
