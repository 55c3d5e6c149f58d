//! Taking entries, and what save, remove, release, a drop and a failure leave behind.
#![allow(
    unsafe_code,
    reason = "a lock held by a stranger, and its absence, are what is tested"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use multispool::{
    Checkout, Durability, EnqueueOptions, Entry, Error, ErrorKind, Outcome, Result, Spool,
};
use tempfile::TempDir;

use crate::spool::make_fifo;
use crate::tree::{added, listing, state};
use crate::{in_time, must_fail, new_spool};

/// A spool with queues `in` and `done` and the entry `x` in `in`: metadata `old`, data `data`.
fn one_entry() -> (TempDir, Spool, Entry) {
    let (dir, spool) = new_spool(&["in", "done"]);
    let entry = enqueue(&spool, "x");
    (dir, spool, entry)
}

fn enqueue(spool: &Spool, name: &str) -> Entry {
    let options = EnqueueOptions::new().name(spool.reserve_name(name).unwrap());
    spool.enqueue_with("in", "old", "data", &options).unwrap()
}

/// The lines of the listing that are about the entry `x`.
fn about_x(spool: &Spool) -> Vec<String> {
    let mut lines = listing(spool.dir());
    lines.retain(|line| line.contains("/x"));
    lines
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap()
}

fn inode(path: PathBuf) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

#[test]
fn the_listing_after_each_step_of_an_entrys_life_is_exact() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::options()
            .durability(durability)
            .create(dir.path(), ["in", "done"])
            .unwrap();
        let empty = listing(spool.dir());
        let is_now = |lines: &[&str]| assert_eq!(added(&empty, spool.dir()), lines, "{durability}");

        let entry = enqueue(&spool, "x");
        is_now(&[".data/x 4", ".registry/x 0", "in/x 3"]);

        let mut checkout = entry.checkout().unwrap();
        is_now(&[".data/x 4", ".registry/x 0", "in/.checkout/x 3"]);
        checkout.save("done").unwrap();
        is_now(&[".data/x 4", ".registry/x 0", "done/x 3"]);

        let mut checkout = spool.entry("done", "x").unwrap().checkout().unwrap();
        is_now(&[".data/x 4", ".registry/x 0", "done/.checkout/x 3"]);
        checkout.set_metadata("newer").unwrap();
        is_now(&[".data/x 4", ".registry/x 0", "done/.checkout/x 3"]);
        checkout.save("done").unwrap();
        is_now(&[".data/x 4", ".registry/x 0", "done/x 5"]);

        let mut checkout = spool.entry("done", "x").unwrap().checkout().unwrap();
        checkout.data_file().save("longer data").unwrap();
        is_now(&[".data/x 11", ".registry/x 0", "done/.checkout/x 5"]);
        checkout.release().unwrap();
        is_now(&[".data/x 11", ".registry/x 0", "done/x 5"]);

        let mut checkout = spool.entry("done", "x").unwrap().checkout().unwrap();
        checkout.remove().unwrap();
        is_now(&[]);
    }
}

#[test]
fn a_checkout_tells_what_it_holds() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    assert_eq!(checkout.name(), entry.name());
    assert_eq!(checkout.queue().to_string(), "in");
    assert_eq!(checkout.spool().dir(), spool.dir());
    assert_eq!(checkout.metadata(), b"old");
    assert!(!checkout.is_finished());
    checkout
        .update(|metadata| [metadata, b" and new"].concat())
        .unwrap();
    assert_eq!(checkout.metadata(), b"old and new");
    assert_eq!(read(spool.dir().join("in/.checkout/x")), "old");
    checkout.save("in").unwrap();
    assert!(checkout.is_finished());
    assert_eq!(read(spool.dir().join("in/x")), "old and new");
}

#[test]
fn an_entry_is_had_by_one_handle_only() {
    let (_dir, spool, entry) = one_entry();
    let other = Spool::load(spool.dir(), ["in", "done"]).unwrap();
    let theirs = other.entry("in", "x").unwrap();
    let mut ours = entry.checkout().unwrap();
    for second in [&entry, &entry.clone(), &theirs] {
        assert!(second.try_checkout().unwrap().is_none());
        let path = spool.dir().join("in/x");
        must_fail(
            second.checkout(),
            ErrorKind::Missing,
            path,
            Some(libc::ENOENT),
        );
    }
    ours.release().unwrap();
    let mut theirs = theirs.checkout().unwrap();
    assert!(entry.try_checkout().unwrap().is_none());
    theirs.save("done").unwrap();
    assert!(entry.try_checkout().unwrap().is_none());
    spool
        .entry("done", "x")
        .unwrap()
        .checkout()
        .unwrap()
        .remove()
        .unwrap();
    assert!(entry.try_checkout().unwrap().is_none());
}

