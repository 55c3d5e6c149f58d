//! Reserving names and adding entries.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use multispool::{
    Durability, EnqueueOptions, EntryName, Error, ErrorKind, NameGenerator, Source, Spool,
    TimeNames,
};

use crate::tree::{added, listing, state};
use crate::{must_fail, new_spool};

/// Bytes that are no text and no C string.
const ODD: &[u8] = b"\0\xff\xfe a\nb\0";

fn using(name: impl AsRef<OsStr>) -> EnqueueOptions {
    EnqueueOptions::new().name(name)
}

fn one_name(name: &'static str) -> EnqueueOptions {
    EnqueueOptions::new().generator(Arc::new(move |_: u32| OsString::from(name)))
}

#[test]
fn an_enqueue_leaves_a_reservation_the_data_and_the_metadata_and_nothing_else() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::options()
            .durability(durability)
            .create(dir.path(), ["in", "done"])
            .unwrap();
        let before = listing(spool.dir());
        let entry = spool.enqueue("in", "metadata", b"four").unwrap();
        let name = entry.name();
        assert_eq!(entry.queue().to_string(), "in");
        assert_eq!(entry.spool().dir(), spool.dir());
        let expected = [
            format!(".data/{name} 4"),
            format!(".registry/{name} 0"),
            format!("in/{name} 8"),
        ];
        assert_eq!(added(&before, spool.dir()), expected, "{durability}");
        assert_eq!(entry.direct().contents().unwrap(), b"metadata");
        assert_eq!(entry.direct().data_file().load().unwrap(), b"four");
    }
}

#[test]
fn a_call_may_ask_for_another_durability_than_the_spools() {
    let (_dir, spool) = new_spool(&["in"]);
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        let options = EnqueueOptions::new().durability(durability);
        spool.enqueue_with("in", "m", "d", &options).unwrap();
    }
    assert_eq!(spool.list("in").unwrap().count(), 3);
}

#[test]
fn metadata_and_data_are_any_bytes_of_any_length() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let every_byte: Vec<u8> = (0..=255).collect();
    let ten_megabytes = every_byte.repeat(10_000_000 / 256 + 1);
    for bytes in [b"", ODD, &every_byte, &ten_megabytes] {
        let entry = spool.enqueue("in", bytes, bytes).unwrap();
        assert!(entry.direct().contents().unwrap() == bytes);
        let mut checkout = entry.checkout().unwrap();
        assert!(checkout.metadata() == bytes);
        assert!(checkout.data_file().load().unwrap() == bytes);
        let mut changed = bytes.to_vec();
        changed.reverse();
        checkout.set_metadata(changed.clone()).unwrap();
        checkout.data_file().save(&changed).unwrap();
        checkout.save("done").unwrap();
        let entry = spool.entry("done", entry.name()).unwrap();
        assert!(entry.direct().contents().unwrap() == changed);
        assert!(entry.direct().data_file().load().unwrap() == changed);
    }
}

