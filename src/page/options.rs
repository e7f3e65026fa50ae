//! What the page can be told.

use std::ffi::OsString;

use lexopt::Parser;

use crate::cli::{Common, Failure, unsuitable};
use crate::volume::medium::DiscOptions;

/// What the page can be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Streams to read; standard input where none is named.
    pub streams: Vec<OsString>,
    /// What the page is called.
    pub title: Option<String>,
    /// Whether files are opened for their pictures.
    pub thumbnails: bool,
    /// How much a disc holds, in bytes, where that was said.
    pub capacity: Option<u64>,
    /// Whether to go on without malformed lines.
    pub skip_bad_lines: bool,
    /// What all tools can be told.
    pub common: Common,
}

/// Options as they come from the command line, one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    streams: Vec<OsString>,
    title: Option<String>,
    no_thumbnails: bool,
    disc: DiscOptions,
    skip_bad_lines: bool,
    common: Common,
}

impl Builder {
    /// Takes an operand.
    pub fn operand(&mut self, operand: OsString) {
        self.streams.push(operand);
    }

    /// Takes any option of the page; `false` for any other.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--title" => self.title = Some(title(option, parser.value()?)?),
            "--no-thumbnails" => self.no_thumbnails = true,
            "--media" | "--capacity" => return self.disc.take(option, parser),
            "--skip-bad-lines" => self.skip_bad_lines = true,
            "--csv" | "--header" | "--no-header" => return Ok(false),
            _ => return self.common.take(option, parser),
        }
        Ok(true)
    }

    /// All that was said.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what contradicts itself.
    pub fn build(self) -> Result<Options, Failure> {
        let capacity = if self.disc.names_a_disc() { Some(self.disc.disc()?.capacity) } else { None };
        Ok(Options {
            streams: self.streams,
            title: self.title,
            thumbnails: !self.no_thumbnails,
            capacity,
            skip_bad_lines: self.skip_bad_lines,
            common: self.common,
        })
    }
}

/// Longest title, in bytes.
const LONGEST: usize = 500;

fn title(option: &str, value: OsString) -> Result<String, Failure> {
    match value.into_string() {
        Ok(text) if !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control) => Ok(text),
        Ok(text) => Err(unsuitable(option, text.as_ref(), "is not a line of text of up to 500 bytes")),
        Err(value) => Err(unsuitable(option, &value, "is not valid UTF-8")),
    }
}
