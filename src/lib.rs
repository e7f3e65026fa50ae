//! A toolkit that keeps decades of photos and videos: small Unix tools over one library.

pub mod cli;
pub mod dupes;
pub mod escape;
pub mod interrupt;
pub mod mapped;
pub mod place;
pub mod plan;
pub mod progress;
pub mod record;
pub mod report;
pub mod stream;
