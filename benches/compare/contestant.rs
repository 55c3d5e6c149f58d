//! Who is measured: the command line of a driver, and the server that it needs.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The bare system calls, without syncs, with those of any file system, with those of one that commits in order.
    Floor,
    FloorStrict,
    FloorOrdered,
    /// The library at `none` and at `full`.
    Rust,
    RustFull,
    C,
    Go,
    Ruby,
    Beanstalkd,
    Redis,
    Litequeue,
    Dirq,
}

impl Who {
    pub const ALL: [Who; 12] = [
        Who::Floor,
        Who::Rust,
        Who::C,
        Who::Go,
        Who::Ruby,
        Who::Dirq,
        Who::FloorStrict,
        Who::FloorOrdered,
        Who::RustFull,
        Who::Beanstalkd,
        Who::Redis,
        Who::Litequeue,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Who::Floor => "floor, no syncs",
            Who::FloorStrict => "floor, strict",
            Who::FloorOrdered => "floor, ordered",
            Who::Rust => "multispool none",
            Who::RustFull => "multispool full",
            Who::C => "multispool none, through C",
            Who::Go => "multispool none, through Go",
            Who::Ruby => "multispool none, through Ruby",
            Who::Beanstalkd => "beanstalkd -b -f0",
            Who::Redis => "redis, AOF always",
            Who::Litequeue => "litequeue, SQLite FULL",
            Who::Dirq => "dirq, never syncs",
        }
    }

    /// Whether each message is durable when the call has returned.
    pub fn is_durable(self) -> bool {
        matches!(
            self,
            Who::FloorStrict
                | Who::FloorOrdered
                | Who::RustFull
                | Who::Beanstalkd
                | Who::Redis
                | Who::Litequeue
        )
    }

    /// The program in the directory of programs, and its first two arguments.
    fn driver(self) -> [&'static str; 3] {
        match self {
            Who::Floor => ["floor", "floor", "off"],
            Who::FloorStrict => ["floor", "floor", "strict"],
            Who::FloorOrdered => ["floor", "floor", "ordered"],
            Who::Rust => ["rust", "multispool", "off"],
            Who::RustFull => ["rust", "multispool", "on"],
            Who::C => ["c", "multispool", "off"],
            Who::Go => ["go", "multispool", "off"],
            Who::Ruby => ["ruby", "multispool", "off"],
            Who::Beanstalkd => ["beanstalkd", "beanstalkd", "on"],
            Who::Redis => ["redis", "redis", "on"],
            Who::Litequeue => ["litequeue", "litequeue", "on"],
            Who::Dirq => ["dirq", "dirq", "off"],
        }
    }

    pub fn command(self, programs: &Path, dir: &Path) -> Command {
        let [program, peer, durability] = self.driver();
        let mut command = Command::new(programs.join(program));
        command.arg(peer).arg(durability).arg(dir);
        command
    }

    /// Why it cannot be measured, if so: who builds the programs leaves out what is not installed.
    pub fn missing(self, programs: &Path) -> Option<&'static str> {
        let [program, ..] = self.driver();
        (!programs.join(program).exists()).then_some("not installed")
    }

    fn server(self, dir: &Path, port: &str) -> Option<Command> {
        match self {
            Who::Beanstalkd => {
                let mut command = Command::new("beanstalkd");
                command.args(["-l", "127.0.0.1", "-p", port, "-f0", "-b"]);
                command.arg(dir);
                Some(command)
            }
            Who::Redis => {
                let mut command = Command::new("redis-server");
                command.args(["--bind", "127.0.0.1", "--port", port, "--save", ""]);
                command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]);
                command.arg(dir);
                Some(command)
            }
            _ => None,
        }
    }
}

/// A server that ends with its owner.
pub struct Server(Child);

impl Server {
    /// Starts the contestant's server, if it has one, and says at which port.
    pub fn start(who: Who, dir: &Path) -> io::Result<Option<(Server, String)>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let text = port.to_string();
        let Some(mut command) = who.server(dir, &text) else {
            return Ok(None);
        };
        fs::create_dir_all(dir)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server(command.spawn()?);
        let begun = Instant::now();
        // A server does not tell when it begins to listen.
        while let Err(error) = TcpStream::connect(("127.0.0.1", port)) {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Some((server, text)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself has failed its clients before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
