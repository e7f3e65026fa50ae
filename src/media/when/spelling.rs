//! How dates are spelled.

use chrono::{NaiveDate, NaiveTime};

use super::{Base, Moment, Precision, believed};

/// No field of a file needs a longer date.
const LONGEST: usize = 64;

/// Without blanks and NULs around.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// The part of a second that `digits` tell, in nanoseconds; digits after the ninth are dropped.
pub(super) fn nanoseconds(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    padded
        .map(|digit| digit.checked_sub(b'0').filter(|value| *value < 10))
        .try_fold(0, |sum, digit| Some(sum * 10 + u32::from(digit?)))
}

/// An offset and nothing else, in seconds.
pub(super) fn offset(text: &[u8]) -> Option<i32> {
    let mut rest = Rest(trimmed(text));
    let offset = rest.offset()?;
    believed(offset).filter(|_| rest.0.is_empty())
}

/// A date, believable or not.
pub(super) fn date(text: &[u8]) -> Option<Moment> {
    let text = trimmed(text);
    let text = trimmed(text.get(..LONGEST).unwrap_or(text));
    let mut rest = Rest(text);
    if text.first()?.is_ascii_digit() {
        numeric(&mut rest).or_else(|| wordy(&mut Rest(text)))
    } else {
        wordy(&mut rest)
    }
}

/// What is read of a clock: with seconds, their parts, and how exact it is.
struct Clock {
    time: NaiveTime,
    precision: Precision,
    fraction: bool,
}

impl Clock {
    const NONE: Self = Self { time: NaiveTime::MIN, precision: Precision::Day, fraction: false };
}

fn moment(date: NaiveDate, clock: &Clock, offset: Option<i32>) -> Moment {
    let offset = offset.filter(|_| clock.precision != Precision::Day).and_then(believed);
    let time = date.and_time(clock.time);
    Moment { time, base: Base::Wall, offset, precision: clock.precision, fraction: clock.fraction }
}

/// The year first, all in digits.
fn numeric(rest: &mut Rest) -> Option<Moment> {
    let date = match rest.digit_run() {
        8 | 14 => rest.fixed_date()?,
        4 => rest.separated_date()?,
        _ => return None,
    };
    let compact = rest.0.first().is_some_and(u8::is_ascii_digit);
    if compact || rest.between_date_and_time() {
        let clock = rest.clock()?;
        // What follows a whole date does not make it another.
        let offset = match rest.ending() {
            Ok(offset) => offset,
            Err(NoDate { offset }) if clock.precision == Precision::Second => offset,
            Err(NoDate { .. }) => return None,
        };
        return Some(moment(date, &clock, offset));
    }
    // A time that is not known is left blank (EXIF 2.32 § 4.6.5): `2019:01:02   :  :  `. And a day may name its zone, as
    // XML's does: `2019-01-02+02:00`.
    let blank = rest.0.iter().all(|byte| matches!(byte, 0 | b' ' | b':'));
    if !blank {
        rest.ending().ok()?;
    }
    Some(moment(date, &Clock::NONE, None))
}

/// The month as a word: RFC 5322 § 3.3, or what C's `ctime` writes.
fn wordy(rest: &mut Rest) -> Option<Moment> {
    if rest.word().is_some_and(|word| month(word).is_none()) {
        weekday(rest.take_word()?)?;
        rest.skip_any(b", .");
    }
    let (month, day, mut year) = if rest.word().is_some() {
        let month = month(rest.take_word()?)?;
        rest.skip_any(b" .");
        (month, rest.number(1, 2)?, None)
    } else {
        let day = rest.number(1, 2)?;
        rest.skip_any(b" -.");
        let month = month(rest.take_word()?)?;
        rest.skip_any(b" -.,");
        (month, day, Some(rest.number(4, 4)?))
    };
    rest.skip_any(b" ,");
    if year.is_none() && rest.digit_run() == 4 {
        year = rest.number(4, 4);
        rest.skip_any(b" ,");
    }
    if rest.0.is_empty() {
        return Some(moment(NaiveDate::from_ymd_opt(year?.cast_signed(), month, day)?, &Clock::NONE, None));
    }
    let clock = rest.clock()?;
    rest.skip_blanks();
    let mut zone = None;
    if year.is_none() {
        // `date` of many systems puts the zone before the year: `Mon Aug  9 21:17:36 CEST 2004`.
        zone = rest.zone_word();
        rest.take_word();
        rest.skip_blanks();
        year = rest.number(4, 4);
    }
    let offset = rest.ending().ok()?.or(zone);
    Some(moment(NaiveDate::from_ymd_opt(year?.cast_signed(), month, day)?, &clock, offset))
}

