//! Creating, loading and discovering a spool.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use multispool::{
    Durability, EnqueueOptions, ErrorKind, Mode, Outcome, Owners, QueueName, RecoverOptions,
    Source, Spool, SpoolOptions, StatsOptions, Throttle,
};

use crate::tree::{listing, state};
use crate::{in_time, must_fail, new_spool};

const TWO_QUEUES: [&str; 9] = [
    ".data/",
    ".multispool/",
    ".multispool/format 39",
    ".registry/",
    ".tmp/",
    "done/",
    "done/.checkout/",
    "in/",
    "in/.checkout/",
];
const FORMAT: &str = "multispool 1\nmode local\nowners locking\n";

fn unsynced() -> SpoolOptions {
    Spool::options().durability(Durability::None)
}

fn names(queues: &[QueueName]) -> Vec<String> {
    queues.iter().map(QueueName::to_string).collect()
}

#[test]
fn create_makes_the_directories_of_the_spool_and_of_its_queues_and_nothing_else() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("spool");
        let spool = Spool::options()
            .durability(durability)
            .create(&root, ["in", "done", "in"])
            .unwrap();
        assert_eq!(listing(&root), TWO_QUEUES);
        assert_eq!(
            fs::read_to_string(root.join(".multispool/format")).unwrap(),
            FORMAT
        );
        assert_eq!(listing(dir.path()).len(), TWO_QUEUES.len() + 1);
        assert_eq!(spool.dir(), root);
        assert_eq!(names(&spool.queues()), ["done", "in"]);
        assert_eq!(spool.durability(), durability);
        assert!(!spool.is_read_only());
        let format = spool.format().unwrap();
        assert_eq!(
            (format.mode(), format.owners(), format.recorded()),
            (Mode::Local, Owners::Locking, true)
        );
    }
}

#[test]
fn the_default_durability_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("spool");
    assert_eq!(
        Spool::create(&root, ["in"]).unwrap().durability(),
        Durability::Full
    );
    assert_eq!(
        Spool::load(&root, ["in"]).unwrap().durability(),
        Durability::Full
    );
}

#[test]
fn create_fills_an_empty_directory_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    unsynced().create(dir.path(), ["in", "done"]).unwrap();
    assert_eq!(listing(dir.path()), TWO_QUEUES);
}

#[test]
fn create_again_changes_nothing_but_for_the_queues_that_are_new() {
    let (_dir, spool) = new_spool(&["in"]);
    let root = spool.dir();
    spool.enqueue("in", "metadata", "data").unwrap();
    let before = state(root);
    let again = unsynced()
        .owners(Owners::Mixed)
        .create(root, ["in"])
        .unwrap();
    assert_eq!(state(root), before);
    assert_eq!(again.format().unwrap().owners(), Owners::Locking);

    let before = listing(root);
    let wider = unsynced().create(root, ["other"]).unwrap();
    assert_eq!(
        crate::tree::added(&before, root),
        ["other/", "other/.checkout/"]
    );
    assert_eq!(names(&wider.queues()), ["other"]);
    assert_eq!(names(&Spool::discover(root).unwrap()), ["in", "other"]);
    assert_eq!(spool.list("in").unwrap().count(), 1);
}

#[test]
fn a_new_spool_for_processes_without_locks_says_so_to_everyone() {
    let dir = tempfile::tempdir().unwrap();
    let created = unsynced()
        .owners(Owners::Mixed)
        .create(dir.path(), ["in"])
        .unwrap();
    let loaded = Spool::load(dir.path(), ["in"]).unwrap();
    for spool in [created, loaded] {
        assert_eq!(spool.format().unwrap().owners(), Owners::Mixed);
    }
    assert_eq!(
        fs::read_to_string(dir.path().join(".multispool/format")).unwrap(),
        "multispool 1\nmode local\nowners mixed\n"
    );
}

/// One step of a creation.
type Step = fn(&Path);

#[test]
fn a_creation_cut_short_after_any_step_is_finished_by_the_next() {
    let steps: [Step; 11] = [
        |root| fs::create_dir(root).unwrap(),
        |root| fs::create_dir(root.join(".multispool")).unwrap(),
        |root| fs::write(root.join(".multispool/format.tmp.abcdef"), "multi").unwrap(),
        |root| fs::write(root.join(".multispool/format.tmp.abcdef"), FORMAT).unwrap(),
        |root| {
            let temporary = root.join(".multispool/format.tmp.abcdef");
            fs::hard_link(temporary, root.join(".multispool/format")).unwrap();
        },
        |root| fs::remove_file(root.join(".multispool/format.tmp.abcdef")).unwrap(),
        |root| fs::create_dir(root.join(".data")).unwrap(),
        |root| fs::create_dir(root.join(".registry")).unwrap(),
        |root| fs::create_dir(root.join(".tmp")).unwrap(),
        |root| fs::create_dir(root.join("in")).unwrap(),
        |root| fs::create_dir(root.join("in/.checkout")).unwrap(),
    ];
    for done in 0..=steps.len() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("spool");
        for step in &steps[..done] {
            step(&root);
        }
        if (1..9).contains(&done) {
            must_fail(
                Spool::load(&root, ["in"]),
                ErrorKind::NotASpool,
                &root,
                None,
            );
        }
        let spool = unsynced()
            .create(&root, ["in", "done"])
            .unwrap_or_else(|error| panic!("after {done} steps: {error}"));
        let mut made = listing(&root);
        made.retain(|line| !line.starts_with(".multispool/format.tmp."));
        assert_eq!(made, TWO_QUEUES, "after {done} steps");
        assert_eq!(
            fs::read_to_string(root.join(".multispool/format")).unwrap(),
            FORMAT
        );
        spool.enqueue("in", "", "").unwrap();
        Spool::load(&root, ["in", "done"]).unwrap();
    }
}

