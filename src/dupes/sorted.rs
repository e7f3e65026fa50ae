//! Rows that come in the order of their hashes: only the group in hand is held in memory, and what is decided of it is
//! written before the next one is read.
//!
//! What can only be known of all records cannot be known here. A path that is listed twice is found within a group only;
//! a marker that protects a directory must be known beforehand; paths whose destinations could meet are refused. Where the
//! rows turn out to be in no order, or anything else comes too late, the output ends with a line that is cut off, so that
//! nobody acts on what was written.

mod group;

use std::ffi::{OsStr, OsString};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::dest::{Destinations, Spelling};
use super::entry::unescaped;
use super::output::reason_to_stay;
use super::places::{self, Places, Spellings};
use super::summary::{Summary, tell_disproved};
use super::{MEETINGS, Mode, Options, read, working_dir};
use crate::cli::{Exit, Failure};
use crate::host;
use crate::interrupt::Interrupt;
use crate::plan::push_keeper_note;
use crate::progress::Progress;
use crate::record::{COLUMNS, ContentHash};
use crate::report::{self, Reporter, shown};
use crate::stream::{Fault, Flow, Format, Row, Writer};
use crate::verify::Reason;
use group::{Group, Member, Verdict};

/// What a run over sorted rows needs.
#[derive(Debug, Clone, Copy)]
pub struct Sorted<'a> {
    /// Streams whose rows, one stream after the other, are in the order of their hashes.
    pub indexes: &'a [OsString],
    /// What the user decides.
    pub options: &'a Options,
    /// How the output is written.
    pub format: Format,
    /// Where messages go.
    pub reporter: &'a Reporter,
    /// Whether somebody wants it to end.
    pub interrupt: &'a Interrupt,
}

/// Decides about group after group, and writes what comes of it to `out`.
///
/// # Errors
/// [`Failure::Stop`] for rows that are in no order or malformed, and for what comes too late; the last line of the output is
/// cut off then.
pub fn pass(job: &Sorted<'_>, progress: &Progress, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut passage = Passage::new(job)?;
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 16, &mut *out), job.format, COLUMNS.len())
        .map_err(|error| Failure::output(&error))?;
    let passed = passage.all(&mut writer, progress);
    let passed = passed.and_then(|()| writer.flush().map_err(|error| Failure::output(&error)));
    drop(writer);
    if let Err(failure) = passed {
        if matches!(failure, Failure::Stop(_)) {
            // Whoever reads this finds that it has no newline. That the run has failed is told in any case.
            out.write_all(CUT_OFF).and_then(|()| out.flush()).unwrap_or(());
        }
        return Err(failure);
    }
    if let Some(exit) = job.interrupt.exit() {
        job.reporter.warn("interrupted: what was written is not the whole result");
        return Ok(exit);
    }
    passage.tell();
    Ok(job.reporter.exit())
}

const CUT_OFF: &[u8] = b"cut off";

/// So many rows are read between two looks whether somebody wants it to end.
const STRETCH: u64 = 1 << 12;

struct Passage<'a> {
    job: &'a Sorted<'a>,
    places: Places,
    destinations: Destinations,
    /// Of all that goes.
    spellings: Spellings,
    group: Group,
    summary: Summary,
    unhashed: u64,
    disproved: u64,
    dest: Vec<u8>,
    note: Vec<u8>,
}

/// What is done with a row that was read.
enum Reading {
    /// It belongs to the group in hand.
    Group,
    /// It begins the next group.
    Next(ContentHash),
    /// Nothing is to be compared, but its record is written.
    Alone,
    /// It is passed over.
    Nothing,
}

impl<'a> Passage<'a> {
    fn new(job: &'a Sorted<'a>) -> Result<Self, Failure> {
        places::tell_unknown_mounts(job.options, job.reporter);
        Ok(Self {
            job,
            places: places::open(job.options, &[])?,
            destinations: Destinations::new(job.options, working_dir()?),
            spellings: Spellings::default(),
            group: Group::default(),
            summary: Summary::default(),
            unhashed: 0,
            disproved: 0,
            dest: Vec::new(),
            note: Vec::new(),
        })
    }

