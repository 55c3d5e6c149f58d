//! Data that the caller's own code loads and saves by path.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use multispool::spoolable::{DataFile, Naming, UniqueName, expert};
use multispool::{Durability, Error, ErrorKind, Multispool, Spool};

use crate::tree::listing;
use crate::{
    Kind, Names, Stage, Widget, Widgets, cog, inner, must_fail, must_panic, names, new_spool,
    order, ordered, sprocket, undecodable,
};

type Save = fn(&[u8], &Path, &Path) -> io::Result<()>;

/// The ways in which code may make a file.
const WAYS: &[(&str, Save)] = &[
    ("a write", crate::by_write),
    ("a write of a new file", |bytes, path, _| {
        if path.exists() {
            fs::remove_file(path)?;
        }
        io::Write::write_all(&mut fs::File::create_new(path)?, bytes)
    }),
    ("a rename", |bytes, path, temp_file| {
        fs::write(temp_file, bytes)?;
        fs::rename(temp_file, path)
    }),
    ("a rename of a new file", |bytes, path, temp_file| {
        io::Write::write_all(&mut fs::File::create_new(temp_file)?, bytes)?;
        fs::rename(temp_file, path)
    }),
    ("a copy", |bytes, path, temp_file| {
        // The temporary file is left there.
        fs::write(temp_file, bytes)?;
        fs::copy(temp_file, path).map(drop)
    }),
];

/// The ways in which it may fail.
const FAILURES: &[(&str, Save)] = &[
    ("no way to say it", |_, _, _| {
        Err(io::Error::other("asked to"))
    }),
    ("half a write", |bytes, path, _| {
        fs::write(path, &bytes[..2])?;
        Err(io::Error::other("asked to"))
    }),
    ("half a write of a temporary file", |bytes, _, temp_file| {
        fs::write(temp_file, &bytes[..2])?;
        Err(io::Error::other("asked to"))
    }),
    ("a file that is gone", |bytes, path, _| {
        fs::remove_file(path)?;
        fs::write(path, bytes)?;
        fs::remove_file(path)?;
        Err(io::Error::other("asked to"))
    }),
];

/// What it may leave that is no file of its own.
const ODDITIES: &[(&str, Save)] = &[
    ("nothing", |_, path, _| fs::remove_file(path)),
    ("a link", |bytes, path, temp_file| {
        fs::write(temp_file, bytes)?;
        fs::remove_file(path)?;
        symlink(temp_file, path)
    }),
    ("a second name", |bytes, path, temp_file| {
        fs::write(path, bytes)?;
        fs::hard_link(path, temp_file.with_extension("other"))
    }),
];

fn widget(kind: Kind, save: Save) -> Widget {
    Widget { kind, save }
}

fn enqueue(spool: &Multispool<Widgets>, widget: &Widget) -> Result<DataFile<Widgets>, Error> {
    let naming = Naming::Reserve(&Names("widget"));
    let entry = spool.enqueue(Stage::Ordered, &order(7, "Ada"), widget, naming)?;
    Ok(entry.direct().data_file())
}

fn tmp(spool: &Multispool<Widgets>) -> Vec<String> {
    listing(&spool.dir().join(".tmp"))
}

#[test]
fn data_is_enqueued_however_its_code_makes_files_and_no_temporary_file_stays() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        for (way, save) in WAYS {
            let dir = tempfile::tempdir().unwrap();
            let spool = Multispool::<Widgets>::options()
                .spool(Spool::options().durability(durability))
                .create_if_missing(true)
                .load(dir.path().join("spool"))
                .unwrap();
            let data = enqueue(&spool, &widget(Kind::Sprocket, *save)).unwrap();
            assert_eq!(data.load().unwrap().kind, Kind::Sprocket, "{way}");
            assert_eq!(tmp(&spool), [""; 0], "{way}");
            assert_eq!(listing(&spool.dir().join(".data")), ["widget-0 8"], "{way}");
        }
    }
}

#[test]
fn data_is_replaced_however_its_code_makes_files() {
    for durability in [Durability::None, Durability::Original, Durability::Full] {
        for (way, save) in WAYS {
            let (_dir, spool) = new_spool();
            let opened = Multispool::<Widgets>::options()
                .spool(Spool::options().durability(durability))
                .load(spool.dir())
                .unwrap();
            ordered(&spool);
            let entry = opened
                .list(Stage::Ordered)
                .unwrap()
                .next()
                .unwrap()
                .unwrap();
            let checkout = expert::checkout(&entry).unwrap();
            let data = checkout.data_file();
            let old = fs::File::open(data.path()).unwrap();
            data.save(&widget(Kind::Sprocket, *save)).unwrap();
            assert_eq!(data.load().unwrap().kind, Kind::Sprocket, "{way}");
            assert_eq!(tmp(&spool), [""; 0], "{way}");
            // Who had the old data open has it whole: it was replaced, not written into.
            assert_eq!(io::read_to_string(old).unwrap(), "cog");
        }
    }
}

