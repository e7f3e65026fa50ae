//! Files that go where their date says: how each date is known, the doubtful ones first.

use std::collections::BTreeMap;

use super::album::{Album, Look, Wanted};
use super::folder::{self, Common};
use super::markup::{Html, Name, Rows, Text, Trail};
use super::stock::put_more;
use super::tally::{Entry, Shortlist, Tally};
use super::timeline::Timeline;
use crate::report;
use crate::stream::Row;
use crate::volume::date::Date;

/// So many files of each doubtful sort are listed, in about so many bytes.
const MOST_LISTED: usize = 200;
const ROOM: usize = 300_000;

/// So many of these have a picture.
const MOST_PICTURED: usize = 60;

/// So many sources are told apart; there are some twenty.
const MOST_SOURCES: usize = 64;

/// How much a date can be trusted, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    Nothing,
    Mtime,
    Day,
    Changed,
    Name,
    Takeout,
    Sidecar,
    File,
}

impl Trust {
    /// Those that somebody should look at.
    const DOUBTFUL: [Self; 3] = [Self::Nothing, Self::Mtime, Self::Day];

    fn of(source: &[u8], precision: Option<&[u8]>) -> Self {
        match source {
            b"none" => Self::Nothing,
            b"mtime" => Self::Mtime,
            _ if precision == Some(b"day") => Self::Day,
            b"exif:DateTime" | b"png:tIME" | b"mkv:DateUTC" => Self::Changed,
            b"name" => Self::Name,
            _ if source.starts_with(b"takeout:") => Self::Takeout,
            _ if source.starts_with(b"sidecar:") => Self::Sidecar,
            _ => Self::File,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Nothing => "No date at all",
            Self::Mtime => "Only the last change of the file",
            Self::Day => "A day without a time",
            Self::Changed => "When the content was last changed, as the file tells",
            Self::Name => "The file's name",
            Self::Takeout => "Google Takeout",
            Self::Sidecar => "A sidecar",
            Self::File => "The file itself",
        }
    }

    /// Why it is doubtful.
    fn doubt(self) -> &'static str {
        match self {
            Self::Nothing => "Nothing tells when these were taken. They go to a place for what is undated.",
            Self::Mtime => {
                "All that is known is when the file was last changed. Copying, editing and downloading set that anew, so these may be years off."
            }
            _ => "The day is known, but not the time: these stand at the beginning of their day.",
        }
    }
}

/// The row's note, as far as it tells of a date: its source and its precision.
fn date_of(note: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let fact = |name: &[u8]| note.split(|byte| *byte == b' ').find_map(|fact| fact.strip_prefix(name));
    Some((fact(b"date=")?, fact(b"precision=")))
}

/// Whether a note tells where a date is from.
pub(super) fn tells_date(note: &[u8]) -> bool {
    date_of(note).is_some()
}

/// Whether a file goes below a quarantine: with its whole path, of more than a name.
fn keeps_whole_path(path: &[u8], dest: &[u8]) -> bool {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.contains(&b'/') && dest.strip_suffix(path).is_some_and(|dir| dir.ends_with(b"/"))
}

/// What `ms-ingest` has planned.
#[derive(Debug)]
pub(super) struct Arrivals {
    pub(super) all: Tally,
    /// Where they are now.
    pub(super) origin: Common,
    /// Where they go.
    pub(super) goal: Common,
    /// By trust, and by the source as the note spells it.
    sources: BTreeMap<(Trust, Vec<u8>), Tally>,
    further_sources: Tally,
    doubtful: [Shortlist; Trust::DOUBTFUL.len()],
    timeline: Timeline,
    /// Whose zone was that of the machine, for want of a better.
    zone_guessed: u64,
    /// Further names of one file and companions of duplicates, which go to the quarantine.
    pub(super) aside: Tally,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            all: Tally::default(),
            origin: Common::default(),
            goal: Common::default(),
            sources: BTreeMap::new(),
            further_sources: Tally::default(),
            doubtful: Trust::DOUBTFUL.map(|_| Shortlist::new(MOST_LISTED)),
            timeline: Timeline::default(),
            zone_guessed: 0,
            aside: Tally::default(),
        }
    }
}