#[test]
fn a_root_with_any_of_the_first_directories_empty_counts_as_empty() {
    let first = [".multispool", ".registry", ".tmp", ".data"];
    for subset in 0..1 << first.len() {
        let dir = tempfile::tempdir().unwrap();
        let there: Vec<&str> = (0..first.len())
            .filter(|bit| subset & (1 << bit) != 0)
            .map(|bit| first[bit])
            .collect();
        for name in &there {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let spool = unsynced().create(dir.path(), ["in", "done"]).unwrap();
        // It is a spool already, made by an implementation that writes no format.
        let made_by_another = there.contains(&".registry") && there.contains(&".tmp");
        let expected: Vec<&str> = TWO_QUEUES
            .into_iter()
            .filter(|line| {
                !made_by_another
                    || !line.starts_with(".multispool")
                    || (*line == ".multispool/" && there.contains(&".multispool"))
            })
            .collect();
        assert_eq!(listing(dir.path()), expected, "from {there:?}");
        let format = spool.format().unwrap();
        assert_eq!(format.recorded(), !made_by_another, "from {there:?}");
        let owners = if made_by_another {
            Owners::Mixed
        } else {
            Owners::Locking
        };
        assert_eq!(format.owners(), owners, "from {there:?}");
    }
}

#[test]
fn creations_at_once_all_succeed_and_agree_on_what_the_spool_is() {
    for round in 0..30 {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("spool");
        let start = Barrier::new(8);
        let formats: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|i| {
                    let (root, start) = (&root, &start);
                    scope.spawn(move || {
                        let owners = if i % 2 == 0 {
                            Owners::Locking
                        } else {
                            Owners::Mixed
                        };
                        start.wait();
                        let spool = unsynced()
                            .owners(owners)
                            .create(root, ["common".to_owned(), format!("q{i}")])
                            .unwrap_or_else(|error| panic!("round {round}: {error}"));
                        spool.enqueue(format!("q{i}"), "m", "d").unwrap();
                        spool.format().unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(formats.iter().all(|format| *format == formats[0]));
        let queues = Spool::discover(&root).unwrap();
        assert_eq!(
            names(&queues),
            ["common", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"]
        );
        assert!(!listing(&root).iter().any(|line| line.contains("tmp.")));
    }
}

#[test]
fn create_refuses_a_directory_that_holds_other_things_and_touches_nothing_in_it() {
    let fill: [(&str, Step); 9] = [
        ("a file", |root| {
            fs::write(root.join("thesis.tex"), "x").unwrap()
        }),
        ("a directory", |root| {
            fs::create_dir(root.join("in")).unwrap()
        }),
        ("a hidden file", |root| {
            fs::write(root.join(".profile"), "").unwrap()
        }),
        ("a dangling link", |root| {
            symlink("nowhere", root.join("link")).unwrap()
        }),
        ("a registry with a name", |root| {
            fs::create_dir(root.join(".registry")).unwrap();
            fs::write(root.join(".registry/x"), "").unwrap();
        }),
        ("data", |root| {
            fs::create_dir(root.join(".data")).unwrap();
            fs::write(root.join(".data/x"), "precious").unwrap();
        }),
        ("a temporary file", |root| {
            fs::create_dir(root.join(".tmp")).unwrap();
            fs::write(root.join(".tmp/.x"), "").unwrap();
        }),
        ("half a spool and more", |root| {
            fs::create_dir(root.join(".multispool")).unwrap();
            fs::create_dir(root.join(".registry")).unwrap();
            fs::create_dir_all(root.join("in/.checkout")).unwrap();
        }),
        ("a registry that is a file", |root| {
            fs::create_dir(root.join(".tmp")).unwrap();
            fs::write(root.join(".registry"), "").unwrap();
        }),
    ];
    for (what, fill) in fill {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path());
        let before = state(dir.path());
        let error = unsynced()
            .create(dir.path(), ["in"])
            .expect_err(&format!("with {what}"));
        assert_eq!(error.kind(), ErrorKind::NotEmpty, "{what}: {error}");
        assert_eq!(error.path(), Some(dir.path()), "{what}");
        assert_eq!(state(dir.path()), before, "{what}");
    }
}

#[test]
fn create_says_what_is_wrong_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let dangling = dir.path().join("dangling");
    symlink("nowhere", &dangling).unwrap();
    let orphan = dir.path().join("no/parent");
    let before = state(dir.path());
    let create = |path: &Path| unsynced().create(path, ["in"]);
    must_fail(
        create(&file),
        ErrorKind::NotASpool,
        &file,
        Some(libc::ENOTDIR),
    );
    must_fail(
        create(&dangling),
        ErrorKind::Missing,
        &dangling,
        Some(libc::ENOENT),
    );
    must_fail(
        create(&orphan),
        ErrorKind::Missing,
        &orphan,
        Some(libc::ENOENT),
    );
    let below = file.join("below");
    must_fail(
        create(&below),
        ErrorKind::NotASpool,
        &below,
        Some(libc::ENOTDIR),
    );
    assert_eq!(
        create(Path::new("")).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    let fresh = dir.path().join("fresh");
    must_fail(
        unsynced().read_only(true).create(&fresh, ["in"]),
        ErrorKind::InvalidArgument,
        &fresh,
        None,
    );
    assert_eq!(state(dir.path()), before);
}

#[test]
fn a_queue_name_that_is_no_file_name_is_refused_before_anything_is_made() {
    let long = "q".repeat(245);
    for bad in [
        "", ".", "..", ".data", ".hidden", "a/b", "/", "a/", "nul\0", &long,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("spool");
        let before = state(dir.path());
        let error = unsynced().create(&root, ["in", bad]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{bad:?}");
        for opened in [
            Spool::load(&root, [bad]),
            Spool::load_unsafe(&root, [bad]),
            unsynced().read_only(true).load(&root, [bad]),
        ] {
            assert_eq!(
                opened.unwrap_err().kind(),
                ErrorKind::InvalidName,
                "{bad:?}"
            );
        }
        assert_eq!(state(dir.path()), before, "{bad:?}");
    }
    let (_dir, spool) = new_spool(&["q".repeat(244).as_str(), "a b\n*"]);
    spool.enqueue("a b\n*", "", "").unwrap();
}

#[test]
fn load_opens_what_was_created_and_changes_nothing() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    spool.enqueue("in", "metadata", "data").unwrap();
    let before = state(spool.dir());
    let loaded = Spool::load(spool.dir(), ["in"]).unwrap();
    assert_eq!(names(&loaded.queues()), ["in"]);
    assert_eq!(loaded.list("in").unwrap().count(), 1);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn load_through_a_symbolic_link_to_the_root_is_fine() {
    let (dir, spool) = new_spool(&["in"]);
    let link = dir.path().join("link");
    symlink(spool.dir(), &link).unwrap();
    let loaded = Spool::load(&link, ["in"]).unwrap();
    loaded.enqueue("in", "", "").unwrap();
    assert_eq!(spool.list("in").unwrap().count(), 1);
}

/// What a damage makes of a load: the kind, the path below the root, and the system's error.
struct Damage {
    what: &'static str,
    damage: Step,
    kind: ErrorKind,
    path: &'static str,
    errno: Option<i32>,
}

#[test]
fn each_failure_of_load_says_which_path_and_why_and_changes_nothing() {
    fn swap_for_file(path: PathBuf) {
        fs::remove_dir_all(&path).unwrap();
        fs::write(path, "").unwrap();
    }
    fn swap_for_link(path: PathBuf) {
        let elsewhere = path.parent().unwrap().join(".elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(elsewhere, path).unwrap();
    }
    const NO: Option<i32> = None;
    const ENOENT: Option<i32> = Some(libc::ENOENT);
    const ENOTDIR: Option<i32> = Some(libc::ENOTDIR);
    use ErrorKind::{Corrupt, Missing, NotASpool, Unsupported};
    let case = |what, damage, kind, path, errno| Damage {
        what,
        damage,
        kind,
        path,
        errno,
    };
    let damages = [
        case(
            "nothing there",
            |root| fs::remove_dir_all(root).unwrap(),
            Missing,
            "",
            ENOENT,
        ),
        case(
            "a file in its place",
            |root| swap_for_file(root.to_owned()),
            NotASpool,
            "",
            ENOTDIR,
        ),
        case(
            "an empty directory",
            |root| {
                fs::remove_dir_all(root).unwrap();
                fs::create_dir(root).unwrap();
            },
            NotASpool,
            "",
            NO,
        ),
        case(
            "no registry",
            |root| fs::remove_dir(root.join(".registry")).unwrap(),
            NotASpool,
            "",
            NO,
        ),
        case(
            "no .tmp",
            |root| fs::remove_dir(root.join(".tmp")).unwrap(),
            NotASpool,
            "",
            NO,
        ),
        case(
            "a registry that is a file",
            |root| swap_for_file(root.join(".registry")),
            NotASpool,
            "",
            NO,
        ),
        case(
            "a registry that is a link",
            |root| swap_for_link(root.join(".registry")),
            NotASpool,
            "",
            NO,
        ),
        case(
            "a .tmp that is a link",
            |root| swap_for_link(root.join(".tmp")),
            NotASpool,
            "",
            NO,
        ),
        case(
            "no .data",
            |root| fs::remove_dir(root.join(".data")).unwrap(),
            Missing,
            ".data",
            ENOENT,
        ),
        case(
            "data that is a file",
            |root| swap_for_file(root.join(".data")),
            NotASpool,
            ".data",
            ENOTDIR,
        ),
        case(
            "data that is a link",
            |root| swap_for_link(root.join(".data")),
            NotASpool,
            ".data",
            ENOTDIR,
        ),
        case(
            "no queue",
            |root| fs::remove_dir_all(root.join("in")).unwrap(),
            Missing,
            "in",
            ENOENT,
        ),
        case(
            "a queue that is a file",
            |root| swap_for_file(root.join("in")),
            NotASpool,
            "in",
            ENOTDIR,
        ),
        case(
            "a queue that is a link",
            |root| swap_for_link(root.join("in")),
            NotASpool,
            "in",
            ENOTDIR,
        ),
        case(
            "no .checkout",
            |root| fs::remove_dir(root.join("in/.checkout")).unwrap(),
            Missing,
            "in/.checkout",
            ENOENT,
        ),
        case(
            "a .checkout that is a file",
            |root| swap_for_file(root.join("in/.checkout")),
            NotASpool,
            "in/.checkout",
            ENOTDIR,
        ),
        case(
            "a .checkout that is a link",
            |root| swap_for_link(root.join("in/.checkout")),
            NotASpool,
            "in/.checkout",
            ENOTDIR,
        ),
        case(
            "a later format",
            |root| fs::write(root.join(".multispool/format"), "multispool 2\n").unwrap(),
            Unsupported,
            ".multispool/format",
            NO,
        ),
        case(
            "an empty format",
            |root| fs::write(root.join(".multispool/format"), "").unwrap(),
            Corrupt,
            ".multispool/format",
            NO,
        ),
        case(
            "a format of other bytes",
            |root| fs::write(root.join(".multispool/format"), b"multispool \xff").unwrap(),
            Corrupt,
            ".multispool/format",
            NO,
        ),
        case(
            "a format that is a FIFO",
            |root| {
                fs::remove_file(root.join(".multispool/format")).unwrap();
                make_fifo(&root.join(".multispool/format"));
            },
            Corrupt,
            ".multispool/format",
            NO,
        ),
    ];
    for Damage {
        what,
        damage,
        kind,
        path,
        errno,
    } in damages
    {
        let (dir, spool) = new_spool(&["in", "done"]);
        let root = spool.dir().to_owned();
        drop(spool);
        damage(&root);
        let before = state(dir.path());
        for read_only in [false, true] {
            let root = root.clone();
            let opened =
                in_time(move || unsynced().read_only(read_only).load(&root, ["done", "in"]));
            let error = opened.expect_err(what);
            assert_eq!(
                (error.kind(), error.errno()),
                (kind, errno),
                "{what}: {error}"
            );
            let expected = if path.is_empty() {
                dir.path().join("spool")
            } else {
                dir.path().join("spool").join(path)
            };
            assert_eq!(error.path(), Some(&*expected), "{what}");
            assert_eq!(error.operation(), "load", "{what}");
            assert_eq!(state(dir.path()), before, "{what}");
        }
    }
}

pub fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn load_of_a_spool_without_a_queue_that_is_not_asked_for_is_fine() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    fs::remove_dir_all(spool.dir().join("done")).unwrap();
    Spool::load(spool.dir(), ["in"]).unwrap();
    Spool::load(spool.dir(), [""; 0]).unwrap();
}

#[test]
fn a_creation_cut_short_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".multispool")).unwrap();
    let error = Spool::load(dir.path(), ["in"]).unwrap_err();
    assert!(error.to_string().contains("cut short"), "{error}");
}

#[test]
fn a_need_that_is_not_known_is_refused_by_its_name_by_everyone() {
    for word in ["log", "journal", "due", "limits", "teleport"] {
        let (_dir, spool) = new_spool(&["in"]);
        let format = spool.dir().join(".multispool/format");
        fs::write(&format, format!("{FORMAT}hints shiny\nneeds {word}\n")).unwrap();
        let before = state(spool.dir());
        for opened in [
            unsynced().create(spool.dir(), ["in", "more"]),
            unsynced().load(spool.dir(), ["in"]),
            unsynced().read_only(true).load(spool.dir(), ["in"]),
            unsynced().load_unsafe(spool.dir(), ["in"]),
            unsynced().read_only(true).load_unsafe(spool.dir(), ["in"]),
        ] {
            let error = must_fail(opened, ErrorKind::Unsupported, &format, None);
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(state(spool.dir()), before);
    }
}

#[test]
fn a_spool_that_may_only_be_read_is_opened_only_for_reading() {
    let (_dir, spool) = new_spool(&["in"]);
    spool.enqueue("in", "metadata", "data").unwrap();
    let format = spool.dir().join(".multispool/format");
    fs::write(&format, format!("{FORMAT}reads due\n")).unwrap();
    let before = state(spool.dir());
    for opened in [
        unsynced().load(spool.dir(), ["in"]),
        unsynced().create(spool.dir(), ["in"]),
    ] {
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    let reading = unsynced()
        .read_only(true)
        .load(spool.dir(), ["in"])
        .unwrap();
    let entry = reading.list("in").unwrap().next().unwrap().unwrap();
    assert_eq!(entry.direct().contents().unwrap(), b"metadata");

    let unchecked = unsynced().load_unsafe(spool.dir(), ["in"]).unwrap();
    assert!(unchecked.is_read_only());
    must_fail(
        unchecked.enqueue("in", "", ""),
        ErrorKind::Permission,
        spool.dir(),
        None,
    );
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn a_spool_that_may_only_be_read_gets_no_queue_from_a_create_that_is_refused() {
    let (_dir, spool) = new_spool(&["in"]);
    fs::write(
        spool.dir().join(".multispool/format"),
        format!("{FORMAT}reads due\n"),
    )
    .unwrap();
    let before = state(spool.dir());
    let refused = unsynced().create(spool.dir(), ["in", "more"]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn hints_and_lines_of_later_versions_bind_nobody() {
    let (_dir, spool) = new_spool(&["in"]);
    fs::write(
        spool.dir().join(".multispool/format"),
        format!("{FORMAT}hints due\ncolour blue\n"),
    )
    .unwrap();
    let loaded = Spool::load(spool.dir(), ["in"]).unwrap();
    assert!(!loaded.is_read_only());
    loaded.enqueue("in", "", "").unwrap();
}

#[test]
fn a_spool_is_loaded_in_the_mode_that_it_was_created_in_alone() {
    let (_dir, local) = new_spool(&["in"]);
    must_fail(
        unsynced().mode(Mode::Network).load(local.dir(), ["in"]),
        ErrorKind::InvalidArgument,
        local.dir(),
        None,
    );
    let dir = tempfile::tempdir().unwrap();
    let network = unsynced().mode(Mode::Network);
    network.create(dir.path(), ["in"]).unwrap();
    let before = state(dir.path());
    for load in [
        unsynced().mode(Mode::Local).load(dir.path(), ["in"]),
        unsynced()
            .mode(Mode::Local)
            .create(dir.path(), ["in", "more"]),
    ] {
        must_fail(load, ErrorKind::InvalidArgument, dir.path(), None);
    }
    assert_eq!(state(dir.path()), before);
    unsynced().load(dir.path(), ["in"]).unwrap();
}

#[test]
fn a_root_that_every_user_may_write_into_is_refused_unless_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("spool");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    let before = state(&root);
    let refused = unsynced().create(&root, ["in"]);
    must_fail(refused, ErrorKind::Permission, &root, None);
    assert_eq!(state(&root), before);

    let allowed = unsynced().allow_world_writable(true);
    allowed.create(&root, ["in"]).unwrap();
    let before = state(&root);
    for refused in [
        unsynced().load(&root, ["in"]),
        unsynced().create(&root, ["in", "more"]),
        unsynced().read_only(true).load(&root, ["in"]),
    ] {
        let error = must_fail(refused, ErrorKind::Permission, &root, None);
        assert!(error.to_string().contains("every user"), "{error}");
    }
    assert_eq!(state(&root), before);
    allowed
        .load(&root, ["in"])
        .unwrap()
        .enqueue("in", "", "")
        .unwrap();
}

#[test]
fn load_unsafe_looks_at_nothing_and_what_is_wrong_shows_at_first_use() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("spool");
    let spool = unsynced().load_unsafe(&root, ["in"]).unwrap();
    assert_eq!(listing(dir.path()), [""; 0]);
    assert_eq!(names(&spool.queues()), ["in"]);
    let listed = spool.list("in").unwrap().next().unwrap();
    must_fail(listed, ErrorKind::Missing, &root, Some(libc::ENOENT));
    must_fail(
        spool.enqueue("in", "", ""),
        ErrorKind::Missing,
        &root,
        Some(libc::ENOENT),
    );
    must_fail(
        spool.format(),
        ErrorKind::Missing,
        &root,
        Some(libc::ENOENT),
    );
    assert_eq!(listing(dir.path()), [""; 0]);

    unsynced().create(&root, ["in"]).unwrap();
    spool.enqueue("in", "", "").unwrap();
    assert_eq!(spool.list("in").unwrap().count(), 1);
    assert!(spool.format().unwrap().recorded());
}

#[test]
fn discover_names_each_directory_that_has_a_checkout_in_order() {
    let (dir, spool) = new_spool(&["zoo", "Zoo", "a b", "\u{e9}"]);
    let root = spool.dir();
    fs::create_dir(root.join("no-queue")).unwrap();
    fs::create_dir_all(root.join(".hidden/.checkout")).unwrap();
    fs::create_dir(root.join("file-inside")).unwrap();
    fs::write(root.join("file-inside/.checkout"), "").unwrap();
    fs::write(root.join("file"), "").unwrap();
    fs::create_dir_all(dir.path().join("elsewhere/.checkout")).unwrap();
    symlink(dir.path().join("elsewhere"), root.join("link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let before = state(root);
    assert_eq!(
        names(&Spool::discover(root).unwrap()),
        ["Zoo", "a b", "zoo", "\u{e9}"]
    );
    assert_eq!(state(root), before);
}

#[test]
fn discover_says_why_a_place_is_no_spool() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    must_fail(
        Spool::discover(&missing),
        ErrorKind::Missing,
        &missing,
        Some(libc::ENOENT),
    );
    must_fail(
        Spool::discover(dir.path()),
        ErrorKind::NotASpool,
        dir.path(),
        None,
    );
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    must_fail(
        Spool::discover(&file),
        ErrorKind::NotASpool,
        &file,
        Some(libc::ENOTDIR),
    );
}

#[test]
fn a_queue_that_the_spool_was_not_opened_with_is_unknown_and_never_made() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let entry = spool.enqueue("in", "", "").unwrap();
    let narrow = unsynced().load(spool.dir(), ["in"]).unwrap();
    let mut checkout = entry.checkout().unwrap();
    let mut narrow_checkout = {
        let entry = narrow.enqueue("in", "", "").unwrap();
        entry.checkout().unwrap()
    };
    let before = state(spool.dir());
    let path = |queue: &str| spool.dir().join(queue);
    let unknown = ErrorKind::UnknownQueue;
    must_fail(
        spool.enqueue("nowhere", "", ""),
        unknown,
        path("nowhere"),
        None,
    );
    must_fail(spool.list("nowhere"), unknown, path("nowhere"), None);
    must_fail(spool.entry("nowhere", "x"), unknown, path("nowhere"), None);
    must_fail(spool.reader("nowhere"), unknown, path("nowhere"), None);
    must_fail(
        spool.list_checkouts_unsafe("nowhere"),
        unknown,
        path("nowhere"),
        None,
    );
    must_fail(
        spool.list_checkout_names("nowhere"),
        unknown,
        path("nowhere"),
        None,
    );
    must_fail(checkout.save("nowhere"), unknown, path("nowhere"), None);
    must_fail(
        spool.enqueue_writer("nowhere", &EnqueueOptions::new()),
        unknown,
        path("nowhere"),
        None,
    );
    // It is on disk, but this handle was not opened with it.
    must_fail(narrow.enqueue("done", "", ""), unknown, path("done"), None);
    must_fail(narrow_checkout.save("done"), unknown, path("done"), None);
    for bad in ["", ".checkout", "..", "in/", "in/.checkout"] {
        let error = spool.enqueue(bad, "", "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{bad:?}");
        assert_eq!(
            checkout.save(bad).unwrap_err().kind(),
            ErrorKind::InvalidName
        );
    }
    assert_eq!(state(spool.dir()), before);
    checkout.save("done").unwrap();
    narrow_checkout.release().unwrap();
}

#[test]
fn each_write_through_a_handle_for_reading_is_refused_before_the_disk_is_touched() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    spool.enqueue("in", "metadata", "data").unwrap();
    let held = spool.enqueue("in", "held", "").unwrap().checkout().unwrap();
    spool.reserve_name("reserved").unwrap();
    let root = spool.dir();
    let before = state(root);

    let reading = unsynced()
        .read_only(true)
        .load(root, ["in", "done"])
        .unwrap();
    assert!(reading.is_read_only());
    let entry = reading.list("in").unwrap().next().unwrap().unwrap();
    let data = entry.direct().data_file();
    assert_eq!(entry.direct().contents().unwrap(), b"metadata");
    assert_eq!(data.load().unwrap(), b"data");
    entry.stat().unwrap();
    let stats = reading.stats(&StatsOptions::new().bytes(true)).unwrap();
    assert_eq!(
        stats.queues.iter().map(|queue| queue.entries).sum::<u64>(),
        1
    );
    let checked_out = reading
        .list_checkout_names("in")
        .unwrap()
        .map(Result::unwrap);
    assert_eq!(checked_out.collect::<Vec<_>>(), [held.name().clone()]);
    let mut other = reading
        .list_checkouts_unsafe("in")
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(other.metadata(), b"held");

    #[track_caller]
    fn refused<T>(root: &Path, result: multispool::Result<T>) {
        must_fail(result, ErrorKind::Permission, root, None);
    }
    let reserved = EnqueueOptions::new().name("reserved");
    refused(root, reading.reserve_name("y"));
    refused(root, reading.reserve(&multispool::TimeNames));
    refused(root, reading.enqueue("in", "", ""));
    refused(root, reading.enqueue_with("in", "", "", &reserved));
    refused(root, reading.enqueue_writer("in", &EnqueueOptions::new()));
    refused(root, entry.checkout());
    refused(root, entry.try_checkout());
    refused(root, entry.with_entry(|_, _| Ok((Outcome::Remove, ()))));
    refused(root, entry.try_with_entry(|_, _| Ok((Outcome::Remove, ()))));
    refused(root, entry.direct().save("x"));
    refused(root, entry.direct().remove());
    refused(root, data.save("x"));
    refused(root, data.writer());
    refused(root, other.data_file().save("x"));
    refused(root, other.save("done"));
    refused(root, other.set_metadata("x"));
    refused(root, other.release());
    refused(root, other.remove());
    refused(root, reading.recover(&RecoverOptions::new()));
    refused(
        root,
        reading
            .reader("in")
            .and_then(|mut reader| reader.dequeue_available()),
    );
    assert_eq!(state(root), before);
}

/// Sees that the tree changes only while a step runs, and whether a step is running.
struct Watched {
    root: PathBuf,
    steps: AtomicUsize,
    running: AtomicBool,
    seen: Mutex<Vec<String>>,
}

impl Watched {
    fn of(root: &Path) -> Arc<Watched> {
        Arc::new(Watched {
            root: root.to_owned(),
            steps: AtomicUsize::new(0),
            running: AtomicBool::new(false),
            seen: Mutex::new(state(root)),
        })
    }

    /// The result of `operation`, all of whose changes must have been made in one of its steps.
    #[track_caller]
    fn check<T>(&self, what: &str, operation: impl FnOnce() -> T) -> T {
        let before = self.steps.load(Ordering::SeqCst);
        let result = operation();
        assert_ne!(
            self.steps.load(Ordering::SeqCst),
            before,
            "{what} took no step"
        );
        assert!(!self.running.load(Ordering::SeqCst), "{what}");
        let seen = self.seen.lock().unwrap();
        assert_eq!(
            state(&self.root),
            *seen,
            "{what} ended with a change outside a step"
        );
        result
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }
}

struct Steps(Arc<Watched>);

impl Throttle for Steps {
    fn run(&self, step: &mut dyn FnMut()) {
        let watched = &self.0;
        let mut seen = watched.seen.lock().unwrap();
        assert_eq!(state(&watched.root), *seen, "a change between steps");
        assert!(
            !watched.running.swap(true, Ordering::SeqCst),
            "a step within a step"
        );
        watched.steps.fetch_add(1, Ordering::SeqCst);
        step();
        watched.running.store(false, Ordering::SeqCst);
        *seen = state(&watched.root);
    }
}

/// Gives its bytes, and fails the test if a step is running while it is asked.
struct Unheld<'a> {
    bytes: &'a [u8],
    watched: &'a Watched,
}

impl Read for Unheld<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        assert!(
            !self.watched.is_running(),
            "a slot is held while the caller reads"
        );
        let piece = buffer.len().min(1000);
        self.bytes.read(&mut buffer[..piece])
    }
}

#[test]
fn each_change_on_disk_passes_through_the_throttle_and_no_code_of_the_callers_does() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("spool");
    let watched = Watched::of(&root);
    let options = unsynced().throttle(Steps(Arc::clone(&watched)));
    let spool = watched.check("create", || options.create(&root, ["in", "done"]).unwrap());
    watched.check("load", || options.load(&root, ["in", "done"]).unwrap());
    watched.check("reserve_name", || spool.reserve_name("r").unwrap());
    let by_generator = |_: u32| {
        assert!(!watched.is_running(), "a slot is held in the generator");
        "g".into()
    };
    watched.check("reserve", || spool.reserve(&by_generator).unwrap());

    let bytes = vec![7; 5000];
    let mut reader = Unheld {
        bytes: &bytes,
        watched: &watched,
    };
    let used = EnqueueOptions::new().name("g");
    let entry = watched.check("enqueue", || {
        spool
            .enqueue_with("in", "metadata", Source::reader(&mut reader), &used)
            .unwrap()
    });
    watched.check("list", || assert_eq!(spool.list("in").unwrap().count(), 1));
    watched.check("stat", || entry.stat().unwrap());
    watched.check("contents", || entry.direct().contents().unwrap());
    watched.check("direct save", || entry.direct().save("changed").unwrap());
    let mut checkout = watched.check("checkout", || entry.checkout().unwrap());
    watched.check("data load", || {
        assert_eq!(checkout.data_file().load().unwrap(), bytes);
    });
    watched.check("data open", || checkout.data_file().open().unwrap());
    watched.check("data stat", || checkout.data_file().stat().unwrap());
    watched.check("data save", || checkout.data_file().save("new").unwrap());
    checkout
        .update(|_| {
            assert!(!watched.is_running());
            b"newer".to_vec()
        })
        .unwrap();
    watched.check("save", || checkout.save("in").unwrap());
    watched
        .check("with_entry", || {
            entry.with_entry::<_, multispool::Error>(|_, _| {
                assert!(!watched.is_running(), "a slot is held in the callback");
                Ok((Outcome::Release, ()))
            })
        })
        .unwrap();
    watched.check("list_checkouts_unsafe", || {
        assert_eq!(spool.list_checkouts_unsafe("in").unwrap().count(), 0);
    });
    watched.check("stats", || spool.stats(&StatsOptions::new()).unwrap());
    let recovered = watched.check("recover", || spool.recover(&RecoverOptions::new()));
    assert!(recovered.unwrap().entries.is_empty());
    let mut checkout = watched.check("dequeue", || {
        let mut reader = spool.reader("in").unwrap();
        reader.dequeue_available().unwrap().unwrap()
    });
    watched.check("remove", || checkout.remove().unwrap());
    let entry = watched.check("enqueue", || spool.enqueue("in", "", "").unwrap());
    watched.check("direct remove", || entry.direct().remove().unwrap());
}

