//! Opening a typed spool, and what it shares with one of bytes.

use std::fs;

use multispool::spoolable::{MultispoolOptions, Naming, Queue};
use multispool::{
    Durability, ErrorKind, Multispool, Result, Spool, SpoolOptions, Spoolable, TimeNames, Unlimited,
};

use crate::tree::{listing, state};
use crate::{Names, Stage, Widgets, cog, must_fail, names, new_spool, order, ordered};

type Open = fn(&std::path::Path) -> Result<Multispool<Widgets>>;

#[test]
fn create_and_load_with_create_if_missing_make_the_spool_with_all_its_queues() {
    let opens: [Open; 2] = [
        |dir| Multispool::create(dir),
        |dir| Multispool::options().create_if_missing(true).load(dir),
    ];
    for open in opens {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let spool = open(&path).unwrap();
        let queues = spool.untyped().queues();
        let queues: Vec<String> = queues.iter().map(ToString::to_string).collect();
        assert_eq!(queues, ["made", "ordered", "shipped"]);
        for queue in Stage::ALL {
            assert!(path.join(queue.to_dirname()).join(".checkout").is_dir());
        }
        // Again, it is opened as it is.
        let entry = ordered(&spool);
        let again = open(&path).unwrap();
        assert_eq!(names(&again)[0], [entry.name().to_string()]);
    }
}

#[test]
fn neither_makes_a_spool_of_a_directory_that_holds_other_things() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter"), "mine").unwrap();
    let before = state(dir.path());
    let opens: [Open; 2] = [
        |dir| Multispool::create(dir),
        |dir| Multispool::options().create_if_missing(true).load(dir),
    ];
    for open in opens {
        must_fail(open(dir.path()), ErrorKind::NotEmpty, dir.path());
        assert_eq!(state(dir.path()), before);
    }
}

#[test]
fn load_fails_where_something_is_missing_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let load = || Multispool::<Widgets>::load(&path);
    must_fail(load(), ErrorKind::Missing, &path);
    assert_eq!(listing(dir.path()), [""; 0]);
    fs::create_dir(&path).unwrap();
    must_fail(load(), ErrorKind::NotASpool, &path);
    assert_eq!(listing(&path), [""; 0]);
    Spool::create(&path, ["ordered", "made"]).unwrap();
    let before = state(&path);
    must_fail(load(), ErrorKind::Missing, path.join("shipped"));
    assert_eq!(state(&path), before);
    Spool::create(&path, ["shipped"]).unwrap();
    load().unwrap();
}

#[test]
fn load_unsafe_checks_nothing_and_what_is_wrong_shows_at_first_use() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let spool = Multispool::<Widgets>::load_unsafe(&path).unwrap();
    assert_eq!(listing(dir.path()), [""; 0]);
    let naming = Naming::Reserve(&Names("widget"));
    let failed = spool.enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming);
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Missing);
    Multispool::<Widgets>::create(&path).unwrap();
    ordered(&spool);
    assert_eq!(names(&spool)[0], ["widget-0"]);
}

#[test]
fn the_directory_is_told_as_an_absolute_path() {
    let (dir, spool) = new_spool();
    assert_eq!(spool.dir(), dir.path().join("spool"));
    let relative = Multispool::<Widgets>::load_unsafe("somewhere").unwrap();
    let absolute = std::env::current_dir().unwrap().join("somewhere");
    assert_eq!(relative.dir(), absolute);
    assert_eq!(format!("{relative:?}"), format!("Multispool({absolute:?})"));
}

#[test]
fn options_are_those_of_the_spool() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    let with = |options: SpoolOptions| -> MultispoolOptions<Widgets> {
        Multispool::options().spool(options)
    };
    let spool = with(Spool::options().durability(Durability::Original));
    let spool = spool.create_if_missing(true).load(&path).unwrap();
    assert_eq!(spool.untyped().durability(), Durability::Original);
    let reading = with(Spool::options().read_only(true)).load(&path).unwrap();
    let naming = Naming::Reserve(&Names("widget"));
    let refused = reading.enqueue(Stage::Made, &order(1, "Ada"), &cog(), naming);
    must_fail(refused, ErrorKind::Permission, &path);
}

