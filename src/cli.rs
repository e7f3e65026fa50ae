//! What all tools share on the command line: options, sizes and ages, exit status.

use std::ffi::{OsStr, OsString};
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::{Arg, Parser};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::interrupt;
use crate::memory;
use crate::report::{self, Reporter};
use crate::stream::Format;
use crate::stream::line::Dialect;

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
            MissingValue { option: Some(option) } => format!("{option}: a value is missing"),
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
pub fn main(tool: &'static str, run: impl FnOnce(Parser) -> Result<Exit, Failure>) -> ExitCode {
    memory::name_tool(tool);
    memory::end_threads_without_stack();
    interrupt::outlive_size_limit();
    raise_open_files();
    let reporter = Reporter::new(tool, false);
    match run(Parser::from_env()) {
        Ok(Exit::Done) | Err(Failure::ClosedOutput) => ExitCode::SUCCESS,
        Ok(Exit::Partial) => ExitCode::from(1),
        Ok(Exit::Stopped) => ExitCode::from(STOPPED),
        Ok(Exit::Signal(number)) => ExitCode::from(128 + number),
        Err(Failure::Usage(text)) => {
            reporter.warn(&text);
            reporter.warn(&format!("see {tool} --help or man {tool}"));
            ExitCode::from(STOPPED)
        }
        Err(Failure::Stop(text)) => {
            reporter.warn(&text);
            ExitCode::from(STOPPED)
        }
    }
}

/// Prints a text such as the usage to standard output.
///
/// # Errors
/// [`Failure`] where it cannot be written.
pub fn print(text: &str) -> Result<Exit, Failure> {
    use io::Write as _;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Done)
}

/// Prints `tool version`.
///
/// # Errors
/// [`Failure`] where it cannot be written.
pub fn print_version(tool: &str) -> Result<Exit, Failure> {
    print(&format!("{tool} (mediastruct) {}\n", env!("CARGO_PKG_VERSION")))
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

/// One argument of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// An option as it is written, without its value: `-q`, `--quiet`.
    Option(String),
    /// Anything else.
    Operand(OsString),
}

/// The next argument, or `None` at the end.
///
/// # Errors
/// [`Failure::Usage`] for an option that was given a value it does not take.
pub fn next(parser: &mut Parser) -> Result<Option<Argument>, Failure> {
    Ok(parser.next()?.map(|arg| match arg {
        Arg::Short(letter) => Argument::Option(format!("-{letter}")),
        Arg::Long(name) => Argument::Option(format!("--{name}")),
        Arg::Value(value) => Argument::Operand(value),
    }))
}

/// The error for an option that a tool does not know.
#[must_use]
pub fn unknown_option(option: &str) -> Failure {
    Failure::Usage(format!("{option}: there is no such option"))
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
            "-j" | "--jobs" => self.jobs = Some(jobs(option, &parser.value()?)?),
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

fn jobs(option: &str, value: &OsStr) -> Result<NonZeroUsize, Failure> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| unsuitable(option, value, "is not a whole number of 1 or more"))
}

fn progress(value: &OsStr) -> Result<ProgressWhen, Failure> {
    choose(
        "--progress",
        value,
        &[("auto", ProgressWhen::Auto), ("always", ProgressWhen::Always), ("never", ProgressWhen::Never)],
    )
}

/// The error for a value that does not do, in the form that all tools use.
#[must_use]
pub fn unsuitable(option: &str, value: &OsStr, problem: &str) -> Failure {
    Failure::Usage(format!("{option}: \"{}\" {problem}", value.display()))
}

/// The path that an option was given. An empty one, as an unset variable in a script gives it, would mean the working
/// directory.
///
/// # Errors
/// [`Failure::Usage`] for an empty value.
pub fn path(option: &str, value: OsString) -> Result<PathBuf, Failure> {
    if value.is_empty() {
        return Err(unsuitable(option, &value, "is not a path"));
    }
    Ok(PathBuf::from(value))
}

/// Looks a word up among those an option takes.
///
/// # Errors
/// [`Failure::Usage`] that lists the words.
pub fn choose<T: Copy>(option: &str, value: &OsStr, words: &[(&str, T)]) -> Result<T, Failure> {
    let found = words.iter().find(|(word, _)| value == *word);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        unsuitable(option, value, &format!("is not one of {}", all.join(", ")))
    })
}

/// Reads a size: bytes, or a number with `K M G T` (1000) or `Ki Mi Gi Ti` (1024).
///
/// # Errors
/// [`Failure::Usage`] that says what would do.
pub fn size(option: &str, value: &OsStr) -> Result<u64, Failure> {
    const UNITS: [(&str, u64); 9] = [
        ("", 1),
        ("K", 1000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
    ];
    with_unit(value, &UNITS).ok_or_else(|| unsuitable(option, value, "is not a size such as 4096, 650M or 25Gi"))
}

/// Reads an age: a number with `s m h d w y`; a year has 365 days.
///
/// # Errors
/// [`Failure::Usage`] that says what would do.
pub fn age(option: &str, value: &OsStr) -> Result<Duration, Failure> {
    const UNITS: [(&str, u64); 6] =
        [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800), ("y", 31_536_000)];
    with_unit(value, &UNITS)
        .map(Duration::from_secs)
        .ok_or_else(|| unsuitable(option, value, "is not an age such as 90s, 15m, 12h, 120d, 2w or 1y"))
}

fn with_unit(value: &OsStr, units: &[(&str, u64)]) -> Option<u64> {
    let text = value.to_str()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    crate::record::decimal(number.as_bytes())?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_have_their_units() {
        let read = |text: &str| size("--max-size", OsStr::new(text)).ok();
        assert_eq!(read("4096"), Some(4096));
        assert_eq!(read("650M"), Some(650_000_000));
        assert_eq!(read("25Gi"), Some(25 << 30));
        for text in ["", "K", "-1", "1.5G", "1 K", "1KB", "99999999999999999999", "99999999999T"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(age("--max-age", OsStr::new("2w")).ok(), Some(Duration::from_secs(14 * 86_400)));
        assert!(age("--max-age", OsStr::new("2")).is_err());
    }

    #[test]
    fn an_unsuitable_value_is_shown_with_what_would_do() {
        let Err(Failure::Usage(text)) = jobs("--jobs", OsStr::new("many")) else { panic!("refused") };
        assert_eq!(text, "--jobs: \"many\" is not a whole number of 1 or more");
    }
}
