//! The one tool that moves anything: carries out a [`Plan`] row by row, or reverses what a journal tells.
//!
//! Where the promises are kept: nothing replaced in [`crate::rename`]; nothing lost between filesystems in [`copy`]; what a
//! row says against what is there in [`facts`]; what cannot be kept in [`losses`]; the copy that stays in [`keep`], on a shelf
//! in [`shelf`], on another host in [`proof`];
//! protected directories in [`dirs`]; no other file removed than the one that was copied in [`removal`];
//! the order of all that in [`mover`] and [`transfer`]; what an earlier run has left in [`left_over`]; being able to go back
//! in [`crate::journal`] and [`undo`].

mod begun;
mod copy;
mod dirs;
mod dry;
mod facts;
mod keep;
mod left_over;
mod losses;
mod mover;
mod output;
mod proof;
mod prune;
mod removal;
mod sentry;
mod shelf;
mod transfer;
mod trouble;
mod undo;

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::{Common, Exit, Failure};
use crate::guide;
use crate::host::{self, Host};
use crate::interrupt::Interrupt;
use crate::journal::{Journal, LeftOver, Mode, Past, RowState, Store};
use crate::memory;
use crate::place::{Locator, MOUNTS_UNKNOWN};
use crate::plan::{Plan, Reading, Step};
use crate::progress::Progress;
use crate::record::Record;
use crate::report::{self, Reporter, shown};
use crate::stream::Table;

use dirs::Dirs;
use facts::Facts;
use mover::{Leaving, Mover, Outcome, Task};
use output::Output;
use proof::Proof;
use prune::Emptied;
use trouble::{Stopped, Trouble};

pub use mover::Check;
pub use prune::Prune;

/// What `ms-mv` is asked to do.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// Plans to carry out, or journals to undo.
    pub operands: Vec<OsString>,
    /// Options that all tools have.
    pub common: Common,
    /// Destination for records that have none.
    pub to: Option<PathBuf>,
    /// Whether sources leave their places.
    pub mode: Mode,
    /// How thoroughly files are compared with the plan.
    pub check: Check,
    /// Directories that nothing may leave.
    pub protect: Vec<PathBuf>,
    /// Whether emptied directories are removed.
    pub prune: Option<Prune>,
    /// Whether the copy that stays may be on a disc on the shelf.
    pub offline_keep: bool,
    /// What this host is called in plans of several hosts.
    pub host: Option<Host>,
    /// What was found to hold on other hosts, for the copies that stay there.
    pub keep_proof: Option<PathBuf>,
    /// Where the journal is kept.
    pub journal: Option<PathBuf>,
    /// Whether to reverse a run.
    pub undo: bool,
    /// Whether to say what would happen, and touch nothing.
    pub dry_run: bool,
    /// Whether malformed lines are left out.
    pub skip_bad_lines: bool,
}

impl Options {
    fn mover<'p>(&self, locator: Locator, interrupt: &Interrupt, progress: &'p Progress) -> Result<Mover<'p>, Failure> {
        self.check_dirs()?;
        Ok(Mover {
            dirs: Dirs::new(locator, &self.protect),
            mode: self.mode,
            check: self.check,
            leaving: Leaving::Nothing,
            shelf: shelf::Shelf::new(self.offline_keep),
            proof: Proof::default(),
            interrupt: interrupt.clone(),
            progress,
            made: Vec::new(),
            unsynced: Vec::new(),
            touched: BTreeSet::new(),
            touched_last: Default::default(),
            bare: HashSet::new(),
            room: copy::Room::default(),
            waiting: begun::Waiting::default(),
            aside: removal::Aside::default(),
            losses: losses::Losses::default(),
        })
    }

    /// Turns directories of this host that name it into what they are here, and forgets what is protected on others, from
    /// which this run moves nothing.
    ///
    /// # Errors
    /// [`Failure::Usage`] where a directory is on another host, and must be on this one.
    pub fn settle_hosts(&mut self) -> Result<(), Failure> {
        let host = self.host;
        let here = |dir: &Path| host.and_then(|host| host.path_here(dir));
        if let Some(to) = self.to.take_if(|to| host::is_located(to)) {
            let elsewhere =
                || format!("--to: {}: it names a host, and --host does not say that it is this", shown(&to));
            self.to = Some(here(&to).ok_or_else(|| Failure::Usage(elsewhere()))?);
        }
        let located = |dir: &PathBuf| host::is_located(dir);
        if let Some(dir) = self.protect.iter().find(|dir| located(dir) && host.is_none()) {
            let dir = shown(dir);
            return Err(Failure::Usage(format!(
                "--protect: {dir}: it names a host, and --host does not say which this is"
            )));
        }
        self.protect = std::mem::take(&mut self.protect)
            .into_iter()
            .filter_map(|dir| if located(&dir) { here(&dir) } else { Some(dir) })
            .collect();
        Ok(())
    }

    /// A misspelled directory would protect or prune nothing, and nobody would know.
    fn check_dirs(&self) -> Result<(), Failure> {
        let pruned = self.prune.iter().filter_map(|prune| match prune {
            Prune::Below(dir) => Some(("--prune", dir)),
            Prune::Common => None,
        });
        let mut named = self.protect.iter().map(|dir| ("--protect", dir)).chain(pruned);
        match named.find(|(_, dir)| !dir.is_dir()) {
            Some((option, dir)) => Err(Failure::Stop(format!("{option}: {}: there is no such directory", shown(dir)))),
            None => Ok(()),
        }
    }

    fn store(&self) -> Result<Store, Failure> {
        match &self.journal {
            Some(path) => Ok(Store::File(path.clone())),
            None => Store::default_dir().map(Store::Dir),
        }
    }
}

