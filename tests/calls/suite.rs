//! Counts all, and compares.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::blindness;
use crate::counts::Counts;
use crate::expected::{Expected, WAYS};
use crate::instructions::{self, COUNTED, DURABILITY};
use crate::operate::Operation;
use crate::page;
use crate::trace::Run;

/// What can be measured here, and where.
pub struct Suite {
    pub program: PathBuf,
    /// The same program, in which steps can be left out.
    pub omitting: PathBuf,
    /// A directory on a file system that is synced step by step.
    pub strict: PathBuf,
    /// One on a file system that commits in order, if there is one.
    pub ordered: Option<PathBuf>,
    pub valgrind: bool,
    pub times: u64,
}

impl Suite {
    /// `None` where it cannot be measured here.
    fn dir(&self, way: &str) -> Option<&Path> {
        match way {
            "full, ordered" => self.ordered.as_deref(),
            _ => Some(&self.strict),
        }
    }

    pub fn calls(&self, run: Run<'_>, way: &str) -> Result<Option<Counts>, String> {
        let Some(dir) = self.dir(way) else {
            return Ok(None);
        };
        run.calls(dir, self.times).map(Some)
    }

    pub fn run_of<'a>(&'a self, operation: Operation, way: &'a str) -> Run<'a> {
        Run {
            program: &self.program,
            operation,
            durability: way.split(',').next().unwrap_or(way),
            omitted: "",
            in_vain: 0,
        }
    }

    /// All that can be counted here; of the rest, what was expected of it.
    fn count(&self, expected: &Expected) -> Result<Expected, String> {
        let mut counted = expected.clone();
        for operation in Operation::ALL {
            for way in WAYS {
                if let Some(calls) = self.calls(self.run_of(operation, way), way)? {
                    counted.calls.insert((operation, way), calls);
                }
            }
        }
        if self.valgrind {
            for operation in COUNTED {
                let run = self.run_of(operation, DURABILITY);
                let count = instructions::count(run, &self.strict)?;
                counted.instructions.insert(operation, count);
            }
        }
        Ok(counted)
    }
}

#[derive(Default)]
struct Verdicts {
    passed: u32,
    failed: u32,
}

impl Verdicts {
    fn give(&mut self, passed: bool, told: impl FnOnce() -> String) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
            println!("FAILED {}", told());
        }
    }
}

/// `EXPECTED PAGE OMITTING STRICT_DIR TIMES [--ordered DIR] [--valgrind] [--bless]`
pub fn run(arguments: &[String]) -> ExitCode {
    let [expected, page, omitting, strict, times, options @ ..] = arguments else {
        eprintln!("calls: started by tests/calls/run");
        return ExitCode::from(2);
    };
    let has = |option: &str| options.iter().position(|given| given == option);
    let suite = Suite {
        program: std::env::current_exe().unwrap(),
        omitting: omitting.into(),
        strict: strict.into(),
        ordered: has("--ordered").map(|at| PathBuf::from(&options[at + 1])),
        valgrind: has("--valgrind").is_some(),
        times: times.parse().unwrap(),
    };
    let (expected, page) = (Path::new(expected), Path::new(page));
    let done = match has("--bless") {
        Some(_) => bless(&suite, expected, page),
        None => check(&suite, expected, page),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("calls: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bless(suite: &Suite, path: &Path, page: &Path) -> Result<bool, String> {
    let before = match path.exists() {
        true => Expected::read(path)?,
        false => Expected::default(),
    };
    let counted = suite.count(&before)?;
    counted.write(path)?;
    page::write(page, &counted)?;
    println!("written: {}, {}", path.display(), page.display());
    Ok(true)
}

fn check(suite: &Suite, path: &Path, page: &Path) -> Result<bool, String> {
    let expected = Expected::read(path)?;
    let counted = suite.count(&expected)?;
    let mut verdicts = Verdicts::default();
    let none = Counts::default();
    for (of @ (operation, way), calls) in &counted.calls {
        let those = expected.calls.get(of).unwrap_or(&none);
        verdicts.give(calls == those, || {
            format!(
                "{}, {way}:\n  expected {those}\n  counted  {calls}",
                operation.name()
            )
        });
    }
    for (operation, count) in &counted.instructions {
        let that = expected.instructions.get(operation).copied().unwrap_or(0);
        verdicts.give(instructions::is_near(*count, that), || {
            format!(
                "{}: expected {that} instructions, counted {count}",
                operation.name()
            )
        });
        println!("{}, {DURABILITY}: {count} instructions", operation.name());
    }
    verdicts.give(page::tells(page, &expected)?, || {
        format!(
            "{} tells other calls than {}",
            page.display(),
            path.display()
        )
    });
    for (blind, what) in blindness::look(suite, &expected)? {
        verdicts.give(!blind, || format!("not noticed: {what}"));
    }
    if verdicts.failed > 0 {
        println!("If the change is wanted: tests/calls/run --bless");
    }
    println!(
        "{} operations and ways, {} times each",
        counted.calls.len(),
        suite.times
    );
    println!(
        "calls: {} passed, {} failed, 0 skipped",
        verdicts.passed, verdicts.failed
    );
    Ok(verdicts.failed == 0)
}
