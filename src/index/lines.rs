//! The lines of a companion: written with a check, and read as far as they are whole.

use std::collections::HashMap;
use std::sync::OnceLock;

use blake3::hazmat::ChainingValue;

use super::account::Account;
use super::companion::Begin;
use crate::hash::Status;
use crate::record::{ContentHash, FileId, Timestamp, decimal};

/// Digits of the check.
const CHECK: usize = 8;

/// Bytes before the record in a line of a row.
const BEFORE_ROW: usize = CHECK + " row\t".len();

/// Appends a line: the check, `kind`, and `columns` after a tab.
pub(super) fn push(out: &mut Vec<u8>, kind: &str, columns: &[u8]) {
    let begin = out.len();
    out.extend_from_slice(&[b' '; CHECK + 1]);
    out.extend_from_slice(kind.as_bytes());
    out.push(b'\t');
    out.extend_from_slice(columns);
    let check = check(&out[begin + CHECK + 1..]);
    out[begin..begin + CHECK].copy_from_slice(&check);
    out.push(b'\n');
}

/// Appends the line of a row, and tells where, counted from the beginning of `out`, its record begins.
pub(super) fn push_row(out: &mut Vec<u8>, record: &[u8]) -> u64 {
    let at = out.len() + BEFORE_ROW;
    push(out, "row", record.strip_suffix(b"\n").unwrap_or(record));
    at as u64
}

/// Whoever wrote half a line, or zeros, or bytes of another file, has not written these digits.
fn check(text: &[u8]) -> [u8; CHECK] {
    let hex = ContentHash::from(blake3::hash(text)).to_hex();
    hex.first_chunk().copied().unwrap_or([b'0'; CHECK])
}

/// A large file of which some pieces were hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Half {
    pub(super) status: Status,
    /// Unlike the modification time, nobody can set it back.
    pub(super) ctime: Timestamp,
}

/// The chaining values of its pieces, as far as they are known.
pub(super) type Values = HashMap<u64, ChainingValue>;

/// What a companion holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The account of the index, and of one that was about to take its place.
    pub(super) accounts: Vec<Account>,
    /// The crawls that have rows here, in order.
    pub(super) begins: Vec<Begin>,
    /// Number of rows.
    pub(super) rows: usize,
    /// Files that were begun and have no row yet.
    pub(super) halves: HashMap<Half, Values>,
    /// The process that wrote here last.
    pub(super) process: Option<u32>,
    /// The last crawl was about to write `FILE.new`; the next one removes that before it begins.
    pub(super) temporary: bool,
    /// Length up to the end of the last line.
    pub(super) end: u64,
}

impl Contents {
    /// Whether a crawl can use any of it.
    pub(super) fn is_of_use(&self) -> bool {
        !self.accounts.is_empty() || self.rows > 0 || !self.halves.is_empty()
    }

    /// The pieces to be trusted by a crawl that reads everything, or by one that does not.
    pub(super) fn halves_for(self, rehash: bool) -> HashMap<Half, Values> {
        let usable = !rehash || self.begins.iter().all(|begin| begin.rehash);
        if usable { self.halves } else { HashMap::new() }
    }
}

/// One line that is whole.
enum Line<'a> {
    Account(Account),
    Begin(Begin),
    Row(&'a [u8]),
    Piece(Half, u64, ChainingValue),
    Process(u32),
    /// Whether there may be one.
    Temporary(bool),
}

/// Reads a companion.
pub(super) fn read(bytes: &[u8]) -> Contents {
    let end = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    let mut contents = Contents { end: end as u64, ..Contents::default() };
    let mut names: HashMap<FileId, Half> = HashMap::new();
    for (at, line) in lines(&bytes[..end]) {
        match parse(at, line) {
            Some(Line::Account(account)) => contents.accounts.push(account),
            Some(Line::Begin(begin)) => {
                contents.process = Some(begin.process);
                contents.temporary = false;
                contents.begins.push(begin);
            }
            Some(Line::Process(number)) => contents.process = Some(number),
            Some(Line::Row(record)) => {
                contents.rows += 1;
                // With its hash the pieces of a file have served their purpose.
                if !names.is_empty()
                    && let Some(half) = id_of(record).and_then(|id| names.remove(&id))
                {
                    contents.halves.remove(&half);
                }
            }
            Some(Line::Piece(half, number, value)) => {
                let start = contents.begins.last().map(|begin| begin.start);
                if start.is_none_or(|start| may_hide_a_change(half.ctime, start)) {
                    continue;
                }
                if let Some(old) = names.insert(half.status.id, half).filter(|old| *old != half) {
                    contents.halves.remove(&old);
                }
                contents.halves.entry(half).or_default().insert(number, value);
            }
            Some(Line::Temporary(there)) => contents.temporary = there,
            None => {}
        }
    }
    contents
}

