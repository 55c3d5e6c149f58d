use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use multispool::{Checkup, Finding, Spool};

use crate::create::mode_word;
use crate::report::{Json, Null, Object, Report, Status};

/// Say what a spool stands on, and what to see to
///
/// Prints its mode, its file system, and what that does for processes of one host and of several,
/// which it tries with files of its own that it removes again. Ends with 1 if the spool cannot be
/// used as it says that it is used.
#[derive(Args)]
#[command(after_help = "Example:\n  multispool doctor /mnt/shared/thumbnails")]
pub struct Doctor {
    /// The spool's directory
    spool: PathBuf,
    #[command(flatten)]
    json: Json,
}

impl Doctor {
    pub fn run(self) -> Result<Status> {
        let checkup = Spool::doctor(&self.spool)?;
        let mut report = Report::new(self.json, Null::default());
        if report.is_json() {
            report.json_only(|| json(&checkup))?;
        } else {
            for line in lines(&checkup) {
                report.line(&line, Object::new)?;
            }
        }
        if !checkup.is_well() {
            report.raise(Status::Negative);
        }
        report.finish()
    }
}

fn lines(checkup: &Checkup) -> Vec<String> {
    let unrecorded = match checkup.recorded {
        true => "",
        false => " (not recorded: the spool has no format file)",
    };
    let mut lines = vec![
        format!("spool: {}", checkup.dir.display()),
        format!("mode: {}{unrecorded}", mode_word(checkup.mode)),
    ];
    if let Some(lease) = checkup.lease {
        lines.push(format!("lease: {}", humantime::format_duration(lease)));
    }
    lines.push(format!(
        "file system: {} ({})",
        checkup.file_system, checkup.source
    ));
    lines.push(format!("mounted with: {}", checkup.options));
    lines.push(format!("durability: {}", durability(checkup)));
    lines.extend(checkup.findings.iter().map(line));
    lines.extend(
        checkup
            .advice()
            .iter()
            .map(|advice| format!("advice: {advice}")),
    );
    lines
}

fn durability(checkup: &Checkup) -> &'static str {
    match checkup.is_durable {
        true => "promised",
        false => "best effort",
    }
}

fn line(finding: &Finding) -> String {
    let state = match (finding.works, finding.is_needed) {
        (true, _) => "yes",
        (false, true) => "MISSING",
        (false, false) => "no",
    };
    let instead = finding.instead.as_ref();
    let instead = instead.map(|instead| format!(" ({instead})"));
    format!("{state}: {}{}", finding.what, instead.unwrap_or_default())
}

fn json(checkup: &Checkup) -> Object {
    let findings: Vec<_> = checkup
        .findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "what": finding.what,
                "needed": finding.is_needed,
                "works": finding.works,
                "instead": finding.instead,
            })
        })
        .collect();
    Object::new()
        .bytes("spool", checkup.dir.as_os_str().as_encoded_bytes())
        .with("mode", mode_word(checkup.mode))
        .with("recorded", checkup.recorded)
        .with("lease_seconds", checkup.lease.map(|lease| lease.as_secs()))
        .with("file_system", checkup.file_system.as_str())
        .with("source", checkup.source.as_str())
        .with("mount_options", checkup.options.as_str())
        .with("network_file_system", checkup.is_network)
        .with("durability", durability(checkup))
        .with("well", checkup.is_well())
        .with("findings", findings)
        .with("advice", checkup.advice())
}
