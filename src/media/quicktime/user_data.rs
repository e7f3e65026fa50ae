//! The user data of a movie: lists of small texts, in three manners, and the boxes of makers.

use super::super::bmff::Part;
use super::super::source::Bytes;
use super::super::{Facts, Source, trimmed};
use super::{keys, maker};

/// A text longer than this, in bytes, is no date and no name.
const TEXT: usize = 1024;

/// Collects what a `udta` box says. The date of the recording goes before ©day, which may be that of a publication.
pub(super) fn read(user_data: Part, bytes: &mut Bytes, facts: &mut Facts) {
    let mut boxes = user_data.parts(0);
    let (mut day, mut meta) = (None, None);
    while let Some(part) = boxes.next(bytes) {
        match &part.kind {
            b"meta" => meta = meta.or(Some(part)),
            b"\xA9day" | b"@day" => day = day.or(Some(part)),
            b"date" | b"IDIT" => date(part, bytes, facts),
            b"\xA9mak" | b"@mak" | b"manu" => name(part, bytes, &mut facts.make),
            b"\xA9mod" | b"\xA9mdl" | b"@mod" | b"modl" | b"CNMN" | b"cmnm" => name(part, bytes, &mut facts.model),
            _ => maker::read(part, bytes, facts),
        }
    }
    if let Some(day) = day {
        date(day, bytes, facts);
    }
    if let Some(meta) = meta {
        keys::read(meta, bytes, facts);
    }
}

/// A box whose text is a date with a time.
pub(super) fn date(part: Part, bytes: &mut Bytes, facts: &mut Facts) {
    if let Some(content) = part.content(bytes, TEXT) {
        facts.found_text(Source::QtUserData, text(part.kind, &content));
    }
}

fn name(part: Part, bytes: &mut Bytes, field: &mut Option<String>) {
    if let Some(content) = part.content(bytes, TEXT) {
        fill(field, text(part.kind, &content));
    }
}

/// The text of a user data box. Apple's begin with a length and a language, 2 bytes each, for types that begin with ©
/// (`QuickTime File Format Specification`, "User Data Text Strings"); those of 3GPP with version, flags and language, 6
/// bytes (3GPP TS 26.244 § 8); some cameras write the bare text, whatever the type.
fn text(kind: [u8; 4], content: &[u8]) -> &[u8] {
    if let (0xA9, [high, low, _, _, rest @ ..]) = (kind[0], content)
        && let Some(text @ [_, ..]) = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
    {
        return text;
    }
    match content {
        [0, 0, 0, 0, _, _, rest @ ..] => rest,
        _ => content,
    }
}

/// Fills what is not known yet with a text, up to its first NUL.
pub(super) fn fill(field: &mut Option<String>, text: &[u8]) {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    *field = field.take().or_else(|| trimmed(text));
}
