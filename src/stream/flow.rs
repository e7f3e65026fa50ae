//! Streams as they come, row by row: of each, only the line in hand is in memory, and nothing is kept of what has passed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::fault::Fault;
use super::line::{Layout, Line, LineReader, Row};
use super::plain::plain_row;
use crate::cli::Failure;
use crate::interrupt::Interrupt;
use crate::report;

/// Some streams, one after the other.
#[derive(Debug)]
pub struct Flow {
    names: VecDeque<OsString>,
    source: Option<Source>,
    interrupt: Interrupt,
}

/// So much is read at once.
const CHUNK: usize = 1 << 18;

/// No line of a stream is longer: its three paths and its note, four bytes of text for each of theirs, are far shorter.
const LONGEST_LINE: usize = 1 << 20;

#[derive(Debug)]
struct Source {
    name: String,
    file: File,
    /// What a regular file was when it was opened.
    before: Option<Stamp>,
    buffer: Vec<u8>,
    /// What was read and not handed out yet.
    from: usize,
    until: usize,
    /// The number of the line in hand.
    line: u64,
    lines: Option<Result<LineReader, Fault>>,
    is_plain: bool,
}

/// How often somebody who waits for a pipe looks whether to go on with that.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

type Stamp = (u64, i64, i64);

impl Flow {
    /// The streams named by `operands`; `-`, or no operand at all, is standard input. Each is opened when its turn comes.
    #[must_use]
    pub fn new(operands: &[OsString], interrupt: &Interrupt) -> Self {
        let names = if operands.is_empty() { VecDeque::from(["-".into()]) } else { operands.to_vec().into() };
        Self { names, source: None, interrupt: interrupt.clone() }
    }

    /// The next row, or what is wrong with the next line; headers are passed over, and `None` is the end, or an interrupt
    /// while nothing came.
    ///
    /// # Errors
    /// [`Failure::Stop`] for a stream that cannot be read, is changed meanwhile, or whose last line is cut off.
    pub fn next_row(&mut self) -> Result<Option<Result<Row<'_>, Fault>>, Failure> {
        loop {
            let line = match &mut self.source {
                Some(source) => source.next_line(&self.interrupt)?,
                None => None,
            };
            if let Some((from, until)) = line {
                // The row that is handed out holds on to its source, so headers are found beforehand.
                if self.source.as_mut().is_some_and(|source| source.is_header(from, until)) {
                    continue;
                }
                return Ok(self.source.as_mut().map(|source| source.row(from, until)));
            }
            let next = if self.interrupt.came() { None } else { self.names.pop_front() };
            let Some(name) = next else { return Ok(None) };
            self.source = Some(Source::open(&name)?);
        }
    }

    /// `FILE:LINE` of the row in hand, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        self.source.as_ref().map_or_else(String::new, |source| format!("{}:{}", source.name, source.line))
    }
}

impl Source {
    fn open(operand: &OsString) -> Result<Self, Failure> {
        let (name, opened) = if operand == "-" {
            ("standard input".to_owned(), std::io::stdin().as_fd().try_clone_to_owned().map(File::from))
        } else {
            (crate::escape::for_people(operand.as_bytes()), File::open(Path::new(operand)))
        };
        let file = opened.map_err(|error| unreadable(&name, &error))?;
        let meta = file.metadata().map_err(|error| unreadable(&name, &error))?;
        let before = meta.is_file().then(|| (meta.len(), meta.mtime(), meta.mtime_nsec()));
        let buffer = Vec::new();
        Ok(Self { name, file, before, buffer, from: 0, until: 0, line: 0, lines: None, is_plain: false })
    }

    /// Where the next line stands in the buffer, without its newline.
    fn next_line(&mut self, interrupt: &Interrupt) -> Result<Option<(usize, usize)>, Failure> {
        let mut searched = self.from;
        loop {
            if let Some(newline) = memchr::memchr(b'\n', &self.buffer[searched..self.until]) {
                let (from, until) = (self.from, searched + newline);
                self.from = until + 1;
                self.line += 1;
                return Ok(Some(if self.lines.is_none() { self.first(from, until) } else { (from, until) }));
            }
            if !self.has_more(interrupt)? {
                return Ok(None);
            }
            searched = self.until - self.from;
            let is_end = !self.fill()?;
            if is_end && self.until == 0 {
                return self.check_unchanged().map(|()| None);
            }
            let place = format!("{}:{}", self.name, self.line + 1);
            if is_end {
                return Err(Failure::Stop(format!("reading: {place}: the last line is cut off: it has no newline")));
            }
            if self.until > LONGEST_LINE {
                return Err(Failure::Stop(format!("reading: {place}: a line of more than {LONGEST_LINE} bytes")));
            }
        }
    }

    /// Looks at the first line, which tells how all of them are written.
    fn first(&mut self, from: usize, until: usize) -> (usize, usize) {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let mark = if self.buffer[from..until].starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let layout = Layout::detect(&self.buffer[from + mark..until]);
        self.is_plain = layout.as_ref().is_ok_and(Layout::is_plain);
        self.lines = Some(layout.map(LineReader::new));
        (from + mark, until)
    }

    /// Waits until there is something to read, or the end; `false` after an interrupt.
    fn has_more(&self, interrupt: &Interrupt) -> Result<bool, Failure> {
        // A file never keeps anybody waiting.
        while self.before.is_none() {
            if interrupt.came() {
                return Ok(false);
            }
            let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut fds, Some(&LOOK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => break,
                Err(error) => return Err(unreadable(&self.name, &error.into())),
            }
        }
        Ok(true)
    }

