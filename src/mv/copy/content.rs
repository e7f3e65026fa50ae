//! The content of a copy: read, written, read back and compared.
//!
//! To hash takes longer than to read and to write what is in memory, so another thread does it meanwhile. A file that is
//! not too large is held until the copy is on the disk, and the copy is compared with what is held; of a larger one the
//! hashes are compared, and several threads read it back. Where there are no further threads to be had, one does it all.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::panic::resume_unwind;
use std::thread::{self, Builder};

use crossbeam_channel::bounded;
use rustix::fs::{Advice, fadvise};

use super::{CHUNK, Copy, copy_metadata, open_to_read, read_some};
use crate::hash::pieces::Pieces;
use crate::hash::{self, Opened, Scratch};
use crate::mv::facts::Facts;
use crate::mv::trouble::Trouble;
use crate::record::{ContentHash, FileId};

/// Larger files are not held in memory, in bytes. They have more than one piece.
const MOST_HELD: u64 = 16 << 20;

/// To hash less than this takes no longer than to start a thread for it, in bytes.
const LEAST_BESIDE: usize = 128 << 10;

/// A copy is compared in steps of this many bytes, which stay in the cache of a processor.
const COMPARED: usize = 256 << 10;

/// Memory that serves one copy after the other: to get it anew takes about as long as to write what it holds.
#[derive(Debug, Default)]
pub(in crate::mv) struct Room {
    content: Vec<u8>,
    compared: Vec<u8>,
}

/// Chunks that are read ahead of the thread that hashes.
const AHEAD: usize = 3;

/// Threads that read a large copy back.
const MOST_READERS: usize = 4;

