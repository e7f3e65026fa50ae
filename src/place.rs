//! Directories by what they are, not by how they are spelled.
//!
//! A directory can be reached by many paths: through `..`, symbolic links, and bind mounts, also of a directory
//! below it. A [`Location`] is the one place behind them all: the resolved path, and the path inside the mounted
//! filesystem, which is the same whichever mount leads there (`proc_pid_mountinfo(5)`). A filesystem that is mounted in
//! several places lies within the directories around each of them. What is not there yet, or not
//! mounted, is located by its deepest existing directory and the names below it.
//!
//! Out of reach are two mounts whose kernels do not tell that they show one tree: an overlay and its upper
//! directory, or a network filesystem mounted twice as two devices.

mod mounts;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, statat};

use mounts::{Inner, Mounts};

/// The name of the file that protects the directory it stands in, and all below.
pub const MARKER: &str = ".ms-protect";

/// What the quarantine is called where nobody says otherwise.
pub const QUARANTINE: &str = "duplicates";

/// What there is to tell where [`Locator::knows_mounts`] says no.
pub(crate) const MOUNTS_UNKNOWN: &str = "what is mounted where is not known, since /proc/self/mountinfo does not tell it: a protected \
                                         directory is not known under the name of a bind mount";

/// Where a directory really is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Absolute, without symbolic links in the part that exists.
    real: PathBuf,
    /// All paths that lead there or to a directory in which a mount stands that shows it, `real` first.
    ways: Vec<PathBuf>,
    /// What these are inside their filesystems, in the same order as far as that is known.
    inner: Vec<Inner>,
}

impl Location {
    /// Whether this is `place` or lies below it, by whatever path it was reached.
    #[must_use]
    pub fn is_within(&self, place: &Self) -> bool {
        let is_below = |(device, path): &Inner| {
            place.inner.first().is_some_and(|(other, above)| device == other && path.starts_with(above))
        };
        self.ways.iter().any(|way| way.starts_with(&place.real)) || self.inner.iter().any(is_below)
    }

    /// The path by which this lies below `place`, by whatever path it was reached; empty for `place` itself, and `None` where
    /// it does not lie there.
    #[must_use]
    pub fn below(&self, place: &Self) -> Option<&Path> {
        let named = self.ways.iter().find_map(|way| way.strip_prefix(&place.real).ok());
        named.or_else(|| {
            let (other, above) = place.inner.first()?;
            self.inner.iter().filter(|(device, _)| device == other).find_map(|(_, path)| path.strip_prefix(above).ok())
        })
    }

    /// The absolute path, without symbolic links in the part that exists.
    #[must_use]
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// All paths that lead here.
    pub fn ways(&self) -> impl Iterator<Item = &Path> {
        self.ways.iter().map(|way| &**way)
    }

    /// Whether any directory `is` so: this one, or one above it on any way that leads here.
    pub fn any_above(&self, is: impl Fn(&Path) -> bool) -> bool {
        self.ways.iter().any(|way| way.ancestors().any(&is))
    }
}

/// Resolves directories, and remembers a bounded number of them.
#[derive(Debug)]
pub struct Locator {
    working_dir: PathBuf,
    mounts: Mounts,
    located: HashMap<PathBuf, Rc<Location>>,
    marked: HashMap<PathBuf, bool>,
}

/// So many directories are remembered before all are forgotten: enough for the neighbourhood of any row.
const REMEMBERED: usize = 1 << 16;

impl Locator {
    /// Reads the mounts as they are now.
    ///
    /// # Errors
    /// When there is no working directory.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            working_dir: std::env::current_dir()?,
            mounts: Mounts::read(),
            located: HashMap::new(),
            marked: HashMap::new(),
        })
    }

    /// Whether it is known what is mounted where. Without `/proc`, and in a root that is no mount of its own, it is not, and
    /// a directory is not known under the name of a bind mount.
    #[must_use]
    pub fn knows_mounts(&self) -> bool {
        self.mounts.inner(&self.working_dir).is_some()
    }

    /// The working directory, against which relative paths are resolved.
    #[must_use]
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Locates a directory, existing or not.
    pub fn directory(&mut self, dir: &Path) -> Rc<Location> {
        if let Some(known) = self.located.get(dir) {
            return Rc::clone(known);
        }
        let location = Rc::new(self.located_at(resolve(&self.working_dir.join(dir))));
        if self.located.len() >= REMEMBERED {
            self.located.clear();
        }
        self.located.insert(dir.to_owned(), Rc::clone(&location));
        location
    }

    /// Locates the directory that holds `file`, whatever `file` itself is.
    pub fn parent_of(&mut self, file: &Path) -> Rc<Location> {
        self.directory(parent(file))
    }

    /// The location of a directory whose path is resolved already.
    #[must_use]
    pub fn located_at(&self, real: PathBuf) -> Location {
        let ways = self.mounts.ways(&real);
        let inner = ways.iter().filter_map(|way| self.mounts.inner(way)).collect();
        Location { real, ways, inner }
    }

    /// Whether the directory, or one above it on any way that leads there, holds a [`MARKER`].
    pub fn is_marked(&mut self, location: &Location) -> bool {
        location.ways.iter().any(|way| self.marked_on(way))
    }

    /// As [`Locator::is_marked`], by what stands there now, and not by what is remembered.
    #[must_use]
    pub fn is_marked_now(&self, location: &Location) -> bool {
        location.ways.iter().any(|way| way.ancestors().any(has_marker))
    }

    fn marked_on(&mut self, dir: &Path) -> bool {
        if let Some(known) = self.marked.get(dir) {
            return *known;
        }
        let marked = has_marker(dir) || dir.parent().is_some_and(|above| self.marked_on(above));
        if self.marked.len() >= REMEMBERED {
            self.marked.clear();
        }
        self.marked.insert(dir.to_owned(), marked);
        marked
    }
}

