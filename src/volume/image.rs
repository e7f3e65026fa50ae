//! How large the image of a disc becomes, before there is one: an upper bound that is a plain sum.
//!
//! The image of a tree takes at most [`fixed`](Filesystem::fixed), and [`file`](Filesystem::file) of each file, and
//! [`dir`](Filesystem::dir) of each directory below the root, rounded up to [`sectors`]. A directory is counted once,
//! however many files it holds. Since each term depends on one name alone, whoever fills discs adds and subtracts,
//! and never lays out a tree. [`Filesystem`] names the commands that the bound holds for.
//!
//! # What is in the sum
//!
//! - **Content** is whole sectors.
//! - **Directory records** do not cross the end of a sector (ECMA-119, 6.8.1.1). No record is longer than 254 bytes,
//!   since their lengths are even and fit one byte (9.1.1, 9.1.13). So the record that opens a sector and what stands in
//!   the sector before it are together at least 2050 bytes long; each sector but the last holds at least 2050 - 254 = 1796
//!   bytes, and a record takes at most 2048/1796 of its length. A directory of *n* sectors therefore has at least
//!   1796 (*n* - 1) + 254 bytes of records. Those for itself and its parent are 254 bytes or fewer, so that one sector for
//!   each directory, and that much for each record in it, is never too little.
//! - **Identifiers** of ISO 9660 are 30 characters, a dot and a version at most, 31 characters for a directory (7.5, 7.6).
//!   They are counted as if they were that long: where identifiers collide, digits make them longer than the name.
//! - **Rock Ridge** (IEEE P1282, RRIP 1.10) adds PX, TF and NM to each record, genisoimage RR as well. What does not fit
//!   goes to a continuation area (SUSP, 5.1), of which each directory has its own sectors. Names of more than 121 bytes
//!   (genisoimage: 84) need it, and each of them is counted as if it were the only one in its directory: an average photo
//!   has no such name, and a sector for each directory would be lost on all discs.
//! - **Joliet** has directories of its own, with names of 103 characters at most, a dot and an extension included or, by
//!   xorriso, 104. A name is counted as if each byte of it were a character, which is so where the locale is not one of
//!   UTF-8.
//! - **Path tables** (ECMA-119, 9.4) list each directory twice (least and most significant byte first) in each tree.
//! - **Extents** hold less than 4 GiB: a larger file has one record for each 4 GiB - 2 KiB (6.5.1, 9.1.4).
//! - **Deep directories** below the eighth level (6.8.2.1) leave two records each where genisoimage moves them
//!   (P1282, 4.1.5); xorriso leaves them where they are. As the depth is not known here, all are counted that way.
//! - **UDF** has a file entry of one sector for each file and directory (ECMA-167, 4/14.9), and one file identifier
//!   descriptor in the parent, of 38 bytes and the name in 8-bit or 16-bit characters, padded to a multiple of four
//!   (4/14.4); these may cross the end of a sector. A directory has one more for its parent.
//!
//! For photos of some megabytes in a directory for each day the bound is about 0.003 % above the true size. Nearly all of
//! that is the last sector of each directory in each of its trees, which may or may not be full.
//!
//! # A defect of xorriso
//!
//! xorriso 1.5.4 may write a wrong image, without a word and with exit status 0, if the continuation area of a directory
//! needs more than one sector: where it takes less room for it than it planned, all later addresses are off, and **files
//! in the whole image read back wrong**. Not every such image is; the first are those of 24 names of 255 bytes, or of
//! 118 names of 122 bytes, in one directory. The planned size, for which the bound holds, is the larger one.
//! [`Filesystem::continued`] and [`CONTINUED`] tell such directories. genisoimage does not have this defect.

use std::fmt;

/// Bytes in a sector of a disc (ECMA-119, 6.1.2: the logical sector).
pub const SECTOR: u64 = 2048;

/// A directory whose names sum up to no more than this by [`Filesystem::continued`] has a continuation area of one
/// sector, which xorriso 1.5.4 gets right. In the root, 237 bytes of it are taken.
pub const CONTINUED: u64 = SECTOR - 237;

