//! Reversing a run from its journal, with the same checks as any move.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, OFlags, unlinkat};

use super::Options;
use super::dirs::Entry;
use super::facts::{Difference, Facts};
use super::keep::same_content;
use super::mover::{Leaving, Mover, Outcome, Task, is_sealed_above, part_name, remove_source};
use super::output::{self, Output};
use super::prune::remove_unused;
use super::trouble::{Stopped, Trouble};
use crate::cli::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::journal::{self, Journal, Mode, Past, Removed, RowState, Store};
use crate::plan::{Expected, Step};
use crate::progress::Progress;
use crate::record::Record;
use crate::report::{self, Reporter, shown};

/// Reverses the runs of the journals that were named, or the newest run that has anything left to reverse.
pub(super) fn undo(
    options: &Options,
    progress: &Progress,
    reporter: &Reporter,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let mut output = Output::new(options.common.format())?;
    for path in journals(options)? {
        let (mut journal, past) = if options.dry_run { journal::open_to_look(&path)? } else { journal::open(&path)? };
        if !has_anything(&past) {
            return Err(Failure::Stop(format!("undoing: {}: nothing is left to undo", shown(&path))));
        }
        let mover = options.mover(interrupt, progress)?;
        let made = past.made().iter().map(PathBuf::as_path).collect();
        let mut undoing = Undoing {
            past: &past,
            mover,
            reporter,
            made,
            dry_run: options.dry_run,
            failures: reporter.failures(),
            back: 0,
            bytes: 0,
        };
        let result = undoing.all(&mut journal, &mut output);
        undoing.tell(&path);
        match result {
            Ok(()) => {}
            Err(Stopped::Interrupted) => return Ok(interrupt.exit().unwrap_or(Exit::Stopped)),
            Err(Stopped::Failed(failure)) => return Err(super::not_quietly(failure)),
        }
    }
    output.finish()?;
    Ok(reporter.exit())
}

fn journals(options: &Options) -> Result<Vec<PathBuf>, Failure> {
    if !options.operands.is_empty() {
        return Ok(options.operands.iter().map(|path: &OsString| PathBuf::from(path)).collect());
    }
    if let Some(path) = &options.journal {
        return Ok(vec![path.clone()]);
    }
    let dir = Store::default_dir()?;
    let stop = |reason: String| Failure::Stop(format!("undoing: {}: {reason}", shown(&dir)));
    let all = journal::newest_first(&dir).map_err(|error| stop(report::reason(&error)))?;
    for path in all {
        match std::fs::File::open(&path).and_then(|file| Past::read(&file)) {
            Ok(past) if has_anything(&past) => return Ok(vec![path]),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            // Whether this run should be undone cannot be told, and an older one must not be undone in its place.
            Err(error) => {
                let reason = report::reason(&error);
                let advice = "to undo an older run, name its journal";
                return Err(Failure::Stop(format!("undoing: {}: {reason}; {advice}", shown(&path))));
            }
        }
    }
    Err(stop("no run is left to undo".into()))
}

/// Files to put back, or what a crash left lying about.
fn has_anything(past: &Past) -> bool {
    let unfinished = !past.is_settled() && (past.has_left_overs() || !past.made().is_empty());
    unfinished || (0..past.rows()).any(|row| what_stands(past, row).is_some())
}

/// The record of a row whose file stands at its destination, and what it must be there.
fn what_stands(past: &Past, row: usize) -> Option<(Record, Expected)> {
    match past.state(row) {
        RowState::Undone => None,
        RowState::Done(standing) => {
            let record = past.record(row)?;
            // A disk that was mounted anew has another device number, and its files their old inode numbers.
            let there = facts_at(record.dest.as_deref()?).map(|facts| facts.id);
            let id = there.filter(|there| there.ino == standing.id.ino).unwrap_or(standing.id);
            Some((record, Expected { size: standing.size, mtime: Some(standing.mtime), id: Some(id) }))
        }
        RowState::Open if past.has_ended() => None,
        // A crash may have come between the move and its line: then the file itself tells.
        RowState::Open => {
            let record = past.record(row)?;
            let expected = Expected { size: record.size, mtime: record.mtime, id: record.id };
            let copy = past.left_over(row).and_then(|left_over| left_over.id);
            let there = facts_at(record.dest.as_deref()?)?;
            let is_ours = copy == Some(there.id) || (past.mode() == Mode::Move && facts_at(&record.path).is_none());
            let expected = Expected { id: copy.or(expected.id), ..expected };
            // A copy may have a coarser time, and where ids do not last the hash tells, as for any move.
            let mtime = expected
                .mtime
                .filter(|mtime| copy.is_none() || !(past.was(row).is_some() || mtime.may_be_kept_as(there.mtime)));
            let expected = Expected { mtime: mtime.or(Some(there.mtime)), ..expected };
            let is_it = match there.difference(&expected) {
                None => true,
                Some(Difference::Id) => {
                    record.hash.is_some() && has_passing_id(&there, &expected, record.dest.as_deref()?)
                }
                Some(_) => false,
            };
            (is_ours && expected.id.is_some() && is_it).then_some((record, expected))
        }
    }
}

