//! What packing can be told.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use lexopt::Parser;

use crate::cli::{self, Common, Failure};
use crate::host::{self, Host};
use crate::report::shown;
use crate::volume::medium::{self, Disc, DiscOptions};

/// What is to stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Atomic {
    /// The files of one day.
    #[default]
    Day,
    /// The files of one directory.
    Dir,
    /// Nothing.
    None,
}

/// What packing can be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Indexes to read; standard input where none is named.
    pub indexes: Vec<OsString>,
    /// The archive.
    pub to: PathBuf,
    /// What this host is called in streams of several hosts: only its records are packed.
    pub host: Option<Host>,
    /// What the volumes are to fit.
    pub disc: Disc,
    /// Directories whose files go into volumes by their path below; where the sources part where none is named.
    pub roots: Vec<PathBuf>,
    /// What is to stay together.
    pub atomic: Atomic,
    /// How many volumes are filled at once.
    pub open: usize,
    /// How full a volume must be to be written, in thousandths of a percent.
    pub min_fill: u64,
    /// Whether to write every volume, however full.
    pub flush: bool,
    /// Whether to go on without malformed lines.
    pub skip_bad_lines: bool,
    /// What all tools can be told.
    pub common: Common,
}

/// Options as they come from the command line, one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    indexes: Vec<OsString>,
    to: Option<PathBuf>,
    host: Option<Host>,
    disc: DiscOptions,
    roots: Vec<PathBuf>,
    atomic: Atomic,
    open: Option<usize>,
    min_fill: Option<u64>,
    flush: bool,
    skip_bad_lines: bool,
    common: Common,
}

/// More volumes than this at once would mix the years.
const MOST_OPEN: usize = 64;

const TO_IS_MISSING: &str = "--to: the directory of the archive is missing; write, for instance: \
    ms-crawl ~/photos | ms-pack --to /Archive | ms-mv | ms-seal /Archive";

impl Builder {
    /// Takes an operand.
    pub fn operand(&mut self, operand: OsString) {
        self.indexes.push(operand);
    }

    /// Takes any option of packing; `false` for any other.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--to" => self.to = Some(cli::path(option, parser.value()?)?),
            "--host" => self.host = Some(Host::of_option(option, &parser.value()?)?),
            "--root" => self.roots.push(cli::path(option, parser.value()?)?),
            "--atomic" => {
                let words = [("day", Atomic::Day), ("dir", Atomic::Dir), ("none", Atomic::None)];
                self.atomic = cli::choose(option, &parser.value()?, &words)?;
            }
            "--open" => self.open = Some(open(option, &parser.value()?)?),
            "--min-fill" => self.min_fill = Some(medium::percentage(option, &parser.value()?)?),
            "--flush" => self.flush = true,
            "--skip-bad-lines" => self.skip_bad_lines = true,
            _ => return Ok(self.disc.take(option, parser)? || self.common.take(option, parser)?),
        }
        Ok(true)
    }

    /// All that was said.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is missing, or contradicts itself.
    pub fn build(self) -> Result<Options, Failure> {
        let to = self.to.ok_or_else(|| Failure::Usage(TO_IS_MISSING.into()))?;
        let here = |option: &str, dir: PathBuf| on_this_host(option, dir, self.host);
        Ok(Options {
            indexes: self.indexes,
            to: here("--to", to)?,
            host: self.host,
            disc: self.disc.disc()?,
            roots: self.roots.into_iter().map(|root| here("--root", root)).collect::<Result<_, _>>()?,
            atomic: self.atomic,
            open: self.open.unwrap_or(2),
            min_fill: self.min_fill.unwrap_or(98_000),
            flush: self.flush,
            skip_bad_lines: self.skip_bad_lines,
            common: self.common,
        })
    }
}

/// A directory as it is here, if it names a host. Of no other host, anything is known.
fn on_this_host(option: &str, dir: PathBuf, host: Option<Host>) -> Result<PathBuf, Failure> {
    if !host::is_located(&dir) {
        return Ok(dir);
    }
    host.and_then(|host| host.path_here(&dir)).ok_or_else(|| {
        let dir = shown(&dir);
        Failure::Usage(format!(
            "{option}: {dir}: it names a host, and --host does not say that it is this, where packing looks"
        ))
    })
}

fn open(option: &str, value: &OsStr) -> Result<usize, Failure> {
    let number = value.to_str().and_then(|text| text.parse().ok()).filter(|number| (1..=MOST_OPEN).contains(number));
    number.ok_or_else(|| cli::unsuitable(option, value, &format!("is not a number from 1 to {MOST_OPEN}")))
}
