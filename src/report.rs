//! What a tool tells people: one line per failure, a summary at the end, and the exit status that goes with them.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cli::Exit;
use crate::escape;

/// Writes a tool's messages to stderr and counts the failures among them. Shared by all threads.
#[derive(Debug)]
pub struct Reporter {
    tool: &'static str,
    quiet: bool,
    failures: AtomicU64,
    bar: Option<indicatif::ProgressBar>,
}

impl Reporter {
    /// For `tool`; `quiet` leaves out the summary, never a failure.
    #[must_use]
    pub fn new(tool: &'static str, quiet: bool) -> Self {
        Self { tool, quiet, failures: AtomicU64::new(0), bar: None }
    }

    /// Messages are kept apart from a progress bar that is on the screen.
    #[must_use]
    pub fn beside(self, bar: indicatif::ProgressBar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// Something was refused or went wrong with `path`: `tool: doing: path: reason`.
    pub fn failed(&self, doing: &str, path: &Path, reason: &dyn Display) {
        self.failed_text(doing, &shown(path), reason);
    }

    /// As [`Reporter::failed`], where the place is something else than a path.
    pub fn failed_text(&self, doing: &str, place: &str, reason: &dyn Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.say(&format!("{doing}: {place}: {reason}"));
    }

    /// Something that people should know, but that is no failure.
    pub fn warn(&self, text: &str) {
        self.say(text);
    }

    /// The line at the end that says what was done; left out with `--quiet`.
    pub fn summary(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// How many failures were named so far.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// All done, or finished with failures.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.failures() == 0 { Exit::Done } else { Exit::Partial }
    }

    fn say(&self, text: &str) {
        let line = one_line(&format!("{}: {text}", self.tool));
        match &self.bar {
            Some(bar) => bar.suspend(|| write_line(&line)),
            None => write_line(&line),
        }
    }
}

/// Where stderr is closed there is nobody left to tell.
fn write_line(line: &str) {
    io::stderr().lock().write_all(line.as_bytes()).unwrap_or(());
}

/// One write per message keeps lines whole when several processes share a terminal or a log.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            unseen if escape::is_unseen(unseen) => line.extend(unseen.escape_unicode()),
            _ => line.push(character),
        }
    }
    line.push('\n');
    line
}

/// A path as people are shown it: on one line, and nothing in it that drives a terminal.
#[must_use]
pub fn shown(path: &Path) -> String {
    escape::for_people(path.as_os_str().as_bytes())
}

/// The cause of an I/O error in the words of the system, without its number.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = if error.kind() == io::ErrorKind::OutOfMemory { format!("out of memory: {text}") } else { text };
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A number of bytes for people, in units of 1000: `5.60 GB`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = count as f64;
    let mut unit = None;
    for name in UNITS {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = Some(name);
    }
    match unit {
        None if count == 1 => "1 byte".to_owned(),
        None => format!("{count} bytes"),
        Some(name) if value < 9.995 => format!("{value:.2} {name}"),
        Some(name) if value < 99.95 => format!("{value:.1} {name}"),
        Some(name) => format!("{value:.0} {name}"),
    }
}

/// A number with its noun: `1 file`, `12,345 files`.
#[must_use]
pub fn count(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

/// A number for people: `12,345`.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Lines of a table: two spaces between columns, the `left` ones aligned at their beginnings, the others at their ends.
#[must_use]
pub fn columns<const N: usize>(rows: &[[String; N]], left: &[usize]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let pad = |(place, cell): (usize, &String)| match widths[place] {
        width if left.contains(&place) => format!("{cell:<width$}"),
        width => format!("{cell:>width$}"),
    };
    let line = |row: &[String; N]| row.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(1000), "1.00 kB");
        assert_eq!(bytes(999_999), "1.00 MB");
        assert_eq!(bytes(5_600_000_000), "5.60 GB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1_234_567, "file"), "1,234,567 files");
        assert_eq!(count(123, "file"), "123 files");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["n", "name"], ["100", "\u{e9}"], ["7", "abcdef"]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows, &[1]), ["  n  name", "100  \u{e9}", "  7  abcdef"]);
    }

    #[test]
    fn a_reason_is_that_of_the_system_without_its_number() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "No such file or directory");
    }
}
