//! Checks again and again, and tells what came and what went. The caller pulls: no thread is started.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;

use super::Monitor;
use super::event::{Event, Sightings};
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;
use crate::sys::{event, fork};

/// How many times as long as a check the pause after it is, at least.
const RESTS: u32 = 5;

/// How often a daemon checks, and for how long a problem must last before it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DaemonSpec {
    /// The pause between the end of a check and the beginning of the next. Default: 15 seconds. A deep spool
    /// is given more: a pause, if there is to be one, is at least five times as long as the check took, so that
    /// the checks leave the machine to the workers.
    pub check_every: Duration,
    /// A problem is told when more checks in a row than this have seen it. Default: 2.
    pub alert_after_cycles: u64,
}

impl Default for DaemonSpec {
    fn default() -> DaemonSpec {
        DaemonSpec {
            check_every: Duration::from_secs(15),
            alert_after_cycles: 2,
        }
    }
}

impl DaemonSpec {
    /// The defaults.
    pub fn new() -> DaemonSpec {
        DaemonSpec::default()
    }

    /// Sets the pause between two checks.
    pub fn check_every(mut self, pause: Duration) -> DaemonSpec {
        self.check_every = pause;
        self
    }

    /// Sets after how many checks in a row a problem is told.
    pub fn alert_after_cycles(mut self, cycles: u64) -> DaemonSpec {
        self.alert_after_cycles = cycles;
        self
    }
}

/// What a wait for an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// A problem came or went.
    Event(Event),
    /// The stop was triggered.
    Stopped,
    /// The time was up.
    TimedOut,
    /// A signal handler ran. Nothing is lost: wait again.
    Interrupted,
}

/// A monitor that goes on checking. It works in the thread that asks it for events, and only then; a check
/// that is overdue when it is asked is made at once.
///
/// May move between threads. In a forked child it answers [`ErrorKind::Forked`].
#[derive(Debug)]
pub struct Daemon(Cycle<Monitor>);

impl Monitor {
    /// Begins to check again and again. The first check is made when the first event is asked for.
    pub fn start(&self, spec: &DaemonSpec) -> Daemon {
        Daemon(Cycle::new(self.clone(), spec))
    }
}

impl Daemon {
    /// Waits for the next event. In one check ends come before starts.
    ///
    /// A stop or a timeout loses nothing: a check is made whole or not at all, and the next call goes on
    /// from there. Without a timeout it waits for ever, with a timeout of zero it makes one check if one is
    /// due, and does not wait.
    ///
    /// # Errors
    /// Those of a check: the daemon has outlived it, and the next call goes on with the next check.
    /// [`ErrorKind::Forked`] in a child.
    pub fn next(&mut self, stop: Option<&Stop>, timeout: Option<Duration>) -> Result<Watched> {
        self.0.next(stop, timeout)
    }

    /// How long it is until [`Daemon::next`] has something to do at once: zero where a check is due, where
    /// events of the last check have not been asked for, and in a forked child. For callers who wait by
    /// means of their own, and then ask with a timeout of zero.
    pub fn until_check(&self) -> Duration {
        self.0.until_check()
    }

    /// Hands each event, and the error of each check that failed, to `f`, until the stop is triggered.
    ///
    /// # Errors
    /// [`ErrorKind::Forked`] in a child.
    pub fn run(&mut self, stop: &Stop, mut f: impl FnMut(Result<Event>)) -> Result<()> {
        for event in self.events(stop) {
            match event {
                Err(error) if error.kind() == ErrorKind::Forked => return Err(error),
                event => f(event),
            }
        }
        Ok(())
    }

    /// The events, and the errors of checks that failed, until the stop is triggered.
    pub fn events<'a>(&'a mut self, stop: &'a Stop) -> impl Iterator<Item = Result<Event>> + 'a {
        std::iter::from_fn(move || {
            loop {
                return match self.next(Some(stop), None) {
                    Ok(Watched::Event(event)) => Some(Ok(event)),
                    Ok(Watched::Stopped) => None,
                    Ok(Watched::TimedOut | Watched::Interrupted) => continue,
                    Err(error) => Some(Err(error)),
                };
            }
        })
    }
}

/// What a cycle needs from the world: checks, the time, and a way to let it go by.
trait World {
    fn check(&self) -> Result<Vec<super::problem::Problem>>;
    fn now(&self) -> Instant;
    fn wall_clock(&self) -> SystemTime;
    /// Returns when `pause` has gone by, or the stop was triggered, or a signal handler ran.
    fn wait(&self, stop: Option<&Stop>, pause: Option<Duration>) -> std::result::Result<(), Errno>;
}

