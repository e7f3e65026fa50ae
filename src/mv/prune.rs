//! Directories that a run emptied, or made and did not need.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::journal::{Journal, Removed};
use crate::place::{self, Location, Locator};
use crate::record::Timestamp;
use crate::report::Reporter;

use super::trouble::Stopped;

/// Below which directory emptied ones are removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prune {
    /// Below the longest directory that holds all sources of the plan.
    Common,
    /// Below this one.
    Below(PathBuf),
}

/// Remembers where files were moved from.
#[derive(Debug, Default)]
pub(super) struct Emptied {
    dirs: HashSet<PathBuf>,
}

impl Emptied {
    pub(super) fn note(&mut self, source: &Path, working_dir: &Path) {
        let parent = place::parent(source);
        if !self.dirs.contains(parent) {
            self.dirs.insert(working_dir.join(parent));
        }
    }

    /// Removes those of the directories that are empty now, and those above them that become so, strictly below `base`.
    /// Each is in the journal before it goes. Returns how many.
    pub(super) fn prune(
        self,
        base: &Path,
        locator: &mut Locator,
        journal: &mut Journal,
        reporter: &Reporter,
    ) -> Result<u64, Stopped> {
        let base = locator.directory(base);
        let mut dirs: Vec<PathBuf> = self.dirs.into_iter().collect();
        // Deeper ones first, so that each directory is empty by the time it is looked at; then by name, for a constant order.
        dirs.sort_by_cached_key(|dir| (std::cmp::Reverse(dir.components().count()), dir.clone()));
        let mut count = 0;
        for dir in dirs {
            let Ok(real) = dir.canonicalize() else { continue };
            let mut real = real.as_path();
            while is_strictly_within(&locator.located_at(real.to_owned()), &base) && is_empty(real) {
                if !remove(real, journal, reporter)? {
                    break;
                }
                count += 1;
                let Some(above) = real.parent() else { break };
                real = above;
            }
        }
        Ok(count)
    }
}

fn is_strictly_within(dir: &Location, base: &Location) -> bool {
    dir.is_within(base) && !base.is_within(dir)
}

fn remove(dir: &Path, journal: &mut Journal, reporter: &Reporter) -> Result<bool, Stopped> {
    let removed = match dir.symlink_metadata() {
        Ok(meta) => Removed {
            path: dir.to_owned(),
            mode: meta.mode() & 0o7777,
            mtime: Timestamp { seconds: meta.mtime(), nanoseconds: u32::try_from(meta.mtime_nsec()).unwrap_or(0) },
            uid: meta.uid(),
            gid: meta.gid(),
        },
        Err(error) => return Ok(refuse(dir, &error, reporter)),
    };
    journal.rmdir(&removed)?;
    // rmdir(2) itself refuses a directory that is not empty.
    match std::fs::remove_dir(dir) {
        Ok(()) => Ok(true),
        Err(error) => Ok(refuse(dir, &error, reporter)),
    }
}

fn refuse(dir: &Path, error: &io::Error, reporter: &Reporter) -> bool {
    reporter.failed("removing the emptied directory", dir, &crate::report::reason(error));
    false
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

/// Removes those of the directories that a run made which hold nothing; the last made first.
pub(super) fn remove_unused<'a>(made: impl DoubleEndedIterator<Item = &'a PathBuf>, reporter: &Reporter) {
    for dir in made.rev().filter(|dir| is_empty(dir)) {
        match std::fs::remove_dir(dir) {
            // Somebody has put something into it, or taken it away.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {}
            Err(error) => reporter.failed("removing the unused directory", dir, &crate::report::reason(&error)),
            Ok(()) => {}
        }
    }
}
