//! create, queues, list, move, remove, recover, stats.

use serde_json::json;

use crate::binary::{Bench, multispool, names_in, run};

#[test]
fn create_makes_the_queues_and_again_adds_to_them() {
    let bench = Bench::without_spool();
    assert!(bench.run("create", &["b", "a"]).ended(0).out.is_empty());
    assert_eq!(bench.run("queues", &[]).ended(0).text(), "a\nb\n");
    bench.run("create", &["c", "a"]).ended(0);
    assert_eq!(bench.run("queues", &[]).ended(0).text(), "a\nb\nc\n");
    assert_eq!(
        names_in(&bench.spool),
        [".data", ".multispool", ".registry", ".tmp", "a", "b", "c"]
    );
}

#[test]
fn create_refuses_a_directory_with_other_things() {
    let bench = Bench::without_spool();
    std::fs::create_dir(&bench.spool).unwrap();
    std::fs::write(bench.spool.join("letter"), b"dear").unwrap();
    bench.run("create", &["a"]).ended(3).saying("empty");
    assert_eq!(names_in(&bench.spool), ["letter"]);
}

#[test]
fn create_records_who_shares_the_spool() {
    for (arguments, owners) in [(&["q"][..], "locking"), (&["q", "--mixed"], "mixed")] {
        let bench = Bench::without_spool();
        let mut command = bench.command("create");
        let lines = run(command.args(arguments).args(["--mode", "local", "--json"]))
            .ended(0)
            .json();
        let spool = bench.spool.to_str().unwrap();
        assert_eq!(
            lines,
            [json!({
                "spool": spool,
                "mode": "local",
                "owners": owners,
                "format_version": 1,
                "lease_seconds": null,
            })]
        );
        let format = std::fs::read_to_string(bench.spool.join(".multispool/format")).unwrap();
        assert!(format.contains(&format!("owners {owners}")), "{format}");
    }
}

#[test]
fn create_refuses_a_mode_that_cannot_be_kept() {
    let bench = Bench::without_spool();
    bench.run("create", &["q", "--mode", "shared"]).ended(2);
    bench
        .run("create", &["q", "--mode", "network", "--lease", "1s"])
        .ended(2)
        .saying("lease");
    bench
        .run("create", &["q", "--mode", "network", "--mixed"])
        .ended(2)
        .saying("locks");
    bench.run("list", &["q"]).ended(3);
    bench.run("create", &["q", "--mode", "local"]).ended(0);
    bench
        .run("create", &["q", "--mode", "network"])
        .ended(2)
        .saying("mode");
}

#[test]
fn a_spool_for_several_hosts_says_its_lease_and_doctor_tells_of_it() {
    let bench = Bench::without_spool();
    let arguments = ["q", "done", "--mode", "network", "--lease", "30s", "--json"];
    let lines = bench.run("create", &arguments).ended(0).json();
    assert_eq!(lines[0]["mode"], "network");
    assert_eq!(lines[0]["lease_seconds"], 30);

    let told = bench.run("doctor", &[]).ended(0);
    let text = told.text();
    assert!(text.contains("mode: network\nlease: 30s\n"), "{text}");
    let lines = bench.run("doctor", &["--json"]).ended(0).json();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["well"], true);
    assert_eq!(lines[0]["lease_seconds"], 30);

    // An entry goes its way as in any other.
    bench
        .run("enqueue", &["q", "--name", "a", "--reserve"])
        .ended(0);
    bench
        .run("run", &["q", "--all", "--save-to", "done", "--", "true"])
        .ended(0);
    assert_eq!(bench.list("done"), ["a"]);
}

#[test]
fn list_is_sorted_by_bytes_and_tells_checkouts_apart() {
    let bench = Bench::new();
    bench.put_all(&["b", "B", "a10", "a2"]);
    let held = bench.take("incoming", "a2");
    assert_eq!(bench.list("incoming"), ["B", "a10", "b"]);
    assert_eq!(bench.checkouts("incoming"), ["a2"]);
    drop(held);
}

#[test]
fn list_in_json_tells_when_an_entry_last_moved() {
    let bench = Bench::new();
    bench.put("a");
    let line = &bench.run("list", &["incoming", "--json"]).ended(0).json()[0];
    let touched = humantime::parse_rfc3339(line["touched_at"].as_str().unwrap()).unwrap();
    let registry = std::fs::metadata(bench.spool.join(".registry/a"))
        .unwrap()
        .modified()
        .unwrap();
    let difference = registry.duration_since(touched).unwrap();
    assert!(difference.as_millis() == 0, "{difference:?}");
}

#[test]
fn what_somebody_works_on_is_neither_moved_nor_removed() {
    let bench = Bench::new();
    bench.put("a");
    let mut held = bench.take("incoming", "a");
    bench
        .run("move", &["incoming", "done", "a"])
        .ended(1)
        .saying("a");
    bench.run("remove", &["incoming", "a"]).ended(1).saying("a");
    held.release().unwrap();
    bench.run("move", &["incoming", "done", "a"]).ended(0);
    assert_eq!(bench.run("data", &["done", "a"]).text(), "data of a");
}

