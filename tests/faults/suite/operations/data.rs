//! Reading and replacing data.

use std::io::{Seek, SeekFrom, Write};

use multispool::{DataFile, Error};

use super::checkout::{WAITING, take};
use super::enqueue::inner;
use super::{Operation, is_temporary};
use crate::suite::calls::Sort;
use crate::suite::room::{NAME, NEW_DATA, Room};
use crate::suite::worker::Attempt;

const SAVE: Operation = Operation {
    called: &["data save"],
    syncs: &["spool/.tmp/e.tmp.R", "spool/.data"],
    // What was replaced is garbage, which fsck names.
    passes_over: |made| made.call.sort == Sort::Remove && is_temporary(&made.call),
    ..WAITING
};

pub const ALL: &[Operation] = &[
    Operation {
        name: "data load",
        attempt: |room| {
            let data = of_an_entry(room);
            Attempt::new(move || data.load().map(|data| data.escape_ascii().to_string()))
        },
        called: &["data load"],
        ..WAITING
    },
    Operation {
        name: "data stat",
        attempt: |room| {
            let data = of_an_entry(room);
            Attempt::new(move || data.stat().map(|stat| stat.len().to_string()))
        },
        called: &["data stat"],
        ..WAITING
    },
    Operation {
        name: "data save by the holder",
        attempt: |room| {
            let checkout = take(room);
            let data = checkout.data_file();
            Attempt::new(move || {
                assert!(!checkout.is_finished());
                data.save(NEW_DATA).map(|()| "saved".to_owned())
            })
        },
        ..SAVE
    },
    Operation {
        name: "data save by a writer",
        attempt: |room| {
            let checkout = take(room);
            let data = checkout.data_file();
            Attempt::new(move || {
                assert!(!checkout.is_finished());
                write(&data).map(|()| "saved".to_owned())
            })
        },
        called: &["data write"],
        ..SAVE
    },
    Operation {
        name: "begin new data and give it up",
        attempt: |room| {
            let data = of_an_entry(room);
            Attempt::new(move || {
                let mut writer = data.writer()?;
                writer.write_all(NEW_DATA.as_bytes()).map_err(inner)?;
                drop(writer);
                Ok("given up".to_owned())
            })
        },
        called: &["data write"],
        syncs: &[],
        ..SAVE
    },
    Operation {
        name: "direct data save",
        attempt: |room| {
            let data = of_an_entry(room);
            Attempt::new(move || data.save(NEW_DATA).map(|()| "saved".to_owned()))
        },
        ..SAVE
    },
];

fn of_an_entry(room: &Room) -> DataFile {
    let entry = room.open().entry("in", NAME).unwrap();
    entry.direct().data_file()
}

/// The second half first.
fn write(data: &DataFile) -> Result<(), Error> {
    let (first, second) = NEW_DATA.as_bytes().split_at(10);
    let mut writer = data.writer()?;
    writer.seek(SeekFrom::Start(10)).map_err(inner)?;
    writer.write_all(second).map_err(inner)?;
    writer.seek(SeekFrom::Start(0)).map_err(inner)?;
    writer.write_all(first).map_err(inner)?;
    writer.commit()
}
