//! PNG (third edition): chunks with EXIF, XMP, texts and the time of the last change.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, Source, exif, iptc, photoshop, when, xmp};

/// Chunks looked at, at most: those of a 60 MB picture that holds its data in pieces of 8 KiB.
const CHUNKS: usize = 8000;

/// So much of a text is read, and so much inflated, in bytes.
const MOST: usize = 1 << 20;

/// Texts that are read at most, of those that may tell a date, so that a file of nothing but such costs little.
const TEXTS: usize = 16;

/// Longest keyword, in bytes (§ 11.3.3.2), with the zero behind it.
const KEYWORD: usize = 80;

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
                if let Some(subject) = subject(bytes, &content) {
                    let Some(left) = texts.checked_sub(1) else { return };
                    texts = left;
                    tell(subject, &text(bytes, kind, &content).unwrap_or_default(), facts);
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

/// What a text is about.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Created,
    Xmp,
    /// Bytes in hexadecimal, as `ImageMagick` and `ExifTool` write: the content of a JPEG's APP1 segment,
    App1,
    /// a packet,
    RawXmp,
    /// or records, bare or within Photoshop's resources.
    RawIptc,
}

/// What a textual chunk is about, by its keyword; `None` for all that tells no date.
fn subject(bytes: &mut Bytes, content: &Range<u64>) -> Option<Subject> {
    let len = usize::try_from(content.end.checked_sub(content.start)?).map_or(KEYWORD, |len| len.min(KEYWORD));
    let head = bytes.at(content.start, len)?;
    match cut(&head)?.0 {
        // The second is what other programs write for it.
        b"Creation Time" | b"create-date" => Some(Subject::Created),
        b"XML:com.adobe.xmp" => Some(Subject::Xmp),
        b"Raw profile type exif" | b"Raw profile type APP1" => Some(Subject::App1),
        b"Raw profile type xmp" => Some(Subject::RawXmp),
        b"Raw profile type iptc" | b"Raw profile type 8bim" => Some(Subject::RawIptc),
        _ => None,
    }
}

/// The text of a textual chunk (§ 11.3.3), inflated.
fn text(bytes: &mut Bytes, kind: [u8; 4], content: &Range<u64>) -> Option<Vec<u8>> {
    let len = content.end.checked_sub(content.start)?;
    let content = bytes.at(content.start, usize::try_from(len).map_or(MOST, |len| len.min(MOST)))?;
    let (_keyword, rest) = cut(&content)?;
    match &kind {
        b"tEXt" => Some(rest.to_vec()),
        b"zTXt" => Some(inflated(rest.get(1..)?)),
        _ => {
            let ([packed, _], rest) = rest.split_first_chunk()?;
            let (_language, rest) = cut(rest)?;
            let (_translated, text) = cut(rest)?;
            Some(if *packed == 1 { inflated(text) } else { text.to_vec() })
        }
    }
}

/// What stands before the first NUL, and behind it.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let nul = memchr::memchr(0, text)?;
    Some((text.get(..nul)?, text.get(nul.checked_add(1)?..)?))
}

/// As much as inflates, no more than [`MOST`].
fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // What is damaged inflates up to the damage, which is what can be had.
    match ZlibDecoder::new(packed).take(MOST as u64).read_to_end(&mut text) {
        Ok(_) | Err(_) => text,
    }
}

fn tell(subject: Subject, text: &[u8], facts: &mut Facts) {
    match subject {
        Subject::Created => facts.found(Source::PngCreation, when::parse(text)),
        Subject::Xmp => xmp::read(text, facts),
        Subject::App1 => app1(&profile(text), facts),
        Subject::RawXmp => xmp::read(&profile(text), facts),
        Subject::RawIptc => {
            let records = profile(text);
            let whole = 0..records.len() as u64;
            photoshop::resources(&mut Bytes::of(&records), whole, facts);
            iptc::read(&records, facts);
        }
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