#[test]
fn remove_leaves_nothing_behind() {
    let bench = Bench::new();
    bench.put("a");
    assert!(
        bench
            .run("remove", &["incoming", "a"])
            .ended(0)
            .out
            .is_empty()
    );
    for directory in [".registry", ".data", ".tmp", "incoming/.checkout"] {
        assert!(
            names_in(&bench.spool.join(directory)).is_empty(),
            "{directory}"
        );
    }
}

#[test]
fn a_damaged_entry_is_a_failure_for_itself_only() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    std::fs::remove_file(bench.spool.join(".data/a")).unwrap();
    bench
        .run("move", &["incoming", "done", "a", "b"])
        .ended(3)
        .saying("a");
    assert_eq!(bench.list("done"), ["b"]);
    assert_eq!(bench.list("incoming"), ["a"]);
}

#[test]
fn recover_returns_what_the_dead_held_and_not_what_the_living_hold() {
    let bench = Bench::new();
    bench.put_all(&["dead", "living"]);
    let _living = bench.take("incoming", "living");
    drop(bench.take("incoming", "dead"));
    assert_eq!(
        bench.run("recover", &["--min-age", "1h"]).ended(0).text(),
        ""
    );
    let lines = bench.run("recover", &["--json"]).ended(0).json();
    assert_eq!(
        lines,
        [json!({"name": "dead", "queue": "incoming", "outcome": "returned"})]
    );
    assert_eq!(bench.list("incoming"), ["dead"]);
    assert_eq!(bench.run("recover", &[]).ended(0).text(), "");
    assert_eq!(bench.checkouts("incoming"), ["living"]);
}

#[test]
fn stats_counts_entries_and_tells_the_living_from_the_dead() {
    let bench = Bench::new();
    bench.put_all(&["a", "b", "c", "d"]);
    let _living = bench.take("incoming", "c");
    drop(bench.take("incoming", "d"));
    bench.run("move", &["incoming", "done", "a"]).ended(0);
    let lines = bench.run("stats", &["--json", "--bytes"]).ended(0).json();
    assert_eq!(lines.len(), 4);
    let of = |queue: &str| lines.iter().find(|line| line["queue"] == queue).unwrap();
    let incoming = of("incoming");
    assert_eq!(
        (
            &incoming["entries"],
            &incoming["checked_out_alive"],
            &incoming["checked_out_dead"]
        ),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!(incoming["oldest_age_seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(of("done")["entries"], 1);
    assert_eq!(
        (&of("done")["metadata_bytes"], &of("done")["data_bytes"]),
        (&json!(7), &json!(9))
    );
    assert_eq!(of("failed")["oldest_age_seconds"], json!(null));
    assert!(lines[3]["free_bytes"].as_u64().is_some());
    let text = bench.run("stats", &[]).ended(0).text();
    assert!(
        text.contains("incoming") && text.contains("free:") && !text.contains("bytes  "),
        "{text}"
    );
}

#[test]
fn version_tells_the_version_of_the_format_too() {
    let ran = run(multispool().arg("--version")).ended(0);
    assert_eq!(
        ran.line(),
        format!(
            "multispool {} (on-disk format {})",
            env!("CARGO_PKG_VERSION"),
            multispool::FORMAT_VERSION
        )
    );
}

#[test]
fn each_help_has_an_example() {
    for verb in [
        "create", "queues", "enqueue", "list", "show", "data", "dequeue", "run", "move", "remove",
        "recover", "fsck", "repair", "stats",
    ] {
        let help = run(multispool().args([verb, "--help"])).ended(0).text();
        assert!(
            help.contains("Example:\n") && help.contains(&format!("multispool {verb}")),
            "{help}"
        );
    }
}

#[test]
fn fsck_prints_a_problem_a_line_and_repair_clears_what_it_can_only_when_told() {
    let bench = Bench::new();
    bench.put_all(&["a", "b"]);
    assert_eq!(bench.run("fsck", &[]).ended(0).text(), "");
    assert_eq!(bench.run("repair", &[]).ended(0).text(), "");
    drop(bench.take("incoming", "a"));
    bench.file("spool/.data/lost", b"data");
    let problems = bench.run("fsck", &[]).ended(1).lines();
    assert_eq!(
        problems,
        [
            ".data/lost: its name is not reserved (repair)",
            "incoming/.checkout/a: checked out, and its owner is dead (recover)",
        ]
    );
    assert_eq!(
        bench.run("fsck", &["--min-age", "1h"]).ended(0).text(),
        "",
        "what is young is left out"
    );
    assert_eq!(bench.run("repair", &[]).ended(0).text(), "");
    let plan = bench.run("repair", &["--min-age", "0s"]).ended(0);
    assert_eq!(plan.line(), "planned remove_data .data/lost");
    assert!(bench.path("spool/.data/lost").exists());
    let to = bench.path("kept");
    let to = to.to_str().unwrap();
    let done = bench
        .run("repair", &["--min-age", "0s", "--apply", "--to", to])
        .ended(0);
    assert_eq!(done.line(), "done remove_data .data/lost");
    assert_eq!(
        std::fs::read(bench.path("kept/.data/lost")).unwrap(),
        b"data"
    );
    bench.run("recover", &[]).ended(0);
    assert_eq!(bench.run("fsck", &[]).ended(0).text(), "");
    assert_eq!(bench.list("incoming"), ["a", "b"]);
}
