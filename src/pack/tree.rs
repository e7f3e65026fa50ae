//! The directories below the root: what each adds to a volume that holds it, and which date it tells.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::volume::RESERVED;
use crate::volume::date::Date;
use crate::volume::extent::{Extent, TextLen};
use crate::volume::image::Filesystem;

/// A directory, by its place in a [`Tree`].
pub(super) type DirId = u32;

/// Directories by their paths below the root, which is the first of them.
#[derive(Debug)]
pub(super) struct Tree {
    filesystem: Filesystem,
    dirs: Vec<Dir>,
    known: HashMap<Box<[u8]>, DirId>,
}

#[derive(Debug, Default)]
struct Dir {
    path: Box<[u8]>,
    parent: DirId,
    /// What it adds to a volume by itself.
    own: Extent,
    /// The same with the directories around it.
    all: Extent,
    /// How much text the path is, with the slash behind it.
    text: TextLen,
    date: Option<Date>,
    /// Lies where a volume is described.
    is_reserved: bool,
    /// The place in the order of the paths.
    rank: u32,
    /// The first rank behind all that lies in it.
    end: u32,
}

impl Tree {
    pub(super) fn new(filesystem: Filesystem) -> Self {
        Self { filesystem, dirs: vec![Dir::default()], known: HashMap::from([(Box::default(), 0)]) }
    }

    /// The directory of a path below the root, with those around it.
    pub(super) fn add(&mut self, path: &[u8]) -> DirId {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let ends = memchr::memchr_iter(b'/', path).chain([path.len()]);
        ends.fold(0, |parent, end| {
            self.known.get(&path[..end]).copied().unwrap_or_else(|| self.add_to(parent, &path[..end]))
        })
    }

    /// The directory of a path that is not known yet, directly below `parent`.
    fn add_to(&mut self, parent: DirId, path: &[u8]) -> DirId {
        let name = split(path).1;
        let own = Extent::of_dir(self.filesystem, name);
        let outer = &self.dirs[parent as usize];
        let is_reserved =
            if parent == 0 { RESERVED.iter().any(|reserved| reserved.as_bytes() == name) } else { outer.is_reserved };
        let text = outer.text + TextLen::of(name) + TextLen::of(b"/");
        let dir = Dir {
            path: path.into(),
            parent,
            own,
            all: outer.all + own,
            text,
            date: Date::of_dirs(path),
            is_reserved,
            rank: 0,
            end: 0,
        };
        let id = DirId::try_from(self.dirs.len()).unwrap_or(DirId::MAX);
        self.dirs.push(dir);
        self.known.insert(path.into(), id);
        id
    }

    /// Puts all directories that were added into the order of their paths.
    pub(super) fn rank(&mut self) {
        let mut order: Vec<usize> = (0..self.dirs.len()).collect();
        // What lies in a directory follows it at once, since a name ends where a slash would stand.
        let spelled =
            |dir: &Dir| dir.path.iter().copied().chain((!dir.path.is_empty()).then_some(b'/')).collect::<Vec<u8>>();
        order.sort_by_cached_key(|id| spelled(&self.dirs[*id]));
        for (rank, id) in order.iter().enumerate() {
            self.dirs[*id].rank = u32::try_from(rank).unwrap_or(u32::MAX);
        }
        for id in order.into_iter().rev() {
            let end = self.dirs[id].end.max(self.dirs[id].rank + 1);
            let parent = self.dirs[id].parent as usize;
            self.dirs[id].end = end;
            self.dirs[parent].end = self.dirs[parent].end.max(end);
        }
    }

    /// In which order all paths in two directories come; `None` where one of them lies in the other.
    pub(super) fn order(&self, one: DirId, other: DirId) -> Option<Ordering> {
        let (one, other) = (self.dir(one), self.dir(other));
        let holds = |outer: &Dir, inner: &Dir| (outer.rank + 1..outer.end).contains(&inner.rank);
        if holds(one, other) || holds(other, one) { None } else { Some(one.rank.cmp(&other.rank)) }
    }

