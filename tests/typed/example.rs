//! The example `widgets`, as a user runs it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use multispool::{Limits, Spool};

use crate::tree::listing;

fn start(spool: Option<&Path>) -> Child {
    // TARGET/PROFILE/deps/this: the example is there already, unless only this test was asked for.
    let target = std::env::current_exe().unwrap();
    let target = target.ancestors().nth(3).unwrap();
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--example", "widgets"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .arg("--target-dir")
        .arg(target)
        .arg("--")
        .args(spool)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What it prints.
#[track_caller]
fn end(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    assert_eq!(told, "");
    String::from_utf8(output.stdout).unwrap()
}

const PRINTED: &str = "\
ordered widget-00001: sprocket for Ada
ordered widget-00002: cog for Grace
ordered widget-00003: cog for Ada
made    number 1: engraved sprocket
made    number 2: engraved cog
made    number 3: engraved cog
shipped widget-00001 to ADA
shipped widget-00002 to GRACE
shipped widget-00003 to ADA
0 problems
ADA has number 1: engraved sprocket
GRACE has number 2: engraved cog
ADA has number 3: engraved cog
";

#[test]
fn the_workshop_works_in_a_spool_of_its_own_and_again_in_one_that_is_there() {
    assert_eq!(end(start(None)), PRINTED);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("workshop");
    for _ in 0..2 {
        assert_eq!(end(start(Some(&path))), PRINTED);
        for empty in [".data", ".registry", ".tmp"] {
            assert_eq!(listing(&path.join(empty)), [""; 0], "{empty}");
        }
    }
}

#[test]
fn workshops_share_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("workshop");
    let workshops = [(); 3].map(|()| start(Some(&path)));
    let printed = workshops.map(end).concat();
    // Each widget passes each stage once, in whichever workshop.
    for stage in ["ordered ", "made ", "shipped "] {
        let lines = printed.lines().filter(|line| line.starts_with(stage));
        assert_eq!(lines.count(), 9, "{printed}");
    }
    // Whoever came last has collected all that there was, or left it for the next.
    end(start(Some(&path)));
    for empty in [".data", ".registry", ".tmp"] {
        assert_eq!(listing(&path.join(empty)), [""; 0], "{empty}");
    }
    let spool = Spool::load(&path, ["ordered", "made", "shipped"]).unwrap();
    assert_eq!(spool.problems(&Limits::new()).unwrap(), []);
}
