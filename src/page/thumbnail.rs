//! Small pictures of files: from the preview that a camera has put into the file, else by decoding the picture itself.
//!
//! Files are opened for reading only. Nothing in them is believed: sizes are bounded before memory is asked for, and
//! whatever cannot be drawn has a word that says why.

mod guard;
mod jpeg;
#[cfg(test)]
mod trial;

use std::io::{self, BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageReader, ImageResult, Limits};
use jpeg_encoder::{ColorType, Encoder};

use crate::hash::{Links, Opened, Status, Trouble};
use crate::media;
use crate::record::Timestamp;

/// The longer side of a thumbnail, in pixels.
const SIDE: u32 = 160;

/// A preview whose longer side has fewer pixels is used only where there is nothing better.
const ENOUGH: u32 = 120;

/// Bytes that decoding one picture may ask for: enough for some 60 million pixels.
const MEMORY: u64 = 192 << 20;

/// Pixels along a side at most.
const LONGEST_SIDE: u32 = 1 << 15;

/// A file without a preview is decoded only up to this length, in bytes.
const LARGEST_FILE: u64 = 96 << 20;

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thumbnail {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) jpeg: Vec<u8>,
}

/// Why a file has no thumbnail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Absence {
    /// It is on another machine.
    Elsewhere,
    /// It is not there.
    Missing,
    /// It is not what its row says.
    Changed,
    /// It cannot be read.
    Unreadable,
    /// It is damaged, or of a kind that no decoder here knows.
    Damaged,
    /// To decode it would take too much memory.
    TooLarge,
    /// It holds no picture that can be shown.
    NoPicture,
    /// There is no room for another on the page.
    NoRoom,
}

impl Absence {
    /// In a word or two; nothing where there is nothing to say.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Missing => "not found",
            Self::Changed => "has changed",
            Self::Unreadable => "unreadable",
            Self::Damaged => "cannot be drawn",
            Self::TooLarge => "too large to draw",
            Self::NoPicture | Self::NoRoom => "",
        }
    }
}

/// What is known of a file from its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) size: u64,
    pub(super) mtime: Option<Timestamp>,
}

/// Opens a file that is still what its row says.
pub(super) fn open(path: &Path, expected: Expected) -> Result<Opened, Absence> {
    let opened = Opened::new(path, Links::Follow).map_err(|trouble| match trouble {
        Trouble::Io(error) if error.kind() == io::ErrorKind::NotFound => Absence::Missing,
        Trouble::Changed => Absence::Changed,
        Trouble::Io(_) | Trouble::NotRegular(_) => Absence::Unreadable,
    })?;
    if is_as(opened.status(), expected) { Ok(opened) } else { Err(Absence::Changed) }
}

/// Whether a look at a file gives what is expected of it.
pub(super) fn is_as(status: &Status, expected: Expected) -> bool {
    status.size == expected.size && expected.mtime.is_none_or(|mtime| mtime.may_be_kept_as(status.mtime))
}

/// Draws what an open file has to show.
pub(super) fn draw(opened: &Opened) -> Result<Thumbnail, Absence> {
    let mut previews = media::previews(opened.file()).map_err(|error| of_reading(&error))?;
    let mut best: Option<DynamicImage> = None;
    for preview in &mut previews {
        // A damaged preview is passed over: the picture itself may be whole.
        let Ok((picture, _)) = decode(Cursor::new(preview)) else { continue };
        let is_enough = picture.width().max(picture.height()) >= ENOUGH;
        best = Some(picture);
        if is_enough {
            return scaled(best.unwrap_or_default(), previews.orientation);
        }
    }
    let whole = match (previews.is_common, opened.status().size) {
        (false, _) => Err(Absence::NoPicture),
        (true, LARGEST_FILE..) => Err(Absence::TooLarge),
        (true, _) => decode(BufReader::new(opened.file())),
    };
    match (whole, best) {
        (Ok((picture, 0)), _) => scaled(picture, previews.orientation),
        (Ok((picture, orientation)), _) => scaled(picture, orientation),
        (Err(_), Some(preview)) => scaled(preview, previews.orientation),
        (Err(absence), None) => Err(absence),
    }
}

/// Decodes a picture of any common format, and says how it is to be turned.
fn decode(reader: impl BufRead + Seek) -> Result<(DynamicImage, u8), Absence> {
    guard::guarded(|| decode_unguarded(reader)).unwrap_or(Err(Absence::Damaged))
}

fn decode_unguarded(mut reader: impl BufRead + Seek) -> Result<(DynamicImage, u8), Absence> {
    let is_jpeg = reader.fill_buf().map_err(|error| of_reading(&error))?.starts_with(&[0xff, 0xd8]);
    // A JPEG's own reader of metadata has told how it is to be turned.
    if is_jpeg {
        jpeg::decode(reader).map(|picture| (picture, 0))
    } else {
        decode_other(reader).map_err(|error| why(&error))
    }
}

fn decode_other(reader: impl BufRead + Seek) -> ImageResult<(DynamicImage, u8)> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::new(reader).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?.to_exif();
    // Decoders count what they take for themselves; the picture that they fill is counted here.
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

