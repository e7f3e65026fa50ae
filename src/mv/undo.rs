//! Reversing a run from its journal, with the same checks as any move.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Gid, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, fchmod, fchown, utimensat};

use super::Options;
use super::dirs::{Dirs, Entry};
use super::facts::{Difference, Facts};
use super::keep::same_content;
use super::mover::{Leaving, Mover, Outcome, Task, is_closed_above, part_name};
use super::output::{self, Output};
use super::prune::remove_unused;
use super::removal::{self, name_aside};
use super::transfer::remove_source;
use super::trouble::{Stopped, Trouble};
use crate::cli::{Exit, Failure};
use crate::guide;
use crate::interrupt::Interrupt;
use crate::journal::{self, Journal, Mode, Origin, Past, Removed, RowState, Store};
use crate::plan::{Expected, Step};
use crate::progress::Progress;
use crate::record::{ContentHash, Record};
use crate::report::{self, Reporter, shown};

/// Reverses the runs of the journals that were named, or the newest run that has anything left to reverse.
pub(super) fn undo(
    options: &Options,
    progress: &Progress,
    reporter: &Reporter,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let mut output = Output::new(options)?;
    let is_named = !options.operands.is_empty() || options.journal.is_some();
    let origin = if is_named { Origin::Named } else { Origin::Found };
    for path in journals(options)? {
        let opened = if options.dry_run { journal::open_to_look(&path, origin) } else { journal::open(&path, origin) };
        let (mut journal, past) = opened?;
        if !has_anything(&past) {
            return Err(Failure::Stop(format!("undoing: {}: nothing is left to undo", shown(&path))));
        }
        let mover = options.mover(super::locator()?, interrupt, progress)?;
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
        undoing.mover.discard_begun(past.run());
        super::clear_aside(&mut undoing.mover, reporter);
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
    let mut sealed = None;
    for path in all {
        match journal::own(&path).and_then(|file| Past::read(&file)) {
            Ok(past) if is_all_sealed(&past) => drop(sealed.get_or_insert(path)),
            Ok(past) if has_anything(&past) => {
                return sealed.map_or(Ok(vec![path.clone()]), |sealed| Err(stays(&sealed, &path)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            // Whether this run should be undone cannot be told, and an older one must not be undone in its place.
            Err(error) => {
                let reason = report::reason(&error);
                let advice = "to undo this run or an older one, name its journal";
                return Err(Failure::Stop(format!("undoing: {}: {reason}; {advice}", shown(&path))));
            }
        }
    }
    Err(stop(match sealed {
        Some(sealed) => {
            format!("all that the run of {} moved is sealed by now, and no other is left to undo", shown(&sealed))
        }
        None => "no run is left to undo".into(),
    }))
}

/// Whoever undoes means what was done last, and no older run in its place.
fn stays(sealed: &Path, before: &Path) -> Failure {
    let (newest, before) = (shown(sealed), guide::word(before));
    Failure::Stop(format!(
        "undoing: {newest}: all that it moved is sealed by now, and stays; to undo the run before it: ms-mv --undo {before}"
    ))
}

/// Files to put back, or what a crash left lying about.
fn has_anything(past: &Past) -> bool {
    let is_begun =
        || past.has_left_overs() || !past.made().is_empty() || (0..past.rows()).any(|row| has_part(past, row));
    let unfinished = !past.is_settled() && is_begun();
    unfinished || (0..past.rows()).any(|row| what_stands(past, row).is_some())
}

/// Whether a run has come to its end, and every file of it is in a sealed volume, from which it cannot be taken back.
fn is_all_sealed(past: &Past) -> bool {
    let mut last: (PathBuf, bool) = Default::default();
    let mut is_sealed = |record: Record| {
        let dest = record.dest.unwrap_or_default();
        let dir = crate::place::parent(&dest);
        if last.0.as_os_str() != dir.as_os_str() {
            last = (dir.to_owned(), dir.ancestors().any(crate::volume::is_closed));
        }
        last.1
    };
    let mut standing = (0..past.rows()).filter_map(|row| what_stands(past, row)).map(|(record, _)| record).peekable();
    past.is_settled() && standing.peek().is_some() && standing.all(&mut is_sealed)
}

/// Whether an unfinished copy of a row lies there, of which the journal may know nothing if the power failed.
fn has_part(past: &Past, row: usize) -> bool {
    let dest = past.record(row).and_then(|record| record.dest);
    dest.is_some_and(|dest| facts_at(&dest.with_file_name(part_name(past.run(), row))).is_some())
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
            if !is_ours {
                return None;
            }
            // A copy may have a coarser time, and where ids do not last the hash tells, as for any move.
            let mtime = expected
                .mtime
                .filter(|mtime| copy.is_none() || !(past.was(row).is_some() || mtime.may_be_kept_as(there.mtime)));
            let expected = Expected { mtime: mtime.or(Some(there.mtime)), ..expected };
            match there.difference(&expected) {
                None => {
                    // If the power failed, the line may be lost that says which file it was.
                    let is_known = expected.id.is_some() || record.hash.is_some_and(|hash| has_content(&record, hash));
                    is_known.then_some((record, Expected { id: Some(there.id), ..expected }))
                }
                Some(Difference::Id) => {
                    let may_be_it = record.hash.is_some() && has_passing_id(&there, &expected, record.dest.as_deref()?);
                    may_be_it.then_some((record, expected))
                }
                Some(_) => None,
            }
        }
    }
}

/// Whether what stands at the destination of a record, a regular file, hashes to `hash`.
fn has_content(record: &Record, hash: ContentHash) -> bool {
    let mut hasher = blake3::Hasher::new();
    let file = record.dest.as_deref().filter(|dest| facts_at(dest).is_some_and(|there| there.is_file()));
    let read =
        file.and_then(|dest| std::fs::File::open(dest).and_then(|file| hasher.update_reader(file).map(drop)).ok());
    read.is_some() && ContentHash::from(hasher.finalize()) == hash
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
        self.look_up();
        let remade = if self.dry_run { Vec::new() } else { self.remake_dirs(journal)? };
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
        // What is made again stays, also where its files were refused.
        let is_removed = |dir: &&PathBuf| self.past.removed().iter().any(|removed| removed.path == **dir);
        remove_unused(self.past.made().iter().filter(|dir| !is_removed(dir)), &mut self.mover.dirs, self.reporter);
        remake_times(&remade, &mut self.mover.dirs);
        super::sync_names(&mut self.mover, self.reporter);
        if self.reporter.failures() == self.failures { Ok(journal.end()?) } else { Ok(journal.sync()?) }
    }

    /// Where the directories of all rows really are is looked up before anything moves, as it is when a plan is checked.
    fn look_up(&mut self) {
        for record in (0..self.past.rows()).filter_map(|row| self.past.record(row)) {
            for path in [Some(&record.path), record.dest.as_ref()].into_iter().flatten() {
                self.mover.dirs.locator().parent_of(path);
            }
        }
    }

    fn row(&mut self, row: usize, journal: &mut Journal) -> Result<Option<Record>, Trouble> {
        let Some((record, expected)) = what_stands(self.past, row) else {
            if !self.dry_run {
                self.clear_part(row);
                self.clear_aside(row)?;
            }
            return Ok(None);
        };
        if !self.dry_run {
            journal.make_room()?;
        }
        self.mover.mode = Mode::Move;
        let was = Expected { size: record.size, mtime: record.mtime, id: record.id };
        let step = Step {
            source: record.dest.unwrap_or_default(),
            dest: record.path,
            expected,
            hash: record.hash,
            keeper: None,
            note: None,
        };
        // A crash between copying and removing the source leaves both, and so does a power failure that undid the removal;
        // then the copy is one too many.
        let is_unfinished = facts_at(&step.dest)
            .is_some_and(|there| self.past.state(row) == RowState::Open || there.difference(&was).is_none());
        let leaves = self.past.mode() == Mode::Move && !is_unfinished;
        let done = if leaves { self.move_back(row, &step, journal)? } else { self.remove_further(row, &step, &was)? };
        if !self.dry_run {
            self.clear_aside(row)?;
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
        let task = Task::new(row, step, self.past);
        self.mover.carry_out(&Task { was: self.past.was(row), ..task }, journal)
    }

    /// A crash may have come while the source was being removed, or a copy.
    fn clear_aside(&mut self, row: usize) -> Result<(), Trouble> {
        let Some(record) = self.past.record(row) else { return Ok(()) };
        let Some((source, _)) = self.mover.standing_at(&record.path) else { return Ok(()) };
        let aside = name_aside(self.past.run(), row);
        let part = self.past.left_over(row).map(|left_over| &left_over.path);
        for path in [Some(&record.path), record.dest.as_ref(), part].into_iter().flatten() {
            self.mover.clear_aside(path, &aside, &source)?;
        }
        Ok(())
    }

    /// Where the run made a directory under the name of a file that it had moved away, the file needs that name again.
    fn clear_made(&mut self, path: &Path) {
        if self.made.contains(path) {
            self.mover.dirs.forget();
            let inside: Vec<PathBuf> = self.past.made().iter().filter(|made| made.starts_with(path)).cloned().collect();
            remove_unused(inside.iter(), &mut self.mover.dirs, self.reporter);
        }
    }

    /// Takes away a copy or link that the run made, while its original stands and is the same.
    fn remove_further(&mut self, row: usize, step: &Step, was: &Expected) -> Result<Outcome, Trouble> {
        let refused = |path: &Path, reason: &str| Trouble::refused("removing the copy", path, reason);
        let entry = |mover: &mut Mover<'_>, path: &Path| -> Result<(Entry, Facts), Trouble> {
            let error = |error| Trouble::io("removing the copy", path, error);
            let entry = mover.dirs.entry(path).map_err(error)?;
            let facts = Facts::of(&entry.dir, &entry.name).map_err(error)?;
            facts.map(|facts| (entry, facts)).ok_or_else(|| refused(path, "it is not there any more"))
        };
        self.mover.touch(&step.source);
        if facts_at(&step.source).is_none() && facts_at(&step.dest).is_some_and(|there| there.difference(was).is_none())
        {
            // An earlier try has taken it away, and was cut off before it could say so.
            let (_, original_facts) = entry(&mut self.mover, &step.dest)?;
            return Ok(Outcome { facts: original_facts, hash: step.hash, was_done: true });
        }
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
        if is_closed_above(&further) {
            return Err(refused(&step.source, "it is in a sealed volume"));
        }
        if !self.dry_run {
            // Comparing may have taken long.
            if Facts::of(&original.dir, &original.name).ok().flatten() != Some(original_facts) {
                return Err(refused(&step.source, "its original changed meanwhile"));
            }
            remove_source(&further, &facts, &name_aside(self.past.run(), row))?;
        }
        Ok(Outcome { facts: original_facts, hash: step.hash, was_done: false })
    }

    /// An unfinished copy that a crash left is known to nobody but the journal.
    fn clear_part(&mut self, row: usize) {
        let Some(record) = self.past.record(row) else { return };
        let name = part_name(self.past.run(), row);
        let left_over = self.past.left_over(row).cloned();
        // If the power failed, its line may be lost; the name says as much.
        let path = left_over.as_ref().map(|left_over| left_over.path.clone());
        let Some(path) = path.or_else(|| Some(record.dest?.with_file_name(&name))) else { return };
        self.mover.clear_begun(left_over.as_ref(), &name, &name_aside(self.past.run(), row));
        let Some((part, there)) = self.mover.standing_at(&path) else { return };
        let Some((source, source_facts)) = self.mover.standing_at(&record.path) else { return };
        let is_ours = part.name == name || left_over.is_some_and(|left_over| left_over.is(there.id, there.size));
        // The name of a link being made is the file itself, not a copy.
        let is_copy = is_ours && there.id != source_facts.id;
        if is_copy && self.mover.is_dispensable(&part, &source, &name).unwrap_or(false) {
            removal::remove(&part, &there, &name_aside(self.past.run(), row)).unwrap_or(());
        }
    }

    /// Makes the directories again that the run removed; those above come first.
    fn remake_dirs(&mut self, journal: &mut Journal) -> Result<Vec<Removed>, Failure> {
        let removed = || self.past.removed().iter().rev();
        let is_missing = |dir: &Removed| {
            dir.path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        };
        let missing: Vec<&Path> = removed().filter(|dir| is_missing(dir)).map(|dir| dir.path.as_path()).collect();
        // One that an earlier try has made may not be complete, and one that somebody else has made is left as it is.
        missing.iter().try_for_each(|dir| journal.mkdir(dir))?;
        if !missing.is_empty() {
            journal.sync()?;
        }
        let mut remade = Vec::new();
        for dir in removed() {
            let has_made = self.made.contains(dir.path.as_path());
            // By its descriptor, so that it is this very directory that gets them.
            let Ok(made) = self.mover.dirs.make_private(&dir.path, dir.uid, has_made) else { continue };
            // Without root the owner is whoever undoes, which is whoever did.
            fchown(&made, Some(Uid::from_raw(dir.uid)), Some(Gid::from_raw(dir.gid))).unwrap_or(());
            if let Err(error) = fchmod(&made, rustix::fs::Mode::from_raw_mode(dir.mode)) {
                self.reporter.failed("restoring the mode of", &dir.path, &report::reason(&error.into()));
            }
            remade.push(dir.clone());
        }
        Ok(remade)
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
fn remake_times(remade: &[Removed], dirs: &mut Dirs) {
    for dir in remade.iter().rev() {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: dir.mtime.seconds, tv_nsec: i64::from(dir.mtime.nanoseconds) },
        };
        if let Ok(opened) = dirs.open_anew(&dir.path) {
            // A time that cannot be set back hides nothing and loses nothing.
            utimensat(&opened, ".", &times, AtFlags::empty()).unwrap_or(());
        }
    }
}
