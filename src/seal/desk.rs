//! A directory in which files are put, each whole or not at all.
//!
//! A file is written under a temporary name, brought to the disk, and renamed; then its name is brought to the disk. A
//! crash leaves the temporary file at most, which the next run removes; only what it could have left, though.
//!
//! Nothing is ever written through a name: a symbolic link that somebody puts there is in the way, and so is another file
//! than the one that was known. The directory stays the one that was opened, wherever its path leads later.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags, flock, fstat, fsync, mkdirat, openat, renameat,
    renameat_with, statat, syncfs, unlinkat,
};
use rustix::io::Errno;

use super::leftover;
use crate::rename::{self, Unnamed};
use crate::volume::TEMPORARY;

/// What is to stand in a file: whoever writes it can be asked more than once.
pub(super) type Text<'a> = dyn Fn(&mut dyn Write) -> io::Result<()> + 'a;

/// Which file it is, its length, and when it was last changed.
pub(super) type Stamp = (u64, u64, i64, i64, u64);

/// How much is written or compared at a time, in bytes.
const BUFFER: usize = 128 << 10;

/// An open directory.
#[derive(Debug)]
pub(super) struct Desk {
    fd: OwnedFd,
    path: PathBuf,
}

impl AsFd for Desk {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Desk {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let fd = openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens a directory in this one, by whatever its name leads to now.
    pub(super) fn open_in(&self, name: &str) -> io::Result<Self> {
        let fd = openat(&self.fd, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { fd, path: self.path.join(name) })
    }

    /// Makes a directory in this one, and opens it.
    pub(super) fn make_in(&self, name: &str) -> io::Result<Self> {
        match mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.sync()?,
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty())?;
        Ok(Self { fd, path: self.path.join(name) })
    }

    /// Checks that its path still leads to it.
    ///
    /// # Errors
    /// What the system gives, and where it leads to another directory.
    pub(super) fn check_place(&self) -> io::Result<()> {
        let id = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
        if id(rustix::fs::stat(&self.path)?) == id(fstat(&self.fd)?) { Ok(()) } else { Err(moved()) }
    }

