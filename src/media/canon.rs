//! Canon's raw formats: CR3, which is ISO media with blocks of TIFF, and the older CRW, a tree of its own.

use std::ops::Range;

use super::bmff::Boxes;
use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, Source, exif, heif, raw};

/// `uuid` of Canon's box in the `moov` of a CR3.
const CANON_UUID: [u8; 16] = *b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";

/// Entries of one directory of a CRW that are looked at, at most.
const ENTRIES: u16 = 512;

/// How deep the directories of a CRW are within each other: two, in real files.
const DEPTH: u8 = 4;

/// Reads a CR3: each directory is a block of TIFF in a box of its own.
pub(crate) fn cr3(bytes: &mut Bytes, facts: &mut Facts) {
    let mut boxes = Boxes::of(bytes);
    if let Some(moov) = boxes.find(bytes, *b"moov") {
        let mut inner = moov.parts(0);
        while let Some(part) = inner.next(bytes) {
            if part.uuid == Some(CANON_UUID) {
                directories(bytes, part.parts(0), facts);
            }
        }
    }
    // XMP stands beside it, as in other pictures.
    heif::read(bytes, facts);
}

fn directories(bytes: &mut Bytes, mut parts: Boxes, facts: &mut Facts) {
    while let Some(part) = parts.next(bytes) {
        let root = match &part.kind {
            b"CMT1" => Place::Main,
            b"CMT2" => Place::Exif,
            b"CMT4" => Place::Gps,
            _ => continue,
        };
        exif::read(bytes, part.start..part.end, root, facts);
    }
}

/// What a CR3 has to show: the block of TIFF that says how it is turned, and where its thumbnail stands.
pub(crate) fn cr3_thumbnail(bytes: &mut Bytes) -> Option<(Range<u64>, Range<u64>)> {
    let moov = Boxes::of(bytes).find(bytes, *b"moov")?;
    let mut inner = moov.parts(0);
    let (mut block, mut thumbnail) = (None, None);
    while let Some(part) = inner.next(bytes) {
        let mut parts = part.parts(0);
        while part.uuid == Some(CANON_UUID)
            && let Some(part) = parts.next(bytes)
        {
            match &part.kind {
                b"CMT1" => block = Some(part.start..part.end),
                b"THMB" => thumbnail = thumbnail_in(bytes, part.start..part.end),
                _ => {}
            }
        }
    }
    block.zip(thumbnail)
}

/// The JPEG behind a version, two sides, its length, and two numbers that nobody knows: 16 bytes in all.
fn thumbnail_in(bytes: &mut Bytes, part: Range<u64>) -> Option<Range<u64>> {
    let len = u64::from(u32::from_be_bytes(bytes.array(part.start.checked_add(8)?)?));
    let start = part.start.checked_add(16)?;
    let end = start.checked_add(len)?;
    (end <= part.end).then_some(start..end)
}

/// Reads a CRW (Camera Image File Format 1.0): a heap that ends in its directory. Its only date is a count of seconds
/// on the camera's clock.
pub(crate) fn crw(bytes: &mut Bytes, facts: &mut Facts) {
    if let Some(start) = bytes.array(2).map(|start| u64::from(u32::from_le_bytes(start))) {
        heap(bytes, start, bytes.len(), DEPTH, facts);
    }
}

fn heap(bytes: &mut Bytes, start: u64, end: u64, depth: u8, facts: &mut Facts) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let directory = end.checked_sub(4)?;
    let directory = start.checked_add(u64::from(u32::from_le_bytes(bytes.array(directory)?)))?;
    let count = u16::from_le_bytes(bytes.array(directory)?).min(ENTRIES);
    for entry in 0..u64::from(count) {
        let [t0, t1, l0, l1, l2, l3, offset @ ..] = bytes.array::<10>(directory.checked_add(2 + 10 * entry)?)?;
        let tag = u16::from_le_bytes([t0, t1]);
        let len = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        let value = start.checked_add(u64::from(u32::from_le_bytes(offset)))?;
        let Some(value_end) = value.checked_add(len).filter(|&value_end| value_end <= end) else { continue };
        match tag {
            0x080a => camera(bytes, value, len, facts),
            0x180e => {
                let seconds = bytes.array(value).map(|seconds| i64::from(u32::from_le_bytes(seconds)));
                facts.found(Source::MakerDate, seconds.and_then(raw::on_the_clock));
            }
            // The types of directories (CIFF § 4.2).
            _ if matches!(tag & 0x3800, 0x2800 | 0x3000) && tag & 0xc000 == 0 => {
                heap(bytes, value, value_end, depth, facts);
            }
            _ => {}
        }
    }
    Some(())
}

/// Maker and model, one after the other with a NUL behind each.
fn camera(bytes: &mut Bytes, start: u64, len: u64, facts: &mut Facts) {
    let names = bytes.up_to(start, usize::try_from(len).unwrap_or(64).min(64)).unwrap_or_default();
    let mut names = names.split(|&byte| byte == 0).map(<[u8]>::to_vec);
    facts.camera(names.next(), names.next());
}

#[cfg(test)]
mod tests;
