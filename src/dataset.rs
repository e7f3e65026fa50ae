//! `ms-gen`: a bogus but real collection of photos, videos and texts, all of it from a seed.
//!
//! [`Options`] say what is wanted, a plan settles the path, size, date and content of every file, and the
//! files are then written in parallel. Each content has random numbers of its own, drawn from the seed and
//! the number of the content, so that the tree never depends on how many threads wrote it.
//!
//! Memory grows with the number of files (about 200 bytes each), not with their sizes.

mod exif;
mod fill;
mod hostile;
mod jpeg;
mod kind;
mod movie;
mod names;
pub mod options;
mod picture;
mod plan;
mod png;
mod random;
mod sizes;
mod text;
mod tree;

pub use kind::Kind;
pub use options::Options;
pub use plan::Plan;
pub use tree::write;
