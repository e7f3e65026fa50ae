//! WebP (RFC 9649): chunks of RIFF with EXIF and XMP.

use super::source::Bytes;
use super::tiff::Place;
use super::{Facts, exif, xmp};

/// Chunks looked at, at most: an animation has a few for each picture.
const CHUNKS: usize = 4096;

/// Longest packet of XMP that is read, in bytes.
const PACKET: u64 = 1 << 20;

/// Reads the chunks behind the 12 bytes of header.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let len_of_file = bytes.len();
    let mut at = 12;
    for _ in 0..CHUNKS {
        let Some([kind @ .., l0, l1, l2, l3]) = bytes.array::<8>(at) else { return };
        let len = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        let Some(start) = at.checked_add(8) else { return };
        let Some(end) = start.checked_add(len) else { return };
        match &kind {
            b"EXIF" => exif::read(bytes, start..end.min(len_of_file), Place::Main, facts),
            b"XMP " => {
                let packet = usize::try_from(len.min(PACKET)).ok().and_then(|len| bytes.up_to(start, len));
                xmp::read(&packet.unwrap_or_default(), facts);
            }
            _ => {}
        }
        // Padded to an even length.
        let Some(next) = end.checked_add(len % 2) else { return };
        at = next;
    }
}
