//! The state of a spool as metrics, in the text that Prometheus reads.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64};

use anyhow::{Context, Result};
use multispool::{Limits, Monitor, MonitorSpec, Problem, Spool, StatsOptions};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSpool {
    spool: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQueue {
    spool: String,
    queue: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOwner {
    spool: String,
    queue: String,
    owner: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    spool: String,
    kind: &'static str,
}

type Count<L> = Family<L, Gauge<i64, AtomicI64>>;

#[derive(Default)]
struct Metrics {
    entries: Count<OfQueue>,
    checked_out: Count<OfOwner>,
    oldest_seconds: Family<OfQueue, Gauge<f64, AtomicU64>>,
    problems: Count<OfKind>,
    free_bytes: Count<OfSpool>,
    free_inodes: Count<OfSpool>,
}

impl Metrics {
    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("multispool");
        registry.register(
            "entries",
            "Entries that wait in the queue",
            self.entries.clone(),
        );
        let help = "Entries checked out of the queue, by whether their owner lives";
        registry.register("checked_out", help, self.checked_out.clone());
        let help = "Age of the entry that has waited longest, 0 without one";
        registry.register("oldest_seconds", help, self.oldest_seconds.clone());
        let help = "Problems that one check found, by the default limits";
        registry.register("problems", help, self.problems.clone());
        let help = "Bytes that unprivileged users may still write to the file system";
        registry.register("free_bytes", help, self.free_bytes.clone());
        let help = "Files that may still be made on the file system";
        registry.register("free_inodes", help, self.free_inodes.clone());
        registry
    }
}

/// Counts what is in the spool, and what is wrong with it.
pub fn text(spool: &Spool) -> Result<String> {
    let stats = spool.stats(&StatsOptions::new())?;
    let problems = Monitor::create(&MonitorSpec::new(spool.dir(), Limits::new()))?.run_once()?;
    let name = spool.dir().to_string_lossy().into_owned();
    let metrics = Metrics::default();
    let clamped = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for queue in &stats.queues {
        let labels = OfQueue {
            spool: name.clone(),
            queue: queue.queue.to_string(),
        };
        let of_owner = |owner| OfOwner {
            spool: labels.spool.clone(),
            queue: labels.queue.clone(),
            owner,
        };
        let checked_out = &metrics.checked_out;
        let (alive, dead) = (queue.checked_out_alive, queue.checked_out_dead);
        checked_out
            .get_or_create(&of_owner("alive"))
            .set(clamped(alive));
        checked_out
            .get_or_create(&of_owner("dead"))
            .set(clamped(dead));
        let oldest = queue.oldest_age.unwrap_or_default().as_secs_f64();
        metrics.oldest_seconds.get_or_create(&labels).set(oldest);
        metrics
            .entries
            .get_or_create(&labels)
            .set(clamped(queue.entries));
    }
    for kind in Problem::KINDS {
        let count = problems
            .iter()
            .filter(|problem| problem.kind() == kind)
            .count();
        let labels = OfKind {
            spool: name.clone(),
            kind,
        };
        metrics
            .problems
            .get_or_create(&labels)
            .set(clamped(count as u64));
    }
    let labels = OfSpool { spool: name };
    metrics
        .free_bytes
        .get_or_create(&labels)
        .set(clamped(stats.free_bytes));
    if let Some(inodes) = stats.free_inodes {
        metrics
            .free_inodes
            .get_or_create(&labels)
            .set(clamped(inodes));
    }
    let mut text = String::new();
    encode(&mut text, &metrics.registry()).context("cannot write the metrics")?;
    Ok(text)
}

/// Puts the text in the place of the file in one step: whoever reads the file reads all of it, old or new.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let name = path.file_name().context("--to needs the name of a file")?;
    let mut temporary = name.to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&temporary, path));
    written
        .inspect_err(|_| {
            // The first error is the one to tell; it may not even be there.
            let _ = fs::remove_file(&temporary);
        })
        .with_context(|| format!("cannot write {path:?}"))
}
