//! All recordings, all their states, and the count.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::blind;
use crate::case::{self, Case, Count};
use crate::cuts::Recording;
use crate::known;
use crate::operate::{Act, Operator};
use crate::operations::{self, Operation};
use crate::sequel::{self, Sequel};

/// What is asked for on the command line.
struct Arguments {
    /// An empty directory, in memory if there is one.
    scratch: PathBuf,
    /// One in so many sequels is looked at,
    every: usize,
    /// beginning with this.
    from: usize,
    /// The program that can leave out steps; without one, nothing is left out.
    omitting: Option<PathBuf>,
    /// The operations; all, if none is named.
    names: Vec<String>,
}

impl Arguments {
    fn parse(arguments: &[OsString]) -> Arguments {
        let mut parsed = Arguments {
            scratch: PathBuf::new(),
            every: 1,
            from: 0,
            omitting: None,
            names: Vec::new(),
        };
        let mut arguments = arguments
            .iter()
            .map(|argument| argument.to_str().expect("text"));
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().expect("an option's value");
            match argument {
                "--scratch" => parsed.scratch = value().into(),
                "--every" => parsed.every = value().parse().expect("a number"),
                "--from" => parsed.from = value().parse().expect("a number"),
                "--omitting" => parsed.omitting = Some(value().into()),
                name => parsed.names.push(name.to_owned()),
            }
        }
        parsed
    }

    fn wants(&self, operation: &Operation) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == operation.name)
    }
}

/// What the one does who comes after a kill.
const AFTER_A_KILL: [Act; 4] = [Act::Second, Act::Tidy, Act::Work, Act::Reuse];

pub fn run(arguments: &[OsString]) -> ExitCode {
    let arguments = Arguments::parse(arguments);
    let scratch = arguments.scratch.as_path();
    let operator = Operator {
        executable: std::env::current_exe().expect("this program"),
        omitted: None,
    };
    let operations = operations::all();
    let wanted = operations
        .iter()
        .filter(|operation| arguments.wants(operation));
    let recordings: Result<Vec<_>, String> = wanted
        .map(|operation| Recording::make(&operator, operation, scratch))
        .collect();
    let controls = match &arguments.omitting {
        Some(omitting) => blind::controls(&operations, omitting, scratch),
        None => Ok(Vec::new()),
    };
    let (recordings, controls) = match (recordings, controls) {
        (Ok(recordings), Ok(controls)) => (recordings, controls),
        (Err(reason), _) | (_, Err(reason)) => {
            println!("FAILED  {reason}\nstates: 0 passed, 1 failed, 0 skipped");
            return ExitCode::FAILURE;
        }
    };
    let mut turns = Turns::new(&arguments);
    let mut cases = vec![known::case()];
    for recording in &recordings {
        cases.extend(cases_of(recording, &operator, &mut turns, scratch));
    }
    for control in &controls {
        let case = control.case(scratch);
        let name = format!("{}: nothing left out", control.operation.name);
        cases.push(Case { name, ..case });
    }
    if let Some(omitting) = &arguments.omitting {
        cases.extend(blind::cases(&operations, omitting, scratch));
    }
    let results = case::run(&cases);
    tell(&cases, &results);
    let count: Count = results.iter().flatten().copied().sum();
    println!(
        "{} recordings, {} events, {} states; of {} sequels, one in {} from {} on",
        count.recordings, count.events, count.states, turns.met, turns.every, turns.from
    );
    let failed = results.iter().filter(|result| result.is_err()).count();
    let passed = results.len() - failed;
    println!("states: {passed} passed, {failed} failed, 0 skipped");
    ExitCode::from(u8::from(failed > 0))
}

fn tell(cases: &[Case<'_>], results: &[Result<Count, String>]) {
    for (Case { name, .. }, result) in cases.iter().zip(results) {
        match result {
            Ok(count) => println!(
                "ok      {name:<70} {:>4} recordings {:>6} events {:>6} states",
                count.recordings, count.events, count.states
            ),
            Err(reason) => println!("FAILED  {name}\n{reason}"),
        }
    }
}

fn cases_of<'a>(
    recording: &'a Recording<'a>,
    operator: &'a Operator,
    turns: &mut Turns,
    scratch: &'a Path,
) -> Vec<Case<'a>> {
    let mut cases = vec![recording.case(scratch)];
    let operation = recording.operation;
    if operation.needs_each_sync {
        cases.push(recording.case_without_each_sync(scratch));
    }
    let kills = match operation.is_killed {
        true => sequel::after_kills(recording, &AFTER_A_KILL),
        false => Vec::new(),
    };
    let cuts = sequel::after_cuts(recording);
    for (after, sequels) in [("a kill, and a cut", kills), ("a cut, and a cut", cuts)] {
        let sequels = turns.pick(sequels);
        if !sequels.is_empty() {
            let name = format!("{}: {after}", operation.name);
            cases.push(sequel::case(name, sequels, operator, scratch));
        }
    }
    cases
}

/// Which of the sequels are looked at.
struct Turns {
    every: usize,
    from: usize,
    met: usize,
}

impl Turns {
    fn new(arguments: &Arguments) -> Turns {
        Turns {
            every: arguments.every,
            from: arguments.from % arguments.every,
            met: 0,
        }
    }

    fn pick<'a>(&mut self, sequels: Vec<Sequel<'a>>) -> Vec<Sequel<'a>> {
        sequels.into_iter().filter(|_| self.is_next()).collect()
    }

    fn is_next(&mut self) -> bool {
        self.met += 1;
        (self.met - 1) % self.every == self.from
    }
}
