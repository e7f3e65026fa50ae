//! What really stands in a volume.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::hash::{Status, Trouble, ctime_of};
use crate::plan;
use crate::record::{Record, Timestamp};
use crate::report::{self, Reporter};
use crate::volume::RESERVED;

/// What is met in a volume. Paths are below it.
#[derive(Debug)]
pub(super) enum Met {
    /// A directory.
    Dir(PathBuf),
    /// A regular file, and when anything about it changed last.
    File(PathBuf, Status, Timestamp),
    /// What no volume can have, and why. The path leads there.
    Odd(PathBuf, String),
    /// What could not be looked at, and why. The path leads there.
    Failed(PathBuf, String),
}

/// Walks through the volume in `dir`, leaving out the files that describe it.
pub(super) fn walk(dir: &Path, mut visit: impl FnMut(Met)) {
    let mut entries = WalkDir::new(dir).min_depth(1).follow_root_links(true).into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if is_reserved(&entry) && entry.file_type().is_dir() => {
                entries.skip_current_dir();
                visit(Met::Odd(
                    entry.into_path(),
                    "a directory has the name of a file that describes the volume".into(),
                ));
            }
            Ok(entry) if is_reserved(&entry) => {}
            Ok(entry) if is_aside(&entry) => {
                entries.skip_current_dir();
                visit(Met::Odd(entry.into_path(), UNFINISHED.into()));
            }
            Ok(entry) => visit(look(&entry, dir)),
            Err(error) => {
                let path = error.path().unwrap_or(dir).to_owned();
                visit(Met::Failed(path, report::reason(&error.into())));
            }
        }
    }
}

/// The paths below `dir` of all that is no directory, without a look at any of it and without the files that describe the volume;
/// or what cannot be looked at, and why.
pub(super) fn names(dir: &Path, mut visit: impl FnMut(Result<PathBuf, (PathBuf, String)>)) {
    for entry in WalkDir::new(dir).min_depth(1).follow_root_links(true) {
        match entry {
            Ok(entry) if is_reserved(&entry) || entry.file_type().is_dir() => {}
            Ok(entry) => visit(Ok(entry.path().strip_prefix(dir).unwrap_or(entry.path()).to_owned())),
            Err(error) => {
                let path = error.path().unwrap_or(dir).to_owned();
                visit(Err((path, report::reason(&error.into()))));
            }
        }
    }
}

fn is_reserved(entry: &DirEntry) -> bool {
    entry.depth() == 1 && RESERVED.iter().any(|name| entry.file_name() == *name)
}

fn look(entry: &DirEntry, dir: &Path) -> Met {
    let path = entry.path();
    let below = || path.strip_prefix(dir).unwrap_or(path).to_owned();
    if entry.file_type().is_dir() {
        return Met::Dir(below());
    }
    if plan::is_part(entry.file_name().as_bytes()) {
        return Met::Odd(path.to_owned(), UNFINISHED.into());
    }
    let status = entry.metadata().map_err(|error| Trouble::Io(io::Error::from(error)));
    match status.and_then(|status| Ok((Status::from_metadata(&status)?, ctime_of(&status)))) {
        Ok((status, ctime)) => Met::File(below(), status, ctime),
        Err(Trouble::NotRegular(what)) => Met::Odd(path.to_owned(), format!("{what}: a volume has regular files only")),
        Err(trouble) => Met::Failed(path.to_owned(), trouble.to_string()),
    }
}

const UNFINISHED: &str = "an unfinished copy: run ms-mv with its plan again, or ms-mv --undo";

/// Whether it is a directory in which ms-mv has what it is about to remove.
fn is_aside(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_bytes();
    entry.file_type().is_dir() && name.starts_with(b".ms-mv-") && name.ends_with(b".old")
}

/// A file of a volume; the path of its record is below the volume.
#[derive(Debug)]
pub(super) struct File {
    pub(super) record: Record,
    /// When anything about it changed last.
    pub(super) ctime: Timestamp,
}

impl File {
    fn new(path: PathBuf, status: &Status, ctime: Timestamp) -> Self {
        let (size, mtime, id) = (status.size, Some(status.mtime), Some(status.id));
        Self { record: Record { path, hash: None, size, mtime, id, dest: None, keep: None, note: None }, ctime }
    }

    /// Its path below the volume.
    pub(super) fn path(&self) -> &[u8] {
        self.record.path.as_os_str().as_bytes()
    }

    /// Whether nothing has happened to it.
    pub(super) fn is_still(&self, status: &Status, ctime: Timestamp) -> bool {
        let Record { size, mtime, id, .. } = self.record;
        (size, mtime, id, self.ctime) == (status.size, Some(status.mtime), Some(status.id), ctime)
    }
}

/// All files and directories of a volume.
#[derive(Debug)]
pub(super) struct Inventory {
    pub(super) dir: PathBuf,
    /// In the order of their paths, byte by byte.
    pub(super) files: Vec<File>,
    pub(super) dirs: Vec<PathBuf>,
}

impl Inventory {
    /// Looks through the volume in `dir`, and names what it cannot have.
    pub(super) fn take(dir: &Path, reporter: &Reporter) -> Self {
        let mut inventory = Self { dir: dir.to_owned(), files: Vec::new(), dirs: Vec::new() };
        walk(dir, |met| match met {
            Met::Dir(path) => inventory.dirs.push(path),
            Met::File(path, status, ctime) => inventory.files.push(File::new(path, &status, ctime)),
            Met::Odd(path, reason) | Met::Failed(path, reason) => reporter.failed("sealing", &path, &reason),
        });
        inventory.files.sort_unstable_by(|one, other| one.path().cmp(other.path()));
        inventory
    }

    /// The place of a file, by its path below the volume.
    pub(super) fn find(&self, path: &[u8]) -> Option<usize> {
        self.files.binary_search_by(|file| file.path().cmp(path)).ok()
    }

    /// The records of all files.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.files.iter().map(|file| &file.record)
    }

    /// Looks through the volume once more, and names what is not as it was.
    pub(super) fn check_again(&self, reporter: &Reporter) {
        let changed = |path: &Path, reason: &str| reporter.failed("sealing", &self.dir.join(path), &reason);
        let mut met = vec![false; self.files.len()];
        let mut dirs = 0;
        walk(&self.dir, |found| match found {
            Met::Dir(_) => dirs += 1,
            Met::File(path, status, ctime) => match self.find(path.as_os_str().as_bytes()) {
                Some(place) if self.files[place].is_still(&status, ctime) => met[place] = true,
                Some(place) => {
                    met[place] = true;
                    changed(&path, "it changed while the volume was being sealed");
                }
                None => changed(&path, "it came while the volume was being sealed"),
            },
            Met::Odd(path, reason) | Met::Failed(path, reason) => reporter.failed("sealing", &path, &reason),
        });
        for (file, _) in self.files.iter().zip(met).filter(|(_, met)| !met) {
            changed(&file.record.path, "it went away while the volume was being sealed");
        }
        if dirs != self.dirs.len() {
            reporter.failed("sealing", &self.dir, &"its directories changed while the volume was being sealed");
        }
    }
}
