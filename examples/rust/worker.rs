//! Takes entries out of the queue `incoming` of a spool, works out a checksum of their data, writes it into
//! the metadata and saves them to `done`. Start as many as you like: each entry goes to one of them.
//!
//! ```sh
//! worker SPOOL [SECONDS]
//! ```
//!
//! Waits for more until SIGTERM or SIGINT, or until none came for SECONDS. The entry in hand is finished
//! first. An entry whose worker dies goes back to its queue by recover, which each worker calls at its start
//! and whenever it has waited for a while. Exit status: 0 done, 1 failure, 2 wrong usage.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use multispool::{Checkout, Dequeued, ErrorKind, RecoverOptions, Result, Spool, Stop};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const RECOVER_EVERY: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let seconds = arguments.get(1).map(|text| {
        let seconds = text.to_str().and_then(|text| text.parse().ok());
        seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    });
    let patience = match (arguments.len(), seconds) {
        (1, None) => None,
        (2, Some(Some(patience))) => Some(patience),
        _ => {
            eprintln!("usage: worker SPOOL [SECONDS]");
            return ExitCode::from(2);
        }
    };
    match work(Path::new(&arguments[0]), patience) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work(
    spool: &Path,
    patience: Option<Duration>,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let spool = Spool::load(spool, ["incoming", "done"])?;
    let stop = Stop::new()?;
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let stopper = stop.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            stopper.trigger();
        }
    });

    let mut reader = spool.reader("incoming")?;
    let mut last = Instant::now();
    recover(&spool)?;
    loop {
        let left = patience.map(|patience| patience.saturating_sub(last.elapsed()));
        let timeout = left.map_or(RECOVER_EVERY, |left| left.min(RECOVER_EVERY));
        match reader.dequeue(Some(&stop), Some(timeout)) {
            Ok(Dequeued::CheckedOut(mut checkout)) => {
                if let Err(error) = handle(&mut checkout) {
                    eprintln!("worker: {error}");
                    if !checkout.is_finished() {
                        checkout.release()?;
                    }
                }
                last = Instant::now();
            }
            Ok(Dequeued::TimedOut)
                if patience.is_some_and(|patience| last.elapsed() >= patience) =>
            {
                return Ok(());
            }
            Ok(Dequeued::TimedOut) => recover(&spool)?,
            Ok(Dequeued::Stopped) => return Ok(()),
            // One bad entry stops nobody.
            Err(error) if error.kind() == ErrorKind::Corrupt => eprintln!("worker: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
}

fn handle(checkout: &mut Checkout) -> Result<()> {
    let mut data = BufReader::new(checkout.data_file().open()?);
    // FNV-1a, piece by piece, so that the data may be larger than memory.
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    loop {
        let piece = match data.fill_buf() {
            Ok([]) => break,
            Ok(piece) => piece,
            Err(error) => {
                eprintln!("worker: the data of {}: {error}", checkout.name());
                return checkout.release();
            }
        };
        for byte in piece {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let used = piece.len();
        data.consume(used);
    }
    checkout.update(|metadata| {
        // A worker that died between the two steps of its save has written the line already.
        let line = b"\nfnv1a ";
        let end = metadata.len().checked_sub(line.len() + 16);
        let bare = match end {
            Some(end) if metadata[end..].starts_with(line) => &metadata[..end],
            _ => metadata,
        };
        [bare, line, format!("{sum:016x}").as_bytes()].concat()
    })?;
    checkout.save("done")?;
    println!("{} {sum:016x}", checkout.name());
    Ok(())
}

/// Entries of owners that died go back to the queue, where this worker will find them.
fn recover(spool: &Spool) -> Result<()> {
    let recovered = spool.recover(&RecoverOptions::new())?;
    for entry in recovered.entries {
        println!("recovered {}", entry.name());
    }
    for failure in recovered.failures {
        eprintln!("worker: {failure}");
    }
    Ok(())
}
