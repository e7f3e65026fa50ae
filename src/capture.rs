//! When a photo or a video was taken, of all that is known.
//!
//! [`capture`] weighs the dates that a file tells of itself, its name, its sidecars and its mtime, and gives the clock on
//! the wall at that moment. The first source that has a valid time wins, in the order of [`Origin`]. A time in UTC is
//! brought to the wall clock, [`Hint`] says by what:
//!
//! 1. A local time in the file's name, at most 15 hours from the UTC time, if their difference is within two minutes of a
//!    whole quarter of an hour. Then the name's time is the answer too: a video's header is often dated when the
//!    recording ended. Where the video's length is known, its start may be what fits.
//! 2. The offset that the phone has stored beside.
//! 3. The offset of the still that a Live Photo's video belongs to.
//! 4. The zone of [`Rules`].
//!
//! Two minutes: longer recordings are known by their length, and the wider the margin, the more often two unrelated
//! times would fit by chance: with two minutes it is 4 of 15.

mod names;
mod takeout;
#[cfg(test)]
mod tests;
mod zone;

use std::ffi::OsStr;
use std::fmt;

use chrono::{NaiveDateTime, TimeDelta, Timelike as _};

use crate::media::when::believed;
use crate::media::{Base, Facts, Moment, Precision, Source};
use crate::record::Timestamp;

use names::NameDate;
pub use takeout::read as read_takeout;
pub use zone::Zone;

/// All that tells when a file was made.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the file says of itself.
    pub facts: &'a Facts,
    /// The file's name, without directories.
    pub name: &'a OsStr,
    /// What its XMP sidecar says.
    pub sidecar: Option<&'a Facts>,
    /// What its Google Takeout sidecar says.
    pub takeout: Option<Moment>,
    /// When its content was last written.
    pub mtime: Option<Timestamp>,
    /// Offset of the still that this video belongs to, in seconds.
    pub paired_offset: Option<i32>,
}

/// What the user wants of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The zone of times in UTC, where nothing else tells it.
    pub zone: Zone,
    /// What the times in `QuickTime` headers are; UTC, unless it is said.
    pub qt_time: Option<QtTime>,
    /// Whether an XMP sidecar comes before the file's own metadata, rather than after it.
    pub sidecar_first: bool,
    /// Whether a file without any other date has that of its mtime.
    pub use_mtime: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { zone: Zone::System, qt_time: None, sidecar_first: false, use_mtime: true }
    }
}

/// What the times in `mvhd` and `mdhd` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QtTime {
    /// UTC, as the standard has it.
    Utc,
    /// The wall clock's, as some cameras store it.
    Local,
}

/// Where the capture time comes from, the more trustworthy first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The XMP sidecar, where it is preferred.
    PreferredSidecar(Source),
    /// The file's own metadata.
    File(Source),
    /// The XMP sidecar.
    Sidecar(Source),
    /// A file name with date and time.
    Name,
    /// The sidecar of Google Takeout.
    Takeout,
    /// The file's own metadata, on its last change or its making.
    Changed(Source),
    /// A day without a time in the file's own metadata.
    FileDay(Source),
    /// A day without a time in the XMP sidecar.
    SidecarDay(Source),
    /// A day without a time in the file name.
    NameDay,
    /// The file's mtime.
    Mtime,
}

/// What told the zone of a time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// A local time in the file's name, which then is the answer.
    Name,
    /// The offset that the phone has stored.
    Phone,
    /// The still that the video belongs to.
    Still,
    /// The user, or the system.
    Rules,
}

/// The capture time.
///
/// It is written as the plan's note has it: `date=qt:mvhd zone=name offset=+02:00 precision=second`. The zone is there
/// where the source tells UTC, the offset where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// The clock on the wall.
    pub wall: NaiveDateTime,
    /// Offset of the wall clock from UTC in seconds, where it is known.
    pub offset: Option<i32>,
    /// How exactly.
    pub precision: Precision,
    /// Where the time comes from.
    pub origin: Origin,
    /// What told the zone, if the source tells UTC.
    pub zone: Option<Hint>,
}

