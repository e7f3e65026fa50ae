//! How much of a disc a volume takes: the image of its files, its directories, and the files that will describe it.

use std::ops::{Add, AddAssign};

use super::image::Filesystem;
use super::medium::SECTOR;
use super::{INDEX, README, SUMS, index, sums};
use crate::escape;

/// Length of a volume's text for people, at most, in bytes.
pub const README_LEN: u64 = 4096;

/// What some files and directories add to a volume, in bytes. These add up, whatever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Their contents and what the filesystem tells of them.
    image: u64,
    /// What the volume's index tells of them.
    index: u64,
    /// What the volume's checksums tell of them.
    sums: u64,
}

impl Extent {
    /// A file of `size` bytes that lies at `path` below the volume.
    #[must_use]
    pub fn of_file(filesystem: Filesystem, path: &[u8], size: u64) -> Self {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        Self::of_parts(filesystem.file(name, size), TextLen::of(path))
    }

    /// A file, by what it adds to the image and how much text its path is.
    #[must_use]
    pub fn of_parts(image: u64, path: TextLen) -> Self {
        Self { image, index: index::len_of(path), sums: sums::len_of(path) }
    }

    /// A directory below the volume, by its own name, without what is in it.
    #[must_use]
    pub fn of_dir(filesystem: Filesystem, name: &[u8]) -> Self {
        Self { image: filesystem.dir(name), ..Self::default() }
    }

    /// A bound of the image of a volume that holds this and nothing else, in bytes: a multiple of [`SECTOR`].
    #[must_use]
    pub fn image_bytes(self, filesystem: Filesystem) -> u64 {
        let (index, sums) =
            (self.index.saturating_add(index::LEN_OF_NONE), self.sums.saturating_add(sums::LEN_OF_NONE));
        let described = [(INDEX, index), (SUMS, sums), (README, README_LEN)];
        let described = described.into_iter().map(|(name, size)| filesystem.file(name.as_bytes(), size));
        let bytes = described.fold(self.image.saturating_add(filesystem.fixed()), u64::saturating_add);
        bytes.div_ceil(SECTOR).saturating_mul(SECTOR)
    }
}

/// How much text a path, or a part of it, is where volumes are described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextLen {
    /// Its bytes as the stream has it.
    pub escaped: u64,
    /// How many of these JSON has to escape once more.
    pub quoted: u64,
}

impl TextLen {
    /// Of the bytes of a path.
    #[must_use]
    pub fn of(path: &[u8]) -> Self {
        if path.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'"')) {
            return Self { escaped: path.len() as u64, quoted: 0 };
        }
        let text = escape::escape(path);
        let quoted = memchr::memchr2_iter(b'\\', b'"', text.as_bytes()).count();
        Self { escaped: text.len() as u64, quoted: quoted as u64 }
    }
}

impl Add for TextLen {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { escaped: self.escaped + other.escaped, quoted: self.quoted + other.quoted }
    }
}

impl Add for Extent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            image: self.image.saturating_add(other.image),
            index: self.index.saturating_add(other.index),
            sums: self.sums.saturating_add(other.sums),
        }
    }
}

impl AddAssign for Extent {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_describes_a_volume_is_part_of_it() {
        let file = Extent::of_file(Filesystem::Raw, b"2012/a.jpg", 5000);
        // Three sectors of content, one for the index, one for the checksums, two for the text.
        assert_eq!(file.image_bytes(Filesystem::Raw), 7 * SECTOR);
        let many = (0..1000).fold(Extent::default(), |sum, _| sum + file);
        assert!(many.image_bytes(Filesystem::Raw) > 3000 * SECTOR + 1000 * (64 + 64));
        let image = |filesystem| Extent::of_file(filesystem, b"2012/a.jpg", 5000).image_bytes(filesystem);
        assert!(image(Filesystem::Iso) > image(Filesystem::Raw) && image(Filesystem::Udf) > image(Filesystem::Iso));
        let endless = Extent::of_file(Filesystem::Udf, b"a", u64::MAX);
        assert!((endless + endless).image_bytes(Filesystem::Udf) > u64::MAX - SECTOR);
    }
}