fn locator() -> Result<Locator, Failure> {
    Locator::new().map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))
}

/// Carries out plans, or undoes a run. Records of what was moved go to standard output, everything else to `reporter`.
///
/// # Errors
/// [`Failure`] if nothing was touched because of the command line, the plan or the journal, or if the run could not go
/// on. Whatever was moved by then is in the journal, whole under its old or new name.
pub fn run(options: &Options, progress: &Progress, reporter: &Reporter) -> Result<Exit, Failure> {
    if options.undo {
        return undo::undo(options, progress, reporter, &Interrupt::install()?);
    }
    options.check_dirs()?;
    // Nothing has begun while the plan is still coming, so a signal may end that at once.
    let table = Table::open(&options.operands)?;
    let interrupt = Interrupt::install()?;
    let mut locator = locator()?;
    if !locator.knows_mounts() {
        reporter.warn(MOUNTS_UNKNOWN);
    }
    let (host, skip_bad_lines) = (options.host, options.skip_bad_lines);
    let reading = Reading { to: options.to.clone(), skip_bad_lines, host };
    let plan = Plan::check(table, &reading, &mut locator, reporter)?;
    // Whoever leads a path elsewhere from now on is too late: this knows where the directories of the plan really are.
    let mut mover = options.mover(locator, &interrupt, progress)?;
    if let Some(file) = &options.keep_proof {
        mover.proof = Proof::read(file, &plan)?;
    }
    if let Some(exit) = interrupt.exit() {
        return Ok(exit);
    }
    if options.dry_run {
        return dry::run(&plan, mover, options, reporter);
    }
    if plan.is_empty() {
        Output::new(options)?.finish()?;
        reporter.summary(&nothing_to_do(&plan, host));
        return Ok(reporter.exit());
    }
    progress.expect_bytes(plan.bytes());
    let output = Output::new(options)?;
    let (journal, past) = options.store()?.begin(&plan, options.mode)?;
    memory::advise("the same command goes on where it stopped, and --undo takes it back");
    Run { plan: &plan, past, mover, journal, output, reporter, emptied: Emptied::default(), tally: Tally::default() }
        .all(options)
}

/// What was done so far.
#[derive(Debug, Default)]
struct Tally {
    done: u64,
    bytes: u64,
    before: u64,
    pruned: u64,
    /// Rows whose file was not there.
    gone: u64,
}

struct Run<'a> {
    plan: &'a Plan,
    past: Past,
    mover: Mover<'a>,
    journal: Journal,
    output: Output,
    reporter: &'a Reporter,
    emptied: Emptied,
    tally: Tally,
}

