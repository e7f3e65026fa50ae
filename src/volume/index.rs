//! The `index.json` that a volume carries, and how it becomes a stream.
//!
//! It is an object with `"format": "mediastruct-volume/1"` and `"files"`, each with `path`, `hash`, `size` and `mtime` in the
//! forms of the stream. The files are turned into rows one by one as they are read, so that none is held.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::extent::TextLen;
use super::{Number, json};
use crate::cli::Failure;
use crate::escape;
use crate::host;
use crate::record::{ContentHash, Record, Timestamp};
use crate::stream::Held;

/// The one format that is known.
const FORMAT: &str = "mediastruct-volume/1";

/// Writes the index of a volume: a line for each of its `files`, whose paths are below the volume, in the order given.
///
/// # Errors
/// What `out` gives.
pub fn write<'f>(volume: Number, files: impl Iterator<Item = &'f Record>, out: &mut dyn Write) -> io::Result<()> {
    let label = volume.label();
    write!(out, "{{\"format\":\"{FORMAT}\",\"volume\":{},\"label\":\"{label}\",\"files\":[", volume.get())?;
    for (place, file) in files.enumerate() {
        out.write_all(if place == 0 { b"\n" } else { b",\n" })?;
        let path = match file.path.as_os_str().as_bytes() {
            // As in the stream, where a bare one stands for what is unknown.
            b"-" => "./-".to_owned(),
            bytes => escape::escape(bytes),
        };
        let path = serde_json::to_string(&path)?;
        write!(out, "{{\"path\":{path},\"hash\":")?;
        write_text(file.hash, out)?;
        write!(out, ",\"size\":{},\"mtime\":", file.size)?;
        write_text(file.mtime, out)?;
        out.write_all(b"}")?;
    }
    out.write_all(b"\n]}\n")
}

/// A hash or a time, neither of which has anything in it that JSON would escape.
fn write_text(value: Option<impl fmt::Display>, out: &mut dyn Write) -> io::Result<()> {
    match value {
        Some(value) => write!(out, "\"{value}\""),
        None => out.write_all(b"null"),
    }
}

/// Whether the file at `path` begins as the index of a volume does. What is not there, or is no regular file, does not.
///
/// # Errors
/// What the system gives.
pub fn is_one(path: &Path) -> io::Result<bool> {
    let Some(mut head) = super::head_of(path, 128)? else { return Ok(false) };
    head.retain(|byte| !byte.is_ascii_whitespace());
    Ok(head.starts_with(br#"{"format":"mediastruct-volume/"#))
}

/// Length of an index without files, at most, in bytes.
pub const LEN_OF_NONE: u64 = 128;

/// Length of what is written of one file, at most, in bytes.
#[must_use]
pub fn len_of(path: TextLen) -> u64 {
    /// `,` and newline, the names of the members, 64 digits of a hash, 20 of a size, and a time of 31 characters.
    const REST: u64 = 2 + 44 + 66 + 20 + 33;
    REST + path.escaped + path.quoted
}

/// Writes a row for each file, and gives the number of the volume as it stands there, if it does.
///
/// # Errors
/// [`Failure::Stop`] that names the place where it is no index of a volume, or that says that `out` failed.
pub fn to_stream(held: &Held, out: &mut dyn Write) -> Result<Option<String>, Failure> {
    let text = &held.bytes()[held.mark_len()..];
    json::check(text, usize::MAX)
        .map_err(|problem| Failure::Stop(format!("reading: {}:{}: {problem}", held.name(), problem.place())))?;
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = Volume(out).deserialize(&mut json).and_then(|number| json.end().map(|()| number));
    read.map_err(|error| {
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
        let place = format!("{}:{}:{}", held.name(), error.line(), error.column());
        Failure::Stop(format!("reading: {place}: {}", json::told(problem)))
    })
}

/// The whole of it.
struct Volume<'w>(&'w mut dyn Write);

impl<'de> DeserializeSeed<'de> for Volume<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Volume<'_> {
    type Value = Option<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the index of a volume, an object with format and files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut has_format, mut has_files, mut number) = (false, false, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "format" if has_format => return Err(A::Error::duplicate_field("format")),
                "format" => {
                    has_format = true;
                    check_format::<A::Error>(&map.next_value::<Cow<'de, str>>()?)?;
                }
                "files" if has_files => return Err(A::Error::duplicate_field("files")),
                "files" => {
                    has_files = true;
                    map.next_value_seed(Files(&mut *self.0))?;
                }
                "volume" if number.is_some() => return Err(A::Error::duplicate_field("volume")),
                // Any value: whoever only verifies the files need not know which volume it is.
                "volume" => number = Some(map.next_value::<&RawValue>()?.get().to_owned()),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = if has_format { "files" } else { "format" };
        if has_format && has_files { Ok(number) } else { Err(A::Error::missing_field(missing)) }
    }
}