impl Capture {
    /// The offset in seconds that a video may take from this still: what its file or name tells, but not that of the
    /// rules' zone, which may have been another when the video was made.
    #[must_use]
    pub fn offset_to_lend(&self) -> Option<i32> {
        self.offset.filter(|_| self.zone != Some(Hint::Rules))
    }
}

/// The capture time of a file; `None` where only its mtime tells one, and that is not wanted or not known.
#[must_use]
pub fn capture(evidence: &Evidence, rules: &Rules) -> Option<Capture> {
    let rules = *rules;
    let name = names::date(evidence.name);
    let candidates = candidates(evidence, rules, name);
    // Of one source the readers give one date; if there were more, the choice would still not hang on their order.
    let best = candidates.into_iter().min_by_key(|(origin, moment)| (*origin, moment.precision, moment.time));
    match best {
        Some((origin, moment)) => resolved(origin, moment, evidence, rules, name),
        None => from_mtime(evidence, rules),
    }
}

fn candidates(evidence: &Evidence, rules: Rules, name: Option<NameDate>) -> Vec<(Origin, Moment)> {
    let own = evidence.facts.dates.iter().map(|&(source, moment)| (own_origin(source, moment), moment));
    let beside = || evidence.sidecar.iter().flat_map(|facts| &facts.dates);
    // A sidecar that the user trusts most is believed though all it tells is a day: that of an old picture's scan.
    let first = |precision| rules.sidecar_first && (precision != Precision::Day || beside().all(|date| is_day(date.1)));
    let beside = beside().map(|&(source, moment)| match moment.precision {
        precision if first(precision) => (Origin::PreferredSidecar(source), moment),
        Precision::Day => (Origin::SidecarDay(source), moment),
        Precision::Second | Precision::Minute => (Origin::Sidecar(source), moment),
    });
    let name = name.filter(|name| !made_from_mtime(name, evidence, rules)).map(|name| match name.moment.precision {
        Precision::Day => (Origin::NameDay, name.moment),
        Precision::Second | Precision::Minute => (Origin::Name, name.moment),
    });
    let takeout = evidence.takeout.map(|moment| (Origin::Takeout, moment));
    own.chain(beside).chain(name).chain(takeout).collect()
}

fn own_origin(source: Source, moment: Moment) -> Origin {
    match source {
        _ if is_day(moment) => Origin::FileDay(source),
        Source::ExifModified | Source::PngTime | Source::MkvDateUtc => Origin::Changed(source),
        _ => Origin::File(source),
    }
}

fn is_day(moment: Moment) -> bool {
    moment.precision == Precision::Day
}

/// Whether ingest gave this name for want of any other date: it would not be one of its own now.
fn made_from_mtime(name: &NameDate, evidence: &Evidence, rules: Rules) -> bool {
    let mtime = evidence.mtime.filter(|_| name.ours).and_then(|mtime| rules.zone.wall_at(mtime));
    mtime.and_then(|(wall, _)| wall.with_nanosecond(0)) == name.moment.time.with_nanosecond(0)
}

fn from_mtime(evidence: &Evidence, rules: Rules) -> Option<Capture> {
    let (wall, offset) = rules.zone.wall_at(evidence.mtime.filter(|_| rules.use_mtime)?)?;
    Some(Capture {
        wall,
        offset: Some(offset),
        precision: Precision::Second,
        origin: Origin::Mtime,
        zone: Some(Hint::Rules),
    })
}

/// The wall clock of the date that was chosen.
fn resolved(
    origin: Origin,
    moment: Moment,
    evidence: &Evidence,
    rules: Rules,
    name: Option<NameDate>,
) -> Option<Capture> {
    let Moment { time, offset, precision, .. } = moment;
    let as_told = Capture { wall: time, offset, precision, origin, zone: None };
    if moment.base == Base::Wall || is_day(moment) || is_local_header(origin, rules) {
        return Some(as_told);
    }
    if let Some(name) = name.filter(NameDate::is_local_time)
        && let Some(offset) = offset_by_name(time, name.moment.time, evidence.facts.duration)
    {
        return Some(Capture { wall: name.moment.time, offset: believed(offset), zone: Some(Hint::Name), ..as_told });
    }
    let told = |offset: Option<i32>, hint| Some((believed(offset?)?, hint));
    let known = told(evidence.facts.utc_offset, Hint::Phone).or_else(|| told(evidence.paired_offset, Hint::Still));
    let (wall, offset, hint) = match known {
        Some((offset, hint)) => (zone::ahead(time, offset)?, offset, hint),
        None => rules.zone.wall(time).map(|(wall, offset)| (wall, offset, Hint::Rules))?,
    };
    Some(Capture { wall, offset: Some(offset), zone: Some(hint), ..as_told })
}

