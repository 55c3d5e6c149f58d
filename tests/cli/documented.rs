//! The JSON that is printed has exactly the keys of the examples in docs/cli.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::binary::{Bench, Ran, run, run_with};

type Keys = BTreeSet<String>;

fn keys(line: &Value) -> Keys {
    line.as_object().unwrap().keys().cloned().collect()
}

/// By verb, the keys of each example.
fn documented() -> BTreeMap<String, BTreeSet<Keys>> {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    let mut shapes: BTreeMap<String, BTreeSet<Keys>> = BTreeMap::new();
    let mut verb = None;
    for line in page.lines() {
        if let Some(begun) = line.strip_prefix("```json ") {
            verb = Some(begun.to_owned());
        } else if line == "```" {
            verb = None;
        } else if let Some(verb) = &verb {
            let example = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{verb}: {line}: {error}"));
            shapes
                .entry(verb.clone())
                .or_default()
                .insert(keys(&example));
        }
    }
    shapes
}

fn printed(bench: &Bench) -> BTreeMap<String, BTreeSet<Keys>> {
    let mut shapes: BTreeMap<String, BTreeSet<Keys>> = BTreeMap::new();
    let mut call = |verb: &str, arguments: &[&str]| -> Ran {
        let ran = run_with(bench.command(verb).arg("--json").args(arguments), b"text");
        let lines = ran.json();
        assert!(
            !lines.is_empty(),
            "{verb} {arguments:?} printed nothing: {}",
            ran.err
        );
        shapes
            .entry(verb.to_owned())
            .or_default()
            .extend(lines.iter().map(keys));
        ran
    };
    let binary = bench.file("binary", b"\xff");
    let binary = binary.to_str().unwrap();
    call("create", &["incoming"]);
    call("queues", &[]);
    call("enqueue", &["incoming", "--metadata", "text"]);
    call(
        "enqueue",
        &["incoming", "--metadata-file", binary, "--data", binary],
    );
    call("enqueue", &["incoming", "--files", binary, "/nonexistent"]);
    call("list", &["incoming"]);
    let names = bench.list("incoming");
    for verb in ["show", "data"] {
        call(verb, &["incoming", &names[0], &names[1], "gone"]);
    }
    drop(bench.take("incoming", &names[0]));
    call("fsck", &[]);
    let end = "kill $PPID";
    call("monitor", &["--alert-after-cycles", "0", "--exec", end]);
    call("recover", &[]);
    bench.file("spool/.data/orphan", b"");
    call("repair", &["--min-age", "0s"]);
    call("repair", &["--min-age", "0s", "--apply"]);
    call("stats", &[]);
    call("stats", &["--bytes"]);
    call("doctor", &[]);
    call("move", &["incoming", "done", &names[0], "gone"]);
    call("remove", &["done", &names[0], "gone"]);
    call("dequeue", &["incoming", "--save-to", "done"]);
    call("dequeue", &["done", "--remove"]);
    call("run", &["incoming", "--all", "--", "true"]);
    bench.put("a");
    call("run", &["incoming", "--all", "--", "false"]);
    shapes
}

#[test]
fn every_verb_s_json_is_as_documented() {
    let (documented, printed) = (documented(), printed(&Bench::new()));
    assert_eq!(
        documented.keys().collect::<Vec<_>>(),
        printed.keys().collect::<Vec<_>>()
    );
    for (verb, shapes) in &printed {
        assert_eq!(
            &documented[verb], shapes,
            "{verb}: documented on the left, printed on the right"
        );
    }
}

#[test]
fn every_flag_of_each_help_is_documented() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    for verb in documented().keys() {
        let help = run(crate::binary::multispool().args([verb.as_str(), "--help"]))
            .ended(0)
            .text();
        for word in help.split(|letter: char| !(letter.is_alphanumeric() || letter == '-')) {
            if word.starts_with("--") && word.len() > 2 && word != "--help" {
                assert!(page.contains(word), "{verb} {word} is not in docs/cli.md");
            }
        }
    }
}
