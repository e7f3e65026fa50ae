//! Finishes the volumes of an archive, remembers what is in them, and where they were burned to.
//!
//! 1. `arrivals`: which files have come into which volume, as `ms-mv` tells.
//! 2. `contents`: what really is in a volume, and whether it is what was told; `hashing`: what nobody has told.
//! 3. `finish`: the files that describe a volume and make it one that never changes; `readme`, the one for people.
//! 4. `publish`: how any of these gets its name: whole, on the disk, and never in the place of another.
//! 5. `burned`, `list`, `cat`: what becomes of sealed volumes.
//!
//! A volume is sealed in an order that a crash may cut off anywhere: the archive is protected; then the volume gets its text for
//! people, its index and its checksums; then come its listing, its marker, and at last its entry in the catalogue. Whatever
//! stands already is found to be the same by the next run, which goes on from there.

mod arrivals;
mod burned;
mod cat;
mod contents;
mod finish;
mod hashing;
mod list;
mod lock;
mod options;
mod publish;
mod readme;

use std::collections::BTreeSet;

pub use options::{Builder, Options, Task};

use crate::cli::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::place::MARKER;
use crate::progress::Progress;
use crate::report::{self, Reporter};
use crate::stream::Table;
use crate::volume::Number;
use crate::volume::archive::{Archive, Standing};
use arrivals::Arrivals;
use finish::Sealed;
use lock::Lock;

/// The tool's name in its messages.
const TOOL: &str = "ms-seal";

/// What all parts of one run share.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    options: &'a Options,
    reporter: &'a Reporter,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

/// Does what it is told.
///
/// # Errors
/// [`Failure`] where the archive, the stream or the output cannot be used, or something could not be written. Whatever was sealed
/// by then is so, and the same command goes on from there.
pub fn run(options: &Options) -> Result<Exit, Failure> {
    // Nothing has begun while records are still coming, so a signal may end that at once.
    let table = match options.task {
        Task::Stream => Some(Table::open(&options.streams)?),
        _ => None,
    };
    let interrupt = Interrupt::install()?;
    let mut progress = Progress::start(TOOL, options.common.progress);
    let reporter = progress.reporter(TOOL, options.common.quiet);
    let job = Job { options, reporter: &reporter, progress: &progress, interrupt: &interrupt };
    let result = match &options.task {
        Task::Stream | Task::All => job.seal(table.as_ref()),
        Task::Burned(burn) => burned::record(burn, &job),
        Task::List => list::write(&job),
        Task::Cat => cat::write(&job),
    };
    progress.finish();
    result?;
    Ok(interrupt.exit().unwrap_or_else(|| reporter.exit()))
}

impl Job<'_> {
    fn seal(&self, table: Option<&Table>) -> Result<(), Failure> {
        let _lock = Lock::take(&self.options.archive)?;
        let mut archive = Archive::survey(&self.options.archive)?;
        let arrivals = match table {
            Some(table) => Arrivals::read(table, &archive, self)?,
            None => Arrivals::default(),
        };
        let mut sealed = Vec::new();
        for number in self.due(&archive, &arrivals) {
            if self.interrupt.came() {
                break;
            }
            if let Some(one) = finish::seal(number, &mut archive, &arrivals, self)? {
                sealed.push(one);
            }
        }
        finish::tell_of_open(&mut archive, self)?;
        self.tell(&sealed);
        Ok(())
    }

    /// The volumes that are to be sealed, or whose sealing was cut off.
    fn due(&self, archive: &Archive, arrivals: &Arrivals) -> BTreeSet<Number> {
        let all = self.options.task == Task::All;
        let cut_off = archive.volumes.iter().filter(|(_, traces)| match traces.standing() {
            Standing::HalfSealed => true,
            Standing::Sealed => !traces.is_complete(),
            Standing::Open => all,
            Standing::Lost => false,
        });
        cut_off.map(|(number, _)| *number).chain(arrivals.volumes()).collect()
    }

    fn tell(&self, sealed: &[Sealed]) {
        if self.interrupt.came() {
            self.reporter.warn("interrupted: the same command goes on from here");
        }
        let sealed: Vec<&Sealed> = sealed.iter().filter(|one| one.is_new).collect();
        if sealed.is_empty() {
            self.reporter.summary("nothing was sealed");
            return;
        }
        let names: Vec<String> = sealed.iter().map(|one| one.number.to_string()).collect();
        self.reporter.summary(&format!(
            "sealed {}: {} ({}, {})",
            report::count(sealed.len() as u64, "volume"),
            names.join(", "),
            report::count(sealed.iter().map(|one| one.files).sum(), "file"),
            report::bytes(sealed.iter().map(|one| one.bytes).fold(0, u64::saturating_add))
        ));
    }
}

/// Nothing is to leave the archive from the first sealed volume on.
fn protect(archive: &Archive) -> Result<(), Failure> {
    publish::new_or_same(&archive.dir, MARKER, b"").or_else(|error| match error {
        // Whatever it holds, it protects.
        publish::Unpublished::Differs => Ok(()),
        publish::Unpublished::Io(error) => Err(publish::failure(&archive.dir.join(MARKER), &error)),
    })
}
