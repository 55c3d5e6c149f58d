//! An entry's data: read, replaced, streamed.
#![allow(
    unsafe_code,
    reason = "the flags of a descriptor are told only by fcntl"
)]

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};

use multispool::{Checkout, DataFile, Durability, Entry, Error, ErrorKind, Result, Spool};
use tempfile::TempDir;

use crate::spool::make_fifo;
use crate::tree::{listing, state};
use crate::{in_time, must_fail, new_spool};

fn one_checkout() -> (TempDir, Spool, Checkout) {
    let (dir, spool) = new_spool(&["in", "done"]);
    let checkout = spool
        .enqueue("in", "metadata", "old data")
        .unwrap()
        .checkout()
        .unwrap();
    (dir, spool, checkout)
}

fn tmp(spool: &Spool) -> Vec<String> {
    listing(&spool.dir().join(".tmp"))
}

#[test]
fn the_path_is_where_the_data_is() {
    let (_dir, spool, checkout) = one_checkout();
    let data = checkout.data_file();
    assert_eq!(data.path(), spool.dir().join(".data").join(checkout.name()));
    assert_eq!(fs::read(data.path()).unwrap(), b"old data");
    fs::write(data.path(), "by the path").unwrap();
    assert_eq!(data.load().unwrap(), b"by the path");
    assert_eq!(data.clone().load().unwrap(), b"by the path");
}

#[test]
fn the_status_is_that_of_the_data() {
    let (_dir, _spool, checkout) = one_checkout();
    let data = checkout.data_file();
    let status = data.stat().unwrap();
    assert_eq!(status.len(), 8);
    assert_eq!(status.ino(), fs::metadata(data.path()).unwrap().ino());
}

#[test]
fn a_save_replaces_the_data_whole() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        let (_dir, spool, mut checkout) = one_checkout();
        checkout.set_durability(durability);
        let data = checkout.data_file();
        let mut opened = data.open().unwrap();
        let long = vec![7; 3_000_000];
        data.save(&long).unwrap();
        assert!(data.load().unwrap() == long);
        data.save("").unwrap();
        assert_eq!(data.load().unwrap(), b"");
        data.save(b"\0\xff").unwrap();
        assert_eq!(data.load().unwrap(), b"\0\xff");
        // Who had the old data open has it whole: it was replaced, not written into.
        let mut still = String::new();
        opened.read_to_string(&mut still).unwrap();
        assert_eq!(
            (still.as_str(), opened.metadata().unwrap().nlink()),
            ("old data", 0)
        );
        assert_eq!(tmp(&spool), [""; 0]);
        checkout.save("done").unwrap();
    }
}

#[test]
fn what_is_opened_is_an_ordinary_descriptor_of_the_callers() {
    let (_dir, _spool, mut checkout) = one_checkout();
    let data = checkout.data_file();
    let mut first = data.open().unwrap();
    let mut second = data.open().unwrap();
    for file in [&first, &second] {
        // SAFETY: the descriptor is open, and neither call takes more arguments.
        let (status, flags) = unsafe {
            (
                libc::fcntl(file.as_raw_fd(), libc::F_GETFL),
                libc::fcntl(file.as_raw_fd(), libc::F_GETFD),
            )
        };
        assert_eq!(status & libc::O_NONBLOCK, 0);
        assert_eq!(status & libc::O_ACCMODE, libc::O_RDONLY);
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }
    let mut read = [0; 3];
    first.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"old");
    second.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"old");
    // It outlives the checkout.
    checkout.remove().unwrap();
    let mut rest = String::new();
    first.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, " data");
}

