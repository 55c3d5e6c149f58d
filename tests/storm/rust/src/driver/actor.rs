//! One process of the cast.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use storm::record::now;

/// A process that runs, or is stopped. It dies with this one.
pub struct Actor {
    pub child: Child,
    /// Its number in the logs.
    pub process: u32,
    /// Before it could do anything.
    pub begun: u64,
    /// When it goes on, if it is stopped.
    pub continues: Option<Instant>,
}

impl Actor {
    #[expect(unsafe_code, reason = "what a child does before exec")]
    pub fn start(process: u32, command: &mut Command) -> Result<Actor> {
        let bind = || Ok(set_parent_process_death_signal(Some(Signal::KILL))?);
        // SAFETY: `bind` makes one system call, and touches no memory or lock of the parent's.
        unsafe { command.pre_exec(bind) };
        let begun = now();
        let started = command.spawn();
        let child = started.with_context(|| format!("cannot start {:?}", command.get_program()))?;
        Ok(Actor {
            child,
            process,
            begun,
            continues: None,
        })
    }

    /// Its number is still its own: it has not been waited for.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("no process number")?, signal)?;
        Ok(())
    }
}
