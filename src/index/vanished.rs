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
    /// Places that a filesystem seems to be missing from, by its device, the one that is there instead, and whether the
    /// place is empty; the first place of each kind.
    suspects: HashMap<(u64, u64, bool), PathBuf>,
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

    /// Whether anything could not be read.
    pub(super) fn any_failed(&self) -> bool {
        !self.failed.is_empty()
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
                self.suspects.entry((id.dev, above.device, above.is_empty)).or_insert(above.dir);
            }
        }
        Fate::Gone
    }

    /// A directory from which a filesystem is missing that was mounted there, or below it.
    pub(super) fn unmounted(&self) -> Option<&Path> {
        // Where the directory is not empty, it may be that numbers of devices have changed. Then other files of that
        // device are still there.
        let is_missing = |(before, there, is_empty): (u64, u64, bool)| {
            !self.renumbered.contains(&(before, there)) && (is_empty || self.found.get(&before) == Some(&false))
        };
        self.suspects.iter().filter(|(kind, _)| is_missing(**kind)).map(|(_, dir)| dir.as_path()).min()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::filter::FilterBuilder;

    /// A root with an empty directory, one with another file in it, and the number of their device.
    fn tree() -> (tempfile::TempDir, u64) {
        let dir = tempfile::tempdir().expect("directory");
        for name in ["empty", "full"] {
            std::fs::create_dir(dir.path().join(name)).expect("directory");
        }
        std::fs::write(dir.path().join("full/other"), "").expect("file");
        let dev = dir.path().metadata().expect("metadata").dev();
        (dir, dev)
    }

    /// Some file, as it is numbered on a device.
    fn on(dev: u64) -> FileId {
        FileId::here(dev, 1)
    }

    /// The directory, below the root, that a filesystem is missing from after the files `lost`, which were on the device
    /// `dev`, and after some others were `found`: on which device each was, and is.
    fn missing(dir: &Path, lost: &[&str], dev: u64, found: &[(u64, u64)]) -> Option<PathBuf> {
        let roots = [Root { path: dir.to_path_buf(), ..Root::default() }];
        let (filter, failed) = (Filter::default(), []);
        let mut vanished = Vanished::new(&roots, &filter, &failed);
        for (before, now) in found {
            vanished.found(Some(on(*before)), Some(on(*now)));
        }
        for name in lost {
            assert_eq!(vanished.lost(&dir.join(name), Some(on(dev)), 5), Fate::Gone);
        }
        vanished.unmounted().map(|missing| missing.strip_prefix(dir).expect("below").to_path_buf())
    }

    #[test]
    fn files_are_gone_from_directories_of_their_own_filesystem() {
        let (dir, dev) = tree();
        assert_eq!(missing(dir.path(), &["empty/a", "full/b", "gone/deep/c"], dev, &[]), None);
    }

    #[test]
    fn a_filesystem_is_missing_from_an_empty_directory_of_another() {
        let (dir, dev) = tree();
        let other = dev + 1;
        for lost in ["empty/a", "empty/deep/b"] {
            for found in [&[][..], &[(dev, dev)], &[(other, other)]] {
                let missing = missing(dir.path(), &[lost], other, found);
                assert_eq!(missing.as_deref(), Some(Path::new("empty")), "{lost} {found:?}");
            }
        }
    }

    #[test]
    fn a_number_that_has_changed_is_no_missing_filesystem() {
        let (dir, dev) = tree();
        let before = dev + 1;
        for lost in ["empty/a", "empty/deep/b", "full/c", "full/deep/d"] {
            assert_eq!(missing(dir.path(), &[lost], before, &[(before, dev)]), None, "{lost}");
        }
    }

    #[test]
    fn a_mount_point_with_files_in_it_counts_where_nothing_else_is_found() {
        let (dir, dev) = tree();
        let other = dev + 1;
        assert_eq!(missing(dir.path(), &["full/deep/a"], other, &[]), Some("full".into()));
        assert_eq!(missing(dir.path(), &["full/deep/a"], other, &[(other, other)]), None);
        assert_eq!(missing(dir.path(), &["full/a"], other, &[]), None, "it may just have gone");
        let both = missing(dir.path(), &["full/deep/a", "empty/b"], other, &[(other, other)]);
        assert_eq!(both, Some("empty".into()), "the one that is meant is named");
    }

    #[test]
    fn what_nobody_asked_for_is_not_missed() {
        let (dir, dev) = tree();
        let roots = [Root { path: dir.path().join("full"), ..Root::default() }];
        let (filter, failed) = (Filter::default(), []);
        let mut vanished = Vanished::new(&roots, &filter, &failed);
        assert_eq!(vanished.lost(&dir.path().join("empty/a"), Some(on(dev + 1)), 5), Fate::Gone);
        assert_eq!(vanished.lost(&dir.path().join("full/deep/a"), None, 5), Fate::Gone);
        assert_eq!(vanished.unmounted(), None);

        let roots = [Root { path: dir.path().to_path_buf(), ..Root::default() }];
        let filter = FilterBuilder::default().build().expect("filter");
        let mut vanished = Vanished::new(&roots, &filter, &failed);
        vanished.lost(&dir.path().join("empty/a"), Some(on(dev + 1)), 5);
        assert!(vanished.unmounted().is_some());
    }

    #[test]
    fn what_could_not_be_read_is_out_of_reach_with_all_below() {
        let roots = [Root { path: "r".into(), ..Root::default() }];
        let (filter, failed) = (Filter::default(), ["r/dir".into(), "r/file".into()]);
        let mut vanished = Vanished::new(&roots, &filter, &failed);
        for (path, fate) in [
            ("r/dir/a", Fate::OutOfReach),
            ("r/dir/deep/b", Fate::OutOfReach),
            ("r/file", Fate::OutOfReach),
            ("r/directory", Fate::Gone),
            ("r/other/dir/a", Fate::Gone),
        ] {
            assert_eq!(vanished.lost(Path::new(path), Some(on(u64::MAX)), 5), fate, "{path}");
        }
    }
}
