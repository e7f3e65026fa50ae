//! What no honest JSON has, and what a reader would need much memory for.

use std::fmt;

use crate::escape;

/// Longest text, in bytes: an escaped path of 4,096 bytes (`PATH_MAX`, linux/limits.h), each escaped once more, and a
/// lot of room.
const TEXT: usize = 1 << 18;

/// How deep arrays and objects may be within each other: as deep as serde reads what it keeps.
const DEPTH: usize = 127;

/// Where a text is not to be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch {
    line: usize,
    column: usize,
    problem: &'static str,
}

impl TooMuch {
    fn new(json: &[u8], at: usize, problem: &'static str) -> Self {
        let before = &json[..at];
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Self { line: memchr::memchr_iter(b'\n', before).count() + 1, column: at - start + 1, problem }
    }

    /// `LINE:COLUMN`, both from 1.
    pub(super) fn place(self) -> String {
        format!("{}:{}", self.line, self.column)
    }
}

impl fmt::Display for TooMuch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.problem)
    }
}

/// Looks through a text for what is too long or too deep, or for more than `most` values. Whether it is JSON is for others
/// to say.
///
/// # Errors
/// [`TooMuch`] that tells where.
pub(super) fn check(json: &[u8], most: usize) -> Result<(), TooMuch> {
    let (mut at, mut depth, mut values) = (0, 0_usize, 0_usize);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                let len = len_of_text(&json[at + 1..]);
                if len > TEXT {
                    return Err(TooMuch::new(json, at, "a text that is longer than any path or name"));
                }
                // The quote behind it, too.
                at += len + 1;
            }
            b'[' | b'{' => {
                (depth, values) = (depth + 1, values + 1);
                if depth > DEPTH {
                    return Err(TooMuch::new(json, at, "arrays or objects that are too deep within each other"));
                }
            }
            b',' => values += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if values > most {
            return Err(TooMuch::new(json, at, "more than any catalogue holds"));
        }
        at += 1;
    }
    Ok(())
}

/// What serde says of a text, some of which it quotes: as much of it as fits into a message.
pub(super) fn told(problem: &str) -> String {
    const BEGIN: usize = 300;
    const END: usize = 100;
    let text = escape::for_people(problem.as_bytes());
    if text.len() <= BEGIN + END {
        return text;
    }
    // At the end it says what would have been right, and where.
    let (begin, end): (String, Vec<char>) =
        (text.chars().take(BEGIN).collect(), text.chars().rev().take(END).collect());
    format!("{begin}\u{2026}{}", end.iter().rev().collect::<String>())
}

/// Length of a text up to its quote, or to the end.
fn len_of_text(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(next) = rest.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += next;
        if rest[at] == b'"' {
            return at;
        }
        at += 2;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(json: &str) -> Option<String> {
        check(json.as_bytes(), 10_000).err().map(TooMuch::place)
    }

    #[test]
    fn what_is_usual_is_let_pass() {
        let long = "\\\"[".repeat(TEXT / 3);
        for json in ["", "\"", "\"\\", "{\"a\": [\"]\\\"\", {}]}", &format!("[\"{long}\"]"), &"[]".repeat(1000)] {
            assert_eq!(place(json), None, "{json}");
        }
        assert_eq!(place(&format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH))), None);
    }

    #[test]
    fn a_message_is_short_and_says_what_would_have_been_right() {
        assert_eq!(told("unknown `a\nb`"), "unknown `a\\nb`");
        let long = told(&format!("unknown `{}`, expected `é`", "é".repeat(10_000)));
        assert!(long.starts_with("unknown `éé") && long.ends_with("éé`, expected `é`"), "{long}");
        assert_eq!(long.chars().count(), 401);
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_told_with_its_place() {
        assert_eq!(place(&format!("{{\n  \"{}\"}}", "x".repeat(TEXT + 1))).as_deref(), Some("2:3"));
        assert_eq!(place(&format!("\"{}", "\\".repeat(TEXT + 2))).as_deref(), Some("1:1"));
        assert_eq!(place(&format!("\n{}", "[{".repeat(100))).as_deref(), Some("2:128"));
        assert_eq!(place(&format!("[{}", "0,".repeat(10_000))).as_deref(), Some("1:20001"));
    }
}
