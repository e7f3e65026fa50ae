//! The small pictures that photos carry of themselves: the thumbnail of EXIF (CIPA DC-008 § 4.5.8), and the previews of
//! raw formats that are TIFF.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::vec;

use super::format::{self, Format};
use super::source::Bytes;
use super::tiff::{Field, Layout, Place};
use super::{canon, exif, jpeg};

const ORIENTATION: u16 = 0x0112;
const STRIP: u16 = 0x0111;
const STRIP_LEN: u16 = 0x0117;
const JPEG: u16 = 0x0201;
const JPEG_LEN: u16 = 0x0202;
const JPEG_OF_RAW: u16 = 0x002e;

/// A preview is no longer, in bytes. Those of raw files may be as large as the picture itself.
const LONGEST: u64 = 6 << 20;

/// So many previews of one file are looked at.
const MOST: usize = 4;

/// What a file has to show. Yields its previews as JPEG, the smallest first; nothing is read before it is asked for.
#[derive(Debug)]
pub struct Previews<'f> {
    /// How the picture is to be turned, by the numbers of EXIF: 1 to 8.
    pub orientation: u8,
    /// Whether the file is JPEG, PNG, GIF, WebP or TIFF as a whole, which common decoders read.
    pub is_common: bool,
    bytes: Bytes<'f>,
    spans: vec::IntoIter<Range<u64>>,
}

/// Finds what `file` has to show.
///
/// # Errors
/// What the system says where the file cannot be read.
pub fn previews(file: &File) -> io::Result<Previews<'_>> {
    let mut bytes = Bytes::new(file)?;
    let head = bytes.up_to(0, format::HEAD).unwrap_or_default();
    let format = format::of(&head);
    let (mut orientation, mut spans) = (1, Vec::new());
    let block = match format {
        Some(Format::Cr3) => canon::cr3_thumbnail(&mut bytes).map(|(block, thumbnail)| {
            spans.push(thumbnail);
            block
        }),
        Some(format) => block(&mut bytes, format),
        None => None,
    };
    if let Some(layout) = block.and_then(|block| Layout::of(&mut bytes, block)) {
        let fields = layout.fields(&mut bytes, Place::Main, is_wanted);
        orientation = numbers(&mut bytes, &layout, &fields, ORIENTATION).first().map_or(1, |number| side_up(*number));
        spans.extend(pairs(&mut bytes, &layout, &fields));
    }
    bytes.check_so_far()?;
    let is_common = matches!(format, Some(Format::Jpeg | Format::Png | Format::Gif | Format::WebP | Format::Tiff));
    Ok(Previews { orientation, is_common, bytes, spans: spans.into_iter() })
}

impl Iterator for Previews<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let span = self.spans.next()?;
            let len = usize::try_from(span.end - span.start).ok()?;
            let picture = self.bytes.at(span.start, len);
            // What is no JPEG is a strip of another kind, or a preview that was damaged.
            if let Some(picture) = picture.filter(|picture| picture.starts_with(&[0xff, 0xd8, 0xff])) {
                return Some(picture);
            }
        }
    }
}

/// Where the block of TIFF stands that describes the picture.
fn block(bytes: &mut Bytes, format: Format) -> Option<Range<u64>> {
    let whole = 0..bytes.len();
    match format {
        Format::Jpeg => jpeg::exif(bytes, whole),
        Format::Tiff => Some(whole),
        Format::Fujifilm => {
            let start = u64::from(u32::from_be_bytes(bytes.array(84)?));
            jpeg::exif(bytes, start..whole.end)
        }
        Format::PanasonicOrOlympus => {
            let layout = Layout::of(bytes, whole.clone())?;
            let fields = layout.fields(bytes, Place::Main, |_, tag| tag == JPEG_OF_RAW);
            match fields.first() {
                Some(picture) => jpeg::exif(bytes, picture.span.clone()),
                None => Some(whole),
            }
        }
        _ => None,
    }
    .map(|span| exif::tiff_in(bytes, span))
}

fn is_wanted(place: Place, tag: u16) -> bool {
    matches!(place, Place::Main | Place::Further) && matches!(tag, ORIENTATION | STRIP | STRIP_LEN | JPEG | JPEG_LEN)
}

/// The first number of every field of a tag, in the order of the directories.
fn numbers(bytes: &mut Bytes, layout: &Layout, fields: &[Field], tag: u16) -> Vec<u64> {
    let fields = fields.iter().filter(|field| field.tag == tag);
    fields.filter_map(|field| field.first_number(bytes, layout)).collect()
}

