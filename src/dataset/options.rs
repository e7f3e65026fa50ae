//! What is asked for, and whether it can be had.

use std::ffi::OsStr;
use std::str::FromStr;

use chrono::NaiveDate;

use super::kind::Kind;
use crate::cli::{self, Failure};

/// What the tree shall hold.
#[derive(Debug, Clone)]
pub struct Options {
    /// From which everything random is drawn.
    pub seed: u64,
    /// How many files, duplicates included.
    pub files: u64,
    /// The sizes of all files together, in bytes; as it comes, if not given.
    pub total: Option<u64>,
    /// The size of the smallest file, in bytes.
    pub min_size: Option<u64>,
    /// The size of the largest file, in bytes.
    pub max_size: Option<u64>,
    /// Of a hundred files, how many are copies of others.
    pub dup_share: u64,
    /// The first day on which a file may have been made.
    pub from: NaiveDate,
    /// The last such day.
    pub until: NaiveDate,
    /// How many directories lie between the root and a file.
    pub depth: usize,
    /// Which kinds of files.
    pub kinds: Vec<Kind>,
    /// All files have one of so many sizes, and those of one size are alike at their start and end.
    pub alike: Option<u64>,
    /// Some names are such that careless programs fail at them.
    pub hostile: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            files: 200,
            total: None,
            min_size: None,
            max_size: None,
            dup_share: 25,
            from: day(2005, 1, 1),
            until: day(2024, 12, 31),
            depth: 3,
            kinds: Kind::ALL.to_vec(),
            alike: None,
            hostile: false,
        }
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

/// The sizes that the files may have, in bytes: the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) min: u64,
    pub(super) max: u64,
}

/// Where nothing is said of sizes.
const USUAL: Range = Range { min: 20_000, max: 400_000 };

/// The least size of files that are alike but not equal.
const LEAST_ALIKE: u64 = 64;

/// A path can be 4,096 bytes long (linux/limits.h).
const DEEPEST: usize = 100;

impl Options {
    /// How many of the files are copies of others; one is always left to be copied.
    pub(super) fn duplicates(&self) -> u64 {
        let copies = u128::from(self.files) * u128::from(self.dup_share) / 100;
        u64::try_from(copies).unwrap_or(0).min(self.files.saturating_sub(1))
    }

    /// Checks that what is asked for can be had, and fills in the sizes that were left open.
    pub(super) fn range(&self) -> Result<Range, Failure> {
        self.check_dates_and_depth()?;
        let range = self.open_ends();
        if range.min > range.max {
            return refuse(format!("--min-size: {} bytes is more than --max-size, {}", range.min, range.max));
        }
        self.check_kinds(range)?;
        self.check_alike(range)?;
        self.check_total(range)?;
        Ok(range)
    }

    fn open_ends(&self) -> Range {
        let mean = self.total.map_or(u64::MAX, |total| total / self.files.max(1));
        let ceiling = mean.min(self.max_size.unwrap_or(u64::MAX));
        let min = self.min_size.unwrap_or(if USUAL.min <= ceiling { USUAL.min } else { 1 });
        let max = self.max_size.unwrap_or_else(|| {
            // As far above the mean as the smallest file is below it.
            let wanted = if mean == u64::MAX { USUAL.max } else { mean.saturating_mul(2).saturating_sub(min) };
            wanted.max(min).max(if mean == u64::MAX { min.saturating_mul(2) } else { min })
        });
        Range { min, max }
    }

    fn check_dates_and_depth(&self) -> Result<(), Failure> {
        if self.from > self.until {
            return refuse(format!("--from: {} is after --until, {}", self.from, self.until));
        }
        if self.depth > DEEPEST {
            return refuse(format!("--depth: {} is more than {DEEPEST}", self.depth));
        }
        Ok(())
    }

    fn check_kinds(&self, range: Range) -> Result<(), Failure> {
        match self.kinds.iter().min_by_key(|kind| kind.smallest()) {
            Some(kind) if kind.smallest() > range.min => refuse(format!(
                "--min-size: {} bytes cannot hold any of --kinds: a {} needs {}; add txt, or raise --min-size",
                range.min,
                kind.word(),
                kind.smallest()
            )),
            Some(_) => Ok(()),
            None => refuse("--kinds: none is given".to_owned()),
        }
    }

    fn check_alike(&self, range: Range) -> Result<(), Failure> {
        let Some(sizes) = self.alike else { return Ok(()) };
        if self.total.is_some() {
            return refuse("--alike: cannot be had with --total; give --min-size and --max-size".to_owned());
        }
        if range.min < LEAST_ALIKE {
            return refuse(format!("--alike: needs files of {LEAST_ALIKE} bytes or more; raise --min-size"));
        }
        if sizes - 1 > range.max - range.min {
            return refuse(format!("--alike: there are no {sizes} sizes from {} to {} bytes", range.min, range.max));
        }
        Ok(())
    }

