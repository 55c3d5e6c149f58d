//! Cases as they are written: tests/conformance/cases/CONCEPT.json.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use conformance::{decode, encode};
use serde_json::{Map, Value};

/// What is to be shown, step by step, on a spool of its own.
#[derive(Clone, Debug)]
pub struct Case {
    pub concept: String,
    pub name: String,
    /// Rows of `rows.txt`.
    pub shows: Vec<String>,
    /// What an interface must have besides what all have; README.md says what each means.
    pub needs: Vec<String>,
    /// Queues of the spool that is created first, if there are any.
    pub queues: Vec<String>,
    /// Entries that lie in it: metadata and data, by their paths.
    pub entries: Map<String, Value>,
    pub steps: Vec<Step>,
}

/// One step, and what must come of it.
#[derive(Clone, Debug)]
pub struct Step {
    pub verb: String,
    pub arguments: Map<String, Value>,
    /// The status's name.
    pub status: String,
    /// Values of the answer, by key.
    pub answer: Map<String, Value>,
    /// What is different on disk after the step.
    pub disk: Map<String, Value>,
    /// Files whose time the step sets to its own.
    pub touched: Vec<String>,
    /// Permission bits, in octal.
    pub modes: Map<String, Value>,
}

/// Names for bytes that are not known when a case is written.
pub type Variables = HashMap<String, Vec<u8>>;

/// All cases of a folder, in the order of its files' names.
///
/// # Errors
/// A file that is no JSON, or no list of cases as README.md says.
pub fn read_all(folder: &Path) -> Result<Vec<Case>> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|found| found.map(|found| found.path()))
        .collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|its| its == "json"));
    paths.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in paths {
        let concept = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path)?;
        let list: Vec<Map<String, Value>> =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        for written in list {
            let case = Case::read(&concept, written)
                .with_context(|| format!("a case of {}", path.display()))?;
            ensure!(
                cases.iter().all(|other| other.name != case.name),
                "two cases are called '{}'",
                case.name
            );
            cases.push(case);
        }
    }
    Ok(cases)
}

impl Case {
    fn read(concept: &str, mut written: Map<String, Value>) -> Result<Case> {
        let name = take_text(&mut written, "name")?.context("a case has a name")?;
        let mut read = || {
            let steps = written.remove("steps").context("no steps")?;
            let case = Case {
                concept: concept.to_owned(),
                name: name.clone(),
                shows: take_texts(&mut written, "shows")?,
                needs: take_texts(&mut written, "needs")?,
                queues: take_texts(&mut written, "spool")?,
                entries: take_map(&mut written, "entries")?,
                steps: serde_json::from_value::<Vec<Map<String, Value>>>(steps)?
                    .into_iter()
                    .map(Step::read)
                    .collect::<Result<_>>()?,
            };
            ensure!(!case.shows.is_empty(), "it shows nothing");
            ensure!(!case.steps.is_empty(), "it has no steps");
            if let Some(key) = written.keys().next() {
                bail!("unknown key '{key}'");
            }
            Ok(case)
        };
        read().with_context(|| format!("'{name}'"))
    }
}

impl Step {
    fn read(mut written: Map<String, Value>) -> Result<Step> {
        let verb = take_text(&mut written, "do")?.context("a step without 'do'")?;
        let step = Step {
            status: take_text(&mut written, "status")?.unwrap_or_else(|| "OK".to_owned()),
            answer: take_map(&mut written, "answer")?,
            disk: take_map(&mut written, "disk")?,
            touched: take_texts(&mut written, "touched")?,
            modes: take_map(&mut written, "modes")?,
            arguments: written,
            verb,
        };
        let known = super::verbs::keys(&step.verb)
            .with_context(|| format!("unknown step '{}'", step.verb))?;
        for key in step.arguments.keys() {
            ensure!(
                known.split(' ').any(|its| its == key),
                "'{}' has no '{key}'",
                step.verb
            );
        }
        Ok(step)
    }

    /// The argument, as text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.arguments.get(key).and_then(Value::as_str)
    }
}

/// The bytes that a value stands for: text, percent-encoded and with `${variables}`; a number; `true`, which is
/// `yes`; or `{"repeat": TEXT, "times": N}`.
///
/// # Errors
/// Anything else, or a variable that has no value yet.
pub fn bytes(value: &Value, variables: &Variables) -> Result<Vec<u8>> {
    match value {
        Value::String(text) => resolve(text, variables),
        Value::Number(number) => Ok(number.to_string().into_bytes()),
        Value::Bool(true) => Ok(b"yes".to_vec()),
        Value::Object(object) => {
            let piece = object.get("repeat").context("an object without 'repeat'")?;
            let times = object.get("times").and_then(Value::as_u64);
            let times = usize::try_from(times.context("'repeat' without 'times'")?)?;
            Ok(bytes(piece, variables)?.repeat(times))
        }
        other => bail!("'{other}' stands for no bytes"),
    }
}

/// The bytes of a text with variables.
///
/// # Errors
/// A variable that has no value yet, or a `%` without two digits.
pub fn resolve(text: &str, variables: &Variables) -> Result<Vec<u8>> {
    let mut pieces = text.split("${");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').context("a '${' without its '}'")?;
        let value = variables
            .get(name)
            .with_context(|| format!("'{name}' is not known yet"))?;
        whole.push_str(&encode(value));
        whole.push_str(rest);
    }
    decode(&whole)
}

fn take_text(written: &mut Map<String, Value>, key: &str) -> Result<Option<String>> {
    written
        .remove(key)
        .map(|value| serde_json::from_value(value).with_context(|| format!("'{key}' is no text")))
        .transpose()
}

fn take_texts(written: &mut Map<String, Value>, key: &str) -> Result<Vec<String>> {
    written.remove(key).map_or(Ok(Vec::new()), |value| {
        serde_json::from_value(value).with_context(|| format!("'{key}' is no list of texts"))
    })
}

fn take_map(written: &mut Map<String, Value>, key: &str) -> Result<Map<String, Value>> {
    written.remove(key).map_or(Ok(Map::new()), |value| {
        serde_json::from_value(value).with_context(|| format!("'{key}' is no object"))
    })
}