/// The longest extent: the last multiple of a sector that 32 bits can tell.
const EXTENT: u64 = 0xFFFF_F800;

/// The longest directory record: the last even number that a byte can tell.
const RECORD: u64 = 254;

/// What each sector of a directory holds at least, but for its last.
const FILLED: u64 = SECTOR + 2 - RECORD;

/// What the records of a directory hold before Rock Ridge, at its longest: 33 bytes and the identifier, padded.
const FILE_RECORD: u64 = 33 + 33;
const DIR_RECORD: u64 = 33 + 31;

/// xorriso: PX (36) and TF (26), and the head of NM (5).
const XORRISO_ENTRIES: u64 = 36 + 26 + 5;

/// genisoimage: RR (5) as well.
const GENISOIMAGE_ENTRIES: u64 = XORRISO_ENTRIES + 5;

/// CL, the longer of what is added where a directory was moved away (12) and where it came to (RE, 4).
const MOVED: u64 = 12;

/// CE, for which genisoimage leaves room in each record, needed or not.
const CONTINUES: u64 = 28;

/// How a disc is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Filesystem {
    /// ISO 9660 with Rock Ridge and Joliet: `xorriso -as mkisofs -r -J -joliet-long -iso-level 3`.
    #[default]
    Iso,
    /// That with UDF, which xorriso cannot make: `genisoimage -r -J -joliet-long -iso-level 3 -udf -allow-limited-size`.
    Udf,
    /// Nothing but sectors of content.
    Raw,
}

/// What a name is given to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Dir,
}

impl Filesystem {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Iso, Self::Udf, Self::Raw];

    /// The word for it on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Udf => "udf",
            Self::Raw => "raw",
        }
    }

    /// The one with this [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|filesystem| filesystem.name().as_bytes() == name)
    }

    /// Bytes that an image takes for its own sake, the root directory included.
    #[must_use]
    pub fn fixed(self) -> u64 {
        let sectors = match self {
            // System area; volume descriptors; root directories and the continuation of one; path tables, and what their
            // rounding adds; the block that empty files share; padding. xorriso lets content start at sector 32 or later.
            Self::Iso => 16 + 3 + 3 + 4 + 1 + 1 + 150 + 6,
            // As an image of an empty directory has it; the directory to which deep ones are moved, and roundings.
            Self::Udf => 423 + 2,
            Self::Raw => 0,
        };
        sectors * SECTOR
    }

    /// Bytes that a file of `size` bytes takes: its [`content`], and its [`entry`](Self::entry).
    #[must_use]
    pub fn file(self, name: &[u8], size: u64) -> u64 {
        content(size).saturating_add(self.entry(name, size))
    }

    /// Bytes that a file of `size` bytes takes besides its content. `name` is that in its directory, not a path.
    #[must_use]
    pub fn entry(self, name: &[u8], size: u64) -> u64 {
        let extents = size.div_ceil(EXTENT).max(1);
        let records = extents.saturating_mul(self.records(name, Kind::File));
        match self {
            Self::Iso => records,
            Self::Udf => records.saturating_add(SECTOR + identifier_descriptor(name)),
            Self::Raw => 0,
        }
    }

    /// Bytes that a directory below the root takes, what is in it left out. `name` is that in its parent, not a path.
    #[must_use]
    pub fn dir(self, name: &[u8]) -> u64 {
        // One sector in each tree; in UDF, the entry for the parent may be what begins another one.
        let trees = 2 * SECTOR + self.records(name, Kind::Dir) + path_tables(name);
        match self {
            Self::Iso => trees,
            Self::Udf => trees + 2 * SECTOR + (40 - 4) + identifier_descriptor(name),
            Self::Raw => 0,
        }
    }

    /// Bytes of a name that xorriso puts into the continuation area of the directory; 0 for a name of 121 bytes or fewer.
    /// Where these sum up to more than [`CONTINUED`] in one directory, xorriso 1.5.4 may write a wrong image.
    #[must_use]
    pub fn continued(self, name: &[u8]) -> u64 {
        let length = name.len() as u64;
        let fits = FILE_RECORD + XORRISO_ENTRIES + length <= RECORD;
        match self {
            // Head and tail of the second NM: what the first one and CE leave of the record goes to the first part.
            Self::Iso if !fits => 5 + length - (RECORD - FILE_RECORD - XORRISO_ENTRIES - CONTINUES),
            _ => 0,
        }
    }

    /// The share that one name has of the sectors of its directory, in both trees.
    fn records(self, name: &[u8], kind: Kind) -> u64 {
        let length = name.len() as u64;
        let bare = if kind == Kind::File { FILE_RECORD } else { DIR_RECORD };
        let (entries, limit, copies) = match (self, kind) {
            (Self::Udf, Kind::File) => (GENISOIMAGE_ENTRIES, RECORD - 4 - CONTINUES, 1),
            (Self::Udf, Kind::Dir) => (GENISOIMAGE_ENTRIES + MOVED, RECORD - 4 - CONTINUES, 2),
            _ => (XORRISO_ENTRIES, RECORD, 1),
        };
        let whole = bare + (entries + length).next_multiple_of(2);
        let (record, continuation) = if whole <= limit { (whole, 0) } else { (RECORD, SECTOR) };
        spread(copies * record + joliet_record(length)) + copies * continuation
    }
}

