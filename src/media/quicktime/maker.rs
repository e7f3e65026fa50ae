//! Dates that makers of cameras keep in boxes of their own.
//!
//! Their layout is published nowhere; it is told as in `ExifTool`'s tables of tags ("Nikon NCTG Tags", "Canon CNTH
//! Tags", "Panasonic PANA Tags").

use chrono::Datelike;
use memchr::memmem;

use super::super::bmff::Part;
use super::super::source::Bytes;
use super::super::tiff::Place;
use super::super::{Facts, Source, exif, when};
use super::user_data::fill;

/// Nikon's records stand in the order of their numbers, those that are asked for first.
const RECORDS: usize = 4096;

/// EXIF begins within as many bytes of a box: Panasonic's stands behind a preview of 16 KiB in some.
const PREVIEW: usize = 20 << 10;

/// Collects what a maker's box in the user data says.
pub(super) fn read(part: Part, bytes: &mut Bytes, facts: &mut Facts) {
    match &part.kind {
        b"NCDT" => {
            let tags = part.parts(0).find(bytes, *b"NCTG").and_then(|tags| tags.head(bytes, RECORDS));
            nikon(&tags.unwrap_or_default(), facts);
        }
        b"CNTH" | b"PANA" | b"LEIC" => picture(part, bytes, facts),
        _ => {}
    }
}

/// A small picture of the movie, or what looks like the begin of one, whose EXIF tells when the recording began.
fn picture(part: Part, bytes: &mut Bytes, facts: &mut Facts) {
    const EXIF: &[u8] = b"Exif\0\0";
    let head = part.head(bytes, PREVIEW).unwrap_or_default();
    let Some(at) = memmem::find(&head, EXIF).and_then(|at| u64::try_from(at).ok()) else { return };
    let mut told = Facts::default();
    exif::read(bytes, part.start.saturating_add(at)..part.end, Place::Main, &mut told);
    let original = told.dates.into_iter().find(|&(source, _)| source == Source::ExifOriginal).map(|(_, date)| date);
    facts.found(Source::QtUserData, original.filter(|date| date.time.year() >= when::FIRST_CONTAINER));
    facts.make = facts.make.take().or(told.make);
    facts.model = facts.model.take().or(told.model);
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
