//! GIF: XMP in an application extension (GIF 89a § 26; Adobe, XMP Specification Part 3 § 1.1.2).

use super::source::Bytes;
use super::{Facts, xmp};

/// Longest packet that is read, in bytes.
const PACKET: usize = 1 << 20;

/// How much of the end is searched, in bytes: a packet, with the room that is left in it to grow.
const TAIL: usize = 32 * 1024;

/// Extensions before the first image that are looked at, at most, and parts of one.
const PARTS: usize = 4096;

const XMP: &[u8; 12] = b"\x0bXMP DataXMP";

/// Reads the extensions that stand before the first image, or at the end.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let Some([flags]) = bytes.array(10) else { return };
    let colours = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at: u64 = 13 + colours;
    for _ in 0..PARTS {
        // Anything but an extension is an image, or the end.
        let Some([0x21, label]) = bytes.array(at) else { return at_the_end(bytes, facts) };
        let content = at.saturating_add(2);
        if label == 0xff && bytes.array(content).as_ref() == Some(XMP) {
            let packet = bytes.up_to(content.saturating_add(12), PACKET).unwrap_or_default();
            return xmp::read(&packet, facts);
        }
        let Some(next) = behind(bytes, content) else { return };
        at = next;
    }
}

/// Reads a packet that stands behind the images, right before the end, where other programs add it.
fn at_the_end(bytes: &mut Bytes, facts: &mut Facts) {
    let start = bytes.len().saturating_sub(TAIL as u64);
    let tail = bytes.up_to(start, TAIL).unwrap_or_default();
    let extension = [b"\x21\xff", &XMP[..]].concat();
    if let Some(found) = memchr::memmem::rfind(&tail, &extension) {
        xmp::read(tail.get(found + extension.len()..).unwrap_or_default(), facts);
    }
}

/// Where parts, each behind its length, end with one of no length.
fn behind(bytes: &mut Bytes, mut at: u64) -> Option<u64> {
    for _ in 0..PARTS {
        let [len] = bytes.array(at)?;
        at = at.checked_add(1)?.checked_add(u64::from(len))?;
        if len == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::super::trial::{dates, survives_damage};
    use super::read;

    fn picture(flags: u8, colours: usize, extensions: &[u8]) -> Vec<u8> {
        [b"GIF89a\x01\0\x01\0", &[flags, 0, 0][..], &vec![0; colours], extensions, b"\x2c\0\0\0\0\x01\0\x01\0\0"]
            .concat()
    }

    fn with_xmp() -> Vec<u8> {
        let packet = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:CreateDate='2019-01-02T03:04:05'/>\
             </rdf:RDF></x:xmpmeta>";
        let looped = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0";
        let trailer: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).chain([0]).collect();
        picture(0x91, 12, &[looped, &b"\x21\xff\x0bXMP DataXMP"[..], packet.as_bytes(), &trailer].concat())
    }

    #[test]
    fn the_packet_is_found_behind_other_extensions() {
        assert_eq!(dates(&with_xmp(), read), [(Source::XmpCreate, "2019-01-02 03:04:05".to_owned())]);
    }

    #[test]
    fn the_packet_is_found_behind_the_images() {
        let extension = with_xmp().split_off(13 + 12 + 19);
        let content = [&picture(0, 0, b"")[..], &vec![0; 40_000][..], &extension, b"\x3b"].concat();
        assert_eq!(dates(&content, read), [(Source::XmpCreate, "2019-01-02 03:04:05".to_owned())]);
    }

    #[test]
    fn pictures_without_a_packet_tell_nothing() {
        for content in [picture(0, 0, b""), picture(0xf7, 768, b"\x21\xf9\x04\0\0\0\0\0"), b"GIF89a".to_vec()] {
            assert!(dates(&content, read).is_empty());
        }
    }

    #[test]
    fn damage_does_no_harm() {
        survives_damage(&[with_xmp()], read);
    }
}
