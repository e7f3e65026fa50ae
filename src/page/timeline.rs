//! Files and bytes by year and month.

use std::collections::BTreeMap;

use super::chart::{self, Column};
use super::markup::{Html, Text};
use super::tally::Tally;
use crate::report;
use crate::volume::date::Date;

/// Years that photos can be from. What tells of others tells of a clock that was wrong.
const YEARS: std::ops::RangeInclusive<i16> = 1826..=2199;

/// The latest years that are drawn month by month; the table has them all.
const MOST_YEARS: usize = 60;

/// The months of so many years are about as high as the columns of years.
const FEW_YEARS: usize = 10;

/// Files and bytes by month.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// By year and month; 0 is a month that nothing tells.
    months: BTreeMap<(i16, u8), Tally>,
    undated: Tally,
}

impl Timeline {
    /// Adds a file of a date.
    pub(super) fn add(&mut self, date: Date, size: u64) {
        match date.year_and_month().filter(|(year, _)| YEARS.contains(year)) {
            Some(month) => self.months.entry(month).or_default().add(size),
            None => self.undated.add(size),
        }
    }

    /// The first and the last year.
    pub(super) fn span(&self) -> Option<(i16, i16)> {
        Some((self.months.first_key_value()?.0.0, self.months.last_key_value()?.0.0))
    }

    /// Whether its months are drawn no higher than its years.
    pub(super) fn is_short(&self) -> bool {
        self.years().len() <= FEW_YEARS
    }

    /// `from 2006 to 2023`, `all from 2019`; nothing where there are no dates.
    pub(super) fn span_text(&self) -> String {
        match self.span() {
            None => String::new(),
            Some((first, last)) if first == last => format!("all from {first}"),
            Some((first, last)) => format!("from {first} to {last}"),
        }
    }

    /// Columns by year.
    pub(super) fn put_years(&self, html: &mut Html, told_by: &str) {
        if self.months.is_empty() {
            return;
        }
        html.put(format_args!("<div class=\"part\"><h3>By year</h3>"));
        chart::columns(html, "Bytes by year", &columns(&self.years()));
        html.put(format_args!("<p class=\"note\">{}", Text(told_by)));
        if self.undated.files > 0 {
            html.put(format_args!(" Without a date that photos can have: {}.", self.undated));
        }
        html.put(format_args!("</div>"));
    }

    /// A shade for each month, and all numbers.
    pub(super) fn put_months(&self, html: &mut Html) {
        if self.months.is_empty() {
            return;
        }
        html.put(format_args!("<div class=\"part\"><h3>By month</h3>"));
        self.put_shades(html, &self.years());
        self.put_table(html);
        html.put(format_args!("</div>"));
    }

    fn years(&self) -> BTreeMap<i16, Tally> {
        let mut years = BTreeMap::<i16, Tally>::new();
        self.months.iter().for_each(|((year, _), tally)| *years.entry(*year).or_default() += *tally);
        years
    }

    /// A field of shades: years downwards, the latest first, and months across.
    fn put_shades(&self, html: &mut Html, years: &BTreeMap<i16, Tally>) {
        let most = self.months.values().map(|tally| tally.bytes).max().unwrap_or(0);
        let drawn: Vec<i16> = years.keys().rev().take(MOST_YEARS).copied().collect();
        let height = TOP + LINE * drawn.len();
        html.put(format_args!(
            "<svg class=\"months\" role=\"img\" viewBox=\"0 0 360 {height}\"><title>Bytes by month; darker is more</title>"
        ));
        for (month, letter) in (0..).zip(["J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D"]) {
            html.put(format_args!(
                "<text x=\"{}\" y=\"11\" text-anchor=\"middle\">{letter}</text>",
                LEFT + CELL * month + 13
            ));
        }
        for (line, year) in drawn.into_iter().enumerate() {
            let y = TOP + LINE * line;
            html.put(format_args!("<text x=\"0\" y=\"{}\">{year}</text>", y + 13));
            for month in 1..=12_u8 {
                let tally = self.months.get(&(year, month)).copied().unwrap_or_default();
                let x = LEFT + CELL * usize::from(month - 1);
                html.put(format_args!(
                    "<rect class=\"h{}\" x=\"{x}\" y=\"{y}\" width=\"25\" height=\"17\" rx=\"2\"><title>{year}-{month:02}: {tally}</title></rect>",
                    shade(tally.bytes, most)
                ));
            }
        }
        html.put(format_args!("</svg>"));
        if years.len() > MOST_YEARS {
            html.put(format_args!(
                "<p class=\"note\">The latest {MOST_YEARS} years are drawn; the table has all {}.",
                years.len()
            ));
        }
    }

