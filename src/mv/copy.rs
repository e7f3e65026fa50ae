//! A verified copy to another filesystem.
//!
//! The order is what makes it safe: copy to a temporary name, metadata, fsync, read back and compare, rename without
//! replacing, fsync of the directory. Until that is done the source is not touched, and what a crash leaves is the
//! source as it was and at most a temporary file that the journal names.
//!
//! `content` reads, writes and reads back, and hashes meanwhile.

mod content;

pub(super) use content::Room;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;

use rustix::fs::{
    FallocateFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, fallocate, fchmod, fchown, fgetxattr,
    flistxattr, fsetxattr, fstat, futimens, openat,
};
use rustix::io::Errno;

use super::dirs::Entry;
use super::facts::Facts;
use super::removal;
use super::trouble::Trouble;
use crate::interrupt::Interrupt;
use crate::journal::Was;
use crate::progress::Progress;
use crate::record::ContentHash;
use crate::rename::{self, Unnamed};

/// Copies in steps of this many bytes, between which a signal is noticed.
const CHUNK: usize = 1 << 20;

/// What is to be copied where.
pub(super) struct Copy<'a> {
    pub(super) source: &'a Entry,
    /// What the source was when it was checked.
    pub(super) facts: &'a Facts,
    /// What the copy is to be besides its content.
    pub(super) was: &'a Was,
    /// What its content must be, where that is known.
    pub(super) hash: Option<ContentHash>,
    pub(super) dest: &'a Entry,
    /// The temporary name in the directory of `dest`.
    pub(super) part: &'a OsStr,
    /// The name of the directory there for what is being removed.
    pub(super) aside: &'a OsStr,
    pub(super) interrupt: &'a Interrupt,
    pub(super) progress: &'a Progress,
}

impl Copy<'_> {
    /// Makes the copy of the empty file `part`, which has the temporary name. The source stays.
    ///
    /// # Errors
    /// [`Trouble`]; then nothing stands at the destination and the temporary file is gone, unless even that failed.
    pub(super) fn make(&self, part: &File, room: &mut Room) -> Result<(Facts, ContentHash), Trouble> {
        let source = open_to_read(&self.source.dir, &self.source.name).map_err(|error| self.reading(error));
        let made = source.and_then(|source| self.fill_and_place(source, part, room));
        if made.is_err() {
            // Whatever failed, that file is incomplete, and of use to nobody.
            self.remove_own(self.part, part);
        }
        made
    }

    /// Removes the copy, unless somebody has given its name to another file.
    fn remove_own(&self, name: &OsStr, part: &File) {
        let entry = Entry { name: name.to_owned(), ..self.dest.clone() };
        if let Ok(facts) = Facts::of_open(part) {
            // What went wrong before is worth more than what may go wrong here.
            removal::remove(&entry, &facts, self.aside).unwrap_or(());
        }
    }

    fn fill_and_place(&self, mut source: File, part: &File, room: &mut Room) -> Result<(Facts, ContentHash), Trouble> {
        let id = Facts::of_open(part).map_err(|error| self.writing(error))?.id;
        let hash = self.carry_over(&mut source, part, id, room)?;
        self.place().map_err(|error| error.trouble("copying to", &self.dest.path))?;
        let placed = self.dest.dir.sync().and_then(|()| Facts::of(&self.dest.dir, &self.dest.name));
        match placed {
            Ok(Some(facts)) if facts.id == id => Ok((facts, hash)),
            Ok(_) => Err(Trouble::refused("copying to", &self.dest.path, "the copy was taken away at the last moment")),
            Err(error) => {
                // The source stays, so a copy whose name may not last is one too many.
                self.remove_own(&self.dest.name, part);
                Err(self.writing(error))
            }
        }
    }

    /// Learns of a full disk before hours of copying, where the filesystem can tell.
    fn reserve(&self, part: &File) -> Result<(), Trouble> {
        match fallocate(part, FallocateFlags::KEEP_SIZE, 0, self.facts.size) {
            Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(self.writing(error)),
            _ => Ok(()),
        }
    }

    fn check_source(&self, source: &File, hash: ContentHash) -> Result<(), Trouble> {
        let now = Facts::of_open(source).map_err(|error| self.reading(error))?;
        if !now.is_untouched_since(self.facts) {
            return Err(self.changed());
        }
        match self.hash {
            Some(expected) if expected != hash => Err(Trouble::refused(
                "reading",
                &self.source.path,
                "its content is not what the plan says (its hash differs)",
            )),
            _ => Ok(()),
        }
    }

    /// Gives the finished copy its name. One that was made under its final name, on a filesystem that can neither rename
    /// without replacing nor link, has it already.
    fn place(&self) -> Result<(), Unnamed> {
        let dir = &self.dest.dir;
        if self.part == self.dest.name {
            return Ok(());
        }
        match rename::without_replacing(dir, self.part, dir, &self.dest.name) {
            Err(Unnamed::Unsupported(_)) => rename::link_then_unlink(dir, self.part, dir, &self.dest.name),
            other => other,
        }
    }

    fn reading(&self, error: impl Into<io::Error>) -> Trouble {
        Trouble::io("reading", &self.source.path, error)
    }

    fn writing(&self, error: impl Into<io::Error>) -> Trouble {
        Trouble::io("copying to", &self.dest.path, error)
    }

    fn changed(&self) -> Trouble {
        Trouble::refused("reading", &self.source.path, "it changed while it was copied")
    }
}

