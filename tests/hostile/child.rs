//! What workers run in: a process of their own, without privileges, with little memory and little time.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::yard::{WORKER, am_root};

/// As much memory as a worker may ask for.
const ADDRESS_SPACE: u64 = 1 << 30;
/// As much as it may really use.
const RESIDENT_KIB: i64 = 300 * 1024;

/// How a process ended.
pub struct Ended {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    pub status: Option<i32>,
    /// That it hung, was killed, or used up memory.
    pub faults: Vec<String>,
}

/// A process that was started.
pub struct Running(libc::pid_t);

/// The limits of a worker, for the process that calls this.
pub fn confine(patience: u32) -> io::Result<()> {
    let space = libc::rlimit {
        rlim_cur: ADDRESS_SPACE,
        rlim_max: ADDRESS_SPACE,
    };
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let done = |answer: libc::c_int| match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    // SAFETY: plain system calls with valid arguments; it may run between a fork and an exec.
    unsafe {
        // Not killed by what makes the harness itself ignore it.
        libc::signal(libc::SIGIO, libc::SIG_DFL);
        libc::umask(0o022);
        libc::alarm(patience);
        done(libc::setrlimit(libc::RLIMIT_AS, &space))?;
        done(libc::setrlimit(libc::RLIMIT_CORE, &none))?;
        if am_root() {
            done(libc::setgroups(0, std::ptr::null()))?;
            done(libc::setgid(WORKER))?;
            done(libc::setuid(WORKER))?;
        }
    }
    Ok(())
}

/// Forks. The child runs `body` and ends; what it writes goes to the file `told`.
pub fn start(told: &Path, patience: u32, body: impl FnOnce(&mut dyn Write)) -> Running {
    let mut file = File::create(told).unwrap();
    // SAFETY: this process has one thread, so its child may do all that it may.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", io::Error::last_os_error());
    if child > 0 {
        return Running(child);
    }
    let ran = catch_unwind(AssertUnwindSafe(|| {
        confine(patience).unwrap();
        body(&mut file);
    }));
    // SAFETY: it takes a number. Nothing of the parent's is dropped twice.
    unsafe { libc::_exit(if ran.is_ok() { 0 } else { 101 }) };
}

/// As [`start`], for a planter, which is not confined: it is killed in the end.
pub fn start_planter(body: impl FnOnce()) -> Running {
    // SAFETY: as in `start`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", io::Error::last_os_error());
    if child == 0 {
        let _ = catch_unwind(AssertUnwindSafe(body));
        // SAFETY: as in `start`.
        unsafe { libc::_exit(101) };
    }
    Running(child)
}

/// Runs `body` in a process of its own, to its end.
pub fn run(told: &Path, patience: u32, body: impl FnOnce(&mut dyn Write)) -> Ended {
    let running = start(told, patience, body);
    running.wait(told, None)
}

/// Runs a command; its streams go to files in `dir`.
#[allow(
    clippy::zombie_processes,
    reason = "it is waited for by its id, to learn what it used"
)]
pub fn run_command(command: &mut Command, dir: &Path, patience: u32) -> Ended {
    let (out, err) = (dir.join("out"), dir.join("err"));
    command
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap());
    // SAFETY: it makes plain system calls.
    unsafe { command.pre_exec(move || confine(patience)) };
    let child = command.spawn().unwrap();
    let pid = libc::pid_t::try_from(child.id()).unwrap();
    Running(pid).wait(&out, Some(&err))
}

impl Running {
    /// Waits for its end; `out` and `err` are where its streams went.
    pub fn wait(self, out: &Path, err: Option<&Path>) -> Ended {
        let (pid, status, usage) = wait(self.0);
        assert_eq!(pid, self.0);
        Ended::new(status, &usage, out, err)
    }

    /// Kills it, and waits until it is gone; whether it was still at work.
    pub fn kill(self) -> bool {
        let mut status = 0;
        // SAFETY: the child is ours and not yet waited for, so its id is nobody else's.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, &raw mut status, 0);
        }
        libc::WIFSIGNALED(status)
    }
}

/// Waits for news of a child: its id, its status, and what it has used up.
pub fn wait(child: libc::pid_t) -> (libc::pid_t, libc::c_int, libc::rusage) {
    // SAFETY: rusage is plain data; there is room for both answers.
    unsafe {
        let (mut status, mut usage) = (0, std::mem::zeroed());
        let pid = libc::wait4(child, &raw mut status, 0, &raw mut usage);
        assert!(pid > 0, "{}", io::Error::last_os_error());
        (pid, status, usage)
    }
}

impl Ended {
    pub fn new(status: libc::c_int, usage: &libc::rusage, out: &Path, err: Option<&Path>) -> Ended {
        let mut faults = Vec::new();
        if libc::WIFSIGNALED(status) {
            faults.push(match libc::WTERMSIG(status) {
                libc::SIGALRM => "it hangs: stopped when its time was up".to_owned(),
                signal => format!("it was killed by signal {signal}"),
            });
        }
        if usage.ru_maxrss > RESIDENT_KIB {
            faults.push(format!("it used {} MiB", usage.ru_maxrss / 1024));
        }
        Ended {
            out: contents(out),
            err: err.map(contents).unwrap_or_default(),
            status: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
            faults,
        }
    }
}

fn contents(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What a hostile file makes a worker print may be long; nobody needs more of it than this.
    let opened = File::open(path).unwrap();
    opened.take(64 << 20).read_to_end(&mut bytes).unwrap();
    fs::remove_file(path).unwrap();
    bytes
}