impl Run<'_> {
    fn all(mut self, options: &Options) -> Result<Exit, Failure> {
        let rows = match self.rows() {
            // That nobody reads on keeps nothing from being finished where nothing is left to be moved.
            Err(Stopped::Failed(Failure::ClosedOutput)) if self.is_complete() => Ok(()),
            other => other,
        };
        clear_aside(&mut self.mover, self.reporter);
        let result = rows.and_then(|()| self.tidy(options));
        let made = std::mem::take(&mut self.mover.made);
        prune::remove_unused(made.iter(), &mut self.mover.dirs, self.reporter);
        let is_synced = sync_names(&mut self.mover, self.reporter);
        if let Err(failure) = self.journal.sync() {
            self.tell();
            return Err(failure);
        }
        self.tell();
        match result {
            Ok(()) => {
                if is_synced {
                    self.journal.end()?;
                }
                match self.output.finish() {
                    Ok(()) | Err(Failure::ClosedOutput) => Ok(self.reporter.exit()),
                    Err(failure) => Err(failure),
                }
            }
            Err(Stopped::Interrupted) => {
                self.tell_rest("a signal");
                Ok(self.mover.interrupt.exit().unwrap_or(Exit::Stopped))
            }
            Err(Stopped::Failed(failure)) => {
                self.tell_rest("the failure");
                Err(not_quietly(failure))
            }
        }
    }

    fn rows(&mut self) -> Result<(), Stopped> {
        let mut first = 0;
        for steps in self.plan.chunks() {
            let steps = steps?;
            let result = self.chunk(first, &steps);
            self.mover.discard_begun(self.journal.run());
            result?;
            first += steps.len();
        }
        Ok(())
    }

    fn chunk(&mut self, first: usize, steps: &[Step]) -> Result<(), Stopped> {
        for (at, step) in steps.iter().enumerate() {
            if self.mover.interrupt.came() {
                return Err(Stopped::Interrupted);
            }
            match self.row(first + at, step, &steps[at + 1..]) {
                Ok(outcome) => self.note(step, &outcome)?,
                Err(trouble) => {
                    self.tally.gone += u64::from(trouble.is_for(mover::GONE));
                    trouble.tell(doing(self.mover.mode), &step.source, self.reporter)?;
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, number: usize, step: &Step, next: &[Step]) -> Result<Outcome, Trouble> {
        let mut task = Task::new(number, step, &self.past);
        // Of what an earlier process has begun, each row is told for itself.
        task.next = if self.past.is_taken_up() { &[] } else { next };
        if let RowState::Done(standing) = self.past.state(number)
            && let Some(facts) = self.stands(step).filter(|facts| facts.standing() == standing)
        {
            self.clear_aside_of(number, step)?;
            let source = self.mover.standing_at(&step.source).filter(|_| self.mover.mode == Mode::Move);
            if source.is_none_or(|(_, source)| source.difference(&step.expected).is_some()) {
                return Ok(Outcome { facts, hash: step.hash, was_done: true });
            }
            // The power failed, and the removal of the source had not reached the disk.
            task.left_over = Some(LeftOver { path: mover::part_path(&self.past, number, step), id: Some(standing.id) });
        }
        self.journal.make_room()?;
        let outcome = self.mover.carry_out(&task, &mut self.journal).inspect_err(|_| {
            let run = self.past.run();
            let (name, aside) = (mover::part_name(run, number), removal::name_aside(run, number));
            self.mover.clear_begun(task.left_over.as_ref(), &name, &aside);
        })?;
        // In a run that is taken up, what stands already was put there before the crash, which swallowed the line. Not so
        // a copy: the journal knows which file it made, and any other is not for --undo to remove.
        let was_swallowed = self.past.is_taken_up() && self.mover.mode != Mode::Copy;
        if !outcome.was_done || was_swallowed {
            let told = self.journal.done(number, &outcome.facts.standing());
            // The file has moved all the same, and nobody else would tell of it.
            told.inspect_err(|_| self.note(step, &outcome).unwrap_or(()))?;
        }
        Ok(outcome)
    }

    /// A crash may have left the directory in which the source of a row was put aside.
    fn clear_aside_of(&mut self, number: usize, step: &Step) -> Result<(), Trouble> {
        match self.mover.standing_at(&step.dest).filter(|_| self.mover.mode == Mode::Move) {
            Some((dest, _)) => {
                self.mover.clear_aside(&step.source, &removal::name_aside(self.past.run(), number), &dest)
            }
            None => Ok(()),
        }
    }

    fn stands(&mut self, step: &Step) -> Option<Facts> {
        let dest = self.mover.dirs.entry(&step.dest).ok()?;
        Facts::of(&dest.dir, &dest.name).ok()?
    }

    fn note(&mut self, step: &Step, outcome: &Outcome) -> Result<(), Stopped> {
        self.mover.progress.add_files(1);
        if outcome.was_done {
            self.mover.progress.add_bytes(outcome.facts.size);
            self.tally.before += 1;
        } else {
            self.tally.done += 1;
            self.tally.bytes += outcome.facts.size;
        }
        let moved = self.mover.mode == Mode::Move;
        if moved {
            self.emptied.note(&step.source, self.plan.working_dir());
        }
        self.output.write(&output::record(step, outcome, moved.then_some(step.source.as_path())))
    }

    fn tidy(&mut self, options: &Options) -> Result<(), Stopped> {
        let base = match (&options.prune, self.plan.common_dir()) {
            (Some(Prune::Below(dir)), _) => dir.clone(),
            (Some(Prune::Common), Some(dir)) => dir.to_owned(),
            _ => return Ok(()),
        };
        // The directories that are still open for moving would be removed under its feet.
        self.mover.dirs.forget();
        let emptied = std::mem::take(&mut self.emptied);
        self.tally.pruned = emptied.prune(&base, &mut self.mover.dirs, &mut self.journal, self.reporter)?;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.tally.done + self.tally.before == self.plan.len() as u64
    }

    fn tell(&self) {
        self.mover.losses.tell(self.reporter);
        let verb = match self.mover.mode {
            Mode::Move => "moved",
            Mode::Copy => "copied",
            Mode::Link => "linked",
        };
        let mut parts =
            vec![format!("{verb} {}, {}", report::count(self.tally.done, "file"), report::bytes(self.tally.bytes))];
        if self.tally.before > 0 {
            parts.push(format!("{} there already", report::count(self.tally.before, "file")));
        }
        if self.tally.pruned > 0 {
            let directories = if self.tally.pruned == 1 { "directory" } else { "directories" };
            parts.push(format!("removed {} emptied {directories}", self.tally.pruned));
        }
        if self.reporter.failures() > 0 {
            parts.push(format!("{} refused or failed", self.reporter.failures()));
        }
        parts.extend(self.plan.passed_over().told());
        if self.tally.done > 0 {
            parts.push(format!("to undo: ms-mv --undo {}", guide::word(self.journal.path())));
        }
        self.reporter.summary(&parts.join("; "));
        if self.tally.gone > 0 && self.tally.gone == self.plan.len() as u64 {
            self.reporter.warn(&format!(
                "not one of these files is there, seen from {}: relative paths hold where ms-crawl ran (ms-crawl -a makes them absolute)",
                shown(self.plan.working_dir())
            ));
        }
    }

    fn tell_rest(&self, cause: &str) {
        let rest = self.plan.len() as u64 - (self.tally.done + self.tally.before).min(self.plan.len() as u64);
        self.reporter.warn(&format!(
            "stopped by {cause}: {} not carried out; the same command goes on where it stopped, as {} tells",
            report::count(rest, "row"),
            shown(self.journal.path())
        ));
    }
}

/// The last directory in which a source was put aside goes with the last row.
fn clear_aside(mover: &mut Mover<'_>, reporter: &Reporter) {
    for (dir, error) in mover.aside.left() {
        reporter.failed("removing the empty directory", &dir, &report::reason(&error.into()));
    }
}

fn nothing_to_do(plan: &Plan, host: Option<Host>) -> String {
    match (host, plan.passed_over().told()) {
        (Some(host), Some(others)) => format!("nothing to do for the host {host}: {others}"),
        _ => "nothing to do: the plan is empty".into(),
    }
}

/// Without that, no journal may say that all is done.
fn sync_names(mover: &mut Mover<'_>, reporter: &Reporter) -> bool {
    let failed = mover.sync_names();
    for (dir, error) in &failed {
        reporter.failed("bringing the names to the disk in", dir, &report::reason(error));
    }
    failed.is_empty()
}

fn doing(mode: Mode) -> &'static str {
    match mode {
        Mode::Move => "moving",
        Mode::Copy => "copying",
        Mode::Link => "linking",
    }
}

/// Planners may end quietly when nobody reads on. A mover that leaves rows undone says so.
fn not_quietly(failure: Failure) -> Failure {
    match failure {
        Failure::ClosedOutput => Failure::Stop("writing: standard output: nobody reads it any more".into()),
        other => other,
    }
}

/// The record of a file that a dry run would move.
fn planned(step: &Step, facts: &Facts, stays_on_its_filesystem: bool, mode: Mode) -> Record {
    let outcome = Outcome { facts: *facts, hash: step.hash, was_done: false };
    let origin = (mode == Mode::Move).then_some(step.source.as_path());
    let mut record = output::record(step, &outcome, origin);
    if mode == Mode::Copy || !stays_on_its_filesystem {
        record.id = None;
    }
    record
}
