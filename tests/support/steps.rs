//! What a run did to a disk, in its order, as strace(1) saw it; and whether that order survives a power cut.

use super::{Outcome, Sandbox, trace};
use std::fs;
use std::path::{Path, PathBuf};

/// What strace is told so that `steps` can read its log: what succeeded, and to which file it was done.
pub const STEPS: [&str; 6] = ["-z", "-y", "-s", "4096", "-e", TRACE];

const TRACE: &str = "trace=?open,openat,?openat2,?creat,read,pread64,write,writev,pwrite64,ftruncate,fsync,fdatasync,syncfs,\
                     ?rename,?renameat,renameat2,?link,linkat,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,fchmod,fchown,\
                     fsetxattr,utimensat";

/// One thing that was done. Paths are absolute.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A file was made, or opened to be.
    Make(PathBuf),
    Read(PathBuf),
    /// Bytes went into a file, as far as strace shows them.
    Write(PathBuf, String),
    /// Its mode, owner, times or attributes were set.
    Meta(PathBuf),
    /// A file, or the names in a directory, came to the disk.
    Sync(PathBuf),
    /// All of a filesystem did.
    SyncAll(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Unlink(PathBuf),
    Mkdir(PathBuf),
}

impl Step {
    /// Whether it alters a file itself.
    pub fn alters(&self, path: &Path) -> bool {
        matches!(self, Self::Write(there, _) | Self::Meta(there) if there == path)
    }

    pub fn syncs(&self, path: &Path) -> bool {
        *self == Self::Sync(path.to_owned())
    }

    /// Whether it writes a text that has `part` in it.
    pub fn writes(&self, path: &Path, part: &str) -> bool {
        matches!(self, Self::Write(there, text) if there == path && text.contains(part))
    }

    /// Whether it changes names below a directory, or makes a file there.
    pub fn changes_names_in(&self, dir: &Path) -> bool {
        match self {
            Self::Make(path) | Self::Unlink(path) | Self::Mkdir(path) => path.starts_with(dir),
            Self::Rename(old, new) | Self::Link(old, new) => old.starts_with(dir) || new.starts_with(dir),
            _ => false,
        }
    }
}

/// Runs a tool and gives what it did.
#[track_caller]
pub fn watched(sandbox: &Sandbox, tool: &str, args: &[&str], stdin: &[u8]) -> (Outcome, Vec<Step>) {
    let outcome = trace::traced(sandbox, &STEPS, tool, args, stdin);
    let log = fs::read_to_string(trace::log(sandbox)).expect("what strace wrote");
    let work = sandbox.work().canonicalize().expect("real path");
    (outcome, steps(&log, &work))
}

/// What the lines of a log tell, for a run in `cwd`.
pub fn steps(log: &str, cwd: &Path) -> Vec<Step> {
    let log = log.replace(" <unfinished ...>\n)", ")");
    log.lines().filter_map(|line| step(line, cwd)).collect()
}

fn step(line: &str, cwd: &Path) -> Option<Step> {
    let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let file = || descriptor(arguments);
    let named = || names(arguments, cwd);
    let both = || <[PathBuf; 2]>::try_from(named()).ok();
    Some(match name {
        "open" | "openat" | "openat2" | "creat" if arguments.contains("O_CREAT") || name == "creat" => {
            Step::Make(descriptor(result)?)
        }
        "read" | "pread64" => Step::Read(file()?),
        "write" | "writev" | "pwrite64" => Step::Write(file()?, arguments.split_once('"')?.1.to_owned()),
        "ftruncate" | "fchmod" | "fchown" | "fsetxattr" => Step::Meta(file()?),
        "utimensat" if arguments.contains(">, NULL") => Step::Meta(file()?),
        "fsync" | "fdatasync" => Step::Sync(file()?),
        "syncfs" => Step::SyncAll(file()?),
        "rename" | "renameat" | "renameat2" => both().map(|[old, new]| Step::Rename(old, new))?,
        "link" | "linkat" => both().map(|[old, new]| Step::Link(old, new))?,
        "unlink" | "unlinkat" | "rmdir" => Step::Unlink(named().pop()?),
        "mkdir" | "mkdirat" => Step::Mkdir(named().pop()?),
        _ => return None,
    })
}

