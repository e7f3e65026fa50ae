//! The time that a group of files shares: that of the one which knows best.

use std::path::Path;

use super::companions::{Form, Group, Role};
use super::read::Content;
use super::{Inbox, name_of};
use crate::capture::{self, Capture, Evidence, Rules};
use crate::media::{Facts, Moment};

/// The time of a group; `None` where there is none, or none that counts.
pub(super) fn of_group(group: &Group, files: &Inbox, rules: Rules) -> Option<Capture> {
    let sidecars = Sidecars { group, files };
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
    for thumbnail in sidecars.thumbnails() {
        let evidence = sidecars.evidence(thumbnail, None).filter(|evidence| !evidence.facts.dates.is_empty());
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
    group: &'a Group,
    files: &'a Inbox,
}

impl<'a> Sidecars<'a> {
    fn evidence(&self, file: usize, paired_offset: Option<i32>) -> Option<Evidence<'a>> {
        let content = self.files.content(file)?;
        Some(Evidence {
            facts: &content.facts,
            name: self.files.path(file).file_name().unwrap_or_default(),
            sidecar: self.xmp(file),
            takeout: self.takeout(file).or(content.takeout),
            mtime: Some(content.status.mtime),
            paired_offset,
        })
    }

    /// The XMP of a file: its very own, else the one of its stem.
    fn xmp(&self, file: usize) -> Option<&'a Facts> {
        let is_own = |form, owner| form != Form::Stem && owner == file;
        let of_form = |own: bool| {
            let mut found = self
                .of_extension(b"xmp")
                .filter(move |(form, owner, _)| if own { is_own(*form, *owner) } else { *form == Form::Stem });
            found.next()
        };
        of_form(true).or_else(|| of_form(false)).map(|(_, _, content)| &content.facts)
    }

    fn takeout(&self, file: usize) -> Option<Moment> {
        self.of_extension(b"json").filter(|(_, owner, _)| *owner == file).find_map(|(_, _, content)| content.takeout)
    }

    fn thumbnails(&self) -> impl Iterator<Item = usize> {
        let is_thumbnail = |file: &usize| has_extension(self.files.path(*file), b"thm");
        self.group.sidecars.iter().map(|sidecar| sidecar.file).filter(is_thumbnail)
    }

    fn of_extension(&self, extension: &'static [u8]) -> impl Iterator<Item = (Form, usize, &'a Content)> {
        let files = self.files;
        let known = move |sidecar: &super::companions::Sidecar| {
            let content = files.content(sidecar.file).filter(|_| has_extension(files.path(sidecar.file), extension))?;
            Some((sidecar.form, sidecar.owner, content))
        };
        self.group.sidecars.iter().filter_map(known)
    }
}

fn has_extension(path: &Path, extension: &[u8]) -> bool {
    super::companions::split(name_of(path)).1.eq_ignore_ascii_case(extension)
}
