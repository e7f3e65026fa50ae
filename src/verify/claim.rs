//! What a record says of its file, and what is found to be true of it.

use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::PathBuf;

use crossbeam_channel::Sender;

use super::Job;
use crate::hash::{Links, Opened, Status, Trouble};
use crate::reading::Client;
use crate::record::{ContentHash, Timestamp};
use crate::report;
use crate::stream::RowRef;

/// What a record says, as far as it can be verified.
#[derive(Debug)]
pub(super) struct Claim {
    /// Its place in its portion.
    pub(super) place: usize,
    /// The number of its input.
    pub(super) input: usize,
    pub(super) row: RowRef,
    /// Where its file is.
    pub(super) path: PathBuf,
    pub(super) hash: Option<ContentHash>,
    pub(super) size: Option<u64>,
    pub(super) mtime: Option<Timestamp>,
    /// Where on its disk the file may be found: good for the order of reading, and for nothing else.
    pub(super) inode: Option<u64>,
}

/// Why a record does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no such file.
    Missing,
    /// It is another file now, or was written to.
    Changed,
    /// Nobody has written to it, and yet its content is another.
    Rotten,
    /// The system does not give its content.
    Unreadable,
}

impl Reason {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Missing, Self::Changed, Self::Rotten, Self::Unreadable];

    /// Whether a note is one of these names, so that its record is no evidence of any content.
    pub(crate) fn is_named(note: &[u8]) -> bool {
        Self::of_note(note).is_some()
    }

    /// The one that a note names, and nothing else with it.
    pub(crate) fn of_note(note: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name().as_bytes() == note)
    }

    /// As it is written into the note.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Rotten => "rotten",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Verdict {
    /// What the file is, as far as it could be looked at.
    pub(super) status: Option<Status>,
    /// Whether the record holds, and if not, why, with details for people.
    pub(super) result: Result<(), (Reason, String)>,
    /// How many bytes were read.
    pub(super) read: u64,
}

impl Claim {
    /// Whether the file is what the record says, apart from its content.
    fn compare(&self, status: &Status) -> Result<(), (Reason, String)> {
        let changed = |detail: String| Err((Reason::Changed, detail));
        if let Some(size) = self.size.filter(|size| *size != status.size) {
            return changed(format!("its size is {}, and was {size}", status.size));
        }
        if let Some(mtime) = self.mtime.filter(|mtime| !mtime.may_be_kept_as(status.mtime)) {
            return changed(format!("its time of modification is {}, and was {mtime}", status.mtime));
        }
        Ok(())
    }

    fn compare_hash(&self, hash: ContentHash) -> Result<(), (Reason, String)> {
        let detail = match self.mtime {
            _ if self.hash == Some(hash) => return Ok(()),
            Some(_) => "its content is another, though its size and time of modification are the same",
            None => "its content is another",
        };
        Err((Reason::Rotten, detail.to_owned()))
    }
}

fn explain(trouble: &Trouble) -> (Reason, String) {
    match trouble {
        Trouble::Io(error) if matches!(error.kind(), NotFound | NotADirectory) => {
            (Reason::Missing, report::reason(error))
        }
        Trouble::Io(error) => (Reason::Unreadable, report::reason(error)),
        Trouble::NotRegular(what) => (Reason::Changed, format!("now it is {what}")),
        Trouble::Changed => (Reason::Changed, trouble.to_string()),
    }
}

/// Finds out what is true, for one worker.
pub(super) struct Inspector<'v> {
    job: &'v Job<'v>,
    found: Sender<(usize, Verdict)>,
}

impl<'v> Inspector<'v> {
    pub(super) fn new(job: &'v Job<'v>, found: Sender<(usize, Verdict)>) -> Self {
        Self { job, found }
    }

    /// A file is looked at before it is opened, since to open what is no regular file can have effects of its own; that
    /// it is the same file when it is open is looked at again.
    fn look(&self, claim: &Claim) -> Result<(Status, Option<Opened>), Verdict> {
        let failed = |trouble| Verdict { status: None, result: Err(explain(&trouble)), read: 0 };
        let compared = |status: Status| {
            let result = claim.compare(&status);
            if result.is_ok() { Ok(status) } else { Err(Verdict { status: Some(status), result, read: 0 }) }
        };
        let status = Status::of(&claim.path, Links::Follow).map_err(failed).and_then(compared)?;
        if self.job.options.quick || claim.hash.is_none() {
            return Ok((status, None));
        }
        let opened = Opened::new(&claim.path, Links::Follow);
        let opened = opened.map_err(|trouble| Verdict { status: Some(status), ..failed(trouble) })?;
        let status = compared(*opened.status())?;
        Ok((status, Some(opened)))
    }

    fn conclude(&self, claim: &Claim, verdict: Verdict) {
        self.job.progress.add_files(1);
        // Who takes them waits until the last worker is done.
        self.found.send((claim.place, verdict)).unwrap_or(());
    }
}

impl<'v> Client for Inspector<'v> {
    type File = &'v Claim;

    fn open(&mut self, claim: &'v Claim) -> Option<(&'v Claim, Opened)> {
        match self.look(claim) {
            Ok((_, Some(opened))) => return Some((claim, opened)),
            Ok((status, None)) => {
                self.conclude(claim, Verdict { status: Some(status), result: Ok(()), read: 0 });
            }
            Err(verdict) => {
                // What need not be read any more counts as done.
                self.job.progress.add_bytes(claim.hash.and(claim.size).unwrap_or(0));
                self.conclude(claim, verdict);
            }
        }
        None
    }

    fn take(&mut self, claim: &'v Claim, status: Status, result: Result<ContentHash, Trouble>) {
        let read = if result.is_ok() { status.size } else { 0 };
        let result = result.map_err(|trouble| explain(&trouble)).and_then(|hash| claim.compare_hash(hash));
        self.conclude(claim, Verdict { status: Some(status), result, read });
    }

    fn flush(&mut self) {}

    fn is_stopped(&self) -> bool {
        self.job.interrupt.came()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn errors_of_the_system_are_told_apart() {
        let reason = |number: i32| explain(&Trouble::Io(io::Error::from_raw_os_error(number))).0;
        for number in [libc::ENOENT, libc::ENOTDIR] {
            assert_eq!(reason(number), Reason::Missing);
        }
        for number in [libc::EACCES, libc::EIO, libc::ELOOP, libc::ENAMETOOLONG, libc::ESTALE, libc::EPERM] {
            assert_eq!(reason(number), Reason::Unreadable, "{number}");
        }
        assert_eq!(explain(&Trouble::NotRegular("a FIFO")), (Reason::Changed, "now it is a FIFO".to_owned()));
        assert_eq!(explain(&Trouble::Changed).0, Reason::Changed);
    }

    #[test]
    fn reasons_are_counted_under_their_own_number() {
        assert!(Reason::ALL.iter().enumerate().all(|(place, reason)| *reason as usize == place));
    }
}
