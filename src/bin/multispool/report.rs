//! What is told to the caller: lines and JSON on standard output, messages on standard error, the exit status.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use multispool::{Checkout, Error, ErrorKind, QueueName};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::run::NotRunnable;
use crate::signals::Interrupted;

/// As if SIGPIPE had ended us: 128 + 13.
const STDOUT_CLOSED: u8 = 141;

/// How a verb ended, in the order of weight: of several, the last one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Done,
    Negative,
    NotDurable,
    Usage,
    Failure,
}

impl Status {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Failure => 3,
            Self::NotDurable => 4,
        }
    }

    pub fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NameTaken => Self::Negative,
            ErrorKind::InvalidName | ErrorKind::InvalidArgument | ErrorKind::UnknownQueue => {
                Self::Usage
            }
            ErrorKind::NotDurable => Self::NotDurable,
            _ => Self::Failure,
        }
    }
}

/// A call that cannot be meant: exit status 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The reader of our standard output has gone: end without a word.
#[derive(Debug)]
pub struct StdoutClosed;

impl fmt::Display for StdoutClosed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("standard output was closed by its reader")
    }
}

impl std::error::Error for StdoutClosed {}

/// Tells `error` and gives the exit status that belongs to it.
pub fn end(error: &anyhow::Error) -> ExitCode {
    if error.is::<StdoutClosed>() {
        return ExitCode::from(STDOUT_CLOSED);
    }
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        return interrupted.end();
    }
    message(&text(error));
    if let Some(refused) = error.downcast_ref::<NotRunnable>() {
        return ExitCode::from(refused.status);
    }
    ExitCode::from(status(error).code())
}

pub fn status(error: &anyhow::Error) -> Status {
    if error.is::<Usage>() {
        return Status::Usage;
    }
    error
        .downcast_ref::<Error>()
        .map_or(Status::Failure, Status::of)
}

/// The chain of causes, up to the library's error: that one tells its own cause.
fn text(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        parts.push(cause.to_string());
        if cause.is::<Error>() {
            break;
        }
    }
    parts.join(": ")
}

/// A line on standard error. If even that fails, the exit status still speaks.
pub fn message(text: &str) {
    let _ = writeln!(io::stderr().lock(), "multispool: {}", shown(text));
}

/// As a terminal may be given it, on one line: a name may be anybody's, and must not end the line, move the
/// cursor, or turn what follows around.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if steers(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn steers(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns
}

/// A file's time, or null where RFC 3339 has no words for it: whoever owns a file sets its times.
pub fn time(time: SystemTime) -> Value {
    let year_10000 = Duration::from_secs(253_402_300_800);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since < year_10000 => {
            humantime::format_rfc3339_millis(time).to_string().into()
        }
        _ => Value::Null,
    }
}

#[derive(Args, Clone, Copy)]
pub struct Json {
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Copy, Default)]
pub struct Null {
    /// Names end with a NUL byte, not a newline, where they are printed or read
    #[arg(short = '0', long)]
    pub null: bool,
}

impl Null {
    pub fn terminator(self) -> u8 {
        if self.null { 0 } else { b'\n' }
    }
}

