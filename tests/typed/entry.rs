//! Typed entries: what is known of one, what is done to its files directly, and handlers of one entry.

use std::fs;
use std::os::unix::fs::MetadataExt;

use multispool::spoolable::{DataFile, Entry, Outcome};
use multispool::{Error, ErrorKind};

use crate::tree::{listing, state};
use crate::{
    Kind, NoOrder, Order, Stage, Widgets, inner, must_be_free, must_fail, must_panic, names,
    new_spool, order, ordered, sprocket, undecodable,
};

#[test]
fn an_entry_is_made_of_any_name_and_looked_for_when_it_is_used() {
    let (_dir, spool) = new_spool();
    let before = state(spool.dir());
    let entry = Entry::create(&spool, Stage::Made, "nobody").unwrap();
    assert_eq!(
        (entry.queue(), entry.name().to_string()),
        (&Stage::Made, "nobody".into())
    );
    assert_eq!(entry.spool().dir(), spool.dir());
    assert_eq!(entry.untyped().queue().to_string(), "made");
    assert_eq!(
        format!("{:?}", entry.clone()),
        "Entry { queue: Made, name: \"nobody\", .. }"
    );
    assert_eq!(state(spool.dir()), before);
    let path = spool.dir().join("made/nobody");
    must_fail(entry.direct().contents(), ErrorKind::NotFound, &path);
    must_fail(
        entry.stat(),
        ErrorKind::NotFound,
        spool.dir().join(".registry/nobody"),
    );
    must_fail(
        Entry::create(&spool, Stage::Made, ".no"),
        ErrorKind::InvalidName,
        ".no",
    );
}

#[test]
fn the_status_is_that_of_the_registry_file() {
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    let expected = fs::metadata(spool.dir().join(".registry/widget-0")).unwrap();
    assert_eq!(entry.stat().unwrap().ino(), expected.ino());
}

#[test]
fn direct_operations_read_write_and_remove_with_no_check() {
    let (_dir, spool) = new_spool();
    let before = listing(spool.dir());
    let entry = ordered(&spool);
    let direct = entry.direct();
    assert_eq!(direct.contents().unwrap(), order(7, "Ada"));
    direct.save(&order(8, "Grace")).unwrap();
    assert_eq!(direct.contents().unwrap(), order(8, "Grace"));
    assert_eq!(direct.data_file().load().unwrap().kind, Kind::Cog);
    direct.data_file().save(&sprocket()).unwrap();
    assert_eq!(direct.data_file().load().unwrap().kind, Kind::Sprocket);
    direct.remove().unwrap();
    assert_eq!(listing(spool.dir()), before);
    must_fail(
        direct.remove(),
        ErrorKind::NotFound,
        spool.dir().join("ordered/widget-0"),
    );
}

#[test]
fn a_direct_save_replaces_whatever_is_there() {
    let (_dir, spool) = new_spool();
    let entry = undecodable(&spool, "bad", "no order");
    entry.direct().save(&order(8, "Grace")).unwrap();
    assert_eq!(entry.direct().contents().unwrap(), order(8, "Grace"));
}

#[test]
fn metadata_that_does_not_decode_is_corrupt_and_its_own_error_is_told() {
    let (_dir, spool) = new_spool();
    let entry = undecodable(&spool, "bad", "no order");
    let path = spool.dir().join("ordered/bad");
    let before = state(spool.dir());
    let error = must_fail(entry.direct().contents(), ErrorKind::Corrupt, &path);
    assert_eq!(error.operation(), "direct contents");
    assert_eq!(inner::<NoOrder>(&error), &NoOrder(b"no order".to_vec()));
    let sentence = error.to_string();
    assert!(
        sentence.contains("the metadata does not decode: "),
        "{sentence}"
    );
    assert!(sentence.contains(" is no order; "), "{sentence}");
    assert_eq!(state(spool.dir()), before);
}

