//! Dates as files spell them, and which of them cannot be true.
//!
//! [`parse`] reads the text of EXIF, XMP and PNG, [`parse_container`] that of videos; both take the same spellings and
//! differ in the first year they believe. Numbers become dates by [`from_unix`] and [`from_1904`]. What is not a date,
//! or cannot be true, is `None`: the next source is asked.

mod spelling;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _, Utc};

/// The first year in which there was a camera: what EXIF and XMP may say, as of scanned pictures.
pub const FIRST_PICTURE: i32 = 1826;

/// The first year that a container or a file name may say.
pub const FIRST_CONTAINER: i32 = 1970;

/// The furthest an offset from UTC goes, in seconds: 14 hours (XML Schema Part 2 § 3.2.7.3).
const FURTHEST_OFFSET: u32 = 14 * 3600;

/// Seconds from 1904-01-01, where ISO BMFF counts from (ISO/IEC 14496-12 § 8.2.2), to 1970-01-01.
const UNIX_SINCE_1904: u64 = 2_082_844_800;

/// How exactly a date is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// With seconds, or a part of them.
    Second,
    /// With hours and minutes.
    Minute,
    /// Without a time.
    Day,
}

/// What a time counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// The clock on the wall where the picture was taken.
    Wall,
    /// UTC.
    Utc,
}

/// A date that is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Date and time.
    pub time: NaiveDateTime,
    /// Wall clock or UTC. A wall clock's time was never shifted by its offset.
    pub base: Base,
    /// Offset of the wall clock from UTC in seconds, where it is told.
    pub offset: Option<i32>,
    /// How exactly.
    pub precision: Precision,
    /// Whether the source tells parts of a second.
    pub fraction: bool,
}

impl Moment {
    /// A time on the wall clock, to the second, if it can be true in or after the year `first`.
    #[must_use]
    pub fn wall(time: NaiveDateTime, first: i32) -> Option<Self> {
        Self { time, base: Base::Wall, offset: None, precision: Precision::Second, fraction: false }.valid(first, now())
    }

    /// A day without a time, if it can be true in or after the year `first`.
    #[must_use]
    pub fn day(date: NaiveDate, first: i32) -> Option<Self> {
        let time = date.and_time(NaiveTime::MIN);
        Self { time, base: Base::Wall, offset: None, precision: Precision::Day, fraction: false }.valid(first, now())
    }

    /// The same digits, read as UTC.
    #[must_use]
    pub fn utc(self) -> Self {
        Self { base: Base::Utc, offset: None, ..self }
    }

    /// With the parts of a second that EXIF keeps apart (0x9290 to 0x9292): the digits after the point. What is no
    /// digits changes nothing, nor does a second that already has its parts.
    #[must_use]
    pub fn with_subseconds(self, digits: &[u8]) -> Self {
        let digits = spelling::trimmed(digits);
        if self.precision != Precision::Second || self.fraction || !digits.iter().all(u8::is_ascii_digit) {
            return self;
        }
        match spelling::nanoseconds(digits).and_then(|nanoseconds| self.time.with_nanosecond(nanoseconds)) {
            Some(time) => Self { time, fraction: true, ..self },
            None => self,
        }
    }

    /// With the offset that EXIF keeps apart (0x9010 to 0x9012): `+02:00` or `Z`. An offset that is told with the time
    /// itself stays; what is no offset, or beyond ±14:00, changes nothing.
    #[must_use]
    pub fn with_offset_text(self, text: &[u8]) -> Self {
        if self.base == Base::Utc || self.precision == Precision::Day || self.offset.is_some() {
            return self;
        }
        Self { offset: spelling::offset(text), ..self }
    }

    /// Seconds since 1970-01-01 UTC, where wall clock and offset, or UTC, tell it; of a bare wall clock, as if it were
    /// UTC.
    fn unix(&self) -> i64 {
        self.time.and_utc().timestamp() - i64::from(self.offset.unwrap_or(0))
    }

