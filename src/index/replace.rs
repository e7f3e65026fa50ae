//! The new index in the place of the old one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::known::{Known, Reader};
use super::seen::Place;
use crate::record::ContentHash;

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
