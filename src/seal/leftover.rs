//! What a run that was cut off has left of a file, told from whatever else may have its name.
//!
//! A text is written from its beginning on, so what is left of it begins as one of those that are written here: nothing at
//! all, the text for people, an index or a catalogue, a line of checksums, a line of a listing. Where so little is left
//! that it could be anything, it is taken for somebody else's.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;

use crate::record::{ContentHash, Timestamp, decimal};
use crate::volume::{Number, sums};

/// Longer than any first line, in bytes: a path of 4,096 bytes (`PATH_MAX`, linux/limits.h), each escaped as four, and the rest.
const HEAD: usize = 32 << 10;

/// So much of a text must be left that it is known, in bytes.
const LEAST: usize = 3;

/// So many digits of a hash, since any number begins as one does.
const LEAST_DIGITS: usize = 16;

/// Whether a file is nothing but what is left of a text.
pub(super) fn is_one(file: &File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head.is_empty() || begins_a_text(&head))
}

fn begins_a_text(head: &[u8]) -> bool {
    if head.len() < LEAST {
        return false;
    }
    let end = memchr::memchr(b'\n', head);
    let line = &head[..end.unwrap_or(head.len())];
    let is_line = line.len() < HEAD;
    let is_whole = end.is_some();
    is_readme(head) || is_json(head) || is_line && (is_sum(line, is_whole) || is_listed(line, is_whole))
}

/// Whether one of two texts begins with the other.
fn agree(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn is_readme(head: &[u8]) -> bool {
    let Some(after) = head.strip_prefix(b"MS_") else { return false };
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == after.len() {
        return digits <= 10;
    }
    let rule = format!("\n{}\n", "=".repeat(digits + 3));
    Number::of_dir(OsStr::from_bytes(&after[..digits])).is_some() && agree(&after[digits..], rule.as_bytes())
}

/// Another program may have written a catalogue with more spaces, and that is what stands here between two names.
fn is_json(head: &[u8]) -> bool {
    let plain: Vec<u8> = head.iter().copied().take(128).filter(|byte| !byte.is_ascii_whitespace()).collect();
    plain.len() >= LEAST && agree(&plain, br#"{"format":"mediastruct-"#)
}

fn is_sum(line: &[u8], is_whole: bool) -> bool {
    let plain = line.strip_prefix(b"\\").unwrap_or(line);
    let is_digit = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits = plain.iter().take_while(is_digit).count();
    let rest = &plain[digits..];
    match digits {
        64 if is_whole => sums::read_line(line).is_ok(),
        64 => agree(rest, b"  "),
        LEAST_DIGITS..64 => !is_whole && rest.is_empty(),
        _ => false,
    }
}

fn is_listed(line: &[u8], is_whole: bool) -> bool {
    let is_known: [fn(&[u8]) -> bool; 4] = [
        |hash| hash == b"-" || ContentHash::parse(hash).is_some(),
        |size| decimal(size).is_some(),
        |mtime| mtime == b"-" || Timestamp::parse(mtime).is_some(),
        |id| id == b"-",
    ];
    let begins = |column: &[u8]| column.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'.' | b'-'));
    let mut columns = line.split(|byte| *byte == b'\t');
    let is_path = columns.next().is_some_and(is_in_a_volume);
    let columns: Vec<&[u8]> = columns.collect();
    let is_all = columns.len() == is_known.len();
    let is_cut = |place: usize| !is_whole && place + 1 == columns.len();
    let mut told = columns.iter().zip(is_known).enumerate();
    is_path
        && (is_all || !is_whole && columns.len() < is_known.len())
        && told.all(|(place, (column, is_known))| is_known(column) || is_cut(place) && begins(column))
}

/// The paths of a listing begin with the directory of their volume.
fn is_in_a_volume(path: &[u8]) -> bool {
    let Some(slash) = memchr::memchr(b'/', path) else { return false };
    Number::of_dir(OsStr::from_bytes(&path[..slash])).is_some() && !path.iter().any(u8::is_ascii_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_that_tells_something_is_known_and_nothing_else() {
        let hash = "ab".repeat(32);
        let texts = [
            "MS_0007\n=======\n\nThis is volume 0007".to_owned(),
            "{\"format\":\"mediastruct-volume/1\",\"volume\":7,\"label\":\"MS_0007\",\"files\":[\n".into(),
            format!("{hash}  2012/a b.jpg\n{hash}  2012/c.jpg\n"),
            format!("\\{hash}  2012/a\\nb.jpg\n"),
            format!("0007/2012/a b.jpg\t{hash}\t5\t1330948800.123456789\t-\n0007/"),
            "0007/2012/a\t-\t5\t-\t-\n".into(),
        ];
        for text in &texts {
            let least = if text.starts_with("0007") { 5 } else { LEAST_DIGITS + 1 };
            for end in least..=text.len() {
                assert!(begins_a_text(&text.as_bytes()[..end]), "{:?}", &text[..end]);
            }
            // Another byte anywhere in what tells it makes it another text.
            for place in 0..4 {
                let mut other = text.clone().into_bytes();
                other[place] = b'?';
                assert!(!begins_a_text(&other), "{place} {text:?}");
            }
        }
        for other in ["MS", "{\"", "{}\n", "abcd", "0007", "MS_x", "MS_00000007\n", "2012/a", "0007/a\tb\n", "7/a\t-\n"]
        {
            let is_one = begins_a_text(other.as_bytes());
            assert_eq!(is_one, other == "2012/a", "{other:?}");
        }
        assert!(!begins_a_text(&[b"0007/".as_slice(), &vec![b'a'; HEAD]].concat()[..HEAD]), "longer than any path");
    }
}
