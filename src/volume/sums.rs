//! A volume's `B3SUMS`, in the form of what b3sum writes, and how that becomes a stream.
//!
//! The form is that of b3sum(1) and its `what_does_check_do.md`: hash, two spaces, path; with `--tag`, `BLAKE3 (path) = hash`.
//! A line that begins with a backslash has a path in which `\\`, `\n` and `\r` stand for what a line cannot hold.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;

use super::extent::TextLen;
use crate::cli::Failure;
use crate::escape;
use crate::host;
use crate::record::ContentHash;
use crate::report;
use crate::stream::{Fault, Faults, Held, RowRef};

/// Whether `b3sum --check` can find a file by what stands in a line for it. What is no UTF-8 it cannot read, and the
/// replacement character it refuses, since it writes that for what it cannot show; a carriage return at the end of a line
/// some versions take for a part of the line end.
#[must_use]
pub fn can_hold(path: &[u8]) -> bool {
    std::str::from_utf8(path).is_ok_and(|path| !path.contains('\u{fffd}'))
        && !path.ends_with(b"\r")
        && !path.contains(&0)
}

/// Appends the line of a file. b3sum takes a bare `-` for standard input.
pub fn push_line(hash: ContentHash, path: &[u8], line: &mut Vec<u8>) {
    let path = if path == b"-" { b"./-" } else { path };
    let is_escaped = memchr::memchr2(b'\\', b'\n', path).is_some();
    if is_escaped {
        line.push(b'\\');
    }
    line.extend_from_slice(&hash.to_hex());
    line.extend_from_slice(b"  ");
    for byte in path {
        match byte {
            b'\\' => line.extend_from_slice(br"\\"),
            b'\n' => line.extend_from_slice(br"\n"),
            other => line.push(*other),
        }
    }
    line.push(b'\n');
}

/// Length of what there may be beside the lines, at most, in bytes: one file may be called `-`.
pub const LEN_OF_NONE: u64 = 2;

/// Length of the line of a file, at most, in bytes.
#[must_use]
pub fn len_of(path: TextLen) -> u64 {
    // A backslash, the hash, two spaces and the newline.
    68 + path.escaped
}

/// Writes a row for each line; the size is not known and stands as 0.
///
/// # Errors
/// [`Failure::Stop`] where the last line is cut off, or `out` fails. Malformed lines are put into `faults`, to be [`told`].
pub fn to_stream(held: &Held, out: &mut dyn Write, faults: &mut Faults) -> Result<(), Failure> {
    held.check_last_line()?;
    let mut at = held.mark_len();
    let text = &held.bytes()[at..];
    let mut line = Vec::new();
    for sum in text.split_inclusive(|byte| *byte == b'\n') {
        match read_line(sum.strip_suffix(b"\n").unwrap_or(sum)) {
            Ok((hash, path)) => {
                line.clear();
                escape_path(&path, &mut line);
                line.push(b'\t');
                line.extend_from_slice(&hash.to_hex());
                line.extend_from_slice(b"\t0\t-\t-\n");
                out.write_all(&line)
                    .map_err(|error| Failure::Stop(format!("reading: {}: {}", held.name(), report::reason(&error))))?;
            }
            Err(_) => faults.push(RowRef(at as u64)),
        }
        at += sum.len();
    }
    Ok(())
}

/// Malformed lines as `FILE:LINE`, each with what is wrong with it.
pub(crate) fn told(held: &Held, faults: &Faults) -> impl Iterator<Item = (String, String)> {
    let (mut lines, mut before) = (1, 0);
    faults.places().iter().map(move |place| {
        let at = usize::try_from(place.0).unwrap_or(usize::MAX).min(held.bytes().len());
        lines += memchr::memchr_iter(b'\n', &held.bytes()[before..at]).count();
        before = at;
        let rest = &held.bytes()[at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        let problem = read_line(line).map_or_else(|problem| problem, |_| Fault::changed().to_string());
        (format!("{}:{lines}", held.name()), problem)
    })
}

/// A file called `-` is not to be taken for an unknown path, nor one in a directory `nas:` for one on a host.
fn escape_path(path: &[u8], line: &mut Vec<u8>) {
    let path = host::as_local(OsStr::from_bytes(path));
    let path = path.as_bytes();
    escape::escape_into(if path == b"-" { b"./-" } else { path }, line);
}

/// The hash and the path that a line, without its newline, tells.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read_line(line: &[u8]) -> Result<(ContentHash, Cow<'_, [u8]>), String> {
    // b3sum, too, takes lines that passed through another system.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (is_escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |line| (true, line));
    let (digits, path) = tagged(line).or_else(|| plain(line)).ok_or("neither HASH  PATH nor BLAKE3 (PATH) = HASH")?;
    let hash = ContentHash::parse(&digits.to_ascii_lowercase());
    let hash = hash.ok_or_else(|| format!("\"{}\" is not 64 hexadecimal digits", escape::excerpt(digits)))?;
    let path = if is_escaped { Cow::Owned(unescape(path)?) } else { Cow::Borrowed(path) };
    if path.is_empty() {
        return Err("a path is never empty".into());
    }
    if path.contains(&0) {
        return Err("a NUL byte cannot be part of a path".into());
    }
    Ok((hash, path))
}

