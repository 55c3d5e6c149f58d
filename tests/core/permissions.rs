//! Who may do what, and the modes of what is made. Each test runs in a child process without
//! privileges, also where the tests are run by root, who may do everything.
#![allow(unsafe_code, reason = "fork, setuid and umask have no safe interface")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use multispool::{
    Durability, EnqueueOptions, Entry, ErrorKind, RecoverOptions, Spool, SpoolOptions, StatsOptions,
};

use crate::must_fail;
use crate::tree::{listing, state};

const NOBODY: u32 = 65534;
const SOMEBODY: u32 = 65533;
const EACCES: Option<i32> = Some(libc::EACCES);

fn unsynced() -> SpoolOptions {
    Spool::options().durability(Durability::None)
}

fn am_root() -> bool {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Runs `check` in a child process: where this one is root's, as user `uid` of the group [`NOBODY`]. A
/// panic in the child fails the test with the child's message.
#[track_caller]
fn in_child(uid: u32, check: impl FnOnce()) {
    let (mut ours, mut theirs) = std::io::pipe().unwrap();
    // SAFETY: the child has one thread and ends by _exit; what other threads hold at this moment, it can
    // only wait for, and the alarm ends that.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let checked = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: plain system calls, in a process that is this test's own.
            unsafe {
                libc::alarm(60);
                libc::umask(0o022);
                if am_root() {
                    assert_eq!(libc::setgroups(0, std::ptr::null()), 0, "setgroups");
                    assert_eq!(libc::setgid(NOBODY), 0, "setgid");
                    assert_eq!(libc::setuid(uid), 0, "setuid");
                }
            }
            check();
        }));
        let status = i32::from(checked.is_err());
        if let Err(panic) = checked {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panicked");
            let _ = theirs.write_all(message.as_bytes());
        }
        // SAFETY: it takes a number.
        unsafe { libc::_exit(status) };
    }
    drop(theirs);
    let mut message = String::new();
    ours.read_to_string(&mut message).unwrap();
    let mut status = 0;
    // SAFETY: the child is this test's own, and there is room for its status.
    let ended = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(ended, child);
    assert_eq!(status, 0, "in the child: {message}");
}

/// A temporary directory of the user's that `in_child` runs as; every user may look into it.
fn new_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if am_root() {
        std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    dir
}

/// Runs `check` without privileges, with a directory of its own.
#[track_caller]
fn as_nobody(check: impl FnOnce(&Path)) {
    let dir = new_dir();
    in_child(NOBODY, || check(dir.path()));
    make_removable(dir.path());
}

/// Gives the owner all permissions on the directories again.
fn make_removable(dir: &Path) {
    chmod(dir, 0o755);
    for found in fs::read_dir(dir).unwrap() {
        let found = found.unwrap();
        if found.file_type().unwrap().is_dir() {
            make_removable(&found.path());
        }
    }
}

