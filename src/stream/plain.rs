//! The line of an index as it is mostly written, read without a second look: five columns, numbers without needless
//! zeros, and nothing in the path that is escaped or not ASCII.

use crate::host::Host;
use crate::record::{ContentHash, FileId, Timestamp};
use crate::stream::line::Row;

/// Longer paths are left to the general way, so that a stream without tabs is not searched to its end for each line.
const LONGEST_PATH: usize = 4096;

/// The row that a text begins with, whose `plain` says how long it is; a newline comes after it.
/// `None` for all that is not as plain as that, which the general way reads, or names the fault of.
pub(crate) fn plain_row(text: &[u8]) -> Option<Row<'_>> {
    let end = memchr::memchr(b'\t', &text[..text.len().min(LONGEST_PATH)])?;
    let (path, rest) = (&text[..end], &text[end + 1..]);
    let (hash, rest) = hash(rest)?;
    let (size, rest) = number(rest.strip_prefix(b"\t")?)?;
    let (mtime, rest) = time(rest.strip_prefix(b"\t")?)?;
    let (id, rest) = id(rest.strip_prefix(b"\t")?)?;
    // Counted to the end, so that the compiler takes many bytes at a time.
    let odd = path.iter().filter(|byte| !matches!(**byte, b' '..=b'[' | b']'..=b'~')).count();
    let usable = odd == 0 && !matches!(path, b"" | b"-") && rest.first() == Some(&b'\n');
    let plain = Some(&text[..text.len() - rest.len()]);
    usable.then_some(Row { path, hash, size, mtime, id, dest: None, keep: None, note: None, plain })
}

fn hash(text: &[u8]) -> Option<(Option<ContentHash>, &[u8])> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some((None, rest));
    }
    let (digits, rest) = text.split_at_checked(64)?;
    Some((Some(ContentHash::parse(digits)?), rest))
}

/// The time that a text begins with, unless it is before 1970.
fn time(text: &[u8]) -> Option<(Option<Timestamp>, &[u8])> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some((None, rest));
    }
    let (seconds, rest) = number(text)?;
    let rest = rest.strip_prefix(b".")?;
    let (nanoseconds, after) = digits(rest)?;
    let nine_digits = rest.len() - after.len() == 9;
    let time = Timestamp { seconds: i64::try_from(seconds).ok()?, nanoseconds: u32::try_from(nanoseconds).ok()? };
    nine_digits.then_some((Some(time), after))
}

fn id(text: &[u8]) -> Option<(Option<FileId>, &[u8])> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some((None, rest));
    }
    if let Some((dev, ino, rest)) = numbers(text) {
        return Some((Some(FileId::here(dev, ino)), rest));
    }
    let slash = memchr::memchr3(b'/', b'\t', b'\n', text).filter(|end| text[*end] == b'/')?;
    let host = Host::parse(&text[..slash])?;
    let (dev, ino, rest) = numbers(&text[slash + 1..])?;
    Some((Some(FileId { host: Some(host), dev, ino }), rest))
}

/// The two numbers that a text begins with, a colon between them.
fn numbers(text: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (dev, rest) = number(text)?;
    let (ino, rest) = number(rest.strip_prefix(b":")?)?;
    Some((dev, ino, rest))
}

/// The number that a text begins with, and what comes after it, unless it is written with needless zeros.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (value, rest) = digits(text)?;
    (text[0] != b'0' || text.len() - rest.len() == 1).then_some((value, rest))
}

/// As [`number`], with any zeros. Up to 16 digits, which cannot be too great.
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let (high, high_len) = up_to_eight_digits(text);
    if high_len < 8 {
        return (high_len > 0).then(|| (high, &text[high_len..]));
    }
    let (low, low_len) = up_to_eight_digits(&text[8..]);
    let rest = &text[8 + low_len..];
    let ended = !rest.first().is_some_and(u8::is_ascii_digit);
    ended.then(|| (high * POWERS_OF_TEN[low_len] + low, rest))
}

const POWERS_OF_TEN: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The value and the number of the digits that a text begins with, all eight of them at once: after D. Lemire,
/// "Quickly parsing eight digits", <https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/>.
fn up_to_eight_digits(text: &[u8]) -> (u64, usize) {
    let eight = text.first_chunk().copied().unwrap_or_else(|| {
        let mut eight = [0; 8];
        eight[..text.len()].copy_from_slice(text);
        eight
    });
    // Digits are 0 to 9 now, and the first byte, which counts most, stands lowest.
    let values = u64::from_le_bytes(eight) ^ 0x3030_3030_3030_3030;
    // Adding 0x76 lifts all but 0 to 9 over 0x7f. What is carried on only reaches bytes behind one that is no digit.
    let no_digits = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let len = no_digits.trailing_zeros() / 8;
    if len == 0 {
        return (0, 0);
    }
    // The digits move up to the end, and zeros come before them.
    let values = values << (64 - 8 * len);
    let pairs = (values * 10 + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    ((fours * 10_000 + (fours >> 32)) & 0xffff_ffff, len as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::line::{Layout, Line, LineReader};

    #[test]
    fn numbers_of_any_length_are_read() {
        for len in 1..=16 {
            for text in ["1234567890123456", "9999999999999999", "1000000000000000"] {
                let line = format!("{}\tx", &text[..len]);
                let expected = text[..len].parse().expect("number");
                assert_eq!(number(line.as_bytes()), Some((expected, b"\tx".as_slice())), "{line}");
                assert_eq!(number(&line.as_bytes()[..len]), Some((expected, b"".as_slice())), "{line}");
            }
        }
        assert_eq!(number(b"12345678901234567"), None);
        assert_eq!(number(b"007"), None);
        assert_eq!(number(b"0\t"), Some((0, b"\t".as_slice())));
        assert_eq!(number(b""), None);
    }

    #[test]
    fn every_byte_that_is_no_digit_ends_a_number() {
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            let text = [b'4', b'2', byte, b'1', 0xff, b'9', b'9', b'9', b'9'];
            assert_eq!(digits(&text), Some((42, &text[2..])), "{byte}");
            assert_eq!(digits(&text[2..]), None, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_reads_as_in_the_general_way(
            path in r"[ -~]{1,9}|-|\\n|ä",
            hash in "-|[0-9a-f]{64}|[0-9a-g]{63,64}",
            numbers in r"[0-9]{1,19}\t(-|-?[0-9]{1,11}\.[0-9]{8,10})\t(-|(nas/|3n.a/|N/|/)?[0-9]{1,9}:[0-9]{1,20})",
            end in r"|\t|\tx|\r",
        ) {
            let line = format!("{path}\t{hash}\t{numbers}{end}");
            let text = format!("{line}\nnext\t-\t1\n");
            if let Some(row) = plain_row(text.as_bytes()) {
                prop_assert_eq!(row.plain, Some(line.as_bytes()));
                let mut general = LineReader::new(Layout::detect(line.as_bytes()).expect("layout"));
                prop_assert_eq!(general.read(line.as_bytes()), Ok(Line::Row(Row { plain: None, ..row })));
                let written = crate::stream::writer::tests::index_line(&Row { plain: None, ..row });
                prop_assert_eq!(written, &text.as_bytes()[..=line.len()]);
            }
        }
    }
}
