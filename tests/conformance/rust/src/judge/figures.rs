//! All cases, played by one agent.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::agent::Agent;
use crate::case::Case;
use crate::options::Named;
use crate::play::play;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of the cases with one agent. Common cases are those that need nothing that an interface may not have.
#[derive(Default)]
pub struct Figures {
    common_passed: usize,
    more_passed: usize,
    pub failed: usize,
    /// How many cases need what the interface does not have, by what they need.
    without: BTreeMap<String, usize>,
}

impl Figures {
    /// Plays all cases.
    ///
    /// # Errors
    /// The agent does not start.
    pub fn of(named: &Named, cases: &[Case]) -> Result<Figures> {
        let mut figures = Figures::default();
        let mut agent = Agent::start(&named.command, PATIENCE)?;
        for case in cases {
            if let Some(need) = lacking(case, &agent) {
                *figures.without.entry(need.clone()).or_default() += 1;
                continue;
            }
            match play_anew(case, &mut agent) {
                Ok(()) if case.needs.is_empty() => figures.common_passed += 1,
                Ok(()) => figures.more_passed += 1,
                Err(error) => {
                    figures.failed += 1;
                    eprintln!(
                        "FAILED {}: {}: {}\n  {error:#}",
                        named.name, case.concept, case.name
                    );
                    // It may have anything in hand, or have ended.
                    drop(agent);
                    agent = Agent::start(&named.command, PATIENCE)?;
                }
            }
        }
        Ok(figures)
    }

    pub fn passed(&self) -> usize {
        self.common_passed + self.more_passed
    }

    /// Says what the interface does not have, and how many cases need it.
    pub fn print_without(&self, name: &str) {
        let reasons: Vec<String> = self
            .without
            .iter()
            .map(|(need, count)| format!("{need} ({count})"))
            .collect();
        if !reasons.is_empty() {
            println!("{name} has not: {}", reasons.join(", "));
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures {
            common_passed,
            more_passed,
            failed,
            without,
        } = self;
        let without: usize = without.values().sum();
        write!(
            f,
            "{common_passed} common cases passed, {more_passed} more, {failed} failed, {without} not applicable"
        )
    }
}

/// Whether an agent notices that its library leaves out each of these steps: how often it did, and how often not.
///
/// # Errors
/// The agent does not start.
pub fn blindness(cases: &[Case], command: &str, steps: &[String]) -> Result<(usize, usize)> {
    if let Some(case) = first_failure(cases, command)? {
        eprintln!(
            "FAILED with nothing left out: {}: {}",
            case.concept, case.name
        );
        return Ok((0, 1));
    }
    let (mut seen, mut missed) = (0, 0);
    for step in steps {
        match first_failure(cases, &format!("env MULTISPOOL_OMIT={step} {command}"))? {
            Some(case) => {
                println!("without {step}: {}: {} fails", case.concept, case.name);
                seen += 1;
            }
            None => {
                eprintln!("FAILED all cases pass without {step}");
                missed += 1;
            }
        }
    }
    Ok((seen, missed))
}

/// The first case that an agent fails, if it fails one.
fn first_failure<'a>(cases: &'a [Case], command: &str) -> Result<Option<&'a Case>> {
    // One that does not answer within seconds has failed, too.
    let mut agent = Agent::start(command, Duration::from_secs(3))?;
    for case in cases {
        if lacking(case, &agent).is_none() && play_anew(case, &mut agent).is_err() {
            return Ok(Some(case));
        }
    }
    Ok(None)
}

/// What the case needs and the agent's interface does not have.
fn lacking<'a>(case: &'a Case, agent: &Agent) -> Option<&'a String> {
    case.needs.iter().find(|need| agent.lacks.contains(need))
}

/// Plays a case in a folder of its own.
///
/// # Errors
/// Those of `play`.
pub fn play_anew(case: &Case, agent: &mut Agent) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let result = play(case, agent, folder.path());
    agent.give_descriptors()?;
    result
}
