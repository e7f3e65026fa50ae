//! All files of a crawl, held in little memory: 56 bytes a file, and its name.

use std::ffi::OsString;
use std::num::NonZeroU64;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Found, Sink};
use crate::cli::Failure;
use crate::hash::Status;
use crate::index::{Index, Reader, Seen};
use crate::record::{ContentHash, FileId, Timestamp};

/// Files by size, and then by identity.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    files: Vec<Candidate>,
    /// Names of files, each after its length in two bytes.
    names: Vec<u8>,
    /// What stands before the names, up to the last slash.
    directories: Vec<Box<[u8]>>,
    devices: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Candidate {
    size: u64,
    inode: u64,
    seconds: i64,
    /// Where the name begins among all names.
    name: u64,
    nanoseconds: u32,
    directory: u32,
    device: u32,
    failed: AtomicBool,
    seen: Option<NonZeroU64>,
}

impl Candidate {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// Its filesystem and its inode: in this order most disks have them.
    pub(super) fn identity(&self) -> (u32, u64) {
        (self.device, self.inode)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// The row of an index that knew it.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen.map(Seen::unpacked)
    }

    /// From now on this name counts as failed; tells whether it did before.
    pub(super) fn fail(&self) -> bool {
        self.failed.swap(true, Ordering::Relaxed)
    }
}

impl Candidates {
    fn push(&mut self, file: &Found) -> Result<(), Failure> {
        let too_many = |_| Failure::Stop("too many files for one crawl with --hash dups".into());
        let path = file.path.as_os_str().as_bytes();
        let (directory, name) = path.split_at(memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1));
        let length = u16::try_from(name.len()).map_err(too_many)?;
        let device = u32::try_from(self.device(file.status.id.dev)).map_err(too_many)?;
        // Portions come directory by directory, so that few directories are held more than once.
        if self.directories.last().is_none_or(|last| **last != *directory) {
            self.directories.push(directory.into());
        }
        self.files.push(Candidate {
            size: file.status.size,
            inode: file.status.id.ino,
            seconds: file.status.mtime.seconds,
            nanoseconds: file.status.mtime.nanoseconds,
            name: self.names.len() as u64,
            directory: u32::try_from(self.directories.len() - 1).map_err(too_many)?,
            device,
            failed: AtomicBool::new(false),
            seen: file.seen.map(Seen::packed),
        });
        self.names.extend_from_slice(&length.to_ne_bytes());
        self.names.extend_from_slice(name);
        Ok(())
    }

    fn device(&mut self, number: u64) -> usize {
        self.devices.iter().position(|known| *known == number).unwrap_or_else(|| {
            self.devices.push(number);
            self.devices.len() - 1
        })
    }

    /// Puts files of one size beside each other, and among them the names of one file.
    pub(super) fn sort(&mut self) {
        self.files.sort_unstable_by_key(|file| (file.size, file.identity(), file.directory, file.name));
    }

    pub(super) fn files(&self) -> &[Candidate] {
        &self.files
    }

    pub(super) fn path(&self, file: &Candidate) -> PathBuf {
        let name = self.name(file).unwrap_or_default();
        let directory = self.directories.get(file.directory as usize).map_or(&[][..], |directory| directory);
        PathBuf::from(OsString::from_vec([directory, name].concat()))
    }

    fn name(&self, file: &Candidate) -> Option<&[u8]> {
        let (length, rest) = self.names.get(usize::try_from(file.name).ok()?..)?.split_first_chunk()?;
        rest.get(..usize::from(u16::from_ne_bytes(*length)))
    }

    pub(super) fn status(&self, file: &Candidate) -> Status {
        let dev = self.devices.get(file.device as usize).copied().unwrap_or_default();
        Status {
            size: file.size,
            mtime: Timestamp { seconds: file.seconds, nanoseconds: file.nanoseconds },
            id: FileId::here(dev, file.inode),
        }
    }

    pub(super) fn found(&self, file: &Candidate, hash: Option<ContentHash>) -> Found {
        Found { path: self.path(file), hash, status: self.status(file), seen: None }
    }

    /// As [`Candidates::found`], and with the row of the index that knew it, if that still says the same.
    pub(super) fn found_in(&self, index: Option<&Index>, file: &Candidate, hash: Option<ContentHash>) -> Found {
        let says_so = |seen: &Seen| index.is_some_and(|index| index.hash_at(seen.place, &mut Reader::new()) == hash);
        Found { seen: file.seen().filter(says_so), ..self.found(file, hash) }
    }
}

impl Sink for Candidates {
    fn take(&mut self, found: Vec<Found>) -> Result<(), Failure> {
        found.iter().try_for_each(|file| self.push(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_statuses_come_back() {
        let mut candidates = Candidates::default();
        let mut all = Vec::new();
        for (number, path) in ["a/b", "a/c", "d", "/e", "a//f", "a/b/\u{e9}\n"].into_iter().enumerate() {
            let number = number as u64;
            let id = FileId::here(number % 2 + 1, number);
            let mtime = Timestamp { seconds: -5, nanoseconds: 7 };
            let status = Status { size: 100 - number, mtime, id };
            all.push(Found { path: path.into(), hash: None, status, seen: None });
        }
        candidates.take(all.clone()).expect("taken");
        candidates.sort();
        all.reverse();
        let back: Vec<Found> = candidates.files().iter().map(|file| candidates.found(file, None)).collect();
        assert_eq!(back, all);
        assert_eq!(size_of::<Candidate>(), 56);
    }
}