fn weekday(word: &[u8]) -> Option<()> {
    const DAYS: [&[u8]; 7] = [b"sunday", b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday"];
    abbreviates(&DAYS, word).map(|_| ())
}

fn month(word: &[u8]) -> Option<u32> {
    const MONTHS: [&[u8]; 12] = [
        b"january",
        b"february",
        b"march",
        b"april",
        b"may",
        b"june",
        b"july",
        b"august",
        b"september",
        b"october",
        b"november",
        b"december",
    ];
    u32::try_from(abbreviates(&MONTHS, word)? + 1).ok()
}

/// Which of `names` the word is, or is the start of: three letters at least.
fn abbreviates(names: &[&[u8]], word: &[u8]) -> Option<usize> {
    let starts = |name: &&[u8]| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if word.len() < 3 { None } else { names.iter().position(starts) }
}

/// What follows is no part of a date; what offset stands before it.
struct NoDate {
    offset: Option<i32>,
}

/// What is not read yet.
struct Rest<'t>(&'t [u8]);

impl<'t> Rest<'t> {
    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    fn skip_any(&mut self, bytes: &[u8]) {
        let count = self.0.iter().take_while(|byte| **byte == 0 || bytes.contains(byte)).count();
        self.skip(count);
    }

    fn skip_blanks(&mut self) {
        self.skip_any(b" \t\r\n");
    }

    /// How many digits stand here.
    fn digit_run(&self) -> usize {
        self.0.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// A number of `least` to `most` digits, with no further digit after it; `None` leaves everything as it is.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.digit_run();
        if count < least || count > most { None } else { self.digits(count) }
    }