impl Arrivals {
    /// Adds a row whose note tells of a date.
    pub(super) fn add(&mut self, row: &Row<'_>, [path, dest]: [&[u8]; 2], note: &[u8]) {
        if note.starts_with(b"hardlink") || keeps_whole_path(path, dest) {
            return self.aside.add(row.size);
        }
        let Some((source, precision)) = date_of(note) else { return };
        let trust = Trust::of(source, precision);
        self.all.add(row.size);
        self.origin.add(folder::of(path));
        self.goal.add(folder::of(dest));
        self.count_source(trust, source, row.size);
        if let Some(place) = Trust::DOUBTFUL.iter().position(|doubtful| *doubtful == trust) {
            self.doubtful[place].offer_by_path(row);
        }
        self.timeline.add(Date::of_file(dest, None), row.size);
        self.zone_guessed +=
            u64::from(trust > Trust::Mtime && note.split(|byte| *byte == b' ').any(|fact| fact == b"zone=tz"));
    }

    /// Of sources that nobody knows there may be any number. The first by name are told apart, however they come: one that
    /// was put out has that many before it from then on.
    fn count_source(&mut self, trust: Trust, source: &[u8], size: u64) {
        let source = source.get(..64).unwrap_or(source);
        self.sources.entry((trust, source.to_vec())).or_default().add(size);
        if self.sources.len() > MOST_SOURCES
            && let Some((_, tally)) = self.sources.pop_last()
        {
            self.further_sources += tally;
        }
    }

    /// How many files have a doubtful date.
    pub(super) fn doubtful(&self) -> u64 {
        self.doubtful.iter().map(|list| list.all.files).sum()
    }

    /// The section.
    pub(super) fn put(&self, html: &mut Html, album: &mut Album<'_>) {
        html.put(format_args!("<section id=\"arrivals\"><h2>Sorted in by date</h2><p>{}", self.all));
        if self.aside.files > 0 {
            html.put(format_args!(
                ". Besides, {} go to the quarantine: further names of one file, and companions of duplicates",
                self.aside
            ));
        }
        html.put(format_args!("."));
        if self.zone_guessed > 0 {
            html.put(format_args!(
                " {} time in UTC only; it was turned into the local time of the computer that made the plan. Is that where {} \
                 taken? If not: ms-ingest --tz.",
                Text(&tell_or_tells(self.zone_guessed)),
                if self.zone_guessed == 1 { "it was" } else { "they were" }
            ));
        }
        self.put_doubtful(html, album);
        html.put(format_args!("<div class=\"parts\">"));
        self.put_sources(html);
        self.timeline.put_years(html, "By the date that the new place tells.");
        self.timeline.put_months(html);
        html.put(format_args!("</div></section>"));
    }

    fn put_sources(&self, html: &mut Html) {
        html.put(format_args!(
            "<div class=\"part wide\"><h3>Where the dates are from</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Where the dates are from\"><table><thead><tr><th scope=\"col\">Known by<th scope=\"col\" class=\"t\">Source\
             <th scope=\"col\">Files<th scope=\"col\">Bytes<th scope=\"col\" class=\"wide\"><span class=\"unseen\">Files, drawn</span><tbody>"
        ));
        for ((trust, source), tally) in &self.sources {
            let class = if Trust::DOUBTFUL.contains(trust) { " class=\"doubt\"" } else { "" };
            html.put(format_args!(
                "<tr{class}><th scope=\"row\">{} <span class=\"in phone\">{}</span><td class=\"t\">{}<td>{}<td>{}<td>",
                trust.text(),
                Name(source),
                Name(source),
                report::number(tally.files),
                report::bytes(tally.bytes)
            ));
            super::chart::bar(html, tally.files, self.all.files);
        }
        html.put(format_args!("</table></div>"));
        if self.further_sources.files > 0 {
            html.put(format_args!("<p class=\"note\">And {} from further sources.", self.further_sources));
        }
        html.put(format_args!("</div>"));
    }

