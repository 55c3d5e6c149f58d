//! `monitor` tells what comes and what goes, and `stats --prometheus` counts it.

use std::process::Stdio;

use prometheus_parse::{Scrape, Value};

use crate::binary::{Bench, Ran, run};

/// A monitor that checks fast and tells at the first sighting, and at whose events `command` is run.
fn monitored(bench: &Bench, command: &str, arguments: &[&str]) -> Ran {
    let mut monitor = bench.command("monitor");
    monitor.args(["--check-every", "5ms", "--alert-after-cycles", "0"]);
    run(monitor.args(["--exec", command]).args(arguments))
}

/// Ends the monitor from its own command: SIGTERM, as a service manager would.
const END: &str = "kill $PPID";

#[test]
fn a_problem_that_comes_and_goes_is_told_and_a_sigterm_ends_it_with_success() {
    let bench = Bench::new();
    bench.file("spool/.data/stray", b"");
    let script = "case $MULTISPOOL_EVENT in \
         start) rm \"$MULTISPOOL_SPOOL/.data/$MULTISPOOL_NAME\" ;; \
         end) kill $PPID ;; esac";
    let lines = monitored(&bench, script, &[]).ended(0).lines();
    let [start, end] = &lines[..] else {
        panic!("{lines:?}");
    };
    let told = |line: &String| line.split_once(' ').unwrap().1.to_owned();
    let problem = ".data/stray: its name is not reserved (repair)";
    assert_eq!(told(start), format!("start: {problem}"));
    assert_eq!(told(end), format!("end: {problem}"));
}

#[test]
fn the_command_of_an_event_has_it_as_json_and_in_its_environment() {
    let bench = Bench::new();
    bench.put("a");
    drop(bench.take("incoming", "a"));
    let script = "cat; echo $MULTISPOOL_KIND $MULTISPOOL_NAME $MULTISPOOL_SEVERITY \
         $MULTISPOOL_ACTION; kill $PPID";
    let lines = monitored(&bench, script, &["--json"]).ended(0).lines();
    let [printed, given, environment] = &lines[..] else {
        panic!("{lines:?}");
    };
    let event: serde_json::Value = serde_json::from_str(printed).unwrap();
    let given: serde_json::Value = serde_json::from_str(given).unwrap();
    for key in [
        "event", "time", "kind", "name", "places", "mtime", "severity", "action",
    ] {
        assert_eq!(event[key], given[key], "{key}");
    }
    assert_eq!(event["event"], "start");
    assert_eq!(event["places"][0], "incoming/.checkout");
    assert_eq!(environment, "dead_owner a stuck recover");
}

#[test]
fn a_command_that_fails_is_told_and_stops_nothing() {
    let bench = Bench::new();
    for name in ["x", "y"] {
        bench.file(&format!("spool/.data/{name}"), b"");
    }
    let script = "[ $MULTISPOOL_NAME = x ] || kill $PPID; exit 7";
    let ran = monitored(&bench, script, &[])
        .ended(0)
        .saying("exit status: 7");
    assert_eq!(ran.lines().len(), 2);
}

#[test]
fn each_limit_has_its_flag() {
    for (flag, value, expected) in [
        ("--max-queue-age", "incoming=0s", "too_old"),
        ("--max-checked-out-age", "0s", "too_old"),
        ("--max-tmp-file-age", "0s", "too_old"),
        ("--max-reservation-age", "0s", "orphaned"),
        ("--min-free-bytes", "18446744073709551615", "low_space"),
        ("--min-free-inodes", "18446744073709551615", "low_space"),
    ] {
        let bench = Bench::new();
        bench.put_all(&["a", "b"]);
        let held = bench.take("incoming", "b");
        bench.file("spool/.tmp/a.tmp.abcdef", b"");
        bench.file("spool/.registry/c", b"");
        let none = "echo none; kill $PPID";
        // Without the flag the first event is the one that is planted only now.
        bench.file("spool/.data/stray", b"");
        let ran = monitored(&bench, none, &["--json"]).ended(0);
        assert_eq!(ran.lines()[1], "none");
        assert!(ran.lines()[0].contains("\"stray\""), "{flag}");
        std::fs::remove_file(bench.path("spool/.data/stray")).unwrap();
        let ran = monitored(&bench, END, &["--json", flag, value]).ended(0);
        assert_eq!(ran.json()[0]["kind"], expected, "{flag}");
        drop(held);
    }
}

