use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use multispool::{Batch, EnqueueOptions, EntryName, ErrorKind, QueueName, Source, Spool};

use crate::input;
use crate::load::{self, Promise};
use crate::names;
use crate::report::{Json, Null, Object, Report, Status, Usage};
use crate::signals::Watch;

/// Put an entry into a queue, or many files at once; prints the names
///
/// A name is printed when the entry is visible and as durable as promised, not before.
#[derive(Args)]
#[command(after_help = "\
Example:
  multispool enqueue /var/spool/thumbnails incoming --metadata 'cat.png 100x100' --data cat.png
  multispool enqueue /var/spool/thumbnails incoming --files -- *.png
  find . -name '*.png' -print0 | multispool enqueue /var/spool/thumbnails incoming -0 --files-from -")]
pub struct Enqueue {
    /// The spool's directory
    spool: PathBuf,
    /// The queue
    queue: OsString,
    /// The entry's metadata; empty if not given
    #[arg(long, value_name = "TEXT", conflicts_with = "metadata_file")]
    metadata: Option<OsString>,
    /// Read the metadata from this file (- is standard input)
    #[arg(long, value_name = "F")]
    metadata_file: Option<PathBuf>,
    /// Read the data from this file (- is standard input, also the default, unless that is a terminal: then there is none)
    #[arg(long, value_name = "F")]
    data: Option<PathBuf>,
    /// Use this name, which was reserved before
    #[arg(long)]
    name: Option<OsString>,
    /// Reserve the name of --name first
    #[arg(long, requires = "name")]
    reserve: bool,
    /// An entry for each file: its path as given is the metadata
    #[arg(long, requires = "paths", conflicts_with_all = ["metadata", "metadata_file", "data", "name", "files_from"])]
    files: bool,
    /// As --files, the paths read from this file, one a line (- is standard input)
    #[arg(long, value_name = "F", conflicts_with_all = ["metadata", "metadata_file", "data", "name", "paths"])]
    files_from: Option<PathBuf>,
    /// The files of --files
    #[arg(value_name = "FILE", requires = "files")]
    paths: Vec<OsString>,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    null: Null,
}

impl Enqueue {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_write(&self.spool, self.promise)?;
        let queue = load::queue(&spool, &self.queue)?;
        let report = Report::new(self.json, self.null);
        if self.files {
            let total = self.paths.len() as u64;
            return Files::new(&spool, &queue, report, Some(total), TOGETHER)?
                .enqueue(self.paths.into_iter().map(Ok));
        }
        if let Some(list) = &self.files_from {
            // Who lists files as they come wants each at once.
            let together = if input::is_stdin(list) { 1 } else { TOGETHER };
            return Files::new(&spool, &queue, report, None, together)?
                .enqueue(names::records(list, self.null)?);
        }
        self.one(&spool, &queue, report)
    }

    fn one(&self, spool: &Spool, queue: &QueueName, mut report: Report) -> Result<Status> {
        let data = match &self.data {
            Some(data) => data,
            // Nobody types a payload by default: a terminal gives none.
            None if io::stdin().is_terminal() => Path::new("/dev/null"),
            None => Path::new("-"),
        };
        if input::is_stdin(data) && self.metadata_file.as_deref().is_some_and(input::is_stdin) {
            return Err(Usage(
                "metadata and data cannot both come from standard input: give --data F".to_owned(),
            )
            .into());
        }
        let watch = Watch::start()?;
        let metadata = self
            .read_metadata(&watch)
            .map_err(|error| interrupted_or(&watch, error))?;
        let file = input::open(data)?;
        let mut options = EnqueueOptions::new();
        if let Some(name) = &self.name {
            if self.reserve {
                spool.reserve_name(name)?;
            }
            options = options.name(name);
        }
        let mut reader = watch.reader(file);
        match spool.enqueue_with(queue, &metadata, Source::reader(&mut reader), &options) {
            Ok(entry) => tell(
                &mut report,
                entry.name().as_os_str(),
                queue,
                Line::enqueued(),
            )?,
            Err(error) => match (error.kind(), error.entry_name()) {
                (ErrorKind::NotDurable, Some(name)) => {
                    let name = name.as_os_str().to_owned();
                    report.problem(&anyhow::Error::new(error));
                    tell(&mut report, &name, queue, Line::not_durable())?;
                }
                _ => return Err(interrupted_or(&watch, error.into())),
            },
        }
        report.finish()
    }

    fn read_metadata(&self, watch: &Watch) -> Result<Vec<u8>> {
        let Some(path) = &self.metadata_file else {
            return Ok(self
                .metadata
                .as_deref()
                .map(OsStr::as_bytes)
                .unwrap_or_default()
                .to_vec());
        };
        let mut metadata = Vec::new();
        let read = watch.reader(input::open(path)?).read_to_end(&mut metadata);
        read.with_context(|| format!("cannot read {}", input::described(path)))?;
        Ok(metadata)
    }
}

/// A failure that a signal brought about is told as that signal.
fn interrupted_or(watch: &Watch, error: anyhow::Error) -> anyhow::Error {
    watch.caught().map_or(error, anyhow::Error::new)
}

struct Line<'a> {
    path: Option<&'a OsStr>,
    outcome: &'static str,
}