#[test]
fn the_data_is_seen_under_its_name_only_when_it_is_whole() {
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    let data = entry.direct().data_file();
    let watching: Save = |bytes, path, temp_file| {
        let spool = path.ancestors().nth(2).unwrap();
        assert_eq!(path.parent(), Some(&*spool.join(".tmp")));
        assert_eq!(temp_file.parent(), path.parent());
        assert!(!temp_file.exists());
        // Both belong to the entry, so that the monitor and a repair know whose they are.
        for path in [path, temp_file] {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(name.starts_with("widget-0.tmp."), "{name}");
        }
        fs::write(path, &bytes[..2])?;
        assert_eq!(fs::read(spool.join(".data/widget-0"))?, b"cog");
        fs::write(path, bytes)
    };
    data.save(&widget(Kind::Sprocket, watching)).unwrap();
    assert_eq!(data.load().unwrap().kind, Kind::Sprocket);
}

#[test]
fn the_entry_is_seen_only_when_its_data_is_whole() {
    let (_dir, spool) = new_spool();
    let watching: Save = |bytes, path, temp_file| {
        let spool = path.ancestors().nth(2).unwrap();
        assert_eq!(listing(&spool.join("ordered")), [".checkout/"]);
        assert!(spool.join(".registry/widget-0").exists());
        assert_eq!(temp_file.parent(), Some(&*spool.join(".tmp")));
        fs::write(path, bytes)
    };
    enqueue(&spool, &widget(Kind::Cog, watching)).unwrap();
    assert_eq!(names(&spool)[0], ["widget-0"]);
}

#[test]
fn an_enqueue_whose_data_does_not_save_leaves_nothing() {
    for (way, save) in FAILURES {
        let (_dir, spool) = new_spool();
        let before = listing(spool.dir());
        let failed = enqueue(&spool, &widget(Kind::Cog, *save));
        let path = spool.dir().join(".data/widget-0");
        let error = must_fail(failed, ErrorKind::InvalidArgument, path);
        assert_eq!(error.operation(), "enqueue");
        assert_eq!(inner::<io::Error>(&error).to_string(), "asked to", "{way}");
        assert!(
            error.to_string().contains("does not save: asked to"),
            "{error}"
        );
        assert_eq!(listing(spool.dir()), before, "{way}");
    }
}

#[test]
fn a_reservation_outlives_an_enqueue_whose_data_does_not_save() {
    let (_dir, spool) = new_spool();
    let name = UniqueName::reserve(&spool, &Names("a")).unwrap();
    let before = listing(spool.dir());
    for (way, save) in FAILURES {
        let broken = widget(Kind::Cog, *save);
        let naming = Naming::Use(&name);
        let failed = spool.enqueue(Stage::Made, &order(1, "Ada"), &broken, naming);
        failed.unwrap_err();
        assert_eq!(listing(spool.dir()), before, "{way}");
    }
    let naming = Naming::Use(&name);
    spool
        .enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming)
        .unwrap();
}