#[test]
fn a_typed_spool_and_one_of_bytes_are_one_spool() {
    let (_dir, spool) = new_spool();
    let untyped = Spool::load(spool.dir(), ["ordered", "made", "shipped"]).unwrap();
    ordered(&spool);
    let entry = untyped.entry("ordered", "widget-0").unwrap();
    assert_eq!(entry.direct().contents().unwrap(), b"7 Ada");
    assert_eq!(entry.direct().data_file().load().unwrap(), b"cog");
    untyped.enqueue("made", "8 Grace", "sprocket").unwrap();
    let typed = spool.list(Stage::Made).unwrap().next().unwrap().unwrap();
    assert_eq!(typed.direct().contents().unwrap(), order(8, "Grace"));
}

#[test]
fn a_list_has_the_entries_of_its_queue_in_the_order_of_their_names() {
    let (_dir, spool) = new_spool();
    for (prefix, stage) in [
        ("c", Stage::Made),
        ("a", Stage::Made),
        ("b", Stage::Shipped),
        ("a", Stage::Made),
    ] {
        let order = order(1, "Ada");
        let naming = Naming::Reserve(&Names(prefix));
        spool.enqueue(stage, &order, &cog(), naming).unwrap();
    }
    let listed: Vec<_> = spool
        .list(Stage::Made)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let listed: Vec<_> = listed
        .iter()
        .map(|entry| (*entry.queue(), entry.name().to_string()))
        .collect();
    let made = |name: &str| (Stage::Made, name.to_owned());
    assert_eq!(listed, [made("a-0"), made("a-1"), made("c-0")]);
    assert_eq!(spool.list(Stage::Ordered).unwrap().count(), 0);
}

/// Two queues that would be one.
struct Mixed;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Same {
    One,
    Other,
}

impl Queue for Same {
    const ALL: &'static [Same] = &[Same::One, Same::Other];

    fn to_dirname(&self) -> &str {
        "same"
    }
}

impl Spoolable for Mixed {
    type Metadata = String;
    type Data = Vec<u8>;
    type Queue = Same;
    type NameGenerator = TimeNames;
    type Throttle = Unlimited;
}

#[test]
fn queues_of_one_directory_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool");
    type OpenMixed = fn(&std::path::Path) -> Result<Multispool<Mixed>>;
    let opens: [OpenMixed; 3] = [
        |dir| Multispool::create(dir),
        |dir| Multispool::load(dir),
        |dir| Multispool::load_unsafe(dir),
    ];
    for open in opens {
        let error = open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("\"same\""), "{error}");
    }
    assert_eq!(listing(dir.path()), [""; 0]);
}

/// Queues that hold what is kept as it is.
struct Plain;

multispool::queues! {
    enum Only {
        Queue => "queue",
    }
}

impl Spoolable for Plain {
    type Metadata = Vec<u8>;
    type Data = String;
    type Queue = Only;
    type NameGenerator = TimeNames;
    type Throttle = Unlimited;
}

#[test]
fn bytes_and_text_are_kept_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Multispool::<Plain>::create(dir.path().join("spool")).unwrap();
    let (metadata, data) = (b"\0\xff\n".to_vec(), String::from("größer\n"));
    let naming = Naming::Reserve(&TimeNames);
    let entry = spool
        .enqueue(Only::Queue, &metadata, &data, naming)
        .unwrap();
    assert_eq!(entry.direct().contents().unwrap(), metadata);
    assert_eq!(entry.direct().data_file().load().unwrap(), data);
    entry.direct().data_file().untyped().save(b"\xff").unwrap();
    let failed = entry.direct().data_file().load();
    must_fail(
        failed,
        ErrorKind::Corrupt,
        entry.direct().data_file().path(),
    );
}
