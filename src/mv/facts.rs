//! What the kernel says of a file, and whether that is what was expected.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Stat, fstat, fstatfs, statat};

use crate::journal::{Standing, Was};
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
            id: FileId::here(stat.st_dev.into(), stat.st_ino.into()),
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

    /// Whether another id than the expected one says nothing: where ids do not last, or if the same filesystem may have been
    /// mounted as another device since.
    pub(super) fn has_passing_id(&self, expected: &Expected, dir: impl AsFd) -> bool {
        expected.id.is_some_and(|id| id.ino == self.id.ino) || !ids_last(dir)
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

    /// What a copy should have of it besides the content.
    pub(super) fn was(&self) -> Was {
        Was { mode: self.mode & 0o7777, uid: self.uid, gid: self.gid, mtime: self.mtime }
    }
}

/// Filesystems whose files get another number when they have not been looked at for a while, are mounted anew, or are
/// written to for the first time (`statfs(2)`): FAT, exFAT, FUSE, SMB, overlays.
const PASSING_IDS: [u32; 6] = [0x4d44, 0x2011_bab0, 0x6573_5546, 0xff53_4d42, 0xfe53_4d42, 0x794c_7630];

/// Whether a file in this directory is known by its id for as long as it lives. Where not, another id tells nothing.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "all magic numbers have 32 bits")]
#[allow(clippy::unnecessary_cast, reason = "the field has another type on other architectures")]
pub(super) fn ids_last(dir: impl AsFd) -> bool {
    fstatfs(dir).map_or(true, |found| !PASSING_IDS.contains(&(found.f_type as u32)))
}
