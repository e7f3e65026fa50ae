//! What the black-box tests share: running the real binaries and looking at real trees.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this module")]
#![allow(clippy::print_stderr, reason = "what is skipped is said loudly")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The built binary of a tool, e.g. `"ms-crawl"`.
pub fn bin(tool: &str) -> &'static str {
    match tool {
        "ms-crawl" => env!("CARGO_BIN_EXE_ms-crawl"),
        "ms-dupes" => env!("CARGO_BIN_EXE_ms-dupes"),
        "ms-mv" => env!("CARGO_BIN_EXE_ms-mv"),
        "ms-gen" => env!("CARGO_BIN_EXE_ms-gen"),
        "ms-ingest" => env!("CARGO_BIN_EXE_ms-ingest"),
        "ms-verify" => env!("CARGO_BIN_EXE_ms-verify"),
        "ms-seal" => env!("CARGO_BIN_EXE_ms-seal"),
        "ms-pack" => env!("CARGO_BIN_EXE_ms-pack"),
        "ms-report" => env!("CARGO_BIN_EXE_ms-report"),
        other => panic!("no tool is called {other}"),
    }
}

/// What a finished run left behind.
pub struct Outcome {
    /// Exit status; 128 + N where signal N ended it.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Outcome {
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8(self.stdout.clone()).expect("streams are UTF-8").lines().map(str::to_owned).collect()
    }

    /// The records on stdout, split at tabs.
    pub fn rows(&self) -> Vec<Vec<String>> {
        self.lines().iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// One column (0-based) of all records, sorted.
    pub fn column(&self, index: usize) -> Vec<String> {
        let mut values: Vec<String> = self.rows().into_iter().map(|row| row[index].clone()).collect();
        values.sort();
        values
    }

    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            status,
            "exit status; stdout:\n{}\nstderr:\n{}",
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        );
        self
    }

    /// The whole of stdout, without white space around it.
    #[track_caller]
    pub fn expect_stdout(self, text: &str) -> Self {
        assert_eq!(String::from_utf8_lossy(&self.stdout).trim(), text, "stdout; stderr:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn expect_stderr(self, needle: &str) -> Self {
        assert!(self.stderr.contains(needle), "{needle:?} is not in stderr:\n{}", self.stderr);
        self
    }
}

/// One temporary place with a working directory for the tools and a state directory for journals.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    /// In the usual place for temporary files, or on the filesystem that `MEDIASTRUCT_TEST_DIR` names.
    pub fn new() -> Self {
        let place = std::env::var_os("MEDIASTRUCT_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let dir = tempfile::Builder::new().prefix("ms-test-").tempdir_in(place).expect("temporary directory");
        std::fs::create_dir(dir.path().join("desk")).expect("desk");
        Self { dir }
    }

    /// The working directory in which tools run.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("desk")
    }

    /// `XDG_STATE_HOME` for the tools.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.work().join(Path::new(name.as_ref()))
    }

    /// A file with its parent directories; replaces what was there.
    pub fn write(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("parents");
        std::fs::write(&path, content).expect("write");
        path
    }

    pub fn read(&self, name: impl AsRef<OsStr>) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("read")
    }

    pub fn exists(&self, name: impl AsRef<OsStr>) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// A command of one tool, in the working directory, with journals kept in this sandbox.
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(bin(tool));
        command.current_dir(self.work()).env("XDG_STATE_HOME", self.state()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command
    }

    /// Runs a tool to its end with `stdin` as its input.
    pub fn run<S: AsRef<OsStr>>(&self, tool: &str, args: &[S], stdin: &[u8]) -> Outcome {
        let mut command = self.command(tool);
        command.args(args);
        finish(command, stdin)
    }

    /// Runs a line of `bash -o pipefail` with the tools on PATH.
    pub fn shell(&self, line: &str) -> Outcome {
        let tools = Path::new(bin("ms-mv")).parent().expect("directory of the tools");
        let mut path = OsString::from(tools);
        path.push(":");
        path.push(std::env::var_os("PATH").expect("PATH"));
        let mut command = Command::new("bash");
        command
            .args(["-o", "pipefail", "-c", line])
            .current_dir(self.work())
            .env("PATH", path)
            .env("XDG_STATE_HOME", self.state())
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        finish(command, b"")
    }
}