#[test]
fn what_is_undone_passes_through_the_throttle_too() {
    let (_dir, spool) = new_spool(&["in"]);
    let watched = Watched::of(spool.dir());
    let throttled = unsynced()
        .throttle(Steps(Arc::clone(&watched)))
        .load(spool.dir(), ["in"])
        .unwrap();
    let entry = throttled.enqueue("in", "", "data").unwrap();
    let data = entry.direct().data_file();
    watched.check("a dropped data writer", || drop(data.writer().unwrap()));
    watched.check("a dropped enqueue", || {
        let options = EnqueueOptions::new();
        drop(throttled.enqueue_writer("in", &options).unwrap());
    });
}

#[test]
fn a_slot_is_free_while_the_callers_code_runs_even_if_there_is_only_one() {
    struct Nested<'a>(&'a Spool, &'static [u8]);
    impl Read for Nested<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.enqueue("in", "inner", "")?;
            self.1.read(buffer)
        }
    }
    let (_dir, spool) = new_spool(&["in"]);
    in_time(move || {
        let spool = unsynced()
            .max_concurrent(1)
            .load(spool.dir(), ["in"])
            .unwrap();
        let mut nested = Nested(&spool, b"outer");
        spool
            .enqueue("in", "outer", Source::reader(&mut nested))
            .unwrap();
        let names: BTreeSet<_> = spool
            .list("in")
            .unwrap()
            .map(|entry| entry.unwrap().direct().contents().unwrap())
            .collect();
        assert_eq!(
            names,
            BTreeSet::from([b"inner".to_vec(), b"outer".to_vec()])
        );
    });
}

