//! Whole streams, held for random access. A row is named by its place, so that tools need a few bytes of memory for each.

use std::ffi::OsString;
use std::fmt::Display;

use crate::cli::Failure;
use crate::record::Timestamp;
use crate::report::Reporter;
use crate::stream::fault::Fault;
use crate::stream::faults::Faults;
use crate::stream::held::Held;
use crate::stream::line::{Layout, Line, LineReader, Row};
use crate::stream::plain::plain_row;

/// The streams that a tool was given, as one sequence of rows.
#[derive(Debug, Default)]
pub struct Table {
    sources: Vec<Source>,
}

/// Where a row stands: the place of its first byte in all streams put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowRef(pub u64);

#[derive(Debug)]
struct Source {
    held: Held,
    /// Bytes in the streams before this one.
    start: u64,
    layout: Result<Layout, Fault>,
    /// Length of a byte order mark at the beginning.
    skip: usize,
}

impl Source {
    fn new(held: Held, start: u64) -> Result<Self, Failure> {
        held.check_last_line()?;
        let skip = held.mark_len();
        let layout = Layout::detect(without_newline(&held.bytes()[skip..]));
        Ok(Self { held, start, layout, skip })
    }

    fn bytes(&self) -> &[u8] {
        self.held.bytes()
    }

    fn is_plain(&self) -> bool {
        self.layout.as_ref().is_ok_and(Layout::is_plain)
    }

    /// The bytes from a place in this stream on.
    fn from(&self, at: RowRef) -> &[u8] {
        let offset = usize::try_from(at.0 - self.start).unwrap_or(usize::MAX);
        self.bytes().get(offset..).unwrap_or_default()
    }
}

impl Table {
    /// Opens the streams named by `operands`; `-`, or no operand at all, is standard input.
    ///
    /// # Errors
    /// [`Failure::Stop`] for a stream that cannot be read, or whose last line is cut off.
    pub fn open(operands: &[OsString]) -> Result<Self, Failure> {
        let standard_input = [OsString::from("-")];
        let operands = if operands.is_empty() { &standard_input } else { operands };
        operands.iter().try_fold(Self { sources: Vec::new() }, |table, operand| table.with(Held::open(operand)?))
    }

    /// A stream that is held already.
    ///
    /// # Errors
    /// [`Failure::Stop`] where its last line is cut off.
    pub fn of(held: Held) -> Result<Self, Failure> {
        Self { sources: Vec::new() }.with(held)
    }

    fn with(mut self, held: Held) -> Result<Self, Failure> {
        let source = Source::new(held, self.len())?;
        self.sources.push(source);
        Ok(self)
    }