#[test]
fn of_eight_threads_that_want_the_same_entries_one_gets_each() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    for i in 0..100 {
        enqueue(&spool, &format!("{i:02}"));
    }
    let start = Barrier::new(8);
    let won: Vec<Vec<String>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let spool = Spool::options()
                        .durability(Durability::None)
                        .load(spool.dir(), ["in", "done"])
                        .unwrap();
                    start.wait();
                    let mut won = Vec::new();
                    for i in 0..100 {
                        let entry = spool.entry("in", format!("{i:02}")).unwrap();
                        if let Some(mut checkout) = entry.try_checkout().unwrap() {
                            won.push(checkout.name().to_string());
                            checkout.save("done").unwrap();
                        }
                    }
                    won
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let mut all = won.concat();
    all.sort();
    let expected: Vec<String> = (0..100).map(|i| format!("{i:02}")).collect();
    assert_eq!(all, expected);
    assert_eq!(spool.list("done").unwrap().count(), 100);
}

#[test]
fn an_entry_that_is_not_there_is_none_to_try_checkout_and_missing_to_checkout() {
    let (_dir, spool) = new_spool(&["in"]);
    let before = state(spool.dir());
    let entry = spool.entry("in", "never").unwrap();
    assert!(entry.try_checkout().unwrap().is_none());
    let path = spool.dir().join("in/never");
    let missing = (ErrorKind::Missing, Some(libc::ENOENT));
    must_fail(entry.checkout(), missing.0, &path, missing.1);
    let untouched = |_: &[u8], _: &multispool::DataFile| -> Result<(Outcome, ())> {
        panic!("there is no entry to call this with")
    };
    must_fail(entry.with_entry(untouched), missing.0, &path, missing.1);
    assert!(entry.try_with_entry(untouched).unwrap().is_none());
    assert_eq!(state(spool.dir()), before);

    // Reserved, and nothing more.
    spool.reserve_name("never").unwrap();
    assert!(entry.try_checkout().unwrap().is_none());
    must_fail(entry.checkout(), missing.0, &path, missing.1);
}

/// Asks for (`F_OFD_GETLK`), takes or frees (`F_OFD_SETLK`) a lock on the whole file; the answer's type.
fn lock(file: &File, command: i32, kind: i32) -> io::Result<i32> {
    // SAFETY: flock is plain data, for which zero is a valid value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    // SAFETY: the descriptor is open and the lock is valid for the call.
    match unsafe { libc::fcntl(file.as_raw_fd(), command, &mut lock) } {
        0 => Ok(i32::from(lock.l_type)),
        _ => Err(io::Error::last_os_error()),
    }
}

fn open_registry(spool: &Spool, name: &str) -> File {
    let path = spool.dir().join(".registry").join(name);
    File::options().read(true).write(true).open(path).unwrap()
}

/// Only asks: a child that another test forks at this moment must not inherit a lock from here.
fn is_locked(spool: &Spool, name: &str) -> bool {
    let held = lock(
        &open_registry(spool, name),
        libc::F_OFD_GETLK,
        libc::F_WRLCK,
    );
    held.unwrap() != libc::F_UNLCK
}

#[test]
fn the_lock_is_held_from_the_checkout_to_its_end() {
    let ends: [fn(Checkout); 4] = [
        |mut checkout| checkout.save("done").unwrap(),
        |mut checkout| checkout.save("in").unwrap(),
        |mut checkout| checkout.release().unwrap(),
        drop,
    ];
    for end in ends {
        let (_dir, spool, entry) = one_entry();
        assert!(!is_locked(&spool, "x"));
        let mut checkout = entry.checkout().unwrap();
        assert!(is_locked(&spool, "x"));
        checkout.set_metadata("new").unwrap();
        checkout.data_file().save("new").unwrap();
        assert!(is_locked(&spool, "x"));
        end(checkout);
        assert!(!is_locked(&spool, "x"));
    }
}

#[test]
fn what_is_taken_is_locked_also_where_its_name_was_used_again_at_that_moment() {
    let (_dir, spool) = new_spool(&["in"]);
    let used = EnqueueOptions::new().name("x");
    let expected = |error: &Error| {
        let expected = [ErrorKind::NameTaken, ErrorKind::NotFound];
        assert!(expected.contains(&error.kind()), "{error}");
    };
    let taken: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let spool = Spool::load_unsafe(spool.dir(), ["in"]).unwrap();
                    let entry = spool.entry("in", "x").unwrap();
                    let mut taken = 0;
                    for _ in 0..400 {
                        let _ = spool.reserve_name("x").inspect_err(expected);
                        let none = EnqueueOptions::clone(&used).durability(Durability::None);
                        let _ = spool
                            .enqueue_with("in", "", "", &none)
                            .inspect_err(expected);
                        if let Some(mut checkout) = entry.try_checkout().unwrap() {
                            assert!(is_locked(&spool, "x"), "it holds the lock of another file");
                            checkout.remove_with(Durability::None).unwrap();
                            taken += 1;
                        }
                    }
                    taken
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert!(taken > 0);
    drop(spool.entry("in", "x").unwrap().try_checkout().unwrap());
}