/// Opens a file for reading, and nothing else that may stand under its name by now.
pub(super) fn open_to_read(dir: impl AsFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, name, flags, Mode::empty())?))
}

/// The hash of all that is left to read of `file`; the outer error is a signal.
pub(super) fn hash_of(mut file: File, interrupt: &Interrupt) -> Result<io::Result<ContentHash>, Trouble> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        if interrupt.came() {
            return Err(Trouble::Interrupted);
        }
        match read_some(&mut file, &mut buffer) {
            Ok(0) => return Ok(Ok(hasher.finalize().into())),
            Ok(read) => drop(hasher.update(&buffer[..read])),
            Err(error) => return Ok(Err(error)),
        }
    }
}

pub(super) fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Owner first, since chown(2) clears set-user-ID bits; times last, since everything else may change them.
fn copy_metadata(source: &File, part: &File, was: &Was) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        fchown(part, Some(Uid::from_raw(was.uid)), Some(Gid::from_raw(was.gid))).or_else(pass_if_unsupported)?;
    }
    fchmod(part, Mode::from_raw_mode(was.mode)).or_else(pass_if_unsupported)?;
    copy_attributes(source, part)?;
    // A FUSE server made with libfuse 2 drops a change of only one of the two times without a word.
    let now = fstat(part)?;
    let last_access = Timespec { tv_sec: now.st_atime, tv_nsec: i64::try_from(now.st_atime_nsec).unwrap_or(0) };
    let mtime = Timespec { tv_sec: was.mtime.seconds, tv_nsec: i64::from(was.mtime.nanoseconds) };
    Ok(futimens(part, &Timestamps { last_access, last_modification: mtime })?)
}

/// A filesystem without owners or permissions (vfat, exfat) cannot keep them, and holds nothing that depends on them.
fn pass_if_unsupported(error: Errno) -> rustix::io::Result<()> {
    match error {
        // NOSYS is what the kernel gives for a FUSE server without such a call.
        Errno::PERM | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS => Ok(()),
        other => Err(other),
    }
}

/// Copies extended attributes. Those of the user and access control lists are part of what a person keeps, so it is an
/// error where they get lost; labels that the system itself gives are copied where that is allowed.
fn copy_attributes(source: &File, part: &File) -> io::Result<()> {
    let names = match listed_attributes(source) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
        other => other?,
    };
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let value = attribute(source, name)?;
        let is_the_users = name.starts_with(b"user.") || name.starts_with(b"system.posix_acl_");
        match fsetxattr(part.as_fd(), name, &value, XattrFlags::empty()) {
            Err(error) if is_the_users => {
                let name = crate::escape::for_people(name);
                return Err(io::Error::other(format!(
                    "the extended attribute {name} cannot be kept there ({})",
                    crate::report::reason(&error.into())
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The kernel's limit for a list or a value of attributes (xattr(7)).
const ATTRIBUTE_BYTES: usize = 1 << 16;

fn listed_attributes(file: &File) -> rustix::io::Result<Vec<u8>> {
    let mut list = vec![0_u8; ATTRIBUTE_BYTES];
    let length = flistxattr(file.as_fd(), &mut list)?;
    list.truncate(length);
    Ok(list)
}

fn attribute(file: &File, name: &[u8]) -> io::Result<Vec<u8>> {
    let mut value = vec![0_u8; ATTRIBUTE_BYTES];
    let length = fgetxattr(file.as_fd(), name, &mut value)?;
    value.truncate(length);
    Ok(value)
}
