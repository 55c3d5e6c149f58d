//! `multispool`: the spool from the shell.

mod create;
mod data;
mod deliver;
mod dequeue;
mod doctor;
mod enqueue;
mod fsck;
mod input;
mod list;
mod load;
mod manual;
mod monitor;
mod r#move;
mod names;
mod problem;
mod prometheus;
mod queues;
mod recover;
mod remove;
mod repair;
mod report;
mod run;
mod show;
mod signals;
mod stats;

use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{CommandFactory, Parser, Subcommand};

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let ours = env!("CARGO_PKG_VERSION");
    format!("{ours} (on-disk format {})", multispool::FORMAT_VERSION)
});

const STATUSES: &str = "\
Exit status:
  0    done
  1    an expected negative: nothing available, not found, name taken, problems found;
       in run: a command failed
  2    wrong usage, a bad name, an unknown queue
  3    failure
  4    done and visible, but not known to be durable: do not repeat (the name is printed)
  126  run: the command was found but cannot be executed
  127  run: the command was not found
  141  standard output was closed by its reader

Example:
  multispool create /tmp/spool incoming done
  multispool enqueue /tmp/spool incoming --metadata hello --data README.md
  multispool run /tmp/spool incoming --all --save-to done -- wc -c";

/// A durable queue that is only a directory.
#[derive(Parser)]
#[command(name = "multispool", version = VERSION.as_str(), after_help = STATUSES)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Create(create::Create),
    Queues(queues::Queues),
    Enqueue(enqueue::Enqueue),
    List(list::List),
    Show(show::Show),
    Data(data::Data),
    Dequeue(dequeue::Dequeue),
    Run(run::Run),
    Move(r#move::Move),
    Remove(remove::Remove),
    Recover(recover::Recover),
    Fsck(fsck::Fsck),
    Repair(repair::Repair),
    Monitor(monitor::Monitor),
    Stats(stats::Stats),
    Doctor(doctor::Doctor),
    #[command(hide = true)]
    Manual(manual::Manual),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(refusal) => {
            // A reader that closed the pipe has no use for the rest of the help.
            let _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2));
        }
    };
    let result = match arguments.verb {
        Verb::Create(verb) => verb.run(),
        Verb::Queues(verb) => verb.run(),
        Verb::Enqueue(verb) => verb.run(),
        Verb::List(verb) => verb.run(),
        Verb::Show(verb) => verb.run(),
        Verb::Data(verb) => verb.run(),
        Verb::Dequeue(verb) => verb.run(),
        Verb::Run(verb) => verb.run(),
        Verb::Move(verb) => verb.run(),
        Verb::Remove(verb) => verb.run(),
        Verb::Recover(verb) => verb.run(),
        Verb::Fsck(verb) => verb.run(),
        Verb::Repair(verb) => verb.run(),
        Verb::Monitor(verb) => verb.run(),
        Verb::Stats(verb) => verb.run(),
        Verb::Doctor(verb) => verb.run(),
        Verb::Manual(verb) => verb.run(Arguments::command()),
    };
    match result {
        Ok(status) => ExitCode::from(status.code()),
        Err(error) => report::end(&error),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_arguments_are_consistent_and_every_verb_has_an_example() {
        let mut command = Arguments::command();
        command.build();
        command.clone().debug_assert();
        for verb in command
            .get_subcommands()
            .filter(|verb| verb.get_name() != "help" && !verb.is_hide_set())
        {
            let help = verb
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let example = format!("multispool {}", verb.get_name());
            assert!(
                help.contains("Example:") && help.contains(&example),
                "{}",
                verb.get_name()
            );
        }
    }
}
