//! Dates in the names that phones, cameras, messengers and scanners give to their files.
//!
//! A name is searched from the left for a date with a time; where there is none, for a date alone. Guards keep UUIDs,
//! hashes, serial numbers and counters from being read as dates: digits count only as a whole run, a word of
//! hexadecimal digits is no date, a bare day in eight digits needs a prefix that cameras use before it, and a number is
//! read as Unix milliseconds only after the prefixes of the programs that write them.

mod groups;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::media::when::{self, FIRST_CONTAINER};
use crate::media::{Base, Moment, Precision};

use groups::{Groups, Time};

/// A date in a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameDate {
    /// The date: local time, or UTC where the program that gave the name is known to tell UTC; to the second, or a day.
    pub(super) moment: Moment,
    /// Whether the name has the form that ingest gives: the date, and a hash after it.
    pub(super) ours: bool,
}

/// No path is longer (`PATH_MAX`, linux/limits.h), and the search takes time with the square of the length.
const LONGEST_NAME: usize = 4096;

/// Reads the date in a file's name, if there is one that can be true.
#[must_use]
pub(super) fn date(name: &OsStr) -> Option<NameDate> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = masked(stem(name.as_bytes()));
    let groups = Groups::of(&name);
    let full = (0..groups.len()).find_map(|index| with_time(&groups, index));
    full.or_else(|| (0..groups.len()).find_map(|index| day(&groups, index)))
}

/// A name without its extension: up to five letters and digits, but not digits alone, which may be seconds.
fn stem(name: &[u8]) -> &[u8] {
    let Some(dot) = memchr::memrchr(b'.', name) else { return name };
    let (stem, extension) = (name.get(..dot).unwrap_or(name), name.get(dot + 1..).unwrap_or_default());
    let plausible = (1..=5).contains(&extension.len()) && extension.iter().all(u8::is_ascii_alphanumeric);
    if plausible && extension.iter().any(u8::is_ascii_alphabetic) { stem } else { name }
}

/// The name with every UUID (RFC 9562 § 4: groups of 8, 4, 4, 4 and 12 hexadecimal digits) struck out.
fn masked(name: &[u8]) -> Vec<u8> {
    const LENGTH: usize = 36;
    let mut masked = name.to_vec();
    let mut start = 0;
    while let Some(window) = masked.get_mut(start..start + LENGTH) {
        let fits = window.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => matches!(byte, b'-' | b'_'),
            _ => byte.is_ascii_hexdigit(),
        });
        if fits {
            window.fill(b'?');
        }
        start += if fits { LENGTH } else { 1 };
    }
    masked
}

/// The date with a time that starts at the run of digits `index`.
fn with_time(groups: &Groups, index: usize) -> Option<NameDate> {
    let digits = groups.digits(index);
    if digits.len() == 13 {
        return milliseconds(groups, index);
    }
    let (moment, last) = if matches!(digits.len(), 14 | 17) {
        let (day, clock) = digits.split_at_checked(8)?;
        (groups::moment(groups::compact_day(day)?, groups::compact_time(clock)?), index)
    } else {
        let (day, last) = groups.day(index).or_else(|| groups.dashcam_day(index))?;
        let Time::Read(time, last) = groups.time_after(last) else { return None };
        (groups::moment(day, time), last)
    };
    if !groups.stands_apart(index, last) {
        return None;
    }
    let moment = moment.valid(FIRST_CONTAINER, when::now())?;
    let utc = groups.word_before(index).eq_ignore_ascii_case(b"PXL") || groups.zulu_after(last);
    let moment = if utc { moment.utc() } else { moment };
    let rest = groups.after(last);
    if !groups.before(index).is_empty() {
        return Some(NameDate { moment, ours: false });
    }
    let parts = milliseconds_before_hash(rest);
    let moment = parts.map_or(moment, |digits| moment.with_subseconds(digits));
    Some(NameDate { moment, ours: parts.is_some() || is_hash(rest) })
}

/// Milliseconds since 1970-01-01 UTC, as Facebook and `WeChat` name what they save.
fn milliseconds(groups: &Groups, index: usize) -> Option<NameDate> {
    const WRITERS: [&[u8]; 4] = [b"fb_img_", b"mmexport", b"wx_camera_", b"micromsg."];
    let before = groups.before(index).to_ascii_lowercase();
    let digits = groups.digits(index);
    let after = groups.after(index).first();
    let written = WRITERS.iter().any(|writer| before.ends_with(writer));
    // Thirteen digits without a leading zero start in September 2001.
    if !written || digits.starts_with(b"0") || after.is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let milliseconds = crate::record::decimal(digits)?;
    let nanoseconds = u32::try_from(milliseconds % 1000).ok()? * 1_000_000;
    let moment = when::from_unix(i64::try_from(milliseconds / 1000).ok()?, Some(nanoseconds))?;
    Some(NameDate { moment, ours: false })
}

/// What remains of a name that ingest gave after its date: a separator and the digits of a hash.
fn is_hash(rest: &[u8]) -> bool {
    let Some((b'_' | b'-' | b' ' | b'.', hash)) = rest.split_first() else { return false };
    (8..=64).contains(&hash.len()) && hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The three digits of `{ms}` in such a name, where a separator keeps them from the seconds.
fn milliseconds_before_hash(rest: &[u8]) -> Option<&[u8]> {
    let (b'_' | b'-' | b' ' | b'.', rest) = rest.split_first()? else { return None };
    let (digits, hash) = rest.split_at_checked(3)?;
    (digits.iter().all(u8::is_ascii_digit) && is_hash(hash)).then_some(digits)
}

/// The date without a time that starts at the run of digits `index`.
fn day(groups: &Groups, index: usize) -> Option<NameDate> {
    let (day, last) = groups.day(index)?;
    let known =
        if last == index { follows_known_prefix(groups, index) } else { groups.is_no_part_of_a_number(index, last) };
    // Digits after a day may count pictures, but not be a time that cannot be.
    let counted = matches!(groups.time_after(last), Time::Missing) && groups.counter_after(last) <= 4;
    if !known || !counted || !groups.stands_apart(index, last) {
        return None;
    }
    let moment = Moment::day(day, FIRST_CONTAINER)?;
    Some(NameDate { moment, ours: false })
}

/// Whether the word before eight digits is one that cameras, messengers and scanners put before a day.
fn follows_known_prefix(groups: &Groups, index: usize) -> bool {
    const PREFIXES: [&[u8]; 18] = [
        b"IMG",
        b"VID",
        b"MVIMG",
        b"DSC",
        b"WP",
        b"WIN",
        b"PXL",
        b"PANO",
        b"MOV",
        b"AUD",
        b"PTT",
        b"STK",
        b"DOC",
        b"GIF",
        b"SCAN",
        b"PHOTO",
        b"VIDEO",
        b"SCREENSHOT",
    ];
    PREFIXES.iter().any(|prefix| groups.word_before(index).eq_ignore_ascii_case(prefix))
}

impl NameDate {
    /// Whether this is a local time, fit to tell the zone of a time in UTC.
    #[must_use]
    pub(super) fn is_local_time(&self) -> bool {
        self.moment.base == Base::Wall && self.moment.precision == Precision::Second
    }
}
