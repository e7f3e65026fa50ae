//! What `ms-report` can be told.

use super::shared::{CAPACITY, COMPLETION, HELP, JOBS, MEDIA, PROGRESS, QUIET, SKIP_BAD_LINES, VERSION};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-report`.
pub static REPORT: Tool = Tool {
    name: "ms-report",
    usage: &["[options] [STREAM...] > page.html"],
    about: "Reads indexes and plans (standard input if none is named) and writes one page of HTML: what is there, what will go \
            where, and what the files look like. Nothing else is needed to look at it.",
    operands: Value::File,
    reads: "an index or a plan",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[],
};

const OPTIONS: &[Opt] = &[
    Opt::flag("--no-thumbnails", "open no file: no pictures"),
    Opt::with("--title", Value::Text, "TEXT", "what the page is called (Plan, or Index)"),
    MEDIA.meaning(
        "cd, dvd, dvd-dl, bd25, bd50, bd100 or bd128: what the volumes are for, where the stream does not tell it",
    ),
    CAPACITY,
    SKIP_BAD_LINES,
    JOBS.meaning("draw pictures in N threads"),
    PROGRESS,
    QUIET,
    COMPLETION,
    HELP,
    VERSION,
];
