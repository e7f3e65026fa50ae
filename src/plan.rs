//! A plan: rows that say where files are to go. What was only read is a [`Table`]; what was checked as a whole is a
//! [`Plan`], and only a plan is ever carried out.
//!
//! Checking looks at no file. It sees to it that every row can be read and has a destination, and that no two rows
//! contradict each other, under whatever spelling: that is worth knowing before the first file moves.

mod hosts;
mod keeper;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use crate::cli::Failure;
use crate::host::{Host, PassedOver};
use crate::place::{self, Locator};
use crate::record::{ContentHash, FileId, Record, Timestamp};
use crate::report::{Reporter, shown};
use crate::stream::table::RowReader;
use crate::stream::{Faults, RowRef, Table};
pub use keeper::{KEEPER_NOTE, Keeper, push_keeper_note};

/// What is known of a file and must still be true when it is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Length in bytes.
    pub size: u64,
    /// Last modification.
    pub mtime: Option<Timestamp>,
    /// Which file it is.
    pub id: Option<FileId>,
}

/// One file to be moved, copied or linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where the file is.
    pub source: PathBuf,
    /// Where it is to be.
    pub dest: PathBuf,
    /// What it must be.
    pub expected: Expected,
    /// BLAKE3 of its content.
    pub hash: Option<ContentHash>,
    /// For a duplicate, the copy that stays.
    pub keeper: Option<Keeper>,
    /// The planner's note, without what it says of the keeper.
    pub note: Option<Vec<u8>>,
}

impl Step {
    /// The step that a record asks for; `None` if it names no destination and `to` gives none.
    #[must_use]
    pub fn of(record: Record, to: Option<&Path>, working_dir: &Path) -> Option<Self> {
        let keeper = Keeper::of(&record).map(Keeper::here);
        let dest = match (record.dest, to) {
            (Some(dest), _) => dest,
            (None, Some(to)) if place::climbs(&record.path) => {
                place::quarantine(to, &place::absolute(&record.path, working_dir))
            }
            (None, Some(to)) => place::quarantine(to, &record.path),
            (None, None) => return None,
        };
        Some(Self {
            source: record.path,
            dest,
            expected: Expected { size: record.size, mtime: record.mtime, id: record.id },
            hash: record.hash,
            keeper,
            note: record.note.filter(|note| !note.starts_with(KEEPER_NOTE.as_bytes())),
        })
    }
}

/// A plan that was read to its end and does not contradict itself.
#[derive(Debug)]
pub struct Plan {
    table: Table,
    rows: Vec<RowRef>,
    passed_over: PassedOver,
    host: Option<Host>,
    to: Option<PathBuf>,
    working_dir: PathBuf,
    /// The longest directory that holds all sources, by their spelling; `None` for an empty plan.
    common_dir: Option<PathBuf>,
    bytes: u64,
}

/// So many rows are read at a time: to look after each of them whether the file has changed took a twentieth of a rename.
const AT_ONCE: usize = 64;

/// How a plan is to be read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Destination for records that have none.
    pub to: Option<PathBuf>,
    /// Whether malformed lines are left out instead of ending the run.
    pub skip_bad_lines: bool,
    /// What this host is called in the plan, if it is one of several hosts: only its rows are carried out.
    pub host: Option<Host>,
}

