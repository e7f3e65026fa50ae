//! Plans made by hand: rows that say what a file is now and where it should go.

use super::{Outcome, Sandbox, bin, finish, hash, is_root, skip};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One row of a plan; every field is already written as the stream writes it.
#[derive(Debug, Clone)]
pub struct Row {
    pub path: String,
    pub hash: String,
    pub size: String,
    pub mtime: String,
    pub id: String,
    pub dest: String,
    pub keep: String,
    pub note: String,
}

impl Row {
    /// What a planner would write about the file at `path` now. What cannot be read has no hash; what is
    /// not there has the size 1 and nothing else.
    pub fn new(sandbox: &Sandbox, path: impl AsRef<OsStr>, dest: impl AsRef<OsStr>) -> Self {
        let meta = sandbox.path(path.as_ref()).symlink_metadata().ok();
        let is_file = meta.as_ref().is_some_and(Metadata::is_file);
        Self {
            path: escape(path.as_ref().as_bytes()),
            hash: if is_file { hash(&sandbox.read(path.as_ref())) } else { "-".to_owned() },
            size: meta.as_ref().map_or(1, Metadata::len).to_string(),
            mtime: meta.as_ref().map_or("-".to_owned(), mtime),
            id: meta.as_ref().map_or("-".to_owned(), id),
            dest: escape(dest.as_ref().as_bytes()),
            keep: "-".to_owned(),
            note: "-".to_owned(),
        }
    }

    /// Names the copy that stays, and notes what it is now, as `ms-dupes` does.
    pub fn keep(mut self, sandbox: &Sandbox, keep: &str) -> Self {
        let meta = sandbox.path(keep).metadata().expect("a keeper");
        self.keep = escape(keep.as_bytes());
        self.note = format!("keep mtime={} id={}", mtime(&meta), id(&meta));
        self
    }

    /// Names the copy that stays and tells nothing about it.
    pub fn keep_unnoted(mut self, keep: &str) -> Self {
        self.keep = escape(keep.as_bytes());
        self
    }

    /// The row as a line, with its newline.
    pub fn line(&self) -> String {
        let columns = [&self.path, &self.hash, &self.size, &self.mtime, &self.id, &self.dest, &self.keep, &self.note];
        columns.map(String::as_str).join("\t") + "\n"
    }
}

/// The rows as one TSV stream.
pub fn plan(rows: &[Row]) -> Vec<u8> {
    rows.iter().map(Row::line).collect::<String>().into_bytes()
}

/// Runs `ms-mv ARGS` with the rows on its standard input.
pub fn mv(sandbox: &Sandbox, args: &[&str], rows: &[Row]) -> Outcome {
    sandbox.run("ms-mv", args, &plan(rows))
}

/// Runs `ms-mv --undo` for the newest run.
pub fn undo(sandbox: &Sandbox) -> Outcome {
    sandbox.run("ms-mv", &["--undo"], b"")
}

/// Undoes run after run until nothing is left to undo, because a plan that was completed after a crash
/// may stand in one journal or in several.
#[track_caller]
pub fn undo_everything(sandbox: &Sandbox) {
    for _ in 0..50 {
        let outcome = undo(sandbox);
        if outcome.status == 2 {
            return;
        }
        outcome.expect_status(0);
    }
    panic!("after fifty runs of --undo there is still something to undo");
}

/// The journals that runs left in the state directory, by name.
pub fn journals(sandbox: &Sandbox) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(sandbox.state().join("mediastruct")) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension() == Some("journal".as_ref()))
        .collect();
    found.sort();
    found
}

/// Runs `ms-mv` as nobody, from whom a read-only directory really is read-only; where the tests are not run
/// by root, as whoever runs them.
pub fn mv_as_nobody(sandbox: &Sandbox, rows: &[Row]) -> Outcome {
    let stream = plan(rows);
    if !is_root() {
        return finish(sandbox.command("ms-mv"), &stream);
    }
    let home = sandbox.work().parent().expect("the sandbox").to_owned();
    // The build directory may be out of reach for nobody.
    let tool = home.join("ms-mv");
    // By a process of its own: while this one writes it, a child that another thread starts would keep it open, and busy.
    let copied = Command::new("cp").arg(bin("ms-mv")).arg(&tool).status();
    assert!(copied.is_ok_and(|status| status.success()), "copy of the tool");
    for entry in walkdir::WalkDir::new(&home) {
        let entry = entry.expect("entry");
        std::os::unix::fs::lchown(entry.path(), Some(65534), Some(65534)).expect("chown");
    }
    let mut command = Command::new(tool);
    command
        .uid(65534)
        .gid(65534)
        .current_dir(sandbox.work())
        .env("XDG_STATE_HOME", sandbox.state())
        .env("LC_ALL", "C.UTF-8");
    finish(command, &stream)
}

/// Gives a file a `user.` attribute. False, with a loud line, where its filesystem has none.
pub fn set_xattr(path: &Path, name: &str, value: &[u8]) -> bool {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, name, value, flags).is_ok() || skip("this filesystem has no extended attributes")
}

/// The value of an attribute, or nothing.
pub fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let length = rustix::fs::getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// A modification time as the stream writes it; half a second before 1970 is `-0.500000000`.
pub fn mtime(meta: &Metadata) -> String {
    let nanoseconds = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (whole, part) = (nanoseconds.abs() / 1_000_000_000, nanoseconds.abs() % 1_000_000_000);
    format!("{sign}{whole}.{part:09}")
}

/// `dev:ino` as the stream writes it.
pub fn id(meta: &Metadata) -> String {
    format!("{}:{}", meta.dev(), meta.ino())
}

/// A path as the stream writes it. Written a second time here so that the tools are not measured by
/// their own code.
pub fn escape(bytes: &[u8]) -> String {
    let mut line = String::new();
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape_char(c, &mut line));
        escape_bytes(chunk.invalid(), &mut line);
    }
    line
}

fn escape_char(c: char, line: &mut String) {
    match c {
        '\\' => line.push_str("\\\\"),
        '\t' => line.push_str("\\t"),
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        '\u{2028}' | '\u{2029}' | '\u{FEFF}' => {
            escape_bytes(c.encode_utf8(&mut [0; 4]).as_bytes(), line);
        }
        c if c.is_control() => escape_bytes(c.encode_utf8(&mut [0; 4]).as_bytes(), line),
        c => line.push(c),
    }
}

fn escape_bytes(bytes: &[u8], line: &mut String) {
    for byte in bytes {
        write!(line, "\\x{byte:02x}").expect("a string");
    }
}
