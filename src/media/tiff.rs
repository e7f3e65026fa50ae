//! Directories of TIFF (TIFF 6.0 § 2), which EXIF and most raw formats are made of.
//!
//! A walk finds where the few fields stand that tell of a picture's making; values are read afterwards, by position.
//! No library does this for a raw of 100 MB without loading it, nor with a bound: in 64 KiB of EXIF, directories that
//! lead to each other can hold hundreds of millions of entries. Here the number of directories and of entries is bounded.

use std::collections::VecDeque;
use std::ops::Range;

use super::source::Bytes;

/// Directories read at most: pages, sub-images, EXIF and GPS of a real file are no more than a dozen.
const DIRECTORIES: usize = 32;

/// Entries read of one directory at most.
const ENTRIES: usize = 1024;

/// Sub-images that one entry may lead to.
const SUB_IMAGES: usize = 16;

/// What a directory describes; of the same field in several, the first is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The shot: `ExifIFD`.
    Exif,
    /// The first image: `IFD0`.
    Main,
    /// Sub-images, thumbnails and further pages.
    Further,
    /// The position: `GPS IFD`.
    Gps,
    /// The maker note of an Apple phone.
    Apple,
}

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// `II`.
    Little,
    /// `MM`.
    Big,
}

impl Order {
    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self == Order::Little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    /// Four bytes as a number.
    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self == Order::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    fn u64(self, bytes: [u8; 8]) -> u64 {
        if self == Order::Little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
    }
}

/// A field and where its value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// In which directory.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) tag: u16,
    /// Type of its values (TIFF 6.0 § 2; 13 is that of a directory, 129 UTF-8 of EXIF 3).
    pub(crate) kind: u16,
    /// Its value in the file, whole.
    pub(crate) span: Range<u64>,
}

/// How a block of TIFF is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The block in the file; offsets count from its start.
    pub(crate) span: Range<u64>,
    /// Byte order.
    pub(crate) order: Order,
    /// Whether offsets and counts have 64 bits: `BigTIFF`.
    pub(crate) wide: bool,
    /// Offset of the first directory.
    pub(crate) first: u64,
}

/// The number after the byte order, which tells Panasonic's and Olympus's raw files from others.
pub(crate) fn version(bytes: &mut Bytes, start: u64) -> Option<(Order, u16)> {
    let [a, b, low, high] = bytes.array(start)?;
    let order = match [a, b] {
        [b'I', b'I'] => Order::Little,
        [b'M', b'M'] => Order::Big,
        _ => return None,
    };
    Some((order, order.u16([low, high])))
}

impl Layout {
    /// The layout that the header at the start of a block tells.
    pub(crate) fn of(bytes: &mut Bytes, span: Range<u64>) -> Option<Self> {
        let (order, version) = version(bytes, span.start)?;
        let wide = version == 43;
        let first = if wide {
            order.u64(bytes.array(span.start.checked_add(8)?)?)
        } else {
            u64::from(order.u32(bytes.array(span.start.checked_add(4)?)?))
        };
        Some(Self { span, order, wide, first })
    }

