//! Raw formats that are little more than a way to a JPEG, or to a block of TIFF, with all the EXIF: RAF, MRW and X3F.

use std::ops::Range;

use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, Moment, Source, exif, jpeg, when};

/// Blocks of an MRW, sections of an X3F that are looked at, at most: real files have up to a dozen.
const PARTS: u32 = 64;

/// Properties of an X3F that are looked at, at most: real files have some fifty.
const PROPERTIES: u32 = 256;

/// Fujifilm's RAF: a header, and at its byte 84 the position of a JPEG.
pub(crate) fn fujifilm(bytes: &mut Bytes, facts: &mut Facts) {
    if let Some(start) = bytes.array(84).map(|start| u64::from(u32::from_be_bytes(start))) {
        jpeg::read(bytes, start..bytes.len(), facts);
    }
}

/// Minolta's MRW: blocks of a type and a length, of which `TTW` is TIFF.
pub(crate) fn minolta(bytes: &mut Bytes, facts: &mut Facts) {
    let mut at: u64 = 8;
    for _ in 0..PARTS {
        let Some([kind @ .., l0, l1, l2, l3]) = bytes.array::<8>(at) else { return };
        let start = at.saturating_add(8);
        let end = start.saturating_add(u64::from(u32::from_be_bytes([l0, l1, l2, l3])));
        if kind == *b"\0TTW" {
            return exif::read(bytes, start..end.min(bytes.len()), Place::Main, facts);
        }
        at = end;
    }
}

/// Sigma's X3F: sections, found by a directory to which the last four bytes lead. Later cameras add a JPEG; earlier
/// ones have their date among the properties.
pub(crate) fn sigma(bytes: &mut Bytes, facts: &mut Facts) {
    let Some(directory) = bytes.len().checked_sub(4).and_then(|at| number(bytes, at)) else { return };
    if bytes.array(directory) != Some(*b"SECd") {
        return;
    }
    let count = directory.checked_add(8).and_then(|at| bytes.array(at)).map_or(0, u32::from_le_bytes);
    let mut entry = directory.saturating_add(12);
    for _ in 0..count.min(PARTS) {
        let Some((kind, section)) = section(bytes, entry) else { return };
        match &kind {
            b"IMAG" | b"IMA2" => picture(bytes, section, facts),
            b"PROP" => {
                properties(bytes, section, facts);
            }
            _ => {}
        }
        entry = entry.saturating_add(12);
    }
}

/// Type and place of the section that a directory's entry leads to.
fn section(bytes: &mut Bytes, entry: u64) -> Option<([u8; 4], Range<u64>)> {
    let (start, len) = (number(bytes, entry)?, number(bytes, entry.checked_add(4)?)?);
    let kind = bytes.array(entry.checked_add(8)?)?;
    Some((kind, start..start.checked_add(len)?.min(bytes.len())))
}

/// An image behind 28 bytes of header, if it is a JPEG for viewing: type 2 of format 18.
fn picture(bytes: &mut Bytes, section: Range<u64>, facts: &mut Facts) {
    let is_jpeg = bytes.array(section.start.saturating_add(8)) == Some([2, 0, 0, 0, 18, 0, 0, 0]);
    if is_jpeg && bytes.array(section.start) == Some(*b"SECi") {
        jpeg::read(bytes, section.start.saturating_add(28)..section.end, facts);
    }
}

/// Names and values in UTF-16 behind a table of where each begins, counted in characters from the end of the table.
fn properties(bytes: &mut Bytes, section: Range<u64>, facts: &mut Facts) -> Option<()> {
    let count = section.start.checked_add(8).and_then(|at| number(bytes, at))?;
    let table = section.start.checked_add(24)?;
    let texts = table.checked_add(count.checked_mul(8)?)?;
    for property in 0..count.min(u64::from(PROPERTIES)) {
        let at = table.checked_add(property.checked_mul(8)?)?;
        let name = number(bytes, at)?.checked_mul(2)?.checked_add(texts)?;
        let value = number(bytes, at.checked_add(4)?)?.checked_mul(2)?.checked_add(texts)?;
        match text(bytes, name).as_slice() {
            b"TIME" => facts.found(Source::MakerDate, decimal(&text(bytes, value)).and_then(on_the_clock)),
            b"CAMMANUF" => facts.camera(Some(text(bytes, value)), None),
            b"CAMMODEL" => facts.camera(None, Some(text(bytes, value))),
            _ => {}
        }
    }
    Some(())
}

fn decimal(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The date that a camera counts in seconds since 1970 on its own clock.
pub(crate) fn on_the_clock(seconds: i64) -> Option<Moment> {
    Moment::wall(when::from_unix(seconds, None)?.time, when::FIRST_CONTAINER)
}

/// The text at a position, up to its zero, as far as it is ASCII.
fn text(bytes: &mut Bytes, at: u64) -> Vec<u8> {
    let wide = bytes.up_to(at, 128).unwrap_or_default();
    wide.chunks_exact(2).map_while(|pair| pair.first().copied().filter(|&low| low != 0)).collect()
}

fn number(bytes: &mut Bytes, at: u64) -> Option<u64> {
    bytes.array(at).map(|number| u64::from(u32::from_le_bytes(number)))
}
