//! Runs a process between markers, and makes chosen system calls of it fail.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::calls::{Call, Fault, Memory, known};

/// Which calls are to fail: they are counted from 0, those that touch no file left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// None.
    Nothing,
    /// These.
    Once(Vec<(usize, Fault)>),
    /// From this one on every one that fails so for as long as the cause lasts.
    From(usize, Fault),
}

impl Plan {
    /// The first call that is to fail.
    pub fn first(&self) -> Option<usize> {
        match self {
            Plan::Nothing => None,
            Plan::Once(faults) => faults.first().map(|(index, _)| *index),
            Plan::From(first, _) => Some(*first),
        }
    }

    /// Whether no call after these is to fail.
    fn is_over(&self, made: usize) -> bool {
        match self {
            Plan::Nothing => true,
            Plan::Once(faults) => faults.iter().all(|(index, _)| *index < made),
            Plan::From(..) => false,
        }
    }

    fn fault(&self, index: usize, call: &Call) -> Option<Fault> {
        match self {
            Plan::Nothing => None,
            Plan::Once(faults) => faults
                .iter()
                .find(|(chosen, _)| *chosen == index)
                .map(|(_, fault)| *fault),
            Plan::From(first, fault) => {
                (index >= *first && call.fails_for_as_long_as(*fault)).then_some(*fault)
            }
        }
    }
}

/// A call that was made.
#[derive(Clone, Debug)]
pub struct Made {
    pub call: Call,
    pub fault: Option<Fault>,
    /// What it answered: an error is negative.
    pub answer: i64,
}

/// How a process came to a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is at its next marker, and stands still.
    Marker,
    Exited(i32),
    Killed(i32),
}

/// A process of ours that stands still or has ended. Killed when dropped before its end.
pub struct Traced {
    pid: libc::pid_t,
    memory: ChildMemory,
    reports: BufReader<ChildStdout>,
    child: Child,
    has_ended: bool,
}

/// Whether a process may trace its children here.
pub fn may_trace() -> io::Result<()> {
    Traced::start(&mut Command::new("true")).map(drop)
}

/// In the traced process: stands still until the tracer lets it go on.
pub fn mark() {
    // SAFETY: raising a signal touches no memory. The tracer takes the signal away.
    unsafe { libc::raise(libc::SIGSTOP) };
}