#[test]
fn names_are_any_bytes_that_a_file_may_be_called_by() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let long = [b'x'; 244];
    for name in [
        b"\xff\xfe\x01".as_slice(),
        b"a b\n*?\"",
        b"-",
        "é".as_bytes(),
        &long,
    ] {
        let name = OsStr::from_bytes(name);
        let reserved = spool.reserve_name(name).unwrap();
        assert_eq!(reserved.as_os_str(), name);
        let entry = spool.enqueue_with("in", "", "", &using(name)).unwrap();
        assert_eq!(entry.name(), &reserved);
        let listed = spool.list("in").unwrap().next().unwrap().unwrap();
        assert_eq!(listed.name(), &reserved);
        let mut checkout = listed.checkout().unwrap();
        checkout.set_metadata("changed").unwrap();
        checkout.data_file().save("changed").unwrap();
        checkout.save("done").unwrap();
        let mut checkout = spool.entry("done", name).unwrap().checkout().unwrap();
        checkout.remove().unwrap();
    }
    let mut left = listing(spool.dir());
    left.retain(|line| !line.ends_with('/') && !line.starts_with(".multispool/"));
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_name_that_is_no_file_name_is_refused_before_the_disk_is_touched() {
    let (_dir, spool) = new_spool(&["in"]);
    let too_long_to_make = "x".repeat(245);
    let before = state(spool.dir());
    for bad in [
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "/a",
        "a/",
        "nul\0",
        &too_long_to_make,
    ] {
        #[track_caller]
        fn refused<T>(bad: &str, result: Result<T, Error>) {
            let error = result.map(|_| ()).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{bad:?}: {error}");
        }
        refused(bad, EntryName::new(bad));
        refused(bad, spool.reserve_name(bad));
        refused(bad, spool.enqueue_with("in", "", "", &using(bad)));
        refused(bad, spool.enqueue_writer("in", &using(bad)));
        let generated = bad.to_owned();
        let generator = move |_: u32| OsString::from(&generated);
        refused(bad, spool.reserve(&generator));
        let options = EnqueueOptions::new().generator(Arc::new(generator));
        refused(bad, spool.enqueue_with("in", "", "", &options));
        if bad.len() != 245 {
            refused(bad, spool.entry("in", bad));
        }
    }
    let error = spool.entry("in", "x".repeat(256)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn a_reserved_name_can_be_used_by_anyone_once() {
    let (_dir, spool) = new_spool(&["in"]);
    let before = listing(spool.dir());
    let name = spool.reserve_name("x").unwrap();
    assert_eq!(added(&before, spool.dir()), [".registry/x 0"]);
    let other = Spool::load(spool.dir(), ["in"]).unwrap();
    let entry = other.enqueue_with("in", "m", "d", &using(&name)).unwrap();
    assert_eq!(entry.name(), &name);
    assert_eq!(
        added(&before, spool.dir()),
        [".data/x 1", ".registry/x 0", "in/x 1"]
    );
}

#[test]
fn a_name_is_free_again_when_its_entry_is_removed() {
    let (_dir, spool) = new_spool(&["in"]);
    let entry = spool.enqueue_with("in", "", "", &one_name("x")).unwrap();
    entry.checkout().unwrap().remove().unwrap();
    spool.reserve_name("x").unwrap();
}

#[test]
fn a_name_that_was_never_reserved_is_not_found_and_not_made() {
    let (_dir, spool) = new_spool(&["in"]);
    let before = state(spool.dir());
    let path = spool.dir().join(".registry/x");
    for _ in 0..2 {
        must_fail(
            spool.enqueue_with("in", "m", "d", &using("x")),
            ErrorKind::NotFound,
            &path,
            Some(libc::ENOENT),
        );
        must_fail(
            spool.enqueue_writer("in", &using("x")),
            ErrorKind::NotFound,
            &path,
            Some(libc::ENOENT),
        );
    }
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn a_name_in_use_is_taken_and_its_entry_is_left_alone() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let root = spool.dir();
    #[track_caller]
    fn is_taken(spool: &Spool, path: &str) {
        let before = state(spool.dir());
        let path = spool.dir().join(path);
        for queue in ["in", "done"] {
            let enqueued = spool.enqueue_with(queue, "new", "new", &using("x"));
            must_fail(enqueued, ErrorKind::NameTaken, &path, None);
            let begun = spool.enqueue_writer(queue, &using("x"));
            must_fail(begun, ErrorKind::NameTaken, &path, None);
        }
        let registry = spool.dir().join(".registry/x");
        must_fail(
            spool.reserve_name("x"),
            ErrorKind::NameTaken,
            registry,
            None,
        );
        assert_eq!(state(spool.dir()), before);
    }
    spool.reserve_name("x").unwrap();
    {
        let _being_written = spool.enqueue_writer("in", &using("x")).unwrap();
        is_taken(&spool, ".registry/x");
    }
    let entry = spool.enqueue_with("in", "old", "old", &using("x")).unwrap();
    is_taken(&spool, "in/x");

    let mut checkout = entry.checkout().unwrap();
    is_taken(&spool, ".registry/x");
    checkout.save("done").unwrap();
    is_taken(&spool, "done/x");

    // The owner is gone, the entry is not.
    drop(spool.entry("done", "x").unwrap().checkout().unwrap());
    is_taken(&spool, "done/.checkout/x");

    // Its data is lost, and still nobody may take its place.
    fs::remove_file(root.join(".data/x")).unwrap();
    is_taken(&spool, "done/.checkout/x");
}

#[test]
fn a_name_in_a_queue_that_this_handle_was_not_opened_with_is_taken_too() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let narrow = Spool::load(spool.dir(), ["in"]).unwrap();
    spool
        .enqueue_with("done", "old", "old", &one_name("x"))
        .unwrap();
    let before = state(spool.dir());
    let refused = narrow.enqueue_with("in", "new", "new", &using("x"));
    let error = refused.expect_err("the name is in the queue done");
    assert_eq!(error.kind(), ErrorKind::NameTaken, "{error}");
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn data_that_a_dead_attempt_left_is_replaced() {
    let (dir, spool) = new_spool(&["in"]);
    let before = listing(spool.dir());
    let outside = dir.path().join("outside");
    fs::write(&outside, "untouched").unwrap();

    spool.reserve_name("file").unwrap();
    fs::write(spool.dir().join(".data/file"), "half of the da").unwrap();
    spool
        .enqueue_with("in", "m", "all", &using("file"))
        .unwrap();

    spool.reserve_name("link").unwrap();
    symlink(&outside, spool.dir().join(".data/link")).unwrap();
    spool
        .enqueue_with("in", "m", "all", &using("link"))
        .unwrap();

    // The attempt died between its last steps: even the reservation is gone.
    fs::write(spool.dir().join(".data/gone"), "half").unwrap();
    spool
        .enqueue_with("in", "m", "all", &one_name("gone"))
        .unwrap();

    assert_eq!(
        added(&before, spool.dir()),
        [
            ".data/file 3",
            ".data/gone 3",
            ".data/link 3",
            ".registry/file 0",
            ".registry/gone 0",
            ".registry/link 0",
            "in/file 1",
            "in/gone 1",
            "in/link 1"
        ]
    );
    assert_eq!(fs::read(&outside).unwrap(), b"untouched");
}

#[test]
fn an_entry_that_came_into_the_queue_meanwhile_is_not_replaced() {
    let (_dir, spool) = new_spool(&["in"]);
    let mut writer = spool.enqueue_writer("in", &one_name("x")).unwrap();
    writer.write_all(b"ours").unwrap();
    let place = spool.dir().join("in/x");
    fs::write(&place, "by a process that takes no locks").unwrap();
    let refused = writer.commit(b"ours");
    must_fail(refused, ErrorKind::NameTaken, &place, None);
    drop(writer);
    assert_eq!(
        fs::read(&place).unwrap(),
        b"by a process that takes no locks"
    );
    let mut left = listing(spool.dir());
    left.retain(|line| line.contains('x'));
    assert_eq!(left, ["in/x 32"]);
}

/// Gives its bytes, then fails or panics.
struct Failing {
    left: usize,
    panics: bool,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            assert!(!self.panics, "the reader panics");
            return Err(io::Error::other("the cable was pulled"));
        }
        let read = self.left.min(buffer.len());
        buffer[..read].fill(b'x');
        self.left -= read;
        Ok(read)
    }
}

