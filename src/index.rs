//! An index that is kept on disk, so that what has not changed is not read again, and the work of a crawl that did not
//! come to its end is not lost.
//!
//! `FILE` is an ordinary index. Beside it stands `FILE.crawl` (`companion`), which says how `FILE` came about (`account`)
//! and takes up what a crawl finds, line by line (`lines`). `known` looks files up in both, as far as `trust` goes;
//! `vanished` judges the rows whose files were not found; `fresh` and `replace` make the new `FILE`. `young` answers from
//! `FILE` alone.
//!
//! In the end the order of steps is: `FILE.new` to the disk; its account into `FILE.crawl`, and to the disk; `FILE.new`
//! becomes `FILE`; its directory to the disk; a new `FILE.crawl` with the account alone takes the place of the old one.
//! Whatever dies in between, `FILE` is the old or the new one, whole, and `FILE.crawl` holds the account of either.

mod account;
mod companion;
mod fresh;
mod judgement;
mod known;
mod lines;
mod replace;
mod seen;
mod slots;
mod trust;
mod vanished;
mod young;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use blake3::hazmat::ChainingValue;

use account::Account;
pub(crate) use account::Coverage;
use companion::{Begin, Companion};
use judgement::{Judgement, judge};
use known::Known;
pub(crate) use known::Reader;
pub use lines::{Beside, look_beside};
use lines::{Contents, Half, Values};
use replace::Placed;
pub(crate) use seen::{Kept, Place, Seen};
use trust::Trust;
use vanished::Vanished;
pub(crate) use young::{Young, young};

use crate::cli::Failure;
use crate::hash::Status;
use crate::record::{ContentHash, FileId, INDEX_COLUMNS, Record, Timestamp};
use crate::report::{self, Reporter};
use crate::stream::Table;
use crate::stream::writer::tsv_line;
use crate::walk::{Filter, Root};

/// The index of one crawl, locked until this is dropped.
#[derive(Debug)]
pub(crate) struct Index {
    /// As it was given.
    name: PathBuf,
    /// What is to be replaced: where the name is a link, what it leads to.
    path: PathBuf,
    companion: Companion,
    known: Known,
    coverage: Coverage,
    start: Timestamp,
    /// BLAKE3 of the index as it was found; absent where there was none.
    content: Option<ContentHash>,
    halves: HashMap<Half, Values>,
    /// What could not be read.
    failed: Mutex<Vec<PathBuf>>,
    /// Which file the index was, if there was one.
    id: Option<FileId>,
    /// Files that belong to the index and are no part of the crawl.
    own: Vec<FileId>,
    /// The companion holds something that the next crawl can use.
    is_of_use: AtomicBool,
}

/// What a crawl was told about the index.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What is crawled, and how.
    pub(crate) coverage: Coverage,
    /// Everything is to be read.
    pub(crate) rehash: bool,
    /// Threads that may work at once.
    pub(crate) jobs: usize,
}

/// What a crawl has found of the rows that the index had before.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many are of files that are no longer there, or were not asked for.
    pub(crate) gone: u64,
    /// Files with another content, though nothing shows that anybody has written to them, and what their hash was.
    pub(crate) altered: Vec<(PathBuf, ContentHash)>,
}

impl Index {
    /// Opens the index `path` for a crawl that begins now, with what it knows and with what an unfinished crawl has left,
    /// or begins a new one.
    ///
    /// # Errors
    /// [`Failure::Stop`] where another process is at work on it, where `path` is a file that is no index, or cannot be
    /// read.
    pub(crate) fn open(path: &Path, asked: Asked, reporter: &Reporter) -> Result<Self, Failure> {
        let (name, path) = (path.to_path_buf(), resolve(path));
        let start = now();
        id_of_index(&path, &name)?;
        let (companion, contents) = Companion::open(&path, &name)?;
        let opened = Self::look_up(&path, &name, &companion, &contents, &asked, reporter);
        let (id, content, known) = opened.inspect_err(|_| companion.remove_if_empty(&contents))?;
        let begun = make_room(&replace::path_beside(&path), contents.temporary)
            .and_then(|()| companion.begin(&Begin::now(start, asked.rehash, &asked.coverage)));
        begun.inspect_err(|_| companion.remove_if_empty(&contents))?;
        let own = id.into_iter().chain([companion.id()]).collect();
        let is_of_use = AtomicBool::new(contents.is_of_use());
        let halves = contents.halves_for(asked.rehash);
        let (coverage, failed) = (asked.coverage, Mutex::default());
        Ok(Self { name, path, companion, known, coverage, start, content, halves, failed, id, own, is_of_use })
    }

    /// Reads the index and what an unfinished crawl has left, now that nobody else writes them.
    fn look_up(
        path: &Path,
        name: &Path,
        companion: &Companion,
        contents: &Contents,
        asked: &Asked,
        reporter: &Reporter,
    ) -> Result<(Option<FileId>, Option<ContentHash>, Known), Failure> {
        let id = id_of_index(path, name)?;
        let table = id.map(|_| Table::open(&[path.as_os_str().to_owned()])).transpose()?;
        let content = table.as_ref().map(content_of);
        let trust = Trust::new(path, name, content, contents, asked, reporter);
        let known = Known::new(table.unwrap_or_default(), companion.map()?, trust, asked.jobs, reporter)?;
        Ok((id, content, known))
    }

