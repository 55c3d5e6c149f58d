//! Readers: order, waiting, stopping, resting, and what they do not lose.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use multispool::{
    Dequeued, Durability, EnqueueOptions, ErrorKind, Outcome, QueueReader, ReaderOptions, Spool,
    Stop,
};

/// Long enough that a test which needs it to pass is broken, not slow.
const FOR_EVER: Duration = Duration::from_secs(60);

fn spool(dir: &tempfile::TempDir) -> Spool {
    Spool::options()
        .durability(Durability::None)
        .create(dir.path().join("spool"), ["in", "out"])
        .unwrap()
}

fn named(spool: &Spool, names: &[&str]) {
    for name in names {
        let name = spool.reserve_name(name).unwrap();
        spool
            .enqueue_with(
                "in",
                name.as_bytes(),
                "",
                &EnqueueOptions::new().name(&name),
            )
            .unwrap();
    }
}

fn taken(dequeued: Dequeued) -> multispool::Checkout {
    match dequeued {
        Dequeued::CheckedOut(checkout) => checkout,
        other => panic!("{other:?}"),
    }
}

fn drain(reader: &mut QueueReader) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(mut checkout) = reader.dequeue_available().unwrap() {
        names.push(checkout.name().to_string());
        checkout.remove().unwrap();
    }
    names
}

fn is_readable(reader: &mut QueueReader) -> bool {
    readable_within(reader, Duration::ZERO)
}

fn readable_within(reader: &mut QueueReader, time: Duration) -> bool {
    let fd = reader.fd().unwrap();
    let mut polled = [rustix::event::PollFd::new(
        &fd,
        rustix::event::PollFlags::IN,
    )];
    let time = rustix::event::Timespec {
        tv_sec: time.as_secs().try_into().unwrap(),
        tv_nsec: time.subsec_nanos().into(),
    };
    rustix::event::poll(&mut polled, Some(&time)).unwrap() > 0
}

#[test]
fn entries_come_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["b", "a", "d", "c"]);
    let mut reader = spool.reader("in").unwrap();
    assert_eq!(drain(&mut reader), ["a", "b", "c", "d"]);
}

#[test]
fn a_reader_goes_on_elsewhere_where_another_was_quicker_but_in_strict_order_with_the_next_name() {
    for is_strict in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let spool = spool(&dir);
        let names: Vec<String> = (0..40).map(|at| format!("n{at:02}")).collect();
        named(
            &spool,
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let options = ReaderOptions::new().strict_order(is_strict);
        let mut reader = spool.reader_with("in", &options).unwrap();
        let mut taken = Vec::new();
        while let Some(mut checkout) = reader.dequeue_available().unwrap() {
            let at: usize = checkout.name().to_string()[1..].parse().unwrap();
            taken.push(at);
            checkout.remove().unwrap();
            // Another is quicker with the one after it.
            let next = spool.entry("in", format!("n{:02}", at + 1)).unwrap();
            if let Some(mut next) = next.try_checkout().unwrap() {
                next.remove().unwrap();
            }
        }
        assert_eq!(taken.is_sorted(), is_strict, "{taken:?}");
        assert_eq!(spool.list("in").unwrap().count(), 0);
    }
}

#[test]
fn what_came_after_the_listing_is_available_too() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["b", "c"]);
    let mut reader = spool.reader("in").unwrap();
    let mut first = reader.dequeue_available().unwrap().unwrap();
    named(&spool, &["a", "d"]);
    first.remove().unwrap();
    let mut rest = drain(&mut reader);
    rest.sort();
    assert_eq!(rest, ["a", "c", "d"]);
    assert!(reader.dequeue_available().unwrap().is_none());
}

#[test]
fn a_waiting_reader_is_woken_by_an_arrival() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let producer = spool.clone();
    let (waiting, is_waiting) = mpsc::channel();
    let worker = thread::spawn(move || {
        let mut reader = spool.reader("in").unwrap();
        for _ in 0..100 {
            waiting.send(()).unwrap();
            let mut checkout = taken(reader.dequeue(None, Some(FOR_EVER)).unwrap());
            checkout.remove().unwrap();
        }
    });
    for _ in 0..100 {
        is_waiting.recv().unwrap();
        producer.enqueue("in", "", "").unwrap();
    }
    worker.join().unwrap();
}

