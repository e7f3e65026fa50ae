//! What the rows of a stream say of the files of each volume.
//!
//! Rows belong to a volume by where their files really are, however they are spelled.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Job;
use super::inventory::{File, Inventory};
use crate::cli::Failure;
use crate::escape;
use crate::host::{Host, PassedOver};
use crate::place::{self, Location, Locator};
use crate::record::{ContentHash, FileId, Record, Timestamp};
use crate::report::{self, Reporter};
use crate::stream::table::RowReader;
use crate::stream::{Faults, Row, RowRef, Table};
use crate::verify::Reason;
use crate::volume::archive::Archive;
use crate::volume::medium::Disc;
use crate::volume::planned::Planned;
use crate::volume::{Number, RESERVED};

/// The rows of a stream, by volume.
#[derive(Debug)]
pub(super) struct Told<'t> {
    table: &'t Table,
    /// What this host is called in the rows.
    host: Option<Host>,
    finder: Finder,
    volumes: BTreeMap<Number, Vec<RowRef>>,
}

impl<'t> Told<'t> {
    /// Reads all rows, and names those that lie in no volume.
    ///
    /// # Errors
    /// [`Failure::Stop`] where a line is malformed.
    pub(super) fn read(table: &'t Table, archive: &Archive, job: &Job<'_>) -> Result<Self, Failure> {
        let host = job.options.host;
        let mut told = Self { table, host, finder: Finder::new(archive)?, volumes: BTreeMap::new() };
        let mut passed_over = PassedOver::default();
        let (mut strays, mut faults) = (Strays::default(), Faults::new(job.options.skip_bad_lines));
        for mut part in table.parts(1) {
            while let Some((at, row)) = part.next_row() {
                // Nothing is sealed then, so that it does not matter what the rest says.
                if job.interrupt.came() {
                    return Ok(told);
                }
                match row.map(|row| (place_of(&row, host), row)) {
                    Ok((_, row)) if !passed_over.keeps(&row.path_bytes(), host) => {}
                    Ok((path, row)) => {
                        if let Some((number, _)) = told.finder.find(&path) {
                            told.volumes.entry(number).or_default().push(at);
                        } else {
                            let dest = row.dest.and_then(|dest| told.finder.find(&place_from(dest, host)));
                            strays.add(path, dest.is_some());
                        }
                    }
                    Err(_) => faults.push(at),
                }
            }
        }
        table.judge(&faults, job.reporter)?;
        table.check_whole()?;
        strays.tell(archive, job.reporter);
        passed_over.told().iter().for_each(|others| job.reporter.summary(others));
        Ok(told)
    }

    /// The volumes of which there are rows.
    pub(super) fn volumes(&self) -> impl Iterator<Item = Number> {
        self.volumes.keys().copied()
    }

    /// All that is said of one volume.
    ///
    /// # Errors
    /// [`Failure::Stop`] where the stream was changed meanwhile.
    pub(super) fn account(&mut self, number: Number) -> Result<Account, Failure> {
        let mut account = Account { plans: Plans::default(), claims: Vec::new(), moved: 0 };
        let mut reader = RowReader::default();
        for at in self.volumes.get(&number).into_iter().flatten() {
            let row = self.table.row(*at, &mut reader);
            let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", self.table.describe(*at))))?;
            let path = place_of(&row, self.host);
            let Some((_, below)) = self.finder.find(&path) else { continue };
            account.plans.add(number, &row);
            account.moved += u64::from(row.dest.is_some());
            // A crawl of a volume whose sealing was cut off lists these, too.
            if !RESERVED.iter().any(|name| below == Path::new(name)) {
                account.claims.push(Claim::new(below, path, &row, self.host));
            }
        }
        self.table.check_whole()?;
        account.plans.settle();
        account.claims.sort_by(|one, other| one.key().cmp(other.key()));
        Ok(account)
    }
}

fn place_of(row: &Row<'_>, host: Option<Host>) -> PathBuf {
    place_from(row.path, host)
}

/// On this host, if the path names it.
fn place_from(escaped: &[u8], host: Option<Host>) -> PathBuf {
    let bytes = escape::unescape(escaped).unwrap_or(Cow::Borrowed(escaped));
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(&bytes));
    host.and_then(|host| host.path_here(&path)).unwrap_or(path)
}

/// Rows of files that lie in no volume.
#[derive(Debug, Default)]
struct Strays {
    others: Vec<PathBuf>,
    /// Those that are to come to a volume, and have not yet: the first of them, and how many there are.
    unmoved: Option<(PathBuf, u64)>,
}

impl Strays {
    fn add(&mut self, path: PathBuf, is_unmoved: bool) {
        if is_unmoved {
            self.unmoved.get_or_insert((path, 0)).1 += 1;
        } else {
            self.others.push(path);
        }
    }

