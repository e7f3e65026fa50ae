//! Files that go from one folder to another, for whatever reason.

use super::chart;
use super::folder::{self, Common, Routes};
use super::markup::{Html, Rows, Trail};
use super::tally::{Shortlist, Tally};
use crate::report;
use crate::stream::Row;

/// So many routes are listed, in about so many bytes.
const MOST_LISTED: u64 = 200;
const ROOM: usize = 400_000;

/// Rows that have a destination.
#[derive(Debug)]
pub(super) struct Moves {
    pub(super) all: Tally,
    /// Where they are now.
    pub(super) origin: Common,
    /// Where they go.
    pub(super) goal: Common,
    routes: Routes,
    examples: Shortlist,
}

impl Default for Moves {
    fn default() -> Self {
        Self {
            all: Tally::default(),
            origin: Common::default(),
            goal: Common::default(),
            routes: Routes::default(),
            examples: Shortlist::new(MOST_EXAMPLES),
        }
    }
}

/// So many files are listed one by one.
const MOST_EXAMPLES: usize = 100;

impl Moves {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &Row<'_>, path: &[u8], dest: &[u8]) {
        self.all.add(row.size);
        self.origin.add(folder::of(path));
        self.goal.add(folder::of(dest));
        self.routes.add(path, dest, row.size);
        self.examples.offer_by_path(row);
    }

    /// The section.
    pub(super) fn put(&self, html: &mut Html) {
        html.put(format_args!("<section id=\"moves\"><h2>What moves where</h2><p>{}, ", self.all));
        html.put(format_args!("along {} from folder to folder.</p>", report::count(self.routes.len() as u64, "way")));
        put_routes(html, &self.routes);
        html.put(format_args!("<details class=\"list\"><summary>File by file</summary><ul class=\"plain\">"));
        let mut rows = Rows::new(MOST_EXAMPLES as u64, html.room(ROOM));
        for entry in self.examples.sorted() {
            let dest = entry.dest.as_deref().unwrap_or_default();
            rows.row(format_args!(
                "<li><span class=\"path\">{}</span> <span class=\"to\">\u{2192} <span class=\"path\">{}</span></span>",
                Trail(&entry.path),
                Trail(dest)
            ));
        }
        html.put_rows(&rows);
        html.put(format_args!("</ul>"));
        super::stock::put_more(html, self.all.files, rows.shown());
        html.put(format_args!("</details></section>"));
    }
}

/// Routes as a table, the one that takes most bytes first.
pub(super) fn put_routes(html: &mut Html, routes: &Routes) {
    let sorted = routes.sorted();
    let largest = sorted.first().map_or(0, |number| routes.get(*number).1.bytes);
    html.put(format_args!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What moves where\"><table class=\"routes\"><thead>\
         <tr><th scope=\"col\">From and to<th scope=\"col\">Files<th scope=\"col\">Bytes<th scope=\"col\" class=\"wide\">\
         <span class=\"unseen\">Bytes, drawn</span><tbody>"
    ));
    let mut rows = Rows::new(MOST_LISTED, html.room(ROOM));
    for number in &sorted {
        let (route, tally) = routes.get(*number);
        let mut bar = Html::default();
        chart::bar(&mut bar, tally.bytes, largest);
        rows.row(format_args!(
            "<tr><th scope=\"row\"><span class=\"path\">{}</span> <span class=\"to\">\u{2192} <span class=\"path\">{}</span></span>\
             <td>{}<td>{}<td>{bar}",
            Trail(&route.from),
            Trail(&route.to),
            report::number(tally.files),
            report::bytes(tally.bytes)
        ));
        if rows.shown() == MOST_LISTED {
            break;
        }
    }
    html.put_rows(&rows);
    html.put(format_args!("</table></div>"));
    let more = (sorted.len() as u64).saturating_sub(rows.shown());
    if more > 0 {
        html.put(format_args!("<p class=\"note\">And {}.", report::count(more, "more way")));
    }
}