#[test]
fn a_wait_ends_when_its_time_is_up_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut reader = spool.reader("in").unwrap();
    let begun = Instant::now();
    let dequeued = reader
        .dequeue(None, Some(Duration::from_millis(30)))
        .unwrap();
    assert!(matches!(dequeued, Dequeued::TimedOut));
    assert!(begun.elapsed() >= Duration::from_millis(30));
    named(&spool, &["between"]);
    let mut checkout = taken(reader.dequeue(None, Some(FOR_EVER)).unwrap());
    assert_eq!(checkout.name().to_string(), "between");
    checkout.remove().unwrap();
}

#[test]
fn a_stop_ends_every_wait_it_was_given_to_and_those_to_come() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let stop = Stop::new().unwrap();
    let (waiting, is_waiting) = mpsc::channel();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (spool, stop, waiting) = (spool.clone(), stop.clone(), waiting.clone());
            thread::spawn(move || {
                let mut reader = spool.reader("in").unwrap();
                waiting.send(()).unwrap();
                reader.dequeue(Some(&stop), Some(FOR_EVER)).unwrap()
            })
        })
        .collect();
    for _ in 0..3 {
        is_waiting.recv().unwrap();
    }
    stop.trigger();
    for worker in workers {
        assert!(matches!(worker.join().unwrap(), Dequeued::Stopped));
    }
    named(&spool, &["waiting"]);
    let mut reader = spool.reader("in").unwrap();
    let dequeued = reader.dequeue(Some(&stop), None).unwrap();
    assert!(
        matches!(dequeued, Dequeued::Stopped),
        "a stop stays triggered"
    );
    assert_eq!(drain(&mut reader), ["waiting"]);
}

#[test]
fn each_of_many_arrivals_goes_to_one_of_many_readers_and_none_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let stop = Stop::new().unwrap();
    let had = AtomicUsize::new(0);
    let total = 2000;
    let by_reader: Vec<usize> = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (spool, stop, had) = (&spool, &stop, &had);
                scope.spawn(move || {
                    let mut reader = spool.reader("in").unwrap();
                    let mut mine = 0;
                    while let Dequeued::CheckedOut(mut checkout) =
                        reader.dequeue(Some(stop), Some(FOR_EVER)).unwrap()
                    {
                        checkout.remove().unwrap();
                        mine += 1;
                        if had.fetch_add(1, Ordering::SeqCst) + 1 == total {
                            stop.trigger();
                        }
                    }
                    mine
                })
            })
            .collect();
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..total / 4 {
                    spool.enqueue("in", "", "").unwrap();
                }
            });
        }
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    assert_eq!(by_reader.iter().sum::<usize>(), total);
    assert!(stop.is_triggered(), "all were had before the time was up");
}

#[test]
fn a_reader_that_goes_away_leaves_its_arrivals_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut first = spool.reader("in").unwrap();
    let mut second = spool.reader("in").unwrap();
    for reader in [&mut first, &mut second] {
        reader.fd().unwrap();
        assert!(reader.dequeue_available().unwrap().is_none());
    }
    named(&spool, &["a"]);
    // One of the two is rung; whichever it is goes away without a look.
    let first_is_rung = loop {
        if is_readable(&mut first) {
            break true;
        }
        if is_readable(&mut second) {
            break false;
        }
    };
    let (rung, mut other) = if first_is_rung {
        (first, second)
    } else {
        (second, first)
    };
    drop(rung);
    assert!(readable_within(&mut other, FOR_EVER), "rung in its place");
    assert_eq!(drain(&mut other), ["a"]);
}

#[test]
fn an_arrival_not_fetched_by_the_reader_it_rang_for_rings_another() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut readers = [spool.reader("in").unwrap(), spool.reader("in").unwrap()];
    for reader in &mut readers {
        reader.fd().unwrap();
        assert!(reader.dequeue_available().unwrap().is_none());
    }
    named(&spool, &["a"]);
    for reader in &mut readers {
        assert!(readable_within(reader, FOR_EVER));
    }
}

