//! What there is to tell at the end.

use std::path::Path;

use super::groups::Tally;
use super::{Mode, Options};
use crate::guide;
use crate::host;
use crate::place::QUARANTINE;
use crate::report::{self, Reporter};

/// What a run has found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    /// How many records there were.
    pub(super) records: u64,
    /// How many contents were written, with [`Mode::Unique`].
    pub(super) unique: u64,
    /// Whether records that would have been compared lie in the quarantine, and are left out.
    pub(super) in_quarantine: bool,
    /// How many seem to be in the quarantine of another run.
    pub(super) in_another: u64,
    /// Whether records name hosts.
    pub(super) names_hosts: bool,
    pub(super) tally: Tally,
}

/// Says how many records were left out since `ms-verify` has let them fall.
pub(super) fn tell_disproved(disproved: u64, reporter: &Reporter) {
    if disproved > 0 {
        let who = report::count(disproved, "record");
        reporter.warn(&format!("{who} left out: ms-verify has found that their files are not what they say"));
    }
}

impl Summary {
    pub(super) fn tell(&self, options: &Options, reporter: &Reporter) {
        let tally = self.tally;
        if tally.unhashed > 0 {
            let who = report::count(tally.unhashed, "record");
            reporter.warn(&format!(
                "{who} without a hash share a size with another and were not compared; unless one crawl with --hash dups \
                 told them apart, crawl them together: ms-crawl --hash dups DIR..."
            ));
        }
        self.tell_quarantines(options, reporter);
        self.tell_hosts(options, reporter);
        let records = report::count(self.records, "record");
        let next = self.next(options);
        reporter.summary(&match options.mode {
            Mode::Unique => format!("{records}: {}{next}", report::count(self.unique, "unique content")),
            _ => format!(
                "{records}: {} in {}, {}{next}",
                report::count(tally.files, "duplicate"),
                report::count(tally.groups, "group"),
                report::bytes(tally.bytes)
            ),
        });
        // Whoever asks about the quarantine itself would take this for an answer.
        if self.in_quarantine && tally.files == 0 && options.mode != Mode::Unique {
            let dir = report::shown(&options.to);
            reporter.summary(&format!("records in the quarantine, {dir}, are not considered; --to names another"));
        }
    }

    fn next(&self, options: &Options) -> String {
        match options.mode {
            Mode::Plan if self.tally.files > 0 && self.names_hosts => {
                guide::next("to move them, on each host", "ms-mv --host NAME", "")
            }
            Mode::Plan if self.tally.files > 0 => guide::next("to move them", "ms-mv", ""),
            Mode::Unique if self.unique > 0 && !self.names_hosts => {
                guide::next("to archive them", "ms-pack --to ARCHIVE", "")
            }
            _ => String::new(),
        }
    }

    /// Who protects `/Archive` may well mean that of the host that has it.
    fn tell_hosts(&self, options: &Options, reporter: &Reporter) {
        let named = [("--protect", &options.protect), ("--prefer", &options.prefer)];
        let mut here = named.iter().flat_map(|(option, dirs)| dirs.iter().map(move |dir| (option, dir)));
        if self.names_hosts
            && let Some((option, dir)) = here.find(|(_, dir)| !host::is_located(dir))
        {
            let dir = report::shown(dir);
            reporter.warn(&format!(
                "{option}: {dir}: there are records that name hosts, and this holds for none of them; {option} NAME:{dir} would"
            ));
        }
    }

    fn tell_quarantines(&self, options: &Options, reporter: &Reporter) {
        if self.in_another == 0 {
            return;
        }
        let records = report::count(self.in_another, "record");
        let mut name = report::shown(Path::new(options.to.file_name().unwrap_or_default()));
        if name != QUARANTINE {
            name = format!("{name} or {QUARANTINE}");
        }
        reporter.warn(&format!(
            "{records} below another directory called {name}, which may be an earlier quarantine: no copy there is kept \
             rather than one elsewhere; --to with its path leaves them out"
        ));
    }
}
