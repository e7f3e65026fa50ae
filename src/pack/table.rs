//! What there is to tell: a table of the volumes, and what remains.

use super::fill::{Amount, Packing, Volume};
use super::{Job, Plan};
use crate::cli::Exit;
use crate::guide;
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
    if !packing.volumes.is_empty() {
        let seal = format!(" | ms-seal {}", guide::word(&job.options.to));
        if let Some(next) = guide::next_line("to fill and seal them", "ms-mv", &seal) {
            job.reporter.summary(&next);
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
    for volume in packing.left_full.iter().filter(|volume| volume.before.files > 0) {
        tell_full(volume, job);
    }
    tell_rest(plan, job);
}

/// A volume that nothing is planned into, and that is not sealed.
fn tell_full(volume: &Volume, job: &Job<'_>) {
    let number = volume.number.map(|number| number.to_string()).unwrap_or_default();
    let (image, disc) = (volume.image_bytes(job.options.disc), job.options.disc);
    let text = if image > disc.capacity {
        let (image, capacity) = (report::bytes(image), report::bytes(disc.capacity));
        format!("not sealed, and its image of {image} would not fit on a disc of {capacity}")
    } else {
        format!("full, but not sealed: ms-seal --all {} does that", guide::word(&job.options.to))
    };
    job.reporter.warn(&format!("volume {number}: {text}"));
}

fn tell_rest(plan: &Plan, job: &Job<'_>) {
    if plan.archived > 0 {
        let records = report::count(plan.archived, "record");
        job.reporter.summary(&format!("{records} in the archive already"));
    }
    let remaining = &plan.packing.remaining;
    if remaining.files > 0 {
        job.reporter.summary(&format!(
            "remaining: {}, {}, {}: {}",
            report::count(remaining.files, "file"),
            report::bytes(remaining.bytes),
            dates(remaining),
            why_remaining(&plan.packing, job)
        ));
    } else if plan.packing.volumes.is_empty() && job.reporter.exit() == Exit::Done {
        job.reporter.summary("nothing to pack");
    }
}

/// Why there is no volume for what remains, and what would give it one.
fn why_remaining(packing: &Packing, job: &Job<'_>) -> String {
    let (disc, min_fill) = (job.options.disc, job.options.min_fill);
    if packing.remaining.bytes < share_of(disc.capacity, min_fill) {
        return "not enough for a disc, so they stay where they are (--flush packs them all the same)".into();
    }
    let (fullest, capacity) = (medium::fill(packing.fullest_open, disc.capacity), report::bytes(disc.capacity));
    format!(
        "more than a disc of {capacity}, but none gets fuller than {fullest} with them, so they stay where they are: smaller files may \
         fill the gaps; --atomic none divides what belongs together, a lower --min-fill closes emptier volumes, --flush packs all"
    )
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
