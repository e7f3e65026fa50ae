//! What a person is told besides results: what a tool waits for, and which command comes next.
//!
//! Nothing of that is said where a program reads the output, so that pipelines stay as quiet as they are.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat, fstat};

use crate::memory;
use crate::report::Reporter;
use crate::{cli, escape};

/// Standard input, which is about to be read to its end as `what`. Whoever sits at a terminal would wait for the tool as long
/// as it waits for him, so he is told.
pub(crate) fn standard_input(what: &str) -> io::Stdin {
    let input = io::stdin();
    if let Some(tool) = memory::tool().filter(|_| input.is_terminal()) {
        Reporter::new(tool, false)
            .warn(&format!("reading {what} from the terminal; Ctrl-D ends it; {tool} --help tells more"));
    }
    input
}

/// As [`standard_input`], of a tool whose table says what it reads.
pub(crate) fn standard_records() -> io::Stdin {
    standard_input(wanted())
}

/// What the running tool reads, as its table says: `an index`.
pub(crate) fn wanted() -> &'static str {
    let tool = cli::tools::ALL.iter().find(|tool| Some(tool.name) == memory::tool());
    tool.map(|tool| tool.reads).filter(|reads| !reads.is_empty()).unwrap_or("records")
}

/// `; to move them: ms-mv plan.tsv`, for output that has gone to a file or a terminal. `after` follows the name of the file.
pub(crate) fn next(purpose: &str, command: &str, after: &str) -> String {
    next_of(&Output::now(), purpose, command, after).map_or_else(String::new, |next| format!("; {next}"))
}

/// The same without what joins it to a summary, if there is anything to be said.
pub(crate) fn next_line(purpose: &str, command: &str, after: &str) -> Option<String> {
    next_of(&Output::now(), purpose, command, after)
}

fn next_of(output: &Output, purpose: &str, command: &str, after: &str) -> Option<String> {
    match output {
        Output::File(path) => Some(format!("{purpose}: {command} {}{after}", word(path))),
        Output::Terminal => Some(format!("{purpose}: the same again with | {command}{after}")),
        Output::Program => None,
    }
}

/// Whether nobody reads standard output but people, if anybody does.
pub(crate) fn is_for_people() -> bool {
    fstat(io::stdout()).is_ok_and(|stat| {
        let kind = FileType::from_raw_mode(stat.st_mode);
        !kind.is_fifo() && !kind.is_socket()
    })
}

/// What standard output is.
#[derive(Debug)]
enum Output {
    /// A file of its own.
    File(PathBuf),
    Terminal,
    /// A pipe, or something of which nobody could read it again.
    Program,
}

impl Output {
    fn now() -> Self {
        let out = io::stdout();
        if out.is_terminal() {
            return Self::Terminal;
        }
        let (Some(stat), other) = (regular(&out), regular(&io::stderr())) else { return Self::Program };
        // With messages among the records it is no stream.
        if other.is_some_and(|other| (other.st_dev, other.st_ino) == (stat.st_dev, stat.st_ino)) {
            return Self::Program;
        }
        path_of(&stat).map_or(Self::Program, Self::File)
    }
}

fn regular(file: &impl AsFd) -> Option<Stat> {
    fstat(file).ok().filter(|stat| FileType::from_raw_mode(stat.st_mode).is_file())
}

/// Where the file is that standard output goes to, seen from the working directory: if it still has the name by which it was
/// opened (`proc_pid_fd(5)`).
fn path_of(stat: &Stat) -> Option<PathBuf> {
    let path = fs::read_link("/proc/self/fd/1").ok()?;
    let found = fs::symlink_metadata(&path).ok()?;
    if (found.dev(), found.ino()) != (stat.st_dev, stat.st_ino) {
        return None;
    }
    let here = std::env::current_dir().ok().and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_owned));
    Some(here.unwrap_or(path))
}

/// A path as a word of a command that a shell reads back as the same bytes: in quotes where it must be.
pub(crate) fn word(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    // What begins with a dash would be an option.
    let dot = if bytes.starts_with(b"-") { "./" } else { "" };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(byte);
    let is_seen = |text: &&str| !text.chars().any(|letter| letter.is_control() || escape::is_unseen(letter));
    match std::str::from_utf8(bytes).ok().filter(is_seen) {
        Some(text) if !bytes.is_empty() && bytes.iter().all(is_plain) => format!("{dot}{text}"),
        Some(text) => format!("'{dot}{}'", text.replace('\'', r"'\''")),
        // POSIX.1-2024, 2.2.4: dollar-single-quotes.
        None => format!("$'{dot}{}'", bytes.iter().map(|byte| dollar_quoted(*byte)).collect::<String>()),
    }
}

fn dollar_quoted(byte: u8) -> String {
    match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        // In octal, which ends after three digits whatever follows.
        _ => format!("\\{byte:03o}"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_a_word_back_as_the_same_path() {
        let names: [&[u8]; 9] = [
            b"plan.tsv",
            b"/a b/it's",
            b"-rf",
            b"a\nb\x1b[2J",
            b"\xff'\\1",
            "\u{202e}gpj".as_bytes(),
            b"$HOME `x` \"*\"",
            b"~",
            "\u{e4}\u{20ac}".as_bytes(),
        ];
        for name in names {
            let word = word(Path::new(OsStr::from_bytes(name)));
            assert!(!word.chars().any(|letter| letter.is_control() || escape::is_unseen(letter)), "{word:?}");
            let shell = Command::new("bash").args(["-c", &format!("printf %s {word}")]).output().expect("bash");
            let expected = [if name.starts_with(b"-") { &b"./"[..] } else { b"" }, name].concat();
            assert_eq!(shell.stdout, expected, "{word}");
        }
    }

    #[test]
    fn what_comes_next_depends_on_where_the_output_went() {
        let told = |output: &Output| next_of(output, "to move them", "ms-mv", " | ms-seal a");
        let file = Output::File("my plan".into());
        assert_eq!(told(&file).as_deref(), Some("to move them: ms-mv 'my plan' | ms-seal a"));
        let terminal = Some("to move them: the same again with | ms-mv | ms-seal a");
        assert_eq!(told(&Output::Terminal).as_deref(), terminal);
        assert_eq!(told(&Output::Program), None);
    }
}
