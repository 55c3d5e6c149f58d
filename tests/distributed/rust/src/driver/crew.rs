//! The processes that work on one spool, from both sides, in three languages.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use distributed::record::{Answer, Verb};

use crate::chronicle::{self, Call};
use crate::ground::{Ground, Side, spool_on};

/// How long a condition may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// For how long nothing happens when all is over.
const QUIET: Duration = Duration::from_secs(3);
/// A hand's exit status when a new one should take its place.
const AGAIN: i32 = 75;

/// The command of the hands in each language.
pub type Languages = Vec<Vec<String>>;

pub struct Crew<'a> {
    ground: &'a Ground,
    languages: &'a Languages,
    spool: String,
    control: PathBuf,
    environment: Vec<(String, String)>,
    hands: Vec<Hand>,
    dead: Option<Side>,
    replaced: usize,
}

struct Hand {
    side: Side,
    language: usize,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl<'a> Crew<'a> {
    pub fn new(
        ground: &'a Ground,
        languages: &'a Languages,
        work: &std::path::Path,
        spool: &str,
    ) -> Result<Crew<'a>> {
        let control = work.join(spool);
        fs::create_dir(&control).with_context(|| format!("{}", control.display()))?;
        Ok(Crew {
            ground,
            languages,
            spool: spool.to_owned(),
            control,
            environment: Vec::new(),
            hands: Vec::new(),
            dead: None,
            replaced: 0,
        })
    }

    /// What the hands that are added from now on have in their environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The hands that are added from now on are these.
    pub fn use_languages(&mut self, languages: &'a Languages) {
        self.languages = languages;
    }

    /// So many hands, on the sides in turn, in each language in turn.
    pub fn add(&mut self, count: usize, sides: &[Side], arguments: &[&str]) -> Result<Vec<usize>> {
        (0..count)
            .map(|i| {
                let side = sides[i % sides.len()];
                let language = (i / sides.len()) % self.languages.len();
                let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
                self.start(side, language, arguments)
            })
            .collect()
    }

    fn start(&mut self, side: Side, language: usize, arguments: Vec<String>) -> Result<usize> {
        let number = self.hands.len();
        let words = &self.languages[language];
        let child = Command::new(&words[0])
            .args(&words[1..])
            .arg(&self.control)
            .arg(number.to_string())
            .arg(spool_on(self.ground, side, &self.spool))
            .args(&arguments)
            .envs(self.environment.iter().cloned())
            .stderr(File::create(self.errors(number))?)
            .spawn()
            .with_context(|| format!("{words:?}"))?;
        self.hands.push(Hand {
            side,
            language,
            arguments,
            child: Some(child),
        });
        Ok(number)
    }

    fn errors(&self, number: usize) -> PathBuf {
        self.control.join(format!("{number}.errors"))
    }

    pub fn calls(&self) -> Result<Vec<Call>> {
        chronicle::read(&self.control)
    }

    /// Whoever works on a side now.
    pub fn workers_on(&self, side: Side) -> Vec<usize> {
        let works = |number: &usize| {
            let hand = &self.hands[*number];
            hand.side == side && hand.arguments[0] == "work" && hand.child.is_some()
        };
        (0..self.hands.len()).filter(works).collect()
    }

    /// How many hands took the place of others.
    pub fn replaced(&self) -> usize {
        self.replaced
    }

    /// Sees who has ended, and replaces those whose calls failed, but not on a side that is dead.
    pub fn tend(&mut self) -> Result<()> {
        for number in 0..self.hands.len() {
            let Some(child) = &mut self.hands[number].child else {
                continue;
            };
            let Some(status) = child.try_wait()? else {
                continue;
            };
            let hand = &mut self.hands[number];
            if status.code() == Some(AGAIN) {
                if self.dead == Some(hand.side) {
                    continue;
                }
                hand.child = None;
                let (side, language, arguments) =
                    (hand.side, hand.language, hand.arguments.clone());
                self.start(side, language, arguments)?;
                self.replaced += 1;
                continue;
            }
            hand.child = None;
            ensure!(
                status.success(),
                "hand {number} ended with {status}: {}",
                fs::read_to_string(self.errors(number))?
            );
        }
        Ok(())
    }

    /// A side's mount is dead, or no side's is.
    pub fn mark_dead(&mut self, side: Option<Side>) {
        self.dead = side;
    }

