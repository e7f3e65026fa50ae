//! What sealing can be told.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use lexopt::Parser;

use crate::cli::{self, Common, Failure};
use crate::volume::Number;
use crate::volume::medium::{Disc, DiscOptions};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Task {
    /// To seal the volumes that a stream names.
    #[default]
    Stream,
    /// To seal all volumes that are not.
    All,
    /// To record that a volume was burned.
    Burned(Burning),
    /// To show the volumes to people.
    List,
    /// To write the records of all volumes.
    Cat,
}

/// A disc that was burned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burning {
    /// What is on it.
    pub volume: Number,
    /// What this copy is called.
    pub copy: Option<String>,
    /// What the medium says of itself.
    pub media_id: Option<String>,
}

/// What sealing can be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The archive.
    pub archive: PathBuf,
    /// What is to be done.
    pub task: Task,
    /// Streams that tell what has moved; standard input where none is named.
    pub streams: Vec<OsString>,
    /// What volumes are to fit where no row tells; how large is known only if it was said.
    pub disc: Disc,
    /// Whether it was said how large.
    pub knows_capacity: bool,
    /// Whether to go on without malformed lines.
    pub skip_bad_lines: bool,
    /// What all tools can be told.
    pub common: Common,
}

/// Options as they come from the command line, one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    operands: Vec<OsString>,
    /// Each of the options that say what is to be done.
    asked: Vec<&'static str>,
    volume: Option<Number>,
    copy: Option<String>,
    media_id: Option<String>,
    disc: DiscOptions,
    skip_bad_lines: bool,
    /// The first option about the form of records.
    form: Option<String>,
    common: Common,
}

impl Builder {
    /// Takes an operand.
    pub fn operand(&mut self, operand: OsString) {
        self.operands.push(operand);
    }

    /// Takes any option of sealing; `false` for any other.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--all" => self.asked.push("--all"),
            "--list" => self.asked.push("--list"),
            "--cat" => self.asked.push("--cat"),
            "--burned" => {
                self.asked.push("--burned");
                self.volume = Some(volume(option, &parser.value()?)?);
            }
            "--copy" => self.copy = Some(text(option, &parser.value()?)?),
            "--media-id" => self.media_id = Some(text(option, &parser.value()?)?),
            "--skip-bad-lines" => self.skip_bad_lines = true,
            "--csv" | "--header" | "--no-header" => {
                self.form.get_or_insert_with(|| option.to_owned());
                return self.common.take(option, parser);
            }
            _ => return Ok(self.disc.take(option, parser)? || self.common.take(option, parser)?),
        }
        Ok(true)
    }

    /// All that was said.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is missing, or contradicts itself.
    pub fn build(self) -> Result<Options, Failure> {
        if let Some([one, other, ..]) = self.asked.windows(2).find(|pair| pair[0] != pair[1]) {
            return Err(Failure::Usage(format!("{one} and {other}: one of them says what is to be done")));
        }
        let needless = [("--copy", self.copy.is_some()), ("--media-id", self.media_id.is_some())];
        if let Some((option, _)) = needless.iter().find(|(_, given)| *given && self.volume.is_none()) {
            return Err(Failure::Usage(format!("{option}: it takes a volume: add --burned VOL")));
        }
        let task = match (self.asked.first(), self.volume) {
            (Some(&"--all"), _) => Task::All,
            (Some(&"--list"), _) => Task::List,
            (Some(&"--cat"), _) => Task::Cat,
            (_, Some(volume)) => Task::Burned(Burning { volume, copy: self.copy, media_id: self.media_id }),
            _ => Task::Stream,
        };
        if let Some(option) = self.form.filter(|_| task != Task::Cat) {
            return Err(Failure::Usage(format!("{option}: it is for the records of --cat")));
        }
        let mut operands = self.operands.into_iter();
        let archive = operands.next().ok_or_else(|| Failure::Usage("ARCHIVE: the directory is missing".into()))?;
        let streams: Vec<OsString> = operands.collect();
        if let Some(needless) = streams.first().filter(|_| task != Task::Stream) {
            let needless = needless.display();
            return Err(Failure::Usage(format!(
                "\"{needless}\": there is no place for this operand: no stream is read"
            )));
        }
        Ok(Options {
            archive: cli::path("ARCHIVE", archive)?,
            task,
            streams,
            disc: self.disc.disc()?,
            knows_capacity: self.disc.names_a_disc(),
            skip_bad_lines: self.skip_bad_lines,
            common: self.common,
        })
    }
}

fn volume(option: &str, value: &OsStr) -> Result<Number, Failure> {
    Number::parse(value).ok_or_else(|| cli::unsuitable(option, value, "is not a volume such as 7, 0007 or MS_0007"))
}

fn text(option: &str, value: &OsStr) -> Result<String, Failure> {
    let text = value.to_str().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| cli::unsuitable(option, value, "is no text that could be a name"))
}