    fn tell(&self, archive: &Archive, reporter: &Reporter) {
        let reason = format!("it lies in no volume of {}", report::shown(&archive.dir));
        for path in &self.others {
            reporter.failed("sealing", path, &reason);
        }
        if let Some((path, count)) = &self.unmoved {
            let further = match count - 1 {
                0 => "it is".into(),
                further => format!("it and {} more are", report::count(further, "file")),
            };
            reporter.failed("sealing", path, &format!("{further} not moved yet: ms-mv comes before ms-seal"));
        }
    }
}

/// Tells in which volume a file lies.
#[derive(Debug)]
struct Finder {
    locator: Locator,
    archive: Rc<Location>,
    volumes: Vec<(Number, Rc<Location>)>,
    /// By the spelling of the directory that holds a file.
    known: HashMap<PathBuf, Option<(Number, PathBuf)>>,
}

/// So many directories are remembered before all are forgotten: enough for the neighbourhood of any row.
const REMEMBERED: usize = 1 << 16;

impl Finder {
    fn new(archive: &Archive) -> Result<Self, Failure> {
        let mut locator = Locator::new()
            .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
        let there = archive.volumes.iter().filter(|(_, traces)| traces.has_dir);
        let volumes = there.map(|(number, _)| (*number, locator.directory(&number.dir(&archive.dir)))).collect();
        Ok(Self { archive: locator.directory(&archive.dir), locator, volumes, known: HashMap::new() })
    }

    /// The volume, and the path below it.
    fn find(&mut self, path: &Path) -> Option<(Number, PathBuf)> {
        let name = path.file_name()?;
        let dir = place::parent(path);
        if !self.known.contains_key(dir) {
            let found = self.locate(dir);
            if self.known.len() >= REMEMBERED {
                self.known.clear();
            }
            self.known.insert(dir.to_owned(), found);
        }
        let (number, below) = self.known.get(dir)?.as_ref()?;
        Some((*number, below.join(name)))
    }

    fn locate(&mut self, dir: &Path) -> Option<(Number, PathBuf)> {
        let location = self.locator.directory(dir);
        let within = |(number, volume): &(Number, Rc<Location>)| Some((*number, location.below(volume)?.to_owned()));
        self.volumes.iter().find_map(within).or_else(|| {
            // A volume whose directory is gone.
            let mut below = location.below(&self.archive)?.components();
            Some((Number::of_dir(below.next()?.as_os_str())?, below.as_path().to_owned()))
        })
    }
}

/// What is said of one volume.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) plans: Plans,
    /// In the order of their paths, byte by byte.
    claims: Vec<Claim>,
    /// How many rows tell where the file came from.
    moved: u64,
}

/// What the notes of rows say of the plans that filled a volume.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// By how many rows each has, and by what the volume was made for.
    plans: BTreeMap<(u64, u64, u64), Rows>,
    /// A row that no plan has, and how many it says there are.
    impossible: Option<(u64, u64)>,
}

/// What is told of one plan.
#[derive(Debug)]
struct Rows {
    disc: Disc,
    all: u64,
    /// Which rows of it there are; each once, after [`Plans::settle`].
    told: Vec<u64>,
}

impl Rows {
    fn is_whole(&self) -> bool {
        self.told.len() as u64 == self.all
    }
}

/// Why a volume was not filled to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// So many rows are told, of so many.
    Missing(u64, u64),
    /// A note names a row that there cannot be.
    Impossible(u64, u64),
}

/// Of several discs, the smallest counts, whichever comes first: the image fits the others, too.
fn order(disc: &Disc) -> (u64, u64) {
    (disc.capacity, disc.filesystem.fixed())
}

impl Plans {
    fn add(&mut self, number: Number, row: &Row<'_>) {
        let planned = row.note.and_then(Planned::parse).filter(|planned| planned.volume == number);
        let Some(planned) = planned else { return };
        let Planned { row, rows: all, disc, .. } = planned;
        if !planned.is_possible() {
            self.impossible = self.impossible.max(Some((row, all)));
        }
        let (capacity, filesystem) = order(&disc);
        let rows = self.plans.entry((all, capacity, filesystem));
        rows.or_insert_with(|| Rows { disc, all, told: Vec::new() }).told.push(row);
    }

    /// Each row counts once.
    fn settle(&mut self) {
        for rows in self.plans.values_mut() {
            rows.told.sort_unstable();
            rows.told.dedup();
        }
    }

    /// What the volume was made for. Where there are rows of several plans, those count that were carried out to their ends.
    pub(super) fn disc(&self) -> Option<Disc> {
        let smallest = |are_whole: bool| {
            let plans = self.plans.values().filter(|rows| rows.is_whole() || !are_whole);
            plans.map(|rows| rows.disc).min_by_key(order)
        };
        smallest(true).or_else(|| smallest(false))
    }

