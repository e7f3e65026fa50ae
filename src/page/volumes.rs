//! Volumes of an archive: how full each will be.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::chart;
use super::folder::{self, Common};
use super::markup::{Html, Rows, Trail};
use super::tally::Tally;
use crate::report;
use crate::stream::Row;
use crate::volume::Number;
use crate::volume::date::Date;
use crate::volume::medium::fill;
use crate::volume::planned::Planned;

/// So many volumes are listed, in about so many bytes.
const MOST_LISTED: u64 = 500;
const ROOM: usize = 500_000;

/// A directory of four digits is taken for a volume without a note only up to this number: what follows may be a year.
const LAST_WITH_ZERO: u32 = 999;

/// Where a volume's directory ends in a path, and its number.
fn find(path: &[u8], is: impl Fn(Number) -> bool) -> Option<(usize, Number)> {
    let mut begin = 0;
    for part in path.split(|byte| *byte == b'/') {
        let end = begin + part.len();
        if end < path.len()
            && let Some(number) = Number::of_dir(OsStr::from_bytes(part)).filter(|number| is(*number))
        {
            return Some((end, number));
        }
        begin = end + 1;
    }
    None
}

/// The volume into which a row goes: what its note says, or else a directory such as `0007` in its destination.
pub(super) fn of_dest(dest: &[u8], planned: Option<&Planned>) -> Option<(usize, Number)> {
    match planned {
        Some(planned) => find(dest, |number| number == planned.volume),
        None => of_path(dest),
    }
}

/// The volume in which a path lies.
pub(super) fn of_path(path: &[u8]) -> Option<(usize, Number)> {
    find(path, |number| number.get() <= LAST_WITH_ZERO)
}

#[derive(Debug, Default)]
struct Volume {
    content: Tally,
    /// Bytes with each file rounded up to whole sectors of a disc, as its image has it.
    sectors: u64,
    first: Option<Date>,
    last: Option<Date>,
    /// The most rows that a note says the plan has for it.
    rows: u64,
    /// Rows that carry such a note.
    noted: u64,
    /// The smallest disc that a note tells.
    capacity: Option<u64>,
}

/// Volumes by the directory in which they lie, and by number.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    pub(super) all: Tally,
    /// Where the files are now.
    pub(super) origin: Common,
    /// Where the volumes lie.
    pub(super) goal: Common,
    by_place: BTreeMap<(Vec<u8>, Number), Volume>,
}

impl Volumes {
    /// Adds a file whose place in a volume is `path`.
    pub(super) fn add(
        &mut self,
        row: &Row<'_>,
        path: &[u8],
        (end, number): (usize, Number),
        planned: Option<&Planned>,
    ) {
        self.all.add(row.size);
        self.origin.add(folder::of(&row.path_bytes()));
        let name = path.get(..end).unwrap_or(path);
        self.goal.add(folder::of(name));
        let volume = self.by_place.entry((name.to_vec(), number)).or_default();
        volume.content.add(row.size);
        volume.sectors = volume.sectors.saturating_add(crate::volume::image::content(row.size));
        if let Some(planned) = planned {
            volume.noted += 1;
            volume.rows = volume.rows.max(planned.rows);
            volume.capacity =
                Some(volume.capacity.map_or(planned.disc.capacity, |known| known.min(planned.disc.capacity)));
        }
        let date = Date::of_file(path.get(end + 1..).unwrap_or_default(), row.mtime);
        if date != Date::NONE {
            volume.first = Some(volume.first.map_or(date, |first| first.min(date)));
            volume.last = Some(volume.last.map_or(date, |last| last.max(date)));
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.by_place.len() as u64
    }

    /// The section, of files that go to volumes by a plan or lie in them. `disc` is the capacity that the user has told.
    pub(super) fn put(&self, html: &mut Html, is_plan: bool, disc: Option<u64>) {
        html.put(format_args!("<section id=\"volumes\"><h2>Volumes</h2>"));
        html.put(format_args!("<p>{} in {}. ", self.all, report::count(self.len(), "volume")));
        let known = disc.is_some() || self.by_place.values().any(|volume| volume.capacity.is_some());
        let planned = if is_plan { PLANNED_ONLY } else { "" };
        html.put(format_args!("{}{planned}</p>", if known { CONTENT_ONLY } else { NO_CAPACITY }));
        html.put(format_args!("<ul class=\"volumes\">"));
        let mut rows = Rows::new(MOST_LISTED, html.room(ROOM));
        let largest = self.by_place.values().map(|volume| volume.content.bytes).max().unwrap_or(0);
        for ((name, number), volume) in &self.by_place {
            let mut row = Html::default();
            volume.put(&mut row, name, *number, disc, largest);
            rows.row(format_args!("{row}"));
        }
        html.put_rows(&rows);
        html.put(format_args!("</ul>"));
        let more = self.len().saturating_sub(rows.shown());
        if more > 0 {
            html.put(format_args!("<p class=\"note\">And {}.", report::count(more, "more volume")));
        }
        html.put(format_args!("</section>"));
    }
}

const CONTENT_ONLY: &str = "Bars show the content of the files, in whole sectors, against what the disc holds. Names and folders \
                            need room besides, so ms-pack's own figure is higher: a volume at 94% here may be full.";

const PLANNED_ONLY: &str = " What is in the volume already is not counted.";

const NO_CAPACITY: &str = "The stream does not tell how much a disc holds, so bars compare the volumes with the fullest; \
                           --media or --capacity tells it.";

impl Volume {
    fn put(&self, html: &mut Html, name: &[u8], number: Number, disc: Option<u64>, largest: u64) {
        let capacity = disc.or(self.capacity);
        html.put(format_args!("<li><h3>{} <span class=\"in\">{}</span></h3>", number.label(), Trail(name)));
        match capacity {
            Some(capacity) => chart::bar(html, self.sectors, capacity),
            None => chart::bar(html, self.content.bytes, largest),
        }
        html.put(format_args!("<p>{}", self.content));
        if let Some(capacity) = capacity {
            html.put(format_args!(" of {} (<b>{}</b>)", report::bytes(capacity), fill(self.sectors, capacity)));
            if self.sectors > capacity {
                html.put(format_args!(" <strong class=\"alarm\">more than the disc holds</strong>"));
            }
        }
        if let (Some(first), Some(last)) = (self.first, self.last) {
            html.put(format_args!(
                "<span class=\"in\">{first}{}</span>",
                if first == last { String::new() } else { format!(" to {last}") }
            ));
        }
        if self.rows > self.noted {
            html.put(format_args!(
                "<strong class=\"alarm\">{} of {} are in this stream</strong>",
                report::number(self.noted),
                report::count(self.rows, "planned file")
            ));
        }
        html.put(format_args!("</p>"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_no_volume_and_neither_is_a_file() {
        let number = |path: &str| of_path(path.as_bytes()).map(|(end, number)| (path[..end].to_owned(), number.get()));
        assert_eq!(number("/Archive/0007/2012/a.jpg"), Some(("/Archive/0007".to_owned(), 7)));
        assert_eq!(number("0007/a.jpg"), Some(("0007".to_owned(), 7)));
        for path in ["/data/2019/07/a.jpg", "/data/0007", "/data/7/a", "/data/00007/a", "/data/1000/a", ""] {
            assert_eq!(number(path), None, "{path}");
        }
    }
}