impl<'a> Line<'a> {
    fn enqueued() -> Self {
        Self {
            path: None,
            outcome: "enqueued",
        }
    }

    fn not_durable() -> Self {
        Self {
            path: None,
            outcome: "not_durable",
        }
    }

    fn of(self, path: &'a OsStr) -> Self {
        Self {
            path: Some(path),
            ..self
        }
    }
}

/// Tells a name at once: a caller that dies later must know what is done.
fn tell(report: &mut Report, name: &OsStr, queue: &QueueName, line: Line<'_>) -> Result<()> {
    let object = || {
        let object = Object::entry(name, queue);
        let object = match line.path {
            Some(path) => object.bytes("path", path.as_bytes()),
            None => object,
        };
        object.with("outcome", line.outcome)
    };
    report
        .name(name, object)
        .and_then(|()| report.flush())
        .map_err(|error| {
            // The closed pipe stays quiet; a full disk must not make the caller enqueue again.
            if error.is::<crate::report::StdoutClosed>() {
                return error;
            }
            error.context(format!(
                "{name:?} is enqueued, but its name could not be printed"
            ))
        })
}

/// How many files are brought to the disk at once.
const TOGETHER: usize = 64;

/// Many files, an entry each.
struct Files<'a> {
    spool: &'a Spool,
    queue: &'a QueueName,
    report: Report,
    watch: Watch,
    bar: ProgressBar,
    together: usize,
}

impl<'a> Files<'a> {
    fn new(
        spool: &'a Spool,
        queue: &'a QueueName,
        report: Report,
        total: Option<u64>,
        together: usize,
    ) -> Result<Self> {
        let watch = Watch::start()?;
        Ok(Self {
            spool,
            queue,
            report,
            watch,
            bar: bar(total)?,
            together,
        })
    }

    fn enqueue(mut self, paths: impl Iterator<Item = Result<OsString>>) -> Result<Status> {
        let done = self.all(paths);
        self.bar.finish_and_clear();
        done?;
        self.report.finish()
    }

    fn all(&mut self, mut paths: impl Iterator<Item = Result<OsString>>) -> Result<()> {
        loop {
            let together = paths.by_ref().take(self.together);
            let mut batch = self.spool.batch(self.queue, &EnqueueOptions::new())?;
            let mut added = Vec::new();
            for path in together {
                let path = path?;
                if let Some(interrupted) = self.watch.caught() {
                    return Err(interrupted.into());
                }
                let result = self.add(&mut batch, &path)?;
                added.push((path, result));
            }
            if added.is_empty() {
                return Ok(());
            }
            let mut answers = batch.commit().into_iter();
            for (path, added) in added {
                let name = added.and_then(|()| match answers.next() {
                    Some(answer) => Ok(answer?.name().clone()),
                    None => unreachable!("there is an answer for each that was added"),
                });
                self.bar.inc(1);
                self.tell(&path, name)?;
            }
        }
    }

    /// A file that fails is told in its turn and passed over; only an interruption ends the call.
    fn add(&self, batch: &mut Batch, path: &OsStr) -> Result<Result<()>> {
        let added = input_file(Path::new(path)).and_then(|file| {
            let mut reader = self.watch.reader(file);
            batch.add(path.as_bytes(), Source::reader(&mut reader))?;
            Ok(())
        });
        match added.map_err(|error| interrupted_or(&self.watch, error)) {
            Err(error) if error.is::<crate::signals::Interrupted>() => Err(error),
            added => Ok(added),
        }
    }

    fn tell(&mut self, path: &OsStr, enqueued: Result<EntryName>) -> Result<()> {
        let (queue, report) = (self.queue, &mut self.report);
        self.bar.suspend(|| match enqueued {
            Ok(name) => tell(report, name.as_os_str(), queue, Line::enqueued().of(path)),
            Err(error) => {
                let visible = error
                    .downcast_ref::<multispool::Error>()
                    .and_then(multispool::Error::entry_name)
                    .cloned();
                let message = error.to_string();
                report.problem(&error.context(format!("{path:?}")));
                match visible {
                    Some(name) => tell(
                        report,
                        name.as_os_str(),
                        queue,
                        Line::not_durable().of(path),
                    ),
                    None => report.json_only(|| {
                        Object::new()
                            .bytes("path", path.as_bytes())
                            .bytes("queue", queue.as_bytes())
                            .with("outcome", "failed")
                            .with("message", message)
                    }),
                }
            }
        })
    }
}

/// In a list of files, `-` is a file of that name.
fn input_file(path: &Path) -> Result<std::fs::File> {
    if input::is_stdin(path) {
        input::open(Path::new("./-"))
    } else {
        input::open(path)
    }
}

/// Drawn on standard error, and only where that is a terminal.
fn bar(total: Option<u64>) -> Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    Ok(match total {
        Some(total) => ProgressBar::new(total).with_style(ProgressStyle::with_template(
            "{wide_bar} {pos}/{len} files, {per_sec}, {eta} left",
        )?),
        None => ProgressBar::new_spinner().with_style(ProgressStyle::with_template(
            "{spinner} {pos} files, {per_sec}, {elapsed}",
        )?),
    })
}
