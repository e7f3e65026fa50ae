//! From a drop to a plan: every photo and video to its date, with its companions.
//!
//! 1. `incoming`: what is there, crawled or read from an index.
//! 2. `read`: every file once: its hash, and what it says of itself.
//! 3. `companions`: which files belong together, and `dates`: the time that they share.
//! 4. `template` and `naming`: the path that each should have.
//! 5. `destination`: what is there already, or comes twice.
//! 6. `output`: the plan in the order of its paths, and what there is to tell.
//!
//! Nothing is moved or changed. In memory there is a record for each file.

mod companions;
mod dates;
mod destination;
mod incoming;
mod naming;
mod options;
mod output;
mod read;
mod template;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

pub use options::{Builder, Options};
pub use template::{DEFAULT, Template};

use crate::cli::{Exit, Failure};
use crate::crawl;
use crate::disk::Hardware;
use crate::guide;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{self, Reporter};
use crate::stream::Table;
use companions::{Group, Named};
use incoming::{All, Incoming, Origin};
use read::Content;

/// The tool's name in its messages.
const TOOL: &str = "ms-ingest";

/// What all parts of one run share.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    options: &'a Options,
    disks: &'a Hardware,
    reporter: &'a Reporter,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

/// Looks at the drop and writes a plan to `out`.
///
/// # Errors
/// [`Failure`] where drop and destination overlap, or the operands, the index or the output cannot be used.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut progress = Progress::start(TOOL, options.crawl.common.progress);
    let reporter = progress.reporter(TOOL, options.crawl.common.quiet);
    // Nothing has begun while names or records are still coming, so a signal may end that at once.
    let origin = if options.reads_index() {
        Origin::Index(Table::open(&[])?)
    } else {
        warn_of_indexes(&options.crawl.operands, &reporter);
        Origin::Names(crawl::names(&options.crawl, &reporter)?)
    };
    let interrupt = Interrupt::install()?;
    let disks = &Hardware::new(options.crawl.disks);
    let job = Job { options, disks, reporter: &reporter, progress: &progress, interrupt: &interrupt };
    let plan = make_plan(origin, &job);
    progress.finish();
    let (plan, summary) = plan?;
    if let Some(exit) = interrupt.exit() {
        reporter.warn("interrupted: nothing was written");
        return Ok(exit);
    }
    output::write(&plan, options.crawl.common.format(), out)?;
    reporter.summary(&summary);
    Ok(reporter.exit())
}

/// Where other tools take the name of an index, this one takes what is to be sorted.
fn warn_of_indexes(operands: &[std::ffi::OsString], reporter: &Reporter) {
    let is_index = |path: &&Path| path.extension().is_some_and(|end| end == "tsv" || end == "csv") && path.is_file();
    for index in operands.iter().map(Path::new).filter(is_index) {
        let (shown, word) = (report::shown(index), guide::word(index));
        reporter.warn(&format!("{shown}: is taken for a file to be sorted; as an index, it is read by: < {word}"));
    }
}

/// The plan, and the line that sums it up; something less after an interrupt.
fn make_plan(origin: Origin, job: &Job<'_>) -> Result<(Vec<crate::record::Record>, String), Failure> {
    let All { files, quarantined } = incoming::collect(origin, job)?;
    let contents = read::read(&files, job)?;
    if job.interrupt.came() {
        return Ok((Vec::new(), String::new()));
    }
    let inbox = Inbox::new(files, contents, job.reporter);
    let groups = inbox.groups();
    let captures: Vec<_> = groups.iter().map(|group| dates::of_group(group, &inbox, job.options.rules)).collect();
    let namer = naming::Namer::new(&inbox, &groups, &captures, job.options);
    let fates = destination::decide(&inbox, &groups, &namer, job);
    // What was decided while a signal came may not be decided to the end.
    if job.interrupt.came() {
        return Ok((Vec::new(), String::new()));
    }
    let plan = output::plan(&inbox, &namer, &fates, job.options, job.reporter)?;
    let summary = output::summary(&inbox, &namer, &fates, quarantined, job.reporter);
    Ok((plan, summary))
}

/// The files of the drop, in the order of their paths, with all that is known of them.
#[derive(Debug, Default)]
struct Inbox {
    files: Vec<Incoming>,
    /// What is in each; nothing where it could not be read.
    contents: Vec<Option<Content>>,
}

impl Inbox {
    /// Names what could not be read.
    fn new(files: Vec<Incoming>, contents: Vec<Option<Result<Content, String>>>, reporter: &Reporter) -> Self {
        let named = |(file, content): (&Incoming, Option<Result<Content, String>>)| match content {
            Some(Ok(content)) => Some(content),
            Some(Err(reason)) => {
                reporter.failed("reading", &file.path, &reason);
                None
            }
            None => None,
        };
        let contents = files.iter().zip(contents).map(named).collect();
        Self { files, contents }
    }

    fn name(&self, file: usize) -> &[u8] {
        name_of(self.path(file))
    }

    fn path(&self, file: usize) -> &Path {
        &self.files[file].path
    }

    /// What is in a file, where that is known.
    fn content(&self, file: usize) -> Option<&Content> {
        self.contents.get(file)?.as_ref()
    }

    fn groups(&self) -> Vec<Group> {
        let files: Vec<Named<'_>> = self
            .files
            .iter()
            .zip(&self.contents)
            .map(|(file, content)| {
                let facts = content.as_ref().map(|content| &content.facts);
                Named {
                    dir: &file.dir,
                    name: name_of(&file.path),
                    kind: facts.map_or_else(Default::default, |facts| facts.kind),
                    content_id: facts.and_then(|facts| facts.content_id.as_deref()),
                    is_takeout: content.as_ref().is_some_and(|content| content.takeout.is_some()),
                }
            })
            .collect();
        companions::group(&files)
    }
}

/// The last part of a path.
fn name_of(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}