type Decided = Result<(Outcome<Order, Stage>, &'static str), Error>;
type Handler<'a> = &'a mut dyn FnMut(Order, &DataFile<Widgets>) -> Decided;
type Way = fn(&Entry<Widgets>, Handler<'_>) -> Result<&'static str, Error>;

/// Both ways to handle an entry that is there.
const WAYS: [Way; 2] = [
    |entry, f| entry.with_entry(f),
    |entry, f| {
        let handled = entry.try_with_entry(f);
        handled.map(|answer| answer.expect("the entry is there"))
    },
];

#[test]
fn a_handler_saves_to_any_queue_with_new_metadata_and_data() {
    for way in WAYS {
        let (_dir, spool) = new_spool();
        let answer = way(&ordered(&spool), &mut |metadata, data| {
            assert_eq!(
                (&metadata, data.load()?.kind),
                (&order(7, "Ada"), Kind::Cog)
            );
            assert_eq!(names(&spool)[0], ["!widget-0"]);
            data.save(&sprocket())?;
            Ok((Outcome::Save(order(8, "Grace"), Stage::Made), "done"))
        });
        assert_eq!(answer.unwrap(), "done");
        let moved = Entry::create(&spool, Stage::Made, "widget-0").unwrap();
        assert_eq!(names(&spool), [vec![], vec!["widget-0".to_owned()], vec![]]);
        assert_eq!(moved.direct().contents().unwrap(), order(8, "Grace"));
        assert_eq!(
            moved.direct().data_file().load().unwrap().kind,
            Kind::Sprocket
        );
    }
}

#[test]
fn metadata_is_written_only_if_it_has_changed() {
    for way in WAYS {
        let (_dir, spool) = new_spool();
        let entry = ordered(&spool);
        let inode = |path: &str| fs::metadata(spool.dir().join(path)).unwrap().ino();
        let before = inode("ordered/widget-0");
        way(&entry, &mut |metadata, _| {
            Ok((Outcome::Save(metadata, Stage::Made), ""))
        })
        .unwrap();
        assert_eq!(inode("made/widget-0"), before);
        let entry = Entry::create(&spool, Stage::Made, "widget-0").unwrap();
        way(&entry, &mut |_, _| {
            Ok((Outcome::Save(order(7, "Eve"), Stage::Made), ""))
        })
        .unwrap();
        assert_ne!(inode("made/widget-0"), before);
    }
}

#[test]
fn a_handler_removes_or_gives_back() {
    for way in WAYS {
        let (_dir, spool) = new_spool();
        let before = listing(spool.dir());
        let entry = ordered(&spool);
        let with_entry = listing(spool.dir());
        way(&entry, &mut |_, _| Ok((Outcome::Release, ""))).unwrap();
        assert_eq!(listing(spool.dir()), with_entry);
        way(&entry, &mut |_, _| Ok((Outcome::Remove, ""))).unwrap();
        assert_eq!(listing(spool.dir()), before);
    }
}

#[test]
fn an_entry_whose_handler_fails_is_back_as_it_was_and_free() {
    for way in WAYS {
        let (_dir, spool) = new_spool();
        let entry = ordered(&spool);
        let before = listing(spool.dir());
        let failed = way(&entry, &mut |_, data| {
            let path = data.path();
            data.untyped().save("no widget")?;
            data.load()?;
            unreachable!("{path:?} has no widget");
        });
        must_fail(
            failed,
            ErrorKind::Corrupt,
            spool.dir().join(".data/widget-0"),
        );
        assert_eq!(entry.direct().contents().unwrap(), order(7, "Ada"));
        entry.direct().data_file().save(&crate::cog()).unwrap();
        assert_eq!(listing(spool.dir()), before);
        must_be_free(&entry);
    }
}

#[test]
fn a_failure_of_the_handlers_own_passes_on() {
    #[derive(Debug)]
    enum Mine {
        Own(&'static str),
        Spool(Error),
    }
    impl From<Error> for Mine {
        fn from(error: Error) -> Mine {
            Mine::Spool(error)
        }
    }
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    let handled = entry.with_entry(|_, _| {
        let outcome: Result<(Outcome<_, _>, ()), Mine> = Err(Mine::Own("no"));
        outcome
    });
    assert!(matches!(handled, Err(Mine::Own("no"))));
    must_be_free(&entry);
    entry.direct().remove().unwrap();
    let handled = entry.with_entry(|_, _| Ok::<_, Mine>((Outcome::Remove, ())));
    assert!(matches!(handled, Err(Mine::Spool(error)) if error.kind() == ErrorKind::Missing));
}

#[test]
fn an_entry_whose_handler_panics_is_back_and_free() {
    for way in WAYS {
        let (_dir, spool) = new_spool();
        let entry = ordered(&spool);
        let before = listing(spool.dir());
        must_panic(|| way(&entry, &mut |_, _| panic!("asked to")));
        assert_eq!(listing(spool.dir()), before);
        must_be_free(&entry);
    }
}

#[test]
fn an_entry_whose_metadata_does_not_decode_is_left_there_and_free() {
    for way in WAYS {
        let (_dir, spool) = new_spool();
        let entry = undecodable(&spool, "bad", "no order");
        let before = listing(spool.dir());
        let failed = way(&entry, &mut |_, _| {
            unreachable!("there is nothing to handle")
        });
        let error = must_fail(failed, ErrorKind::Corrupt, spool.dir().join("ordered/bad"));
        assert_eq!(error.operation(), "checkout");
        inner::<NoOrder>(&error);
        assert_eq!(listing(spool.dir()), before);
        must_be_free(&entry);
        // A decoder that panics does no more harm.
        entry.untyped().direct().save("panic").unwrap();
        must_panic(|| {
            way(&entry, &mut |_, _| {
                unreachable!("there is nothing to handle")
            })
        });
        assert_eq!(names(&spool)[0], ["bad"]);
        must_be_free(&entry);
    }
}

#[test]
fn an_entry_that_is_not_there_is_an_error_for_who_expects_it_and_none_for_who_races() {
    let (_dir, spool) = new_spool();
    let entry = ordered(&spool);
    let not_called =
        |_: Order, _: &DataFile<Widgets>| -> Decided { unreachable!("it is not ours") };
    let must_be_gone = || {
        let path = spool.dir().join("ordered/widget-0");
        must_fail(entry.with_entry(not_called), ErrorKind::Missing, path);
        assert_eq!(entry.try_with_entry(not_called).unwrap(), None);
    };
    let mut taken = entry.untyped().checkout().unwrap();
    must_be_gone();
    taken.remove().unwrap();
    must_be_gone();
}
