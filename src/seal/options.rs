//! What sealing can be told.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use lexopt::Parser;

use crate::cli::{self, Common, Failure};
use crate::host::Host;
use crate::stream::Table;
use crate::volume::Number;
use crate::volume::catalogue::{Burn, Others};
use crate::volume::image::Filesystem;
use crate::volume::medium::{Disc, DiscOptions};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// To seal the volumes that the rows of standard input name.
    Stream,
    /// To seal all volumes.
    All,
    /// To record a disc that was burned.
    Burned(Number, Burn),
    /// To take back what was recorded of a disc, the last one that bears this name and this id.
    Unburned(Number, Option<String>, Option<String>),
    /// To show what volumes there are.
    List,
    /// To write the records of all volumes.
    Cat,
}

/// What sealing can be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The archive.
    pub archive: PathBuf,
    /// What is to be done.
    pub action: Action,
    /// What the volumes are to fit, where that was said.
    pub disc: Option<Disc>,
    /// What images are written as, where that was said.
    pub filesystem: Option<Filesystem>,
    /// Whether to go on without malformed lines.
    pub skip_bad_lines: bool,
    /// What this host is called in streams of several hosts.
    pub host: Option<Host>,
    /// What all tools can be told.
    pub common: Common,
}

impl Options {
    /// What is to be read.
    pub(super) fn table(&self) -> Result<Table, Failure> {
        if self.action == Action::Stream { Table::open(&[]) } else { Ok(Table::default()) }
    }
}

/// Options as they come from the command line, one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    archive: Option<PathBuf>,
    /// The option by which it was said what to do, and which volume it names.
    action: Option<(String, Option<Number>)>,
    copy: Option<String>,
    media_id: Option<String>,
    disc: DiscOptions,
    skip_bad_lines: bool,
    host: Option<Host>,
    common: Common,
}

const ARCHIVE_IS_MISSING: &str = "ARCHIVE: the directory of the archive is missing; write, for instance: \
    ms-mv plan.tsv | ms-seal /Archive";

impl Builder {
    /// Takes an operand.
    ///
    /// # Errors
    /// [`Failure::Usage`] for one too many.
    pub fn operand(&mut self, operand: OsString) -> Result<(), Failure> {
        if self.archive.is_some() {
            let operand = operand.display();
            return Err(Failure::Usage(format!("\"{operand}\": one ARCHIVE only; records come from standard input")));
        }
        self.archive = Some(cli::path("ARCHIVE", operand)?);
        Ok(())
    }

    /// Takes any option of sealing; `false` for any other.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--all" | "--list" | "--cat" => self.act(option, None)?,
            "--burned" | "--unburned" => {
                let volume = number(option, &parser.value()?)?;
                self.act(option, Some(volume))?;
            }
            "--copy" => self.copy = Some(text(option, &parser.value()?)?),
            "--media-id" => self.media_id = Some(text(option, &parser.value()?)?),
            "--skip-bad-lines" => self.skip_bad_lines = true,
            "--host" => self.host = Some(Host::of_option(option, &parser.value()?)?),
            _ => return Ok(self.disc.take(option, parser)? || self.common.take(option, parser)?),
        }
        Ok(true)
    }

    fn act(&mut self, option: &str, volume: Option<Number>) -> Result<(), Failure> {
        let action = (option.to_owned(), volume);
        match &self.action {
            Some(before) if *before != action && before.0 == action.0 => {
                Err(Failure::Usage(format!("{option}: one volume at a time")))
            }
            Some(before) if *before != action => {
                Err(Failure::Usage(format!("{} and {option} exclude each other", before.0)))
            }
            _ => {
                self.action = Some(action);
                Ok(())
            }
        }
    }

    /// All that was said.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what is missing, contradicts itself, or is of no use here.
    pub fn build(self) -> Result<Options, Failure> {
        let archive = self.archive.clone();
        let archive = archive.ok_or_else(|| Failure::Usage(ARCHIVE_IS_MISSING.into()))?;
        let action = match self.action.as_ref().map(|(option, volume)| (option.as_str(), *volume)) {
            None => Action::Stream,
            Some(("--all", _)) => Action::All,
            Some(("--list", _)) => Action::List,
            Some(("--unburned", Some(volume))) => Action::Unburned(volume, self.copy.clone(), self.media_id.clone()),
            Some((_, Some(volume))) => Action::Burned(volume, self.burn()),
            Some(_) => Action::Cat,
        };
        self.check(&action)?;
        Ok(Options {
            archive,
            action,
            disc: if self.disc.names_a_disc() { Some(self.disc.disc()?) } else { None },
            filesystem: self.disc.named_filesystem(),
            skip_bad_lines: self.skip_bad_lines,
            host: self.host,
            common: self.common,
        })
    }

    /// Today's, as the clock on the wall shows it.
    fn burn(&self) -> Burn {
        let date = chrono::Local::now().date_naive().format("%Y-%m-%d").to_string();
        Burn { date, copy: self.copy.clone(), media_id: self.media_id.clone(), other: Others::default() }
    }

    /// What would be passed over in silence is refused.
    fn check(&self, action: &Action) -> Result<(), Failure> {
        let seals = matches!(action, Action::Stream | Action::All);
        let burns = matches!(action, Action::Burned(..) | Action::Unburned(..));
        let refused = [
            (
                !burns && (self.copy.is_some() || self.media_id.is_some()),
                "--copy, --media-id: these are for --burned and --unburned",
            ),
            (!seals && self.disc.says_anything(), "--media, --capacity, --reserve, --fs: these are for sealing"),
            (
                *action != Action::Stream && self.skip_bad_lines,
                "--skip-bad-lines: only a stream has lines to be skipped",
            ),
            (
                !matches!(action, Action::Stream | Action::Cat) && self.host.is_some(),
                "--host: only streams name hosts, those that are sealed by and that of --cat",
            ),
            (
                *action != Action::Cat && self.common.names_a_format(),
                "--csv, --header, --no-header: these are for --cat",
            ),
        ];
        let problem = refused.into_iter().find(|(is, _)| *is);
        problem.map_or(Ok(()), |(_, problem)| Err(Failure::Usage(problem.into())))
    }
}

fn number(option: &str, value: &OsStr) -> Result<Number, Failure> {
    Number::parse(value).ok_or_else(|| cli::unsuitable(option, value, "is not a volume such as 7, 0007 or MS_0007"))
}

fn text(option: &str, value: &OsStr) -> Result<String, Failure> {
    if value.is_empty() {
        return Err(cli::unsuitable(option, value, "is empty: a name is missing"));
    }
    let text = value.to_str().filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| cli::unsuitable(option, value, "is not a text of any letters"))
}
