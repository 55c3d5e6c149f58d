//! Forked children: each reports what it did, lives until it is told, and dies without ceremony.
#![allow(unsafe_code, reason = "fork is what is tested")]

use std::any::Any;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::operation::Bytes;
use crate::verdict::{Figures, Verdict, Wrong};

/// No child takes longer than this for all that it does, in seconds.
const CHILD_SECONDS: u32 = 120;

/// No sequence takes longer than this, in seconds.
const CASE_SECONDS: u32 = 300;

/// Ends this process, and says why, if what it does now takes too long: it hangs, which no failure tells.
pub fn must_not_hang() {
    extern "C" fn say_so(_: libc::c_int) {
        const HANGS: &[u8] = b"a sequence takes too long: it hangs\n";
        // SAFETY: both are fine in a signal handler.
        unsafe {
            libc::write(2, HANGS.as_ptr().cast(), HANGS.len());
            libc::_exit(1)
        }
    }
    let say_so: extern "C" fn(libc::c_int) = say_so;
    // SAFETY: the handler makes async-signal-safe calls alone.
    unsafe {
        libc::signal(libc::SIGALRM, say_so as libc::sighandler_t);
        libc::alarm(CASE_SECONDS);
    }
}

/// A child's line to its parent.
pub struct Line {
    report: PipeWriter,
    life: PipeReader,
    /// Closed when the report is out: a dying parent in between waits for that.
    heir: Option<PipeWriter>,
}

/// What a child has said of itself.
#[derive(Debug, Default)]
pub struct Report {
    /// The names whose ownership it holds.
    pub owned: Vec<Bytes>,
    pub figures: Figures,
}

/// A child that has been forked and not been waited for.
pub struct Child {
    first: libc::pid_t,
    /// The one that lives on: the first, or a child of its.
    last: libc::pid_t,
    report: BufReader<PipeReader>,
    life: Option<PipeWriter>,
}

/// Runs `child` in a child of this process, which lives on after that until [`Child::end`].
pub fn spawn(child: impl FnOnce(&mut Line) -> Result<Report, Wrong>) -> Result<Child, Wrong> {
    // So that the children of a dead child become this process's to wait for.
    // SAFETY: a flag of this process.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let (report_read, report_write) = pipe().map_err(failed)?;
    let (life_read, life_write) = pipe().map_err(failed)?;
    match fork()? {
        Some(pid) => Ok(Child {
            first: pid,
            last: pid,
            report: BufReader::new(report_read),
            life: Some(life_write),
        }),
        None => {
            drop((report_read, life_write));
            let line = Line {
                report: report_write,
                life: life_read,
                heir: None,
            };
            line.live(child)
        }
    }
}

impl Line {
    fn live(mut self, child: impl FnOnce(&mut Line) -> Result<Report, Wrong>) -> ! {
        let done = catch_unwind(AssertUnwindSafe(|| child(&mut self)));
        let said = match done {
            Ok(Ok(report)) => self.tell(&report),
            Ok(Err(Wrong(what))) => write!(self.report, "wrong\n{what}"),
            Err(payload) => write!(self.report, "wrong\n{}", panic_message(&*payload)),
        };
        self.heir = None;
        if said.is_ok() {
            // SAFETY: from here on it only waits.
            unsafe { libc::alarm(0) };
            // At the end of the parent's, or of the parent.
            let _ = self.life.read(&mut [0]);
        }
        exit(i32::from(said.is_err()))
    }

    fn tell(&mut self, report: &Report) -> std::io::Result<()> {
        for name in &report.owned {
            writeln!(self.report, "owned {}", hex(name))?;
        }
        for (what, times) in &report.figures.0 {
            writeln!(self.report, "figure {times} {what}")?;
        }
        writeln!(self.report, "end")
    }

    /// Goes on in a child of this process. This one dies when that has said its report.
    pub fn go_on_in_a_child(&mut self) -> Verdict {
        let (mut heir_read, heir_write) = pipe().map_err(failed)?;
        if fork()?.is_some() {
            drop(heir_write);
            let _ = heir_read.read(&mut [0]);
            exit(0);
        }
        self.heir = Some(heir_write);
        // SAFETY: asks for a number.
        writeln!(self.report, "pid {}", unsafe { libc::getpid() }).map_err(failed)
    }
}

