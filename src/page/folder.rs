//! Folders, each held once, with what is in them; and the routes from folder to folder that files take.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use super::tally::Tally;

/// The folder of a path: what stands before its last slash.
pub(super) fn of(path: &[u8]) -> &[u8] {
    match memchr::memrchr(b'/', path) {
        None => b".",
        Some(0) => b"/",
        Some(slash) => &path[..slash],
    }
}

/// The name of a file without its folder.
pub(super) fn base(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

/// Folders by number. What this takes grows with the number of folders, not of files.
#[derive(Debug, Default)]
pub(super) struct Folders {
    numbers: HashMap<Rc<[u8]>, usize>,
    names: Vec<Rc<[u8]>>,
    last: usize,
}

impl Folders {
    /// The number of a folder.
    pub(super) fn number(&mut self, name: &[u8]) -> usize {
        // Neighbours in a stream mostly share their folder.
        if self.names.get(self.last).is_some_and(|last| **last == *name) {
            return self.last;
        }
        self.last = self.numbers.get(name).copied().unwrap_or_else(|| {
            let name: Rc<[u8]> = name.into();
            self.names.push(Rc::clone(&name));
            self.numbers.insert(name, self.names.len() - 1);
            self.names.len() - 1
        });
        self.last
    }

    /// The folder of a number.
    pub(super) fn name(&self, number: usize) -> &Rc<[u8]> {
        &self.names[number]
    }
}

/// How much there is in each folder.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    folders: Folders,
    tallies: Vec<Tally>,
}

impl Holdings {
    /// Adds a file to its folder.
    pub(super) fn add(&mut self, path: &[u8], size: u64) {
        let number = self.folders.number(of(path));
        if number == self.tallies.len() {
            self.tallies.push(Tally::default());
        }
        self.tallies[number].add(size);
    }

    /// How many folders there are.
    pub(super) fn len(&self) -> usize {
        self.tallies.len()
    }

    /// All folders, those that stand in one another side by side.
    pub(super) fn sorted(&self) -> Vec<(&[u8], Tally)> {
        let names = self.folders.names.iter().map(|name| &**name);
        let mut all: Vec<(&[u8], Tally)> = names.zip(self.tallies.iter().copied()).collect();
        all.sort_by(|one, other| by_parts(one.0, other.0));
        all
    }
}

/// From one folder to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    pub(super) from: Rc<[u8]>,
    pub(super) to: Rc<[u8]>,
}

/// Routes by number, with what goes along each.
#[derive(Debug, Default)]
pub(super) struct Routes {
    folders: Folders,
    numbers: HashMap<(usize, usize), usize>,
    all: Vec<((usize, usize), Tally)>,
}

impl Routes {
    /// Adds a file, and gives the number of its route.
    pub(super) fn add(&mut self, from: &[u8], to: &[u8], size: u64) -> usize {
        let ends = (self.folders.number(of(from)), self.folders.number(of(to)));
        let number = *self.numbers.entry(ends).or_insert_with(|| {
            self.all.push((ends, Tally::default()));
            self.all.len() - 1
        });
        self.all[number].1.add(size);
        number
    }

    /// How many routes there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// A route and what goes along it.
    pub(super) fn get(&self, number: usize) -> (Route, Tally) {
        let ((from, to), tally) = self.all[number];
        (Route { from: Rc::clone(self.folders.name(from)), to: Rc::clone(self.folders.name(to)) }, tally)
    }

    /// The numbers of all routes, the one that takes most bytes first.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.all.len()).collect();
        numbers.sort_by(|one, other| {
            let (one, other) = (&self.all[*one], &self.all[*other]);
            let ends = |ends: (usize, usize)| (self.folders.name(ends.0), self.folders.name(ends.1));
            other.1.cmp(&one.1).then_with(|| ends(one.0).cmp(&ends(other.0)))
        });
        numbers
    }
}

/// In the order of their parts, so that whatever lies in a folder comes behind it at once.
pub(super) fn by_parts(one: &[u8], other: &[u8]) -> Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    one.iter().map(key).cmp(other.iter().map(key))
}

/// The longest folder in which many others lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Common(Option<Vec<u8>>);

impl Common {
    /// Takes another folder.
    pub(super) fn add(&mut self, folder: &[u8]) {
        let Some(known) = &mut self.0 else {
            self.0 = Some(folder.to_vec());
            return;
        };
        let is_within = |place: &[u8]| {
            folder.strip_prefix(place).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')) || place == b"/")
        };
        while !known.is_empty() && !is_within(known) {
            let above = memchr::memrchr(b'/', known);
            let is_root = known.first() == Some(&b'/');
            known.truncate(above.unwrap_or(0));
            if known.is_empty() && is_root && folder.first() == Some(&b'/') {
                known.push(b'/');
                break;
            }
        }
    }

    /// The folder; `None` where there is none that holds all.
    pub(super) fn name(&self) -> Option<&[u8]> {
        self.0.as_deref().filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_folder_and_a_name() {
        for (path, folder, name) in [("a/b/c", "a/b", "c"), ("c", ".", "c"), ("/c", "/", "c"), ("./c", ".", "c")] {
            assert_eq!((of(path.as_bytes()), base(path.as_bytes())), (folder.as_bytes(), name.as_bytes()), "{path}");
        }
    }

    #[test]
    fn the_common_folder_of_many() {
        let common = |folders: &[&str]| {
            let mut common = Common::default();
            for folder in folders {
                common.add(folder.as_bytes());
            }
            common.name().map(|name| String::from_utf8_lossy(name).into_owned())
        };
        assert_eq!(common(&[]), None);
        assert_eq!(common(&["a/b/c", "a/b", "a/b/d/e"]).as_deref(), Some("a/b"));
        assert_eq!(common(&["a/b", "a/bc"]).as_deref(), Some("a"));
        assert_eq!(common(&["/a/b", "/c"]).as_deref(), Some("/"));
        assert_eq!(common(&["/", "/c"]).as_deref(), Some("/"));
        assert_eq!(common(&["a", "b"]), None);
        assert_eq!(common(&["/a", "b"]), None);
    }

    #[test]
    fn routes_are_sorted_by_what_they_take_and_then_by_name() {
        let mut routes = Routes::default();
        routes.add(b"b/1", b"c/1", 5);
        routes.add(b"a/1", b"c/1", 5);
        routes.add(b"z/1", b"c/2", 2);
        routes.add(b"z/2", b"c/3", 4);
        let sorted: Vec<Vec<u8>> =
            routes.sorted().into_iter().map(|number| routes.get(number).0.from.to_vec()).collect();
        assert_eq!(sorted, [b"z", b"a", b"b"]);
        assert_eq!(routes.get(2).1, Tally { bytes: 6, files: 2 });
    }

    #[test]
    fn what_lies_in_a_folder_comes_behind_it() {
        let mut names = ["a", "a b", "a/x", "a-c", "a/b"];
        names.sort_by(|one, other| by_parts(one.as_bytes(), other.as_bytes()));
        assert_eq!(names, ["a", "a/b", "a/x", "a b", "a-c"]);
    }
}
