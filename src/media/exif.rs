//! EXIF (CIPA DC-008): dates with their parts of seconds and offsets, GPS time, camera, and what ties a Live Photo
//! together.

use std::ops::Range;

use super::source::Bytes;
use super::tiff::{Field, Layout, Order, Place};
use super::{Facts, Kind, Source, iptc, jpeg, photoshop, when, xmp};

/// Dates, each with its parts of a second and its offset (CIPA DC-008 § 4.6.5).
const DATES: [(Source, u16, u16, u16); 3] = [
    (Source::ExifOriginal, 0x9003, 0x9291, 0x9011),
    (Source::ExifDigitized, 0x9004, 0x9292, 0x9012),
    (Source::ExifModified, 0x0132, 0x9290, 0x9010),
];

const JPEG_OF_RAW: u16 = 0x002e;
const COMPRESSION: u16 = 0x0103;
const PHOTOMETRIC: u16 = 0x0106;
const MAKE: u16 = 0x010f;
const MODEL: u16 = 0x0110;
const XMP: u16 = 0x02bc;
const IPTC: u16 = 0x83bb;
const PHOTOSHOP: u16 = 0x8649;
const MAKER_NOTE: u16 = 0x927c;
const DNG_VERSION: u16 = 0xc612;
const GPS_TIME: u16 = 0x0007;
const GPS_DATE: u16 = 0x001d;
const APPLE_CONTENT_ID: u16 = 0x0011;

/// So much of a packet of XMP or IPTC is read, in bytes: dates stand at its beginning.
const PACKET: usize = 1 << 20;

/// The longest text that can still be a date, an offset or a name, in bytes.
const TEXT: usize = 128;

/// EXIF without the identifier that it has in JPEG, and that some writers keep.
pub(crate) fn tiff_in(bytes: &mut Bytes, span: Range<u64>) -> Range<u64> {
    let skip = if bytes.array(span.start) == Some(*b"Exif\0") { 6 } else { 0 };
    span.start.saturating_add(skip)..span.end
}

/// Reads a block of EXIF, whose first directory is `root`.
pub(crate) fn read(bytes: &mut Bytes, span: Range<u64>, root: Place, facts: &mut Facts) {
    let span = tiff_in(bytes, span);
    if let Some(layout) = Layout::of(bytes, span) {
        let fields = layout.fields(bytes, root, is_wanted);
        gather(bytes, &layout, &fields, facts);
    }
}

/// Reads a whole file that is TIFF, or a raw format made of it.
pub(crate) fn read_file(bytes: &mut Bytes, facts: &mut Facts) {
    let Some(layout) = Layout::of(bytes, 0..bytes.len()) else { return };
    let fields = layout.fields(bytes, Place::Main, is_wanted);
    facts.kind = if is_raw(bytes, &layout, &fields) { Kind::Raw } else { Kind::Still };
    gather(bytes, &layout, &fields, facts);
    // Of files alone, and not of the blocks of EXIF that these resources may hold in turn.
    if let Some(field) = of(&fields, PHOTOSHOP).next() {
        photoshop::resources(bytes, field.span.clone(), facts);
    }
}

/// Reads a raw file of Panasonic or Olympus: TIFF with another number in its header. In some of Panasonic's only the
/// picture within has EXIF.
pub(crate) fn read_raw(bytes: &mut Bytes, facts: &mut Facts) {
    facts.kind = Kind::Raw;
    let Some(layout) = Layout::of(bytes, 0..bytes.len()) else { return };
    let fields = layout.fields(bytes, Place::Main, is_wanted);
    gather(bytes, &layout, &fields, facts);
    if let Some(picture) = of(&fields, JPEG_OF_RAW).next() {
        jpeg::read(bytes, picture.span.clone(), facts);
    }
}

fn is_wanted(place: Place, tag: u16) -> bool {
    match place {
        Place::Gps => tag == GPS_TIME || tag == GPS_DATE,
        Place::Apple => tag == APPLE_CONTENT_ID,
        Place::Exif | Place::Main | Place::Further => {
            matches!(
                tag,
                JPEG_OF_RAW
                    | COMPRESSION
                    | PHOTOMETRIC
                    | MAKE
                    | MODEL
                    | XMP
                    | IPTC
                    | PHOTOSHOP
                    | MAKER_NOTE
                    | DNG_VERSION
            ) || DATES.iter().any(|&(_, date, parts, offset)| [date, parts, offset].contains(&tag))
        }
    }
}

