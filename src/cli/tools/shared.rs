//! Options that several tools have.

use crate::cli::synopsis::{Opt, Value};

pub(super) const ABSOLUTE: Opt = Opt::flag("--absolute", "make paths absolute").short('a');
pub(super) const FOLLOW: Opt = Opt::flag("--follow", "follow symbolic links, each file once").short('L');
pub(super) const ONE_FILE_SYSTEM: Opt = Opt::flag("--one-file-system", "do not enter other filesystems").short('x');
pub(super) const EXCLUDE: Opt =
    Opt::with("--exclude", Value::Glob, "GLOB", "leave out files and directories of this name or path").again();
pub(super) const INCLUDE: Opt = Opt::with("--include", Value::Glob, "GLOB", "only files of this name or path").again();
pub(super) const MIN_SIZE: Opt = Opt::with(
    "--min-size",
    Value::Size,
    "SIZE",
    "only files of this size or more: bytes, or a number with K M G T Ki Mi Gi Ti",
);
pub(super) const MAX_SIZE: Opt = Opt::with("--max-size", Value::Size, "SIZE", "only files of this size or less");
pub(super) const NO_JUNK: Opt = Opt::flag("--no-junk", "leave out .DS_Store ._* Thumbs.db desktop.ini @eaDir");
pub(super) const FILES_FROM: Opt =
    Opt::with("--files-from", Value::File, "FILE", "take operands from FILE (-: standard input), one a line").again();
pub(super) const NULL: Opt = Opt::flag("--null", "names in these files end with NUL, not newline").short('0');
pub(super) const MMAP: Opt = Opt::flag("--mmap", "map large files into memory instead of reading them");
pub(super) const DISKS: Opt = Opt::with(
    "--disks",
    Value::Word(&["auto", "rotating", "solid"]),
    "KIND",
    "auto, rotating (one file at a time is read from each filesystem) or solid",
);

pub(super) const MEDIA: Opt = Opt::with(
    "--media",
    Value::Word(&["cd", "dvd", "dvd-dl", "bd25", "bd50", "bd100", "bd128"]),
    "MEDIUM",
    "cd, dvd, dvd-dl, bd25, bd50, bd100 or bd128 (bd25)",
);
pub(super) const CAPACITY: Opt =
    Opt::with("--capacity", Value::Size, "SIZE", "how much a disc holds, where it is none of these");
pub(super) const RESERVE: Opt = Opt::with("--reserve", Value::Text, "PCT%|SIZE", "leave so much of each disc free");
pub(super) const FS: Opt = Opt::with(
    "--fs",
    Value::Word(&["iso", "udf", "raw"]),
    "FILESYSTEM",
    "what the image is written as: iso (with Rock Ridge and Joliet), udf (that and a UDF bridge) or raw (contents \
     only) (iso)",
);

pub(super) const HOST: Opt = Opt::with("--host", Value::Text, "NAME", "what this host is called");

pub(super) const SKIP_BAD_LINES: Opt = Opt::flag("--skip-bad-lines", "go on without malformed lines");
pub(super) const CSV: Opt = Opt::flag("--csv", "write CSV");
pub(super) const HEADER: Opt = Opt::flag("--header", "write the names of the columns first");
pub(super) const NO_HEADER: Opt = Opt::flag("--no-header", "do not, also in CSV");
pub(super) const JOBS: Opt = Opt::with("--jobs", Value::Number, "N", "work in N threads").short('j');
pub(super) const PROGRESS: Opt = Opt::with(
    "--progress",
    Value::Word(&["auto", "always", "never"]),
    "WHEN",
    "show progress: auto (on a terminal), always or never",
);
pub(super) const QUIET: Opt = Opt::flag("--quiet", "no summary at the end").short('q');
pub(super) const COMPLETION: Opt = Opt::with(
    "--completion",
    Value::Word(&["bash", "fish", "zsh"]),
    "SHELL",
    "print what makes bash, fish or zsh complete these options",
);
pub(super) const HELP: Opt = Opt::flag("--help", "print this text").short('h');
pub(super) const VERSION: Opt = Opt::flag("--version", "print the version").short('V');
