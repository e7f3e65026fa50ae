//! Directories that a run emptied, or made and did not need.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, unlinkat};

use crate::journal::{Journal, Removed};
use crate::place::{self, Location};
use crate::report::Reporter;

use super::dirs::{Dir, Dirs, is_named};
use super::facts::Facts;
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
    /// The last of them, as it was given.
    last: PathBuf,
}

impl Emptied {
    pub(super) fn note(&mut self, source: &Path, working_dir: &Path) {
        let parent = place::parent(source);
        if self.last.as_os_str() != parent.as_os_str() || self.dirs.is_empty() {
            parent.clone_into(&mut self.last);
            self.dirs.insert(working_dir.join(parent));
        }
    }

    /// Removes those of the directories that are empty now, and those above them that become so, strictly below `base`.
    /// Each is in the journal before it goes. Returns how many.
    pub(super) fn prune(
        self,
        base: &Path,
        dirs: &mut Dirs,
        journal: &mut Journal,
        reporter: &Reporter,
    ) -> Result<u64, Stopped> {
        let base = dirs.locator().directory(base);
        let mut emptied: Vec<PathBuf> = self.dirs.into_iter().collect();
        // Deeper ones first, so that each directory is empty by the time it is looked at; then by name, for a constant order.
        emptied.sort_by_cached_key(|dir| (std::cmp::Reverse(dir.components().count()), dir.clone()));
        let mut count = 0;
        for dir in emptied {
            let Ok(mut dir) = dirs.open_anew(&dir) else { continue };
            while is_strictly_within(dir.location(), &base) && dir.is_empty() {
                let real = dir.location().real().to_owned();
                let (Some(above), Some(name)) = (real.parent(), real.file_name()) else { break };
                // Somebody may have moved it, or put another in its place.
                let Ok(above) = dirs.open_anew(above) else { break };
                if !is_named(&dir, &above, name) || !remove((&above, name), &dir, journal, reporter)? {
                    break;
                }
                count += 1;
                dir = above;
            }
        }
        Ok(count)
    }
}

fn is_strictly_within(dir: &Location, base: &Location) -> bool {
    dir.is_within(base) && !base.is_within(dir)
}

fn remove(
    (above, name): (&Dir, &OsStr),
    dir: &Dir,
    journal: &mut Journal,
    reporter: &Reporter,
) -> Result<bool, Stopped> {
    let path = dir.location().real();
    let facts = match Facts::of_open(dir) {
        Ok(facts) => facts,
        Err(error) => return Ok(refuse(path, &error, reporter)),
    };
    let Facts { mode, mtime, uid, gid, .. } = facts;
    journal.rmdir(&Removed { path: path.to_owned(), mode: mode & 0o7777, mtime, uid, gid })?;
    // rmdir(2) itself refuses a directory that is not empty.
    match unlinkat(above, name, AtFlags::REMOVEDIR) {
        Ok(()) => Ok(true),
        Err(error) => Ok(refuse(path, &error.into(), reporter)),
    }
}

fn refuse(dir: &Path, error: &io::Error, reporter: &Reporter) -> bool {
    reporter.failed("removing the emptied directory", dir, &crate::report::reason(error));
    false
}

/// Removes those of the directories that a run made which hold nothing; the last made first.
pub(super) fn remove_unused<'a>(
    made: impl DoubleEndedIterator<Item = &'a PathBuf>,
    dirs: &mut Dirs,
    reporter: &Reporter,
) {
    for dir in made.rev() {
        if let Err(error) = dirs.remove_empty(dir) {
            reporter.failed("removing the unused directory", dir, &crate::report::reason(&error));
        }
    }
}
