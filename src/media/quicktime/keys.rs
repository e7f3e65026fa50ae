//! Metadata boxes: pairs of key and value, by name or by four bytes.
//!
//! In `QuickTime`'s own form a list of names stands before the values, which refer to it by number (Apple, `QuickTime
//! File Format Specification`, "Metadata"); in the form of iTunes a value's type is its key.

use super::super::bmff::Part;
use super::super::source::Bytes;
use super::super::{Facts, Source, when};
use super::user_data::fill;

/// A list of names longer than this, in bytes, is read so far. Phones write about twenty of 30 bytes each.
const NAMES: usize = 64 << 10;

/// Names that are remembered, of those that are asked for. There are seven.
const REMEMBERED: usize = 64;

/// A value longer than this, in bytes, is no date and no name.
const VALUE: usize = 1024;

/// What a value tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    CreationDate,
    Day,
    Make,
    Model,
    ContentId,
    UtcOffset,
}

/// Collects what a `meta` box says.
pub(super) fn read(meta: Part, bytes: &mut Bytes, facts: &mut Facts) {
    let mut names = Vec::new();
    let mut boxes = meta.meta_parts(bytes);
    while let Some(part) = boxes.next(bytes) {
        match &part.kind {
            b"keys" => names = numbered(&part.head(bytes, NAMES).unwrap_or_default()),
            b"ilst" => values(part, &names, bytes, facts),
            _ => {}
        }
    }
}

/// The keys that are asked for, each with its number, from 1.
fn numbered(content: &[u8]) -> Vec<(u32, Key)> {
    let mut keys = Vec::new();
    let mut rest = content.get(8..).unwrap_or_default();
    let mut number = 0;
    while keys.len() < REMEMBERED
        && let Some((size, _)) = rest.split_first_chunk()
    {
        let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
        let Some(name) = rest.get(8..size) else { break };
        number += 1;
        keys.extend(named(name).map(|key| (number, key)));
        rest = rest.get(size..).unwrap_or_default();
    }
    keys
}

fn named(name: &[u8]) -> Option<Key> {
    let name = name.strip_suffix(b"\0").unwrap_or(name);
    Some(match name {
        b"com.apple.quicktime.creationdate" => Key::CreationDate,
        b"com.apple.quicktime.make" | b"com.android.manufacturer" => Key::Make,
        b"com.apple.quicktime.model" | b"com.android.model" => Key::Model,
        b"com.apple.quicktime.content.identifier" => Key::ContentId,
        b"com.samsung.android.utc_offset" | b"samsung.android.utc_offset" => Key::UtcOffset,
        _ => return None,
    })
}

fn values(list: Part, names: &[(u32, Key)], bytes: &mut Bytes, facts: &mut Facts) {
    let mut items = list.parts(0);
    while let Some(item) = items.next(bytes) {
        let number = u32::from_be_bytes(item.kind);
        let key = match &item.kind {
            b"\xA9day" => Some(Key::Day),
            b"\xA9mak" => Some(Key::Make),
            b"\xA9mod" => Some(Key::Model),
            _ => names.iter().find(|(of, _)| *of == number).map(|&(_, key)| key),
        };
        if let Some(key) = key
            && let Some(data) = item.parts(0).find(bytes, *b"data")
            && let Some(content) = data.content(bytes, VALUE)
            // Behind the type of the value and its locale, 4 bytes each.
            && let Some(value) = content.get(8..)
        {
            tell(key, value, facts);
        }
    }
}

fn tell(key: Key, value: &[u8], facts: &mut Facts) {
    match key {
        Key::CreationDate => facts.found_text(Source::QtCreationDate, value),
        Key::Day => facts.found_text(Source::QtUserData, value),
        Key::Make => fill(&mut facts.make, value),
        Key::Model => fill(&mut facts.model, value),
        Key::ContentId => fill(&mut facts.content_id, value),
        Key::UtcOffset => facts.utc_offset = facts.utc_offset.or_else(|| when::offset(value)),
    }
}
