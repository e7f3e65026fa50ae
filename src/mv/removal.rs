//! Taking a name away for good, and no other file than the one that was looked at.
//!
//! unlink(2) takes away whatever has the name by then. So the file is first put aside, into a directory that only this run
//! knows and nobody else may enter, looked at once more, and only then removed; what turns out to be another file gets
//! its place back. A crash in between leaves it in that directory, whose name the journal's run tells.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, fstat, mkdirat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::dirs::{Entry, is_empty};
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
    if !is_untouched(entry, facts) {
        return Err(Unremoved::Changed);
    }
    // Where a file may be another one by its id as soon as it is renamed, nothing could be told of it.
    let dir = if ids_last(&entry.dir) { put_aside(entry, aside) } else { None };
    // On a full disk there may be no room for it, and then the file must be able to go all the same.
    let Some(dir) = dir else { return unlink(entry, facts) };
    let there = Facts::of(&dir, &entry.name).ok().flatten();
    let removed = if there.is_some_and(|there| there.is_renamed(facts)) {
        unlinkat(&dir, &entry.name, AtFlags::empty()).map_err(Unremoved::Error)
    } else {
        Err(Unremoved::Changed)
    };
    let removed = removed.map_err(|why| match give_back(entry, &dir) {
        Ok(()) => why,
        Err(_) => Unremoved::Aside(aside.to_owned()),
    });
    let emptied = remove_dir(entry, aside).map_err(|error| Unremoved::Emptied(aside.to_owned(), error));
    removed.and(emptied)
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

/// Puts a file aside, and tells into which directory; `None` where that cannot be done.
fn put_aside(entry: &Entry, aside: &OsStr) -> Option<OwnedFd> {
    match mkdirat(&entry.dir, aside, Mode::from_raw_mode(0o700)) {
        // A crash may have left it.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(_) => return None,
    }
    let dir = straight::open_dir(&entry.dir, aside.as_ref()).ok().filter(is_own_and_empty);
    let dir = dir.filter(|dir| match rename::without_replacing(&entry.dir, &entry.name, dir, &entry.name) {
        Ok(()) => true,
        // There is nothing in it that could be replaced.
        Err(Unnamed::Unsupported(_)) => renameat(&entry.dir, &entry.name, dir, &entry.name).is_ok(),
        Err(_) => false,
    });
    if dir.is_none() {
        // What went wrong is worth more than another error; a directory with anything in it stays.
        remove_dir(entry, aside).unwrap_or(());
    }
    dir
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
pub(super) fn remove_dir(entry: &Entry, aside: &OsStr) -> Result<(), Errno> {
    let remove = || unlinkat(&entry.dir, aside, AtFlags::REMOVEDIR);
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
