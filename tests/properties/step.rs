//! A throttle that lets one step run at a time, and tells where a limit of one would wait for itself.

use std::cell::Cell;

use multispool::Throttle;

thread_local! {
    static IN_A_STEP: Cell<bool> = const { Cell::new(false) };
}

pub struct OneStep;

impl Throttle for OneStep {
    fn run(&self, step: &mut dyn FnMut()) {
        must_not_be_in_one("a step");
        IN_A_STEP.set(true);
        let _end = End;
        step();
    }
}

/// Ends the step also when it panics.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        IN_A_STEP.set(false);
    }
}

/// A slot is held for one short run of system calls: never while the caller's code runs, or another step.
pub fn must_not_be_in_one(what: &str) {
    assert!(!IN_A_STEP.get(), "{what} within a step");
}