fn gather(bytes: &mut Bytes, layout: &Layout, fields: &[Field], facts: &mut Facts) {
    for (source, date, parts, offset) in DATES {
        facts.found(
            source,
            of(fields, date).find_map(|field| when::parse(&field.text(bytes, TEXT)?)).map(|moment| {
                let mut first = |tag| of(fields, tag).find_map(|field| field.text(bytes, TEXT)).unwrap_or_default();
                moment.with_subseconds(&first(parts)).with_offset_text(&first(offset))
            }),
        );
    }
    facts.found(Source::Gps, gps(bytes, layout, fields));
    facts.camera(name(bytes, fields, MAKE), name(bytes, fields, MODEL));
    if let Some(note) = of(fields, MAKER_NOTE).next() {
        apple(bytes, note, facts);
    }
    if let Some(packet) = of(fields, XMP).find_map(|field| field.head(bytes, PACKET)) {
        xmp::read(&packet, facts);
    }
    if let Some(records) = of(fields, IPTC).find_map(|field| field.head(bytes, PACKET)) {
        iptc::read(&records, facts);
    }
}

fn of(fields: &[Field], tag: u16) -> impl Iterator<Item = &Field> {
    fields.iter().filter(move |field| field.tag == tag)
}

fn name(bytes: &mut Bytes, fields: &[Field], tag: u16) -> Option<Vec<u8>> {
    of(fields, tag).filter(|field| field.place != Place::Exif).find_map(|field| field.text(bytes, TEXT))
}

/// Date and time of the position (CIPA DC-008 § 4.6.6): a text, and three fractions for hours, minutes and seconds.
fn gps(bytes: &mut Bytes, layout: &Layout, fields: &[Field]) -> Option<when::Moment> {
    let find = |tag| of(fields, tag).find(|field| field.place == Place::Gps);
    let mut text = find(GPS_DATE)?.text(bytes, TEXT)?;
    let time = find(GPS_TIME).filter(|field| field.kind == 5)?.value(bytes, 24)?;
    let mut thousandths = time.chunks_exact(8).map(|fraction| {
        let (above, below) = fraction.split_first_chunk::<4>()?;
        let above = u64::from(layout.order.u32(*above)).checked_mul(1000)?;
        above.checked_div(u64::from(layout.order.u32(below.try_into().ok()?)))
    });
    let (hours, minutes, seconds) = (thousandths.next()??, thousandths.next()??, thousandths.next()??);
    text.truncate(10);
    text.extend_from_slice(format!(" {:02}:{:02}:{:02}", hours / 1000, minutes / 1000, seconds / 1000).as_bytes());
    if !seconds.is_multiple_of(1000) {
        text.extend_from_slice(format!(".{:03}", seconds % 1000).as_bytes());
    }
    when::parse(&text).map(when::Moment::utc)
}

/// An Apple phone's note: a directory at its offset 14, big-endian, whose offsets count from the note's start.
fn apple(bytes: &mut Bytes, note: &Field, facts: &mut Facts) {
    if bytes.array(note.span.start) != Some(*b"Apple iOS\0") {
        return;
    }
    let layout = Layout { span: note.span.clone(), order: Order::Big, wide: false, first: 14 };
    let fields = layout.fields(bytes, Place::Apple, is_wanted);
    let id = of(&fields, APPLE_CONTENT_ID).find_map(|field| field.text(bytes, TEXT));
    facts.content_id = facts.content_id.take().or(id.and_then(|id| super::trimmed(&id)));
}

/// Whether a TIFF is what a sensor saw: DNG, or an image of colour filter values (TIFF/EP § 5.2.1, DNG § 4) or packed
/// the way of a camera maker.
fn is_raw(bytes: &mut Bytes, layout: &Layout, fields: &[Field]) -> bool {
    // Canon's CR2 and Phase One's IIQ say so behind the header.
    let tag = bytes.array(8).unwrap_or([0; 4]);
    tag.starts_with(b"CR\x02")
        || tag == *b"IIII"
        || tag == *b"MMMM"
        || fields.iter().any(|field| match field.tag {
            DNG_VERSION => true,
            PHOTOMETRIC => matches!(field.first_number(bytes, layout), Some(32_803 | 34_892)),
            // Sony ARW, Samsung SRW, Kodak, Nikon NEF, Pentax PEF.
            COMPRESSION => {
                matches!(field.first_number(bytes, layout), Some(32_767 | 32_769 | 32_770 | 34_713 | 65_000 | 65_535))
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests;
