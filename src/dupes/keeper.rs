//! Which copy stays. Nothing here knows of streams or disks.

use std::cmp::{Ordering, Reverse};

use crate::record::Timestamp;

/// What decides among copies that are protected and preferred alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// The smallest path, bytewise.
    #[default]
    First,
    /// The least time of last modification; what has none loses.
    Oldest,
    /// The greatest time of last modification; what has none loses.
    Newest,
    /// The path of the fewest bytes.
    Shortest,
}

/// What is weighed of one copy: a file with all its names in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Whether any of its names is protected.
    pub(super) protected: bool,
    /// The least rank of its names among the preferred directories.
    pub(super) rank: u8,
    /// The latest that is known of the file.
    pub(super) mtime: Option<Timestamp>,
    /// The name that stands for the file: the smallest among those for whose sake it stays.
    pub(super) path: Vec<u8>,
}

impl Candidate {
    /// Takes in another name of the same file; says whether that name stands for it from now on.
    pub(super) fn join(&mut self, name: &mut Self) -> bool {
        self.mtime = self.mtime.max(name.mtime);
        let sake = |copy: &Self| (!copy.protected, if copy.protected { 0 } else { copy.rank });
        let better = (sake(name), &name.path) < (sake(self), &self.path);
        if better {
            std::mem::swap(&mut self.path, &mut name.path);
        }
        self.protected |= name.protected;
        self.rank = self.rank.min(name.rank);
        better
    }

    /// `Less` if this copy stays rather than the other.
    pub(super) fn compare(&self, other: &Self, keep: Keep) -> Ordering {
        let place = |copy: &Self| (!copy.protected, copy.rank);
        place(self)
            .cmp(&place(other))
            .then_with(|| match keep {
                Keep::First => Ordering::Equal,
                Keep::Oldest => oldest(self.mtime).cmp(&oldest(other.mtime)),
                Keep::Newest => other.mtime.cmp(&self.mtime),
                Keep::Shortest => self.path.len().cmp(&other.path.len()),
            })
            .then_with(|| self.path.cmp(&other.path))
    }
}

/// The unknown comes after every time.
fn oldest(mtime: Option<Timestamp>) -> (Reverse<bool>, Option<Timestamp>) {
    (Reverse(mtime.is_some()), mtime)
}

#[cfg(test)]
mod tests {
    use super::super::entry::NO_RANK;
    use super::*;

    fn candidate(path: &str, seconds: Option<i64>) -> Candidate {
        let mtime = seconds.map(|seconds| Timestamp { seconds, nanoseconds: 0 });
        Candidate { protected: false, rank: NO_RANK, mtime, path: path.into() }
    }

    fn stays(one: &Candidate, other: &Candidate, keep: Keep) -> bool {
        assert_eq!(one.compare(other, keep), other.compare(one, keep).reverse());
        one.compare(other, keep) == Ordering::Less
    }

    #[test]
    fn each_rule_has_its_winner() {
        let (a, bb) = (candidate("a", Some(2)), candidate("bb", Some(1)));
        assert!(stays(&a, &bb, Keep::First));
        assert!(stays(&bb, &a, Keep::Oldest));
        assert!(stays(&a, &bb, Keep::Newest));
        assert!(stays(&candidate("z", None), &candidate("aa", None), Keep::Shortest));
    }

    #[test]
    fn an_unknown_time_loses_both_ways() {
        let (known, unknown) = (candidate("b", Some(0)), candidate("a", None));
        assert!(stays(&known, &unknown, Keep::Oldest));
        assert!(stays(&known, &unknown, Keep::Newest));
        assert!(stays(&candidate("a", None), &candidate("b", None), Keep::Oldest));
    }

    #[test]
    fn protected_comes_before_preferred_and_preferred_before_the_rule() {
        let protected = Candidate { protected: true, ..candidate("z", Some(3)) };
        let preferred = Candidate { rank: 0, ..candidate("y", Some(2)) };
        let second = Candidate { rank: 1, ..candidate("x", Some(1)) };
        let plain = candidate("a", Some(0));
        for keep in [Keep::First, Keep::Oldest, Keep::Shortest] {
            assert!(stays(&protected, &preferred, keep));
            assert!(stays(&preferred, &second, keep));
            assert!(stays(&second, &plain, keep));
        }
    }

    #[test]
    fn the_name_for_whose_sake_a_file_stays_stands_for_it() {
        let mut file = candidate("a", None);
        assert!(file.join(&mut Candidate { rank: 1, ..candidate("p/x", Some(5)) }));
        assert!(!file.join(&mut candidate("0", None)));
        assert_eq!((file.path.as_slice(), file.rank, file.mtime), (b"p/x".as_slice(), 1, candidate("", Some(5)).mtime));
        assert!(file.join(&mut Candidate { protected: true, ..candidate("z", None) }));
        assert!(!file.join(&mut Candidate { rank: 0, ..candidate("b", None) }));
        assert!(file.join(&mut Candidate { protected: true, ..candidate("y", None) }));
        assert_eq!((file.path.as_slice(), file.rank, file.protected), (b"y".as_slice(), 0, true));
    }
}
