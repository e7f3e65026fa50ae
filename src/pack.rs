//! Which file goes to which volume of an archive, so that the image of each volume is known to fit its disc.
//!
//! 1. `read`: every row once; what is kept of it is an [`item::Item`] and the name of its file.
//! 2. `roots` and `tree`: where each directory of the sources lies below the root, and so in a volume.
//! 3. `meetings`: what is listed twice counts once, and what would meet at its destination is sorted out.
//! 4. `units`: what is to stay together, the oldest first.
//! 5. `fill`: the volumes, with those that an interrupted run left (`continued`).
//! 6. `names`: what will look different on the medium; `output` and `table`: the plan, and what there is to tell.
//!
//! Nothing is moved or changed. In memory there are about 110 bytes for each record.

mod continued;
mod fill;
mod item;
mod meetings;
mod names;
mod options;
mod output;
mod read;
mod refusals;
mod roots;
mod table;
mod tree;
mod units;

use std::io::Write;

pub use options::{Atomic, Builder, Options};

use crate::cli::{Exit, Failure};
use crate::host::PassedOver;
use crate::interrupt::Interrupt;
use crate::place::Locator;
use crate::progress::Progress;
use crate::report::{self, Reporter, shown};
use crate::stream::Table;
use crate::volume::archive::{Archive, Standing};
use fill::Packing;
use item::Items;
use read::Contents;
use refusals::Refusals;
use roots::Places;
use tree::Tree;

/// The tool's name in its messages.
const TOOL: &str = "ms-pack";

/// What all parts of one run share.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    options: &'a Options,
    table: &'a Table,
    jobs: usize,
    reporter: &'a Reporter,
    interrupt: &'a Interrupt,
}

/// Reads indexes and writes a plan to `out`.
///
/// # Errors
/// [`Failure`] where the archive or an index cannot be used, or the output fails.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<Exit, Failure> {
    // Nothing has begun while records are still coming, so a signal may end that at once.
    let table = Table::open(&options.indexes)?;
    let interrupt = Interrupt::install()?;
    let mut progress = Progress::start(TOOL, options.common.progress);
    let reporter = progress.reporter(TOOL, options.common.quiet);
    let job = Job { options, table: &table, jobs: options.common.jobs(), reporter: &reporter, interrupt: &interrupt };
    let plan = job.plan(&progress);
    progress.finish();
    let Some(plan) = plan? else {
        reporter.warn("interrupted: nothing was written");
        return Ok(interrupt.exit().unwrap_or(Exit::Stopped));
    };
    plan.write(&job, out)
}

/// Everything decided, ready to be written.
#[derive(Debug)]
struct Plan {
    items: Items,
    tree: Tree,
    packing: Packing,
    archived: u64,
    passed_over: PassedOver,
}

impl Job<'_> {
    /// `None` after an interrupt.
    fn plan(&self, progress: &Progress) -> Result<Option<Plan>, Failure> {
        let archive = survey(self)?;
        let Some(contents) = read::read(self, progress)? else { return Ok(None) };
        let mut refusals = Refusals::default();
        let Contents { dirs, mut items, unusable, passed_over } = contents;
        refusals.extend(unusable);
        let locator = Locator::new()
            .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
        let Places { fates, mut tree } = roots::place(&dirs, locator, self)?;
        let archived = items.settle(&fates, &mut tree, &mut refusals, self);
        meetings::sort_out(&mut items, &tree, &mut refusals, self)?;
        let opens = continued::open(&archive, &mut items, &tree, &mut refusals, self)?;
        let order = units::form(&items, &tree, self);
        if self.interrupt.came() {
            return Ok(None);
        }
        let packing = fill::pack(&order, &items, &tree, opens, &archive, self)?;
        // Rows of half a plan would tell of volumes that are whole, and are not.
        if self.interrupt.came() {
            return Ok(None);
        }
        refusals.tell(self)?;
        Ok(Some(Plan { items, tree, packing, archived, passed_over }))
    }
}

/// The archive as it is.
fn survey(job: &Job<'_>) -> Result<Archive, Failure> {
    let archive = Archive::survey(&job.options.to)?;
    archive.refuse_dates("--to")?;
    let half: Vec<String> = archive.that_are(Standing::HalfSealed).map(|number| number.to_string()).collect();
    if !half.is_empty() {
        let finish = format!("ms-seal {} < /dev/null", shown(&archive.dir));
        job.reporter.warn(&format!("sealing was cut off in {}; to finish it: {finish}", half.join(", ")));
    }
    Ok(archive)
}

impl Plan {
    fn write(&self, job: &Job<'_>, out: &mut dyn Write) -> Result<Exit, Failure> {
        output::write(self, job, out)?;
        job.table.check_whole()?;
        if let Some(exit) = job.interrupt.exit() {
            job.reporter.warn("interrupted: what was written is not the whole plan");
            return Ok(exit);
        }
        names::warn(self, job);
        table::tell(self, job);
        self.passed_over.told().iter().for_each(|others| job.reporter.summary(others));
        Ok(job.reporter.exit())
    }
}
