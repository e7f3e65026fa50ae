//! From UTC to the clock on the wall.
//!
//! Nothing here goes the other way: a wall clock is never turned into UTC, so the hour that a zone skips in spring and
//! the one that it has twice in autumn need no decision. Each moment in UTC has exactly one wall clock.

use chrono::{DateTime, Local, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::record::Timestamp;

/// The zone in which a time in UTC is told, where nothing else says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// The system's: the environment's `TZ`, else `/etc/localtime`.
    #[default]
    System,
    /// One of the IANA time zone database, which stays for as long as the process.
    Named(&'static TimeZone),
}

impl Zone {
    /// Finds an IANA name, such as `Europe/Berlin` or `UTC`, in the database that is part of the program.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        Some(Self::Named(Box::leak(Box::new(zone))))
    }

    /// Seconds by which the wall clock of the zone is ahead of UTC at `utc`. Zones of old had odd seconds.
    fn offset(self, utc: &NaiveDateTime) -> Option<i32> {
        Some(match self {
            Self::System => Local.offset_from_utc_datetime(utc).fix().local_minus_utc(),
            Self::Named(zone) => {
                zone.to_offset(jiff::Timestamp::from_second(utc.and_utc().timestamp()).ok()?).seconds()
            }
        })
    }

    /// The wall clock at `utc`, and its offset in seconds; `None` where the calendar ends.
    #[must_use]
    pub fn wall(self, utc: NaiveDateTime) -> Option<(NaiveDateTime, i32)> {
        let offset = self.offset(&utc)?;
        Some((ahead(utc, offset)?, offset))
    }

    /// The wall clock at a file's time, and its offset in seconds.
    #[must_use]
    pub fn wall_at(self, time: Timestamp) -> Option<(NaiveDateTime, i32)> {
        self.wall(DateTime::from_timestamp(time.seconds, time.nanoseconds)?.naive_utc())
    }
}

/// The wall clock that is `offset` seconds ahead of `utc`.
pub(super) fn ahead(utc: NaiveDateTime, offset: i32) -> Option<NaiveDateTime> {
    utc.checked_add_signed(TimeDelta::seconds(offset.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(zone: &str, utc: &str) -> String {
        let utc = utc.parse().expect("a date");
        let (wall, offset) = Zone::parse(zone).expect("a zone").wall(utc).expect("a wall clock");
        format!("{wall} {}", offset / 60)
    }

    #[test]
    fn a_zone_is_an_iana_name() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Kathmandu"] {
            assert!(Zone::parse(name).is_some(), "{name}");
        }
        for name in ["", "Berlin", "Europe/Nowhere", "+02:00", "CEST", "../etc/localtime"] {
            assert_eq!(Zone::parse(name), None, "{name}");
        }
    }

    #[test]
    fn summer_and_winter_have_their_own_offsets() {
        assert_eq!(wall("Europe/Berlin", "2019-01-02T03:04:05"), "2019-01-02 04:04:05 60");
        assert_eq!(wall("Europe/Berlin", "2019-07-02T03:04:05"), "2019-07-02 05:04:05 120");
        assert_eq!(wall("Asia/Kathmandu", "2019-07-02T20:00:00"), "2019-07-03 01:45:00 345");
        assert_eq!(wall("America/St_Johns", "2019-01-02T03:04:05"), "2019-01-01 23:34:05 -210");
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_apart_by_its_offset() {
        assert_eq!(wall("Europe/Berlin", "2019-10-27T00:30:00"), "2019-10-27 02:30:00 120");
        assert_eq!(wall("Europe/Berlin", "2019-10-27T01:30:00"), "2019-10-27 02:30:00 60");
    }

    #[test]
    fn the_hour_that_is_skipped_is_never_told() {
        assert_eq!(wall("Europe/Berlin", "2019-03-31T00:59:59"), "2019-03-31 01:59:59 60");
        assert_eq!(wall("Europe/Berlin", "2019-03-31T01:00:00"), "2019-03-31 03:00:00 120");
    }

    #[test]
    fn times_that_no_calendar_has_are_none() {
        for seconds in [i64::MIN, i64::MAX] {
            assert_eq!(Zone::System.wall_at(Timestamp { seconds, nanoseconds: 0 }), None);
        }
        let utc = Zone::parse("UTC").expect("a zone");
        let (wall, offset) = utc.wall_at(Timestamp { seconds: -1, nanoseconds: 500_000_000 }).expect("a time");
        assert_eq!((wall.to_string().as_str(), offset), ("1969-12-31 23:59:59.500", 0));
    }
}
