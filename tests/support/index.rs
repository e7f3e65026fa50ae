//! Kept indexes: crawls into a FILE, which files of the tree a run opened, and a clock that stands still.

use super::plan::escape;
use super::{Outcome, Sandbox, bin, finish, needs, set_mtime, trace};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The FILE of `--index`, in the working directory and outside every tree that is crawled.
pub const FILE: &str = "index.tsv";

/// The companion that lies beside it.
pub const COMPANION: &str = "index.tsv.crawl";

/// A time of last change that no rule for recent or coarse times touches.
pub const LONG_AGO: (i64, u32) = (1_500_000_000, 123_456_789);

impl Sandbox {
    /// A file that was last changed long ago, so that its time of last change is evidence.
    pub fn old_file(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, content);
        set_mtime(&path, LONG_AGO.0, LONG_AGO.1);
        path
    }

    /// Other bytes under the same name, with a time of last change that differs, too.
    pub fn edit(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, content);
        set_mtime(&path, LONG_AGO.0 + 1000, LONG_AGO.1);
        path
    }

    /// FILE as text; nothing where there is none.
    pub fn index(&self) -> String {
        let bytes = fs::read(self.path(FILE)).unwrap_or_default();
        String::from_utf8(bytes).expect("an index is UTF-8")
    }

    /// One column of the record of `path` (as the stream writes it) in FILE.
    #[track_caller]
    pub fn indexed(&self, path: &str, column: usize) -> String {
        let index = self.index();
        let row = index.lines().map(|line| line.split('\t').collect::<Vec<_>>()).find(|row| row[0] == path);
        row.unwrap_or_else(|| panic!("no record of {path} in:\n{index}"))[column].to_owned()
    }

    /// The paths in FILE, in its order.
    pub fn indexed_paths(&self) -> Vec<String> {
        self.index().lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }
}

/// `ms-crawl --index FILE ARGS…`.
pub fn crawl(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run("ms-crawl", &[&["--index", FILE], args].concat(), b"")
}

/// What `ms-crawl --sort ARGS…` prints now.
#[track_caller]
pub fn sorted_crawl(sandbox: &Sandbox, args: &[&str]) -> String {
    let outcome = sandbox.run("ms-crawl", &[&["-q", "--sort"], args].concat(), b"").expect_status(0);
    String::from_utf8(outcome.stdout).expect("streams are UTF-8")
}

/// FILE must be the index of what is there now, and nothing short-lived may lie beside it.
#[track_caller]
pub fn expect_index_of(sandbox: &Sandbox, args: &[&str]) {
    assert_eq!(sandbox.index(), sorted_crawl(sandbox, args));
    assert!(!sandbox.exists("index.tsv.new") && !sandbox.exists("index.tsv.crawl.new"), "temporaries are left");
}

/// These lines as a stream.
pub fn stream<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A regular file that was opened for reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// When, in seconds since 1970.
    pub time: f64,
    /// Relative to the working directory, escaped as in the stream.
    pub path: String,
}

/// What a run said, and the files of the trees that it opened for reading: sorted, each once.
pub struct Watched {
    pub outcome: Outcome,
    pub opened: Vec<String>,
}

/// What strace is told so that `opened` can read its log: hex everywhere, so that no name can be misread, and
/// whole lines, also where threads run side by side.
pub const WATCH: [&str; 8] = ["--seccomp-bpf", "-ttt", "-z", "-y", "-xx", "-s", "1", "--trace=?open,openat,?openat2"];

/// Runs a tool and notes which files below the working directory it opened for reading. FILE and what belongs to it
/// is left out.
pub fn watch(sandbox: &Sandbox, tool: &str, args: &[&str]) -> Watched {
    let outcome = trace::traced(sandbox, &WATCH, tool, args, b"");
    let mut opened: Vec<String> = opened(sandbox, &trace::log(sandbox)).into_iter().map(|file| file.path).collect();
    opened.sort();
    opened.dedup();
    Watched { outcome, opened }
}

