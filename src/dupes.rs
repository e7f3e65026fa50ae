//! Duplicates: which records hold content that another one holds too, and which of them should go.
//!
//! A plan is made in a few passes over the streams, which are held as a [`Table`]; in memory there are 38 bytes for
//! each record: a sieve that tells which of them come up twice, and 32 bytes, sorted anew for each question:
//!
//! 1. `read` and `sieve`: every row once; what is kept of it are fingerprints of its content and of its path.
//! 2. `same_path`: what is listed twice counts once, and contradictions are left out.
//! 3. `places`: of the records that share their content, which are protected, preferred or in the quarantine.
//! 4. `groups` and `keeper`: which file of each content stays.
//! 5. `dest`, `order`, `output`: where the others go, and the plan in the order of its paths.
//!
//! With a `shard`, only that share of the contents is held in memory. Where the rows come `sorted` by hash, one group is.
//!
//! Fingerprints only bring together what may be equal. Before anything is said of a record, its row is read again and
//! compared in all of its bits.

mod dest;
mod entry;
mod groups;
mod keeper;
mod order;
mod output;
mod places;
mod read;
mod same_path;
mod shard;
mod sieve;
mod sorted;
mod summary;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::{Exit, Failure};
use crate::host;
use crate::interrupt::Interrupt;
use crate::place::QUARANTINE;
use crate::progress::Progress;
use crate::report::{self, Reporter};
use crate::stream::{Format, RowRef, Table};
use dest::Destinations;
use entry::{Entry, Mark};
pub use keeper::Keep;
use places::Spellings;
pub use places::check_protected;
use read::Rows;
pub use shard::Shard;
pub use sorted::{Sorted, pass};
use summary::Summary;

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Every copy that should go.
    #[default]
    Plan,
    /// Every member of every group, the one that stays first.
    Groups,
    /// One record of each content that has no protected copy.
    Unique,
}

/// What the user decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directories whose files stay.
    pub protect: Vec<PathBuf>,
    /// Directories whose copies are kept rather than others, the first rather than the second; see [`MOST_PREFERRED`].
    pub prefer: Vec<PathBuf>,
    /// Which of the remaining copies is kept.
    pub keep: Keep,
    /// The quarantine: that of this host, and below the same directory that of each host that has none of its own.
    pub to: PathBuf,
    /// The quarantines of single hosts, as `NAME:/dir`; no two of one host.
    pub to_on: Vec<PathBuf>,
    /// Whether empty files are duplicates of each other.
    pub empty: bool,
    /// What is printed.
    pub mode: Mode,
    /// Which share of the contents is considered, if not all.
    pub shard: Option<Shard>,
    /// Whether to go on without malformed lines.
    pub skip_bad_lines: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protect: Vec::new(),
            prefer: Vec::new(),
            keep: Keep::default(),
            to: QUARANTINE.into(),
            to_on: Vec::new(),
            empty: false,
            mode: Mode::default(),
            shard: None,
            skip_bad_lines: false,
        }
    }
}

impl Options {
    /// Sets the quarantine: of the host that `dir` names, or of all that have none of their own.
    pub fn set_quarantine(&mut self, dir: PathBuf) {
        let host_of = |dir: &Path| host::split(dir.as_os_str().as_bytes()).map(|(name, _)| name.to_owned());
        let Some(host) = host_of(&dir) else {
            self.to = host::as_local(dir.as_os_str()).into_owned().into();
            return;
        };
        self.to_on.retain(|other| host_of(other).as_ref() != Some(&host));
        self.to_on.push(dir);
    }
}

/// How many preferred directories can be told apart.
pub const MOST_PREFERRED: usize = entry::NO_RANK as usize;

/// Everything that a run needs.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The records.
    pub table: &'a Table,
    /// What the user decides.
    pub options: &'a Options,
    /// How many threads may work at once.
    pub jobs: usize,
    /// How the output is written.
    pub format: Format,
    /// Where messages go.
    pub reporter: &'a Reporter,
    /// Whether somebody wants it to end.
    pub interrupt: &'a Interrupt,
}

/// Everything decided, ready to be written.
#[derive(Debug)]
pub struct Plan<'a> {
    job: Job<'a>,
    destinations: Destinations,
    /// What is printed, in this order.
    entries: Vec<Entry>,
    summary: Summary,
}

