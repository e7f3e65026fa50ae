//! An archive and its volumes: what they are called, which files describe them, and what state they are in.
//!
//! ```text
//! ARCHIVE/.ms-protect       nothing leaves the archive
//! ARCHIVE/index.json        the catalogue: every volume that ever was
//! ARCHIVE/catalog/0007.tsv  the files of a sealed volume, also when its directory is gone
//! ARCHIVE/0007/             a volume; once sealed it holds index.json, B3SUMS and README.txt, too
//! ARCHIVE/0007.UNBURNED     stands there until the first burn is recorded
//! ```
//!
//! | question | module |
//! |----------|--------|
//! | Which volumes are there, and which may still get files? | [`archive`], [`catalogue`] |
//! | What does a volume say of its files? | [`index`], [`sums`] |
//! | How large is a disc, and how large will an image be? | [`medium`], [`extent`], [`image`] |
//! | Which date does a path tell? | [`date`] |
//! | What does a row of a plan say of its volume? | [`planned`] |
//!
//! Everything here only reads, or makes text.

pub mod archive;
pub mod catalogue;
pub mod date;
pub mod extent;
pub mod image;
pub mod index;
mod json;
pub mod medium;
pub mod planned;
pub mod sums;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::record::decimal;

/// The name of the list of files in a volume, and of the catalogue in an archive.
pub const INDEX: &str = "index.json";

/// The name of the checksums in a volume.
pub const SUMS: &str = "B3SUMS";

/// The name of the text for people in a volume.
pub const README: &str = "README.txt";

/// The name of a file of a volume or an archive while it is being written.
pub const TEMPORARY: &str = ".ms-seal.tmp";

/// The names that a volume needs for itself, beside its files.
pub const RESERVED: [&str; 4] = [INDEX, SUMS, README, TEMPORARY];

/// The directory of an archive that holds the listing of each sealed volume.
pub const LISTINGS: &str = "catalog";

/// The number of a volume, from 1 on. It is never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(u32);

impl Number {
    /// The number of the first volume.
    pub const FIRST: Self = Self(1);

    /// A number from 1 on.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        u32::try_from(number).ok().filter(|number| *number > 0).map(Self)
    }

    /// As a plain number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }

    /// The number after this one; `None` after the last that there is.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The number of a directory called `name`: at least four digits, and no more zeros before it than that takes.
    #[must_use]
    pub fn of_dir(name: &OsStr) -> Option<Self> {
        let number = Self::new(decimal(name.as_encoded_bytes())?)?;
        (*number.to_string() == *name).then_some(number)
    }

    /// The number that a person writes: `7`, `0007` or `MS_0007`.
    #[must_use]
    pub fn parse(text: &OsStr) -> Option<Self> {
        let text = text.as_encoded_bytes();
        Self::new(decimal(text.strip_prefix(LABEL.as_bytes()).unwrap_or(text))?)
    }

    /// The name of the volume's disc: `MS_0007`.
    #[must_use]
    pub fn label(self) -> String {
        format!("{LABEL}{self}")
    }

    /// The directory of the volume in `archive`.
    #[must_use]
    pub fn dir(self, archive: &Path) -> PathBuf {
        archive.join(self.to_string())
    }

    /// The marker of a volume that was never burned. It stands beside the directory, for inside it would be burned along.
    #[must_use]
    pub fn marker(self, archive: &Path) -> PathBuf {
        archive.join(format!("{self}{MARKER}"))
    }

    /// The listing of the volume's files.
    #[must_use]
    pub fn listing(self, archive: &Path) -> PathBuf {
        archive.join(LISTINGS).join(format!("{self}{LISTING}"))
    }
}

const LABEL: &str = "MS_";
const MARKER: &str = ".UNBURNED";
const LISTING: &str = ".tsv";

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}", self.0)
    }
}

/// Whether `dir` is the directory of a sealed volume: one that carries its index and its checksums, or that a listing in its
/// archive tells of. Nothing is added to it, and nothing leaves it.
#[must_use]
pub fn is_sealed(dir: &Path) -> bool {
    let stands = |path: PathBuf| path.symlink_metadata().is_ok();
    if [INDEX, SUMS].iter().all(|name| stands(dir.join(name))) {
        return true;
    }
    let number = dir.file_name().and_then(Number::of_dir);
    number.zip(dir.parent()).is_some_and(|(number, archive)| stands(number.listing(archive)))
}

/// Whether nothing may leave the volume in `dir`: it is sealed, or a list of its files stands there already. Only a directory
/// that is called like a volume is taken for one whose sealing has begun, for an `index.json` stands in many.
#[must_use]
pub fn is_closed(dir: &Path) -> bool {
    let is_numbered = dir.file_name().and_then(Number::of_dir).is_some();
    is_sealed(dir) || is_numbered && [INDEX, SUMS].iter().any(|name| dir.join(name).symlink_metadata().is_ok())
}

