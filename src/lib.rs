//! A toolkit that keeps decades of photos and videos: small Unix tools over one library.

pub mod cli;
pub mod escape;
pub mod interrupt;
pub mod journal;
pub mod mapped;
pub mod mv;
pub mod place;
pub mod plan;
pub mod record;
pub mod report;
pub mod stream;
