//! Bringing back, looking for what is wrong, and clearing away.

use std::rc::Rc;

use multispool::{
    Error, ErrorKind, Monitor, MonitorSpec, Problem, RecoverOptions, RepairOptions, RepairStep,
    Spool,
};

use super::{MOST, Plan, World};
use crate::model::repair::Step;
use crate::model::{Scope, problems};
use crate::operation::{Age, Ages, Bytes, Part, Pick, Target};
use crate::verdict::{Verdict, Wrong, ensure, split};

impl World {
    pub(super) fn recover(&mut self, pick: Pick, min_age: Option<Age>) -> Verdict {
        let (spool, scope) = self.opened(pick);
        self.recover_by(&spool, &scope, min_age)
    }

    fn recover_by(&mut self, spool: &Spool, scope: &Scope, min_age: Option<Age>) -> Verdict {
        let options = match min_age {
            Some(age) => RecoverOptions::new().min_age(age.duration()),
            None => RecoverOptions::new(),
        };
        let recovered = spool.recover(&options).map(|recovered| {
            let entries = recovered.entries.iter().map(|entry| {
                let (queue, name) = (entry.queue().as_os_str(), entry.name().as_os_str());
                (Bytes::from(queue), Bytes::from(name))
            });
            let failures = recovered.failures.iter().map(Error::kind);
            (entries.collect(), failures.collect())
        });
        let expected = self.model.recover(scope, min_age);
        self.figures.agree("recover", &expected, &recovered)?;
        if let Ok((entries, _)) = expected {
            self.figures
                .count("entries recovered", entries.len() as u64);
        }
        Ok(())
    }

    pub(super) fn problems(&mut self, pick: Pick, by_monitor: bool, ages: &Ages) -> Verdict {
        let (spool, _) = self.opened(pick);
        let limits = ages.limits();
        let found = match by_monitor {
            true => Monitor::create(&MonitorSpec::new(&self.root, limits))
                .and_then(|monitor| monitor.run_once()),
            false => spool.problems(&limits),
        };
        let found = found.map(|found| {
            // Half of an entry is one after some seconds only.
            let found = found
                .iter()
                .filter(|problem| !matches!(problem, Problem::HalfMade(..)));
            let mut found: Vec<problems::Problem> = found.map(of_problem).collect();
            found.sort();
            found
        });
        let expected = self.model.problems(ages);
        self.figures
            .agree("problems", &Ok(expected.clone()), &found)?;
        for (kind, _, _) in expected {
            self.figures.count(&format!("problem {kind}"), 1);
        }
        Ok(())
    }

    pub(super) fn plan(&mut self, pick: Pick, min_age: Age) -> Verdict {
        let (spool, scope) = self.opened(pick);
        self.plan_by(&spool, scope, min_age)
    }

    fn plan_by(&mut self, spool: &Spool, scope: Rc<Scope>, min_age: Age) -> Verdict {
        let options = RepairOptions::new().min_age(min_age.duration());
        let (answer, plan) = split(spool.repair(&options), |plan| steps(plan.steps()));
        let steps = self.model.plan(min_age);
        self.figures
            .agree("plan a repair", &Ok(steps.clone()), &answer)?;
        if let Some(plan) = plan {
            self.plans.push(Plan { plan, steps, scope });
        }
        if self.plans.len() > MOST {
            self.plans.remove(0);
        }
        Ok(())
    }

    /// A plan may be old by now: then what is not needed any more is left alone.
    pub(super) fn apply(&mut self, pick: Pick) -> Verdict {
        match pick.of(self.plans.len()) {
            Some(index) => self.apply_at(index),
            None => self.plan(pick, Age::Zero),
        }
    }

    fn apply_at(&mut self, index: usize) -> Verdict {
        let Plan {
            plan,
            steps: planned,
            scope,
        } = &self.plans[index];
        let (answer, repaired) = split(plan.apply(), |repaired| steps(&repaired.steps));
        let expected: Result<Vec<Step>, ErrorKind> = match scope.may_write() {
            Ok(()) => Ok(self.model.apply(planned)),
            Err(kind) => Err(kind),
        };
        self.figures.agree("repair", &expected, &answer)?;
        for (action, _, _) in expected.unwrap_or_default() {
            self.figures
                .count(&format!("repair {}", action.as_str()), 1);
        }
        match repaired {
            Some(repaired) if !repaired.failures.is_empty() => {
                Err(Wrong(format!("a repair failed: {:?}", repaired.failures)))
            }
            _ => Ok(()),
        }
    }

    /// The library is not asked: it finds out.
    pub(super) fn lose(&mut self, target: &Target, part: Part) -> Verdict {
        let Some((queue, name)) = self.target(target) else {
            return Ok(());
        };
        if let Some(lost) = self.model.lose(&queue, &name, part) {
            let lost = self.root.join(lost).join(name.os());
            std::fs::remove_file(&lost)
                .map_err(|error| Wrong(format!("{}: {error}", lost.display())))?;
            self.figures.count(&format!("lose {part:?}"), 1);
        }
        Ok(())
    }

    /// At the end: what the dead held comes back, what crashes left goes, and only damage is left.
    pub(super) fn clear_away(&mut self) -> Verdict {
        let queues: Vec<Bytes> = self.model.queues.keys().cloned().collect();
        let spool = Spool::load(&self.root, queues.iter().map(Bytes::os));
        let spool = spool.map_err(|error| Wrong(format!("all queues: {error}")))?;
        let scope = Rc::new(Scope {
            queues: queues.into_iter().collect(),
            is_read_only: false,
        });
        self.recover_by(&spool, &scope, Some(Age::Zero))?;
        self.check()?;
        self.plan_by(&spool, scope, Age::Zero)?;
        self.apply_at(self.plans.len() - 1)?;
        self.check()?;
        self.plan(Pick(0), Age::Zero)?;
        let left = self.plans.last().map(|plan| plan.steps.clone());
        ensure(left.as_ref().is_none_or(Vec::is_empty), || {
            format!("after a repair there is something to repair: {left:?}")
        })
    }
}

fn of_problem(problem: &Problem) -> problems::Problem {
    let name = Bytes::from(&*problem.file().filename);
    (problem.kind(), name, problem.places().to_vec())
}

fn steps(steps: &[RepairStep]) -> Vec<Step> {
    let steps = steps.iter();
    steps
        .map(|step| (step.action, step.dir.clone(), Bytes::from(&*step.filename)))
        .collect()
}