/// What stands beside an index, as far as its lines are whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Accounts of crawls that came to their end.
    pub accounts: usize,
    /// Crawls that began.
    pub begins: usize,
    /// The lines of their records, each with its place.
    pub rows: Vec<(u64, Vec<u8>)>,
    /// Pieces of large files that were hashed.
    pub pieces: usize,
}

/// Reads what stands beside an index, for whoever wants to see it without taking it up.
#[must_use]
pub fn look_beside(bytes: &[u8]) -> Beside {
    let contents = read(bytes);
    let whole = usize::try_from(contents.end).map_or(bytes, |end| &bytes[..end]);
    Beside {
        accounts: contents.accounts.len(),
        begins: contents.begins.len(),
        rows: rows(whole).map(|(at, row)| (at, row.to_vec())).collect(),
        pieces: contents.halves.values().map(Values::len).sum(),
    }
}

fn id_of(record: &[u8]) -> Option<FileId> {
    // A piece is told of by the numbers alone: whoever writes here works on one host.
    record.rsplit(|byte| *byte == b'\t').next().and_then(FileId::parse).map(|id| id.on(None))
}

/// The records of all rows, each with the place where it begins.
pub(super) fn rows(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    lines(bytes).filter_map(|(at, line)| {
        let record = checked(line)?.strip_prefix(b"row\t")?;
        Some((at + BEFORE_ROW as u64, record))
    })
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut begin = 0;
    memchr::memchr_iter(b'\n', bytes).map(move |end| {
        let line = (begin as u64, &bytes[begin..end]);
        begin = end + 1;
        line
    })
}

/// The line without its check, if that is right.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = line.split_first_chunk::<CHECK>()?;
    let text = rest.strip_prefix(b" ")?;
    (check(text) == *digits).then_some(text)
}

fn parse(at: u64, line: &[u8]) -> Option<Line<'_>> {
    let text = checked(line)?;
    let tab = memchr::memchr(b'\t', text)?;
    let (kind, columns) = (&text[..tab], &text[tab + 1..]);
    match kind {
        b"row" => Some(Line::Row(columns)),
        b"account" => Account::parse(columns).map(Line::Account),
        b"begin" => begin(at, columns).map(Line::Begin),
        b"piece" => piece(columns),
        b"process" => Some(Line::Process(decimal(columns)?.try_into().ok()?)),
        b"temporary" => Some(Line::Temporary(columns != b"gone")),
        _ => None,
    }
}

fn begin(at: u64, columns: &[u8]) -> Option<Begin> {
    let mut columns = columns.split(|byte| *byte == b'\t');
    let start = Timestamp::parse(columns.next()?)?;
    let process = decimal(columns.next()?)?.try_into().ok()?;
    let mut begin = Begin { at, start, process, rehash: false, directory: None, trusted: true, holds_here: false };
    for column in columns {
        let text = std::str::from_utf8(column).ok()?;
        begin.rehash |= text == "rehash";
        begin.directory = text.strip_prefix("directory=").map(str::to_owned).or(begin.directory);
    }
    Some(begin)
}

/// Appends the line of a piece.
pub(super) fn push_piece(out: &mut Vec<u8>, half: &Half, number: u64, value: &ChainingValue) {
    let Half { status: Status { size, mtime, id }, ctime } = half;
    let value = ContentHash(*value);
    push(out, "piece", format!("{number}\t{value}\t{size}\t{mtime}\t{ctime}\t{}:{}", id.dev, id.ino).as_bytes());
}

fn piece(columns: &[u8]) -> Option<Line<'static>> {
    let mut columns = columns.split(|byte| *byte == b'\t');
    let number = decimal(columns.next()?)?;
    let value = ContentHash::parse(columns.next()?)?.0;
    let size = decimal(columns.next()?)?;
    let mtime = Timestamp::parse(columns.next()?)?;
    let ctime = Timestamp::parse(columns.next()?)?;
    let id = FileId::parse(columns.next()?)?;
    Some(Line::Piece(Half { status: Status { size, mtime, id }, ctime }, number, value))
}

/// Appends what says that `FILE.new` is about to be written, or is gone again.
pub(super) fn push_temporary(out: &mut Vec<u8>, is_gone: bool) {
    push(out, "temporary", if is_gone { b"gone" } else { b"" });
}

/// Whether a file could have been changed after it was read without a difference in its time: the tick of the clock had
/// not passed when the crawl began that read it. (Git calls such entries of its index racily clean.)
pub(super) fn may_hide_a_change(time: Timestamp, start: Timestamp) -> bool {
    static TICK: OnceLock<i128> = OnceLock::new();
    is_within(time, start, *TICK.get_or_init(tick))
}

