//! The pattern of a destination: strftime for the time, braces for everything else.

use std::fmt::Write as _;

use chrono::NaiveDateTime;
use chrono::format::{Item, StrftimeItems};

use crate::escape;
use crate::record::ContentHash;

/// What is used where none is given.
pub const DEFAULT: &str = "%Y/%m/%Y%m%d_%H%M%S_{hash}.{ext}";

/// How many hexadecimal digits of a hash stand in a name where no number is given.
pub(super) const HASH_DIGITS: usize = 16;

/// Stands where a file does not tell its camera.
const UNKNOWN: &str = "unknown";

/// The longest name that Linux filesystems take, in bytes (`NAME_MAX`, `limits.h`).
const LONGEST_NAME: usize = 255;

/// As long as a path can be (`PATH_MAX`, linux/limits.h): what is made of longer ones takes much memory.
const LONGEST_TEMPLATE: usize = 4096;

/// A pattern that was found to be good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// One conversion of strftime, which formats any time.
    Time(String),
    Hash(usize),
    /// The extension, after a dot if `dot` and if there is one.
    Extension {
        dot: bool,
    },
    Name,
    Make,
    Model,
    Milliseconds,
}

/// What is put into a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    /// The wall clock.
    pub(super) time: NaiveDateTime,
    pub(super) hash: &'a ContentHash,
    /// Without its dot.
    pub(super) extension: &'a [u8],
    /// The file's name without its extension.
    pub(super) name: &'a [u8],
    pub(super) make: Option<&'a str>,
    pub(super) model: Option<&'a str>,
}

impl Template {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST_TEMPLATE {
            return Err("it is longer than 4096 bytes, as no path is".to_owned());
        }
        let mut parser = Parser { text, at: 0, pieces: Vec::new() };
        while let Some(piece) = parser.next()? {
            parser.push(piece);
        }
        let template = Self { pieces: parser.pieces };
        template.check()?;
        Ok(template)
    }

    /// Tries it with plain values: what is wrong then is the pattern's own fault.
    fn check(&self) -> Result<(), String> {
        let values = Values {
            time: sample(),
            hash: &ContentHash([0xab; 32]),
            extension: b"x",
            name: b"x",
            make: Some("x"),
            model: Some("x"),
        };
        self.expand(&values).map(drop).map_err(|problem| format!("is no path below --to: {problem}"))
    }

    /// The path below the destination.
    ///
    /// # Errors
    /// Why no file can have it.
    pub(super) fn expand(&self, values: &Values<'_>) -> Result<Vec<u8>, &'static str> {
        let mut path = Vec::new();
        for piece in &self.pieces {
            piece.expand(values, &mut path);
        }
        check_path(&path)?;
        Ok(path)
    }
}

impl Piece {
    fn expand(&self, values: &Values<'_>, path: &mut Vec<u8>) {
        match self {
            Self::Literal(text) => path.extend_from_slice(text.as_bytes()),
            Self::Time(conversion) => path.extend_from_slice(conversion_of(values.time, conversion).as_bytes()),
            Self::Hash(digits) => path.extend_from_slice(&values.hash.to_hex()[..*digits]),
            Self::Extension { dot } => {
                let extension = tame(&values.extension.to_ascii_lowercase());
                if *dot && !extension.is_empty() {
                    path.push(b'.');
                }
                path.extend_from_slice(&extension);
            }
            Self::Name => path.extend_from_slice(&known(values.name)),
            Self::Make => path.extend_from_slice(&known(values.make.unwrap_or_default().as_bytes())),
            Self::Model => path.extend_from_slice(&known(values.model.unwrap_or_default().as_bytes())),
            Self::Milliseconds => path.extend_from_slice(conversion_of(values.time, "%3f").as_bytes()),
        }
    }
}

fn conversion_of(time: NaiveDateTime, conversion: &str) -> String {
    let mut text = String::new();
    // Only what formats any time is in a template.
    write!(text, "{}", time.format(conversion)).unwrap_or(());
    text
}

fn known(value: &[u8]) -> Vec<u8> {
    let value = tame(value);
    if value.is_empty() { UNKNOWN.into() } else { value }
}

