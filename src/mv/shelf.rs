//! Copies on discs that are on a shelf: nobody can look at them, but their archive tells that they were burned, and of what
//! content they are.

use std::collections::{HashMap, VecDeque};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::place::Location;
use crate::plan::{Keeper, Step};
use crate::record::{ContentHash, Timestamp};
use crate::report::shown;
use crate::stream::table::RowReader;
use crate::stream::{RowRef, Table};
use crate::volume::Number;
use crate::volume::catalogue::{Catalogue, State};

use super::mover::GONE;

/// What archives tell of volumes that are not here.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Whether their word is enough.
    is_trusted: bool,
    catalogues: HashMap<PathBuf, Catalogue>,
    /// The last few listings, the one that was used last first.
    listings: VecDeque<(PathBuf, Listing)>,
}

/// Listings beyond this would only use up descriptors.
const KEPT_OPEN: usize = 32;

impl Shelf {
    pub(super) fn new(is_trusted: bool) -> Self {
        Self { is_trusted, catalogues: HashMap::new(), listings: VecDeque::new() }
    }

    /// Whether a keeper that is not there, in a directory that would be at `place`, is on a disc, with the content that the row
    /// tells.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn vouch(&mut self, keeper: &Keeper, place: &Location, step: &Step) -> Result<(), String> {
        let name = keeper.path.file_name().ok_or(GONE)?;
        let path = place.real().join(name);
        let Some(volume) = Volume::of(&path) else { return Err(GONE.into()) };
        if volume.dir().symlink_metadata().is_ok_and(|dir| !dir.is_symlink()) || volume.dir().exists() {
            return Err(format!("it is not there any more, though its volume {} is", volume.number));
        }
        if !self.is_trusted {
            return Err(format!(
                "its volume {} is not here; --offline-keep takes the word of {} that it is on a disc",
                volume.number,
                shown(&volume.archive)
            ));
        }
        if !self.is_burned(&volume)? {
            return Err(format!("its volume {} is not here, and was never burned", volume.number));
        }
        let hash = step.hash.ok_or("its volume is not here, and the row has no hash to compare with its listing")?;
        let listed = self.listing(&volume)?.find(&volume.path)?;
        let listed = listed.ok_or_else(|| format!("the listing of its volume {} does not have it", volume.number))?;
        listed
            .compare(hash, keeper.mtime, step)
            .map_err(|what| format!("the listing of its volume {} has it with {what}", volume.number))
    }

    fn is_burned(&mut self, volume: &Volume) -> Result<bool, String> {
        if !self.catalogues.contains_key(&volume.archive) {
            let catalogue = Catalogue::read(&volume.archive).map_err(told)?;
            self.catalogues.insert(volume.archive.clone(), catalogue);
        }
        let entry = self.catalogues.get(&volume.archive).and_then(|catalogue| catalogue.get(volume.number));
        Ok(entry.is_some_and(|entry| entry.state == State::Burned && !entry.burns.is_empty()))
    }

    fn listing(&mut self, volume: &Volume) -> Result<&Listing, String> {
        let path = volume.number.listing(&volume.archive);
        let known = self.listings.iter().position(|(known, _)| *known == path);
        let listing = match known.and_then(|place| self.listings.remove(place)) {
            Some((_, listing)) => listing,
            None => Listing::open(&path)?,
        };
        self.listings.truncate(KEPT_OPEN - 1);
        self.listings.push_front((path, listing));
        self.listings.front().map(|(_, listing)| listing).ok_or_else(|| GONE.to_owned())
    }
}

fn told(failure: Failure) -> String {
    match failure {
        Failure::Stop(text) | Failure::Usage(text) => text,
        Failure::ClosedOutput => GONE.into(),
    }
}

/// The volume in which a file would be, and its path there.
#[derive(Debug)]
struct Volume {
    archive: PathBuf,
    number: Number,
    /// As the listing has it.
    path: PathBuf,
}

