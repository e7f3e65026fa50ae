//! What `ms-ingest` can be told.

use super::shared::{
    ABSOLUTE, COMPLETION, CSV, DISKS, EXCLUDE, FILES_FROM, FOLLOW, HEADER, HELP, INCLUDE, JOBS, MAX_SIZE, MIN_SIZE,
    MMAP, NO_HEADER, NO_JUNK, NULL, ONE_FILE_SYSTEM, PROGRESS, QUIET, SKIP_BAD_LINES, VERSION,
};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-ingest`.
pub static INGEST: Tool = Tool {
    name: "ms-ingest",
    usage: &["--to DIR [options] [DROP...]"],
    about: "Looks into the files of the directories DROP, or of an index on standard input, and writes a plan for ms-mv \
            that sorts them below DIR by the time of capture.",
    operands: Value::Dir,
    reads: "an index",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[],
};

const OPTIONS: &[Opt] = &[
    Opt::with("--to", Value::Dir, "DIR", "where files are to go"),
    Opt::with(
        "--template",
        Value::Text,
        "TEMPLATE",
        "their paths there, with strftime(3) and {hash} {hash:N} {ext} {name} {make} {model} {ms} \
         (%Y/%m/%Y%m%d_%H%M%S_{hash}.{ext})",
    ),
    Opt::with("--quarantine", Value::Dir, "DIR", "where further copies of one content go (duplicates)"),
    Opt::with("--tz", Value::Text, "ZONE", "the time zone for times in UTC, such as Europe/Berlin (the system's)"),
    Opt::with(
        "--qt-time",
        Value::Word(&["auto", "utc", "local"]),
        "WHAT",
        "what videos' times are: auto, utc or local",
    ),
    Opt::with(
        "--sidecar",
        Value::Word(&["fallback", "prefer"]),
        "WHEN",
        "prefer: believe XMP sidecars first; fallback: last",
    ),
    Opt::flag("--no-mtime", "what has no other date goes to DIR/undated"),
    SKIP_BAD_LINES.meaning("go on without malformed lines of the index"),
    ONE_FILE_SYSTEM,
    FOLLOW,
    ABSOLUTE,
    EXCLUDE,
    INCLUDE,
    MIN_SIZE,
    MAX_SIZE,
    NO_JUNK,
    FILES_FROM,
    NULL,
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
