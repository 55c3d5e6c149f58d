//! The C library as a C program finds it: what it does to its process, how it links, that its tests leave
//! nothing out, and that the examples work. What the functions do is tested in C, in `bindings/c/tests`.
#![cfg(feature = "capi")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The libraries of this build: beside the test's own program. (The copies a folder above are made by
/// `cargo build` alone, and may be of another build.)
fn libraries() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Compiles a C program against this build; `link` says how to find the library.
fn compile<S: AsRef<OsStr>>(
    source: &Path,
    into: &Path,
    link: impl IntoIterator<Item = S>,
) -> PathBuf {
    let program = into.join(source.file_stem().unwrap());
    let output = Command::new("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-o",
        ])
        .arg(&program)
        .arg(source)
        .arg("-I")
        .arg(root().join("include"))
        .arg("-I")
        .arg(root().join("bindings/c"))
        .args(link)
        .output()
        .expect("cc");
    assert!(
        output.status.success(),
        "{}: {}",
        source.display(),
        text(&output.stderr)
    );
    program
}

/// The shared library, by the name that its programs will ask for.
fn shared(folder: &Path) -> Vec<String> {
    let link = folder.join("libmultispool.so.0");
    if !link.exists() {
        std::os::unix::fs::symlink(libraries().join("libmultispool.so"), &link).unwrap();
    }
    vec![
        link.to_str().unwrap().to_owned(),
        format!("-Wl,-rpath,{}", folder.display()),
    ]
}

fn assert_silent_success(output: &Output) {
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        text(&output.stderr)
    );
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), "");
}

/// Runs a program of `tests/capi` with a directory to use, and the path of the shared library.
fn run_silently<S: AsRef<OsStr>>(name: &str, link: impl FnOnce(&Path) -> Vec<S>) {
    let folder = tempfile::tempdir().unwrap();
    let source = root().join("tests/capi").join(name);
    let program = compile(&source, folder.path(), link(folder.path()));
    let mut command = Command::new(program);
    command
        .arg(folder.path().join("spool"))
        .arg(libraries().join("libmultispool.so"));
    assert_silent_success(&command.output().unwrap());
}

#[test]
fn the_library_leaves_its_process_alone() {
    run_silently("left_alone.c", shared);
}

#[test]
fn what_was_freed_leaves_no_descriptor_behind() {
    run_silently("descriptors.c", shared);
}

#[test]
fn a_program_that_unloads_the_library_can_go_on_and_fork() {
    run_silently("unloaded.c", |_| vec!["-ldl"]);
}

#[test]
fn a_static_program_needs_what_the_pkg_config_file_says() {
    let template = fs::read_to_string(root().join("bindings/c/multispool.pc.in")).unwrap();
    let private = template
        .lines()
        .find_map(|line| line.strip_prefix("Libs.private: "))
        .expect("Libs.private");
    let archive = libraries().join("libmultispool.a");
    let mut link = vec![archive.to_str().unwrap().to_owned()];
    link.extend(private.split_whitespace().map(str::to_owned));
    run_silently("descriptors.c", |_| link);
}

/// The functions that the header declares.
fn functions() -> Vec<String> {
    let header = fs::read_to_string(root().join("include/multispool.h")).unwrap();
    let mut names = Vec::new();
    for line in header
        .lines()
        .filter(|line| !line.starts_with([' ', '/', '#']))
    {
        if let Some((before, _)) = line.split_once('(') {
            let name = before.rsplit([' ', '*']).next().unwrap_or_default();
            if name.starts_with("multispool_") {
                names.push(name.to_owned());
            }
        }
    }
    assert!(
        names.len() > 100,
        "the header was not understood: {names:?}"
    );
    names
}

#[test]
fn the_tests_in_c_call_every_function() {
    let folder = root().join("bindings/c/tests");
    let mut nulls = String::new();
    let mut others = String::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let code = fs::read_to_string(&path).unwrap();
        match path.file_name().and_then(OsStr::to_str) {
            Some("nulls.c" | "lifetimes.c") => nulls += &code,
            _ => others += &code,
        }
    }
    // A call, or the table of the three that open a spool.
    let has = |code: &str, name: &str| {
        [format!("{name}("), format!("{name},"), format!("{name}}}")]
            .iter()
            .any(|call| code.contains(call))
    };
    for name in functions() {
        // Cleaned up by the tests as a matter of course, and given NULL in one of them.
        assert!(
            has(&others, &name) || has(&nulls, &name),
            "never called: {name}"
        );
        let takes_no_pointer = name.contains("version") || name == "multispool_status_name";
        assert!(
            takes_no_pointer || has(&nulls, &name),
            "never called with NULL: {name}"
        );
        assert!(
            name.ends_with("_free") || has(&others, &name),
            "called with NULL only: {name}"
        );
    }
}

