//! The tables of all tools.
//!
//! A new tool has a table of its own here, and its place in [`ALL`], by which the others suggest its options and the tests
//! compare it with its help, its manual and what shells complete. Its `src/bin` hands the table to [`cli::main`](super::main)
//! and [`cli::next`](super::next); make finds it there.

mod crawl;
mod dupes;
mod generator;
mod ingest;
mod mv;
mod pack;
mod report;
mod seal;
mod shared;
mod verify;

pub use crawl::CRAWL;
pub use dupes::DUPES;
pub use generator::GEN;
pub use ingest::INGEST;
pub use mv::MV;
pub use pack::PACK;
pub use report::REPORT;
pub use seal::SEAL;
pub use verify::VERIFY;

use super::synopsis::Tool;

/// All tools, by their names.
pub static ALL: &[&Tool] = &[&CRAWL, &DUPES, &GEN, &INGEST, &MV, &PACK, &REPORT, &SEAL, &VERIFY];