#[test]
fn a_stream_replaces_the_data_when_it_is_committed() {
    let (_dir, spool, checkout) = one_checkout();
    let data = checkout.data_file();
    let mut writer = data.writer().unwrap();
    writer.write_all(b"????????").unwrap();
    for i in 0..1000 {
        writer.write_all(&[i as u8; 10_000]).unwrap();
    }
    // A header that is known at the end.
    assert_eq!(writer.stream_position().unwrap(), 10_000_008);
    assert_eq!(writer.seek(SeekFrom::Start(0)).unwrap(), 0);
    writer.write_all(b"10000000").unwrap();
    assert_eq!(writer.seek(SeekFrom::End(0)).unwrap(), 10_000_008);
    writer.write_all(b"end").unwrap();
    assert_eq!(writer.seek(SeekFrom::Current(-1)).unwrap(), 10_000_010);
    writer.write_all(b"D").unwrap();
    writer.flush().unwrap();
    assert_eq!(data.load().unwrap(), b"old data");
    assert_eq!(tmp(&spool).len(), 1);
    writer.commit().unwrap();
    let new = data.load().unwrap();
    assert_eq!(new.len(), 10_000_011);
    assert_eq!(&new[..8], b"10000000");
    assert!(
        new[8..10_000_008]
            .chunks(10_000)
            .enumerate()
            .all(|(i, piece)| { piece.iter().all(|byte| *byte == i as u8) })
    );
    assert_eq!(&new[10_000_008..], b"enD");
    assert_eq!(tmp(&spool), [""; 0]);
}

#[test]
fn a_stream_can_be_written_through_its_descriptor() {
    let (_dir, _spool, checkout) = one_checkout();
    let data = checkout.data_file();
    let mut writer = data.writer().unwrap();
    let owned = writer.as_fd().unwrap().try_clone_to_owned().unwrap();
    fs::File::from(owned).write_all(b"by descriptor").unwrap();
    writer.commit().unwrap();
    assert_eq!(data.load().unwrap(), b"by descriptor");
    assert!(writer.as_fd().is_none());
}

#[test]
fn a_stream_that_is_dropped_is_thrown_away() {
    let (_dir, spool, checkout) = one_checkout();
    let data = checkout.data_file();
    let inode = data.stat().unwrap().ino();
    let before = listing(spool.dir());
    let mut writer = data.writer().unwrap();
    writer.write_all(b"half").unwrap();
    drop(writer);
    assert_eq!(data.load().unwrap(), b"old data");
    assert_eq!(data.stat().unwrap().ino(), inode);
    assert_eq!(listing(spool.dir()), before);
}

#[test]
fn a_stream_is_used_up_by_its_commit() {
    let (_dir, spool, checkout) = one_checkout();
    let data = checkout.data_file();
    let mut writer = data.writer().unwrap();
    writer.write_all(b"new").unwrap();
    writer.commit().unwrap();
    let before = state(spool.dir());
    must_fail(writer.commit(), ErrorKind::Finished, data.path(), None);
    for failed in [
        writer.write(b"more").unwrap_err(),
        writer.seek(SeekFrom::Start(0)).unwrap_err(),
    ] {
        let inner = failed.get_ref().unwrap().downcast_ref::<Error>().unwrap();
        assert_eq!(inner.kind(), ErrorKind::Finished);
    }
    drop(writer);
    assert_eq!(state(spool.dir()), before);
    assert_eq!(data.load().unwrap(), b"new");
}

#[test]
fn two_streams_at_once_do_not_mix() {
    let (_dir, spool, checkout) = one_checkout();
    let data = checkout.data_file();
    let (mut first, mut second) = (data.writer().unwrap(), data.writer().unwrap());
    first.write_all(b"first").unwrap();
    second.write_all(b"second").unwrap();
    second.commit().unwrap();
    assert_eq!(data.load().unwrap(), b"second");
    first.commit().unwrap();
    assert_eq!(data.load().unwrap(), b"first");
    assert_eq!(tmp(&spool), [""; 0]);
}

/// Every use of the data is refused as finished, and changes nothing.
#[track_caller]
fn must_be_finished(spool: &Spool, data: &DataFile) {
    let before = state(spool.dir());
    let path = data.path();
    must_fail(data.load(), ErrorKind::Finished, &path, None);
    must_fail(data.open(), ErrorKind::Finished, &path, None);
    must_fail(data.stat(), ErrorKind::Finished, &path, None);
    must_fail(data.save("late"), ErrorKind::Finished, &path, None);
    must_fail(data.writer(), ErrorKind::Finished, &path, None);
    assert_eq!(state(spool.dir()), before);
}

#[test]
fn data_is_finished_when_its_checkout_is() {
    let ends: [fn(&mut Checkout) -> Result<()>; 4] = [
        |checkout| checkout.save("done"),
        |checkout| checkout.save("in"),
        Checkout::release,
        Checkout::remove,
    ];
    for end in ends {
        let (_dir, spool, mut checkout) = one_checkout();
        let data = checkout.data_file();
        let mut writer = data.writer().unwrap();
        writer.write_all(b"too late").unwrap();
        end(&mut checkout).unwrap();
        must_fail(writer.commit(), ErrorKind::Finished, data.path(), None);
        drop(writer);
        assert_eq!(tmp(&spool), [""; 0]);
        must_be_finished(&spool, &data);
        must_be_finished(&spool, &checkout.data_file());
    }
}

