//! SIGTERM and SIGINT: what is in hand is finished or undone before we end.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::{Context, Result};
use multispool::Stop;
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// The call was ended by a signal, with nothing left in hand.
#[derive(Debug)]
pub struct Interrupted(i32);

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ended by signal {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

impl Interrupted {
    /// Ends the process by the signal itself, so that a shell's loop ends too.
    pub fn end(&self) -> ExitCode {
        let _ = emulate_default_handler(self.0);
        ExitCode::from(u8::try_from(128 + self.0).unwrap_or(u8::MAX))
    }
}

/// Watches for the two signals from its start to the end of the process.
pub struct Watch {
    caught: Arc<AtomicI32>,
    stop: Stop,
    /// Readable once a signal came.
    told: UnixStream,
}

impl Watch {
    /// The first signal is noted and triggers the stop; a second one ends the process as usual.
    pub fn start() -> Result<Self> {
        Self::with(
            |_| (),
            |signal| {
                let _ = emulate_default_handler(signal);
            },
        )
    }

    /// As `start`, with what else to do at the first signal and at each later one.
    pub fn with(
        first: impl Fn(i32) + Send + 'static,
        later: impl Fn(i32) + Send + 'static,
    ) -> Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGINT]).context("cannot catch signals")?;
        let caught = Arc::new(AtomicI32::new(0));
        let stop = Stop::new()?;
        let (told, mut teller) = UnixStream::pair().context("cannot make a pair of sockets")?;
        let watch = Self {
            caught: Arc::clone(&caught),
            stop: stop.clone(),
            told,
        };
        let body = move || {
            for signal in signals.forever() {
                if caught
                    .compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst)
                    .is_ok()
                {
                    first(signal);
                    // The other end lives as long as the process.
                    let _ = teller.write_all(&[1]);
                    stop.trigger();
                } else {
                    later(signal);
                }
            }
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(body)
            .context("cannot start a thread")?;
        Ok(watch)
    }

    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    pub fn caught(&self) -> Option<Interrupted> {
        match self.caught.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(Interrupted(signal)),
        }
    }

    /// A reader whose wait for input ends, with an error, when a signal comes.
    pub fn reader<R: Read + AsFd>(&self, inner: R) -> Interruptible<'_, R> {
        Interruptible {
            inner,
            told: &self.told,
        }
    }
}

pub struct Interruptible<'a, R> {
    inner: R,
    told: &'a UnixStream,
}

impl<R: Read + AsFd> Read for Interruptible<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = |revents: PollFlags| !revents.is_empty();
        loop {
            let mut sources = [
                PollFd::new(&self.inner, PollFlags::IN),
                PollFd::new(self.told, PollFlags::IN),
            ];
            match poll(&mut sources, None) {
                Ok(_) => (),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if ready(sources[1].revents()) {
                return Err(io::Error::other("a signal came before the input ended"));
            }
            if ready(sources[0].revents()) {
                return self.inner.read(buffer);
            }
        }
    }
}
