//! Taking a name away for good, and no other file than the one that was looked at.
//!
//! unlink(2) takes away whatever has the name by then. So the file is first put aside, into a directory that only this run
//! knows and nobody else may enter, looked at once more, and only then removed; what turns out to be another file gets
//! its place back. A crash in between leaves it in that directory, whose name the journal's run tells.
//!
//! To make and to remove a directory may take longer than to copy a photo, so the one of a row gets the name of the next
//! row's, and its place, while files leave one filesystem ([`Aside`]). Then a crash may leave it empty.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;

use rustix::fs::{AtFlags, Mode, fstat, mkdirat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::dirs::{Dir, Entry, is_empty, is_named};
use super::facts::{Facts, ids_last};
use crate::rename::{self, Unnamed};
use crate::straight;

/// Why a name was not taken away.
#[derive(Debug)]
pub(super) enum Unremoved {
    /// The file is another one, or was changed, and has its name.
    Changed,
    /// The same, but meanwhile somebody gave its name to another file: this one stands in the directory of that name.
    Aside(OsString),
    /// It stays where it is.
    Error(Errno),
    /// It is gone, but the empty directory of that name stays.
    Emptied(OsString, Errno),
}

impl fmt::Display for Unremoved {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => out.write_str("it changed or went away meanwhile"),
            Self::Aside(dir) => {
                let dir = crate::report::shown(dir.as_ref());
                write!(out, "it changed meanwhile, and its name was given to another file: it is in {dir} beside it")
            }
            Self::Error(error) => out.write_str(&reason(*error)),
            Self::Emptied(dir, error) => {
                let dir = crate::report::shown(dir.as_ref());
                write!(out, "it is gone, but not {dir} beside it, which is empty: {}", reason(*error))
            }
        }
    }
}

fn reason(error: Errno) -> String {
    crate::report::reason(&error.into())
}

/// The directory in which a file of a row is while it is being removed, which no other run makes.
pub(super) fn name_aside(run: &str, number: usize) -> OsString {
    OsString::from(format!(".ms-mv-{run}-{number}.old"))
}

/// Removes the name `entry`, if it is that of the untouched file `facts`. `aside` is the name of a directory for the meantime.
pub(super) fn remove(entry: &Entry, facts: &Facts, aside: &OsStr) -> Result<(), Unremoved> {
    let mut dir = Aside::default();
    let removed = dir.remove(entry, facts, aside);
    removed.and(dir.clear().map_err(|error| Unremoved::Emptied(aside.to_owned(), error)))
}

/// The directory for the meantime of the file that was removed last, empty again, for the next one.
#[derive(Debug, Default)]
pub(super) struct Aside {
    kept: Option<Made>,
    /// Those that could not be removed, and why.
    left: Vec<(PathBuf, Errno)>,
}

/// A directory for the meantime, under its present name.
#[derive(Debug)]
struct Made {
    above: Rc<Dir>,
    name: OsString,
    dir: OwnedFd,
    /// Of the file that it was for.
    path: PathBuf,
}

impl Aside {
    /// As [`remove`], but the directory stays, for the next file.
    pub(super) fn remove(&mut self, entry: &Entry, facts: &Facts, aside: &OsStr) -> Result<(), Unremoved> {
        if !is_untouched(entry, facts) {
            return Err(Unremoved::Changed);
        }
        // Where a file may be another one by its id as soon as it is renamed, nothing could be told of it.
        let made = if ids_last(&entry.dir) { self.put_aside(entry, aside) } else { None };
        // On a full disk there may be no room for it, and then the file must be able to go all the same.
        let Some(made) = made else { return unlink(entry, facts) };
        match remove_in(&made.dir, entry, facts) {
            // What is in it stays where people are told that it is.
            Err(_) if give_back(entry, &made.dir).is_err() => Err(Unremoved::Aside(aside.to_owned())),
            removed => {
                self.kept = Some(made);
                removed
            }
        }
    }

    /// Puts a file aside, and gives the directory that it is in; `None` where that cannot be done.
    fn put_aside(&mut self, entry: &Entry, aside: &OsStr) -> Option<Made> {
        let made = self.rename(entry, aside).or_else(|| {
            self.dismiss();
            make(entry, aside)
        })?;
        let is_put = match rename::without_replacing(&entry.dir, &entry.name, &made.dir, &entry.name) {
            Ok(()) => true,
            // There is nothing in it that could be replaced.
            Err(Unnamed::Unsupported(_)) => renameat(&entry.dir, &entry.name, &made.dir, &entry.name).is_ok(),
            Err(_) => false,
        };
        if is_put {
            return Some(made);
        }
        self.kept = Some(made);
        self.dismiss();
        None
    }

