//! Which files belong together, by their names and by what cameras wrote into them.
//!
//! Pictures and videos pair up first: raw and JPEG of one stem, the two halves of a Live Photo. Then each sidecar finds
//! the file that it speaks of. A sidecar that finds none is a file like any other.

mod pairs;
pub(super) mod takeout;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::media::Kind;

/// A file as far as its companions matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// The directory, in one spelling.
    pub(super) dir: &'a Path,
    /// The name in it.
    pub(super) name: &'a [u8],
    /// By its content, where that could be read.
    pub(super) kind: Kind,
    /// What the halves of a Live Photo share.
    pub(super) content_id: Option<&'a str>,
    /// Whether it is what Google Takeout tells of another file.
    pub(super) is_takeout: bool,
}

/// What a file can be to others, the one that gives a group its name first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Raw,
    /// HEIC or JPEG.
    Picture,
    /// Any other picture.
    Still,
    Video,
    Other,
}

/// How the name of a sidecar was made from that of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `IMG_1.xmp`: the owner's stem.
    Stem,
    /// `IMG_1.CR2.xmp`: the owner's whole name.
    Whole,
    /// `IMG_1.JPG.supplemental-metadata.json`, as Google Takeout writes it.
    Supplemental,
}

/// A file that goes where another one goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sidecar {
    pub(super) file: usize,
    /// Whose it is.
    pub(super) owner: usize,
    pub(super) form: Form,
}

/// Files that share their time and their stem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// What is no sidecar, with its role; the first gives the group its name.
    pub(super) members: Vec<(Role, usize)>,
    pub(super) sidecars: Vec<Sidecar>,
}

impl Group {
    /// All files of the group.
    pub(super) fn files(&self) -> impl Iterator<Item = usize> {
        self.members.iter().map(|(_, file)| *file).chain(self.sidecars.iter().map(|sidecar| sidecar.file))
    }
}

/// Extensions of raw pictures, where the content does not tell (from the lists of `ExifTool` and `LibRaw`).
const RAW: [&[u8]; 26] = [
    b"3fr", b"arw", b"cr2", b"cr3", b"crw", b"dcr", b"dng", b"erf", b"fff", b"gpr", b"iiq", b"kdc", b"mef", b"mos",
    b"mrw", b"nef", b"nrw", b"orf", b"pef", b"raf", b"rw2", b"rwl", b"sr2", b"srf", b"srw", b"x3f",
];

/// Extensions of what a raw picture or half a Live Photo is paired with.
const PICTURES: [&[u8]; 6] = [b"jpg", b"jpeg", b"jpe", b"heic", b"heif", b"hif"];

const VIDEOS: [&[u8]; 5] = [b"mov", b"mp4", b"m4v", b"avi", b"3gp"];

impl Role {
    fn of(extension: &[u8], kind: Kind) -> Self {
        let is_one_of = |list: &[&[u8]]| list.iter().any(|known| extension.eq_ignore_ascii_case(known));
        match kind {
            Kind::Video => Self::Video,
            Kind::Raw => Self::Raw,
            _ if is_one_of(&RAW) => Self::Raw,
            _ if is_one_of(&PICTURES) => Self::Picture,
            Kind::Still => Self::Still,
            Kind::Other if is_one_of(&VIDEOS) => Self::Video,
            Kind::Other => Self::Other,
        }
    }
}

/// Splits a name at its last dot; a dot at the beginning makes no extension.
pub(super) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'.', name) {
        Some(dot) if dot > 0 => (&name[..dot], &name[dot + 1..]),
        _ => (name, b""),
    }
}

/// Whether a name is that of a sidecar, if there is a file that it can speak of.
pub(super) fn is_sidecar(name: &[u8]) -> bool {
    SidecarKind::of(name).is_some()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SidecarKind {
    Xmp,
    Aae,
    /// The thumbnail beside a video or a CRW.
    Thm,
    Json,
}

impl SidecarKind {
    fn of(name: &[u8]) -> Option<Self> {
        let (_, extension) = split(name);
        let kinds: [(&[u8], Self); 4] =
            [(b"xmp", Self::Xmp), (b"aae", Self::Aae), (b"thm", Self::Thm), (b"json", Self::Json)];
        kinds.into_iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, kind)| kind)
    }
}

