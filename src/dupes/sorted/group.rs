//! The rows of one hash: which of them count, which file stays, and what becomes of the others.

use std::cmp::{Ordering, Reverse};

use super::super::entry::{LAST_RANK, Standing, normal_path, unescaped};
use super::super::groups::Tally;
use super::super::keeper::Candidate;
use super::super::places::Places;
use super::super::{Mode, Options};
use crate::record::{ContentHash, FileId, Timestamp};
use crate::stream::Row;

/// One row of the group.
#[derive(Debug)]
pub(super) struct Member {
    /// Escaped, in the form in which it is written.
    pub(super) path: Vec<u8>,
    pub(super) size: u64,
    pub(super) mtime: Option<Timestamp>,
    pub(super) id: Option<FileId>,
    /// Known once the group is complete.
    pub(super) standing: Standing,
}

/// All rows of one hash.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) hash: Option<ContentHash>,
    pub(super) members: Vec<Member>,
    /// Memory for paths, so that not every row asks for some.
    spare: Vec<Vec<u8>>,
}

/// A row that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The places of the row and of its keeper among the members.
    pub(super) member: usize,
    pub(super) keeper: usize,
    pub(super) goes: bool,
}

/// What was decided of a group.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// What is to be written, in this order.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) tally: Tally,
    /// Paths whose records disagree, without `.` and doubled slashes.
    pub(super) contradictions: Vec<Vec<u8>>,
    pub(super) in_quarantine: bool,
    pub(super) in_another: u64,
}

impl Member {
    /// Whether of two rows of one path this one counts, being the later: it tells more, or has the smaller spelling.
    fn is_better_than(&self, other: &Self) -> bool {
        let what = |member: &Self| (member.mtime, member.id, Reverse(unescaped(&member.path).into_owned()));
        what(self) > what(other)
    }

    /// Whether this is a name of the same file. A file that nothing is known of is no other one's name.
    fn is_same_file(&self, other: &Self) -> bool {
        self.size == other.size && self.id.is_some() && self.id == other.id
    }
}

impl Group {
    /// Begins anew.
    pub(super) fn clear(&mut self, hash: Option<ContentHash>) {
        self.hash = hash;
        self.spare.extend(self.members.drain(..).map(|member| member.path));
        // A large group is no reason to hold as much for all that come after it.
        self.spare.truncate(SPARE);
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        let mut path = self.spare.pop().unwrap_or_default();
        path.clear();
        path.extend_from_slice(&row.canonical_path());
        let standing = Standing { quarantined: false, protected: false, rank: LAST_RANK };
        self.members.push(Member { path, size: row.size, mtime: row.mtime, id: row.id, standing });
    }

    /// Decides about all members, once there are no more.
    pub(super) fn decide(&mut self, places: &mut Places, options: &Options) -> Decision {
        let mut decision = Decision::default();
        // A row alone is nobody's duplicate.
        if self.members.len() < 2 && options.mode != Mode::Unique {
            return decision;
        }
        decision.contradictions = self.merge_paths();
        decision.contradictions.retain(|path| !places.of_file(path).quarantined);
        if options.mode != Mode::Unique {
            self.members.retain(|member| member.size > 0 || options.empty);
        }
        for member in &mut self.members {
            member.standing = places.of_file(&unescaped(&member.path));
        }
        let before = self.members.len();
        self.members.retain(|member| !member.standing.quarantined);
        decision.in_quarantine = self.members.len() < before;
        decision.in_another = self.members.iter().filter(|member| member.standing.rank == LAST_RANK).count() as u64;
        self.members.sort_by_cached_key(|member| (member.size, member.id, unescaped(&member.path).into_owned()));
        let mut from = 0;
        for content in self.members.chunk_by(|one, other| one.size == other.size) {
            decision.add(from, content, options);
            from += content.len();
        }
        decision
    }

