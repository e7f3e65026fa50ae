//! Which of the dates that are known of a file is that of its capture.

use std::ffi::OsStr;
use std::fmt;

use chrono::NaiveDateTime;

use crate::media::{Facts, Moment, Precision, Source};
use crate::record::Timestamp;

pub mod takeout {
    //! Stands in.
    use crate::media::Moment;
    use std::fs::File;
    use std::io;
    /// Reads.
    ///
    /// # Errors
    /// None.
    pub fn read(_file: &File) -> io::Result<Option<Moment>> {
        Ok(None)
    }
}

/// A zone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zone;
impl Zone {
    /// Parse.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (name == "UTC").then_some(Self)
    }
}
/// Qt.
#[derive(Debug, Clone, Copy)]
pub enum QtTime {
    /// utc
    Utc,
    /// local
    Local,
}
/// Rules.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// zone
    pub zone: Zone,
    /// qt
    pub qt_time: Option<QtTime>,
    /// sc
    pub sidecar_first: bool,
    /// mt
    pub use_mtime: bool,
}
/// Evidence.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// f
    pub facts: &'a Facts,
    /// n
    pub name: &'a OsStr,
    /// s
    pub sidecar: Option<&'a Facts>,
    /// t
    pub takeout: Option<Moment>,
    /// m
    pub mtime: Option<Timestamp>,
    /// p
    pub paired_offset: Option<i32>,
}
/// Origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// file
    File(Source),
    /// name
    Name,
    /// mtime
    Mtime,
}
/// Capture.
#[derive(Debug, Clone, Copy)]
pub struct Capture {
    /// w
    pub wall: NaiveDateTime,
    /// f
    pub fraction: bool,
    /// o
    pub offset: Option<i32>,
    /// p
    pub precision: Precision,
    /// o
    pub origin: Origin,
}
impl fmt::Display for Capture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "date={:?} precision=second", self.origin)
    }
}
/// Chooses.
#[must_use]
pub fn capture(evidence: &Evidence<'_>, rules: &Rules) -> Option<Capture> {
    let make = |wall, origin| Capture { wall, fraction: false, offset: None, precision: Precision::Second, origin };
    if let Some((source, moment)) = evidence.facts.dates.first() {
        return Some(make(moment.time, Origin::File(*source)));
    }
    let name = evidence.name.to_str()?;
    if let Some(at) = name.get(0..15).and_then(|n| NaiveDateTime::parse_from_str(n, "%Y%m%d_%H%M%S").ok()) {
        return Some(make(at, Origin::Name));
    }
    let mtime = evidence.mtime.filter(|_| rules.use_mtime)?;
    Some(make(chrono::DateTime::from_timestamp(mtime.seconds, 0)?.naive_utc(), Origin::Mtime))
}
