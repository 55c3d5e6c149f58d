use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::Args;
use multispool::{Dir, Limits, Problem};
use serde_json::Value;

use crate::load;
use crate::report::{Json, Null, Object, Report, Status};

/// Look for what is wrong with the spool; prints a problem a line
///
/// Changes nothing, and is safe next to live workers: a busy, healthy spool has no problem.
/// Ends with 1 if there is any.
#[derive(Args)]
#[command(after_help = "Example:\n  multispool fsck /var/spool/thumbnails --json")]
pub struct Fsck {
    /// The spool's directory
    spool: PathBuf,
    /// Leave out what was touched less than this ago, and judge by this age what is too old
    /// (10m); `repair` with the same age clears what it can of the rest
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    min_age: Option<Duration>,
    #[command(flatten)]
    json: Json,
}

impl Fsck {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_read(&self.spool)?;
        let mut limits = Limits::new();
        if let Some(age) = self.min_age {
            limits = limits
                .max_tmp_file_age(age)
                .max_checked_out_age(age)
                .max_reservation_age(age);
        }
        let mut report = Report::new(self.json, Null::default());
        for problem in spool.problems(&limits)? {
            if self.min_age.is_some_and(|least| age_of(&problem) <= least) {
                continue;
            }
            report.line(&line(&problem), || object(&problem))?;
            report.raise(Status::Negative);
        }
        report.finish()
    }
}

fn age_of(problem: &Problem) -> Duration {
    SystemTime::now()
        .duration_since(problem.file().mtime)
        .unwrap_or_default()
}

fn line(problem: &Problem) -> String {
    format!("{problem} ({})", problem.mend().as_str())
}

fn object(problem: &Problem) -> Object {
    let file = problem.file();
    let places: Vec<Value> = problem.places().iter().map(place).collect();
    Object::new()
        .with("kind", problem.kind())
        .bytes("name", file.filename.as_encoded_bytes())
        .with("places", places)
        .with(
            "mtime",
            humantime::format_rfc3339_millis(file.mtime).to_string(),
        )
        .with("age_seconds", age_of(problem).as_secs_f64())
        .with("severity", problem.severity().as_str())
        .with("action", problem.mend().as_str())
}

pub fn place(dir: &Dir) -> Value {
    dir.name_on_disk().to_string_lossy().into_owned().into()
}
