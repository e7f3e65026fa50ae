//! What a filesystem could not keep of the files that were copied to it: counted, and told at the end of a run.

use std::path::{Path, PathBuf};

use super::facts::Facts;
use crate::journal::Was;
use crate::report::{self, Reporter, shown};

/// Counts what was lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    access: Loss,
    times: Loss,
}

#[derive(Debug, Default)]
struct Loss {
    files: u64,
    first: Option<PathBuf>,
}

impl Losses {
    /// Compares a copy at `path` with what it should be; whether anything was lost.
    pub(super) fn note(&mut self, wanted: &Was, there: &Facts, path: &Path) -> bool {
        let there = there.was();
        // Without root a copy belongs to whoever makes it.
        let owner = |was: &Was| rustix::process::geteuid().is_root().then_some((was.uid, was.gid));
        let access = (wanted.mode, owner(wanted)) != (there.mode, owner(&there));
        let times = wanted.mtime != there.mtime;
        self.access.count(access, path);
        self.times.count(times, path);
        access || times
    }

    /// One line for each kind of loss: there may be as many losses as files.
    pub(super) fn tell(&self, reporter: &Reporter) {
        for (loss, what) in [(&self.access, "permissions or owner"), (&self.times, "modification time")] {
            if let Some(first) = &loss.first {
                let files = report::count(loss.files, "file");
                let which = shown(first);
                reporter.warn(&format!("the filesystem cannot keep the {what} of {files}, such as {which}"));
            }
        }
    }
}

impl Loss {
    fn count(&mut self, is_lost: bool, path: &Path) {
        if is_lost {
            self.files += 1;
            self.first.get_or_insert_with(|| path.to_owned());
        }
    }
}
