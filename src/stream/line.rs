//! One line of a stream: told apart as header or row, split into columns, checked, parsed.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use super::fault::Fault;
use crate::escape::{self, Malformed};
use crate::record::{COLUMNS, ContentHash, FileId, INDEX_COLUMNS, Record, Timestamp, decimal};

/// How many columns of a line are looked at; what stands further right is ignored.
const MOST_COLUMNS: usize = 32;

/// The two written forms of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One tab between columns.
    Tsv,
    /// RFC 4180.
    Csv,
}

/// Which column of a line holds what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    dialect: Dialect,
    /// For each of [`COLUMNS`], its place in the line.
    places: [Option<usize>; COLUMNS.len()],
    /// Whether this is TSV with all columns in their usual places.
    is_plain: bool,
    /// Whether the first line has more columns than an index.
    is_wide: bool,
}

/// One row, checked in every column; the texts are still escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The escaped path.
    pub path: &'a [u8],
    /// BLAKE3 of the content.
    pub hash: Option<ContentHash>,
    /// Length in bytes.
    pub size: u64,
    /// Last modification.
    pub mtime: Option<Timestamp>,
    /// Which file this is.
    pub id: Option<FileId>,
    /// The escaped destination.
    pub dest: Option<&'a [u8]>,
    /// The escaped path of the keeper.
    pub keep: Option<&'a [u8]>,
    /// The escaped note.
    pub note: Option<&'a [u8]>,
    /// The first five columns as they stand in the stream, where nothing in them is escaped, nothing comes after them,
    /// and they would be written in no other way.
    pub plain: Option<&'a [u8]>,
}

impl Row<'_> {
    /// The path's own bytes.
    #[must_use]
    pub fn path_bytes(&self) -> Cow<'_, [u8]> {
        unescaped(self.path)
    }

    /// The escaped path in the one form that is written, also where it was read in another.
    #[must_use]
    pub fn canonical_path(&self) -> Cow<'_, [u8]> {
        let escaped = self.path;
        if self.plain.is_some() || escaped.is_ascii() && memchr::memchr(b'\\', escaped).is_none() {
            return Cow::Borrowed(escaped);
        }
        let bytes = self.path_bytes();
        if *bytes == *b"-" {
            return Cow::Borrowed(b"./-");
        }
        Cow::Owned(escape::escape(&bytes).into_bytes())
    }

    /// The record, with nothing escaped in it.
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record {
            path: to_path(self.path),
            hash: self.hash,
            size: self.size,
            mtime: self.mtime,
            id: self.id,
            dest: self.dest.map(to_path),
            keep: self.keep.map(to_path),
            note: self.note.map(|note| unescaped(note).into_owned()),
        }
    }
}

/// A checked text never fails to unescape; an unchecked one stands for itself.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    escape::unescape(text).unwrap_or(Cow::Borrowed(text))
}

fn to_path(text: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(unescaped(text).into_owned()))
}

/// What a line turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// The names of the columns.
    Header,
    /// A record.
    Row(Row<'a>),
}

impl Layout {
    /// Reads the first line of a stream: a tab means TSV; a header names the columns.
    ///
    /// # Errors
    /// A header that names a column twice.
    pub fn detect(first: &[u8]) -> Result<Self, Fault> {
        let dialect = if memchr::memchr(b'\t', first).is_some() { Dialect::Tsv } else { Dialect::Csv };
        let mut scratch = Scratch::default();
        let fields = scratch.split(dialect, first)?;
        if is_header(&fields) { Self::from_header(dialect, &fields) } else { Ok(Self::positional(dialect, fields.len)) }
    }

    fn positional(dialect: Dialect, columns: usize) -> Self {
        let is_plain = dialect == Dialect::Tsv;
        Self { dialect, places: std::array::from_fn(Some), is_plain, is_wide: columns > INDEX_COLUMNS }
    }