    /// Leaves one row for each path, and none where rows contradict each other; gives these paths.
    fn merge_paths(&mut self) -> Vec<Vec<u8>> {
        let mut contradictions = Vec::new();
        let mut members: Vec<(Vec<u8>, Member)> =
            self.members.drain(..).map(|member| (normal_path(&member.path).into_owned(), member)).collect();
        members.sort_by(|one, other| one.0.cmp(&other.0));
        let mut members = members.into_iter().peekable();
        while let Some((path, mut best)) = members.next() {
            let mut contradicted = false;
            while let Some((_, other)) = members.next_if(|(next, _)| *next == path) {
                contradicted |= other.size != best.size;
                if other.is_better_than(&best) {
                    best = other;
                }
            }
            if contradicted {
                contradictions.push(path);
            } else {
                self.members.push(best);
            }
        }
        contradictions
    }
}

/// Paths whose memory is kept for the next groups.
const SPARE: usize = 1 << 10;

/// A file among the members of one content: its first member, how many there are, and what is weighed of it.
struct File {
    first: usize,
    names: usize,
    /// The member that stands for it.
    keeper: usize,
    candidate: Candidate,
}

impl Decision {
    /// Decides about the members of one content, the first of which is the member `from` of the group.
    fn add(&mut self, from: usize, content: &[Member], options: &Options) {
        let files = files(from, content);
        if options.mode == Mode::Unique && content[0].size == 0 && !options.empty {
            // Nothing tells empty files from each other, so that each is a content of its own.
            self.verdicts.extend(files.iter().filter_map(File::unique));
            return;
        }
        let best = files.iter().min_by(|one, other| one.candidate.compare(&other.candidate, options.keep));
        let Some(best) = best else { return };
        match options.mode {
            Mode::Unique => self.verdicts.extend(best.unique()),
            Mode::Plan | Mode::Groups if files.len() < 2 => {}
            Mode::Plan | Mode::Groups => self.settle(from, content, &files, best, options.mode),
        }
    }

    fn settle(&mut self, from: usize, content: &[Member], files: &[File], best: &File, mode: Mode) {
        let before = self.verdicts.len();
        let mut going = 0;
        for file in files {
            let goes = file.first != best.first && !file.candidate.protected;
            going += u64::from(goes);
            let members = file.first..file.first + file.names;
            let verdicts = members.map(|member| Verdict { member, keeper: best.keeper, goes });
            self.verdicts.extend(verdicts.filter(|verdict| verdict.goes || mode == Mode::Groups));
        }
        self.tally.files += going;
        self.tally.groups += u64::from(going > 0);
        self.tally.bytes = self.tally.bytes.saturating_add(content[0].size.saturating_mul(going));
        let path = |verdict: &Verdict| unescaped(&content[verdict.member - from].path).into_owned();
        self.verdicts[before..].sort_by_cached_key(|verdict| (verdict.member != verdict.keeper, path(verdict)));
    }
}

impl File {
    /// The one row of a content that this file stands for, unless it is protected.
    fn unique(&self) -> Option<Verdict> {
        let verdict = Verdict { member: self.keeper, keeper: self.keeper, goes: false };
        (!self.candidate.protected).then_some(verdict)
    }
}

/// The files of one content, whose names stand together.
fn files(from: usize, content: &[Member]) -> Vec<File> {
    let mut files = Vec::new();
    let mut first = from;
    for names in content.chunk_by(Member::is_same_file) {
        let mut file: Option<File> = None;
        for (number, name) in names.iter().enumerate() {
            let Standing { protected, rank, .. } = name.standing;
            let path = unescaped(&name.path).into_owned();
            let mut candidate = Candidate { protected, rank, mtime: name.mtime, path };
            match &mut file {
                None => file = Some(File { first, names: names.len(), keeper: first, candidate }),
                Some(file) => {
                    if file.candidate.join(&mut candidate) {
                        file.keeper = first + number;
                    }
                }
            }
        }
        files.extend(file);
        first += names.len();
    }
    files
}

/// The order in which hashes come: that of sort(1), bytewise.
pub(super) fn is_in_order(last: Option<ContentHash>, next: ContentHash) -> bool {
    last.is_none_or(|last| last.cmp(&next) != Ordering::Greater)
}
