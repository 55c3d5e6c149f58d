//! What must be noticed: a call more, a call less, instructions in vain.

use crate::expected::Expected;
use crate::instructions::{self, COUNTED, DURABILITY};
use crate::operate::Operation;
use crate::suite::Suite;

/// Steps that are calls, each with an operation and a way of it that has the step.
const LEFT_OUT: [(&str, Operation, &str); 3] = [
    ("sync-data", Operation::Enqueue, "full, strict"),
    ("sync-queue", Operation::Enqueue, "full, ordered"),
    ("sync-removal", Operation::Remove, "full, strict"),
];

/// Each of them, and whether it was not noticed.
pub fn look(suite: &Suite, expected: &Expected) -> Result<Vec<(bool, String)>, String> {
    let mut found = Vec::new();
    for (step, operation, way) in LEFT_OUT {
        let mut run = suite.run_of(operation, way);
        run.program = &suite.omitting;
        let is_expected = |run| -> Result<Option<bool>, String> {
            let calls = suite.calls(run, way)?;
            Ok(calls.map(|calls| expected.calls.get(&(operation, way)) == Some(&calls)))
        };
        // With nothing left out it is no different, or this would show nothing.
        let whole = is_expected(run)?;
        run.omitted = step;
        if let (Some(whole), Some(blind)) = (whole, is_expected(run)?) {
            let what = format!("{} at {way} without {step}", operation.name());
            found.push((blind || !whole, what));
        }
    }
    for operation in Operation::ALL {
        let way = DURABILITY;
        let mut run = suite.run_of(operation, way);
        run.in_vain = 1;
        if let Some(calls) = suite.calls(run, way)? {
            let blind = expected.calls.get(&(operation, way)) == Some(&calls);
            found.push((blind, format!("{} with a call more", operation.name())));
        }
    }
    if suite.valgrind {
        for operation in COUNTED {
            let that = expected.instructions.get(&operation).copied().unwrap_or(0);
            let mut run = suite.run_of(operation, DURABILITY);
            // A turn of the loop is two instructions at least.
            run.in_vain = that / 25;
            let count = instructions::count(run, &suite.strict)?;
            let blind = instructions::is_near(count, that);
            found.push((blind, format!("{} with 8 % more to do", operation.name())));
        }
    }
    Ok(found)
}
