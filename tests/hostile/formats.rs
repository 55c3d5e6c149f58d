//! The file that says what the spool is, read by everyone before anything else.

use std::ffi::OsStr;
use std::fs;

use crate::commands::VERBS;
use crate::operations::{OPERATIONS, open};
use crate::suite::{Suite, judge_command, judge_conduct};
use crate::things::{Thing, things};
use crate::told::{Teller, Told};
use crate::yard::Yard;

pub fn run(suite: &mut Suite) {
    for thing in things() {
        suite.case(&format!("formats/{}", thing.name), |suite| {
            one(suite, thing)
        });
    }
}

fn one(suite: &mut Suite, thing: &Thing) -> Vec<String> {
    let mut yard = Yard::new(&["in", "out"]);
    yard.enqueue(&yard.open(), OsStr::new("good"));
    yard.share();
    let format = yard.inside(".multispool/format");
    fs::remove_file(&format).unwrap();
    let _held = (thing.plant)(&yard, &format);
    yard.seal();
    suite.weeds += 1;
    let mut faults = Vec::new();
    for operation in OPERATIONS.iter().filter(|operation| {
        ["load", "create", "enqueue", "dequeue-available"].contains(&operation.name)
    }) {
        let ended = suite.run_worker(&yard, |told| {
            operation.begin(open(&yard.spool_dir()), &mut Teller::new(told));
        });
        let told = Told::read(&ended.out);
        let named = told.failed.iter().any(|said| said.contains("/format: "));
        if !named {
            faults.push(format!(
                "{}: no failure that names it: {:?}",
                operation.name, told.failed
            ));
        }
        faults.extend(judge_conduct(&ended, &told));
    }
    for verb in VERBS
        .iter()
        .filter(|verb| ["list", "run", "fsck", "create"].contains(&verb.name))
    {
        let ended = verb.once(suite, &yard, &[]);
        faults.extend(judge_command(&ended));
        let said = String::from_utf8_lossy(&ended.err);
        if ended.status != Some(3) || !said.contains("/format: ") {
            faults.push(format!("{}: no failure that names it: {said}", verb.name));
        }
    }
    faults.extend(yard.changes());
    faults
}