    /// Length of all streams in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.sources.iter().map(|source| source.bytes().len() as u64).sum()
    }

    /// Whether there is not a single byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Divides all streams into about `count` parts of equal length, in order, for as many threads.
    #[must_use]
    pub fn parts(&self, count: usize) -> Vec<Part<'_>> {
        let share = usize::try_from(self.len() / count.max(1) as u64).unwrap_or(usize::MAX).max(1 << 16);
        self.sources.iter().flat_map(|source| parts_of(source, share)).collect()
    }

    /// Reads one row again.
    ///
    /// `reader` keeps what is needed between rows of one stream.
    ///
    /// # Errors
    /// The fault of the line, which a row that was read before can only have if its file was changed meanwhile.
    pub fn row<'a>(&'a self, at: RowRef, reader: &'a mut RowReader) -> Result<Row<'a>, Fault> {
        let index = self.source_of(at);
        let source = &self.sources[index];
        let rest = source.from(at);
        if source.is_plain()
            && let Some(row) = plain_row(rest)
        {
            return Ok(row);
        }
        let line = without_newline(rest);
        if reader.source != Some(index) {
            reader.lines = Some(LineReader::new(source.layout.clone()?));
            reader.source = Some(index);
        }
        match reader.lines.as_mut().map(|lines| lines.read(line)) {
            Some(Ok(Line::Row(row))) => Ok(row),
            Some(Err(fault)) => Err(fault),
            Some(Ok(Line::Header)) | None => Err(Fault::changed()),
        }
    }

    /// Reads the escaped path of one row again, and no more than that where the columns stand in their usual order.
    ///
    /// # Errors
    /// As [`Table::row`].
    pub fn path<'a>(&'a self, at: RowRef, reader: &'a mut RowReader) -> Result<&'a [u8], Fault> {
        let source = &self.sources[self.source_of(at)];
        if source.layout.as_ref().is_ok_and(Layout::begins_with_path) {
            let rest = source.from(at);
            let path = memchr::memchr2(b'\t', b'\n', rest).map(|end| &rest[..end]);
            return path.filter(|path| !path.is_empty()).ok_or_else(Fault::changed);
        }
        self.row(at, reader).map(|row| row.path)
    }

    /// The line of a row as it stands in its stream, with its newline.
    #[must_use]
    pub fn line(&self, at: RowRef) -> &[u8] {
        let rest = self.sources[self.source_of(at)].from(at);
        &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)]
    }

    /// The streams as they are, one after the other.
    pub fn contents(&self) -> impl Iterator<Item = &[u8]> {
        self.sources.iter().map(Source::bytes)
    }

    /// The line of a row as it stands, where it has its columns in their usual order and tabs between them.
    #[must_use]
    pub fn tsv_line(&self, at: RowRef) -> Option<&[u8]> {
        let source = &self.sources[self.source_of(at)];
        source.is_plain().then(|| without_newline(source.from(at)))
    }

    /// Whether a stream begins with more columns than those of an index.
    #[must_use]
    pub fn begins_wide(&self) -> bool {
        self.sources.iter().any(|source| source.layout.as_ref().is_ok_and(Layout::is_wide))
    }

    /// Whether a stream begins with a byte order mark.
    #[must_use]
    pub fn begins_with_mark(&self) -> bool {
        self.sources.iter().any(|source| source.skip > 0)
    }

    /// Brings the first `bytes` of some rows into the processor's caches.
    ///
    /// Rows read at random each wait for memory, one after another; asked for together, they wait together.
    pub fn warm(&self, rows: impl Iterator<Item = RowRef>, bytes: usize) {
        let mut sum = 0;
        for at in rows {
            let rest = self.sources[self.source_of(at)].from(at);
            for line in (0..bytes).step_by(CACHE_LINE) {
                sum ^= rest.get(line).copied().unwrap_or_default();
            }
        }
        // The sum is of no use to anybody, but without it nothing would be read.
        std::hint::black_box(sum);
    }

    fn source_of(&self, at: RowRef) -> usize {
        self.sources.partition_point(|source| source.start <= at.0).saturating_sub(1)
    }

    /// Names every malformed line on stderr and decides what becomes of the run.
    ///
    /// # Errors
    /// [`Failure::Stop`] if there is any, unless they are to be skipped.
    pub fn judge(&self, faults: &Faults, reporter: &Reporter) -> Result<(), Failure> {
        judge(faults, self.told(faults), reporter)
    }

    /// Malformed lines as `FILE:LINE`, each with what is wrong with it.
    pub(crate) fn told(&self, faults: &Faults) -> impl Iterator<Item = (String, Fault)> {
        let (mut lines, mut reader) = (LineNumbers::default(), RowReader::default());
        faults.places().iter().map(move |at| {
            let fault = self.row(*at, &mut reader).map_or_else(|fault| fault, |_| Fault::changed());
            (lines.describe(self, *at), fault)
        })
    }

    /// `FILE:LINE`, for messages. Counts the lines up to there.
    #[must_use]
    pub fn describe(&self, at: RowRef) -> String {
        LineNumbers::default().describe(self, at)
    }

    /// When the youngest of the files was last written to; `None` where any stream came through a pipe.
    #[must_use]
    pub fn last_written(&self) -> Option<Timestamp> {
        let written: Option<Vec<Timestamp>> = self.sources.iter().map(|source| source.held.last_written()).collect();
        written?.into_iter().max()
    }

    /// Checks that no stream was changed while it was read.
    ///
    /// # Errors
    /// [`Failure::Stop`] if one was: nothing that was read from it can be trusted.
    pub fn check_whole(&self) -> Result<(), Failure> {
        match self.sources.iter().find(|source| source.held.is_changed()) {
            Some(source) => Err(Failure::Stop(format!("reading: {}: it was changed meanwhile", source.held.name()))),
            None => Ok(()),
        }
    }
}

