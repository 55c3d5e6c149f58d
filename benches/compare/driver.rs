//! Runs drivers in their roles, and reads what they print.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::contestant::{Server, Who};

/// A contestant with a place of its own, and its server.
pub struct Place {
    who: Who,
    dir: PathBuf,
    programs: PathBuf,
    server: Option<(Server, String)>,
}

/// What put, batch and get print.
pub struct Run {
    pub n: f64,
    pub began: f64,
    pub ended: f64,
    pub median_us: f64,
    pub highest_mib: f64,
}

impl Run {
    /// In µs, over all calls.
    pub fn mean(&self) -> f64 {
        (self.ended - self.began) * 1e6 / self.n
    }

    pub fn per_second(&self) -> f64 {
        self.n / (self.ended - self.began)
    }
}

impl Place {
    pub fn new(who: Who, programs: &Path, dir: PathBuf) -> Result<Place, Box<dyn Error>> {
        Ok(Place {
            who,
            server: Server::start(who, &dir)?,
            dir,
            programs: programs.to_owned(),
        })
    }

    pub fn command(&self, role: &str, arguments: &[f64]) -> Command {
        let mut command = self.who.command(&self.programs, &self.dir);
        command.arg(role);
        command.args(arguments.iter().map(f64::to_string));
        if let Some((_, port)) = &self.server {
            command.env("PEER_PORT", port);
        }
        command
    }

    fn answer(&self, role: &str, arguments: &[f64]) -> Result<Value, Box<dyn Error>> {
        let output = self
            .command(role, arguments)
            .stderr(Stdio::inherit())
            .output()?;
        self.read(role, &output.stdout)
    }

    /// The last line that a driver printed; one that failed printed none.
    fn read(&self, role: &str, printed: &[u8]) -> Result<Value, Box<dyn Error>> {
        serde_json::from_slice(printed)
            .map_err(|_| format!("{} failed at {role}", self.who.label()).into())
    }

    pub fn run(&self, role: &str, arguments: &[f64]) -> Result<Run, Box<dyn Error>> {
        run_of(&self.answer(role, arguments)?)
    }

    pub fn figure(&self, role: &str, arguments: &[f64], name: &str) -> Result<f64, Box<dyn Error>> {
        number(&self.answer(role, arguments)?, name)
    }

    /// Several drivers at once, each with its arguments.
    pub fn run_together(&self, roles: &[(&str, &[f64])]) -> Result<Vec<Run>, Box<dyn Error>> {
        let mut started = Vec::new();
        for (role, arguments) in roles {
            let child = self.command(role, arguments).stdout(Stdio::piped()).spawn();
            started.push((role, Ended(child?)));
        }
        started
            .into_iter()
            .map(|(role, child)| run_of(&self.read(role, &child.printed()?)?))
            .collect()
    }

    /// Reads the files of the first entries, so many of them, so that they are in memory whatever the kernel has dropped
    /// since they were written.
    pub fn remember(&self, entries: usize) -> io::Result<()> {
        let names: io::Result<Vec<_>> = fs::read_dir(self.dir.join("queue"))?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect();
        let mut names = names?;
        names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
        names.sort_unstable();
        for name in names.iter().take(entries) {
            for dir in ["queue", ".data", ".registry"] {
                fs::read(self.dir.join(dir).join(name))?;
            }
        }
        Ok(())
    }

    /// A consumer that waits, and a producer beside it: median and slowest in a hundred, in µs.
    pub fn latency(&self, n: f64, pause_us: f64) -> Result<(f64, f64), Box<dyn Error>> {
        let consumer = self.command("latc", &[n]).stdout(Stdio::piped()).spawn();
        let mut consumer = Ended(consumer?);
        let mut printed = BufReader::new(consumer.0.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        printed.read_line(&mut line)?;
        if line != "ready\n" {
            return Err(format!("{} failed at latc", self.who.label()).into());
        }
        let producer = self.command("latp", &[n, pause_us]).status()?;
        if !producer.success() {
            return Err(format!("{} failed at latp", self.who.label()).into());
        }
        let mut rest = Vec::new();
        printed.read_to_end(&mut rest)?;
        let told = self.read("latc", &rest)?;
        Ok((number(&told, "p50")?, number(&told, "p99")?))
    }
}

fn number(told: &Value, name: &str) -> Result<f64, Box<dyn Error>> {
    told[name]
        .as_f64()
        .ok_or_else(|| format!("a driver did not tell {name}").into())
}

fn run_of(told: &Value) -> Result<Run, Box<dyn Error>> {
    Ok(Run {
        n: number(told, "n")?,
        began: number(told, "t0")?,
        ended: number(told, "t1")?,
        median_us: number(told, "p50us")?,
        highest_mib: number(told, "rss_kb")? / 1024.0,
    })
}

/// A process that does not outlive us, whatever fails meanwhile.
struct Ended(Child);

impl Ended {
    fn printed(mut self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut printed = Vec::new();
        let output = self.0.stdout.as_mut().ok_or("no output")?;
        output.read_to_end(&mut printed)?;
        Ok(printed)
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // One that has printed all has ended already, or is about to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
