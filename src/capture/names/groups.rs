//! A name as runs of digits, and what stands between them.

use std::ops::Range;

use chrono::{NaiveDate, NaiveTime};

use crate::media::{Base, Moment, Precision};

/// A time as names tell it, and whether it has milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    time: NaiveTime,
    fraction: bool,
}

/// What stands where a time might.
pub(super) enum Time {
    /// A time, and the run of digits with which it ends.
    Read(Clock, usize),
    /// What has the form of a time, but is none.
    Impossible,
    /// Something else.
    Missing,
}

/// A name and its runs of digits.
pub(super) struct Groups<'n> {
    name: &'n [u8],
    runs: Vec<Range<usize>>,
}

impl<'n> Groups<'n> {
    pub(super) fn of(name: &'n [u8]) -> Self {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (at, _) in name.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
            match runs.last_mut() {
                Some(run) if run.end == at => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        Self { name, runs }
    }

    /// How many runs of digits there are.
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    fn run(&self, index: usize) -> Range<usize> {
        self.runs.get(index).cloned().unwrap_or(self.name.len()..self.name.len())
    }

    /// The run of digits `index`; empty past the last.
    pub(super) fn digits(&self, index: usize) -> &'n [u8] {
        self.name.get(self.run(index)).unwrap_or_default()
    }

    /// All before a run.
    pub(super) fn before(&self, index: usize) -> &'n [u8] {
        self.name.get(..self.run(index).start).unwrap_or_default()
    }

    /// All after a run.
    pub(super) fn after(&self, index: usize) -> &'n [u8] {
        self.name.get(self.run(index).end..).unwrap_or_default()
    }

    /// What stands between a run and the next.
    fn gap(&self, index: usize) -> &'n [u8] {
        self.name.get(self.run(index).end..self.run(index + 1).start).unwrap_or_default()
    }

    /// The letters before a run, with one separator between at most.
    pub(super) fn word_before(&self, index: usize) -> &'n [u8] {
        let before = self.before(index);
        let before =
            before.strip_suffix(b"_").or(before.strip_suffix(b"-")).or(before.strip_suffix(b" ")).unwrap_or(before);
        trailing_letters(before)
    }

    /// The day that starts at a run, and the run with which it ends: `20190102`, or `2019-01-02` with one separator.
    pub(super) fn day(&self, index: usize) -> Option<(NaiveDate, usize)> {
        if self.digits(index).len() == 8 {
            return Some((compact_day(self.digits(index))?, index));
        }
        let [separator @ (b'-' | b'_' | b'.' | b':')] = self.gap(index) else { return None };
        let (year, month, day) = (self.digits(index), self.digits(index + 1), self.digits(index + 2));
        if (year.len(), month.len(), day.len()) != (4, 2, 2) || self.gap(index + 1) != [*separator] {
            return None;
        }
        let day = NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)?;
        Some((day, index + 2))
    }

    /// The day that starts at a run as dashboard cameras write it before a time, `2019_0102_030405`.
    pub(super) fn dashcam_day(&self, index: usize) -> Option<(NaiveDate, usize)> {
        let (year, day) = (self.digits(index), self.digits(index + 1));
        let joined = self.gap(index) == b"_" && self.gap(index + 1) == b"_" && self.digits(index + 2).len() == 6;
        if !joined || (year.len(), day.len()) != (4, 4) {
            return None;
        }
        Some((compact_day(&[year, day].concat())?, index + 1))
    }

    /// The time after a day that ends with the run `last`.
    pub(super) fn time_after(&self, last: usize) -> Time {
        let gap = self.gap(last);
        if !leads_to_a_time(gap) || last + 1 >= self.len() {
            return Time::Missing;
        }
        let (first, spoken) = (last + 1, gap.len() > 3);
        // Eight digits, with hundredths, are what a scanner's program by Epson writes; elsewhere they are a number.
        let scanned = || self.digits(first).len() == 8 && self.word_before(last).eq_ignore_ascii_case(b"IMG");
        if matches!(self.digits(first).len(), 6 | 9) || scanned() {
            return compact_time(self.digits(first)).map_or(Time::Impossible, |clock| Time::Read(clock, first));
        }
        self.separated_time(first, spoken)
    }

    /// `03.04.05`, with one separator, and AM or PM; the hour may have one digit where a word led to it, or where it is
    /// followed by AM or PM. VLC writes `03h04m05s678`.
    fn separated_time(&self, first: usize, spoken: bool) -> Time {
        let (hour, minute, second) = (self.digits(first), self.digits(first + 1), self.digits(first + 2));
        let (hours, minutes) = (self.gap(first), self.gap(first + 1));
        let lettered = hours == b"h" && minutes == b"m";
        let separated = matches!(hours, [b'.' | b'-' | b'_' | b':']) && minutes == hours;
        if !(lettered || separated) || minute.len() != 2 || second.len() != 2 || hour.len() > 2 {
            return Time::Missing;
        }
        let afternoon = half_of_day(self.after(first + 2));
        if hour.len() == 1 && !spoken && afternoon.is_none() {
            return Time::Missing;
        }
        let time = || {
            let hour = match (number(hour)?, afternoon) {
                (hour, None) => hour,
                (hour @ 1..=12, Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
                _ => return None,
            };
            NaiveTime::from_hms_opt(hour, number(minute)?, number(second)?)
        };
        let milliseconds = lettered && self.gap(first + 2) == b"s" && self.digits(first + 3).len() == 3;
        let last = first + if milliseconds { 3 } else { 2 };
        time().map_or(Time::Impossible, |time| Time::Read(Clock { time, fraction: false }, last))
    }

    /// How many digits the counter has that may follow a run; 0 where none does.
    pub(super) fn counter_after(&self, last: usize) -> usize {
        if self.gap(last).len() == 1 { self.digits(last + 1).len() } else { 0 }
    }

    /// Whether a date's runs are no part of a longer word of letters and digits, such as a hash, or of a price.
    pub(super) fn stands_apart(&self, first: usize, last: usize) -> bool {
        let before = self.before(first);
        let letters = trailing_letters(before);
        let earlier = before.get(..before.len() - letters.len()).unwrap_or_default();
        let grown_on = !letters.is_empty() && (is_hex(letters) || earlier.last().is_some_and(u8::is_ascii_digit));
        let priced = matches!(before, [.., b'0'..=b'9', b'.' | b','] | [.., b'+']);
        !grown_on && !priced && self.ends_well(last)
    }

    /// Whether what follows a run of digits directly is no part of the same word; one letter may tell versions apart.
    fn ends_well(&self, last: usize) -> bool {
        let after = self.after(last);
        let count = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (letters, rest) = after.split_at(count);
        let grown_on = count > 0 && rest.first().is_some_and(u8::is_ascii_digit);
        !grown_on && (count < 2 || !is_hex(letters))
    }

    /// Whether no further digits join a day of three groups, as in version numbers and telephone numbers.
    pub(super) fn is_no_part_of_a_number(&self, first: usize, last: usize) -> bool {
        let led = matches!(self.before(first), [.., b'0'..=b'9', b'-' | b'_' | b'.' | b':']);
        let followed = self.gap(last) == b"." && !self.digits(last + 1).is_empty();
        !led && !followed
    }

    /// Whether a time is marked as UTC, as ISO 8601 does.
    pub(super) fn zulu_after(&self, last: usize) -> bool {
        matches!(self.after(last), [b'Z'] | [b'Z', b'.' | b'_' | b'-' | b' ' | b'(', ..])
    }
}