    /// Keeps others who ask for that away until this is closed; `false` where somebody else does so.
    pub(super) fn lock(&self) -> io::Result<bool> {
        match flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Whether a name is that of a symbolic link, wherever it leads to.
    pub(super) fn is_link(&self, name: &str) -> io::Result<bool> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Symlink),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what a crash has left of a file. Whatever else has the temporary name is left as it is.
    ///
    /// # Errors
    /// What the system gives, and where it is something else.
    pub(super) fn clear(&self) -> io::Result<()> {
        let file = match self.open_file(TEMPORARY) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(()),
            Err(Errno::LOOP) => return Err(foreign()),
            Err(error) => return Err(error.into()),
        };
        let is_file = FileType::from_raw_mode(fstat(&file)?.st_mode) == FileType::RegularFile;
        if is_file && leftover::is_one(&file)? && self.is_named(TEMPORARY, &file) {
            self.discard()
        } else {
            Err(foreign())
        }
    }

    /// Takes the temporary name away from a file that is known to be one of this run, or the one whose place it took.
    fn discard(&self) -> io::Result<()> {
        match unlinkat(&self.fd, TEMPORARY, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens what has a name to read it, and waits for nothing; a symbolic link is [`Errno::LOOP`].
    fn open_file(&self, name: &str) -> rustix::io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        openat(&self.fd, name, flags, Mode::empty()).map(File::from)
    }

    /// Brings all that was written to this filesystem to the disk.
    pub(super) fn sync_filesystem(&self) -> io::Result<()> {
        Ok(syncfs(&self.fd)?)
    }

    /// Brings the names in it to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(fsync(&self.fd)?)
    }

    /// Puts a file here. One that stands here already is left, if it has just this text.
    ///
    /// # Errors
    /// What the system gives, and where something else has that name.
    pub(super) fn put(&self, name: &str, text: &Text<'_>) -> io::Result<()> {
        match self.holds(name, text)? {
            Some(true) => self.sync(),
            Some(false) => Err(in_the_way()),
            None => self.make(name, text, 0o644, &|| self.name_new(name)),
        }
    }

    /// Whether [`Desk::put`] would find something else under that name.
    ///
    /// # Errors
    /// As there.
    pub(super) fn check(&self, name: &str, text: &Text<'_>) -> io::Result<()> {
        match self.holds(name, text)? {
            Some(false) => Err(in_the_way()),
            Some(true) | None => Ok(()),
        }
    }

    /// Puts a file without content here, unless anything has that name.
    pub(super) fn put_mark(&self, name: &str) -> io::Result<()> {
        if self.has(name) { self.sync() } else { self.put(name, &|_| Ok(())) }
    }

    /// Which file has a name, and what it was last changed to; `None` where there is none.
    pub(super) fn stamp(&self, name: &str) -> io::Result<Option<Stamp>> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some((stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a file in the place of the one that is `known`, whose permissions stay. Any other is left.
    pub(super) fn replace(&self, name: &str, known: Option<Stamp>, text: &Text<'_>) -> io::Result<()> {
        if self.holds(name, text)? == Some(true) {
            return self.sync();
        }
        let stat = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let stat = stat.filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
        let mode = stat.map_or(0o644, |stat| stat.st_mode & 0o777);
        self.make(name, text, mode, &|| match known {
            Some(known) => self.take_place(name, known),
            None => self.name_new(name),
        })
    }

    /// Gives the temporary file the name of a known one, which goes.
    fn take_place(&self, name: &str, known: Stamp) -> io::Result<()> {
        let exchange = || renameat_with(&self.fd, TEMPORARY, &self.fd, name, RenameFlags::EXCHANGE);
        match exchange() {
            Ok(()) => {}
            Err(Errno::NOENT) => return self.name_new(name),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if self.stamp(name)? == Some(known) => {
                return Ok(renameat(&self.fd, TEMPORARY, &self.fd, name)?);
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return Err(changed()),
            Err(error) => return Err(error.into()),
        }
        if self.stamp(TEMPORARY)? == Some(known) {
            return self.discard();
        }
        exchange()?;
        Err(changed())
    }

    /// Takes a name away.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => self.sync(),
            Err(error) => Err(error.into()),
        }
    }

    fn make(&self, name: &str, text: &Text<'_>, mode: u32, give_name: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // With no more than its final permissions from the first byte on; the umask takes its share.
        let file = File::from(openat(&self.fd, TEMPORARY, flags, Mode::from_raw_mode(mode))?);
        let named = fill(&file, text).and_then(|()| self.adopt(&file, name, mode)).and_then(|()| {
            file.sync_all()?;
            give_name()?;
            if self.is_named(name, &file) { Ok(()) } else { Err(changed()) }
        });
        // What somebody else may have put under that name is not for this to remove.
        if named.is_err() && self.is_named(TEMPORARY, &file) {
            // The error says more than another one could.
            self.discard().unwrap_or(());
        }
        named.and_then(|()| self.sync())
    }

    fn is_named(&self, name: &str, file: &File) -> bool {
        let id = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
        let there = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).map(id);
        there.is_ok() && there == fstat(file).map(id)
    }

    /// What somebody has once allowed stays allowed.
    fn adopt(&self, file: &File, name: &str, mode: u32) -> io::Result<()> {
        if self.has(name) && file.metadata()?.permissions().mode() & 0o777 != mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    /// Never replaces anything.
    fn name_new(&self, name: &str) -> io::Result<()> {
        let (temporary, name) = (OsStr::new(TEMPORARY), OsStr::new(name));
        let named = match rename::without_replacing(self, temporary, self, name) {
            Err(Unnamed::Unsupported(_)) => rename::link_then_unlink(self, temporary, self, name),
            other => other,
        };
        named.map_err(|error| match error {
            Unnamed::Error(error) => error,
            other => io::Error::other(other.to_string()),
        })
    }

    /// Whether a file has just this text; `None` where nothing has its name.
    fn holds(&self, name: &str, text: &Text<'_>) -> io::Result<Option<bool>> {
        let file = match self.open_file(name) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            // A symbolic link.
            Err(Errno::LOOP) => return Ok(Some(false)),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Ok(Some(false));
        }
        Comparison::of(file, text).map(Some)
    }
}

fn in_the_way() -> io::Error {
    let reason = "something else stands there already, and it is left as it is: move it out of the volume";
    io::Error::new(io::ErrorKind::AlreadyExists, reason)
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "ms-seal has not written this, and it is left as it is: move it away")
}

fn changed() -> io::Error {
    io::Error::other("somebody else has put another file there meanwhile")
}

fn moved() -> io::Error {
    io::Error::other("another directory was put in its place meanwhile")
}

fn fill(file: &File, text: &Text<'_>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, file);
    text(&mut out)?;
    out.flush()
}

