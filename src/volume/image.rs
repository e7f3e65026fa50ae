//! A bound of the size of a disc image: never too small, and hardly ever more than a ten-thousandth too large.
//!
//! `iso` is ISO 9660 with Rock Ridge and Joliet, as `xorriso -as mkisofs -r -J -joliet-long -iso-level 3` makes it; `udf` is that
//! with a UDF bridge, as `genisoimage -udf` adds it; `raw` counts contents only, for whoever writes something else.
//!
//! What an image takes for a file or a directory depends on its name, its size, and a little on its neighbours, since no
//! record of a directory crosses the end of a sector (ECMA-119, section 6.8.1.1). The bound takes the mean of that loss, which
//! was fitted to images of many trees, and adds what the last sector of each directory may leave empty. So it is a sum of
//! what files and directories add, whichever others there are.

use super::medium::SECTOR;

/// What an image is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filesystem {
    /// ISO 9660 with Rock Ridge and Joliet.
    #[default]
    Iso,
    /// The same with a UDF bridge.
    Udf,
    /// No more than the contents is known.
    Raw,
}

/// Length of the longest extent of a file, in bytes: the largest number of whole sectors whose length a record can hold
/// (ECMA-119, section 9.1.4: 32 bits). A longer file has several records (level 3).
const EXTENT: u64 = 0xffff_f800;

impl Filesystem {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Iso, Self::Udf, Self::Raw];

    /// As it is written on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Udf => "udf",
            Self::Raw => "raw",
        }
    }

    /// What an image takes that holds nothing, in bytes: system area, descriptors, path tables, the padding behind it.
    #[must_use]
    pub fn fixed(self) -> u64 {
        SECTOR
            * match self {
                Self::Iso => 186 + 6,
                Self::Udf => 186 + 6 + 274,
                Self::Raw => 0,
            }
    }

    /// What a file adds, by its own name and its length in bytes.
    #[must_use]
    pub fn file(self, name: &[u8], size: u64) -> u64 {
        let content = size.div_ceil(SECTOR).saturating_mul(SECTOR);
        content.saturating_add(self.records(name, Kind::File, size.div_ceil(EXTENT).max(1)))
    }

    /// What a directory adds, by its own name, without what lies in it.
    #[must_use]
    pub fn dir(self, name: &[u8]) -> u64 {
        if self == Self::Raw {
            return 0;
        }
        let units = Units::of(name);
        // The records of itself and the directory above, what the last sectors leave empty, and the path tables, in both
        // byte orders.
        let rock_ridge = 4096 + 80;
        let joliet = 2048 + 20 + 4 * units.utf16;
        let udf = if self == Self::Udf { 2048 } else { 0 };
        self.records(name, Kind::Dir, 1) + rock_ridge + joliet + udf
    }

    /// What the filesystems tell of a name that has so many extents.
    fn records(self, name: &[u8], kind: Kind, extents: u64) -> u64 {
        if self == Self::Raw {
            return 0;
        }
        let units = Units::of(name);
        let of_one = rock_ridge(name.len() as u64, kind) + joliet(units.utf16, kind);
        let udf = if self == Self::Udf { SECTOR + udf_name(units) + 1 } else { 0 };
        extents.saturating_mul(of_one).saturating_add(udf)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Dir,
}

/// A record with its Rock Ridge entries (ECMA-119, section 9.1; IEEE P1282, section 4.1), and the area where these go on if
/// they are longer than a record can be.
fn rock_ridge(name: u64, kind: Kind) -> u64 {
    // A file's name in ISO 9660 has a version of two characters, ";1".
    let version = if kind == Kind::File { 2 } else { 0 };
    let record = even(33 + (name + 1).min(31) + version) + even(85 + name);
    let (record, continued) = if record > 254 { (254, record - 254 + 40) } else { (record, 0) };
    // The loss at the ends of sectors.
    1142 * record / 1000 + continued + 1
}

/// A record of the tree that Joliet has beside it, where a character has two bytes.
fn joliet(units: u64, kind: Kind) -> u64 {
    let version = if kind == Kind::File { 4 } else { 0 };
    1137 * (34 + 2 * units.min(103) + version) / 1000 + 1
}

/// A file identifier descriptor of UDF (ECMA-167, 4/14.4), whose characters have one byte where all of them can, else two.
fn udf_name(units: Units) -> u64 {
    let characters = if units.is_narrow { units.utf16 } else { 2 * units.utf16 };
    (38 + 1 + characters).next_multiple_of(4)
}

fn even(bytes: u64) -> u64 {
    bytes + bytes % 2
}

/// How a name is written where characters have two bytes.
#[derive(Debug, Clone, Copy)]
struct Units {
    utf16: u64,
    /// Whether all characters are below U+0100.
    is_narrow: bool,
}

impl Units {
    /// Where a name is no UTF-8, each of its odd bytes may become a character.
    fn of(name: &[u8]) -> Self {
        if name.is_ascii() {
            return Self { utf16: name.len() as u64, is_narrow: true };
        }
        let mut units = Self { utf16: 0, is_narrow: true };
        for chunk in name.utf8_chunks() {
            for character in chunk.valid().chars() {
                units.utf16 += character.len_utf16() as u64;
                units.is_narrow &= u32::from(character) < 0x100;
            }
            units.utf16 += chunk.invalid().len() as u64;
            units.is_narrow &= chunk.invalid().is_empty();
        }
        units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_counted_in_sectors() {
        for (size, sectors) in [(0, 0), (1, 1), (2048, 1), (2049, 2), (5_000_000, 2442)] {
            assert_eq!(Filesystem::Raw.file(b"a.jpg", size), sectors * SECTOR);
            assert!(Filesystem::Iso.file(b"a.jpg", size) > sectors * SECTOR);
        }
        assert_eq!(Filesystem::Raw.dir(b"2012") + Filesystem::Raw.fixed(), 0);
    }

    #[test]
    fn a_file_of_several_extents_has_as_many_records() {
        let records = |size: u64| Filesystem::Iso.file(b"a.mov", size) - size.next_multiple_of(SECTOR);
        assert_eq!(records(EXTENT), records(1));
        assert_eq!(records(EXTENT + 1), 2 * records(1));
        assert_eq!(records(3 * EXTENT), 3 * records(1));
        assert!(Filesystem::Udf.file(b"a", u64::MAX) >= u64::MAX - SECTOR, "no overflow");
    }

    #[test]
    fn longer_names_and_wider_characters_take_more() {
        for filesystem in [Filesystem::Iso, Filesystem::Udf] {
            let sizes: Vec<u64> = (1..=255).map(|len| filesystem.file(&vec![b'a'; len], 0)).collect();
            assert!(sizes.is_sorted());
            assert!(filesystem.file("日本語".as_bytes(), 0) >= filesystem.file(b"abc", 0));
            assert!(filesystem.dir(b"2012") > filesystem.file(b"2012", 0));
        }
        assert!(Filesystem::Udf.file("日本".as_bytes(), 0) > Filesystem::Udf.file("éé".as_bytes(), 0) - 20);
        assert_eq!(Units::of(b"\xff\xfea").utf16, 3);
        assert_eq!(Units::of("😀".as_bytes()).utf16, 2);
    }
}
