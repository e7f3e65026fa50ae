//! A toolkit that keeps decades of photos and videos: small Unix tools over one library.
//!
//! Directories become an index, an index becomes a plan, and a plan becomes moves:
//!
//! ```text
//! walk -> crawl -> | record, stream | -> dupes  -> | record, stream | -> plan -> mv -> journal
//!          hash                          ingest                                   ^-- undo --'
//!                              media, capture
//! ```
//!
//! | question | module |
//! |----------|--------|
//! | What is known of a file? How is it written? | [`record`], [`escape`], [`mod@stream`] |
//! | On which host is a file? | [`host`] |
//! | What is in a tree? What is the hash of a file? | [`walk`], [`hash`], [`crawl`] |
//! | What need not be read again, since it has not changed? | [`index`] |
//! | What is a duplicate, and which copy stays? | [`dupes`] |
//! | When was a photo taken? What does a file say of itself? | [`capture`], [`media`] |
//! | Where does a new photo go, and what goes with it? | [`ingest`] |
//! | Which files still are what their records say? | [`verify`] |
//! | What is an archive, a volume, a disc? | [`volume`] |
//! | Which file goes to which disc? How is a volume finished and remembered? | [`pack`], [`seal`] |
//! | What does an index or a plan look like to people? | [`page`] |
//! | Does a plan make sense as a whole? | [`mod@plan`] |
//! | How does a file move without being lost? How does it come back? | [`mv`], [`journal`], `rename` |
//! | Which directory is this really, and is it protected? | [`place`], `straight` |
//! | What if a file is cut short while it is mapped? What if Ctrl-C comes? | [`mapped`], [`interrupt`] |
//! | How are many files read at once? From which disk is one read at a time? | `pool`, `reading`, [`disk`] |
//! | What does a tool wait for? Which command comes next? | `guide` |
//! | What do all tools share? | [`cli`], [`report`], [`progress`] |
//! | What can a tool be told? What do `--help` and completion say of it? | [`cli::tools`], [`cli::help`], [`cli::completion`] |
//! | What can all this be tried on? | [`dataset`] |
//!
//! Whatever decides only reads; [`mv`] alone moves, and keeps the promises: nothing is replaced, nothing leaves a
//! protected directory, a duplicate goes only while its keeper stands, and every run can be undone.

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
