//! What `ms-crawl` can be told.

use super::shared::{
    ABSOLUTE, COMPLETION, CSV, DISKS, EXCLUDE, FILES_FROM, FOLLOW, HEADER, HELP, HOST, INCLUDE, JOBS, MAX_SIZE,
    MIN_SIZE, MMAP, NO_HEADER, NO_JUNK, NULL, ONE_FILE_SYSTEM, PROGRESS, QUIET, VERSION,
};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-crawl`.
pub static CRAWL: Tool = Tool {
    name: "ms-crawl",
    usage: &["[options] [DIR|FILE...]"],
    about: "Writes a record (path, hash, size, mtime, id) for every regular file at and below the operands; for the working \
            directory where none is given.",
    operands: Value::File,
    reads: "",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[],
};

const OPTIONS: &[Opt] = &[
    Opt::with(
        "--hash",
        Value::Word(&["all", "dups", "none"]),
        "",
        "hash every file (default), only what can have a duplicate within this crawl, or none",
    ),
    ABSOLUTE,
    HOST.meaning(
        "name this host in paths (NAME:/path, which are absolute then) and ids, so that indexes of several hosts can be put \
         together",
    ),
    FOLLOW,
    ONE_FILE_SYSTEM,
    EXCLUDE,
    INCLUDE,
    MIN_SIZE,
    MAX_SIZE,
    NO_JUNK,
    FILES_FROM,
    NULL,
    Opt::flag("--sort", "sort by path"),
    Opt::with(
        "--index",
        Value::File,
        "FILE",
        "keep the index in FILE as well, and read only what has changed since FILE was written",
    ),
    Opt::with(
        "--max-age",
        Value::Age,
        "AGE",
        "print FILE alone if it is younger than this, and look at nothing else: 90s 15m 12h 120d 2w 1y",
    ),
    Opt::flag("--rehash", "read everything again"),
    MMAP,
    DISKS,
    CSV,
    HEADER,
    NO_HEADER,
    JOBS,
    PROGRESS,
    QUIET,
    COMPLETION,
    HELP,
    VERSION,
];