    fn from_header(dialect: Dialect, fields: &Fields<'_>) -> Result<Self, Fault> {
        let mut places = [None; COLUMNS.len()];
        for (place, field) in fields.iter().enumerate() {
            let Some(known) = COLUMNS.iter().position(|name| name.as_bytes() == field) else { continue };
            if places[known].replace(place).is_some() {
                return Err(Fault {
                    column: Some((place + 1, COLUMNS[known])),
                    problem: "named twice in the header".into(),
                });
            }
        }
        let is_wide = places.iter().skip(INDEX_COLUMNS).any(Option::is_some);
        Ok(Self { dialect, places, is_plain: false, is_wide })
    }

    /// Whether [`plain_row`](super::plain::plain_row) may be asked first.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether the first line has more columns than an index.
    pub(crate) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// Whether a line begins with its path, up to the first tab.
    pub(crate) fn begins_with_path(&self) -> bool {
        self.dialect == Dialect::Tsv && self.places[0] == Some(0)
    }

    /// Whether a header in the middle of a stream says what is assumed already.
    fn agrees_with(&self, header: &Self, columns: usize) -> bool {
        (0..COLUMNS.len()).all(|known| match (self.places[known], header.places[known]) {
            (mine, Some(theirs)) => mine == Some(theirs),
            (Some(mine), None) => mine >= columns,
            (None, None) => true,
        })
    }
}

/// Reads lines of one layout.
#[derive(Debug)]
pub struct LineReader {
    layout: Layout,
    scratch: Scratch,
}

impl LineReader {
    /// A reader for lines of `layout`.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self { layout, scratch: Scratch::default() }
    }

    /// Reads one line, without its newline.
    ///
    /// # Errors
    /// A [`Fault`] that names the column and what would do.
    pub fn read<'a>(&'a mut self, line: &'a [u8]) -> Result<Line<'a>, Fault> {
        let layout = self.layout;
        let fields = self.scratch.split(layout.dialect, line)?;
        if is_header(&fields) {
            let header = Layout::from_header(layout.dialect, &fields)?;
            return if layout.agrees_with(&header, fields.len) {
                Ok(Line::Header)
            } else {
                Err(Fault::of_line("a header that names other columns than the first line; it can only stand first"))
            };
        }
        row(&layout, &fields).map(Line::Row)
    }
}

/// The columns of one line.
struct Fields<'a> {
    items: [&'a [u8]; MOST_COLUMNS],
    len: usize,
}

impl<'a> Fields<'a> {
    fn new() -> Self {
        Self { items: [&[]; MOST_COLUMNS], len: 0 }
    }

    fn push(&mut self, field: &'a [u8]) {
        if self.len < MOST_COLUMNS {
            self.items[self.len] = field;
            self.len += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.items[..self.len].iter().copied()
    }

    fn get(&self, place: Option<usize>) -> Option<&'a [u8]> {
        place.filter(|place| *place < self.len).map(|place| self.items[place])
    }
}

/// A record always has a size, a field of digits only; a header has none, but names `path` and `size`.
fn is_header(fields: &Fields<'_>) -> bool {
    let named = |name: &[u8]| fields.iter().any(|field| field == name);
    named(b"size") && named(b"path") && !fields.iter().any(|field| decimal(field).is_some())
}

/// Space for unquoted CSV fields.
struct Scratch {
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: [usize; MOST_COLUMNS],
}

impl fmt::Debug for Scratch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Scratch")
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self { reader: csv_core::Reader::new(), text: Vec::new(), ends: [0; MOST_COLUMNS] }
    }
}

impl Scratch {
    fn split<'a>(&'a mut self, dialect: Dialect, line: &'a [u8]) -> Result<Fields<'a>, Fault> {
        match dialect {
            Dialect::Tsv => Ok(split_tsv(line)),
            Dialect::Csv => self.split_csv(line),
        }
    }

