//! `expected.txt`: a line for each operation and durability, as `enqueue, none: close 3, openat 3`, and for each that
//! instructions are counted of, as `enqueue, none, instructions: 12345`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::counts::Counts;
use crate::instructions::DURABILITY;
use crate::operate::Operation;

/// What is told apart: `full` takes the strict or the ordered way, by the file system.
pub const WAYS: [&str; 4] = ["none", "original", "full, strict", "full, ordered"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub calls: BTreeMap<(Operation, &'static str), Counts>,
    pub instructions: BTreeMap<Operation, u64>,
}

impl Expected {
    pub fn read(path: &Path) -> Result<Expected, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{path:?}: {error}"))?;
        let mut expected = Expected::default();
        for line in text.lines() {
            expected
                .read_line(line)
                .ok_or_else(|| format!("{path:?}: what is {line:?}?"))?;
        }
        Ok(expected)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let (of, counts) = line.split_once(": ")?;
        let (operation, way) = of.split_once(", ")?;
        let operation = Operation::named(operation)?;
        if way.strip_suffix(", instructions") == Some(DURABILITY) {
            self.instructions.insert(operation, counts.parse().ok()?);
        } else {
            let way = WAYS.into_iter().find(|known| *known == way)?;
            self.calls.insert((operation, way), Counts::parse(counts)?);
        }
        Some(())
    }

    pub fn write(&self, path: &Path) -> Result<(), String> {
        let mut text = String::new();
        let mut line = |line: std::fmt::Arguments<'_>| {
            text.write_fmt(line).expect("a string grows");
            text.push('\n');
        };
        for operation in Operation::ALL {
            for way in WAYS {
                if let Some(counts) = self.calls.get(&(operation, way)) {
                    line(format_args!("{}, {way}: {counts}", operation.name()));
                }
            }
            if let Some(count) = self.instructions.get(&operation) {
                line(format_args!(
                    "{}, {DURABILITY}, instructions: {count}",
                    operation.name()
                ));
            }
        }
        fs::write(path, text).map_err(|error| format!("{path:?}: {error}"))
    }
}
