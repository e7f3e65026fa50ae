//! Dates as files spell them, and which of them cannot be true.

use chrono::NaiveDateTime;

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