#[test]
fn a_name_that_another_process_has_locked_stays_in_its_queue_until_it_is_free() {
    let (_dir, spool, entry) = one_entry();
    let stranger = open_registry(&spool, "x");
    lock(&stranger, libc::F_OFD_SETLK, libc::F_WRLCK).unwrap();
    let before = state(spool.dir());
    assert!(entry.try_checkout().unwrap().is_none());
    assert_eq!(entry.checkout().unwrap_err().kind(), ErrorKind::Missing);
    assert_eq!(state(spool.dir()), before);
    lock(&stranger, libc::F_OFD_SETLK, libc::F_UNLCK).unwrap();
    assert_eq!(entry.checkout().unwrap().metadata(), b"old");
}

#[test]
fn changed_metadata_replaces_the_old_file_and_unchanged_metadata_is_not_written() {
    let (_dir, spool, entry) = one_entry();
    let original = inode(spool.dir().join("in/x"));
    entry.checkout().unwrap().save("done").unwrap();
    assert_eq!(inode(spool.dir().join("done/x")), original);

    let entry = spool.entry("done", "x").unwrap();
    let mut opened = File::open(spool.dir().join("done/x")).unwrap();
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("new, and longer").unwrap();
    checkout.save("in").unwrap();
    assert_ne!(inode(spool.dir().join("in/x")), original);
    assert_eq!(read(spool.dir().join("in/x")), "new, and longer");
    // Who had the old file open has it whole: it was replaced, not written into.
    let mut still = String::new();
    opened.read_to_string(&mut still).unwrap();
    assert_eq!(
        (still.as_str(), opened.metadata().unwrap().nlink()),
        ("old", 0)
    );
    assert_eq!(about_x(&spool), [".data/x 4", ".registry/x 0", "in/x 15"]);
}

#[test]
fn a_reader_of_the_path_sees_the_old_metadata_or_the_new_whole() {
    let (_dir, spool, entry) = one_entry();
    let path = spool.dir().join("in/.checkout/x");
    let back = spool.dir().join("in/x");
    let texts = ["a".repeat(100_000), "b".repeat(100_000)];
    let done = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..100 {
                let mut checkout = entry.checkout().unwrap();
                checkout.set_metadata(texts[i % 2].as_str()).unwrap();
                checkout.save("in").unwrap();
            }
            done.wait();
        });
        let mut seen = 0;
        while seen < 100 {
            for path in [&path, &back] {
                if let Ok(text) = fs::read_to_string(path) {
                    assert!(
                        text == "old" || texts.contains(&text),
                        "{} bytes",
                        text.len()
                    );
                    seen += 1;
                }
            }
        }
        done.wait();
    });
}

#[test]
fn an_entry_removed_meanwhile_is_lost_and_does_not_come_back_to_life() {
    type End = fn(&mut Checkout) -> Result<()>;
    let ends: [(&str, End); 4] = [
        ("save", |checkout| checkout.save("done")),
        ("save", |checkout| {
            checkout.set_metadata("changed").unwrap();
            checkout.save("done")
        }),
        ("release", Checkout::release),
        ("remove", Checkout::remove),
    ];
    for (operation, end) in ends {
        for removed in [
            ["in/.checkout/x", ".data/x", ".registry/x"].as_slice(),
            &["in/.checkout/x"],
        ] {
            let (_dir, spool, entry) = one_entry();
            enqueue(&spool, "other");
            let mut checkout = entry.checkout().unwrap();
            for path in removed {
                fs::remove_file(spool.dir().join(path)).unwrap();
            }
            let before = listing(spool.dir());
            let path = spool.dir().join("in/.checkout/x");
            let lost = must_fail(
                end(&mut checkout),
                ErrorKind::LostOwnership,
                &path,
                Some(libc::ENOENT),
            );
            assert_eq!(lost.operation(), operation);
            assert_eq!(listing(spool.dir()), before, "{operation}");
            drop(checkout);
            assert_eq!(listing(spool.dir()), before, "{operation}");
        }
    }
}

