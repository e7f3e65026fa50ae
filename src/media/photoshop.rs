//! Photoshop's image resources (Adobe Photoshop File Formats): blocks in JPEG, TIFF and PSD that may hold IPTC, EXIF
//! and XMP.

use std::ops::Range;

use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, exif, iptc, xmp};

/// Resources read at most.
const RESOURCES: usize = 1024;

/// So much of a resource is read, in bytes.
const MOST: usize = 1 << 20;

/// Reads a PSD file: its resources stand behind 26 bytes of header and the colour table.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let mut section = |at: u64| {
        let len = u64::from(u32::from_be_bytes(bytes.array(at)?));
        let start = at.checked_add(4)?;
        Some(start..start.checked_add(len)?)
    };
    if let Some(span) = section(26).and_then(|colours| section(colours.end)) {
        resources(bytes, span, facts);
    }
}

/// Reads resources that stand in a range.
pub(crate) fn resources(bytes: &mut Bytes, span: Range<u64>, facts: &mut Facts) {
    let mut at = span.start;
    for _ in 0..RESOURCES {
        let Some((number, value)) = resource(bytes, at).filter(|(_, value)| value.end <= span.end) else { return };
        let len = value.end - value.start;
        let most = usize::try_from(len).map_or(MOST, |len| len.min(MOST));
        match number {
            0x0404 => iptc::read(&bytes.at(value.start, most).unwrap_or_default(), facts),
            0x0422 => exif::read(bytes, value.clone(), Place::Main, facts),
            0x0424 => xmp::read(&bytes.at(value.start, most).unwrap_or_default(), facts),
            _ => {}
        }
        // Padded to an even length.
        let Some(next) = value.end.checked_add(len % 2) else { return };
        at = next;
    }
}

/// Number and value of the resource at a position.
fn resource(bytes: &mut Bytes, at: u64) -> Option<(u16, Range<u64>)> {
    let [b'8', b'B', b'I', b'M', high, low, name] = bytes.array(at)? else { return None };
    // The name's length byte and the name are padded to an even length.
    let size = at.checked_add(6)?.checked_add((u64::from(name) + 2) & !1)?;
    let len = u64::from(u32::from_be_bytes(bytes.array(size)?));
    let start = size.checked_add(4)?;
    Some((u16::from_be_bytes([high, low]), start..start.checked_add(len)?))
}
