//! The content hash of one file, and the certainty that it was one file with one content while it was read.
//!
//! A file is opened, looked at, read and looked at again. Where its size or times differ before and after, or where
//! it gave more or fewer bytes than it should, there is no hash. [`pieces`] divides a very large one among threads.

pub mod pieces;

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use crate::mapped::Mapping;
use crate::record::{ContentHash, FileId, Timestamp};
use crate::report;
use crate::walk::listing::special;

/// Files of this size and more are mapped instead of read: below it, setting up the map costs more than the copy.
const MAPPED: u64 = 4 << 20;

/// Bytes that are read at once: they are still in the processor's second-level cache when they are hashed.
const BUFFER: usize = 256 << 10;

/// Why a file has no hash, or no record at all.
#[derive(Debug)]
pub enum Trouble {
    /// The system said so.
    Io(io::Error),
    /// It is something else, named here.
    NotRegular(&'static str),
    /// It is another file now, or has another content.
    Changed,
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => out.write_str(&report::reason(error)),
            Self::NotRegular(what) => out.write_str(what),
            Self::Changed => out.write_str("it changed while it was read"),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for Trouble {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Whether the last part of a path may be a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It is followed.
    Follow,
    /// It is refused.
    Refuse,
}

/// What is known of a regular file without reading it. Where two are equal, so is, as far as can be told, the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Length in bytes.
    pub size: u64,
    /// Last modification of the content.
    pub mtime: Timestamp,
    /// Which file this is.
    pub id: FileId,
}

impl Status {
    /// Looks at the file `path`.
    ///
    /// # Errors
    /// [`Trouble`] where there is none, or none that is regular.
    pub fn of(path: &Path, links: Links) -> Result<Self, Trouble> {
        match links {
            Links::Follow => Self::from_metadata(&path.metadata()?),
            Links::Refuse => Self::from_metadata(&path.symlink_metadata()?),
        }
    }

    fn from_metadata(status: &Metadata) -> Result<Self, Trouble> {
        let kind = status.file_type();
        if !kind.is_file() {
            let other = if kind.is_dir() { "a directory" } else { "a symbolic link" };
            return Err(Trouble::NotRegular(special(kind).unwrap_or(other)));
        }
        Ok(Self {
            size: status.size(),
            mtime: timestamp(status.mtime(), status.mtime_nsec()),
            id: FileId { dev: status.dev(), ino: status.ino() },
        })
    }
}

fn timestamp(seconds: i64, nanoseconds: i64) -> Timestamp {
    Timestamp { seconds, nanoseconds: u32::try_from(nanoseconds).unwrap_or(0) }
}

/// Space that a thread uses for one file after the other.
#[derive(Debug)]
pub struct Scratch {
    buffer: Box<[u8]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { buffer: vec![0; BUFFER].into_boxed_slice() }
    }
}

/// A regular file that is open for reading, with what was known of it when it was opened.
#[derive(Debug)]
pub struct Opened {
    file: File,
    status: Status,
    /// Last change of the content or of what is known of the file. Unlike the modification time, nobody can set it back.
    ctime: Timestamp,
}

impl Opened {
    /// Opens `path`.
    ///
    /// # Errors
    /// [`Trouble`] where it cannot be opened, or is no regular file.
    pub fn new(path: &Path, links: Links) -> Result<Self, Trouble> {
        // Should a FIFO or a terminal have taken the file's place, opening it must neither wait nor adopt it.
        let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        let file = File::from(rustix::fs::openat(CWD, path, flags, Mode::empty())?);
        let (status, ctime) = look_at(&file)?;
        Ok(Self { file, status, ctime })
    }

    /// What was known of it when it was opened.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// When anything about it changed last, before it was opened.
    #[must_use]
    pub fn ctime(&self) -> Timestamp {
        self.ctime
    }

    /// Hashes the whole content.
    ///
    /// # Errors
    /// [`Trouble`] where it cannot be read, or changed meanwhile.
    pub fn hash(&self, scratch: &mut Scratch) -> Result<ContentHash, Trouble> {
        let hash = if self.status.size < MAPPED {
            self.hash_by_reading(&mut scratch.buffer)
        } else {
            self.hash_mapped().or_else(|_| self.hash_by_reading(&mut scratch.buffer))
        }?;
        self.check_unchanged()?;
        Ok(ContentHash::from(hash))
    }