    fn split_csv<'a>(&'a mut self, line: &[u8]) -> Result<Fields<'a>, Fault> {
        use csv_core::ReadRecordResult::{InputEmpty, Record};
        // The reader passes over empty lines, and would want another one.
        if matches!(line, b"" | b"\r") {
            return Ok(Fields::new());
        }
        self.reader.reset();
        self.text.resize(line.len() + 1, 0);
        let (result, read, written, ends) = self.reader.read_record(line, &mut self.text, &mut self.ends);
        // An empty input tells the reader that nothing follows; a quote still open then would swallow the next line.
        let columns = match result {
            Record => ends,
            InputEmpty if read == line.len() => {
                let (end, _, _, more) =
                    self.reader.read_record(b"\n", &mut self.text[written..], &mut self.ends[ends..]);
                if end != Record {
                    return Err(Fault::of_line("a quoted field that does not end on its line"));
                }
                ends + more
            }
            _ => return Err(Fault::of_line(format!("more than {MOST_COLUMNS} columns"))),
        };
        let mut fields = Fields::new();
        let mut start = 0;
        for end in &self.ends[..columns] {
            fields.push(&self.text[start..*end]);
            start = *end;
        }
        Ok(fields)
    }
}

fn split_tsv(line: &[u8]) -> Fields<'_> {
    let mut fields = Fields::new();
    let mut start = 0;
    for tab in memchr::memchr_iter(b'\t', line) {
        fields.push(&line[start..tab]);
        start = tab + 1;
    }
    fields.push(&line[start..]);
    fields
}

fn row<'a>(layout: &Layout, fields: &Fields<'a>) -> Result<Row<'a>, Fault> {
    if fields.len < 3 {
        let problem = if fields.iter().all(<[u8]>::is_empty) {
            "an empty line".to_owned()
        } else {
            format!("{} columns, where path, hash and size are the least", fields.len)
        };
        return Err(Fault::of_line(problem));
    }
    let cell = Cell { layout, fields };
    Ok(Row {
        path: cell.path()?,
        hash: cell.optional(1, ContentHash::parse, "is neither 64 lower-case hexadecimal digits nor -")?,
        size: cell.size()?,
        mtime: cell.optional(3, Timestamp::parse, "is neither seconds with nine decimal places nor -")?,
        id: cell.optional(4, FileId::parse, "is neither DEVICE:INODE, after HOST/ or not, nor -")?,
        dest: cell.text(5, true)?,
        keep: cell.text(6, true)?,
        note: cell.text(7, false)?,
        plain: None,
    })
}

/// The columns of one line under their names.
struct Cell<'l, 'a> {
    layout: &'l Layout,
    fields: &'l Fields<'a>,
}

