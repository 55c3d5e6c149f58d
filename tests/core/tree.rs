//! What lies in a directory, as sorted lines that can be compared.

use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// A line for each thing below `root`: `directory/`, `file SIZE`, `link -> TARGET`, `fifo|`, `socket=`.
/// The paths are relative to `root`; what is not there at all has no lines.
pub fn listing(root: &Path) -> Vec<String> {
    lines(root, &|_, _| String::new())
}

/// As [`listing`], and for `root` itself too, with all that a change of any kind would change: inode,
/// mode, owner, links, times, contents. Not the time of the last access, which reading may change.
pub fn state(root: &Path) -> Vec<String> {
    let mut state = lines(root, &details);
    if let Ok(status) = fs::symlink_metadata(root) {
        state.push(format!("./{}", details(root, &status)));
    }
    state
}

/// The lines of `listing` that are not in `before`.
pub fn added(before: &[String], root: &Path) -> Vec<String> {
    let mut lines = listing(root);
    for line in before {
        assert!(lines.contains(line), "{line} is gone: {lines:#?}");
    }
    lines.retain(|line| !before.contains(line));
    lines
}

fn details(path: &Path, status: &Metadata) -> String {
    let mut contents = DefaultHasher::new();
    if status.is_file() {
        fs::read(path).ok().hash(&mut contents);
    }
    format!(
        " inode {} mode {:o} owner {}:{} links {} modified {}.{:09} changed {}.{:09} contents {:x}",
        status.ino(),
        status.mode(),
        status.uid(),
        status.gid(),
        status.nlink(),
        status.mtime(),
        status.mtime_nsec(),
        status.ctime(),
        status.ctime_nsec(),
        contents.finish()
    )
}

fn lines(root: &Path, more: &dyn Fn(&Path, &Metadata) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    if fs::symlink_metadata(root).is_ok_and(|status| status.is_dir()) {
        collect(root, root, more, &mut lines);
    }
    lines.sort();
    lines
}

fn collect(
    root: &Path,
    dir: &Path,
    more: &dyn Fn(&Path, &Metadata) -> String,
    lines: &mut Vec<String>,
) {
    for found in fs::read_dir(dir).unwrap() {
        let path = found.unwrap().path();
        let status = fs::symlink_metadata(&path).unwrap();
        let relative = path.strip_prefix(root).unwrap();
        let name = relative.as_os_str().as_bytes().escape_ascii();
        let kind = status.file_type();
        let line = if kind.is_dir() {
            format!("{name}/")
        } else if kind.is_symlink() {
            format!("{name} -> {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_fifo() {
            format!("{name}|")
        } else if kind.is_socket() {
            format!("{name}=")
        } else {
            format!("{name} {}", status.len())
        };
        lines.push(line + &more(&path, &status));
        if kind.is_dir() {
            collect(root, &path, more, lines);
        }
    }
}

#[test]
fn a_listing_tells_every_kind_of_thing_apart() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/file"), "1234").unwrap();
    std::os::unix::fs::symlink("a/file", root.join("link")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    drop(socket);
    let expected = ["a/", "a/b/", "a/file 4", "link -> a/file", "socket="];
    assert_eq!(listing(root), expected);
    assert_eq!(listing(&root.join("nothing")), [""; 0]);

    let before = state(root);
    assert_eq!(state(root), before);
    fs::write(root.join("a/file"), "4321").unwrap();
    assert_ne!(state(root), before);
}
