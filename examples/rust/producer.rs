//! Enqueues files into the queue `incoming` of a spool, which is created if it is not there: the path is the
//! metadata, the contents are the data.
//!
//! ```sh
//! producer SPOOL FILE...
//! ```
//!
//! Prints the name of each entry once it is on disk. Exit status: 0 done, 1 failure, 2 wrong usage.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use multispool::{ErrorKind, Result, Spool};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((spool, files)) = arguments
        .split_first()
        .filter(|(_, files)| !files.is_empty())
    else {
        eprintln!("usage: producer SPOOL FILE...");
        return ExitCode::from(2);
    };
    match produce(Path::new(spool), files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("producer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn produce(spool: &Path, files: &[OsString]) -> Result<()> {
    let spool = Spool::create(spool, ["incoming", "done"])?;
    for file in files {
        match spool.enqueue("incoming", file.as_bytes(), Path::new(file)) {
            Ok(entry) => println!("{}", entry.name()),
            // It is there all the same: enqueueing it again would make it two.
            Err(error) if error.kind() == ErrorKind::NotDurable => eprintln!("producer: {error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
