use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use multispool::{Mode, Owners, Spool};

use crate::load::Promise;
use crate::report::{Json, Null, Object, Report, Status};

/// Make a spool, or add queues to one
#[derive(Args)]
#[command(after_help = "Example:\n  multispool create /var/spool/thumbnails incoming done failed")]
pub struct Create {
    /// The spool's directory; made if missing, refused if it holds anything else
    spool: PathBuf,
    /// Names of queues
    #[arg(value_name = "QUEUE", required = true)]
    queues: Vec<OsString>,
    /// To be shared with processes that take no locks, such as the original's
    #[arg(long)]
    mixed: bool,
    /// For one host (local) or several (network); by default the file system decides
    #[arg(long, value_name = "MODE", value_parser = PossibleValuesParser::new(["local", "network"]).map(mode))]
    mode: Option<Mode>,
    /// For several hosts: how long whoever takes an entry owns it unless it renews (30s, 2m ...; 2m if not given)
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    lease: Option<Duration>,
    #[command(flatten)]
    promise: Promise,
    #[command(flatten)]
    json: Json,
}

fn mode(word: String) -> Mode {
    if word == "network" {
        Mode::Network
    } else {
        Mode::Local
    }
}

/// The word for a mode, as it is given and told.
pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Local => "local",
        Mode::Network => "network",
    }
}

impl Create {
    pub fn run(self) -> Result<Status> {
        let mut options = Spool::options();
        if self.mixed {
            options = options.owners(Owners::Mixed);
        }
        if let Some(mode) = self.mode {
            options = options.mode(mode);
        }
        if let Some(lease) = self.lease {
            options = options.lease(lease);
        }
        if let Some(durability) = self.promise.durability {
            options = options.durability(durability);
        }
        let spool = options.create(&self.spool, &self.queues)?;
        let mut report = Report::new(self.json, Null { null: false });
        if report.is_json() {
            let format = spool.format()?;
            let mode = mode_word(format.mode());
            let owners = match format.owners() {
                Owners::Locking => "locking",
                Owners::Mixed => "mixed",
            };
            report.json_only(|| {
                Object::new()
                    .bytes("spool", spool.dir().as_os_str().as_encoded_bytes())
                    .with("mode", mode)
                    .with("owners", owners)
                    .with("lease_seconds", format.lease().map(|lease| lease.as_secs()))
                    .with("format_version", multispool::FORMAT_VERSION)
            })?;
        }
        report.finish()
    }
}