fn chmod(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A spool with the entry `x` in its queue `in`.
fn one_entry(dir: &Path) -> (Spool, Entry) {
    let spool = unsynced()
        .create(dir.join("spool"), ["in", "done"])
        .unwrap();
    let options = EnqueueOptions::new().name(spool.reserve_name("x").unwrap());
    let entry = spool.enqueue_with("in", "old", "data", &options).unwrap();
    (spool, entry)
}

#[test]
fn these_tests_have_no_privileges() {
    as_nobody(|dir| {
        assert!(!am_root());
        let file = dir.join("file");
        fs::write(&file, "").unwrap();
        chmod(&file, 0);
        let error = fs::read(&file).unwrap_err();
        assert_eq!(error.raw_os_error(), EACCES);
    });
}

#[test]
#[should_panic(expected = "a failure in the child")]
fn a_failure_in_the_child_fails_the_test() {
    as_nobody(|_| panic!("a failure in the child"));
}

#[test]
fn load_names_the_directory_that_may_not_be_read_written_and_searched() {
    as_nobody(|dir| {
        let (spool, _) = one_entry(dir);
        let root = spool.dir();
        const UNREADABLE: u32 = 0o300;
        const UNWRITABLE: u32 = 0o500;
        const UNSEARCHABLE: u32 = 0o600;
        for inner in [".registry", ".tmp", ".data", "in", "in/.checkout", "done"] {
            let path = root.join(inner);
            for mode in [UNREADABLE, UNWRITABLE, UNSEARCHABLE] {
                chmod(&path, mode);
                let before = fs::metadata(&path).unwrap();
                let load = || unsynced().load(root, ["in", "done"]);
                must_fail(load(), ErrorKind::Permission, &path, EACCES);
                let reading = unsynced().read_only(true).load(root, ["in", "done"]);
                if mode == UNWRITABLE {
                    reading.unwrap();
                } else {
                    must_fail(reading, ErrorKind::Permission, &path, EACCES);
                }
                let after = fs::metadata(&path).unwrap();
                assert_eq!(
                    (before.ctime(), before.ctime_nsec()),
                    (after.ctime(), after.ctime_nsec())
                );
                chmod(&path, 0o700);
                load().unwrap();
            }
        }
        chmod(root, UNREADABLE);
        let load = || unsynced().load(root, ["in"]);
        must_fail(load(), ErrorKind::Permission, root, EACCES);
        must_fail(Spool::discover(root), ErrorKind::Permission, root, EACCES);
        chmod(root, UNSEARCHABLE);
        must_fail(
            load(),
            ErrorKind::Permission,
            root.join(".registry"),
            EACCES,
        );
        // Nothing is made in the root itself.
        chmod(root, UNWRITABLE);
        load().unwrap();
    });
}

#[test]
fn a_format_that_may_not_be_read_is_not_taken_for_none() {
    as_nobody(|dir| {
        let (spool, _) = one_entry(dir);
        for path in [".multispool", ".multispool/format"] {
            let path = spool.dir().join(path);
            chmod(&path, 0);
            for read_only in [false, true] {
                let loaded = unsynced().read_only(read_only).load(spool.dir(), ["in"]);
                must_fail(loaded, ErrorKind::Permission, &path, EACCES);
            }
            chmod(&path, 0o700);
        }
    });
}

#[test]
fn reading_needs_no_permission_to_write() {
    as_nobody(|dir| {
        let (spool, _) = one_entry(dir);
        let root = spool.dir();
        drop(spool.enqueue("in", "held", "").unwrap().checkout().unwrap());
        let is_directory = |line: &String| line.ends_with('/');
        let lines = listing(root);
        for line in lines.iter().filter(|line| !is_directory(line)) {
            chmod(root.join(line.rsplit_once(' ').unwrap().0), 0o444);
        }
        for line in lines.iter().filter(|line| is_directory(line)).rev() {
            chmod(root.join(line), 0o555);
        }
        chmod(root, 0o555);
        let before = state(root);

        let refused = unsynced().load(root, ["in"]);
        must_fail(
            refused,
            ErrorKind::Permission,
            root.join(".registry"),
            EACCES,
        );
        let reading = unsynced()
            .read_only(true)
            .load(root, ["in", "done"])
            .unwrap();
        let entries: Vec<Entry> = reading.list("in").unwrap().map(Result::unwrap).collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].direct().contents().unwrap(), b"old");
        assert_eq!(entries[0].direct().data_file().load().unwrap(), b"data");
        entries[0].stat().unwrap();
        let checkouts = reading.list_checkouts_unsafe("in").unwrap();
        let metadata: Vec<_> = checkouts.map(|c| c.unwrap().metadata().to_vec()).collect();
        assert_eq!(metadata, [b"held"]);
        let stats = reading.stats(&StatsOptions::new()).unwrap();
        let counted = stats
            .queues
            .iter()
            .find(|queue| queue.queue.as_bytes() == b"in")
            .unwrap();
        assert_eq!((counted.entries, counted.checked_out_dead), (1, 1));
        assert_eq!(Spool::discover(root).unwrap().len(), 2);
        must_fail(
            reading.enqueue("in", "", ""),
            ErrorKind::Permission,
            root,
            None,
        );
        must_fail(entries[0].checkout(), ErrorKind::Permission, root, None);
        assert_eq!(state(root), before);
    });
}