#[test]
fn a_name_used_again_meanwhile_is_another_entry_and_is_left_alone() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    for path in ["in/.checkout/x", ".data/x", ".registry/x"] {
        fs::remove_file(spool.dir().join(path)).unwrap();
    }
    enqueue(&spool, "x");
    let before = state(spool.dir());
    let lost = ErrorKind::LostOwnership;
    assert_eq!(checkout.remove().unwrap_err().kind(), lost);
    assert_eq!(checkout.release().unwrap_err().kind(), lost);
    assert_eq!(checkout.save("done").unwrap_err().kind(), lost);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn a_save_to_a_queue_that_has_the_name_leaves_the_entry_in_hand() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    let place = spool.dir().join("done/x");
    fs::write(&place, "by hand").unwrap();
    let stranger = inode(place.clone());
    must_fail(checkout.save("done"), ErrorKind::NameTaken, &place, None);
    assert!(!checkout.is_finished());
    assert!(is_locked(&spool, "x"));
    assert_eq!(
        about_x(&spool),
        [".data/x 4", ".registry/x 0", "done/x 7", "in/.checkout/x 3"]
    );
    assert_eq!(
        (inode(place.clone()), read(place)),
        (stranger, "by hand".to_owned())
    );
    assert_eq!(checkout.data_file().load().unwrap(), b"data");
    checkout.release().unwrap();
    assert_eq!(
        about_x(&spool),
        [".data/x 4", ".registry/x 0", "done/x 7", "in/x 3"]
    );
}

#[test]
fn a_release_after_a_save_that_failed_drops_the_update_all_the_same() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("changed").unwrap();
    fs::write(spool.dir().join("done/x"), "by hand").unwrap();
    assert_eq!(
        checkout.save("done").unwrap_err().kind(),
        ErrorKind::NameTaken
    );
    checkout.release().unwrap();
    assert_eq!(read(spool.dir().join("in/x")), "old");
}

#[test]
fn a_save_that_failed_can_be_made_to_another_queue_with_the_update() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("changed").unwrap();
    fs::write(spool.dir().join("done/x"), "by hand").unwrap();
    assert_eq!(
        checkout.save("done").unwrap_err().kind(),
        ErrorKind::NameTaken
    );
    assert_eq!(
        checkout.save("nowhere").unwrap_err().kind(),
        ErrorKind::UnknownQueue
    );
    assert_eq!(checkout.metadata(), b"changed");
    checkout.save("in").unwrap();
    assert_eq!(read(spool.dir().join("in/x")), "changed");
}

#[test]
fn a_release_drops_updates_and_writes_nothing() {
    let (_dir, spool, entry) = one_entry();
    let original = inode(spool.dir().join("in/x"));
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("changed").unwrap();
    checkout.data_file().save("new data").unwrap();
    checkout.release().unwrap();
    assert_eq!(read(spool.dir().join("in/x")), "old");
    assert_eq!(inode(spool.dir().join("in/x")), original);
    // Data that was saved stays saved.
    assert_eq!(about_x(&spool), [".data/x 8", ".registry/x 0", "in/x 3"]);
}

#[test]
fn a_checkout_is_used_up_by_its_end() {
    type End = fn(&mut Checkout) -> Result<()>;
    let ends: [End; 6] = [
        |checkout| checkout.save("done"),
        |checkout| checkout.save_with("done", Durability::Full),
        Checkout::remove,
        |checkout| checkout.remove_with(Durability::Full),
        Checkout::release,
        |checkout| checkout.finish(Outcome::Release),
    ];
    for end in ends {
        let (_dir, spool, entry) = one_entry();
        let mut checkout = entry.checkout().unwrap();
        end(&mut checkout).unwrap();
        assert!(checkout.is_finished());
        let before = state(spool.dir());
        let path = spool.dir().join("in/.checkout/x");
        let finished = |result| must_fail(result, ErrorKind::Finished, &path, None);
        for again in ends {
            finished(again(&mut checkout));
        }
        finished(checkout.set_metadata("more"));
        finished(checkout.update(<[u8]>::to_vec));
        finished(checkout.pass_ownership(&mut std::process::Command::new("true")));
        drop(checkout);
        assert_eq!(state(spool.dir()), before);
    }
}

#[test]
fn a_checkout_that_is_dropped_stays_checked_out_with_its_lock_free() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("changed").unwrap();
    let before = state(spool.dir());
    drop(checkout);
    assert_eq!(state(spool.dir()), before);
    assert_eq!(
        about_x(&spool),
        [".data/x 4", ".registry/x 0", "in/.checkout/x 3"]
    );
    assert!(!is_locked(&spool, "x"));
    assert!(entry.try_checkout().unwrap().is_none());
}

