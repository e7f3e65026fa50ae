//! A toolkit that keeps decades of photos and videos: small Unix tools over one library.
//!
//! # How a record flows
//!
//! Directories become an index, an index becomes a plan, and a plan becomes moves. Between two tools there is always a stream
//! of records, one line each, so that every box below can be left out, repeated, or replaced by `grep`, `sort` or SQL.
//!
//! ```text
//!   directories                 streams of records (record, stream, escape)                    directories
//!        |                                                                                          ^
//!        |   ms-crawl   index                       plan                    ms-mv   what moved      |
//!        +-> walk ----> path hash size ----+------> + dest keep note -----> mv ---> path ... dest --+
//!            reading    mtime id           |             ^                   ^          |
//!            hash       (--index: index)   |             |                   | undo     +-> ms-seal: seal, volume
//!                                          |  ms-dupes   |                   |
//!                                          +-> dupes ----+               journal
//!                                          |  ms-ingest  |                   ^
//!                                          +-> ingest ---+                   | told before and after each move
//!                                          |   capture, media                +---- mv
//!                                          |  ms-pack    |
//!                                          +-> pack -----+
//!                                          |  ms-verify
//!                                          +-> verify ---> the records that still hold
//!                                          |  ms-report
//!                                          +-> page -----> a page to look at
//! ```
//!
//! A binary (`src/bin/ms-*.rs`) turns arguments into a call of the library and the result into an exit status, and nothing
//! else. Dependencies point one way: binaries, then the module of a tool, then what several tools share ([`record`],
//! [`mod@stream`], [`walk`], [`hash`], [`place`], [`mod@plan`], [`journal`]). Whatever decides only reads; [`mv`] alone moves,
//! and [`seal`] alone writes what describes a volume.
//!
//! # Where each promise is kept
//!
//! | promise | kept in | shown by |
//! |---------|---------|----------|
//! | 1. Nothing is overwritten, deleted or lost | `rename` (names that replace nothing), [`mv`] with `mv/copy` and `mv/removal` | `tests/faults`, `tests/neighbour`, `tests/mv/property.rs` |
//! | 2. Nothing leaves a protected or sealed directory | [`place`], `mv/dirs`, `mv/sentry`, `straight` | `tests/mv/protect.rs`, `tests/neighbour/mv_places.rs` |
//! | 3. A duplicate goes only while its keeper stands | `mv/keep`, `mv/shelf` | `tests/mv/keep.rs`, `tests/mv/offline.rs` |
//! | 4. No row is acted on that no longer holds | `mv/facts`, [`mod@plan`] | `tests/mv/refuse.rs`, `tests/mv/plan.rs` |
//! | 5. Every refusal is named, and the others go on | [`report`], [`cli`] | `tests/interface`, each tool's tests |
//! | 6. Every run can be undone | [`journal`], `mv/undo` | `tests/mv/undo.rs`, `tests/faults/mv_undo.rs` |
//! | 7. Every path comes back byte for byte | [`escape`], [`mod@stream`] | `tests/stream`, `tests/fuzz` |
//! | 8. A read error never yields a hash | [`hash`] (`Opened`), [`mapped`] | `tests/crawl/errors.rs`, `tests/crawl/changes.rs` |
//! | 9. Same input, same output | `pool` and `threads` (work in any order), each planner's last sorting | `tests/dupes/order.rs`, `tests/ingest` |
//! | 10. Memory does not grow with files, nor unsaid with records | [`hash`], [`mod@stream`], `dupes/entry` | `tests/limits`, `make soak` |
//!
//! # To change X, go to Y
//!
//! | what | where |
//! |------|-------|
//! | an option, `--help`, what a shell completes | `cli/tools/TOOL.rs` (the table), the tool's `take`, `man/TOOL.1` |
//! | a message, a summary, the exit status | [`report`], `guide`, [`cli`] |
//! | a column of the record, how it is written | [`record`], [`mod@stream`], [`escape`], `man/mediastruct.5` |
//! | paths and ids of other hosts | [`host`] |
//! | what a crawl meets and leaves out | [`walk`] |
//! | how files are read, by how many threads, from which disk | [`crawl`], `reading`, `pool`, [`disk`] |
//! | what need not be read again | [`index`] |
//! | what a duplicate is, and which copy stays | [`dupes`] |
//! | the same in SQL | `share/sql` |
//! | which date is believed, and which names tell one | [`capture`] |
//! | what is read from JPEG, HEIC, RAW, MP4, XMP | [`media`] |
//! | where a new photo goes, and what goes with it | [`ingest`] |
//! | which file goes to which disc, and how much fits | [`pack`], `volume/image`, `volume/medium` |
//! | how a volume is finished and remembered | [`seal`], [`volume`] |
//! | what is checked of a plan as a whole | [`mod@plan`] |
//! | the steps of a move, of a copy, after a crash | `mv/mover`, `mv/transfer`, `mv/copy`, `mv/left_over` |
//! | the lines of a journal | [`journal`] |
//! | what is found to be rotten | [`verify`] |
//! | a chart, a table, a thumbnail | [`page`] |
//! | what there is to try things on | [`dataset`] |
//! | what happens on Ctrl-C, without memory, when a mapped file is cut short | [`interrupt`], [`memory`], [`mapped`] |
//!
//! Tests stand by tool in `tests/`, and what several of them need in `tests/support`; a fault at every step in
//! `tests/faults`, somebody else's hands in `tests/neighbour`, damaged bytes in `tests/fuzz`, very little of anything in
//! `tests/limits`, the documents' own examples in `tests/examples`. What it all costs is measured in `benches/`.

pub mod capture;
pub mod cli;
pub mod crawl;
pub mod dataset;
pub mod disk;
pub mod dupes;
pub mod escape;
mod guide;
pub mod hash;
pub mod host;
pub mod index;
pub mod ingest;
pub mod interrupt;
pub mod journal;
pub mod mapped;
pub mod media;
pub mod memory;
pub mod mv;
pub mod pack;
pub mod page;
pub mod place;
pub mod plan;
mod pool;
pub mod progress;
mod reading;
pub mod record;
mod rename;
pub mod report;
pub mod seal;
mod straight;
pub mod stream;
mod threads;
pub mod verify;
pub mod volume;
pub mod walk;
