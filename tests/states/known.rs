//! Small histories whose states are known, so that none is missed where it matters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::case::{Case, Count};
use crate::enumerate::{Family, states};
use crate::history::{Event, History, Naming, Node, NodeId, ROOT};
use crate::tree::{Lies, Tree};

/// Two directories, and two files without a name yet.
const A: NodeId = 1;
const B: NodeId = 2;
const FILE: NodeId = 3;
const OTHER: NodeId = 4;

pub fn case<'a>() -> Case<'a> {
    Case {
        name: "the states of small histories".to_owned(),
        checks: vec![Box::new(check)],
    }
}

fn check() -> Result<Count, String> {
    let named = |directory, name: &str, node| {
        Event::Names(vec![Naming {
            directory,
            name: name.into(),
            node,
        }])
    };
    let moved = || {
        let (from, to) = ((A, "x", None), (B, "y", Some(FILE)));
        Event::Names(
            [from, to]
                .map(|(directory, name, node)| Naming {
                    directory,
                    name: name.into(),
                    node,
                })
                .to_vec(),
        )
    };
    let made = || named(A, "x", Some(FILE));
    let written = || Event::Write {
        file: FILE,
        at: 0,
        bytes: b"whole".to_vec(),
    };
    let all = [Family::Journal, Family::Directories];
    let [journal, directories] = all.map(|family| [family]);
    let one_each = || vec![made(), named(B, "y", Some(OTHER))];

    // One after the other, or in any order.
    must_be(one_each(), &journal, &["", "a/x", "a/x b/y"])?;
    must_be(one_each(), &directories, &["", "a/x", "b/y", "a/x b/y"])?;
    // A sync of the second directory says nothing of the first, unless a journal does.
    let synced = || {
        [
            one_each(),
            vec![Event::SyncDirectory(B), Event::Acknowledged],
        ]
        .concat()
    };
    must_be_at_the_end(synced(), &journal, &["a/x b/y"])?;
    must_be_at_the_end(synced(), &directories, &["b/y", "a/x b/y"])?;
    // A rename is there or not; what it moved was there before it; a sync of either directory makes it durable.
    let renamed = || vec![made(), moved()];
    must_be(renamed(), &all, &["", "a/x", "b/y"])?;
    for directory in [A, B] {
        let synced = [renamed(), vec![Event::SyncDirectory(directory)]].concat();
        must_be_at_the_end(synced, &all, &["b/y"])?;
    }
    // Where it is two changes, it may be half there.
    let renamed_and_told = [renamed(), vec![Event::Acknowledged]].concat();
    let halves = ["", "a/x", "b/y", "a/x b/y"];
    must_be(renamed_and_told, &[Family::Halves], &halves)?;
    // Bytes and names are lost apart from each other, until each is synced.
    let parts = ["", "a/x", "a/x:wh", "a/x:\0\0\0\0\0", "a/x:whole"];
    must_be(vec![made(), written()], &all, &parts)?;
    let synced = || vec![made(), written(), Event::SyncFile(FILE)];
    must_be_at_the_end(synced(), &all, &["", "a/x:whole"])?;
    let both = [synced(), vec![Event::SyncDirectory(A)]].concat();
    must_be_at_the_end(both, &all, &["a/x:whole"])?;
    Ok(Count::default())
}

fn must_be(events: Vec<Event>, families: &[Family], expected: &[&str]) -> Result<(), String> {
    must_be_from(0, events, families, expected)
}

fn must_be_at_the_end(
    events: Vec<Event>,
    families: &[Family],
    expected: &[&str],
) -> Result<(), String> {
    must_be_from(events.len(), events, families, expected)
}

fn must_be_from(
    first: usize,
    events: Vec<Event>,
    families: &[Family],
    expected: &[&str],
) -> Result<(), String> {
    let directory = |names: &[(&str, NodeId)]| {
        let names = names.iter().map(|(name, node)| ((*name).into(), *node));
        Node::Directory(names.collect::<BTreeMap<_, _>>())
    };
    let mut start = vec![Node::File(Vec::new()); OTHER + 1];
    start[ROOT] = directory(&[("a", A), ("b", B)]);
    start[A] = directory(&[]);
    start[B] = directory(&[]);
    let history = History { start, events };
    let found = states(&history, families, first)?;
    let found: BTreeSet<String> = found.iter().map(|(tree, _)| shown(tree)).collect();
    let expected = expected.iter().map(|state| (*state).to_owned()).collect();
    match found == expected {
        true => Ok(()),
        false => Err(format!("{families:?}: {found:?}, not {expected:?}")),
    }
}

/// The files of a tree, with what is in them.
fn shown(Tree(tree): &Tree) -> String {
    let shown = |(path, lies): (&std::path::PathBuf, &Lies)| match lies {
        Lies::Directory => None,
        Lies::File(contents) if contents.is_empty() => Some(path.display().to_string()),
        Lies::File(contents) => Some(format!(
            "{}:{}",
            path.display(),
            String::from_utf8_lossy(contents)
        )),
        Lies::Link(_) => Some(Path::new(path).display().to_string()),
    };
    tree.iter().filter_map(shown).collect::<Vec<_>>().join(" ")
}
