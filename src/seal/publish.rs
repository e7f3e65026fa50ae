//! How a file of the archive gets its name: it is written whole under another one, brought to the disk, and renamed.
//!
//! A crash leaves the old state, the new one, or beside either a `.ms-seal.tmp`, which the next run removes.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::cli::Failure;
use crate::report::{self, shown};
use crate::volume::TEMPORARY;

/// Why a file did not get its name.
#[derive(Debug)]
pub(super) enum Unpublished {
    /// A file of that name stands there, with another content.
    Differs,
    Io(io::Error),
}

impl From<io::Error> for Unpublished {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Nothing more can be done, since `path` could not be written.
pub(super) fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::Stop(format!("writing: {}: {}; the same command goes on from here", shown(path), report::reason(error)))
}

/// Gives `content` the name `name` in `dir`, where nothing has that name, or the same content has.
///
/// # Errors
/// [`Unpublished`]; then nothing has changed.
pub(super) fn new_or_same(dir: &Path, name: &str, content: &[u8]) -> Result<(), Unpublished> {
    let path = dir.join(name);
    if path.symlink_metadata().is_ok() {
        return if holds(&path, content)? { Ok(sync(dir)?) } else { Err(Unpublished::Differs) };
    }
    let temporary = write(dir, content)?;
    match rename_new(&temporary, &path) {
        Ok(()) => Ok(sync(dir)?),
        Err(error) => {
            std::fs::remove_file(&temporary).unwrap_or(());
            if error.kind() == ErrorKind::AlreadyExists { Err(Unpublished::Differs) } else { Err(error.into()) }
        }
    }
}

/// Gives `content` the name `name` in `dir`, in the place of whatever had it.
///
/// # Errors
/// What the system gives. The old content stands then.
pub(super) fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let path = dir.join(name);
    if holds(&path, content).unwrap_or(false) {
        return sync(dir);
    }
    let temporary = write(dir, content)?;
    if let Err(error) = std::fs::rename(&temporary, &path) {
        std::fs::remove_file(&temporary).unwrap_or(());
        return Err(error);
    }
    sync(dir)
}

/// Removes what a crash may have left in `dir`. Only whoever holds the lock may do so.
///
/// # Errors
/// What the system gives.
pub(super) fn clear(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(TEMPORARY)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Brings the names in a directory to the disk.
///
/// # Errors
/// What the system gives.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A new temporary file with a content that is on the disk.
fn write(dir: &Path, content: &[u8]) -> io::Result<PathBuf> {
    clear(dir)?;
    let path = dir.join(TEMPORARY);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(path),
        Err(error) => {
            // The error says more than another one could.
            std::fs::remove_file(&path).unwrap_or(());
            Err(error)
        }
    }
}

/// Without replacing anything; where the filesystem cannot rename like that, by a second name.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            std::fs::hard_link(from, to).and_then(|()| std::fs::remove_file(from))
        }
        other => Ok(other?),
    }
}

/// Whether `path` is a file that holds just this.
fn holds(path: &Path, content: &[u8]) -> io::Result<bool> {
    let status = path.symlink_metadata()?;
    if !status.is_file() || status.len() != content.len() as u64 {
        return Ok(false);
    }
    let mut there = Vec::with_capacity(content.len());
    File::open(path)?.take(content.len() as u64 + 1).read_to_end(&mut there)?;
    Ok(there == content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_is_never_replaced_by_a_new_file() {
        let dir = tempfile::tempdir().expect("directory");
        assert!(new_or_same(dir.path(), "a", b"one").is_ok());
        assert!(new_or_same(dir.path(), "a", b"one").is_ok());
        assert!(matches!(new_or_same(dir.path(), "a", b"two"), Err(Unpublished::Differs)));
        assert!(matches!(new_or_same(dir.path(), "a", b"ones"), Err(Unpublished::Differs)));
        assert_eq!(std::fs::read(dir.path().join("a")).expect("file"), b"one");
        replace(dir.path(), "a", b"two").expect("replaced");
        assert_eq!(std::fs::read(dir.path().join("a")).expect("file"), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).expect("directory").count(), 1, "nothing is left over");
    }

    #[test]
    fn what_a_crash_left_is_in_nobodys_way() {
        let dir = tempfile::tempdir().expect("directory");
        std::fs::write(dir.path().join(TEMPORARY), "half").expect("left over");
        assert!(new_or_same(dir.path(), "a", b"one").is_ok());
        assert!(!dir.path().join(TEMPORARY).exists());
    }
}
