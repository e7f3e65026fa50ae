//! A crawl that keeps its index on disk: what has not changed since is not read, and what was read is not lost.

use std::path::Path;

use super::options::Keeping;
use super::output::{Output, to_record};
use super::{Found, Hashing, Options, Sink, crawl_with, names, output_file};
use crate::cli::{Exit, Failure};
use crate::host::Host;
use crate::index::{Asked, Coverage, Index, Outcome, Place, Young, young};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::record::{FileId, Record};
use crate::report::{self, Reporter};
use crate::walk::{Root, operands};

/// Crawls with the index `file`.
pub(super) fn run(options: &Options, keeping: &Keeping, file: &Path) -> Result<Exit, Failure> {
    let mut progress = Progress::start("ms-crawl", options.common.progress);
    let reporter = progress.reporter("ms-crawl", options.common.quiet);
    if keeping.rehash && options.hashing == Hashing::None {
        return Err(Failure::Usage("--rehash: with --hash none, nothing is read".into()));
    }
    let names = names(options, &reporter)?;
    if names.is_empty() {
        // What should have listed them may have found its disk not mounted.
        return Err(Failure::Stop(format!(
            "nothing to crawl: no names are listed; {} is left as it was",
            report::shown(file)
        )));
    }
    let coverage = Coverage::new(options, &names)?;
    if let Some(max_age) = keeping.max_age.filter(|_| !keeping.rehash)
        && let Some(young) = young(file, &coverage, max_age)?
    {
        progress.finish();
        check_output(|output| young.is_index(output), file)?;
        return answer(options, file, &young, &reporter);
    }
    let roots = operands::roots(names.clone())?;
    roots.iter().try_for_each(|root| check_root(root, file))?;
    let interrupt = Interrupt::install()?;
    let asked = Asked { coverage, rehash: keeping.rehash, jobs: options.common.jobs() };
    let mut index = Index::open(file, asked, &reporter)?;
    let mut output = Output::new(options)?;
    let (host, places) = (options.host, Vec::new());
    let mut sink = Keeper { index: &index, output: &mut output, host, places, unchanged: 0, read: (0, 0) };
    let result = check_output(|output| index.is_own(output), file)
        .and_then(|()| crawl_with(options, roots, Some(&index), &reporter, &progress, &interrupt, &mut sink))
        .and_then(|()| sink.output.finish());
    let Keeper { places, unchanged, read, .. } = sink;
    let outcome = match result {
        Ok(()) if !interrupt.came() => {
            let roots = operands::roots(names)?;
            let finished = index.finish(places, &roots, &options.filter.build()?, options.common.jobs());
            finished.or_else(|failure| index.suspend().and(Err(failure)))
        }
        other => index.suspend().and(other).map(|()| Outcome::default()),
    };
    progress.finish();
    let Outcome { gone, altered } = outcome?;
    for (path, hash) in altered {
        let path = report::shown(&path);
        reporter.warn(&format!(
            "reading: {path}: its content is another, though its size and time are the same; its hash was {hash}"
        ));
    }
    let (number, bytes) = (report::number(read.0), report::bytes(read.1));
    let unchanged = report::number(unchanged);
    let gone = if gone == 0 { String::new() } else { format!(", {} gone from the index", report::number(gone)) };
    let kept = if interrupt.came() { "; what was read is kept for the next crawl" } else { "" };
    let details = format!("; {number} read ({bytes}), {unchanged} unchanged{gone}{kept}");
    let next = super::next(options, &output, &interrupt);
    reporter.summary(&(super::summary(&output, &details, &reporter, &interrupt) + &next));
    Ok(interrupt.exit().unwrap_or_else(|| reporter.exit()))
}

/// Prints an index that is young enough.
fn answer(options: &Options, file: &Path, young: &Young, reporter: &Reporter) -> Result<Exit, Failure> {
    // The index is sorted already.
    let mut output = Output::new(&Options { sort: false, ..options.clone() })?;
    for mut part in young.table.parts(1) {
        while let Some((_, row)) = part.next_row() {
            let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", report::shown(file))))?;
            output.write_row(&row)?;
        }
    }
    output.finish()?;
    young.table.check_whole()?;
    let (files, bytes) = output.written();
    let (files, bytes) = (report::count(files, "file"), report::bytes(bytes));
    reporter.summary(&format!("{files}, {bytes}, as {} had them {}", report::shown(file), ago(young.age.as_secs())));
    Ok(reporter.exit())
}

/// How long ago, in the largest unit that fits.
fn ago(seconds: u64) -> String {
    let (unit, noun) = match seconds {
        0..60 => (1, "second"),
        60..3600 => (60, "minute"),
        3600..86_400 => (3600, "hour"),
        _ => (86_400, "day"),
    };
    format!("{} ago", report::count(seconds / unit, noun))
}

/// A disk that is not mounted must not empty an index, nor let whoever reads along believe that it is empty.
fn check_root(root: &Root, file: &Path) -> Result<(), Failure> {
    let looked_at = root.path.metadata().and_then(|status| {
        if status.is_dir() { std::fs::read_dir(&root.path)?.next().transpose().map(drop) } else { Ok(()) }
    });
    looked_at.map_err(|error| {
        let (root, file) = (report::shown(&root.path), report::shown(file));
        let reason = report::reason(&error);
        Failure::Stop(format!("listing: {root}: {reason}; nothing was crawled, and {file} is left as it was"))
    })
}

fn check_output(is_own: impl Fn(FileId) -> bool, file: &Path) -> Result<(), Failure> {
    if output_file().is_some_and(is_own) {
        let file = report::shown(file);
        return Err(Failure::Usage(format!("--index: {file} is standard output as well; it needs no redirection")));
    }
    Ok(())
}

/// Hands on what is found, and sees to it that the index has it.
#[derive(Debug)]
struct Keeper<'a> {
    index: &'a Index,
    output: &'a mut Output,
    host: Option<Host>,
    /// Rows that the index has not in order: eight bytes for each.
    places: Vec<Place>,
    unchanged: u64,
    /// Files and bytes.
    read: (u64, u64),
}

impl Keeper<'_> {
    fn keep(&mut self, found: &[Found]) -> Result<(), Failure> {
        let mut new: Vec<Record> = Vec::new();
        for file in found {
            match file.seen {
                Some(_) => self.unchanged += 1,
                None if file.hash.is_some() => self.read = (self.read.0 + 1, self.read.1 + file.status.size),
                None => {}
            }
            match file.seen.filter(|seen| seen.verbatim) {
                Some(seen) if self.index.keep(seen.place) => {}
                Some(seen) => self.places.push(seen.place),
                None => new.push(to_record(file, self.host)),
            }
        }
        if !new.is_empty() {
            self.places.extend(self.index.add(&new)?);
        }
        Ok(())
    }
}

impl Sink for Keeper<'_> {
    /// What is hashed is written down before anybody hears of it.
    fn take(&mut self, found: Vec<Found>) -> Result<(), Failure> {
        self.index.check_whole()?;
        self.keep(&found)?;
        if self.output.sorts() {
            return self.output.take(found);
        }
        for file in found {
            match file.seen.filter(|seen| seen.verbatim) {
                Some(seen) => self.output.write_line(&file, self.index.line(seen.place))?,
                None => self.output.write(&file)?,
            }
        }
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Failure> {
        self.output.pause()
    }
}
