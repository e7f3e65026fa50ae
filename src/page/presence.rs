//! Whether the files of a plan are there, and are what it says: each is looked at, and none is opened.
//!
//! Files on other hosts are not looked at. What this takes does not grow with the number of rows, but for eight bytes for each
//! copy that should stay and is not there.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::ops::AddAssign;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::duplicates::{Duplicates, key};
use super::markup::{Html, Text};
use super::plain;
use super::thumbnail::{Expected, is_as};
use crate::hash::{Links, Status, Trouble};
use crate::host;
use crate::interrupt::Interrupt;
use crate::plan::Keeper;
use crate::report;
use crate::stream::Table;
use crate::stream::table::{Part, RowReader, RowRef};
use crate::threads::each;

/// What a look at one file gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// As its row says.
    Here,
    Changed,
    Missing,
    /// The system does not let it be looked at.
    Hidden,
    /// On another host.
    Elsewhere,
}

/// So many files were found so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    here: u64,
    pub(super) changed: u64,
    pub(super) missing: u64,
    hidden: u64,
    elsewhere: u64,
}

impl Found {
    fn add(&mut self, state: State) {
        *match state {
            State::Here => &mut self.here,
            State::Changed => &mut self.changed,
            State::Missing => &mut self.missing,
            State::Hidden => &mut self.hidden,
            State::Elsewhere => &mut self.elsewhere,
        } += 1;
    }

    /// Of how many nothing is known.
    fn unknown(&self) -> u64 {
        self.hidden + self.elsewhere
    }
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.here += other.here;
        self.changed += other.changed;
        self.missing += other.missing;
        self.hidden += other.hidden;
        self.elsewhere += other.elsewhere;
    }
}

/// What was found of all files of a plan.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Whether files were to be looked at.
    is_wanted: bool,
    /// Copies that stay, each once.
    pub(super) keepers: Found,
    /// Files that go.
    sources: Found,
    /// Files that should go, are not there, and are where they should go.
    arrived: u64,
    /// Whether any path that is not there is relative.
    is_relative: bool,
}

/// So many keepers are looked at by one thread before it takes others.
const FEW: usize = 1 << 10;

/// So many parts of the streams there are for each thread, so that none waits long for the others.
const SHARES: usize = 8;

impl Presence {
    /// Looks at all files that go and all copies that stay; at none without `jobs`.
    pub(super) fn look(
        table: &Table,
        duplicates: &Duplicates,
        jobs: Option<usize>,
        interrupt: &Interrupt,
        working_dir: &Path,
    ) -> Self {
        let Some(jobs) = jobs else { return Self::default() };
        let look = Look { table, interrupt, working_dir };
        let mut keepers = Findings::default();
        let places: Vec<RowRef> = duplicates.keeper_places().collect();
        for found in each(jobs, places.chunks(FEW).collect(), |places| look.at_keepers(places)) {
            keepers.append(found);
        }
        let mut sources = Findings::default();
        for found in each(jobs, table.parts(jobs * SHARES), |part| look.at_sources(part, &keepers.lost)) {
            sources.append(found);
        }
        // A keeper may be what another row brings to its place.
        keepers.found.missing = keepers.found.missing.saturating_sub(sources.lost.len() as u64);
        Self {
            is_wanted: true,
            keepers: keepers.found,
            sources: sources.found,
            arrived: sources.arrived,
            is_relative: sources.is_relative || keepers.is_relative && keepers.found.missing > 0,
        }
    }

    /// Whether files were looked for, and none is there.
    fn is_nothing_here(&self) -> bool {
        let files = [&self.keepers, &self.sources];
        self.missing() > 0 && self.arrived == 0 && files.iter().all(|found| found.here + found.changed == 0)
    }

    /// Whether every copy that should stay was looked for in a place where such files are.
    pub(super) fn tells_keepers(&self) -> bool {
        self.is_wanted && self.keepers.unknown() == 0 && !self.is_nothing_here()
    }

    /// Copies that should stay and are not there, and those that have changed.
    pub(super) fn lost(&self) -> (u64, u64) {
        if self.is_nothing_here() { (0, 0) } else { (self.keepers.missing, self.keepers.changed) }
    }

    fn missing(&self) -> u64 {
        self.keepers.missing + self.sources.missing
    }

