//! Copies that stay, but cannot be looked at, since their volume is on a disc on the shelf: what the archive tells of them.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::dirs::Dirs;
use super::trouble::Trouble;
use crate::cli::Failure;
use crate::plan::{Keeper, Step};
use crate::record::ContentHash;
use crate::stream::Table;
use crate::volume::Number;
use crate::volume::catalogue::{Catalogue, State};

const CHECKING: &str = "checking the copy that stays";

/// A file of a volume whose directory is gone.
#[derive(Debug)]
pub(super) struct Shelved {
    archive: PathBuf,
    volume: Number,
    /// Below the archive, as in the listing of the volume.
    path: PathBuf,
}

/// What catalogues and listings tell, these by the volume and the path below its archive. Each is read once.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Whether that is enough for a copy there to be the one to keep.
    is_believed: bool,
    /// The volumes of each archive that a disc is known of, or why its catalogue cannot be read.
    burned: HashMap<PathBuf, Result<BTreeSet<Number>, String>>,
    listings: HashMap<(PathBuf, Number), Result<Listing, String>>,
    /// How many files these listings have.
    files: usize,
}

type Listing = HashMap<PathBuf, (Option<ContentHash>, u64)>;

/// Listings are read again rather than that more files than this are remembered.
const MOST_FILES: usize = 1 << 21;

impl Shelved {
    /// The volume on the shelf that `path` lies in, if it does.
    pub(super) fn find(path: &Path, dirs: &mut Dirs) -> Option<Self> {
        let real = dirs.real_path(path);
        real.ancestors().skip(1).find_map(|dir| {
            let (volume, archive) = (Number::of_dir(dir.file_name()?)?, dir.parent()?);
            let is_gone = dir.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
            let is_listed = volume.listing(archive).symlink_metadata().is_ok();
            let path = real.strip_prefix(archive).ok()?.to_owned();
            (is_gone && is_listed).then(|| Self { archive: archive.to_owned(), volume, path })
        })
    }

    /// Whether the archive tells that the copy is what the row of its duplicate says, and that it was burned.
    pub(super) fn vouch(&self, keeper: &Keeper, step: &Step, known: &mut Shelf) -> Result<(), Trouble> {
        let volume = self.volume;
        let refused = |reason: &str| Trouble::refused(CHECKING, &keeper.path, reason);
        // One archive that cannot be read is no reason to leave alone what does not depend on it.
        if !known.is_burned(self).map_err(|problem| refused(&problem))? {
            return Err(refused(&format!("it is not here, and the catalogue knows of no disc of volume {volume}")));
        }
        if !known.is_believed {
            return Err(refused(&format!(
                "it is not here, but in volume {volume} on the shelf: --offline-keep believes the archive's catalogue"
            )));
        }
        let hash =
            step.hash.ok_or_else(|| refused("it is on the shelf, and the row has no hash by which to know it"))?;
        match known.listing(self).map_err(|problem| refused(&problem))?.get(&self.path) {
            Some((Some(listed), size)) if *listed == hash && *size == step.expected.size => Ok(()),
            Some(_) => Err(refused(&format!("in volume {volume} on the shelf, it has another content"))),
            None => Err(refused(&format!("volume {volume} is on the shelf, and it is not in its listing"))),
        }
    }
}

impl Shelf {
    pub(super) fn new(is_believed: bool) -> Self {
        Self { is_believed, ..Self::default() }
    }

    fn is_burned(&mut self, shelved: &Shelved) -> Result<bool, String> {
        if !self.burned.contains_key(&shelved.archive) {
            let burned = Catalogue::read(&shelved.archive).map(|catalogue| burned(&catalogue)).map_err(told);
            self.burned.insert(shelved.archive.clone(), burned);
        }
        match self.burned.get(&shelved.archive) {
            Some(Ok(burned)) => Ok(burned.contains(&shelved.volume)),
            Some(Err(problem)) => Err(problem.clone()),
            None => Ok(false),
        }
    }

    fn listing(&mut self, shelved: &Shelved) -> Result<&Listing, String> {
        let key = (shelved.archive.clone(), shelved.volume);
        if !self.listings.contains_key(&key) {
            if self.files > MOST_FILES {
                (self.listings, self.files) = Default::default();
            }
            let listing = read(&shelved.volume.listing(&shelved.archive)).map_err(told);
            self.files += listing.as_ref().map_or(1, Listing::len);
            self.listings.insert(key.clone(), listing);
        }
        self.listings.entry(key).or_insert_with(|| Ok(Listing::new())).as_ref().map_err(String::clone)
    }
}

fn burned(catalogue: &Catalogue) -> BTreeSet<Number> {
    let burned = catalogue.volumes().filter(|volume| volume.state == State::Burned && !volume.burns.is_empty());
    burned.map(|volume| volume.number).collect()
}

/// What cannot be read is told in one way only.
fn told(failure: Failure) -> String {
    match failure {
        Failure::Usage(problem) | Failure::Stop(problem) | Failure::NoValue(problem) => problem,
        Failure::ClosedOutput => String::new(),
    }
}

/// What is malformed is not listed.
fn read(path: &Path) -> Result<Listing, Failure> {
    let table = Table::open(&[path.to_owned().into_os_string()])?;
    let mut listing = Listing::new();
    for mut part in table.parts(1) {
        while let Some((_, row)) = part.next_row() {
            let Ok(row) = row else { continue };
            let path = PathBuf::from(OsString::from_vec(row.path_bytes().into_owned()));
            listing.insert(path, (row.hash, row.size));
        }
    }
    table.check_whole()?;
    Ok(listing)
}