impl Copy<'_> {
    /// Fills the copy, gives it the metadata of the source, brings it to the disk and compares it there with what was read.
    pub(super) fn carry_over(
        &self,
        source: &mut File,
        part: &File,
        id: FileId,
        room: &mut Room,
    ) -> Result<ContentHash, Trouble> {
        if self.facts.size > MOST_HELD {
            self.reserve(part)?;
            let hash = self.fill(source, part)?;
            self.check_source(source, hash)?;
            self.finish(source, part)?;
            self.compare_hash(part, id, hash)?;
            return Ok(hash);
        }
        let content = self.read_whole(source, &mut room.content)?;
        let hash = beside(content, || {
            for chunk in content.chunks(CHUNK) {
                self.write(part, chunk)?;
            }
            self.finish(source, part)?;
            self.compare(part, id, content, &mut room.compared)
        })?;
        self.check_source(source, hash)?;
        Ok(hash)
    }

    fn finish(&self, source: &File, part: &File) -> Result<(), Trouble> {
        copy_metadata(source, part, self.was).map_err(|error| self.writing(error))?;
        part.sync_all().map_err(|error| self.writing(error))
    }

    fn write(&self, mut part: &File, chunk: &[u8]) -> Result<(), Trouble> {
        self.check_interrupt()?;
        part.write_all(chunk).map_err(|error| self.writing(error))?;
        self.progress.add_bytes(chunk.len() as u64);
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), Trouble> {
        if self.interrupt.came() { Err(Trouble::Interrupted) } else { Ok(()) }
    }

    /// All that the source had when it was checked.
    fn read_whole<'r>(&self, source: &mut File, room: &'r mut Vec<u8>) -> Result<&'r [u8], Trouble> {
        let size = usize::try_from(self.facts.size).map_err(|_| self.changed())?;
        // One more than there should be shows whether it grew.
        room.resize(room.len().max(size + 1), 0);
        let content = &mut room[..=size];
        let mut done = 0;
        while done <= size {
            self.check_interrupt()?;
            let end = content.len().min(done + CHUNK);
            match read_some(source, &mut content[done..end]).map_err(|error| self.reading(error))? {
                0 => break,
                read => done += read,
            }
        }
        if done == size { Ok(&content[..size]) } else { Err(self.changed()) }
    }

    /// Copies what is not held as a whole.
    fn fill(&self, source: &mut File, part: &File) -> Result<ContentHash, Trouble> {
        let (full, to_hash) = bounded::<Vec<u8>>(AHEAD);
        let (done, empty) = bounded::<Vec<u8>>(AHEAD + 2);
        let hash_all = move || {
            let mut hasher = blake3::Hasher::new();
            for chunk in to_hash {
                hasher.update(&chunk);
                // Where nobody takes it, all is read.
                done.send(chunk).unwrap_or(());
            }
            hasher.finalize()
        };
        let hash = thread::scope(|scope| {
            let Ok(hashing) = Builder::new().spawn_scoped(scope, hash_all) else {
                let mut hasher = blake3::Hasher::new();
                self.fill_by_chunks(source, part, &mut |chunk| {
                    hasher.update(&chunk);
                    chunk
                })?;
                return Ok(hasher.finalize());
            };
            self.fill_by_chunks(source, part, &mut |chunk| {
                // Nobody takes it after a panic only, which is told of below.
                full.send(chunk).unwrap_or(());
                empty.try_recv().unwrap_or_default()
            })?;
            drop(full);
            Ok(hashing.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        hash.map(ContentHash::from)
    }

    /// `hash` takes each chunk when it is written, and gives a buffer for one of the next.
    fn fill_by_chunks(
        &self,
        source: &mut File,
        part: &File,
        hash: &mut dyn FnMut(Vec<u8>) -> Vec<u8>,
    ) -> Result<(), Trouble> {
        let mut left = self.facts.size;
        let mut chunk = vec![0; CHUNK];
        loop {
            chunk.resize(CHUNK, 0);
            let read = read_some(source, &mut chunk).map_err(|error| self.reading(error))?;
            if read == 0 {
                return if left > 0 { Err(self.changed()) } else { Ok(()) };
            }
            chunk.truncate(read);
            self.write(part, &chunk)?;
            left = left.checked_sub(read as u64).ok_or_else(|| self.changed())?;
            chunk = hash(chunk);
        }
    }

    /// The copy, opened anew, so that what is read of it comes from the disk.
    fn open_again(&self, part: &File, id: FileId) -> Result<File, Trouble> {
        // Clean pages are dropped; a hint that not every filesystem takes.
        fadvise(part, 0, None, Advice::DontNeed).unwrap_or(());
        let copy = open_to_read(&self.dest.dir, self.part).map_err(|error| self.writing(error))?;
        if Facts::of_open(&copy).map_err(|error| self.writing(error))?.id == id {
            return Ok(copy);
        }
        Err(self.refused("another file was put in the place of the unfinished copy"))
    }

    fn compare(&self, part: &File, id: FileId, content: &[u8], buffer: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut copy = self.open_again(part, id)?;
        buffer.resize(COMPARED, 0);
        let mut left = content;
        loop {
            self.check_interrupt()?;
            let read = read_some(&mut copy, buffer).map_err(|error| self.writing(error))?;
            let Some((same, rest)) = left.split_at_checked(read).filter(|(same, _)| *same == &buffer[..read]) else {
                return Err(self.refused(DIFFERENT));
            };
            if read == 0 {
                return if same.len() == left.len() { Ok(()) } else { Err(self.refused(DIFFERENT)) };
            }
            left = rest;
        }
    }

    fn compare_hash(&self, part: &File, id: FileId, hash: ContentHash) -> Result<(), Trouble> {
        let failed = |trouble| match trouble {
            hash::Trouble::Io(error) => self.writing(error),
            other => Trouble::refused("copying to", &self.dest.path, other.to_string()),
        };
        let copy = Opened::from_file(self.open_again(part, id)?).map_err(failed)?;
        let pieces = Pieces::new(copy, HashMap::new()).map_err(|_| self.refused(DIFFERENT))?;
        let read = || {
            let mut scratch = Scratch::default();
            while !self.interrupt.came() {
                let result = pieces.hash_next(&mut scratch)?.result;
                if result.is_some() {
                    return result;
                }
            }
            None
        };
        let read = thread::scope(|scope| {
            let helpers = num_cpus::get().min(MOST_READERS) - 1;
            let helpers: Vec<_> = (0..helpers).map_while(|_| Builder::new().spawn_scoped(scope, read).ok()).collect();
            let own = read();
            // Whoever is the last to finish a piece has the result.
            helpers
                .into_iter()
                .fold(own, |found, helper| found.or(helper.join().unwrap_or_else(|panic| resume_unwind(panic))))
        });
        // Without an interrupt somebody has finished it.
        let read = read.ok_or(Trouble::Interrupted)?.map_err(failed)?;
        if read == hash { Ok(()) } else { Err(self.refused(DIFFERENT)) }
    }

    fn refused(&self, reason: &'static str) -> Trouble {
        Trouble::refused("copying to", &self.dest.path, reason)
    }
}

const DIFFERENT: &str = "what was read back is not what was written; the disk may be failing";

/// Hashes `content` while something else is done with it.
fn beside<E>(content: &[u8], work: impl FnOnce() -> Result<(), E>) -> Result<ContentHash, E> {
    if content.len() < LEAST_BESIDE {
        let hash = blake3::hash(content);
        return work().map(|()| hash.into());
    }
    thread::scope(|scope| {
        let hashing = Builder::new().spawn_scoped(scope, || blake3::hash(content));
        work()?;
        let hash = match hashing {
            Ok(hashing) => hashing.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => blake3::hash(content),
        };
        Ok(hash.into())
    })
}
