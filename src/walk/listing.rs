//! The walk below one root, in steps: it can be put aside and taken up again, also by another thread.

use std::fs::FileType;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, DirEntryExt as _, WalkDir};

use super::{Filter, Root};

/// What a walk meets.
#[derive(Debug)]
pub enum Met {
    /// A directory, which is entered next unless [`Listing::pass_over`] is called.
    Directory(PathBuf),
    /// A regular file that the filter wants, with its inode number.
    File(PathBuf, u64),
    /// A symbolic link that is not excluded.
    Link(PathBuf),
    /// Something that has no content to speak of, and what it is.
    Special(PathBuf, &'static str),
    /// What could not be read.
    Failed(PathBuf, io::Error),
}

/// A walk below a directory, in no particular order.
#[derive(Debug)]
pub struct Listing {
    root: Arc<Root>,
    /// Where the walk stays on one filesystem: the device number of its root.
    device: Option<u64>,
    entries: walkdir::IntoIter,
    /// The directories that the walk is in, the one where it began first.
    inside: Vec<PathBuf>,
}

impl Listing {
    /// Begins at a root, also where that is a symbolic link to a directory.
    #[must_use]
    pub fn new(root: Arc<Root>, device: Option<u64>) -> Self {
        let (entries, inside) = (walk(&root.path, device).into_iter(), vec![root.path.clone()]);
        Self { root, device, entries, inside }
    }

    /// Begins at a symbolic link to a directory that was met below `root`.
    #[must_use]
    pub fn behind_link(root: &Arc<Root>, link: &Path, device: Option<u64>) -> Self {
        let (entries, inside) = (walk(link, device).into_iter(), vec![link.to_path_buf()]);
        Self { root: Arc::clone(root), device, entries, inside }
    }

    /// Hands the directory that was met last over to a walk of its own.
    #[must_use]
    pub fn split(&mut self, directory: &Path) -> Self {
        self.pass_over();
        let entries = walk(directory, self.device).follow_root_links(false).into_iter();
        let inside = vec![directory.to_path_buf()];
        Self { root: Arc::clone(&self.root), device: self.device, entries, inside }
    }

    /// Does not enter the directory that was met last.
    pub fn pass_over(&mut self) {
        self.entries.skip_current_dir();
    }

    /// The root that this walk belongs to.
    #[must_use]
    pub fn root(&self) -> &Arc<Root> {
        &self.root
    }

    /// What is met next; `None` at the end. What is not wanted counts as not met.
    pub fn next(&mut self, filter: &Filter) -> Option<Met> {
        loop {
            let met = match self.entries.next()? {
                Ok(entry) => self.sort_out(entry, filter),
                Err(error) => Some(self.failed(error)),
            };
            if met.is_some() {
                return met;
            }
        }
    }

    fn sort_out(&mut self, entry: DirEntry, filter: &Filter) -> Option<Met> {
        let below = self.root.below(entry.path());
        let covered = self.root.covers(below);
        let kind = entry.file_type();
        if kind.is_dir() {
            return self.directory(entry.path(), entry.depth(), !covered && filter.enters(below));
        }
        let wanted = if kind.is_symlink() { filter.enters(below) } else { filter.wants(below) };
        if covered || !wanted {
            return None;
        }
        let inode = entry.ino();
        let path = entry.into_path();
        Some(match special(kind) {
            Some(what) => Met::Special(path, what),
            None if kind.is_symlink() => Met::Link(path),
            None => Met::File(path, inode),
        })
    }

    fn directory(&mut self, path: &Path, depth: usize, wanted: bool) -> Option<Met> {
        // The walk has not entered a mount point, so there is nothing to pass over: its parent would be left.
        if self.device.is_some() && self.device != device_of(path) {
            return None;
        }
        if !wanted {
            self.pass_over();
            return None;
        }
        self.inside.truncate(depth);
        self.inside.push(path.to_path_buf());
        Some(Met::Directory(path.to_path_buf()))
    }

    fn failed(&self, error: walkdir::Error) -> Met {
        // A directory that fails in the middle has no path in its error, but the depth of what it should have given.
        let directory = self.inside.get(error.depth().saturating_sub(1)).unwrap_or(&self.root.path);
        let path = error.path().unwrap_or(directory).to_path_buf();
        // The only other error is a loop of links, and none are followed.
        Met::Failed(path, error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into()))
    }
}

fn walk(directory: &Path, device: Option<u64>) -> WalkDir {
    WalkDir::new(directory).min_depth(1).same_file_system(device.is_some())
}

fn device_of(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|status| status.dev())
}

/// What a thing is that is neither file, directory nor symbolic link.
#[must_use]
pub fn special(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_fifo(), "a FIFO, not a regular file"),
        (kind.is_socket(), "a socket, not a regular file"),
        (kind.is_block_device() || kind.is_char_device(), "a device, not a regular file"),
    ];
    kinds.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(mut listing: Listing, filter: &Filter, split: bool) -> Vec<String> {
        let mut met = Vec::new();
        let mut parts = Vec::new();
        while let Some(thing) = listing.next(filter) {
            match thing {
                Met::Directory(path) if split => parts.push(listing.split(&path)),
                Met::File(path, _) => met.push(path.display().to_string()),
                _ => {}
            }
        }
        met.extend(parts.into_iter().flat_map(|part| names(part, filter, split)));
        met.sort();
        met
    }

    #[test]
    fn a_split_walk_meets_the_same_files() {
        let dir = tempfile::tempdir().expect("directory");
        for path in ["a/b/c", "a/d", "e/f"] {
            fs::create_dir_all(dir.path().join(path)).expect("directory");
            fs::write(dir.path().join(path).join("file"), "x").expect("file");
        }
        let covered = [PathBuf::from("e/f")].into();
        let root = Arc::new(Root { path: dir.path().into(), covered });
        let filter = Filter::default();
        let whole = names(Listing::new(Arc::clone(&root), None), &filter, false);
        assert_eq!(whole.len(), 2, "{whole:?}");
        assert_eq!(names(Listing::new(root, None), &filter, true), whole);
    }
}
