//! The content hash of one file, and the certainty that it was one file with one content while it was read.
//!
//! A file is opened, looked at, read and looked at again. Where its size or times differ before and after, or where
//! it gave more or fewer bytes than it should, there is no hash. [`pieces`] divides a very large one among threads;
//! `alike` reads several that are probably equal.

pub(crate) mod alike;
pub mod pieces;

use std::fmt;
use std::fs::{File, Metadata};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use foldhash::fast::FixedState;
use rustix::fs::{CWD, Mode, OFlags};

use crate::mapped::Mapping;
use crate::record::{ContentHash, FileId, Timestamp};
use crate::report;
use crate::walk::listing::special;

/// Bytes that are read at once: they are still in the processor's second-level cache when they are hashed. That makes
/// reading faster than mapping at every size where it was measured, and an error on the way is an error and not a signal.
const BUFFER: usize = 128 << 10;

/// Bytes that are mapped at once, where mapping is asked for: smaller files are not worth the page table.
const WINDOW: u64 = 4 << 20;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    /// What a look at a file has given.
    ///
    /// # Errors
    /// [`Trouble::NotRegular`] where it is none that is regular.
    pub(crate) fn from_metadata(status: &Metadata) -> Result<Self, Trouble> {
        let kind = status.file_type();
        if !kind.is_file() {
            let other = if kind.is_dir() { "a directory" } else { "a symbolic link" };
            return Err(Trouble::NotRegular(special(kind).unwrap_or(other)));
        }
        Ok(Self {
            size: status.size(),
            mtime: timestamp(status.mtime(), status.mtime_nsec()),
            id: FileId::here(status.dev(), status.ino()),
        })
    }
}

/// When anything about a file changed last, as a look at it has given.
pub(crate) fn ctime_of(status: &Metadata) -> Timestamp {
    timestamp(status.ctime(), status.ctime_nsec())
}

fn timestamp(seconds: i64, nanoseconds: i64) -> Timestamp {
    Timestamp { seconds, nanoseconds: u32::try_from(nanoseconds).unwrap_or(0) }
}

/// How a thread gets at the bytes of one file after the other.
#[derive(Debug)]
pub struct Scratch {
    buffer: Box<[u8]>,
    /// For a second file beside the first; empty until there is one.
    beside: Box<[u8]>,
    maps: bool,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Scratch {
    /// Reads into a buffer of its own, or, if `maps`, maps what is large enough to be worth it.
    #[must_use]
    pub fn new(maps: bool) -> Self {
        Self { buffer: vec![0; BUFFER].into_boxed_slice(), beside: Box::default(), maps }
    }

    /// Buffers for two files. Together they still are in the processor's second-level cache.
    fn two_buffers(&mut self) -> (&mut [u8], &mut [u8]) {
        if self.beside.is_empty() {
            self.beside = vec![0; BUFFER].into_boxed_slice();
        }
        (&mut self.buffer, &mut self.beside)
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
        Self::from_file(rustix::fs::openat(CWD, path, flags, Mode::empty())?.into())
    }

    /// A file that was opened for reading elsewhere.
    ///
    /// # Errors
    /// [`Trouble`] where it cannot be looked at, or is no regular file.
    pub(crate) fn from_file(file: File) -> Result<Self, Trouble> {
        let (status, ctime) = look_at(&file)?;
        Ok(Self { file, status, ctime })
    }

    /// What was known of it when it was opened.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The file itself, for readers that seek.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
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
        let hash = if scratch.maps && self.status.size >= WINDOW {
            let mut hasher = blake3::Hasher::new();
            self.feed(0, self.status.size, &mut hasher, scratch)?;
            hasher.finalize()
        } else {
            self.read_and_hash(&mut scratch.buffer)?
        };
        self.check_unchanged()?;
        Ok(ContentHash::from(hash))
    }

    /// Hashes `len` bytes from each of these offsets. All of them together are at most [`Opened::MOST_AT_ONCE`].
    ///
    /// # Errors
    /// [`Trouble`] where they cannot be read, or the file changed meanwhile.
    pub fn hash_parts(&self, offsets: &[u64], len: usize, scratch: &mut Scratch) -> Result<ContentHash, Trouble> {
        let buffer = &mut scratch.buffer[..offsets.len() * len];
        for (part, offset) in buffer.chunks_mut(len).zip(offsets) {
            self.read_exact(part, *offset)?;
        }
        self.check_unchanged()?;
        Ok(ContentHash::from(blake3::hash(buffer)))
    }

    /// The most that [`Opened::hash_parts`] reads.
    pub const MOST_AT_ONCE: usize = BUFFER;

    fn read_exact(&self, buffer: &mut [u8], offset: u64) -> Result<(), Trouble> {
        self.file.read_exact_at(buffer, offset).map_err(|error| self.explain(error))
    }

