//! What a spool stands on: how it is shared, and what its file system does for that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::absolute;
use super::load::{must_look_like_a_spool, open_root};
use super::probe::{self, Finding};
use crate::error::{At, Result};
use crate::format::{self, Mode};
use crate::layout::{Dir, Layout, OURS, TMP};
use crate::sys::{file_system, journal};

const DOCTOR: &str = "doctor";

/// What [`Spool::doctor`](super::Spool::doctor) found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checkup {
    /// The spool's directory, as an absolute path.
    pub dir: PathBuf,
    /// The kind of its file system, by the mount table; such as `ext4`, `fuse`.
    pub file_system: String,
    /// What is mounted, by the mount table.
    pub source: String,
    /// How it is mounted.
    pub options: String,
    /// Whether other hosts may change it unseen; so it counts for all of FUSE.
    pub is_network: bool,
    /// Whether `full` durability is promised here, where renames are journaled; else it is a best effort.
    pub is_durable: bool,
    /// Who may use the spool at once.
    pub mode: Mode,
    /// Whether the spool says so itself.
    pub recorded: bool,
    /// How long a lease lasts, where hosts share it.
    pub lease: Option<Duration>,
    /// What the file system does, and does not.
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// Whether the spool can be used as it says that it is used.
    pub fn is_well(&self) -> bool {
        let lacks = |finding: &Finding| finding.is_needed && !finding.works;
        match self.mode {
            Mode::Network => self.recorded && !self.findings.iter().any(lacks),
            Mode::Local => true,
        }
    }

    /// What an operator should see to, in sentences.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.mode == Mode::Local && self.is_network {
            advice.push(
                "The spool is for the processes of one host and lies on a network or FUSE file system: \
                 see that no second host uses it, or create one with mode network."
                    .to_owned(),
            );
        }
        if self.mode == Mode::Network && !self.is_network {
            advice.push(format!(
                "The spool is shared between hosts and lies on {}, which this host alone changes unless it is exported.",
                self.file_system
            ));
        }
        for lacks in self
            .findings
            .iter()
            .filter(|finding| finding.is_needed && !finding.works)
        {
            advice.push(format!(
                "No spool can be shared between hosts here: there must be {}.",
                lacks.what
            ));
        }
        if !self.is_durable {
            advice.push(
                "Durability is a best effort: all is synced, and what survives the loss of power is what the file system \
                 makes of that."
                    .to_owned(),
            );
        }
        if self.mode == Mode::Network {
            advice.extend(self.mount_advice().into_iter().map(str::to_owned));
        }
        advice
    }

    fn mount_advice(&self) -> Vec<&'static str> {
        let has = |option: &str| self.options.split(',').any(|own| own == option);
        let mut advice = Vec::new();
        if self.source.starts_with("mfs#") {
            advice.push(
                "MooseFS: set SESSION_SUSTAIN_TIME of the master to a minute or so, and do not raise mfsentrycacheto \
                 above 0 in the clients' mounts.",
            );
        }
        if self.file_system.starts_with("nfs") && !has("sync") && !has("noac") {
            advice.push(
                "NFS: use version 4.1 or later, mounted hard, with lookupcache=none (or positive) and actimeo=1 or less.",
            );
        }
        if self.file_system == "ceph" || self.file_system.contains("ceph") {
            advice.push(
                "CephFS: clients stamp files by their own clocks: keep them synchronised within a second.",
            );
        }
        advice
    }
}

pub(super) fn doctor(path: &Path) -> Result<Checkup> {
    let layout = Layout::new(absolute(path, DOCTOR)?, []);
    let root = &layout.root;
    let fd = open_root(root, DOCTOR)?;
    must_look_like_a_spool(root, DOCTOR)?;
    let format = format::read(root, DOCTOR)?;
    let at = || root.path().to_owned();
    let mount = file_system::mount(fd).at(DOCTOR, at)?;
    let probed = match format.mode() {
        Mode::Network => Dir::within(root, OURS.as_ref()),
        Mode::Local => Dir::within(root, TMP.as_ref()),
    };
    let mut findings = probe::needed(&probed, DOCTOR)?;
    findings.extend(probe::useful(&probed, DOCTOR)?);
    Ok(Checkup {
        dir: root.path().to_owned(),
        is_network: file_system::is_network(fd).at(DOCTOR, at)?,
        is_durable: journal::keeps_renames(fd).at(DOCTOR, at)?,
        file_system: mount.kind,
        source: mount.source,
        options: mount.options,
        mode: format.mode(),
        recorded: format.recorded(),
        lease: format.lease(),
        findings,
    })
}
