//! Names that will look different on the medium, or are there twice for those who do not tell all characters apart.
//!
//! All of these are packed: Rock Ridge keeps every name as it is. Joliet, which other systems read, does not.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::hash::BuildHasher as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use foldhash::quality::RandomState;
use unicode_normalization::UnicodeNormalization as _;

use super::tree::{DirId, split};
use super::{Job, Plan};
use crate::report::{self, shown};
use crate::volume::image::{self, Filesystem};

/// Names longer than this, in UTF-16 code units, are cut in Joliet as `-joliet-long` makes it.
const JOLIET: usize = 103;

/// Names longer than this, in bytes, no file on Linux has (`NAME_MAX` in limits.h), and Rock Ridge images cut them.
const ROCK_RIDGE: usize = 255;

/// So many names of a kind are told one by one.
const MOST_NAMED: usize = 20;

/// Warns of all names of what is to be written.
pub(super) fn warn(plan: &Plan, job: &Job<'_>) {
    let mut warnings = Warnings::default();
    let mut seen = vec![false; plan.tree.len()];
    for (item, volume) in plan.items.list.iter().zip(&plan.packing.volume_of) {
        if volume.is_none() {
            continue;
        }
        let name = plan.items.name(item);
        warnings.look(name, job, || plan.items.below(item, &plan.tree));
        for dir in plan.tree.with_those_around(item.dir).take_while(|dir| !seen[*dir as usize]).collect::<Vec<_>>() {
            seen[dir as usize] = true;
            let path = plan.tree.path(dir);
            warnings.look(split(path).1, job, || path.to_vec());
        }
    }
    find_twins(plan, &mut warnings);
    find_overlong_directories(plan, job, &mut warnings);
    warnings.tell(job);
}

/// Directories with so many long names that xorriso may write a wrong image of them.
fn find_overlong_directories(plan: &Plan, job: &Job<'_>, warnings: &mut Warnings) {
    let filesystem = job.options.disc.filesystem;
    if filesystem != Filesystem::Iso {
        return;
    }
    let mut sums: HashMap<(u32, DirId), u64> = HashMap::new();
    let mut seen: HashSet<(u32, DirId)> = HashSet::new();
    for (item, volume) in plan.items.list.iter().zip(&plan.packing.volume_of) {
        let Some(volume) = *volume else { continue };
        let continued = filesystem.continued(plan.items.name(item));
        if continued > 0 {
            *sums.entry((volume, item.dir)).or_default() += continued;
        }
        for dir in plan.tree.with_those_around(item.dir) {
            if !seen.insert((volume, dir)) {
                break;
            }
            let (parent, name) = (plan.tree.parent(dir), split(plan.tree.path(dir)).1);
            let continued = filesystem.continued(name);
            if continued > 0 {
                *sums.entry((volume, parent)).or_default() += continued;
            }
        }
    }
    let mut overlong: Vec<DirId> =
        sums.into_iter().filter(|(_, sum)| *sum > image::CONTINUED).map(|((_, dir), _)| dir).collect();
    overlong.sort_unstable();
    overlong.dedup();
    let mut paths: Vec<&[u8]> = overlong.into_iter().map(|dir| plan.tree.path(dir)).collect();
    paths.sort_unstable();
    for path in paths {
        warnings.add(OVERLONG, if path.is_empty() { b"." } else { path });
    }
}

