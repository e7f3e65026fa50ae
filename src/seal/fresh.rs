//! Sealing a volume that is still open, or whose sealing was cut off.
//!
//! Everything is looked at and read, and only if nothing is wrong, the first byte is written.

use std::io::{self, Write};
use std::path::PathBuf;

use super::desk::Desk;
use super::inventory::Inventory;
use super::locked::Locked;
use super::readme::Readme;
use super::tally::Tally;
use super::told::{Account, Unfilled};
use super::{Job, hashes};
use crate::cli::Failure;
use crate::report::{self, shown};
use crate::volume::archive::Standing;
use crate::volume::{self, INDEX, Number, README, SUMS, TEMPORARY, index, sums};

/// What became of a volume.
#[derive(Debug)]
pub(super) enum End {
    /// It is sealed.
    Sealed(Tally),
    /// It stays as it is; why was named.
    Open,
    /// It has no files.
    Empty,
    /// It stays as it is, since a signal came.
    Interrupted,
}

/// One volume on its way.
struct Fresh<'a> {
    job: &'a Job<'a>,
    number: Number,
    inventory: Inventory,
    tally: Tally,
    /// How many failures had been named before.
    failures: u64,
}

/// Seals a volume, of which rows tell what is in `account`.
///
/// # Errors
/// [`Failure::Stop`] where the archive cannot be written to.
pub(super) fn seal(locked: &mut Locked, number: Number, account: &Account, job: &Job<'_>) -> Result<End, Failure> {
    let failures = job.reporter.failures();
    let dir = number.dir(&locked.archive.dir);
    // From here on it is this very directory that is looked through and sealed.
    let desk = match locked.open_volume(number) {
        Ok(desk) => desk,
        Err(error) => {
            job.reporter.failed("sealing", &dir, &report::reason(&error));
            return Ok(End::Open);
        }
    };
    let mut inventory = Inventory::take(&dir, job.reporter);
    let promises = account.settle(&mut inventory, job.reporter);
    if inventory.files.is_empty() && job.reporter.failures() == failures {
        job.reporter.warn(&format!("sealing: {}: no files, so it is not sealed", shown(&inventory.dir)));
        return Ok(End::Empty);
    }
    let (capacity, filesystem) = locked.disc(number, account.plans.disc(), job);
    let tally = Tally::of(filesystem, inventory.records(), inventory.dirs.iter());
    let mut volume = Fresh { job, number, inventory, tally, failures };
    if locked.traces(number).standing() == Standing::Open && account.is_index() {
        volume.refuse("what was read is an index, and not what ms-mv wrote of it: --all seals what there is");
    }
    volume.check_whole(account);
    volume.check_fit(capacity, account);
    if !volume.is_sound() {
        return Ok(End::Open);
    }
    if !hashes::fill(&mut volume.inventory, &promises, job)? {
        return Ok(End::Interrupted);
    }
    if !volume.is_sound() {
        return Ok(End::Open);
    }
    locked.protect()?;
    locked.remember_disc(number, &volume.tally, capacity)?;
    if let Err((path, error)) = volume.describe(&desk) {
        // Running it again does not help where somebody has to make room first.
        let again = if error.kind() == io::ErrorKind::AlreadyExists { "" } else { "; run ms-seal again" };
        job.reporter.failed("sealing", &path, &format!("{}{again}", report::reason(&error)));
    }
    if !volume.is_sound() {
        return Ok(End::Open);
    }
    // What somebody has added in the last moment is in no list. That is for people to know, but nothing to be taken back.
    volume.inventory.check_again(job.reporter);
    if let Err(error) = desk.check_place() {
        job.reporter.failed("sealing", &dir, &report::reason(&error));
        return Ok(End::Open);
    }
    volume.tell_unlisted();
    locked.remember(number, &volume.inventory.records(), &volume.tally, capacity)?;
    Ok(End::Sealed(volume.tally))
}