    fn all(&mut self, writer: &mut Writer<impl Write>, progress: &Progress) -> Result<(), Failure> {
        let mut flow = Flow::new(self.job.indexes, self.job.interrupt);
        let mut rows = 0;
        while !(rows % STRETCH == 0 && self.job.interrupt.came()) {
            let Some(row) = flow.next_row()? else { break };
            rows += 1;
            if rows % STRETCH == 0 {
                progress.add_files(STRETCH);
            }
            match row {
                Ok(row) => self.take(&row, writer),
                Err(fault) => Err(Trouble::Fault(fault)),
            }
            .or_else(|trouble| self.judge(trouble, &flow))?;
        }
        // Of a group that was cut short, nobody knows which copy stays.
        if self.job.interrupt.came() { Ok(()) } else { self.settle(writer) }
    }

    /// Takes a row, after the group before it if it begins another one.
    fn take(&mut self, row: &Row<'_>, writer: &mut Writer<impl Write>) -> Result<(), Trouble> {
        match self.read(row)? {
            Reading::Group => self.group.add(row),
            Reading::Next(hash) => {
                self.settle(writer)?;
                self.group.clear(Some(hash));
                if self.is_compared(row) {
                    self.group.add(row);
                }
            }
            Reading::Alone => {
                let standing = self.places.of_file(&unescaped(row.path));
                if !standing.protected && !standing.quarantined {
                    self.summary.unique += 1;
                    let path = row.canonical_path();
                    let row = Row { path: &path, dest: None, keep: None, note: None, ..*row };
                    writer.write_row(&row).map_err(|error| Failure::output(&error))?;
                }
            }
            Reading::Nothing => {}
        }
        Ok(())
    }

    fn read(&mut self, row: &Row<'_>) -> Result<Reading, Trouble> {
        if let Some(hash) = row.hash.filter(|hash| !group::is_in_order(self.group.hash, *hash)) {
            return Err(Trouble::Disorder(hash));
        }
        let is_disproved = row.note.is_some_and(Reason::is_named);
        if read::is_marker(row) && !is_disproved {
            self.check_marker(row)?;
        }
        if self.job.options.shard.is_some_and(|shard| !shard.owns(row.hash)) {
            // The order of the next rows is looked at all the same.
            return Ok(if row.hash == self.group.hash {
                Reading::Nothing
            } else {
                row.hash.map_or(Reading::Nothing, Reading::Next)
            });
        }
        self.summary.records += 1;
        self.summary.names_hosts |= !row.path.starts_with(b"/") && host::split(row.path).is_some();
        if is_disproved {
            self.disproved += 1;
            return Ok(Reading::Nothing);
        }
        Ok(match row.hash {
            None => {
                self.unhashed += 1;
                if self.job.options.mode == Mode::Unique { Reading::Alone } else { Reading::Nothing }
            }
            Some(hash) if self.group.hash != Some(hash) => Reading::Next(hash),
            Some(_) if self.is_compared(row) => Reading::Group,
            Some(_) => Reading::Nothing,
        })
    }

    /// Empty files may be very many, and need not be held where nothing is said of them.
    fn is_compared(&self, row: &Row<'_>) -> bool {
        let options = self.job.options;
        let is_own = options.shard.is_none_or(|shard| shard.owns(row.hash));
        let is_empty = row.size == 0 && row.hash == Some(ContentHash::of_nothing());
        is_own
            && !row.note.is_some_and(Reason::is_named)
            && (!is_empty || options.empty || options.mode == Mode::Unique)
    }

    /// A marker protects what was decided about already, unless its directory was known to be protected.
    fn check_marker(&mut self, row: &Row<'_>) -> Result<(), Trouble> {
        let path = unescaped(row.path);
        if self.places.of_file(&path).protected {
            return Ok(());
        }
        Err(Trouble::Marker(shown(Path::new(OsStr::from_bytes(places::directory(&path))))))
    }

