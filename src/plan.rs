//! A plan: rows that say where files are to go. What was only read is a [`Table`]; what was checked as a whole is a
//! [`Plan`], and only a plan is ever carried out.
//!
//! Checking looks at no file. It sees to it that every row can be read and has a destination, and that no two rows
//! contradict each other, under whatever spelling: that is worth knowing before the first file moves.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use crate::cli::Failure;
use crate::place::{self, Locator};
use crate::record::{ContentHash, FileId, Record, Timestamp};
use crate::report::{self, Reporter};
use crate::stream::table::RowReader;
use crate::stream::{Fault, RowRef, Table};

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

/// The copy that stays, and what the planner saw of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// Where it stands.
    pub path: PathBuf,
    /// Its last modification when the plan was made.
    pub mtime: Option<Timestamp>,
    /// Which file it was when the plan was made.
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

/// How a note begins that says what the keeper was: `keep mtime=SECONDS.NNNNNNNNN id=DEV:INO`.
pub const KEEPER_NOTE: &str = "keep ";

/// The note by which a mover can tell whether the keeper is unchanged.
#[must_use]
pub fn keeper_note(mtime: Option<Timestamp>, id: Option<FileId>) -> Option<Vec<u8>> {
    let mtime = mtime.map(|mtime| format!("mtime={mtime}"));
    let id = id.map(|id| format!("id={id}"));
    let facts: Vec<String> = mtime.into_iter().chain(id).collect();
    (!facts.is_empty()).then(|| format!("{KEEPER_NOTE}{}", facts.join(" ")).into_bytes())
}

impl Keeper {
    /// The keeper of a record, with what its note tells.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let facts =
            record.note.as_deref().and_then(|note| note.strip_prefix(KEEPER_NOTE.as_bytes())).unwrap_or_default();
        let fact = |name: &[u8]| facts.split(|byte| *byte == b' ').find_map(|fact| fact.strip_prefix(name));
        Some(Self {
            path: record.keep.clone()?,
            mtime: fact(b"mtime=").and_then(Timestamp::parse),
            id: fact(b"id=").and_then(FileId::parse),
        })
    }
}

impl Step {
    /// The step that a record asks for; `None` if it names no destination and `to` gives none.
    #[must_use]
    pub fn of(record: Record, to: Option<&Path>, working_dir: &Path) -> Option<Self> {
        let keeper = Keeper::of(&record);
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
    to: Option<PathBuf>,
    working_dir: PathBuf,
    /// The longest directory that holds all sources, by their spelling; `None` for an empty plan.
    common_dir: Option<PathBuf>,
}

/// How a plan is to be read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Destination for records that have none.
    pub to: Option<PathBuf>,
    /// Whether malformed lines are left out instead of ending the run.
    pub skip_bad_lines: bool,
    /// Whether one source may go to several destinations, as copies may.
    pub sources_stay: bool,
}

impl Plan {
    /// Checks a whole plan.
    ///
    /// # Errors
    /// [`Failure::Stop`] if any line is malformed, any record has no destination, or any two contradict each other;
    /// each is named by `reporter` first.
    pub fn check(table: Table, reading: &Reading, locator: &mut Locator, reporter: &Reporter) -> Result<Self, Failure> {
        let rows = read_rows(&table, reading.skip_bad_lines, reporter)?;
        let working_dir = locator.working_dir().to_owned();
        let mut plan = Self { table, rows, to: reading.to.clone(), working_dir, common_dir: None };
        let claims = plan.claims(locator, reporter)?;
        plan.contradictions(claims, reading.sources_stay, locator, reporter)?;
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

    /// The steps in the order of the plan.
    ///
    /// # Errors
    /// An item is [`Failure::Stop`] where the plan's file was changed since it was checked.
    pub fn steps(&self) -> impl Iterator<Item = Result<Step, Failure>> + '_ {
        let mut reader = RowReader::default();
        (0..self.rows.len()).map(move |number| self.step(number, &mut reader))
    }

    fn step(&self, number: usize, reader: &mut RowReader) -> Result<Step, Failure> {
        let at = self.rows[number];
        let changed = || Failure::Stop(format!("reading: {}: it was changed meanwhile", self.table.describe(at)));
        let record = self.table.row(at, reader).map_err(|_| changed())?.to_record();
        self.table.check_whole()?;
        Step::of(record, self.to.as_deref(), &self.working_dir).ok_or_else(changed)
    }

    /// Notes what every row lays hold of, and refuses rows that nobody could carry out.
    fn claims(&mut self, locator: &mut Locator, reporter: &Reporter) -> Result<Vec<Claim>, Failure> {
        let mut claims = Vec::with_capacity(self.rows.len() * 2);
        let mut reader = RowReader::default();
        let mut without_dest = 0_u64;
        let mut refused = 0_u64;
        for (number, at) in self.rows.iter().enumerate() {
            let Ok(row) = self.table.row(*at, &mut reader) else { continue };
            let record = row.to_record();
            widen(&mut self.common_dir, &place::absolute(place::parent(&record.path), &self.working_dir));
            let Some(step) = Step::of(record, self.to.as_deref(), &self.working_dir) else {
                without_dest += 1;
                continue;
            };
            if let Some(problem) = impossible(&step) {
                reporter.failed_text("checking the plan", &self.table.describe(*at), &problem);
                refused += 1;
                continue;
            }
            claims.push(Claim { print: fingerprint(&step.source, locator), row: number, is_dest: false });
            claims.push(Claim { print: fingerprint(&step.dest, locator), row: number, is_dest: true });
        }
        if without_dest > 0 {
            let records = report::count(without_dest, "record");
            return Err(Failure::Stop(format!(
                "nothing is done: {records} without a destination; --to DIR gives them one"
            )));
        }
        if refused > 0 {
            return Err(Failure::Stop(format!(
                "nothing is done: {} that cannot be carried out",
                report::count(refused, "row")
            )));
        }
        Ok(claims)
    }

