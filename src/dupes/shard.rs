//! A share of all contents, so that several processes or hosts can work on one index, each on its own share.
//!
//! Contents are shared out by the first bits of their hashes, which fall evenly. In a stream that is sorted by hash, each
//! shard is one run of rows, and the shards stand in the order of their numbers.

use std::ffi::OsStr;

use crate::cli::{self, Failure};
use crate::record::ContentHash;

/// One of several shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 1.
    number: u32,
    of: u32,
}

impl Shard {
    /// Reads `K/N`, as an option has it.
    ///
    /// # Errors
    /// [`Failure::Usage`] that says what would do.
    pub fn parse(option: &str, value: &OsStr) -> Result<Self, Failure> {
        let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let parts = value.to_str().and_then(|text| text.split_once('/'));
        let shard = parts.and_then(|(number, of)| Some(Self { number: whole(number)?, of: whole(of)? }));
        shard.filter(|shard| (1..=shard.of).contains(&shard.number)).ok_or_else(|| {
            cli::unsuitable(option, value, "is not K/N, two whole numbers with K from 1 to N, such as 3/16")
        })
    }

    /// Whether a content belongs to this share. What has no hash belongs to the first, so that it is told of once.
    #[must_use]
    pub fn owns(self, hash: Option<ContentHash>) -> bool {
        hash.map_or(0, |hash| share_of(hash, self.of)) + 1 == self.number
    }
}

/// Which of `of` shares, counted from 0, a hash falls into.
fn share_of(hash: ContentHash, of: u32) -> u32 {
    let first = hash.0.first_chunk().copied().map_or(0, u64::from_be_bytes);
    // The upper half of the product is less than `of`.
    u32::try_from((u128::from(first) * u128::from(of)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shard(text: &str) -> Result<Shard, Failure> {
        Shard::parse("--shard", OsStr::new(text))
    }

    #[test]
    fn only_two_numbers_that_make_sense_are_read() {
        for text in ["1/1", "3/16", "16/16", "4294967295/4294967295"] {
            assert!(shard(text).is_ok(), "{text}");
        }
        for text in ["", "/", "1", "0/4", "5/4", "1/0", "-1/4", "+1/4", "1/4/2", " 1/4", "1/4294967296", "a/b"] {
            let Err(Failure::Usage(problem)) = shard(text) else { panic!("{text}") };
            assert!(problem.starts_with(&format!("--shard: \"{text}\" ")), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn each_content_belongs_to_one_share_and_shares_follow_the_order(
            one: [u8; 32], other: [u8; 32], of in 1..70_u32,
        ) {
            let owners = |hash| (1..=of).filter(|number| Shard { number: *number, of }.owns(hash)).collect::<Vec<_>>();
            let (first, second) = (one.min(other), one.max(other));
            let (first, second) = (owners(Some(ContentHash(first))), owners(Some(ContentHash(second))));
            prop_assert_eq!((first.len(), second.len()), (1, 1));
            prop_assert!(first <= second);
            prop_assert_eq!(owners(None), [1]);
        }
    }
}