impl World for Monitor {
    fn check(&self) -> Result<Vec<super::problem::Problem>> {
        self.run_once()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(&self, stop: Option<&Stop>, pause: Option<Duration>) -> std::result::Result<(), Errno> {
        event::readable([stop.map(Stop::as_fd)], pause).map(drop)
    }
}

/// The cycle of checks and pauses.
#[derive(Debug)]
struct Cycle<W> {
    world: W,
    spec: DaemonSpec,
    sightings: Sightings,
    /// Events of the last check that nobody has asked for yet.
    pending: VecDeque<Event>,
    /// When the last check ended, and how long it took.
    checked: Option<(Instant, Duration)>,
    generation: u64,
}

impl<W: World> Cycle<W> {
    fn new(world: W, spec: &DaemonSpec) -> Cycle<W> {
        Cycle {
            world,
            spec: spec.clone(),
            sightings: Sightings::default(),
            pending: VecDeque::new(),
            checked: None,
            generation: fork::generation(),
        }
    }

    fn next(&mut self, stop: Option<&Stop>, timeout: Option<Duration>) -> Result<Watched> {
        if self.is_foreign() {
            return Err(Error::plain(
                ErrorKind::Forked,
                "monitor",
                "the daemon was started before a fork and belongs to the parent",
            ));
        }
        let begun = self.world.now();
        let mut has_checked = false;
        loop {
            if stop.is_some_and(Stop::is_triggered) {
                return Ok(Watched::Stopped);
            }
            if let Some(event) = self.pending.pop_front() {
                return Ok(Watched::Event(event));
            }
            let gone = self.world.now().saturating_duration_since(begun);
            let left = timeout.map(|timeout| timeout.saturating_sub(gone));
            let is_over = left.is_some_and(|left| left.is_zero());
            let until_check = self.until_check();
            // Without a pause between checks one is always due: the timeout must end them too.
            if until_check.is_zero() && (!is_over || !has_checked) {
                has_checked = true;
                let started = self.world.now();
                let found = self.world.check();
                let ended = self.world.now();
                self.checked = Some((ended, ended.saturating_duration_since(started)));
                let time = self.world.wall_clock();
                let cycles = self.spec.alert_after_cycles;
                self.pending = self.sightings.of_check(time, found?, cycles).into();
                continue;
            }
            if is_over {
                return Ok(Watched::TimedOut);
            }
            let pause = left.map_or(until_check, |left| left.min(until_check));
            match self.world.wait(stop, Some(pause)) {
                Ok(()) => {}
                Err(Errno::INTR) => return Ok(Watched::Interrupted),
                Err(errno) => return Err(Error::system("monitor", "poll", errno)),
            }
        }
    }

    fn until_check(&self) -> Duration {
        match self.checked {
            Some((ended, took)) if self.pending.is_empty() && !self.is_foreign() => {
                let pause = match self.spec.check_every {
                    Duration::ZERO => Duration::ZERO,
                    pause => pause.max(took.saturating_mul(RESTS)),
                };
                pause.saturating_sub(self.world.now().saturating_duration_since(ended))
            }
            _ => Duration::ZERO,
        }
    }

