//! Open directories. Everything is moved relative to one, so that a path that somebody redirects meanwhile
//! cannot lead elsewhere between a check and the move.
//!
//! Where the directories of a plan really are is looked up once, when it is checked. From then on each is opened by that
//! real path and by no other: a symbolic link that was put in its way since is refused, and so is a path that leads to
//! another directory than before. What happens to a directory that is open already shows after the move
//! ([`Dir::is_still_at`]), which then is taken back.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::cli::Failure;
use crate::place::{self, Location, Locator};
use crate::straight;
use crate::volume;

use super::sentry::{Look, Moment, Seen, Sentry};

/// An open directory, and what it is.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    location: Location,
    device: u64,
    sentry: Rc<Sentry>,
    is_closed: Seen,
    has_begun: Seen,
    is_protected: Seen,
    /// By the one path that it was opened by, if that is its real one.
    is_in_place: Seen,
    straight: Option<PathBuf>,
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

    /// Whether it lies in a volume that is sealed or half sealed by now, which gets nothing any more.
    pub(super) fn has_begun(&self) -> bool {
        self.sentry.any_above(&self.has_begun, &self.location, Look::Begun)
    }

    /// Whether it lies in a sealed volume, or in one whose list of files stands by now, which nothing leaves any more.
    pub(super) fn is_closed(&self) -> bool {
        self.sentry.any_above(&self.is_closed, &self.location, Look::Closed)
    }

    fn ask(&self, seen: &Seen, look: impl FnOnce() -> bool) -> bool {
        self.sentry.ask(seen, std::iter::once(&self.location), look)
    }

    /// The number of its filesystem; 0 if even that cannot be told.
    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// Asks once for what has come since, for all that is asked while this lasts.
    pub(super) fn moment(&self) -> Moment {
        self.sentry.moment()
    }

    /// Whether `path` still leads to it, and it is where it was.
    pub(super) fn is_still_at(&self, path: &Path) -> bool {
        // Nobody tells of symbolic links that lead elsewhere.
        if self.straight.as_deref().is_some_and(|straight| straight.as_os_str() == path.as_os_str()) {
            return self.ask(&self.is_in_place, || self.leads_here(path));
        }
        self.leads_here(path)
    }

    fn leads_here(&self, path: &Path) -> bool {
        let is_same = self.is_led_to_by(path).unwrap_or(false);
        is_same && real_path(&self.fd, path).is_ok_and(|real| real == self.location.real())
    }

    fn is_led_to_by(&self, path: &Path) -> io::Result<bool> {
        let id = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
        Ok(id(rustix::fs::stat(path)?) == id(rustix::fs::fstat(self)?))
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        is_empty(self)
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
    protected: Vec<Protected>,
    open: VecDeque<(PathBuf, Rc<Dir>)>,
    most_open: usize,
    sentry: Rc<Sentry>,
}

impl Entry {
    /// Whether its path still leads to the open directory, and that is where it was.
    pub(super) fn is_where_it_was(&self) -> bool {
        self.dir.is_still_at(place::parent(&self.path))
    }
}

/// A directory that nothing may leave.
#[derive(Debug)]
struct Protected {
    location: Rc<Location>,
    /// Kept open, so that it is known under another name, too.
    fd: Option<OwnedFd>,
}

/// Rows near each other share directories, and those that are begun together have two each; more would only use up
/// descriptors.
const KEPT_OPEN: usize = 64;

/// The same, where a process may have few files open.
const KEPT_OPEN_OF_FEW: usize = 12;
const FEW: u64 = 256;

impl Dirs {
    /// `protect` are directories that nothing may leave.
    pub(super) fn new(mut locator: Locator, protect: &[PathBuf]) -> Self {
        let protected = protect.iter().map(|dir| Protected {
            location: locator.directory(dir),
            fd: openat(CWD, dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok(),
        });
        let protected = protected.collect();
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most_open = if files < FEW { KEPT_OPEN_OF_FEW } else { KEPT_OPEN };
        Self { locator, protected, open: VecDeque::new(), most_open, sentry: Rc::new(Sentry::new()) }
    }

    /// Whether nothing may leave a directory, by what stands there now.
    pub(super) fn is_protected(&self, dir: &Dir) -> bool {
        let places = self.protected.iter().map(|protected| &*protected.location).chain([&dir.location]);
        let has_moved = Cell::new(false);
        let is_within = |protected: &Protected| {
            let here = &protected.location;
            // Somebody may have renamed it since: what it holds stays all the same.
            let moved = protected.fd.as_ref().and_then(|fd| real_path(fd, here.real()).ok());
            let moved = moved.filter(|real| real != here.real()).map(|real| self.locator.located_at(real));
            has_moved.set(has_moved.get() || moved.is_some());
            dir.location.is_within(here) || moved.is_some_and(|there| dir.location.is_within(&there))
        };
        let look = || self.protected.iter().any(is_within) || self.locator.is_marked_now(&dir.location);
        let answer = self.sentry.ask(&dir.is_protected, places, look);
        if has_moved.get() {
            // Where it is now, nobody watches.
            dir.is_protected.forget();
        }
        answer
    }

    /// As [`Dir::moment`].
    pub(super) fn moment(&self) -> Moment {
        self.sentry.moment()
    }

    /// What is known of places.
    pub(super) fn locator(&mut self) -> &mut Locator {
        &mut self.locator
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

    /// Opens the directory that a path led to when it was first looked up.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<Rc<Dir>> {
        if let Some(known) = self.open.iter().position(|(known, _)| known.as_os_str() == path.as_os_str()) {
            // Somebody may have moved it, into a protected directory even, or put another in its place.
            if let Some(found) = self.open.remove(known).filter(|(_, dir)| dir.is_still_at(path)) {
                return Ok(self.remember(found));
            }
        }
        let dir = self.open_anew(path)?;
        Ok(self.remember((path.to_owned(), Rc::new(dir))))
    }

    /// As [`Dirs::open`], for a directory that may be removed soon, so that it is not kept open.
    pub(super) fn open_anew(&mut self, path: &Path) -> io::Result<Dir> {
        let place = self.locator.directory(path);
        let dir = match self.open_real(place.real()) {
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                // Where the links lead nowhere, or in circles, that is what there is to tell.
                rustix::fs::stat(path)?;
                return Err(redirected());
            }
            other => self.identify(other?, path)?,
        };
        if dir.is_led_to_by(path)? { Ok(dir) } else { Err(redirected()) }
    }

