//! What a planner's note says of a volume, so that whoever seals it knows what it was made for, and whether it is whole.

use super::Number;
use super::image::Filesystem;
use super::medium::Disc;
use crate::record::{decimal, push_decimal};

/// The note of a row that was planned into a volume: `volume=7 file=301/1234 fs=iso capacity=24220008448`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The volume.
    pub volume: Number,
    /// Which row of those that the plan has for this volume, from 1 on.
    pub row: u64,
    /// How many rows the plan has for this volume.
    pub rows: u64,
    /// The disc that it is to fit.
    pub disc: Disc,
}

impl Planned {
    /// Appends it as a note.
    pub fn push(&self, note: &mut Vec<u8>) {
        let Self { volume, row, rows, disc } = self;
        let numbers = [("volume=", volume.get().into()), (" file=", *row), ("/", *rows)];
        for (name, number) in numbers {
            note.extend_from_slice(name.as_bytes());
            push_decimal(number, note);
        }
        note.extend_from_slice(b" fs=");
        note.extend_from_slice(disc.filesystem.name().as_bytes());
        note.extend_from_slice(b" capacity=");
        push_decimal(disc.capacity, note);
    }

    /// Whether a plan can have such a row.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        (1..=self.rows).contains(&self.row)
    }

    /// Reads a note; `None` where it tells something else.
    #[must_use]
    pub fn parse(note: &[u8]) -> Option<Self> {
        let facts: Vec<&[u8]> = note.split(|byte| *byte == b' ').collect();
        let [volume, file, filesystem, capacity] = facts[..] else { return None };
        let file = file.strip_prefix(b"file=")?;
        let slash = memchr::memchr(b'/', file)?;
        let filesystem = filesystem.strip_prefix(b"fs=")?;
        Some(Self {
            volume: Number::new(decimal(volume.strip_prefix(b"volume=")?)?)?,
            row: decimal(&file[..slash])?,
            rows: decimal(&file[slash + 1..])?,
            disc: Disc {
                capacity: decimal(capacity.strip_prefix(b"capacity=")?)?,
                filesystem: Filesystem::parse(filesystem)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_another_is_none() {
        let disc = Disc { capacity: 24_220_008_448, filesystem: Filesystem::Iso };
        let planned = Planned { volume: Number::new(7).expect("number"), row: 301, rows: 1234, disc };
        let mut note = Vec::new();
        planned.push(&mut note);
        assert_eq!(note, b"volume=7 file=301/1234 fs=iso capacity=24220008448");
        assert_eq!(Planned::parse(&note), Some(planned));
        assert!(planned.is_possible() && Planned { row: 1234, ..planned }.is_possible());
        assert!(
            ![(0, 0), (0, 1), (2, 1)]
                .iter()
                .any(|(row, rows)| Planned { row: *row, rows: *rows, ..planned }.is_possible())
        );
        for other in
            ["", "keep mtime=1.000000000", "volume=0 file=1/1 fs=iso capacity=1", "volume=7 file=1 fs=iso capacity=1"]
        {
            assert_eq!(Planned::parse(other.as_bytes()), None, "{other}");
        }
    }
}
