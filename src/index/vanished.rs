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
    /// another device.
    above: HashMap<(PathBuf, u64), Option<Above>>,
    /// Places that a filesystem seems to be missing from, by its device and the one that is there instead.
    suspects: HashMap<(u64, u64), Above>,
    /// Devices with another number than before, and that number: files have kept their own numbers there.
    renumbered: HashSet<(u64, u64)>,
    /// For each device, whether a file was found where it was before.
    found: HashMap<u64, bool>,
}

/// A directory that is on another device than the files that were below it.
#[derive(Debug, Clone)]
struct Above {
    dir: PathBuf,
    device: u64,
    is_empty: bool,
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
            renumbered: HashSet::new(),
            found: HashMap::new(),
        }
    }

    /// A row whose path was found again, whatever is there `now`.
    pub(super) fn found(&mut self, id: Option<FileId>, now: Option<FileId>) {
        let Some(id) = id else { return };
        self.found.insert(id.dev, true);
        if let Some(now) = now.filter(|now| now.ino == id.ino && now.dev != id.dev) {
            self.renumbered.insert((id.dev, now.dev));
        }
    }

    /// A row whose path was not found.
    pub(super) fn lost(&mut self, path: &Path, id: Option<FileId>, size: u64) -> Fate {
        if path.ancestors().any(|above| self.failed.contains(above)) {
            return Fate::OutOfReach;
        }
        if let Some(id) = id.filter(|_| self.is_wanted(path, size)) {
            self.found.entry(id.dev).or_insert(false);
            if let Some(above) = self.missing_filesystem(path, id.dev) {
                let is_empty = above.is_empty;
                self.suspects.entry((id.dev, above.device)).or_insert(above).is_empty |= is_empty;
            }
        }
        Fate::Gone
    }

    /// A directory from which a filesystem is missing that was mounted there, or below it.
    pub(super) fn unmounted(&self) -> Option<&Path> {
        // Where the directory is not empty, it may be that numbers of devices have changed. Then other files of that
        // device are still there.
        let is_missing = |(devices, above): &(&(u64, u64), &Above)| {
            !self.renumbered.contains(*devices) && (above.is_empty || self.found.get(&devices.0) == Some(&false))
        };
        self.suspects.iter().filter(is_missing).map(|(_, above)| above.dir.as_path()).min()
    }

    fn is_wanted(&self, path: &Path, size: u64) -> bool {
        let Some(root) = path.ancestors().find_map(|above| self.roots.get(above)) else { return false };
        let below = root.below(path);
        let enters = |dir: &Path| dir.as_os_str().is_empty() || self.filter.enters(dir);
        self.filter.wants_size(size)
            && (below.as_os_str().is_empty() || self.filter.wants(below) && below.ancestors().skip(1).all(enters))
    }

    /// The nearest directory above `path` that is there, unless it is on the device `dev`, as the file was.
    fn missing_filesystem(&mut self, path: &Path, dev: u64) -> Option<Above> {
        let parent = crate::place::parent(path).to_path_buf();
        self.above.entry((parent, dev)).or_insert_with_key(|(parent, dev)| look_above(parent, *dev)).clone()
    }
}

fn look_above(parent: &Path, dev: u64) -> Option<Above> {
    for (number, dir) in parent.ancestors().enumerate() {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        match dir.metadata() {
            Ok(status) if status.is_dir() && status.dev() != dev => {
                let is_empty = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
                // From a directory with other files in it, a file may just have gone.
                let above = Above { dir: dir.to_path_buf(), device: status.dev(), is_empty };
                return (is_empty || number > 0).then_some(above);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            _ => return None,
        }
    }
    None
}