impl<'a> Cell<'_, 'a> {
    fn get(&self, column: usize) -> Option<&'a [u8]> {
        self.fields.get(self.layout.places[column])
    }

    fn fault(&self, column: usize, problem: impl Into<String>) -> Fault {
        let number = self.layout.places[column].unwrap_or(column) + 1;
        Fault { column: Some((number, COLUMNS[column])), problem: problem.into() }
    }

    fn malformed(&self, column: usize, text: &[u8], why: Malformed) -> Fault {
        self.fault(column, format!("\"{}\": {why}", escape::excerpt(text)))
    }

    fn path(&self) -> Result<&'a [u8], Fault> {
        match self.get(0) {
            None | Some(b"") => Err(self.fault(0, "a path is never empty")),
            Some(b"-") => Err(self.fault(0, "a path is never unknown; a file called - is written ./-")),
            Some(text) => escape::check(text).map(|()| text).map_err(|why| self.malformed(0, text, why)),
        }
    }

    fn size(&self) -> Result<u64, Fault> {
        let text = self.get(2).unwrap_or_default();
        decimal(text)
            .ok_or_else(|| self.fault(2, format!("\"{}\" is not a whole number of bytes", escape::excerpt(text))))
    }

    fn optional<T>(&self, column: usize, parse: fn(&[u8]) -> Option<T>, problem: &str) -> Result<Option<T>, Fault> {
        match self.get(column) {
            None | Some(b"-") => Ok(None),
            Some(text) => parse(text)
                .map(Some)
                .ok_or_else(|| self.fault(column, format!("\"{}\" {problem}", escape::excerpt(text)))),
        }
    }

    fn text(&self, column: usize, is_path: bool) -> Result<Option<&'a [u8]>, Fault> {
        match self.get(column) {
            None | Some(b"-") => Ok(None),
            Some(b"") if is_path => Err(self.fault(column, "a path is never empty; unknown is written -")),
            Some(text) => escape::check(text).map(|()| Some(text)).map_err(|why| self.malformed(column, text, why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(first: &str, line: &str) -> Result<Option<Record>, String> {
        let layout = Layout::detect(first.as_bytes()).map_err(|fault| fault.to_string())?;
        let mut reader = LineReader::new(layout);
        match reader.read(line.as_bytes()) {
            Ok(Line::Header) => Ok(None),
            Ok(Line::Row(row)) => Ok(Some(row.to_record())),
            Err(fault) => Err(fault.to_string()),
        }
    }

    #[test]
    fn three_columns_are_a_record_and_the_ninth_is_ignored() {
        assert_eq!(read("a\t-\t5", "a\t-\t5").expect("row").expect("record").size, 5);
        let long = "a\t-\t5\t-\t-\td\tk\tn\tnine\tten";
        assert_eq!(read(long, long).expect("row").expect("record").note.as_deref(), Some(b"n".as_slice()));
        assert_eq!(read("a\t5", "a\t5"), Err("2 columns, where path, hash and size are the least".into()));
    }

    #[test]
    fn a_header_first_names_the_columns_in_any_order() {
        let record = read("size\tpath\tdest", "7\tx\ty").expect("row").expect("record");
        assert_eq!((record.size, record.path, record.dest), (7, "x".into(), Some("y".into())));
    }

    #[test]
    fn a_header_in_the_middle_must_agree() {
        assert_eq!(read("a\t-\t5", "path\thash\tsize\tmtime\tid"), Ok(None));
        assert!(read("a\t-\t5", "size\tpath\thash").is_err());
        assert_eq!(read("size\tpath", "size\tpath"), Ok(None));
    }

    #[test]
    fn a_path_is_written_in_one_form_however_it_was_read() {
        let written = |path: &str| {
            let line = format!("{path}\t-\t5");
            let layout = Layout::detect(line.as_bytes()).expect("layout");
            match LineReader::new(layout).read(line.as_bytes()) {
                Ok(Line::Row(row)) => String::from_utf8(row.canonical_path().into_owned()).expect("UTF-8"),
                other => panic!("{other:?}"),
            }
        };
        for (read, expected) in [
            ("a b", "a b"),
            (r"a\\b\t", r"a\\b\t"),
            (r"\x61", "a"),
            (r"\x2d", "./-"),
            ("é\u{2028}", r"é\xe2\x80\xa8"),
            (r"\xff", r"\xff"),
        ] {
            assert_eq!(written(read), expected, "{read}");
        }
    }

    #[test]
    fn csv_quotes_end_on_their_line() {
        let record = read("path,hash,size", "\"a,\"\"b\",-,3").expect("row").expect("record");
        assert_eq!(record.path, PathBuf::from("a,\"b"));
        assert!(read("path,hash,size", "\"a,-,3").is_err());
        assert_eq!(read("path,hash,size", ""), Err("an empty line".into()));
        assert_eq!(read("path,hash,size", "\r"), Err("an empty line".into()));
        assert_eq!(read("a,-,3", "a,-,3\r").expect("row").expect("record").size, 3);
    }

    #[test]
    fn each_fault_names_its_column() {
        for (line, expected) in [
            ("a\t-\tabc", "column 3 (size): \"abc\" is not a whole number of bytes"),
            ("-\t-\t1", "column 1 (path): a path is never unknown; a file called - is written ./-"),
            ("\t-\t1", "column 1 (path): a path is never empty"),
            ("a\tAB\t1", "column 2 (hash): \"AB\" is neither 64 lower-case hexadecimal digits nor -"),
            ("a\t-\t1\t1.5", "column 4 (mtime): \"1.5\" is neither seconds with nine decimal places nor -"),
            ("a\\q\t-\t1", "column 1 (path): \"a\\q\": a backslash must begin \\\\, \\t, \\n, \\r or \\xHH"),
            ("a\t-\t1\t-\t-\t\t-\t-", "column 6 (dest): a path is never empty; unknown is written -"),
        ] {
            assert_eq!(read(line, line), Err(expected.into()), "{line}");
        }
    }
}
