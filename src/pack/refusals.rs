//! Files that are left out, and why, told in the order of their paths.

use std::path::PathBuf;

use super::Job;
use super::item::LONGEST_PATH;
use crate::cli::Failure;
use crate::report::{self, shown};
use crate::stream::RowRef;
use crate::stream::table::RowReader;
use crate::volume::Number;

/// Why a file is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is on a host that has a name, and this one has none.
    Elsewhere,
    /// Its path names a directory.
    NoFile,
    /// Its path is longer than the system takes.
    LongPath,
    /// It is a copy that ms-mv has not finished.
    Unfinished,
    /// `ms-verify` has let it fall.
    Disproved,
    /// It is not below the root.
    Outside,
    /// It would be in the way of what describes a volume.
    Reserved,
    /// It does not fit on an empty disc.
    TooLarge,
    /// Its records contradict each other.
    Disputed,
    /// Another file has the same place in a volume, and its content is another, or unknown.
    Meets(RowRef),
    /// Another file with the same content has that place. No failure, since the content is packed.
    IsPacked(RowRef),
    /// Another file needs its path as a directory.
    IsDirectory,
    /// Something stands at its place in a volume that an interrupted run left.
    Taken(Number),
}

/// Files that are left out.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<(RowRef, Refusal)>);

impl Refusals {
    pub(super) fn add(&mut self, at: RowRef, refusal: Refusal) {
        self.0.push((at, refusal));
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Names each.
    ///
    /// # Errors
    /// When a stream was changed meanwhile.
    pub(super) fn tell(&self, job: &Job<'_>) -> Result<(), Failure> {
        let mut rows = RowReader::default();
        let mut path = |at: RowRef| -> Result<(PathBuf, u64), Failure> {
            let row = job.table.row(at, &mut rows);
            let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", job.table.describe(at))))?;
            Ok((row.to_record().path, row.size))
        };
        let mut told = Vec::with_capacity(self.0.len());
        for (at, refusal) in &self.0 {
            let ((path_of, size), refusal) = (path(*at)?, *refusal);
            let text = match refusal {
                Refusal::Meets(other) => {
                    let other = shown(&path(other)?.0);
                    format!(
                        "its place in a volume is also that of {other}, whose content is another or unknown; --root tells them apart"
                    )
                }
                Refusal::IsPacked(other) => {
                    let other = shown(&path(other)?.0);
                    format!("not packed: its place in a volume is that of {other}, whose content is the same")
                }
                other => other.text(size, job),
            };
            told.push((path_of, *at, refusal, text));
        }
        told.sort_unstable_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        for (path, _, refusal, text) in &told {
            if matches!(refusal, Refusal::IsPacked(_)) {
                job.reporter.warn(&format!("planning: {}: {text}", shown(path)));
            } else {
                job.reporter.failed("planning", path, text);
            }
        }
        Ok(())
    }
}

impl Refusal {
    fn text(self, size: u64, job: &Job<'_>) -> String {
        match self {
            Self::Elsewhere => {
                "left out: it is on a host that has a name; there, --host packs it (a directory with a colon at its end is written ./NAME:)".into()
            }
            Self::NoFile => "left out: this names a directory".into(),
            Self::LongPath => format!("left out: its path is longer than the {LONGEST_PATH} bytes that the system takes"),
            Self::Unfinished => {
                "left out: an unfinished copy of ms-mv, which run again with its plan finishes it, and with --undo removes it".into()
            }
            Self::Disproved => "left out: ms-verify has found that the file is not what its record says".into(),
            Self::Outside => {
                let roots: Vec<String> = job.options.roots.iter().map(|root| shown(root)).collect();
                format!("left out: it is not below {}, the root; --root can be given again", roots.join(" or "))
            }
            Self::Reserved => "left out: ms-seal needs this name at the top of a volume".into(),
            Self::TooLarge => {
                let (size, disc) = (report::bytes(size), report::bytes(job.options.disc.capacity));
                format!("left out: its {size} do not fit on a disc of {disc}; a larger --media would hold it")
            }
            Self::Disputed => "left out: its records disagree about hash or size".into(),
            Self::IsDirectory => "left out: in a volume, its path is that of a directory of other files".into(),
            Self::Taken(volume) => {
                format!("left out: something stands at its place in volume {volume}, which is not sealed yet")
            }
            Self::Meets(_) | Self::IsPacked(_) => String::new(),
        }
    }
}