/// A JSON object whose keys stay in the order in which they were given.
#[derive(Clone, Default)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    /// An object that begins with an entry's name and queue.
    pub fn entry(name: impl AsRef<OsStr>, queue: impl AsRef<OsStr>) -> Self {
        Self::new()
            .bytes("name", name.as_ref().as_bytes())
            .bytes("queue", queue.as_ref().as_bytes())
    }

    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// Bytes as a string where they are UTF-8, else under `KEY_base64`.
    pub fn bytes(self, key: &str, bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.with(key, text),
            Err(_) => self.with(&format!("{key}_base64"), STANDARD.encode(bytes)),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The two streams of one call, and the gravest status so far.
pub struct Report {
    json: bool,
    terminator: u8,
    is_terminal: bool,
    out: BufWriter<io::Stdout>,
    worst: Status,
}

impl Report {
    pub fn new(json: Json, null: Null) -> Self {
        Self {
            json: json.json,
            terminator: null.terminator(),
            is_terminal: io::stdout().is_terminal(),
            out: BufWriter::new(io::stdout()),
            worst: Status::Done,
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    pub fn raise(&mut self, status: Status) {
        self.worst = self.worst.max(status);
    }

    /// Raw bytes, as they are.
    pub fn raw(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// `name` alone on its line, on a terminal as it may be shown there; or `object` where JSON was asked for.
    pub fn name(&mut self, name: impl AsRef<OsStr>, object: impl FnOnce() -> Object) -> Result<()> {
        if self.json {
            return self.object(&object());
        }
        let bytes = name.as_ref().as_bytes();
        if self.terminator == b'\n' && self.is_terminal {
            written(writeln!(
                self.out,
                "{}",
                shown(&String::from_utf8_lossy(bytes))
            ))
        } else {
            written(self.out.write_all(bytes))?;
            written(self.out.write_all(&[self.terminator]))
        }
    }

    /// `text` on one line, or `object` where JSON was asked for.
    pub fn line(&mut self, text: &str, object: impl FnOnce() -> Object) -> Result<()> {
        if self.json {
            return self.object(&object());
        }
        written(writeln!(self.out, "{}", shown(text)))
    }

    /// A line that exists in JSON only.
    pub fn json_only(&mut self, object: impl FnOnce() -> Object) -> Result<()> {
        if self.json {
            self.object(&object())
        } else {
            Ok(())
        }
    }

    fn object(&mut self, object: &Object) -> Result<()> {
        let line = serde_json::to_string(object)?;
        if !line.contains(steers) {
            return written(writeln!(self.out, "{line}"));
        }
        let escaped = |letter: char| match steers(letter) {
            // None of them needs more than four digits.
            true => format!("\\u{:04x}", u32::from(letter)),
            false => letter.to_string(),
        };
        let line: String = line.chars().map(escaped).collect();
        written(writeln!(self.out, "{line}"))
    }

    pub fn flush(&mut self) -> Result<()> {
        written(self.out.flush())
    }

    /// An error that ends one name's work, not the call.
    pub fn problem(&mut self, error: &anyhow::Error) {
        message(&text(error));
        self.raise(status(error));
    }

    /// One name of several went wrong: a message, its JSON line, and the call goes on.
    /// What is done but not known to be durable is printed, so that it is not done again.
    pub fn miss(&mut self, name: &OsStr, object: Object, error: &Error) -> Result<()> {
        message(&error.to_string());
        self.raise(Status::of(error));
        let told = || {
            object
                .with("outcome", outcome(error))
                .with("message", error.to_string())
        };
        match error.kind() {
            ErrorKind::NotDurable => self.name(name, told),
            _ => self.json_only(told),
        }
    }

    /// As `miss`, for an entry that is simply not there.
    pub fn not_found(&mut self, name: &OsStr, queue: &QueueName, object: Object) -> Result<()> {
        let text = format!("{name:?} is not available in {:?}", queue.as_os_str());
        message(&text);
        self.raise(Status::Negative);
        self.json_only(|| object.with("outcome", "not_found").with("message", text))
    }

    /// After a failed save or remove: back into its queue, if it is still ours.
    pub fn give_back(&mut self, checkout: &mut Checkout) {
        if !checkout.is_finished()
            && let Err(error) = checkout.release()
        {
            self.problem(&error.into());
        }
    }

    /// Flushes; the gravest status of the call.
    pub fn finish(mut self) -> Result<Status> {
        self.flush()?;
        Ok(self.worst)
    }
}

fn outcome(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "not_found",
        ErrorKind::NameTaken => "name_taken",
        ErrorKind::NotDurable => "not_durable",
        ErrorKind::InvalidName => "invalid_name",
        _ => "failed",
    }
}

/// The result of a write to standard output.
pub fn written<T>(result: io::Result<T>) -> Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(StdoutClosed.into()),
        other => other.context("cannot write to standard output"),
    }
}
