//! The file beside an index that holds what the index cannot: the account of its crawl, the work of an unfinished one,
//! and the lock.
//!
//! Its first line, [`MAGIC`], is no record, so that nobody takes it for an index. Each further line begins with a
//! check of the rest, and what a crash has left of a line is passed over:
//!
//! ```text
//! mediastruct-crawl 1
//! CHECK account⇥START⇥BLAKE3 of the index⇥all|dups|none⇥operand=…⇥directory=…⇥option=…
//! CHECK begin⇥START⇥PROCESS[⇥rehash][⇥directory=…]
//! CHECK row⇥PATH⇥HASH⇥SIZE⇥MTIME⇥ID
//! CHECK piece⇥NUMBER⇥CHAINING VALUE⇥SIZE⇥MTIME⇥CTIME⇥ID
//! CHECK process⇥PROCESS
//! CHECK temporary⇥[gone]
//! ```
//!
//! A crawl only ever appends to it. In the end a new one takes its place, which is locked before that.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::account::{Account, Coverage};
use super::lines::{self, Contents};
use super::replace::{Placed, take_place};
use super::{failure, sync_directory_of};
use crate::cli::Failure;
use crate::mapped::Mapping;
use crate::record::{FileId, Timestamp};
use crate::report;

/// The first line.
pub(super) const MAGIC: &[u8] = b"mediastruct-crawl 1\n";

/// So much work may be lost when the power goes.
const SYNC_EVERY: Duration = Duration::from_secs(2);

/// The file, open and locked until this is dropped.
#[derive(Debug)]
pub(crate) struct Companion {
    path: PathBuf,
    id: FileId,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    file: File,
    /// Where the next line goes.
    end: u64,
    /// When all of it was last on the disk.
    synced: Instant,
    dirty: bool,
}

/// `FILE.crawl` for an index `FILE`.
pub(crate) fn path_beside(index: &Path) -> PathBuf {
    let mut name = index.as_os_str().to_owned();
    name.push(".crawl");
    PathBuf::from(name)
}

/// `FILE.crawl.new` for a companion `FILE.crawl`.
fn path_of_next(companion: &Path) -> PathBuf {
    let mut name = companion.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// What `FILE.crawl` says, without a lock; `None` where there is none that can be read.
pub(super) fn peek(index: &Path) -> Option<Contents> {
    let file = File::open(path_beside(index)).ok()?;
    map(&file).ok()?.map(|map| lines::read(&map))
}

fn map(file: &File) -> io::Result<Option<Mapping>> {
    let meta = file.metadata()?;
    let len = usize::try_from(meta.len()).map_err(io::Error::other)?;
    if len == 0 || !meta.is_file() { Ok(None) } else { Mapping::new(file, 0, len).map(Some) }
}

impl Companion {
    /// Opens the companion of `index`, which people know by `name`, or makes it, locks it, and reads it.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it cannot be opened, is something else, or another process holds it.
    pub(crate) fn open(index: &Path, name: &Path) -> Result<(Self, Contents), Failure> {
        let path = path_beside(index);
        let fail = |doing: &str, error: &io::Error| failure(doing, &path, error);
        let file = loop {
            let file = open(&path).map_err(|error| fail("opening", &error))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(held(name, &file)),
                Err(error) => return Err(fail("locking", &error.into())),
            }
            // Whoever held it may have put another one in its place meanwhile.
            let meta = file.metadata().map_err(|error| fail("reading", &error))?;
            if !meta.is_file() {
                return Err(Failure::Stop(format!("opening: {}: it is no regular file", report::shown(&path))));
            }
            if path.symlink_metadata().is_ok_and(|there| (there.dev(), there.ino()) == (meta.dev(), meta.ino())) {
                break file;
            }
        };
        let map = map(&file).map_err(|error| fail("reading", &error))?;
        let bytes = map.as_deref().unwrap_or_default();
        if !bytes.is_empty() && !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
            return Err(Failure::Stop(format!(
                "reading: {}: it is no work of ms-crawl, but in the way of it",
                report::shown(&path)
            )));
        }
        let contents = lines::read(bytes);
        drop(map);
        // It is no part of the tree that it may lie in. And what is in the way is better known now than in the end.
        if let Err(error) = remove_own(&path_of_next(&path)) {
            if contents.end == 0 {
                std::fs::remove_file(&path).unwrap_or(());
            }
            return Err(fail("writing", &error));
        }
        let end = contents.end;
        let meta = file.metadata().map_err(|error| fail("reading", &error))?;
        let id = FileId::here(meta.dev(), meta.ino());
        // What is left of a line that a crash cut off must not become the beginning of another.
        file.set_len(end).map_err(|error| fail("writing", &error))?;
        let log = Log { file, end, synced: Instant::now(), dirty: false };
        let companion = Self { path, id, log: Mutex::new(log) };
        if end == 0 {
            companion.append(MAGIC)?;
            companion.sync()?;
            sync_directory_of(&companion.path).map_err(|error| companion.failed("writing", &error))?;
        }
        Ok((companion, contents))
    }

    /// Which file this is.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// Says that a crawl begins. That is on the disk before anything the crawl finds, which would otherwise be taken for
    /// the work of an earlier one.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn begin(&self, begin: &Begin) -> Result<(), Failure> {
        self.append(&begin.to_line())?;
        self.sync()
    }

    /// Appends whole lines and tells the place of the first byte. Now and then, all that was appended goes to the disk.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn append(&self, lines: &[u8]) -> Result<u64, Failure> {
        let mut log = self.log();
        let at = log.end;
        log.file.write_all_at(lines, at).map_err(|error| self.failed("writing", &error))?;
        log.end += lines.len() as u64;
        log.dirty = true;
        if log.synced.elapsed() >= SYNC_EVERY {
            log.sync().map_err(|error| self.failed("writing", &error))?;
        }
        Ok(at)
    }

    /// Brings all that was appended to the disk.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        self.log().sync().map_err(|error| self.failed("writing", &error))
    }

    /// The whole file as it is now.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it cannot be mapped.
    pub(super) fn map(&self) -> Result<Option<Mapping>, Failure> {
        map(&self.log().file).map_err(|error| self.failed("reading", &error))
    }

    /// Puts a new file in the place of this one, with `account` and the lines `kept`, and nothing else. It is locked as
    /// well, and goes on being so. A crash leaves the old one or the new one, and perhaps the file `FILE.crawl.new`.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn replace(&self, account: &Account, kept: &[u8]) -> Result<(), Failure> {
        self.try_replace(account, kept).map_err(|error| self.failed("writing", &error))
    }

    fn try_replace(&self, account: &Account, kept: &[u8]) -> io::Result<()> {
        let name = path_of_next(&self.path);
        remove_own(&name)?;
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&name)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let mut text = MAGIC.to_vec();
        lines::push(&mut text, "account", account.to_columns().as_bytes());
        lines::push(&mut text, "process", std::process::id().to_string().as_bytes());
        text.extend_from_slice(kept);
        let written = file.write_all(&text).and_then(|()| file.sync_all());
        let placed = written.and_then(|()| take_place(&name, &self.path, Some(self.id)));
        if !matches!(placed, Ok(Placed::Swapped)) && !matches!(placed, Ok(Placed::There)) {
            std::fs::remove_file(&name).unwrap_or(());
        }
        if placed? != Placed::There {
            return Err(io::Error::other("another file has taken its place meanwhile"));
        }
        sync_directory_of(&self.path)?;
        // The old one is unlocked when it is closed; by then nobody can open it any more.
        let mut log = self.log();
        *log = Log { file, end: text.len() as u64, synced: Instant::now(), dirty: false };
        Ok(())
    }

    /// Says that `FILE.new` is about to be written, before it is.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn announce(&self) -> Result<(), Failure> {
        let mut line = Vec::new();
        lines::push_temporary(&mut line, false);
        self.append(&line)?;
        self.sync()
    }

    /// Says that `FILE.new` is gone: whatever has that name from now on is somebody else's.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn retract(&self) -> Result<(), Failure> {
        let mut line = Vec::new();
        lines::push_temporary(&mut line, true);
        self.append(&line).map(drop)
    }

    /// Adds the account of an index that is about to take its place.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(super) fn add_account(&self, account: &Account) -> Result<(), Failure> {
        let mut line = Vec::new();
        lines::push(&mut line, "account", account.to_columns().as_bytes());
        self.append(&line)?;
        self.sync()
    }

    /// Removes the file if there was nothing in it.
    pub(super) fn remove_if_empty(&self, contents: &Contents) {
        if !contents.is_of_use() {
            self.remove();
        }
    }

    /// Removes the file, in which there is nothing worth keeping.
    pub(super) fn remove(&self) {
        // Where that fails it stays, and the next crawl finds it empty.
        std::fs::remove_file(&self.path).unwrap_or(());
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, doing: &str, error: &io::Error) -> Failure {
        failure(doing, &self.path, error)
    }
}

