//! Volumes that an interrupted run left: what is in them counts, and they are filled first.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::Job;
use super::fill::Volume;
use super::item::Items;
use super::refusals::{Refusal, Refusals};
use super::tree::{DirId, Tree, split};
use crate::cli::Failure;
use crate::hash::Status;
use crate::report::{self, shown};
use crate::volume::Number;
use crate::volume::archive::{Archive, Standing};
use crate::volume::date::Date;
use crate::volume::extent::Extent;

/// The open volumes of an archive with what is in them. Items, in the order of their paths, whose place is taken in one of
/// them are left out.
///
/// # Errors
/// [`Failure::Stop`] where one cannot be looked at.
pub(super) fn open(
    archive: &Archive,
    items: &mut Items,
    tree: &Tree,
    refusals: &mut Refusals,
    job: &Job<'_>,
) -> Result<Vec<Volume>, Failure> {
    let mut volumes = Vec::new();
    let mut taken = BTreeSet::new();
    let mut blocked = Vec::new();
    for number in archive.that_are(Standing::Open) {
        let dir = number.dir(&archive.dir);
        let mut volume = Volume::left(number);
        for entry in WalkDir::new(&dir).min_depth(1).follow_root_links(true) {
            let entry = entry.map_err(|error| unreadable(&dir, error))?;
            hold(&entry, &dir, &mut volume, tree, job)?;
            let path = below(&entry, &dir);
            if let Ok(place) = items.list.binary_search_by(|item| items.below(item, tree).as_slice().cmp(path))
                && taken.insert(place)
            {
                refusals.add(items.list[place].at, Refusal::Taken(number));
            }
            if let Some(dir) = tree.find(path).filter(|_| !entry.file_type().is_dir()) {
                blocked.push((dir, number));
            }
        }
        volumes.push(volume);
    }
    if !blocked.is_empty() {
        for (place, item) in items.list.iter().enumerate() {
            let in_the_way =
                |(dir, _): &&(DirId, Number)| tree.with_those_around(item.dir).any(|around| around == *dir);
            if let Some((_, number)) = blocked.iter().find(in_the_way)
                && taken.insert(place)
            {
                refusals.add(item.at, Refusal::Taken(*number));
            }
        }
    }
    let mut place = 0..;
    items.list.retain(|_| place.next().is_none_or(|place| !taken.contains(&place)));
    Ok(volumes)
}

fn unreadable(dir: &Path, error: walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(dir).to_owned();
    Failure::Stop(format!("looking at the volume: {}: {}", shown(&path), report::reason(&error.into())))
}

/// The path below the volume.
fn below<'a>(entry: &'a DirEntry, dir: &Path) -> &'a [u8] {
    entry.path().strip_prefix(dir).unwrap_or(entry.path()).as_os_str().as_bytes()
}

/// What is neither file nor directory will be refused when the volume is sealed, and takes no room till then.
fn hold(entry: &DirEntry, dir: &Path, volume: &mut Volume, tree: &Tree, job: &Job<'_>) -> Result<(), Failure> {
    let (path, filesystem) = (below(entry, dir), job.options.disc.filesystem);
    if entry.file_type().is_dir() {
        volume.hold_dir(Extent::of_dir(filesystem, split(path).1), tree.find(path));
    } else if entry.file_type().is_file() {
        let status = entry.metadata().map_err(|error| unreadable(dir, error))?;
        let mtime = Status::from_metadata(&status).ok().map(|status| status.mtime);
        let extent = Extent::of_file(filesystem, path, status.len());
        volume.hold_file(path, extent, status.len(), Date::of_file(path, mtime));
    }
    Ok(())
}
