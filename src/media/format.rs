//! What a file is, by its first bytes.

use super::{Kind, mdpm};

/// Formats that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Jpeg,
    Png,
    WebP,
    /// TIFF, and the raw formats that have its header.
    Tiff,
    /// RW2 and ORF: TIFF with another number in its header.
    PanasonicOrOlympus,
    /// RAF.
    Fujifilm,
    /// MRW.
    Minolta,
    /// X3F.
    Sigma,
    Cr3,
    Crw,
    /// HEIC, AVIF, and what else holds metadata in boxes: JPEG XL, JPEG 2000.
    Heif,
    Photoshop,
    Gif,
    /// Pictures that tell nothing of their making.
    OtherStill,
    /// MP4, MOV, M4V, 3GP.
    QuickTime,
    /// Matroska, `WebM`.
    Matroska,
    Avi,
    /// MTS, M2TS.
    TransportStream,
    /// Videos that tell nothing of their making.
    OtherVideo,
}

/// Brands of ISO media that are pictures (ISO/IEC 23008-12 § 10; AV1 Image File Format § 6; ISO/IEC 23000-22 § 10).
const PICTURES: [&[u8; 4]; 14] = [
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1", b"miaf",
    b"avif", b"avis",
];

/// Brands of movies that are often met (ISO/IEC 14496-12 annex E, and those that are registered).
const MOVIES: [&[u8; 4]; 9] = [b"isom", b"iso2", b"iso4", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ", b"3gp4"];

/// Atoms that a `QuickTime` file without a file type may begin with, and what begins a segment of a stream (ISO/IEC
/// 14496-12 § 8.16.2).
const ATOMS: [&[u8; 4]; 8] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid", b"styp"];

/// How much of a file tells its format, in bytes: three packets of a transport stream.
pub(crate) const HEAD: usize = 600;

/// The format of a file that begins with `head`: its first [`HEAD`] bytes, or all of a shorter file.
pub(crate) fn of(head: &[u8]) -> Option<Format> {
    let format = match head {
        [0xff, 0xd8, 0xff, ..] => Format::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Format::Png,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::WebP,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Format::Avi,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Format::Tiff,
        [b'I', b'I', 0x55, 0, ..] | [b'I', b'I', b'R', b'O' | b'S', ..] | [b'M', b'M', b'O', b'R', ..] => {
            Format::PanasonicOrOlympus
        }
        [b'I', b'I', _, _, _, _, b'H', b'E', b'A', b'P', b'C', b'C', b'D', b'R', ..] => Format::Crw,
        [0, b'M', b'R', b'M', ..] => Format::Minolta,
        [b'F', b'O', b'V', b'b', ..] => Format::Sigma,
        [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] | [0, 0, 0, 12, b'j', b'P', b' ' | 0x1a, b' ' | 0x1a, ..] => {
            Format::Heif
        }
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Format::Matroska,
        [b'8', b'B', b'P', b'S', ..] => Format::Photoshop,
        // Pack or sequence header of MPEG-1 and -2; Flash; ASF.
        [0, 0, 1, 0xba | 0xb3, ..] | [b'F', b'L', b'V', 1, ..] | [0x30, 0x26, 0xb2, 0x75, ..] => Format::OtherVideo,
        [b'G', b'I', b'F', b'8', ..] => Format::Gif,
        [0xff, 0x0a, ..] => Format::OtherStill,
        _ if mdpm::is_transport_stream(head) => Format::TransportStream,
        _ if head.starts_with(b"FUJIFILMCCD-RAW") => Format::Fujifilm,
        _ => return iso_media(head),
    };
    Some(format)
}

fn iso_media(head: &[u8]) -> Option<Format> {
    let kind: &[u8; 4] = head.get(4..8)?.try_into().ok()?;
    if kind != b"ftyp" {
        return ATOMS.contains(&kind).then_some(Format::QuickTime);
    }
    let (brand, rest) = head.get(8..)?.split_first_chunk()?;
    if brand == b"crx " {
        return Some(Format::Cr3);
    }
    // The major brand decides; where nobody knows it, those that the file says it is compatible with.
    let len = u32::from_be_bytes(*head.first_chunk()?).saturating_sub(12);
    let rest = rest.get(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or(rest);
    let is = |known: &[&[u8; 4]], brand: &[u8]| known.iter().any(|known| known.as_slice() == brand);
    let mut compatible = rest.chunks_exact(4).skip(1);
    let is_picture = is(&PICTURES, brand)
        || !is(&MOVIES, brand)
            && compatible.clone().any(|brand| is(&PICTURES, brand))
            && !compatible.any(|brand| is(&MOVIES, brand));
    Some(if is_picture { Format::Heif } else { Format::QuickTime })
}

impl Format {
    /// What a file of this format is, where its content tells nothing else.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Format::PanasonicOrOlympus
            | Format::Fujifilm
            | Format::Minolta
            | Format::Sigma
            | Format::Cr3
            | Format::Crw => Kind::Raw,
            Format::QuickTime | Format::Matroska | Format::Avi | Format::TransportStream | Format::OtherVideo => {
                Kind::Video
            }
            _ => Kind::Still,
        }
    }
}
