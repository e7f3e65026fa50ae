//! Files of one size that are probably equal, read side by side: the first is hashed, and the others are compared with it.
//!
//! To compare takes a fraction of the time of hashing, and says no less: a file whose every byte is that of another has
//! its hash. What turns out to differ is hashed by itself.

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt as _};

use super::pieces::{self, PIECE};
use super::{Opened, Scratch, Trouble};
use crate::record::ContentHash;

/// So many files are read side by side at most: each is open meanwhile.
pub(crate) const MOST: usize = 8;

/// The hash of each, or why it has none.
pub(crate) fn hashes(files: &[Opened], scratch: &mut Scratch) -> Vec<Result<ContentHash, Trouble>> {
    let len = files.first().map_or(0, |first| first.status.size);
    let mut hasher = Hasher::new();
    let equal = equal_to_first(files, 0, len, &mut hasher, scratch);
    let hash = |opened: &Opened, scratch: &mut Scratch| opened.hash(scratch);
    conclude(files, equal, || hasher.finalize().into(), hash, scratch)
}

/// The chaining value of one piece of each of these large files, or why it has none.
pub(crate) fn chaining_values(
    files: &[Opened],
    piece: u64,
    scratch: &mut Scratch,
) -> Vec<Result<ChainingValue, Trouble>> {
    let offset = piece * PIECE;
    let len = files.first().map_or(0, |first| PIECE.min(first.status.size.saturating_sub(offset)));
    let mut hasher = Hasher::new();
    hasher.set_input_offset(offset);
    let equal = equal_to_first(files, offset, len, &mut hasher, scratch);
    let value = |opened: &Opened, scratch: &mut Scratch| {
        let value = pieces::chaining_value(opened, piece, scratch)?;
        opened.check_unchanged()?;
        Ok(value)
    };
    if len == 0 {
        return files.iter().map(|file| value(file, scratch)).collect();
    }
    conclude(files, equal, || hasher.finalize_non_root(), value, scratch)
}

/// Adds `len` bytes of the first file to `hasher`, and says of each of the others whether it has the same.
fn equal_to_first(
    files: &[Opened],
    offset: u64,
    len: u64,
    hasher: &mut Hasher,
    scratch: &mut Scratch,
) -> Result<Vec<bool>, Trouble> {
    let Some((first, others)) = files.split_first() else { return Ok(Vec::new()) };
    let mut equal = vec![true; others.len()];
    let (buffer, beside) = scratch.two_buffers();
    let mut done = 0;
    while done < len {
        let room = usize::try_from(len - done).map_or(buffer.len(), |left| left.min(buffer.len()));
        let (part, beside, at) = (&mut buffer[..room], &mut beside[..room], offset + done);
        first.read_exact(part, at)?;
        hasher.update(part);
        for (other, equal) in others.iter().zip(&mut equal) {
            // What cannot be read is found out, and told of, where it is read by itself.
            *equal = *equal && other.read_exact(beside, at).is_ok() && beside == part;
        }
        done += room as u64;
    }
    Ok(equal)
}

/// The `value` of the first file, if that could be read, for it and for all that are equal to it; the others are read
/// `alone`.
fn conclude<R: Copy>(
    files: &[Opened],
    equal: Result<Vec<bool>, Trouble>,
    value: impl FnOnce() -> R,
    alone: impl Fn(&Opened, &mut Scratch) -> Result<R, Trouble>,
    scratch: &mut Scratch,
) -> Vec<Result<R, Trouble>> {
    let Some((first, others)) = files.split_first() else { return Vec::new() };
    let result = equal.and_then(|equal| first.check_unchanged().map(|()| equal));
    match result {
        Ok(equal) => {
            let value = value();
            let others = others.iter().zip(equal).map(|(other, equal)| {
                if equal { other.check_unchanged().map(|()| value) } else { alone(other, scratch) }
            });
            std::iter::once(Ok(value)).chain(others).collect()
        }
        Err(trouble) => std::iter::once(Err(trouble)).chain(others.iter().map(|other| alone(other, scratch))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Links;
    use std::io::{Seek as _, SeekFrom, Write as _};

    fn files_of(contents: &[Vec<u8>]) -> Vec<(tempfile::NamedTempFile, Opened)> {
        let make = |content: &Vec<u8>| {
            let mut file = tempfile::NamedTempFile::new().expect("temporary file");
            file.write_all(content).expect("content");
            let opened = Opened::new(file.path(), Links::Refuse).expect("open");
            (file, opened)
        };
        contents.iter().map(make).collect()
    }

    /// Contents of one size: equal, different at the start, in the middle, and in the last byte.
    fn contents(len: usize) -> Vec<Vec<u8>> {
        let plain: Vec<u8> = (0..=250).cycle().take(len).collect();
        let changed = |at: usize| {
            let mut content = plain.clone();
            content[at] ^= 1;
            content
        };
        vec![plain.clone(), changed(0), plain.clone(), changed(len / 2), changed(len - 1), plain.clone()]
    }

    #[test]
    fn each_has_the_hash_of_its_own_content() {
        for len in [1, 1000, 128 << 10, (128 << 10) + 1, 1 << 20] {
            let contents = contents(len);
            let (_kept, opened): (Vec<_>, Vec<Opened>) = files_of(&contents).into_iter().unzip();
            for maps in [false, true] {
                let hashes = hashes(&opened, &mut Scratch::new(maps));
                for (content, hash) in contents.iter().zip(hashes) {
                    assert_eq!(hash.expect("a hash"), ContentHash::from(blake3::hash(content)), "{len}");
                }
            }
        }
    }

    #[test]
    fn each_has_the_chaining_values_of_its_own_pieces() {
        let len = usize::try_from(2 * PIECE + 5).expect("small");
        let contents = contents(len);
        let (_kept, opened): (Vec<_>, Vec<Opened>) = files_of(&contents).into_iter().unzip();
        let mut scratch = Scratch::default();
        let values: Vec<Vec<ChainingValue>> = (0..pieces::count(len as u64))
            .map(|piece| {
                chaining_values(&opened, piece, &mut scratch).into_iter().map(|value| value.expect("whole")).collect()
            })
            .collect();
        for (number, content) in contents.iter().enumerate() {
            let values: Vec<ChainingValue> = values.iter().map(|piece| piece[number]).collect();
            assert_eq!(pieces::merge(&values), ContentHash::from(blake3::hash(content)));
        }
        assert!(chaining_values(&opened, 3, &mut scratch).iter().all(Result::is_err), "there is no such piece");
    }

    #[test]
    fn what_changes_has_no_hash_and_costs_the_others_nothing() {
        let content = vec![7; 300_000];
        for changed in 0..3 {
            let (mut kept, opened): (Vec<_>, Vec<Opened>) =
                files_of(&[content.clone(), content.clone(), content.clone()]).into_iter().unzip();
            let file = kept[changed].as_file_mut();
            // Of the second, not one byte is left.
            file.set_len(if changed == 1 { 0 } else { 200_000 }).expect("cut short");
            file.seek(SeekFrom::Start(0)).expect("seek");
            file.write_all(b"8").expect("written");
            for (number, hash) in hashes(&opened, &mut Scratch::default()).into_iter().enumerate() {
                match hash {
                    Ok(hash) => assert_eq!((hash, number == changed), (blake3::hash(&content).into(), false)),
                    Err(trouble) => assert!(number == changed && matches!(trouble, Trouble::Changed), "{trouble}"),
                }
            }
        }
    }
}
