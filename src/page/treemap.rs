//! Folders as a map: the more bytes are in one, the more room it has.
//!
//! Where a folder would take much of the map, what is in it is drawn instead, until there is enough to see. Rectangles are
//! laid out as squares as far as can be (M. Bruls, K. Huizing, J. J. van Wijk, "Squarified Treemaps", 2000).

use super::chart::percent;
use super::folder::{Common, Holdings};
use super::markup::{Html, Name, Text, Trail};
use super::tally::Tally;
use crate::report;

/// So many rectangles are drawn at most.
const MOST: usize = 64;

/// So many folders side by side in one; those that are smaller are drawn as one.
const MOST_SIDE_BY_SIDE: usize = 28;

/// What takes less of the map than this, in percent, is not looked into.
const LEAST: f64 = 4.0;

/// So many folders stand in the table.
const MOST_LISTED: usize = 100;

/// A folder's name, and what is in it without what is below.
type Folder<'a> = (&'a [u8], Tally);

/// A folder with all below it, or several small ones.
#[derive(Debug, Clone)]
struct Area<'a> {
    label: Vec<u8>,
    tally: Tally,
    /// What can be looked into: folders in the order of [`Holdings::sorted`], and the length of the name they share.
    within: Option<(&'a [Folder<'a>], usize)>,
}

/// Draws all folders, with a table of the fullest.
pub(super) fn put(html: &mut Html, holdings: &Holdings) {
    let folders = holdings.sorted();
    let mut common = Common::default();
    for (name, _) in &folders {
        common.add(name);
    }
    let common = common.name().unwrap_or_default();
    let whole = sum(&folders);
    html.put(format_args!("<div class=\"part wide\"><h3>By folder</h3>"));
    if whole.bytes > 0 && folders.len() > 1 {
        put_map(html, &divided(parts(&folders, common.len()), whole.bytes), whole.bytes);
    }
    put_table(html, &folders, common, whole);
    html.put(format_args!("</div>"));
}

