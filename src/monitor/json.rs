//! Limits and specs as JSON: spans as in `10m` or `1h 30s`, and a default for what is left out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MonitorSpec;
use super::daemon::DaemonSpec;
use super::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::name::QueueName;

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Span(#[serde(with = "span")] Duration);

mod span {
    use std::time::Duration;

    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(
        span: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*span))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map_err(|error| {
            D::Error::custom(format!(
                "{text:?} is no span of time like 10m or 15s: {error}"
            ))
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct JsonLimits {
    max_checked_out_age: Span,
    max_tmp_file_age: Span,
    max_queue_ages: BTreeMap<String, Span>,
    max_reservation_age: Span,
    min_free_bytes: u64,
    min_free_inodes: u64,
}

impl Default for JsonLimits {
    fn default() -> JsonLimits {
        // No queue has a limit by default, and so none has a name that JSON cannot hold.
        JsonLimits::without_queues(&Limits::new())
    }
}

impl JsonLimits {
    fn without_queues(limits: &Limits) -> JsonLimits {
        JsonLimits {
            max_checked_out_age: Span(limits.max_checked_out_age),
            max_tmp_file_age: Span(limits.max_tmp_file_age),
            max_queue_ages: BTreeMap::new(),
            max_reservation_age: Span(limits.max_reservation_age),
            min_free_bytes: limits.min_free_bytes,
            min_free_inodes: limits.min_free_inodes,
        }
    }

    fn of(limits: &Limits) -> Result<JsonLimits> {
        let mut json = JsonLimits::without_queues(limits);
        for (queue, age) in &limits.max_queue_ages {
            let name = queue.as_os_str().to_str().ok_or_else(|| {
                let name = queue.as_os_str().display();
                refused(format!(
                    "the queue {name:?} is not UTF-8, which JSON text must be"
                ))
            })?;
            json.max_queue_ages.insert(name.to_owned(), Span(*age));
        }
        Ok(json)
    }

    fn limits(self) -> Result<Limits> {
        let mut limits = Limits::new()
            .max_checked_out_age(self.max_checked_out_age.0)
            .max_tmp_file_age(self.max_tmp_file_age.0)
            .max_reservation_age(self.max_reservation_age.0)
            .min_free_bytes(self.min_free_bytes)
            .min_free_inodes(self.min_free_inodes);
        for (queue, age) in self.max_queue_ages {
            limits = limits.max_queue_age(QueueName::new(queue)?, age.0);
        }
        Ok(limits)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonSpec {
    spool_dir: String,
    #[serde(default)]
    limits: JsonLimits,
}

#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct JsonDaemon {
    check_every: Span,
    alert_after_cycles: u64,
}

impl Default for JsonDaemon {
    fn default() -> JsonDaemon {
        JsonDaemon::of(&DaemonSpec::new())
    }
}

impl JsonDaemon {
    fn of(spec: &DaemonSpec) -> JsonDaemon {
        JsonDaemon {
            check_every: Span(spec.check_every),
            alert_after_cycles: spec.alert_after_cycles,
        }
    }
}

fn refused(reason: String) -> Error {
    Error::plain(ErrorKind::InvalidArgument, "monitor", reason)
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| refused(error.to_string()))
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| refused(error.to_string()))
}

impl Limits {
    /// The limits as JSON, in one line: `{"max_checked_out_age":"10m",…}`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a queue whose name is not UTF-8.
    pub fn to_json(&self) -> Result<String> {
        text(&JsonLimits::of(self)?)
    }

    /// Limits from JSON. What is left out has its default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what is no JSON, an unknown key, a span that is none;
    /// [`ErrorKind::InvalidName`].
    pub fn from_json(json: &str) -> Result<Limits> {
        parsed::<JsonLimits>(json)?.limits()
    }
}

impl MonitorSpec {
    /// The spec as JSON, in one line: `{"spool_dir":"…","limits":{…}}`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a path or a queue whose name is not UTF-8.
    pub fn to_json(&self) -> Result<String> {
        let spool_dir = self.spool_dir.to_str().ok_or_else(|| {
            let path = &self.spool_dir;
            refused(format!(
                "the path {path:?} is not UTF-8, which JSON text must be"
            ))
        })?;
        text(&JsonSpec {
            spool_dir: spool_dir.to_owned(),
            limits: JsonLimits::of(&self.limits)?,
        })
    }

    /// A spec from JSON. The limits may be left out, or some of them.
    ///
    /// # Errors
    /// As [`Limits::from_json`].
    pub fn from_json(json: &str) -> Result<MonitorSpec> {
        let spec: JsonSpec = parsed(json)?;
        if spec.spool_dir.contains('\0') {
            return Err(refused(format!(
                "the path {:?} has a NUL inside",
                spec.spool_dir
            )));
        }
        Ok(MonitorSpec {
            spool_dir: PathBuf::from(spec.spool_dir),
            limits: spec.limits.limits()?,
        })
    }
}

impl DaemonSpec {
    /// The spec as JSON, in one line: `{"check_every":"15s","alert_after_cycles":2}`.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> Result<String> {
        text(&JsonDaemon::of(self))
    }

    /// A spec from JSON. What is left out has its default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`].
    pub fn from_json(json: &str) -> Result<DaemonSpec> {
        let spec: JsonDaemon = parsed(json)?;
        Ok(DaemonSpec::new()
            .check_every(spec.check_every.0)
            .alert_after_cycles(spec.alert_after_cycles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_survives_the_way_to_json_and_back() {
        let queue = QueueName::new("in").expect("a name");
        let limits = Limits::new()
            .max_checked_out_age(Duration::from_secs(90))
            .max_tmp_file_age(Duration::from_millis(1500))
            .max_queue_age(queue, Duration::from_secs(86_400))
            .max_reservation_age(Duration::ZERO)
            .min_free_bytes(7)
            .min_free_inodes(0);
        let spec = MonitorSpec::new("/var/spool/jobs", limits);
        let json = spec.to_json().expect("UTF-8");
        assert_eq!(
            json,
            "{\"spool_dir\":\"/var/spool/jobs\",\"limits\":{\"max_checked_out_age\":\"1m 30s\",\
             \"max_tmp_file_age\":\"1s 500ms\",\"max_queue_ages\":{\"in\":\"1day\"},\
             \"max_reservation_age\":\"0s\",\"min_free_bytes\":7,\"min_free_inodes\":0}}"
        );
        assert_eq!(MonitorSpec::from_json(&json).expect("our own"), spec);
        let daemon = DaemonSpec::new().check_every(Duration::from_secs(1));
        let json = daemon.to_json().expect("UTF-8");
        assert_eq!(DaemonSpec::from_json(&json).expect("our own"), daemon);
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        assert_eq!(Limits::from_json("{}").expect("valid"), Limits::new());
        assert_eq!(
            DaemonSpec::from_json("{}").expect("valid"),
            DaemonSpec::new()
        );
        let spec = MonitorSpec::from_json("{\"spool_dir\":\"a\"}").expect("valid");
        assert_eq!(spec, MonitorSpec::new("a", Limits::new()));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (json, expected) in [
            ("", "EOF"),
            ("{\"max_age\":\"1s\"}", "unknown field `max_age`"),
            (
                "{\"max_tmp_file_age\":\"soon\"}",
                "\"soon\" is no span of time",
            ),
            ("{\"max_tmp_file_age\":10}", "invalid type"),
            ("{\"max_queue_ages\":{\".in\":\"1s\"}}", "begin"),
        ] {
            let error = Limits::from_json(json).expect_err(json).to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
        for json in ["{}", "{\"spool_dir\":\"a\\u0000b\"}"] {
            let error = MonitorSpec::from_json(json).expect_err(json);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
    }
}