    fn put_doubtful(&self, html: &mut Html, album: &mut Album<'_>) {
        for (trust, list) in Trust::DOUBTFUL.into_iter().zip(&self.doubtful) {
            if list.all.files == 0 {
                continue;
            }
            let entries = list.sorted();
            let looks = looks(album, &entries);
            html.put(format_args!(
                "<details class=\"list doubt\" open><summary>{}: {}</summary><p>{}</p><ul class=\"arrivals\">",
                trust.text(),
                list.all,
                trust.doubt()
            ));
            let mut rows = Rows::new(MOST_LISTED as u64, html.room(ROOM));
            for (place, entry) in entries.iter().enumerate() {
                let mut row = Html::default();
                put_entry(&mut row, album, entry, looks.get(place).copied());
                rows.row(format_args!("{row}"));
            }
            html.put_rows(&rows);
            html.put(format_args!("</ul>"));
            put_more(html, list.all.files, rows.shown());
            html.put(format_args!("</details>"));
        }
    }
}

fn looks(album: &mut Album<'_>, entries: &[&Entry]) -> Vec<Look> {
    let wanted =
        |entry: &&Entry| vec![Wanted { path: entry.path.clone(), size: entry.size, mtime: entry.mtime, hash: None }];
    let wanted: Vec<Vec<Wanted>> = entries.iter().take(MOST_PICTURED).map(wanted).collect();
    album.look(&wanted).into_iter().flatten().collect()
}

fn put_entry(html: &mut Html, album: &Album<'_>, entry: &Entry, look: Option<Look>) {
    html.put(format_args!("<li>"));
    if let Some(look) = look.filter(|_| album.opens_files()) {
        album.put(html, &entry.path, look);
    }
    html.put(format_args!("<div>"));
    album.put_name(html, &entry.path, folder::base(&entry.path));
    html.put(format_args!(
        " <span class=\"in\">{}, {}</span>",
        Trail(folder::of(&entry.path)),
        report::bytes(entry.size)
    ));
    if let Some(dest) = &entry.dest {
        html.put(format_args!("<span class=\"to\">\u{2192} <span class=\"path\">{}</span></span>", Trail(dest)));
    }
    html.put(format_args!("</div>"));
}

fn tell_or_tells(count: u64) -> String {
    format!("{} {}", report::count(count, "file"), if count == 1 { "tells its" } else { "tell their" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_how_far_a_date_can_be_trusted() {
        for (note, trust) in [
            ("date=none", Some(Trust::Nothing)),
            ("date=mtime zone=tz offset=+00:00 precision=second", Some(Trust::Mtime)),
            ("date=name precision=day", Some(Trust::Day)),
            ("date=name precision=second", Some(Trust::Name)),
            ("keep mtime=1.000000000 id=1:2 date=exif:DateTimeOriginal precision=second", Some(Trust::File)),
            ("hardlink date=sidecar:xmp:CreateDate precision=minute", Some(Trust::Sidecar)),
            ("date=exif:DateTime precision=second", Some(Trust::Changed)),
            ("volume=7 file=1/2 fs=iso capacity=5", None),
            ("", None),
        ] {
            let found = date_of(note.as_bytes()).map(|(source, precision)| Trust::of(source, precision));
            assert_eq!(found, trust, "{note}");
        }
    }

    #[test]
    fn what_goes_to_the_quarantine_is_set_aside() {
        for (path, dest, aside) in [
            ("drop/a.xmp", "duplicates/drop/a.xmp", true),
            ("/drop/a.xmp", "/d/drop/a.xmp", true),
            ("a.jpg", "library/a.jpg", false),
            ("drop/a.jpg", "library/2019/a.jpg", false),
        ] {
            assert_eq!(keeps_whole_path(path.as_bytes(), dest.as_bytes()), aside, "{path}");
        }
    }

    #[test]
    fn of_any_number_of_sources_the_same_are_told_apart_in_any_order() {
        let sources = |names: &mut dyn Iterator<Item = u32>| {
            let mut arrivals = Arrivals::default();
            names.for_each(|name| arrivals.count_source(Trust::File, format!("{name:04}").as_bytes(), 1));
            (arrivals.sources, arrivals.further_sources)
        };
        let one = sources(&mut (0..500).chain(0..500));
        assert_eq!(one, sources(&mut (0..500).rev().chain(0..500)));
        assert_eq!((one.0.len(), one.1.files), (MOST_SOURCES, 1000 - 2 * MOST_SOURCES as u64));
    }
}