    fn dir(&self, id: DirId) -> &Dir {
        &self.dirs[id as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.dirs.len()
    }

    /// The directory of a path, if it is known.
    pub(super) fn find(&self, path: &[u8]) -> Option<DirId> {
        self.known.get(path).copied()
    }

    pub(super) fn path(&self, id: DirId) -> &[u8] {
        &self.dir(id).path
    }

    /// The place of a directory in the order of the paths.
    pub(super) fn place(&self, id: DirId) -> u32 {
        self.dir(id).rank
    }

    /// Whether other directories lie in it.
    pub(super) fn has_inner(&self, id: DirId) -> bool {
        let dir = self.dir(id);
        dir.end > dir.rank + 1
    }

    /// The directory around it; the root is its own.
    pub(super) fn parent(&self, id: DirId) -> DirId {
        self.dir(id).parent
    }

    /// The directory and those around it, without the root.
    pub(super) fn with_those_around(&self, id: DirId) -> impl Iterator<Item = DirId> {
        std::iter::successors(Some(id), |id| Some(self.dir(*id).parent)).take_while(|id| *id != 0)
    }

    pub(super) fn extent(&self, id: DirId) -> Extent {
        self.dir(id).own
    }

    /// With the directories around it.
    pub(super) fn extent_of_all(&self, id: DirId) -> Extent {
        self.dir(id).all
    }

    pub(super) fn text_len(&self, id: DirId) -> TextLen {
        self.dir(id).text
    }

    /// The date of a file in a directory.
    pub(super) fn date(&self, id: DirId, name: &[u8], modified: Date) -> Date {
        match self.dir(id).date {
            Some(told) => told.refined(name, Some(modified)),
            None => modified,
        }
    }

    /// Whether a file there would be in the way of what describes a volume.
    pub(super) fn is_reserved(&self, id: DirId, name: &[u8]) -> bool {
        self.dir(id).is_reserved || id == 0 && RESERVED.iter().any(|reserved| reserved.as_bytes() == name)
    }

    /// The path of a file below the root.
    pub(super) fn below(&self, id: DirId, name: &[u8]) -> Vec<u8> {
        let dir = self.path(id);
        let mut path = Vec::with_capacity(dir.len() + 1 + name.len());
        path.extend_from_slice(dir);
        if !dir.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path
    }
}

/// The directory of a path, and its last name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    memchr::memrchr(b'/', path).map_or((&[][..], path), |slash| (&path[..slash], &path[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_ordered_as_their_paths_are() {
        let mut tree = Tree::new(Filesystem::Iso);
        let paths = ["b", "a", "a/b", "a-b", "a/b/c", "a0", ""];
        let ids = paths.map(|path| tree.add(path.as_bytes()));
        tree.rank();
        for (one, id) in paths.iter().zip(ids) {
            for (other, other_id) in paths.iter().zip(ids) {
                let inside = |inner: &str, outer: &str| {
                    inner != outer && (outer.is_empty() || inner.starts_with(&format!("{outer}/")))
                };
                let expected = if inside(one, other) || inside(other, one) {
                    None
                } else {
                    Some(format!("{one}/x").cmp(&format!("{other}/x")))
                };
                assert_eq!(tree.order(id, other_id), expected, "{one} {other}");
            }
        }
    }

    #[test]
    fn a_directory_adds_those_around_it_once() {
        let mut tree = Tree::new(Filesystem::Iso);
        let deep = tree.add(b"2012/03/05");
        assert_eq!(tree.len(), 4);
        let sum = tree.with_those_around(deep).fold(Extent::default(), |sum, dir| sum + tree.extent(dir));
        assert_eq!(sum, tree.extent_of_all(deep));
        assert_eq!(tree.text_len(deep).escaped, 11);
        assert!(tree.is_reserved(0, b"B3SUMS") && !tree.is_reserved(deep, b"B3SUMS"));
        let clash = tree.add(b"index.json/x");
        assert!(tree.is_reserved(clash, b"a.jpg"));
    }
}
