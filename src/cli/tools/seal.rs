//! What `ms-seal` can be told.

use super::shared::{
    CAPACITY, COMPLETION, CSV, FS, HEADER, HELP, HOST, JOBS, MEDIA, NO_HEADER, PROGRESS, QUIET, RESERVE,
    SKIP_BAD_LINES, VERSION,
};
use crate::cli::synopsis::{Opt, Section, Tool, Value};

/// `ms-seal`.
pub static SEAL: Tool = Tool {
    name: "ms-seal",
    usage: &[
        "[options] ARCHIVE",
        "--all [options] ARCHIVE",
        "--burned VOL [--copy NAME] [--media-id ID] ARCHIVE",
        "--unburned VOL [--copy NAME] [--media-id ID] ARCHIVE",
        "--list | --cat ARCHIVE",
    ],
    about: "Reads what ms-mv has moved from standard input and seals the volumes of ARCHIVE that it names: each gets a list \
            of its files, their checksums and a text that tells what it is, and never changes again. ARCHIVE remembers it \
            in its catalogue.",
    operands: Value::Dir,
    reads: "the output of ms-mv",
    sections: &[
        Section { title: "", options: ACTIONS },
        Section { title: "For sealing only:", options: SEALING },
        Section { title: "", options: REST },
    ],
    remarks: &[],
};

const ACTIONS: &[Opt] = &[
    Opt::flag("--all", "seal all volumes, and read no stream"),
    Opt::with("--burned", Value::Text, "VOL", "record that volume VOL (7, 0007 or MS_0007) was burned"),
    Opt::with("--unburned", Value::Text, "VOL", "take back the last burn recorded of VOL (with that copy or id)"),
    Opt::with("--copy", Value::Text, "NAME", "what this copy is called, or where it is kept"),
    Opt::with("--media-id", Value::Text, "ID", "what is written on the disc, or what it says of itself"),
    Opt::flag("--list", "show all volumes"),
    Opt::flag(
        "--cat",
        "write the records of all sealed volumes, also of those whose directory is gone since the disc is on a shelf",
    ),
];

const SEALING: &[Opt] = &[
    MEDIA.meaning(
        "cd, dvd, dvd-dl, bd25, bd50, bd100 or bd128: a volume that the stream does not tell it of must fit this",
    ),
    CAPACITY,
    RESERVE,
    FS.meaning("what images are written as: iso, udf or raw (iso)"),
    SKIP_BAD_LINES,
];

const REST: &[Opt] = &[
    HOST.meaning("this host is NAME: take its records of a stream of several hosts; for --cat: name it in the paths"),
    CSV.meaning("write CSV (for --cat)"),
    HEADER.meaning("write the names of the columns first (for --cat)"),
    NO_HEADER.meaning("do not, also in CSV (for --cat)"),
    JOBS.meaning("read in N threads"),
    PROGRESS,
    QUIET.meaning("no summary"),
    COMPLETION,
    HELP,
    VERSION,
];