fn tagged(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"BLAKE3 (")?;
    let end = memchr::memmem::rfind(rest, b") = ")?;
    Some((&rest[end + 4..], &rest[..end]))
}

fn plain(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memmem::find(line, b"  ")?;
    Some((&line[..end], &line[end + 2..]))
}

fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut path = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        path.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'\\') => b'\\',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                _ => return Err(r"in a path after a leading backslash, a backslash must begin \\, \n or \r".into()),
            },
            other => *other,
        });
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path_of(line: &[u8]) -> Result<Vec<u8>, String> {
        let (hash, path) = read_line(line)?;
        assert_eq!(hash, ContentHash([0xab; 32]));
        Ok(path.into_owned())
    }

    #[test]
    fn both_forms_give_hash_and_path() {
        let digits = "ab".repeat(32);
        for (path, expected) in [("a", "a"), ("a  b", "a  b"), (" a", " a"), ("a) = b", "a) = b"), ("a\\nb", "a\\nb")] {
            for line in
                [format!("{digits}  {path}"), format!("BLAKE3 ({path}) = {digits}"), format!("{digits}  {path}\r")]
            {
                assert_eq!(path_of(line.as_bytes()).as_deref(), Ok(expected.as_bytes()), "{line}");
            }
        }
        for line in [format!(r"\{digits}  a\\b\nc\rd"), format!(r"\BLAKE3 (a\\b\nc\rd) = {}", digits.to_uppercase())] {
            assert_eq!(path_of(line.as_bytes()).as_deref(), Ok(b"a\\b\nc\rd".as_slice()), "{line}");
        }
        let odd = [digits.as_bytes(), b"  \xff\t"].concat();
        assert_eq!(path_of(&odd).as_deref(), Ok(b"\xff\t".as_slice()));
    }

    #[test]
    fn what_is_written_is_read_and_is_no_longer_than_foretold() {
        let mut line = Vec::new();
        push_line(ContentHash([0xab; 32]), b"-", &mut line);
        assert!(line.ends_with(b"  ./-\n") && line.len() as u64 <= LEN_OF_NONE + len_of(TextLen::of(b"-")));
        for path in ["a", "a b", " a", "a\\b", "a\nb", "a\rb", "\\\n", "é\u{301}", "a) = b", "\\"] {
            let mut line = Vec::new();
            push_line(ContentHash([0xab; 32]), path.as_bytes(), &mut line);
            assert!(line.len() as u64 <= len_of(TextLen::of(path.as_bytes())), "{path:?}");
            let line = line.strip_suffix(b"\n").expect("a line");
            assert!(can_hold(path.as_bytes()) && !line.contains(&b'\n'));
            assert_eq!(path_of(line).as_deref(), Ok(path.as_bytes()));
        }
        for path in [b"\xff".as_slice(), "a\u{fffd}".as_bytes(), b"a\r"] {
            assert!(!can_hold(path));
        }
    }

    #[test]
    fn what_is_no_sum_is_refused() {
        let digits = "ab".repeat(32);
        for line in [
            String::new(),
            digits.clone(),
            format!("{digits}  "),
            format!("{digits} a"),
            format!("{}  a", &digits[1..]),
            format!("{digits}ab  a"),
            format!("g{}  a", &digits[1..]),
            format!(r"\{digits}  a\x41"),
            format!(r"\{digits}  a\"),
            format!("{digits}  a\0b"),
            format!("BLAKE3 (a) = {}", &digits[1..]),
            format!("BLAKE3 () = {digits}"),
            format!("SHA256 (a) = {digits}"),
        ] {
            assert!(read_line(line.as_bytes()).is_err(), "{line}");
        }
    }
    proptest! {
        #[test]
        fn any_path_that_b3sum_can_write_comes_back(path in proptest::collection::vec(1_u8.., 1..20), tag: bool) {
            let digits = "ab".repeat(32).into_bytes();
            let is_odd = path.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
            let escaped = path.iter().flat_map(|byte| match byte {
                b'\\' => br"\\".to_vec(),
                b'\n' => br"\n".to_vec(),
                b'\r' => br"\r".to_vec(),
                other => vec![*other],
            });
            let escaped: Vec<u8> = escaped.collect();
            let line = if tag {
                [b"BLAKE3 (", &*escaped, b") = ", &digits].concat()
            } else {
                [&*digits, b"  ", &escaped].concat()
            };
            let line = if is_odd { [b"\\", &*line].concat() } else { line };
            prop_assert_eq!(path_of(&line), Ok(path));
        }

        #[test]
        fn no_line_is_too_odd_to_be_judged(line: Vec<u8>) {
            drop(read_line(&line));
        }
    }
}