impl Volume {
    /// The nearest directory above that is called like a volume, and of which an archive around it has a listing.
    fn of(path: &Path) -> Option<Self> {
        path.ancestors().skip(1).find_map(|dir| {
            let (number, archive) = (Number::of_dir(dir.file_name()?)?, dir.parent()?);
            let path = path.strip_prefix(archive).ok()?.to_owned();
            number.listing(archive).is_file().then(|| Self { archive: archive.to_owned(), number, path })
        })
    }

    fn dir(&self) -> PathBuf {
        self.number.dir(&self.archive)
    }
}

/// The listing of a volume, whose lines are in the order of their paths.
#[derive(Debug)]
struct Listing {
    table: Table,
}

/// What a listing has of a file.
#[derive(Debug)]
struct Listed {
    hash: Option<ContentHash>,
    size: u64,
    mtime: Option<Timestamp>,
}

impl Listing {
    fn open(path: &Path) -> Result<Self, String> {
        Ok(Self { table: Table::open(&[path.as_os_str().to_owned()]).map_err(told)? })
    }

    /// Finds a path by halving: no more of the listing is read than a few lines.
    fn find(&self, path: &Path) -> Result<Option<Listed>, String> {
        let (mut from, mut until) = (0, self.table.len());
        let mut reader = RowReader::default();
        let mut found = None;
        while from < until && found.is_none() {
            let at = self.line_at(from + (until - from) / 2, from);
            let end = at + self.table.line(RowRef(at)).len() as u64;
            let row = self.table.row(RowRef(at), &mut reader);
            let row = row.map_err(|fault| format!("its listing: {}: {fault}", self.table.describe(RowRef(at))))?;
            match (*row.path_bytes()).cmp(path.as_os_str().as_bytes()) {
                std::cmp::Ordering::Less => from = end,
                std::cmp::Ordering::Greater => until = at,
                std::cmp::Ordering::Equal => found = Some(Listed { hash: row.hash, size: row.size, mtime: row.mtime }),
            }
        }
        self.table.check_whole().map_err(told)?;
        Ok(found)
    }

    /// Where the line begins that `at` is in, at `from` or after it, where a line begins, too.
    fn line_at(&self, at: u64, from: u64) -> u64 {
        let bytes = self.table.contents().next().unwrap_or_default();
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        memchr::memrchr(b'\n', &bytes[place(from)..place(at)]).map_or(from, |newline| from + newline as u64 + 1)
    }
}

impl Listed {
    /// Whether this is the content that the row tells; if not, with what else it is listed.
    fn compare(&self, hash: ContentHash, mtime: Option<Timestamp>, step: &Step) -> Result<(), &'static str> {
        if self.hash != Some(hash) {
            return Err("another hash");
        }
        if self.size != step.expected.size {
            return Err("another size");
        }
        let is_other = mtime.is_some_and(|mtime| self.mtime != Some(mtime));
        if is_other { Err("another modification time") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_a_listing_is_found_and_no_other() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("0001.tsv");
        let hash = ContentHash::of_nothing();
        for count in [0, 1, 2, 3, 7, 100] {
            let mut names: Vec<String> = (0..count).map(|number| format!("0001/{}", number * 7)).collect();
            // A newline comes before all letters, and a backslash, as it is written, behind them.
            names.extend((count > 5).then(|| "0001/a\nb".to_owned()));
            names.sort();
            let lines: Vec<String> =
                names.iter().map(|name| format!("{name}\t{hash}\t{}\t-\t-\n", name.len())).collect();
            std::fs::write(&path, lines.concat().replace("a\nb", "a\\nb")).expect("listing");
            let listing = Listing::open(&path).expect("listing");
            for name in &names {
                let found = listing.find(Path::new(name)).expect("sound").expect(name);
                assert_eq!(found.size, name.len() as u64);
            }
            for other in ["", "0001", "0001/1", "0001/693x", "0002/0", "zz"] {
                assert!(listing.find(Path::new(other)).expect("sound").is_none(), "{other}");
            }
        }
    }
}
