//! What is held in memory of each record: 32 bytes, used anew from step to step.

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::sync::LazyLock;

use foldhash::quality::RandomState;

use crate::escape;
use crate::host::{self, Host};
use crate::record::FileId;
use crate::stream::{Row, RowRef};

/// One record, by its place in the streams and three numbers to sort by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// First of the content; once it is decided what becomes of the record, the place of its keeper.
    pub(super) key: u64,
    /// First of the path, then of what the step in hand sorts by.
    pub(super) tie: u64,
    /// Of the file; 0 where it is unknown.
    pub(super) file: u64,
    place: u64,
}

/// Bits of a place that tell where a row begins: 16 TiB of streams.
const PLACE_BITS: u32 = 44;

/// Length of the longest streams that places can tell apart.
pub(super) const MOST_BYTES: u64 = 1 << PLACE_BITS;

const VACANT: u64 = u64::MAX;

/// What is known of a record beside its place, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Mark {
    /// An empty file that is not to be compared.
    pub(super) const EMPTY: Self = Self(1 << PLACE_BITS);
    /// In a protected directory.
    pub(super) const PROTECTED: Self = Self(1 << (PLACE_BITS + 1));
    /// Not to be considered any more.
    pub(super) const OUT: Self = Self(1 << (PLACE_BITS + 2));
    /// Should go.
    pub(super) const GOES: Self = Self(1 << (PLACE_BITS + 3));
    /// Its destination below the quarantine is spelled by the absolute path.
    pub(super) const ABSOLUTE: Self = Self(1 << (PLACE_BITS + 4));
    /// Its destination is set apart from all others.
    pub(super) const APART: Self = Self(1 << (PLACE_BITS + 5));
    /// Its path may be listed more than once.
    pub(super) const LISTED_TWICE: Self = Self(1 << (PLACE_BITS + 6));
    /// Of another shard, and only of use for what it says of its path.
    pub(super) const ELSEWHERE: Self = Self(1 << (PLACE_BITS + 7));
}

const RANK_SHIFT: u32 = PLACE_BITS + 8;

/// The rank of what lies in no preferred directory.
pub(super) const NO_RANK: u8 = LAST_RANK - 1;

/// The rank of what seems to lie in the quarantine of another run, from which whoever empties it takes everything.
pub(super) const LAST_RANK: u8 = u8::MAX;

impl Entry {
    /// A place that no record has taken yet.
    pub(super) const NOTHING: Self = Self { key: 0, tie: 0, file: 0, place: VACANT };

    /// The entry of a row as it is read.
    pub(super) fn of(at: RowRef, row: &Row<'_>) -> Self {
        Self { key: content_key(row), tie: path_tie(row.path), file: file_tie(row.id), place: at.0 }
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.place == VACANT
    }

    pub(super) fn row(&self) -> RowRef {
        RowRef(self.place & (MOST_BYTES - 1))
    }

    pub(super) fn has(&self, mark: Mark) -> bool {
        self.place & mark.0 != 0
    }

    pub(super) fn set(&mut self, mark: Mark) {
        self.place |= mark.0;
    }

    /// As [`Entry::set`], where something holds, which costs the same where it does not.
    pub(super) fn set_if(&mut self, holds: bool, mark: Mark) {
        self.place |= u64::from(holds) * mark.0;
    }

    /// Whether a hash is known, so that there is evidence of the content. Only before the key is a keeper's place.
    pub(super) fn has_hash(&self) -> bool {
        self.key & 1 == 1
    }

    /// Which of the preferred directories it lies in, counted from 0.
    pub(super) fn rank(&self) -> u8 {
        (self.place >> RANK_SHIFT).to_le_bytes()[0]
    }

    /// Takes over what holds for the directory it is in.
    pub(super) fn stand(&mut self, standing: Standing) {
        self.set_rank(standing.rank);
        if standing.protected {
            self.set(Mark::PROTECTED);
        }
        if standing.quarantined {
            self.set(Mark::OUT);
        }
    }

    fn set_rank(&mut self, rank: u8) {
        self.place = self.place & !(0xff << RANK_SHIFT) | u64::from(rank) << RANK_SHIFT;
    }

    /// The row of the keeper, once it is decided.
    pub(super) fn keeper(&self) -> RowRef {
        RowRef(self.key)
    }
}

/// What holds for every file in one directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) quarantined: bool,
    pub(super) protected: bool,
    pub(super) rank: u8,
}

/// Equal for equal content; odd where there is a hash, even where only the size is known.
fn content_key(row: &Row<'_>) -> u64 {
    // An odd factor keeps different sizes different and spreads them over the key.
    let size = row.size.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match row.hash {
        Some(hash) => {
            let start = hash.0.first_chunk().copied().unwrap_or_default();
            (u64::from_le_bytes(start) ^ size) | 1
        }
        None => size << 1,
    }
}

