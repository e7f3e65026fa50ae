//! Dates of Matroska and `WebM` (RFC 9559; elements as in EBML, RFC 8794).
//!
//! `Info` and `Tags` stand before the pictures and sound or are found by way of `SeekHead`; clusters are not searched.

use super::source::Bytes;
use super::{Facts, Source, when};

// Element IDs, RFC 9559 § 5.1.
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const SEEK: u32 = 0x4DBB;
const SEEK_ID: u32 = 0x53AB;
const SEEK_POSITION: u32 = 0x53AC;
const INFO: u32 = 0x1549_A966;
const DATE_UTC: u32 = 0x4461;
const CLUSTER: u32 = 0x1F43_B675;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;

/// Elements of the segment that are looked at, and positions that are followed. Files have about ten.
const STEPS: usize = 256;

/// A name or a date longer than this, in bytes, is neither.
const TEXT: u64 = 256;

/// Collects what a Matroska file says of its making.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    let mut elements = Elements { at: 0, end: bytes.len() };
    if let Some(segment) = elements.find(bytes, SEGMENT) {
        Search { bytes, facts, origin: segment.start, seek: Vec::new(), seen: Vec::new() }.segment(segment);
    }
}

/// An element: its ID and where its content stands.
#[derive(Debug, Clone, Copy)]
struct Element {
    id: u32,
    start: u64,
    end: u64,
    /// Whether its end is told.
    sized: bool,
}

impl Element {
    fn elements(self) -> Elements {
        Elements { at: self.start, end: self.end }
    }

    fn content(self, bytes: &mut Bytes) -> Option<Vec<u8>> {
        let len = self.end.checked_sub(self.start).filter(|&len| self.sized && len <= TEXT)?;
        bytes.at(self.start, usize::try_from(len).ok()?)
    }

    /// Its content as a number, big-endian (RFC 8794 § 7.2).
    fn unsigned(self, bytes: &mut Bytes) -> Option<u64> {
        let content = self.content(bytes).filter(|content| content.len() <= 8)?;
        Some(content.iter().fold(0, |sum, &byte| (sum << 8) | u64::from(byte)))
    }
}

/// A walk over the elements that stand side by side in a range. Every step goes forward by 2 bytes or more.
struct Elements {
    at: u64,
    end: u64,
}

impl Elements {
    fn next(&mut self, bytes: &mut Bytes) -> Option<Element> {
        let room = self.end.checked_sub(self.at).filter(|&room| room >= 2)?;
        // An ID takes 4 bytes at most, a size 8.
        let head = bytes.up_to(self.at, usize::try_from(room.min(12)).ok()?)?;
        let (id, id_len) = number(&head, 4)?;
        let (size, size_len) = number(head.get(id_len..)?, 8)?;
        let mask = u64::MAX >> (64 - 7 * size_len);
        let start = self.at.checked_add(u64::try_from(id_len + size_len).ok()?)?;
        // All ones: the size is not known, the element goes on as long as what encloses it (RFC 8794 § 6.2).
        let len = Some(size & mask).filter(|&len| len != mask);
        let end = len.and_then(|len| start.checked_add(len)).filter(|&end| end <= self.end);
        self.at = end.unwrap_or(self.end);
        Some(Element { id: u32::try_from(id).ok()?, start, end: self.at, sized: end.is_some() })
    }

    fn find(&mut self, bytes: &mut Bytes, id: u32) -> Option<Element> {
        loop {
            let element = self.next(bytes)?;
            if element.id == id {
                return Some(element);
            }
        }
    }
}

/// A number of variable length with its marker (RFC 8794 § 4), and its length in bytes, `most` at most.
fn number(bytes: &[u8], most: usize) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = usize::try_from(first.leading_zeros()).ok()? + 1;
    let number = bytes.get(..len).filter(|_| len <= most)?;
    Some((number.iter().fold(0, |sum, &byte| (sum << 8) | u64::from(byte)), len))
}

struct Search<'s, 'f> {
    bytes: &'s mut Bytes<'f>,
    facts: &'s mut Facts,
    /// What positions in `SeekHead` count from.
    origin: u64,
    /// Positions that `SeekHead` tells.
    seek: Vec<u64>,
    /// Where the elements began that were looked at.
    seen: Vec<u64>,
}

impl Search<'_, '_> {
    fn segment(&mut self, segment: Element) {
        let mut elements = segment.elements();
        for _ in 0..STEPS {
            let Some(element) = elements.next(self.bytes) else { break };
            if element.id == CLUSTER && !self.seek.is_empty() {
                break;
            }
            self.look(element);
        }
        for turn in 0..STEPS {
            let Some(&at) = self.seek.get(turn) else { break };
            if let Some(element) = (Elements { at, end: segment.end }).next(self.bytes) {
                self.look(element);
            }
        }
    }

    fn look(&mut self, element: Element) {
        if self.seen.contains(&element.start) {
            return;
        }
        match element.id {
            SEEK_HEAD => self.seek_head(element),
            INFO => self.info(element),
            TAGS => self.tags(element),
            _ => return,
        }
        self.seen.push(element.start);
    }

    fn seek_head(&mut self, head: Element) {
        let mut entries = head.elements();
        while self.seek.len() < STEPS
            && let Some(entry) = entries.find(self.bytes, SEEK)
        {
            let id = entry.elements().find(self.bytes, SEEK_ID).and_then(|id| id.unsigned(self.bytes));
            let wanted = [SEEK_HEAD, INFO, TAGS].map(u64::from);
            if id.is_some_and(|id| wanted.contains(&id))
                && let Some(position) = entry.elements().find(self.bytes, SEEK_POSITION)
                && let Some(position) = position.unsigned(self.bytes)
            {
                self.seek.extend(self.origin.checked_add(position));
            }
        }
    }

    fn info(&mut self, info: Element) {
        if let Some(date) = info.elements().find(self.bytes, DATE_UTC)
            && let Some(content) = date.content(self.bytes)
            && let Ok(nanoseconds) = content.try_into().map(i64::from_be_bytes)
        {
            self.facts.found(Source::MkvDateUtc, when::from_2001_nanoseconds(nanoseconds));
        }
    }

    fn tags(&mut self, tags: Element) {
        let mut tags = tags.elements();
        while let Some(tag) = tags.find(self.bytes, TAG) {
            let mut simple = tag.elements();
            while let Some(tag) = simple.find(self.bytes, SIMPLE_TAG) {
                self.simple_tag(tag);
            }
        }
    }

    fn simple_tag(&mut self, tag: Element) {
        let name = tag.elements().find(self.bytes, TAG_NAME).and_then(|name| name.content(self.bytes));
        if name.is_some_and(|name| name.eq_ignore_ascii_case(b"DATE_RECORDED"))
            && let Some(text) = tag.elements().find(self.bytes, TAG_STRING)
            && let Some(text) = text.content(self.bytes)
        {
            self.facts.found_text(Source::MkvRecorded, &text);
        }
    }
}

#[cfg(test)]
mod tests;
