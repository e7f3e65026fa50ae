//! The record: what is known of one file, and what a planner wants done with it.

use std::fmt;
use std::path::PathBuf;

use crate::host::Host;

/// The names of the eight columns, in the order of the stream.
pub const COLUMNS: [&str; 8] = ["path", "hash", "size", "mtime", "id", "dest", "keep", "note"];

/// How many columns an index stream carries; a plan carries all of [`COLUMNS`].
pub const INDEX_COLUMNS: usize = 5;

/// One line of a stream, all of it parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The file, as reached from the operand that was given. Never empty.
    pub path: PathBuf,
    /// BLAKE3 of the content.
    pub hash: Option<ContentHash>,
    /// Length in bytes.
    pub size: u64,
    /// Last modification.
    pub mtime: Option<Timestamp>,
    /// Which file this is, however many names it has.
    pub id: Option<FileId>,
    /// Where a planner wants the file.
    pub dest: Option<PathBuf>,
    /// For a duplicate: the path of the copy that stays.
    pub keep: Option<PathBuf>,
    /// Why: the source of a date, the reason of a failure, what the keeper was.
    pub note: Option<Vec<u8>>,
}

/// BLAKE3 of a whole content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of the empty content.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::from(blake3::hash(b""))
    }

    /// Reads 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 64] = digits.try_into().ok()?;
        // Without a table and without an early exit, the compiler takes many digits at a time.
        let mut valid = true;
        let mut values = [0; 64];
        for (value, digit) in values.iter_mut().zip(digits) {
            valid &= digit.wrapping_sub(b'0') < 10 || digit.wrapping_sub(b'a') < 6;
            *value = (digit & 15) + 9 * (digit >> 6);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(values.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        valid.then_some(Self(bytes))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }
}

impl From<blake3::Hash> for ContentHash {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A moment: whole seconds since 1970-01-01 UTC, rounded down, and the nanoseconds after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 UTC, rounded towards the past.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

const NANOSECONDS: u32 = 1_000_000_000;

impl Timestamp {
    /// Reads `-?digits.9digits`; the sign is that of the whole number, so that half a second before 1970 is `-0.500000000`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let point = digits.len().checked_sub(10)?;
        if digits[point] != b'.' {
            return None;
        }
        // The first second that there is has no positive counterpart.
        let seconds = i128::from(decimal(&digits[..point])?);
        let nanoseconds = u32::try_from(decimal(&digits[point + 1..])?).ok()?;
        let (seconds, nanoseconds) = match (negative, nanoseconds) {
            (false, _) => (seconds, nanoseconds),
            (true, 0) => (-seconds, nanoseconds),
            (true, _) => (-seconds - 1, NANOSECONDS - nanoseconds),
        };
        Some(Self { seconds: i64::try_from(seconds).ok()?, nanoseconds })
    }

    /// As one number.
    #[must_use]
    pub fn nanoseconds_since_1970(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOSECONDS) + i128::from(self.nanoseconds)
    }

    /// Whether a file of this time may have `kept` on a filesystem with coarser times: whether `kept` is the same, or is
    /// this cut down to a granule of some filesystem.
    #[must_use]
    pub fn may_be_kept_as(self, kept: Self) -> bool {
        let whole = Self { nanoseconds: 0, ..self };
        let even = Self { seconds: self.seconds - self.seconds.rem_euclid(2), nanoseconds: 0 };
        let cut_to = |granule: u32| Self { nanoseconds: self.nanoseconds - self.nanoseconds % granule, ..self };
        kept == self || kept == whole || kept == even || GRANULES.iter().any(|granule| kept == cut_to(*granule))
    }
}

/// In nanoseconds: NTFS (MS-FSCC, section 2.1.1, file times), UDF (ECMA-167, 1/7.3), exFAT and long Rock Ridge times (exFAT
/// specification, section 7.4.7; ECMA-119, section 8.4.26.1). Besides these there are whole seconds on ISO 9660 (ECMA-119,
/// section 9.1.5) and older filesystems, and every second one on FAT (FAT32 specification, directory entries).
const GRANULES: [u32; 3] = [100, 1000, 10_000_000];

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.seconds < 0 && self.nanoseconds > 0 {
            let seconds = -(self.seconds + 1);
            return write!(out, "-{seconds}.{:09}", NANOSECONDS - self.nanoseconds);
        }
        write!(out, "{}.{:09}", self.seconds, self.nanoseconds)
    }
}

/// One file, however many names it has: the device and inode numbers as `stat` gives them on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The host that has the file, where that is named. The same numbers on another host are another file.
    pub host: Option<Host>,
    /// `st_dev`.
    pub dev: u64,
    /// `st_ino`.
    pub ino: u64,
}

impl FileId {
    /// A file of this host, by what `stat` gives.
    #[must_use]
    pub fn here(dev: u64, ino: u64) -> Self {
        Self { host: None, dev, ino }
    }

