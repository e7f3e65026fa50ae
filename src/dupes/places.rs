//! Which records lie in a protected directory, in a preferred one, or in the quarantine: decided once for each
//! directory, and by what the directory is, not by how it is spelled.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::entry::{Entry, LAST_RANK, Mark, NO_RANK, Standing, is_plainly_normal, unescaped};
use super::read::{BATCH, Rows};
use super::{Job, Options};
use crate::cli::Failure;
use crate::host;
use crate::place::{self, Location, Locator, QUARANTINE};
use crate::report::{Reporter, shown};
use crate::stream::{RowRef, Table};
use crate::threads::{cut, each, retain};

/// In which ways paths are spelled, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spellings(u8);

impl Spellings {
    const RELATIVE: u8 = 1;
    const ABSOLUTE: u8 = 2;
    /// On a named host.
    const LOCATED: u8 = 4;
    const CLIMBING: u8 = 8;

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn of(path: &[u8]) -> Self {
        let climbs = !is_plainly_normal(path) && place::climbs(Path::new(OsStr::from_bytes(path)));
        let kind = if path.starts_with(b"/") {
            Self::ABSOLUTE
        } else if host::split(path).is_some() {
            Self::LOCATED
        } else {
            Self::RELATIVE
        };
        Self(kind | (u8::from(climbs) * Self::CLIMBING))
    }

    /// Whether any path names a host.
    pub(super) fn names_hosts(self) -> bool {
        self.0 & Self::LOCATED != 0
    }

    /// Whether two paths can mean one place below the quarantine.
    pub(super) fn can_meet(self) -> bool {
        self.0 & Self::CLIMBING != 0 || self.0.count_ones() > 1
    }
}

/// A directory that was named.
#[derive(Debug)]
enum Zone {
    /// By what it is.
    Here(Rc<Location>),
    /// By how it is spelled, for on another host nothing can be looked up.
    There(There),
}

/// A directory on a host that has a name.
#[derive(Debug, PartialEq, Eq)]
struct There {
    host: String,
    /// Without `.` and doubled slashes; what climbs is taken by its spelling.
    path: PathBuf,
}

impl There {
    /// `None` where a path names no host.
    fn of(path: &[u8]) -> Option<Self> {
        let (host, there) = host::split(path)?;
        let path = place::absolute(Path::new(OsStr::from_bytes(there)), Path::new("/"));
        Some(Self { host: host.to_owned(), path })
    }

    fn is_within(&self, other: &Self) -> bool {
        self.host == other.host && self.path.starts_with(&other.path)
    }
}

impl Zone {
    fn of(dir: &Path, locator: &mut Locator) -> Self {
        There::of(dir.as_os_str().as_bytes()).map_or_else(|| Self::Here(locator.directory(dir)), Self::There)
    }

    fn holds(&self, location: &Location) -> bool {
        matches!(self, Self::Here(zone) if location.is_within(zone))
    }

    fn holds_there(&self, dir: &There) -> bool {
        matches!(self, Self::There(zone) if dir.is_within(zone))
    }
}

/// Tells where directories stand. Each thread has its own.
#[derive(Debug)]
pub(super) struct Places {
    locator: Locator,
    quarantine: Rc<Location>,
    quarantine_spelled: PathBuf,
    /// Where the quarantine is on a host that has none of its own; unknown where its path is relative.
    quarantine_there: Option<PathBuf>,
    /// The quarantines of single hosts.
    quarantines: Vec<There>,
    protected: Vec<Zone>,
    preferred: Vec<Zone>,
    known: HashMap<Vec<u8>, Standing>,
    /// The directory that was asked about last, and its standing once there is one.
    last: (Vec<u8>, Option<Standing>),
}

/// So many directories are remembered before all are forgotten.
const REMEMBERED: usize = 1 << 14;

/// `PATH_MAX` of Linux: the kernel finds nothing behind a longer path, so only what is above can be looked at.
const LONGEST: usize = 4096;