/// Puts every file into exactly one group. `files` are in the order of their paths, and so are the groups, by the first
/// of each.
pub(super) fn group(files: &[Named<'_>]) -> Vec<Group> {
    let mut sets = Sets::new(files.len());
    let roles: Vec<Role> = files.iter().map(|file| Role::of(split(file.name).1, file.kind)).collect();
    pairs::join(files, &roles, &mut sets);
    let owners = owners(files, &roles);
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (file, role) in roles.iter().enumerate() {
        match owners[file] {
            None => groups.entry(sets.leader(file)).or_default().members.push((*role, file)),
            Some((owner, form)) => {
                groups.entry(sets.leader(owner)).or_default().sidecars.push(Sidecar { file, owner, form });
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    for group in &mut groups {
        group.members.sort_unstable();
    }
    groups
}

/// For each sidecar, whose it is.
fn owners(files: &[Named<'_>], roles: &[Role]) -> Vec<Option<(usize, Form)>> {
    let mut owners = vec![None; files.len()];
    for dir in by_dir(files).values() {
        let (sidecars, others): (Vec<usize>, Vec<usize>) = dir.iter().partition(|file| is_sidecar(files[**file].name));
        if sidecars.is_empty() {
            continue;
        }
        let directory = Directory::new(files, roles, others);
        for sidecar in sidecars {
            owners[sidecar] = directory.owner(&files[sidecar]);
        }
    }
    owners
}

fn by_dir<'a>(files: &[Named<'a>]) -> BTreeMap<&'a Path, Vec<usize>> {
    let mut dirs: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        dirs.entry(file.dir).or_default().push(place);
    }
    dirs
}

/// What sidecars can speak of in one directory, by name.
struct Directory<'a> {
    files: &'a [Named<'a>],
    roles: &'a [Role],
    names: Lookup,
    stems: Lookup,
    takeout: takeout::Names,
}

impl<'a> Directory<'a> {
    fn new(files: &'a [Named<'a>], roles: &'a [Role], others: Vec<usize>) -> Self {
        let (mut names, mut stems) = (Lookup::default(), Lookup::default());
        for file in &others {
            names.insert(files[*file].name, *file);
            stems.insert(split(files[*file].name).0, *file);
        }
        let takeout = takeout::Names::new(others.into_iter().map(|file| (files[file].name, file)));
        Self { files, roles, names, stems, takeout }
    }

    fn owner(&self, sidecar: &Named<'_>) -> Option<(usize, Form)> {
        let (stem, _) = split(sidecar.name);
        let kind = SidecarKind::of(sidecar.name)?;
        let whole = || self.names.find(stem).first().map(|owner| (*owner, Form::Whole));
        let by_stem = || self.best(self.stems.find(stem), kind).map(|owner| (owner, Form::Stem));
        match kind {
            SidecarKind::Json => {
                let supplemental = || self.takeout.find(stem);
                // So many programs write such a file that its name alone is not enough.
                whole().or_else(supplemental).or_else(|| if sidecar.is_takeout { by_stem() } else { None })
            }
            _ => whole().or_else(by_stem),
        }
    }

    /// Of several files with one stem, the one that a sidecar most likely speaks of.
    fn best(&self, candidates: &[usize], kind: SidecarKind) -> Option<usize> {
        let rank = |file: &usize| match (kind, self.roles[*file]) {
            (SidecarKind::Thm, Role::Video) => (false, Role::Video),
            (_, role) => (true, role),
        };
        candidates.iter().copied().min_by_key(|file| (rank(file), self.files[*file].name))
    }
}

/// Files by a part of their name: as it is spelled or, where there is none, in any case.
#[derive(Debug, Default)]
struct Lookup {
    exact: HashMap<Vec<u8>, Vec<usize>>,
    folded: HashMap<Vec<u8>, Vec<usize>>,
}

impl Lookup {
    fn insert(&mut self, name: &[u8], file: usize) {
        self.exact.entry(name.to_vec()).or_default().push(file);
        self.folded.entry(name.to_ascii_lowercase()).or_default().push(file);
    }

    fn find(&self, name: &[u8]) -> &[usize] {
        let found = self.exact.get(name).or_else(|| self.folded.get(&name.to_ascii_lowercase()));
        found.map_or(&[], Vec::as_slice)
    }
}

/// Disjoint sets of files, each led by the first of its files.
#[derive(Debug)]
pub(super) struct Sets(Vec<usize>);

impl Sets {
    fn new(files: usize) -> Self {
        Self((0..files).collect())
    }

    fn leader(&mut self, mut file: usize) -> usize {
        while self.0[file] != file {
            self.0[file] = self.0[self.0[file]];
            file = self.0[file];
        }
        file
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.leader(one), self.leader(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests;
