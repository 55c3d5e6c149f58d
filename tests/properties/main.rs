//! Random sequences of every operation, on a spool and on a model of it, by several handles of each kind,
//! with forks in between: each answer, and after each step every file and every lock, is as the model says.
//!
//! `PROPTEST_CASES` sequences are tried, and those whose seeds `regressions.txt` keeps. A failure is made
//! smaller and printed. `PROPTEST_RNG_SEED` repeats a run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end at once"
)]

mod disk;
mod model;
mod operation;
mod process;
mod step;
mod strategy;
mod verdict;
mod world;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::UNIX_EPOCH;

use proptest::test_runner::{
    Config, FailurePersistence, FileFailurePersistence, RngSeed, TestCaseError, TestError,
    TestRunner,
};

use strategy::Case;
use verdict::{Figures, Verdict, Wrong};
use world::World;

/// How many sequences a plain run of all tests tries.
const FEW: u32 = 64;

/// How many tries a sequence that fails is made smaller in.
const MANY: u32 = 4000;

const REGRESSIONS: &str = "tests/properties/regressions.txt";

#[test]
fn random_sequences_of_all_operations_do_as_the_model_says() {
    let figures = RefCell::new(Figures::default());
    let mut runner = TestRunner::new(config());
    let result = runner.run(&strategy::case(), |case| {
        let mut figures = figures.borrow_mut();
        run(&case, &mut figures).map_err(|Wrong(what)| TestCaseError::fail(what))
    });
    print(&figures.borrow());
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => {
            println!("{:?}, {:?}:", case.owners, case.queues);
            for op in &case.ops {
                println!("    {op:?}");
            }
            panic!("the smallest sequence that fails is above: {reason}");
        }
        Err(error) => panic!("{error}"),
    }
}

fn config() -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = FEW;
    }
    if std::env::var_os("PROPTEST_MAX_SHRINK_ITERS").is_none() {
        config.max_shrink_iters = MANY;
    }
    if let RngSeed::Random = config.rng_seed {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        config.rng_seed = RngSeed::Fixed(now.as_micros() as u64);
    }
    // What fails for want of a step that was left out on purpose is no regression.
    let is_whole = std::env::var_os("MULTISPOOL_OMIT").is_none();
    let persistence = FileFailurePersistence::Direct(REGRESSIONS);
    config.failure_persistence =
        is_whole.then(|| Box::new(persistence) as Box<dyn FailurePersistence>);
    if let RngSeed::Fixed(seed) = config.rng_seed {
        println!("PROPTEST_CASES={} PROPTEST_RNG_SEED={seed}", config.cases);
    }
    config
}

fn run(case: &Case, figures: &mut Figures) -> Verdict {
    figures.count("cases", 1);
    process::must_not_hang();
    let mut world = World::new(case.owners, &case.queues)?;
    let done = catch_unwind(AssertUnwindSafe(|| {
        case.ops.iter().try_for_each(|op| world.step(op))?;
        world.close()
    }));
    for (what, times) in &world.figures.0 {
        figures.count(what, *times);
    }
    match done {
        Ok(verdict) => verdict,
        Err(payload) => Err(Wrong(process::panic_message(&*payload))),
    }
}

fn print(figures: &Figures) {
    for (what, times) in &figures.0 {
        println!("{times:8} {what}");
    }
}
