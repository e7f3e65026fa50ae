//! Discs: how much each kind holds, and what of it an image may take.

use std::ffi::OsStr;

use lexopt::Parser;

use super::image::{Filesystem, SECTOR};
use crate::cli::{self, Failure};

/// The kinds of discs with their sectors, as formatted with the drive's default spare area.
const MEDIA: [(&str, u64); 7] = [
    ("cd", 359_424),
    ("dvd", 2_295_104),
    ("dvd-dl", 4_171_712),
    ("bd25", 11_826_176),
    ("bd50", 23_652_352),
    ("bd100", 47_305_728),
    ("bd128", 60_403_712),
];

/// The kind of disc that is taken where none is named: its place in [`MEDIA`].
const DEFAULT: (&str, u64) = MEDIA[3];

/// What an image is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disc {
    /// How many bytes the image may have.
    pub capacity: u64,
    /// What the image is written as.
    pub filesystem: Filesystem,
}

/// The options that describe a disc, as they come from the command line.
#[derive(Debug, Clone, Default)]
pub struct DiscOptions {
    media: Option<u64>,
    capacity: Option<u64>,
    reserve: Option<Reserve>,
    filesystem: Option<Filesystem>,
}

/// What is left free.
#[derive(Debug, Clone, Copy)]
enum Reserve {
    /// In thousandths of a percent of the disc.
    Share(u64),
    Bytes(u64),
}

/// So many thousandths of a percent are all of it.
pub const WHOLE: u64 = 100_000;

