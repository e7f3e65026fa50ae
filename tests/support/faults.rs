//! A fault at every step: the calls of a clean run that leave something behind are counted with strace(1); then the run is
//! repeated for each of them, and dies there or is told that it failed.

use super::trace::{log, traced};
use super::{Mount, Outcome, Sandbox, Seen, plan::xattr, snapshot};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The calls that change anything on a disk, bring it there, or lock it. A question mark lets strace pass over what this
/// architecture does not have.
const CALLS: &str = "?open,openat,?openat2,?creat,write,writev,pwrite64,pwritev,?pwritev2,copy_file_range,sendfile,ftruncate,\
                     ?truncate,fallocate,?rename,?renameat,renameat2,?link,linkat,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,\
                     ?symlink,symlinkat,?mknod,mknodat,?chmod,fchmod,fchmodat,?chown,?lchown,fchown,fchownat,?utime,?utimes,\
                     ?futimesat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,fsync,fdatasync,\
                     syncfs,sync_file_range,msync,flock,fcntl";

/// Calls that nobody asked about do not stop the tool.
const FAST: &str = "--seccomp-bpf";

/// What a call meets.
#[derive(Clone, Copy)]
pub enum Fault {
    /// The process is killed on the way into it, as by SIGKILL, the kernel's want of memory, or a power cut.
    Death,
    /// It does nothing and gives this error.
    Error(&'static str, Errno),
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Death => out.write_str("death"),
            Self::Error(name, _) => out.write_str(name),
        }
    }
}

pub const DEATH: [Fault; 1] = [Fault::Death];
pub const FULL: [Fault; 2] = [Fault::Error("ENOSPC", Errno::NOSPC), Fault::Error("EDQUOT", Errno::DQUOT)];
pub const BROKEN: [Fault; 1] = [Fault::Error("EIO", Errno::IO)];
pub const FORBIDDEN: [Fault; 1] = [Fault::Error("EACCES", Errno::ACCESS)];
pub const INTERRUPTED: [Fault; 1] = [Fault::Error("EINTR", Errno::INTR)];

/// A call of a clean run.
#[derive(Debug, Clone)]
pub struct Point {
    pub call: String,
    /// It is the first, second, … of this name.
    pub turn: usize,
    /// How strace wrote it.
    pub line: String,
}

/// A command, and all that there is before it.
pub struct Stage {
    // Dropped before the directory that they lie in.
    mounts: Vec<Mount>,
    pub sandbox: Sandbox,
    pub tool: &'static str,
    pub args: Vec<String>,
    pub stdin: Vec<u8>,
    /// A call that fails every time, as on a filesystem that does not know it, and its error.
    pub lacking: Option<(&'static str, &'static str)>,
}

impl Stage {
    pub fn new(sandbox: Sandbox, tool: &'static str, args: &[&str], stdin: Vec<u8>) -> Self {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Self { mounts: Vec::new(), sandbox, tool, args, stdin, lacking: None }
    }

    pub fn with(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    pub fn without(mut self, call: &'static str, error: &'static str) -> Self {
        self.lacking = Some((call, error));
        self
    }

    /// Runs the command without any fault.
    pub fn run(&self) -> Outcome {
        self.sandbox.run(self.tool, &self.args, &self.stdin)
    }

    fn traced(&self, strace: &[&str]) -> Outcome {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let trace = format!("trace={CALLS}");
        let strace = [&["-y", "-s", "64", "-e", &trace], strace].concat();
        let lacking = self.lacking.map(|(call, error)| format!("inject={call}:error={error}"));
        let lacking = lacking.iter().flat_map(|inject| ["-e", inject]);
        let strace: Vec<&str> = strace.into_iter().chain(lacking).collect();
        traced(&self.sandbox, &strace, self.tool, &args, &self.stdin)
    }

    /// Everything in the working directory.
    pub fn tree(&self) -> Tree {
        tree(&self.sandbox.work())
    }

    /// What strace wrote of the last run.
    pub fn log(&self) -> String {
        fs::read_to_string(log(&self.sandbox)).expect("what strace wrote").replace(" <unfinished ...>\n)", ")")
    }
}

/// A call that met its fault, and how the run ended.
pub struct Met<'a> {
    pub fault: Fault,
    pub point: &'a Point,
    pub outcome: Outcome,
}

impl Met<'_> {
    pub fn is_death(&self) -> bool {
        matches!(self.fault, Fault::Death)
    }

    /// Whether the run says that all is well.
    pub fn is_fine(&self) -> bool {
        self.outcome.status == 0
    }
}

impl std::fmt::Display for Met<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Point { call, turn, line } = self.point;
        let Outcome { status, stderr, .. } = &self.outcome;
        write!(out, "{:?} at {call} {turn}\n  of a clean run: {line}\n  exit {status}: {stderr}", self.fault)
    }
}

