//! What ingest can be told.

use std::path::PathBuf;

use lexopt::Parser;

use super::template::{self, Template};
use crate::capture::{QtTime, Rules, Zone};
use crate::cli::{self, Failure};
use crate::crawl::{self, Hashing};
use crate::place::QUARANTINE;

/// What ingest can be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The drop, and how it is crawled. Without an operand and without a list, an index is read from standard input.
    pub crawl: crawl::Options,
    /// Where files are to go.
    pub to: PathBuf,
    /// Their paths below it.
    pub template: Template,
    /// Where further copies go.
    pub quarantine: PathBuf,
    /// How the time of capture is found.
    pub rules: Rules,
    /// Whether to go on without malformed lines of an index.
    pub skip_bad_lines: bool,
}

/// Options as they come from the command line, one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    crawl: crawl::Options,
    to: Option<PathBuf>,
    template: Option<Template>,
    quarantine: Option<PathBuf>,
    zone: Option<Zone>,
    qt_time: Option<QtTime>,
    sidecar_first: bool,
    no_mtime: bool,
    skip_bad_lines: bool,
    /// The first option that only a crawl can heed.
    of_crawl: Option<String>,
}

const TO_IS_MISSING: &str = "--to: the directory where files are to go is missing; write, for instance: \
    ms-ingest --to ~/photos /media/card | ms-mv";

impl Builder {
    /// Takes an operand.
    pub fn operand(&mut self, operand: std::ffi::OsString) {
        self.crawl.operands.push(operand);
    }

    /// Takes any option of ingest; `false` for any other.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--to" => self.to = Some(cli::path(option, parser.value()?)?),
            "--template" => self.template = Some(template(option, parser)?),
            "--quarantine" => self.quarantine = Some(cli::path(option, parser.value()?)?),
            "--tz" => self.zone = Some(zone(option, parser)?),
            "--qt-time" => self.qt_time = qt_time(option, parser)?,
            "--sidecar" => self.sidecar_first = sidecar(option, parser)?,
            "--no-mtime" => self.no_mtime = true,
            "--skip-bad-lines" => self.skip_bad_lines = true,
            _ if self.crawl.disks.take(option, parser)? || self.crawl.common.take(option, parser)? => {}
            _ if self.crawl.take(option, parser)? => drop(self.of_crawl.get_or_insert_with(|| option.to_owned())),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// All that was said.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is missing, or contradicts itself.
    pub fn build(mut self) -> Result<Options, Failure> {
        let to = self.to.ok_or_else(|| Failure::Usage(TO_IS_MISSING.into()))?;
        if self.crawl.operands == ["-"] {
            self.crawl.operands.clear();
        }
        if let Some(option) = self.of_crawl.filter(|_| reads_index(&self.crawl)) {
            return Err(Failure::Usage(format!(
                "{option}: is for directories, but an index is read from standard input"
            )));
        }
        // Everything is looked at in one go later, so that each file is opened once.
        self.crawl.hashing = Hashing::None;
        Ok(Options {
            crawl: self.crawl,
            to,
            template: self.template.map_or_else(|| Template::parse(template::DEFAULT), Ok).map_err(Failure::Usage)?,
            quarantine: self.quarantine.unwrap_or_else(|| QUARANTINE.into()),
            rules: Rules {
                zone: self.zone.unwrap_or_default(),
                qt_time: self.qt_time,
                sidecar_first: self.sidecar_first,
                use_mtime: !self.no_mtime,
            },
            skip_bad_lines: self.skip_bad_lines,
        })
    }
}

impl Options {
    /// Whether records come from standard input.
    #[must_use]
    pub fn reads_index(&self) -> bool {
        reads_index(&self.crawl)
    }
}

fn reads_index(crawl: &crawl::Options) -> bool {
    crawl.operands.is_empty() && crawl.lists.is_empty()
}

fn template(option: &str, parser: &mut Parser) -> Result<Template, Failure> {
    let value = parser.value()?;
    let text = value.to_str().ok_or_else(|| cli::unsuitable(option, &value, "is not valid UTF-8"))?;
    Template::parse(text).map_err(|problem| cli::unsuitable(option, &value, &format!("does not do: {problem}")))
}

fn zone(option: &str, parser: &mut Parser) -> Result<Zone, Failure> {
    let value = parser.value()?;
    let zone = value.to_str().and_then(Zone::parse);
    zone.ok_or_else(|| cli::unsuitable(option, &value, "is not a time zone such as Europe/Berlin or UTC"))
}

fn qt_time(option: &str, parser: &mut Parser) -> Result<Option<QtTime>, Failure> {
    cli::choose(option, &parser.value()?, &[("auto", None), ("utc", Some(QtTime::Utc)), ("local", Some(QtTime::Local))])
}

fn sidecar(option: &str, parser: &mut Parser) -> Result<bool, Failure> {
    cli::choose(option, &parser.value()?, &[("fallback", false), ("prefer", true)])
}
