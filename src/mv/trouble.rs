//! Why a row was not carried out.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use super::dirs::Unmade;
use crate::cli::Failure;
use crate::rename::{self, Unnamed};
use crate::report::{self, Reporter};

/// What keeps a row from being carried out.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This row is left as it is; the others go on.
    Refused {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it was not.
        reason: String,
    },
    /// Nothing more can be done.
    Failed(Failure),
    /// A signal came in the middle of a copy, of which nothing is left.
    Interrupted,
}

impl Trouble {
    pub(super) fn refused(doing: &'static str, path: &Path, reason: impl Display) -> Self {
        Self::Refused { doing, path: path.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn io(doing: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        Self::refused(doing, path, report::reason(&error.into()))
    }

    pub(super) fn unmade(path: &Path, unmade: Unmade) -> Self {
        match unmade {
            Unmade::Refused(error) => Self::io("making the directory of", path, error),
            Unmade::Failed(failure) => Self::Failed(failure),
        }
    }

    /// Whether a row was refused for this very reason.
    pub(super) fn is_for(&self, why: &str) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == why)
    }

    /// Whether a row was refused since the filesystem can give no name without the danger of replacing.
    pub(super) fn is_unsupported(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason.starts_with(rename::UNSUPPORTED))
    }

    /// Names a refused row on stderr, by its source; anything else ends the run.
    pub(super) fn tell(self, verb: &str, source: &Path, reporter: &Reporter) -> Result<(), Stopped> {
        match self {
            Self::Refused { path, reason, .. } if path == source => {
                reporter.failed(verb, source, &reason);
                Ok(())
            }
            Self::Refused { doing, path, reason } => {
                let path = report::shown(&path);
                reporter.failed(verb, source, &format!("{doing} {path}: {reason}"));
                Ok(())
            }
            Self::Failed(failure) => Err(Stopped::Failed(failure)),
            Self::Interrupted => Err(Stopped::Interrupted),
        }
    }
}

impl Unnamed {
    pub(super) fn trouble(&self, doing: &'static str, path: &Path) -> Trouble {
        Trouble::refused(doing, path, self)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Why a run ends before its last row.
#[derive(Debug)]
pub(super) enum Stopped {
    Failed(Failure),
    Interrupted,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
