//! Remembers that a volume was burned.

use std::io;

use chrono::Local;

use super::options::Burning;
use super::{Job, finish, lock::Lock, publish};
use crate::cli::Failure;
use crate::escape;
use crate::report::shown;
use crate::volume::archive::{Archive, Standing};
use crate::volume::catalogue::{Burn, State};

/// Adds a burn to the catalogue, and removes the volume's marker. A crash between the two leaves both, which the same command
/// notices when it is given again.
///
/// # Errors
/// [`Failure::Stop`] where there is no such volume, it is not sealed, or the catalogue cannot be written.
pub(super) fn record(burning: &Burning, job: &Job<'_>) -> Result<(), Failure> {
    let _lock = Lock::take(&job.options.archive)?;
    let mut archive = Archive::survey(&job.options.archive)?;
    let number = burning.volume;
    let stop = |reason: &str| Failure::Stop(format!("recording a burn: volume {number}: {reason}"));
    let traces = archive.volumes.get(&number).copied().unwrap_or_default();
    let archive_dir = shown(&archive.dir);
    match traces.standing() {
        Standing::Sealed if traces.is_complete() => {}
        Standing::Lost => {
            return Err(stop(&format!("there is no such volume in {archive_dir}; --list shows those that there are")));
        }
        Standing::Open => {
            return Err(stop(&format!(
                "it is not sealed, so it may still change; ms-seal --all {archive_dir} seals it"
            )));
        }
        _ => return Err(stop(&format!("its sealing was cut off; ms-seal --all {archive_dir} finishes it"))),
    }
    let Some(entry) = archive.catalogue.get_mut(number) else { return Err(stop("the catalogue does not know it")) };
    let date = Local::now().date_naive().to_string();
    let burn = Burn { date, copy: burning.copy.clone(), media_id: burning.media_id.clone() };
    let is_repeated = traces.has_marker && entry.burns.last() == Some(&burn);
    if !is_repeated {
        entry.burns.push(burn);
    }
    entry.state = State::Burned;
    let count = entry.burns.len();
    finish::write_catalogue(&archive)?;
    let marker = number.marker(&archive.dir);
    match std::fs::remove_file(&marker) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(publish::failure(&marker, &error)),
        _ => publish::sync(&archive.dir).map_err(|error| publish::failure(&archive.dir, &error))?,
    }
    let copy = burning.copy.as_deref().map(|copy| format!(" ({})", escape::for_people(copy.as_bytes())));
    job.reporter.summary(&format!("volume {number}: burn {count} recorded{}", copy.unwrap_or_default()));
    Ok(())
}