/// Whether a time may follow: a separator or two, or a word between blanks, in whatever language, as in `at` and `um`.
fn leads_to_a_time(gap: &[u8]) -> bool {
    match gap {
        [b'_' | b'-' | b' ' | b'T' | b't' | b'.' | b','] | b", " | b"--" | b"__" | b" - " => true,
        [b' ', word @ .., b' '] => {
            (1..=12).contains(&word.len()) && word.iter().all(|byte| *byte == b'.' || !byte.is_ascii_punctuation())
        }
        _ => false,
    }
}

/// Whether PM follows; `None` where neither AM nor PM does. Some systems put a no-break space before it.
fn half_of_day(after: &[u8]) -> Option<bool> {
    let blanks: [&[u8]; 4] = ["\u{202f}".as_bytes(), "\u{a0}".as_bytes(), b" ", b"_"];
    let word = blanks.iter().find_map(|blank| after.strip_prefix(*blank)).unwrap_or(after);
    let (half, rest) = word.split_at_checked(2)?;
    if rest.first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    match half.to_ascii_uppercase().as_slice() {
        b"AM" => Some(false),
        b"PM" => Some(true),
        _ => None,
    }
}

fn trailing_letters(text: &[u8]) -> &[u8] {
    let count = text.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    text.get(text.len() - count..).unwrap_or_default()
}

fn is_hex(letters: &[u8]) -> bool {
    letters.iter().all(u8::is_ascii_hexdigit)
}

fn number(digits: &[u8]) -> Option<u32> {
    u32::try_from(crate::record::decimal(digits)?).ok()
}

/// `YYYYMMDD`.
pub(super) fn compact_day(digits: &[u8]) -> Option<NaiveDate> {
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)
}

/// `HHMMSS`, and milliseconds if there are three more digits. Two more are hundredths, and dropped.
pub(super) fn compact_time(digits: &[u8]) -> Option<Clock> {
    let (hour, rest) = digits.split_at_checked(2)?;
    let (minute, rest) = rest.split_at_checked(2)?;
    let (second, rest) = rest.split_at_checked(2)?;
    let fraction = rest.len() == 3;
    let milliseconds = if fraction { number(rest)? } else { 0 };
    let time = NaiveTime::from_hms_milli_opt(number(hour)?, number(minute)?, number(second)?, milliseconds)?;
    Some(Clock { time, fraction })
}

/// A day and a time as a wall clock's, not yet known to be believable.
pub(super) fn moment(day: NaiveDate, clock: Clock) -> Moment {
    let time = day.and_time(clock.time);
    Moment { time, base: Base::Wall, offset: None, precision: Precision::Second, fraction: clock.fraction }
}