/// The file that a descriptor at the beginning stands for: `5</a/b>`.
fn descriptor(text: &str) -> Option<PathBuf> {
    let (number, rest) = text.split_once('<')?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let (path, _) = rest.split_once('>')?;
    (is_number && path.starts_with('/')).then(|| PathBuf::from(path))
}

/// The quoted names among arguments, each below the directory that stands before it, if any.
fn names(arguments: &str, cwd: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    let mut rest = arguments;
    while let Some((before, after)) = rest.split_once('"') {
        let Some((name, after)) = after.split_once('"') else { break };
        let dir =
            before.rsplit_once('<').and_then(|(_, dir)| dir.split_once('>')).map_or(cwd, |(dir, _)| Path::new(dir));
        names.push(dir.join(name));
        rest = after;
    }
    names
}

/// One link of a chain of steps.
pub struct Link<'a> {
    what: &'a str,
    is: Box<dyn Fn(&Step) -> bool + 'a>,
    /// Whether every such step must come here, and not only one of them.
    is_act: bool,
}

/// Steps none of which may come before what stands in front of them, and all of which must before what follows.
pub fn act<'a>(what: &'a str, is: impl Fn(&Step) -> bool + 'a) -> Link<'a> {
    Link { what, is: Box::new(is), is_act: true }
}

/// A step that must come here, and may come elsewhere, too.
pub fn barrier<'a>(what: &'a str, is: impl Fn(&Step) -> bool + 'a) -> Link<'a> {
    Link { what, is: Box::new(is), is_act: false }
}

/// Whether the steps keep the order of a chain; else what is amiss.
pub fn in_order(steps: &[Step], chain: &[Link<'_>]) -> Result<(), String> {
    let mut from = 0;
    let mut last = "the beginning";
    for link in chain {
        let found: Vec<usize> = (0..steps.len()).filter(|&i| (link.is)(&steps[i])).collect();
        let early = found.iter().find(|&&i| i < from);
        if let Some(early) = early.filter(|_| link.is_act) {
            return Err(format!("{} comes before {last}: {:?}", link.what, steps[*early]));
        }
        let at = if link.is_act { found.last() } else { found.iter().find(|&&i| i >= from) };
        let Some(at) = at else { return Err(format!("there is no {} after {last}", link.what)) };
        from = at + 1;
        last = link.what;
    }
    Ok(())
}

/// Whether `name` is given to a whole file: written as `temporary`, brought to the disk, renamed, and its name brought
/// there. Gives the steps between which all that happened.
pub fn published(steps: &[Step], temporary: &Path, name: &Path) -> Result<(usize, usize), String> {
    let shown = name.display();
    let named = Step::Rename(temporary.to_owned(), name.to_owned());
    let named = steps.iter().rposition(|step| *step == named).ok_or_else(|| format!("{shown} gets no name"))?;
    let made = Step::Make(temporary.to_owned());
    let made = steps[..named].iter().rposition(|step| *step == made).ok_or_else(|| format!("{shown} is not made"))?;
    let altered = (made..named).rev().find(|&i| steps[i].alters(temporary)).unwrap_or(made);
    if !steps[altered..named].iter().any(|step| step.syncs(temporary)) {
        return Err(format!("{shown} gets its name before it is on the disk"));
    }
    let dir = name.parent().expect("a directory");
    let synced = (named..steps.len()).find(|&i| steps[i].syncs(dir));
    synced.map(|synced| (made, synced)).ok_or_else(|| format!("the name {shown} is not brought to the disk"))
}
