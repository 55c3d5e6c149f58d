//! All who take part: they are started, stopped, continued, killed, and started again.

use std::fs::{self, File};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use rustix::process::Signal;
use storm::record::now;

use crate::actor::Actor;
use crate::chronicle::{Chronicle, Death, Pause};
use crate::options::Options;
use crate::spool::{QUEUES, Spool};
use crate::tool::{Sighting, Tool};

/// No producer starts while more entries than this wait.
const BACKLOG: usize = 150;
/// How many entries a producer enqueues before it ends.
const ENTRIES: &str = "40";
/// How often the backlog is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// One of these is drawn for each process.
const DURABILITIES: [&str; 7] = ["none", "none", "none", "none", "none", "original", "full"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Producer,
    Worker(&'static str),
    Tool(Tool),
}

/// A place in the cast, taken by one process after another.
struct Slot {
    part: Part,
    /// Of producers and workers.
    language: String,
    actor: Option<Actor>,
    /// When the next one starts.
    due: Instant,
}

pub struct Cast<'a> {
    options: &'a Options,
    spool: &'a Spool,
    luck: Rng,
    slots: Vec<Slot>,
    looked: Instant,
    /// Whether producers are started.
    produces: bool,
    pub chronicle: Chronicle,
}

impl<'a> Cast<'a> {
    pub fn new(options: &'a Options, spool: &'a Spool, luck: Rng) -> Cast<'a> {
        let now = Instant::now();
        let slot = |part, language: &str| Slot {
            part,
            language: language.to_owned(),
            actor: None,
            due: now,
        };
        let mut slots = Vec::new();
        for language in &options.languages {
            slots.push(slot(Part::Producer, language));
            slots.extend(QUEUES.map(|queue| slot(Part::Worker(queue), language)));
        }
        let tools = [Tool::Recover, Tool::Recover, Tool::Fsck, Tool::Repair];
        slots.extend(tools.map(|tool| slot(Part::Tool(tool), "")));
        Cast {
            options,
            spool,
            luck,
            slots,
            looked: now,
            produces: true,
            chronicle: Chronicle::default(),
        }
    }

    /// Starts who is due, continues who was stopped long enough, and sees who has ended.
    pub fn tend(&mut self, calm: bool) -> Result<()> {
        if calm {
            self.produces = false;
        } else if self.looked.elapsed() > LOOK {
            self.produces = self.spool.backlog()? <= BACKLOG;
            self.looked = Instant::now();
        }
        for number in 0..self.slots.len() {
            let slot = &mut self.slots[number];
            match &mut slot.actor {
                Some(actor) => {
                    if let Some(status) = actor.child.try_wait()? {
                        self.ended(number, status)?;
                    } else if actor.continues.is_some_and(|then| then <= Instant::now()) {
                        self.go_on(number)?;
                    }
                }
                None if slot.due > Instant::now() => {}
                None if slot.part == Part::Producer && !self.produces => {}
                None => self.start(number)?,
            }
        }
        Ok(())
    }

    fn start(&mut self, number: usize) -> Result<()> {
        self.chronicle.starts += 1;
        let process = self.chronicle.starts;
        let work = &self.options.work;
        let mut command = match self.slots[number].part {
            Part::Tool(tool) => tool.command(self.options, &mut self.luck),
            part => self.program(number, part, process),
        };
        command
            .stdin(Stdio::null())
            .stdout(File::create(work.join(format!("{number}.out")))?)
            .stderr(File::create(work.join(format!("{number}.errors")))?);
        self.slots[number].actor = Some(Actor::start(process, &mut command)?);
        Ok(())
    }

    /// The call of a producer or a worker.
    fn program(&mut self, number: usize, part: Part, process: u32) -> Command {
        let (language, options) = (&self.slots[number].language, self.options);
        let (program, rest) = match part {
            Part::Worker(queue) => ("worker", vec![queue.to_owned()]),
            _ => (
                "producer",
                vec![ENTRIES.to_owned(), options.names.to_string()],
            ),
        };
        let mut command = Command::new(options.programs.join(format!("{language}-{program}")));
        command
            .arg(self.spool.dir())
            .arg(options.logs().join(number.to_string()))
            .arg(process.to_string())
            .arg(self.luck.u32(..).to_string())
            .arg(DURABILITIES[self.luck.usize(..DURABILITIES.len())])
            .args(rest);
        self.chronicle.languages.push((process, language.clone()));
        command
    }

    /// A process has ended by itself.
    fn ended(&mut self, number: usize, status: ExitStatus) -> Result<()> {
        let to = now();
        let slot = &mut self.slots[number];
        let Some(actor) = slot.actor.take() else {
            return Ok(());
        };
        let output = fs::read_to_string(self.options.work.join(format!("{number}.out")))?;
        let errors = fs::read_to_string(self.options.work.join(format!("{number}.errors")))?;
        let chronicle = &mut self.chronicle;
        let pause = match slot.part {
            Part::Tool(tool) => {
                match tool.judge(status, &output) {
                    Ok(findings) => {
                        chronicle.count(tool, findings.count);
                        let from = actor.begun;
                        let sightings = findings.said.into_iter();
                        chronicle
                            .sightings
                            .extend(sightings.map(|(what, name)| Sighting {
                                what,
                                name,
                                from,
                                to,
                            }));
                    }
                    Err(error) => chronicle.wrongs.push(format!("{error:#} {errors}")),
                }
                tool.pause(&mut self.luck)
            }
            part => {
                if part != Part::Producer || !status.success() {
                    chronicle.wrongs.push(format!(
                        "{}, {part:?} in {}, ended with {status}: {errors}",
                        actor.process, slot.language
                    ));
                }
                Duration::from_millis(self.luck.u64(..100))
            }
        };
        slot.due = Instant::now() + pause;
        Ok(())
    }

    /// One of those that run and fit, by chance: mostly workers.
    fn pick(&mut self, fits: impl Fn(&Actor) -> bool) -> Option<usize> {
        let kind = self.luck.u8(..100);
        let is_wanted = |part| match part {
            Part::Worker(_) => kind < 75,
            Part::Producer => (75..90).contains(&kind),
            Part::Tool(_) => kind >= 90,
        };
        let fitting: Vec<usize> = (0..self.slots.len())
            .filter(|number| {
                let slot = &self.slots[*number];
                is_wanted(slot.part) && slot.actor.as_ref().is_some_and(&fits)
            })
            .collect();
        self.luck.choice(fitting)
    }

    pub fn kill_one(&mut self) -> Result<()> {
        match self.pick(|_| true) {
            Some(number) => self.kill(number),
            None => Ok(()),
        }
    }

    fn kill(&mut self, number: usize) -> Result<()> {
        self.end_pause(number);
        let slot = &mut self.slots[number];
        let Some(actor) = &mut slot.actor else {
            return Ok(());
        };
        if let Some(status) = actor.child.try_wait()? {
            // It was faster: its end is its own.
            return self.ended(number, status);
        }
        let before = now();
        actor.child.kill()?;
        actor.child.wait()?;
        self.chronicle.deaths.push(Death {
            process: actor.process,
            before,
            after: now(),
        });
        slot.actor = None;
        slot.due = Instant::now() + Duration::from_millis(self.luck.u64(..250));
        Ok(())
    }

    /// Stops one for a while: most for less than a second, some for several.
    pub fn stop_one(&mut self) -> Result<()> {
        let Some(number) = self.pick(|actor| actor.continues.is_none()) else {
            return Ok(());
        };
        let length = Duration::from_millis(match self.luck.u8(..10) {
            ..6 => self.luck.u64(20..600),
            _ => self.luck.u64(600..4000),
        });
        if let Some(actor) = &mut self.slots[number].actor
            && actor.child.try_wait()?.is_none()
        {
            actor.signal(Signal::STOP)?;
            actor.continues = Some(Instant::now() + length);
            self.chronicle.pauses.push(Pause {
                process: actor.process,
                from: now(),
                to: u64::MAX,
            });
        }
        Ok(())
    }

    /// Some who were stopped are killed instead.
    fn go_on(&mut self, number: usize) -> Result<()> {
        if self.luck.u8(..6) == 0 {
            return self.kill(number);
        }
        self.end_pause(number);
        match &self.slots[number].actor {
            Some(actor) => actor.signal(Signal::CONT),
            None => Ok(()),
        }
    }

    fn end_pause(&mut self, number: usize) {
        if let Some(actor) = &mut self.slots[number].actor
            && actor.continues.take().is_some()
        {
            self.chronicle.pause_ends(actor.process, now());
        }
    }

    /// All who are stopped go on.
    pub fn all_go_on(&mut self) -> Result<()> {
        for number in 0..self.slots.len() {
            self.end_pause(number);
            if let Some(actor) = &self.slots[number].actor {
                actor.signal(Signal::CONT)?;
            }
        }
        Ok(())
    }

    pub fn has_producers(&self) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|slot| slot.part == Part::Producer && slot.actor.is_some())
    }

    /// Kills all who are left.
    pub fn end(&mut self) -> Result<()> {
        (0..self.slots.len()).try_for_each(|number| self.kill(number))
    }
}
