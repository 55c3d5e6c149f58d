//! A worker that is stopped before each of its system calls.

use std::fs::File;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr;

use crate::child::{Ended, confine, wait};

/// Runs a worker: `prepare` in peace, then `operation`, before each of whose system calls `at_call` is told its
/// number, from 0, while the worker stands still. Answers with how many there were, and how it ended.
pub fn trace<P>(
    told: &Path,
    patience: u32,
    prepare: impl FnOnce() -> P,
    operation: impl FnOnce(&P, &mut dyn Write),
    mut at_call: impl FnMut(usize),
) -> (usize, Ended) {
    let mut file = File::create(told).unwrap();
    // SAFETY: this process has one thread, so its child may do all that it may.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", io::Error::last_os_error());
    if child == 0 {
        let ran = catch_unwind(AssertUnwindSafe(|| {
            confine(patience).unwrap();
            let prepared = prepare();
            let mut lines = Vec::new();
            be_traced();
            operation(&prepared, &mut lines);
            stand_still();
            file.write_all(&lines).unwrap();
        }));
        // SAFETY: it takes a number. Nothing of the parent's is dropped twice.
        unsafe { libc::_exit(if ran.is_ok() { 0 } else { 101 }) };
    }
    let mut calls = 0;
    let mut is_begun = false;
    let mut is_in_call = false;
    loop {
        let (_, status, usage) = wait(child);
        if !libc::WIFSTOPPED(status) {
            return (calls, Ended::new(status, &usage, told, None));
        }
        let mut passed_on = 0;
        match libc::WSTOPSIG(status) {
            libc::SIGSTOP if !is_begun => {
                is_begun = true;
                let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
                ask(libc::PTRACE_SETOPTIONS, child, options);
            }
            // It has done the operation, and goes on alone.
            libc::SIGSTOP => {
                ask(libc::PTRACE_DETACH, child, 0);
                continue;
            }
            signal if signal == libc::SIGTRAP | 0x80 => {
                is_in_call = !is_in_call;
                if is_in_call {
                    at_call(calls);
                    calls += 1;
                }
            }
            signal => passed_on = signal,
        }
        ask(libc::PTRACE_SYSCALL, child, passed_on);
    }
}

fn be_traced() {
    // SAFETY: it takes nothing but the request.
    let answer = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    assert_eq!(answer, 0, "{}", io::Error::last_os_error());
    stand_still();
}

fn stand_still() {
    // SAFETY: it takes a number.
    unsafe { libc::raise(libc::SIGSTOP) };
}

fn ask(request: libc::c_uint, child: libc::pid_t, what: libc::c_int) {
    let nothing = ptr::null_mut::<libc::c_void>();
    // SAFETY: the child is ours and stands still; the request needs no memory of ours.
    let answer = unsafe { libc::ptrace(request, child, nothing, libc::c_long::from(what)) };
    assert_eq!(answer, 0, "{}", io::Error::last_os_error());
}