#[test]
fn a_source_that_fails_enqueues_nothing() {
    let (_dir, spool) = new_spool(&["in"]);
    spool.reserve_name("reserved").unwrap();
    let before = listing(spool.dir());
    for left in [0, 1, 1_000_000] {
        for options in [EnqueueOptions::new(), one_name("x"), using("reserved")] {
            let mut reader = Failing {
                left,
                panics: false,
            };
            let enqueued = spool.enqueue_with("in", "m", Source::reader(&mut reader), &options);
            let error = enqueued.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
            assert!(
                error.to_string().contains("the cable was pulled"),
                "{error}"
            );
            assert_eq!(listing(spool.dir()), before);

            let mut reader = Failing { left, panics: true };
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                spool.enqueue_with("in", "m", Source::reader(&mut reader), &options)
            }));
            assert!(panicked.is_err());
            assert_eq!(listing(spool.dir()), before);
        }
    }
    // The names were given back.
    spool
        .enqueue_with("in", "", "", &using("reserved"))
        .unwrap();
    spool.enqueue_with("in", "", "", &one_name("x")).unwrap();
}

#[test]
fn a_source_that_was_only_interrupted_is_read_on() {
    struct Interrupted(u32);
    impl Read for Interrupted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 | 3 => Err(io::ErrorKind::Interrupted.into()),
                2 | 4 => {
                    buffer[0] = b'x';
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }
    let (_dir, spool) = new_spool(&["in"]);
    let entry = spool
        .enqueue("in", "", Source::reader(&mut Interrupted(0)))
        .unwrap();
    assert_eq!(entry.direct().data_file().load().unwrap(), b"xx");
}

