//! The process whose calls fail: it makes one operation between two markers, tells what came of it, and
//! tries again.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use multispool::{Error, ErrorKind};

use super::operations::Operation;
use super::room::Room;
use super::tracer::mark;

/// One operation on what it needs, ready to be made: the first time, and again if it failed.
pub struct Attempt(Box<dyn FnMut(Time) -> Result<String, Error>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    First,
    Again,
}

impl Attempt {
    /// `act` answers what it saw.
    pub fn new(mut act: impl FnMut() -> Result<String, Error> + 'static) -> Attempt {
        Attempt(Box::new(move |_| act()))
    }

    /// One that is made another way when it is made again.
    pub fn by_time(act: impl FnMut(Time) -> Result<String, Error> + 'static) -> Attempt {
        Attempt(Box::new(act))
    }
}

/// A limit of the process that holds while the operation is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many descriptors may be made.
    Descriptors(u64),
    /// No file may have more bytes.
    FileSize(u64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Descriptors(count) => write!(f, "{count} more descriptors"),
            Limit::FileSize(bytes) => write!(f, "files of {bytes} bytes at most"),
        }
    }
}

impl Limit {
    pub fn argument(self) -> String {
        match self {
            Limit::Descriptors(count) => format!("descriptors={count}"),
            Limit::FileSize(bytes) => format!("file-size={bytes}"),
        }
    }

    fn parse(argument: &str) -> Limit {
        let (what, number) = argument.split_once('=').unwrap();
        let number = number.parse().unwrap();
        match what {
            "descriptors" => Limit::Descriptors(number),
            _ => Limit::FileSize(number),
        }
    }

    /// Sets the limit; answers how to take it away again.
    fn set(self) -> impl FnOnce() {
        let (resource, value) = match self {
            // A new descriptor has the smallest number that is free, and must be below the limit.
            Limit::Descriptors(count) => {
                let open: Vec<u64> = descriptors()
                    .into_iter()
                    .map(|(number, _)| number)
                    .collect();
                let mut free = (0..).filter(|number| !open.contains(number));
                (libc::RLIMIT_NOFILE, free.nth(count as usize).unwrap())
            }
            Limit::FileSize(bytes) => {
                // SAFETY: no handler is set. Else the process would die of its first write too many.
                unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
                (libc::RLIMIT_FSIZE, bytes)
            }
        };
        let mut before = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `before` is valid for both calls.
        unsafe {
            assert_eq!(libc::getrlimit(resource, &raw mut before), 0);
            let lower = libc::rlimit {
                rlim_cur: value,
                ..before
            };
            assert_eq!(libc::setrlimit(resource, &raw const lower), 0);
        }
        // SAFETY: `before` is valid for the call.
        move || unsafe { assert_eq!(libc::setrlimit(resource, &raw const before), 0) }
    }
}

/// The whole life of the process.
pub fn work(operation: &Operation, room: &Room, limit: Option<&str>) {
    let before = descriptors();
    let Attempt(mut act) = (operation.attempt)(room);
    let lift = limit.map(|limit| Limit::parse(limit).set());
    mark();
    let first = act(Time::First);
    mark();
    if let Some(lift) = lift {
        lift();
    }
    let is_over = match &first {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::NotDurable,
    };
    tell(&first);
    mark();
    if !is_over {
        tell(&act(Time::Again));
        mark();
    }
    drop(act);
    // A thread of the library's own ends by itself, and its descriptors with it.
    while fs::read_dir("/proc/self/task").unwrap().count() > 1 {
        std::thread::yield_now();
    }
    let after = descriptors();
    let more: Vec<String> = after
        .into_iter()
        .filter(|open| !before.contains(open))
        .map(|(_, on)| on.to_string_lossy().into_owned())
        .collect();
    say(&more.join("\t"));
}

/// The open descriptors, and what they are open on.
fn descriptors() -> Vec<(u64, PathBuf)> {
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|found| {
        let found = found.unwrap();
        let number = found.file_name().to_str()?.parse().ok()?;
        // The one that reads this directory may be gone by the time it is asked for.
        let on = fs::read_link(found.path()).ok()?;
        (!on.starts_with("/proc")).then_some((number, on))
    });
    open.collect()
}

/// What an attempt came to, as the process tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Done(String),
    Failed(Failure),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    pub kind: String,
    pub operation: String,
    pub path: PathBuf,
    pub errno: i32,
    pub entry: String,
    pub sentence: String,
}

fn tell(result: &Result<String, Error>) {
    match result {
        Ok(seen) => say(&format!("done\t{seen}")),
        Err(error) => {
            let path = error.path().map(|path| path.display().to_string());
            let entry = error.entry_name().map(ToString::to_string);
            say(&format!(
                "failed\t{:?}\t{}\t{}\t{}\t{}\t{error}",
                error.kind(),
                error.operation(),
                path.unwrap_or_default(),
                error.errno().unwrap_or(0),
                entry.unwrap_or_default(),
            ));
        }
    }
}

fn say(line: &str) {
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

impl Told {
    pub fn parse(line: &str) -> Told {
        let mut parts = line.splitn(7, '\t');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        match next().as_str() {
            "done" => Told::Done(line["done\t".len()..].to_owned()),
            _ => Told::Failed(Failure {
                kind: next(),
                operation: next(),
                path: next().into(),
                errno: next().parse().unwrap(),
                entry: next(),
                sentence: next(),
            }),
        }
    }
}