    fn contradictions(
        &self,
        mut claims: Vec<Claim>,
        sources_stay: bool,
        locator: &mut Locator,
        reporter: &Reporter,
    ) -> Result<(), Failure> {
        claims.sort_unstable();
        let mut found = 0;
        for group in claims.chunk_by(|one, other| one.print == other.print).filter(|group| group.len() > 1) {
            found += self.clashes(group, sources_stay, locator, reporter);
        }
        if found == 0 {
            return Ok(());
        }
        Err(Failure::Stop(format!("nothing is done: the plan contradicts itself in {}", report::count(found, "place"))))
    }

    /// Names the clashes among claims of one fingerprint, each against the first claim of the same path.
    fn clashes(&self, group: &[Claim], sources_stay: bool, locator: &mut Locator, reporter: &Reporter) -> u64 {
        let mut firsts: Vec<(PathBuf, Claim)> = Vec::new();
        let mut found = 0;
        for claim in group {
            let Some(path) = self.claimed(*claim, locator) else { continue };
            match firsts.iter().find(|(known, _)| *known == path).map(|(_, first)| *first) {
                None => firsts.push((path, *claim)),
                Some(first) => {
                    if let Some(problem) = clash(first, *claim, sources_stay) {
                        found += 1;
                        let reason = format!("{problem} {}", self.table.describe(self.rows[first.row]));
                        let place = format!(
                            "{}: {}",
                            self.table.describe(self.rows[claim.row]),
                            crate::escape::for_people(path.as_os_str().as_bytes())
                        );
                        reporter.failed_text("checking the plan", &place, &reason);
                    }
                }
            }
        }
        found
    }

    fn claimed(&self, claim: Claim, locator: &mut Locator) -> Option<PathBuf> {
        let mut reader = RowReader::default();
        let step = self.step(claim.row, &mut reader).ok()?;
        Some(resolved(if claim.is_dest { &step.dest } else { &step.source }, locator))
    }
}

/// A row lays hold of a path. Ordered so that equal paths stand together, their rows in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    print: u64,
    row: usize,
    is_dest: bool,
}

fn clash(first: Claim, second: Claim, sources_stay: bool) -> Option<&'static str> {
    match (first.is_dest, second.is_dest) {
        (true, true) => Some("is the destination of two rows, this one and"),
        // A row that wants its file where it is already asks for nothing.
        (false, true) | (true, false) if first.row == second.row => None,
        (false, true) => Some("is a destination here and the source of"),
        (true, false) => Some("is a source here and the destination of"),
        (false, false) if sources_stay => None,
        (false, false) => Some("is the source of two rows, this one and"),
    }
}

fn read_rows(table: &Table, skip_bad_lines: bool, reporter: &Reporter) -> Result<Vec<RowRef>, Failure> {
    let mut rows = Vec::new();
    let mut faults: Vec<(RowRef, Fault)> = Vec::new();
    for mut part in table.parts(1) {
        rows.reserve(part.count_lines());
        while let Some((at, row)) = part.next_row() {
            match row {
                Ok(_) => rows.push(at),
                Err(fault) => faults.push((at, fault)),
            }
        }
    }
    table.judge(&faults, skip_bad_lines, reporter)?;
    Ok(rows)
}

/// Why no file can be put at a destination, whatever is on the disk.
fn impossible(step: &Step) -> Option<String> {
    let names_a_file = |path: &Path| {
        matches!(path.components().next_back(), Some(Component::Normal(_)))
            && !path.as_os_str().as_bytes().ends_with(b"/")
            && !path.as_os_str().as_bytes().ends_with(b"/.")
    };
    let shown = |path: &Path| crate::escape::for_people(path.as_os_str().as_bytes());
    if !names_a_file(&step.dest) {
        return Some(format!(
            "column 6 (dest): {}: a destination is the file's new path, not a directory",
            shown(&step.dest)
        ));
    }
    (!names_a_file(&step.source)).then(|| format!("column 1 (path): {}: this names a directory", shown(&step.source)))
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

    #[test]
    fn a_note_tells_what_the_keeper_was() {
        let mtime = Timestamp { seconds: -1, nanoseconds: 5 };
        let id = FileId { dev: 7, ino: 9 };
        let record = Record {
            path: "a".into(),
            hash: None,
            size: 1,
            mtime: None,
            id: None,
            dest: None,
            keep: Some("b".into()),
            note: keeper_note(Some(mtime), Some(id)),
        };
        let keeper = Keeper::of(&record).expect("keeper");
        assert_eq!((keeper.mtime, keeper.id), (Some(mtime), Some(id)));
    }
}