impl Traced {
    /// Starts a process; its standard output is for reports.
    pub fn start(command: &mut Command) -> io::Result<Traced> {
        let trace_me = || {
            // SAFETY: two async-signal-safe calls. A process that hangs is killed by the alarm.
            unsafe {
                if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) < 0 {
                    return Err(io::Error::last_os_error());
                }
                libc::alarm(30);
            }
            Ok(())
        };
        // SAFETY: the hook allocates nothing.
        unsafe { command.pre_exec(trace_me) };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pid = child.id() as libc::pid_t;
        let reports = BufReader::new(child.stdout.take().unwrap());
        let memory = ChildMemory {
            pid,
            file: File::open(format!("/proc/{pid}/mem"))?,
        };
        let traced = Traced {
            pid,
            memory,
            reports,
            child,
            has_ended: false,
        };
        // The first stop is that of the exec.
        let stopped = traced.wait();
        assert!(libc::WIFSTOPPED(stopped), "it did not stop at its exec");
        let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
        traced.request(libc::PTRACE_SETOPTIONS, options as usize)?;
        Ok(traced)
    }

    /// Lets it go on to its next marker.
    pub fn go_on(&mut self) -> Stop {
        let mut signal = 0;
        loop {
            self.resume(libc::PTRACE_CONT, signal);
            let status = self.wait();
            match self.stop_of(status) {
                Ok(stop) => return stop,
                Err(other) => signal = other,
            }
        }
    }

    /// Lets it go on to its next marker, and makes calls fail as planned. Answers the calls that it made:
    /// all of them, or those up to the last one that was to fail.
    pub fn trace(&mut self, plan: &Plan, all: bool) -> Result<(Vec<Made>, Stop), String> {
        let mut made = Vec::new();
        let mut signal = 0;
        loop {
            if !all && signal == 0 && plan.is_over(made.len()) {
                return Ok((made, self.go_on()));
            }
            self.resume(libc::PTRACE_SYSCALL, signal);
            signal = 0;
            let status = self.wait();
            if !is_at_a_call(status) {
                match self.stop_of(status) {
                    Ok(stop) => return Ok((made, stop)),
                    Err(other) => signal = other,
                }
                continue;
            }
            let before = self.registers();
            let arguments = [
                before.rdi, before.rsi, before.rdx, before.r10, before.r8, before.r9,
            ];
            let call = known(before.orig_rax as i64, &arguments, &self.memory)?;
            let fault = call.as_ref().and_then(|call| plan.fault(made.len(), call));
            self.before_the_call(&before, call.as_ref(), fault);
            self.resume(libc::PTRACE_SYSCALL, 0);
            let status = self.wait();
            if !is_at_a_call(status) {
                return match self.stop_of(status) {
                    Ok(stop) => Ok((made, stop)),
                    Err(signal) => Err(format!("a signal {signal} inside a call")),
                };
            }
            let answer = self.after_the_call(&before, call.as_ref(), fault);
            if let Some(call) = call {
                made.push(Made {
                    call,
                    fault,
                    answer,
                });
            }
        }
    }

    fn before_the_call(&self, before: &Registers, call: Option<&Call>, fault: Option<Fault>) {
        let mut changed = *before;
        match (fault, call) {
            (Some(Fault::Errno(_)), Some(call)) if !call.acts_though_it_fails() => {
                // No call has this number: the kernel does nothing.
                changed.orig_rax = u64::MAX;
            }
            (Some(Fault::Short), Some(call)) => {
                if let Some(count) = call.count.map(|count| argument(&mut changed, count)) {
                    *count /= 2;
                }
            }
            _ => return,
        }
        self.set_registers(&changed);
    }

    fn after_the_call(&self, before: &Registers, call: Option<&Call>, fault: Option<Fault>) -> i64 {
        let mut after = self.registers();
        match (fault, call) {
            (Some(Fault::Errno(errno)), _) => after.rax = -i64::from(errno) as u64,
            (Some(Fault::Short), Some(call)) => {
                // The kernel preserves the arguments, and compilers rely on it.
                let mut before = *before;
                if let Some(count) = call.count {
                    *argument(&mut after, count) = *argument(&mut before, count);
                }
            }
            _ => return after.rax as i64,
        }
        self.set_registers(&after);
        after.rax as i64
    }

    /// The next line that it reported before it stopped or ended.
    pub fn report(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reports.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(line.trim_end_matches('\n').to_owned()),
        }
    }

    /// What it said when it ended.
    pub fn errors(&mut self) -> String {
        let mut errors = Vec::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_end(&mut errors).unwrap();
        }
        String::from_utf8_lossy(&errors).into_owned()
    }

    fn stop_of(&mut self, status: libc::c_int) -> Result<Stop, libc::c_int> {
        if libc::WIFEXITED(status) {
            self.has_ended = true;
            return Ok(Stop::Exited(libc::WEXITSTATUS(status)));
        }
        if libc::WIFSIGNALED(status) {
            self.has_ended = true;
            return Ok(Stop::Killed(libc::WTERMSIG(status)));
        }
        match libc::WSTOPSIG(status) {
            libc::SIGSTOP => Ok(Stop::Marker),
            other => Err(other),
        }
    }

    fn wait(&self) -> libc::c_int {
        let mut status = 0;
        // SAFETY: `status` is valid for the call, and the process is a child of this thread's.
        while unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) } < 0 {
            let error = io::Error::last_os_error();
            assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}");
        }
        status
    }

    fn resume(&self, how: libc::c_uint, signal: libc::c_int) {
        self.request(how, signal as usize).unwrap();
    }

    fn request(&self, request: libc::c_uint, data: usize) -> io::Result<()> {
        // SAFETY: none of the requests made here has an address.
        match unsafe { libc::ptrace(request, self.pid, 0, data) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    fn registers(&self) -> Registers {
        // SAFETY: plain data, which the kernel fills.
        unsafe {
            let mut registers: Registers = std::mem::zeroed();
            let answer = libc::ptrace(libc::PTRACE_GETREGS, self.pid, 0, &raw mut registers);
            assert_eq!(answer, 0, "{}", io::Error::last_os_error());
            registers
        }
    }

    fn set_registers(&self, registers: &Registers) {
        // SAFETY: the kernel only reads them.
        unsafe {
            let answer = libc::ptrace(libc::PTRACE_SETREGS, self.pid, 0, registers);
            assert_eq!(answer, 0, "{}", io::Error::last_os_error());
        }
    }
}

type Registers = libc::user_regs_struct;

fn argument(registers: &mut Registers, index: usize) -> &mut u64 {
    match index {
        0 => &mut registers.rdi,
        1 => &mut registers.rsi,
        2 => &mut registers.rdx,
        3 => &mut registers.r10,
        4 => &mut registers.r8,
        _ => &mut registers.r9,
    }
}

fn is_at_a_call(status: libc::c_int) -> bool {
    libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGTRAP | 0x80
}

impl Drop for Traced {
    fn drop(&mut self) {
        if !self.has_ended {
            // SAFETY: a child of ours that has not been waited for.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
            while libc::WIFSTOPPED(self.wait()) {}
        }
    }
}

struct ChildMemory {
    pid: libc::pid_t,
    file: File,
}

impl Memory for ChildMemory {
    fn string(&self, address: u64) -> Vec<u8> {
        let mut string = Vec::new();
        let mut part = [0; 64];
        if address == 0 {
            return string;
        }
        loop {
            let from = address + string.len() as u64;
            // A part, where the memory ends.
            let read = self.file.read_at(&mut part, from).unwrap();
            match part[..read].iter().position(|byte| *byte == 0) {
                Some(end) => {
                    string.extend_from_slice(&part[..end]);
                    break;
                }
                None => string.extend_from_slice(&part[..read]),
            }
        }
        string
    }

    fn short(&self, address: u64) -> i16 {
        let mut bytes = [0; 2];
        self.file.read_exact_at(&mut bytes, address).unwrap();
        i16::from_ne_bytes(bytes)
    }

    fn descriptor(&self, number: u64) -> PathBuf {
        let link = format!("/proc/{}/fd/{}", self.pid, number as i32);
        let path = fs::read_link(link).unwrap_or_else(|_| "nothing".into());
        match path
            .to_str()
            .and_then(|path| path.strip_suffix(" (deleted)"))
        {
            Some(path) => path.into(),
            None => path,
        }
    }

    fn current_directory(&self) -> PathBuf {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).unwrap()
    }
}
