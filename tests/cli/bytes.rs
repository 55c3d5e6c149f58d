//! Metadata and data are any bytes of any length.

use std::os::unix::ffi::OsStrExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::binary::{Bench, run, run_with};

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let large = (0..10 * 1024 * 1024_u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    vec![
        ("empty", Vec::new()),
        ("a newline", b"\n".to_vec()),
        ("a NUL", b"be\0tween".to_vec()),
        ("invalid UTF-8", b"\xff\xfe\x80".to_vec()),
        ("10 MB", large),
    ]
}

#[test]
fn data_comes_back_as_it_was_from_standard_input_and_from_a_file() {
    let bench = Bench::new();
    for (what, bytes) in samples() {
        let piped = run_with(
            bench.command("enqueue").args(["incoming", "--data", "-"]),
            &bytes,
        )
        .ended(0)
        .line();
        let file = bench.file("input", &bytes);
        let read = run(bench
            .command("enqueue")
            .args(["incoming", "--data"])
            .arg(file))
        .ended(0)
        .line();
        for name in [piped, read] {
            let out = bench.run("data", &["incoming", &name]).ended(0).out;
            assert!(out == bytes, "{what}: {} bytes came back", out.len());
            assert!(
                bench
                    .run("show", &["incoming", &name])
                    .ended(0)
                    .out
                    .is_empty()
            );
            let to = bench.path("output");
            let mut command = bench.command("dequeue");
            run(command.args(["incoming", "--remove", "--data-to"]).arg(&to)).ended(0);
            assert!(std::fs::read(&to).unwrap() == bytes, "{what}");
        }
    }
}

#[test]
fn metadata_comes_back_as_it_was() {
    let bench = Bench::new();
    for (what, bytes) in samples() {
        let file = bench.file("metadata", &bytes);
        let mut command = bench.command("enqueue");
        let name = run(command.args(["incoming", "--metadata-file"]).arg(file))
            .ended(0)
            .line();
        let out = bench.run("show", &["incoming", &name]).ended(0).out;
        assert!(out == bytes, "{what}: {} bytes came back", out.len());
        let out = bench
            .run(
                "dequeue",
                &["incoming", "--save-to", "done", "--metadata-to", "-"],
            )
            .ended(0)
            .out;
        assert!(out == bytes, "{what}: {} bytes came back", out.len());
    }
    let text = std::ffi::OsStr::from_bytes(b"tab\t\xff");
    let name = run(bench
        .command("enqueue")
        .args(["incoming", "--metadata"])
        .arg(text))
    .ended(0)
    .line();
    assert_eq!(bench.run("show", &["incoming", &name]).out, b"tab\t\xff");
}

#[test]
fn json_gives_text_where_the_bytes_are_text_and_base64_where_not() {
    let bench = Bench::new();
    let metadata = bench.file("metadata", b"\xff");
    let mut command = bench.command("enqueue");
    let name = run_with(
        command.args(["incoming", "--metadata-file"]).arg(metadata),
        b"text",
    )
    .ended(0)
    .line();
    let shown = bench
        .run("show", &["incoming", &name, "--json"])
        .ended(0)
        .json();
    assert_eq!(shown[0]["metadata_base64"], STANDARD.encode(b"\xff"));
    assert!(shown[0].get("metadata").is_none());
    let data = bench
        .run("data", &["incoming", &name, "--json"])
        .ended(0)
        .json();
    assert_eq!(data[0]["data"], "text");
}

#[test]
fn several_names_are_printed_one_after_the_other_with_nothing_between() {
    let bench = Bench::new();
    bench.put("a");
    bench.put("b");
    assert_eq!(
        bench.run("show", &["incoming", "b", "a"]).ended(0).text(),
        "about babout a"
    );
    assert_eq!(
        bench.run("data", &["incoming", "a", "b"]).ended(0).text(),
        "data of adata of b"
    );
}