/// Feeds `stdin`, collects both outputs, waits.
pub fn finish(mut command: Command, stdin: &[u8]) -> Outcome {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool starts");
    let mut pipe = child.stdin.take().expect("stdin");
    let input = stdin.to_vec();
    // A tool may end before it has read its input, so a broken pipe is no failure of the test.
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&input)));
    let output = child.wait_with_output().expect("the tool ends");
    feeder.join().expect("feeder");
    Outcome {
        status: exit_status(output.status),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

/// The exit status, or 128 + the number of the signal.
pub fn exit_status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().expect("a signal"))
}

/// What is seen of one name: kind, mode, mtime, and content or link target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub kind: char,
    pub mode: u32,
    /// Seconds and nanoseconds; zero for directories, whose mtime changes with their entries.
    pub mtime: (i64, i64),
    pub content: Vec<u8>,
}

/// Everything below `dir`, by path relative to it.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir).min_depth(1) {
        let entry = entry.expect("readable tree");
        let meta = entry.path().symlink_metadata().expect("metadata");
        let kind = meta.file_type();
        let (kind, content) = if kind.is_dir() {
            ('d', Vec::new())
        } else if kind.is_symlink() {
            ('l', std::fs::read_link(entry.path()).expect("link").into_os_string().into_vec())
        } else if kind.is_file() {
            ('f', std::fs::read(entry.path()).expect("content"))
        } else {
            ('?', Vec::new())
        };
        let mtime = if kind == 'd' { (0, 0) } else { (meta.mtime(), meta.mtime_nsec()) };
        let path = entry.path().strip_prefix(dir).expect("below").to_owned();
        found.insert(path, Seen { kind, mode: meta.permissions().mode(), mtime, content });
    }
    found
}

/// The contents of all regular files below `dir`, sorted: what must never change as a multiset.
pub fn contents(dir: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<_> =
        snapshot(dir).into_values().filter(|seen| seen.kind == 'f').map(|seen| seen.content).collect();
    all.sort();
    all
}

/// Sets a file's modification time.
pub fn set_mtime(path: &Path, seconds: i64, nanoseconds: u32) {
    let time = if seconds >= 0 {
        std::time::UNIX_EPOCH + std::time::Duration::new(seconds.unsigned_abs(), nanoseconds)
    } else {
        std::time::UNIX_EPOCH - std::time::Duration::from_secs(seconds.unsigned_abs())
            + std::time::Duration::from_nanos(u64::from(nanoseconds))
    };
    // Some FUSE servers take a change of both times only.
    let times = std::fs::FileTimes::new().set_accessed(std::time::SystemTime::now()).set_modified(time);
    std::fs::File::options().write(true).open(path).and_then(|file| file.set_times(times)).expect("mtime");
}

