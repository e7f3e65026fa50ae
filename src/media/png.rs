//! PNG (third edition): chunks with EXIF, XMP, texts and the time of the last change.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, Source, exif, iptc, photoshop, when, xmp};

/// Chunks looked at, at most: those of a 60 MB picture that holds its data in pieces of 8 KiB.
const CHUNKS: usize = 8000;

/// Longest text that is read or inflated, in bytes.
const LONGEST: u64 = 1 << 20;

/// Inflated texts together at most, in number, so that a file of nothing but such costs little.
const TEXTS: usize = 64;

/// Reads the chunks behind the 8 bytes of signature.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let mut at = 8;
    let mut texts = TEXTS;
    for _ in 0..CHUNKS {
        let Some((kind, content)) = chunk(bytes, at) else { return };
        match &kind {
            b"IEND" => return,
            b"eXIf" => exif::read(bytes, content.clone(), Place::Main, facts),
            b"tIME" => time(bytes, &content, facts),
            b"tEXt" | b"zTXt" | b"iTXt" => {
                let Some(left) = texts.checked_sub(1) else { return };
                texts = left;
                if let Some((keyword, value)) = text(bytes, kind, &content) {
                    tell(&keyword, &value, facts);
                }
            }
            _ => {}
        }
        let Some(next) = content.end.checked_add(4) else { return };
        at = next;
    }
}

/// Type and content of the chunk at a position (§ 5.3).
fn chunk(bytes: &mut Bytes, at: u64) -> Option<([u8; 4], Range<u64>)> {
    let [l0, l1, l2, l3, kind @ ..]: [u8; 8] = bytes.array(at)?;
    let start = at.checked_add(8)?;
    let end = start.checked_add(u64::from(u32::from_be_bytes([l0, l1, l2, l3])))?;
    Some((kind, start..end.min(bytes.len())))
}

/// The last change, in UTC (§ 11.3.5.1).
fn time(bytes: &mut Bytes, content: &Range<u64>, facts: &mut Facts) {
    let Some([high, low, month, day, hour, minute, second]) = bytes.array(content.start) else { return };
    let year = u16::from_be_bytes([high, low]);
    let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    facts.found(Source::PngTime, when::parse(text.as_bytes()).map(when::Moment::utc));
}

/// Keyword and text of a textual chunk (§ 11.3.3), inflated.
fn text(bytes: &mut Bytes, kind: [u8; 4], content: &Range<u64>) -> Option<(Vec<u8>, Vec<u8>)> {
    let len = content.end.checked_sub(content.start).filter(|&len| len <= LONGEST)?;
    let content = bytes.at(content.start, usize::try_from(len).ok()?)?;
    let (keyword, rest) = cut(&content)?;
    let value = match &kind {
        b"tEXt" => rest.to_vec(),
        b"zTXt" => inflated(rest.get(1..)?),
        _ => {
            let ([packed, _], rest) = rest.split_first_chunk()?;
            let (_language, rest) = cut(rest)?;
            let (_translated, text) = cut(rest)?;
            if *packed == 1 { inflated(text) } else { text.to_vec() }
        }
    };
    Some((keyword.to_vec(), value))
}

/// What stands before the first NUL, and behind it.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let nul = memchr::memchr(0, text)?;
    Some((text.get(..nul)?, text.get(nul.checked_add(1)?..)?))
}

/// As much as inflates, no more than [`LONGEST`].
fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // What is damaged inflates up to the damage, which is what can be had.
    match ZlibDecoder::new(packed).take(LONGEST).read_to_end(&mut text) {
        Ok(_) | Err(_) => text,
    }
}

fn tell(keyword: &[u8], value: &[u8], facts: &mut Facts) {
    match keyword {
        // The second is what XnView writes.
        b"Creation Time" | b"create-date" => facts.found(Source::PngCreation, when::parse(value)),
        b"XML:com.adobe.xmp" => xmp::read(value, facts),
        // As `ImageMagick` and `ExifTool` write: the name, the length, and the bytes in hexadecimal.
        b"Raw profile type exif" | b"Raw profile type APP1" => app1(&profile(value), facts),
        b"Raw profile type xmp" => xmp::read(&profile(value), facts),
        b"Raw profile type iptc" => {
            let records = profile(value);
            let whole = 0..records.len() as u64;
            // Bare, or within Photoshop's resources.
            photoshop::resources(&mut Bytes::of(&records), whole, facts);
            iptc::read(&records, facts);
        }
        _ => {}
    }
}

/// The content of a JPEG's APP1 segment: EXIF or XMP.
fn app1(content: &[u8], facts: &mut Facts) {
    if let Some(packet) = content.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
        return xmp::read(packet, facts);
    }
    exif::read(&mut Bytes::of(content), 0..content.len() as u64, Place::Main, facts);
}

/// The bytes of a raw profile: behind a line with its name and one with its length.
fn profile(text: &[u8]) -> Vec<u8> {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let mut lines = text.get(start..).unwrap_or_default().splitn(3, |&byte| byte == b'\n');
    let digits = lines.nth(2).unwrap_or_default();
    let nibbles: Vec<u8> = digits.iter().filter_map(|&digit| char::from(digit).to_digit(16)?.try_into().ok()).collect();
    nibbles.chunks_exact(2).filter_map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect()
}

#[cfg(test)]
mod tests;