impl Plan {
    /// Checks a whole plan.
    ///
    /// # Errors
    /// [`Failure::Stop`] if any line is malformed, any record has no destination, or any two contradict each other;
    /// each is named by `reporter` first.
    pub fn check(table: Table, reading: &Reading, locator: &mut Locator, reporter: &Reporter) -> Result<Self, Failure> {
        let (rows, passed_over) = read_rows(&table, reading, reporter)?;
        let working_dir = locator.working_dir().to_owned();
        let (to, host) = (reading.to.clone(), reading.host);
        let mut plan = Self { table, rows, passed_over, host, to, working_dir, common_dir: None, bytes: 0 };
        let claims = plan.claims(locator, reporter)?;
        plan.contradictions(claims, locator, reporter)?;
        plan.table.check_whole()?;
        Ok(plan)
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that were none of this host's.
    #[must_use]
    pub fn passed_over(&self) -> PassedOver {
        self.passed_over
    }

    /// When the youngest of its files was last written to; `None` where any of it came through a pipe.
    #[must_use]
    pub fn last_written(&self) -> Option<Timestamp> {
        self.table.last_written()
    }

    /// The bytes that all rows hold together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The longest directory that holds all sources, absolute.
    #[must_use]
    pub fn common_dir(&self) -> Option<&Path> {
        self.common_dir.as_deref()
    }

    /// The directory against which the plan's relative paths are resolved.
    #[must_use]
    pub fn working_dir(&self) -> &Path {
        &self.working_dir
    }

    /// Gives each path that a row of another host, which that host carries out, has leave its place.
    pub(crate) fn leaving_elsewhere(&self, mut each: impl FnMut(&[u8])) {
        for mut part in self.table.parts(1) {
            while let Some((_, row)) = part.next_row() {
                let Ok(row) = row else { continue };
                let path = row.path_bytes();
                if row.dest.is_some() && !PassedOver::default().keeps(&path, self.host) {
                    each(&path);
                }
            }
        }
    }

    /// The steps in the order of the plan.
    ///
    /// # Errors
    /// An item is [`Failure::Stop`] where the plan's file was changed since it was checked.
    pub fn steps(&self) -> impl Iterator<Item = Result<Step, Failure>> + '_ {
        self.chunks().flat_map(|steps| {
            let (steps, failure) = match steps {
                Ok(steps) => (steps, None),
                Err(failure) => (Vec::new(), Some(failure)),
            };
            steps.into_iter().map(Ok).chain(failure.map(Err))
        })
    }

