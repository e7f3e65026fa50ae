//! What is there: the rows that nobody wants moved.

use super::album::Album;
use super::chart;
use super::folder::{self, Holdings};
use super::kind::Kinds;
use super::markup::{Html, Rows, Text, Trail};
use super::tally::{Shortlist, Tally};
use super::timeline::Timeline;
use super::treemap;
use crate::report;
use crate::stream::Row;
use crate::verify::Reason;
use crate::volume::date::Date;

/// So many of the largest files are listed.
const MOST_LARGE: usize = 50;

/// Bytes that each list may take.
const ROOM: usize = 200_000;

/// So many files that did not hold are listed.
const MOST_FALLEN: usize = 200;

/// Files by date, by kind and by folder, and the largest of them.
#[derive(Debug)]
pub(super) struct Stock {
    pub(super) all: Tally,
    timeline: Timeline,
    /// Whether the path of any tells its date.
    is_dated: bool,
    kinds: Kinds,
    holdings: Holdings,
    largest: Shortlist,
    /// Rows without a hash.
    unhashed: u64,
    /// For each of [`Reason::ALL`], rows that a check of the files has let fall.
    fallen: [Shortlist; Reason::ALL.len()],
}

impl Default for Stock {
    fn default() -> Self {
        Self {
            all: Tally::default(),
            timeline: Timeline::default(),
            is_dated: false,
            kinds: Kinds::default(),
            holdings: Holdings::default(),
            largest: Shortlist::new(MOST_LARGE),
            unhashed: 0,
            fallen: [(); Reason::ALL.len()].map(|()| Shortlist::new(MOST_FALLEN)),
        }
    }
}

impl Stock {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &Row<'_>, path: &[u8]) {
        self.all.add(row.size);
        // Once one path tells a date, not all of them are from the files' last change.
        self.is_dated = self.is_dated || Date::of_file(path, None) != Date::NONE;
        self.timeline.add(Date::of_file(path, row.mtime), row.size);
        self.kinds.add(path, row.size);
        self.holdings.add(path, row.size);
        self.largest.offer_large(row);
        self.unhashed += u64::from(row.hash.is_none() && row.size > 0);
        if let Some(reason) = row.note.and_then(Reason::of_note) {
            self.fallen[reason as usize].offer_by_path(row);
        }
    }

    /// How many folders hold them.
    pub(super) fn folders(&self) -> u64 {
        self.holdings.len() as u64
    }

    /// `from 2006 to 2023`, `last changed in 2023`.
    pub(super) fn span_text(&self) -> String {
        match self.timeline.span() {
            Some((first, last)) if !self.is_dated && first == last => format!("last changed in {first}"),
            Some((first, last)) if !self.is_dated => format!("last changed from {first} to {last}"),
            _ => self.timeline.span_text(),
        }
    }

    /// How many rows a check has let fall.
    pub(super) fn fallen(&self) -> u64 {
        self.fallen.iter().map(|list| list.all.files).sum()
    }

    /// The section.
    pub(super) fn put(&self, html: &mut Html, album: &Album<'_>, heading: &str) {
        html.put(format_args!("<section id=\"stock\"><h2>{}</h2>", Text(heading)));
        html.put(format_args!("<p>{} in {}.", self.all, report::count(self.folders(), "folder")));
        if self.unhashed > 0 {
            html.put(format_args!(
                " {} no hash: they are no evidence for duplicates.",
                Text(&has_or_have(self.unhashed, "record"))
            ));
        }
        self.put_fallen(html, album);
        html.put(format_args!("<div class=\"parts\">"));
        let told_by = "By the date that folders and names tell, else by the last change of the file.";
        if self.timeline.is_short() {
            // Kinds take the next row, for there would be nothing beside them below the months.
            self.timeline.put_years(html, told_by);
            self.timeline.put_months(html);
            self.kinds.put(html, true);
        } else {
            html.put(format_args!("<div class=\"pile\">"));
            self.timeline.put_years(html, told_by);
            self.kinds.put(html, false);
            html.put(format_args!("</div>"));
            self.timeline.put_months(html);
        }
        treemap::put(html, &self.holdings);
        html.put(format_args!("</div>"));
        self.put_largest(html, album);
        html.put(format_args!("</section>"));
    }

    fn put_largest(&self, html: &mut Html, album: &Album<'_>) {
        let entries = self.largest.sorted();
        let largest = entries.first().map_or(0, |entry| entry.size);
        html.put(format_args!(
            "<details class=\"list\" open><summary>The largest files</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"The largest files\"><table><thead><tr><th scope=\"col\">File<th scope=\"col\">Size\
             <th scope=\"col\" class=\"wide\"><span class=\"unseen\">Size, drawn</span><tbody>"
        ));
        let mut rows = Rows::new(MOST_LARGE as u64, html.room(ROOM));
        for entry in &entries {
            let mut row = Html::default();
            album.put_name(&mut row, &entry.path, folder::base(&entry.path));
            let folder = Trail(folder::of(&entry.path));
            row.put(format_args!("<span class=\"in\">{folder}</span><td>{}<td>", report::bytes(entry.size)));
            chart::bar(&mut row, entry.size, largest);
            rows.row(format_args!("<tr><th scope=\"row\">{row}"));
        }
        html.put_rows(&rows);
        html.put(format_args!("</table></div>"));
        put_more(html, self.largest.all.files, rows.shown());
        html.put(format_args!("</details>"));
    }

    fn put_fallen(&self, html: &mut Html, album: &Album<'_>) {
        for (reason, list) in Reason::ALL.into_iter().zip(&self.fallen) {
            if list.all.files == 0 {
                continue;
            }
            html.put(format_args!(
                "<details class=\"list alarm\" open><summary>{}: {}</summary><ul class=\"plain\">",
                reason.name(),
                list.all
            ));
            let mut rows = Rows::new(MOST_FALLEN as u64, html.room(ROOM));
            for entry in list.sorted() {
                let mut name = Html::default();
                album.put_name(&mut name, &entry.path, &entry.path);
                rows.row(format_args!("<li>{name} <span class=\"in\">{}</span>", report::bytes(entry.size)));
            }
            html.put_rows(&rows);
            html.put(format_args!("</ul>"));
            put_more(html, list.all.files, rows.shown());
            html.put(format_args!("</details>"));
        }
    }
}

/// What a list leaves out.
pub(super) fn put_more(html: &mut Html, all: u64, shown: u64) {
    let more = all.saturating_sub(shown);
    if more > 0 {
        html.put(format_args!("<p class=\"note\">And {}.", report::count(more, "more file")));
    }
}

/// `1 record has`, `3 records have`.
pub(super) fn has_or_have(count: u64, noun: &str) -> String {
    format!("{} {}", report::count(count, noun), if count == 1 { "has" } else { "have" })
}