#[test]
fn bad_limits_are_refused_and_no_spool_is_made() {
    let bench = Bench::new();
    for (arguments, words) in [
        (["--max-queue-age", "incoming"], "incoming=10m"),
        (["--max-queue-age", "incoming=soon"], "no span of time"),
        (["--max-queue-age", "other=1s"], "other"),
        (["--check-every", "often"], "often"),
    ] {
        bench.run("monitor", &arguments).ended(2).saying(words);
    }
    let empty = Bench::without_spool();
    empty.run("monitor", &[]).ended(3);
    assert!(!empty.spool.exists());
}

#[test]
fn a_closed_output_ends_it() {
    let bench = Bench::new();
    bench.file("spool/.data/stray", b"");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut monitor = bench.command("monitor");
    let mut monitor = monitor
        .args(["--alert-after-cycles", "0"])
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(monitor.wait().unwrap().code(), Some(141));
}

fn metrics(text: &str) -> Scrape {
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
}

/// The sample of that name with these labels besides the spool's.
fn value(scrape: &Scrape, name: &str, labels: &[(&str, &str)]) -> f64 {
    let found: Vec<_> = scrape
        .samples
        .iter()
        .filter(|sample| {
            sample.metric == name
                && sample.labels.len() == labels.len() + 1
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(label) == Some(value))
        })
        .collect();
    let [sample] = &found[..] else {
        panic!("{name} {labels:?}: {found:?}");
    };
    match sample.value {
        Value::Gauge(value) => value,
        ref other => panic!("{name} is no gauge: {other:?}"),
    }
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let bench = Bench::new();
    bench.put_all(&["a", "b", "c"]);
    drop(bench.take("incoming", "a"));
    let held = bench.take("incoming", "b");
    bench.file("spool/.data/stray", b"");
    let scrape = metrics(&bench.run("stats", &["--prometheus"]).ended(0).text());
    let incoming = ("queue", "incoming");
    assert_eq!(value(&scrape, "multispool_entries", &[incoming]), 1.0);
    assert_eq!(
        value(&scrape, "multispool_entries", &[("queue", "done")]),
        0.0
    );
    let checked_out = |owner| {
        value(
            &scrape,
            "multispool_checked_out",
            &[incoming, ("owner", owner)],
        )
    };
    assert_eq!((checked_out("alive"), checked_out("dead")), (1.0, 1.0));
    assert!(value(&scrape, "multispool_oldest_seconds", &[incoming]) > 0.0);
    assert_eq!(
        value(&scrape, "multispool_oldest_seconds", &[("queue", "done")]),
        0.0
    );
    for kind in multispool::Problem::KINDS {
        let expected = f64::from(u8::from(["dead_owner", "orphaned"].contains(&kind)));
        assert_eq!(
            value(&scrape, "multispool_problems", &[("kind", kind)]),
            expected,
            "{kind}"
        );
    }
    assert!(value(&scrape, "multispool_free_bytes", &[]) > 0.0);
    drop(held);
}

#[test]
fn metrics_for_a_file_replace_it_and_leave_nothing_else() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("metrics")).unwrap();
    let path = bench.path("metrics/spool.prom");
    std::fs::write(&path, "old").unwrap();
    let path = path.to_str().unwrap();
    let printed = bench
        .run("stats", &["--prometheus", "--to", path])
        .ended(0)
        .text();
    assert_eq!(printed, "");
    let scrape = metrics(&std::fs::read_to_string(path).unwrap());
    assert_eq!(
        value(&scrape, "multispool_entries", &[("queue", "done")]),
        0.0
    );
    assert_eq!(
        crate::binary::names_in(&bench.path("metrics")),
        ["spool.prom"]
    );
    let nowhere = bench.path("nowhere/spool.prom");
    let nowhere = nowhere.to_str().unwrap();
    bench
        .run("stats", &["--prometheus", "--to", nowhere])
        .ended(3)
        .saying("nowhere");
    bench.run("stats", &["--to", path]).ended(2);
}