    /// Decides about the group in hand, which is complete, and writes what comes of it.
    fn settle(&mut self, writer: &mut Writer<impl Write>) -> Result<(), Failure> {
        let decision = self.group.decide(&mut self.places, self.job.options);
        self.summary.tally.add(decision.tally);
        self.summary.in_quarantine |= decision.in_quarantine;
        self.summary.in_another += decision.in_another;
        for path in &decision.contradictions {
            let path = Path::new(OsStr::from_bytes(path));
            self.job.reporter.failed("comparing", path, &"its records disagree about hash or size; it is left out");
        }
        let members = std::mem::take(&mut self.group.members);
        let written = decision.verdicts.iter().try_for_each(|verdict| self.write(&members, *verdict, writer));
        self.group.members = members;
        self.group.clear(self.group.hash);
        written
    }

    fn write(&mut self, members: &[Member], verdict: Verdict, writer: &mut Writer<impl Write>) -> Result<(), Failure> {
        let (member, keeper) = (&members[verdict.member], &members[verdict.keeper]);
        let plain = Row {
            path: &member.path,
            hash: self.group.hash,
            size: member.size,
            mtime: member.mtime,
            id: member.id,
            dest: None,
            keep: None,
            note: None,
            plain: None,
        };
        let is_alone = self.job.options.mode == Mode::Unique || verdict.member == verdict.keeper;
        self.summary.unique += u64::from(self.job.options.mode == Mode::Unique);
        self.note.clear();
        if verdict.goes {
            self.check_spelling(&member.path)?;
            self.destinations.write_as(Spelling::AsListed, &member.path, &mut self.dest);
            push_keeper_note(keeper.mtime, keeper.id, &mut self.note);
        } else if !is_alone {
            self.note.extend_from_slice(reason_to_stay(member.standing.protected, member.id, keeper.id));
        }
        let row = Row {
            dest: verdict.goes.then_some(&self.dest),
            keep: (!is_alone).then_some(&keeper.path),
            note: (!self.note.is_empty()).then_some(&self.note),
            ..plain
        };
        writer.write_row(&row).map_err(|error| Failure::output(&error))
    }

    fn check_spelling(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.spellings.add(Spellings::of(&unescaped(path)));
        if self.spellings.can_meet() {
            return Err(Failure::Stop(format!("--sorted: {MEETINGS}")));
        }
        Ok(())
    }

    /// Whether the run goes on after what was wrong with a row.
    fn judge(&self, trouble: Trouble, flow: &Flow) -> Result<(), Failure> {
        let place = flow.describe();
        match trouble {
            Trouble::Failure(failure) => Err(failure),
            Trouble::Fault(fault) => {
                self.job.reporter.failed_text("reading", &place, &fault);
                if self.job.options.skip_bad_lines {
                    return Ok(());
                }
                Err(Failure::Stop("ended at a malformed line (--skip-bad-lines goes on without such lines)".into()))
            }
            Trouble::Disorder(hash) => Err(Failure::Stop(format!(
                "reading: {place}: the rows are not in the order of their hashes: {hash} comes after a greater one; \
                 LC_ALL=C sort -t \"$(printf '\\t')\" -k 2,2 sorts them"
            ))),
            Trouble::Marker(dir) => Err(Failure::Stop(format!(
                "reading: {place}: this file protects {dir}, and what came before it may be wrong; --protect {dir} tells it \
                 beforehand"
            ))),
        }
    }

    fn tell(&self) {
        let reporter = self.job.reporter;
        tell_disproved(self.disproved, reporter);
        if self.unhashed > 0 {
            reporter.warn(&format!("{} without a hash were not compared", report::count(self.unhashed, "record")));
        }
        self.summary.tell(self.job.options, reporter);
    }
}

/// What is wrong with a row.
enum Trouble {
    Fault(Fault),
    Disorder(ContentHash),
    /// It protects this directory, which was not known to be protected.
    Marker(String),
    Failure(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}