/// Equal for one file, and 0 where the file is unknown.
fn file_tie(id: Option<FileId>) -> u64 {
    id.map_or(0, |id| {
        let host = id.host.map_or(0, Host::print);
        let of_dev = id.dev.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (host ^ of_dev ^ id.ino).wrapping_mul(0xd6e8_feb8_6659_fd93) | 1
    })
}

/// Equal for equal paths, however they are spelled.
pub(super) fn path_tie(escaped: &[u8]) -> u64 {
    fingerprint(&normal_path(escaped))
}

/// A number for some bytes, the same throughout a run and another in the next, so that nobody can write an index in
/// which many meet.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    SEED.hash_one(bytes)
}

/// The bytes of an escaped path, without `.` and doubled slashes.
pub(super) fn normal_path(escaped: &[u8]) -> Cow<'_, [u8]> {
    if is_plainly_normal(escaped) {
        return Cow::Borrowed(escaped);
    }
    let bytes = unescaped(escaped);
    let mut normal = Vec::with_capacity(bytes.len());
    if bytes.starts_with(b"/") {
        normal.push(b'/');
    }
    for name in bytes.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
        if !normal.is_empty() && normal != b"/" {
            normal.push(b'/');
        }
        normal.extend_from_slice(name);
    }
    // A directory of this host that is called like another one.
    if host::split(&normal).is_some() && host::split(&bytes).is_none() {
        normal.splice(..0, *b"./");
    }
    Cow::Owned(normal)
}

/// Whether the path needs no second look: a test that some normal paths fail, but no other passes.
pub(super) fn is_plainly_normal(escaped: &[u8]) -> bool {
    let [first, .., last] = escaped else { return !matches!(escaped, b"." | b"\\" | b"/") };
    let is_odd = |pair: &&[u8]| pair[0] == b'\\' || pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    // Counted to the end, so that the compiler takes many bytes at a time.
    escaped.windows(2).filter(is_odd).count() == 0 && *first != b'.' && !matches!(last, b'\\' | b'/')
}

/// A path's own bytes. What was checked when it was read never fails to unescape.
pub(super) fn unescaped(escaped: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', escaped).is_none() {
        return Cow::Borrowed(escaped);
    }
    escape::unescape(escaped).unwrap_or(Cow::Borrowed(escaped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_32_bytes() {
        assert_eq!(size_of::<Entry>(), 32);
    }

    #[test]
    fn marks_and_rank_leave_the_place_alone() {
        let mut entry = Entry { place: MOST_BYTES - 7, ..Entry::NOTHING };
        entry.set_rank(NO_RANK);
        entry.set_rank(3);
        let marks = [Mark::EMPTY, Mark::PROTECTED, Mark::OUT, Mark::GOES, Mark::ABSOLUTE, Mark::APART];
        for mark in marks.into_iter().chain([Mark::LISTED_TWICE, Mark::ELSEWHERE]) {
            assert!(!entry.has(mark));
            entry.set(mark);
            assert!(entry.has(mark));
        }
        assert_eq!((entry.row(), entry.rank()), (RowRef(MOST_BYTES - 7), 3));
    }

    #[test]
    fn other_bytes_have_other_fingerprints() {
        let bytes = [7; 40];
        let mut seen: Vec<u64> = (0..=40).map(|len| fingerprint(&bytes[..len])).collect();
        seen.extend((0..320).map(|bit| {
            let mut other = bytes;
            other[bit / 8] ^= 1 << (bit % 8);
            fingerprint(&other)
        }));
        seen.extend((1..9).map(|len| fingerprint(&[0; 9][..len])));
        assert_eq!(fingerprint(&bytes), seen[40]);
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn spellings_of_one_path_are_one() {
        for spelling in ["x/y", "./x/y", ".//x/y", "x//y", "x/./y", "x/y/.", "\\x78/y", "x\\x2fy", "x/y/"] {
            assert_eq!(normal_path(spelling.as_bytes()), b"x/y".as_slice(), "{spelling}");
        }
        for other in ["/x/y", "x/../x/y", "x/y.", "x/.y", "..x/y", "x/y/.."] {
            assert_ne!(path_tie(other.as_bytes()), path_tie(b"x/y"), "{other}");
        }
        for (one, other) in [("nas:/x", "./nas:/x"), ("nas:/x", "laptop:/x"), ("nas:/x", "/x"), ("nas:/x", "nas:x")] {
            assert_ne!(path_tie(one.as_bytes()), path_tie(other.as_bytes()), "{one} {other}");
        }
        assert_eq!(normal_path(b"nas://x/./y"), b"nas:/x/y".as_slice());
        assert_eq!(normal_path(b".//nas:/x"), b"./nas:/x".as_slice());
        assert_eq!(normal_path(b"//x/y"), b"/x/y".as_slice());
        assert_eq!(normal_path(b"/."), b"/".as_slice());
    }
}