/// BLAKE3 of a content as the stream writes it.
pub fn hash(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

/// A name from raw bytes.
pub fn name(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Whether the tests run as root, without whom no mount and no unreadable file is possible.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether `tool` is installed. Where it is not: a loud line, and a failure in CI.
pub fn needs(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    found || skip(&format!("{tool} is not installed"))
}

/// Whether mounts can be made here. Where not: a loud line, and a failure in CI.
pub fn needs_root() -> bool {
    is_root() || skip("this needs root")
}

pub fn skip(why: &str) -> bool {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI nothing is skipped: {why}");
    eprintln!("SKIPPED: {why}");
    false
}

/// A mount that is taken away when dropped, also when the test fails.
pub struct Mount {
    at: PathBuf,
    /// The directory that is seen there, if it is to go with the mount.
    behind: Option<tempfile::TempDir>,
}

impl Mount {
    /// `mount ARGS… AT`; creates the directory `at`.
    pub fn new(args: &[&OsStr], at: &Path) -> Self {
        std::fs::create_dir_all(at).expect("mount point");
        let status = Command::new("mount").args(args).arg(at).status().expect("mount(8)");
        assert!(status.success(), "mount {args:?} {}", at.display());
        Self::made(at)
    }

    pub fn tmpfs(options: &str, at: &Path) -> Self {
        Self::new(&["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), options.as_ref(), "tmpfs".as_ref()], at)
    }

    pub fn bind(from: &Path, at: &Path) -> Self {
        Self::new(&["--bind".as_ref(), from.as_os_str()], at)
    }

    /// Another filesystem at `at`: the one that `MEDIASTRUCT_TEST_FAR` names, else a fresh tmpfs of this `size`.
    pub fn far(size: &str, at: &Path) -> Self {
        let Some(place) = std::env::var_os("MEDIASTRUCT_TEST_FAR") else {
            return Self::tmpfs(&format!("size={size}"), at);
        };
        let dir = tempfile::Builder::new().prefix("ms-far-").tempdir_in(place).expect("temporary directory");
        let mut mount = Self::bind(dir.path(), at);
        mount.behind = Some(dir);
        mount
    }

    /// Gives up the duty to unmount it; where it is mounted.
    pub fn taken(self) -> PathBuf {
        let at = self.at.clone();
        std::mem::forget(self);
        at
    }

    /// What another program has mounted at `at`.
    pub fn made(at: &Path) -> Self {
        Self { at: at.to_owned(), behind: None }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, so that a straggling process cannot keep the mount alive after the test.
        let status = Command::new("umount").arg("-l").arg(&self.at).status();
        assert!(status.is_ok_and(|s| s.success()) || std::thread::panicking(), "umount {}", self.at.display());
    }
}

pub mod plan;

impl Sandbox {
    /// Like `command`, but killed (status 137) after minutes, so that a tool that hangs fails its test.
    pub fn guarded(&self, tool: &str) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["-s", "KILL", "300"])
            .arg(bin(tool))
            .current_dir(self.work())
            .env("XDG_STATE_HOME", self.state())
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
    }

    pub fn mkdir(&self, name: impl AsRef<OsStr>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("directories");
        path
    }

    pub fn symlink(&self, target: impl AsRef<Path>, name: &str) {
        std::os::unix::fs::symlink(target, self.path(name)).expect("symbolic link");
    }

    pub fn hard_link(&self, from: &str, name: &str) {
        std::fs::hard_link(self.path(from), self.path(name)).expect("hard link");
    }
}

/// The bytes that a path or note of the stream stands for.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'\\' { escaped_byte(&mut bytes) } else { byte });
    }
    plain
}

fn escaped_byte(rest: &mut std::str::Bytes<'_>) -> u8 {
    match rest.next().expect("something after the backslash") {
        b'\\' => b'\\',
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'x' => {
            let digits: Vec<u8> = rest.take(2).collect();
            let digits = std::str::from_utf8(&digits).expect("two hex digits");
            u8::from_str_radix(digits, 16).expect("two hex digits")
        }
        other => panic!("no escape is written with {:?}", char::from(other)),
    }
}

/// The fields of one CSV line by RFC 4180; no field of the stream spans lines.
pub fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

/// A line of an index made by hand: records with one `content` have one hash.
pub fn index_line(path: &str, content: &str, size: u64, mtime: &str, id: &str) -> String {
    format!("{path}\t{}\t{size}\t{mtime}\t{id}\n", hash(content.as_bytes()))
}
pub mod archive;
pub mod faults;
pub mod filesystem;
pub mod hold;
pub mod image_model;
pub mod index;
pub mod ingest;
pub mod media;
pub mod pack;
pub mod sealed;
pub mod steps;
pub mod trace;