#[test]
fn create_says_where_it_may_not_write_and_leaves_nothing() {
    as_nobody(|dir| {
        chmod(dir, 0o555);
        let root = dir.join("spool");
        let create = || unsynced().create(&root, ["in"]);
        must_fail(create(), ErrorKind::Permission, &root, EACCES);
        chmod(dir, 0o755);
        fs::create_dir(&root).unwrap();
        chmod(&root, 0o555);
        must_fail(
            create(),
            ErrorKind::Permission,
            root.join(".multispool"),
            EACCES,
        );
        assert_eq!(listing(&root), [""; 0]);

        chmod(&root, 0o755);
        create().unwrap();
        chmod(&root, 0o555);
        // Nothing is missing, so nothing is to be made.
        create().unwrap();
        let before = state(&root);
        let wider = unsynced().create(&root, ["in", "more"]);
        must_fail(wider, ErrorKind::Permission, root.join("more"), EACCES);
        assert_eq!(state(&root), before);
    });
}

#[test]
fn an_enqueue_that_fails_at_any_step_leaves_nothing_but_an_earlier_reservation() {
    as_nobody(|dir| {
        let (spool, _) = one_entry(dir);
        spool.reserve_name("reserved").unwrap();
        let fresh: fn(u32) -> std::ffi::OsString = |_| "fresh".into();
        let generated = EnqueueOptions::new().generator(std::sync::Arc::new(fresh));
        let used = EnqueueOptions::new().name("reserved");
        for (inner, options, name) in [
            (".registry", &generated, "fresh"),
            (".data", &generated, "fresh"),
            (".tmp", &generated, "fresh.tmp."),
            ("in", &generated, "fresh"),
            (".data", &used, "reserved"),
            (".tmp", &used, "reserved.tmp."),
            ("in", &used, "reserved"),
        ] {
            let before = listing(spool.dir());
            let path = spool.dir().join(inner);
            chmod(&path, 0o500);
            let error = spool.enqueue_with("in", "m", "d", options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
            assert_eq!(error.errno(), EACCES, "{error}");
            let named = error.path().unwrap();
            assert_eq!(named.parent(), Some(&*path), "{error}");
            let file_name = named.file_name().unwrap().to_str().unwrap();
            assert!(file_name.starts_with(name), "{error}");
            assert_eq!(listing(spool.dir()), before, "{error}");
            chmod(&path, 0o700);
        }
        spool.enqueue_with("in", "m", "d", &generated).unwrap();
        spool.enqueue_with("in", "m", "d", &used).unwrap();
    });
}

#[test]
fn a_checkout_that_fails_leaves_the_entry_in_its_queue_and_its_lock_free() {
    as_nobody(|dir| {
        let (spool, entry) = one_entry(dir);
        for (inner, broken, usual, kind) in [
            ("in", 0o500, 0o700, ErrorKind::Permission),
            ("in/.checkout", 0o500, 0o700, ErrorKind::Permission),
            // One bad entry, whatever makes it so.
            ("in/x", 0, 0o600, ErrorKind::Corrupt),
            (".registry/x", 0o400, 0o600, ErrorKind::Permission),
        ] {
            let before = listing(spool.dir());
            chmod(spool.dir().join(inner), broken);
            let error = entry.checkout().unwrap_err();
            assert_eq!(error.kind(), kind, "{inner}: {error}");
            assert_eq!(error.errno(), EACCES, "{inner}: {error}");
            assert_eq!(listing(spool.dir()), before, "{inner}");
            chmod(spool.dir().join(inner), usual);
            entry.checkout().unwrap().release().unwrap();
            assert_eq!(listing(spool.dir()), before, "{inner}");
        }
        // Only reading the data needs permission to read the data.
        chmod(spool.dir().join(".data/x"), 0);
        let checkout = entry.checkout().unwrap();
        let data = checkout.data_file();
        must_fail(data.load(), ErrorKind::Permission, data.path(), EACCES);
    });
}

#[test]
fn a_save_that_fails_leaves_the_entry_in_hand_to_be_saved_later() {
    as_nobody(|dir| {
        for (inner, metadata) in [
            ("done", None),
            ("done", Some("new")),
            ("in/.checkout", None),
            ("in/.checkout", Some("new")),
            (".tmp", Some("new")),
        ] {
            let (spool, entry) = one_entry(dir);
            let path = spool.dir().join(inner);
            let mut checkout = entry.checkout().unwrap();
            if let Some(metadata) = metadata {
                checkout.set_metadata(metadata).unwrap();
            }
            let before = listing(spool.dir());
            chmod(&path, 0o500);
            let error = checkout.save("done").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
            assert_eq!(error.errno(), EACCES, "{error}");
            assert!(!checkout.is_finished());
            assert_eq!(listing(spool.dir()), before, "{inner}");
            assert!(spool.dir().join("in/.checkout/x").exists());
            chmod(&path, 0o700);
            checkout.save("done").unwrap();
            assert_eq!(
                fs::read_to_string(spool.dir().join("done/x")).unwrap(),
                metadata.unwrap_or("old")
            );
            fs::remove_dir_all(spool.dir()).unwrap();
        }
    });
}

#[test]
fn what_a_save_that_failed_wrote_is_dropped_by_a_release() {
    as_nobody(|dir| {
        let (spool, entry) = one_entry(dir);
        let mut checkout = entry.checkout().unwrap();
        checkout.set_metadata("new").unwrap();
        chmod(spool.dir().join("done"), 0o500);
        assert_eq!(
            checkout.save("done").unwrap_err().kind(),
            ErrorKind::Permission
        );
        checkout.release().unwrap();
        assert_eq!(entry.direct().contents().unwrap(), b"old");
    });
}

#[test]
fn an_unchanged_entry_needs_no_temporary_file_to_be_saved() {
    as_nobody(|dir| {
        let (spool, entry) = one_entry(dir);
        chmod(spool.dir().join(".tmp"), 0o500);
        entry.checkout().unwrap().save("done").unwrap();
        let entry = spool.entry("done", "x").unwrap();
        entry.checkout().unwrap().release().unwrap();
        entry.checkout().unwrap().remove().unwrap();
    });
}

#[test]
fn a_remove_that_fails_before_the_entry_is_gone_leaves_it_in_hand_and_whole() {
    as_nobody(|dir| {
        let (spool, entry) = one_entry(dir);
        let mut checkout = entry.checkout().unwrap();
        let before = listing(spool.dir());
        let path = spool.dir().join("in/.checkout");
        chmod(&path, 0o500);
        must_fail(
            checkout.remove(),
            ErrorKind::Permission,
            path.join("x"),
            EACCES,
        );
        assert!(!checkout.is_finished());
        assert_eq!(listing(spool.dir()), before);
        chmod(&path, 0o700);
        checkout.remove().unwrap();
    });
}

#[test]
fn a_remove_that_fails_after_that_is_finished_and_names_what_is_left() {
    as_nobody(|dir| {
        let (spool, entry) = one_entry(dir);
        let mut checkout = entry.checkout().unwrap();
        chmod(spool.dir().join(".data"), 0o500);
        let data = spool.dir().join(".data/x");
        must_fail(checkout.remove(), ErrorKind::Permission, data, EACCES);
        assert!(checkout.is_finished());
        let mut left = listing(spool.dir());
        left.retain(|line| line.contains("/x"));
        // The name last: it keeps others from using it while its data is there.
        assert_eq!(left, [".data/x 4", ".registry/x 0"]);
        assert_eq!(checkout.remove().unwrap_err().kind(), ErrorKind::Finished);
    });
}

#[test]
fn data_that_cannot_be_replaced_stays() {
    as_nobody(|dir| {
        let (spool, entry) = one_entry(dir);
        let checkout = entry.checkout().unwrap();
        let data = checkout.data_file();
        for inner in [".tmp", ".data"] {
            let before = listing(spool.dir());
            chmod(spool.dir().join(inner), 0o500);
            let error = data.save("new").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
            assert_eq!(data.load().unwrap(), b"data");
            assert_eq!(listing(spool.dir()), before);
            chmod(spool.dir().join(inner), 0o700);
        }
        data.save("new").unwrap();
    });
}

/// Makes at least one file by every way there is to make one, and says which modes the directories and
/// the files below `root` and `root` itself then have.
fn modes_of_all_that_is_made(options: &SpoolOptions, root: &Path) -> (Vec<u32>, Vec<u32>, u32) {
    let spool = options.create(root, ["in", "done"]).unwrap();
    spool.reserve_name("reserved").unwrap();
    spool.enqueue("in", "metadata", "data").unwrap();
    let entry = spool.enqueue("in", "metadata", "data").unwrap();
    entry.direct().save("direct").unwrap();
    let mut checkout = entry.checkout().unwrap();
    checkout.set_metadata("changed").unwrap();
    checkout.data_file().save("changed").unwrap();
    checkout.save("done").unwrap();
    let checkout = spool
        .entry("done", entry.name())
        .unwrap()
        .checkout()
        .unwrap();
    let writing = spool.enqueue_writer("in", &EnqueueOptions::new()).unwrap();
    let replacing = checkout.data_file().writer().unwrap();
    let (mut directories, mut files) = (Vec::new(), Vec::new());
    let mut group = None;
    for line in [String::from("./")].into_iter().chain(listing(root)) {
        let name = line
            .rsplit_once(' ')
            .map_or(line.as_str(), |(name, _)| name);
        let status = fs::metadata(root.join(name)).unwrap();
        let modes = if status.is_dir() {
            &mut directories
        } else {
            &mut files
        };
        modes.push(status.mode() & 0o7777);
        assert_eq!(*group.get_or_insert(status.gid()), status.gid(), "{line}");
    }
    drop((writing, replacing));
    for modes in [&mut directories, &mut files] {
        modes.sort_unstable();
        modes.dedup();
    }
    (directories, files, group.unwrap())
}

fn set_umask(umask: u32) {
    // SAFETY: it takes a number and cannot fail; the process is the test's own.
    unsafe { libc::umask(umask) };
}

fn own_group() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::getegid() }
}

