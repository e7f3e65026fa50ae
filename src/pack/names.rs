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

use super::item::Item;
use super::tree::{DirId, split};
use super::{Job, Plan};
use crate::report::{self, shown};
use crate::threads::{each, sort_by};
use crate::volume::RESERVED;
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
    for (item, _) in planned(plan) {
        warnings.look(plan.items.name(item), job, || plan.items.below(item, &plan.tree));
        for dir in plan.tree.with_those_around(item.dir) {
            if std::mem::replace(&mut seen[dir as usize], true) {
                break;
            }
            let path = plan.tree.path(dir);
            warnings.look(split(path).1, job, || path.to_vec());
        }
    }
    find_twins(plan, job.jobs, &mut warnings);
    find_overlong_directories(plan, job, &mut warnings);
    warnings.tell(job);
}

/// What goes to a volume, and to which.
fn planned(plan: &Plan) -> impl Iterator<Item = (&Item, u32)> {
    plan.items.list.iter().zip(&plan.packing.volume_of).filter_map(|(item, volume)| Some((item, (*volume)?)))
}

/// Directories with so many long names that xorriso may write a wrong image of them.
fn find_overlong_directories(plan: &Plan, job: &Job<'_>, warnings: &mut Warnings) {
    let filesystem = job.options.disc.filesystem;
    if filesystem != Filesystem::Iso {
        return;
    }
    let mut sums: HashMap<(u32, DirId), u64> = HashMap::new();
    let mut add = |volume, dir, name: &[u8]| {
        let continued = filesystem.continued(name);
        if continued > 0 {
            *sums.entry((volume, dir)).or_default() += continued;
        }
    };
    for (item, volume) in planned(plan) {
        add(volume, item.dir, plan.items.name(item));
    }
    for (volume, dir) in dirs(plan) {
        add(volume, plan.tree.parent(dir), split(plan.tree.path(dir)).1);
    }
    for (volume, held) in (0_u32..).zip(&plan.packing.volumes) {
        for (dir, name) in held.there.iter().map(|path| split(path)) {
            if let Some(dir) = plan.tree.find(dir) {
                add(volume, dir, name);
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
        if name.len() <= JOLIET && name.is_ascii() {
            return;
        }
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

/// Files and directories of one volume that have the same path for those who tell neither case nor the form of accents apart.
fn find_twins(plan: &Plan, jobs: usize, warnings: &mut Warnings) {
    let keys = Keys::new(plan);
    let others = others(plan, &keys);
    let shared = keys_found_twice(plan, jobs, &keys, others.iter().map(|(key, _)| *key));
    if shared.is_empty() {
        return;
    }
    let files = planned(plan).map(|(item, volume)| (keys.of_item(item, volume), item));
    let files = files.filter(|(key, _)| shared.binary_search(key).is_ok());
    let files = files.map(|(key, item)| (key, plan.items.below(item, &plan.tree)));
    let others = others.into_iter().filter(|(key, _)| shared.binary_search(key).is_ok());
    tell_twins(files.chain(others.map(|(key, path)| (key, path.to_vec()))).collect(), warnings);
}

/// Keys of files and directories: equal for those of one volume whose paths [`folded`] makes equal.
struct Keys<'a> {
    plan: &'a Plan,
    hasher: RandomState,
    /// That of the path of each directory.
    dirs: Vec<u64>,
}

impl<'a> Keys<'a> {
    fn new(plan: &'a Plan) -> Self {
        let hasher = RandomState::default();
        let ids = (0..).take(plan.tree.len());
        let dirs = ids.map(|dir: DirId| hash_of_folded(plan.tree.path(dir), &hasher)).collect();
        Self { plan, hasher, dirs }
    }

    fn of_item(&self, item: &Item, volume: u32) -> u64 {
        self.of(volume, self.dirs[item.dir as usize], self.plan.items.name(item))
    }

    fn of_dir(&self, dir: DirId, volume: u32) -> u64 {
        let tree = &self.plan.tree;
        self.of(volume, self.dirs[tree.parent(dir) as usize], split(tree.path(dir)).1)
    }

    fn of_path(&self, path: &[u8], volume: u32) -> u64 {
        let (dir, name) = split(path);
        self.of(volume, hash_of_folded(dir, &self.hasher), name)
    }

    fn of(&self, volume: u32, dir: u64, name: &[u8]) -> u64 {
        self.hasher.hash_one((volume, dir, hash_of_folded(name, &self.hasher)))
    }
}

/// What a volume holds beside the files that go to it: their directories, what is there already, and what describes it.
fn others<'a>(plan: &'a Plan, keys: &Keys<'_>) -> Vec<(u64, &'a [u8])> {
    let mut others = Vec::new();
    for (volume, dir) in dirs(plan) {
        others.push((keys.of_dir(dir, volume), plan.tree.path(dir)));
    }
    for (volume, held) in (0_u32..).zip(&plan.packing.volumes) {
        let described = RESERVED.iter().map(|name| name.as_bytes());
        let around = |path: &'a [u8]| memchr::memchr_iter(b'/', path).map(move |end| &path[..end]);
        let around: HashSet<&[u8]> = held.there.iter().flat_map(|path| around(path)).collect();
        let paths = held.there.iter().map(|path| &**path).chain(described).chain(around);
        others.extend(paths.map(|path| (keys.of_path(path, volume), path)));
    }
    others
}

/// The directories of what goes to each volume, with those around them, each once.
fn dirs(plan: &Plan) -> HashSet<(u32, DirId)> {
    let mut dirs = HashSet::new();
    let mut last = None;
    for (item, volume) in planned(plan) {
        // Most files are beside the one before.
        if last.replace((volume, item.dir)) != Some((volume, item.dir)) {
            plan.tree.with_those_around(item.dir).all(|dir| dirs.insert((volume, dir)));
        }
    }
    dirs
}

/// The keys that are there more than once, in order; nearly always none.
fn keys_found_twice(plan: &Plan, jobs: usize, keys: &Keys<'_>, others: impl Iterator<Item = u64>) -> Vec<u64> {
    let share = plan.items.list.len().div_ceil(jobs * 4).max(1);
    let pieces = plan.items.list.chunks(share).zip(plan.packing.volume_of.chunks(share)).collect();
    let found = each(jobs, pieces, |(items, volumes): (&[Item], &[Option<u32>])| {
        let planned = items.iter().zip(volumes).filter_map(|(item, volume)| Some((item, (*volume)?)));
        planned.map(|(item, volume)| keys.of_item(item, volume)).collect::<Vec<u64>>()
    });
    let mut found: Vec<u64> = found.into_iter().flatten().chain(others).collect();
    sort_by(&mut found, jobs, Ord::cmp);
    found.chunk_by(|one, other| one == other).filter(|equal| equal.len() > 1).map(|equal| equal[0]).collect()
}

/// The same for every two paths that [`folded`] makes equal.
fn hash_of_folded(path: &[u8], hasher: &RandomState) -> u64 {
    let mut room = [0; 256];
    match room.get_mut(..path.len()) {
        Some(room) if path.is_ascii() => {
            room.copy_from_slice(path);
            room.make_ascii_lowercase();
            hasher.hash_one(&*room)
        }
        _ => hasher.hash_one(&*folded(path)),
    }
}

/// Of paths with the same key, each beside the first is told with it.
fn tell_twins(mut paths: Vec<(u64, Vec<u8>)>, warnings: &mut Warnings) {
    paths.sort_unstable();
    // A directory is there already, and gets more.
    paths.dedup();
    let text = |path: &[u8]| shown(Path::new(OsStr::from_bytes(path)));
    let mut told = Vec::new();
    for twins in paths.chunk_by(|one, other| one.0 == other.0) {
        let (first, others) = (&twins[0].1, &twins[1..]);
        let is_twin = |other: &&(u64, Vec<u8>)| folded(&other.1) == folded(first);
        told.extend(others.iter().filter(is_twin).map(|(_, other)| (other, first)));
    }
    // The keys are others in every run.
    told.sort_unstable();
    for (other, first) in told {
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
