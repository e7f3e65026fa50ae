//! The time that a group of files shares: that of the one which knows best.

use std::collections::HashMap;
use std::path::Path;

use super::companions::{Form, Group, Role, Sidecar};
use super::{Inbox, name_of};
use crate::capture::{self, Capture, Evidence, Rules};
use crate::media::{Facts, Moment};

/// The time of a group; `None` where there is none, or none that counts.
pub(super) fn of_group(group: &Group, files: &Inbox, rules: Rules) -> Option<Capture> {
    let sidecars = Sidecars::new(group, files);
    let mut best: Option<(Capture, Role)> = None;
    let mut offset = None;
    for (role, file) in &group.members {
        // Members come with pictures first, so that a video can take the offset of its picture.
        let paired_offset = offset.filter(|_| *role == Role::Video);
        let capture = sidecars.evidence(*file, paired_offset).and_then(|evidence| capture::capture(&evidence, &rules));
        let Some(capture) = capture else { continue };
        if *role != Role::Video {
            offset = offset.or(capture.offset_to_lend());
        }
        consider(&mut best, (capture, *role));
    }
    // A thumbnail is a JPEG of its own, written with what it shows.
    for thumbnail in &sidecars.thumbnails {
        let evidence = sidecars.evidence(*thumbnail, None).filter(|evidence| !evidence.facts.dates.is_empty());
        if let Some(capture) = evidence.and_then(|evidence| capture::capture(&evidence, &rules)) {
            consider(&mut best, (capture, Role::Other));
        }
    }
    best.map(|(capture, _)| capture)
}

/// The first in the order of the sources wins; of equal sources, that of the first role.
fn consider(best: &mut Option<(Capture, Role)>, next: (Capture, Role)) {
    let key = |(capture, role): &(Capture, Role)| (capture.origin, *role);
    if best.as_ref().is_none_or(|best| key(&next) < key(best)) {
        *best = Some(next);
    }
}

/// What the sidecars of a group say.
struct Sidecars<'a> {
    files: &'a Inbox,
    /// Of each file, its very own XMP.
    own: HashMap<usize, &'a Facts>,
    /// The XMP of their stem.
    shared: Option<&'a Facts>,
    takeouts: HashMap<usize, Moment>,
    thumbnails: Vec<usize>,
}

impl<'a> Sidecars<'a> {
    /// Each sidecar is looked at once, since there can be as many as there are files.
    fn new(group: &Group, files: &'a Inbox) -> Self {
        let (own, takeouts) = (HashMap::new(), HashMap::new());
        let mut sidecars = Self { files, own, shared: None, takeouts, thumbnails: Vec::new() };
        for Sidecar { file, owner, form } in &group.sidecars {
            let Some(content) = files.content(*file) else { continue };
            let has = |extension| has_extension(files.path(*file), extension);
            if has(b"xmp") && *form == Form::Stem {
                sidecars.shared.get_or_insert(&content.facts);
            } else if has(b"xmp") {
                sidecars.own.entry(*owner).or_insert(&content.facts);
            } else if has(b"json") {
                if let Some(told) = content.takeout {
                    sidecars.takeouts.entry(*owner).or_insert(told);
                }
            } else if has(b"thm") {
                sidecars.thumbnails.push(*file);
            }
        }
        sidecars
    }

    fn evidence(&self, file: usize, paired_offset: Option<i32>) -> Option<Evidence<'a>> {
        let content = self.files.content(file)?;
        Some(Evidence {
            facts: &content.facts,
            name: self.files.path(file).file_name().unwrap_or_default(),
            sidecar: self.own.get(&file).copied().or(self.shared),
            takeout: self.takeouts.get(&file).copied().or(content.takeout),
            mtime: Some(content.status.mtime),
            paired_offset,
        })
    }
}

fn has_extension(path: &Path, extension: &[u8]) -> bool {
    super::companions::split(name_of(path)).1.eq_ignore_ascii_case(extension)
}