impl DiscOptions {
    /// Takes `--media`, `--capacity`, `--reserve` and `--fs`; `false` for any other option.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match option {
            "--media" => self.media = Some(cli::choose(option, &parser.value()?, &MEDIA)?),
            "--capacity" => self.capacity = Some(cli::size(option, &parser.value()?)?),
            "--reserve" => self.reserve = Some(reserve(option, &parser.value()?)?),
            "--fs" => {
                let words = Filesystem::ALL.map(|filesystem| (filesystem.name(), filesystem));
                self.filesystem = Some(cli::choose(option, &parser.value()?, &words)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether anything says how large the disc is; something to be left free says it of the disc that is taken where none
    /// is named.
    #[must_use]
    pub fn names_a_disc(&self) -> bool {
        self.media.is_some() || self.capacity.is_some() || self.reserve.is_some()
    }

    /// Whether anything was said.
    #[must_use]
    pub fn says_anything(&self) -> bool {
        self.names_a_disc() || self.filesystem.is_some()
    }

    /// What the image is to be written as.
    #[must_use]
    pub fn filesystem(&self) -> Filesystem {
        self.filesystem.unwrap_or_default()
    }

    /// That, where it was said.
    #[must_use]
    pub fn named_filesystem(&self) -> Option<Filesystem> {
        self.filesystem
    }

    /// The disc: a BD-R of 25 GB, where nothing says what it is.
    ///
    /// # Errors
    /// [`Failure::Usage`] where two options contradict each other, or leave no room.
    pub fn disc(&self) -> Result<Disc, Failure> {
        if self.media.is_some() && self.capacity.is_some() {
            return Err(Failure::Usage("--media and --capacity: one of them says how large the disc is".into()));
        }
        let sectors = self.media.unwrap_or(DEFAULT.1);
        let whole = self.capacity.unwrap_or(sectors * SECTOR);
        let reserved = match self.reserve {
            None => 0,
            Some(Reserve::Bytes(bytes)) => bytes,
            Some(Reserve::Share(share)) => share_of(whole, share),
        };
        let capacity = whole.saturating_sub(reserved) / SECTOR * SECTOR;
        let filesystem = self.filesystem();
        if capacity <= filesystem.fixed() {
            let least = crate::report::bytes(filesystem.fixed());
            return Err(Failure::Usage(format!(
                "--capacity, --reserve: no room is left: an empty image takes {least} already"
            )));
        }
        Ok(Disc { capacity, filesystem })
    }
}

/// `share` thousandths of a percent of `whole`.
#[must_use]
pub fn share_of(whole: u64, share: u64) -> u64 {
    let part = u128::from(whole) * u128::from(share) / u128::from(WHOLE);
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// How full a disc is with an image, never rounded up: `99.95%`.
#[must_use]
pub fn fill(image_bytes: u64, capacity: u64) -> String {
    let hundredths = u128::from(image_bytes) * 10_000 / u128::from(capacity.max(1));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn reserve(option: &str, value: &OsStr) -> Result<Reserve, Failure> {
    if let Some(share) = value.to_str().and_then(|text| text.strip_suffix('%')) {
        return share_from(share)
            .map(Reserve::Share)
            .ok_or_else(|| cli::unsuitable(option, value, "is not a share such as 5% or 2.5%"));
    }
    let bytes = cli::size(option, value)
        .map_err(|_| cli::unsuitable(option, value, "is neither a share such as 5% nor a size such as 500M"))?;
    if (1..SECTOR).contains(&bytes) {
        return Err(cli::unsuitable(option, value, "is less than a sector; a share has its sign, such as 5%"));
    }
    Ok(Reserve::Bytes(bytes))
}

/// Reads a percentage, with or without its sign, as thousandths of a percent.
///
/// # Errors
/// [`Failure::Usage`] that says what would do.
pub fn percentage(option: &str, value: &OsStr) -> Result<u64, Failure> {
    let share = value.to_str().and_then(|text| share_from(text.strip_suffix('%').unwrap_or(text)));
    share.ok_or_else(|| cli::unsuitable(option, value, "is not a percentage from 0 to 100, such as 98 or 99.5"))
}

fn share_from(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if decimals.is_empty() || decimals.len() > 3 {
        return None;
    }
    let decimals = crate::record::decimal(format!("{decimals:0<3}").as_bytes())?;
    let share = crate::record::decimal(whole.as_bytes())?.checked_mul(1000)?.checked_add(decimals)?;
    (share <= WHOLE).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(arguments: &[&str]) -> Result<Disc, Failure> {
        let mut parser = Parser::from_args(arguments);
        let mut options = DiscOptions::default();
        while let Some(cli::Argument::Option(option)) = cli::next(&cli::tools::PACK, &mut parser)? {
            assert!(options.take(&option, &mut parser)?);
        }
        options.disc()
    }

    #[test]
    fn a_disc_is_a_bd25_unless_it_is_said() {
        let capacity = |arguments: &[&str]| disc(arguments).map(|disc| disc.capacity).expect("a disc");
        assert_eq!(capacity(&[]), 11_826_176 * 2048);
        assert_eq!(capacity(&["--media", "cd"]), 359_424 * 2048);
        assert_eq!(capacity(&["--capacity", "1000000"]), 488 * 2048);
        assert_eq!(capacity(&["--capacity", "10Gi", "--reserve", "50%"]), 5 << 30);
        assert_eq!(capacity(&["--capacity", "10Gi", "--reserve", "1Gi"]), 9 << 30);
        assert_eq!(capacity(&["--capacity", "100000Ki", "--reserve", "2.5%"]), 97_500 << 10);
    }

    #[test]
    fn what_leaves_no_room_is_refused() {
        for arguments in [
            &["--media", "cd", "--capacity", "1G"] as &[_],
            &["--capacity", "100K"],
            &["--reserve", "100%"],
            &["--reserve", "30G"],
            &["--reserve", "101%"],
            &["--reserve", "%"],
            &["--reserve", "1.2345%"],
            &["--media", "bd66"],
            &["--fs", "ntfs"],
        ] {
            assert!(matches!(disc(arguments), Err(Failure::Usage(_))), "{arguments:?}");
        }
    }

    #[test]
    fn percentages_have_up_to_three_decimal_places() {
        for (text, share) in [("98", 98_000), ("99.5%", 99_500), ("0", 0), ("100", WHOLE), ("0.001", 1)] {
            assert_eq!(percentage("--min-fill", OsStr::new(text)).ok(), Some(share), "{text}");
        }
        for text in ["", "%", "-1", "100.001", "1.", ".5", "1e1", "98 %"] {
            assert!(percentage("--min-fill", OsStr::new(text)).is_err(), "{text}");
        }
        assert_eq!(share_of(u64::MAX, WHOLE), u64::MAX);
    }
}
