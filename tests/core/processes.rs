//! Several processes on one spool at once.

use std::io::{Read, Write};
use std::thread;

use multispool::{Durability, ErrorKind, Spool};

use crate::fork::{spawn, wait};

#[test]
fn a_thousand_names_raced_for_by_eight_threads_in_four_processes_are_reserved_once_each() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .durability(Durability::None)
        .create(dir.path().join("spool"), ["in"])
        .unwrap();
    let (mut all, told) = std::io::pipe().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| {
            spawn(|| {
                let won = thread::scope(|scope| {
                    let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| race(&spool))).collect();
                    threads
                        .into_iter()
                        .map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
                        .collect::<Result<String, String>>()
                })?;
                // Below the size up to which a pipe keeps writes of several processes apart.
                for names in won.as_bytes().chunks(4000) {
                    (&told)
                        .write_all(names)
                        .map_err(|error| error.to_string())?;
                }
                Ok(())
            })
        })
        .collect();
    drop(told);
    let mut won = Vec::new();
    all.read_to_end(&mut won).unwrap();
    for child in children {
        assert_eq!(wait(child), 0);
    }
    // Each name is four digits.
    let mut names: Vec<&[u8]> = won.chunks(4).collect();
    names.sort_unstable();
    let expected: Vec<String> = (0..1000).map(|number| format!("{number:04}")).collect();
    assert_eq!(names.len(), 1000);
    assert!(
        names
            .iter()
            .zip(&expected)
            .all(|(name, one)| *name == one.as_bytes())
    );
}

fn race(spool: &Spool) -> Result<String, String> {
    let mut won = String::new();
    for number in 0..1000 {
        let name = format!("{number:04}");
        match spool.reserve_name(&name) {
            Ok(_) => won.push_str(&name),
            Err(error) if error.kind() == ErrorKind::NameTaken => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(won)
}
