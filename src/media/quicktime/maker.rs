//! Dates that makers of cameras keep in boxes of their own.
//!
//! Their layout is published nowhere; it is told as in `ExifTool`'s tables of tags ("Nikon NCTG Tags", "Canon CNTH
//! Tags", "Panasonic PANA Tags").

use super::super::bmff::Part;
use super::super::source::Bytes;
use super::super::{Facts, Source};
use super::user_data::fill;

/// Nikon's records stand in the order of their numbers, those that are asked for first.
const RECORDS: usize = 4096;

/// Collects what a maker's box in the user data says.
pub(super) fn read(part: Part, bytes: &mut Bytes, facts: &mut Facts) {
    if part.kind == *b"NCDT"
        && let Some(tags) = part.parts(0).find(bytes, *b"NCTG")
        && let Some(records) = tags.head(bytes, RECORDS)
    {
        nikon(&records, facts);
    }
}

/// Nikon's records: number, 4 bytes; format as in TIFF, 2 bytes; count, 2 bytes; values.
fn nikon(mut rest: &[u8], facts: &mut Facts) {
    while let Some(([n0, n1, n2, n3, f0, f1, c0, c1], values)) = rest.split_first_chunk() {
        let width = match u16::from_be_bytes([*f0, *f1]) {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 => 4,
            5 | 10 | 12 => 8,
            _ => return,
        };
        let size = width * usize::from(u16::from_be_bytes([*c0, *c1]));
        let Some((value, after)) = values.split_at_checked(size) else { return };
        match u32::from_be_bytes([*n0, *n1, *n2, *n3]) {
            0x01 => fill(&mut facts.make, value),
            0x02 => fill(&mut facts.model, value),
            0x12 => facts.found_text(Source::QtUserData, value),
            _ => {}
        }
        rest = after;
    }
}