    /// This date, unless it cannot be true: before the year `first`, more than 48 hours after `now` (seconds since
    /// 1970-01-01 UTC), or the zero of a clock that was never set. A day without a time counts from its midnight.
    pub(crate) fn valid(self, first: i32, now: i64) -> Option<Self> {
        let believable = self.time.year() >= first && self.unix() <= now.saturating_add(48 * 3600);
        (believable && !is_zero_of_a_clock(self.time)).then_some(self)
    }
}

/// Midnights that clocks start from: those of Apple's old and new epoch, of Unix, of DOS, and of many cameras.
fn is_zero_of_a_clock(time: NaiveDateTime) -> bool {
    let midnight = time.time().num_seconds_from_midnight() == 0;
    midnight && time.ordinal() == 1 && matches!(time.year(), 1904 | 1970 | 1980 | 2000 | 2001)
}

/// Seconds since 1970-01-01 UTC, taken once, so that one run judges all dates alike.
pub(crate) fn now() -> i64 {
    static NOW: OnceLock<i64> = OnceLock::new();
    *NOW.get_or_init(|| Utc::now().timestamp())
}

/// Reads a date of EXIF, XMP, IPTC or PNG: a wall clock from 1826 on, with or without a time and an offset.
///
/// The year comes first and has four digits: `2019:01:02 03:04:05`, `2019-01-02T03:04`, `20190102T030405`; separators
/// are `: - / .`, between date and time also `T`; then may come a fraction, AM or PM, `Z`, `±HH[:]MM`, `DST`. Or the
/// month is an English word, as in RFC 5322 (`Mon, 9 Aug 2004 21:17:36 -0000`) and C's `ctime` (`Mon Aug  9 21:17:36
/// 2004`). Blanks and NULs around and between are skipped.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Moment> {
    spelling::date(text)?.valid(FIRST_PICTURE, now())
}

/// Reads a date of a video's container: as [`parse`], from 1970 on.
#[must_use]
pub fn parse_container(text: &[u8]) -> Option<Moment> {
    spelling::date(text)?.valid(FIRST_CONTAINER, now())
}

/// An offset from UTC in seconds, if there can be such a place.
pub(crate) fn believed(offset: i32) -> Option<i32> {
    (offset.unsigned_abs() <= FURTHEST_OFFSET).then_some(offset)
}

/// Reads an offset from UTC that stands alone, in seconds: `+02:00`, `+0200` or `Z`.
pub(crate) fn offset(text: &[u8]) -> Option<i32> {
    spelling::offset(text)
}

/// Seconds since 1970-01-01 UTC and nanoseconds after them; `None` for nanoseconds means that the source has none.
#[must_use]
pub fn from_unix(seconds: i64, nanoseconds: Option<u32>) -> Option<Moment> {
    from_unix_since(seconds, nanoseconds, FIRST_CONTAINER)
}

/// As [`from_unix`], in or after the year `first`.
pub(crate) fn from_unix_since(seconds: i64, nanoseconds: Option<u32>, first: i32) -> Option<Moment> {
    let time = DateTime::from_timestamp(seconds, nanoseconds.unwrap_or(0))?.naive_utc();
    let fraction = nanoseconds.is_some();
    Moment { time, base: Base::Utc, offset: None, precision: Precision::Second, fraction }.valid(first, now())
}

/// Seconds since 1904-01-01 UTC, as in `mvhd` and `mdhd`. What would be before 1970 counts from 1970, as some writers
/// do; 0 is no date.
#[must_use]
pub fn from_1904(seconds: u64) -> Option<Moment> {
    let seconds = if seconds < UNIX_SINCE_1904 { seconds } else { seconds - UNIX_SINCE_1904 };
    from_unix(i64::try_from(seconds).ok()?, None)
}

/// Nanoseconds since 2001-01-01 UTC, as Matroska's `DateUTC` counts (RFC 9559 § 5.1.2.11).
#[must_use]
pub fn from_2001_nanoseconds(nanoseconds: i64) -> Option<Moment> {
    let start = NaiveDate::from_ymd_opt(2001, 1, 1)?.and_time(NaiveTime::MIN);
    let time = start.checked_add_signed(TimeDelta::nanoseconds(nanoseconds))?.and_utc();
    let fraction = time.timestamp_subsec_nanos();
    from_unix(time.timestamp(), (fraction > 0).then_some(fraction))
}