    /// A number that is the same for equal contents, and another for most others: found many times faster than a hash,
    /// and good for nothing but to tell files apart.
    ///
    /// # Errors
    /// [`Trouble`] where the file cannot be read, or changed meanwhile.
    pub(crate) fn fingerprint(&self, scratch: &mut Scratch) -> Result<u64, Trouble> {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        let mut done = 0;
        while done < self.status.size {
            let left = self.status.size - done;
            let room = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            let part = &mut scratch.buffer[..room];
            self.read_exact(part, done)?;
            hasher.write(part);
            done += room as u64;
        }
        self.check_unchanged()?;
        Ok(hasher.finish())
    }

    /// Whether it still is what it was when it was opened.
    ///
    /// # Errors
    /// [`Trouble::Changed`] where it is not.
    pub fn check_unchanged(&self) -> Result<(), Trouble> {
        let before = (self.status, self.ctime);
        if look_at(&self.file)? == before { Ok(()) } else { Err(Trouble::Changed) }
    }

    /// Adds `len` bytes from `offset` to `hasher`. Whether the file changed otherwise is for
    /// [`Opened::check_unchanged`] to say.
    fn feed(&self, offset: u64, len: u64, hasher: &mut blake3::Hasher, scratch: &mut Scratch) -> Result<(), Trouble> {
        let step = if scratch.maps { WINDOW } else { BUFFER as u64 };
        let mut done = 0;
        while done < len {
            let room = usize::try_from(step.min(len - done)).map_err(io::Error::other)?;
            if !(scratch.maps && self.feed_mapped(offset + done, room, hasher)?) {
                self.feed_read(offset + done, room, hasher, &mut scratch.buffer)?;
            }
            done += room as u64;
        }
        Ok(())
    }

    /// `false`, and nothing added, where the filesystem cannot map.
    fn feed_mapped(&self, offset: u64, len: usize, hasher: &mut blake3::Hasher) -> Result<bool, Trouble> {
        let Ok(map) = Mapping::new(&self.file, offset, len) else { return Ok(false) };
        map.populate();
        hasher.update(&map);
        if !map.is_torn() {
            return Ok(true);
        }
        // Whether the disk failed or somebody cut the file short is told by reading, and by nothing else.
        let mut byte = [0];
        for at in [offset, offset + len as u64 - 1] {
            self.read_exact(&mut byte, at)?;
        }
        Err(Trouble::Changed)
    }

    fn feed_read(
        &self,
        offset: u64,
        len: usize,
        hasher: &mut blake3::Hasher,
        buffer: &mut [u8],
    ) -> Result<(), Trouble> {
        let mut done = 0;
        while done < len {
            let room = buffer.len().min(len - done);
            let part = &mut buffer[..room];
            self.read_exact(part, offset + done as u64)?;
            hasher.update(part);
            done += room;
        }
        Ok(())
    }

    fn read_and_hash(&self, buffer: &mut [u8]) -> Result<blake3::Hash, Trouble> {
        let size = self.status.size;
        let first = read(&self.file, buffer, 0)?;
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
            len = read(&self.file, buffer, total)?;
        }
        if total == size { Ok(hasher.finalize()) } else { Err(self.ended_early()) }
    }

    /// Why it could not be read, by the error that reading gave.
    pub(crate) fn explain(&self, error: io::Error) -> Trouble {
        if error.kind() == io::ErrorKind::UnexpectedEof { self.ended_early() } else { Trouble::Io(error) }
    }

    /// A file that gives fewer bytes than its size was cut short, which shows, or its disk has failed.
    fn ended_early(&self) -> Trouble {
        match self.check_unchanged() {
            Ok(()) => Trouble::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends before its size is reached")),
            Err(trouble) => trouble,
        }
    }
}

fn look_at(file: &File) -> Result<(Status, Timestamp), Trouble> {
    let status = file.metadata()?;
    Ok((Status::from_metadata(&status)?, ctime_of(&status)))
}

/// Reads once; a signal does not count as an error.
fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
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
    fn a_hash_does_not_depend_on_how_the_file_was_read() {
        let bytes: Vec<u8> = (0..=250).cycle().take(9 << 20).collect();
        let (mut scratch, mut mapping) = (Scratch::default(), Scratch::new(true));
        for len in [0, 1, 1023, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER, 4 << 20, (8 << 20) + 1, 9 << 20] {
            let file = file_of(&bytes[..len]);
            let opened = Opened::new(file.path(), Links::Refuse).expect("open");
            let expected = ContentHash::from(blake3::hash(&bytes[..len]));
            assert_eq!(opened.hash(&mut scratch).expect("hash"), expected, "{len}");
            assert_eq!(opened.hash(&mut mapping).expect("hash"), expected, "{len} mapped");
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
        let mapped = file_of(&vec![7; 9 << 20]);
        let opened = Opened::new(mapped.path(), Links::Refuse).expect("open");
        mapped.as_file().set_len(5 << 20).expect("length");
        assert!(matches!(opened.hash(&mut Scratch::new(true)), Err(Trouble::Changed)));
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