    /// Why it is not filled as a plan says; one plan that was carried out to its end is enough.
    pub(super) fn unfilled(&self) -> Option<Unfilled> {
        if let Some((row, all)) = self.impossible {
            return Some(Unfilled::Impossible(row, all));
        }
        if self.plans.values().any(Rows::is_whole) {
            return None;
        }
        let rows = self.plans.values().max_by_key(|rows| (rows.told.len(), rows.all))?;
        Some(Unfilled::Missing(rows.told.len() as u64, rows.all))
    }
}

/// What a row says of a file.
#[derive(Debug)]
struct Claim {
    /// The path below the volume.
    below: PathBuf,
    /// The path as the row has it.
    path: PathBuf,
    size: u64,
    mtime: Option<Timestamp>,
    id: Option<FileId>,
    hash: Option<ContentHash>,
    /// Somebody found that the row does not hold.
    is_doubtful: bool,
}

/// A hash that is to be found when a file is read: the place of the file, and who says so.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) file: usize,
    pub(super) hash: ContentHash,
    pub(super) path: PathBuf,
}

impl Claim {
    fn new(below: PathBuf, path: PathBuf, row: &Row<'_>, host: Option<Host>) -> Self {
        let is_doubtful = row.note.is_some_and(Reason::is_named);
        // A row of another host does not come so far.
        let id = row.id.map(|id| if host == id.host { id.on(None) } else { id });
        Self { below, path, size: row.size, mtime: row.mtime, id, hash: row.hash, is_doubtful }
    }

    fn key(&self) -> &[u8] {
        self.below.as_os_str().as_bytes()
    }

    /// In which way a file is not what the row says.
    fn difference(&self, file: &File) -> Option<&'static str> {
        if self.size != file.record.size {
            return Some("it is not what its row says: its size differs");
        }
        let is_other = self.mtime.is_some_and(|mtime| Some(mtime) != file.record.mtime);
        is_other.then_some("it is not what its row says: its modification time differs")
    }

    /// Whether nobody can have written to the file since its hash was known.
    fn is_proof(&self, file: &File) -> bool {
        let is_same = self.id.is_none() || self.id == file.record.id;
        self.hash.is_some() && self.mtime.is_some() && is_same && !self.is_doubtful
    }
}

impl Account {
    /// Whether there are rows, and none of them tells of a plan or where its file came from, as in an index of the volume.
    pub(super) fn is_index(&self) -> bool {
        !self.claims.is_empty() && self.moved == 0 && self.plans.disc().is_none()
    }

    /// Gives the files the hashes that can be trusted, and names rows whose files are not there or are something else. Tells
    /// which hashes are to be found by reading.
    pub(super) fn settle(&self, inventory: &mut Inventory, reporter: &Reporter) -> Vec<Promise> {
        let mut promises = Vec::new();
        for claims in self.claims.chunk_by(|one, other| one.key() == other.key()) {
            let Some(place) = inventory.find(claims[0].key()) else {
                reporter.failed("sealing", &claims[0].path, &"it is not there");
                continue;
            };
            let file = &mut inventory.files[place];
            let mut differences = claims.iter().filter_map(|claim| Some((claim, claim.difference(file)?)));
            if let Some((claim, difference)) = differences.next() {
                reporter.failed("sealing", &claim.path, &difference);
                continue;
            }
            let hash = claims.iter().find(|claim| claim.is_proof(file)).and_then(|claim| claim.hash);
            if claims.iter().all(|claim| claim.hash.is_none() || claim.hash == hash) {
                file.record.hash = hash;
            } else {
                let told = claims.iter().filter_map(|claim| Some((claim.hash?, &claim.path)));
                promises.extend(told.map(|(hash, path)| Promise { file: place, hash, path: path.clone() }));
            }
        }
        promises
    }

    /// Names the rows that a volume, sealed before, has no such record of; these are in the order of their paths.
    pub(super) fn compare(&self, sealed: &[Record], reporter: &Reporter) {
        let find =
            |claim: &Claim| sealed.binary_search_by(|record| record.path.as_os_str().as_bytes().cmp(claim.key())).ok();
        for claim in &self.claims {
            let reason = match find(claim).map(|place| &sealed[place]) {
                None => "its volume was sealed without it",
                Some(record) if claim.size != record.size => "its volume was sealed with another file of this name",
                Some(record) if claim.hash.is_some() && claim.hash != record.hash => {
                    "its volume was sealed with another content of this file"
                }
                Some(_) => continue,
            };
            reporter.failed("sealing", &claim.path, &reason);
        }
    }
}