impl Places {
    /// `markers` are directories of which an index tells that they are protected.
    fn new(options: &Options, markers: &[PathBuf]) -> io::Result<Self> {
        let mut locator = Locator::new()?;
        let quarantine = locator.directory(&options.to);
        let quarantine_spelled = place::absolute(&options.to, locator.working_dir());
        let protected = options.protect.iter().chain(markers).map(|dir| Zone::of(dir, &mut locator)).collect();
        let preferred = options.prefer.iter().map(|dir| Zone::of(dir, &mut locator)).collect();
        let quarantines = options.to_on.iter().filter_map(|dir| There::of(dir.as_os_str().as_bytes())).collect();
        let quarantine_there = options.to.is_absolute().then(|| quarantine_spelled.clone());
        Ok(Self {
            locator,
            quarantine,
            quarantine_spelled,
            quarantine_there,
            quarantines,
            protected,
            preferred,
            known: HashMap::new(),
            last: (Vec::new(), None),
        })
    }

    /// Where a file stands, by the bytes of its path.
    pub(super) fn of_file(&mut self, path: &[u8]) -> Standing {
        let dir = directory(path);
        if let (last, Some(standing)) = &self.last
            && last == dir
        {
            return *standing;
        }
        let standing = self.known.get(dir).copied().unwrap_or_else(|| self.look(dir));
        self.last.0.clear();
        self.last.0.extend_from_slice(dir);
        self.last.1 = Some(standing);
        standing
    }

