//! Checks models: that one holds, over all of its states; that one with a step done wrong does not.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Path};

use crate::reached::Reached;

/// An action that can be told in words.
pub trait Labelled {
    /// Who does what.
    fn label(&self) -> String;
}

/// What was checked so far.
pub struct Checks {
    /// Only models whose name begins with this.
    only: Option<String>,
    /// Whether every counterexample is told step by step.
    traces: bool,
    threads: usize,
    states: usize,
    passed: usize,
    failed: usize,
    begun: Instant,
}

impl Checks {
    /// For checks with so many threads.
    pub fn new(only: Option<String>, traces: bool, threads: usize) -> Checks {
        Checks {
            only,
            traces,
            threads,
            states: 0,
            passed: 0,
            failed: 0,
            begun: Instant::now(),
        }
    }

    /// All states of the model keep its promises, and it reaches what it is there to reach.
    pub fn holds<M>(&mut self, name: &str, model: M, reaches: &[Reached])
    where
        M: Model + Send + Sync + 'static,
        M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
        M::Action: Clone + PartialEq + Labelled,
    {
        if self.leaves_out(name) {
            return;
        }
        let begun = Instant::now();
        let properties = model.properties();
        Reached::forget_all();
        let checker = model.checker().threads(self.threads).spawn_bfs().join();
        let discoveries = checker.discoveries();
        // One order of the steps is enough to read.
        let shortest = properties
            .iter()
            .filter_map(|property| Some((property.name, discoveries.get(property.name)?)))
            .min_by_key(|(_, path)| length::<M>(path));
        let broken = shortest.map(|(property, path)| {
            format!("not true that {property}:\n{}", told::<M>(path.clone()))
        });
        let missed = reaches.iter().filter(|reached| !reached.is_marked());
        let missed = missed.map(|reached| format!("never reached: {reached:?}"));
        let wrong: Vec<String> = broken.into_iter().chain(missed).collect();
        let states = checker.unique_state_count();
        self.states += states;
        println!(
            "{name:<44} {states:>9} states, {:>2} deep {:>6.1} s  {}",
            checker.max_depth(),
            begun.elapsed().as_secs_f64(),
            if wrong.is_empty() { "holds" } else { "FAILED" },
        );
        for wrong in &wrong {
            println!("  {wrong}");
        }
        self.count(wrong.is_empty());
    }

    /// The model, which does one thing wrong, breaks this promise.
    pub fn fails<M>(&mut self, name: &str, model: M, promise: &'static str)
    where
        M: Model + Send + Sync + 'static,
        M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
        M::Action: Clone + PartialEq + Labelled,
    {
        self.breaks(name, model, promise, "fails");
    }

    /// The model is of what the real protocol does not promise, and breaks this promise.
    pub fn is_limited<M>(&mut self, name: &str, model: M, promise: &'static str)
    where
        M: Model + Send + Sync + 'static,
        M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
        M::Action: Clone + PartialEq + Labelled,
    {
        self.breaks(name, model, promise, "a known limit");
    }

    fn breaks<M>(&mut self, name: &str, model: M, promise: &'static str, what: &str)
    where
        M: Model + Send + Sync + 'static,
        M::State: Hash + Send + Sync + Clone + PartialEq + Debug + 'static,
        M::Action: Clone + PartialEq + Labelled,
    {
        if self.leaves_out(name) {
            return;
        }
        let begun = Instant::now();
        // With one thread the search is breadth first, and the counterexample a shortest one.
        let checker = model
            .checker()
            .finish_when(HasDiscoveries::AllOf([promise].into()))
            .spawn_bfs()
            .join();
        let found = checker.discovery(promise);
        let states = checker.unique_state_count();
        self.states += states;
        let verdict = match &found {
            Some(path) => format!(
                "{what}: not true that {promise} after {} steps",
                length::<M>(path)
            ),
            None => format!("FAILED: it is true that {promise}"),
        };
        println!(
            "{name:<44} {states:>9} states {:>15.1} s  {verdict}",
            begun.elapsed().as_secs_f64(),
        );
        self.count(found.is_some());
        if let Some(path) = found.filter(|_| self.traces) {
            println!("{}", told::<M>(path));
        }
    }

    /// The figures and the closing line; whether all went well.
    pub fn end(&self) -> bool {
        println!(
            "{} states in {:.1} s",
            self.states,
            self.begun.elapsed().as_secs_f64()
        );
        println!(
            "model: {} passed, {} failed, 0 skipped",
            self.passed, self.failed
        );
        self.failed == 0 && self.passed > 0
    }

    fn leaves_out(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_some_and(|only| !name.starts_with(only))
    }

    fn count(&mut self, passed: bool) {
        match passed {
            true => self.passed += 1,
            false => self.failed += 1,
        }
    }
}

fn length<M: Model>(path: &Path<M::State, M::Action>) -> usize
where
    M::State: Clone,
    M::Action: Clone,
{
    path.clone().into_actions().len()
}

/// Step by step, and the moment that it ends in.
fn told<M: Model>(path: Path<M::State, M::Action>) -> String
where
    M::State: Debug,
    M::Action: Labelled,
{
    let end = format!("      then: {:?}", path.last_state());
    let steps = path.into_actions().into_iter().enumerate();
    let steps = steps.map(|(n, action)| format!("    {:>2}. {}", n + 1, action.label()));
    steps.chain([end]).collect::<Vec<_>>().join("\n")
}