    /// Whether it was started before a fork, by another process.
    fn is_foreign(&self) -> bool {
        self.generation != fork::generation()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::monitor::problem::{Dir, FileWithMtime, Problem};

    /// A world whose time goes by only when somebody waits or checks.
    struct Made {
        begun: Instant,
        gone: Cell<Duration>,
        check_takes: Duration,
        /// What the next checks find; `Err` fails.
        checks: RefCell<VecDeque<Result<Vec<Problem>>>>,
        /// When each check began.
        checked_at: RefCell<Vec<u64>>,
        /// The waits that a signal cuts short.
        interrupted: Cell<u32>,
    }

    impl World for Made {
        fn check(&self) -> Result<Vec<Problem>> {
            self.checked_at.borrow_mut().push(self.gone.get().as_secs());
            self.gone.set(self.gone.get() + self.check_takes);
            self.checks
                .borrow_mut()
                .pop_front()
                .unwrap_or(Ok(Vec::new()))
        }

        fn now(&self) -> Instant {
            self.begun + self.gone.get()
        }

        fn wall_clock(&self) -> SystemTime {
            UNIX_EPOCH + self.gone.get()
        }

        fn wait(
            &self,
            _: Option<&Stop>,
            pause: Option<Duration>,
        ) -> std::result::Result<(), Errno> {
            if self.interrupted.get() > 0 {
                self.interrupted.set(self.interrupted.get() - 1);
                return Err(Errno::INTR);
            }
            self.gone
                .set(self.gone.get() + pause.expect("a pause between checks ends"));
            Ok(())
        }
    }

    fn cycle(check_takes: u64, checks: Vec<Result<Vec<Problem>>>) -> Cycle<Made> {
        let world = Made {
            begun: Instant::now(),
            gone: Cell::default(),
            check_takes: Duration::from_secs(check_takes),
            checks: RefCell::new(checks.into()),
            checked_at: RefCell::default(),
            interrupted: Cell::default(),
        };
        Cycle::new(world, &DaemonSpec::new())
    }

    fn problem() -> Problem {
        let file = FileWithMtime {
            filename: "a".into(),
            mtime: UNIX_EPOCH,
        };
        Problem::DataMissing(file, Dir::Data)
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn checks_follow_each_other_by_the_pause_and_the_third_sighting_is_told() {
        let found = || Ok(vec![problem()]);
        let mut cycle = cycle(2, vec![found(), found(), found(), found()]);
        let start = cycle.next(None, None).expect("no failure");
        assert_eq!(start, Watched::Event(Event::Start(at(36), problem())));
        let end = cycle.next(None, None).expect("no failure");
        assert_eq!(end, Watched::Event(Event::End(at(70), problem())));
        assert_eq!(*cycle.world.checked_at.borrow(), [0, 17, 34, 51, 68]);
    }

    #[test]
    fn a_check_that_took_long_is_followed_by_a_pause_of_five_times_that() {
        let mut cycle = cycle(10, Vec::new());
        let whole = Some(Duration::from_secs(200));
        assert_eq!(
            cycle.next(None, whole).expect("no failure"),
            Watched::TimedOut
        );
        assert_eq!(*cycle.world.checked_at.borrow(), [0, 60, 120, 180]);
    }

    #[test]
    fn a_wait_that_times_out_keeps_the_rhythm_and_loses_nothing() {
        let found = || Ok(vec![problem()]);
        let mut cycle = cycle(0, vec![found(), found(), found()]);
        let short = Some(Duration::from_secs(10));
        for _ in 0..2 {
            assert_eq!(
                cycle.next(None, short).expect("no failure"),
                Watched::TimedOut
            );
        }
        let start = cycle.next(None, short).expect("no failure");
        assert_eq!(start, Watched::Event(Event::Start(at(30), problem())));
        assert_eq!(*cycle.world.checked_at.borrow(), [0, 15, 30]);
    }

    #[test]
    fn no_time_makes_a_check_that_is_due_and_no_other() {
        let mut cycle = cycle(0, Vec::new());
        for _ in 0..2 {
            let watched = cycle.next(None, Some(Duration::ZERO)).expect("no failure");
            assert_eq!(watched, Watched::TimedOut);
        }
        assert_eq!(*cycle.world.checked_at.borrow(), [0]);
    }

    #[test]
    fn a_timeout_ends_checks_that_follow_each_other_without_a_pause() {
        let mut cycle = cycle(4, Vec::new());
        cycle.spec = DaemonSpec::new().check_every(Duration::ZERO);
        for timeout in [0, 9] {
            let watched = cycle.next(None, Some(Duration::from_secs(timeout)));
            assert_eq!(watched.expect("no failure"), Watched::TimedOut);
        }
        assert_eq!(*cycle.world.checked_at.borrow(), [0, 4, 8, 12]);
    }

    #[test]
    fn who_waits_elsewhere_is_told_until_when() {
        let other = Problem::DirectoryMissing(problem().file().clone(), Dir::Data);
        let mut cycle = cycle(0, vec![Ok(vec![problem(), other])]);
        cycle.spec = DaemonSpec::new().alert_after_cycles(0);
        let now = Some(Duration::ZERO);
        // The first check is due.
        assert_eq!(cycle.until_check(), Duration::ZERO);
        for _ in 0..2 {
            // A second event is there to be asked for.
            assert_eq!(cycle.until_check(), Duration::ZERO);
            let watched = cycle.next(None, now).expect("no failure");
            assert!(matches!(watched, Watched::Event(_)), "{watched:?}");
        }
        assert_eq!(cycle.until_check(), Duration::from_secs(15));
        cycle.world.gone.set(Duration::from_secs(10));
        assert_eq!(cycle.until_check(), Duration::from_secs(5));
        cycle.world.gone.set(Duration::from_secs(20));
        assert_eq!(cycle.until_check(), Duration::ZERO);
    }

    #[test]
    fn a_check_that_fails_is_told_once_and_changes_no_count() {
        let found = || Ok(vec![problem()]);
        let failed = Err(Error::plain(ErrorKind::Io, "scan", "the disk is gone"));
        let mut cycle = cycle(0, vec![found(), found(), failed, found()]);
        let error = cycle.next(None, None).expect_err("the third check fails");
        assert_eq!(error.kind(), ErrorKind::Io);
        let start = cycle.next(None, None).expect("no failure");
        assert_eq!(start, Watched::Event(Event::Start(at(45), problem())));
    }

    #[test]
    fn a_signal_and_a_stop_end_the_wait() {
        let mut cycle = cycle(0, Vec::new());
        cycle.world.interrupted.set(1);
        assert_eq!(
            cycle.next(None, None).expect("no failure"),
            Watched::Interrupted
        );
        let stop = Stop::new().expect("a descriptor");
        stop.trigger();
        assert_eq!(
            cycle.next(Some(&stop), None).expect("no failure"),
            Watched::Stopped
        );
    }
}