#[test]
fn a_file_is_enqueued_with_all_its_contents() {
    let (dir, spool) = new_spool(&["in"]);
    let file = dir.path().join("file");
    let contents: Vec<u8> = (0..3_000_017_u32).map(|i| (i * 31 % 251) as u8).collect();
    fs::write(&file, &contents).unwrap();
    let entry = spool.enqueue("in", "", file.as_path()).unwrap();
    assert!(entry.direct().data_file().load().unwrap() == contents);
    assert!(fs::read(&file).unwrap() == contents);

    fs::write(&file, "").unwrap();
    let entry = spool.enqueue("in", "", Source::File(&file)).unwrap();
    assert_eq!(entry.direct().data_file().load().unwrap(), b"");

    // Its status says that it is empty.
    let version = Path::new("/proc/version");
    let entry = spool.enqueue("in", "", version).unwrap();
    assert_eq!(
        entry.direct().data_file().load().unwrap(),
        fs::read(version).unwrap()
    );
}

#[test]
fn a_file_that_cannot_be_read_enqueues_nothing_and_is_named() {
    let (dir, spool) = new_spool(&["in"]);
    let before = listing(spool.dir());
    let missing = dir.path().join("missing");
    must_fail(
        spool.enqueue("in", "", missing.as_path()),
        ErrorKind::Missing,
        &missing,
        Some(libc::ENOENT),
    );
    let error = spool.enqueue("in", "", dir.path()).unwrap_err();
    assert_eq!(error.path(), Some(dir.path()), "{error}");
    assert_eq!(error.errno(), Some(libc::EISDIR), "{error}");
    // It is the caller's file that is wrong, not an entry.
    assert_ne!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(listing(spool.dir()), before);
}

#[test]
fn an_entry_that_is_written_piece_by_piece_appears_when_it_is_committed() {
    let (_dir, spool) = new_spool(&["in"]);
    let before = listing(spool.dir());
    let mut writer = spool.enqueue_writer("in", &EnqueueOptions::new()).unwrap();
    let name = writer.name().clone();
    writer.write_all(b"one, ").unwrap();
    writer.write_all(b"two, ").unwrap();
    let mut copy = fs::File::from(writer.as_fd().unwrap().try_clone_to_owned().unwrap());
    copy.write_all(b"three").unwrap();
    writer.flush().unwrap();
    assert_eq!(spool.list("in").unwrap().count(), 0);
    let entry = writer.commit(b"metadata").unwrap();
    assert_eq!(entry.name(), &name);
    assert_eq!(
        entry.direct().data_file().load().unwrap(),
        b"one, two, three"
    );
    let complete = listing(spool.dir());
    assert_eq!(added(&before, spool.dir()).len(), 3);

    assert!(writer.as_fd().is_none());
    assert_eq!(
        writer.commit(b"again").unwrap_err().kind(),
        ErrorKind::Finished
    );
    let written = writer.write(b"more").unwrap_err();
    let inner = written.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(inner.kind(), ErrorKind::Finished);
    drop(writer);
    assert_eq!(listing(spool.dir()), complete);
}

#[test]
fn a_writer_that_is_dropped_undoes_everything_but_an_earlier_reservation() {
    let (_dir, spool) = new_spool(&["in"]);
    spool.reserve_name("reserved").unwrap();
    let before = listing(spool.dir());
    for options in [EnqueueOptions::new(), one_name("x"), using("reserved")] {
        let mut writer = spool.enqueue_writer("in", &options).unwrap();
        writer.write_all(b"half").unwrap();
        assert_ne!(listing(spool.dir()), before);
        drop(writer);
        assert_eq!(listing(spool.dir()), before);
    }
    spool
        .enqueue_with("in", "", "", &using("reserved"))
        .unwrap();
    spool.reserve_name("x").unwrap();
}

/// Gives the same name at each attempt and notes the attempts.
#[derive(Default)]
struct Noting {
    attempts: Mutex<Vec<u32>>,
    free_from: u32,
}

impl NameGenerator for Noting {
    fn next(&self, attempt: u32) -> OsString {
        self.attempts.lock().unwrap().push(attempt);
        if attempt < self.free_from {
            "taken".into()
        } else {
            format!("free-{attempt}").into()
        }
    }
}

#[test]
fn a_generator_is_asked_from_attempt_0_on_until_a_name_is_free() {
    let (_dir, spool) = new_spool(&["in"]);
    spool.reserve_name("taken").unwrap();
    let noting = Noting {
        free_from: 4,
        ..Noting::default()
    };
    assert_eq!(spool.reserve(&noting).unwrap().to_string(), "free-4");
    assert_eq!(*noting.attempts.lock().unwrap(), [0, 1, 2, 3, 4]);

    let noting = Arc::new(Noting {
        free_from: 999,
        ..Noting::default()
    });
    let options = EnqueueOptions::new().generator(Arc::<Noting>::clone(&noting));
    let entry = spool.enqueue_with("in", "", "", &options).unwrap();
    assert_eq!(entry.name().to_string(), "free-999");
    let expected: Vec<u32> = (0..1000).collect();
    assert_eq!(*noting.attempts.lock().unwrap(), expected);
}

