//! Directory trees: where a walk begins, what it meets, what is left out.
//!
//! [`operands`] turns the names that were given into roots, [`listing`] walks below one of them in steps,
//! [`filter`] says which of the files that it meets are wanted.

pub mod filter;
pub mod listing;
pub mod operands;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub use filter::Filter;
pub use listing::{Listing, Met};

/// Where a walk begins: one operand.
#[derive(Debug, Default)]
pub struct Root {
    /// As it was given, or made absolute.
    pub path: PathBuf,
    /// What other operands cover, as paths below this one.
    pub covered: HashSet<PathBuf>,
}

impl Root {
    /// The part of `path` that lies below this root; `path` was reached from it.
    #[must_use]
    pub fn below<'a>(&self, path: &'a Path) -> &'a Path {
        let root = self.path.as_os_str().as_bytes();
        let bytes = path.as_os_str().as_bytes();
        let rest = bytes.get(root.len()..).unwrap_or_default();
        Path::new(OsStr::from_bytes(rest.strip_prefix(b"/").unwrap_or(rest)))
    }

    fn covers(&self, below: &Path) -> bool {
        !self.covered.is_empty() && self.covered.contains(below)
    }
}
