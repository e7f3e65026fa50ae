//! What `ms-dupes` can be told.

use super::shared::{COMPLETION, CSV, HEADER, HELP, JOBS, NO_HEADER, PROGRESS, QUIET, SKIP_BAD_LINES, VERSION};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-dupes`.
pub static DUPES: Tool = Tool {
    name: "ms-dupes",
    usage: &["[options] [INDEX...]"],
    about: "Reads indexes (standard input if none is named) and writes a plan: a record for every copy that should go.",
    operands: Value::File,
    reads: "an index",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[],
};

const OPTIONS: &[Opt] = &[
    Opt::with(
        "--protect",
        Value::Dir,
        "DIR",
        "files below DIR stay, and a copy there is the one to keep; may be given again; of another host, this and the next \
         are NAME:/dir",
    )
    .again(),
    Opt::with(
        "--prefer",
        Value::Dir,
        "DIR",
        "keep a copy below DIR rather than another; may be given again, the first counts most",
    )
    .again(),
    Opt::with(
        "--keep",
        Value::Word(&["first", "oldest", "newest", "shortest"]),
        "RULE",
        "which other copy stays: first (smallest path), oldest, newest or shortest (first)",
    ),
    Opt::with(
        "--to",
        Value::Dir,
        "DIR",
        "where copies should go (duplicates), each on its own host; what is there already is not considered; NAME:/dir is \
         for the copies on host NAME",
    ),
    Opt::flag("--empty", "empty files are duplicates, too"),
    Opt::flag("--unique", "write one record of each content that has no protected copy instead").short('u'),
    Opt::flag("--groups", "write every member of every group instead, the one that stays first").short('g'),
    Opt::flag("--sorted", "the rows come in the order of their hashes: hold one group in memory"),
    Opt::with("--shard", Value::Text, "K/N", "only the contents of shard K of N, by the first bits of the hash"),
    SKIP_BAD_LINES,
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
