//! What may become of an entry.

use std::fmt;

/// One thing that may become of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in no queue, and checked out of none.
    Nowhere,
    Somewhere(Where),
}

#[derive(Clone, PartialEq, Eq)]
pub struct Where {
    pub queue: String,
    pub is_checked_out: bool,
    pub metadata: Vec<u8>,
    /// `None` where there is none: that is promised of nothing.
    pub data: Option<Vec<u8>>,
    pub is_registered: bool,
    /// How many names the metadata file has.
    pub links: u64,
}

impl fmt::Debug for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| {
            let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(b"");
            let line = &line[..line.len().min(40)];
            format!("{} bytes, \"{}…\"", bytes.len(), line.escape_ascii())
        };
        let place = if self.is_checked_out {
            "/.checkout"
        } else {
            ""
        };
        write!(
            f,
            "in {}{place}, metadata of {}",
            self.queue,
            shown(&self.metadata)
        )?;
        match &self.data {
            Some(data) => write!(f, ", data of {}", shown(data))?,
            None => write!(f, ", NO DATA")?,
        }
        if !self.is_registered {
            write!(f, ", not registered")?;
        }
        match self.links {
            1 => Ok(()),
            links => write!(f, ", {links} links"),
        }
    }
}

/// The `version`th text of an entry, of several lines, so that any part of it is told from all of it.
fn text(kind: &str, name: &str, version: u32) -> Vec<u8> {
    format!("{kind} {version} of {name}\n")
        .repeat(5)
        .into_bytes()
}

pub fn metadata(name: &str, version: u32) -> Vec<u8> {
    text("metadata", name, version)
}

pub fn data(name: &str, version: u32) -> Vec<u8> {
    text("data", name, version)
}

/// An entry that waits in `queue`, with these versions of metadata and data.
pub fn waits(queue: &str, name: &str, versions: (u32, u32)) -> Fate {
    Fate::Somewhere(Where {
        queue: queue.to_owned(),
        is_checked_out: false,
        metadata: metadata(name, versions.0),
        data: Some(data(name, versions.1)),
        is_registered: true,
        links: 1,
    })
}

/// An entry that is checked out of `queue`.
pub fn is_out(queue: &str, name: &str, versions: (u32, u32)) -> Fate {
    match waits(queue, name, versions) {
        Fate::Somewhere(place) => Fate::Somewhere(Where {
            is_checked_out: true,
            ..place
        }),
        Fate::Nowhere => Fate::Nowhere,
    }
}

impl Fate {
    /// The same without its registry file.
    pub fn unregistered(self) -> Fate {
        self.map(|place| place.is_registered = false)
    }

    /// What a checkout makes of it.
    pub fn taken(&self) -> Fate {
        self.clone().map(|place| place.is_checked_out = true)
    }

    /// What recover makes of it.
    pub fn recovered(&self) -> Fate {
        self.clone()
            .map(|place| place.is_checked_out &= !place.is_registered)
    }

    /// What recover makes of it, if its registry file is lost after that.
    pub fn returned(&self) -> Fate {
        self.clone().map(|place| place.is_checked_out = false)
    }

    /// What repair makes of it.
    pub fn repaired(&self) -> Fate {
        self.clone().map(|place| place.is_registered = true)
    }

    fn map(mut self, change: impl FnOnce(&mut Where)) -> Fate {
        if let Fate::Somewhere(place) = &mut self {
            change(place);
        }
        self
    }
}
