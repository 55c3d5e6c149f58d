//! The judge of the conformance suite: plays the cases with each agent, looks at every answer and at the spool on
//! disk after every step, and says who is right.
//!
//! ```text
//! conformance [--only TEXT] [--falsify NAME] [--omitting COMMAND --blind STEP,...] FOLDER NAME=COMMAND...
//! ```
//!
//! - `FOLDER` holds `cases/` and `rows.txt`; an agent is a shell's command with a name.
//! - `--only`: the cases of that concept, and those with the text in their names.
//! - `--falsify`: each case with something wrong in it, played by that agent, must fail.
//! - `--omitting`: an agent whose library leaves out the steps that `MULTISPOOL_OMIT` names; `--blind`: without each of
//!   these steps it must fail, and with all of them it must pass.
//!
//! Exit status: 0 all is well, 1 something is not, 2 wrong usage.

mod agent;
mod case;
mod disk;
mod falsify;
mod figures;
mod hand;
mod options;
mod play;
mod rows;
mod verbs;

use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result, anyhow};

use case::Case;
use figures::Figures;
use options::{Named, Options};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How much failed.
fn run(options: &Options) -> Result<usize> {
    let mut cases = case::read_all(&options.folder.join("cases"))?;
    match &options.only {
        Some(part) => cases.retain(|case| case.concept == *part || case.name.contains(part)),
        None => {
            let rows = rows::check(&options.folder.join("rows.txt"), &cases)?;
            println!("{} cases show {rows} rows", cases.len());
        }
    }
    let (mut passed, mut failed) = play_all(&cases, &options.agents)?;
    if let Some(name) = &options.falsify {
        let agent = options.agents.iter().find(|agent| agent.name == *name);
        let agent = agent.with_context(|| format!("no agent is called '{name}'"))?;
        let (seen, missed) = falsify::all_must_fail(&cases, &agent.command)?;
        println!(
            "{seen} of {} cases with something wrong in them failed",
            seen + missed
        );
        passed += seen;
        failed += missed;
    }
    if let Some(command) = &options.omitting {
        let blindness = figures::blindness(&cases, command, &options.blind)?;
        passed += blindness.0;
        failed += blindness.1;
    }
    println!("conformance: {passed} passed, {failed} failed, 0 skipped");
    Ok(failed)
}

/// Plays the cases with all agents at once: mostly they wait.
fn play_all(cases: &[Case], agents: &[Named]) -> Result<(usize, usize)> {
    let all = thread::scope(|scope| {
        let playing: Vec<_> = agents
            .iter()
            .map(|agent| scope.spawn(|| Figures::of(agent, cases)))
            .collect();
        playing
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .map_err(|_| anyhow!("an agent's thread panicked"))?
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let width = agents
        .iter()
        .map(|agent| agent.name.len())
        .max()
        .unwrap_or(0);
    let (mut passed, mut failed) = (0, 0);
    for (agent, figures) in agents.iter().zip(&all) {
        println!("{:width$}  {figures}", agent.name);
        passed += figures.passed();
        failed += figures.failed;
    }
    for (agent, figures) in agents.iter().zip(&all) {
        figures.print_without(&agent.name);
    }
    Ok((passed, failed))
}