fn has_passing_id(there: &Facts, expected: &Expected, path: &Path) -> bool {
    rustix::fs::open(crate::place::parent(path), OFlags::PATH | OFlags::CLOEXEC, rustix::fs::Mode::empty())
        .is_ok_and(|dir| there.has_passing_id(expected, dir))
}

fn facts_at(path: &Path) -> Option<Facts> {
    Facts::of(rustix::fs::CWD, path.as_os_str()).ok().flatten()
}

struct Undoing<'a> {
    past: &'a Past,
    mover: Mover<'a>,
    reporter: &'a Reporter,
    /// The directories that the run made.
    made: HashSet<&'a Path>,
    dry_run: bool,
    /// How many failures were named before.
    failures: u64,
    back: u64,
    bytes: u64,
}

impl Undoing<'_> {
    fn all(&mut self, journal: &mut Journal, output: &mut Output) -> Result<(), Stopped> {
        self.mover.leaving = Leaving::UnlessSealed;
        let remade = if self.dry_run { Vec::new() } else { self.remake_dirs() };
        for row in (0..self.past.rows()).rev() {
            if self.mover.interrupt.came() {
                return Err(Stopped::Interrupted);
            }
            match self.row(row, journal) {
                Ok(Some(record)) => output.write(&record)?,
                Ok(None) => {}
                Err(trouble) => {
                    let place = self.past.record(row).and_then(|record| record.dest).unwrap_or_default();
                    trouble.tell("putting back", &place, self.reporter)?;
                }
            }
        }
        if self.dry_run {
            return Ok(());
        }
        remove_unused(self.past.made());
        remake_times(&remade);
        if self.reporter.failures() == self.failures { Ok(journal.end()?) } else { Ok(journal.sync()?) }
    }

    fn row(&mut self, row: usize, journal: &mut Journal) -> Result<Option<Record>, Trouble> {
        let Some((record, expected)) = what_stands(self.past, row) else {
            if !self.dry_run {
                self.clear_part(row);
            }
            return Ok(None);
        };
        self.mover.mode = Mode::Move;
        let step = Step {
            source: record.dest.unwrap_or_default(),
            dest: record.path,
            expected,
            hash: record.hash,
            keeper: None,
            note: None,
        };
        // A crash between copying and removing the source leaves both; then the copy is one too many.
        let is_unfinished = self.past.state(row) == RowState::Open && facts_at(&step.dest).is_some();
        let leaves = self.past.mode() == Mode::Move && !is_unfinished;
        let done = if leaves { self.move_back(row, &step, journal)? } else { self.remove_further(&step)? };
        if !self.dry_run {
            journal.undone(row)?;
        }
        self.mover.progress.add_files(1);
        self.back += 1;
        self.bytes += done.facts.size;
        let origin = leaves.then_some(step.source.as_path());
        Ok(Some(output::record(&step, &done, origin)))
    }

    fn move_back(&mut self, row: usize, step: &Step, journal: &mut Journal) -> Result<Outcome, Trouble> {
        if self.dry_run {
            let gone = || Trouble::refused("moving", &step.source, "it is not there any more");
            let (_, facts) = self.mover.check_only(step)?.ok_or_else(gone)?;
            return Ok(Outcome { facts, hash: step.hash, was_done: false });
        }
        self.clear_made(&step.dest);
        let left_over = self.past.left_over(row).cloned();
        self.mover.carry_out(&Task { number: row, step, left_over, was: self.past.was(row) }, journal)
    }

    /// Where the run made a directory under the name of a file that it had moved away, the file needs that name again.
    fn clear_made(&mut self, path: &Path) {
        if self.made.contains(path) {
            self.mover.dirs.forget();
            let inside: Vec<PathBuf> = self.past.made().iter().filter(|made| made.starts_with(path)).cloned().collect();
            remove_unused(&inside);
        }
    }

    /// Takes away a copy or link that the run made, while its original stands and is the same.
    fn remove_further(&mut self, step: &Step) -> Result<Outcome, Trouble> {
        let refused = |path: &Path, reason: &str| Trouble::refused("removing the copy", path, reason);
        let entry = |mover: &mut Mover<'_>, path: &Path| -> Result<(Entry, Facts), Trouble> {
            let error = |error| Trouble::io("removing the copy", path, error);
            let entry = mover.dirs.entry(path).map_err(error)?;
            let facts = Facts::of(&entry.dir, &entry.name).map_err(error)?;
            facts.map(|facts| (entry, facts)).ok_or_else(|| refused(path, "it is not there any more"))
        };
        let (further, facts) = entry(&mut self.mover, &step.source)?;
        // Where ids do not last, that its content is the original's has to do.
        let is_unsure = |difference: &Difference| {
            *difference == Difference::Id && facts.has_passing_id(&step.expected, &further.dir)
        };
        if let Some(difference) = facts.difference(&step.expected).filter(|difference| !is_unsure(difference)) {
            return Err(Trouble::refused("removing the copy", &step.source, difference));
        }
        let (original, original_facts) = entry(&mut self.mover, &step.dest)?;
        // Where names are told apart without their case, two spellings may be one name.
        let is_only_name = original_facts.id == facts.id && facts.links < 2;
        let is_same_name = original.name == further.name && same_dir(&original, &further);
        if is_only_name || is_same_name || !original_facts.is_file() {
            return Err(refused(&step.source, "its original is gone"));
        }
        if original_facts.id != facts.id && !same_content(&original, &further, &self.mover.interrupt)? {
            return Err(refused(&step.source, "its original has another content now"));
        }
        if is_sealed_above(&further) {
            return Err(refused(&step.source, "it is in a sealed volume"));
        }
        if !self.dry_run {
            // Comparing may have taken long.
            if Facts::of(&original.dir, &original.name).ok().flatten() != Some(original_facts) {
                return Err(refused(&step.source, "its original changed meanwhile"));
            }
            remove_source(&further, &facts)?;
        }
        Ok(Outcome { facts: original_facts, hash: step.hash, was_done: false })
    }

    /// An unfinished copy that a crash left is known to nobody but the journal.
    fn clear_part(&mut self, row: usize) {
        let Some(left_over) = self.past.left_over(row) else { return };
        let Some((part, there)) = self.mover.standing_at(&left_over.path) else { return };
        let Some(record) = self.past.record(row) else { return };
        let Some((source, source_facts)) = self.mover.standing_at(&record.path) else { return };
        let is_ours = left_over.id.map_or(there.size == 0, |id| id == there.id);
        let name = part_name(self.past.run(), row);
        // The name of a link being made is the file itself, not a copy.
        let is_copy = is_ours && there.id != source_facts.id;
        if is_copy && self.mover.is_dispensable(&part, &source, &name).unwrap_or(false) {
            unlinkat(&part.dir, &part.name, AtFlags::empty()).unwrap_or(());
        }
    }

    /// Makes the directories again that the run removed; those above come first.
    fn remake_dirs(&self) -> Vec<Removed> {
        let mut remade = Vec::new();
        for dir in self.past.removed().iter().rev() {
            if std::fs::DirBuilder::new().mode(0o700).create(&dir.path).is_err() {
                continue;
            }
            // Without root the owner is whoever undoes, which is whoever did.
            std::os::unix::fs::chown(&dir.path, Some(dir.uid), Some(dir.gid)).unwrap_or(());
            if let Err(error) = std::fs::set_permissions(&dir.path, std::fs::Permissions::from_mode(dir.mode)) {
                self.reporter.failed("restoring the mode of", &dir.path, &report::reason(&error));
            }
            remade.push(dir.clone());
        }
        remade
    }

    fn tell(&self, journal: &Path) {
        self.mover.losses.tell(self.reporter);
        let files = report::count(self.back, "file");
        let would = if self.dry_run { "would put back" } else { "put back" };
        let refused = match self.reporter.failures() - self.failures {
            0 => String::new(),
            count => format!("; {count} refused or failed"),
        };
        let bytes = report::bytes(self.bytes);
        self.reporter.summary(&format!("{would} {files}, {bytes}, as in {}{refused}", shown(journal)));
        if self.mover.interrupt.came() {
            self.reporter.warn("stopped by a signal; the same command goes on where it stopped");
        }
    }
}

fn same_dir(one: &Entry, other: &Entry) -> bool {
    let id = |entry: &Entry| rustix::fs::fstat(&entry.dir).map(|stat| (stat.st_dev, stat.st_ino)).ok();
    id(one).is_some() && id(one) == id(other)
}

/// Last, since putting files back changes the times of their directories; the deepest first, as they were removed.
fn remake_times(dirs: &[Removed]) {
    use rustix::fs::{CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};
    for dir in dirs.iter().rev() {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: dir.mtime.seconds, tv_nsec: i64::from(dir.mtime.nanoseconds) },
        };
        // A time that cannot be set back hides nothing and loses nothing.
        utimensat(CWD, &dir.path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap_or(());
    }
}