/// Whether nothing may be added to the volume in `dir`: it is closed, or the text for people, which is written first, is one
/// that was made for a volume.
#[must_use]
pub fn has_begun(dir: &Path) -> bool {
    is_closed(dir) || is_readme(&dir.join(README), None).unwrap_or(false)
}

/// The first `most` bytes of the regular file at `path`; `None` where there is none.
fn head_of(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    match path.symlink_metadata() {
        Ok(status) if status.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut head = Vec::new();
    open_file(path)?.take(most).read_to_end(&mut head)?;
    Ok(Some(head))
}

/// Whether the file at `path` begins as the text for people does: with the label of volume `number`, or of any. What is not
/// there, or is no regular file, does not.
///
/// # Errors
/// What the system gives.
pub fn is_readme(path: &Path, number: Option<Number>) -> io::Result<bool> {
    let Some(head) = head_of(path, README_HEAD)? else { return Ok(false) };
    let mut lines = head.split(|byte| *byte == b'\n');
    let (Some(label), Some(rule), Some(_)) = (lines.next(), lines.next(), lines.next()) else { return Ok(false) };
    let found = label.strip_prefix(LABEL.as_bytes()).and_then(|name| Number::of_dir(OsStr::from_bytes(name)));
    let is_underlined = rule.len() == label.len() && rule.iter().all(|byte| *byte == b'=');
    Ok(is_underlined && found.is_some_and(|found| number.is_none_or(|number| number == found)))
}

/// Enough for the label of any volume and the line below it, in bytes.
const README_HEAD: u64 = 64;

/// Opens a regular file, or what a symbolic link to one leads to, and never waits for it.
///
/// # Errors
/// What the system gives, and where it is anything else.
pub fn open_file(path: &Path) -> io::Result<File> {
    use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(File::from(file)),
        FileType::Directory => Err(rustix::io::Errno::ISDIR.into()),
        _ => Err(io::Error::other("not a regular file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_one_spelling_as_a_directory_and_three_for_people() {
        let seven = Number::new(7);
        assert_eq!(Number::of_dir(OsStr::new("0007")), seven);
        assert_eq!(Number::of_dir(OsStr::new("12345")).map(Number::get), Some(12_345));
        for name in ["7", "007", "00007", "0000", "0007 ", "MS_0007", "4294967296", "+007", ""] {
            assert_eq!(Number::of_dir(OsStr::new(name)), None, "{name}");
        }
        for text in ["7", "0007", "MS_0007", "MS_7"] {
            assert_eq!(Number::parse(OsStr::new(text)), seven, "{text}");
        }
        for text in ["", "0", "-7", "MS_", "ms_7", "7.0", "4294967296"] {
            assert_eq!(Number::parse(OsStr::new(text)), None, "{text}");
        }
        assert_eq!(seven.map(Number::label).as_deref(), Some("MS_0007"));
    }

    #[test]
    fn a_volume_is_sealed_by_its_files_or_by_its_listing() {
        let dir = tempfile::tempdir().expect("directory");
        let volume = Number::FIRST.dir(dir.path());
        std::fs::create_dir(&volume).expect("volume");
        assert!(!is_sealed(&volume) && !is_closed(&volume));
        std::fs::write(volume.join(INDEX), "").expect("index");
        assert!(!is_sealed(&volume) && is_closed(&volume));
        std::fs::write(volume.join(SUMS), "").expect("sums");
        assert!(is_sealed(&volume));
        let second = Number::FIRST.next().expect("number").dir(dir.path());
        assert!(!is_sealed(&second));
        std::fs::create_dir(dir.path().join(LISTINGS)).expect("listings");
        std::fs::write(dir.path().join(LISTINGS).join("0002.tsv"), "").expect("listing");
        assert!(is_sealed(&second) && is_closed(&second));
        std::fs::write(dir.path().join(INDEX), "").expect("index");
        assert!(!is_closed(dir.path()), "an index.json alone makes no volume");
    }

    #[test]
    fn a_volume_whose_text_for_people_stands_has_begun() {
        let dir = tempfile::tempdir().expect("directory");
        let readme = dir.path().join(README);
        assert!(!has_begun(dir.path()));
        for (text, is_it) in [
            ("MS_0007\n=======\n\nThis is", true),
            ("MS_12345\n========\n", true),
            ("MS_0007\n======\n", false),
            ("MS_007\n======\n", false),
            ("MS_0007\n=======", false),
            ("Read me\n=======\n", false),
            ("", false),
        ] {
            std::fs::write(&readme, text).expect("file");
            assert_eq!(has_begun(dir.path()), is_it, "{text:?}");
        }
        std::fs::write(&readme, "MS_0007\n=======\n").expect("file");
        let is_of = |number| is_readme(&readme, Number::new(number)).expect("file");
        assert!(is_of(7) && !is_of(8));
        std::fs::remove_file(&readme).expect("removal");
        assert!(std::process::Command::new("mkfifo").arg(&readme).status().expect("mkfifo").success());
        assert!(!has_begun(dir.path()), "nobody waits for a FIFO");
    }
}
