//! A page for people: what an index holds, or what a plan is going to do, as one file of HTML that needs nothing else.
//!
//! ```text
//! stream -> survey -> stock, duplicates, arrivals, volumes, moves -> document
//!                                  album, thumbnail --------------------^
//! ```
//!
//! | question | module |
//! |----------|--------|
//! | Which section does a row belong to? | `survey` |
//! | What is there, what goes, and why? | `stock`, `duplicates`, `arrivals`, `volumes`, `moves` |
//! | What is summed up, and by what? | `tally`, `kind`, `folder`, `timeline` |
//! | How is a number drawn? | `chart`, `treemap` |
//! | Are the files of a plan there? | `presence` |
//! | What does a file look like? | `album`, `thumbnail` |
//! | How does a name become HTML? | `markup` |
//! | What comes first, and what around it all? | `headline`, `document` |
//!
//! What is summed up grows with the number of folders and months, lists have their ends, and rows are read again where they
//! are shown. The page hangs on the stream and on the files that it tells of, and not on the order of its rows, on threads
//! or on the day.

mod album;
mod arrivals;
mod chart;
mod document;
mod duplicates;
mod folder;
mod headline;
mod kind;
mod markup;
mod moves;
mod options;
mod presence;
mod stock;
mod survey;
mod tally;
mod thumbnail;
mod timeline;
mod treemap;
mod volumes;

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write};

use album::Album;
pub use options::{Builder, Options};
use presence::Presence;
use survey::Survey;

use crate::cli::{Exit, Failure};
use crate::escape;
use crate::guide;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{self, Reporter};
use crate::stream::Table;

/// The bytes that a checked text of a row stands for.
fn plain(escaped: &[u8]) -> Cow<'_, [u8]> {
    escape::unescape(escaped).unwrap_or(Cow::Borrowed(escaped))
}

/// Reads the streams and writes the page.
///
/// # Errors
/// [`Failure`] where a stream cannot be read or has malformed lines, or the page cannot be written.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<Exit, Failure> {
    if std::io::stdout().is_terminal() {
        let problem = "standard output is a terminal, and the page is for a browser: ms-report > page.html";
        return Err(Failure::Usage(problem.into()));
    }
    // Nothing has begun while records are still coming, so a signal may end that at once.
    let table = Table::open(&options.streams)?;
    let interrupt = Interrupt::install()?;
    let mut progress = Progress::start("ms-report", options.common.progress);
    let reporter = progress.reporter("ms-report", options.common.quiet);
    let page = page(options, &table, &interrupt, &progress, &reporter);
    progress.finish();
    let page = page?;
    if let Some(exit) = interrupt.exit() {
        reporter.warn("interrupted: nothing was written");
        return Ok(exit);
    }
    out.write_all(page.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(reporter.exit())
}

fn page(
    options: &Options,
    table: &Table,
    interrupt: &Interrupt,
    progress: &Progress,
    reporter: &Reporter,
) -> Result<String, Failure> {
    let (survey, faults) = Survey::read(table, options.skip_bad_lines, interrupt, progress);
    table.check_whole()?;
    if interrupt.came() {
        return Ok(String::new());
    }
    if survey.all.files == 0
        && !faults.are_skipped()
        && let Some((place, fault)) = table.told(&faults).next()
    {
        return Err(Failure::Stop(format!("reading: {place}: {fault}; no line is a record: this is no index or plan")));
    }
    table.judge(&faults, reporter)?;
    let working_dir = std::env::current_dir()
        .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
    let jobs = options.thumbnails.then(|| options.common.jobs());
    let mut album = Album::new(jobs, interrupt, &working_dir);
    let looked_at = jobs.filter(|_| survey.movers().files > 0);
    let presence = Presence::look(table, &survey.duplicates, looked_at, interrupt, &working_dir);
    let page = document::write(&survey, table, &mut album, &presence, options)?;
    table.check_whole()?;
    if interrupt.came() {
        return Ok(String::new());
    }
    tell(&survey, &album, &presence, page.len(), reporter);
    Ok(page)
}

fn tell(survey: &Survey, album: &Album<'_>, presence: &Presence, bytes: usize, reporter: &Reporter) {
    if let Some(trouble) = presence.trouble() {
        reporter.warn(&trouble);
    }
    if let Some(trouble) = album.trouble() {
        reporter.warn(&format!("files without a picture: {trouble}"));
    }
    let records = report::count(survey.all.files, "record");
    let pictures = report::count(album.len() as u64, "picture");
    let next = guide::next("to look at it", "xdg-open", "");
    reporter.summary(&format!("{records}, {pictures}, a page of {}{next}", report::bytes(bytes as u64)));
}
