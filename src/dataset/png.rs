//! PNG screenshots with a creation time (PNG Third Edition, W3C 2025).

use std::borrow::Cow;
use std::io::{self, Write};

use chrono::{Datelike as _, Timelike as _};
use png::{BitDepth, ColorType, Compression, Encoder, Info};

use super::exif;
use super::fill::{BLOCK, Fill, pieces};
use super::picture::Scene;
use super::plan::Content;

/// Length, type and checksum of a chunk.
const OVERHEAD: u64 = 12;

/// A chunk that only fills: by the cases of its letters ancillary, private and safe to copy (5.4).
const FILL_TYPE: &[u8; 4] = b"msPd";

/// The chunk that ends the file has no data.
const END_LENGTH: usize = 12;

/// Writes the whole content, with the filling between the picture and the end.
pub(super) fn write(content: &Content, out: &mut impl Write) -> io::Result<()> {
    let image = encode(content)?;
    let (start, end) = image.split_at(image.len().saturating_sub(END_LENGTH));
    let padding = content.size.checked_sub(image.len() as u64).filter(|left| *left >= OVERHEAD);
    let padding = padding.ok_or_else(|| io::Error::other("the picture came out too large"))?;
    out.write_all(start)?;
    write_filling(content, padding, out)?;
    out.write_all(end)
}

fn write_filling(content: &Content, padding: u64, out: &mut impl Write) -> io::Result<()> {
    // Where alike contents differ in the middle, so does a checksum, which must not lie near the end.
    let chunks = pieces(padding, OVERHEAD, (padding / 8).clamp(64, BLOCK as u64));
    let mut fill = Fill::new(content, padding - chunks.len() as u64 * OVERHEAD);
    let mut buffer = vec![0; BLOCK];
    for chunk in chunks {
        let length = u32::try_from(chunk - OVERHEAD).unwrap_or(0);
        let data = &mut buffer[..length as usize];
        fill.next(data);
        out.write_all(&length.to_be_bytes())?;
        write_checked(&[FILL_TYPE, data], out)?;
    }
    Ok(())
}

/// Writes the parts of a chunk and the checksum that covers them.
fn write_checked(parts: &[&[u8]], out: &mut impl Write) -> io::Result<()> {
    let mut checksum = crc32fast::Hasher::new();
    for part in parts {
        checksum.update(part);
        out.write_all(part)?;
    }
    out.write_all(&checksum.finalize().to_be_bytes())
}

fn encode(content: &Content) -> io::Result<Vec<u8>> {
    let (width, height) = match content.size {
        0..32_000 => (32, 24),
        32_000..128_000 => (96, 64),
        _ => (160, 120),
    };
    let picture = Scene::new(&mut content.random("picture")).draw(width, height);
    let mut info = Info::with_size(u32::from(width), u32::from(height));
    (info.color_type, info.bit_depth) = (ColorType::Rgb, BitDepth::Eight);
    info.exif_metadata = Some(Cow::Owned(exif::block(content, width, height)));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::with_info(&mut bytes, info)?;
    encoder.set_compression(Compression::Fast);
    // RFC 3339, as the specification recommends for this keyword (11.3.3.1).
    let created = content.inside.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    encoder.add_text_chunk("Creation Time".to_owned(), created)?;
    let mut writer = encoder.write_header()?;
    writer.write_chunk(png::chunk::tIME, &last_change(content))?;
    writer.write_image_data(&picture.rgb)?;
    writer.finish()?;
    Ok(bytes)
}

/// The data of a tIME chunk, in UTC (11.3.4.1).
fn last_change(content: &Content) -> [u8; 7] {
    let moment = content.inside;
    let [high, low] = u16::try_from(moment.year()).unwrap_or(0).to_be_bytes();
    let byte = |number: u32| u8::try_from(number).unwrap_or(0);
    let (month, day) = (byte(moment.month()), byte(moment.day()));
    [high, low, month, day, byte(moment.hour()), byte(moment.minute()), byte(moment.second())]
}
