//! Compares multispool with the floor and with its peers: the same work for each in turn, in rounds, so that a change of the
//! machine's mood meets all of them. Prints what was to be reached and what was measured. `tools/bench` builds what this
//! needs and starts it:
//!
//! `compare DIR PROGRAMS OUT`: spools and peers' files are made in DIR, the drivers are in PROGRAMS, and the table and the
//! picture are written to OUT. `BENCH_ROUNDS` (5), `BENCH_SECONDS` (0.7; of most measurements), `BENCH_WAITING` (100,000;
//! the depth of the deep queue), `BENCH_MILLION` (also at 1,000,000).

mod claims;
mod contestant;
mod driver;
mod figures;
mod machine;
mod measure;
mod picture;
mod report;
mod targets;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use figures::Figures;
use measure::Bench;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [dir, programs, out] = &given[..] else {
        eprintln!("compare: started by tools/bench");
        return ExitCode::from(2);
    };
    match compare(Path::new(dir), Path::new(programs), Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(dir: &Path, programs: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut figures = Figures::default();
    Bench::new(dir, programs, &mut figures)?.run()?;
    report::write(&figures, &machine::description(dir)?, out)
}