#[test]
fn what_is_made_has_the_modes_and_the_group_that_were_told_whatever_the_umask_is() {
    for umask in [0, 0o002, 0o022, 0o027, 0o077] {
        as_nobody(|dir| {
            set_umask(umask);
            let options = unsynced()
                .dir_mode(0o2770)
                .file_mode(0o660)
                .group(own_group());
            assert_eq!(
                modes_of_all_that_is_made(&options, &dir.join("spool")),
                (vec![0o2770], vec![0o660], own_group()),
                "umask {umask:03o}"
            );
            let options = unsynced().dir_mode(0o750).file_mode(0o604);
            assert_eq!(
                modes_of_all_that_is_made(&options, &dir.join("odd")),
                (vec![0o750], vec![0o604], own_group()),
                "umask {umask:03o}"
            );
        });
    }
}

#[test]
fn what_is_made_has_the_modes_of_the_umask_by_default() {
    for umask in [0o002, 0o022, 0o027, 0o077] {
        as_nobody(|dir| {
            set_umask(umask);
            assert_eq!(
                modes_of_all_that_is_made(&unsynced(), &dir.join("spool")),
                (vec![0o777 & !umask], vec![0o666 & !umask], own_group()),
                "umask {umask:03o}"
            );
        });
    }
}

#[test]
fn a_root_that_the_umask_opens_to_every_user_is_refused_unless_allowed() {
    as_nobody(|dir| {
        set_umask(0);
        let root = dir.join("spool");
        let refused = unsynced().create(&root, ["in"]);
        must_fail(refused, ErrorKind::Permission, &root, None);
        assert_eq!(listing(&root), [""; 0]);
        let allowed = unsynced().allow_world_writable(true);
        assert_eq!(
            modes_of_all_that_is_made(&allowed, &root),
            (vec![0o777], vec![0o666], own_group())
        );
    });
}