fn side_up(orientation: u64) -> u8 {
    u8::try_from(orientation).ok().filter(|orientation| (1..=8).contains(orientation)).unwrap_or(1)
}

/// Where pictures begin and how long they are, by the two fields that each directory has for that; the shortest first.
fn pairs(bytes: &mut Bytes, layout: &Layout, fields: &[Field]) -> Vec<Range<u64>> {
    let mut spans = Vec::new();
    for (start, len) in [(JPEG, JPEG_LEN), (STRIP, STRIP_LEN)] {
        let starts = numbers(bytes, layout, fields, start);
        let lengths = numbers(bytes, layout, fields, len);
        spans.extend(starts.into_iter().zip(lengths).filter_map(|(start, len)| {
            let start = layout.span.start.checked_add(start)?;
            let end = start.checked_add(len)?;
            ((1..=LONGEST).contains(&len) && end <= layout.span.end).then_some(start..end)
        }));
    }
    spans.sort_by_key(|span| (span.end - span.start, span.start));
    spans.dedup();
    spans.truncate(MOST);
    spans
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A JPEG that is nothing but EXIF, of two directories: the second leads to `thumbnail`.
    fn photo(orientation: u16, thumbnail: &[u8], len: u32) -> File {
        let mut tiff = b"II*\0\x08\0\0\0".to_vec();
        let entry = |tag: u16, kind: u16, value: u32| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        tiff.extend(
            [&1_u16.to_le_bytes()[..], &entry(ORIENTATION, 3, orientation.into()), &26_u32.to_le_bytes()].concat(),
        );
        tiff.extend([&2_u16.to_le_bytes()[..], &entry(JPEG, 4, 56), &entry(JPEG_LEN, 4, len), &[0; 4]].concat());
        tiff.extend(thumbnail);
        let segment = [b"Exif\0\0", &tiff[..]].concat();
        let length = u16::try_from(segment.len() + 2).expect("short").to_be_bytes();
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&[&[0xff, 0xd8, 0xff, 0xe1][..], &length, &segment, &[0xff, 0xd9]].concat()).expect("written");
        file
    }

    #[test]
    fn the_thumbnail_of_exif_is_found_and_how_it_is_turned() {
        let thumbnail = b"\xff\xd8\xff\xe0small";
        let file = photo(6, thumbnail, 9);
        let mut found = previews(&file).expect("previews");
        assert_eq!((found.orientation, found.is_common), (6, true));
        assert_eq!(found.next().as_deref(), Some(&thumbnail[..]));
        assert_eq!(found.next(), None);
    }

    #[test]
    fn what_leads_nowhere_is_no_thumbnail() {
        for (orientation, thumbnail, len) in
            [(0, &b"\xff\xd8\xff"[..], 1000), (9, b"\xff\xd8\xff", u32::MAX), (1, b"\xff\xd8\xff", 0), (1, b"BM6", 3)]
        {
            let file = photo(orientation, thumbnail, len);
            let mut found = previews(&file).expect("previews");
            assert_eq!((found.orientation, found.next()), (1, None), "{len}");
        }
    }

    #[test]
    fn the_thumbnail_of_a_cr3_is_found_and_how_it_is_turned() {
        let boxed = |kind: &[u8], content: &[u8]| {
            let len = u32::try_from(content.len() + 8).expect("short").to_be_bytes();
            [&len[..], kind, content].concat()
        };
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0\0\0\0\0";
        let picture = b"\xff\xd8\xff\xe0small";
        for (len, is_found) in [(9_u32, true), (10, false), (u32::MAX, false)] {
            let head = [&[0; 4][..], &[0, 160, 0, 120], &len.to_be_bytes(), &[0, 1, 0, 0]].concat();
            let thumbnail = boxed(b"THMB", &[&head, &picture[..]].concat());
            let uuid = b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
            let canon = boxed(b"uuid", &[&uuid[..], &boxed(b"CMT1", tiff), &thumbnail].concat());
            let content = [boxed(b"ftyp", b"crx \0\0\0\x01"), boxed(b"moov", &canon)].concat();
            let mut file = tempfile::tempfile().expect("a temporary file");
            file.write_all(&content).expect("written");
            let mut found = previews(&file).expect("previews");
            assert_eq!(found.next().as_deref(), is_found.then_some(&picture[..]), "{len}");
            assert_eq!(found.orientation, if is_found { 8 } else { 1 });
        }
    }

    #[test]
    fn what_is_no_picture_shows_nothing() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"a text").expect("written");
        let mut found = previews(&file).expect("previews");
        assert_eq!((found.is_common, found.next()), (false, None));
    }
}