/// Takes what is written as what a file should hold.
struct Comparison {
    file: BufReader<File>,
    buffer: Vec<u8>,
    differs: bool,
}

impl Comparison {
    fn of(file: File, text: &Text<'_>) -> io::Result<bool> {
        let comparison = Self { file: BufReader::with_capacity(BUFFER, file), buffer: Vec::new(), differs: false };
        let mut out = BufWriter::with_capacity(BUFFER, comparison);
        let written = text(&mut out).and_then(|()| out.flush());
        let comparison = out.get_mut();
        if comparison.differs {
            return Ok(false);
        }
        written?;
        Ok(comparison.file.read(&mut [0])? == 0)
    }
}

impl Write for Comparison {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.resize(bytes.len(), 0);
        match self.file.read_exact(&mut self.buffer) {
            Ok(()) => self.differs |= self.buffer != bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.differs = true,
            Err(error) => return Err(error),
        }
        // Whatever comes after the first difference need not be made any more.
        if self.differs { Err(io::Error::other("it differs")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> (tempfile::TempDir, Desk) {
        let dir = tempfile::tempdir().expect("directory");
        let desk = Desk::open(dir.path()).expect("desk");
        (dir, desk)
    }

    #[test]
    fn what_stands_there_is_left_and_told_apart() {
        let (dir, desk) = desk();
        let long = vec![b'x'; 3 * BUFFER];
        for text in [b"".as_slice(), b"text\n", &long] {
            let name = text.len().to_string();
            let write = |out: &mut dyn Write| out.write_all(text);
            desk.put(&name, &write).expect("put");
            desk.put(&name, &write).expect("the same again");
            assert_eq!(std::fs::read(dir.path().join(&name)).expect("file"), text);
            for other in [[text, b"more"].concat(), [b"m", text].concat(), vec![b'y'; text.len() + 1]] {
                let error = desk.put(&name, &|out| out.write_all(&other)).expect_err("another text");
                assert!(error.to_string().contains("something else stands there"), "{error}");
            }
            assert_eq!(std::fs::read(dir.path().join(&name)).expect("file"), text);
        }
        assert_eq!(std::fs::read_dir(dir.path()).expect("directory").count(), 3, "nothing else is left");
    }

    #[test]
    fn neither_a_link_nor_a_directory_is_taken_for_a_file() {
        let (dir, desk) = desk();
        std::fs::write(dir.path().join("real"), "text").expect("file");
        std::os::unix::fs::symlink("real", dir.path().join("link")).expect("link");
        std::fs::create_dir(dir.path().join("dir")).expect("directory");
        for name in ["link", "dir"] {
            desk.put(name, &|out| out.write_all(b"text")).expect_err(name);
        }
    }

    #[test]
    fn a_text_that_fails_leaves_nothing() {
        let (dir, desk) = desk();
        let fails = |out: &mut dyn Write| out.write_all(b"half").and_then(|()| Err(io::Error::other("no more")));
        assert_eq!(desk.put("name", &fails).expect_err("failure").to_string(), "no more");
        assert_eq!(std::fs::read_dir(dir.path()).expect("directory").count(), 0);
    }

    #[test]
    fn what_is_replaced_keeps_its_permissions() {
        let (dir, desk) = desk();
        let path = dir.path().join("name");
        desk.replace("name", None, &|out| out.write_all(b"old")).expect("new");
        std::fs::set_permissions(&path, Permissions::from_mode(0o660)).expect("mode");
        let known = desk.stamp("name").expect("stamp");
        desk.replace("name", known, &|out| out.write_all(b"new")).expect("replaced");
        assert_eq!(std::fs::read(&path).expect("file"), b"new");
        assert_eq!(path.metadata().expect("metadata").permissions().mode() & 0o777, 0o660);
    }

    #[test]
    fn only_the_file_that_was_known_is_replaced() {
        let (dir, desk) = desk();
        let path = dir.path().join("name");
        std::fs::write(&path, "old").expect("file");
        let known = desk.stamp("name").expect("stamp");
        std::fs::remove_file(&path).expect("removal");
        std::fs::write(dir.path().join("precious"), "precious").expect("file");
        std::os::unix::fs::symlink("precious", &path).expect("link");
        for known in [known, None] {
            desk.replace("name", known, &|out| out.write_all(b"new")).expect_err("another");
            assert_eq!(std::fs::read(&path).expect("file"), b"precious");
            assert_eq!(std::fs::read_dir(dir.path()).expect("directory").count(), 2, "nothing else is left");
        }
    }
}