#[test]
fn checkouts_can_be_listed_and_ended_by_another_hand() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let names = ["b", "a", "\u{e9}", "B"];
    for name in names {
        enqueue(&spool, name);
    }
    drop(spool.entry("in", "a").unwrap().checkout().unwrap());
    drop(spool.entry("in", "B").unwrap().checkout().unwrap());
    let mut owner = spool.entry("in", "b").unwrap().checkout().unwrap();
    fs::write(spool.dir().join("in/.checkout/.hidden"), "").unwrap();

    let listed: Vec<String> = spool
        .list_checkout_names("in")
        .unwrap()
        .map(|name| name.unwrap().to_string())
        .collect();
    assert_eq!(listed, ["B", "a", "b"]);
    let mut checkouts: Vec<Checkout> = spool
        .list_checkouts_unsafe("in")
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(spool.list_checkouts_unsafe("done").unwrap().count(), 0);
    let listed: Vec<String> = checkouts.iter().map(|c| c.name().to_string()).collect();
    assert_eq!(listed, ["B", "a", "b"]);
    assert!(checkouts.iter().all(|c| c.metadata() == b"old"));
    assert!(!is_locked(&spool, "a"));

    checkouts[0].set_metadata("changed").unwrap();
    checkouts[0].save("done").unwrap();
    assert_eq!(read(spool.dir().join("done/B")), "changed");
    checkouts[1].remove().unwrap();
    // Somebody owns it: it goes on without the ownership, and the owner is told.
    checkouts[2].save("done").unwrap();
    let lost = owner.release().unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::LostOwnership);
    let mut left = listing(spool.dir());
    left.retain(|line| !line.ends_with('/') && !line.starts_with(".multispool/"));
    assert_eq!(
        left,
        [
            ".data/B 4",
            ".data/\\xc3\\xa9 4",
            ".data/b 4",
            ".registry/B 0",
            ".registry/\\xc3\\xa9 0",
            ".registry/b 0",
            "done/B 7",
            "done/b 3",
            "in/.checkout/.hidden 0",
            "in/\\xc3\\xa9 3"
        ]
    );
}

/// What is done to a file of an entry to damage it.
type Harm = fn(&Path, &Path);