#[test]
fn the_examples_pass_files_from_a_producer_to_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let examples = root().join("examples/c");
    let producer = compile(
        &examples.join("producer.c"),
        folder.path(),
        shared(folder.path()),
    );
    let worker = compile(
        &examples.join("worker.c"),
        folder.path(),
        shared(folder.path()),
    );
    let letter = folder.path().join("letter");
    fs::write(&letter, "foobar").unwrap();

    let mut command = Command::new(&producer);
    command
        .arg(&spool)
        .arg(&letter)
        .arg("-")
        .arg(folder.path().join("none"));
    command.stdin(fs::File::open(&letter).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one of the files is missing");
    assert!(
        text(&output.stderr).contains("none"),
        "{}",
        text(&output.stderr)
    );
    let names: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(names.len(), 2);

    let mut running = Command::new(&worker)
        .arg(&spool)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut done: Vec<String> = BufReader::new(running.stdout.take().unwrap())
        .lines()
        .take(2)
        .map(Result::unwrap)
        .collect();
    done.sort();
    // FNV-1a of "foobar".
    let expected: Vec<String> = names
        .iter()
        .map(|name| format!("{name} 85944171f73967e8"))
        .collect();
    assert_eq!(done, expected);
    let pid = i32::try_from(running.id()).unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(
        running.wait().unwrap().success(),
        "SIGTERM ends a worker in order"
    );

    let metadata = fs::read(spool.join("done").join(&names[0])).unwrap();
    let expected = format!("{}\nfnv1a 85944171f73967e8", letter.display());
    assert_eq!(text(&metadata), expected);
    let idle = Command::new(&worker).arg(&spool).arg("0").output().unwrap();
    assert_silent_success(&idle);
}

/// Compiles one of the examples.
fn example(name: &str, folder: &Path) -> PathBuf {
    let source = root().join("examples/c").join(name);
    let mut link = shared(folder);
    link.push("-pthread".to_owned());
    compile(&source, folder, link)
}

fn terminate(mut running: Child) -> Output {
    let pid = i32::try_from(running.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    drop(running.stdin.take());
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    running.wait_with_output().unwrap()
}

/// A spool, by the producer's hand, with so many entries in "incoming".
fn produce(folder: &Path, spool: &Path, count: usize) -> Vec<String> {
    let letter = folder.join("letter");
    fs::write(&letter, "foobar").unwrap();
    let mut command = Command::new(example("producer.c", folder));
    command.arg(spool).args(vec![&letter; count]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_polling_example_serves_a_queue_and_its_orders_in_one_loop() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let mut names = produce(folder.path(), &spool, 3);
    let mut running = Command::new(example("poll_worker.c", folder.path()))
        .arg(&spool)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut next = || said.next().unwrap().unwrap();
    let mut moved: Vec<String> = (0..3).map(|_| next()).collect();
    // It is asleep in its poll: an arrival wakes it, and an order does.
    names.extend(produce(folder.path(), &spool, 1));
    moved.push(next());
    moved.sort();
    names.sort();
    assert_eq!(moved, names);
    let mut orders = running.stdin.take().unwrap();
    orders.write_all(b"count\n").unwrap();
    assert_eq!(next(), "4");
    orders.write_all(b"quit\n").unwrap();
    assert!(running.wait().unwrap().success());
    assert_eq!(fs::read_dir(spool.join("done")).unwrap().count(), 5);
}

#[test]
fn the_example_with_threads_shares_the_work_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    produce(folder.path(), &spool, 20);
    let running = Command::new(example("thread_workers.c", folder.path()))
        .arg(&spool)
        .arg("4")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let done = spool.join("done");
    // One of those in it is ".checkout".
    while fs::read_dir(&done).unwrap().count() < 21 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = terminate(running);
    assert!(output.status.success(), "{}", output.status);
    let moved: Vec<usize> = text(&output.stdout)
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    assert_eq!((moved.len(), moved.iter().sum()), (4, 20));
}

#[test]
fn the_monitoring_example_tells_when_a_problem_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    produce(folder.path(), &spool, 1);
    let left = spool.join(".data/left");
    fs::write(&left, "by nobody").unwrap();
    let mut running = Command::new(example("monitor.c", folder.path()))
        .arg(&spool)
        .arg("0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut next = || said.next().unwrap().unwrap();
    let came = next();
    assert!(
        came.starts_with("start: ") && came.contains("left"),
        "{came}"
    );
    fs::remove_file(&left).unwrap();
    assert_eq!(next(), came.replace("start: ", "end: "));
    assert!(terminate(running).status.success());
}

#[test]
fn the_examples_tell_how_to_use_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "producer.c",
        "worker.c",
        "poll_worker.c",
        "thread_workers.c",
        "monitor.c",
    ] {
        let output = Command::new(example(name, folder.path())).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).starts_with("usage: "));
    }
}
