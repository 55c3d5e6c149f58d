//! One case, played by one agent, judged step by step.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use conformance::{Line, encode};
use serde_json::{Map, Value};

use crate::agent::Agent;
use crate::case::{Case, Step, Variables, bytes, resolve};
use crate::disk::{self, Listing};
use crate::hand::Hand;
use crate::verbs;

/// What `create` writes where it is told nothing else.
const FORMAT: &str = "multispool 1\nmode local\nowners locking\n";

/// File times come from a clock that moves once per tick of the kernel's timer.
const TICK: Duration = Duration::from_millis(20);

/// Plays the case in an empty folder.
///
/// # Errors
/// What was not as the case says, with the step; or a mistake in the case.
pub fn play(case: &Case, agent: &mut Agent, folder: &Path) -> Result<()> {
    let mut stage = Stage {
        agent,
        folder,
        hand: Hand::default(),
        listing: Listing::new(),
        variables: Variables::new(),
        steps: &case.steps,
    };
    let path = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    stage.variables.insert("work".to_owned(), path(folder));
    let spool = folder.join(disk::SPOOL);
    stage.variables.insert("spool".to_owned(), path(&spool));
    expect_ok(&stage.agent.ask(&Line::new("reset"))?)?;
    if !case.queues.is_empty() {
        stage.begin(case).context("the spool to begin with")?;
    }
    for (number, step) in case.steps.iter().enumerate() {
        stage
            .step(number, step)
            .with_context(|| format!("step {}, {}", number + 1, step.verb))?;
    }
    // Whatever it has in hand belongs to this case's folder.
    expect_ok(&stage.agent.ask(&Line::new("reset"))?)
}

struct Stage<'a> {
    agent: &'a mut Agent,
    folder: &'a Path,
    hand: Hand,
    listing: Listing,
    variables: Variables,
    steps: &'a [Step],
}

