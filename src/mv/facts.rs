//! What the kernel says of a file, and whether that is what was expected.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};

use crate::journal::Standing;
use crate::plan::Expected;
use crate::record::{FileId, Timestamp};

/// A file as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) id: FileId,
    pub(super) size: u64,
    pub(super) mtime: Timestamp,
    /// Changes with everything that is done to the file, its renaming included.
    pub(super) ctime: Timestamp,
    /// Type and permission bits.
    pub(super) mode: u32,
    /// How many names it has.
    pub(super) links: u64,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// In which way a file is not what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    NotAFile,
    Id,
    Size,
    Mtime,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotAFile => "not a regular file",
            Self::Id => "another file stands there now (its id differs)",
            Self::Size => "it was changed (its size differs)",
            Self::Mtime => "it was changed (its modification time differs)",
        })
    }
}

impl Facts {
    /// Of the name `name` in the directory `dir`; a symbolic link is not followed. `None` if there is no such name.
    pub(super) fn of(dir: impl AsFd, name: &OsStr) -> io::Result<Option<Self>> {
        match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Self::from_stat(&stat))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Of an open file.
    pub(super) fn of_open(file: impl AsFd) -> io::Result<Self> {
        Ok(Self::from_stat(&fstat(file)?))
    }

    #[allow(clippy::useless_conversion, reason = "the fields have other types on other architectures")]
    fn from_stat(stat: &Stat) -> Self {
        let moment = |seconds: i64, nanoseconds: u64| Timestamp {
            seconds,
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
        };
        Self {
            id: FileId { dev: stat.st_dev.into(), ino: stat.st_ino.into() },
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: moment(stat.st_mtime, stat.st_mtime_nsec),
            ctime: moment(stat.st_ctime, stat.st_ctime_nsec),
            mode: stat.st_mode,
            links: stat.st_nlink.into(),
            uid: stat.st_uid,
            gid: stat.st_gid,
        }
    }

    pub(super) fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.mode) == FileType::RegularFile
    }

    /// The first way in which this is not `expected`.
    pub(super) fn difference(&self, expected: &Expected) -> Option<Difference> {
        if !self.is_file() {
            Some(Difference::NotAFile)
        } else if expected.size != self.size {
            Some(Difference::Size)
        } else if expected.mtime.is_some_and(|mtime| mtime != self.mtime) {
            Some(Difference::Mtime)
        } else if expected.id.is_some_and(|id| id != self.id) {
            Some(Difference::Id)
        } else {
            None
        }
    }

    /// Whether nothing was done to the file since `earlier`.
    pub(super) fn is_untouched_since(&self, earlier: &Self) -> bool {
        self == earlier
    }

    /// Whether this is the same file, to which nothing was done since `earlier` but that it got another name.
    pub(super) fn is_renamed(&self, earlier: &Self) -> bool {
        *self == Self { ctime: self.ctime, ..*earlier }
    }

    pub(super) fn standing(&self) -> Standing {
        Standing { size: self.size, mtime: self.mtime, id: self.id }
    }
}