    /// Hashes `len` bytes from `offset`; `len` is at most [`Opened::MOST_AT_ONCE`].
    ///
    /// # Errors
    /// [`Trouble`] where they cannot be read, or the file changed meanwhile.
    pub fn hash_part(&self, offset: u64, len: usize, scratch: &mut Scratch) -> Result<ContentHash, Trouble> {
        let buffer = &mut scratch.buffer[..len];
        self.file.read_exact_at(buffer, offset).map_err(Self::explain)?;
        self.check_unchanged()?;
        Ok(ContentHash::from(blake3::hash(buffer)))
    }

    /// The most that [`Opened::hash_part`] reads.
    pub const MOST_AT_ONCE: usize = BUFFER;

    /// Whether it still is what it was when it was opened.
    ///
    /// # Errors
    /// [`Trouble::Changed`] where it is not.
    pub fn check_unchanged(&self) -> Result<(), Trouble> {
        let before = (self.status, self.ctime);
        if look_at(&self.file)? == before { Ok(()) } else { Err(Trouble::Changed) }
    }

    fn hash_by_reading(&self, buffer: &mut [u8]) -> Result<blake3::Hash, Trouble> {
        let size = self.status.size;
        let first = read(&self.file, buffer)?;
        // Fewer bytes than there was room for, but all that there should be: that was the end.
        if first < buffer.len() && first as u64 == size {
            return Ok(blake3::hash(&buffer[..first]));
        }
        let mut hasher = blake3::Hasher::new();
        let (mut len, mut total) = (first, 0);
        while len > 0 {
            total += len as u64;
            if total > size {
                return Err(Trouble::Changed);
            }
            hasher.update(&buffer[..len]);
            len = read(&self.file, buffer)?;
        }
        if total == size { Ok(hasher.finalize()) } else { Err(Trouble::Changed) }
    }

    fn hash_mapped(&self) -> Result<blake3::Hash, Trouble> {
        let len = usize::try_from(self.status.size).map_err(io::Error::other)?;
        let map = Mapping::new(&self.file, 0, len)?;
        map.populate();
        let hash = blake3::hash(&map);
        if map.is_torn() { Err(Trouble::Changed) } else { Ok(hash) }
    }

    /// A file that ended too early was cut short; that is no fault of the system.
    fn explain(error: io::Error) -> Trouble {
        if error.kind() == io::ErrorKind::UnexpectedEof { Trouble::Changed } else { Trouble::Io(error) }
    }
}

fn look_at(file: &File) -> Result<(Status, Timestamp), Trouble> {
    let status = file.metadata()?;
    Ok((Status::from_metadata(&status)?, timestamp(status.ctime(), status.ctime_nsec())))
}

/// Reads once; a signal does not count as an error.
fn read(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(bytes).expect("content");
        file
    }

    #[test]
    fn every_way_of_reading_gives_the_same_hash() {
        let bytes: Vec<u8> = (0..=250).cycle().take(5 << 20).collect();
        let mut scratch = Scratch::default();
        for len in [0, 1, 1023, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER, (4 << 20) - 1, 4 << 20, 5 << 20] {
            let file = file_of(&bytes[..len]);
            let opened = Opened::new(file.path(), Links::Refuse).expect("open");
            let expected = ContentHash::from(blake3::hash(&bytes[..len]));
            assert_eq!(opened.hash(&mut scratch).expect("hash"), expected, "{len}");
        }
    }

    #[test]
    fn a_file_that_grew_shrank_or_was_written_has_no_hash() {
        let mut scratch = Scratch::default();
        for len in [0, 10, 70_000, 5 << 20] {
            let file = file_of(&vec![7; 1 << 20]);
            let opened = Opened::new(file.path(), Links::Refuse).expect("open");
            file.as_file().set_len(len).expect("length");
            assert!(matches!(opened.hash(&mut scratch), Err(Trouble::Changed)), "{len}");
        }
        let mapped = file_of(&vec![7; 5 << 20]);
        let opened = Opened::new(mapped.path(), Links::Refuse).expect("open");
        mapped.as_file().set_len(1 << 20).expect("length");
        assert!(matches!(opened.hash(&mut scratch), Err(Trouble::Changed)));
    }

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().expect("directory");
        assert!(matches!(Opened::new(dir.path(), Links::Refuse), Err(Trouble::NotRegular("a directory"))));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).expect("link");
        assert!(matches!(Opened::new(&link, Links::Refuse), Err(Trouble::Io(_))));
        assert!(matches!(Status::of(&link, Links::Refuse), Err(Trouble::NotRegular("a symbolic link"))));
    }
}