/// As [`Table::judge`], for lines that are `told` as they stand in what a stream was made from.
pub(crate) fn judge<F: Display>(
    faults: &Faults,
    told: impl Iterator<Item = (String, F)>,
    reporter: &Reporter,
) -> Result<(), Failure> {
    for (place, fault) in told {
        reporter.failed_text("reading", &place, &fault);
    }
    let (count, named) = (faults.count(), faults.places().len());
    if count > named {
        reporter.failed_text("reading", "further malformed lines", &(count - named));
    }
    if count == 0 || faults.are_skipped() {
        return Ok(());
    }
    let lines = if count == 1 { "1 malformed line".to_owned() } else { format!("{count} malformed lines") };
    Err(Failure::Stop(format!("nothing is done: {lines} (--skip-bad-lines goes on without them)")))
}

/// Numbers lines; for places that come in order, every line is counted once.
#[derive(Debug, Default)]
struct LineNumbers {
    source: usize,
    offset: usize,
    newlines: usize,
}

impl LineNumbers {
    /// `FILE:LINE`.
    fn describe(&mut self, table: &Table, at: RowRef) -> String {
        let index = table.source_of(at);
        let source = &table.sources[index];
        let offset = usize::try_from(at.0 - source.start).unwrap_or(usize::MAX).min(source.bytes().len());
        if index != self.source || offset < self.offset {
            *self = Self { source: index, ..Self::default() };
        }
        self.newlines += memchr::memchr_iter(b'\n', &source.bytes()[self.offset..offset]).count();
        self.offset = offset;
        format!("{}:{}", source.held.name(), self.newlines + 1)
    }
}

/// What a processor fetches at once; where it is another length, some bytes are asked for twice or not at all.
const CACHE_LINE: usize = 64;

/// What [`Table::row`] keeps between calls.
#[derive(Debug, Default)]
pub struct RowReader {
    source: Option<usize>,
    lines: Option<LineReader>,
}

fn without_newline(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())]
}

/// A run of whole lines of one stream.
#[derive(Debug)]
pub struct Part<'a> {
    bytes: &'a [u8],
    at: RowRef,
    is_plain: bool,
    lines: Result<LineReader, Fault>,
}

fn parts_of(source: &Source, share: usize) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let bytes = source.bytes();
    let mut from = source.skip.min(bytes.len());
    while from < bytes.len() {
        let least = from.saturating_add(share).min(bytes.len());
        let until = memchr::memchr(b'\n', &bytes[least - 1..]).map_or(bytes.len(), |newline| least + newline);
        parts.push(Part {
            bytes: &bytes[from..until],
            at: RowRef(source.start + from as u64),
            is_plain: source.is_plain(),
            lines: source.layout.clone().map(LineReader::new),
        });
        from = until;
    }
    parts
}

