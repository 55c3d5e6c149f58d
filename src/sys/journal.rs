//! File systems whose journal keeps the order of changes: once the sync of a directory has returned, all that was
//! changed before its last change is on disk too.

use std::fs;
use std::os::fd::BorrowedFd;

use rustix::fs::{fstatfs, major, minor};
use rustix::io::{Errno, retry_on_intr};

use super::file;

/// Of linux/magic.h. The first is also that of ext2 and ext3.
const EXT4: u32 = 0xEF53;
const XFS: u32 = 0x5846_5342;
const BTRFS: u32 = 0x9123_683E;

/// Whether one directory's sync carries along every change that was made before on its file system, and the contents
/// that were written out before, where it lies on this device. Where that cannot be told it is not so.
pub(crate) fn is_ordered(dir: BorrowedFd<'_>, device: u64) -> Result<bool, Errno> {
    let kind = retry_on_intr(|| fstatfs(dir))?.f_type as u32;
    let is_ordered = match kind {
        EXT4 => is_ordered_ext4,
        XFS => is_ordered_xfs,
        _ => return Ok(false),
    };
    let is_on_it = file::stat(dir)?.st_dev == device;
    Ok(is_on_it && is_ordered((major(device), minor(device))))
}

/// Whether a rename that was synced survives the loss of power as a whole: where file systems journal their names, or
/// never write in place. Where that cannot be told it is not so.
pub(crate) fn keeps_renames(dir: BorrowedFd<'_>) -> Result<bool, Errno> {
    let device = file::stat(dir)?.st_dev;
    Ok(match retry_on_intr(|| fstatfs(dir))?.f_type as u32 {
        // Without a journal it has no such option.
        EXT4 => ext4_options((major(device), minor(device)))
            .is_some_and(|options| options.lines().any(|line| line.starts_with("data="))),
        XFS | BTRFS => true,
        _ => false,
    })
}

/// With a journal that contents are not put behind, and without fast commits, each of which holds one file's changes.
fn is_ordered_ext4(device: (u32, u32)) -> bool {
    ext4_options(device).is_some_and(|options| ext4_options_are_ordered(&options))
}

fn ext4_options((major, minor): (u32, u32)) -> Option<String> {
    let link = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    let name = link.file_name()?.to_str()?;
    fs::read_to_string(format!("/proc/fs/ext4/{name}/options")).ok()
}

fn ext4_options_are_ordered(options: &str) -> bool {
    let has = |option| options.lines().any(|line| line == option);
    (has("data=ordered") || has("data=journal")) && has("barrier") && !has("fast_commit")
}

/// Unless files may lie on a device of their own, whose cache the log's sync does not flush.
fn is_ordered_xfs((major, minor): (u32, u32)) -> bool {
    let device = format!("{major}:{minor}");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut options = mounts
        .lines()
        .filter(|line| line.split(' ').nth(2) == Some(&device))
        .filter_map(|line| line.rsplit(' ').next())
        .peekable();
    options.peek().is_some() && options.all(|options| !options.contains("rtdev="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ext4_is_ordered_with_a_journal_with_barriers_and_without_fast_commits() {
        let ordered = "rw\nbarrier\ncommit=5\ndata=ordered\n";
        assert!(ext4_options_are_ordered(ordered));
        assert!(ext4_options_are_ordered("barrier\ndata=journal\n"));
        assert!(!ext4_options_are_ordered(&format!(
            "{ordered}fast_commit\n"
        )));
        assert!(!ext4_options_are_ordered("rw\nbarrier\ndata=writeback\n"));
        assert!(!ext4_options_are_ordered("rw\nnobarrier\ndata=ordered\n"));
        assert!(!ext4_options_are_ordered("rw\nbarrier\ncommit=5\n"));
    }
}