    /// Waits until a condition of the calls so far holds.
    pub fn until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&[Call]) -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.tend()?;
            let calls = self.calls()?;
            if holds(&calls)? {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "waited in vain until {what}; last calls: {:#?}",
                    last_calls(&calls)
                );
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until so many entries are finished.
    pub fn until_finished(&mut self, count: usize) -> Result<()> {
        self.until(&format!("{count} entries are finished"), |calls| {
            Ok(finished(calls).len() >= count)
        })
    }

    /// Lets all begin at once, when all have opened the spool.
    pub fn go(&mut self) -> Result<()> {
        let count = self.hands.len();
        self.until("all have opened the spool", |calls| {
            let open = |call: &&Call| call.verb == Verb::Open && call.answered(Answer::Done);
            Ok(calls.iter().filter(open).count() == count)
        })?;
        File::create(self.control.join("go"))?;
        Ok(())
    }

    /// Makes hands hold what they take next.
    pub fn hold(&self, hands: &[usize]) -> Result<()> {
        for number in hands {
            File::create(self.hold_file(*number))?;
        }
        Ok(())
    }

    pub fn let_go(&self, hands: &[usize]) -> Result<()> {
        for number in hands {
            fs::remove_file(self.hold_file(*number))?;
        }
        Ok(())
    }

    fn hold_file(&self, number: usize) -> PathBuf {
        self.control.join(format!("{number}.hold"))
    }

    /// Waits until each of the hands holds an entry, and tells which.
    pub fn until_held(&mut self, hands: &[usize]) -> Result<HashSet<String>> {
        let mut names = HashSet::new();
        self.until("the hands hold an entry each", |calls| {
            names = held(calls, hands);
            Ok(names.len() == hands.len())
        })?;
        Ok(names)
    }

    /// Waits until nobody has taken anything for a while, whatever becomes of anybody.
    pub fn until_quiet(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let (mut taken, mut since) = (0, Instant::now());
        while taken == 0 || since.elapsed() < QUIET {
            ensure!(Instant::now() < deadline, "it does not become quiet");
            let calls = self.calls()?;
            let count = calls
                .iter()
                .filter(|call| call.verb == Verb::Dequeue && call.answered(Answer::Done))
                .count();
            if count > taken {
                (taken, since) = (count, Instant::now());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    pub fn kill_all(&mut self) -> Result<()> {
        for hand in &mut self.hands {
            if let Some(mut child) = hand.child.take() {
                child.kill()?;
                child.wait()?;
            }
        }
        Ok(())
    }

    pub fn stop(&self) -> Result<()> {
        File::create(self.control.join("stop"))?;
        Ok(())
    }

    /// Waits until all have ended that end by themselves.
    pub fn join_all_but_workers(&mut self) -> Result<()> {
        self.until_ended(|hand| hand.arguments[0] != "work")
    }

    fn until_ended(&mut self, which: impl Fn(&Hand) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self
            .hands
            .iter()
            .any(|hand| which(hand) && hand.child.is_some())
        {
            if Instant::now() >= deadline {
                bail!("hands do not end: {}", self.still_at_it());
            }
            self.tend()?;
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// The hands that have not ended, each with what its main thread waits for in the kernel.
    fn still_at_it(&self) -> String {
        let one = |(number, hand): (usize, &Hand)| {
            let pid = hand.child.as_ref()?.id();
            let waits_for = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
            let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
            let call = call.split(' ').next().unwrap_or_default();
            Some(format!(
                "{number} ({}; {waits_for} {call})",
                hand.arguments.join(" ")
            ))
        };
        let all: Vec<String> = self.hands.iter().enumerate().filter_map(one).collect();
        all.join(", ")
    }

    /// Waits until all hands, or those given, have ended.
    pub fn join(&mut self, hands: Option<&[usize]>) -> Result<()> {
        let all: Vec<usize> = (0..self.hands.len()).collect();
        let hands = hands.unwrap_or(&all);
        let deadline = Instant::now() + PATIENCE;
        while hands
            .iter()
            .any(|number| self.hands[*number].child.is_some())
        {
            if Instant::now() >= deadline {
                bail!("hands do not end: {}", self.still_at_it());
            }
            self.tend()?;
            thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Crew<'_> {
    /// Only after a failure is anybody left.
    fn drop(&mut self) {
        for child in self.hands.iter_mut().filter_map(|hand| hand.child.as_mut()) {
            let _ = child.kill();
        }
    }
}

/// The names whose end was acknowledged.
pub fn finished(calls: &[Call]) -> HashSet<&str> {
    let done = calls
        .iter()
        .filter(|call| call.finishes() && call.answered(Answer::Done));
    done.map(|call| call.name.as_str()).collect()
}

/// What the hands hold that have read an entry's data and not done anything since.
fn held(calls: &[Call], hands: &[usize]) -> HashSet<String> {
    let last = |number: &usize| calls.iter().rfind(|call| call.hand == *number);
    let holds = |call: &&Call| call.verb == Verb::Read && call.answered(Answer::Done);
    hands
        .iter()
        .filter_map(last)
        .filter(holds)
        .map(|call| call.name.clone())
        .collect()
}

fn last_calls(calls: &[Call]) -> Vec<&Call> {
    let hands: HashSet<usize> = calls.iter().map(|call| call.hand).collect();
    hands
        .into_iter()
        .filter_map(|hand| calls.iter().rfind(|call| call.hand == hand))
        .collect()
}