/// What cannot be looked at is taken as marked.
fn has_marker(dir: &Path) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    let marker = match dir.join(MARKER).symlink_metadata() {
        // The directory may be in reach where a path with one more name is too long.
        Err(error) if error.kind() == InvalidFilename => marker_inside(dir),
        looked => looked.map(drop),
    };
    match marker {
        Ok(()) => true,
        Err(error) => !matches!(error.kind(), NotFound | NotADirectory),
    }
}

fn marker_inside(dir: &Path) -> io::Result<()> {
    let dir = openat(CWD, dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(statat(&dir, MARKER, AtFlags::SYMLINK_NOFOLLOW).map(drop)?)
}

/// The directory of a path by its spelling: `.` for a bare name. A path that ends in `..` is its own directory.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if path.file_name().is_some() && !parent.as_os_str().is_empty() => parent,
        Some(_) if path.file_name().is_some() => Path::new("."),
        _ => path,
    }
}

/// The absolute path of what stands at `path`, without symbolic links. The link that /proc keeps for a descriptor tells it at
/// once, where realpath(3) looks at each name on the way by the whole path up to it.
fn real(path: &Path) -> io::Result<PathBuf> {
    let fd = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let told = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    let id = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    // What was removed meanwhile, or cannot be reached by any path, is told of with other words in that link.
    let leads_there = |real: &PathBuf| {
        let there = rustix::fs::stat(real).map(id);
        real.is_absolute() && there.is_ok() && there == rustix::fs::fstat(&fd).map(id)
    };
    told.ok().filter(leads_there).map_or_else(|| path.canonicalize(), Ok)
}

/// Resolves symbolic links and `..` as far as directories exist; the rest is taken by its spelling.
fn resolve(path: &Path) -> PathBuf {
    let mut existing = path;
    let mut rest: Vec<Component<'_>> = Vec::new();
    loop {
        if let Ok(real) = real(existing) {
            let mut whole = real;
            whole.extend(rest.iter().rev());
            return spelled(&whole);
        }
        let mut components = existing.components();
        match components.next_back() {
            Some(last) => rest.push(last),
            None => return spelled(path),
        }
        existing = components.as_path();
    }
}

/// Drops `.` and lets `..` take away the name before it.
fn spelled(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // Above the root is the root again.
            Component::ParentDir => drop(clean.pop()),
            other => clean.push(other),
        }
    }
    clean
}

/// `path` made absolute by its spelling: joined to `working_dir`, without `.`, `..` and doubled slashes.
#[must_use]
pub fn absolute(path: &Path, working_dir: &Path) -> PathBuf {
    spelled(&working_dir.join(path))
}

/// The place under `to` that tells where `source` came from: its whole path, without a leading `/` and without `.`.
#[must_use]
pub fn quarantine(to: &Path, source: &Path) -> PathBuf {
    let mut dest = to.to_owned();
    dest.extend(source.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        _ => None,
    }));
    dest
}

/// Whether a path climbs: has a `..` in it.
#[must_use]
pub fn climbs(path: &Path) -> bool {
    path.components().any(|component| component == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_directory_in_many_spellings() {
        let dir = tempfile::tempdir().expect("directory");
        let real = dir.path().canonicalize().expect("real");
        std::fs::create_dir_all(real.join("a/b")).expect("directories");
        std::os::unix::fs::symlink(real.join("a"), real.join("link")).expect("link");
        let mut locator = Locator::new().expect("locator");
        let a = locator.directory(&real.join("a"));
        for spelling in ["a/../a", "link", "link/b/..", "a/b/../../link/./b", "a/not/there", "link/not"] {
            assert!(locator.directory(&real.join(spelling)).is_within(&a), "{spelling}");
        }
        for spelling in ["", "ab", "a/..", "link/..", "not/../b"] {
            assert!(!locator.directory(&real.join(spelling)).is_within(&a), "{spelling}");
        }
    }

    #[test]
    fn a_marker_protects_what_is_below() {
        let dir = tempfile::tempdir().expect("directory");
        std::fs::create_dir_all(dir.path().join("a/b/c")).expect("directories");
        std::fs::write(dir.path().join("a/.ms-protect"), "").expect("marker");
        let mut locator = Locator::new().expect("locator");
        let deep = locator.parent_of(&dir.path().join("a/b/c/file"));
        let above = locator.directory(dir.path());
        assert!(locator.is_marked(&deep));
        assert!(!locator.is_marked(&above));
    }

    #[test]
    fn the_quarantine_tells_where_a_file_came_from() {
        assert_eq!(quarantine(Path::new("q"), Path::new("/data/a/f")), Path::new("q/data/a/f"));
        assert_eq!(quarantine(Path::new("/q"), Path::new("./a/./f")), Path::new("/q/a/f"));
        assert_eq!(absolute(Path::new("../x/./f"), Path::new("/home/me")), Path::new("/home/x/f"));
    }

    #[test]
    fn the_directory_of_a_path() {
        assert_eq!(parent(Path::new("f")), Path::new("."));
        assert_eq!(parent(Path::new("/f")), Path::new("/"));
        assert_eq!(parent(Path::new("a/..")), Path::new("a/.."));
        assert_eq!(parent(Path::new("/")), Path::new("/"));
    }
}
