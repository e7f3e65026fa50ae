//! Hashes that nobody has told, with all workers at once.

use std::path::Path;

use crossbeam_channel::Sender;

use super::Job;
use super::contents::File;
use crate::cli::Failure;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::pool::{Hand, Pool, Tasks};
use crate::reading::{BATCH, Client, Reader, Reading};
use crate::record::ContentHash;

/// Reads the files of the volume `dir` that have no hash yet. Those that still have none then are named; tells whether none is
/// left.
///
/// # Errors
/// [`Failure::Stop`] where the system gives no thread.
pub(super) fn complete(files: &mut [File], dir: &Path, job: &Job<'_>) -> Result<bool, Failure> {
    let unknown: Vec<(usize, &File)> = files.iter().enumerate().filter(|(_, file)| file.hash.is_none()).collect();
    let bytes = unknown.iter().fold(0_u64, |sum, (_, file)| sum.saturating_add(file.status.size));
    job.progress.expect_bytes(bytes);
    let mut in_disk_order: Vec<Wanted> =
        unknown.iter().map(|(place, file)| Wanted { place: *place, file, dir }).collect();
    in_disk_order.sort_by_key(|wanted| wanted.file.status.id.ino);
    let found = hash_all(&in_disk_order, job)?;
    let mut is_whole = true;
    let mut outcomes: Vec<_> = found.into_iter().collect();
    outcomes.sort_by_key(|(place, _)| *place);
    let done = outcomes.len();
    let wanted = in_disk_order.len();
    for (place, outcome) in outcomes {
        match outcome {
            Ok(hash) => files[place].hash = Some(hash),
            Err(trouble) => {
                is_whole = false;
                job.reporter.failed("reading", &dir.join(&files[place].below), &trouble);
            }
        }
    }
    Ok(is_whole && done == wanted)
}

type Outcome = (usize, Result<ContentHash, Trouble>);

/// A file that is to be read.
#[derive(Debug, Clone, Copy)]
struct Wanted<'f> {
    place: usize,
    file: &'f File,
    dir: &'f Path,
}

/// What a worker can be asked to do.
struct Task<'f>(Reading<Wanted<'f>>);

impl<'f> From<Reading<Wanted<'f>>> for Task<'f> {
    fn from(reading: Reading<Wanted<'f>>) -> Self {
        Self(reading)
    }
}

fn hash_all<'f>(wanted: &[Wanted<'f>], job: &'f Job<'f>) -> Result<Vec<Outcome>, Failure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let jobs = job.options.common.jobs();
    let seeds: Vec<Task<'f>> = wanted.chunks(BATCH).map(|batch| Task(Reading::Files(batch.to_vec()))).collect();
    let (sender, receiver) = crossbeam_channel::unbounded();
    let hire = move || {
        let found = sender.clone();
        move |hand: &Hand<'_, Task<'f>>, tasks: Tasks<'_, Task<'f>>| {
            // By read(2) only: an error of the disk is then an error, and no signal.
            let mut reader = Reader::new(hand, job.progress, Scratch::new(false), jobs > 1);
            let mut client = Hasher { job, found };
            tasks.for_each(|task| reader.perform(task.0, &mut client));
        }
    };
    Pool::run(jobs, seeds, || job.interrupt.came(), hire, || receiver.iter().collect())
}

/// Has files hashed, for one worker.
struct Hasher<'f> {
    job: &'f Job<'f>,
    found: Sender<Outcome>,
}

impl Hasher<'_> {
    fn conclude(&self, place: usize, outcome: Result<ContentHash, Trouble>) {
        self.job.progress.add_files(1);
        // Who takes them waits until the last worker is done.
        self.found.send((place, outcome)).unwrap_or(());
    }
}

impl<'f> Client for Hasher<'f> {
    type File = Wanted<'f>;

    fn open(&mut self, wanted: Wanted<'f>) -> Option<(Wanted<'f>, Opened)> {
        match Opened::new(&wanted.dir.join(&wanted.file.below), Links::Refuse) {
            Ok(opened) if *opened.status() == wanted.file.status => Some((wanted, opened)),
            Ok(_) => {
                self.conclude(wanted.place, Err(Trouble::Changed));
                None
            }
            Err(trouble) => {
                self.conclude(wanted.place, Err(trouble));
                None
            }
        }
    }

    fn take(&mut self, wanted: Wanted<'f>, _: Status, result: Result<ContentHash, Trouble>) {
        self.conclude(wanted.place, result);
    }

    fn flush(&mut self) {}

    fn is_stopped(&self) -> bool {
        self.job.interrupt.came()
    }
}
