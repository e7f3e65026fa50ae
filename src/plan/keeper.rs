//! The copy that stays, and what a plan tells of it.

use std::path::PathBuf;

use crate::host;
use crate::record::{FileId, Record, Timestamp};
use crate::stream::writer::{push_id, push_time};

/// The copy that stays, and what the planner saw of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// Where it stands.
    pub path: PathBuf,
    /// Its last modification when the plan was made.
    pub mtime: Option<Timestamp>,
    /// Which file it was when the plan was made.
    pub id: Option<FileId>,
}

/// How a note begins that says what the keeper was: `keep mtime=SECONDS.NNNNNNNNN id=DEV:INO`.
pub const KEEPER_NOTE: &str = "keep ";

/// Appends the note by which a mover can tell whether the keeper is unchanged; nothing where nothing is known.
pub fn push_keeper_note(mtime: Option<Timestamp>, id: Option<FileId>, note: &mut Vec<u8>) {
    if mtime.is_none() && id.is_none() {
        return;
    }
    note.extend_from_slice(KEEPER_NOTE.as_bytes());
    if mtime.is_some() {
        note.extend_from_slice(b"mtime=");
        push_time(mtime, note);
    }
    if id.is_some() {
        note.extend_from_slice(if mtime.is_some() { b" id=" } else { b"id=" });
        push_id(id, note);
    }
}

impl Keeper {
    /// Whether it stands on another host than the one that carries out the plan, so that it cannot be looked at.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        host::is_located(&self.path)
    }

    /// The keeper of a record, with what its note tells.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let facts =
            record.note.as_deref().and_then(|note| note.strip_prefix(KEEPER_NOTE.as_bytes())).unwrap_or_default();
        let fact = |name: &[u8]| facts.split(|byte| *byte == b' ').find_map(|fact| fact.strip_prefix(name));
        Some(Self {
            path: record.keep.clone()?,
            mtime: fact(b"mtime=").and_then(Timestamp::parse),
            id: fact(b"id=").and_then(FileId::parse),
        })
    }

    /// As a file of the host that carries out the plan, if it is one.
    pub(super) fn here(self) -> Self {
        let id = if self.is_elsewhere() { self.id } else { self.id.map(|id| id.on(None)) };
        Self { id, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_what_the_keeper_was() {
        let mtime = Timestamp { seconds: -1, nanoseconds: 5 };
        let id = FileId::here(7, 9);
        let mut note = Vec::new();
        push_keeper_note(Some(mtime), Some(id), &mut note);
        let record = Record {
            path: "a".into(),
            hash: None,
            size: 1,
            mtime: None,
            id: None,
            dest: None,
            keep: Some("b".into()),
            note: Some(note),
        };
        let keeper = Keeper::of(&record).expect("keeper");
        assert_eq!((keeper.mtime, keeper.id), (Some(mtime), Some(id)));
    }
}