    /// The file of these numbers on a certain host.
    #[must_use]
    pub fn on(self, host: Option<Host>) -> Self {
        Self { host, ..self }
    }

    /// Reads `dev:ino`, or `host/dev:ino`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (host, numbers) = match memchr::memchr(b'/', text) {
            Some(slash) => (Some(Host::parse(&text[..slash])?), &text[slash + 1..]),
            None => (None, text),
        };
        let colon = memchr::memchr(b':', numbers)?;
        Some(Self { host, dev: decimal(&numbers[..colon])?, ino: decimal(&numbers[colon + 1..])? })
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = self.host {
            write!(out, "{host}/")?;
        }
        write!(out, "{}:{}", self.dev, self.ino)
    }
}

/// Reads decimal digits, and nothing else.
#[must_use]
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Appends decimal digits, without the cost of the formatting machinery.
pub(crate) fn push_decimal(mut value: u64, line: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut from = digits.len();
    loop {
        from -= 1;
        digits[from] = b'0' + (value % 10).to_le_bytes()[0];
        value /= 10;
        if value == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_a_second_before_the_epoch_keeps_its_sign() {
        let moment = Timestamp { seconds: -1, nanoseconds: 500_000_000 };
        assert_eq!(moment.to_string(), "-0.500000000");
        assert_eq!(Timestamp::parse(b"-0.500000000"), Some(moment));
    }

    #[test]
    fn only_the_written_form_of_a_time_is_read() {
        for text in [
            "",
            ".",
            "1",
            "1.5",
            "1.0000000000",
            "+1.000000000",
            "1e9.000000000",
            "-.000000000",
            "9999999999999999999.000000000",
        ] {
            assert_eq!(Timestamp::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_time_may_be_kept_in_a_coarser_granule_but_never_as_another() {
        let moment = |text: &str| Timestamp::parse(text.as_bytes()).expect(text);
        let recorded = moment("1500000001.123456789");
        for kept in ["1500000001.123456789", "1500000001.123456700", "1500000001.123456000", "1500000001.120000000"] {
            assert!(recorded.may_be_kept_as(moment(kept)), "{kept}");
        }
        assert!(recorded.may_be_kept_as(moment("1500000001.000000000")), "whole seconds");
        assert!(recorded.may_be_kept_as(moment("1500000000.000000000")), "two seconds");
        for other in [
            "1500000002.000000000",
            "1499999999.000000000",
            "1500000000.123456789",
            "1500000001.123456780",
            "1500000001.123000000",
            "1500000001.100000000",
            "1500000001.130000000",
        ] {
            assert!(!recorded.may_be_kept_as(moment(other)), "{other}");
            assert!(!moment(other).may_be_kept_as(recorded), "{other}: what is kept is never finer");
        }
        // Before 1970, too, a time is cut towards the past.
        assert!(moment("-0.500000000").may_be_kept_as(moment("-1.000000000")));
        assert!(moment("-0.500000000").may_be_kept_as(moment("-2.000000000")));
        assert!(!moment("-0.500000000").may_be_kept_as(moment("0.000000000")));
        let least = Timestamp { seconds: i64::MIN, nanoseconds: 1 };
        assert!(least.may_be_kept_as(Timestamp { nanoseconds: 0, ..least }));
    }

    #[test]
    fn only_lower_case_hashes_are_read() {
        let hash = ContentHash::of_nothing();
        let text = hash.to_string();
        assert_eq!(ContentHash::parse(text.as_bytes()), Some(hash));
        assert_eq!(hash.to_hex().as_slice(), text.as_bytes());
        assert_eq!(ContentHash::parse(text.to_uppercase().as_bytes()), None);
        assert_eq!(ContentHash::parse(&text.as_bytes()[1..]), None);
    }

    #[test]
    fn an_id_names_its_host_or_none() {
        for text in ["7:9", "nas/7:9", "10.0.0.7/18446744073709551615:0"] {
            assert_eq!(FileId::parse(text.as_bytes()).map(|id| id.to_string()).as_deref(), Some(text));
        }
        for text in ["", "7", "7:", "nas/", "nas/7", "/7:9", "NAS/7:9", "nas//7:9", "nas/x/7:9", "nas:7/9"] {
            assert_eq!(FileId::parse(text.as_bytes()), None, "{text}");
        }
        assert_ne!(FileId::parse(b"nas/7:9"), FileId::parse(b"laptop/7:9"));
    }

    #[test]
    fn numbers_do_not_wrap() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(decimal(b"1 "), None);
    }

    proptest! {
        #[test]
        fn any_time_comes_back(seconds in -(1_i64 << 62)..(1_i64 << 62), nanoseconds in 0..NANOSECONDS) {
            let moment = Timestamp { seconds, nanoseconds };
            prop_assert_eq!(Timestamp::parse(moment.to_string().as_bytes()), Some(moment));
        }
    }
}
