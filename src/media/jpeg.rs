//! JPEG: segments (ITU-T T.81 § B.1.1) with EXIF, XMP and Photoshop's resources.

use std::ops::Range;

use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, exif, photoshop, xmp};

/// Segments read at most: those before the first scan of a real file are a few dozen, or some hundred with a large
/// colour profile or depth map.
const SEGMENTS: usize = 2048;

/// How far behind a segment the next is looked for, in bytes, where something else is in between.
const GAP: usize = 4096;

/// Photoshop's resources put together at most, in bytes.
const RESOURCES: usize = 1 << 20;

/// Within so many bytes of its segment a packet of XMP begins. Other segments of the kind, such as the megabytes of a
/// thermal camera, are not read.
const NAME: usize = 64;

const EXIF: &[u8] = b"Exif\0";
const MORE_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// Reads the segments of the picture that stands in a range, up to its first scan.
pub(crate) fn read(bytes: &mut Bytes, span: Range<u64>, facts: &mut Facts) {
    if bytes.array(span.start) != Some([0xff, 0xd8]) {
        return;
    }
    let mut at = span.start.saturating_add(2);
    let mut resources = Vec::new();
    for _ in 0..SEGMENTS {
        let Some((marker, content)) = segment(bytes, at, span.end) else { break };
        match marker {
            0xe1 => app1(bytes, content.clone(), facts),
            0xed => app13(bytes, content.clone(), &mut resources),
            _ => {}
        }
        at = content.end;
    }
    // A resource may go on in the next segment, so they are read as one.
    let len = resources.len() as u64;
    photoshop::resources(&mut Bytes::of(&resources), 0..len, facts);
}

/// The first block of EXIF in the picture that stands in a range.
pub(crate) fn exif(bytes: &mut Bytes, span: Range<u64>) -> Option<Range<u64>> {
    if bytes.array(span.start)? != [0xff, 0xd8] {
        return None;
    }
    let mut at = span.start.checked_add(2)?;
    for _ in 0..SEGMENTS {
        let (marker, content) = segment(bytes, at, span.end)?;
        if marker == 0xe1 && bytes.up_to(content.start, EXIF.len())?.as_slice() == EXIF {
            return Some(content);
        }
        at = content.end;
    }
    None
}

/// Marker and content of the segment at or soon behind a position. `None` where the scan begins or the picture ends.
fn segment(bytes: &mut Bytes, at: u64, end: u64) -> Option<(u8, Range<u64>)> {
    let (marker, start) = if let [0xff, marker @ 0x01..=0xfe] = bytes.array(at)? {
        (marker, at.checked_add(2)?)
    } else {
        let near = bytes.up_to(at, GAP)?;
        let pair = near.windows(2).position(|pair| matches!(pair, [0xff, 0xc0..=0xfe]))?;
        (*near.get(pair.checked_add(1)?)?, at.checked_add(pair as u64)?.checked_add(2)?)
    };
    match marker {
        0xd9 | 0xda => None,
        // Markers without a content.
        0x01 | 0xd0..=0xd8 => Some((marker, start..start)),
        _ => {
            let len = u64::from(u16::from_be_bytes(bytes.array(start)?)).max(2);
            Some((marker, start.checked_add(2)?..start.checked_add(len)?.min(end)))
        }
    }
}

/// EXIF, or XMP by whatever name it goes: some writers damage the name, none the packet.
fn app1(bytes: &mut Bytes, content: Range<u64>, facts: &mut Facts) {
    let len = usize::try_from(content.end.saturating_sub(content.start)).unwrap_or(0);
    let head = bytes.up_to(content.start, len.min(NAME)).unwrap_or_default();
    if head.starts_with(EXIF) {
        exif::read(bytes, content, Place::Main, facts);
    } else if !head.starts_with(MORE_XMP)
        && let Some(start) = memchr::memchr(b'<', &head)
    {
        let segment = bytes.up_to(content.start, len).unwrap_or_default();
        xmp::read(segment.get(start..).unwrap_or_default(), facts);
    }
}

fn app13(bytes: &mut Bytes, content: Range<u64>, resources: &mut Vec<u8>) {
    let len = usize::try_from(content.end.saturating_sub(content.start)).unwrap_or(0);
    let part = bytes.up_to(content.start, len).unwrap_or_default();
    if let Some(part) = part.strip_prefix(PHOTOSHOP).filter(|part| part.len() <= RESOURCES - resources.len()) {
        resources.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests;
