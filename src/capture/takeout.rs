//! The JSON that Google Takeout puts beside each photo.

use std::fs::File;
use std::io::{self, Read as _};

use serde_json::Value;

use crate::media::Moment;
use crate::media::when;

/// Takeout's sidecars have a few kilobytes. What is larger is something else, and is not read.
const LARGEST: u64 = 256 * 1024;

/// Reads `photoTakenTime` from an open sidecar.
///
/// # Errors
/// What the system says where the file cannot be read.
pub fn read(file: &File) -> io::Result<Option<Moment>> {
    let mut json = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut json)?;
    Ok(taken(&json))
}

/// The time at which a photo was taken, in UTC, as its sidecar tells it. A scanned picture's may be before 1970, so the
/// first year is that of pictures.
fn taken(json: &[u8]) -> Option<Moment> {
    if u64::try_from(json.len()).ok()? > LARGEST {
        return None;
    }
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let sidecar: Value = serde_json::from_slice(json).ok()?;
    let seconds = match sidecar.get("photoTakenTime")?.get("timestamp")? {
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => number.as_i64()?,
        _ => return None,
    };
    when::from_unix_since(seconds, None, when::FIRST_PICTURE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Base;

    #[track_caller]
    fn reads(json: &str, expected: Option<&str>) {
        let moment = taken(json.as_bytes());
        assert!(moment.is_none_or(|moment| moment.base == Base::Utc));
        let time = moment.map(|moment| moment.time.to_string());
        assert_eq!(time.as_deref(), expected, "{json}");
    }

    #[test]
    fn the_time_taken_is_read_and_no_other() {
        reads(
            r#"{"title": "IMG_0001.JPG", "creationTime": {"timestamp": "1600000000"},
                "photoTakenTime": {"timestamp": "1546398245", "formatted": "02.01.2019, 03:04:05 UTC"}}"#,
            Some("2019-01-02 03:04:05"),
        );
        reads(r#"{"photoTakenTime": {"timestamp": 1546398245}}"#, Some("2019-01-02 03:04:05"));
        reads("\u{feff}{\"photoTakenTime\": {\"timestamp\": \"1546398245\"}}", Some("2019-01-02 03:04:05"));
        reads(r#"{"photoTakenTime": {"timestamp": "-631152000"}}"#, Some("1950-01-01 00:00:00"));
        reads(r#"{"creationTime": {"timestamp": "1600000000"}}"#, None);
    }

    #[test]
    fn what_cannot_be_true_is_none() {
        for timestamp in
            ["\"0\"", "0", "\"\"", "\"x\"", "1.5", "null", "\"99999999999\"", "\"9223372036854775807\"", "[]"]
        {
            reads(&format!(r#"{{"photoTakenTime": {{"timestamp": {timestamp}}}}}"#), None);
        }
        for json in ["", "{", "[]", "null", r#"{"photoTakenTime": 1546398245}"#, r#"{"photoTakenTime": {}}"#] {
            reads(json, None);
        }
        reads(&"[".repeat(100_000), None);
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let padded = |blanks| format!("{}{}", r#"{"photoTakenTime": {"timestamp": 1546398245}}"#, " ".repeat(blanks));
        assert!(taken(padded(1000).as_bytes()).is_some());
        assert!(taken(padded(256 * 1024).as_bytes()).is_none());
    }
}
