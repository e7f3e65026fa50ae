//! Finishing the volumes of an archive, and remembering them.
//!
//! 1. `told`: what the rows of a stream say of the files of each volume, and `inventory`: what really stands in it.
//! 2. `hashes`: the files of which nobody told a hash are read.
//! 3. `desk`: the few files that are written, each whole or not at all, and `leftover`: what a crash leaves of
//!    them; `readme`: the one for people.
//! 4. `fresh`: a volume is sealed; `sealed`: one that was sealed before is completed; `locked`: what the archive remembers.
//! 5. `sealing`: one volume after the other. 6. `burned`, `list`, `cat`: what comes later.
//!
//! The order is `.ms-protect` in the archive; `README.txt`, `index.json` and `B3SUMS` in the volume; its listing, its marker, the
//! catalogue. What each of these says depends on nothing but the volume, so that a run after a crash finds that what stands is
//! what should, and goes on from there.
//!
//! In memory there are about 300 bytes for each file of one volume, and 16 for each row.

mod burned;
mod cat;
mod desk;
mod fresh;
mod hashes;
mod inventory;
mod leftover;
mod list;
mod locked;
mod options;
mod readme;
mod sealed;
mod sealing;
mod tally;
mod told;

use std::io::{self, Write};
use std::path::Path;

pub use options::{Action, Builder, Options};

use crate::cli::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{self, Reporter, shown};

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

/// Does what was asked for. Only a list or the records of all volumes go to `out`.
///
/// # Errors
/// [`Failure`] where the archive, the stream or the output cannot be used.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<Exit, Failure> {
    // Nothing has begun while records are still coming, so a signal may end that at once; and the archive may only come to be
    // while whoever writes them works.
    let table = options.table()?;
    let interrupt = Interrupt::install()?;
    let mut progress = Progress::start(TOOL, options.common.progress);
    let reporter = progress.reporter(TOOL, options.common.quiet);
    let job = Job { options, reporter: &reporter, progress: &progress, interrupt: &interrupt };
    let result = job.act(&table, out);
    progress.finish();
    result?;
    Ok(interrupt.exit().unwrap_or_else(|| reporter.exit()))
}

impl Job<'_> {
    fn act(&self, table: &crate::stream::Table, out: &mut dyn Write) -> Result<(), Failure> {
        // A first packing that fills no volume makes no archive, either.
        if self.options.action == Action::Stream && table.is_empty() && is_missing(&self.options.archive) {
            self.reporter.summary("nothing to seal");
            return Ok(());
        }
        check_dir(&self.options.archive)?;
        match &self.options.action {
            Action::Stream | Action::All => sealing::seal(self, table),
            Action::Burned(number, burn) => burned::record(self, *number, burn),
            Action::Unburned(number, copy, media_id) => {
                burned::take_back(self, *number, copy.as_deref(), media_id.as_deref())
            }
            Action::List => list::write(self, out),
            Action::Cat => cat::write(self, out),
        }
    }
}

fn is_missing(dir: &Path) -> bool {
    dir.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// A misspelled archive would look like one without volumes.
fn check_dir(archive: &Path) -> Result<(), Failure> {
    let reason = match archive.metadata() {
        Ok(status) if status.is_dir() => return Ok(()),
        Ok(_) => rustix::io::Errno::NOTDIR.into(),
        Err(error) => error,
    };
    Err(stop("opening the archive", archive, &reason))
}

/// What nothing can be done about.
fn stop(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Stop(format!("{doing}: {}: {}", shown(path), report::reason(error)))
}
