//! What makes a file as large as it shall be: bytes without meaning, made as they are written.

use std::io::{self, Write};

use super::plan::Content;
use super::random::Random;

/// How much is made at a time, in bytes.
pub(super) const BLOCK: usize = 1 << 16;

/// Bytes that nobody reads.
#[derive(Debug)]
pub(super) struct Fill {
    random: Random,
    stamp: Option<Stamp>,
    position: u64,
}

impl Fill {
    /// A filling of `length` bytes for `content`.
    pub(super) fn new(content: &Content, length: u64) -> Self {
        let stamp = content.alike.then(|| Stamp::in_the_middle(content, length));
        Self { random: content.random("filling"), stamp, position: 0 }
    }

    /// Makes the next bytes.
    pub(super) fn next(&mut self, buffer: &mut [u8]) {
        self.random.fill_low(buffer);
        if let Some(stamp) = &self.stamp {
            stamp.put(buffer, self.position);
        }
        self.position += buffer.len() as u64;
    }

    /// Writes the next `length` bytes.
    pub(super) fn write(&mut self, mut length: u64, out: &mut impl Write) -> io::Result<()> {
        let mut buffer = vec![0; usize::try_from(length).unwrap_or(BLOCK).min(BLOCK)];
        while length > 0 {
            let now = usize::try_from(length).unwrap_or(BLOCK).min(buffer.len());
            self.next(&mut buffer[..now]);
            out.write_all(&buffer[..now])?;
            length -= now as u64;
        }
        Ok(())
    }
}

/// The few bytes by which two contents of one form differ.
#[derive(Debug)]
pub(super) struct Stamp {
    /// Where, from the start of the filling.
    at: u64,
    digits: Vec<u8>,
}

impl Stamp {
    /// At the start.
    pub(super) fn at_start(number: u64) -> Self {
        Self { at: 0, digits: digits(number) }
    }

    /// Somewhere in the second or third quarter of `length` bytes, elsewhere for each content.
    pub(super) fn in_the_middle(content: &Content, length: u64) -> Self {
        let digits = digits(content.number);
        let room = (length / 2).saturating_sub(digits.len() as u64);
        let at = length / 4 + Random::new(content.seed, "stamp", content.number).below(room + 1);
        Self { at, digits }
    }

    /// Puts as much of the stamp into `buffer` as belongs there; `position` is where the buffer starts.
    pub(super) fn put(&self, buffer: &mut [u8], position: u64) {
        for (place, digit) in (self.at..).zip(&self.digits) {
            let slot = place.checked_sub(position).and_then(|place| usize::try_from(place).ok());
            if let Some(byte) = slot.and_then(|slot| buffer.get_mut(slot)) {
                *byte = *digit;
            }
        }
    }
}

/// A number in base 62, the lowest digit first so that also cut ones differ, and a space so that none is the
/// beginning of another.
fn digits(mut number: u64) -> Vec<u8> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[usize::try_from(number % 62).unwrap_or(0)]);
        number /= 62;
        if number == 0 {
            break;
        }
    }
    digits.push(b' ');
    digits
}

/// Cuts `total` bytes into pieces of at most `most`, none of them smaller than `least`. `total` must be at least
/// `least`, and `most` at least twice that.
pub(super) fn pieces(mut total: u64, least: u64, most: u64) -> Vec<u64> {
    let mut pieces = Vec::new();
    while total > 0 {
        let left = total.saturating_sub(most);
        let piece = if (1..least).contains(&left) { most - least } else { total.min(most) };
        pieces.push(piece);
        total -= piece;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_told_apart_by_their_digits() {
        assert_eq!(digits(0), b"0 ");
        assert_eq!(digits(61), b"z ");
        assert_eq!(digits(62), b"01 ");
    }

    #[test]
    fn a_stamp_can_lie_across_two_buffers() {
        let stamp = Stamp { at: 3, digits: b"abcd".to_vec() };
        let (mut first, mut second) = ([b'.'; 5], [b'.'; 5]);
        stamp.put(&mut first, 0);
        stamp.put(&mut second, 5);
        assert_eq!((&first, &second), (b"...ab", b"cd..."));
    }

    proptest! {
        #[test]
        fn pieces_add_up_and_none_is_too_small(total in 16_u64..10_000) {
            let pieces = pieces(total, 16, 100);
            prop_assert_eq!(pieces.iter().sum::<u64>(), total);
            prop_assert!(pieces.iter().all(|piece| (16..=100).contains(piece)));
        }
    }
}
