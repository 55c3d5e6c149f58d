//! With the rename alone as the claim, entries are taken twice, and the judge sees it: else it would be blind.

use anyhow::{Result, bail};

use super::{Field, HANDS};
use crate::crew::Crew;
use crate::ground::Side;
use crate::judge::{Left, Promise, judge};

/// Each has more entries than the one before.
const ATTEMPTS: usize = 5;

pub fn sees_double(field: &Field) -> Result<String> {
    let mut tried = 0;
    for attempt in 1..=ATTEMPTS {
        let spool = format!("blind-{attempt}");
        let entries = field.options.entries / 2 * attempt;
        tried += entries;
        let mut crew = field.crew(&spool, field.options.lease)?;
        field.fill(&mut crew, entries)?;
        crew.use_languages(&field.options.blind_hands);
        crew.set("MULTISPOOL_OMIT", "claim-by-link");
        crew.add(HANDS, &Side::BOTH, &["work", "0", "0"])?;
        if let Some(violation) = double_taking(field, &mut crew)? {
            return Ok(format!(
                "of {tried} entries taken by the rename alone, {violation}"
            ));
        }
    }
    bail!(
        "{tried} entries were taken by the rename alone, and none twice: this test may see nothing"
    );
}

/// The first violation of its kind.
fn double_taking(field: &Field, crew: &mut Crew) -> Result<Option<String>> {
    let promise = Promise {
        lease: u64::try_from(field.options.lease.as_nanos())?,
        failures: true,
    };
    // Whoever has lost its entry to a second taker ends in one way or another; what matters is in the logs by then.
    crew.until_quiet()?;
    crew.kill_all()?;
    let verdict = judge(&crew.calls()?, &Left::default(), promise);
    let doubles: Vec<_> = verdict
        .violations
        .iter()
        .filter(|violation| violation.contains("was taken by"))
        .collect();
    Ok(doubles
        .first()
        .map(|first| format!("{} were taken twice, such as: {first}", doubles.len())))
}