/// `tick`: how long the kernel may give the same time, in nanoseconds.
fn is_within(time: Timestamp, start: Timestamp, tick: i128) -> bool {
    // The times of vfat tick every two seconds, those of some others every second (Linux, fs/fat/misc.c, and ext3).
    let tick = if time.nanoseconds == 0 { 2_000_000_000 } else { tick };
    let (time, start) = (time.nanoseconds_since_1970(), start.nanoseconds_since_1970());
    time >= start || time + tick > start
}

/// Since Linux 6.13, a file that was looked at gets another time with its next change (multigrain timestamps). Before that,
/// times come from a clock that ticks every ten milliseconds at least (`CONFIG_HZ`).
fn tick() -> i128 {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|character: char| !character.is_ascii_digit()).map(str::parse::<u32>);
    let version = (numbers.next().and_then(Result::ok), numbers.next().and_then(Result::ok));
    if version >= (Some(6), Some(13)) { 0 } else { 10_000_000 }
}

#[cfg(test)]
mod tests {
    use super::super::companion::MAGIC;
    use super::*;

    fn time(seconds: i64, nanoseconds: u32) -> Timestamp {
        Timestamp { seconds, nanoseconds }
    }

    fn half(ino: u64, seconds: i64) -> Half {
        let status = Status { size: 1 << 30, mtime: time(seconds, 1), id: FileId::here(1, ino) };
        Half { status, ctime: time(seconds, 1) }
    }

    fn text() -> Vec<u8> {
        let mut text = MAGIC.to_vec();
        let directory = Some("/a\\tb".to_owned());
        let begin =
            Begin { at: 0, start: time(100, 5), process: 77, rehash: true, directory, trusted: true, holds_here: true };
        text.extend(begin.to_line());
        push_row(&mut text, b"a\t-\t5\t1.000000000\t1:2\n");
        push_piece(&mut text, &half(2, 50), 3, &[9; 32]);
        push_piece(&mut text, &half(4, 50), 0, &[8; 32]);
        push_piece(&mut text, &half(5, 101), 0, &[8; 32]);
        push_row(&mut text, b"b\t-\t5\t1.000000000\t1:4\n");
        push_temporary(&mut text, false);
        text
    }

    #[test]
    fn what_was_written_is_read() {
        let text = text();
        let contents = read(&text);
        assert_eq!((contents.rows, contents.temporary, contents.end), (2, true, text.len() as u64));
        let begin = &contents.begins[0];
        assert_eq!((begin.process, begin.rehash, begin.start), (77, true, time(100, 5)));
        assert_eq!((begin.at, begin.directory.as_deref()), (MAGIC.len() as u64, Some("/a\\tb")));
        // One file is complete, and another one was changed too late.
        assert_eq!(contents.halves.len(), 1);
        assert_eq!(contents.halves[&half(2, 50)][&3], [9; 32]);
        let rows: Vec<_> = rows(&text).collect();
        assert_eq!(rows[0].1, b"a\t-\t5\t1.000000000\t1:2");
        assert!(text[usize::try_from(rows[1].0).expect("place")..].starts_with(b"b\t-\t5"));
    }

    #[test]
    fn what_a_crash_leaves_is_passed_over() {
        let text = text();
        for end in 0..text.len() {
            let contents = read(&text[..end]);
            assert!(contents.rows <= 2 && contents.end <= end as u64);
        }
        for at in MAGIC.len()..text.len() {
            let mut text = text.clone();
            text[at] ^= 1;
            let contents = read(&text);
            let intact =
                contents.rows + contents.begins.len() + contents.halves.len() + usize::from(contents.temporary);
            assert!(intact <= 5, "{at}");
            assert!(rows(&text).all(|(_, record)| record.ends_with(b"1:2") || record.ends_with(b"1:4")), "{at}");
        }
    }

    #[test]
    fn a_time_may_hide_a_change_until_its_tick_has_passed() {
        assert!(may_hide_a_change(time(10, 5), time(10, 5)));
        assert!(may_hide_a_change(time(10, 6), time(10, 5)));
        assert!(!may_hide_a_change(time(10, 5), time(10, 10_000_005)));
        assert!(is_within(time(10, 6), time(10, 10_000_005), 10_000_000));
        assert!(!is_within(time(10, 6), time(10, 10_000_005), 0));
        assert!(may_hide_a_change(time(10, 0), time(11, 999_999_999)));
        assert!(!may_hide_a_change(time(10, 0), time(12, 0)));
    }
}