/// Without what could lead to another directory, hide a file, or drive a terminal.
pub(super) fn tame(value: &[u8]) -> Vec<u8> {
    let mut tamed = Vec::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        let is_tame = |character: &char| !character.is_control() && !escape::reorders(*character) && *character != '/';
        for character in chunk.valid().chars().filter(is_tame) {
            tamed.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        tamed.extend_from_slice(chunk.invalid());
    }
    let blank = |byte: &u8| *byte == b'.' || *byte == b' ';
    let begin = tamed.iter().position(|byte| !blank(byte)).unwrap_or(tamed.len());
    let end = tamed.iter().rposition(|byte| *byte != b' ').map_or(begin, |last| last + 1);
    tamed.get(begin..end).unwrap_or_default().to_vec()
}

/// Whether a path below the destination is one, and can be the path of a file.
///
/// # Errors
/// Why not.
pub(super) fn check_path(path: &[u8]) -> Result<(), &'static str> {
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" => return Err("a name in it is empty"),
            b"." | b".." => return Err("a name in it is . or .."),
            _ if name.len() > LONGEST_NAME => return Err("a name in it is longer than 255 bytes"),
            _ => {}
        }
    }
    Ok(())
}

fn sample() -> NaiveDateTime {
    NaiveDateTime::default()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    pieces: Vec<Piece>,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<Option<Piece>, String> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let len = match first {
            '%' => conversion_len(rest),
            '{' if rest.starts_with("{{") => 2,
            '{' => rest.find('}').ok_or_else(|| self.problem("{", "has no }"))? + 1,
            '}' if rest.starts_with("}}") => 2,
            '}' => return Err(self.problem("}", "has no {; }} stands for the brace itself")),
            other => other.len_utf8(),
        };
        let token = rest.get(..len).unwrap_or(rest);
        let piece = match first {
            '%' => self.conversion(token)?,
            '{' if token != "{{" => self.field(token)?,
            '{' => Piece::Literal("{".into()),
            '}' => Piece::Literal("}".into()),
            control if control.is_control() => return Err(self.problem("a control character", "cannot be in a name")),
            other => Piece::Literal(other.into()),
        };
        self.at += len;
        Ok(Some(piece))
    }

    fn conversion(&self, token: &str) -> Result<Piece, String> {
        if token == "%%" {
            return Ok(Piece::Literal("%".into()));
        }
        if StrftimeItems::new(token).any(|item| item == Item::Error) {
            return Err(self.problem(token, "is no conversion of strftime"));
        }
        let mut text = String::new();
        if write!(text, "{}", sample().format(token)).is_err() {
            return Err(self.problem(token, "tells of a time zone, which a wall clock does not have"));
        }
        if text.contains(char::is_control) {
            return Err(self.problem(token, "gives a control character"));
        }
        Ok(Piece::Time(token.into()))
    }

    fn field(&self, token: &str) -> Result<Piece, String> {
        let field = token.trim_start_matches('{').trim_end_matches('}');
        Ok(match field {
            "hash" => Piece::Hash(HASH_DIGITS),
            "ext" => Piece::Extension { dot: false },
            "name" => Piece::Name,
            "make" => Piece::Make,
            "model" => Piece::Model,
            "ms" => Piece::Milliseconds,
            _ => {
                let Some(digits) = field.strip_prefix("hash:") else {
                    return Err(
                        self.problem(token, "is not one of {hash}, {hash:N}, {ext}, {name}, {make}, {model}, {ms}")
                    );
                };
                let digits = crate::record::decimal(digits.as_bytes()).filter(|digits| (1..=64).contains(digits));
                let digits = digits.and_then(|digits| usize::try_from(digits).ok());
                Piece::Hash(digits.ok_or_else(|| self.problem(token, "takes a number of digits from 1 to 64"))?)
            }
        })
    }

    fn problem(&self, what: &str, problem: &str) -> String {
        let before = self.text.get(..self.at).unwrap_or_default();
        format!("{what} at character {} {problem}", before.chars().count() + 1)
    }

    /// Literals grow together, and the dot before an extension becomes part of it.
    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Literal(text)), Piece::Literal(more)) => text.push_str(&more),
            (Some(Piece::Literal(text)), Piece::Extension { .. }) if text.ends_with('.') => {
                text.pop();
                self.pieces.push(Piece::Extension { dot: true });
            }
            (_, piece) => self.pieces.push(piece),
        }
    }
}

