//! The date of AVI: the chunk `IDIT` in the header list (Microsoft, `AVI RIFF File Reference`; the chunk is from
//! `OpenDML` digitizers and cameras).

use super::source::Bytes;
use super::{Facts, Source};

/// Chunks that are looked at side by side. Files have about five, header lists one per stream and a few more.
const CHUNKS: usize = 256;

/// A date longer than this, in bytes, is none.
const DATE: u64 = 256;

/// Collects what an AVI file says of its making.
pub(crate) fn read(bytes: &mut Bytes, facts: &mut Facts) {
    // Behind `RIFF`, a length that is often left zero, and `AVI `.
    let mut chunks = Chunks { at: 12, end: bytes.len() };
    for _ in 0..CHUNKS {
        let Some(chunk) = chunks.next(bytes) else { return };
        match &chunk.kind {
            b"IDIT" => date(chunk, bytes, facts),
            b"LIST" if chunk.len >= 4 => list(chunk, bytes, facts),
            _ => {}
        }
        if facts.has(Source::AviIdit) {
            return;
        }
    }
}

/// A chunk: its type, where its content begins, and how long it is.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    kind: [u8; 4],
    start: u64,
    len: u64,
}

/// A walk over the chunks that stand side by side in a range. Every step goes forward by 8 bytes or more.
struct Chunks {
    at: u64,
    end: u64,
}

impl Chunks {
    fn next(&mut self, bytes: &mut Bytes) -> Option<Chunk> {
        let start = self.at.checked_add(8).filter(|&start| start <= self.end)?;
        let [kind @ .., l0, l1, l2, l3]: [u8; 8] = bytes.array(self.at)?;
        let len = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        // Content of odd length is padded.
        self.at = start.checked_add(len)?.checked_add(len % 2)?;
        Some(Chunk { kind, start, len: len.min(self.end - start) })
    }
}

fn list(list: Chunk, bytes: &mut Bytes, facts: &mut Facts) {
    if !bytes.array(list.start).is_some_and(|kind| [*b"hdrl", *b"INFO"].contains(&kind)) {
        return;
    }
    let mut chunks = Chunks { at: list.start.saturating_add(4), end: list.start.saturating_add(list.len) };
    for _ in 0..CHUNKS {
        let Some(chunk) = chunks.next(bytes) else { return };
        if &chunk.kind == b"IDIT" {
            date(chunk, bytes, facts);
        }
    }
}

fn date(chunk: Chunk, bytes: &mut Bytes, facts: &mut Facts) {
    if chunk.len <= DATE
        && let Ok(len) = usize::try_from(chunk.len)
        && let Some(mut text) = bytes.at(chunk.start, len)
    {
        // Casio's EX-Z30 writes `2005/11/28/ 09:19`.
        if let Some(slash @ b'/') = text.get_mut(10) {
            *slash = b' ';
        }
        facts.found_text(Source::AviIdit, &text);
    }
}

#[cfg(test)]
mod tests;