fn check_format<E: serde::de::Error>(format: &str) -> Result<(), E> {
    if format == FORMAT {
        return Ok(());
    }
    let format = shown(format);
    Err(E::custom(format_args!("its format is \"{format}\", and only {FORMAT} can be verified")))
}

/// The files of a volume.
struct Files<'w>(&'w mut dyn Write);

impl<'de> DeserializeSeed<'de> for Files<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Files<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<(), A::Error> {
        while let Some(file) = files.next_element::<File>()? {
            self.0.write_all(file.to_line().as_bytes()).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// One file. Each member is checked as it is read, while its place is known.
#[derive(Deserialize)]
struct File {
    #[serde(deserialize_with = "path")]
    path: String,
    #[serde(default, deserialize_with = "hash")]
    hash: Option<ContentHash>,
    size: u64,
    #[serde(default, deserialize_with = "mtime")]
    mtime: Option<Timestamp>,
}

impl File {
    /// Its row.
    fn to_line(&self) -> String {
        let hash = self.hash.map_or("-".to_owned(), |hash| hash.to_string());
        let mtime = self.mtime.map_or("-".to_owned(), |mtime| mtime.to_string());
        // What others have escaped less, such as a byte order mark, is told as the stream has it.
        let path = escape::unescape(self.path.as_bytes()).unwrap_or_default();
        // As in a stream, where a path may name a host.
        let local = host::as_local(OsStr::from_bytes(&path));
        let path = if *path == *b"-" { "./-".to_owned() } else { escape::escape(local.as_bytes()) };
        format!("{path}\t{hash}\t{}\t{mtime}\t-\n", self.size)
    }
}

fn shown(text: &str) -> String {
    escape::excerpt(text.as_bytes())
}

/// An escaped path.
fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    if path.is_empty() || path == "-" {
        return Err(D::Error::custom("path: a path is never empty or unknown"));
    }
    match escape::check(path.as_bytes()) {
        Ok(()) => Ok(path),
        Err(why) => Err(D::Error::custom(format_args!("path: \"{}\": {why}", shown(&path)))),
    }
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ContentHash>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|text| text != "-") else { return Ok(None) };
    let problem = || format!("hash: \"{}\" is not 64 lower-case hexadecimal digits", shown(&text));
    ContentHash::parse(text.as_bytes()).map(Some).ok_or_else(|| D::Error::custom(problem()))
}

fn mtime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    // As it stands there, since a number as others read it has too few digits for nanoseconds.
    let text = <&RawValue>::deserialize(deserializer)?.get();
    if matches!(text, "null" | "\"-\"") {
        return Ok(None);
    }
    let problem = || format!("mtime: {} is not seconds with up to nine decimal places", shown(text));
    moment(text).map(Some).ok_or_else(|| D::Error::custom(problem()))
}

