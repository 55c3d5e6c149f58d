//! The tables, as they are printed and as docs/performance.md has them.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::contestant::Who;
use crate::figures::{Figures, What};
use crate::picture;
use crate::targets;

/// Prints the tables, and writes `figures.md` and `performance.svg`.
pub fn write(figures: &Figures, machine: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut text = format!("Measured on: {machine}.\n\n");
    reached(&mut text, figures)?;
    text.push('\n');
    everything(&mut text, figures)?;
    print!("{text}");
    fs::write(out.join("figures.md"), text)?;
    fs::write(out.join("performance.svg"), picture::draw(figures)?)?;
    Ok(())
}

/// What falls short is in bold.
fn reached(text: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(text, "| what | to reach | measured | ratio |")?;
    writeln!(text, "|---|---|---|---|")?;
    for row in targets::rows(figures) {
        let (mut measured, mut ratio) = (row.measured, row.ratio);
        if row.reached == Some(false) {
            let short = if ratio.is_empty() {
                &mut measured
            } else {
                &mut ratio
            };
            *short = format!("**{short}**");
        }
        writeln!(
            text,
            "| {} | {} | {measured} | {ratio} |",
            row.what, row.to_reach
        )?;
    }
    Ok(())
}

fn everything(text: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(
        text,
        "| | enqueue, µs | dequeue and remove, µs | four and four, per s | latency, median and slowest in a hundred, µs | idle reader, MiB |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    let measured = figures.measured();
    for who in Who::ALL {
        if let Some(reason) = figures.missing().get(&who) {
            writeln!(text, "| {} | {reason} | | | | |", who.label())?;
            continue;
        }
        if !measured.contains(&who) {
            continue;
        }
        let shown = |what| {
            let figure = figures.median(what, who);
            figure.map_or(String::new(), |figure| format!("{figure:.0}"))
        };
        let latency = [shown(What::Latency), shown(What::LatencyTail)].join(" · ");
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            who.label(),
            shown(What::Enqueue),
            shown(What::Dequeue),
            shown(What::FourAndFour),
            latency.trim_matches([' ', '·']),
            shown(What::IdleMemory)
        )?;
    }
    Ok(())
}
