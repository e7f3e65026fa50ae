//! What `ms-gen` can be told.

use super::shared::{COMPLETION, HELP, JOBS, PROGRESS, QUIET, VERSION};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-gen`.
pub static GEN: Tool = Tool {
    name: "ms-gen",
    usage: &["[options] DIR"],
    about: "Fills DIR, which must be empty or new, with photos, videos and texts to try things on.",
    operands: Value::Dir,
    reads: "",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[
        "Sizes: bytes, or a number with K M G T (1000) or Ki Mi Gi Ti (1024). Dates: 2019-07-04.",
        "The same seed and options give the same files, byte for byte.",
    ],
};

const OPTIONS: &[Opt] = &[
    Opt::with("--seed", Value::Number, "N", "other files for another number (1)"),
    Opt::with("--files", Value::Number, "N", "how many files, duplicates included (200)"),
    Opt::with("--total", Value::Size, "SIZE", "the sizes of all files together"),
    Opt::with("--min-size", Value::Size, "SIZE", "the smallest file (20K)"),
    Opt::with("--max-size", Value::Size, "SIZE", "the largest file (400K)"),
    Opt::with("--dup-share", Value::Number, "PCT", "how many of a hundred files are copies of others (25)"),
    Opt::with("--from", Value::Text, "DATE", "the first day of the files' dates (2005-01-01)"),
    Opt::with("--until", Value::Text, "DATE", "the last day (2024-12-31)"),
    Opt::with("--depth", Value::Number, "N", "how many directories deep the files lie (3)"),
    Opt::with("--kinds", Value::Words(&["jpg", "png", "mp4", "mov", "txt"]), "LIST", "of jpg,png,mp4,mov,txt (all)"),
    Opt::with("--alike", Value::Number, "N", "files have one of N sizes and differ only in their middle"),
    Opt::flag("--hostile", "names that careless programs fail at, among others"),
    JOBS,
    PROGRESS,
    QUIET,
    COMPLETION,
    HELP,
    VERSION,
];