    /// Gives the directory that was kept the place and the name that tell whose file is in it now.
    fn rename(&mut self, entry: &Entry, aside: &OsStr) -> Option<Made> {
        let made = self.kept.take_if(|made| {
            let is_there = is_named(&made.dir, &made.above, &made.name);
            is_there && rename::without_replacing(&made.above, &made.name, &entry.dir, aside).is_ok()
        })?;
        Some(Made { above: Rc::clone(&entry.dir), name: aside.to_owned(), path: entry.path.clone(), dir: made.dir })
    }

    /// Removes the directory that was kept. Where it stays, [`Aside::left`] tells.
    pub(super) fn dismiss(&mut self) {
        let path = self.kept.as_ref().map(|made| made.path.with_file_name(&made.name));
        let removed = self.clear();
        self.left.extend(path.zip(removed.err()));
    }

    fn clear(&mut self) -> Result<(), Errno> {
        self.kept.take().map_or(Ok(()), |made| remove_dir(&made.above, &made.name))
    }

    /// Directories that could not be removed.
    pub(super) fn left(&mut self) -> Vec<(PathBuf, Errno)> {
        self.dismiss();
        std::mem::take(&mut self.left)
    }
}

/// Removes a file that was put aside, if it is the one that was to be.
fn remove_in(dir: &OwnedFd, entry: &Entry, facts: &Facts) -> Result<(), Unremoved> {
    let there = Facts::of(dir, &entry.name).ok().flatten();
    if there.is_some_and(|there| there.is_renamed(facts)) {
        unlinkat(dir, &entry.name, AtFlags::empty()).map_err(Unremoved::Error)
    } else {
        Err(Unremoved::Changed)
    }
}

/// Whether an attempt has left the file where it was, and nothing was done to it but that it was put aside and given back.
pub(super) fn is_left_whole(why: &Unremoved, entry: &Entry, facts: &Facts) -> bool {
    let now = || Facts::of(&entry.dir, &entry.name).ok().flatten();
    matches!(why, Unremoved::Error(_)) && now().is_some_and(|now| now.is_renamed(facts))
}

/// Whether the file that was looked at still stands there, and nothing was done to it.
pub(super) fn is_untouched(entry: &Entry, facts: &Facts) -> bool {
    Facts::of(&entry.dir, &entry.name).is_ok_and(|now| now.is_some_and(|now| now.is_untouched_since(facts)))
}

fn make(entry: &Entry, aside: &OsStr) -> Option<Made> {
    match mkdirat(&entry.dir, aside, Mode::from_raw_mode(0o700)) {
        // A crash may have left it.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(_) => return None,
    }
    let Some(dir) = straight::open_dir(&entry.dir, aside.as_ref()).ok().filter(is_own_and_empty) else {
        // What went wrong is worth more than another error; a directory with anything in it stays.
        remove_dir(&entry.dir, aside).unwrap_or(());
        return None;
    };
    Some(Made { above: Rc::clone(&entry.dir), name: aside.to_owned(), dir, path: entry.path.clone() })
}

fn is_own_and_empty(dir: &OwnedFd) -> bool {
    let is_own = fstat(dir).is_ok_and(|stat| stat.st_uid == geteuid().as_raw());
    is_own && is_empty(dir)
}

/// Puts a file back that was put aside.
pub(super) fn give_back(entry: &Entry, dir: &OwnedFd) -> Result<(), Unnamed> {
    match rename::without_replacing(dir, &entry.name, &entry.dir, &entry.name) {
        Err(Unnamed::Unsupported(_)) => rename::link_then_unlink(dir, &entry.name, &entry.dir, &entry.name),
        other => other,
    }
}

/// Removes the directory for the meantime. It stays where there is still something in it, which rmdir(2) sees to.
pub(super) fn remove_dir(above: &Dir, aside: &OsStr) -> Result<(), Errno> {
    let remove = || unlinkat(above, aside, AtFlags::REMOVEDIR);
    // Nobody is served by an empty directory, so that it is worth a second try.
    match remove().or_else(|_| remove()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

fn unlink(entry: &Entry, facts: &Facts) -> Result<(), Unremoved> {
    if !is_untouched(entry, facts) {
        return Err(Unremoved::Changed);
    }
    unlinkat(&entry.dir, &entry.name, AtFlags::empty()).map_err(Unremoved::Error)
}
