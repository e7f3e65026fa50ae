//! Names that the kernel allows and that careless programs fail at.
//!
//! A name is any bytes but `/` and NUL (POSIX.1-2024, 3.254), up to 255 of them on most filesystems.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::names;

/// The longest name that ext4, XFS, Btrfs and tmpfs take, in bytes.
pub(super) const LONGEST: usize = 255;

/// What is done to a plain name.
#[derive(Debug, Clone, Copy)]
enum Twist {
    Before(&'static [u8]),
    BeforeExtension(&'static [u8]),
    After(&'static [u8]),
    Instead(&'static [u8]),
    Longest,
}

use Twist::{After, Before, BeforeExtension, Instead, Longest};

/// The reader of each line will think of the program that fails at it.
static TWISTS: [Twist; 40] = [
    BeforeExtension(b"\n"),
    BeforeExtension(b"\t"),
    BeforeExtension(b"\\"),
    BeforeExtension(b"\xff\xfe"),
    Before(b"-"),
    Longest,
    After(b" "),
    BeforeExtension("\u{2003}".as_bytes()),
    BeforeExtension(b"\r"),
    BeforeExtension(b"\""),
    BeforeExtension(b","),
    // What escaping makes of a newline, of a byte, and of a backslash at the end.
    BeforeExtension(br"\n"),
    BeforeExtension(br"\x41"),
    After(br"\"),
    After(b"\n"),
    Before(b"\n"),
    Before(b" "),
    Before(b"--"),
    Instead(b"-"),
    Instead(b"..."),
    Instead(b"\t"),
    Instead(b"\xff"),
    // UTF-8 that is cut off, an encoded surrogate, and Latin-1.
    After(b"\xc3"),
    BeforeExtension(b"\xed\xa0\x80"),
    BeforeExtension(b"\xe9"),
    // The same letter, composed and decomposed.
    BeforeExtension("\u{e9}".as_bytes()),
    BeforeExtension("e\u{301}".as_bytes()),
    BeforeExtension("\u{1f600}".as_bytes()),
    BeforeExtension("\u{202e}".as_bytes()),
    BeforeExtension("\u{2028}".as_bytes()),
    BeforeExtension("\u{85}".as_bytes()),
    Before("\u{feff}".as_bytes()),
    BeforeExtension(b"\x1b[31m"),
    BeforeExtension(b"\x01\x7f"),
    BeforeExtension(b"'"),
    BeforeExtension(b"$(id)`id`"),
    BeforeExtension(b"*?[a]"),
    BeforeExtension(b"%s%n"),
    Before(b"#"),
    Before(b"."),
];

/// How many different ways there are.
pub(super) const WAYS: u64 = TWISTS.len() as u64;

/// `plain` made hostile in one of the [`WAYS`].
pub(super) fn twist(plain: &str, way: u64) -> OsString {
    let (stem, extension) = names::split(plain);
    let (stem, extension) = (stem.as_bytes(), extension.as_bytes());
    let way = usize::try_from(way % WAYS).unwrap_or(0);
    OsString::from_vec(match TWISTS[way] {
        Before(bytes) => [bytes, stem, extension].concat(),
        BeforeExtension(bytes) => [stem, bytes, extension].concat(),
        After(bytes) => [stem, extension, bytes].concat(),
        Instead(bytes) => bytes.to_vec(),
        Longest => {
            let filling = vec![b'x'; LONGEST.saturating_sub(stem.len() + extension.len())];
            [stem, &filling, extension].concat()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn every_way_gives_a_name_that_the_kernel_allows() {
        let names: BTreeSet<OsString> = (0..WAYS).map(|way| twist("IMG_1234.JPG", way)).collect();
        assert_eq!(names.len() as u64, WAYS);
        for name in &names {
            let bytes = name.as_bytes();
            assert!(!bytes.is_empty() && bytes.len() <= LONGEST, "{name:?}");
            assert!(!bytes.contains(&b'/') && !bytes.contains(&0) && bytes != b"." && bytes != b"..", "{name:?}");
        }
    }

    #[test]
    fn the_promised_ones_are_there() {
        let names: Vec<OsString> = (0..WAYS).map(|way| twist("a.jpg", way)).collect();
        let has = |test: &dyn Fn(&[u8]) -> bool| names.iter().any(|name| test(name.as_bytes()));
        for byte in *b"\n\t\\\r\"," {
            assert!(has(&|name| name.contains(&byte)), "{byte}");
        }
        assert!(has(&|name| std::str::from_utf8(name).is_err()));
        assert!(has(&|name| name.len() == 255 && name.ends_with(b".jpg")));
        assert!(has(&|name| name.starts_with(b"-")) && has(&|name| name.ends_with(b" ")));
    }
}
