//! What a crawl can be told.

use std::ffi::OsString;

use lexopt::Parser;

use crate::cli::{self, Common, Failure};
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
    /// Records come sorted by path, all at the end.
    pub sort: bool,
    /// Large files are mapped into memory instead of read.
    pub mmap: bool,
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
            "--hash" => self.hashing = hashing(parser)?,
            _ => return Ok(self.filter.take(option, parser)? || self.common.take(option, parser)?),
        }
        Ok(true)
    }
}

fn hashing(parser: &mut Parser) -> Result<Hashing, Failure> {
    let words = [("all", Hashing::All), ("dups", Hashing::Dups), ("none", Hashing::None)];
    cli::choose("--hash", &parser.value()?, &words)
}
