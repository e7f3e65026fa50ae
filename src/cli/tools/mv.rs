//! What `ms-mv` can be told.

use super::shared::{COMPLETION, CSV, HEADER, HELP, HOST, NO_HEADER, PROGRESS, QUIET, SKIP_BAD_LINES, VERSION};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-mv`. It has no `--jobs`: files are moved one after the other, in the order of the plan.
pub static MV: Tool = Tool {
    name: "ms-mv",
    usage: &["[options] [PLAN...]", "--undo [options] [JOURNAL...]"],
    about: "Moves the files of a plan (standard input, or the files named), each only while it and the copy that stays are \
            what the plan says, and never over another file. Prints a record for every file moved, which fed back moves it \
            back.",
    operands: Value::File,
    reads: "a plan",
    sections: &[Section { title: "", options: OPTIONS }],
    remarks: &["exit status: 0 all done; 1 something was refused, each named; 2 wrong usage or could not finish"],
};

const OPTIONS: &[Opt] = &[
    Opt::flag("--dry-run", "say what would happen, touch nothing").short('n'),
    Opt::with("--to", Value::Dir, "DIR", "destination for records that have none: DIR plus the whole source path"),
    Opt::flag("--copy", "leave the sources, make verified copies"),
    Opt::flag("--link", "leave the sources, make hard links"),
    Opt::with(
        "--check",
        Value::Word(&["stat", "content"]),
        "HOW",
        "stat (default): compare size, time and id; content: read and compare",
    ),
    Opt::flag("--offline-keep", "the copy that stays may be on a burned disc, as the archive tells"),
    HOST.meaning("this host is NAME: carry out its rows of a plan of several hosts"),
    Opt::with(
        "--keep-proof",
        Value::File,
        "FILE",
        "the copy that stays may be on another host, if FILE has its record as ms-verify has let it through there, and is \
         not older than the plan",
    ),
    Opt::with("--protect", Value::Dir, "DIR", "nothing leaves DIR (nor any directory that holds a file .ms-protect)")
        .again(),
    Opt::with(
        "--prune",
        Value::Dir,
        "DIR",
        "remove directories that this run emptied, below DIR or below the longest directory that holds all sources",
    )
    .optional(),
    Opt::with(
        "--journal",
        Value::File,
        "FILE",
        "keep the journal in FILE (default: a new file under $XDG_STATE_HOME/mediastruct)",
    ),
    Opt::with("--undo", Value::File, "JOURNAL", "reverse the run of JOURNAL, or the newest run").optional(),
    SKIP_BAD_LINES.meaning("leave out malformed lines instead of moving nothing"),
    CSV,
    HEADER,
    NO_HEADER,
    PROGRESS,
    QUIET,
    COMPLETION,
    HELP,
    VERSION,
];
