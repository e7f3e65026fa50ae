//! Values of options: paths, words, sizes and ages.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::Failure;

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

/// Reads how many threads may work.
pub(super) fn jobs(option: &str, value: &OsStr) -> Result<NonZeroUsize, Failure> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| unsuitable(option, value, "is not a whole number of 1 or more"))
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
