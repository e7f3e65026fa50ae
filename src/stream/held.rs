//! A whole input, held for random access: mapped where it is a file, spooled to an unlinked temporary file where it is
//! a pipe.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::cli::Failure;
use crate::guide;
use crate::mapped::Mapping;
use crate::record::Timestamp;

/// An input that is held.
#[derive(Debug)]
pub struct Held {
    name: String,
    /// Absent for an empty input, which cannot be mapped.
    map: Option<Mapping>,
    /// Absent for a spooled input, which nobody else can write to.
    shared: Option<Shared>,
}

/// Size and modification time, which every change of a content changes.
type Stamp = (u64, i64, i64);

/// An open file, and what it was before it was read.
type Shared = (File, Stamp);

fn stamp(file: &File) -> io::Result<Stamp> {
    let meta = file.metadata()?;
    Ok((meta.len(), meta.mtime(), meta.mtime_nsec()))
}

impl Held {
    /// Opens what an operand names; `-` is standard input.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it cannot be read.
    pub fn open(operand: &OsStr) -> Result<Self, Failure> {
        let (name, opened) = if operand == "-" {
            ("standard input".to_owned(), standard_input())
        } else {
            (crate::escape::for_people(operand.as_bytes()), File::open(Path::new(operand)))
        };
        match opened.and_then(map_or_spool) {
            Ok((map, shared)) => Ok(Self { name, map, shared }),
            Err(error) => Err(unreadable(&name, &error)),
        }
    }

    /// Holds what `write` writes, under the name of what it was made from.
    ///
    /// # Errors
    /// What `write` gives, and [`Failure::Stop`] where it cannot be kept.
    pub fn made_from(
        name: &str,
        write: impl FnOnce(&mut dyn io::Write) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let stop = |error: io::Error| unreadable(name, &keeping(&error));
        let file = spool().map_err(stop)?;
        let mut out = io::BufWriter::with_capacity(1 << 17, file);
        write(&mut out)?;
        let file = out.into_inner().map_err(|error| stop(error.into_error()))?;
        Ok(Self { name: name.to_owned(), map: map(&file).map_err(stop)?, shared: None })
    }

    /// What people are told it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    /// Whether it is a file that has a place, and not what came through a pipe.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.shared.is_some()
    }

    /// When it was last written to, if it is a file.
    #[must_use]
    pub fn last_written(&self) -> Option<Timestamp> {
        let (_, (_, seconds, nanoseconds)) = self.shared.as_ref()?;
        Some(Timestamp { seconds: *seconds, nanoseconds: u32::try_from(*nanoseconds).unwrap_or(0) })
    }

    /// Whether somebody changed it while it was held: nothing that was read from it can be trusted.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.map.as_ref().is_some_and(Mapping::is_torn)
            || self.shared.as_ref().is_some_and(|(file, before)| stamp(file).ok().as_ref() != Some(before))
    }

    /// Checks that a text does not end within a line.
    ///
    /// # Errors
    /// [`Failure::Stop`] that names the line, or says that it is no text at all.
    pub fn check_last_line(&self) -> Result<(), Failure> {
        let bytes = self.bytes();
        if bytes.last().is_none_or(|last| *last == b'\n') {
            return Ok(());
        }
        // No stream has this byte in it, and most photos do.
        if memchr::memchr(0, bytes).is_some() {
            let wanted = guide::wanted();
            return Err(Failure::Stop(format!("reading: {}: is not a text, and so not {wanted}", self.name)));
        }
        let line = memchr::memchr_iter(b'\n', bytes).count() + 1;
        Err(Failure::Stop(format!("reading: {}:{line}: the last line is cut off: it has no newline", self.name)))
    }

    /// Length of a byte order mark at the beginning. UTF-8 from some spreadsheets begins with it (Unicode standard,
    /// section 23.8).
    #[must_use]
    pub fn mark_len(&self) -> usize {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        if self.bytes().starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::Stop(format!("reading: {name}: {}", crate::report::reason(error)))
}

fn standard_input() -> io::Result<File> {
    guide::standard_records().as_fd().try_clone_to_owned().map(File::from)
}

/// A regular file is mapped, whole; anything else is first copied to a temporary file without a name.
fn map_or_spool(mut file: File) -> io::Result<(Option<Mapping>, Option<Shared>)> {
    let meta = file.metadata()?;
    if meta.is_dir() {
        let wanted = guide::wanted();
        return Err(io::Error::other(format!("is a directory, not {wanted}; ms-crawl makes an index of one")));
    }
    let is_shared = meta.is_file() && file.stream_position()? == 0;
    if !is_shared {
        let mut spool = spool().map_err(|error| keeping(&error))?;
        // As plain readers and writers: the calls that copy inside the kernel are not there for every pair of files.
        let (from, to): (&mut dyn io::Read, &mut dyn io::Write) = (&mut file, &mut spool);
        io::copy(&mut io::BufReader::with_capacity(1 << 17, from), to).map_err(|error| keeping(&error))?;
        file = spool;
    }
    let before = stamp(&file)?;
    Ok((map(&file)?, is_shared.then_some((file, before))))
}

/// A temporary file that nobody else can open: without a name, or, where the filesystem does not have that, soon without one.
fn spool() -> io::Result<File> {
    let flags = libc::O_TMPFILE | libc::O_EXCL;
    let nameless = OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(flags).open(std::env::temp_dir());
    // It says why that failed as well, if it fails.
    nameless.or_else(|_| Ok(tempfile::NamedTempFile::new()?.into_file()))
}

fn keeping(error: &io::Error) -> io::Error {
    let dir = crate::report::shown(&std::env::temp_dir());
    io::Error::other(format!("keeping it in {dir} (see TMPDIR): {}", crate::report::reason(error)))
}

fn map(file: &File) -> io::Result<Option<Mapping>> {
    let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    Ok(if len == 0 { None } else { Some(Mapping::new(file, 0, len)?) })
}
