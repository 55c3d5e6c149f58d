use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use multispool::{DaemonSpec, Event, Limits, MonitorSpec, QueueName, Spool};

use crate::problem;
use crate::report::{Json, Null, Object, Report, Status, Usage};
use crate::signals::Watch;

/// Watch the spool: print a line for each problem that comes, and for each that goes
///
/// Checks again and again, and tells of a problem that more checks in a row than
/// --alert-after-cycles have seen. Changes nothing, and never creates a spool. Ends with 0 at SIGTERM or
/// SIGINT. A check that fails is told on standard error, and the next one is made all the same.
#[derive(Args)]
#[command(
    after_help = "The command of --exec is run by the shell, one at a time, with the event as JSON on its standard
input, and in its environment:
  MULTISPOOL_SPOOL   the spool's directory
  MULTISPOOL_EVENT   start or end
  MULTISPOOL_KIND, MULTISPOOL_NAME, MULTISPOOL_SEVERITY, MULTISPOOL_ACTION

Example:
  multispool monitor /var/spool/thumbnails --max-queue-age incoming=1h --json"
)]
pub struct Monitor {
    /// The spool's directory
    spool: PathBuf,
    /// How long ago a checked-out entry may have been touched last (10m)
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    max_checked_out_age: Option<Duration>,
    /// How old a temporary file may be (10m)
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    max_tmp_file_age: Option<Duration>,
    /// How long an entry may wait in this queue (no limit); may be given for several queues
    #[arg(long, value_name = "QUEUE=TIME", value_parser = queue_age)]
    max_queue_age: Vec<(QueueName, Duration)>,
    /// How old a reservation may be whose name is in no queue (10m)
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    max_reservation_age: Option<Duration>,
    /// How many bytes must be left on the file system (16777216)
    #[arg(long, value_name = "BYTES")]
    min_free_bytes: Option<u64>,
    /// How many files there must be room for (1000)
    #[arg(long, value_name = "FILES")]
    min_free_inodes: Option<u64>,
    /// The pause between two checks (15s)
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    check_every: Option<Duration>,
    /// A problem is told when more checks in a row than this have seen it (2)
    #[arg(long, value_name = "CHECKS")]
    alert_after_cycles: Option<u64>,
    /// Run this command for each event
    #[arg(long, value_name = "COMMAND")]
    exec: Option<OsString>,
    #[command(flatten)]
    json: Json,
}

fn queue_age(text: &str) -> Result<(QueueName, Duration), String> {
    // A queue's name may hold a `=`, a time cannot.
    let (queue, age) = text
        .rsplit_once('=')
        .ok_or("it must look like incoming=10m")?;
    let queue = QueueName::new(queue).map_err(|error| error.to_string())?;
    let age = humantime::parse_duration(age)
        .map_err(|error| format!("{age:?} is no span of time like 10m or 15s: {error}"))?;
    Ok((queue, age))
}

impl Monitor {
    pub fn run(self) -> Result<Status> {
        let monitor = multispool::Monitor::create(&MonitorSpec::new(&self.spool, self.limits()))?;
        let queues = Spool::discover(&self.spool)?;
        if let Some((unknown, _)) = self
            .max_queue_age
            .iter()
            .find(|(queue, _)| !queues.contains(queue))
        {
            let dir = &self.spool;
            return Err(Usage(format!("{dir:?} has no queue {:?}", unknown.as_os_str())).into());
        }
        let watch = Watch::start()?;
        let mut daemon = monitor.start(&self.daemon());
        let mut report = Report::new(self.json, Null::default());
        for event in daemon.events(watch.stop()) {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    // The status of a service that outlived a failure is not a failure.
                    crate::report::message(&error.to_string());
                    continue;
                }
            };
            let time = humantime::format_rfc3339_millis(event.time()).to_string();
            let action = event.problem().mend().as_str();
            report.line(&format!("{time} {event} ({action})"), || object(&event))?;
            report.flush()?;
            if let Some(command) = &self.exec
                && let Err(error) = tell(command, &self.spool, &event)
            {
                crate::report::message(&format!("{error:#}"));
            }
        }
        report.finish()
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::new();
        let ages = [
            (self.max_checked_out_age, &mut limits.max_checked_out_age),
            (self.max_tmp_file_age, &mut limits.max_tmp_file_age),
            (self.max_reservation_age, &mut limits.max_reservation_age),
        ];
        for (given, limit) in ages {
            *limit = given.unwrap_or(*limit);
        }
        let least = [
            (self.min_free_bytes, &mut limits.min_free_bytes),
            (self.min_free_inodes, &mut limits.min_free_inodes),
        ];
        for (given, limit) in least {
            *limit = given.unwrap_or(*limit);
        }
        for (queue, age) in &self.max_queue_age {
            limits = limits.max_queue_age(queue.clone(), *age);
        }
        limits
    }

    fn daemon(&self) -> DaemonSpec {
        let mut daemon = DaemonSpec::new();
        daemon.check_every = self.check_every.unwrap_or(daemon.check_every);
        daemon.alert_after_cycles = self.alert_after_cycles.unwrap_or(daemon.alert_after_cycles);
        daemon
    }
}

fn object(event: &Event) -> Object {
    let object = Object::new().with("event", event.kind()).with(
        "time",
        humantime::format_rfc3339_millis(event.time()).to_string(),
    );
    problem::add_to(object, event.problem())
}

/// Runs the command for one event, and waits for its end.
fn tell(command: &OsString, spool: &Path, event: &Event) -> Result<()> {
    let about = event.problem();
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .env("MULTISPOOL_SPOOL", spool)
        .env("MULTISPOOL_EVENT", event.kind())
        .env("MULTISPOOL_KIND", about.kind())
        .env("MULTISPOOL_NAME", &about.file().filename)
        .env("MULTISPOOL_SEVERITY", about.severity().as_str())
        .env("MULTISPOOL_ACTION", about.mend().as_str())
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot run the command of --exec")?;
    let mut line = serde_json::to_vec(&object(event))?;
    line.push(b'\n');
    if let Some(mut input) = child.stdin.take() {
        match input.write_all(&line) {
            // It does not care to read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            other => other.context("cannot tell the command of --exec")?,
        }
    }
    let status = child
        .wait()
        .context("cannot wait for the command of --exec")?;
    anyhow::ensure!(
        status.success(),
        "the command of --exec failed ({status}): {}",
        String::from_utf8_lossy(command.as_bytes())
    );
    Ok(())
}
