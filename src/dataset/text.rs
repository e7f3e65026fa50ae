//! Texts: words in lines, down to a single byte.

use std::io::{self, Write};

use super::fill::{BLOCK, Stamp};
use super::plan::Content;
use super::random::Random;

/// A power of two, so that every random number gives several words.
static WORDS: [&str; 64] = [
    "a",
    "about",
    "after",
    "album",
    "and",
    "archive",
    "at",
    "autumn",
    "back",
    "beach",
    "before",
    "boat",
    "box",
    "bridge",
    "by",
    "camera",
    "castle",
    "children",
    "city",
    "cloud",
    "coast",
    "disc",
    "dog",
    "evening",
    "every",
    "family",
    "for",
    "forest",
    "friend",
    "from",
    "garden",
    "grandmother",
    "harbour",
    "hill",
    "house",
    "in",
    "island",
    "lake",
    "light",
    "morning",
    "mountain",
    "of",
    "old",
    "on",
    "over",
    "photo",
    "picture",
    "rain",
    "river",
    "road",
    "sea",
    "snow",
    "station",
    "summer",
    "sun",
    "the",
    "train",
    "tree",
    "under",
    "walk",
    "wedding",
    "winter",
    "with",
    "year",
];

/// A line breaks after the word that reaches this column.
const WIDTH: usize = 68;

/// Writes the whole content. Texts differ in their first bytes, alike ones in their middle. Texts shorter than
/// their number has digits may come out equal.
pub(super) fn write(content: &Content, out: &mut impl Write) -> io::Result<()> {
    let stamp =
        if content.alike { Stamp::in_the_middle(content, content.size) } else { Stamp::at_start(content.number) };
    let mut prose = Prose { random: content.random("words"), ready: Vec::with_capacity(2 * BLOCK), column: 0 };
    let mut position = 0;
    while position < content.size {
        let now = usize::try_from(content.size - position).unwrap_or(BLOCK).min(BLOCK);
        prose.make(now);
        let block = &mut prose.ready[..now];
        if position + now as u64 == content.size {
            block[now - 1] = b'\n';
        }
        stamp.put(block, position);
        out.write_all(block)?;
        prose.ready.drain(..now);
        position += now as u64;
    }
    Ok(())
}

struct Prose {
    random: Random,
    ready: Vec<u8>,
    column: usize,
}

impl Prose {
    /// Goes on until there are `length` bytes.
    fn make(&mut self, length: usize) {
        while self.ready.len() < length {
            let mut number = self.random.next();
            for _ in 0..10 {
                let word = WORDS[usize::try_from(number % 64).unwrap_or(0)];
                number /= 64;
                self.ready.extend_from_slice(word.as_bytes());
                self.column += word.len() + 1;
                let end = if self.column > WIDTH { b'\n' } else { b' ' };
                self.column = if end == b'\n' { 0 } else { self.column };
                self.ready.push(end);
            }
        }
    }
}
