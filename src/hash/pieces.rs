//! A very large file, hashed in pieces by several threads at once.
//!
//! BLAKE3 is a tree (section 2.1 of its paper): aligned pieces of a power of two of chunks are subtrees, whose
//! chaining values are joined to the hash of the whole in the end. So one long video keeps all processors busy.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::{Opened, Scratch, Status, Trouble};
use crate::record::{ContentHash, Timestamp};

/// Length of every piece but the last, in bytes: a power of two.
pub const PIECE: u64 = 8 << 20;

/// How many pieces a file of `size` bytes has.
#[must_use]
pub fn count(size: u64) -> u64 {
    size.div_ceil(PIECE)
}

/// The chaining value of one piece of a file that has more than one.
///
/// # Errors
/// [`Trouble`] where it cannot be read, or the file was cut short. Whether the file changed otherwise is for
/// [`Opened::check_unchanged`] to say.
pub fn chaining_value(opened: &Opened, piece: u64, scratch: &mut Scratch) -> Result<ChainingValue, Trouble> {
    let offset = piece * PIECE;
    let len = PIECE.min(opened.status.size.saturating_sub(offset));
    if len == 0 {
        return Err(Trouble::Changed);
    }
    let mut hasher = Hasher::new();
    hasher.set_input_offset(offset);
    opened.feed(offset, len, &mut hasher, scratch)?;
    Ok(hasher.finalize_non_root())
}

/// The hash of a file from the chaining values of all its pieces, of which there are at least two.
#[must_use]
pub fn merge(values: &[ChainingValue]) -> ContentHash {
    let (left, right) = values.split_at(left_share(values.len()));
    merge_subtrees_root(&merge_below(left), &merge_below(right), Mode::Hash).into()
}

fn merge_below(values: &[ChainingValue]) -> ChainingValue {
    if let [value] = values {
        return *value;
    }
    let (left, right) = values.split_at(left_share(values.len()));
    merge_subtrees_non_root(&merge_below(left), &merge_below(right), Mode::Hash)
}

