//! Recording that a volume was burned. The volume itself is not touched.
//!
//! The catalogue is written first, then the marker is removed. A crash in between leaves both; then the same command only
//! removes the marker.

use std::collections::BTreeSet;
use std::path::Path;

use super::Job;
use super::locked::Locked;
use super::sealed::{self, Completion};
use crate::cli::Failure;
use crate::escape;
use crate::guide;
use crate::report::{self, shown};
use crate::volume::Number;
use crate::volume::archive::Standing;
use crate::volume::catalogue::{Burn, Catalogue, State, Volume};

/// Records a burn of a volume.
///
/// # Errors
/// [`Failure::Stop`] where the volume is not sealed or cannot have been burned, or the archive cannot be written to.
pub(super) fn record(job: &Job<'_>, number: Number, burn: &Burn) -> Result<(), Failure> {
    let mut locked = Locked::open(job)?;
    let traces = locked.traces(number);
    let archive = shown(&locked.archive.dir);
    let word = guide::word(&locked.archive.dir);
    let refused = |why: String| Failure::Stop(format!("recording a burn: {archive}: volume {number} {why}"));
    match traces.standing() {
        Standing::Sealed => {}
        Standing::Open | Standing::HalfSealed => {
            return Err(refused(format!("is not sealed; ms-seal --all {word} does that")));
        }
        Standing::Lost => return Err(refused(format!("does not exist; ms-seal --list {word} shows those that do"))),
    }
    // What was burned before may have been copied from a disc.
    if traces.is_missing() && traces.has_marker {
        let marker = shown(&number.marker(&locked.archive.dir));
        return Err(refused(format!(
            "has no directory, and {marker} tells that it was never burned: if it was, remove that file and say so again"
        )));
    }
    if !traces.is_complete() && sealed::complete(&mut locked, number, None, job)? == Completion::Failed {
        return Err(refused("is not what it should be, so its burn is not recorded".into()));
    }
    let volume = locked.archive.catalogue.get_mut(number);
    let volume = volume.ok_or_else(|| refused("is not in the catalogue, and nothing tells what it holds".into()))?;
    if !volume.burns.contains(burn) {
        volume.burns.push(burn.clone());
    } else if !traces.has_marker {
        return Err(refused(
            "has that very burn of today already: a further disc has another --copy or --media-id".into(),
        ));
    }
    volume.state = State::Burned;
    let told = told(volume, burn);
    locked.save()?;
    locked.unmark(number)?;
    if traces.is_missing() {
        job.reporter
            .warn(&format!("recording a burn: {archive}: volume {number} has no directory, so this is believed"));
    }
    let left = left_to_do(&locked.archive.catalogue);
    job.reporter.summary(&format!("{told}{left}{}", check(number, &locked.archive.dir)));
    Ok(())
}

/// Takes back what was recorded of a burn: the last one that bears that name and that id, where these are given.
///
/// The marker is put first. A crash in between leaves both, as one while a burn is recorded does.
///
/// # Errors
/// [`Failure::Stop`] where there is no such burn, or the archive cannot be written to.
pub(super) fn take_back(
    job: &Job<'_>,
    number: Number,
    copy: Option<&str>,
    media_id: Option<&str>,
) -> Result<(), Failure> {
    let mut locked = Locked::open(job)?;
    let archive = shown(&locked.archive.dir);
    let is_it = |burn: &Burn| {
        let bears = |asked: Option<&str>, found: &Option<String>| asked.is_none() || asked == found.as_deref();
        bears(copy, &burn.copy) && bears(media_id, &burn.media_id)
    };
    let volume = locked.archive.catalogue.get_mut(number);
    let burn = volume.and_then(|volume| {
        let place = volume.burns.iter().rposition(is_it)?;
        let burn = volume.burns.remove(place);
        if volume.burns.is_empty() {
            volume.state = State::Sealed;
        }
        Some((burn, volume.burns.len()))
    });
    let Some((burn, left)) = burn else {
        return Err(Failure::Stop(format!("taking back a burn: {archive}: volume {number} has no such burn")));
    };
    if left == 0 {
        locked.mark(number)?;
    }
    locked.save()?;
    let (facts, discs) = (facts(&burn), report::count(left as u64, "burn"));
    job.reporter.summary(&format!(
        "volume {number}: the burn of {}{facts} is taken back; {discs} left{}",
        escape::for_people(burn.date.as_bytes()),
        left_to_do(&locked.archive.catalogue)
    ));
    Ok(())
}

/// How a disc is compared with what the volume says. What is on a shelf only may have no listing here.
fn check(number: Number, archive: &Path) -> String {
    let listing = number.dir(archive).join("index.json");
    if !guide::is_for_people() || !listing.is_file() {
        return String::new();
    }
    format!("; to check the disc, where it is mounted on /mnt: ms-verify --root /mnt {}", guide::word(&listing))
}

/// `volume 0007: burn 2 recorded (elsewhere)`.
fn told(volume: &Volume, burn: &Burn) -> String {
    let places: BTreeSet<&Option<String>> = volume.burns.iter().map(|burn| &burn.copy).collect();
    let further = if places.len() < 2 { "; a second copy in another place is still to be made" } else { "" };
    format!("volume {}: burn {} recorded{}{further}", volume.number, volume.burns.len(), facts(burn))
}

/// ` (home, MKM-001)`, or nothing.
fn facts(burn: &Burn) -> String {
    let show = |text: &str| escape::for_people(text.as_bytes());
    let facts: Vec<String> = [&burn.copy, &burn.media_id].into_iter().flatten().map(|text| show(text)).collect();
    if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) }
}

fn left_to_do(catalogue: &Catalogue) -> String {
    let unburned = catalogue.volumes().filter(|volume| volume.state == State::Sealed);
    let unburned: Vec<String> = unburned.map(|volume| volume.number.to_string()).collect();
    if unburned.is_empty() { String::new() } else { format!("; never burned yet: {}", unburned.join(", ")) }
}
