//! The path that each file should have.
//!
//! A content has one path, however many copies of it there are. Of the groups in which it comes, the one whose time has
//! the best source names it; of equals, the one with more members, so that a picture stays with its raw.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::companions::takeout::SUPPLEMENTAL;
use super::companions::{Form, Group, Sidecar, is_sidecar, split};
use super::template::{HASH_DIGITS, Values, check_path, tame};
use super::{Inbox, Options};
use crate::capture::Capture;
use crate::record::ContentHash;

/// Below this directory goes what has no date.
const UNDATED: &[u8] = b"undated/";

/// Names files.
#[derive(Debug)]
pub(super) struct Namer<'a> {
    inbox: &'a Inbox,
    options: &'a Options,
    groups: &'a [Group],
    captures: &'a [Option<Capture>],
    /// The group of each file.
    group_of: Vec<usize>,
    /// Of each content that can have copies, the file whose group names it.
    namesakes: HashMap<ContentHash, usize>,
    /// What the names of each group are made of.
    shared: Vec<Shared<'a>>,
}

/// What all names of a group are made of, found once: a group can be as large as the drop.
#[derive(Debug)]
struct Shared<'a> {
    /// The first member that is named by this group.
    first: Option<usize>,
    /// What the first member says of its camera that says anything.
    make: Option<&'a str>,
    model: Option<&'a str>,
}

impl<'a> Namer<'a> {
    pub(super) fn new(
        inbox: &'a Inbox,
        groups: &'a [Group],
        captures: &'a [Option<Capture>],
        options: &'a Options,
    ) -> Self {
        let mut group_of = vec![0; inbox.files.len()];
        for (number, group) in groups.iter().enumerate() {
            group.files().for_each(|file| group_of[file] = number);
        }
        let mut namer =
            Self { inbox, options, groups, captures, group_of, namesakes: HashMap::new(), shared: Vec::new() };
        for (number, group) in groups.iter().enumerate() {
            // Where one could not be read, all of its group stay.
            if group.files().all(|file| inbox.content(file).is_some()) {
                group.members.iter().for_each(|(_, file)| namer.consider(*file, number));
            }
        }
        namer.shared = (0..groups.len()).map(|group| namer.shared(group)).collect();
        namer
    }

    fn shared(&self, group: usize) -> Shared<'a> {
        let members = || self.groups[group].members.iter().map(|(_, file)| *file);
        let first = members().find(|file| self.group_of[self.namesake(*file)] == group).or_else(|| members().next());
        let inbox = self.inbox;
        let facts = || members().filter_map(|file| inbox.content(file)).map(|content| &content.facts);
        let make = facts().find_map(|facts| facts.make.as_deref());
        let model = facts().find_map(|facts| facts.model.as_deref());
        Shared { first, make, model }
    }

    fn consider(&mut self, file: usize, group: usize) {
        let Some(content) = self.inbox.content(file) else { return };
        // Empty files are not duplicates of each other, and neither are sidecars.
        if content.status.size == 0 || is_sidecar(self.inbox.name(file)) {
            return;
        }
        let merit = |file: usize, group: usize| {
            let capture = self.captures[group];
            (capture.is_none(), capture.map(|capture| capture.origin), Reverse(self.groups[group].members.len()), file)
        };
        let known = self.namesakes.get(&content.hash).copied();
        if known.is_none_or(|known| merit(file, group) < merit(known, self.group_of[known])) {
            self.namesakes.insert(content.hash, file);
        }
    }

    /// The file by whose group and extension another one is named.
    fn namesake(&self, file: usize) -> usize {
        let known = self.inbox.content(file).and_then(|content| self.namesakes.get(&content.hash));
        match known {
            Some(namesake) if !is_sidecar(self.inbox.name(file)) => *namesake,
            _ => file,
        }
    }

    /// The time by which a file is named.
    pub(super) fn capture(&self, file: usize) -> Option<&Capture> {
        self.captures[self.group_of[self.namesake(file)]].as_ref()
    }

    /// Where a file goes that is no sidecar.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn target(&self, file: usize) -> Result<PathBuf, &'static str> {
        let namesake = self.namesake(file);
        self.expand(self.group_of[namesake], split(self.inbox.name(namesake)).1)
    }

    /// Where a sidecar goes whose owner goes to `owner`: beside it.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn sidecar_target(&self, sidecar: &Sidecar, owner: &Path) -> Result<PathBuf, &'static str> {
        let of = |file: usize| tame(&split(self.inbox.name(file)).1.to_ascii_lowercase());
        let mut path = owner.as_os_str().as_bytes().to_vec();
        if sidecar.form == Form::Stem {
            let extension = of(self.namesake(sidecar.owner));
            let stem = path.strip_suffix(&extension[..]).and_then(|stem| stem.strip_suffix(b"."));
            if let Some(stem) = stem.filter(|stem| !extension.is_empty() && !stem.ends_with(b"/")) {
                path.truncate(stem.len());
            }
        }
        if sidecar.form == Form::Supplemental {
            path.push(b'.');
            path.extend_from_slice(SUPPLEMENTAL);
        }
        path.push(b'.');
        path.extend_from_slice(&of(sidecar.file));
        check_path(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())?;
        Ok(OsString::from_vec(path).into())
    }

    fn expand(&self, group: usize, extension: &[u8]) -> Result<PathBuf, &'static str> {
        let (hash, name) = self.stem(group)?;
        let mut below = match &self.captures[group] {
            None => undated(&hash, name, extension)?,
            Some(capture) => self.options.template.expand(&Values {
                time: capture.wall,
                hash: &hash,
                extension,
                name,
                make: self.shared[group].make,
                model: self.shared[group].model,
            })?,
        };
        let to = self.options.to.as_os_str().as_bytes();
        let mut path = to.to_vec();
        if !to.ends_with(b"/") {
            path.push(b'/');
        }
        path.append(&mut below);
        Ok(OsString::from_vec(path).into())
    }

    /// Hash and name of the first member of a group that is named by it.
    fn stem(&self, group: usize) -> Result<(ContentHash, &'a [u8]), &'static str> {
        let first = self.shared[group].first.ok_or("it belongs to nothing")?;
        let content = self.inbox.content(first).ok_or("what it belongs to could not be read")?;
        Ok((content.hash, split(self.inbox.name(first)).0))
    }
}

/// Without a date, the name is all there is to go by; the hash keeps it apart, and is not put there twice.
fn undated(hash: &ContentHash, name: &[u8], extension: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut name = tame(name);
    let hash = [b"_", &hash.to_hex()[..HASH_DIGITS]].concat();
    if !name.ends_with(&hash) {
        name.extend_from_slice(&hash);
    }
    let extension = tame(&extension.to_ascii_lowercase());
    if !extension.is_empty() {
        name.push(b'.');
        name.extend_from_slice(&extension);
    }
    check_path(&name)?;
    Ok([UNDATED, &name].concat())
}