fn why(error: &ImageError) -> Absence {
    match error {
        ImageError::Limits(_) => Absence::TooLarge,
        ImageError::IoError(error) => of_reading(error),
        _ => Absence::Damaged,
    }
}

/// Decoders use errors of reading for content that they do not like, too. What the system has not said is no trouble of the disk.
fn of_reading(error: &io::Error) -> Absence {
    if error.raw_os_error().is_some() { Absence::Unreadable } else { Absence::Damaged }
}

/// `orientation` is a number of EXIF; any other leaves the picture as it is.
fn scaled(picture: DynamicImage, orientation: u8) -> Result<Thumbnail, Absence> {
    let is_small = picture.width() <= SIDE && picture.height() <= SIDE;
    let mut small = if is_small { picture } else { picture.thumbnail(SIDE, SIDE) };
    small.apply_orientation(Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms));
    encode(&small).ok_or(Absence::Damaged)
}

fn encode(picture: &DynamicImage) -> Option<Thumbnail> {
    let (width, height) = (u16::try_from(picture.width()).ok()?, u16::try_from(picture.height()).ok()?);
    let rgb: Vec<u8> = picture.to_rgba8().pixels().flat_map(|pixel| on_white(pixel.0)).collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 72);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&rgb, width, height, ColorType::Rgb).ok()?;
    Some(Thumbnail { width, height, jpeg })
}

/// A pixel as it is seen on paper: JPEG has nothing that can be seen through.
fn on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    let alpha = u16::from(alpha);
    [red, green, blue]
        .map(|part| u8::try_from((u16::from(part) * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn drawn(content: &[u8]) -> Result<Thumbnail, Absence> {
        let file = tempfile::NamedTempFile::new().expect("file");
        fs::write(file.path(), content).expect("write");
        let expected = Expected { size: content.len() as u64, mtime: None };
        draw(&open(file.path(), expected).expect("opened"))
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let rgb: Vec<u8> = (0..u32::from(width) * u32::from(height) * 3).map(|at| at.to_le_bytes()[0]).collect();
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, 80).encode(&rgb, width, height, ColorType::Rgb).expect("encoded");
        bytes
    }

    /// A TIFF with LZW whose first code is none, of which the decoder tells as of a read that failed.
    fn undecodable() -> Vec<u8> {
        let numbers: [(u16, u32); 8] =
            [(0x100, 4), (0x101, 4), (0x102, 8), (0x103, 5), (0x106, 1), (0x111, 110), (0x116, 4), (0x117, 16)];
        let entry = |(tag, value): (u16, u32)| {
            [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        let directory: Vec<u8> = numbers.into_iter().flat_map(entry).collect();
        [b"II*\0\x08\0\0\0\x08\0", &directory[..], &[0; 4], &[0xff; 16]].concat()
    }

    #[test]
    fn an_error_that_the_system_has_not_told_is_one_of_the_content() {
        assert_eq!(of_reading(&io::Error::from_raw_os_error(5)), Absence::Unreadable);
        assert_eq!(of_reading(&io::Error::new(io::ErrorKind::InvalidInput, "strip")), Absence::Damaged);
    }

    #[test]
    fn a_picture_is_scaled_down_and_never_up() {
        let size = |content: &[u8]| drawn(content).map(|thumbnail| (thumbnail.width, thumbnail.height));
        assert_eq!(size(&jpeg(640, 320)), Ok((160, 80)));
        assert_eq!(size(&jpeg(20, 30)), Ok((20, 30)));
        assert_eq!(size(&jpeg(2000, 1)), Ok((160, 1)));
    }

    #[test]
    fn what_is_damaged_or_no_picture_says_so() {
        let whole = jpeg(640, 320);
        assert_eq!(drawn(&whole[..whole.len() / 50]), Err(Absence::Damaged));
        assert_eq!(drawn(&undecodable()), Err(Absence::Damaged));
        assert_eq!(drawn(b"a text"), Err(Absence::NoPicture));
        assert_eq!(drawn(b""), Err(Absence::NoPicture));
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_not_decoded() {
        let whole = jpeg(640, 320);
        let at = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
        let mut huge = whole;
        huge[at + 5..at + 9].copy_from_slice(&[0x7f, 0xff, 0x7f, 0xff]);
        huge[at + 1] = 0xc2;
        assert_eq!(drawn(&huge), Err(Absence::TooLarge));
    }

    #[test]
    fn a_file_that_is_not_what_its_row_says_is_not_shown() {
        let file = tempfile::NamedTempFile::new().expect("file");
        fs::write(file.path(), "content").expect("write");
        let absence = |size, mtime| open(file.path(), Expected { size, mtime }).err();
        assert_eq!(absence(7, None), None);
        assert_eq!(absence(8, None), Some(Absence::Changed));
        assert_eq!(absence(7, Some(Timestamp { seconds: 1, nanoseconds: 0 })), Some(Absence::Changed));
        assert_eq!(open(Path::new("/not/there"), Expected { size: 7, mtime: None }).err(), Some(Absence::Missing));
    }

    #[test]
    fn what_can_be_seen_through_is_seen_on_white() {
        assert_eq!(on_white([10, 20, 30, 255]), [10, 20, 30]);
        assert_eq!(on_white([10, 20, 30, 0]), [255; 3]);
    }
}