#[test]
fn a_slot_is_free_while_a_fifo_that_is_enqueued_waits_for_its_writer() {
    let (dir, spool) = new_spool(&["in"]);
    let fifo = dir.path().join("fifo");
    make_fifo(&fifo);
    in_time(move || {
        let spool = unsynced()
            .max_concurrent(1)
            .load(spool.dir(), ["in"])
            .unwrap();
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut end = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
                std::io::Write::write_all(&mut end, b"first, ").unwrap();
                // Once the first piece has arrived, the enqueue waits for the second.
                while !listing(spool.dir()).iter().any(|line| line.ends_with(" 7")) {
                    thread::yield_now();
                }
                spool.reserve_name("meanwhile").unwrap();
                std::io::Write::write_all(&mut end, b"second").unwrap();
            });
            let entry = spool.enqueue("in", "", fifo.as_path()).unwrap();
            writer.join().unwrap();
            assert_eq!(entry.direct().data_file().load().unwrap(), b"first, second");
        });
    });
}

#[test]
fn whoever_loads_while_a_spool_is_created_sees_no_spool_or_a_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let roots: Vec<_> = (0..300)
        .map(|number| dir.path().join(number.to_string()))
        .collect();
    thread::scope(|scope| {
        let loader = scope.spawn(|| {
            let mut refused = 0;
            for root in &roots {
                while let Err(error) = unsynced().load(root, [""; 0]) {
                    // Never for want of the data: that is there before it looks like a spool.
                    let yet = [ErrorKind::Missing, ErrorKind::NotASpool].contains(&error.kind());
                    assert!(yet && error.path() == Some(root), "{error}");
                    refused += 1;
                }
                let format = unsynced().load(root, [""; 0]).unwrap().format().unwrap();
                assert!(format.recorded(), "what it is comes first");
            }
            refused
        });
        for root in &roots {
            unsynced().create(root, [""; 0]).unwrap();
        }
        assert!(
            loader.join().unwrap() > 0,
            "the loads raced with the creations"
        );
    });
}
