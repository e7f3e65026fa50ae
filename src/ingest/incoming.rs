//! What comes in: the files of the drop, crawled or read from an index, and that none of them is where they are to go.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::Job;
use crate::cli::Failure;
use crate::crawl::{self, Found, Sink};
use crate::place::{Location, Locator};
use crate::record::{ContentHash, FileId, Timestamp};
use crate::report::{self, shown};
use crate::stream::{Faults, Row, Table};
use crate::{escape, place};

/// A file that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) path: PathBuf,
    /// Its directory without symbolic links, shared by its neighbours.
    pub(super) dir: Arc<Path>,
    /// What it was when it was listed, as far as known.
    pub(super) size: u64,
    pub(super) mtime: Option<Timestamp>,
    pub(super) id: Option<FileId>,
    pub(super) hash: Option<ContentHash>,
    /// Whether its records contradict each other.
    pub(super) is_disputed: bool,
}

/// What came in.
#[derive(Debug, Default)]
pub(super) struct All {
    /// In the order of their paths, each file of the kernel's name space once.
    pub(super) files: Vec<Incoming>,
    /// How many lie in the quarantine already, and were left out.
    pub(super) quarantined: u64,
}

/// Where the index comes from.
pub(super) enum Origin {
    /// A crawl of these.
    Names(Vec<std::ffi::OsString>),
    /// Standard input.
    Index(Table),
}

/// Everything that comes in.
///
/// # Errors
/// [`Failure`] where the drop and the destination overlap, or the operands or the index cannot be used.
pub(super) fn collect(origin: Origin, job: &Job<'_>) -> Result<All, Failure> {
    let mut places = Places::new(job)?;
    let listed = match origin {
        Origin::Names(names) => {
            places.check_operands(&names)?;
            let mut listed = Crawled::default();
            crawl::crawl(&job.options.crawl, names, job.reporter, job.progress, job.interrupt, &mut listed)?;
            listed.0
        }
        Origin::Index(table) => read_index(&table, job)?,
    };
    if job.interrupt.came() { Ok(All::default()) } else { places.sort_out(listed) }
}

#[derive(Debug, Default)]
struct Crawled(Vec<Incoming>);

impl Sink for Crawled {
    fn take(&mut self, found: Vec<Found>) -> Result<(), Failure> {
        self.0.extend(found.into_iter().map(|file| Incoming {
            path: file.path,
            dir: nowhere(),
            size: file.status.size,
            mtime: Some(file.status.mtime),
            id: Some(file.status.id),
            hash: file.hash,
            is_disputed: false,
        }));
        Ok(())
    }
}

/// The directory of a file that was not located yet.
fn nowhere() -> Arc<Path> {
    Arc::from(Path::new(""))
}

fn read_index(table: &Table, job: &Job<'_>) -> Result<Vec<Incoming>, Failure> {
    let mut listed = Vec::new();
    let mut faults = Faults::new(job.options.skip_bad_lines);
    for mut part in table.parts(1) {
        while let Some((at, row)) = part.next_row() {
            match row {
                Ok(row) => listed.push(of_row(&row)),
                Err(_) => faults.push(at),
            }
        }
    }
    table.check_whole()?;
    table.judge(&faults, job.reporter)?;
    Ok(listed)
}

fn of_row(row: &Row<'_>) -> Incoming {
    // A row was found to be well-formed when it was read.
    let path = escape::unescape(row.path).unwrap_or_default();
    Incoming {
        path: PathBuf::from(OsStr::from_bytes(&path)),
        dir: nowhere(),
        size: row.size,
        mtime: row.mtime,
        id: row.id,
        hash: row.hash,
        is_disputed: false,
    }
}

/// Where things are, whatever they are called.
struct Places<'a> {
    job: &'a Job<'a>,
    locator: Locator,
    to: Rc<Location>,
    quarantine: Rc<Location>,
}

impl<'a> Places<'a> {
    fn new(job: &'a Job<'a>) -> Result<Self, Failure> {
        let locator = Locator::new();
        let mut locator = locator
            .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
        let (to, quarantine) = (locator.directory(&job.options.to), locator.directory(&job.options.quarantine));
        Ok(Self { job, locator, to, quarantine })
    }

    /// Before hours are spent on reading.
    fn check_operands(&mut self, names: &[std::ffi::OsString]) -> Result<(), Failure> {
        for name in names {
            let path = Path::new(name);
            let is_dir = path.is_dir();
            let drop = if is_dir { self.locator.directory(path) } else { self.locator.parent_of(path) };
            if drop.is_within(&self.to) {
                return Err(self.overlap(path, "lies in"));
            }
            if is_dir && self.to.is_within(&drop) {
                return Err(self.overlap(path, "holds"));
            }
        }
        Ok(())
    }

    fn overlap(&self, path: &Path, how: &str) -> Failure {
        Failure::Stop(format!(
            "nothing is done: {}: it {how} the destination {}",
            shown(path),
            shown(&self.job.options.to)
        ))
    }

    /// Each file once, located, in the order of the paths.
    fn sort_out(&mut self, mut listed: Vec<Incoming>) -> Result<All, Failure> {
        listed.sort_unstable_by(|one, other| {
            bytes(&one.path).cmp(bytes(&other.path)).then(order(one).cmp(&order(other)))
        });
        let mut all = All::default();
        let mut seen: HashMap<(Arc<Path>, Vec<u8>), usize> = HashMap::new();
        let mut last: Option<(PathBuf, Arc<Path>, bool)> = None;
        for mut file in listed {
            let parent = place::parent(&file.path);
            let (dir, is_quarantined) = match &last {
                Some((path, dir, is_quarantined)) if path == parent => (Arc::clone(dir), *is_quarantined),
                _ => {
                    let location = self.locator.directory(parent);
                    if location.is_within(&self.to) {
                        return Err(self.overlap(&file.path, "lies in"));
                    }
                    let found = (Arc::from(location.real()), location.is_within(&self.quarantine));
                    last = Some((parent.to_owned(), Arc::clone(&found.0), found.1));
                    found
                }
            };
            if is_quarantined {
                all.quarantined += 1;
                continue;
            }
            file.dir = dir;
            let name = file.path.file_name().unwrap_or_default().as_bytes().to_vec();
            match seen.entry((Arc::clone(&file.dir), name)) {
                Entry::Occupied(first) => merge(&mut all.files[*first.get()], &file),
                Entry::Vacant(place) => {
                    place.insert(all.files.len());
                    all.files.push(file);
                }
            }
        }
        Ok(all)
    }
}

pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// Of several records of one path, those that know more come first.
fn order(file: &Incoming) -> impl Ord + use<> {
    (file.hash.is_none(), file.hash, file.size, std::cmp::Reverse(file.mtime), file.id)
}

/// A further record of the same file.
fn merge(first: &mut Incoming, other: &Incoming) {
    let differ =
        first.size != other.size || other.hash.is_some_and(|hash| first.hash.is_some_and(|known| known != hash));
    first.is_disputed |= differ;
}
