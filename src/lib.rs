//! A toolkit that keeps decades of photos and videos: small Unix tools over one library.

pub mod cli;
pub mod crawl;
pub mod dataset;
pub mod dupes;
pub mod escape;
pub mod hash;
pub mod interrupt;
pub mod journal;
pub mod mapped;
pub mod mv;
pub mod place;
pub mod plan;
pub mod progress;
pub mod record;
pub mod report;
pub mod stream;
pub mod walk;