    fn check_total(&self, range: Range) -> Result<(), Failure> {
        let Some(total) = self.total else { return Ok(()) };
        let (least, most) = (times(self.files, range.min), times(self.files, range.max));
        if u128::from(total) < least {
            return refuse(format!(
                "--total: {total} bytes is less than the {least} of {} files of {} bytes; lower --min-size or --files",
                self.files, range.min
            ));
        }
        if u128::from(total) > most {
            return refuse(format!(
                "--total: {total} bytes is more than the {most} of {} files of {} bytes; raise --max-size or --files",
                self.files, range.max
            ));
        }
        Ok(())
    }
}

fn times(count: u64, size: u64) -> u128 {
    u128::from(count) * u128::from(size)
}

fn refuse<T>(text: String) -> Result<T, Failure> {
    Err(Failure::Usage(text))
}

/// Reads a day such as 2019-07-04.
///
/// # Errors
/// [`Failure::Usage`] for anything else, and for a day outside of what the clock of a movie can tell: seconds
/// since 1904 in 32 bits (ISO/IEC 14496-12, 8.2.2).
pub fn date(option: &str, value: &OsStr) -> Result<NaiveDate, Failure> {
    let text = value.to_str().unwrap_or_default();
    let date = if text.len() == 10 { NaiveDate::from_str(text).ok() } else { None };
    date.filter(|date| (day(1904, 1, 2)..=day(2039, 12, 31)).contains(date))
        .ok_or_else(|| cli::unsuitable(option, value, "is not a day such as 2019-07-04, from 1904-01-02 to 2039-12-31"))
}

/// Reads a whole number from `least` to `most`.
///
/// # Errors
/// [`Failure::Usage`] that says what would do.
pub fn number(option: &str, value: &OsStr, least: u64, most: u64) -> Result<u64, Failure> {
    let number = value.to_str().and_then(|text| crate::record::decimal(text.as_bytes()));
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        let problem = match most {
            u64::MAX => format!("is not a whole number of {least} or more"),
            _ => format!("is not a whole number from {least} to {most}"),
        };
        cli::unsuitable(option, value, &problem)
    })
}

/// Reads a size that is not 0: no empty file is ever made.
///
/// # Errors
/// [`Failure::Usage`] that says what would do.
pub fn size(option: &str, value: &OsStr) -> Result<u64, Failure> {
    match cli::size(option, value)? {
        0 => Err(cli::unsuitable(option, value, "is not a size of 1 byte or more")),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(change: impl FnOnce(&mut Options)) -> Result<(u64, u64), String> {
        let mut options = Options::default();
        change(&mut options);
        match options.range() {
            Ok(range) => Ok((range.min, range.max)),
            Err(Failure::Usage(text)) => Err(text),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn sizes_that_are_not_given_follow_from_those_that_are() {
        assert_eq!(range(|_| ()), Ok((20_000, 400_000)));
        assert_eq!(range(|options| options.max_size = Some(99)), Ok((1, 99)));
        assert_eq!(range(|options| options.min_size = Some(1_000_000)), Ok((1_000_000, 2_000_000)));
        assert_eq!(range(|options| options.total = Some(200 * 622_000)), Ok((20_000, 1_224_000)));
        assert_eq!(range(|options| options.total = Some(200)), Ok((1, 1)));
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let text = range(|options| {
            options.total = Some(1_000_000);
            options.min_size = Some(20_000);
        });
        let expected = "--total: 1000000 bytes is less than the 4000000 of 200 files of 20000 bytes; \
                        lower --min-size or --files";
        assert_eq!(text, Err(expected.to_owned()));
        let text = range(|options| {
            options.kinds = vec![Kind::Jpg];
            options.min_size = Some(20);
        });
        let expected =
            "--min-size: 20 bytes cannot hold any of --kinds: a jpg needs 2000; add txt, or raise --min-size";
        assert_eq!(text, Err(expected.to_owned()));
        assert!(range(|options| options.min_size = Some(500_000)).is_ok());
        assert!(range(|options| (options.min_size, options.max_size) = (Some(9), Some(8))).is_err());
        assert!(range(|options| options.from = day(2030, 1, 1)).is_err());
        assert!(range(|options| (options.alike, options.total) = (Some(1), Some(9_000_000))).is_err());
    }

    #[test]
    fn days_and_numbers_are_read_strictly() {
        let read = |text: &str| date("--from", OsStr::new(text)).ok();
        assert_eq!(read("2019-07-04"), Some(day(2019, 7, 4)));
        for text in ["2019-7-4", "2019-02-30", "1903-12-31", "2040-01-01", "today", ""] {
            assert_eq!(read(text), None, "{text}");
        }
        let Err(Failure::Usage(text)) = number("--dup-share", OsStr::new("100"), 0, 99) else { panic!("refused") };
        assert_eq!(text, "--dup-share: \"100\" is not a whole number from 0 to 99");
    }
}