#[test]
fn the_descriptor_is_readable_until_nothing_is_available_and_again_at_each_cause() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a"]);
    let mut reader = spool.reader("in").unwrap();
    assert!(is_readable(&mut reader), "an entry is there");
    let mut a = reader.dequeue_available().unwrap().unwrap();
    assert!(is_readable(&mut reader), "only an answer of none lowers it");
    assert!(reader.dequeue_available().unwrap().is_none());
    assert!(!is_readable(&mut reader));
    a.remove().unwrap();
    named(&spool, &["b"]);
    assert!(readable_within(&mut reader, FOR_EVER), "an arrival");
    assert_eq!(drain(&mut reader), ["b"]);
    assert!(!is_readable(&mut reader));
    let dequeued = reader.dequeue(None, Some(Duration::ZERO)).unwrap();
    assert!(matches!(dequeued, Dequeued::TimedOut));
    assert!(is_readable(&mut reader), "only an answer of none lowers it");
}

#[test]
fn what_a_reader_gave_back_rests_and_another_reader_may_have_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a", "b"]);
    let rest = Duration::from_millis(200);
    let options = ReaderOptions::new().retry_after(rest, FOR_EVER);
    let mut reader = spool.reader_with("in", &options).unwrap();
    let mut a = taken(reader.dequeue(None, Some(FOR_EVER)).unwrap());
    assert_eq!(a.name().to_string(), "a");
    let released = Instant::now();
    a.release().unwrap();
    let mut b = taken(reader.dequeue(None, Some(FOR_EVER)).unwrap());
    assert_eq!(b.name().to_string(), "b", "others come first");
    b.remove().unwrap();
    let mut again = taken(reader.dequeue(None, Some(FOR_EVER)).unwrap());
    assert_eq!(again.name().to_string(), "a");
    assert!(released.elapsed() >= rest);
    again.release().unwrap();
    let mut other = spool.reader("in").unwrap();
    let mut theirs = taken(other.dequeue(None, Some(FOR_EVER)).unwrap());
    assert_eq!(theirs.name().to_string(), "a");
    theirs.remove().unwrap();
}

#[test]
fn an_entry_given_back_wakes_a_reader_in_the_same_process_that_may_have_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a"]);
    let options = ReaderOptions::new().retry_after(FOR_EVER, FOR_EVER);
    let mut giver = spool.reader_with("in", &options).unwrap();
    let mut a = taken(giver.dequeue(None, None).unwrap());
    let mut waiter = spool.reader("in").unwrap();
    waiter.fd().unwrap();
    assert!(waiter.dequeue_available().unwrap().is_none());
    a.release().unwrap();
    // The giver itself looks first, and must leave the arrival to the other.
    let dequeued = giver.dequeue(None, Some(Duration::ZERO)).unwrap();
    assert!(matches!(dequeued, Dequeued::TimedOut));
    assert!(readable_within(&mut waiter, FOR_EVER));
    assert_eq!(drain(&mut waiter), ["a"]);
}

#[test]
fn a_pass_has_each_entry_once_whatever_becomes_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a", "b", "c"]);
    let mut reader = spool.reader("in").unwrap();
    for _ in 0..2 {
        let mut seen = Vec::new();
        reader
            .iter_available(|metadata, _| {
                let name = String::from_utf8(metadata.to_vec()).unwrap();
                seen.push(name.clone());
                match name.as_str() {
                    "a" => Ok(Outcome::Release),
                    "b" => Outcome::save("in"),
                    _ => Outcome::save_with("in", "c"),
                }
            })
            .unwrap();
        seen.sort();
        assert_eq!(seen, ["a", "b", "c"]);
    }
}

#[test]
fn a_pass_has_an_entry_once_though_its_reader_found_it_busy_while_its_own_caller_had_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a", "b"]);
    let mut reader = spool.reader("in").unwrap();
    while let Some(mut checkout) = reader.dequeue_available().unwrap() {
        checkout.save("in").unwrap();
    }
    let mut a = reader.dequeue_available().unwrap().unwrap();
    let b = reader.dequeue_available().unwrap().unwrap();
    assert_eq!([a.name().as_bytes(), b.name().as_bytes()], [b"a", b"b"]);
    a.save("in").unwrap();
    assert!(reader.dequeue_available().unwrap().is_none());
    assert!(reader.dequeue_available().unwrap().is_some());
}

