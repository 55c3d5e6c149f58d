use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use multispool::{RepairOptions, RepairStep};

use crate::load::{self, Promise};
use crate::problem::place;
use crate::report::{Json, Null, Object, Report, Status};

/// Clear away what crashes left behind; prints a step a line
///
/// Shows what it would do, and does it with --apply: temporary files of dead processes, data
/// without an entry and reservations without one go; an entry that lost only its registry file
/// gets one again. Safe next to live workers. What is damaged is left for a person to look at.
#[derive(Args)]
#[command(
    after_help = "Example:\n  multispool repair /var/spool/thumbnails --apply --to /var/spool/lost"
)]
pub struct Repair {
    /// The spool's directory
    spool: PathBuf,
    /// Do it
    #[arg(long)]
    apply: bool,
    /// Move to this directory, on the same file system, what would be removed
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Leave alone what was touched less than this ago
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    min_age: Duration,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
}

impl Repair {
    pub fn run(self) -> Result<Status> {
        let mut options = RepairOptions::new().min_age(self.min_age);
        if let Some(to) = &self.to {
            options = options.to(to);
        }
        let spool = if self.apply {
            load::to_write(&self.spool, self.promise)?
        } else {
            load::to_read(&self.spool)?
        };
        let mut report = Report::new(self.json, Null::default());
        let plan = spool.repair(&options)?;
        if !self.apply {
            for step in plan.steps() {
                tell(&mut report, step, "planned")?;
            }
            return report.finish();
        }
        let repaired = plan.apply()?;
        for step in &repaired.steps {
            tell(&mut report, step, "done")?;
        }
        for failure in repaired.failures {
            report.problem(&failure.into());
        }
        report.finish()
    }
}

fn tell(report: &mut Report, step: &RepairStep, outcome: &str) -> Result<()> {
    let place = place(&step.dir);
    let text = format!(
        "{outcome} {} {}/{}",
        step.action.as_str(),
        place.as_str().unwrap_or_default(),
        step.filename.display()
    );
    report.line(&text, || {
        Object::new()
            .bytes("name", step.filename.as_encoded_bytes())
            .with("place", place.clone())
            .with("action", step.action.as_str())
            .with("outcome", outcome)
    })
}