/// Makes the plan, and shows how far the reading has come; `None` after an interrupt.
///
/// # Errors
/// [`Failure::Stop`] for malformed lines that are not to be skipped, and for streams that change meanwhile.
pub fn plan<'a>(job: &Job<'a>, progress: &Progress) -> Result<Option<Plan<'a>>, Failure> {
    if job.table.len() >= entry::MOST_BYTES {
        return Err(Failure::Stop("reading: more than 16 TiB of records are too many for one run".into()));
    }
    let destinations = Destinations::new(job.options, working_dir()?);
    let mut plan = Plan { job: *job, destinations, entries: Vec::new(), summary: Summary::default() };
    Ok(plan.read(progress)?.then_some(plan))
}

fn working_dir() -> Result<PathBuf, Failure> {
    let stop = |error| Failure::Stop(format!("looking: working directory: {}", report::reason(&error)));
    std::env::current_dir().map_err(stop)
}

impl Plan<'_> {
    /// `false` after an interrupt.
    fn read(&mut self, progress: &Progress) -> Result<bool, Failure> {
        let job = &self.job;
        let read::Contents { mut entries, records, markers, faults, disproved, spellings: all } =
            read::read(job, progress);
        if job.interrupt.came() {
            return Ok(false);
        }
        job.table.check_whole()?;
        job.table.judge(&faults, job.reporter)?;
        drop(faults);
        refuse_meetings(all, job)?;
        self.summary.records = records;
        summary::tell_disproved(disproved, job.reporter);
        name_contradictions(same_path::merge(&mut entries, job)?, job)?;
        if job.options.mode != Mode::Unique {
            crate::threads::retain(&mut entries, job.jobs, |entry| !entry.has(Mark::EMPTY));
        }
        places::tell_unknown_mounts(job.options, job.reporter);
        let before = entries.len();
        let spellings = places::find(&mut entries, &markers, job)?;
        self.summary.in_quarantine = entries.len() < before;
        self.summary.in_another = entries.iter().filter(|entry| entry.rank() == entry::LAST_RANK).count() as u64;
        self.summary.names_hosts = spellings.names_hosts();
        self.summary.tally = groups::decide(&mut entries, job)?;
        self.destinations.keep_apart(&mut entries, spellings, job)?;
        order::by_path(&mut entries, job.jobs, Rows(job.table))?;
        if job.options.mode == Mode::Groups {
            order::by_group(&mut entries, job.jobs);
        }
        self.entries = entries;
        Ok(!job.interrupt.came())
    }

    /// Writes it to `out`, and on stderr what there is to tell.
    ///
    /// # Errors
    /// When the output fails, or a stream was changed meanwhile.
    pub fn write(&self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let job = &self.job;
        job.table.check_whole()?;
        output::write(&self.entries, &self.destinations, job, out)?;
        job.table.check_whole()?;
        if let Some(exit) = job.interrupt.exit() {
            job.reporter.warn("interrupted: what was written is not the whole result");
            return Ok(exit);
        }
        let summary = Summary { unique: self.entries.len() as u64, ..self.summary };
        summary.tell(job.options, job.reporter);
        Ok(job.reporter.exit())
    }
}

/// No shard knows what the others send to the quarantine, so none can see to it that nothing meets there.
fn refuse_meetings(all: Spellings, job: &Job<'_>) -> Result<(), Failure> {
    if job.options.mode == Mode::Unique || !all.can_meet() {
        return Ok(());
    }
    Err(Failure::Stop(format!("--shard: {MEETINGS}")))
}

/// Why destinations cannot be given one by one.
const MEETINGS: &str = "paths that climb with .., or of which some are absolute and some are not, could be sent to one place, and \
                        only a plan of all can tell; ms-crawl -a makes paths absolute";

/// Each path whose records contradict each other, in the order of the paths.
fn name_contradictions(rows: Vec<RowRef>, job: &Job<'_>) -> Result<(), Failure> {
    let mut reader = Rows(job.table).reader();
    let mut paths = Vec::new();
    for row in places::outside_quarantine(rows, job)? {
        paths.push(entry::normal_path(reader.path(row)?).into_owned());
    }
    paths.sort_unstable();
    for path in paths {
        let path = Path::new(OsStr::from_bytes(&path));
        job.reporter.failed("comparing", path, &"its records disagree about hash or size; it is left out");
    }
    Ok(())
}
