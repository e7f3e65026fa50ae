//! Giving a file another name without ever replacing one.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, RenameFlags, linkat, renameat_with, statat, unlinkat};
use rustix::io::Errno;

use super::dirs::Dir;
use super::trouble::Trouble;

/// Why a file did not get its new name.
#[derive(Debug)]
pub(super) enum Unnamed {
    /// Something has that name already.
    Taken,
    /// The two directories are on different filesystems, or in different mounts of one.
    OtherFilesystem,
    /// The filesystem has neither a rename that cannot replace nor hard links.
    Unsupported,
    /// Anything else.
    Error(io::Error),
}

impl Unnamed {
    pub(super) fn trouble(self, doing: &'static str, path: &Path) -> Trouble {
        let reason = match self {
            Self::Taken => "something stands there already".into(),
            Self::OtherFilesystem => "it is on another filesystem".into(),
            Self::Unsupported => "this filesystem can neither rename without replacing nor make hard links".into(),
            Self::Error(error) => return Trouble::io(doing, path, error),
        };
        Trouble::Refused { doing, path: path.to_owned(), reason }
    }
}

impl From<Errno> for Unnamed {
    fn from(error: Errno) -> Self {
        match error {
            Errno::EXIST | Errno::NOTEMPTY => Self::Taken,
            Errno::XDEV => Self::OtherFilesystem,
            other => Self::Error(other.into()),
        }
    }
}

/// Renames in one atomic step (renameat2(2) with `RENAME_NOREPLACE`).
pub(super) fn without_replacing(from: &Dir, old: &OsStr, to: &Dir, new: &OsStr) -> Result<(), Unnamed> {
    match renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A filesystem that does not know the flag gives INVAL, a kernel that does not know the call NOSYS.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Err(Unnamed::Unsupported),
        Err(error) => Err(error.into()),
    }
}

/// Where the filesystem cannot rename without replacing: the file gets its new name as a hard link, which never
/// replaces either, and then loses the old one. A crash in between leaves both.
pub(super) fn link_then_unlink(from: &Dir, old: &OsStr, to: &Dir, new: &OsStr) -> Result<(), Unnamed> {
    link(from, old, to, new)?;
    let id =
        |dir: &Dir, name: &OsStr| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| (stat.st_dev, stat.st_ino));
    if id(from, old) != id(to, new) {
        return Err(Unnamed::Error(io::Error::other("another file was put in its place meanwhile; it has both names")));
    }
    unlinkat(from, old, AtFlags::empty()).map_err(|error| Unnamed::Error(error.into()))
}

/// Gives a file a further name.
pub(super) fn link(from: &Dir, old: &OsStr, to: &Dir, new: &OsStr) -> Result<(), Unnamed> {
    linkat(from, old, to, new, AtFlags::empty()).map_err(|error| match error {
        // PERM is what link(2) gives for a filesystem without hard links.
        Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS => Unnamed::Unsupported,
        other => other.into(),
    })
}
