//! Drawings in SVG. Places are shares of the whole in percent and letters have their own size, so that a drawing is as
//! legible on a phone as on a wall; every one has its numbers beside it as text.

use super::markup::{Html, Text};
use crate::report;

/// `part` of `whole` in percent.
#[allow(clippy::cast_precision_loss, reason = "a thousandth is more than can be seen")]
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0).min(100.0) }
}

/// One part of a bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// Which colour of the six.
    pub(super) class: usize,
    pub(super) name: &'static str,
    pub(super) bytes: u64,
}

/// A bar in parts.
pub(super) fn stack(html: &mut Html, label: &str, slices: &[Slice]) {
    let whole = slices.iter().fold(0_u64, |sum, slice| sum.saturating_add(slice.bytes));
    html.put(format_args!("<svg class=\"stack\" role=\"img\"><title>{}</title>", Text(label)));
    let mut from = 0.0;
    for slice in slices {
        let width = percent(slice.bytes, whole);
        html.put(format_args!(
            "<rect class=\"k{}\" x=\"{from:.2}%\" width=\"{width:.2}%\" height=\"100%\"><title>{}: {}</title></rect>",
            slice.class,
            Text(slice.name),
            report::bytes(slice.bytes)
        ));
        from += width;
    }
    html.put(format_args!("</svg>"));
}

/// A bar that is filled so far. The number stands beside it, so readers of the screen pass over it.
pub(super) fn bar(html: &mut Html, part: u64, whole: u64) {
    let class = if part > whole { "bar over" } else { "bar" };
    html.put(format_args!(
        "<svg class=\"{class}\" aria-hidden=\"true\"><rect class=\"track\" width=\"100%\" height=\"100%\"/>\
         <rect class=\"fill\" width=\"{:.2}%\" height=\"100%\"/></svg>",
        percent(part, whole)
    ));
}

/// A column of [`columns`].
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) title: String,
    pub(super) bytes: u64,
}

/// So many labels stand side by side on a phone.
const MOST_LABELS: usize = 8;

/// Columns side by side, the highest as high as there is room.
pub(super) fn columns(html: &mut Html, label: &str, columns: &[Column]) {
    let highest = columns.iter().map(|column| column.bytes).max().unwrap_or(0);
    // Of a few columns none gets so wide that it looks like a wall.
    let count = u64::try_from(columns.len()).unwrap_or(u64::MAX).max(8);
    let every = columns.len().div_ceil(MOST_LABELS).max(1);
    html.put(format_args!("<svg class=\"columns\" role=\"img\"><title>{}</title>", Text(label)));
    html.put(format_args!("<text class=\"most\" x=\"0\" y=\"12\">{}</text>", report::bytes(highest)));
    html.put(format_args!("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"12%\" y2=\"12%\"/>"));
    for (place, column) in (0_u64..).zip(columns) {
        let (x, width) = (percent(place, count), percent(1, count));
        let height = percent(column.bytes, highest) * (COLUMN_TOP - COLUMN_GAP) / 100.0;
        // What is there is seen, however little it is beside the rest.
        let height = if column.bytes > 0 { height.max(0.6) } else { 0.0 };
        html.put(format_args!(
            "<rect class=\"fill\" x=\"{:.2}%\" width=\"{:.2}%\" y=\"{:.2}%\" height=\"{height:.2}%\"><title>{}</title></rect>",
            x + width * 0.1,
            width * 0.8,
            COLUMN_TOP - height,
            Text(&column.title)
        ));
        if usize::try_from(place).is_ok_and(|place| place.is_multiple_of(every)) {
            html.put(format_args!(
                "<text x=\"{:.2}%\" y=\"98%\" text-anchor=\"middle\">{}</text>",
                x + width / 2.0,
                Text(&column.label)
            ));
        }
    }
    html.put(format_args!(
        "<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"{COLUMN_TOP}%\" y2=\"{COLUMN_TOP}%\"/></svg>"
    ));
}

/// Where columns stand, in percent from the top; what is below is for labels.
const COLUMN_TOP: f64 = 86.0;

/// What is left free above the highest.
const COLUMN_GAP: f64 = 12.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_an_end() {
        assert!((percent(1, 4) - 25.0).abs() < 1e-9);
        assert!((percent(5, 4) - 100.0).abs() < 1e-9);
        assert!(percent(5, 0).abs() < 1e-9);
    }

    #[test]
    fn a_bar_that_is_too_full_looks_it() {
        let text = |part, whole| {
            let mut html = Html::default();
            bar(&mut html, part, whole);
            html.into_string()
        };
        assert!(text(5, 4).contains("bar over") && text(5, 4).contains("100.00%"));
        assert!(!text(4, 4).contains("over"));
    }

    #[test]
    fn all_that_is_there_is_drawn() {
        let mut html = Html::default();
        let column = |label: &str, bytes| Column { label: label.into(), title: label.into(), bytes };
        columns(&mut html, "by year", &[column("2019", u64::MAX), column("2020", 1), column("2021", 0)]);
        let text = html.into_string();
        assert_eq!(text.matches("height=\"0.60%\"").count(), 1);
        assert_eq!(text.matches("height=\"0.00%\"").count(), 1);
        assert_eq!(text.matches("<rect").count(), 3);
    }
}
