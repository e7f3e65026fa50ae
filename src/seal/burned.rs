//! Recording that a volume was burned. The volume itself is not touched.
//!
//! The catalogue is written first, then the marker is removed. A crash in between leaves both; then the same command only
//! removes the marker.

use super::locked::Locked;
use super::{Job, sealed};
use crate::cli::Failure;
use crate::escape;
use crate::report::shown;
use crate::volume::Number;
use crate::volume::archive::Standing;
use crate::volume::catalogue::{Burn, Catalogue, State, Volume};

/// Records a burn of a volume.
///
/// # Errors
/// [`Failure::Stop`] where the volume is not sealed, or the archive cannot be written to.
pub(super) fn record(job: &Job<'_>, number: Number, burn: &Burn) -> Result<(), Failure> {
    let mut locked = Locked::open(job)?;
    let traces = locked.traces(number);
    let archive = shown(&locked.archive.dir);
    let refused = |why: String| Failure::Stop(format!("recording a burn: {archive}: volume {number} {why}"));
    match traces.standing() {
        Standing::Sealed => {}
        Standing::Open | Standing::HalfSealed => {
            return Err(refused(format!("is not sealed; ms-seal --all {archive} does that")));
        }
        Standing::Lost => return Err(refused("does not exist".into())),
    }
    if !traces.is_complete() {
        sealed::complete(&mut locked, number, None, job)?;
    }
    let volume = locked.archive.catalogue.get_mut(number);
    let volume = volume.ok_or_else(|| refused("is not in the catalogue, and nothing tells what it holds".into()))?;
    let is_repeated = traces.has_marker && volume.burns.last() == Some(burn);
    if !is_repeated {
        volume.burns.push(burn.clone());
    }
    volume.state = State::Burned;
    let told = told(volume, burn);
    locked.save()?;
    locked.unmark(number)?;
    job.reporter.summary(&format!("{told}{}", left_to_do(&locked.archive.catalogue)));
    Ok(())
}

/// `volume 0007: burn 2 recorded (elsewhere)`.
fn told(volume: &Volume, burn: &Burn) -> String {
    let show = |text: &str| escape::for_people(text.as_bytes());
    let facts: Vec<String> = [&burn.copy, &burn.media_id].into_iter().flatten().map(|text| show(text)).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let count = volume.burns.len();
    let further = if count == 1 { "; a second copy in another place is still to be made" } else { "" };
    format!("volume {}: burn {count} recorded{facts}{further}", volume.number)
}

fn left_to_do(catalogue: &Catalogue) -> String {
    let unburned = catalogue.volumes().filter(|volume| volume.state == State::Sealed);
    let unburned: Vec<String> = unburned.map(|volume| volume.number.to_string()).collect();
    if unburned.is_empty() { String::new() } else { format!("; never burned yet: {}", unburned.join(", ")) }
}
