//! The binary and a spool to use it on.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// No account of this id owns anything.
const NOBODY: u32 = 65534;

pub fn multispool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_multispool"));
    command.stdin(Stdio::null());
    command
}

/// How a command ended, its streams as text where text is expected.
pub struct Ran {
    pub status: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ran {
    pub fn new(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    /// The one line of output, without its end.
    pub fn line(&self) -> String {
        let text = self.text();
        let line = text
            .strip_suffix('\n')
            .unwrap_or_else(|| panic!("no line in {text:?}: {}", self.err));
        assert!(!line.contains('\n'), "more than a line: {text:?}");
        line.to_owned()
    }

    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    pub fn json(&self) -> Vec<serde_json::Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[track_caller]
    pub fn ended(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            Some(status),
            "stdout {:?}, stderr {}",
            String::from_utf8_lossy(&self.out),
            self.err
        );
        self
    }

    #[track_caller]
    pub fn saying(self, words: &str) -> Self {
        assert!(
            self.err.contains(words),
            "{words:?} is not in {:?}",
            self.err
        );
        self
    }
}

pub fn run(command: &mut Command) -> Ran {
    Ran::new(command.output().unwrap())
}

/// Runs `command` with `input` on its standard input.
pub fn run_with(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that refuses its arguments reads nothing: its status is what counts.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::new(output)
}

/// A new spool with the queues `incoming`, `done` and `failed`, and room beside it.
pub struct Bench {
    pub room: TempDir,
    pub spool: PathBuf,
}

impl Bench {
    pub fn new() -> Self {
        let bench = Self::without_spool();
        run(multispool()
            .arg("create")
            .arg(&bench.spool)
            .args(["incoming", "done", "failed"]))
        .ended(0);
        bench
    }

    pub fn without_spool() -> Self {
        let room = tempfile::tempdir().unwrap();
        let spool = room.path().join("spool");
        Self { room, spool }
    }

    /// A command on this spool, to which arguments may still be added.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = multispool();
        // A run that is killed leaves its temporary directory, which is to go with the bench.
        command.env("TMPDIR", self.room.path());
        command.arg(verb).arg(&self.spool);
        command
    }

    pub fn run(&self, verb: &str, arguments: &[&str]) -> Ran {
        run(self.command(verb).args(arguments))
    }

    /// Puts an entry of that name into `incoming`, its metadata `about NAME`, its data `data of NAME`.
    pub fn put(&self, name: &str) {
        self.put_os(OsStr::new(name));
    }

    pub fn put_all(&self, names: &[&str]) {
        names.iter().for_each(|name| self.put(name));
    }

    pub fn put_os(&self, name: &OsStr) {
        let with = |prefix: &str| {
            let mut bytes = prefix.as_bytes().to_vec();
            bytes.extend(name.as_encoded_bytes());
            bytes
        };
        // A name that begins with a dash must not look like an option.
        let mut option = OsString::from("--name=");
        option.push(name);
        let mut command = self.command("enqueue");
        command
            .args(["incoming", "--reserve"])
            .arg(option)
            .arg("--metadata")
            .arg(OsString::from_vec(with("about ")));
        run_with(&mut command, &with("data of ")).ended(0);
    }

    pub fn list(&self, queue: &str) -> Vec<String> {
        self.run("list", &[queue]).ended(0).lines()
    }

    pub fn checkouts(&self, queue: &str) -> Vec<String> {
        self.run("list", &[queue, "--checkouts"]).ended(0).lines()
    }

    /// The spool in this process, to hold entries as a live worker does.
    pub fn library(&self) -> multispool::Spool {
        multispool::Spool::load(
            &self.spool,
            multispool::Spool::discover(&self.spool).unwrap(),
        )
        .unwrap()
    }

    /// An entry in the hands of this process: dropped, it is what a dead worker held.
    pub fn take(&self, queue: &str, name: &str) -> multispool::Checkout {
        self.library()
            .entry(queue, name)
            .unwrap()
            .checkout()
            .unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    pub fn file(&self, name: &str, contents: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }
}

pub fn names_in(directory: &Path) -> Vec<OsString> {
    let mut names: Vec<OsString> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}

/// The binary as a user to whom permissions apply: root becomes nobody, anybody else stays.
pub fn unprivileged(bench: &Bench) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        fs::set_permissions(bench.room.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copy = bench.path("multispool");
        if !copy.exists() {
            // By another process: a descriptor of ours, open for writing, would make the copy "busy"
            // for as long as a child that some other test is forking holds it.
            let mut cp = Command::new("cp");
            run(cp.arg(env!("CARGO_BIN_EXE_multispool")).arg(&copy)).ended(0);
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = Command::new(copy);
        command.uid(NOBODY).gid(NOBODY);
        command
    } else {
        multispool()
    };
    command.stdin(Stdio::null());
    command
}
