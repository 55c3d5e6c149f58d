//! A forked child: its parent's handles stay the parent's, and a spool works in it.
#![allow(unsafe_code, reason = "fork is what is tested")]

use std::time::Duration;

use multispool::{Dequeued, Durability, ErrorKind, RecoverOptions, Spool, Stop};

fn spool(dir: &tempfile::TempDir) -> Spool {
    Spool::options()
        .durability(Durability::None)
        .create(dir.path().join("spool"), ["in", "out"])
        .unwrap()
}

/// Runs `child` in a forked child and fails if it panics or answers an error.
fn in_child(child: impl FnOnce() -> Result<(), String>) {
    let pid = spawn(child);
    assert_eq!(wait(pid), 0, "the child failed: see its message above");
}

pub(crate) fn spawn(child: impl FnOnce() -> Result<(), String>) -> libc::pid_t {
    // SAFETY: the child runs on this thread alone and leaves by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        let status = match result {
            Ok(Ok(())) => 0,
            Ok(Err(message)) => {
                let message = format!("in the child: {message}\n");
                // SAFETY: writes bytes of its own to standard error.
                unsafe { libc::write(2, message.as_ptr().cast(), message.len()) };
                1
            }
            Err(_) => 2,
        };
        // SAFETY: ends the child without running the parent's handlers.
        unsafe { libc::_exit(status) };
    }
    pid
}

pub(crate) fn wait(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: waits for a child of ours.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert!(libc::WIFEXITED(status), "killed by a signal: {status}");
    libc::WEXITSTATUS(status)
}

fn expect(what: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn said<T>(result: Result<T, multispool::Error>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

#[test]
fn a_spool_works_in_a_child() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::options()
        .max_concurrent(1)
        .create(dir.path().join("spool"), ["in"])
        .unwrap();
    let parents = spool.enqueue("in", "parent", "").unwrap();
    in_child(|| {
        said(spool.enqueue("in", "child", "data"))?;
        let mut reader = said(spool.reader("in"))?;
        let mut seen = Vec::new();
        for _ in 0..2 {
            match said(reader.dequeue(None, Some(Duration::from_secs(60))))? {
                Dequeued::CheckedOut(mut checkout) => {
                    seen.push(checkout.metadata().to_vec());
                    said(checkout.remove())?;
                }
                other => return Err(format!("{other:?}")),
            }
        }
        seen.sort();
        expect(
            "both entries",
            seen == [b"child".to_vec(), b"parent".to_vec()],
        )
    });
    assert!(parents.stat().is_err());
    spool.enqueue("in", "", "").unwrap();
}

#[test]
fn the_parent_s_handles_answer_forked_in_a_child_and_stay_good_in_the_parent() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut checkout = spool.enqueue("in", "", "old").unwrap().checkout().unwrap();
    let data_file = checkout.data_file();
    let mut writer = data_file.writer().unwrap();
    let mut reader = spool.reader("in").unwrap();
    reader.fd().unwrap();
    let mut draft = spool
        .enqueue_writer("in", &multispool::EnqueueOptions::new())
        .unwrap();
    in_child(|| {
        let forked = |result: Result<(), multispool::Error>| match result {
            Err(error) if error.kind() == ErrorKind::Forked => Ok(()),
            other => Err(format!("{other:?}")),
        };
        forked(checkout.save("out"))?;
        forked(checkout.remove())?;
        forked(checkout.release())?;
        forked(checkout.set_metadata("new"))?;
        for data_file in [&data_file, &checkout.data_file()] {
            forked(data_file.load().map(drop))?;
            forked(data_file.save("new"))?;
            forked(data_file.writer().map(drop))?;
        }
        forked(writer.commit())?;
        forked(reader.dequeue(None, None).map(drop))?;
        forked(reader.dequeue_available().map(drop))?;
        forked(reader.fd().map(drop))?;
        forked(draft.commit(b"").map(drop))?;
        // Freed in the child: nothing of the parent's is touched.
        drop((writer, reader, draft));
        drop(checkout);
        Ok(())
    });
}

#[test]
fn what_a_child_frees_the_parent_still_has() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let mut slots = (
        Some(spool.enqueue("in", "", "old").unwrap().checkout().unwrap()),
        Some(
            spool
                .enqueue_writer("in", &multispool::EnqueueOptions::new())
                .unwrap(),
        ),
        Some(spool.reader("in").unwrap()),
    );
    let mut writer = Some(slots.0.as_ref().unwrap().data_file().writer().unwrap());
    slots
        .2
        .as_mut()
        .unwrap()
        .dequeue(None, Some(Duration::ZERO))
        .unwrap();
    in_child(|| {
        slots = (None, None, None);
        writer = None;
        let recovered = said(spool.recover(&RecoverOptions::new()))?;
        expect("the parent owns it", recovered.entries.is_empty())
    });
    std::io::Write::write_all(writer.as_mut().unwrap(), b"new").unwrap();
    writer.as_mut().unwrap().commit().unwrap();
    let (checkout, draft, reader) = &mut slots;
    let checkout = checkout.as_mut().unwrap();
    assert_eq!(checkout.data_file().load().unwrap(), b"new");
    checkout.save("in").unwrap();
    draft.as_mut().unwrap().commit(b"draft").unwrap();
    let reader = reader.as_mut().unwrap();
    for _ in 0..2 {
        let dequeued = reader.dequeue(None, Some(Duration::from_secs(60))).unwrap();
        assert!(matches!(dequeued, Dequeued::CheckedOut(_)));
    }
}

