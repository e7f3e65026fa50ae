//! Open directories. Everything is moved relative to one, so that a path that somebody redirects meanwhile
//! cannot lead elsewhere between a check and the move.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use crate::cli::Failure;
use crate::place::{self, Location, Locator};
use crate::volume;

/// An open directory, and what it is.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    location: Location,
    is_protected: bool,
    has_begun: bool,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Dir {
    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Whether nothing may leave it.
    pub(super) fn is_protected(&self) -> bool {
        self.is_protected
    }

    /// Whether it lies in a volume that is sealed or half sealed, which gets nothing any more.
    fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// The number of its filesystem; 0 if even that cannot be told.
    pub(super) fn device(&self) -> u64 {
        rustix::fs::fstat(self).map_or(0, |stat| stat.st_dev)
    }

    /// Whether `path` still leads to it, and it is where it was.
    fn is_still_at(&self, path: &Path) -> bool {
        let id = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
        let Ok(there) = rustix::fs::stat(path).map(id) else { return false };
        let is_same = rustix::fs::fstat(self).map(id) == Ok(there);
        is_same && real_path(&self.fd, path).is_ok_and(|real| real == self.location.real())
    }

    /// Brings the names in it to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        crate::rename::sync_names(self)
    }
}

/// A name in an open directory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) dir: Rc<Dir>,
    pub(super) name: OsString,
    /// As it was given.
    pub(super) path: PathBuf,
}

/// Opens directories, keeps the last few open, and knows which are protected.
#[derive(Debug)]
pub(super) struct Dirs {
    locator: Locator,
    protected: Vec<Rc<Location>>,
    open: VecDeque<(PathBuf, Rc<Dir>)>,
}

/// Rows near each other share directories; more would only use up descriptors.
const KEPT_OPEN: usize = 12;

impl Dirs {
    /// `protect` are directories that nothing may leave.
    pub(super) fn new(mut locator: Locator, protect: &[PathBuf]) -> Self {
        let protected = protect.iter().map(|dir| locator.directory(dir)).collect();
        Self { locator, protected, open: VecDeque::new() }
    }

    /// The working directory of the run.
    pub(super) fn working_dir(&self) -> &Path {
        self.locator.working_dir()
    }

    /// Opens the directory that holds `path`.
    pub(super) fn entry(&mut self, path: &Path) -> io::Result<Entry> {
        let dir = self.open(place::parent(path))?;
        Ok(entry_in(dir, path))
    }

    /// As [`Dirs::entry`], where missing directories are made; `made` is told of each before that.
    pub(super) fn entry_made(&mut self, path: &Path, made: &mut Made<'_>) -> Result<Entry, Unmade> {
        let dir = self.open_or_make(place::parent(path), made)?;
        Ok(entry_in(dir, path))
    }

    /// Opens a directory by its path, following symbolic links as the kernel does.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<Rc<Dir>> {
        if let Some(known) = self.open.iter().position(|(known, _)| known == path) {
            // Somebody may have moved it, into a protected directory even, or put another in its place.
            if let Some(found) = self.open.remove(known).filter(|(_, dir)| dir.is_still_at(path)) {
                return Ok(self.remember(found));
            }
        }
        let fd = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let dir = self.identify(fd, path)?;
        Ok(self.remember((path.to_owned(), Rc::new(dir))))
    }

    /// The filesystem that a file at `path` would be on: that of the deepest directory that exists.
    pub(super) fn device_for(&mut self, path: &Path) -> Option<u64> {
        let mut dir = place::parent(path);
        loop {
            match self.open(dir) {
                Ok(found) => return Some(found.device()),
                Err(_) if dir.file_name().is_some() => dir = place::parent(dir),
                Err(_) => return None,
            }
        }
    }

    /// Whether a file at `path` would be in a volume that is sealed or half sealed, also in one whose directory is gone.
    pub(super) fn has_begun_at(&mut self, path: &Path) -> bool {
        let mut dir = place::parent(path);
        let mut missing = Vec::new();
        loop {
            match (self.open(dir), dir.file_name()) {
                (Ok(found), _) => {
                    let mut below = found.location().real().to_owned();
                    return found.has_begun()
                        || missing.into_iter().rev().any(|name| {
                            below.push(name);
                            volume::has_begun(&below)
                        });
                }
                (Err(_), Some(name)) => {
                    missing.push(name);
                    dir = place::parent(dir);
                }
                (Err(_), None) => return false,
            }
        }
    }

    /// The path of a file without symbolic links in what there is of its directories.
    pub(super) fn real_path(&mut self, path: &Path) -> PathBuf {
        self.locator.parent_of(path).real().join(path.file_name().unwrap_or_default())
    }

    /// Closes all directories that are kept open, so that paths are looked up anew.
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }

    fn remember(&mut self, kept: (PathBuf, Rc<Dir>)) -> Rc<Dir> {
        self.open.truncate(KEPT_OPEN - 1);
        let dir = Rc::clone(&kept.1);
        self.open.push_front(kept);
        dir
    }

    fn identify(&mut self, fd: OwnedFd, path: &Path) -> io::Result<Dir> {
        let location = self.locator.located_at(real_path(&fd, path)?);
        let named = self.protected.iter().any(|place| location.is_within(place));
        let is_protected = named || self.locator.is_marked(&location);
        let has_begun = location.any_above(volume::has_begun);
        Ok(Dir { fd, location, is_protected, has_begun })
    }

    fn open_or_make(&mut self, path: &Path, made: &mut Made<'_>) -> Result<Rc<Dir>, Unmade> {
        match self.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(path, made),
            other => other.map_err(Unmade::Refused),
        }
    }

    fn make(&mut self, path: &Path, made: &mut Made<'_>) -> Result<Rc<Dir>, Unmade> {
        let Some(name) = path.file_name() else { return Err(Unmade::Refused(io::ErrorKind::NotFound.into())) };
        let above = self.open_or_make(place::parent(path), made)?;
        if is_dangling_link(&above, name) {
            return Err(Unmade::Refused(io::Error::other("a symbolic link that leads nowhere")));
        }
        made(path).map_err(Unmade::Failed)?;
        match mkdirat(&above, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => self.open(path).map_err(Unmade::Refused),
            Err(error) => Err(Unmade::Refused(error.into())),
        }
    }
}

/// Where an open directory is: the link that /proc keeps for a descriptor is the path of the very directory that was opened.
fn real_path(fd: &OwnedFd, path: &Path) -> io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).or_else(|_| path.canonicalize())
}

/// Is told of each directory before it is made.
pub(super) type Made<'a> = dyn FnMut(&Path) -> Result<(), Failure> + 'a;

/// Why a directory could not be made.
#[derive(Debug)]
pub(super) enum Unmade {
    Refused(io::Error),
    Failed(Failure),
}

fn is_dangling_link(dir: &Dir, name: &OsStr) -> bool {
    rustix::fs::readlinkat(dir, name, Vec::new()).is_ok()
}

fn entry_in(dir: Rc<Dir>, path: &Path) -> Entry {
    Entry { dir, name: path.file_name().unwrap_or_default().to_owned(), path: path.to_owned() }
}
