//! A table of the volumes, for people.

use std::io::{self, Write as _};

use super::Job;
use super::contents::Contents;
use crate::cli::Failure;
use crate::escape;
use crate::report;
use crate::volume::Number;
use crate::volume::archive::{Archive, Standing, Traces};
use crate::volume::catalogue::{Burn, State, Volume};

const HEAD: [&str; 11] =
    ["volume", "label", "state", "files", "bytes", "image", "fill", "first", "last", "where", "copies"];

/// These are numbers, and stand to the right.
const RIGHT: std::ops::Range<usize> = 3..7;

type Row = [String; HEAD.len()];

/// Writes it to standard output.
///
/// # Errors
/// [`Failure`] where the archive cannot be looked at, or the output fails.
pub(super) fn write(job: &Job<'_>) -> Result<(), Failure> {
    super::cat::check_archive(&job.options.archive)?;
    let archive = Archive::survey(&job.options.archive)?;
    let rows =
        archive.volumes.iter().filter(|(_, traces)| traces.standing() != Standing::Lost || traces.state.is_some());
    let rows: Vec<Row> = std::iter::once(HEAD.map(str::to_owned))
        .chain(rows.map(|(number, traces)| row(*number, *traces, &archive)))
        .collect();
    let mut out = io::stdout().lock();
    let written = rows.iter().try_for_each(|row| writeln!(out, "{}", line(row, &rows)));
    written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

fn line(row: &Row, all: &[Row]) -> String {
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let cells: Vec<String> = row
        .iter()
        .enumerate()
        .map(|(column, cell)| match width(column) {
            width if RIGHT.contains(&column) => format!("{cell:>width$}"),
            width => format!("{cell:<width$}"),
        })
        .collect();
    cells.join("  ").trim_end().to_owned()
}

fn row(number: Number, traces: Traces, archive: &Archive) -> Row {
    let entry = archive.catalogue.get(number).filter(|entry| entry.state != State::Open);
    let unknown = || "-".to_owned();
    let (label, state, place) = (number.label(), state(traces), place(traces));
    let Some(entry) = entry else {
        let contents = if traces.has_dir { Contents::of(&number.dir(&archive.dir)) } else { Contents::default() };
        let bytes = contents.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.status.size));
        let files = report::number(contents.files.len() as u64);
        let bytes = report::number(bytes);
        return [
            number.to_string(),
            label,
            state,
            files,
            bytes,
            unknown(),
            unknown(),
            unknown(),
            unknown(),
            place,
            unknown(),
        ];
    };
    [
        number.to_string(),
        label,
        state,
        report::number(entry.files),
        report::number(entry.bytes),
        report::number(entry.image_bytes),
        fill(entry),
        shown(entry.first_date.as_deref()),
        shown(entry.last_date.as_deref()),
        place,
        copies(&entry.burns),
    ]
}

fn shown(text: Option<&str>) -> String {
    text.map_or("-".to_owned(), |text| escape::for_people(text.as_bytes()))
}

fn state(traces: Traces) -> String {
    match traces.standing() {
        Standing::HalfSealed => "sealing was cut off".to_owned(),
        Standing::Open | Standing::Lost => State::Open.name().to_owned(),
        Standing::Sealed => {
            traces.state.filter(|state| *state != State::Open).map_or("sealing was cut off", State::name).to_owned()
        }
    }
}

fn place(traces: Traces) -> String {
    match (traces.has_dir, traces.state) {
        (true, _) => "here",
        (false, Some(State::Burned)) => "on shelf",
        (false, _) => "gone, and never burned",
    }
    .to_owned()
}

/// How much of its disc it takes, never rounded up.
fn fill(entry: &Volume) -> String {
    let Some(capacity) = entry.capacity.filter(|capacity| *capacity > 0) else { return "-".to_owned() };
    let hundredths = u128::from(entry.image_bytes) * 10_000 / u128::from(capacity);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// `2: home, elsewhere`.
fn copies(burns: &[Burn]) -> String {
    if burns.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = burns
        .iter()
        .map(|burn| burn.copy.as_deref().or(burn.media_id.as_deref()).unwrap_or(&burn.date))
        .map(|name| escape::for_people(name.as_bytes()))
        .collect();
    format!("{}: {}", burns.len(), names.join(", "))
}