#[test]
fn a_child_that_lives_does_not_keep_its_dead_parent_s_ownership() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let entry = spool.enqueue("in", "", "").unwrap();
    let (to_grandchild, go) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let (mut wait_end, told_end) = to_grandchild;
    let (mut alive_end, alive_tell) = go;
    let parent = spawn(|| {
        let _held = said(entry.checkout())?;
        spawn(|| {
            use std::io::{Read, Write};
            // SAFETY: its own copy of the writing end, so that it ends when the test does.
            unsafe { libc::close(std::os::fd::AsRawFd::as_raw_fd(&told_end)) };
            let mut alive = &alive_tell;
            alive.write_all(b"x").map_err(|e| e.to_string())?;
            let _ = wait_end.read(&mut [0]);
            Ok(())
        });
        std::mem::forget(_held);
        Ok(())
    });
    assert_eq!(wait(parent), 0);
    use std::io::{Read, Write};
    alive_end.read_exact(&mut [0]).unwrap();
    // The holder is dead, its child lives.
    let recovered = spool.recover(&RecoverOptions::new()).unwrap();
    assert_eq!(recovered.entries.len(), 1);
    (&told_end).write_all(b"x").unwrap();
}

#[test]
fn a_stop_triggered_in_a_child_stops_nobody_in_the_parent() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let stop = Stop::new().unwrap();
    in_child(|| {
        stop.trigger();
        let mut reader = said(spool.reader("in"))?;
        let dequeued = said(reader.dequeue(Some(&stop), None))?;
        expect("it stops the child", matches!(dequeued, Dequeued::Stopped))
    });
    assert!(!stop.is_triggered());
    let mut reader = spool.reader("in").unwrap();
    let dequeued = reader
        .dequeue(Some(&stop), Some(Duration::from_millis(20)))
        .unwrap();
    assert!(matches!(dequeued, Dequeued::TimedOut));
}

#[test]
fn names_made_in_a_child_are_its_own() {
    use multispool::{NameGenerator, TimeNames};
    let first = TimeNames.next(0);
    let (mut read, write) = std::io::pipe().unwrap();
    in_child(|| {
        use std::io::Write;
        let name = TimeNames.next(0);
        (&write)
            .write_all(name.as_encoded_bytes())
            .map_err(|error| error.to_string())
    });
    drop(write);
    let mut childs = String::new();
    std::io::Read::read_to_string(&mut read, &mut childs).unwrap();
    let random = |name: &str| name.split('-').nth(1).unwrap().to_owned();
    assert_ne!(random(&childs), random(first.to_str().unwrap()));
}

#[test]
fn forks_while_other_threads_take_entries_leave_no_lock_behind() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let done = AtomicBool::new(false);
    let moves = AtomicUsize::new(0);
    let mut children = Vec::new();
    let (wait_end, hold_end) = std::io::pipe().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let entry = spool.enqueue("in", "", "").unwrap();
                    entry.checkout().unwrap().save("out").unwrap();
                    moves.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let _end = crate::AtEnd(&done);
        for forks in 0..100 {
            // In the middle of the work, each time.
            while moves.load(Ordering::SeqCst) <= forks {
                std::thread::yield_now();
            }
            // The children live on, with whatever they inherited.
            children.push(spawn(|| {
                use std::io::Read;
                // SAFETY: the child's own copy of the writing end, so that it sees the parent's close.
                unsafe { libc::close(std::os::fd::AsRawFd::as_raw_fd(&hold_end)) };
                let _ = (&wait_end).read(&mut [0]);
                Ok(())
            }));
        }
    });
    // Every entry was saved: whoever holds a lock now inherited it.
    for entry in spool.list("out").unwrap() {
        entry.unwrap().checkout().unwrap().remove().unwrap();
    }
    drop(hold_end);
    for child in children {
        assert_eq!(wait(child), 0);
    }
}

#[test]
fn a_batch_is_its_parent_s_in_a_child_and_stays_good_in_the_parent() {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(&dir);
    let options = multispool::EnqueueOptions::new();
    let mut batch = spool.batch("in", &options).unwrap();
    batch.add("parent", "data").unwrap();
    let mut mine = Some(batch);
    in_child(|| {
        let mut batch = mine.take().ok_or("no batch")?;
        let told = batch.add("child", "").map_err(|error| error.kind());
        expect("forked", told == Err(ErrorKind::Forked))?;
        let answers = batch.commit();
        let told = answers[0].as_ref().map_err(|error| error.kind());
        expect("forked", told.is_err_and(|kind| kind == ErrorKind::Forked))
    });
    let answers = mine.take().unwrap().commit();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(spool.list("in").unwrap().count(), 1);
}
