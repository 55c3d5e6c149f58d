//! The suite: which cases there are, and what came of them.

mod blindness;
mod calls;
mod case;
mod forms;
mod judge;
mod operations;
mod room;
mod tracer;
mod tree;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use room::Room;

const USAGE: &str = "\
usage: faults --in DIR [--long] [--only OPERATION]   all cases, or those of one operation
       faults --in DIR --blindness                   with steps left out of the library, each must be noticed
       faults --in DIR --calls OPERATION             the calls that an operation makes";

pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.first() == Some(&"--in")
        && let Err(error) = tracer::may_trace()
    {
        println!("faults: no process may trace its children here: {error}");
        return ExitCode::from(77);
    }
    match &words[..] {
        ["--work", name, root, rest @ ..] => {
            worker::work(named(name), &Room::new(*root), rest.first().copied());
            ExitCode::SUCCESS
        }
        ["--in", dir, "--blindness"] => blindness::run(&PathBuf::from(dir)),
        ["--in", dir, "--calls", name] => forms::print_calls(&PathBuf::from(dir), named(name)),
        ["--in", dir, rest @ ..] => {
            let (is_long, rest) = match rest {
                ["--long", rest @ ..] => (true, rest),
                rest => (false, rest),
            };
            let operations = match rest {
                [] => operations::all(),
                ["--only", name] => vec![named(name)],
                _ => return usage(),
            };
            forms::run(&PathBuf::from(dir), &operations, is_long)
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn named(name: &str) -> &'static operations::Operation {
    let found = operations::all()
        .into_iter()
        .find(|operation| operation.name == name);
    found.unwrap_or_else(|| panic!("no operation is called {name}"))
}
