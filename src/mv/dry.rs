//! What a run would do, found out without touching anything.
//!
//! Each row is checked against the disk as it would be by then: what earlier rows would have put somewhere counts as
//! there, and what they would have taken away as gone. Only a copy that stays can be such a path, since no row has the source
//! or the destination of another; so that of all paths, only those are remembered that some row keeps.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};

use foldhash::quality::RandomState;

use super::facts::{Difference, Facts};
use super::mover::{Mover, Outcome};
use super::output::{self, Output};
use super::trouble::{Stopped, Trouble};
use super::{Options, not_quietly, planned};
use crate::cli::{Exit, Failure};
use crate::journal::Mode;
use crate::place;
use crate::plan::{Plan, Step};
use crate::record::Record;
use crate::report::{self, Reporter};

/// Goes through a plan as a run would.
pub(super) fn run(plan: &Plan, mover: Mover<'_>, options: &Options, reporter: &Reporter) -> Result<Exit, Failure> {
    let mut output = Output::new(options)?;
    let mut rehearsal = Rehearsal {
        mover,
        kept: HashSet::new(),
        prints: RandomState::default(),
        would_be: HashMap::new(),
        files: 0,
        bytes: 0,
    };
    rehearsal.note_keepers(plan)?;
    let result = rehearsal.rows(plan, reporter, &mut output);
    let verb = match options.mode {
        Mode::Move => "would move",
        Mode::Copy => "would copy",
        Mode::Link => "would link",
    };
    let files = report::count(rehearsal.files, "file");
    let refused = match reporter.failures() {
        0 => String::new(),
        count => format!("; {count} would be refused"),
    };
    // Cut short, the figures would be those of the rows that somebody read.
    if result.is_ok() {
        let others = plan.passed_over().told().map(|others| format!("; {others}")).unwrap_or_default();
        let next = if rehearsal.files > 0 { "; to do it: the same without --dry-run" } else { "" };
        reporter.summary(&format!("{verb} {files}, {}{refused}{others}{next}", report::bytes(rehearsal.bytes)));
    }
    match result {
        Ok(()) => output.finish().map(|()| reporter.exit()),
        Err(Stopped::Interrupted) => Ok(rehearsal.mover.interrupt.exit().unwrap_or(Exit::Stopped)),
        // Nothing is left undone by a run that does nothing.
        Err(Stopped::Failed(Failure::ClosedOutput)) => Err(Failure::ClosedOutput),
        Err(Stopped::Failed(failure)) => Err(not_quietly(failure)),
    }
}

struct Rehearsal<'p> {
    mover: Mover<'p>,
    /// Fingerprints of the copies that stay.
    kept: HashSet<u64>,
    prints: RandomState,
    /// What earlier rows would have made of a copy that stays: the file there, or nothing.
    would_be: HashMap<PathBuf, Option<Facts>>,
    files: u64,
    bytes: u64,
}

impl Rehearsal<'_> {
    fn note_keepers(&mut self, plan: &Plan) -> Result<(), Failure> {
        for step in plan.steps() {
            if let Some(keeper) = step?.keeper.filter(|keeper| !keeper.is_elsewhere()) {
                self.kept.insert(self.print(&self.absolute(&keeper.path)));
            }
        }
        Ok(())
    }

    fn print(&self, path: &Path) -> u64 {
        self.prints.hash_one(path.as_os_str())
    }

    fn note(&mut self, path: &Path, there: Option<Facts>) {
        let path = self.absolute(path);
        if self.kept.contains(&self.print(&path)) {
            self.would_be.insert(path, there);
        }
    }

    fn rows(&mut self, plan: &Plan, reporter: &Reporter, output: &mut Output) -> Result<(), Stopped> {
        for step in plan.steps() {
            if self.mover.interrupt.came() {
                return Err(Stopped::Interrupted);
            }
            let step = step?;
            match self.row(&step) {
                Ok(record) => output.write(&record)?,
                Err(trouble) => trouble.tell(super::doing(self.mover.mode), &step.source, reporter)?,
            }
        }
        Ok(())
    }

    fn row(&mut self, step: &Step) -> Result<Record, Trouble> {
        let keeper = step.keeper.as_ref().filter(|keeper| !keeper.is_elsewhere());
        let keeper = keeper.and_then(|keeper| self.would_be.get(&self.absolute(&keeper.path)).copied());
        let checked = match keeper {
            // The disk cannot tell of this keeper yet, or no longer.
            Some(there) => {
                let alone = Step { keeper: None, ..step.clone() };
                let checked = self.mover.check_only(&alone)?;
                check_would_be(step, there)?;
                checked
            }
            None => self.mover.check_only(step)?,
        };
        let Some((source, facts)) = checked else {
            let outcome: Outcome = self.mover.already_done(step)?;
            return Ok(output::record(step, &outcome, Some(&step.source)));
        };
        let stays = self.mover.dirs.device_for(&step.dest) == Some(source.dir.device());
        let mode = self.mover.mode;
        if mode == Mode::Link && !stays {
            return Err(Trouble::refused("linking to", &step.dest, "it is on another filesystem"));
        }
        self.files += 1;
        self.bytes += facts.size;
        if mode == Mode::Move {
            self.note(&step.source, None);
        }
        self.note(&step.dest, Some(facts));
        Ok(planned(step, &facts, stays, mode))
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        place::absolute(path, self.mover.dirs.working_dir())
    }
}

/// Checks a keeper that only earlier rows would bring or take away.
fn check_would_be(step: &Step, there: Option<Facts>) -> Result<(), Trouble> {
    let Some(path) = step.keeper.as_ref().map(|keeper| keeper.path.as_path()) else { return Ok(()) };
    let refused = |reason: &dyn std::fmt::Display| Err(Trouble::refused("checking the copy that stays", path, reason));
    match there {
        None => refused(&"it would be moved away by an earlier row"),
        Some(facts) if facts.size != step.expected.size => refused(&Difference::Size),
        Some(facts) if step.expected.id == Some(facts.id) => refused(&"it is the same file as the one to be moved"),
        Some(_) => Ok(()),
    }
}