const HARMS: [(&str, Harm); 6] = [
    ("a symbolic link to a file", |path, outside| {
        fs::rename(path, outside).unwrap();
        symlink(outside, path).unwrap();
    }),
    ("a dangling link", |path, outside| {
        fs::remove_file(path).unwrap();
        symlink(outside, path).unwrap();
    }),
    ("a second hard link", |path, outside| {
        fs::hard_link(path, outside).unwrap();
    }),
    ("a FIFO", |path, _| {
        fs::remove_file(path).unwrap();
        make_fifo(path);
    }),
    ("a directory", |path, _| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("a socket", |path, _| {
        fs::remove_file(path).unwrap();
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    }),
];

#[test]
fn a_damaged_entry_is_corrupt_and_stays_where_it_was_and_stops_nobody() {
    for part in ["in/x", ".data/x", ".registry/x"] {
        for (what, harm) in HARMS {
            let (dir, spool, entry) = one_entry();
            let other = enqueue(&spool, "other");
            let path = spool.dir().join(part);
            harm(&path, &dir.path().join("outside"));
            let before = state(dir.path());
            let attempts: [fn(&Entry) -> Result<()>; 4] = [
                |entry| entry.checkout().map(drop),
                |entry| entry.try_checkout().map(drop),
                |entry| entry.with_entry(|_, _| panic!("it is not to be taken")),
                |entry| {
                    entry
                        .try_with_entry(|_, _| panic!("it is not to be taken"))
                        .map(drop::<Option<()>>)
                },
            ];
            for attempt in attempts {
                let entry = entry.clone();
                let error = in_time(move || attempt(&entry)).expect_err(what);
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{part}: {what}: {error}");
                assert_eq!(error.path(), Some(&*path), "{part}: {what}: {error}");
            }
            assert_eq!(state(dir.path()), before, "{part}: {what}");
            assert!(other.try_checkout().unwrap().is_some(), "{part}: {what}");
        }
    }
}

#[test]
fn the_free_lock_of_a_damaged_entry_stays_free() {
    let (_dir, spool, entry) = one_entry();
    fs::remove_file(spool.dir().join(".data/x")).unwrap();
    assert_eq!(entry.checkout().unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(!is_locked(&spool, "x"));
}

#[test]
fn an_entry_without_data_or_without_a_registry_file_is_corrupt_and_stays_in_its_queue() {
    for (lost, named) in [(".data/x", ".data/x"), (".registry/x", "in/x")] {
        let (_dir, spool, entry) = one_entry();
        fs::remove_file(spool.dir().join(lost)).unwrap();
        let before = state(spool.dir());
        let path = spool.dir().join(named);
        must_fail(entry.checkout(), ErrorKind::Corrupt, &path, None);
        must_fail(entry.try_checkout(), ErrorKind::Corrupt, &path, None);
        assert_eq!(state(spool.dir()), before);
    }
}

#[test]
fn an_entry_in_its_queue_and_in_checkout_at_once_is_corrupt_and_both_are_left_alone() {
    let (_dir, spool, entry) = one_entry();
    fs::write(spool.dir().join("in/.checkout/x"), "the other").unwrap();
    let before = listing(spool.dir());
    let path = spool.dir().join("in/x");
    must_fail(entry.checkout(), ErrorKind::Corrupt, &path, None);
    assert_eq!(listing(spool.dir()), before);
    assert_eq!(read(path), "old");
    assert_eq!(read(spool.dir().join("in/.checkout/x")), "the other");
    assert!(!is_locked(&spool, "x"));
}

#[test]
fn a_damaged_checkout_is_reported_by_its_path_among_the_others() {
    let (dir, spool) = new_spool(&["in"]);
    for name in ["a", "b", "c"] {
        drop(enqueue(&spool, name).checkout().unwrap());
    }
    let path = spool.dir().join("in/.checkout/b");
    fs::hard_link(&path, dir.path().join("outside")).unwrap();
    let mut listed = spool.list_checkouts_unsafe("in").unwrap();
    assert_eq!(listed.next().unwrap().unwrap().name().to_string(), "a");
    must_fail(listed.next().unwrap(), ErrorKind::Corrupt, path, None);
    assert_eq!(listed.next().unwrap().unwrap().name().to_string(), "c");
    assert!(listed.next().is_none());
}

#[test]
fn with_entry_does_what_its_callback_decides() {
    let (_dir, spool, entry) = one_entry();
    let answer: u32 = entry
        .with_entry(|metadata, data_file| {
            assert_eq!(metadata, b"old");
            assert_eq!(data_file.load()?, b"data");
            data_file.save("new data")?;
            Ok::<_, Error>((Outcome::save_with("done", "new")?, 42))
        })
        .unwrap();
    assert_eq!(answer, 42);
    assert_eq!(about_x(&spool), [".data/x 8", ".registry/x 0", "done/x 3"]);
    assert_eq!(read(spool.dir().join("done/x")), "new");

    let entry = spool.entry("done", "x").unwrap();
    let unchanged = inode(spool.dir().join("done/x"));
    let save = |_: &[u8], _: &multispool::DataFile| Ok::<_, Error>((Outcome::save("in")?, ()));
    assert_eq!(entry.try_with_entry(save).unwrap(), Some(()));
    assert_eq!(inode(spool.dir().join("in/x")), unchanged);
    assert_eq!(entry.try_with_entry(save).unwrap(), None);

    let entry = spool.entry("in", "x").unwrap();
    let release = |_: &[u8], _: &multispool::DataFile| Ok::<_, Error>((Outcome::Release, ()));
    entry.with_entry(release).unwrap();
    assert_eq!(inode(spool.dir().join("in/x")), unchanged);
    assert!(!is_locked(&spool, "x"));

    entry
        .with_entry(|_, _| Ok::<_, Error>((Outcome::Remove, ())))
        .unwrap();
    assert_eq!(about_x(&spool), [""; 0]);
}

#[test]
fn a_callback_that_fails_or_panics_gives_the_entry_back_and_its_failure_is_passed_on() {
    #[derive(Debug, PartialEq)]
    enum Failure {
        Spool(ErrorKind),
        Mine(u32),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Failure {
            Failure::Spool(error.kind())
        }
    }
    let (_dir, spool, entry) = one_entry();
    let original = inode(spool.dir().join("in/x"));
    let is_back = || {
        assert_eq!(about_x(&spool), [".data/x 4", ".registry/x 0", "in/x 3"]);
        assert_eq!(inode(spool.dir().join("in/x")), original);
        assert!(!is_locked(&spool, "x"));
    };
    let failed = entry.with_entry(|_, _| Err::<(Outcome, ()), _>(Failure::Mine(7)));
    assert_eq!(failed, Err(Failure::Mine(7)));
    is_back();
    let failed = entry.try_with_entry(|_, _| Err::<(Outcome, ()), _>(Failure::Mine(8)));
    assert_eq!(failed, Err(Failure::Mine(8)));
    is_back();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        entry.with_entry::<(), Error>(|_, _| panic!("the callback panics"))
    }));
    let message = *panicked.unwrap_err().downcast_ref::<&str>().unwrap();
    assert_eq!(message, "the callback panics");
    is_back();

    // It decided what cannot be done.
    let outcome = |_: &[u8], _: &multispool::DataFile| {
        Ok::<_, Failure>((Outcome::save_with("nowhere", "changed")?, ()))
    };
    let failed = entry.with_entry(outcome);
    assert_eq!(failed, Err(Failure::Spool(ErrorKind::UnknownQueue)));
    is_back();
    fs::write(spool.dir().join("done/x"), "").unwrap();
    let outcome =
        |_: &[u8], _: &multispool::DataFile| Ok::<_, Failure>((Outcome::save("done")?, ()));
    let failed = entry.with_entry(outcome);
    assert_eq!(failed, Err(Failure::Spool(ErrorKind::NameTaken)));
    fs::remove_file(spool.dir().join("done/x")).unwrap();
    is_back();
}