    /// What somebody should know who is about to carry out the plan.
    pub(super) fn put(&self, html: &mut Html) {
        let seen = self.keepers.unknown() + self.sources.unknown();
        if !self.is_wanted {
            html.put(format_args!(
                "<p class=\"note\">No file was looked at for this page: ms-mv --dry-run does that.</p>"
            ));
        } else if seen > 0 {
            html.put(format_args!(
                "<p class=\"note\">{} not looked at here, on other hosts or out of reach: ms-mv --dry-run does that, on each host.</p>",
                Text(&files_were(seen))
            ));
        }
        if self.is_nothing_here() {
            return put_box(html, self.nothing_here(), "");
        }
        if self.sources.missing > 0 {
            let gone = match self.sources.missing {
                1 => "1 file that should go is not there any more: was this plan carried out already?".to_owned(),
                gone => format!(
                    "{} files that should go are not there any more: was this plan carried out already?",
                    report::number(gone)
                ),
            };
            let arrived = match self.arrived {
                0 => String::new(),
                1 => " 1 file is where it should go.".to_owned(),
                arrived => format!(" {} files are where they should go.", report::number(arrived)),
            };
            put_box(html, &gone, &arrived);
        }
        if self.sources.changed > 0 {
            let changed = match self.sources.changed {
                1 => "1 file that should go has changed since the plan.".to_owned(),
                changed => {
                    format!("{} files that should go have changed since the plan.", report::number(changed))
                }
            };
            put_box(html, &changed, " ms-mv does not move what is not as its row says.");
        }
    }

    fn nothing_here(&self) -> &'static str {
        if self.is_relative {
            "None of these files is here: relative paths hold where ms-crawl ran, so run ms-report there."
        } else {
            "None of these files is here: is this the computer, and is the disk there?"
        }
    }

    /// What is not as the plan says, in a line for stderr.
    pub(super) fn trouble(&self) -> Option<String> {
        if self.is_nothing_here() {
            return Some(self.nothing_here().to_owned());
        }
        let changed = self.keepers.changed + self.sources.changed;
        let mut told = Vec::new();
        match self.missing() {
            0 => {}
            1 => told.push("1 file is not there".to_owned()),
            missing => told.push(format!("{} files are not there", report::number(missing))),
        }
        match changed {
            0 => {}
            1 => told.push("1 file has changed since the plan".to_owned()),
            changed => told.push(format!("{} files have changed since the plan", report::number(changed))),
        }
        let advice = if self.missing() > 0 && self.is_relative {
            "; relative paths are looked for in the working directory, so run this where ms-crawl ran"
        } else {
            ""
        };
        (!told.is_empty()).then(|| format!("{}{advice}", told.join(", ")))
    }
}

fn put_box(html: &mut Html, strong: &str, rest: &str) {
    html.put(format_args!("<p class=\"alarm\"><strong>{}</strong>{}</p>", Text(strong), Text(rest)));
}

fn files_were(count: u64) -> String {
    format!("{} {}", report::count(count, "file"), if count == 1 { "was" } else { "were" })
}

/// What one thread has found.
#[derive(Debug, Default)]
struct Findings {
    found: Found,
    arrived: u64,
    is_relative: bool,
    /// Of keepers: those that are not there. Of sources: those among these that they become.
    lost: HashSet<u64>,
}

impl Findings {
    fn append(&mut self, other: Self) {
        self.found += other.found;
        self.arrived += other.arrived;
        self.is_relative |= other.is_relative;
        self.lost.extend(other.lost);
    }

    fn add(&mut self, path: &[u8], state: State) {
        self.found.add(state);
        self.is_relative |= state == State::Missing && !path.starts_with(b"/");
    }
}

struct Look<'a> {
    table: &'a Table,
    interrupt: &'a Interrupt,
    working_dir: &'a Path,
}

impl Look<'_> {
    fn at(&self, path: &[u8], expected: Expected) -> State {
        if host::split(path).is_some() {
            return State::Elsewhere;
        }
        match Status::of(&self.working_dir.join(OsStr::from_bytes(path)), Links::Refuse) {
            Ok(status) if is_as(&status, expected) => State::Here,
            Err(Trouble::Io(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                State::Missing
            }
            Err(Trouble::Io(_)) => State::Hidden,
            Ok(_) | Err(_) => State::Changed,
        }
    }

    /// `places` are rows that name them.
    fn at_keepers(&self, places: &[RowRef]) -> Findings {
        let (mut findings, mut reader) = (Findings::default(), RowReader::default());
        for at in places {
            if self.interrupt.came() {
                break;
            }
            let Ok(row) = self.table.row(*at, &mut reader) else { continue };
            let Some(keeper) = Keeper::of(&row.to_record()) else { continue };
            let path = keeper.path.as_os_str().as_bytes();
            let state = self.at(path, Expected { size: row.size, mtime: keeper.mtime });
            findings.add(path, state);
            if state == State::Missing {
                findings.lost.insert(key(path));
            }
        }
        findings
    }

    fn at_sources(&self, mut part: Part<'_>, lost: &HashSet<u64>) -> Findings {
        let mut findings = Findings::default();
        while let Some((_, row)) = part.next_row() {
            if self.interrupt.came() {
                break;
            }
            let Ok(row) = row else { continue };
            let Some(dest) = row.dest.map(plain) else { continue };
            let path = row.path_bytes();
            let expected = Expected { size: row.size, mtime: row.mtime };
            let state = self.at(&path, expected);
            findings.add(&path, state);
            findings.arrived += u64::from(state == State::Missing && self.at(&dest, expected) == State::Here);
            if row.keep.is_none() && !lost.is_empty() && lost.contains(&key(&dest)) {
                findings.lost.insert(key(&dest));
            }
        }
        findings
    }
}