/// Lets each call of a clean run that changes anything meet each of the faults. After each, `judge` looks at what there is.
/// Gives how many it were, and says so.
#[track_caller]
pub fn at_every_step(
    what: &str,
    faults: &[Fault],
    stage: &dyn Fn() -> Stage,
    judge: &dyn Fn(&Stage, &Met<'_>),
) -> usize {
    let points = points(&stage());
    let mut tried = 0;
    for &fault in faults {
        for point in points.iter().filter(|point| is_worth(fault, point)) {
            let stage = stage();
            let outcome = meet(&stage, fault, point);
            judge(&stage, &Met { fault, point, outcome });
            tried += 1;
        }
    }
    let kinds: Vec<_> = faults.iter().map(|fault| format!("{fault:?}")).collect();
    eprintln!("FAULTS: {what}: {tried} points, {}", kinds.join(" "));
    tried
}

/// The calls of a clean run that change anything.
#[track_caller]
fn points(stage: &Stage) -> Vec<Point> {
    stage.traced(&[FAST]).expect_status(0);
    let mut turns: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut points = Vec::new();
    for line in stage.log().lines() {
        let Some((thread, call)) = split(line) else { continue };
        // strace counts in each thread for itself.
        let turn = turns.entry((thread.to_owned(), call.to_owned())).or_default();
        *turn += 1;
        let is_there = stage.lacking.is_none_or(|(lacking, _)| lacking != call);
        if is_there && changes_anything(call, line) && seen.insert((call.to_owned(), *turn)) {
            points.push(Point { call: call.to_owned(), turn: *turn, line: line.to_owned() });
        }
    }
    points
}

/// Thread and name of a call.
fn split(line: &str) -> Option<(&str, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (call, _) = rest.trim_start().split_once('(')?;
    call.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        .then_some((thread, call))
}

fn changes_anything(call: &str, line: &str) -> bool {
    match call {
        "open" | "openat" | "openat2" => ["O_CREAT", "O_TRUNC", "O_TMPFILE"].iter().any(|flag| line.contains(flag)),
        "fcntl" => line.contains("SETLK"),
        // Of messages nobody can be told that they could not be written.
        "write" => !line.contains(" write(2<"),
        _ => true,
    }
}

/// No error is worth a try where it is what a clean run gets already.
fn is_worth(fault: Fault, point: &Point) -> bool {
    match fault {
        Fault::Death => true,
        Fault::Error(name, _) => !point.line.contains(&format!("= -1 {name} ")),
    }
}

#[track_caller]
fn meet(stage: &Stage, fault: Fault, point: &Point) -> Outcome {
    let Point { call, turn, .. } = point;
    let outcome = match fault {
        // With FAST, strace injects no signal.
        Fault::Death => stage.traced(&["-e", &format!("inject={call}:signal=SIGKILL:when={turn}")]),
        Fault::Error(name, _) => stage.traced(&[FAST, "-e", &format!("inject={call}:error={name}:when={turn}")]),
    };
    let was_met = match fault {
        Fault::Death => outcome.status == 137,
        Fault::Error(name, _) => {
            stage.log().lines().any(|line| line.contains(&format!("= -1 {name} ")) && line.contains("(INJECTED)"))
        }
    };
    assert!(was_met, "{fault:?} was never met at {point:?}: exit {}: {}", outcome.status, outcome.stderr);
    outcome
}

/// A run that an error has kept from anything must say so: what was being done, where, and why.
#[track_caller]
pub fn expect_told(tool: &str, met: &Met<'_>) {
    let Fault::Error(_, errno) = met.fault else { return };
    let stderr = &met.outcome.stderr;
    assert!(matches!(met.outcome.status, 0..=2), "{met}");
    if !met.is_fine() {
        let reason = std::io::Error::from(errno).to_string();
        let reason = reason.split(" (os error").next().expect("a text");
        let is_told = |line: &str| {
            let is_whole = line.starts_with(&format!("{tool}: ")) && line.matches(": ").count() >= 3;
            is_whole && line.contains(reason)
        };
        assert!(stderr.lines().any(is_told), "not told: {reason}\n{met}");
    }
}

/// What is seen of each name, with an attribute that a copy must keep.
pub type Tree = BTreeMap<PathBuf, (Seen, Option<Vec<u8>>)>;

/// The attribute that is looked at.
pub const ATTRIBUTE: &str = "user.note";

pub fn tree(dir: &Path) -> Tree {
    let attribute = |path: &Path, seen: &Seen| if seen.kind == 'l' { None } else { xattr(&dir.join(path), ATTRIBUTE) };
    snapshot(dir)
        .into_iter()
        .map(|(path, seen)| {
            let value = attribute(&path, &seen);
            (path, (seen, value))
        })
        .collect()
}

/// The files of a tree, without its directories.
pub fn files(mut tree: Tree) -> Tree {
    tree.retain(|_, (seen, _)| seen.kind != 'd');
    tree
}

/// Both must be the same.
#[track_caller]
pub fn expect_tree(found: &Tree, expected: &Tree, after: &dyn std::fmt::Display) {
    let only = |one: &Tree, other: &Tree| {
        let differing = one.iter().filter(|(path, seen)| other.get(*path) != Some(seen));
        differing
            .map(|(path, (Seen { kind, mode, mtime, content }, attribute))| {
                let content = String::from_utf8_lossy(&content[..content.len().min(200)]);
                format!("{} {kind} {mode:o} {mtime:?} {attribute:?} {content}", path.display())
            })
            .collect::<Vec<_>>()
    };
    assert!(found == expected, "{after}\nfound: {:#?}\nexpected: {:#?}", only(found, expected), only(expected, found));
}