    /// What is known of a file that has not changed.
    pub(crate) fn find(&self, path: &Path, status: &Status, reader: &mut Reader) -> Option<Kept> {
        self.known.find(path, status, reader)
    }

    /// The row of a file that has not changed, and was not read before either.
    pub(crate) fn find_unread(&self, path: &Path, status: &Status, reader: &mut Reader) -> Option<Kept> {
        self.known.find_unread(path, status, reader)
    }

    /// Whether files without a hash that have not changed were told apart from all others of their size.
    pub(crate) fn tells_apart(&self) -> bool {
        self.known.tells_apart()
    }

    /// The hash in a row, which may be one of those that were added.
    pub(crate) fn hash_at(&self, at: Place, reader: &mut Reader) -> Option<ContentHash> {
        self.known.row(at, reader)?.hash
    }

    /// Whether a row stands in the index itself, and not in what an unfinished crawl has left.
    pub(crate) fn is_in_file(&self, at: Place) -> bool {
        self.known.is_in_index(at)
    }

    /// Whether a file belongs to the index.
    pub(crate) fn is_own(&self, id: FileId) -> bool {
        self.own.contains(&id)
    }

    /// Which pieces of a large file were hashed by an earlier crawl.
    pub(crate) fn pieces(&self, status: &Status, ctime: Timestamp) -> Option<&Values> {
        self.halves.get(&Half { status: *status, ctime })
    }

    /// A piece of a large file was hashed.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that cannot be written down.
    pub(crate) fn add_piece(
        &self,
        status: &Status,
        ctime: Timestamp,
        number: u64,
        value: &ChainingValue,
    ) -> Result<(), Failure> {
        let mut line = Vec::new();
        lines::push_piece(&mut line, &Half { status: *status, ctime }, number, value);
        self.append(&line).map(drop)
    }