    fn put_table(&self, html: &mut Html) {
        html.put(format_args!(
            "<details class=\"numbers\"><summary>All months as a table</summary><div class=\"scroll\" tabindex=\"0\" \
             role=\"region\" aria-label=\"Files and bytes by month\"><table><thead><tr><th scope=\"col\">Month\
             <th scope=\"col\">Files<th scope=\"col\">Bytes<tbody>"
        ));
        for ((year, month), tally) in &self.months {
            html.put(format_args!("<tr><th scope=\"row\">{year}"));
            match month {
                0 => html.put(format_args!(", month unknown")),
                month => html.put(format_args!("-{month:02}")),
            }
            html.put(format_args!("<td>{}<td>{}", report::number(tally.files), report::bytes(tally.bytes)));
        }
        html.put(format_args!("</table></div></details>"));
    }
}

/// Where the field of months begins, and how far apart its cells are, in its own units: about pixels of a phone.
const LEFT: usize = 38;
const TOP: usize = 17;
const CELL: usize = 27;
const LINE: usize = 19;

/// One column for each year; years between in which there is nothing have their place, unless there are too many.
fn columns(years: &BTreeMap<i16, Tally>) -> Vec<Column> {
    let column = |year: i16, tally: Tally| Column {
        label: year.to_string(),
        title: format!("{year}: {tally}"),
        bytes: tally.bytes,
    };
    match (years.first_key_value(), years.last_key_value()) {
        (Some((first, _)), Some((last, _))) if last - first < 100 => {
            (*first..=*last).map(|year| column(year, years.get(&year).copied().unwrap_or_default())).collect()
        }
        _ => years.iter().map(|(year, tally)| column(*year, *tally)).collect(),
    }
}

/// 0 for nothing, to 5 for the most. By the root, so that a month of holidays does not make all others look empty.
fn shade(bytes: u64, most: u64) -> u8 {
    let share = chart::percent(bytes, most) / 100.0;
    [0.0, 0.2, 0.4, 0.6, 0.8].into_iter().fold(0, |shade, least| shade + u8::from(share.sqrt() > least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    #[test]
    fn a_year_that_no_photo_can_be_from_is_no_date() {
        let mut timeline = Timeline::default();
        timeline.add(Date::of_file(b"2012/03/a.jpg", None), 5);
        timeline.add(Date::of_file(b"2012/b.jpg", None), 7);
        timeline.add(Date::of_file(b"x", Some(Timestamp { seconds: 1 << 40, nanoseconds: 0 })), 1);
        timeline.add(Date::NONE, 1);
        assert_eq!(timeline.undated, Tally { files: 2, bytes: 2 });
        assert_eq!(timeline.span_text(), "all from 2012");
        let mut html = Html::default();
        timeline.put_years(&mut html, "By path.");
        timeline.put_months(&mut html);
        let text = html.into_string();
        assert!(text.contains("2012-03<td>1<td>5 bytes") && text.contains("2012, month unknown<td>1<td>7 bytes"));
    }

    #[test]
    fn shades_go_from_nothing_to_most() {
        assert_eq!([0, 1, 10, 50, 100].map(|bytes| shade(bytes, 100)), [0, 1, 2, 4, 5]);
        assert_eq!(shade(0, 0), 0);
    }
}
