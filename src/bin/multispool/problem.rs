//! How a problem is told, as a line and as an object.

use std::time::{Duration, SystemTime};

use multispool::{Dir, Problem};
use serde_json::Value;

use crate::report::{Object, time};

pub fn age_of(problem: &Problem) -> Duration {
    SystemTime::now()
        .duration_since(problem.file().mtime)
        .unwrap_or_default()
}

pub fn line(problem: &Problem) -> String {
    format!("{problem} ({})", problem.mend().as_str())
}

/// Adds what is known of the problem to an object.
pub fn add_to(object: Object, problem: &Problem) -> Object {
    let file = problem.file();
    let places: Vec<Value> = problem.places().iter().map(place).collect();
    object
        .with("kind", problem.kind())
        .bytes("name", file.filename.as_encoded_bytes())
        .with("places", places)
        .with("mtime", time(file.mtime))
        .with("age_seconds", age_of(problem).as_secs_f64())
        .with("severity", problem.severity().as_str())
        .with("action", problem.mend().as_str())
}

pub fn place(dir: &Dir) -> Value {
    dir.name_on_disk().to_string_lossy().into_owned().into()
}
