//! What kind of file system a directory lies on, and how much room it has.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{fstatfs, fstatvfs};
use rustix::io::{Errno, retry_on_intr};

/// File systems that other hosts may change: magic numbers of linux/magic.h and of the file systems' own sources.
/// FUSE is among them, since nothing tells a local one from a distributed one.
const SHARED: [u32; 14] = [
    0x6969,      // nfs
    0x517B,      // smb
    0xFF53_4D42, // cifs
    0xFE53_4D42, // smb2
    0x6573_5546, // fuse
    0x00C3_6400, // ceph
    0x0102_1997, // 9p
    0x5346_414F, // afs
    0x6B41_4653, // kafs
    0x7375_7245, // coda
    0x0BD0_0BD0, // lustre
    0x0116_1970, // gfs2
    0x7461_636F, // ocfs2
    0x4750_4653, // gpfs
];

/// Whether other hosts may change the file system, unseen by this kernel.
pub(crate) fn is_network(dir: BorrowedFd<'_>) -> Result<bool, Errno> {
    let kind = retry_on_intr(|| fstatfs(dir))?.f_type;
    Ok(SHARED.contains(&(kind as u32)))
}

/// How a file system is mounted, by the mount table. What that does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) options: String,
}

/// The mount that a directory lies on.
pub(crate) fn mount(dir: BorrowedFd<'_>) -> Result<Mount, Errno> {
    let read = |path: &str| {
        fs::read_to_string(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    };
    let about = read(&format!("/proc/self/fdinfo/{}", dir.as_raw_fd()))?;
    let id = about
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:"))
        .map(str::trim)
        .unwrap_or_default();
    Ok(find_mount(&read("/proc/self/mountinfo")?, id))
}

fn find_mount(table: &str, id: &str) -> Mount {
    let is_it = |line: &&str| line.split(' ').next() == Some(id);
    let Some((own, system)) = table
        .lines()
        .find(is_it)
        .and_then(|line| line.split_once(" - "))
    else {
        return Mount::default();
    };
    let mut system = system.splitn(3, ' ').map(unescaped);
    let (kind, source, more) = (system.next(), system.next(), system.next());
    let mut options = own.split(' ').nth(5).unwrap_or_default().to_owned();
    if let Some(more) = more {
        options.push(',');
        options.push_str(&more);
    }
    Mount {
        kind: kind.unwrap_or_default(),
        source: source.unwrap_or_default(),
        options,
    }
}

/// What the table writes as a backslash and three octal digits.
fn unescaped(field: &str) -> String {
    let mut pieces = field.split('\\');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                text.push(char::from(code));
                text.push_str(&piece[3..]);
            }
            None => {
                text.push('\\');
                text.push_str(piece);
            }
        }
    }
    text
}

/// Room for unprivileged users.
pub(crate) struct Room {
    pub(crate) free_bytes: u64,
    /// `None` where the file system does not count inodes.
    pub(crate) free_inodes: Option<u64>,
}

pub(crate) fn room(dir: BorrowedFd<'_>) -> Result<Room, Errno> {
    let stat = retry_on_intr(|| fstatvfs(dir))?;
    Ok(Room {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        free_inodes: (stat.f_files > 0).then_some(stat.f_favail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_number() {
        let table = "21 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
                     90 21 0:44 / /mnt/a rw,nosuid - fuse mfs\\04310.0.0.1:9421 rw,user_id=0\n";
        let mount = find_mount(table, "90");
        assert_eq!(mount.kind, "fuse");
        assert_eq!(mount.source, "mfs#10.0.0.1:9421");
        assert_eq!(mount.options, "rw,nosuid,rw,user_id=0");
        assert_eq!(find_mount(table, "9"), Mount::default());
    }
}
