//! What an operand holds, told apart by its content: a stream, a volume's `index.json`, or what b3sum writes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::Options;
use super::claim::Claim;
use crate::cli::Failure;
use crate::host::{self, Host, PassedOver};
use crate::report::Reporter;
use crate::stream::line::{Layout, Line, LineReader};
use crate::stream::table::judge;
use crate::stream::{Faults, Held, Row, RowRef, Table};
use crate::volume::{index, sums};

/// The records of one operand.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) table: Table,
    /// Whether its records tell more than a hash.
    pub(super) has_sizes: bool,
    /// Where its relative paths hold.
    base: PathBuf,
    /// What this host is called in it, where that is a stream.
    host: Option<Host>,
    /// Whether its paths may name hosts; lists of one volume or directory do not.
    is_stream: bool,
    /// What was no stream at first, and its lines that are malformed.
    sums: Option<(Held, Faults)>,
}

/// What can be told from how a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stream,
    Volume,
    Sums,
}

/// Opens the inputs named by `operands`; `-`, or no operand at all, is standard input.
///
/// # Errors
/// [`Failure::Stop`] for an input that cannot be read, or is cut off.
pub(super) fn open(operands: &[OsString], options: &Options) -> Result<Vec<Input>, Failure> {
    let standard_input = [OsString::from("-")];
    let operands = if operands.is_empty() { &standard_input } else { operands };
    operands.iter().map(|operand| Input::open(operand, options)).collect()
}

impl Input {
    fn open(operand: &OsStr, options: &Options) -> Result<Self, Failure> {
        let held = Held::open(operand)?;
        let kind = Kind::of(&held.bytes()[held.mark_len()..]);
        let base = match &options.root {
            Some(root) => root.clone(),
            None if kind != Kind::Stream && held.is_file() && operand != "-" => {
                Path::new(operand).parent().map(Path::to_owned).unwrap_or_default()
            }
            None => PathBuf::new(),
        };
        let (table, sums) = match kind {
            Kind::Stream => (Table::of(held)?, None),
            Kind::Volume => {
                (Table::of(Held::made_from(held.name(), |out| index::to_stream(&held, out).map(drop))?)?, None)
            }
            Kind::Sums => {
                let mut faults = Faults::new(options.skip_bad_lines);
                let stream = Held::made_from(held.name(), |out| sums::to_stream(&held, out, &mut faults))?;
                (Table::of(stream)?, Some((held, faults)))
            }
        };
        let is_stream = kind == Kind::Stream;
        let host = options.host.filter(|_| is_stream);
        Ok(Self { table, has_sizes: kind != Kind::Sums, base, host, is_stream, sums })
    }

    /// Whether a record is for this host to verify; counts it if it is not.
    pub(super) fn is_ours(&self, row: &Row<'_>, passed_over: &mut PassedOver) -> bool {
        passed_over.keeps(&row.path_bytes(), self.host)
    }

    /// A file of another host would only seem to be missing. A directory may be called like a host, though.
    ///
    /// # Errors
    /// [`Failure::Stop`] where a record names a host, and it is not known which this is.
    pub(super) fn refuse_elsewhere(&self, at: RowRef, row: &Row<'_>) -> Result<(), Failure> {
        if self.host.is_some() || !self.is_stream {
            return Ok(());
        }
        let path = row.path_bytes();
        let Some((name, _)) = host::split(&path) else { return Ok(()) };
        let is_here = || self.base.join(OsStr::from_bytes(&path)).symlink_metadata().is_ok();
        if row.id.is_none_or(|id| id.host.is_none()) && is_here() {
            return Ok(());
        }
        let (place, path) = (self.table.describe(at), crate::escape::for_people(&path));
        Err(Failure::Stop(format!(
            "reading: {place}: {path} is on the host {name}: there, --host {name} verifies its records; a directory that is \
             called {name}: is written ./{path}"
        )))
    }

    /// Names what was malformed before it became a stream.
    ///
    /// # Errors
    /// [`Failure::Stop`] if there is any, unless it is to be skipped.
    pub(super) fn judge(&self, reporter: &Reporter) -> Result<(), Failure> {
        match &self.sums {
            Some((held, faults)) => judge(faults, sums::told(held, faults), reporter),
            None => Ok(()),
        }
    }

    fn path_here(&self, row: &Row<'_>) -> PathBuf {
        let path = PathBuf::from(OsString::from_vec(row.path_bytes().into_owned()));
        self.host.and_then(|host| host.path_here(&path)).unwrap_or(path)
    }

    pub(super) fn claim(&self, input: usize, place: usize, at: RowRef, row: &Row<'_>) -> Claim {
        Claim {
            place,
            input,
            row: at,
            path: self.base.join(self.path_here(row)),
            hash: row.hash,
            size: self.has_sizes.then_some(row.size),
            mtime: row.mtime,
            inode: row.id.map(|id| id.ino),
        }
    }
}

impl Kind {
    fn of(text: &[u8]) -> Self {
        let first = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
        // A path may look like anything, so what is a good first line of a stream is one.
        if is_stream(first) {
            Self::Stream
        } else if text.trim_ascii_start().starts_with(b"{") {
            Self::Volume
        } else if sums::read_line(first).is_ok() {
            Self::Sums
        } else {
            Self::Stream
        }
    }
}

fn is_stream(first: &[u8]) -> bool {
    let Ok(layout) = Layout::detect(first) else { return false };
    matches!(LineReader::new(layout).read(first), Ok(Line::Row(_) | Line::Header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart_by_how_they_begin() {
        let digits = "0123456789abcdef".repeat(4);
        let cases = [
            (String::new(), Kind::Stream),
            ("a\t-\t5\n".to_owned(), Kind::Stream),
            ("a,-,5\n".to_owned(), Kind::Stream),
            ("path\thash\tsize\n".to_owned(), Kind::Stream),
            ("anything else\n".to_owned(), Kind::Stream),
            ("{}.jpg\t-\t5\n".to_owned(), Kind::Stream),
            (format!("{digits}  a\t-\t5\n"), Kind::Stream),
            ("{\"format\": 1}".to_owned(), Kind::Volume),
            ("\n {\n\t\"format\":\t1\t}".to_owned(), Kind::Volume),
            ("{\"a\",\"b\",\"c\"\n".to_owned(), Kind::Volume),
            (format!("{digits}  a\n"), Kind::Sums),
            (format!("{digits}  a\tb\tc\n"), Kind::Sums),
            (format!("{digits}  a,b,c\n"), Kind::Sums),
            (format!("\\{digits}  a\\nb\n"), Kind::Sums),
            (format!("BLAKE3 (a) = {digits}\n"), Kind::Sums),
            (format!("{digits} a\n"), Kind::Stream),
        ];
        for (text, kind) in cases {
            assert_eq!(Kind::of(text.as_bytes()), kind, "{text:?}");
        }
    }
}
