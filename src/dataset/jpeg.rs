//! JPEG photos with EXIF data (ITU-T T.81, Exif 2.31).

use std::io::{self, Write};

use jpeg_encoder::{ColorType, Encoder};

use super::exif;
use super::fill::{Fill, pieces};
use super::picture::{Picture, Scene};
use super::plan::Content;

/// Marker, length and identifier of a segment that only fills.
const FILL_OVERHEAD: u64 = 4 + FILL_NAME.len() as u64;

/// Application segments begin with a name that ends in NUL, and readers pass over those they do not know.
const FILL_NAME: &[u8; 12] = b"mediastruct\0";

/// The marker APP15, which no common program reads.
const FILL_MARKER: [u8; 2] = [0xff, 0xef];

/// A segment's length has two bytes and counts itself, but not the marker.
const LONGEST_SEGMENT: u64 = 2 + 65_535;

/// Writes the whole content: the EXIF segment first, as Exif 4.5.4 demands, then the filling, then the picture.
pub(super) fn write(content: &Content, out: &mut impl Write) -> io::Result<()> {
    let (width, height) = match content.size {
        0..8_000 => (48, 32),
        8_000..64_000 => (96, 64),
        _ => (256, 176),
    };
    let picture = encode(&Scene::new(&mut content.random("picture")).draw(width, height), true)?;
    let exif = exif::block(content, width, height);
    let head = [b"\xff\xd8\xff\xe1", &be16(exif.len() + 8)[..], b"Exif\0\0", &exif].concat();
    let tail = without_jfif(&picture);
    let padding = content.size.checked_sub((head.len() + tail.len()) as u64).filter(|left| *left >= FILL_OVERHEAD);
    let padding = padding.ok_or_else(|| io::Error::other("the picture came out too large"))?;
    out.write_all(&head)?;
    write_filling(content, padding, out)?;
    out.write_all(tail)
}

fn write_filling(content: &Content, padding: u64, out: &mut impl Write) -> io::Result<()> {
    let segments = pieces(padding, FILL_OVERHEAD, LONGEST_SEGMENT);
    let mut fill = Fill::new(content, padding - segments.len() as u64 * FILL_OVERHEAD);
    for segment in segments {
        out.write_all(&FILL_MARKER)?;
        out.write_all(&be16(usize::try_from(segment - 2).unwrap_or(0)))?;
        out.write_all(FILL_NAME)?;
        fill.write(segment - FILL_OVERHEAD, out)?;
    }
    Ok(())
}

fn be16(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes()
}

/// A picture as JPEG. `small` spends time to save some hundred bytes of tables, which movies have in every frame.
pub(super) fn encode(picture: &Picture, small: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 75);
    encoder.set_optimized_huffman_tables(small);
    encoder.encode(&picture.rgb, picture.width, picture.height, ColorType::Rgb).map_err(io::Error::other)?;
    Ok(bytes)
}

/// What follows the start marker and the JFIF segment, whose place the EXIF segment takes.
fn without_jfif(picture: &[u8]) -> &[u8] {
    match picture {
        [0xff, 0xd8, 0xff, 0xe0, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            picture.get(4 + length..).unwrap_or_default()
        }
        _ => picture.get(2..).unwrap_or_default(),
    }
}