impl fmt::Display for Filesystem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Bytes of the sectors that a content of `size` bytes takes.
#[must_use]
pub fn content(size: u64) -> u64 {
    sectors(size).saturating_mul(SECTOR)
}

/// How many sectors so many bytes take.
#[must_use]
pub fn sectors(bytes: u64) -> u64 {
    bytes.div_ceil(SECTOR)
}

/// What records of so many bytes take of sectors whose ends they do not cross.
fn spread(records: u64) -> u64 {
    (records * SECTOR).div_ceil(FILLED)
}

/// A character is two bytes; 33 bytes come before them, and one of padding after.
fn joliet_record(length: u64) -> u64 {
    34 + 2 * length.min(104)
}

/// Both path tables of both trees: 8 bytes and the identifier, padded.
fn path_tables(name: &[u8]) -> u64 {
    let characters = (name.len() as u64).min(104);
    2 * (8 + 32) + 2 * (8 + 2 * characters)
}

/// The name is counted in 16-bit characters if it may have any above U+00FF, but not shorter than its bytes, which are
/// characters where the locale is not one of UTF-8. One byte more tells which (OSTA UDF, 2.1.1).
fn identifier_descriptor(name: &[u8]) -> u64 {
    let length = if name.is_ascii() {
        name.len()
    } else {
        let units = std::str::from_utf8(name).map_or(name.len(), |text| text.encode_utf16().count());
        name.len().max(2 * units)
    };
    (38 + 1 + length.min(254) as u64).next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_photo_takes_its_sectors_and_a_fraction_of_some() {
        let photo = b"IMG_20120305_120000.jpg";
        // Records of 66 + 90 and of 34 + 46 bytes, each 2048/1796 of that.
        assert_eq!(Filesystem::Iso.file(photo, 4_000_000), 1954 * SECTOR + 270);
        assert_eq!(Filesystem::Udf.file(photo, 4_000_000), 1954 * SECTOR + 276 + SECTOR + 64);
        assert_eq!(Filesystem::Raw.file(photo, 4_000_000), 1954 * SECTOR);
        assert_eq!(Filesystem::Iso.dir(b"03"), 2 * SECTOR + 197 + 80 + 24);
        assert_eq!(Filesystem::Raw.dir(b"03") + Filesystem::Raw.fixed(), 0);
    }

    #[test]
    fn a_file_has_a_record_for_each_extent() {
        let entry = |size| Filesystem::Iso.entry(b"film.mov", size);
        assert_eq!(entry(0), entry(EXTENT));
        assert_eq!(entry(EXTENT + 1), 2 * entry(0));
        assert_eq!(entry(2 * EXTENT + 1), 3 * entry(0));
    }

    #[test]
    fn a_name_is_continued_from_the_length_on_that_fills_its_record() {
        for (filesystem, longest) in [(Filesystem::Iso, 121), (Filesystem::Udf, 84)] {
            let entry = |length| filesystem.entry(&vec![b'n'; length], 1);
            assert!(entry(longest + 1) >= entry(longest) + SECTOR, "{filesystem}");
            assert!(entry(longest) < entry(longest - 1) + 20, "{filesystem}");
        }
        // As seen in images of xorriso 1.5.4.
        for (length, continued) in [(1, 0), (121, 0), (122, 34), (150, 62), (255, 167)] {
            assert_eq!(Filesystem::Iso.continued(&vec![b'n'; length]), continued, "{length}");
        }
        assert_eq!(Filesystem::Udf.continued(&[b'n'; 255]), 0);
    }

    #[test]
    fn names_are_counted_in_the_wider_of_two_ways() {
        let counted = |name: &str| identifier_descriptor(name.as_bytes());
        assert_eq!(counted("abcd"), 44);
        // Three bytes or two of UTF-16; two bytes or two; and one high character widens all.
        assert_eq!(counted("\u{5199}\u{771f}"), 48);
        assert_eq!(counted("\u{e9}\u{e9}"), 44);
        assert_eq!(counted("\u{101}aaaaaaaaa"), 60);
        assert_eq!(identifier_descriptor(b"\xff"), 44);
        assert_eq!(identifier_descriptor(&[b'a'; 255]), 296);
    }

    #[test]
    fn names_of_filesystems_are_read_back() {
        for filesystem in Filesystem::ALL {
            assert_eq!(Filesystem::parse(filesystem.name().as_bytes()), Some(filesystem));
        }
        assert_eq!(Filesystem::parse(b"ISO"), None);
        assert_eq!(Filesystem::default(), Filesystem::Iso);
    }

    /// Every sequence of records as writers lay them out, against the share that each has of the sectors.
    fn sectors_of_directory(own: u64, records: &[u64]) -> u64 {
        let mut sectors = 1;
        let mut filled = own;
        for record in records {
            if filled + record > SECTOR {
                sectors += 1;
                filled = 0;
            }
            filled += record;
        }
        sectors
    }

    proptest! {
        #[test]
        fn no_order_of_records_takes_more_than_their_shares(own in 34..=127_u64, records in prop::collection::vec(17..=127_u64, 0..400)) {
            let records: Vec<u64> = records.into_iter().map(|half| 2 * half).collect();
            let shares: u64 = records.iter().map(|record| spread(*record)).sum();
            prop_assert!(sectors_of_directory(2 * own, &records) * SECTOR <= SECTOR + shares);
        }

        /// Nor does the worst order: little ones until the next large one does not fit.
        #[test]
        fn nor_does_the_worst_order(little in 17..=60_u64, large in 100..=127_u64, count in 1..60_usize) {
            let (little, large) = (2 * little, 2 * large);
            let mut records = Vec::new();
            let mut filled = 68;
            for _ in 0..count {
                while filled + large <= SECTOR {
                    records.push(little);
                    filled += little;
                }
                records.push(large);
                filled = large;
            }
            let shares: u64 = records.iter().map(|record| spread(*record)).sum();
            prop_assert!(sectors_of_directory(68, &records) * SECTOR <= SECTOR + shares);
        }

        /// No index is hostile enough for an overflow, and nothing is free but in the filesystem that counts content alone.
        #[test]
        fn no_size_wraps_around(name in prop::collection::vec(any::<u8>(), 0..300), size in any::<u64>(), more in any::<u64>()) {
            for filesystem in Filesystem::ALL {
                let bytes = filesystem.file(&name, size);
                prop_assert!(bytes >= size);
                prop_assert!(filesystem.file(&name, size.saturating_add(more)) >= bytes);
                prop_assert!(bytes == filesystem.entry(&name, size).saturating_add(content(size)));
                prop_assert!(filesystem.dir(&name) > 0 || filesystem == Filesystem::Raw);
                prop_assert!(filesystem.file(&name, u64::MAX) >= u64::MAX - SECTOR);
            }
        }
    }
}
