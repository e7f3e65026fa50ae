//! What `ms-pack` can be told.

use super::shared::{
    CAPACITY, COMPLETION, CSV, FS, HEADER, HELP, HOST, JOBS, MEDIA, NO_HEADER, PROGRESS, QUIET, RESERVE,
    SKIP_BAD_LINES, VERSION,
};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-pack`.
pub static PACK: Tool = Tool {
    name: "ms-pack",
    usage: &["--to ARCHIVE [options] [INDEX...]"],
    about: "Reads indexes (standard input if none is named) and writes a plan for ms-mv that takes their files to numbered \
            volumes of ARCHIVE, the oldest first. The image of each volume is known to fit its disc. What does not fill a \
            disc stays.",
    operands: Value::File,
    reads: "an index",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &[],
};

const OPTIONS: &[Opt] = &[
    Opt::with("--to", Value::Dir, "ARCHIVE", "the archive: volumes are ARCHIVE/0001, ARCHIVE/0002, ..."),
    HOST.meaning("this host is NAME: pack its files of a stream of several hosts"),
    MEDIA,
    CAPACITY,
    RESERVE,
    FS,
    Opt::with(
        "--root",
        Value::Dir,
        "DIR",
        "paths below DIR are kept in the volumes; may be given again (the longest directory that holds all files, cut \
         before its first year or date)",
    )
    .again(),
    Opt::with(
        "--atomic",
        Value::Word(&["day", "dir", "none"]),
        "WHAT",
        "keep the files of a day or of a dir together, or none (day)",
    ),
    Opt::with("--open", Value::Number, "N", "fill N volumes at once (2)"),
    Opt::with("--min-fill", Value::Number, "PCT", "how full a volume must be, its image over the disc (98)"),
    Opt::flag("--flush", "write all volumes, however full"),
    SKIP_BAD_LINES,
    CSV,
    HEADER,
    NO_HEADER,
    JOBS,
    PROGRESS,
    QUIET.meaning("no table of the volumes at the end"),
    COMPLETION,
    HELP,
    VERSION,
];
