//! A table of all volumes, for people.

use std::io::Write;
use std::path::Path;

use super::tally::Tally;
use super::{Job, sealed};
use crate::cli::Failure;
use crate::escape;
use crate::report::{self, shown};
use crate::volume::Number;
use crate::volume::archive::{Archive, Standing, Traces};
use crate::volume::catalogue::{Burn, State, Volume};
use crate::volume::medium;

const HEAD: [&str; 11] =
    ["volume", "label", "state", "files", "bytes", "image", "fill", "first", "last", "copies", "where"];

/// Which of these columns are texts.
const LEFT: [usize; 6] = [1, 2, 7, 8, 9, 10];

/// Writes the table to `out`.
///
/// # Errors
/// [`Failure`] where the archive cannot be looked at, or the output fails.
pub(super) fn write(job: &Job<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let archive = Archive::survey(&job.options.archive)?;
    archive.refuse_dates("listing")?;
    if archive.volumes.is_empty() {
        job.reporter.summary("no volumes");
        return Ok(());
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    for (number, traces) in &archive.volumes {
        rows.push(row(&archive, *number, *traces, job)?);
    }
    let mut text = report::columns(&rows, &LEFT).join("\n");
    text.push('\n');
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

fn row(archive: &Archive, number: Number, traces: Traces, job: &Job<'_>) -> Result<[String; HEAD.len()], Failure> {
    let standing = traces.standing();
    let volume = match volume(archive, number, traces, job) {
        Ok(Some(volume)) => volume,
        Ok(None) => return Ok(bare(number, if traces.was_left() { "empty" } else { "lost" })),
        Err(Failure::Stop(problem)) => {
            job.reporter.failed_text("listing", &shown(&number.dir(&archive.dir)), &problem);
            return Ok(bare(number, "damaged"));
        }
        Err(other) => return Err(other),
    };
    let is_told = !traces.is_burned() || !volume.burns.is_empty();
    let place = place(traces, is_told);
    if !is_told && !traces.has_dir {
        let dir = shown(&number.dir(&archive.dir));
        job.reporter.warn(&format!("listing: {dir}: the catalogue calls it burned, and tells of no disc of it"));
    }
    if traces.is_missing() {
        let reason = "it is sealed and was never burned, and its directory is gone";
        job.reporter.failed("listing", &number.dir(&archive.dir), &reason);
    }
    // Any text could stand in a catalogue.
    let date =
        |date: &Option<String>| date.as_ref().map_or_else(|| "-".into(), |date| escape::for_people(date.as_bytes()));
    let state = if standing == Standing::HalfSealed { "half-sealed" } else { volume.state.name() };
    Ok([
        number.to_string(),
        number.label(),
        state.to_owned(),
        report::number(volume.files),
        report::bytes(volume.bytes),
        report::bytes(volume.image_bytes),
        volume.capacity.map_or_else(|| "-".into(), |capacity| medium::fill(volume.image_bytes, capacity)),
        date(&volume.first_date),
        date(&volume.last_date),
        if is_told { copies(&volume.burns) } else { "unknown".into() },
        place.to_owned(),
    ])
}

/// What there is to tell of a volume: what the catalogue says of one that is sealed, and what stands in one that is not.
fn volume(archive: &Archive, number: Number, traces: Traces, job: &Job<'_>) -> Result<Option<Volume>, Failure> {
    let known = archive.catalogue.get(number);
    let capacity = known.and_then(|volume| volume.capacity);
    let filesystem = known.and_then(|volume| volume.fs).unwrap_or_default();
    match traces.standing() {
        Standing::Sealed if traces.is_complete() => Ok(known.cloned()),
        Standing::Sealed => {
            let tally = sealed::tally(archive, number, traces, filesystem)?;
            Ok(tally.map(|tally| tally.volume(number, State::Sealed, capacity)))
        }
        Standing::Open | Standing::HalfSealed => {
            let failed = |path: &Path, reason: &str| job.reporter.failed("listing", path, &reason);
            let tally = Tally::of_dir(filesystem, &number.dir(&archive.dir), failed);
            Ok(Some(tally.volume(number, State::Open, capacity)))
        }
        Standing::Lost => Ok(None),
    }
}

/// Where it is; on a shelf only where a burn is told of.
fn place(traces: Traces, is_told: bool) -> &'static str {
    match traces {
        _ if traces.has_dir => "here",
        _ if !is_told => "not here",
        _ if traces.is_burned() => "on shelf",
        _ => "missing",
    }
}

/// A volume of which nothing else can be told.
fn bare(number: Number, state: &str) -> [String; HEAD.len()] {
    let mut row = HEAD.map(|_| "-".to_owned());
    row[0] = number.to_string();
    row[1] = number.label();
    row[2] = state.into();
    row
}

/// `2: home, elsewhere`.
fn copies(burns: &[Burn]) -> String {
    let name = |burn: &Burn| burn.copy.as_ref().map(|copy| escape::for_people(copy.as_bytes()));
    let names: Vec<String> = burns.iter().filter_map(name).collect();
    match burns.len() {
        0 => "-".into(),
        count if names.is_empty() => count.to_string(),
        count => format!("{count}: {}", names.join(", ")),
    }
}
