//! What kind of file system a directory lies on, and how much room it has.

use std::os::fd::BorrowedFd;

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