    /// Something could not be read, so that what is known of it, and of what is below it, is to be remembered.
    pub(crate) fn add_failed(&self, path: &Path) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_path_buf());
    }

    /// The line of a row that was there when the crawl began, with its newline.
    pub(crate) fn line(&self, at: Place) -> &[u8] {
        self.known.line(at)
    }

    /// Writes records down, and tells their places.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(crate) fn add(&self, records: &[Record]) -> Result<Vec<Place>, Failure> {
        let (mut lines, mut line, mut places) = (Vec::new(), Vec::new(), Vec::with_capacity(records.len()));
        for record in records {
            line.clear();
            tsv_line(record, INDEX_COLUMNS, &mut line);
            places.push(lines::push_row(&mut lines, &line));
        }
        let at = self.append(&lines)?;
        Ok(places.into_iter().map(|place| self.known.place_in_companion(at + place)).collect())
    }

    fn append(&self, lines: &[u8]) -> Result<u64, Failure> {
        let at = self.companion.append(lines)?;
        self.is_of_use.store(true, Ordering::Relaxed);
        Ok(at)
    }

    /// A row is still true. Tells whether it stays where it is in the index; if not, the caller keeps its place.
    pub(crate) fn keep(&self, at: Place) -> bool {
        let stays = self.known.is_sorted() && self.known.is_in_index(at);
        if stays {
            self.known.keep_alive(at);
        }
        stays
    }

    /// The crawl did not come to its end: what it has done goes to the disk, for the next one.
    ///
    /// # Errors
    /// [`Failure::Stop`] where that fails.
    pub(crate) fn suspend(&self) -> Result<(), Failure> {
        if self.is_of_use.load(Ordering::Relaxed) {
            return self.companion.sync();
        }
        self.companion.remove();
        Ok(())
    }

    /// The crawl has found all that there is: the rows that [`Index::keep`] was told of, and those at `places`. The index
    /// is replaced by just these.
    ///
    /// # Errors
    /// [`Failure::Stop`] where the index cannot be written, or must not be: because a root could not be read, or a
    /// filesystem is missing. It is as it was then, and what was hashed is kept for the next crawl.
    pub(crate) fn finish(
        &mut self,
        places: Vec<Place>,
        roots: &[Root],
        filter: &Filter,
        jobs: usize,
    ) -> Result<Outcome, Failure> {
        let log = self.companion.map()?;
        self.known.read_again(log);
        self.check_whole()?;
        let is_there = self.is_there()?;
        let failed = std::mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(root) = roots.iter().find(|root| failed.contains(&root.path)) {
            return Err(self.left_as_it_was(&format!("{} could not be read", report::shown(&root.path))));
        }
        let mut account =
            Account { start: self.start, content: ContentHash::of_nothing(), coverage: self.coverage.clone() };
        let is_same = is_there && failed.is_empty() && places.is_empty() && self.known.is_all_alive();
        if let Some(content) = self.content.filter(|_| is_same) {
            // It says already what it should.
            account.content = content;
        } else {
            let places = fresh::sort(&self.known, places, jobs);
            let vanished = Vanished::new(roots, filter, &failed);
            let Judgement { kept, gone, altered, unmounted } = judge(&self.known, &self.coverage, &places, vanished);
            if let Some(dir) = unmounted {
                let dir = report::shown(&dir);
                return Err(self.left_as_it_was(&format!(
                    "the filesystem is missing that was in {dir}: is it mounted? (Gone for good, it is left out with \
                     --exclude, once.)"
                )));
            }
            account.content = self.write(&places, &account)?;
            self.companion.replace(&account, &kept)?;
            return Ok(Outcome { gone, altered });
        }
        self.companion.replace(&account, &[])?;
        Ok(Outcome::default())
    }

    fn write(&self, places: &[Place], account: &Account) -> Result<ContentHash, Failure> {
        let new = replace::path_beside(&self.path);
        // Somebody else's file must not be announced: the next crawl would remove it.
        make_room(&new, false)?;
        self.companion.announce()?;
        let written = replace::write(&new, &self.path, &self.known, places);
        let content = written.map_err(|error| {
            // What went wrong is worth more than another error.
            self.companion.retract().unwrap_or(());
            failure("writing", &new, &error)
        })?;
        let own = id_of_index(&new, &new)?;
        let replaced = self.check_whole().and_then(|()| {
            self.companion.add_account(&Account { content, ..account.clone() })?;
            self.is_of_use.store(true, Ordering::Relaxed);
            let old = if self.is_there()? { self.id } else { None };
            match replace::take_place(&new, &self.path, old)
                .map_err(|error| failure("replacing", &self.path, &error))?
            {
                Placed::There => Ok(()),
                Placed::Taken => Err(self.left_as_it_was(TAKEN)),
                Placed::Swapped => {
                    Err(self.left_as_it_was(&format!("{TAKEN}, which is called {} now", report::shown(&new))))
                }
            }
        });
        if replaced.is_err() {
            // Here, too. What somebody else has put under that name stays.
            if own.is_some() && id_of_index(&new, &new).is_ok_and(|there| there == own) {
                std::fs::remove_file(&new).unwrap_or(());
            }
            self.companion.retract().unwrap_or(());
        }
        replaced?;
        // First the name goes to the disk: were the power to fail, FILE.new could stand there again, and must be known then.
        let synced = sync_directory_of(&self.path);
        self.companion.retract()?;
        synced.map_err(|error| failure("writing", &self.path, &error))?;
        Ok(content)
    }

    /// Checks that nobody has changed the index since it was opened: what was read from it could be wrong.
    ///
    /// # Errors
    /// [`Failure::Stop`] if somebody has.
    pub(crate) fn check_whole(&self) -> Result<(), Failure> {
        self.known.table().check_whole()
    }

    /// Whether the index still stands in its place. What somebody else has put there is nobody's to replace.
    fn is_there(&self) -> Result<bool, Failure> {
        match id_of_index(&self.path, &self.name)? {
            None => Ok(false),
            there if there == self.id => Ok(true),
            Some(_) => Err(self.left_as_it_was(TAKEN)),
        }
    }

    fn left_as_it_was(&self, why: &str) -> Failure {
        Failure::Stop(format!("replacing: {}: it is left as it was: {why}", report::shown(&self.name)))
    }
}

const TAKEN: &str = "another file has taken its place meanwhile";

/// The file that is to be replaced: where `path` is a link, what it leads to.
fn resolve(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Which file the index is; `None` where there is none yet.
fn id_of_index(path: &Path, name: &Path) -> Result<Option<FileId>, Failure> {
    let stop = |problem: &str| Err(Failure::Stop(format!("opening: {}: {problem}", report::shown(name))));
    match path.symlink_metadata() {
        Ok(status) if status.is_file() => Ok(Some(FileId::here(status.dev(), status.ino()))),
        Ok(status) if status.is_symlink() => stop("it is a link that leads nowhere"),
        Ok(_) => stop("it is no regular file"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => stop(&report::reason(&error)),
    }
}

fn content_of(table: &Table) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    table.contents().for_each(|bytes| {
        hasher.update(bytes);
    });
    hasher.finalize().into()
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp { seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX), nanoseconds: now.subsec_nanos() }
}

/// Sees to it that there is no `FILE.new`: one that an earlier crawl has announced is removed, any other stays.
fn make_room(new: &Path, announced: bool) -> Result<(), Failure> {
    match if announced { std::fs::remove_file(new) } else { new.symlink_metadata().map(drop) } {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failure("removing", new, &error)),
        Ok(()) if announced => Ok(()),
        Ok(()) => Err(Failure::Stop(format!("writing: {}: it is there already, and in the way", report::shown(new)))),
    }
}

/// Brings the names in the directory of a file to the disk.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    File::open(crate::place::parent(path))?.sync_all()
}

fn failure(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Stop(format!("{doing}: {}: {}", report::shown(path), report::reason(error)))
}