#[test]
fn data_that_does_not_save_leaves_the_old_in_place() {
    for (way, save) in FAILURES {
        let (_dir, spool) = new_spool();
        let data = ordered(&spool).direct().data_file();
        let before = listing(spool.dir());
        let inode = data.stat().unwrap().ino();
        let error = data.save(&widget(Kind::Sprocket, *save)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{way}: {error}");
        assert_eq!(inner::<io::Error>(&error).to_string(), "asked to", "{way}");
        assert_eq!(listing(spool.dir()), before, "{way}");
        assert_eq!(data.stat().unwrap().ino(), inode, "{way}");
    }
}

#[test]
fn a_panic_in_a_save_leaves_nothing_of_it() {
    let panics: Save = |bytes, path, temp_file| {
        fs::write(temp_file, bytes)?;
        fs::write(path, bytes)?;
        panic!("asked to");
    };
    let (_dir, spool) = new_spool();
    let before = listing(spool.dir());
    must_panic(|| enqueue(&spool, &widget(Kind::Cog, panics)));
    assert_eq!(listing(spool.dir()), before);

    let entry = ordered(&spool);
    let before = listing(spool.dir());
    let data = entry.direct().data_file();
    must_panic(|| data.save(&widget(Kind::Sprocket, panics)));
    assert_eq!(listing(spool.dir()), before);
    assert_eq!(data.load().unwrap().kind, Kind::Cog);
    crate::must_be_free(&entry);
}

#[test]
fn a_save_that_leaves_no_file_of_its_own_is_refused() {
    for (what, save) in ODDITIES {
        let (_dir, spool) = new_spool();
        let clean = |spool: &Multispool<Widgets>| {
            // The second name is the code's own doing.
            for name in tmp(spool).iter().filter(|name| name.contains(".other ")) {
                let name = name.split(' ').next().unwrap();
                fs::remove_file(spool.dir().join(".tmp").join(name)).unwrap();
            }
            listing(spool.dir())
        };
        let before = listing(spool.dir());
        let failed = enqueue(&spool, &widget(Kind::Sprocket, *save));
        let path = spool.dir().join(".data/widget-0");
        must_fail(failed, ErrorKind::InvalidArgument, path);
        assert_eq!(clean(&spool), before, "{what}");

        let data = ordered(&spool).direct().data_file();
        let before = listing(spool.dir());
        let error = data.save(&widget(Kind::Sprocket, *save)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{what}: {error}");
        assert_eq!(clean(&spool), before, "{what}");
        assert_eq!(data.load().unwrap().kind, Kind::Cog, "{what}");
    }
}

#[test]
fn a_failure_of_the_system_is_told_as_one() {
    let (_dir, spool) = new_spool();
    let full: Save = |_, _, _| Err(io::Error::from_raw_os_error(libc::ENOSPC));
    let before = listing(spool.dir());
    let error = enqueue(&spool, &widget(Kind::Cog, full)).unwrap_err();
    assert_eq!(
        (error.kind(), error.errno()),
        (ErrorKind::NoSpace, Some(libc::ENOSPC))
    );
    assert_eq!(listing(spool.dir()), before);
    let data = ordered(&spool).direct().data_file();
    let error = data.save(&widget(Kind::Cog, full)).unwrap_err();
    assert_eq!(
        (error.kind(), error.errno()),
        (ErrorKind::NoSpace, Some(libc::ENOSPC))
    );
    assert_eq!(
        inner::<io::Error>(&error).raw_os_error(),
        Some(libc::ENOSPC)
    );
}

#[test]
fn data_has_the_mode_that_the_spool_was_told_however_it_was_made() {
    for (way, save) in WAYS {
        let dir = tempfile::tempdir().unwrap();
        let spool = Multispool::<Widgets>::options()
            .spool(Spool::options().file_mode(0o640))
            .create_if_missing(true)
            .load(dir.path().join("spool"))
            .unwrap();
        let data = enqueue(&spool, &widget(Kind::Cog, *save)).unwrap();
        let mode = || data.stat().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o640, "{way}");
        data.save(&widget(Kind::Sprocket, *save)).unwrap();
        assert_eq!(mode(), 0o640, "{way}");
    }
}

#[test]
fn data_that_does_not_load_is_corrupt_and_its_own_error_is_told() {
    let (_dir, spool) = new_spool();
    let data = ordered(&spool).direct().data_file();
    data.untyped().save("neither").unwrap();
    let error = must_fail(data.load().map(drop), ErrorKind::Corrupt, data.path());
    assert_eq!(error.operation(), "data load");
    assert_eq!(
        inner::<io::Error>(&error).kind(),
        io::ErrorKind::InvalidData
    );
    assert!(
        error.to_string().contains("does not load: no widget"),
        "{error}"
    );
}

#[test]
fn data_that_is_missing_or_no_file_is_not_handed_to_its_code() {
    let (_dir, spool) = new_spool();
    let data = ordered(&spool).direct().data_file();
    let target = spool.dir().join("target");
    fs::rename(data.path(), &target).unwrap();
    must_fail(data.load().map(drop), ErrorKind::NotFound, data.path());
    must_fail(data.save(&sprocket()), ErrorKind::NotFound, data.path());
    must_fail(data.stat().map(drop), ErrorKind::NotFound, data.path());
    // Whose load would panic, if it were called.
    fs::write(&target, "panic").unwrap();
    symlink(&target, data.path()).unwrap();
    must_fail(data.load().map(drop), ErrorKind::Corrupt, data.path());
    assert_eq!(tmp(&spool), [""; 0]);
}

#[test]
fn a_panic_in_a_load_passes_on_and_the_entry_is_given_back() {
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    entry.direct().data_file().untyped().save("panic").unwrap();
    must_panic(|| {
        entry.with_entry(|_, data| {
            data.load()?;
            Ok::<_, Error>((multispool::spoolable::Outcome::Remove, ()))
        })
    });
    assert_eq!(names(&spool)[0], ["widget-0"]);
    crate::must_be_free(&entry);
}

#[test]
fn the_handle_tells_its_path_and_status_and_ends_with_its_checkout() {
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    let mut checkout = expert::checkout(&entry).unwrap();
    let data = checkout.data_file();
    let path = spool.dir().join(".data/widget-0");
    assert_eq!(data.path(), path);
    assert_eq!(format!("{:?}", data.clone()), format!("DataFile({path:?})"));
    let (stat, expected) = (data.stat().unwrap(), fs::metadata(&path).unwrap());
    assert_eq!((stat.ino(), stat.len()), (expected.ino(), 3));
    checkout.save(Stage::Made).unwrap();
    must_fail(data.load().map(drop), ErrorKind::Finished, &path);
    must_fail(data.save(&sprocket()), ErrorKind::Finished, &path);
    must_fail(data.stat().map(drop), ErrorKind::Finished, &path);
    assert_eq!(fs::read(&path).unwrap(), b"cog");
}

#[test]
fn data_of_any_entry_is_streamed_by_bytes() {
    let (_dir, spool) = new_spool();
    let data = undecodable(&spool, "a", "no order").direct().data_file();
    let mut writer = data.untyped().writer().unwrap();
    io::Write::write_all(&mut writer, b"sprocket").unwrap();
    writer.commit().unwrap();
    assert_eq!(data.load().unwrap().kind, Kind::Sprocket);
}