    /// The steps in order, several together.
    pub fn chunks(&self) -> impl Iterator<Item = Result<Vec<Step>, Failure>> + '_ {
        let mut reader = RowReader::default();
        self.rows.chunks(AT_ONCE).map(move |rows| {
            let steps: Vec<_> = rows.iter().map(|at| self.step(*at, &mut reader)).collect();
            // What was read while the file was changed is none of the plan that was checked.
            self.table.check_whole()?;
            steps.into_iter().collect()
        })
    }

    fn step(&self, at: RowRef, reader: &mut RowReader) -> Result<Step, Failure> {
        let changed = || Failure::Stop(format!("reading: {}: it was changed meanwhile", self.table.describe(at)));
        let record = self.table.row(at, reader).map_err(|_| changed())?.to_record();
        let record = hosts::here(record, self.host).map_err(|_| changed())?;
        Step::of(record, self.to.as_deref(), &self.working_dir).ok_or_else(changed)
    }

    /// Notes what every row lays hold of, and refuses rows that nobody could carry out.
    fn claims(&mut self, locator: &mut Locator, reporter: &Reporter) -> Result<Vec<Claim>, Failure> {
        let mut claims = Vec::with_capacity(self.rows.len() * 2);
        let mut reader = RowReader::default();
        if self.to.is_none() && self.is_an_index(&mut reader) {
            let rows = crate::report::count(self.rows.len() as u64, "record");
            return Err(Failure::Stop(format!(
                "nothing is done: {rows}, none with a destination: an index, no plan; ms-dupes makes a plan of it, and --to DIR \
                 moves all of it"
            )));
        }
        let mut refused = 0_u64;
        for at in std::mem::take(&mut self.rows) {
            let Ok(row) = self.table.row(at, &mut reader) else { continue };
            let record = row.to_record();
            let listed = record.path.clone();
            let record = match hosts::here(record, self.host) {
                // Of the others on this host, nothing depends on it.
                Err(problem) if self.host.is_some() => {
                    reporter.failed("moving", &listed, &problem);
                    continue;
                }
                other => other,
            };
            let number = self.rows.len();
            self.rows.push(at);
            match record.and_then(|record| self.possible(record)) {
                Ok(step) => {
                    claims.push(Claim { print: fingerprint(&step.source, locator), row: number, is_dest: false });
                    claims.push(Claim { print: fingerprint(&step.dest, locator), row: number, is_dest: true });
                }
                Err(problem) => {
                    refused += 1;
                    if refused <= MOST_NAMED {
                        self.name(at, &listed, &problem, reporter);
                    }
                }
            }
        }
        nothing_is_done(refused, "row that cannot be carried out", "rows that cannot be carried out").map(|()| claims)
    }

    /// The step of a record, or why nobody could carry it out, whatever is on the disk.
    fn possible(&mut self, record: Record) -> Result<Step, String> {
        self.bytes = self.bytes.saturating_add(record.size);
        widen(&mut self.common_dir, &place::absolute(place::parent(&record.path), &self.working_dir));
        possible(record, self.to.as_deref(), &self.working_dir)
    }

    /// Whether there are several records, and none names a destination.
    fn is_an_index(&self, reader: &mut RowReader) -> bool {
        let has_none =
            |at: &RowRef, reader: &mut RowReader| self.table.row(*at, reader).is_ok_and(|row| row.dest.is_none());
        self.rows.len() > 1 && self.rows.iter().all(|at| has_none(at, reader))
    }

    /// `FILE:LINE: SOURCE: problem`.
    fn name(&self, at: RowRef, source: &Path, problem: &str, reporter: &Reporter) {
        let place = format!("{}: {}", self.table.describe(at), shown(source));
        reporter.failed_text("checking the plan", &place, &problem);
    }

    fn contradictions(
        &self,
        mut claims: Vec<Claim>,
        locator: &mut Locator,
        reporter: &Reporter,
    ) -> Result<(), Failure> {
        claims.sort_unstable();
        let mut found = 0;
        for group in claims.chunk_by(|one, other| one.print == other.print).filter(|group| group.len() > 1) {
            found += self.clashes(group, found, locator, reporter);
        }
        nothing_is_done(found, "place where the plan contradicts itself", "places where the plan contradicts itself")
    }

    /// Names the clashes among claims of one fingerprint, each against the first claim of the same path.
    fn clashes(&self, group: &[Claim], before: u64, locator: &mut Locator, reporter: &Reporter) -> u64 {
        let mut firsts: Vec<(PathBuf, PathBuf, Claim)> = Vec::new();
        let mut found = 0;
        for claim in group {
            let Some((path, source)) = self.claimed(*claim, locator) else { continue };
            let Some((_, other, first)) = firsts.iter().find(|(known, _, _)| *known == path) else {
                firsts.push((path, source, *claim));
                continue;
            };
            let Some(problem) = clash(*first, *claim) else { continue };
            found += 1;
            if before + found <= MOST_NAMED {
                let line = self.table.describe(self.rows[first.row]);
                let problem = format!("{problem} {line}: {}: {}", shown(other), shown(&path));
                self.name(self.rows[claim.row], &source, &problem, reporter);
            }
        }
        found
    }

    /// The path that a claim is about, and the source of its row.
    fn claimed(&self, claim: Claim, locator: &mut Locator) -> Option<(PathBuf, PathBuf)> {
        let mut reader = RowReader::default();
        let step = self.step(self.rows[claim.row], &mut reader).ok()?;
        Some((resolved(if claim.is_dest { &step.dest } else { &step.source }, locator), step.source))
    }
}

/// A row lays hold of a path. Ordered so that equal paths stand together, their rows in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    print: u64,
    row: usize,
    is_dest: bool,
}

/// So many rows are named one by one.
const MOST_NAMED: u64 = 20;

fn nothing_is_done(count: u64, one: &str, many: &str) -> Result<(), Failure> {
    match count {
        0 => Ok(()),
        1 => Err(Failure::Stop(format!("nothing is done: 1 {one}"))),
        _ => Err(Failure::Stop(format!("nothing is done: {count} {many}"))),
    }
}

fn clash(first: Claim, second: Claim) -> Option<&'static str> {
    match (first.is_dest, second.is_dest) {
        (true, true) => Some("its destination is also that of"),
        // A row that wants its file where it is already asks for nothing.
        (false, true) | (true, false) if first.row == second.row => None,
        (false, true) => Some("its destination is the source of"),
        (true, false) => Some("it is the destination of"),
        (false, false) => Some("it is also the source of"),
    }
}