/// What there is to warn of.
#[derive(Debug, Default)]
struct Warnings(HashMap<&'static str, (usize, Vec<String>)>);

const NOT_UTF8: &str = "the name is not UTF-8, so other systems will show another";
const CUT: &str = "the name is longer than 103 characters, so other systems will show it cut off (Joliet)";
const TOO_LONG: &str = "the name is longer than 255 bytes, so it will be cut off on the disc";
const OVERLONG: &str = "the directory has so many long names that xorriso 1.5.4 may write a wrong image: verify the image before it is burned, or \
                        make it with genisoimage";
const TWIN: &str = "only case or the form of accents tells its name apart from";

impl Warnings {
    fn look(&mut self, name: &[u8], job: &Job<'_>, path: impl Fn() -> Vec<u8>) {
        let has_joliet = job.options.disc.filesystem != Filesystem::Raw;
        if name.len() > ROCK_RIDGE && has_joliet {
            self.add(TOO_LONG, &path());
        }
        // As many bytes hold at least as many units.
        match std::str::from_utf8(name) {
            Err(_) => self.add(NOT_UTF8, &path()),
            Ok(text) if name.len() > JOLIET && has_joliet && text.encode_utf16().count() > JOLIET => {
                self.add(CUT, &path());
            }
            Ok(_) => {}
        }
    }

    fn add(&mut self, kind: &'static str, path: &[u8]) {
        self.add_text(kind, shown(Path::new(OsStr::from_bytes(path))));
    }

    fn add_text(&mut self, kind: &'static str, text: String) {
        let (count, named) = self.0.entry(kind).or_default();
        *count += 1;
        if named.len() < MOST_NAMED {
            named.push(text);
        }
    }

    fn tell(&self, job: &Job<'_>) {
        for kind in [NOT_UTF8, TOO_LONG, CUT, OVERLONG, TWIN] {
            let Some((count, named)) = self.0.get(kind) else { continue };
            for text in named {
                // A twin is told with the other.
                let (path, other) = text.split_once('\0').unwrap_or((text, ""));
                let gap = if other.is_empty() { "" } else { " " };
                job.reporter.warn(&format!("planning: {path}: {kind}{gap}{other}"));
            }
            if *count > named.len() {
                let more = report::number((count - named.len()) as u64);
                job.reporter.warn(&format!(
                    "planning: {more} more like that: {kind}{}",
                    if kind == TWIN { " another" } else { "" }
                ));
            }
        }
    }
}

/// Files, or directories, of one volume that have the same path for those who tell neither case nor the form of accents apart.
fn find_twins(plan: &Plan, warnings: &mut Warnings) {
    let hasher = RandomState::default();
    let folded_dirs: Vec<u64> = (0..plan.tree.len())
        .map(|dir| hasher.hash_one(folded(plan.tree.path(DirId::try_from(dir).unwrap_or(DirId::MAX))).as_ref()))
        .collect();
    let mut files = Vec::new();
    let mut dirs = Vec::new();
    for (place, volume) in plan.packing.volume_of.iter().enumerate() {
        let Some(volume) = volume else { continue };
        let item = &plan.items.list[place];
        let name = hasher.hash_one(folded(plan.items.name(item)).as_ref());
        files.push((hasher.hash_one((*volume, folded_dirs[item.dir as usize], name)), place));
        if dirs.last() != Some(&(*volume, item.dir)) {
            dirs.push((*volume, item.dir));
        }
    }
    files.sort_unstable();
    let there = files_there(plan, &hasher);
    for twins in files.chunk_by(|one, other| one.0 == other.0) {
        let known = there.partition_point(|(key, _)| *key < twins[0].0);
        let known = there[known..].iter().take_while(|(key, _)| *key == twins[0].0).map(|(_, path)| path.to_vec());
        let planned = twins.iter().map(|(_, place)| plan.items.below(&plan.items.list[*place], &plan.tree));
        let paths: Vec<Vec<u8>> = planned.chain(known).collect();
        if paths.len() > 1 {
            tell_twins(&paths, warnings);
        }
    }
    dirs.sort_unstable();
    dirs.dedup();
    let mut keyed: Vec<_> =
        dirs.into_iter().map(|(volume, dir)| (hasher.hash_one((volume, folded_dirs[dir as usize])), dir)).collect();
    keyed.sort_unstable();
    for twins in keyed.chunk_by(|one, other| one.0 == other.0).filter(|twins| twins.len() > 1) {
        let path = |dir: DirId| plan.tree.path(dir).to_vec();
        tell_twins(&twins.iter().map(|(_, dir)| path(*dir)).collect::<Vec<_>>(), warnings);
    }
}

/// The files that are in continued volumes already, by the same keys as those that are to come.
fn files_there<'a>(plan: &'a Plan, hasher: &RandomState) -> Vec<(u64, &'a [u8])> {
    let mut there = Vec::new();
    for (volume, held) in (0_u32..).zip(&plan.packing.volumes) {
        for path in &held.there {
            let (dir, name) = split(path);
            let hash = |text| hasher.hash_one(folded(text).as_ref());
            there.push((hasher.hash_one((volume, hash(dir), hash(name))), &**path));
        }
    }
    there.sort_unstable();
    there
}

/// Each beside the first is told with it.
fn tell_twins(paths: &[Vec<u8>], warnings: &mut Warnings) {
    let mut sorted = paths.to_vec();
    sorted.sort_unstable();
    let Some((first, others)) = sorted.split_first() else { return };
    let text = |path: &[u8]| shown(Path::new(OsStr::from_bytes(path)));
    for other in others.iter().filter(|other| folded(other) == folded(first)) {
        warnings.add_text(TWIN, format!("{}\0{}", text(other), text(first)));
    }
}

/// A path as those see it who tell neither case nor the form of accents apart.
fn folded(path: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if path.is_ascii() {
        if path.iter().any(u8::is_ascii_uppercase) { path.to_ascii_lowercase().into() } else { path.into() }
    } else {
        // What is no UTF-8 stands for itself.
        match std::str::from_utf8(path) {
            Ok(text) => text.nfc().flat_map(char::to_lowercase).nfc().collect::<String>().into_bytes().into(),
            Err(_) => path.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_case_nor_the_form_of_accents_tells_names_apart() {
        for (one, other) in [("IMG.JPG", "img.jpg"), ("Ärger", "a\u{308}rger"), ("É", "e\u{301}"), ("\u{212b}", "å")]
        {
            assert_eq!(folded(one.as_bytes()), folded(other.as_bytes()), "{one} {other}");
        }
        for (one, other) in [("a", "ä"), ("a b", "a_b")] {
            assert_ne!(folded(one.as_bytes()), folded(other.as_bytes()), "{one} {other}");
        }
        assert_ne!(folded(b"\xff"), folded(b"\xfe"));
    }
}