impl Fresh<'_> {
    fn is_sound(&self) -> bool {
        self.job.reporter.failures() == self.failures
    }

    fn refuse(&self, reason: &str) {
        self.job.reporter.failed("sealing", &self.inventory.dir, &reason);
    }

    /// Whether it was filled as a plan says.
    fn check_whole(&self, account: &Account) {
        match account.plans.unfilled() {
            None => {}
            Some(Unfilled::Impossible(row, all)) => self.refuse(&format!(
                "a row says file={row}/{all}, which no plan has: what it was filled with cannot be known (--all seals what there is)"
            )),
            Some(Unfilled::Missing(told, all)) => {
                let are = |count: u64| if count == 1 { "is" } else { "are" };
                let missing = all - told;
                self.refuse(&format!(
                    "{} of {} that were planned {} told, and {} {} missing: run the same plan again, which goes on filling it (only what no plan will fill any more is for --all)",
                    report::number(told),
                    report::count(all, "row"),
                    are(told),
                    report::number(missing),
                    are(missing)
                ));
            }
        }
    }

    fn check_fit(&self, capacity: Option<u64>, account: &Account) {
        let (bytes, number) = (self.tally.image_bytes(), report::number);
        if let Some(capacity) = capacity.filter(|capacity| bytes > *capacity) {
            // What a plan says counts more than an option.
            let larger = if account.plans.disc().is_some() {
                "plan it for a larger disc"
            } else {
                "name a larger disc with --media"
            };
            self.refuse(&format!(
                "its image takes {} bytes, and its disc has {}: move files out of it, or {larger}",
                number(bytes),
                number(capacity)
            ));
        }
    }

    /// Writes the files that describe it. What was moved here by renaming it may not be on the disk yet.
    fn describe(&self, desk: &Desk) -> Result<(), (PathBuf, io::Error)> {
        let dir = &self.inventory.dir;
        let at = |name: &str| {
            let path = dir.join(name);
            move |error: io::Error| (path, error)
        };
        desk.check_place().map_err(at(""))?;
        desk.clear().map_err(at(TEMPORARY))?;
        desk.sync_filesystem().map_err(at(""))?;
        // While files were read, others may have come; a text that counts them wrong would have to be replaced.
        self.inventory.check_again(self.job.reporter);
        if !self.is_sound() {
            return Ok(());
        }
        let index = |out: &mut dyn Write| index::write(self.number, self.inventory.records(), out);
        // Something else that stands where one of them is to be must not become a part of the seal, now or in a later run.
        let readme = |out: &mut dyn Write| self.readme(out);
        // An earlier run may have been cut off after it, when there were other files, or was another version of this program.
        let known = desk.stamp(README).map_err(at(README))?;
        let is_ours = volume::is_readme(&dir.join(README), Some(self.number)).map_err(at(README))?;
        if !is_ours {
            desk.check(README, &readme).map_err(at(README))?;
        }
        desk.check(INDEX, &index).map_err(at(INDEX))?;
        desk.check(SUMS, &|out| self.sums(out)).map_err(at(SUMS))?;
        let text = if is_ours { desk.replace(README, known, &readme) } else { desk.put(README, &readme) };
        text.map_err(at(README))?;
        self.inventory.check_again(self.job.reporter);
        // What was looked through by its path must be what is sealed.
        desk.check_place().map_err(at(""))?;
        if !self.is_sound() {
            return Ok(());
        }
        desk.put(INDEX, &index).map_err(at(INDEX))?;
        desk.put(SUMS, &|out| self.sums(out)).map_err(at(SUMS))
    }

    fn tell_unlisted(&self) {
        let unlisted = self.unlisted();
        if unlisted > 0 {
            let names = report::count(unlisted, "file");
            self.job.reporter.warn(&format!(
                "sealing: {}: {names} with a name that b3sum cannot check: in index.json, and not in B3SUMS",
                shown(&self.inventory.dir)
            ));
        }
    }

    fn unlisted(&self) -> u64 {
        self.inventory.files.iter().filter(|file| !sums::can_hold(file.path())).count() as u64
    }

    fn readme(&self, out: &mut dyn Write) -> io::Result<()> {
        Readme { number: self.number, tally: &self.tally, unlisted: self.unlisted() }.write(out)
    }

    fn sums(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = Vec::new();
        for file in self.inventory.files.iter().filter(|file| sums::can_hold(file.path())) {
            line.clear();
            if let Some(hash) = file.record.hash {
                sums::push_line(hash, file.path(), &mut line);
            }
            out.write_all(&line)?;
        }
        Ok(())
    }
}