fn sum(folders: &[Folder<'_>]) -> Tally {
    folders.iter().map(|(_, tally)| *tally).sum()
}

/// What is directly in a folder whose name has `len` bytes, the largest first: files, and folders with all below them.
fn parts<'a>(folders: &'a [Folder<'a>], len: usize) -> Vec<Area<'a>> {
    let mut areas = Vec::new();
    let mut rest = folders;
    while let Some(((name, tally), others)) = rest.split_first() {
        let below = name.get(len..).unwrap_or_default();
        let begin = len + usize::from(below.first() == Some(&b'/'));
        if name.len() <= begin {
            areas.push(Area { label: name.to_vec(), tally: *tally, within: None });
            rest = others;
            continue;
        }
        let end = memchr::memchr(b'/', &name[begin..]).map_or(name.len(), |slash| begin + slash);
        let is_same =
            |other: &[u8]| other.get(..end) == Some(&name[..end]) && matches!(other.get(end), None | Some(b'/'));
        let count = rest.iter().take_while(|(other, _)| is_same(other)).count().max(1);
        let (these, after) = rest.split_at(count);
        let within = (count > 1).then_some((these, end));
        // Of a way that does not part, the end is named.
        let label = if count > 1 { &name[..end] } else { name };
        areas.push(Area { label: label.to_vec(), tally: sum(these), within });
        rest = after;
    }
    areas.sort_by(|one, other| other.tally.cmp(&one.tally).then_with(|| one.label.cmp(&other.label)));
    merge_small(&mut areas);
    areas
}

fn merge_small(areas: &mut Vec<Area<'_>>) {
    if areas.len() <= MOST_SIDE_BY_SIDE {
        return;
    }
    let small = areas.split_off(MOST_SIDE_BY_SIDE - 1);
    let tally = small.iter().map(|area| area.tally).sum();
    let label = format!("{} others", report::number(small.len() as u64)).into_bytes();
    areas.push(Area { label, tally, within: None });
}

/// Looks into the largest areas; what comes of one stays together.
fn divided(areas: Vec<Area<'_>>, whole: u64) -> Vec<Group<'_>> {
    let names: Vec<Vec<u8>> = areas.iter().map(|area| area.label.clone()).collect();
    let mut groups: Vec<Vec<Area<'_>>> = areas.into_iter().map(|area| vec![area]).collect();
    let mut count = groups.len();
    while count < MOST {
        let all = groups
            .iter()
            .enumerate()
            .flat_map(|(group, areas)| areas.iter().enumerate().map(move |(place, area)| (group, place, area)));
        let large = all.filter(|(_, _, area)| area.within.is_some() && percent(area.tally.bytes, whole) >= LEAST);
        let largest =
            large.max_by(|one, other| one.2.tally.cmp(&other.2.tally).then_with(|| other.2.label.cmp(&one.2.label)));
        let Some((group, place, area)) = largest else { break };
        let Some((folders, len)) = area.within else { break };
        let inner = parts(folders, len);
        count += inner.len() - 1;
        groups[group].splice(place..=place, inner);
    }
    for group in &mut groups {
        group.sort_by(|one, other| other.tally.cmp(&one.tally).then_with(|| one.label.cmp(&other.label)));
    }
    names.into_iter().zip(groups).map(|(name, areas)| Group { name, areas }).collect()
}

/// What came of one folder side by side with others.
struct Group<'a> {
    name: Vec<u8>,
    areas: Vec<Area<'a>>,
}

/// A rectangle, in percent of the map.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

fn put_map(html: &mut Html, groups: &[Group<'_>], whole: u64) {
    html.put(format_args!(
        "<svg class=\"map\" role=\"img\"><title>Bytes by folder; the table below tells the same</title>"
    ));
    let share = |area: &Area<'_>| percent(area.tally.bytes, whole);
    let sizes: Vec<f64> = groups.iter().map(|group| group.areas.iter().map(share).sum()).collect();
    let all = Place { x: 0.0, y: 0.0, width: 100.0, height: 100.0 };
    for (number, (group, place)) in groups.iter().zip(laid_out(&sizes, all)).enumerate() {
        let sizes: Vec<f64> = group.areas.iter().map(share).collect();
        for (order, (area, place)) in group.areas.iter().zip(laid_out(&sizes, place)).enumerate() {
            put_area(html, group, area, order == 0, place, number % 6);
        }
    }
    html.put(format_args!("</svg>"));
}

/// The first of a group, which is the largest, bears the name of the group; the others are named within it.
fn put_area(html: &mut Html, group: &Group<'_>, area: &Area<'_>, is_first: bool, place: Place, colour: usize) {
    let Place { x, y, width, height } = place;
    html.put(format_args!(
        "<svg x=\"{x:.3}%\" y=\"{y:.3}%\" width=\"{width:.3}%\" height=\"{height:.3}%\"><title>{}: {}</title>\
         <rect class=\"m{colour}\" width=\"100%\" height=\"100%\"/>",
        Name(&area.label),
        area.tally
    ));
    let within = area.label.strip_prefix(group.name.as_slice()).and_then(|rest| rest.strip_prefix(b"/"));
    let mut lines = Vec::new();
    if is_first || within.is_none() {
        lines.push(("name", Name(last_part(&group.name)).shown()));
    }
    lines.extend(within.map(|within| ("", Name(within).shown())));
    lines.push(("size", report::bytes(area.tally.bytes)));
    put_lines(html, &lines, place);
    html.put(format_args!("</svg>"));
}

/// As many lines as there is room for on a wide screen. On a narrow one, a percent is some three pixels, and areas that are
/// small there go without.
fn put_lines(html: &mut Html, lines: &[(&str, String)], place: Place) {
    let mut y: u8 = 16;
    for (class, text) in lines {
        // A number that is cut would be another number.
        let least = if *class == "size" { 19.0 } else { 11.0 };
        let narrow = if place.width < least || place.height < 9.0 { " narrow" } else { "" };
        // In a map of 600 pixels' height, each line takes fifteen.
        if place.width < 6.0 || f64::from(y) + 4.0 > place.height * 5.5 {
            break;
        }
        html.put(format_args!("<text class=\"{class}{narrow}\" x=\"6\" y=\"{y}\">{}</text>", Text(text)));
        y += 15;
    }
}

fn last_part(name: &[u8]) -> &[u8] {
    Some(super::folder::base(name)).filter(|last| !last.is_empty()).unwrap_or(name)
}

/// How wide the map is drawn for its height.
const ASPECT: f64 = 1.8;

/// Places for areas of these sizes, the largest first, which fill `all`.
fn laid_out(sizes: &[f64], all: Place) -> Vec<Place> {
    let whole: f64 = sizes.iter().sum();
    let (mut places, mut rest, mut left) = (Vec::new(), all, sizes);
    let mut open = whole;
    while !left.is_empty() && open > 0.0 {
        // A row along the shorter side, as long as another area makes its rectangles more square.
        let is_upright = rest.width * ASPECT >= rest.height;
        let side = if is_upright { rest.height } else { rest.width * ASPECT };
        let room = rest.width * ASPECT * rest.height / open;
        let mut count = 1;
        while count < left.len() && worst(&left[..=count], side, room) <= worst(&left[..count], side, room) {
            count += 1;
        }
        let (row, after) = left.split_at(count);
        let sum: f64 = row.iter().sum();
        let share = if open > 0.0 { (sum / open).min(1.0) } else { 1.0 };
        let mut at = 0.0;
        for size in row {
            let part = if sum > 0.0 { size / sum } else { 0.0 };
            places.push(if is_upright {
                Place { x: rest.x, y: rest.y + at * rest.height, width: rest.width * share, height: rest.height * part }
            } else {
                Place { x: rest.x + at * rest.width, y: rest.y, width: rest.width * part, height: rest.height * share }
            });
            at += part;
        }
        rest = if is_upright {
            Place { x: rest.x + rest.width * share, width: rest.width * (1.0 - share), ..rest }
        } else {
            Place { y: rest.y + rest.height * share, height: rest.height * (1.0 - share), ..rest }
        };
        open -= sum;
        left = after;
    }
    let nothing = Place { width: 0.0, height: 0.0, ..rest };
    places.resize(sizes.len(), nothing);
    places
}

/// How far from a square the worst rectangle of a row is.
fn worst(row: &[f64], side: f64, room: f64) -> f64 {
    let sum: f64 = row.iter().sum::<f64>() * room;
    let largest = row.iter().copied().fold(0.0, f64::max) * room;
    let least = row.iter().copied().fold(f64::MAX, f64::min) * room;
    if least <= 0.0 || sum <= 0.0 {
        return f64::MAX;
    }
    (side * side * largest / (sum * sum)).max(sum * sum / (side * side * least))
}

fn put_table(html: &mut Html, folders: &[Folder<'_>], common: &[u8], whole: Tally) {
    let mut fullest: Vec<&Folder<'_>> = folders.iter().collect();
    fullest.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    let open = if folders.len() > 12 { "" } else { " open" };
    html.put(format_args!(
        "<details class=\"numbers\"{open}><summary>Folders as a table</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Files and bytes by folder\"><table><thead><tr><th scope=\"col\">Folder<th scope=\"col\">Files\
         <th scope=\"col\">Bytes<th scope=\"col\">Share<tbody>"
    ));
    for (name, tally) in fullest.iter().take(MOST_LISTED) {
        html.put(format_args!(
            "<tr><th scope=\"row\" class=\"path\">{}<td>{}<td>{}<td>{:.1}%",
            Trail(name),
            report::number(tally.files),
            report::bytes(tally.bytes),
            percent(tally.bytes, whole.bytes)
        ));
    }
    html.put(format_args!("</table></div>"));
    let more = folders.len().saturating_sub(MOST_LISTED) as u64;
    if more > 0 {
        html.put(format_args!("<p class=\"note\">And {}.", Text(&report::count(more, "more folder"))));
    }
    if !common.is_empty() {
        html.put(format_args!("<p class=\"note\">Everything is below <span class=\"path\">{}</span>.", Trail(common)));
    }
    html.put(format_args!("</details>"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_filled_and_nothing_overlaps() {
        let all = Place { x: 0.0, y: 0.0, width: 100.0, height: 100.0 };
        for sizes in [&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0][..], &[1.0], &[5.0, 0.0], &[1.0; 40], &[]] {
            let places = laid_out(sizes, all);
            assert_eq!(places.len(), sizes.len());
            let area: f64 = places.iter().map(|place| place.width * place.height).sum();
            assert!(sizes.is_empty() || (area - 10_000.0).abs() < 1e-6, "{sizes:?}: {area}");
            for (number, one) in places.iter().enumerate() {
                assert!(one.x > -1e-9 && one.y > -1e-9 && one.x + one.width < 100.001 && one.y + one.height < 100.001);
                for other in &places[number + 1..] {
                    let apart = one.x + one.width <= other.x + 1e-9
                        || other.x + other.width <= one.x + 1e-9
                        || one.y + one.height <= other.y + 1e-9
                        || other.y + other.height <= one.y + 1e-9;
                    assert!(apart, "{one:?} {other:?}");
                }
            }
        }
    }

    fn labels(paths: &[(&str, u64)]) -> Vec<(String, u64)> {
        let mut holdings = Holdings::default();
        for (path, size) in paths {
            holdings.add(path.as_bytes(), *size);
        }
        let folders = holdings.sorted();
        let areas = parts(&folders, 1);
        areas.into_iter().map(|area| (String::from_utf8_lossy(&area.label).into_owned(), area.tally.bytes)).collect()
    }

    #[test]
    fn folders_hold_all_that_is_below_them() {
        let found = labels(&[("p/a/1/x", 5), ("p/a b/x", 2), ("p/a/2/x", 4), ("p/x", 3), ("p/a/x", 1)]);
        assert_eq!(found, [("p/a".into(), 10), ("p".into(), 3), ("p/a b".into(), 2)]);
    }

    #[test]
    fn many_small_folders_are_drawn_as_one() {
        let paths: Vec<String> = (0..40).map(|number| format!("p/{number:02}/x")).collect();
        let sized: Vec<(&str, u64)> = paths.iter().map(String::as_str).zip(1..).collect();
        let found = labels(&sized);
        assert_eq!(found.len(), MOST_SIDE_BY_SIDE);
        assert_eq!(found.last().map(|(label, _)| label.as_str()), Some("13 others"));
        assert_eq!(found.iter().map(|(_, bytes)| bytes).sum::<u64>(), (1..=40_u64).sum::<u64>());
    }
}