fn is_local_header(origin: Origin, rules: Rules) -> bool {
    let header = matches!(origin, Origin::File(Source::QtMovieHeader | Source::QtMediaHeader));
    header && rules.qt_time == Some(QtTime::Local)
}

/// How far a name's local time may be from the same moment in UTC: the furthest zone, and an hour of recording.
const FURTHEST_NAME: i64 = 15 * 3600;

/// How far, in seconds, the difference may be from a whole quarter of an hour.
const NEAR: i64 = 120;

/// The offset in seconds at which a local time in a name is that of `utc`, which may be when a recording of `duration`
/// seconds ended.
fn offset_by_name(utc: NaiveDateTime, local: NaiveDateTime, duration: Option<u32>) -> Option<i32> {
    const QUARTER: i64 = 15 * 60;
    let ahead = local.signed_duration_since(utc);
    if ahead.abs() > TimeDelta::seconds(FURTHEST_NAME) {
        return None;
    }
    let fit = |ahead: i64| {
        let whole = (ahead + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        ((ahead - whole).abs(), whole)
    };
    let by_start = fit(ahead.num_seconds());
    let by_end = duration.map(|duration| fit(ahead.num_seconds() + i64::from(duration)));
    let by_end = by_end.filter(|(_, whole)| whole.abs() <= FURTHEST_NAME);
    let (off, whole) = by_end.map_or(by_start, |by_end| by_start.min(by_end));
    if off <= NEAR { i32::try_from(whole).ok() } else { None }
}

impl fmt::Display for Capture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "date={}", self.origin)?;
        if let Some(zone) = self.zone {
            write!(out, " zone={zone}")?;
        }
        if let Some(offset) = self.offset {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.unsigned_abs() / 60;
            write!(out, " offset={sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        let precision = match self.precision {
            Precision::Second => "second",
            Precision::Minute => "minute",
            Precision::Day => "day",
        };
        write!(out, " precision={precision}")
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Still => "still",
            Self::Rules => "tz",
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(source) | Self::Changed(source) | Self::FileDay(source) => out.write_str(tag(*source)),
            Self::PreferredSidecar(source) | Self::Sidecar(source) | Self::SidecarDay(source) => {
                write!(out, "sidecar:{}", tag(*source))
            }
            Self::Name | Self::NameDay => out.write_str("name"),
            Self::Takeout => out.write_str("takeout:photoTakenTime"),
            Self::Mtime => out.write_str("mtime"),
        }
    }
}

/// A source by the names that its standard gives to container and field.
fn tag(source: Source) -> &'static str {
    match source {
        Source::ExifOriginal => "exif:DateTimeOriginal",
        Source::ExifDigitized => "exif:DateTimeDigitized",
        Source::MakerDate => "maker:date",
        Source::XmpOriginal => "xmp:DateTimeOriginal",
        Source::XmpDateCreated => "xmp:DateCreated",
        Source::Iptc => "iptc:DateCreated",
        Source::XmpCreate => "xmp:CreateDate",
        Source::PngCreation => "png:CreationTime",
        Source::Gps => "gps:DateStamp",
        Source::QtCreationDate => "qt:creationdate",
        Source::QtUserData => "qt:udta",
        Source::QtMovieHeader => "qt:mvhd",
        Source::QtMediaHeader => "qt:mdhd",
        Source::AviIdit => "avi:IDIT",
        Source::Mdpm => "avchd:MDPM",
        Source::MkvRecorded => "mkv:DATE_RECORDED",
        Source::ExifModified => "exif:DateTime",
        Source::PngTime => "png:tIME",
        Source::MkvDateUtc => "mkv:DateUTC",
    }
}