    fn look(&mut self, dir: &[u8]) -> Standing {
        let standing = match There::of(dir) {
            Some(there) => self.look_there(&there),
            None => self.look_here(dir),
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(dir.to_owned(), standing);
        standing
    }

    /// On another host, a directory is what its path says.
    fn look_there(&self, dir: &There) -> Standing {
        let own = self.quarantines.iter().find(|quarantine| quarantine.host == dir.host);
        let quarantine = own.map(|own| &own.path).or(self.quarantine_there.as_ref());
        let rank = self.preferred.iter().position(|zone| zone.holds_there(dir));
        let name = quarantine.unwrap_or(&self.quarantine_spelled).file_name();
        Standing {
            quarantined: quarantine.is_some_and(|quarantine| dir.path.starts_with(quarantine)),
            protected: self.protected.iter().any(|zone| zone.holds_there(dir)),
            rank: rank_of(rank, seems_quarantined(&dir.path, name)),
        }
    }

    fn look_here(&mut self, dir: &[u8]) -> Standing {
        let path = reachable(Path::new(OsStr::from_bytes(dir)));
        let location = self.locator.directory(path);
        let spelled = place::absolute(path, self.locator.working_dir());
        let rank = self.preferred.iter().position(|zone| zone.holds(&location));
        Standing {
            quarantined: location.is_within(&self.quarantine) || spelled.starts_with(&self.quarantine_spelled),
            protected: self.protected.iter().any(|zone| zone.holds(&location)) || self.locator.is_marked(&location),
            rank: rank_of(rank, seems_quarantined(&spelled, self.quarantine_spelled.file_name())),
        }
    }
}

/// Whether a directory lies below one that is called like the quarantine, or as it is called where nobody says otherwise, and so
/// may be that of another run.
fn seems_quarantined(dir: &Path, quarantine: Option<&OsStr>) -> bool {
    let is_one = |name: &OsStr| name == QUARANTINE || Some(name) == quarantine;
    dir.components().any(|component| is_one(component.as_os_str()))
}

fn rank_of(preferred: Option<usize>, seems_quarantined: bool) -> u8 {
    let otherwise = if seems_quarantined { LAST_RANK } else { NO_RANK };
    preferred.and_then(|rank| u8::try_from(rank).ok()).unwrap_or(otherwise)
}

/// The directory of a file by its spelling, as [`place::parent`] gives it, or another spelling of that.
pub(super) fn directory(path: &[u8]) -> &[u8] {
    match memchr::memrchr(b'/', path) {
        // The root of another host keeps its slash, without which it would be none.
        Some(slash) if slash > 0 && path[slash - 1] == b':' && host::split(&path[..=slash]).is_some() => {
            &path[..=slash]
        }
        Some(slash) if slash > 0 && !matches!(&path[slash + 1..], b"" | b"." | b"..") => &path[..slash],
        _ => place::parent(Path::new(OsStr::from_bytes(path))).as_os_str().as_bytes(),
    }
}

/// The deepest directory on the way that is not out of the kernel's reach.
fn reachable(dir: &Path) -> &Path {
    let short = |dir: &&Path| dir.as_os_str().len() < LONGEST;
    if short(&dir) { dir } else { dir.ancestors().find(short).unwrap_or(dir) }
}

/// Finds out for each entry where it stands, and takes out what is in the quarantine.
///
/// The entries are in the order of the streams, where neighbours mostly lie in one directory.
///
/// # Errors
/// When a stream was changed meanwhile, or there is no working directory.
pub(super) fn find(entries: &mut Vec<Entry>, markers: &[RowRef], job: &Job<'_>) -> Result<Spellings, Failure> {
    let markers = directories(markers, Rows(job.table))?;
    let pieces = cut(entries, job.jobs, |_, _| false);
    let mut spellings = Spellings::default();
    for piece in each(job.jobs, pieces, |piece| find_piece(piece, &markers, job)) {
        spellings.add(piece?);
    }
    retain(entries, job.jobs, |entry| !entry.has(Mark::OUT));
    Ok(spellings)
}

fn find_piece(piece: &mut [Entry], markers: &[PathBuf], job: &Job<'_>) -> Result<Spellings, Failure> {
    let mut places = open(job.options, markers)?;
    let mut reader = Rows(job.table).reader();
    let mut spellings = Spellings::default();
    for batch in piece.chunks_mut(BATCH) {
        if job.interrupt.came() {
            break;
        }
        Rows(job.table).warm_paths(batch);
        for entry in batch {
            let path = unescaped(reader.path(entry.row())?);
            spellings.add(Spellings::of(&path));
            entry.stand(places.of_file(&path));
        }
    }
    Ok(spellings)
}

/// A protected directory that is neither there nor in the records is misspelled, and protects nothing. One of another host may
/// well be empty.
///
/// # Errors
/// [`Failure::Stop`] for such a directory.
pub fn check_protected(table: &Table, options: &Options) -> Result<(), Failure> {
    let protected = options.protect.iter();
    let mut unknown: Vec<&PathBuf> = protected.filter(|dir| !host::is_located(dir) && !dir.is_dir()).collect();
    if unknown.is_empty() || table.is_empty() {
        return Ok(());
    }
    let working_dir = std::env::current_dir().unwrap_or_default();
    for mut part in table.parts(1) {
        while let Some((_, row)) = part.next_row() {
            // What is malformed is told when the plan is made.
            let Ok(row) = row else { continue };
            let path = place::absolute(Path::new(OsStr::from_bytes(&row.path_bytes())), &working_dir);
            unknown.retain(|dir| !path.starts_with(place::absolute(dir, &working_dir)));
        }
    }
    unknown.first().map_or(Ok(()), |dir| {
        Err(Failure::Stop(format!(
            "--protect: {}: there is no such directory here, and no record lies below it; nothing is planned",
            shown(dir)
        )))
    })
}

/// Takes out of a few rows those that lie in the quarantine.
///
/// # Errors
/// As [`find`].
pub(super) fn outside_quarantine(rows: Vec<RowRef>, job: &Job<'_>) -> Result<Vec<RowRef>, Failure> {
    let mut outside = Vec::new();
    if rows.is_empty() {
        return Ok(outside);
    }
    let mut places = open(job.options, &[])?;
    let mut reader = Rows(job.table).reader();
    for row in rows {
        if !places.of_file(&unescaped(reader.path(row)?)).quarantined {
            outside.push(row);
        }
    }
    Ok(outside)
}

/// Says so where directories that are protected may not be known as such.
pub(super) fn tell_unknown_mounts(options: &Options, reporter: &Reporter) {
    let is_asked = options.protect.iter().any(|dir| !host::is_located(dir));
    if is_asked && Locator::new().is_ok_and(|locator| !locator.knows_mounts()) {
        reporter.warn(place::MOUNTS_UNKNOWN);
    }
}

/// What tells where directories stand, where `markers` are directories of which an index tells that they are protected.
///
/// # Errors
/// [`Failure::Stop`] where there is no working directory.
pub(super) fn open(options: &Options, markers: &[PathBuf]) -> Result<Places, Failure> {
    Places::new(options, markers)
        .map_err(|error| Failure::Stop(format!("looking: working directory: {}", crate::report::reason(&error))))
}

/// The directories that hold some files, each once.
fn directories(files: &[RowRef], rows: Rows<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut reader = rows.reader();
    let mut directories = Vec::new();
    for file in files {
        let path = unescaped(reader.path(*file)?);
        directories.push(PathBuf::from(OsStr::from_bytes(directory(&path))));
    }
    directories.sort_unstable();
    directories.dedup();
    Ok(directories)
}
