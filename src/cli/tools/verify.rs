//! What `ms-verify` can be told.

use super::shared::{
    COMPLETION, CSV, DISKS, HEADER, HELP, HOST, JOBS, NO_HEADER, PROGRESS, QUIET, SKIP_BAD_LINES, VERSION,
};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-verify`.
pub static VERIFY: Tool = Tool {
    name: "ms-verify",
    usage: &["[options] [INDEX...]"],
    about: "Reads indexes (standard input if none is named), also a volume's index.json and what b3sum writes, reads the \
            files again, and writes the records that still hold.",
    operands: Value::File,
    reads: "an index",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[],
};

const OPTIONS: &[Opt] = &[
    Opt::flag(
        "--failed",
        "write the records that do not hold instead, with the reason as note: missing, changed, rotten or unreadable",
    ),
    Opt::flag("--quick", "compare size and time only, and open no file"),
    HOST.meaning("this host is NAME: verify its records of a stream of several hosts"),
    Opt::with("--root", Value::Dir, "DIR", "relative paths hold in DIR"),
    SKIP_BAD_LINES,
    DISKS,
    CSV,
    HEADER,
    NO_HEADER,
    JOBS,
    PROGRESS,
    QUIET.meaning("no summary"),
    COMPLETION,
    HELP,
    VERSION,
];