#[test]
fn an_outcome_that_names_no_queue_is_refused() {
    for bad in ["", ".checkout", "a/b"] {
        assert_eq!(
            Outcome::save(bad).unwrap_err().kind(),
            ErrorKind::InvalidName
        );
        let saved = Outcome::save_with(bad, "metadata");
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::InvalidName);
    }
}

#[test]
fn a_list_is_in_the_order_of_bytes_without_dot_names() {
    let (_dir, spool) = new_spool(&["in"]);
    let names: [&[u8]; 10] = [
        b"10",
        b"9",
        b"B",
        b"a",
        b"a b",
        b"a-",
        b"aa",
        b"b",
        "\u{e9}".as_bytes(),
        b"\xff",
    ];
    for name in names.iter().rev() {
        let name = OsStr::from_bytes(name);
        let options = EnqueueOptions::new().name(spool.reserve_name(name).unwrap());
        spool.enqueue_with("in", "", "", &options).unwrap();
    }
    fs::write(spool.dir().join("in/.hidden"), "").unwrap();
    fs::write(spool.dir().join("in/..."), "").unwrap();
    let listed: Vec<Vec<u8>> = spool
        .list("in")
        .unwrap()
        .map(|entry| entry.unwrap().name().as_bytes().to_vec())
        .collect();
    assert_eq!(listed, names);
}

#[test]
fn a_name_found_on_disk_may_have_255_bytes() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let name = "n".repeat(255);
    fs::write(spool.dir().join(".registry").join(&name), "").unwrap();
    fs::write(spool.dir().join(".data").join(&name), "data").unwrap();
    fs::write(spool.dir().join("in").join(&name), "old").unwrap();
    let entry = spool.list("in").unwrap().next().unwrap().unwrap();
    assert_eq!(entry.name().as_bytes(), name.as_bytes());
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("new").unwrap();
    checkout.data_file().save("new data").unwrap();
    checkout.save("done").unwrap();
    let entry = spool.entry("done", &name).unwrap();
    assert_eq!(entry.direct().contents().unwrap(), b"new");
    assert_eq!(entry.direct().data_file().load().unwrap(), b"new data");
    entry.direct().save("newer").unwrap();
    assert!(listing(&spool.dir().join(".tmp")).is_empty());
    entry.checkout().unwrap().remove().unwrap();
    assert!(listing(&spool.dir().join(".registry")).is_empty());
}

#[test]
fn what_is_in_a_registry_file_is_kept() {
    let (_dir, spool, entry) = one_entry();
    let registry = spool.dir().join(".registry/x");
    fs::write(&registry, "history").unwrap();
    let original = inode(registry.clone());
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("new").unwrap();
    checkout.save("done").unwrap();
    spool
        .entry("done", "x")
        .unwrap()
        .checkout()
        .unwrap()
        .release()
        .unwrap();
    spool
        .entry("done", "x")
        .unwrap()
        .direct()
        .save("newer")
        .unwrap();
    assert_eq!(read(registry.clone()), "history");
    assert_eq!(inode(registry), original);
}

#[test]
fn the_status_of_an_entry_is_that_of_its_registry_file() {
    let (_dir, spool, entry) = one_entry();
    let registry = spool.dir().join(".registry/x");
    assert_eq!(entry.stat().unwrap().ino(), inode(registry.clone()));
    let mut checkout = entry.checkout().unwrap();
    assert_eq!(entry.stat().unwrap().ino(), inode(registry.clone()));
    checkout.remove().unwrap();
    must_fail(
        entry.stat(),
        ErrorKind::NotFound,
        &registry,
        Some(libc::ENOENT),
    );
}

