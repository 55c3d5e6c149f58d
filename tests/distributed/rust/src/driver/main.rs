//! Runs the cases on a distributed file system, judges what the hands tell, and prints what it measured (../run).
//!
//! ```sh
//! distributed --moosefs SCRIPT --work DIR --multispool COMMAND --hand COMMAND... --blind-hand COMMAND... OPTION...
//! ```

mod cases;
mod chronicle;
mod crew;
mod figures;
mod ground;
mod judge;
mod options;

use std::process::ExitCode;

use anyhow::{Context, Result};

use cases::Field;
use ground::Ground;
use options::Options;

type Case = (&'static str, fn(&Field) -> Result<String>);

/// The figures come first, while nothing has happened to the file system yet.
const CASES: [Case; 9] = [
    ("throughput", cases::measure::throughput),
    ("latency", cases::measure::latency),
    ("reserve", cases::reserve::race),
    ("take", cases::take::once_each),
    ("blind", cases::blind::sees_double),
    ("keep", cases::keep::for_longer_than_a_lease),
    ("servers", cases::faults::servers),
    ("partition", cases::faults::partition),
    ("mount", cases::faults::mount),
];

fn main() -> Result<ExitCode> {
    let options = Options::from_arguments()?;
    let ground = Ground::up(options.moosefs.clone(), options.work.join("moosefs"))?;
    let field = Field {
        ground: &ground,
        options: &options,
    };
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in CASES {
        if options.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let begun = std::time::Instant::now();
        let told = case(&field).with_context(|| format!("case {name}"));
        let seconds = begun.elapsed().as_secs_f64();
        match told {
            Ok(figures) => {
                passed += 1;
                println!("{name:<10} {figures} ({seconds:.0} s)");
            }
            Err(error) => {
                failed += 1;
                println!("{name:<10} FAILED ({seconds:.0} s): {error:#}");
            }
        }
    }
    println!("distributed: {passed} passed, {failed} failed, 0 skipped");
    let good = failed == 0 && passed > 0;
    Ok(ExitCode::from(u8::from(!good)))
}