/// The left subtree is the largest whole one that leaves something for the right.
fn left_share(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// One piece was dealt with.
#[derive(Debug)]
pub struct Step {
    /// How many bytes were read for it.
    pub len: u64,
    /// Its number and chaining value, if that was not known before. It holds as long as the file does not change.
    pub new: Option<(u64, ChainingValue)>,
    /// For whoever was the last to finish: the result for the whole file.
    pub result: Option<Result<ContentHash, Trouble>>,
}

/// A file whose pieces are handed out to whoever asks, in order.
#[derive(Debug)]
pub struct Pieces {
    opened: Opened,
    /// Of pieces that were hashed before, by their numbers.
    known: HashMap<u64, ChainingValue>,
    count: u64,
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    values: Vec<ChainingValue>,
    finished: u64,
    trouble: Option<Trouble>,
}

impl Pieces {
    /// For a file of more than [`PIECE`] bytes, some of whose pieces may be `known`; a smaller file is given back.
    ///
    /// # Errors
    /// The file, if it is too small to be divided.
    pub fn new(opened: Opened, known: HashMap<u64, ChainingValue>) -> Result<Self, Opened> {
        let count = count(opened.status.size);
        let Some(room) = usize::try_from(count).ok().filter(|count| *count > 1) else { return Err(opened) };
        let state = State { values: vec![[0; 32]; room], finished: 0, trouble: None };
        Ok(Self { opened, known, count, next: AtomicU64::new(0), state: Mutex::new(state) })
    }

    /// What was known of the file when it was opened.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.opened.status
    }

    /// Whether there are pieces that nobody has taken.
    #[must_use]
    pub fn any_left(&self) -> bool {
        self.next.load(Ordering::Relaxed) < self.count
    }

    /// When anything about the file changed last, before it was opened.
    #[must_use]
    pub fn ctime(&self) -> Timestamp {
        self.opened.ctime
    }

    /// Takes the next piece and hashes it; `None` where all are taken.
    pub fn hash_next(&self, scratch: &mut Scratch) -> Option<Step> {
        let piece = self.next.fetch_add(1, Ordering::Relaxed);
        if piece >= self.count {
            return None;
        }
        if let Some(value) = self.known.get(&piece) {
            return Some(Step { len: 0, new: None, result: self.put(piece, Ok(*value)) });
        }
        let len = PIECE.min(self.opened.status.size - piece * PIECE);
        // Where one piece has failed, the others are worth nothing.
        if self.state().trouble.is_some() {
            return Some(Step { len, new: None, result: self.put(piece, Ok([0; 32])) });
        }
        let value = chaining_value(&self.opened, piece, scratch);
        let new = value.as_ref().ok().map(|value| (piece, *value));
        Some(Step { len, new, result: self.put(piece, value) })
    }

    fn put(&self, piece: u64, result: Result<ChainingValue, Trouble>) -> Option<Result<ContentHash, Trouble>> {
        let mut state = self.state();
        let place = usize::try_from(piece).ok().and_then(|piece| state.values.get_mut(piece));
        match (result, place) {
            (Ok(value), Some(place)) => *place = value,
            (Ok(_), None) => {}
            (Err(trouble), _) => state.trouble = Some(trouble),
        }
        state.finished += 1;
        (state.finished == self.count).then(|| self.conclude(&mut state))
    }

    fn conclude(&self, state: &mut State) -> Result<ContentHash, Trouble> {
        if let Some(trouble) = state.trouble.take() {
            return Err(trouble);
        }
        self.opened.check_unchanged()?;
        Ok(merge(&state.values))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Links;
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    /// The result, and the pieces that were read for it.
    fn hash_in_pieces(
        path: &std::path::Path,
        known: HashMap<u64, ChainingValue>,
    ) -> (ContentHash, HashMap<u64, ChainingValue>) {
        let pieces = Pieces::new(Opened::new(path, Links::Refuse).expect("open"), known).expect("large enough");
        let mut scratch = Scratch::default();
        let mut read = HashMap::new();
        loop {
            let step = pieces.hash_next(&mut scratch).expect("the last piece has the result");
            read.extend(step.new);
            if let Some(result) = step.result {
                return (result.expect("hash"), read);
            }
        }
    }

    #[test]
    fn pieces_make_the_hash_of_the_whole() {
        let bytes: Vec<u8> = (0..=250_u8).cycle().take(7 * (8 << 20) + 5000).collect();
        let file = tempfile::NamedTempFile::new().expect("file");
        file.as_file().write_all_at(&bytes, 0).expect("content");
        let piece = 8 << 20;
        for len in (2..=7).flat_map(|n| [n * piece - 1, n * piece, n * piece + 1, n * piece + 5000]).rev() {
            file.as_file().set_len(len as u64).expect("length");
            let expected = ContentHash::from(blake3::hash(&bytes[..len]));
            let (hash, values) = hash_in_pieces(file.path(), HashMap::new());
            assert_eq!(hash, expected, "{len}");
            assert_eq!(values.len() as u64, count(len as u64));
            // What is known is not read: other bytes in its place make no difference, and those elsewhere do.
            let known: HashMap<u64, ChainingValue> = values.into_iter().filter(|(number, _)| number % 2 == 0).collect();
            file.as_file().write_all_at(b"x", 5).expect("content");
            let (hash, read) = hash_in_pieces(file.path(), known);
            assert_eq!(hash, expected, "{len}");
            assert!(read.keys().all(|number| number % 2 == 1), "{read:?}");
            file.as_file().write_all_at(&bytes[5..6], 5).expect("content");
        }
    }

    #[test]
    fn a_file_cut_short_has_no_hash() {
        let file = tempfile::NamedTempFile::new().expect("file");
        file.as_file().set_len(3 * PIECE).expect("length");
        let pieces =
            Pieces::new(Opened::new(file.path(), Links::Refuse).expect("open"), HashMap::new()).expect("pieces");
        let mut scratch = Scratch::default();
        assert!(matches!(pieces.hash_next(&mut scratch), Some(Step { len: PIECE, new: Some((0, _)), result: None })));
        File::set_len(file.as_file(), PIECE).expect("length");
        assert!(matches!(pieces.hash_next(&mut scratch), Some(Step { new: None, result: None, .. })));
        let last = pieces.hash_next(&mut scratch).expect("a piece");
        assert!(matches!(last, Step { result: Some(Err(Trouble::Changed)), .. }));
        assert!(pieces.hash_next(&mut scratch).is_none());
    }
}
