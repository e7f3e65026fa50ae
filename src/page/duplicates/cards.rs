//! Sets of copies as people see them: side by side, the one that stays marked.

use std::collections::BTreeMap;

use super::Duplicates;
use super::sets::{MOST_PICTURED, Set};
use crate::cli::Failure;
use crate::page::album::{Album, Look, Wanted};
use crate::page::chart;
use crate::page::folder;
use crate::page::markup::{Html, Trail};
use crate::page::moves::put_routes;
use crate::page::presence::Presence;
use crate::record::Timestamp;
use crate::report;
use crate::stream::Table;
use crate::volume::date::Date;

/// So many pairs of folders are shown with what is in them.
const MOST_PAIRS: usize = 150;

/// Bytes of markup that all sets may take, beside their pictures.
const ROOM: usize = 1_200_000;

/// So many pairs stand open from the start.
const MOST_OPEN: usize = 3;

impl Duplicates {
    /// The section.
    ///
    /// # Errors
    /// When the stream was changed meanwhile.
    pub(in crate::page) fn put(
        &self,
        html: &mut Html,
        album: &mut Album<'_>,
        table: &Table,
        presence: &Presence,
    ) -> Result<(), Failure> {
        let routes = self.routes.sorted();
        let pairs = routes.get(..MOST_PAIRS).unwrap_or(&routes);
        let sets = self.sets(pairs, table)?;
        let looks = look(album, &sets);
        html.put(format_args!("<section id=\"duplicates\"><h2>Duplicates</h2>"));
        self.put_facts(html);
        put_lost(html, presence.lost());
        let mut by_route: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        sets.iter().enumerate().for_each(|(place, set)| by_route.entry(set.route).or_default().push(place));
        let largest = routes.first().map_or(0, |number| self.routes.get(*number).1.bytes);
        let (mut room, mut open) = (html.room(ROOM), 0);
        for number in pairs {
            let places = by_route.get(number).map_or(&[][..], Vec::as_slice);
            let is_open = open < MOST_OPEN && !places.is_empty();
            open += usize::from(is_open);
            let mut pair = Html::default();
            self.put_pair_head(&mut pair, *number, is_open, largest);
            let mut shown = 0;
            pair.put(format_args!("<div class=\"sets\">"));
            for place in places {
                if pair.len() >= room {
                    break;
                }
                self.put_set(&mut pair, album, &sets[*place], looks.get(*place).map_or(&[], Vec::as_slice));
                shown += sets[*place].copies;
            }
            pair.put(format_args!("</div>"));
            put_rest(&mut pair, self.routes.get(*number).1.files.saturating_sub(shown));
            room = room.saturating_sub(pair.len());
            html.add_list(&pair);
        }
        if routes.len() > MOST_PAIRS {
            let more = report::count((routes.len() - MOST_PAIRS) as u64, "more pair");
            html.put(format_args!("<p class=\"note\">And {more} of folders.</p>"));
        }
        html.put(format_args!("<details class=\"numbers\"><summary>All pairs of folders as a table</summary>"));
        put_routes(html, &self.routes);
        html.put(format_args!("</details></section>"));
        Ok(())
    }

    fn put_facts(&self, html: &mut Html) {
        let keepers = if self.keepers == 1 { "file that stays" } else { "files that stay" };
        html.put(format_args!("<p>{} of {} {keepers}", self.all, report::number(self.keepers)));
        html.put(format_args!(", by pairs of folders, those first that would free most. "));
        html.put(format_args!(
            "Nothing is deleted: the bytes come free once you empty the place where the copies go.</p>"
        ));
        if self.leaving > 0 {
            html.put(format_args!(
                "<p class=\"alarm\"><strong>{} moved, too.</strong> \
                 Where such a file goes first, ms-mv refuses the copies that count on it; where it goes last, they all go.</p>",
                if self.leaving == 1 {
                    "1 file that should stay would not stay: this stream wants it".to_owned()
                } else {
                    format!("{} files that should stay would not stay: this stream wants them", report::number(self.leaving))
                }
            ));
        }
    }

    fn put_pair_head(&self, html: &mut Html, number: usize, is_open: bool, largest: u64) {
        let (route, tally) = self.routes.get(number);
        let open = if is_open { " open" } else { "" };
        html.put(format_args!("<details class=\"pair\"{open}><summary><span class=\"way\">"));
        if route.from == route.to {
            html.put(format_args!(
                "<span class=\"path\">{}</span> <span class=\"in\">within the folder</span>",
                Trail(&route.from)
            ));
        } else {
            html.put(format_args!("<span class=\"path\">{}</span>", Trail(&route.from)));
            html.put(format_args!(
                " <span class=\"to\">has copies of <span class=\"path\">{}</span></span>",
                Trail(&route.to)
            ));
        }
        html.put(format_args!("</span><span class=\"sum\">{tally}</span>"));
        chart::bar(html, tally.bytes, largest);
        html.put(format_args!("</summary>"));
    }