/// `ms-crawl --index FILE ARGS…`, watched; it must succeed.
#[track_caller]
pub fn watch_crawl(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let watched = watch(sandbox, "ms-crawl", &[&["--index", FILE], args].concat());
    watched.outcome.expect_status(0);
    watched.opened
}

/// The files that a log of strace, made with `WATCH`, tells of, in its order.
pub fn opened(sandbox: &Sandbox, log: &Path) -> Vec<Opened> {
    let work = sandbox.work().canonicalize().expect("real path");
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    // A call during which another thread had something to say is broken into two lines.
    let text = text.replace(" <unfinished ...>\n)", ")");
    text.lines().filter_map(|line| opened_in(line, &work)).collect()
}

fn opened_in(line: &str, work: &Path) -> Option<Opened> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let time = words.next()?.parse().ok()?;
    let (call, result) = line.rsplit_once(" = ")?;
    if !call.contains("open") || call.contains("O_PATH") || call.contains("O_WRONLY") {
        return None;
    }
    let path = PathBuf::from(std::ffi::OsString::from_vec(unhex(result.split_once('<')?.1.split_once('>')?.0)));
    let below = path.strip_prefix(work).ok()?;
    let text = escape(below.as_os_str().as_bytes());
    (!path.is_dir() && !text.starts_with(FILE)).then_some(Opened { time, path: text })
}

/// The bytes that `\x2f\x61` stands for.
pub fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).filter_map(|digits| u8::from_str_radix(digits, 16).ok()).collect()
}

/// A line of strace's log with its `\xHH` turned into what they stand for.
pub fn plain(line: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = after.split_at_checked(2).unwrap_or((after, ""));
        bytes.extend(u8::from_str_radix(digits, 16));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A clock for tools that stands still. The file system keeps the real time.
pub struct Clock {
    library: PathBuf,
}

const CLOCK: &str = "
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *seconds = getenv(\"TEST_CLOCK\");
    if (seconds != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec = atoll(seconds);
        now->tv_nsec = 500000000;
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}
";

impl Clock {
    /// Nothing where there is no C compiler.
    pub fn new(sandbox: &Sandbox) -> Option<Self> {
        if !needs("cc") {
            return None;
        }
        let home = sandbox.work().parent().expect("the sandbox").to_owned();
        let (source, library) = (home.join("clock.c"), home.join("clock.so"));
        fs::write(&source, CLOCK).expect("source");
        let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
        assert!(status.expect("cc(1)").success(), "cc {}", source.display());
        Some(Self { library })
    }

    /// `ms-crawl --index FILE ARGS…` half a second past `seconds`.
    pub fn crawl(&self, sandbox: &Sandbox, seconds: i64, args: &[&str]) -> Outcome {
        let mut command = sandbox.command("ms-crawl");
        command.env("LD_PRELOAD", &self.library).env("TEST_CLOCK", seconds.to_string());
        command.args(["--index", FILE]).args(args);
        finish(command, b"")
    }
}

/// The time now, in seconds since 1970.
pub fn now() -> f64 {
    std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_secs_f64()
}

/// A command of a tool for a user whom permissions bind: nobody, where the tests are run by root. The whole sandbox
/// becomes the property of that user.
pub fn as_nobody(sandbox: &Sandbox, tool: &str) -> Command {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let home = sandbox.work().parent().expect("the sandbox").to_owned();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("chmod");
    // The built tool may lie out of reach. Another process copies it: a descriptor open for writing here could leak
    // into what other tests start, and a busy program cannot be run.
    let copy = home.join(tool);
    assert!(Command::new("cp").arg(bin(tool)).arg(&copy).status().expect("cp(1)").success());
    let mut command = Command::new(copy);
    command.current_dir(sandbox.work()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    if super::is_root() {
        let owned = Command::new("chown").args(["-R", "65534:65534"]).arg(&home).status().expect("chown(1)");
        assert!(owned.success());
        command.uid(65_534).gid(65_534);
    }
    command
}

/// Sets the permissions of something in the sandbox.
pub fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}
