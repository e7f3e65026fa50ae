//! Sealing volumes, one after the other, and what there is to tell of that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Job;
use super::fresh::{self, End};
use super::inventory::Inventory;
use super::locked::Locked;
use super::options::Action;
use super::sealed::{self, Completion};
use super::tally::Tally;
use super::told::{Account, Told};
use crate::cli::Failure;
use crate::guide;
use crate::report;
use crate::stream::Table;
use crate::volume::Number;
use crate::volume::archive::{Archive, Standing};
use crate::volume::catalogue::State;
use crate::volume::medium::Disc;

/// Seals the volumes that rows of `table` name, or all of them, and finishes those whose sealing was cut off.
///
/// # Errors
/// [`Failure::Stop`] where the stream or the archive cannot be used.
pub(super) fn seal(job: &Job<'_>, table: &Table) -> Result<(), Failure> {
    let mut locked = Locked::open(job)?;
    locked.archive.refuse_dates("sealing")?;
    let mut told = Told::read(table, &locked.archive, job)?;
    let mut done = Done::default();
    let result = done.all(&mut locked, &mut told, job);
    // What was done before a failure stands.
    if result.is_ok() || !done.is_nothing() {
        done.tell(job);
    }
    result
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    sealed: Vec<Number>,
    /// The files and bytes of these.
    amount: (u64, u64),
    /// Volumes that were sealed before, and that the archive knows of now.
    completed: Vec<Number>,
    /// Those of them that no catalogue and no marker told of.
    forgotten: Vec<Number>,
    open: Vec<Number>,
    /// Whether there was anything to be done about a volume that was sealed before.
    met_sealed: bool,
    /// What the rows say that volumes are made for.
    discs: BTreeMap<Number, Disc>,
}

impl Done {
    fn all(&mut self, locked: &mut Locked, told: &mut Told<'_>, job: &Job<'_>) -> Result<(), Failure> {
        for number in wanted(&locked.archive, told, job) {
            if job.interrupt.came() {
                break;
            }
            let account = told.account(number)?;
            self.discs.extend(account.plans.disc().map(|disc| (number, disc)));
            let traces = locked.traces(number);
            match traces.standing() {
                Standing::Open | Standing::HalfSealed => self.fresh(locked, number, &account, job)?,
                Standing::Sealed => {
                    self.met_sealed = true;
                    if sealed::complete(locked, number, Some(&account), job)? == Completion::Done {
                        self.completed.push(number);
                        if traces.state.is_none() && !traces.has_marker {
                            self.forgotten.push(number);
                        }
                    }
                }
                // Its rows are of files that are not there.
                Standing::Lost => {
                    let dir = number.dir(&locked.archive.dir);
                    drop(account.settle(&mut Inventory { dir, files: Vec::new(), dirs: Vec::new() }, job.reporter));
                }
            }
        }
        // After a crash, this may be all that is left to be done.
        if self.met_sealed || !self.is_nothing() { self.remember_open(locked, job) } else { Ok(()) }
    }

    fn is_nothing(&self) -> bool {
        self.sealed.is_empty() && self.completed.is_empty()
    }

    fn fresh(&mut self, locked: &mut Locked, number: Number, account: &Account, job: &Job<'_>) -> Result<(), Failure> {
        match fresh::seal(locked, number, account, job)? {
            End::Sealed(tally) => {
                self.sealed.push(number);
                self.amount = (self.amount.0 + tally.files, self.amount.1.saturating_add(tally.bytes));
            }
            End::Open => self.open.push(number),
            End::Empty | End::Interrupted => {}
        }
        Ok(())
    }

    /// The catalogue tells of volumes that are not sealed, too.
    fn remember_open(&self, locked: &mut Locked, job: &Job<'_>) -> Result<(), Failure> {
        let standing = [Standing::Open, Standing::HalfSealed].into_iter();
        let open = standing.flat_map(|standing| locked.archive.that_are(standing));
        let open: Vec<Number> = open.filter(|number| !self.sealed.contains(number)).collect();
        for number in &open {
            let (capacity, filesystem) = locked.disc(*number, self.discs.get(number).copied(), job);
            let mut failures = Vec::new();
            let failed = |path: &Path, reason: &str| failures.push((path.to_owned(), reason.to_owned()));
            let tally = Tally::of_dir(filesystem, &number.dir(&locked.archive.dir), failed);
            if failures.is_empty() {
                locked.archive.catalogue.put(tally.volume(*number, State::Open, capacity));
            } else if !self.open.contains(number) {
                // What was to be sealed was named before.
                for (path, reason) in &failures {
                    job.reporter.failed("looking at the volume", path, reason);
                }
            }
        }
        if open.is_empty() { Ok(()) } else { locked.save() }
    }

    fn tell(&self, job: &Job<'_>) {
        let mut parts = Vec::new();
        if !self.sealed.is_empty() {
            let (files, bytes) = (report::count(self.amount.0, "file"), report::bytes(self.amount.1));
            parts.push(format!("sealed {} ({files}, {bytes})", volumes(&self.sealed)));
        }
        if !self.completed.is_empty() {
            parts.push(format!("completed what the archive tells of {}", volumes(&self.completed)));
        }
        if !self.open.is_empty() {
            parts.push(format!("not sealed: {}", volumes(&self.open)));
        }
        if job.interrupt.came() {
            parts.push("interrupted; the same command goes on where it stopped".into());
        }
        if parts.is_empty() {
            parts.push(nothing(job));
        }
        if let Some(number) = self.sealed.first().filter(|_| guide::is_for_people()) {
            let archive = guide::word(&job.options.archive);
            parts.push(format!("when a disc is burned (man 7 mediastruct): ms-seal --burned {number} {archive}"));
        }
        job.reporter.summary(&parts.join("; "));
        if !self.forgotten.is_empty() {
            job.reporter.warn(&format!(
                "the catalogue knew nothing of {}: burns and capacities are not known any more: record them again with --burned",
                volumes(&self.forgotten)
            ));
        }
    }
}

/// Why there was nothing to seal, for whoever expected something.
fn nothing(job: &Job<'_>) -> String {
    let archive = guide::word(&job.options.archive);
    match job.options.action {
        Action::Stream if guide::is_for_people() => {
            format!(
                "nothing to seal: no volume was named on standard input; to see what there is: ms-seal --list {archive}"
            )
        }
        _ => "nothing to seal".to_owned(),
    }
}

/// `2 volumes: 0007, 0008`.
fn volumes(numbers: &[Number]) -> String {
    let names: Vec<String> = numbers.iter().map(Number::to_string).collect();
    format!("{}: {}", report::count(numbers.len() as u64, "volume"), names.join(", "))
}

/// The volumes that there is anything to do about, in order.
fn wanted(archive: &Archive, told: &Told<'_>, job: &Job<'_>) -> BTreeSet<Number> {
    let is_all = job.options.action == Action::All;
    let is_begun = |number: &Number| {
        let traces = archive.volumes.get(number).copied().unwrap_or_default();
        match traces.standing() {
            Standing::HalfSealed => true,
            Standing::Open => is_all,
            // Of those that want nothing, the names are looked at.
            Standing::Sealed => {
                (sealed::is_wanting(traces) || is_all && traces.has_dir) && (traces.has_seal || traces.has_listing)
            }
            Standing::Lost => false,
        }
    };
    told.volumes().chain(archive.volumes.keys().copied().filter(is_begun)).collect()
}