    /// Where the wanted fields of all directories stand, the more trustworthy place first.
    pub(crate) fn fields(&self, bytes: &mut Bytes, root: Place, wanted: fn(Place, u16) -> bool) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut seen = Vec::new();
        let mut ahead = VecDeque::from([(self.first, root)]);
        while let Some((offset, place)) = ahead.pop_front() {
            if seen.len() == DIRECTORIES || offset == 0 || seen.contains(&offset) {
                continue;
            }
            seen.push(offset);
            for field in self.directory(bytes, offset, place, &mut ahead).unwrap_or_default() {
                match leads_to(&field) {
                    Some(place) => ahead.extend(self.offsets(bytes, &field).into_iter().map(|to| (to, place))),
                    None if wanted(field.place, field.tag) => fields.push(field),
                    None => {}
                }
            }
        }
        fields.sort_by_key(|field| field.place);
        fields
    }

    /// The entries of one directory, and in `ahead` the one that follows it. Of one that is cut short, those there are.
    fn directory(
        &self,
        bytes: &mut Bytes,
        offset: u64,
        place: Place,
        ahead: &mut VecDeque<(u64, Place)>,
    ) -> Option<Vec<Field>> {
        let start = self.position(offset)?;
        let (count, table, width) = if self.wide {
            (self.order.u64(bytes.array(start)?), start.checked_add(8)?, 20)
        } else {
            (u64::from(self.order.u16(bytes.array(start)?)), start.checked_add(2)?, 12)
        };
        let room = self.span.end.min(bytes.len()).checked_sub(table)? / width;
        let here = usize::try_from(count.min(room)).ok()?.min(ENTRIES);
        let entries = bytes.at(table, here.checked_mul(usize::try_from(width).ok()?)?)?;
        let positions = (table..).step_by(usize::try_from(width).ok()?);
        let entries = entries.chunks_exact(usize::try_from(width).ok()?).zip(positions);
        let fields = entries.filter_map(|(entry, at)| self.field(entry, at, place)).collect();
        if place == Place::Main || place == Place::Further {
            ahead.extend(self.next(bytes, table, count, width).map(|next| (next, Place::Further)));
        }
        Some(fields)
    }

    fn next(&self, bytes: &mut Bytes, table: u64, count: u64, width: u64) -> Option<u64> {
        let end = table.checked_add(count.checked_mul(width)?)?;
        self.number(bytes, end, if self.wide { 8 } else { 4 })
    }

    fn field(&self, entry: &[u8], at: u64, place: Place) -> Option<Field> {
        let (head, rest) = entry.split_first_chunk::<4>()?;
        let [t0, t1, k0, k1] = *head;
        let (tag, kind) = (self.order.u16([t0, t1]), self.order.u16([k0, k1]));
        let (count, value, inline) = if self.wide {
            let (count, value) = rest.split_first_chunk()?;
            (self.order.u64(*count), self.order.u64(value.try_into().ok()?), 8)
        } else {
            let (count, value) = rest.split_first_chunk()?;
            (u64::from(self.order.u32(*count)), u64::from(self.order.u32(value.try_into().ok()?)), 4)
        };
        let len = count.checked_mul(width_of(kind)?)?;
        let start = if len <= inline { at.checked_add(4 + inline)? } else { self.position(value)? };
        let end = start.checked_add(len).filter(|&end| end <= self.span.end)?;
        Some(Field { place, tag, kind, span: start..end })
    }

    fn offsets(&self, bytes: &mut Bytes, field: &Field) -> Vec<u64> {
        let Some(width) = width_of(field.kind).filter(|&width| width == 4 || width == 8) else { return Vec::new() };
        let Ok(step) = usize::try_from(width) else { return Vec::new() };
        let starts = field.span.clone().step_by(step).take(SUB_IMAGES);
        starts.map_while(|at| self.number(bytes, at, width)).collect()
    }

    /// The number of `width` bytes, 2, 4 or 8, at a position in the file.
    pub(crate) fn number(&self, bytes: &mut Bytes, at: u64, width: u64) -> Option<u64> {
        if at.checked_add(width)? > self.span.end {
            return None;
        }
        match width {
            2 => Some(u64::from(self.order.u16(bytes.array(at)?))),
            4 => Some(u64::from(self.order.u32(bytes.array(at)?))),
            8 => Some(self.order.u64(bytes.array(at)?)),
            _ => None,
        }
    }

    fn position(&self, offset: u64) -> Option<u64> {
        self.span.start.checked_add(offset).filter(|&position| position < self.span.end)
    }
}

/// What the directories describe that a field leads to.
fn leads_to(field: &Field) -> Option<Place> {
    match (field.place, field.tag) {
        (Place::Main | Place::Further, 0x8769) => Some(Place::Exif),
        (Place::Main | Place::Further | Place::Exif, 0x8825) => Some(Place::Gps),
        (Place::Main | Place::Further, 0x014a) => Some(Place::Further),
        _ => None,
    }
}

impl Field {
    /// Its first number, if its type is that of whole numbers.
    pub(crate) fn first_number(&self, bytes: &mut Bytes, layout: &Layout) -> Option<u64> {
        match self.kind {
            3 | 4 | 13 | 16 | 18 => layout.number(bytes, self.span.start, width_of(self.kind)?),
            _ => None,
        }
    }

    /// Its bytes if there are no more than `most`.
    pub(crate) fn value(&self, bytes: &mut Bytes, most: usize) -> Option<Vec<u8>> {
        let len = usize::try_from(self.span.end.checked_sub(self.span.start)?).ok().filter(|&len| len <= most)?;
        bytes.at(self.span.start, len)
    }

    /// Its bytes, no more than the first `most`.
    pub(crate) fn head(&self, bytes: &mut Bytes, most: usize) -> Option<Vec<u8>> {
        let len = self.span.end.checked_sub(self.span.start)?;
        bytes.at(self.span.start, usize::try_from(len).map_or(most, |len| len.min(most)))
    }

    /// Its text, however it is typed; no more than `most` bytes, up to the first NUL.
    pub(crate) fn text(&self, bytes: &mut Bytes, most: usize) -> Option<Vec<u8>> {
        if !matches!(self.kind, 1 | 2 | 7 | 129) {
            return None;
        }
        let mut text = self.head(bytes, most)?;
        text.truncate(memchr::memchr(0, &text).unwrap_or(text.len()));
        Some(text)
    }
}

/// Bytes of one value of a type (TIFF 6.0 § 2; `BigTIFF`; EXIF 3.0 § 4.6.2).
fn width_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 | 129 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}