    /// Reads more behind what is left, which moves to the beginning; `false` at the end.
    fn fill(&mut self) -> Result<bool, Failure> {
        self.buffer.copy_within(self.from..self.until, 0);
        (self.from, self.until) = (0, self.until - self.from);
        self.buffer.resize((self.until + CHUNK).max(self.buffer.len()), 0);
        loop {
            match self.file.read(&mut self.buffer[self.until..]) {
                Ok(read) => {
                    self.until += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&self.name, &error)),
            }
        }
    }

    fn check_unchanged(&self) -> Result<(), Failure> {
        let now = self.file.metadata().map(|meta| (meta.len(), meta.mtime(), meta.mtime_nsec())).ok();
        if self.before.is_some() && self.before != now {
            return Err(Failure::Stop(format!("reading: {}: it was changed meanwhile", self.name)));
        }
        Ok(())
    }

    fn is_header(&mut self, from: usize, until: usize) -> bool {
        let line = &self.buffer[from..until];
        if memchr::memmem::find(line, b"size").is_none() {
            return false;
        }
        let Some(Ok(lines)) = &mut self.lines else { return false };
        matches!(lines.read(line), Ok(Line::Header))
    }

    fn row(&mut self, from: usize, until: usize) -> Result<Row<'_>, Fault> {
        // With its newline, which ends a plain row.
        if self.is_plain
            && let Some(row) = plain_row(&self.buffer[from..=until])
        {
            return Ok(row);
        }
        match &mut self.lines {
            Some(Ok(lines)) => match lines.read(&self.buffer[from..until])? {
                Line::Row(row) => Ok(row),
                Line::Header => Err(Fault::changed()),
            },
            Some(Err(fault)) => Err(fault.clone()),
            None => Err(Fault::changed()),
        }
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::Stop(format!("reading: {name}: {}", report::reason(error)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::Table;

    /// The paths of all rows, and the places of malformed lines.
    fn read(texts: &[&str]) -> Result<Vec<String>, Failure> {
        let files: Vec<_> = texts.iter().map(|_| tempfile::NamedTempFile::new().expect("file")).collect();
        for (file, text) in files.iter().zip(texts) {
            std::fs::write(file.path(), text).expect("write");
        }
        let operands: Vec<OsString> = files.iter().map(|file| file.path().as_os_str().to_owned()).collect();
        let mut flow = Flow::new(&operands, &Interrupt::default());
        let mut seen = Vec::new();
        loop {
            let path = match flow.next_row()? {
                None => return Ok(seen),
                Some(row) => row.map(|row| String::from_utf8_lossy(row.path).into_owned()).ok(),
            };
            let line = || flow.describe().rsplit(':').next().map(|line| format!("line {line}"));
            seen.push(path.or_else(line).expect("a place"));
        }
    }

    #[test]
    fn streams_of_any_form_come_one_after_the_other() {
        let long = format!("{}\t-\t1\n", "x".repeat(3 * CHUNK));
        let texts =
            ["a\t-\t1\n", "", "\u{feff}size,hash,path\n2,-,b\nsize,hash,path\n3,-,c\n", "d\t-\tz\ne\t-\t1\n", &long];
        let seen = read(&texts).expect("rows");
        assert_eq!(seen[..5], ["a", "b", "c", "line 1", "e"]);
        assert_eq!(seen[5].len(), 3 * CHUNK);
    }

    #[test]
    fn many_rows_are_those_of_a_table() {
        let text = (0..20_000).fold(String::new(), |text, number| text + &format!("p/{number}\t-\t{number}\n"));
        let seen = read(&[&text]).expect("rows");
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), &text).expect("write");
        let table = Table::open(&[file.path().as_os_str().to_owned()]).expect("table");
        let mut part = table.parts(1).remove(0);
        for path in seen {
            let (_, row) = part.next_row().expect("as many");
            assert_eq!(row.expect("row").path, path.as_bytes());
        }
        assert!(part.next_row().is_none());
    }

    #[test]
    fn what_cannot_be_a_stream_ends_it() {
        for (text, problem) in [("a\t-\t1\nb\t-", ":2: the last line is cut off"), (&"x".repeat(2 << 20), "more than")]
        {
            let Err(Failure::Stop(told)) = read(&[text]) else { panic!("{problem}") };
            assert!(told.contains(problem), "{told}");
        }
    }

    /// What a table makes of a text: the paths of its rows, and a question mark for each malformed line.
    fn table_of(text: &[u8]) -> Vec<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), text).expect("write");
        let table = Table::open(&[file.path().as_os_str().to_owned()]).expect("table");
        let mut seen = Vec::new();
        for mut part in table.parts(1) {
            while let Some((_, row)) = part.next_row() {
                seen.push(row.map_or_else(|_| b"?".to_vec(), |row| row.path.to_vec()));
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_a_table_reads_it(
            lines in proptest::collection::vec(r#"(\PC|\t|,|"|-|[0-9]|\xff){0,12}|path\thash\tsize|size,path|[ab]{1,3}\t-\t[0-9]\t-\t-"#, 0..12),
        ) {
            let mut text = lines.join("\n").into_bytes();
            if !text.is_empty() {
                text.push(b'\n');
            }
            let file = tempfile::NamedTempFile::new().expect("file");
            std::fs::write(file.path(), &text).expect("write");
            let mut flow = Flow::new(&[file.path().as_os_str().to_owned()], &Interrupt::default());
            let mut seen = Vec::new();
            while let Some(row) = flow.next_row().expect("a text that ends with a newline") {
                seen.push(row.map_or_else(|_| b"?".to_vec(), |row| row.path.to_vec()));
            }
            prop_assert_eq!(seen, table_of(&text));
        }
    }
}
