//! Which row of an index knows of a file.

use std::num::NonZeroU64;

use crate::record::ContentHash;
use crate::stream::RowRef;

/// Where a row stands: in the index, or, behind its last byte, in the companion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place(pub(super) u64);

impl Place {
    /// Of a row in the index.
    pub(super) fn in_index(row: RowRef) -> Self {
        Self(row.0)
    }
}

/// A row that knows of a file that has not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The row.
    pub(crate) place: Place,
    /// It says all that a new row would, in the same words.
    pub(crate) verbatim: bool,
}

impl Seen {
    /// In few bytes.
    pub(crate) fn packed(self) -> NonZeroU64 {
        // Places are far below the highest bits.
        NonZeroU64::MIN.saturating_add(self.place.0 << 1 | u64::from(self.verbatim))
    }

    /// What [`Seen::packed`] made small.
    pub(crate) fn unpacked(packed: NonZeroU64) -> Self {
        let number = packed.get() - 1;
        Self { place: Place(number >> 1), verbatim: number & 1 == 1 }
    }
}

/// What is known of a file that has not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Of its content, where that was ever read.
    pub(crate) hash: Option<ContentHash>,
    /// From where.
    pub(crate) seen: Seen,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        for number in [0, 1, (1 << 40) - 1] {
            for verbatim in [false, true] {
                let seen = Seen { place: Place(number), verbatim };
                assert_eq!(Seen::unpacked(seen.packed()), seen);
            }
        }
    }
}