/// Length of the conversion that a text begins with: `%`, flags, and a letter.
fn conversion_len(text: &str) -> usize {
    let flags = text.bytes().skip(1).take_while(|byte| b"-_0369.:#".contains(byte)).count();
    let letter = text.get(1 + flags..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    1 + flags + letter
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: ContentHash = ContentHash([0x0f; 32]);

    fn values<'a>() -> Values<'a> {
        let time = chrono::NaiveDate::from_ymd_opt(2019, 7, 5).and_then(|day| day.and_hms_milli_opt(3, 4, 5, 60));
        Values {
            time: time.expect("a time"),
            hash: &HASH,
            extension: b"JPG",
            name: b"IMG_1",
            make: Some("Canon"),
            model: None,
        }
    }

    fn expand(template: &str, values: &Values<'_>) -> Result<String, &'static str> {
        let path = Template::parse(template).expect("template").expand(values)?;
        Ok(String::from_utf8(path).expect("UTF-8"))
    }

    #[test]
    fn every_field_has_its_value() {
        assert_eq!(expand(DEFAULT, &values()), Ok("2019/07/20190705_030405_0f0f0f0f0f0f0f0f.jpg".into()));
        assert_eq!(
            expand("{name}-{make}-{model}.{ms}{{%%}}{hash:3}", &values()),
            Ok("IMG_1-Canon-unknown.060{%}0f0".into())
        );
    }

    #[test]
    fn an_empty_extension_leaves_out_its_dot() {
        let none = Values { extension: b"", ..values() };
        assert_eq!(expand("%Y/{hash:2}.{ext}", &none), Ok("2019/0f".into()));
        assert_eq!(expand("%Y/{hash:2}-{ext}", &none), Ok("2019/0f-".into()));
        assert_eq!(expand("%Y.{ext}", &none), Ok("2019".into()));
    }

    #[test]
    fn a_value_stays_within_one_name() {
        for (make, tamed) in [
            ("../../etc", "....etc".trim_start_matches('.')),
            ("/etc/passwd", "etcpasswd"),
            ("..", "unknown"),
            ("", "unknown"),
            (" . .a\n\u{7f}\u{85}b ", "ab"),
            ("a\u{202e}gpj\u{2066}\u{2028}", "agpj"),
        ] {
            let values = Values { make: Some(make), ..values() };
            assert_eq!(expand("{make}/{hash:1}", &values), Ok(format!("{tamed}/0")), "{make:?}");
        }
    }

    #[test]
    fn what_no_file_can_be_called_is_refused() {
        let name = "n".repeat(250);
        let long = Values { name: name.as_bytes(), ..values() };
        assert!(expand("{name}_{hash:4}", &long).is_ok());
        assert_eq!(expand("{name}_{hash:5}", &long), Err("a name in it is longer than 255 bytes"));
        let none = Values { extension: b"", ..values() };
        assert_eq!(expand("{ext}/%Y", &none), Err("a name in it is empty"));
    }

    #[test]
    fn a_bad_pattern_is_told_with_its_place() {
        for (text, problem) in [
            ("%Y/%Q", "%Q at character 4 is no conversion of strftime"),
            ("%Y/%", "% at character 4 is no conversion of strftime"),
            ("é%z", "%z at character 2 tells of a time zone, which a wall clock does not have"),
            ("%n", "%n at character 1 gives a control character"),
            ("a\tb", "a control character at character 2 cannot be in a name"),
            ("{hash", "{ at character 1 has no }"),
            ("a}", "} at character 2 has no {; }} stands for the brace itself"),
            ("{hash:65}", "{hash:65} at character 1 takes a number of digits from 1 to 64"),
            ("{hash:0}", "{hash:0} at character 1 takes a number of digits from 1 to 64"),
            ("/a", "is no path below --to: a name in it is empty"),
            ("a//b", "is no path below --to: a name in it is empty"),
            ("a/", "is no path below --to: a name in it is empty"),
            ("", "is no path below --to: a name in it is empty"),
            ("../a", "is no path below --to: a name in it is . or .."),
        ] {
            assert_eq!(Template::parse(text), Err(problem.into()), "{text}");
        }
        let path = "%Y/".repeat(1365);
        assert!(Template::parse(&format!("{path}a")).is_ok());
        assert_eq!(Template::parse(&format!("{path}ab")), Err("it is longer than 4096 bytes, as no path is".into()));
        assert!(Template::parse("{date}").expect_err("unknown").starts_with("{date} at character 1 is not one of"));
    }

    proptest! {
        #[test]
        fn any_pattern_is_refused_or_stays_inside(text in "[%{}./a-zA-Z:0-9_-]{0,12}", make in ".*") {
            if let Ok(template) = Template::parse(&text)
                && let Ok(path) = template.expand(&Values { make: Some(&make), model: Some(&make), ..values() })
            {
                prop_assert_eq!(check_path(&path), Ok(()));
                prop_assert!(!path.iter().any(u8::is_ascii_control));
            }
        }
    }
}
