//! The date by which an archive is filled: what the folders of a path tell, and where they tell none, when the file was
//! modified.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate};

use crate::record::Timestamp;

/// A day, a month or a year. Ordered by time; what is not known comes before all that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i16,
    /// 1 to 12; 0 where only the year is known.
    month: u8,
    /// 1 to 31; 0 where only the month is known.
    day: u8,
}

/// The years that a folder's name can tell: from the oldest photograph that is left (Niépce's, of 1826 or 1827) on.
const YEARS: std::ops::RangeInclusive<i16> = 1826..=2199;

impl Date {
    /// Comes after every date: of what has none.
    pub const NONE: Self = Self { year: i16::MAX, month: u8::MAX, day: u8::MAX };

    /// The date that directories tell, given as a path without the file's own name: a year, directly below it a month, directly
    /// below that a day (`2012/03/05`), or a folder that tells more (`2012-03-05`, `2012_03`, `20120305`), each with any text
    /// behind it that does not begin with a digit. A year stands alone.
    #[must_use]
    pub fn of_dirs(dirs: &[u8]) -> Option<Self> {
        let mut date: Option<Self> = None;
        // How many folders after the one that told the last part the next part must come.
        let mut is_next = false;
        for name in dirs.split(|byte| *byte == b'/') {
            let found = match date {
                Some(Self { day: 1.., .. }) => break,
                Some(known) if is_next => known.narrowed(name),
                Some(_) => None,
                None => Self::of_name(name),
            };
            // A folder between the year and its months, such as a camera's name, may be followed by a whole date.
            let found = found.or_else(|| {
                Self::of_name(name).filter(|whole| whole.month > 0 && date.is_none_or(|date| date.holds(*whole)))
            });
            is_next = found.is_some();
            date = found.or(date);
        }
        date
    }

    /// The date that one name tells: `2012`, `2012-03`, `2012-03-05` or `20120305`.
    #[must_use]
    pub fn of_name(name: &[u8]) -> Option<Self> {
        let (year, rest) = digits::<4>(name)?;
        let year = i16::try_from(year).ok().filter(|year| YEARS.contains(year))?;
        let year_only = Self { year, month: 0, day: 0 };
        if rest.is_empty() {
            return Some(year_only);
        }
        if let Some((month, rest)) = digits::<2>(rest) {
            let (day, rest) = digits::<2>(rest)?;
            return year_only.with_month(month)?.with_day(day).filter(|_| !begins_with_digit(rest));
        }
        let (month, rest) = digits::<2>(after_separator(rest)?)?;
        let month = year_only.with_month(month)?;
        match after_separator(rest).and_then(digits::<2>) {
            Some((day, rest)) if !begins_with_digit(rest) => month.with_day(day).or(Some(month)),
            _ if begins_with_digit(rest) => None,
            _ => Some(month),
        }
    }

    /// With what the name of a folder directly below tells: the month of a year, with its day or without, or the day of a month.
    fn narrowed(self, name: &[u8]) -> Option<Self> {
        let (number, rest) = digits::<2>(name)?;
        if begins_with_digit(rest) {
            return None;
        }
        if self.month > 0 {
            return self.with_day(number);
        }
        let month = self.with_month(number)?;
        let day = after_separator(rest).and_then(digits::<2>).filter(|(_, rest)| !begins_with_digit(rest));
        Some(day.and_then(|(day, _)| month.with_day(day)).unwrap_or(month))
    }

    fn with_month(self, month: u32) -> Option<Self> {
        let month = u8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
        Some(Self { month, ..self })
    }

    fn with_day(self, day: u32) -> Option<Self> {
        Self::of_day(NaiveDate::from_ymd_opt(self.year.into(), self.month.into(), day)?)
    }

    /// Whether `other` may be a part of this.
    fn holds(self, other: Self) -> bool {
        self.year == other.year
            && (self.month == 0 || self.month == other.month)
            && (self.day == 0 || self.day == other.day)
    }

    /// With what is missing taken from the file's own name, where that begins with a date (`20120305_…`, `IMG-20120305…`,
    /// `2012-03-05…`), or else from its last modification in UTC, where that agrees.
    #[must_use]
    pub fn refined(self, name: &[u8], modified: Option<Self>) -> Self {
        if self.day > 0 {
            return self;
        }
        let of_file = Self::of_file_name(name).filter(|date| self.holds(*date));
        of_file.or_else(|| modified.filter(|date| self.holds(*date))).unwrap_or(self)
    }

    /// The date of a file: what its path below a volume tells, else the day of its last modification in UTC; [`Date::NONE`]
    /// where there is neither.
    #[must_use]
    pub fn of_file(path: &[u8], mtime: Option<Timestamp>) -> Self {
        let (dirs, name) = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .map_or((&[][..], path), |slash| (&path[..slash], &path[slash + 1..]));
        let modified = mtime.and_then(Self::of_time);
        match Self::of_dirs(dirs) {
            Some(told) => told.refined(name, modified),
            None => modified.unwrap_or(Self::NONE),
        }
    }

    fn of_file_name(name: &[u8]) -> Option<Self> {
        let letters = name.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let rest = &name[letters..];
        let rest = rest.strip_prefix(b"_").or_else(|| rest.strip_prefix(b"-")).unwrap_or(rest);
        // What follows the date may be a time without a gap.
        let end = if rest.get(4).is_some_and(u8::is_ascii_digit) { 8 } else { 10 };
        Self::of_name(rest.get(..end)?).filter(|date| date.day > 0)
    }

