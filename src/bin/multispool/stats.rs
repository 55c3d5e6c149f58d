use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use multispool::{QueueStats, StatsOptions};

use crate::load;
use crate::prometheus;
use crate::report::{Json, Null, Object, Report, Status, shown, written};

/// Tell how many entries each queue has, how old they are, and what space is left
#[derive(Args)]
#[command(after_help = "Example:\n  multispool stats /var/spool/thumbnails --bytes")]
pub struct Stats {
    /// The spool's directory
    spool: PathBuf,
    /// Add the sizes of metadata and data: reads the size of every file
    #[arg(long)]
    bytes: bool,
    /// Print metrics in the text that Prometheus reads, with the number of problems of each kind
    #[arg(long, conflicts_with_all = ["bytes", "json"])]
    prometheus: bool,
    /// Write the metrics to this file instead, replaced in one step
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    to: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

impl Stats {
    pub fn run(self) -> Result<Status> {
        let spool = load::to_read(&self.spool)?;
        if self.prometheus {
            let metrics = prometheus::text(&spool)?;
            let mut report = Report::new(self.json, Null::default());
            match &self.to {
                Some(path) => prometheus::replace(path, &metrics)?,
                None => written(report.raw().write_all(metrics.as_bytes()))?,
            }
            return report.finish();
        }
        let stats = spool.stats(&StatsOptions::new().bytes(self.bytes))?;
        let mut report = Report::new(self.json, Null { null: false });
        if report.is_json() {
            for queue in &stats.queues {
                report.json_only(|| object(queue, self.bytes))?;
            }
            report.json_only(|| {
                Object::new()
                    .bytes("spool", spool.dir().as_os_str().as_encoded_bytes())
                    .with("free_bytes", stats.free_bytes)
                    .with("free_inodes", stats.free_inodes)
            })?;
            return report.finish();
        }
        let rows: Vec<Vec<String>> = stats
            .queues
            .iter()
            .map(|queue| row(queue, self.bytes))
            .collect();
        let mut heads = vec!["queue", "entries", "owner alive", "owner dead", "oldest"];
        if self.bytes {
            heads.extend(["metadata bytes", "data bytes"]);
        }
        written(report.raw().write_all(table(&heads, &rows).as_bytes()))?;
        let inodes = stats
            .free_inodes
            .map_or("not counted".to_owned(), |inodes| inodes.to_string());
        let free = format!("free: {} bytes, inodes: {inodes}\n", stats.free_bytes);
        written(report.raw().write_all(free.as_bytes()))?;
        report.finish()
    }
}

fn object(queue: &QueueStats, bytes: bool) -> Object {
    let object = Object::new()
        .bytes("queue", queue.queue.as_bytes())
        .with("entries", queue.entries)
        .with("checked_out_alive", queue.checked_out_alive)
        .with("checked_out_dead", queue.checked_out_dead)
        .with(
            "oldest_age_seconds",
            queue.oldest_age.map(|age| age.as_secs_f64()),
        );
    if !bytes {
        return object;
    }
    object
        .with("metadata_bytes", queue.metadata_bytes)
        .with("data_bytes", queue.data_bytes)
}

fn row(queue: &QueueStats, bytes: bool) -> Vec<String> {
    let whole_seconds =
        |age: Duration| humantime::format_duration(Duration::from_secs(age.as_secs())).to_string();
    let mut row = vec![
        shown(&queue.queue.to_string()),
        queue.entries.to_string(),
        queue.checked_out_alive.to_string(),
        queue.checked_out_dead.to_string(),
        queue.oldest_age.map_or("-".to_owned(), whole_seconds),
    ];
    if bytes {
        let told = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
        row.extend([told(queue.metadata_bytes), told(queue.data_bytes)]);
    }
    row
}

/// Columns two spaces apart, the first to the left, numbers to the right.
fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut table = String::new();
    for line in lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        table.push_str(&cells.join("  "));
        table.push('\n');
    }
    table
}
