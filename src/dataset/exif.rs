//! What cameras write beside the picture: a TIFF structure as Exif 2.31 (CIPA DC-008-2016) defines it.

use chrono::{DateTime, Utc};

use super::plan::Content;

/// The value of one tag.
enum Value {
    Ascii(String),
    Short(u16),
    Long(u32),
    Rational(u32, u32),
    /// Four bytes whose meaning the tag tells.
    Undefined([u8; 4]),
}

impl Value {
    /// Its type and count (TIFF 6.0, section 2) and its bytes.
    fn encode(&self) -> (u16, u32, Vec<u8>) {
        match self {
            Self::Ascii(text) => {
                let bytes = [text.as_bytes(), b"\0"].concat();
                (2, u32::try_from(bytes.len()).unwrap_or(0), bytes)
            }
            Self::Short(number) => (3, 1, number.to_le_bytes().to_vec()),
            Self::Long(number) => (4, 1, number.to_le_bytes().to_vec()),
            Self::Rational(above, below) => (5, 1, [above.to_le_bytes(), below.to_le_bytes()].concat()),
            Self::Undefined(bytes) => (7, 4, bytes.to_vec()),
        }
    }
}

/// A directory of tags, which must be in ascending order.
type Directory = Vec<(u16, Value)>;

/// The header of a little-endian TIFF, whose first directory follows at once.
const HEADER: &[u8; 8] = b"II*\0\x08\0\0\0";

const EXIF_POINTER: u16 = 0x8769;

/// The EXIF block for a picture of `content`, without the marker that JPEG puts before it.
pub(super) fn block(content: &Content, width: u16, height: u16) -> Vec<u8> {
    let mut first = camera_tags(content);
    first.push((EXIF_POINTER, Value::Long(0)));
    let after_first = 8 + length(&first);
    first.pop();
    first.push((EXIF_POINTER, Value::Long(after_first)));
    let mut block = HEADER.to_vec();
    encode(&first, 8, &mut block);
    encode(&picture_tags(content, width, height), after_first, &mut block);
    block
}

fn camera_tags(content: &Content) -> Directory {
    let orientation = *content.random("orientation").pick(&[1, 1, 1, 6, 8, 3]);
    vec![
        (0x010f, Value::Ascii(content.camera.make.to_owned())),
        (0x0110, Value::Ascii(content.camera.model.to_owned())),
        (0x0112, Value::Short(orientation)),
        (0x011a, Value::Rational(72, 1)),
        (0x011b, Value::Rational(72, 1)),
        (0x0128, Value::Short(2)),
        (0x0132, Value::Ascii(clock(content.inside))),
        (0x0213, Value::Short(1)),
    ]
}

fn picture_tags(content: &Content, width: u16, height: u16) -> Directory {
    let mut random = content.random("exposure");
    let mut tags = vec![
        (0x829a, Value::Rational(1, u32::try_from(30 + random.below(970)).unwrap_or(60))),
        (0x829d, Value::Rational(u32::try_from(18 + random.below(90)).unwrap_or(28), 10)),
        (0x8827, Value::Short(*random.pick(&[100, 200, 400, 800]))),
        (0x9000, Value::Undefined(*b"0231")),
        (0x9003, Value::Ascii(clock(content.inside))),
        (0x9004, Value::Ascii(clock(content.inside))),
    ];
    if content.camera.knows_zone {
        tags.push((0x9011, Value::Ascii("+00:00".to_owned())));
    }
    tags.extend([
        (0x9101, Value::Undefined([1, 2, 3, 0])),
        (0x9291, Value::Ascii(format!("{:03}", content.inside.timestamp_subsec_millis()))),
        (0xa000, Value::Undefined(*b"0100")),
        (0xa001, Value::Short(1)),
        (0xa002, Value::Long(u32::from(width))),
        (0xa003, Value::Long(u32::from(height))),
        (0xa420, Value::Ascii(format!("{:016x}{:016x}", random.next(), random.next()))),
    ]);
    tags
}

/// Date and time as EXIF writes them.
fn clock(moment: DateTime<Utc>) -> String {
    moment.format("%Y:%m:%d %H:%M:%S").to_string()
}

/// What a directory takes with its values: a count, twelve bytes a tag, the offset of the next directory, and
/// the values of more than four bytes, each starting at an even offset.
fn length(tags: &Directory) -> u32 {
    let mut length = 2 + 12 * tags.len() + 4;
    for (_, value) in tags {
        let bytes = value.encode().2.len();
        length += if bytes > 4 { bytes.next_multiple_of(2) } else { 0 };
    }
    u32::try_from(length).unwrap_or(0)
}

fn encode(tags: &Directory, offset: u32, block: &mut Vec<u8>) {
    let mut values = Vec::new();
    let mut value_offset = offset + u32::try_from(2 + 12 * tags.len() + 4).unwrap_or(0);
    block.extend(u16::try_from(tags.len()).unwrap_or(0).to_le_bytes());
    for (tag, value) in tags {
        let (kind, count, mut bytes) = value.encode();
        block.extend(tag.to_le_bytes());
        block.extend(kind.to_le_bytes());
        block.extend(count.to_le_bytes());
        if bytes.len() > 4 {
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            block.extend(value_offset.to_le_bytes());
            value_offset += u32::try_from(bytes.len()).unwrap_or(0);
            values.extend(bytes);
        } else {
            bytes.resize(4, 0);
            block.extend(bytes);
        }
    }
    block.extend([0; 4]);
    block.extend(values);
}