#[test]
fn a_generator_is_asked_a_thousand_times_and_no_more() {
    let (_dir, spool) = new_spool(&["in"]);
    spool
        .enqueue_with("in", "m", "d", &one_name("taken"))
        .unwrap();
    let before = state(spool.dir());
    let noting = Arc::new(Noting {
        free_from: u32::MAX,
        ..Noting::default()
    });
    let registry = spool.dir().join(".registry");
    let exhausted = ErrorKind::NamesExhausted;
    must_fail(spool.reserve(&*noting), exhausted, &registry, None);
    let expected: Vec<u32> = (0..1000).collect();
    assert_eq!(*noting.attempts.lock().unwrap(), expected);

    noting.attempts.lock().unwrap().clear();
    let options = EnqueueOptions::new().generator(Arc::<Noting>::clone(&noting));
    must_fail(
        spool.enqueue_with("in", "", "", &options),
        exhausted,
        &registry,
        None,
    );
    must_fail(
        spool.enqueue_writer("in", &options),
        exhausted,
        &registry,
        None,
    );
    assert_eq!(noting.attempts.lock().unwrap().len(), 2000);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn eight_threads_that_want_the_same_names_get_each_once() {
    let (_dir, spool) = new_spool(&["in"]);
    let start = Barrier::new(8);
    let won: Vec<Vec<u32>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let spool = Spool::load(spool.dir(), ["in"]).unwrap();
                    start.wait();
                    (0..300_u32)
                        .filter(|i| match spool.reserve_name(format!("name-{i}")) {
                            Ok(_) => true,
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::NameTaken, "{error}");
                                false
                            }
                        })
                        .collect()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let mut all: Vec<u32> = won.concat();
    all.sort_unstable();
    assert_eq!(all, (0..300).collect::<Vec<_>>());
}

#[test]
fn eight_threads_with_one_generator_enqueue_under_a_name_each() {
    let (_dir, spool) = new_spool(&["in"]);
    let next = Arc::new(AtomicU32::new(0));
    let generator = Arc::clone(&next);
    // Every number comes up twice: half of the attempts meet a name in use.
    let options = EnqueueOptions::new().generator(Arc::new(move |_: u32| {
        let number = generator.fetch_add(1, Ordering::SeqCst) / 2;
        OsString::from(format!("{number:05}"))
    }));
    thread::scope(|scope| {
        for thread in 0..8 {
            let (spool, options) = (&spool, &options);
            scope.spawn(move || {
                for i in 0..50 {
                    let text = format!("{thread} {i}");
                    let entry = spool.enqueue_with("in", &text, &text, options).unwrap();
                    assert_eq!(entry.direct().data_file().load().unwrap(), text.as_bytes());
                }
            });
        }
    });
    let mut seen = HashSet::new();
    for entry in spool.list("in").unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.direct().contents().unwrap();
        assert_eq!(entry.direct().data_file().load().unwrap(), metadata);
        assert!(seen.insert(metadata));
    }
    assert_eq!(seen.len(), 400);
}

#[test]
fn default_names_are_in_the_order_of_time_and_distinct_between_threads() {
    let (_dir, spool) = new_spool(&["in"]);
    let names: Vec<EntryName> = (0..200)
        .map(|_| spool.enqueue("in", "", "").unwrap().name().clone())
        .collect();
    assert!(names.is_sorted());
    let listed = spool.list("in").unwrap();
    assert!(listed.map(|entry| entry.unwrap().name().clone()).eq(names));

    let all: Vec<OsString> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..1000).map(|i| TimeNames.next(i)).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect()
    });
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 8000);
}

#[test]
fn every_kind_of_bytes_is_a_source() {
    let (_dir, spool) = new_spool(&["in"]);
    let (owned, text) = (b"bytes".to_vec(), "bytes".to_owned());
    let mut reader = io::Cursor::new(b"bytes");
    let sources: [Source<'_>; 6] = [
        b"bytes".into(),
        b"bytes".as_slice().into(),
        (&owned).into(),
        "bytes".into(),
        (&text).into(),
        Source::reader(&mut reader),
    ];
    for source in sources {
        let entry = spool.enqueue("in", "", source).unwrap();
        assert_eq!(entry.direct().data_file().load().unwrap(), b"bytes");
    }
}