impl Stage<'_> {
    /// The spool that the case begins with: created by the agent, its entries made by hand.
    fn begin(&mut self, case: &Case) -> Result<()> {
        let mut line = Line::new("create")
            .with("as", "spool")
            .with("dir", &self.variables["spool"]);
        let mut queues = Vec::new();
        for queue in &case.queues {
            queues.push(resolve(queue, &self.variables)?);
            line.push("queue", resolve(queue, &self.variables)?);
        }
        expect_ok(&self.agent.ask(&line)?)?;
        self.listing = disk::layout(&queues, FORMAT);
        for (place, contents) in &case.entries {
            let [metadata, data] = contents.as_array().map_or(&[][..], Vec::as_slice) else {
                bail!("'{place}' has no metadata and data");
            };
            disk::plant(
                self.folder,
                &resolve(place, &self.variables)?,
                bytes(metadata, &self.variables)?,
                bytes(data, &self.variables)?,
                &mut self.listing,
            )?;
        }
        self.compare()
    }

    fn step(&mut self, number: usize, step: &Step) -> Result<()> {
        let before = SystemTime::now() - TICK;
        if step.verb == "no_descriptors" {
            self.agent.take_descriptors()?;
        } else if verbs::by_hand(&step.verb) {
            self.hand
                .act(step, self.folder, &self.variables, &mut self.listing)?;
        } else {
            let line = self.line(number, step)?;
            let answer = self.agent.ask(&line)?;
            self.judge(step, &answer)
                .with_context(|| format!("{line}\n    is answered by {answer}"))?;
        }
        disk::change(&mut self.listing, &step.disk, &self.variables)?;
        self.compare()?;
        for written in &step.touched {
            let path = disk::path(self.folder, &resolve(written, &self.variables)?);
            let status = fs::symlink_metadata(&path)?;
            ensure!(status.modified()? >= before, "{written} was not touched");
        }
        for (written, mode) in &step.modes {
            let path = disk::path(self.folder, &resolve(written, &self.variables)?);
            let found = format!("{:o}", fs::symlink_metadata(&path)?.mode() & 0o7777);
            ensure!(mode == found.as_str(), "{written} has mode {found}");
        }
        Ok(())
    }

    fn compare(&self) -> Result<()> {
        let differences = disk::differences(&self.listing, &disk::listing(self.folder)?);
        ensure!(
            differences.is_empty(),
            "on disk:\n    {}",
            differences.join("\n    ")
        );
        Ok(())
    }

    /// The step as a line, with what it takes for granted.
    fn line(&self, number: usize, step: &Step) -> Result<Line> {
        let mut line = Line::new(&step.verb);
        for (key, value) in &step.arguments {
            match value {
                Value::Array(values) => {
                    for one in values {
                        line.push(key, bytes(one, &self.variables)?);
                    }
                }
                one => line.push(key, bytes(one, &self.variables)?),
            }
        }
        for (key, value) in verbs::granted(&step.verb) {
            // What is about a checkout names no spool.
            if line.get(key).is_none() {
                line.push(key, resolve(value, &self.variables)?);
            }
        }
        if step.verb.starts_with("data_") || step.verb == "begin_data" {
            match line.get("queue") {
                Some(_) if line.get("spool").is_none() => line.push("spool", "spool"),
                None if line.get("checkout").is_none() => line.push("checkout", "checkout"),
                _ => {}
            }
        }
        if step.verb == "begin_data" && line.get("as").is_none() {
            line.push("as", "data_writer");
        }
        if matches!(
            step.verb.as_str(),
            "checkout" | "try_checkout" | "dequeue" | "dequeue_available"
        ) {
            self.tell_the_end(number, &mut line)?;
        }
        Ok(line)
    }

    /// How the checkout that this step makes will end, for an interface that must be told beforehand.
    fn tell_the_end(&self, number: usize, line: &mut Line) -> Result<()> {
        let handle = line.word_of("as")?.to_owned();
        let end = self.steps[number + 1..].iter().find(|later| {
            matches!(later.verb.as_str(), "save" | "remove" | "release" | "drop")
                && later.text("checkout").unwrap_or("checkout") == handle
        });
        line.push("ends", end.map_or("drop", |end| end.verb.as_str()));
        if let Some(to) = end.and_then(|end| end.text("queue")) {
            line.push("ends_to", resolve(to, &self.variables)?);
        }
        Ok(())
    }

    fn judge(&mut self, step: &Step, answer: &Line) -> Result<()> {
        let same =
            answer.word == step.status || (self.agent.coarse && class(&step.status) == answer.word);
        ensure!(same, "and not by {}", step.status);
        for (key, expected) in &step.answer {
            let found: Vec<&[u8]> = answer.all(key).collect();
            match expected {
                Value::Array(list) => {
                    let list = list
                        .iter()
                        .map(|one| bytes(one, &self.variables))
                        .collect::<Result<Vec<_>>>()?;
                    let wanted: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
                    ensure!(found == wanted, "with {key} not {}", tell(&wanted));
                }
                Value::Object(special) if !special.contains_key("repeat") => {
                    ensure!(found.len() == 1, "without one {key}");
                    let found = found[0].to_vec();
                    self.special(special, found).with_context(|| key.clone())?;
                }
                one => {
                    let wanted = bytes(one, &self.variables)?;
                    ensure!(
                        found == [wanted.as_slice()],
                        "with {key} not {}",
                        encode(&wanted)
                    );
                }
            }
        }
        Ok(())
    }

    /// `{"new": VARIABLE}` is a name of the default generator, `{"any": VARIABLE}` is anything; both are kept in the
    /// variable. `{"mtime_of": PATH}` is that file's time in nanoseconds.
    fn special(&mut self, special: &Map<String, Value>, found: Vec<u8>) -> Result<()> {
        let (word, value) = special.iter().next().context("an empty object")?;
        let value = value.as_str().context("it is no text")?;
        match word.as_str() {
            "new" => {
                ensure!(
                    is_generated(&found),
                    "it is no new name: {}",
                    encode(&found)
                );
                self.variables.insert(value.to_owned(), found);
            }
            "any" => {
                self.variables.insert(value.to_owned(), found);
            }
            "mtime_of" => {
                let path = disk::path(self.folder, &resolve(value, &self.variables)?);
                let status = fs::symlink_metadata(path)?;
                let time = status.mtime() * 1_000_000_000 + status.mtime_nsec();
                ensure!(
                    found == time.to_string().as_bytes(),
                    "and the file's time is {time}"
                );
            }
            other => bail!("unknown word '{other}'"),
        }
        Ok(())
    }
}

/// What the default generator makes: `20261124T032241.123456Z-k3j9x0a2b4c6d8ef-00000001`.
fn is_generated(name: &[u8]) -> bool {
    let pattern = b"ddddddddTdddddd.ddddddZ-xxxxxxxxxxxxxxxx-hhhhhhhh";
    name.len() == pattern.len()
        && name.iter().zip(pattern).all(|(byte, kind)| match kind {
            b'd' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            b'h' => byte.is_ascii_hexdigit(),
            literal => byte == literal,
        })
}

/// How the exit status of a command tells a failure, as docs/cli.md says.
fn class(status: &str) -> &str {
    match status {
        "INVALID_NAME" | "UNKNOWN_QUEUE" | "INVALID_ARGUMENT" => "WRONG_USAGE",
        "NOT_FOUND" | "NAME_TAKEN" => "NEGATIVE",
        "OK" | "EMPTY" | "STOPPED" | "TIMED_OUT" | "NOT_DURABLE" => status,
        _ => "FAILED",
    }
}

fn expect_ok(answer: &Line) -> Result<()> {
    ensure!(answer.word == "OK", "answered by {answer}");
    Ok(())
}

fn tell(values: &[&[u8]]) -> String {
    let words: Vec<String> = values.iter().map(|value| encode(value)).collect();
    format!("[{}]", words.join(" "))
}
