//! The new index in the place of the old one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::known::{Known, Reader};
use super::seen::Place;
use crate::record::{ContentHash, FileId};
use crate::rename::{self, Unnamed};

/// How much is written, and hashed, at a time.
const BUFFER: usize = 256 << 10;

/// `FILE.new` for an index `FILE`.
pub(super) fn path_beside(index: &Path) -> PathBuf {
    let mut name = index.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Writes the rows of the index that are alive, and the `fresh` ones, into the new file `path`, which is on the disk when
/// this returns. Tells the hash of what was written.
///
/// # Errors
/// What the system gives. Nothing is left of the file then.
pub(super) fn write(path: &Path, old: &Path, known: &Known, fresh: &[Place]) -> io::Result<ContentHash> {
    // What was private is so from the first byte on.
    let mode = if old.exists() { 0o600 } else { 0o666 };
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = fill(&file, known, fresh).and_then(|hash| {
        adopt(&file, old)?;
        file.sync_all()?;
        Ok(hash)
    });
    if written.is_err() {
        // The error says more than another one could.
        std::fs::remove_file(path).unwrap_or(());
    }
    written
}

/// What became of a new index that was to take the place of the old one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It has it.
    There,
    /// Another file than the old one stood there, and stands there still.
    Taken,
    /// The same, but it could not be put back: it has the name of the new one now.
    Swapped,
}

/// Gives the file `new` the place `path`, from which the file `old` goes; `None` where nothing stood there. No other file is
/// replaced, unless the filesystem can neither exchange two files nor rename without replacing.
///
/// # Errors
/// What the system gives; nothing is lost then, and `path` has one of the two.
pub(super) fn take_place(new: &Path, path: &Path, old: Option<FileId>) -> io::Result<Placed> {
    let without_replacing = || match rename::without_replacing(CWD, new.as_os_str(), CWD, path.as_os_str()) {
        Ok(()) => Ok(Placed::There),
        Err(Unnamed::Taken) => Ok(Placed::Taken),
        Err(Unnamed::Error(error)) => Err(error),
        Err(Unnamed::Unsupported(_) | Unnamed::OtherFilesystem) => std::fs::rename(new, path).map(|()| Placed::There),
    };
    let Some(old) = old else { return without_replacing() };
    let exchange = || renameat_with(CWD, new, CWD, path, RenameFlags::EXCHANGE);
    match exchange() {
        Ok(()) => {}
        Err(Errno::NOENT) => return without_replacing(),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            return std::fs::rename(new, path).map(|()| Placed::There);
        }
        Err(error) => return Err(error.into()),
    }
    let found = new.symlink_metadata()?;
    if FileId::here(found.dev(), found.ino()) == old {
        return std::fs::remove_file(new).map(|()| Placed::There).inspect_err(|_| {
            // Then all is as it was, and the error says more than another one could.
            exchange().unwrap_or(());
        });
    }
    Ok(if exchange().is_ok() { Placed::Taken } else { Placed::Swapped })
}

fn fill(file: &File, known: &Known, fresh: &[Place]) -> io::Result<ContentHash> {
    let mut out = Hashing { file, hasher: blake3::Hasher::new(), buffer: Vec::with_capacity(2 * BUFFER) };
    let mut reader = Reader::new();
    let mut fresh = fresh.iter().copied().peekable();
    for mut part in known.table().parts(1) {
        while let Some((at, row)) = part.next_row() {
            let at = Place::in_index(at);
            let Some(row) = row.ok().filter(|row| known.is_alive(at, row)) else { continue };
            let path = row.path_bytes();
            while let Some(next) = fresh.next_if(|next| known.path(*next, &mut reader, |next| *next < *path)) {
                out.push(known.line(next))?;
            }
            out.push(known.line(at))?;
        }
    }
    fresh.try_for_each(|next| out.push(known.line(next)))?;
    out.finish()
}

/// Gives the new file the mode and, where that is allowed, the owner of the old one.
fn adopt(file: &File, old: &Path) -> io::Result<()> {
    let Ok(status) = old.metadata() else { return Ok(()) };
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (status.uid(), status.gid()) {
        fchown(file, Some(status.uid()), Some(status.gid())).unwrap_or(());
    }
    let mode = status.permissions().mode() & 0o777;
    if own.permissions().mode() & 0o777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Writes to a file, and hashes what is written.
struct Hashing<'a> {
    file: &'a File,
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Hashing<'_> {
    fn push(&mut self, line: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(line);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<ContentHash> {
        self.flush()?;
        Ok(self.hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::tests::{known, line};
    use super::*;

    /// An index with rows `b`, `d` and `f`, of which `d` is no longer true; `a`, `e` and `g` are to come from a row each
    /// that stands behind them.
    fn half_kept() -> (Known, Vec<Place>) {
        let rows = ["b", "d", "f", "a", "e", "g"].map(|name| line(name, 1, 1));
        let known = known(&rows.concat());
        let mut places = Vec::new();
        known.each_in_index(|at, _| places.push(at));
        let fresh = places.split_off(3);
        for at in [places[0], places[2]] {
            known.keep_alive(at);
        }
        (known, fresh)
    }

    #[test]
    fn rows_that_stay_and_fresh_ones_are_merged() {
        let (known, fresh) = half_kept();
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("new");
        let content = write(&path, &dir.path().join("none"), &known, &fresh).expect("written");
        let expected = ["a", "b", "e", "f", "g"].map(|name| line(name, 1, 1)).concat();
        assert_eq!(std::fs::read_to_string(&path).expect("text"), expected);
        assert_eq!(content, blake3::hash(expected.as_bytes()).into());
    }

    #[test]
    fn the_mode_of_the_old_index_stays() {
        let (known, fresh) = half_kept();
        let dir = tempfile::tempdir().expect("directory");
        let (old, path) = (dir.path().join("old"), dir.path().join("new"));
        std::fs::write(&old, "").expect("old");
        for mode in [0o600, 0o640, 0o444, 0o666] {
            std::fs::set_permissions(&old, Permissions::from_mode(mode)).expect("mode");
            write(&path, &old, &known, &fresh).expect("written");
            assert_eq!(path.metadata().expect("metadata").permissions().mode() & 0o777, mode);
            std::fs::remove_file(&path).expect("removal");
        }
    }

    #[test]
    fn only_the_file_that_was_known_loses_its_place() {
        let dir = tempfile::tempdir().expect("directory");
        let (new, path) = (dir.path().join("new"), dir.path().join("index"));
        let id = |path: &Path| path.metadata().map(|meta| FileId::here(meta.dev(), meta.ino())).ok();
        let write = |path: &Path, text: &str| std::fs::write(path, text).expect("written");
        let place = |old| take_place(&new, &path, old).expect("done");
        write(&new, "1");
        assert_eq!(place(None), Placed::There);
        let first = id(&path);
        write(&new, "2");
        assert_eq!(place(None), Placed::Taken);
        assert_eq!(place(id(&new)), Placed::Taken);
        assert_eq!(std::fs::read(&path).expect("file"), b"1");
        assert_eq!(place(first), Placed::There);
        assert_eq!(std::fs::read(&path).expect("file"), b"2");
        assert!(!new.exists());
        std::fs::remove_file(&path).expect("removal");
        write(&new, "3");
        assert_eq!(place(first), Placed::There);
    }

    #[test]
    fn what_is_there_already_is_not_written_over() {
        let (known, fresh) = half_kept();
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("new");
        std::fs::write(&path, "mine").expect("file");
        let error = write(&path, &dir.path().join("none"), &known, &fresh).expect_err("in the way");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("file"), b"mine");
    }
}
