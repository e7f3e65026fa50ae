//! Rows of an index whose files a crawl has not found: gone, out of reach for now, or on a disk that is not mounted.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::record::FileId;
use crate::walk::{Filter, Root};

/// Says of each row what has become of it.
#[derive(Debug)]
pub(super) struct Vanished<'a> {
    roots: HashMap<&'a Path, &'a Root>,
    filter: &'a Filter,
    /// Directories and files that could not be read.
    failed: HashSet<&'a Path>,
    /// For a directory and the device of files that were in it: the nearest directory that is still there, if that is on
    /// another device, and whether it is empty.
    above: HashMap<(PathBuf, u64), Option<(PathBuf, bool)>>,
    /// Places that a filesystem seems to be missing from, by its device.
    suspects: HashMap<u64, (PathBuf, bool)>,
    /// For each device, whether a file was found where it was before.
    found: HashMap<u64, bool>,
}

/// What has become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is no longer there, or nobody asked for it.
    Gone,
    /// It may still be there.
    OutOfReach,
}

impl<'a> Vanished<'a> {
    /// For a crawl of `roots` that could not read `failed`.
    pub(super) fn new(roots: &'a [Root], filter: &'a Filter, failed: &'a [PathBuf]) -> Self {
        Self {
            roots: roots.iter().map(|root| (root.path.as_path(), root)).collect(),
            filter,
            failed: failed.iter().map(PathBuf::as_path).collect(),
            above: HashMap::new(),
            suspects: HashMap::new(),
            found: HashMap::new(),
        }
    }

    /// A row whose path was found again, whatever is there now.
    pub(super) fn found(&mut self, id: Option<FileId>) {
        if let Some(id) = id {
            self.found.insert(id.dev, true);
        }
    }

    /// A row whose path was not found.
    pub(super) fn lost(&mut self, path: &Path, id: Option<FileId>, size: u64) -> Fate {
        if path.ancestors().any(|above| self.failed.contains(above)) {
            return Fate::OutOfReach;
        }
        if let Some(id) = id.filter(|_| self.is_wanted(path, size)) {
            self.found.entry(id.dev).or_insert(false);
            if let Some((dir, is_empty)) = self.missing_filesystem(path, id.dev) {
                let suspect = self.suspects.entry(id.dev).or_insert((dir, is_empty));
                suspect.1 |= is_empty;
            }
        }
        Fate::Gone
    }

    /// A directory from which a filesystem is missing that was mounted there, or below it.
    pub(super) fn unmounted(&self) -> Option<&Path> {
        // Where the directory is not empty, it may be that numbers of devices have changed. Then other files of that
        // device are still there.
        let is_missing =
            |(dev, (_, is_empty)): &(&u64, &(PathBuf, bool))| *is_empty || self.found.get(dev) == Some(&false);
        self.suspects.iter().filter(is_missing).map(|(_, (dir, _))| dir.as_path()).min()
    }

    fn is_wanted(&self, path: &Path, size: u64) -> bool {
        let Some(root) = path.ancestors().find_map(|above| self.roots.get(above)) else { return false };
        let below = root.below(path);
        let enters = |dir: &Path| dir.as_os_str().is_empty() || self.filter.enters(dir);
        self.filter.wants_size(size)
            && (below.as_os_str().is_empty() || self.filter.wants(below) && below.ancestors().skip(1).all(enters))
    }

    /// The nearest directory above `path` that is there, and whether it is empty, unless it is on the device `dev`, as the
    /// file was.
    fn missing_filesystem(&mut self, path: &Path, dev: u64) -> Option<(PathBuf, bool)> {
        let parent = crate::place::parent(path).to_path_buf();
        self.above.entry((parent, dev)).or_insert_with_key(|(parent, dev)| look_above(parent, *dev)).clone()
    }
}

fn look_above(parent: &Path, dev: u64) -> Option<(PathBuf, bool)> {
    for (number, dir) in parent.ancestors().enumerate() {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        match dir.metadata() {
            Ok(status) if status.is_dir() && status.dev() != dev => {
                let is_empty = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
                // From a directory with other files in it, a file may just have gone.
                return (is_empty || number > 0).then(|| (dir.to_path_buf(), is_empty));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            _ => return None,
        }
    }
    None
}
