//! Runs of `ms-ingest` over the directory `drop`, and what their plans say.

use super::plan::{Row, escape};
use super::{Outcome, Sandbox, set_mtime, unescape};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The mtime of every dropped file: 2022-06-07 08:09:10.25 UTC.
pub const MTIME: i64 = 1_654_589_350;

/// How a name begins whose date is that mtime, in UTC.
pub const FROM_MTIME: &str = "20220607_080910";

impl Sandbox {
    /// A file below `drop`.
    pub fn drop_file(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(Path::new("drop").join(name.as_ref()), content);
        set_mtime(&path, MTIME, 250_000_000);
        path
    }

    /// `ms-ingest --to photos ARGS drop`.
    pub fn ingest(&self, args: &[&str]) -> Outcome {
        self.run("ms-ingest", &[&["--to", "photos"], args, &["drop"]].concat(), b"")
    }

    /// The same, which must have nothing to complain of: its plan.
    #[track_caller]
    pub fn plan(&self, args: &[&str]) -> Planned {
        Planned::of(&self.ingest(args).expect_status(0))
    }
}

/// A plan that was read.
pub struct Planned {
    pub rows: Vec<Row>,
}

impl Planned {
    #[track_caller]
    pub fn of(outcome: &Outcome) -> Self {
        let rows = outcome.rows().into_iter().map(|columns| {
            let [path, hash, size, mtime, id, dest, keep, note] = columns.try_into().expect("eight columns");
            Row { path, hash, size, mtime, id, dest, keep, note }
        });
        Self { rows: rows.collect() }
    }

    /// The one row of the file below `drop`.
    #[track_caller]
    pub fn row(&self, name: &str) -> &Row {
        let path = escape(format!("drop/{name}").as_bytes());
        let mut found = self.rows.iter().filter(|row| row.path == path);
        let row = found.next().unwrap_or_else(|| panic!("no row for {path} in {:#?}", self.rows));
        assert!(found.next().is_none(), "two rows for {path}");
        row
    }

    /// Where the file below `drop` should go.
    #[track_caller]
    pub fn dest(&self, name: &str) -> &str {
        &self.row(name).dest
    }

    /// The name that the file below `drop` should get, without its directories.
    #[track_caller]
    pub fn name(&self, name: &str) -> &str {
        last(self.dest(name))
    }

    /// From every path to where it should go, as bytes.
    pub fn moves(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.rows.iter().map(|row| (unescape(&row.path), unescape(&row.dest))).collect()
    }
}

/// The last component of a path.
pub fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path without the extensions of its last component.
pub fn stem(path: &str) -> &str {
    let directories = path.len() - last(path).len();
    last(path).find('.').map_or(path, |dot| &path[..directories + dot])
}

/// Files each alone in a directory, and how the plan must date them: the beginning of the new name, then words that
/// the note must have; `!` before a word: no word of the note begins so.
pub type Case<'a> = (&'a str, Vec<u8>, &'a str);

/// Plans all files in one run and compares each with what is expected of it.
#[track_caller]
pub fn expect_dates(args: &[&str], cases: &[Case<'_>]) {
    let sandbox = Sandbox::new();
    for (index, (name, content, _)) in cases.iter().enumerate() {
        sandbox.drop_file(format!("{index:03}/{name}"), content);
    }
    let plan = sandbox.plan(args);
    let mut wrong = Vec::new();
    for (index, (name, _, expected)) in cases.iter().enumerate() {
        let row = plan.row(&format!("{index:03}/{name}"));
        if !agrees(row, expected) {
            wrong.push(format!("{name}: {expected:?}, but {} {:?}", last(&row.dest), row.note));
        }
    }
    assert!(wrong.is_empty(), "{args:?}, {} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn agrees(row: &Row, expected: &str) -> bool {
    let mut words = expected.split(' ');
    let stamp = words.next().expect("a beginning");
    let noted: Vec<&str> = row.note.split(' ').collect();
    last(&row.dest).starts_with(stamp)
        && words.all(|word| match word.strip_prefix('!') {
            Some(beginning) => !noted.iter().any(|noted| noted.starts_with(beginning)),
            None => noted.contains(&word),
        })
}
