//! The kinds of files that can be made.

use std::ffi::OsStr;

use super::random::Random;
use crate::cli::{self, Failure};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A photo with EXIF data.
    Jpg,
    /// A screenshot with EXIF data and a creation time.
    Png,
    /// An ISO base media file with a Motion JPEG track.
    Mp4,
    /// A `QuickTime` movie with a Photo JPEG track.
    Mov,
    /// Words in lines.
    Txt,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Jpg, Self::Png, Self::Mp4, Self::Mov, Self::Txt];

    /// Its name on the command line, which is also the usual extension.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Txt => "txt",
        }
    }

    /// The smallest size in bytes in which such a file can be made.
    #[must_use]
    pub fn smallest(self) -> u64 {
        match self {
            Self::Jpg => 2000,
            Self::Png => 3000,
            Self::Mp4 | Self::Mov => 8000,
            Self::Txt => 1,
        }
    }

    /// How many of twenty files are of this kind, where all are asked for.
    fn weight(self) -> u64 {
        match self {
            Self::Jpg => 12,
            Self::Png | Self::Mp4 | Self::Mov | Self::Txt => 2,
        }
    }

    /// Reads a list such as `jpg,mov`.
    ///
    /// # Errors
    /// [`Failure::Usage`] that lists the kinds there are.
    pub fn list(option: &str, value: &OsStr) -> Result<Vec<Self>, Failure> {
        let words = Self::ALL.map(|kind| (kind.word(), kind));
        let text = value.to_string_lossy();
        let mut kinds =
            text.split(',').map(|word| cli::choose(option, OsStr::new(word), &words)).collect::<Result<Vec<_>, _>>()?;
        kinds.sort_unstable();
        kinds.dedup();
        Ok(kinds)
    }

    /// One of `kinds` that can be made in `size` bytes, by weight; `None` where none can.
    pub(super) fn choose(kinds: &[Self], size: u64, random: &mut Random) -> Option<Self> {
        let fitting = || kinds.iter().filter(|kind| kind.smallest() <= size);
        let mut at = random.below(fitting().map(|kind| kind.weight()).sum());
        for kind in fitting() {
            if at < kind.weight() {
                return Some(*kind);
            }
            at -= kind.weight();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kinds_that_fit_are_chosen() {
        let mut random = Random::new(1, "test", 0);
        let mut choose = |kinds: &[Kind], size| Kind::choose(kinds, size, &mut random);
        assert_eq!(choose(&Kind::ALL, 1999), Some(Kind::Txt));
        assert_eq!(choose(&[Kind::Jpg], 1999), None);
        assert_eq!(choose(&[Kind::Jpg, Kind::Mov], 7999), Some(Kind::Jpg));
        let all: std::collections::BTreeSet<_> = (0..1000).filter_map(|_| choose(&Kind::ALL, 8000)).collect();
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn a_list_of_kinds_is_read_and_a_wrong_one_told() {
        let kinds = Kind::list("--kinds", OsStr::new("mov,jpg,mov")).ok();
        assert_eq!(kinds, Some(vec![Kind::Jpg, Kind::Mov]));
        let Err(Failure::Usage(text)) = Kind::list("--kinds", OsStr::new("jpg,gif")) else { panic!("refused") };
        assert_eq!(text, "--kinds: \"gif\" is not one of jpg, png, mp4, mov, txt");
    }
}