    fn put_set(&self, html: &mut Html, album: &Album<'_>, set: &Set, looks: &[Look]) {
        let has_pictures = album.opens_files() && !looks.is_empty();
        let keep = set.keeper.path.as_os_str().as_encoded_bytes();
        let now = set.keeper_now.as_deref();
        let size = set.shown.first().map_or(0, |record| record.size);
        let long = if set.copies > 1 { " long" } else { "" };
        html.put(format_args!("<ul class=\"set{}{long}\">", if has_pictures { "" } else { " bare" }));
        let look = |place: usize| looks.get(place).copied().filter(|_| has_pictures);
        put_card(
            html,
            album,
            &Card {
                path: now.unwrap_or(keep),
                name: keep,
                size,
                mtime: set.keeper.mtime,
                fate: self.fate(keep, Fate::Stays),
            },
            look(0),
        );
        for (place, record) in set.shown.iter().enumerate() {
            let path = record.path.as_os_str().as_encoded_bytes();
            put_card(
                html,
                album,
                &Card { path, name: path, size: record.size, mtime: record.mtime, fate: self.fate(path, Fate::Goes) },
                look(place + 1),
            );
        }
        let more = set.copies.saturating_sub(set.shown.len() as u64);
        if more > 0 {
            html.put(format_args!("<li class=\"more\">and {} more", report::number(more)));
        }
        html.put(format_args!("</ul>"));
    }

    /// What becomes of a file that one row wants to stay or to go.
    fn fate(&self, path: &[u8], fate: Fate) -> Fate {
        if self.is_torn(path) { Fate::Torn } else { fate }
    }
}

/// The pictures of the first sets; of the others there are none to see.
fn look(album: &mut Album<'_>, sets: &[Set]) -> Vec<Vec<Look>> {
    let wanted: Vec<Vec<Wanted>> = sets.iter().take(MOST_PICTURED).map(Set::wanted).collect();
    album.look(&wanted)
}

/// Copies that should stay, and are not there or not the same.
fn put_lost(html: &mut Html, (missing, changed): (u64, u64)) {
    let files = |count, one, many| if count == 1 { one } else { many };
    if missing > 0 {
        html.put(format_args!(
            "<p class=\"alarm\"><strong>{} that should stay {} not found.</strong> {} may be on a disc on the shelf, or this page was \
             made in another directory than its index. ms-mv refuses a copy whose keeper it does not find.</p>",
            report::count(missing, "file"),
            files(missing, "was", "were"),
            files(missing, "It", "They")
        ));
    }
    if changed > 0 {
        html.put(format_args!(
            "<p class=\"alarm\"><strong>{} that should stay {} changed since the plan.</strong> Whether {} the same still, ms-mv \
             checks before it moves a copy.</p>",
            report::count(changed, "file"),
            files(changed, "has", "have"),
            files(changed, "it is", "they are")
        ));
    }
}

/// The copies of a pair that are not shown.
fn put_rest(html: &mut Html, more: u64) {
    if more > 0 {
        let copies = if more == 1 { "copy" } else { "copies" };
        html.put(format_args!("<p class=\"note\">And {} more {copies}, not shown.</p>", report::number(more)));
    }
    html.put(format_args!("</details>"));
}

struct Card<'a> {
    /// Where it is now.
    path: &'a [u8],
    /// What it is known by: for a keeper, where it will be.
    name: &'a [u8],
    size: u64,
    mtime: Option<Timestamp>,
    fate: Fate,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Stays,
    Goes,
    /// It stays for one row, and goes by another.
    Torn,
}

fn put_card(html: &mut Html, album: &Album<'_>, card: &Card<'_>, look: Option<Look>) {
    let (class, word) = match card.fate {
        Fate::Stays => ("stays", "stays"),
        Fate::Goes => ("goes", "goes"),
        Fate::Torn => ("torn", "stays and goes"),
    };
    html.put(format_args!("<li class=\"{class}\">"));
    if let Some(look) = look {
        album.put(html, card.path, look);
    }
    html.put(format_args!("<div><b class=\"badge\">{word}</b> "));
    album.put_name(html, card.path, folder::base(card.name));
    html.put(format_args!(" <span class=\"in\">{}", report::bytes(card.size)));
    if let Some(date) = card.mtime.and_then(Date::of_time) {
        html.put(format_args!(", changed {date}"));
    }
    html.put(format_args!("</span>"));
    if card.path != card.name {
        html.put(format_args!(" <span class=\"in\">now {}</span>", Trail(card.path)));
    }
    html.put(format_args!("</div>"));
}
