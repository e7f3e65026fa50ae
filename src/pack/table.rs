//! What there is to tell: a table of the volumes, and what remains.

use super::fill::{Amount, Volume};
use super::{Job, Plan};
use crate::report::{self, shown};
use crate::volume::date::Date;
use crate::volume::medium::{self, Disc, share_of};

const HEAD: [&str; 7] = ["volume", "files", "bytes", "image bytes", "fill", "first", "last"];

/// Tells it, a line each.
pub(super) fn tell(plan: &Plan, job: &Job<'_>) {
    let (packing, disc) = (&plan.packing, job.options.disc);
    for volume in &packing.volumes {
        let min = share_of(disc.capacity, job.options.min_fill);
        if volume.image_bytes(disc) < min && !job.options.flush {
            let number = volume.number.map(|number| number.to_string()).unwrap_or_default();
            job.reporter.warn(&format!(
                "volume {number}: closed at {}, since each file that is left is larger than its gap",
                fill(volume, disc)
            ));
        }
    }
    if !packing.volumes.is_empty() {
        for line in table(&packing.volumes, disc) {
            job.reporter.summary(&line);
        }
    }
    let continued = packing.volumes.iter().filter(|volume| volume.before.files > 0);
    for volume in continued {
        let number = volume.number.map(|number| number.to_string()).unwrap_or_default();
        let before = report::count(volume.before.files, "file");
        job.reporter.summary(&format!("volume {number}: {before} of these are there already"));
    }
    for number in &packing.left_open {
        let dir = shown(&number.dir(&job.options.to));
        job.reporter.summary(&format!("{dir}: not sealed, and not full yet"));
    }
    for number in &packing.left_full {
        let archive = shown(&job.options.to);
        job.reporter.warn(&format!("volume {number}: full, but not sealed: ms-seal --all {archive} does that"));
    }
    tell_rest(plan, job);
}

fn tell_rest(plan: &Plan, job: &Job<'_>) {
    if plan.archived > 0 {
        let records = report::count(plan.archived, "record");
        job.reporter.summary(&format!("{records} in the archive already"));
    }
    let remaining = &plan.packing.remaining;
    if remaining.files > 0 {
        job.reporter.summary(&format!(
            "remaining: {}, {}, {}: not enough for a disc, so they stay where they are (--flush packs them all the same)",
            report::count(remaining.files, "file"),
            report::bytes(remaining.bytes),
            dates(remaining)
        ));
    } else if plan.packing.volumes.is_empty() {
        job.reporter.summary("nothing to pack");
    }
}

fn dates(amount: &Amount) -> String {
    match amount.last {
        Some(last) if last != amount.first => format!("{} to {last}", amount.first),
        Some(last) => last.to_string(),
        None => "without a date".to_owned(),
    }
}

/// The lines of the table, in columns.
fn table(volumes: &[Volume], disc: Disc) -> Vec<String> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(volumes.iter().map(|volume| row(volume, disc)));
    report::columns(&rows, &[])
}

fn row(volume: &Volume, disc: Disc) -> [String; HEAD.len()] {
    let (before, planned) = (&volume.before, &volume.planned);
    let last = before.last.max(planned.last);
    [
        volume.number.map(|number| number.to_string()).unwrap_or_default(),
        report::number(before.files + planned.files),
        report::number(before.bytes.saturating_add(planned.bytes)),
        report::number(volume.image_bytes(disc)),
        fill(volume, disc),
        before.first.min(planned.first).to_string(),
        last.unwrap_or(Date::NONE).to_string(),
    ]
}

fn fill(volume: &Volume, disc: Disc) -> String {
    medium::fill(volume.image_bytes(disc), disc.capacity)
}