#[test]
fn iter_goes_on_after_a_failing_handler_whose_entry_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a", "b"]);
    let mut reader = spool.reader("in").unwrap();
    let stop = Stop::new().unwrap();
    let failed: Result<(), Box<dyn std::error::Error>> =
        reader.iter(Some(&stop), |_, _| Err("no luck".into()));
    assert_eq!(failed.unwrap_err().to_string(), "no luck");
    let mut seen = Vec::new();
    reader
        .iter::<multispool::Error>(Some(&stop), |metadata, _| {
            seen.push(metadata.to_vec());
            stop.trigger();
            Ok(Outcome::Remove)
        })
        .unwrap();
    assert_eq!(seen, [b"b"], "the other one first");
    assert_eq!(spool.list("in").unwrap().count(), 1);
}

#[test]
fn one_bad_entry_is_reported_with_its_path_and_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a", "b", "c"]);
    std::fs::remove_file(spool.dir().join(".data/a")).unwrap();
    std::fs::remove_file(spool.dir().join(".registry/b")).unwrap();
    let mut reader = spool.reader("in").unwrap();
    let error = reader.dequeue_available().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.path().unwrap(), spool.dir().join(".data/a"));
    // "b" has no registry file: passed over.
    assert_eq!(drain(&mut reader), ["c"]);
}

#[test]
fn a_name_whose_lock_is_held_for_a_moment_is_tried_until_it_is_had() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a"]);
    let holder = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(spool.dir().join(".registry/a"))
        .unwrap();
    lock(&holder);
    let mut reader = spool.reader("in").unwrap();
    let begun = Instant::now();
    assert!(reader.dequeue_available().unwrap().is_none());
    assert!(
        begun.elapsed() >= Duration::from_millis(100),
        "it was patient"
    );
    let dequeued = reader
        .dequeue(None, Some(Duration::from_millis(20)))
        .unwrap();
    assert!(matches!(dequeued, Dequeued::TimedOut));
    // Closing the file frees the lock, and nothing tells the reader but its own next try.
    let closer = thread::spawn(move || drop(holder));
    let mut checkout = taken(reader.dequeue(None, Some(FOR_EVER)).unwrap());
    closer.join().unwrap();
    checkout.remove().unwrap();
}

pub(crate) fn lock(file: &std::fs::File) {
    use std::os::fd::AsRawFd;
    // SAFETY: flock is plain data, and the descriptor is open.
    #[allow(unsafe_code, reason = "no safe wrapper knows these locks")]
    let locked = unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = libc::F_WRLCK as libc::c_short;
        libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock)
    };
    assert_eq!(locked, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn a_queue_directory_that_goes_away_is_an_error_not_a_wait() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let (waiting, is_waiting) = mpsc::channel();
    let queue = spool.dir().join("in");
    let worker = thread::spawn(move || {
        let mut reader = spool.reader("in").unwrap();
        reader.dequeue(None, Some(Duration::ZERO)).unwrap();
        waiting.send(()).unwrap();
        reader.dequeue(None, Some(FOR_EVER)).unwrap_err()
    });
    is_waiting.recv().unwrap();
    std::fs::remove_dir(queue.join(".checkout")).unwrap();
    std::fs::remove_dir(&queue).unwrap();
    let error = worker.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.path().unwrap(), queue);
}

#[test]
fn readers_of_one_process_share_one_inotify_instance() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut readers: Vec<_> = (0..20)
        .map(|i| spool.reader(["in", "out"][i % 2]).unwrap())
        .collect();
    for reader in &mut readers {
        reader.dequeue(None, Some(Duration::ZERO)).unwrap();
    }
    let instances = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok())
        .filter(|target| target.to_string_lossy().contains("inotify"))
        .count();
    assert_eq!(instances, 1);
}

#[test]
fn a_reader_sees_arrivals_by_looking_where_the_kernel_tells_of_none() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    named(&spool, &["a"]);
    let hidden = spool.dir().join("in/a");
    let aside = dir.path().join("a");
    std::fs::rename(&hidden, &aside).unwrap();
    let mut reader = spool.reader("in").unwrap();
    reader.fd().unwrap();
    assert!(reader.dequeue_available().unwrap().is_none());
    drop(reader);
    std::fs::rename(&aside, &hidden).unwrap();
    // A new reader has no event of it, and lists.
    let mut reader = spool.reader("in").unwrap();
    assert!(reader.fd().unwrap().as_fd().try_clone_to_owned().is_ok());
    assert_eq!(drain(&mut reader), ["a"]);
}
