use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use multispool::{Limits, Monitor, MonitorSpec};

use crate::problem;
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
        let mut limits = Limits::new();
        if let Some(age) = self.min_age {
            limits = limits
                .max_tmp_file_age(age)
                .max_checked_out_age(age)
                .max_reservation_age(age);
        }
        let mut report = Report::new(self.json, Null::default());
        let monitor = Monitor::create(&MonitorSpec::new(&self.spool, limits))?;
        for problem in monitor.run_once()? {
            if self
                .min_age
                .is_some_and(|least| problem::age_of(&problem) <= least)
            {
                continue;
            }
            report.line(&problem::line(&problem), || {
                problem::add_to(Object::new(), &problem)
            })?;
            report.raise(Status::Negative);
        }
        report.finish()
    }
}