/// A time as the stream has it, as a string or as a number, which others may write without the zeros at its end.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if decimals.is_empty() {
        return None;
    }
    Timestamp::parse(format!("{seconds}.{decimals:0<9}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(json: &str) -> Result<String, String> {
        let dir = tempfile::tempdir().expect("directory");
        let file = dir.path().join("index.json");
        std::fs::write(&file, json).expect("write");
        let mut out = Vec::new();
        match to_stream(&Held::open(file.as_os_str()).expect("held"), &mut out) {
            Ok(_) => Ok(String::from_utf8(out).expect("UTF-8")),
            Err(Failure::Stop(text)) => Err(text.rsplit_once("index.json:").expect("a place").1.to_owned()),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn file(members: &str) -> Result<String, String> {
        stream(&format!(r#"{{"format":"{FORMAT}","files":[{{{members}}}]}}"#))
    }

    #[test]
    fn files_become_rows_whatever_else_is_told() {
        let digits = "ab".repeat(32);
        let json = format!(
            "{{\n\"label\": {{\"x\": [1, null]}},\n\"files\": [\n{{\"path\": \"a\\u002fb \\\\xff\", \"hash\": \"{digits}\", \"size\": 5, \
             \"mtime\": \"1.500000000\", \"more\": []}},\n{{\"size\": 0, \"path\": \"é\\\\\\\\\", \"hash\": null}}],\n\"format\": \"{FORMAT}\"}}\n"
        );
        assert_eq!(stream(&json), Ok(format!("a/b \\xff\t{digits}\t5\t1.500000000\t-\né\\\\\t-\t0\t-\t-\n")));
        assert_eq!(stream(&format!(r#"{{"format":"{FORMAT}","files":[]}}"#)), Ok(String::new()));
    }

    fn record(path: &[u8], hash: Option<ContentHash>, size: u64, mtime: Option<Timestamp>) -> Record {
        let path = std::path::PathBuf::from(std::ffi::OsStr::from_bytes(path));
        Record { path, hash, size, mtime, id: None, dest: None, keep: None, note: None }
    }

    fn written(files: &[Record]) -> String {
        let mut out = Vec::new();
        write(Number::new(u64::from(u32::MAX)).expect("number"), files.iter(), &mut out).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_is_written_is_read_and_is_no_longer_than_foretold() {
        let least = Timestamp { seconds: i64::MIN, nanoseconds: 1 };
        let hash = ContentHash::of_nothing();
        let paths: [&[u8]; 5] = [b"a", b"2012/03/\xff \"q\" \\ \n", "\u{301}é\u{2028}".as_bytes(), b"\\\\\"\"", b"-"];
        let files = paths.map(|path| record(path, Some(hash), u64::MAX, Some(least)));
        let json = written(&files);
        let rows = stream(&json).expect("stream");
        for (row, path) in rows.lines().zip(paths) {
            let escaped = escape::escape(path);
            let escaped = if escaped == "-" { "./-" } else { &escaped };
            assert_eq!(row, format!("{escaped}\t{hash}\t{}\t{least}\t-", u64::MAX));
        }
        assert_eq!(rows.lines().count(), paths.len());
        let foretold: u64 = paths.iter().map(|path| len_of(TextLen::of(path))).sum();
        assert!(json.len() as u64 <= LEN_OF_NONE + foretold, "{} {foretold}", json.len());
        assert!(json.len() as u64 + 64 > foretold, "{} {foretold}", json.len());
        assert!(stream(&written(&[])).expect("stream").is_empty());
    }

    #[test]
    fn times_are_read_as_strings_and_as_numbers() {
        for (json, expected) in [
            ("null", "-"),
            ("\"-\"", "-"),
            ("1500000000.123456789", "1500000000.123456789"),
            ("\"1500000000.123456789\"", "1500000000.123456789"),
            ("1500000000.25", "1500000000.250000000"),
            ("1500000000", "1500000000.000000000"),
            ("-0.5", "-0.500000000"),
        ] {
            let row = file(&format!(r#""path":"a","size":1,"mtime":{json}"#)).expect(json);
            assert_eq!(row, format!("a\t-\t1\t{expected}\t-\n"));
        }
        for json in ["1e9", "1.0123456789", "\"yesterday\"", "\"1.\"", "true", "[]", "\"\""] {
            let problem = file(&format!(r#""path":"a","size":1,"mtime":{json}"#)).expect_err(json);
            assert!(problem.contains("mtime: "), "{problem}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (members, expected) in [
            (r#""path":"a","size":-1"#, "invalid value: integer `-1`, expected u64"),
            (r#""path":"a","size":1.5"#, "invalid type: floating point `1.5`, expected u64"),
            (r#""path":"a""#, "missing field `size`"),
            (r#""size":1"#, "missing field `path`"),
            (r#""path":"","size":1"#, "path: a path is never empty or unknown"),
            (r#""path":"a\nb","size":1"#, r#"path: "a\nb": the control byte \x0a must be escaped"#),
            (r#""path":"a\\0","size":1"#, "path: \"a\\0\": a backslash must begin"),
            (r#""path":"a","size":1,"hash":"ABC""#, "hash: \"ABC\" is not 64 lower-case hexadecimal digits"),
            (r#""path":"a","path":"b","size":1"#, "duplicate field `path`"),
        ] {
            let problem = file(members).expect_err(members);
            assert!(problem.starts_with("1:") && problem.contains(expected), "{problem}");
        }
        for (json, line, expected) in [
            ("{", 1, "EOF while parsing an object"),
            ("{\"files\":[]}", 1, "missing field `format`"),
            ("{\n\"format\":\"mediastruct-archive/1\"}", 2, "its format is \"mediastruct-archive/1\", and only"),
            (
                "{\"format\":\"mediastruct-volume/1\",\n\"files\":{}}",
                2,
                "invalid type: map, expected an array of files",
            ),
            ("{\"format\":\"mediastruct-volume/1\",\"files\":[]}\n{", 2, "trailing characters"),
        ] {
            let problem = stream(json).expect_err(json);
            assert!(problem.starts_with(&format!("{line}:")) && problem.contains(expected), "{problem}");
        }
        assert!(stream(&format!("{{\"x\":{}", "[".repeat(100_000))).is_err());
    }
}
