//! What the workers and the signals share: the running commands, and what ends the whole run.

use std::collections::HashSet;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

#[derive(Default)]
pub struct Control {
    commands: Mutex<Commands>,
    fatal: Mutex<Option<anyhow::Error>>,
}

#[derive(Default)]
struct Commands {
    killed: bool,
    /// Of commands that run or are not yet reaped: these ids belong to nobody else.
    groups: HashSet<Pid>,
}

pub enum Started {
    Running(Child),
    /// The second signal came first: nothing is started any more.
    Killed,
}

impl Control {
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `command` in a process group of its own: a terminal's Ctrl-C is for us alone,
    /// and the kill reaches what the command has started.
    pub fn start(&self, command: &mut Command) -> std::io::Result<Started> {
        use std::os::unix::process::CommandExt;
        let mut commands = lock(&self.commands);
        if commands.killed {
            return Ok(Started::Killed);
        }
        let child = command.process_group(0).spawn()?;
        commands.groups.insert(Pid::from_child(&child));
        Ok(Started::Running(child))
    }

    /// Waits for the end of a command that `start` began.
    pub fn wait(&self, mut child: Child) -> std::io::Result<std::process::ExitStatus> {
        let pid = Pid::from_child(&child);
        // Until the child is reaped nobody else can have its id, so the kill never hits a stranger.
        while let Err(error) = waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        ) {
            if error != rustix::io::Errno::INTR {
                break;
            }
        }
        lock(&self.commands).groups.remove(&pid);
        child.wait()
    }

    /// Kills every command that runs, and lets no other start.
    pub fn kill(&self) {
        let mut commands = lock(&self.commands);
        commands.killed = true;
        for &group in &commands.groups {
            // A command that ended by itself in this moment is as dead.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    pub fn is_killed(&self) -> bool {
        lock(&self.commands).killed
    }

    /// The first error that makes it senseless to go on.
    pub fn set_fatal(&self, error: anyhow::Error) {
        lock(&self.fatal).get_or_insert(error);
    }

    pub fn take_fatal(&self) -> Option<anyhow::Error> {
        lock(&self.fatal).take()
    }
}

/// A worker that panicked leaves nothing half-changed under these locks.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
