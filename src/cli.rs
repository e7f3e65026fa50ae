//! What all tools share on the command line: options, sizes and ages, exit status.
//!
//! What a tool can be told stands in a table, one for each in [`tools`]. Arguments are read, `--help` is written and shells
//! complete by it.

pub mod completion;
pub mod help;
mod nearest;
pub mod synopsis;
pub mod tools;
mod value;

use std::ffi::OsStr;
use std::io;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use lexopt::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::interrupt;
use crate::memory;
use crate::report::{self, Reporter};
use crate::stream::Format;
use crate::stream::line::Dialect;

use synopsis::Tool;

pub use synopsis::{Argument, next, unknown_option};
pub use value::{age, choose, path, size, unsuitable};

/// How a run ended that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done: 0.
    Done,
    /// Finished, but something was refused, unreadable or failed, each named on stderr: 1.
    Partial,
    /// Could not finish; the reason was already named: 2.
    Stopped,
    /// A signal ended it after the step in hand: 128 + its number.
    Signal(u8),
}

/// The exit status of a run that could not finish.
pub(crate) const STOPPED: u8 = 2;

/// Why a run did not come to its end.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// This option stands at the end, without the value that it takes.
    NoValue(String),
    /// Something without which nothing more can be done.
    Stop(String),
    /// Nobody reads the output any more.
    ClosedOutput,
}

impl Failure {
    /// Writing to standard output failed.
    #[must_use]
    pub fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedOutput
        } else {
            Self::Stop(format!("writing: standard output: {}", report::reason(error)))
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        use lexopt::Error::{MissingValue, NonUnicodeValue, UnexpectedArgument, UnexpectedOption, UnexpectedValue};
        Self::Usage(match error {
            MissingValue { option: Some(option) } => return Self::NoValue(option),
            UnexpectedOption(option) => format!("{option}: there is no such option"),
            UnexpectedArgument(value) => format!("\"{}\": there is no place for this operand", value.display()),
            UnexpectedValue { option, value } => {
                format!("{option}: takes no value, but was given \"{}\"", value.display())
            }
            NonUnicodeValue(value) => format!("\"{}\": is not valid UTF-8", value.display()),
            other => other.to_string(),
        })
    }
}

/// What every binary's `main` does: runs the tool, tells why it failed, and turns the result into an exit status.
pub fn main(tool: &'static Tool, run: impl FnOnce(Parser) -> Result<Exit, Failure>) -> ExitCode {
    memory::name_tool(tool.name);
    memory::end_threads_without_stack();
    interrupt::outlive_size_limit();
    raise_open_files();
    let reporter = Reporter::new(tool.name, false);
    match run(Parser::from_env()) {
        Ok(Exit::Done) | Err(Failure::ClosedOutput) => ExitCode::SUCCESS,
        Ok(Exit::Partial) => ExitCode::from(1),
        Ok(Exit::Stopped) => ExitCode::from(STOPPED),
        Ok(Exit::Signal(number)) => ExitCode::from(128 + number),
        Err(Failure::Usage(text)) => refuse(tool, &text, &reporter),
        Err(Failure::NoValue(option)) => {
            let usage = tool.option(&option).map(|known| format!(": it is written {}", known.usage()));
            refuse(tool, &format!("{option}: a value is missing{}", usage.unwrap_or_default()), &reporter)
        }
        Err(Failure::Stop(text)) => {
            reporter.warn(&text);
            ExitCode::from(STOPPED)
        }
    }
}

fn refuse(tool: &Tool, text: &str, reporter: &Reporter) -> ExitCode {
    reporter.warn(text);
    reporter.warn(&format!("see {0} --help or man {0}", tool.name));
    ExitCode::from(STOPPED)
}

fn print(text: &str) -> Result<(), Failure> {
    use io::Write as _;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Prints what the tool says of itself, if it is asked: `--help`, `--version` or `--completion`; `false` for any other option.
///
/// # Errors
/// [`Failure`] where it cannot be written, and for a shell that is not known.
pub fn tells(tool: &Tool, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
    let text = match option {
        "-h" | "--help" => help::of(tool),
        "-V" | "--version" => format!("{} (mediastruct) {}\n", tool.name, env!("CARGO_PKG_VERSION")),
        "--completion" => choose(option, &parser.value()?, &completion::SHELLS)?(tool),
        _ => return Ok(false),
    };
    print(&text)?;
    Ok(true)
}

/// When progress is shown on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgressWhen {
    /// When stderr is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The options that all tools have.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// No summary at the end.
    pub quiet: bool,
    /// When progress is shown.
    pub progress: ProgressWhen,
    jobs: Option<NonZeroUsize>,
    csv: bool,
    header: Option<bool>,
}

impl Common {
    /// Takes `-q`, `-j`, `--progress`, and the options of the output stream; `false` for any other option.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "-q" | "--quiet" => self.quiet = true,
            "-j" | "--jobs" => self.jobs = Some(value::jobs(option, &parser.value()?)?),
            "--progress" => self.progress = progress(&parser.value()?)?,
            "--csv" => self.csv = true,
            "--header" => self.header = Some(true),
            "--no-header" => self.header = Some(false),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether it was said how records are to be written.
    #[must_use]
    pub fn names_a_format(&self) -> bool {
        self.csv || self.header.is_some()
    }

    /// How many threads may work at once: as asked for, else the processors this process may use; fewer where they could not
    /// open what they need.
    #[must_use]
    pub fn jobs(&self) -> usize {
        limited(self.jobs.map_or_else(num_cpus::get, NonZeroUsize::get))
    }

    /// Whether the number of threads was said.
    pub(crate) fn asks_for_jobs(&self) -> bool {
        self.jobs.is_some()
    }

    /// How records are written: CSV has a header unless it is left out, TSV has none unless it is asked for.
    #[must_use]
    pub fn format(&self) -> Format {
        let dialect = if self.csv { Dialect::Csv } else { Dialect::Tsv };
        Format { dialect, header: self.header.unwrap_or(self.csv) }
    }
}

/// More threads than this only wait for each other, and at some number the system has no more to give.
const MOST_JOBS: usize = 256;

/// Files that a thread has open at most: one that it reads, and the directories of a walk.
const FILES_OF_JOB: u64 = 12;

/// Files that are open whatever the number of threads: standard ones, an index, a lock.
const FILES_OF_ALL: u64 = 16;

/// So many threads, or as many as have enough files to open.
pub(crate) fn limited(jobs: usize) -> usize {
    jobs.min(MOST_JOBS).min(jobs_with_files())
}

fn jobs_with_files() -> usize {
    let jobs = getrlimit(Resource::Nofile).maximum.map(|files| files.saturating_sub(FILES_OF_ALL) / FILES_OF_JOB);
    jobs.and_then(|jobs| usize::try_from(jobs).ok()).map_or(MOST_JOBS, |jobs| jobs.max(1))
}

/// As many as may be open. Where that stays low, whatever could not be opened is named.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap_or(());
}

fn progress(value: &OsStr) -> Result<ProgressWhen, Failure> {
    choose(
        "--progress",
        value,
        &[("auto", ProgressWhen::Auto), ("always", ProgressWhen::Always), ("never", ProgressWhen::Never)],
    )
}