impl Log {
    fn sync(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.sync_data()?;
        }
        self.dirty = false;
        self.synced = Instant::now();
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A link in its place could lead anywhere, and a FIFO must not be waited for.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
}

/// Removes what an earlier crawl has left under the name of a companion to be.
fn remove_own(path: &Path) -> io::Result<()> {
    let mut bytes = Vec::new();
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut bytes)?,
        Ok(_) => return Err(in_the_way(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if MAGIC.starts_with(&bytes) { std::fs::remove_file(path) } else { Err(in_the_way(path)) }
}

fn in_the_way(path: &Path) -> io::Error {
    io::Error::other(format!("{} is in the way", report::shown(path)))
}

fn held(name: &Path, file: &File) -> Failure {
    let contents = map(file).ok().flatten().map(|map| lines::read(&map));
    let process = contents.and_then(|contents| contents.process);
    let process = process.map_or_else(String::new, |number| format!(" (process {number})"));
    Failure::Stop(format!("{}: another ms-crawl{process} is at work on it", report::shown(name)))
}

/// A crawl that began, in a companion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begin {
    /// Where its lines begin.
    pub(super) at: u64,
    pub(super) start: Timestamp,
    pub(super) process: u32,
    /// It trusted no index.
    pub(super) rehash: bool,
    /// Where relative paths hold, escaped.
    pub(super) directory: Option<String>,
    /// Its rows are to be trusted.
    pub(super) trusted: bool,
    /// Relative paths in its rows hold for the crawl in hand.
    pub(super) holds_here: bool,
}

impl Begin {
    /// This process has begun a crawl.
    pub(super) fn now(start: Timestamp, rehash: bool, coverage: &Coverage) -> Self {
        let directory = coverage.directory().map(str::to_owned);
        Self { at: 0, start, process: std::process::id(), rehash, directory, trusted: true, holds_here: true }
    }

    /// The line that says so.
    pub(super) fn to_line(&self) -> Vec<u8> {
        let mut text = format!("{}\t{}", self.start, self.process);
        if self.rehash {
            text.push_str("\trehash");
        }
        if let Some(directory) = &self.directory {
            text.push_str("\tdirectory=");
            text.push_str(directory);
        }
        let mut line = Vec::new();
        lines::push(&mut line, "begin", text.as_bytes());
        line
    }
}