    /// Opens a directory by its real path: from the working directory, where it lies below that, since the directories above
    /// may be closed to the user.
    fn open_real(&self, real: &Path) -> io::Result<OwnedFd> {
        straight::open_dir(CWD, real.strip_prefix(self.locator.working_dir()).unwrap_or(real))
    }

    /// Removes a directory if it is empty, and if nobody has led its path elsewhere.
    ///
    /// # Errors
    /// What the system gives where it is empty and stays.
    pub(super) fn remove_empty(&mut self, path: &Path) -> io::Result<()> {
        let Ok(above) = self.open_anew(place::parent(path)) else { return Ok(()) };
        let name = path.file_name().unwrap_or_default();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if !openat(&above, name, flags, Mode::empty()).is_ok_and(is_empty) {
            return Ok(());
        }
        match unlinkat(above, name, AtFlags::REMOVEDIR) {
            // Somebody has put something into it, or taken it away.
            Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a directory of `owner` in one that is there, with no permission for anybody else yet, and opens it. One that a
    /// crash has left just so serves as well, and one that this run `has_made` as it is.
    pub(super) fn make_private(&mut self, path: &Path, owner: u32, has_made: bool) -> io::Result<OwnedFd> {
        let (above, name) = (self.open_anew(place::parent(path))?, path.file_name().unwrap_or_default());
        let made = mkdirat(&above, name, Mode::from_raw_mode(0o700));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = match made {
            Ok(()) | Err(Errno::EXIST) => openat(&above, name, flags, Mode::empty())?,
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&dir)?;
        // Nobody else can have made one without permissions for others under that owner's name; what the umask takes away, it
        // takes from the owner.
        let is_ours = [rustix::process::geteuid().as_raw(), owner].contains(&stat.st_uid);
        let is_open_to_others = Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO);
        let is_new = || !is_open_to_others && is_empty(&dir);
        if is_ours && (has_made || is_new()) { Ok(dir) } else { Err(redirected()) }
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
        self.open.truncate(self.most_open - 1);
        let dir = Rc::clone(&kept.1);
        self.open.push_front(kept);
        dir
    }

    fn identify(&self, fd: OwnedFd, path: &Path) -> io::Result<Dir> {
        let location = self.locator.located_at(real_path(&fd, path)?);
        let working_dir = self.locator.working_dir();
        let is_straight = working_dir.join(path).as_os_str() == location.real().as_os_str();
        Ok(Dir {
            device: rustix::fs::fstat(&fd).map_or(0, |stat| stat.st_dev),
            fd,
            location,
            sentry: Rc::clone(&self.sentry),
            is_closed: Seen::default(),
            has_begun: Seen::default(),
            is_protected: Seen::default(),
            is_in_place: Seen::default(),
            straight: is_straight.then(|| path.to_owned()),
        })
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
            Ok(()) | Err(Errno::EXIST) => self.open(path).map_err(Unmade::Refused),
            Err(error) => Err(Unmade::Refused(error.into())),
        }
    }
}

/// Whether `name` in `above` is this very directory.
pub(super) fn is_named(dir: impl AsFd, above: &Dir, name: &OsStr) -> bool {
    let id = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    let there = statat(above, name, AtFlags::SYMLINK_NOFOLLOW).map(id);
    there.is_ok() && there == rustix::fs::fstat(dir).map(id)
}

/// Whether there is nothing in a directory.
pub(super) fn is_empty(dir: impl AsFd) -> bool {
    let readable = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let Ok(mut entries) = readable.and_then(rustix::fs::Dir::new) else { return false };
    entries.all(|entry| entry.is_ok_and(|entry| matches!(entry.file_name().to_bytes(), b"." | b"..")))
}

fn redirected() -> io::Error {
    io::Error::other("somebody has made its path lead to another directory meanwhile")
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