#[test]
fn a_group_that_cannot_be_given_fails_the_create() {
    as_nobody(|dir| {
        let foreign = if own_group() == 1 { 2 } else { 1 };
        let root = dir.join("spool");
        let refused = unsynced().group(foreign).create(&root, ["in"]);
        must_fail(refused, ErrorKind::Permission, &root, Some(libc::EPERM));
        assert_eq!(listing(&root), [""; 0]);
    });
}

#[test]
fn users_of_one_group_share_a_spool() {
    let dir = new_dir();
    let root: PathBuf = dir.path().join("spool");
    let shared = || unsynced().dir_mode(0o2770).file_mode(0o660);
    let load = || shared().load(&root, ["in", "done"]).unwrap();
    in_child(NOBODY, || {
        let spool = shared().create(&root, ["in", "done"]).unwrap();
        for _ in 0..3 {
            spool.enqueue("in", "by one", "by one").unwrap();
        }
        drop(
            spool
                .enqueue("in", "left", "left")
                .unwrap()
                .checkout()
                .unwrap(),
        );
        spool.reserve_name("reserved").unwrap();
    });
    in_child(SOMEBODY, || {
        let spool = load();
        let mut entries = spool.list("in").unwrap().map(Result::unwrap);
        let mut checkout = entries.next().unwrap().checkout().unwrap();
        checkout.set_metadata("by the other").unwrap();
        checkout.data_file().save("by the other").unwrap();
        checkout.save("done").unwrap();
        entries
            .next()
            .unwrap()
            .checkout()
            .unwrap()
            .save("done")
            .unwrap();
        entries
            .next()
            .unwrap()
            .checkout()
            .unwrap()
            .remove()
            .unwrap();
        let recovered = spool.recover(&RecoverOptions::new()).unwrap();
        assert_eq!((recovered.entries.len(), recovered.failures.len()), (1, 0));
        let reserved = EnqueueOptions::new().name("reserved");
        spool
            .enqueue_with("in", "by the other", "by the other", &reserved)
            .unwrap();
    });
    in_child(NOBODY, || {
        let spool = load();
        let contents = |queue: &str| -> Vec<String> {
            let entries = spool.list(queue).unwrap().map(Result::unwrap);
            let read = entries.map(|entry| entry.direct().contents().unwrap());
            read.map(|metadata| String::from_utf8(metadata).unwrap())
                .collect()
        };
        assert_eq!(contents("done"), ["by the other", "by one"]);
        assert_eq!(contents("in"), ["left", "by the other"]);
        for queue in ["in", "done"] {
            for entry in spool.list(queue).unwrap() {
                let mut checkout = entry.unwrap().checkout().unwrap();
                checkout.data_file().save("mine again").unwrap();
                checkout.set_metadata("mine again").unwrap();
                checkout.save("done").unwrap();
            }
        }
        for entry in spool.list("done").unwrap() {
            entry.unwrap().checkout().unwrap().remove().unwrap();
        }
        let mut left = listing(&root);
        left.retain(|line| !line.ends_with('/') && !line.starts_with(".multispool/"));
        assert_eq!(left, [""; 0]);
    });
}
