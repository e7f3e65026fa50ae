//! Any file name as one line of printable UTF-8, and back, byte for byte.
//!
//! A backslash, tab, newline and carriage return become `\\`, `\t`, `\n`, `\r`. Every other control
//! character, every character that some reader takes for a line end (U+0085, U+2028, U+2029), the byte
//! order mark, and every byte that is not valid UTF-8 become `\xHH`, byte by byte. Everything else
//! stands as it is. [`unescape`] accepts `\xHH` for any byte but NUL, which no file name can hold.

use std::borrow::Cow;

/// Why an escaped text cannot be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// A backslash that begins none of the known escapes.
    UnknownEscape,
    /// A control byte that should have been escaped.
    RawControl(u8),
    /// Bytes that are not UTF-8 and should have been escaped.
    NotUtf8,
    /// A NUL byte, which no path can hold.
    Nul,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownEscape => out.write_str(r"a backslash must begin \\, \t, \n, \r or \xHH"),
            Self::RawControl(byte) => write!(out, r"the control byte \x{byte:02x} must be escaped"),
            Self::NotUtf8 => out.write_str(r"bytes that are not UTF-8 must be escaped as \xHH"),
            Self::Nul => out.write_str("a NUL byte cannot be part of a path"),
        }
    }
}

/// Appends the escaped form of `bytes` to `out`.
pub fn escape_into(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.iter().all(|byte| is_plain_ascii(*byte)) {
        out.extend_from_slice(bytes);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape_char(character, out);
        }
        for byte in chunk.invalid() {
            escape_byte(*byte, out);
        }
    }
}

/// The escaped form of `bytes`.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    escape_into(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// For a message on a terminal: as [`escape`], and no character that reorders text or is not seen, either.
#[must_use]
pub fn for_people(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in escape(bytes).chars() {
        if is_unseen(character) {
            text.extend(character.escape_unicode());
        } else {
            text.push(character);
        }
    }
    text.replace(r"\\", r"\")
}

/// How much of a text is quoted in a message, in bytes: a hash, and what may be wrong around it.
const EXCERPT: usize = 200;

/// As [`for_people`], but no more than fits into a message: what follows is left out, and `…` stands for it.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    match bytes.get(..EXCERPT).filter(|_| bytes.len() > EXCERPT) {
        Some(begin) => for_people(begin) + "\u{2026}",
        None => for_people(bytes),
    }
}

/// The bytes that `text` stands for.
///
/// # Errors
/// [`Malformed`] where `text` is nothing that [`escape`] could have written, apart from needless escapes.
pub fn unescape(text: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    if text.iter().all(|byte| is_plain_ascii(*byte)) {
        return Ok(Cow::Borrowed(text));
    }
    check_printable(text)?;
    if memchr::memchr(b'\\', text).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        bytes.extend_from_slice(&rest[..at]);
        let (byte, used) = unescape_one(&rest[at + 1..])?;
        bytes.push(byte);
        rest = &rest[at + 1 + used..];
    }
    bytes.extend_from_slice(rest);
    Ok(Cow::Owned(bytes))
}

/// Checks that `text` could be unescaped, without doing it.
///
/// # Errors
/// As [`unescape`].
pub fn check(text: &[u8]) -> Result<(), Malformed> {
    unescape(text).map(drop)
}

fn check_printable(text: &[u8]) -> Result<(), Malformed> {
    if let Some(byte) = text.iter().find(|byte| byte.is_ascii_control()) {
        return Err(Malformed::RawControl(*byte));
    }
    std::str::from_utf8(text).map(drop).map_err(|_| Malformed::NotUtf8)
}

/// The byte that the escape after a backslash stands for, and how many bytes it took.
fn unescape_one(after: &[u8]) -> Result<(u8, usize), Malformed> {
    match after {
        [b'\\', ..] => Ok((b'\\', 1)),
        [b't', ..] => Ok((b'\t', 1)),
        [b'n', ..] => Ok((b'\n', 1)),
        [b'r', ..] => Ok((b'\r', 1)),
        [b'x', high, low, ..] => match (hex_digit(*high), hex_digit(*low)) {
            (Some(0), Some(0)) => Err(Malformed::Nul),
            (Some(high), Some(low)) => Ok((high << 4 | low, 3)),
            _ => Err(Malformed::UnknownEscape),
        },
        _ => Err(Malformed::UnknownEscape),
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn is_plain_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\\'
}

fn escape_char(character: char, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    let bytes = character.encode_utf8(&mut buffer).as_bytes();
    match character {
        '\\' => out.extend_from_slice(br"\\"),
        '\t' => out.extend_from_slice(br"\t"),
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\u{2028}' | '\u{2029}' | '\u{feff}' => bytes.iter().for_each(|byte| escape_byte(*byte, out)),
        control if control.is_control() => bytes.iter().for_each(|byte| escape_byte(*byte, out)),
        _ => out.extend_from_slice(bytes),
    }
}

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS[usize::from(value)];
    out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte & 15)]);
}

/// Whether a character drives a terminal instead of being seen on it, ends a line, or changes how others are seen: controls,
/// and the formatting characters (Unicode Standard, general categories Cc, Zl, Zp, and Cf as far as it is not part of how a
/// script is written), those among them that change the order of the text around them (UAX #9, section 2).
#[must_use]
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether a character changes the order of the text around it, or ends a line.
pub(crate) fn reorders(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn awkward_names_have_one_form() {
        assert_eq!(escape(b"a\tb\nc\rd\\e"), r"a\tb\nc\rd\\e");
        assert_eq!(escape(b"\x01\x7f\xff"), r"\x01\x7f\xff");
        assert_eq!(escape("caf\u{e9}\u{2003}\u{85}\u{2028}".as_bytes()), "caf\u{e9}\u{2003}\\xc2\\x85\\xe2\\x80\\xa8");
    }

    #[test]
    fn what_escape_never_writes_is_refused() {
        assert_eq!(unescape(br"a\q"), Err(Malformed::UnknownEscape));
        assert_eq!(unescape(br"a\"), Err(Malformed::UnknownEscape));
        assert_eq!(unescape(br"a\x0"), Err(Malformed::UnknownEscape));
        assert_eq!(unescape(br"a\x00"), Err(Malformed::Nul));
        assert_eq!(unescape(b"a\x1b"), Err(Malformed::RawControl(0x1b)));
        assert_eq!(unescape(b"a\xff"), Err(Malformed::NotUtf8));
    }

    #[test]
    fn a_message_cannot_reorder_a_terminal() {
        assert_eq!(for_people("a\u{202e}gpj.exe\x1b[2J".as_bytes()), "a\\u{202e}gpj.exe\\x1b[2J");
        assert_eq!(for_people("a\u{200b}\u{2069}\u{9b}b".as_bytes()), "a\\u{200b}\\u{2069}\\xc2\\x9bb");
    }

    proptest! {
        #[test]
        fn any_bytes_but_nul_come_back(bytes in proptest::collection::vec(1_u8.., 0..300)) {
            let text = escape(&bytes);
            prop_assert!(!text.chars().any(char::is_control));
            let back = unescape(text.as_bytes()).expect("own output");
            prop_assert_eq!(back.as_ref(), bytes.as_slice());
        }
    }
}
