//! The lines of the workers' log; what they mean is told in log.h.

/// One line.
pub enum Record<'a> {
    Worker { who: &'a str, told: Told<'a> },
    Cut,
}

/// What a worker told. `None` stands for the log's `-`.
pub enum Told<'a> {
    Enqueue {
        queue: &'a str,
        name: Option<&'a str>,
        metadata: &'a str,
        data: &'a str,
    },
    Take {
        queue: &'a str,
        name: &'a str,
        metadata: &'a str,
    },
    Data {
        name: &'a str,
        data: &'a str,
    },
    Save {
        name: &'a str,
        queue: &'a str,
        metadata: Option<&'a str>,
    },
    Release {
        name: &'a str,
    },
    Remove {
        name: &'a str,
    },
    Ok {
        name: &'a str,
    },
    Up,
    Failed {
        errno: i32,
        message: String,
    },
}

pub fn parse(line: &str) -> Result<Record<'_>, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let told = match words[..] {
        ["cut"] => return Ok(Record::Cut),
        [_, "enqueue", queue, name, metadata, data] => Told::Enqueue {
            queue,
            name: known(name),
            metadata,
            data,
        },
        [_, "take", queue, name, metadata] => Told::Take {
            queue,
            name,
            metadata,
        },
        [_, "data", name, data] => Told::Data { name, data },
        [_, "save", name, queue, metadata] => Told::Save {
            name,
            queue,
            metadata: known(metadata),
        },
        [_, "release", name] => Told::Release { name },
        [_, "remove", name] => Told::Remove { name },
        [_, "ok", name] => Told::Ok { name },
        [_, "up"] => Told::Up,
        [_, "failed", errno, ref rest @ ..] => Told::Failed {
            errno: errno.parse().map_err(|_| "not an errno")?,
            message: rest.join(" "),
        },
        _ => return Err("not a line of a log".to_owned()),
    };
    Ok(Record::Worker {
        who: words[0],
        told,
    })
}

fn known(word: &str) -> Option<&str> {
    (word != "-").then_some(word)
}