impl Part<'_> {
    /// The number of lines in this part, malformed ones and headers included.
    #[must_use]
    pub fn count_lines(&self) -> usize {
        memchr::memchr_iter(b'\n', self.bytes).count()
    }

    /// The number of bytes that [`Part::next_row`] has not come to yet.
    #[must_use]
    pub fn bytes_left(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The next row with its place, or the fault of the next line; headers are passed over.
    pub fn next_row(&mut self) -> Option<(RowRef, Result<Row<'_>, Fault>)> {
        // The loop that skips headers may not hold on to a borrowed row, so it looks before it reads.
        loop {
            let (bytes, at) = (self.bytes, self.at);
            if self.is_plain
                && let Some(row) = plain_row(bytes)
            {
                self.skip_line(row.plain.map_or(0, <[u8]>::len));
                return Some((at, Ok(row)));
            }
            let end = memchr::memchr(b'\n', bytes)?;
            self.skip_line(end);
            let line = &bytes[..end];
            if might_be_header(line)
                && matches!(self.lines.as_mut().map(|lines| lines.read(line)), Ok(Ok(Line::Header)))
            {
                continue;
            }
            return Some((at, self.read(line)));
        }
    }

    /// Goes on behind the newline that comes after `len` bytes.
    fn skip_line(&mut self, len: usize) {
        self.bytes = &self.bytes[len + 1..];
        self.at = RowRef(self.at.0 + len as u64 + 1);
    }

    fn read<'s>(&'s mut self, line: &'s [u8]) -> Result<Row<'s>, Fault> {
        match self.lines.as_mut().map_err(|fault| fault.clone())?.read(line)? {
            Line::Row(row) => Ok(row),
            Line::Header => Err(Fault::changed()),
        }
    }
}

/// A cheap test that no header fails.
fn might_be_header(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"size").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> (tempfile::NamedTempFile, Table) {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), text).expect("write");
        let table = Table::open(&[file.path().as_os_str().to_owned()]).expect("table");
        (file, table)
    }

    #[test]
    fn parts_cover_every_row_once_and_rows_are_found_again() {
        let text = (0..20_000).fold(String::new(), |text, number| text + &format!("path/{number}\t-\t{number}\n"));
        let (_file, table) = table(&text);
        let mut seen = Vec::new();
        for mut part in table.parts(7) {
            let lines = part.count_lines();
            let before = seen.len();
            while let Some((at, row)) = part.next_row() {
                seen.push((at, row.expect("row").size));
            }
            assert_eq!(seen.len() - before, lines);
        }
        assert!(seen.iter().map(|(_, size)| *size).eq(0..20_000));
        let mut reader = RowReader::default();
        for (at, size) in seen.into_iter().rev().step_by(997) {
            assert_eq!(table.row(at, &mut reader).expect("row").size, size);
        }
    }

    #[test]
    fn a_cut_last_line_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), "a\t-\t1\nb\t-\t").expect("write");
        let failure = Table::open(&[file.path().as_os_str().to_owned()]).expect_err("cut");
        assert!(format!("{failure:?}").contains(":2: the last line is cut off"), "{failure:?}");
    }

    #[test]
    fn a_stream_that_is_changed_in_place_is_noticed() {
        let (file, table) = table("a\t-\t1\n");
        assert!(table.check_whole().is_ok());
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(file.path(), "b\t-\t1\n").expect("write");
        let failure = table.check_whole().expect_err("changed");
        assert!(format!("{failure:?}").contains("it was changed meanwhile"), "{failure:?}");
    }

    #[test]
    fn lines_are_numbered_in_any_order() {
        let (_file, table) = table("a\t-\t1\nb\t-\t1\nc\t-\t1\n");
        let mut lines = LineNumbers::default();
        let mut number = |at| lines.describe(&table, RowRef(at)).rsplit_once(':').map(|(_, line)| line.to_owned());
        assert_eq!([number(0), number(12), number(6)], ["1", "3", "2"].map(|line| Some(line.to_owned())));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_path() {
        let (_file, table) = table("\u{feff}path\thash\tsize\n\u{feff}a\t-\t1\n");
        let mut part = table.parts(1).remove(0);
        let (_, row) = part.next_row().expect("row");
        // Only the first is a mark; one inside the stream belongs to its path.
        assert_eq!(row.expect("row").path, "\u{feff}a".as_bytes());
    }
}