/// The rows of this host, and how many others there are.
fn read_rows(table: &Table, reading: &Reading, reporter: &Reporter) -> Result<(Vec<RowRef>, PassedOver), Failure> {
    let (mut rows, mut passed_over) = (Vec::new(), PassedOver::default());
    let mut faults = Faults::new(reading.skip_bad_lines);
    for mut part in table.parts(1) {
        if reading.host.is_none() {
            rows.reserve(part.count_lines());
        }
        while let Some((at, row)) = part.next_row() {
            match row {
                Ok(row) if passed_over.keeps(&row.path_bytes(), reading.host) => rows.push(at),
                Ok(_) => {}
                Err(_) => faults.push(at),
            }
        }
    }
    table.judge(&faults, reporter)?;
    Ok((rows, passed_over))
}

/// As [`Plan::possible`].
fn possible(record: Record, to: Option<&Path>, working_dir: &Path) -> Result<Step, String> {
    let step = Step::of(record, to, working_dir).ok_or("no destination; --to DIR gives one to records without")?;
    if !names_a_file(&step.dest) {
        return Err(format!("{}: a destination is the file's new path, not a directory", shown(&step.dest)));
    }
    if !names_a_file(&step.source) {
        return Err("this names a directory".into());
    }
    Ok(step)
}

fn names_a_file(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let is_name = matches!(path.components().next_back(), Some(Component::Normal(_)));
    is_name && !bytes.ends_with(b"/") && !bytes.ends_with(b"/.")
}

fn widen(common: &mut Option<PathBuf>, dir: &Path) {
    match common {
        None => *common = Some(dir.to_owned()),
        Some(common) => while !dir.starts_with(&*common) && common.pop() {},
    }
}

fn resolved(path: &Path, locator: &mut Locator) -> PathBuf {
    locator.parent_of(path).real().join(path.file_name().unwrap_or_default())
}

fn fingerprint(path: &Path, locator: &mut Locator) -> u64 {
    let mut hasher = DefaultHasher::new();
    locator.parent_of(path).real().as_os_str().as_bytes().hash(&mut hasher);
    path.file_name().hash(&mut hasher);
    hasher.finish()
}

/// Whether `ms-mv` gives such a name to a copy that it has not finished.
pub(crate) fn is_part(name: &[u8]) -> bool {
    name.starts_with(PART_PREFIX.as_bytes()) && name.ends_with(PART_SUFFIX.as_bytes())
}

/// What the names of unfinished copies begin with.
pub(crate) const PART_PREFIX: &str = ".ms-mv-";

/// What the names of unfinished copies end with.
pub(crate) const PART_SUFFIX: &str = ".part";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Plan, Failure> {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), text).expect("write");
        let table = Table::open(&[file.path().as_os_str().to_owned()]).expect("table");
        let mut locator = Locator::new().expect("locator");
        Plan::check(table, &Reading::default(), &mut locator, &Reporter::new("test", true))
    }

    fn row(path: &str, dest: &str) -> String {
        format!("{path}\t-\t1\t-\t-\t{dest}\n")
    }

    #[test]
    fn rows_that_contradict_each_other_are_refused() {
        assert!(check(&(row("/no/a", "/no/x") + &row("/no/b", "/no/y"))).is_ok());
        assert!(check(&(row("/no/a", "/no/x") + &row("/no/b", "/no/d/../x"))).is_err());
        assert!(check(&(row("/no/a", "/no/b") + &row("/no/b", "/no/c"))).is_err());
        assert!(check(&(row("/no/b", "/no/c") + &row("/no/a", "/no/b"))).is_err());
        assert!(check(&(row("/no/a", "/no/c") + &row("/no/a", "/no/d"))).is_err());
        assert!(check(&row("/no/a", "/no/a")).is_ok());
    }

    #[test]
    fn a_destination_names_a_file() {
        for dest in ["/no/x/", "/no/..", "/", "/no/."] {
            assert!(check(&row("/no/a", dest)).is_err(), "{dest}");
        }
        assert!(check(&row("/no/a", "-")).is_err());
    }

    #[test]
    fn the_common_directory_of_the_sources() {
        let plan = check(&(row("/no/a/b/f", "/no/x") + &row("/no/a/c/g", "/no/y"))).expect("plan");
        assert_eq!(plan.common_dir(), Some(Path::new("/no/a")));
    }
}