#[test]
fn data_is_finished_when_its_checkout_is_dropped() {
    let (_dir, spool, checkout) = one_checkout();
    let data = checkout.data_file();
    drop(checkout);
    // Whoever recovers the entry has the data now.
    must_be_finished(&spool, &data);
}

#[test]
fn data_of_a_callback_is_finished_after_it() {
    let (_dir, spool) = new_spool(&["in"]);
    let entry = spool.enqueue("in", "", "data").unwrap();
    let kept = entry
        .with_entry(|_, data| Ok::<_, Error>((multispool::Outcome::Release, data.clone())))
        .unwrap();
    must_be_finished(&spool, &kept);
}

#[test]
fn data_that_was_taken_away_is_lost_to_its_holder_and_not_found_to_others() {
    let (_dir, spool) = new_spool(&["in"]);
    let entry: Entry = spool.enqueue("in", "", "data").unwrap();
    let direct = entry.direct().data_file();
    let checkout = entry.checkout().unwrap();
    let held = checkout.data_file();
    let mut writer = held.writer().unwrap();
    fs::remove_file(held.path()).unwrap();
    let before = listing(spool.dir());
    let (path, enoent) = (held.path(), Some(libc::ENOENT));
    must_fail(held.save("new"), ErrorKind::LostOwnership, &path, enoent);
    must_fail(direct.save("new"), ErrorKind::NotFound, &path, enoent);
    must_fail(writer.commit(), ErrorKind::LostOwnership, &path, enoent);
    for data in [&held, &direct] {
        must_fail(data.load(), ErrorKind::NotFound, &path, enoent);
        must_fail(data.open(), ErrorKind::NotFound, &path, enoent);
        must_fail(data.stat(), ErrorKind::NotFound, &path, enoent);
    }
    let mut after = listing(spool.dir());
    after.retain(|line| !line.starts_with(".tmp/"));
    assert!(
        before
            .iter()
            .all(|line| line.starts_with(".tmp/") || after.contains(line))
    );
    assert_eq!(tmp(&spool), [""; 0]);
    assert!(!held.path().exists());
}

#[test]
fn direct_data_is_usable_at_any_time() {
    let (_dir, spool) = new_spool(&["in", "done"]);
    let entry = spool.enqueue("in", "", "data").unwrap();
    let data = entry.direct().data_file();
    let mut checkout = entry.checkout().unwrap();
    data.save("by another").unwrap();
    assert_eq!(checkout.data_file().load().unwrap(), b"by another");
    checkout.save("done").unwrap();
    assert_eq!(data.load().unwrap(), b"by another");
}

#[test]
fn data_that_is_no_regular_file_is_corrupt_and_is_neither_followed_nor_waited_for() {
    for what in ["link", "hard link", "FIFO", "directory", "socket"] {
        let (dir, spool) = new_spool(&["in"]);
        let data = spool
            .enqueue("in", "", "data")
            .unwrap()
            .direct()
            .data_file();
        let path = data.path();
        let outside = dir.path().join("outside");
        match what {
            "link" => {
                fs::rename(&path, &outside).unwrap();
                symlink(&outside, &path).unwrap();
            }
            "hard link" => fs::hard_link(&path, &outside).unwrap(),
            other => {
                fs::remove_file(&path).unwrap();
                match other {
                    "FIFO" => make_fifo(&path),
                    "directory" => fs::create_dir(&path).unwrap(),
                    _ => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
                }
            }
        }
        let before = state(dir.path());
        let uses: [fn(&DataFile) -> Result<()>; 3] = [
            |data| data.load().map(drop),
            |data| data.open().map(drop),
            |data| data.stat().map(drop),
        ];
        for use_it in uses {
            let data = data.clone();
            let error = in_time(move || use_it(&data)).expect_err(what);
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
            assert_eq!(error.path(), Some(&*path), "{what}");
        }
        assert_eq!(state(dir.path()), before, "{what}");
    }
}
