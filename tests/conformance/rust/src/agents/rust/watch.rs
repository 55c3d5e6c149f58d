//! Steps about what is wrong with a spool.

use std::os::unix::ffi::OsStrExt;

use anyhow::{Result, bail};
use conformance::Line;
use multispool::{DaemonSpec, Event, Limits, Monitor, MonitorSpec, Problem, QueueName, Watched};

use crate::hands::{Hands, get, get_mut, keep, milliseconds, os};
use crate::ok;
use crate::spools::path;

fn limits(step: &Line) -> Result<Limits> {
    let mut limits = Limits::new();
    if let Some(age) = milliseconds(step, "max_checked_out_age_ms")? {
        limits = limits.max_checked_out_age(age);
    }
    if let Some(age) = milliseconds(step, "max_tmp_file_age_ms")? {
        limits = limits.max_tmp_file_age(age);
    }
    if let Some(age) = milliseconds(step, "max_reservation_age_ms")? {
        limits = limits.max_reservation_age(age);
    }
    if let Some(age) = milliseconds(step, "max_queue_age_ms")? {
        limits = limits.max_queue_age(QueueName::new(os(step, "max_queue")?)?, age);
    }
    if let Some(bytes) = step.number("min_free_bytes")? {
        limits = limits.min_free_bytes(u64::try_from(bytes)?);
    }
    if let Some(inodes) = step.number("min_free_inodes")? {
        limits = limits.min_free_inodes(u64::try_from(inodes)?);
    }
    Ok(limits)
}

pub fn problems(hands: &Hands, step: &Line) -> Result<Line> {
    Ok(all(&hands.spool(step)?.problems(&limits(step)?)?))
}

pub fn monitor(hands: &mut Hands, step: &Line) -> Result<Line> {
    let monitor = Monitor::create(&MonitorSpec::new(os(step, "dir")?, limits(step)?))?;
    keep(&mut hands.monitors, step, monitor)?;
    Ok(ok())
}

pub fn run_once(hands: &Hands, step: &Line) -> Result<Line> {
    Ok(all(&get(&hands.monitors, step, "monitor")?.run_once()?))
}

fn all(problems: &[Problem]) -> Line {
    let mut answer = ok();
    for problem in problems {
        answer.push("problem", tell(problem));
    }
    answer
}

/// `KIND SEVERITY MEND PLACE/NAME...`; of what concerns a whole directory its path, of a whole spool nothing.
fn tell(problem: &Problem) -> Vec<u8> {
    let (severity, mend) = (problem.severity().as_str(), problem.mend().as_str());
    let mut told = format!("{} {severity} {mend}", problem.kind()).into_bytes();
    for place in problem.places() {
        told.push(b' ');
        let place = place.name_on_disk();
        match problem {
            Problem::DirectoryMissing(..) => told.extend(place.as_bytes()),
            _ => told.extend(path(place.as_bytes(), problem.file().filename.as_bytes())),
        }
    }
    told
}

pub fn daemon(hands: &mut Hands, step: &Line) -> Result<Line> {
    let mut spec = DaemonSpec::new();
    if let Some(pause) = milliseconds(step, "check_every_ms")? {
        spec = spec.check_every(pause);
    }
    if let Some(cycles) = step.number("alert_after_cycles")? {
        spec = spec.alert_after_cycles(u64::try_from(cycles)?);
    }
    let daemon = get(&hands.monitors, step, "monitor")?.start(&spec);
    keep(&mut hands.daemons, step, daemon)?;
    Ok(ok())
}

pub fn next(hands: &mut Hands, step: &Line) -> Result<Line> {
    let timeout = milliseconds(step, "timeout_ms")?;
    let stop = match step.get("stop") {
        Some(_) => Some(get(&hands.stops, step, "stop")?.clone()),
        None => None,
    };
    let daemon = get_mut(&mut hands.daemons, step, "daemon")?;
    Ok(match daemon.next(stop.as_ref(), timeout)? {
        Watched::Event(event) => event_line(&event),
        Watched::Stopped => Line::new("STOPPED"),
        Watched::TimedOut => Line::new("TIMED_OUT"),
        Watched::Interrupted => Line::new("INTERRUPTED"),
    })
}

fn event_line(event: &Event) -> Line {
    ok().with("event", event.kind())
        .with("problem", tell(event.problem()))
}

pub fn json(step: &Line) -> Result<Line> {
    let json = match step.word.as_str() {
        "limits_json" => limits(step)?.to_json()?,
        "limits_from_json" => Limits::from_json(step.word_of("json")?)?.to_json()?,
        "spec_from_json" => MonitorSpec::from_json(step.word_of("json")?)?.to_json()?,
        "daemon_json" => DaemonSpec::from_json(step.word_of("json")?)?.to_json()?,
        other => bail!("unknown step '{other}'"),
    };
    Ok(ok().with("json", json))
}
