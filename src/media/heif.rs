//! HEIF and AVIF (ISO/IEC 23008-12): EXIF and XMP as items of the meta box, and the pictures that hold them in boxes
//! of their own (JPEG XL, JPEG 2000).

use std::ops::Range;

use super::bmff::{Boxes, Part};
use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, exif, iptc, xmp};

/// Longest list of items, or of their places, that is read, in bytes: some 20,000 items.
const LIST: usize = 1 << 20;

/// Longest item that is read as a whole, in bytes.
const ITEM: usize = 1 << 20;

/// Pieces of one item at most.
const EXTENTS: u64 = 64;

/// Items with metadata that are read, at most: a real file has one of each.
const ITEMS: usize = 8;

/// `uuid` of XMP in a box of its own (ISO 16684-3 § 5.2.2).
const XMP_UUID: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

/// `uuid` of EXIF in JPEG 2000, as Adobe and `ExifTool` write it.
const EXIF_UUID: [u8; 16] = *b"JpgTiffExif->JP2";

/// `uuid` of IPTC records in JPEG 2000, as Adobe and `ExifTool` write it.
const IPTC_UUID: [u8; 16] = *b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Exif,
    Xmp,
}

/// Reads the boxes of a picture.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let mut boxes = Boxes::of(bytes);
    while let Some(part) = boxes.next(bytes) {
        match (&part.kind, part.uuid) {
            (b"meta", _) => items(bytes, part, facts),
            (b"Exif", _) => exif_item(bytes, part.start..part.end, facts),
            (b"uuid", Some(EXIF_UUID)) => exif::read(bytes, part.start..part.end, Place::Main, facts),
            (b"uuid", Some(IPTC_UUID)) => iptc::read(&part.head(bytes, ITEM).unwrap_or_default(), facts),
            (b"xml ", _) | (b"uuid", Some(XMP_UUID)) => {
                xmp::read(&part.head(bytes, ITEM).unwrap_or_default(), facts);
            }
            _ => {}
        }
    }
}

/// Reads the items of a meta box that are metadata.
fn items(bytes: &mut Bytes, meta: Part, facts: &mut Facts) {
    let (mut kinds, mut places, mut data) = (None, None, None);
    let mut parts = meta.meta_parts(bytes);
    while let Some(part) = parts.next(bytes) {
        match &part.kind {
            b"iinf" => kinds = Some(part),
            b"iloc" => places = part.head(bytes, LIST),
            b"idat" => data = Some(part),
            _ => {}
        }
    }
    let (Some(kinds), Some(places)) = (kinds, places) else { return };
    let wanted = metadata(bytes, kinds);
    for (item, content) in wanted.into_iter().take(ITEMS) {
        let extents = Locations::new(&places).and_then(|mut locations| locations.find(item)).unwrap_or_default();
        deliver(bytes, content, &extents, data, facts);
    }
}

/// Numbers of the items that are EXIF or XMP (ISO/IEC 14496-12 § 8.11.6).
fn metadata(bytes: &mut Bytes, kinds: Part) -> Vec<(u32, Content)> {
    let version = bytes.array(kinds.start).map_or(0, |[version]: [u8; 1]| version);
    let mut entries = kinds.parts(if version == 0 { 6 } else { 8 });
    let mut found = Vec::new();
    while let Some(entry) = entries.next(bytes) {
        let head = entry.head(bytes, 64).unwrap_or_default();
        let mut head = Fields(&head);
        let version = head.number(4).unwrap_or(0) >> 24;
        let item = head.number(if version == 3 { 4 } else { 2 });
        let (Some(item), Some(_protection), Some(kind)) = (item, head.number(2), head.take(4)) else { continue };
        let content = match kind {
            b"Exif" => Content::Exif,
            // A name, then the type of the content.
            b"mime" if memchr::memmem::find(head.0, b"application/rdf+xml").is_some() => Content::Xmp,
            _ => continue,
        };
        if let Ok(item) = u32::try_from(item) {
            found.push((item, content));
        }
        if found.len() == ITEMS {
            break;
        }
    }
    found
}

/// Where an item's pieces stand.
#[derive(Debug, Default)]
struct Extents {
    /// Whether positions count from the `idat` box.
    in_data: bool,
    pieces: Vec<(u64, u64)>,
}