    /// The day of a moment, in UTC; `None` far outside of history.
    #[must_use]
    pub fn of_time(time: Timestamp) -> Option<Self> {
        Self::of_day(DateTime::from_timestamp(time.seconds, 0)?.date_naive())
    }

    /// Year and month, which is 0 where only the year is known; `None` for [`Date::NONE`].
    #[must_use]
    pub fn year_and_month(self) -> Option<(i16, u8)> {
        (self != Self::NONE).then_some((self.year, self.month))
    }

    fn of_day(date: NaiveDate) -> Option<Self> {
        let year = i16::try_from(date.year()).ok().filter(|year| *year < i16::MAX)?;
        let small = |number: u32| u8::try_from(number).ok();
        Some(Self { year, month: small(date.month())?, day: small(date.day())? })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return out.write_str("-");
        }
        write!(out, "{:04}", self.year)?;
        if self.month > 0 {
            write!(out, "-{:02}", self.month)?;
        }
        if self.day > 0 {
            write!(out, "-{:02}", self.day)?;
        }
        Ok(())
    }
}

/// The number that the first `N` bytes write, and what follows.
fn digits<const N: usize>(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(N)?;
    let number = crate::record::decimal(digits)?;
    Some((u32::try_from(number).ok()?, rest))
}

fn begins_with_digit(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
}

fn after_separator(text: &[u8]) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| matches!(first, b'-' | b'_' | b'.')).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_dirs(dirs: &str) -> Option<String> {
        Date::of_dirs(dirs.as_bytes()).map(|date| date.to_string())
    }

    #[test]
    fn folders_tell_a_date() {
        for (dirs, date) in [
            ("2012/03/05", "2012-03-05"),
            ("2012/03", "2012-03"),
            ("2012", "2012"),
            ("family/2012/03 March/05 birthday", "2012-03-05"),
            ("2012/03-05 Rome", "2012-03-05"),
            ("2012-03-05 Rome/raw", "2012-03-05"),
            ("2012_03/05", "2012-03-05"),
            ("20120305", "2012-03-05"),
            ("2012/2012-03-05", "2012-03-05"),
            ("2012/Canon/2012.03.05", "2012-03-05"),
            ("2012/Canon/03", "2012"),
            ("2012/03/Canon/05", "2012-03"),
            ("2012/13", "2012"),
            ("2012/02/31", "2012-02"),
            ("2012-02-31", "2012-02"),
            ("2012/2011-03-05", "2012"),
            ("2012/03/05/2013/01/01", "2012-03-05"),
        ] {
            assert_eq!(of_dirs(dirs).as_deref(), Some(date), "{dirs}");
        }
        for dirs in ["", "photos", "0012", "1825", "2200", "20123", "2012x", "201203", "2012-3-5", "2012-133", "x2012"]
        {
            assert_eq!(of_dirs(dirs), None, "{dirs}");
        }
    }

    #[test]
    fn what_folders_leave_open_comes_from_the_name_or_the_time() {
        let refine = |dirs: &str, name: &str, seconds: Option<i64>| {
            let mtime = seconds.map(|seconds| Timestamp { seconds, nanoseconds: 0 });
            Date::of_file(format!("{dirs}/{name}").as_bytes(), mtime).to_string()
        };
        let march_7 = Some(1_331_078_400);
        for (dirs, name, mtime, date) in [
            ("2012/03", "20120305_120000_c0ffee.jpg", march_7, "2012-03-05"),
            ("2012/03", "IMG_20120305120000.jpg", None, "2012-03-05"),
            ("2012", "PXL-2012-03-05.jpg", None, "2012-03-05"),
            ("2012/03", "20120405.jpg", march_7, "2012-03-07"),
            ("2012/03", "IMG_1.jpg", march_7, "2012-03-07"),
            ("2012/04", "IMG_1.jpg", march_7, "2012-04"),
            ("2012", "x.jpg", None, "2012"),
            ("2012/03/05", "20120306.jpg", march_7, "2012-03-05"),
            ("Rome", "20120306.jpg", march_7, "2012-03-07"),
            ("Rome", "20120306.jpg", None, "-"),
        ] {
            assert_eq!(refine(dirs, name, mtime), date, "{dirs}/{name}");
        }
    }

    #[test]
    fn dates_are_ordered_by_time_and_the_vague_come_first() {
        let dates = ["2011/12/31", "2012", "2012/01", "2012/01/01", "2012/01/02", "2012/02"];
        let dates: Vec<_> = dates.iter().map(|dirs| Date::of_dirs(dirs.as_bytes())).collect();
        assert!(dates.is_sorted() && dates.iter().all(Option::is_some));
        let far = Timestamp { seconds: i64::MAX, nanoseconds: 0 };
        assert_eq!(Date::of_time(far), None);
        let millennia = Timestamp { seconds: 1 << 40, nanoseconds: 0 };
        assert!(Date::of_time(millennia).is_none_or(|date| date < Date::NONE));
        assert_eq!(Date::NONE.to_string(), "-");
        let before = Timestamp { seconds: -1, nanoseconds: 0 };
        assert_eq!(Date::of_time(before).map(|date| date.to_string()).as_deref(), Some("1969-12-31"));
    }
}
