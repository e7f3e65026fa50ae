//! What a crawl can be told.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::Parser;

use crate::cli::{self, Common, Failure};
use crate::disk::Disks;
use crate::host::Host;
use crate::walk::filter::FilterBuilder;

/// Which files are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hashing {
    /// Every file.
    #[default]
    All,
    /// What can have a duplicate within this crawl.
    Dups,
    /// None: nothing is read.
    None,
}

/// What a crawl can be told.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// Directories and files; the working directory where nothing is named at all.
    pub operands: Vec<OsString>,
    /// Files that list more of them.
    pub lists: Vec<OsString>,
    /// The names in these lists end with NUL, not newline.
    pub nul: bool,
    /// Which files are hashed.
    pub hashing: Hashing,
    /// Which files are wanted.
    pub filter: FilterBuilder,
    /// Other filesystems are not entered.
    pub one_file_system: bool,
    /// Symbolic links are followed, and each file is found once.
    pub follow: bool,
    /// Paths are made absolute.
    pub absolute: bool,
    /// What this host is called in paths and ids, if they name it; paths are absolute then.
    pub host: Option<Host>,
    /// Records come sorted by path, all at the end.
    pub sort: bool,
    /// Large files are mapped into memory instead of read.
    pub mmap: bool,
    /// What the disks are taken for.
    pub disks: Disks,
    /// What all tools can be told.
    pub common: Common,
}

impl Options {
    /// Takes any option of a crawl; `false` for any other.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "-x" | "--one-file-system" => self.one_file_system = true,
            "-L" | "--follow" => self.follow = true,
            "-a" | "--absolute" => self.absolute = true,
            "-0" | "--null" => self.nul = true,
            "--sort" => self.sort = true,
            "--mmap" => self.mmap = true,
            "--files-from" => self.lists.push(parser.value()?),
            "--host" => self.host = Some(Host::of_option(option, &parser.value()?)?),
            "--hash" => self.hashing = hashing(parser)?,
            _ => {
                return Ok(self.disks.take(option, parser)?
                    || self.filter.take(option, parser)?
                    || self.common.take(option, parser)?);
            }
        }
        Ok(true)
    }
}

/// The index that a crawl keeps on disk.
#[derive(Debug, Clone, Default)]
pub struct Keeping {
    /// Where it is.
    pub file: Option<PathBuf>,
    /// An index that is not older answers in place of the trees.
    pub max_age: Option<Duration>,
    /// Everything is read, whatever is known.
    pub rehash: bool,
}

impl Keeping {
    /// Takes `--index`, `--max-age` and `--rehash`; `false` for any other option.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--index" => self.file = Some(index_path(option, parser.value()?)?),
            "--max-age" => self.max_age = Some(cli::age(option, &parser.value()?)?),
            "--rehash" => self.rehash = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The index, if there is to be one.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the others were given without it.
    pub fn checked(&self) -> Result<Option<&PathBuf>, Failure> {
        let needless = [("--max-age", self.max_age.is_some()), ("--rehash", self.rehash)];
        match needless.iter().find(|(_, given)| *given && self.file.is_none()) {
            Some((option, _)) => Err(Failure::Usage(format!("{option}: it takes an index: add --index FILE"))),
            None => Ok(self.file.as_ref()),
        }
    }
}

/// Where other tools take `-` for a pipe, it is no place to keep anything.
fn index_path(option: &str, value: OsString) -> Result<PathBuf, Failure> {
    if value == "-" {
        return Err(cli::unsuitable(option, &value, "is no file; one of that name is ./-"));
    }
    cli::path(option, value)
}

fn hashing(parser: &mut Parser) -> Result<Hashing, Failure> {
    let words = [("all", Hashing::All), ("dups", Hashing::Dups), ("none", Hashing::None)];
    cli::choose("--hash", &parser.value()?, &words)
}