impl Child {
    /// Waits until the last child has done all that it was to do; any other has died by then.
    pub fn report(&mut self) -> Result<Report, Wrong> {
        let mut report = Report::default();
        loop {
            let mut line = String::new();
            if self.report.read_line(&mut line).map_err(failed)? == 0 {
                return Err(Wrong(format!(
                    "a child died early: status {}",
                    self.reap()?
                )));
            }
            match line.trim_end().split_once(' ') {
                Some(("pid", pid)) => self.last = pid.parse().map_err(failed)?,
                Some(("owned", name)) => report.owned.push(unhex(name)?),
                Some(("figure", figure)) => {
                    let (times, what) = figure.split_once(' ').unwrap_or(("0", figure));
                    report.figures.count(what, times.parse().map_err(failed)?);
                }
                None if line == "end\n" => break,
                _ => return Err(self.what_is_wrong(line)),
            }
        }
        if self.first != self.last {
            let status = wait(self.first)?;
            self.first = self.last;
            must_be("a child with a child of its own", status, 0)?;
        }
        Ok(report)
    }

    fn what_is_wrong(&mut self, first: String) -> Wrong {
        let mut said = Vec::new();
        let rest = match first.as_str() {
            "wrong\n" => String::new(),
            _ => first,
        };
        self.life = None;
        let read = self.report.read_to_end(&mut said);
        let said = rest + &String::from_utf8_lossy(&said);
        match read {
            Ok(_) => Wrong(format!("in a child: {said}")),
            Err(error) => failed(error),
        }
    }

    /// Has it die: by a signal, or by `_exit` with all that it holds.
    pub fn end(mut self, kill: bool) -> Verdict {
        if kill {
            // SAFETY: a child of ours that has not been waited for.
            unsafe { libc::kill(self.last, libc::SIGKILL) };
        }
        self.life = None;
        let status = self.reap()?;
        must_be("a child", status, if kill { libc::SIGKILL } else { 0 })
    }

    /// Waits for all that there are; the last one's status.
    fn reap(&mut self) -> Result<i32, Wrong> {
        let (first, last) = (self.first, self.last);
        (self.first, self.last) = (0, 0);
        if first != last && first != 0 {
            wait(first)?;
        }
        wait(last)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        for pid in [self.first, self.last] {
            if pid > 0 {
                // SAFETY: children of ours that have not been waited for.
                unsafe {
                    libc::kill(pid, libc::SIGKILL);
                    libc::waitpid(pid, &mut 0, 0);
                }
            }
        }
    }
}

/// `None` in the child.
fn fork() -> Result<Option<libc::pid_t>, Wrong> {
    // SAFETY: this process has one thread that does anything, and the child leaves by _exit.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: a child that hangs is ended by the signal.
            unsafe {
                libc::signal(libc::SIGALRM, libc::SIG_DFL);
                libc::alarm(CHILD_SECONDS);
            }
            Ok(None)
        }
        pid if pid > 0 => Ok(Some(pid)),
        _ => Err(failed(std::io::Error::last_os_error())),
    }
}

fn exit(status: i32) -> ! {
    // SAFETY: ends the child without running the parent's destructors.
    unsafe { libc::_exit(status) }
}

fn wait(pid: libc::pid_t) -> Result<i32, Wrong> {
    let mut status = 0;
    // SAFETY: waits for a child of ours.
    match unsafe { libc::waitpid(pid, &raw mut status, 0) } {
        waited if waited == pid => Ok(status),
        _ => Err(failed(std::io::Error::last_os_error())),
    }
}

fn must_be(who: &str, status: i32, expected: i32) -> Verdict {
    match status == expected {
        true => Ok(()),
        false => Err(Wrong(format!("{who} ended with status {status}"))),
    }
}

pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("with no message"))
}

fn failed(error: impl std::fmt::Display) -> Wrong {
    Wrong(format!("a child could not be had: {error}"))
}

fn hex(name: &Bytes) -> String {
    name.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Result<Bytes, Wrong> {
    let bytes = (0..digits.len()).step_by(2);
    let bytes = bytes.map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    let bytes: Result<Vec<u8>, _> = bytes.collect();
    bytes.map(Bytes).map_err(failed)
}
