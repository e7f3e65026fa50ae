//! Pictures and videos that were taken as one: raw and JPEG of one stem, the two halves of a Live Photo.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::{Named, Role, Sets, is_sidecar, split};

/// What iCloud appends to the stem of a Live Photo's video that it did not convert.
const HEVC: &[u8] = b"_HEVC";

/// Joins what was taken as one.
pub(super) fn join(files: &[Named<'_>], roles: &[Role], sets: &mut Sets) {
    let mut paired = vec![false; files.len()];
    join_raws(files, roles, sets);
    join_by_content_id(files, roles, sets, &mut paired);
    join_by_stem(files, roles, sets, &mut paired);
}

/// A raw picture and all HEIC and JPEG of its stem.
fn join_raws(files: &[Named<'_>], roles: &[Role], sets: &mut Sets) {
    let mut stems: HashMap<Nearness<'_>, Vec<usize>> = HashMap::new();
    for (place, file) in files.iter().enumerate().filter(|(_, file)| !is_sidecar(file.name)) {
        if matches!(roles[place], Role::Raw | Role::Picture) {
            stems.entry((file.dir, split(file.name).0)).or_default().push(place);
        }
    }
    for all in stems.into_values() {
        if let Some(raw) = all.iter().copied().find(|file| roles[*file] == Role::Raw) {
            for file in all {
                sets.join(raw, file);
            }
        }
    }
}

/// A directory and a name in it by which files can be near each other.
type Nearness<'a> = (&'a Path, &'a [u8]);

/// Videos and pictures with the same identifier, each with one other: rather of one name, else of one directory.
fn join_by_content_id(files: &[Named<'_>], roles: &[Role], sets: &mut Sets, paired: &mut [bool]) {
    let mut ids: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        let Some(id) = file.content_id.filter(|id| !id.is_empty()) else { continue };
        let (pictures, videos) = ids.entry(id).or_default();
        match roles[place] {
            Role::Video => videos.push(place),
            Role::Raw | Role::Picture | Role::Still => pictures.push(place),
            Role::Other => {}
        }
    }
    for (pictures, videos) in ids.values() {
        // Two lists at a time, so that many files with one identifier take time in proportion.
        for nearness in [by_name, by_directory, anywhere] {
            pair(pictures, videos, |file| nearness(&files[file]), sets, paired);
        }
    }
}

fn by_name<'a>(file: &Named<'a>) -> Nearness<'a> {
    (file.dir, live_stem(file.name))
}

fn by_directory<'a>(file: &Named<'a>) -> Nearness<'a> {
    (file.dir, b"")
}

fn anywhere<'a>(_: &Named<'a>) -> Nearness<'a> {
    (Path::new(""), b"")
}

fn pair<'a>(
    pictures: &[usize],
    videos: &[usize],
    key: impl Fn(usize) -> Nearness<'a>,
    sets: &mut Sets,
    paired: &mut [bool],
) {
    let mut free: HashMap<Nearness<'a>, Vec<usize>> = HashMap::new();
    for picture in pictures.iter().rev().filter(|picture| !paired[**picture]) {
        free.entry(key(*picture)).or_default().push(*picture);
    }
    for video in videos {
        if !paired[*video]
            && let Some(picture) = free.get_mut(&key(*video)).and_then(Vec::pop)
        {
            sets.join(picture, *video);
            (paired[picture], paired[*video]) = (true, true);
        }
    }
}

/// A MOV beside a HEIC or JPEG of its stem, unless their identifiers differ.
fn join_by_stem(files: &[Named<'_>], roles: &[Role], sets: &mut Sets, paired: &mut [bool]) {
    let mut pictures: HashMap<Nearness<'_>, Vec<usize>> = HashMap::new();
    for (place, file) in files.iter().enumerate() {
        if roles[place] == Role::Picture && !paired[place] {
            pictures.entry(by_name(file)).or_default().push(place);
        }
    }
    for list in pictures.values_mut() {
        // Where both are there, the HEIC is what the camera made.
        list.sort_by_key(|picture| (!is_heic(files[*picture].name), *picture));
    }
    for (place, file) in files.iter().enumerate() {
        let is_half = roles[place] == Role::Video && split(file.name).1.eq_ignore_ascii_case(b"mov") && !paired[place];
        let Some(list) = pictures.get(&by_name(file)).filter(|_| is_half) else { continue };
        let fits = |picture: &&usize| {
            !paired[**picture] && (files[**picture].content_id.is_none() || file.content_id.is_none())
        };
        if let Some(picture) = list.iter().find(fits).copied() {
            sets.join(picture, place);
            (paired[picture], paired[place]) = (true, true);
        }
    }
}

fn is_heic(name: &[u8]) -> bool {
    let (_, extension) = split(name);
    extension.eq_ignore_ascii_case(b"heic") || extension.eq_ignore_ascii_case(b"heif")
}

/// The stem that both halves of a Live Photo have.
fn live_stem(name: &[u8]) -> &[u8] {
    let (stem, extension) = split(name);
    let is_video = extension.eq_ignore_ascii_case(b"mov");
    stem.strip_suffix(HEVC).filter(|stem| is_video && !stem.is_empty()).unwrap_or(stem)
}