#[test]
fn each_move_sets_the_times_of_the_entry_and_of_its_registry_file_to_now() {
    let (_dir, spool, entry) = one_entry();
    let registry = spool.dir().join(".registry/x");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let age = |place: &str| {
        for path in [&registry, &spool.dir().join(place)] {
            let times = fs::FileTimes::new()
                .set_accessed(long_ago)
                .set_modified(long_ago);
            File::open(path).unwrap().set_times(times).unwrap();
        }
        // The kernel's clock for files ticks a few times behind this one.
        SystemTime::now() - Duration::from_secs(1)
    };
    let is_touched = |since: SystemTime, place: &str| {
        for path in [&registry, &spool.dir().join(place)] {
            let modified = fs::metadata(path).unwrap().modified().unwrap();
            assert!(modified >= since, "{} is from {modified:?}", path.display());
        }
    };
    let since = age("in/x");
    let mut checkout = entry.checkout().unwrap();
    is_touched(since, "in/.checkout/x");
    let since = age("in/.checkout/x");
    checkout.save("done").unwrap();
    is_touched(since, "done/x");
    let since = age("done/x");
    let mut checkout = spool.entry("done", "x").unwrap().checkout().unwrap();
    is_touched(since, "done/.checkout/x");
    let since = age("done/.checkout/x");
    checkout.release().unwrap();
    is_touched(since, "done/x");
    assert!(entry.stat().unwrap().modified().unwrap() >= since);
}

#[test]
fn a_checkout_may_be_ended_by_another_thread() {
    let (_dir, spool, entry) = one_entry();
    let mut checkout = entry.checkout().unwrap();
    thread::spawn(move || checkout.save("done").unwrap())
        .join()
        .unwrap();
    assert_eq!(about_x(&spool), [".data/x 4", ".registry/x 0", "done/x 3"]);
}

#[test]
fn direct_access_reads_and_replaces_what_is_in_the_queue() {
    let (_dir, spool, entry) = one_entry();
    let direct = entry.direct();
    assert_eq!(direct.contents().unwrap(), b"old");
    let mut opened = File::open(spool.dir().join("in/x")).unwrap();
    direct.save("new metadata").unwrap();
    assert_eq!(direct.contents().unwrap(), b"new metadata");
    let mut still = String::new();
    opened.read_to_string(&mut still).unwrap();
    assert_eq!(still, "old");
    direct.data_file().save("new data").unwrap();
    assert_eq!(about_x(&spool), [".data/x 8", ".registry/x 0", "in/x 12"]);

    // There are no guarantees: it writes whether the entry is there or not.
    let mut checkout = entry.checkout().unwrap();
    must_fail(
        direct.contents(),
        ErrorKind::NotFound,
        spool.dir().join("in/x"),
        Some(libc::ENOENT),
    );
    direct.save("a second").unwrap();
    let taken = checkout.save("in");
    must_fail(taken, ErrorKind::NameTaken, spool.dir().join("in/x"), None);
    assert_eq!(read(spool.dir().join("in/x")), "a second");
    checkout.save("done").unwrap();
}

#[test]
fn a_direct_remove_takes_the_entry_its_data_and_its_name_or_touches_nothing() {
    for durability in [Durability::None, Durability::Full] {
        let (_dir, spool, entry) = one_entry();
        let spool = Spool::options()
            .durability(durability)
            .load(spool.dir(), ["in", "done"])
            .unwrap();
        let here = spool.entry("in", "x").unwrap();
        let elsewhere = spool.entry("done", "x").unwrap();
        let before = state(spool.dir());
        let absent = elsewhere.direct().remove();
        must_fail(
            absent,
            ErrorKind::NotFound,
            spool.dir().join("done/x"),
            Some(libc::ENOENT),
        );
        assert_eq!(state(spool.dir()), before);
        here.direct().remove().unwrap();
        assert_eq!(about_x(&spool), [""; 0]);
        let gone = entry.direct().remove();
        must_fail(
            gone,
            ErrorKind::NotFound,
            spool.dir().join("in/x"),
            Some(libc::ENOENT),
        );
    }
}

#[test]
fn an_absent_data_or_registry_file_stops_no_remove() {
    for lost in [".data/x", ".registry/x"] {
        let (_dir, spool, entry) = one_entry();
        let mut checkout = entry.checkout().unwrap();
        fs::remove_file(spool.dir().join(lost)).unwrap();
        checkout.remove().unwrap();
        assert_eq!(about_x(&spool), [""; 0]);

        let (_dir, spool, entry) = one_entry();
        fs::remove_file(spool.dir().join(lost)).unwrap();
        entry.direct().remove().unwrap();
        assert_eq!(about_x(&spool), [""; 0]);
    }
}

#[test]
fn direct_access_to_a_damaged_entry_is_corrupt_and_does_not_hang() {
    for (what, harm) in HARMS {
        let (dir, spool, entry) = one_entry();
        harm(&spool.dir().join("in/x"), &dir.path().join("outside"));
        let path = spool.dir().join("in/x");
        let contents = in_time(move || entry.direct().contents());
        let error = contents.expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        assert_eq!(error.path(), Some(&*path), "{what}");
    }
}