/// Reads an item where it stands, or put together where it stands in pieces.
fn deliver(bytes: &mut Bytes, content: Content, extents: &Extents, data: Option<Part>, facts: &mut Facts) {
    let (origin, limit) = match (extents.in_data, data) {
        (false, _) => (0, bytes.len()),
        (true, Some(data)) => (data.start, data.end),
        (true, None) => return,
    };
    let spans = extents.pieces.iter().filter_map(|&(offset, len)| {
        let start = origin.checked_add(offset)?;
        // A length of 0 means all there is.
        let end = if len == 0 { limit } else { start.checked_add(len)?.min(limit) };
        (start < end).then_some(start..end)
    });
    let spans: Vec<Range<u64>> = spans.collect();
    match (content, spans.as_slice()) {
        (Content::Exif, [span]) => exif_item(bytes, span.clone(), facts),
        (Content::Exif, _) => {
            let whole = joined(bytes, &spans);
            exif_item(&mut Bytes::of(&whole), 0..whole.len() as u64, facts);
        }
        (Content::Xmp, _) => xmp::read(&joined(bytes, &spans), facts),
    }
}

fn joined(bytes: &mut Bytes, spans: &[Range<u64>]) -> Vec<u8> {
    let mut whole = Vec::new();
    for span in spans {
        let room = ITEM.saturating_sub(whole.len());
        let len = usize::try_from(span.end.saturating_sub(span.start)).map_or(room, |len| len.min(room));
        whole.extend(bytes.at(span.start, len).unwrap_or_default());
    }
    whole
}

/// Reads an EXIF item: the distance to the header of TIFF, then that header (ISO/IEC 23008-12 § A.2.1). Some writers
/// leave the distance out or count it wrongly.
fn exif_item(bytes: &mut Bytes, span: Range<u64>, facts: &mut Facts) {
    let told = bytes.array(span.start).map(|distance| u64::from(u32::from_be_bytes(distance)));
    let told = told.and_then(|distance| span.start.checked_add(4)?.checked_add(distance));
    let near = [told, span.start.checked_add(4), Some(span.start)].into_iter().flatten();
    for start in near {
        let block = exif::tiff_in(bytes, start..span.end);
        if matches!(bytes.array(block.start), Some([b'I', b'I', 42, 0] | [b'M', b'M', 0, 42])) {
            return exif::read(bytes, block, Place::Main, facts);
        }
    }
}

/// Big-endian fields, one after the other.
#[derive(Debug, Clone, Copy)]
struct Fields<'f>(&'f [u8]);

impl<'f> Fields<'f> {
    fn take(&mut self, len: usize) -> Option<&'f [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of up to 8 bytes; one of none is 0.
    fn number(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}

/// The item location box (ISO/IEC 14496-12 § 8.11.3).
struct Locations<'l> {
    rest: Fields<'l>,
    version: u64,
    offset: usize,
    length: usize,
    base: usize,
    index: usize,
    count: u64,
}

impl<'l> Locations<'l> {
    fn new(content: &'l [u8]) -> Option<Self> {
        let mut rest = Fields(content);
        let version = rest.number(4)? >> 24;
        let widths = rest.take(2)?;
        let (first, second) = (*widths.first()?, *widths.last()?);
        let width = |four_bits: u8| usize::from(four_bits).min(8);
        let index = if version == 0 { 0 } else { width(second & 15) };
        let count = rest.number(if version < 2 { 2 } else { 4 })?;
        let (offset, length, base) = (width(first >> 4), width(first & 15), width(second >> 4));
        Some(Self { rest, version, offset, length, base, index, count })
    }

    fn find(&mut self, item: u32) -> Option<Extents> {
        // Each takes six bytes or more of a list that is at most 1 MiB.
        for _ in 0..self.count {
            let (number, extents) = self.next()?;
            if number == u64::from(item) {
                return Some(extents);
            }
        }
        None
    }

    fn next(&mut self) -> Option<(u64, Extents)> {
        let rest = &mut self.rest;
        let number = rest.number(if self.version < 2 { 2 } else { 4 })?;
        let method = if self.version == 0 { 0 } else { rest.number(2)? & 15 };
        let _reference = rest.number(2)?;
        let base = rest.number(self.base)?;
        let count = rest.number(2)?;
        // Pieces without a place and a length of their own are all the same.
        let count = if self.index + self.offset + self.length == 0 { count.min(1) } else { count };
        let mut pieces = Vec::new();
        for _ in 0..count {
            let _index = rest.number(self.index)?;
            let (offset, len) = (rest.number(self.offset)?, rest.number(self.length)?);
            if pieces.len() as u64 <= EXTENTS {
                pieces.push((base.checked_add(offset)?, len));
            }
        }
        Some((number, Extents { in_data: method == 1, pieces }))
    }
}

#[cfg(test)]
mod tests;
