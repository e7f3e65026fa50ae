//! Giving a file another name without ever replacing one.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, StatxAttributes, StatxFlags};
use rustix::fs::{fsync, linkat, openat, renameat_with, statat, statx, unlinkat};
use rustix::io::Errno;

use crate::report;

/// Why a file did not get its new name.
#[derive(Debug)]
pub(crate) enum Unnamed {
    /// Something has that name already.
    Taken,
    /// The two directories are on different filesystems, or in different mounts of one.
    OtherFilesystem,
    /// The filesystem has neither a rename that cannot replace nor hard links, as far as this tells.
    Unsupported(Errno),
    /// Anything else.
    Error(io::Error),
}

/// How [`Unnamed::Unsupported`] is told, but for what the system gave.
pub(crate) const UNSUPPORTED: &str = "this filesystem can neither rename without replacing nor make hard links";

impl fmt::Display for Unnamed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Taken => "something stands there already",
            Self::OtherFilesystem => "it is on another filesystem",
            Self::Unsupported(error) => {
                let reason = report::reason(&(*error).into());
                return write!(out, "{UNSUPPORTED} ({reason})");
            }
            Self::Error(error) => return out.write_str(&report::reason(error)),
        })
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
pub(crate) fn without_replacing(from: impl AsFd, old: &OsStr, to: impl AsFd, new: &OsStr) -> Result<(), Unnamed> {
    match renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A filesystem that does not know the flag gives INVAL, a kernel that does not know the call NOSYS.
        Err(error @ (Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)) => Err(Unnamed::Unsupported(error)),
        Err(error) => Err(error.into()),
    }
}

/// Where the filesystem cannot rename without replacing: the file gets its new name as a hard link, which never
/// replaces either, and then loses the old one. A crash in between leaves both. The new name is on the disk before the old
/// one goes: a filesystem without a journal may write the two in any order, and the power may fail between them.
pub(crate) fn link_then_unlink(from: impl AsFd, old: &OsStr, to: impl AsFd, new: &OsStr) -> Result<(), Unnamed> {
    let (from, to) = (from.as_fd(), to.as_fd());
    link(from, old, to, new)?;
    let id = |dir: BorrowedFd<'_>, name: &OsStr| {
        statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| (stat.st_dev, stat.st_ino))
    };
    let is_one = || id(from, old) == id(to, new);
    if !is_one() {
        return Err(Unnamed::Error(io::Error::other("another file was put in its place meanwhile; it has both names")));
    }
    let done = sync_names(to).and_then(|()| Ok(unlinkat(from, old, AtFlags::empty())?));
    if done.is_err() && is_one() {
        // It keeps its old name, so that another try finds all as it was. What went wrong is worth more than another error.
        unlinkat(to, new, AtFlags::empty()).unwrap_or(());
    }
    done.map_err(Unnamed::Error)
}

/// Brings the names in a directory to the disk.
pub(crate) fn sync_names(dir: impl AsFd) -> io::Result<()> {
    let readable = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    match fsync(readable) {
        // This filesystem, as CIFS, knows no such thing for directories.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Gives a file a further name.
pub(crate) fn link(from: impl AsFd, old: &OsStr, to: impl AsFd, new: &OsStr) -> Result<(), Unnamed> {
    let from = from.as_fd();
    linkat(from, old, to, new, AtFlags::empty()).map_err(|error| match error {
        Errno::PERM if is_fixed(from, old) => {
            Unnamed::Error(io::Error::other("it is marked as immutable or append-only (chattr(1))"))
        }
        // PERM is what link(2) gives for a filesystem without hard links.
        Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS => Unnamed::Unsupported(error),
        other => other.into(),
    })
}

/// Whether a file is one that nobody may give a name to, or take one from.
fn is_fixed(dir: BorrowedFd<'_>, name: &OsStr) -> bool {
    let stat = statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty());
    stat.is_ok_and(|stat| stat.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND))
}
