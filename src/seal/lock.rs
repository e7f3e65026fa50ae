//! One run at a time changes an archive.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::cli::Failure;
use crate::report::{self, shown};

/// Held until it is dropped, or the process dies. It is on the directory itself, so that nothing has to be made for it.
#[derive(Debug)]
pub(super) struct Lock {
    _dir: File,
}

impl Lock {
    /// Locks the archive `dir`.
    ///
    /// # Errors
    /// [`Failure::Stop`] where there is no such directory, or another run holds it.
    pub(super) fn take(dir: &Path) -> Result<Self, Failure> {
        let stop = |reason: &str| Failure::Stop(format!("opening the archive: {}: {reason}", shown(dir)));
        let file = File::open(dir).map_err(|error| stop(&report::reason(&error)))?;
        if !file.metadata().is_ok_and(|status| status.is_dir()) {
            return Err(stop("it is no directory"));
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _dir: file }),
            Err(Errno::WOULDBLOCK) => Err(stop("another ms-seal is at work there; run it again when that is done")),
            Err(error) => Err(stop(&report::reason(&error.into()))),
        }
    }
}
