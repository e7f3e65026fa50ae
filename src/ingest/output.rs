//! The plan as it is written, and what there is to tell.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::destination::{Fate, Keeper};
use super::naming::Namer;
use super::{Inbox, Options};
use crate::capture::{Capture, Origin};
use crate::cli::Failure;
use crate::guide;
use crate::place;
use crate::plan::push_keeper_note;
use crate::record::{COLUMNS, Record};
use crate::report::{self, Reporter};
use crate::stream::{Format, Writer};

/// Begins the note of a further name of one file.
const SECOND_NAME: &[u8] = b"hardlink";

/// A record for every file that goes anywhere, in the order of the paths. Every other one is named.
pub(super) fn plan(
    inbox: &Inbox,
    namer: &Namer<'_>,
    fates: &[Fate],
    options: &Options,
    reporter: &Reporter,
) -> Result<Vec<Record>, Failure> {
    let mut quarantine = Quarantine::new(&options.quarantine, fates)?;
    let mut records = Vec::new();
    for (file, fate) in fates.iter().enumerate() {
        let path = inbox.path(file);
        let mut note = Vec::new();
        let (dest, keep) = match fate {
            Fate::Unread => continue,
            Fate::Refused(reason) => {
                reporter.failed("planning", path, reason);
                continue;
            }
            Fate::Goes(dest) => (dest.clone(), None),
            Fate::Duplicate(Keeper { path: keep, mtime, id }) => {
                push_keeper_note(Some(*mtime), *id, &mut note);
                (quarantine.place(path), Some(keep.clone()))
            }
            Fate::SecondName => {
                note.extend_from_slice(SECOND_NAME);
                (quarantine.place(path), None)
            }
            Fate::Follows => (quarantine.place(path), None),
        };
        push_date(namer.capture(file), &mut note);
        let Some(content) = inbox.content(file) else { continue };
        records.push(Record {
            path: path.to_owned(),
            hash: Some(content.hash),
            size: content.status.size,
            mtime: Some(content.status.mtime),
            id: Some(content.status.id),
            dest: Some(dest),
            keep,
            note: Some(note),
        });
    }
    Ok(records)
}

fn push_date(capture: Option<&Capture>, note: &mut Vec<u8>) {
    if !note.is_empty() {
        note.push(b' ');
    }
    match capture {
        Some(capture) => note.extend_from_slice(capture.to_string().as_bytes()),
        None => note.extend_from_slice(b"date=none"),
    }
}

/// Gives further copies their places.
struct Quarantine<'a> {
    dir: &'a Path,
    working_dir: PathBuf,
    taken: HashSet<PathBuf>,
}

impl<'a> Quarantine<'a> {
    fn new(dir: &'a Path, fates: &[Fate]) -> Result<Self, Failure> {
        let working_dir = std::env::current_dir()
            .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
        let goes = |fate: &Fate| if let Fate::Goes(dest) = fate { Some(dest.clone()) } else { None };
        Ok(Self { dir, working_dir, taken: fates.iter().filter_map(goes).collect() })
    }

    /// The whole path below the quarantine. A path that climbs, or would meet another, is made absolute; should it still
    /// meet one, it gets a directory of its own, as with duplicates.
    fn place(&mut self, path: &Path) -> PathBuf {
        let absolute = place::absolute(path, &self.working_dir);
        let mut dest = place::quarantine(self.dir, if place::climbs(path) { &absolute } else { path });
        if self.taken.contains(&dest) {
            dest = place::quarantine(self.dir, &absolute);
        }
        if self.taken.contains(&dest) {
            let spelling = blake3::hash(super::incoming::bytes(path)).to_hex();
            dest = place::quarantine(&self.dir.join(format!("as-spelled-{}", &spelling[..16])), &absolute);
        }
        self.taken.insert(dest.clone());
        dest
    }
}

/// Writes the plan.
///
/// # Errors
/// What the output gives.
pub(super) fn write(plan: &[Record], format: Format, out: &mut dyn Write) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        let mut writer = Writer::new(BufWriter::with_capacity(1 << 16, out), format, COLUMNS.len())?;
        plan.iter().try_for_each(|record| writer.write(record))?;
        writer.flush()
    };
    write().map_err(|error| Failure::output(&error))
}

/// What was found, in one line: how many go, by what their date was known, and what else became of files.
pub(super) fn summary(
    inbox: &Inbox,
    namer: &Namer<'_>,
    fates: &[Fate],
    quarantined: u64,
    reporter: &Reporter,
) -> String {
    let (mut classes, mut goes, mut bytes, mut copies) = (BTreeMap::<(usize, &str), u64>::new(), 0, 0, 0);
    for (file, fate) in fates.iter().enumerate() {
        match fate {
            Fate::Goes(_) => {
                goes += 1;
                bytes += inbox.content(file).map_or(0, |content| content.status.size);
                *classes.entry(class(namer.capture(file))).or_default() += 1;
            }
            Fate::Duplicate(_) | Fate::SecondName | Fate::Follows => copies += 1,
            Fate::Unread | Fate::Refused(_) => {}
        }
    }
    let classes: Vec<String> = classes.iter().map(|((_, class), count)| format!("{class} {count}")).collect();
    let files = report::count(inbox.files.len() as u64, "file");
    let by = if classes.is_empty() { String::new() } else { format!(" (date by {})", classes.join(", ")) };
    let mut parts = vec![format!("{files}: {goes} to be moved, {}{by}", report::bytes(bytes))];
    for (count, what) in [
        (copies, "to the quarantine"),
        (quarantined, "in the quarantine already"),
        (reporter.failures(), "refused or failed"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if goes + copies > 0 { parts.join("; ") + &guide::next("to move them", "ms-mv", "") } else { parts.join("; ") }
}

/// How a date was found, for the summary; the better ones first.
fn class(capture: Option<&Capture>) -> (usize, &'static str) {
    match capture.map(|capture| capture.origin) {
        Some(Origin::File(_) | Origin::Changed(_)) => (0, "metadata"),
        Some(Origin::PreferredSidecar(_) | Origin::Sidecar(_)) => (1, "sidecar"),
        Some(Origin::Name) => (2, "file name"),
        Some(Origin::Takeout) => (3, "Takeout"),
        Some(Origin::FileDay(_) | Origin::SidecarDay(_) | Origin::NameDay) => (4, "day only"),
        Some(Origin::Mtime) => (5, "mtime"),
        None => (6, "nothing, so undated"),
    }
}