    /// A number of exactly `count` digits, whatever follows.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.0.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        self.skip(count);
        digits.iter().try_fold(0_u32, |sum, digit| sum.checked_mul(10)?.checked_add(u32::from(digit - b'0')))
    }

    /// One of `separators`, with blanks around it.
    fn separator(&mut self, separators: &[u8]) -> Option<u8> {
        let blanks = self.0.iter().take_while(|byte| matches!(byte, b' ' | 0)).count();
        let separator = *self.0.get(blanks).filter(|byte| separators.contains(byte))?;
        self.skip(blanks + 1);
        self.skip_any(b" ");
        Some(separator)
    }

    /// `YYYYMMDD`.
    fn fixed_date(&mut self) -> Option<NaiveDate> {
        let (year, month, day) = (self.digits(4)?, self.digits(2)?, self.digits(2)?);
        NaiveDate::from_ymd_opt(year.cast_signed(), month, day)
    }

    /// `YYYY:MM:DD`, leading zeros of month and day left out or blank.
    fn separated_date(&mut self) -> Option<NaiveDate> {
        let year = self.number(4, 4)?;
        self.separator(b":-/.")?;
        let month = self.number(1, 2)?;
        self.separator(b":-/.")?;
        let day = self.number(1, 2)?;
        NaiveDate::from_ymd_opt(year.cast_signed(), month, day)
    }

    /// Skips what separates a date from its time, if a time follows it.
    fn between_date_and_time(&mut self) -> bool {
        let count = match self.0 {
            [b'T' | b't' | b'-' | b':' | b'_', digit, ..] if digit.is_ascii_digit() => 1,
            _ => self.0.iter().take_while(|byte| matches!(byte, 0 | b' ' | b'T' | b't' | b',')).count(),
        };
        let digits = self.0.get(count..).unwrap_or_default();
        // `2019-01-02-05:00` is a day and its zone.
        if count == 0 || !digits.first().is_some_and(u8::is_ascii_digit) || self.is_zone() {
            return false;
        }
        self.0 = digits;
        true
    }

    /// Whether all that is left is a sign, hours and minutes.
    fn is_zone(&self) -> bool {
        matches!(self.0, [b'-', hour, _, b':', minute, _] if hour.is_ascii_digit() && minute.is_ascii_digit())
    }

    /// Hours, minutes, and maybe seconds with a fraction and AM or PM.
    fn clock(&mut self) -> Option<Clock> {
        let (mut hour, minute, second) = match self.digit_run() {
            6 => (self.digits(2)?, self.digits(2)?, Some(self.digits(2)?)),
            4 => (self.digits(2)?, self.digits(2)?, None),
            _ => self.separated_clock()?,
        };
        let nanoseconds = second.and_then(|_| self.fraction());
        if let Some(afternoon) = self.half_of_day() {
            hour = match (hour, afternoon) {
                (12, false) => 0,
                (1..=11, true) => hour + 12,
                // Some cameras write PM behind 24 hours.
                (0..=11, false) | (12..=23, true) => hour,
                _ => return None,
            };
        }
        let time = NaiveTime::from_hms_nano_opt(hour, minute, second.unwrap_or(0), nanoseconds.unwrap_or(0))?;
        let precision = if second.is_some() { Precision::Second } else { Precision::Minute };
        Some(Clock { time, precision, fraction: nanoseconds.is_some() })
    }

    fn separated_clock(&mut self) -> Option<(u32, u32, Option<u32>)> {
        let hour = self.number(1, 2)?;
        let separator = self.separator(b":.-/")?;
        let minute = self.number(1, 2)?;
        // `10:30-05:00` goes on with a zone, `10:30:  ` with blank seconds.
        let next = self.0.first().copied().filter(|byte| *byte == separator && !self.is_zone());
        if next.is_none() {
            return Some((hour, minute, None));
        }
        self.separator(b":.-/")?;
        let second = self.number(1, 2);
        (second.is_some() || self.0.is_empty()).then_some((hour, minute, second))
    }

    /// `.123` or `,123`, in nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let [b'.' | b',', digits @ ..] = self.0 else { return None };
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let nanoseconds = nanoseconds(digits.get(..count)?)?;
        self.skip(count + 1);
        Some(nanoseconds)
    }

    /// Whether PM stands here; `None` where neither AM nor PM does.
    fn half_of_day(&mut self) -> Option<bool> {
        let mut ahead = Rest(self.0);
        ahead.skip_blanks();
        let word = ahead.take_word()?;
        let afternoon = match word.to_ascii_lowercase().as_slice() {
            b"am" => false,
            b"pm" => true,
            _ => return None,
        };
        self.0 = ahead.0;
        Some(afternoon)
    }

    /// What may stand after a date and time: an offset or a zone, `DST`, and nothing else.
    fn ending(&mut self) -> Result<Option<i32>, NoDate> {
        self.skip_blanks();
        let mut offset = None;
        while !self.0.is_empty() {
            offset = match self.offset() {
                Some(told) => offset.or(Some(told)),
                None if self.take_dst() => offset,
                None if self.trailing_zone() => return Ok(offset),
                None => return Err(NoDate { offset }),
            };
            self.skip_blanks();
        }
        Ok(offset)
    }

    fn take_dst(&mut self) -> bool {
        let found = self.word().is_some_and(|word| word.eq_ignore_ascii_case(b"DST"));
        if found {
            self.skip(3);
        }
        found
    }

    /// Whether the rest is the name of a zone that tells no offset, such as `CEST`, bare or in parentheses.
    fn trailing_zone(&self) -> bool {
        let name = self.0.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or(self.0);
        (3..=5).contains(&name.len()) && name.iter().all(u8::is_ascii_alphabetic)
    }

    /// An offset, believable or not: `Z`, `±HH[:]MM`, `±HH`, or a zone of RFC 5322 § 4.3.
    fn offset(&mut self) -> Option<i32> {
        match self.zone_word() {
            Some(0) => {
                self.skip_blanks();
                self.signed_offset().or(Some(0))
            }
            Some(seconds) => Some(seconds),
            None => self.signed_offset(),
        }
    }

    fn signed_offset(&mut self) -> Option<i32> {
        let [sign @ (b'+' | b'-'), digits @ ..] = self.0 else { return None };
        let mut ahead = Rest(digits);
        let (hours, minutes) = match ahead.digit_run() {
            4 => (ahead.digits(2)?, ahead.digits(2)?),
            1 | 2 => {
                let hours = ahead.number(1, 2)?;
                let minutes = if ahead.separator(b":").is_some() { ahead.number(2, 2)? } else { 0 };
                (hours, minutes)
            }
            _ => return None,
        };
        self.0 = ahead.0;
        // No hour has such a minute: an offset that nobody believes.
        let hours = if minutes < 60 { hours } else { 99 };
        let seconds = (hours * 3600 + minutes * 60).cast_signed();
        Some(if *sign == b'-' { -seconds } else { seconds })
    }

    /// Takes the name of a zone whose offset is beyond doubt.
    fn zone_word(&mut self) -> Option<i32> {
        let hours = match self.word()?.to_ascii_uppercase().as_slice() {
            b"Z" | b"UT" | b"UTC" | b"GMT" => 0,
            b"EDT" => -4,
            b"EST" | b"CDT" => -5,
            b"CST" | b"MDT" => -6,
            b"MST" | b"PDT" => -7,
            b"PST" => -8,
            _ => return None,
        };
        self.take_word();
        Some(hours * 3600)
    }

    /// The letters that stand here.
    fn word(&self) -> Option<&'t [u8]> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        self.0.get(..count).filter(|word| !word.is_empty())
    }

    fn take_word(&mut self) -> Option<&'t [u8]> {
        let word = self.word()?;
        self.skip(word.len());
        Some(word)
    }
}
