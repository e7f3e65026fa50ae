//! The rows that an index has not had, in the order of their paths.

use std::cmp::Ordering;

use super::known::{Known, Reader};
use super::seen::Place;
use crate::threads::{cut, each};

/// So much of a path is held, behind what all paths have in common: most are told apart by it.
const KEY: usize = 24;

/// A row, with the beginning of its path. No path has a NUL byte, so that one which ends early comes first, as it should.
type Entry = ([u8; KEY], Place);

/// Sorts rows by their paths, bytewise.
pub(super) fn sort(known: &Known, places: Vec<Place>, jobs: usize) -> Vec<Place> {
    let common = common(known, &places);
    let mut entries: Vec<Entry> = places.into_iter().map(|place| ([0; KEY], place)).collect();
    each(jobs, cut(&mut entries, jobs, |_, _| false), |part| {
        let mut reader = Reader::new();
        for (key, place) in part.iter_mut() {
            known.path(*place, &mut reader, |path| {
                let rest = path.get(common..).unwrap_or_default();
                let len = rest.len().min(KEY);
                key[..len].copy_from_slice(&rest[..len]);
            });
        }
        part.sort_unstable_by(by_path(known));
    });
    // It finds the parts, which are sorted, and only has to merge them.
    entries.sort_by(by_path(known));
    entries.into_iter().map(|(_, place)| place).collect()
}

fn by_path(known: &Known) -> impl FnMut(&Entry, &Entry) -> Ordering {
    let (mut one, mut other) = (Reader::new(), Reader::new());
    move |a, b| {
        let with_a = |path_a: &[u8]| known.path(b.1, &mut other, |path_b| path_a.cmp(path_b));
        a.0.cmp(&b.0).then_with(|| known.path(a.1, &mut one, with_a))
    }
}

/// Length of what all paths begin with.
fn common(known: &Known, places: &[Place]) -> usize {
    let mut reader = Reader::new();
    let mut places = places.iter();
    let Some(first) = places.next().map(|place| known.path(*place, &mut reader, <[u8]>::to_vec)) else { return 0 };
    places.fold(first.len(), |common, place| {
        known.path(*place, &mut reader, |path| {
            first[..common].iter().zip(path).take_while(|(one, other)| one == other).count()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::known::tests::{known, line};
    use super::*;

    #[test]
    fn rows_come_in_the_bytewise_order_of_their_paths() {
        let prefix = "./a/directory/whose/name/is/longer/than/any/key";
        let mut names = vec![prefix.to_owned()];
        for length in [1, KEY - 1, KEY, KEY + 1, 3 * KEY] {
            let stem = format!("{prefix}/{}", "x".repeat(length));
            names.extend(["", "\\x01", "a", "b", "\\xff", "/"].map(|end| format!("{stem}{end}")));
        }
        // In no order at all: 7 is no divisor of their number.
        let count = names.len();
        let names: Vec<String> = (0..count).map(|number| names[number * 7 % count].clone()).collect();
        let known = known(&names.iter().map(|name| line(name, 1, 1)).collect::<String>());
        let mut places = Vec::new();
        known.each_in_index(|at, _| places.push(at));
        let path = |place: &Place| known.path(*place, &mut Reader::new(), <[u8]>::to_vec);
        let mut expected: Vec<Vec<u8>> = places.iter().map(path).collect();
        expected.sort();
        for jobs in [1, 2, 5] {
            let sorted = sort(&known, places.clone(), jobs);
            assert!(sorted.iter().map(path).eq(expected.iter().cloned()), "{jobs}");
        }
        assert!(sort(&known, Vec::new(), 3).is_empty());
    }
}
