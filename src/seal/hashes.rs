//! Reading the files of which nobody told a hash.

use crossbeam_channel::Sender;

use super::Job;
use super::inventory::{File, Inventory};
use super::told::Promise;
use crate::cli::Failure;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::pool::{Hand, Pool, Tasks};
use crate::reading::{BATCH, Client, Reader, Reading};
use crate::record::ContentHash;

/// A file to be read, and its place.
type Unread<'f> = (usize, &'f File);

/// What a worker can be asked to do.
struct Task<'f>(Reading<Unread<'f>>);

impl<'f> From<Reading<Unread<'f>>> for Task<'f> {
    fn from(reading: Reading<Unread<'f>>) -> Self {
        Self(reading)
    }
}

/// Reads, for one worker.
struct Hasher<'a> {
    job: &'a Job<'a>,
    inventory: &'a Inventory,
    found: Sender<(usize, Result<ContentHash, Trouble>)>,
}

impl<'a> Client for Hasher<'a> {
    type File = Unread<'a>;

    fn open(&mut self, (place, file): Unread<'a>) -> Option<(Unread<'a>, Opened)> {
        let opened = Opened::new(&self.inventory.dir.join(&file.record.path), Links::Refuse);
        // It is to be the very file that was found before.
        let is_it = |opened: &Opened| file.is_still(opened.status(), opened.ctime());
        let opened = opened.and_then(|opened| if is_it(&opened) { Ok(opened) } else { Err(Trouble::Changed) });
        match opened {
            Ok(opened) => Some(((place, file), opened)),
            Err(trouble) => {
                self.job.progress.add_bytes(file.record.size);
                self.tell(place, Err(trouble));
                None
            }
        }
    }

    fn take(&mut self, (place, _): Unread<'a>, _: Status, result: Result<ContentHash, Trouble>) {
        self.tell(place, result);
    }

    fn flush(&mut self) {}

    fn is_stopped(&self) -> bool {
        self.job.interrupt.came()
    }
}

impl Hasher<'_> {
    fn tell(&self, place: usize, result: Result<ContentHash, Trouble>) {
        self.job.progress.add_files(1);
        // Who takes them waits until the last worker is done.
        self.found.send((place, result)).unwrap_or(());
    }
}

/// Gives a hash to every file that has none, and names those that cannot be read, or whose content is not the one that
/// was promised. `false` after an interrupt.
///
/// # Errors
/// [`Failure::Stop`] where there are no threads.
pub(super) fn fill(inventory: &mut Inventory, promises: &[Promise], job: &Job<'_>) -> Result<bool, Failure> {
    let results = read(inventory, job)?;
    if job.interrupt.came() {
        return Ok(false);
    }
    let dir = inventory.dir.clone();
    for (place, result) in results {
        let record = &mut inventory.files[place].record;
        match result {
            Ok(hash) => record.hash = Some(hash),
            Err(trouble) => job.reporter.failed("reading", &dir.join(&record.path), &trouble),
        }
    }
    for promise in promises {
        let found = inventory.files[promise.file].record.hash;
        if found.is_some_and(|found| found != promise.hash) {
            job.reporter.failed("sealing", &promise.path, &"its content is not what its row says (its hash differs)");
        }
    }
    Ok(true)
}

type Results = Vec<(usize, Result<ContentHash, Trouble>)>;

fn read<'f>(inventory: &'f Inventory, job: &'f Job<'f>) -> Result<Results, Failure> {
    let files = inventory.files.iter().enumerate();
    let mut unread: Vec<Unread<'_>> = files.filter(|(_, file)| file.record.hash.is_none()).collect();
    if unread.is_empty() {
        return Ok(Vec::new());
    }
    job.progress.expect_more_bytes(unread.iter().map(|(_, file)| file.record.size).fold(0, u64::saturating_add));
    // In the order of their inodes, in which most filesystems have them on the disk.
    unread.sort_by_key(|(_, file)| file.record.id.map(|id| id.ino));
    let seeds = unread.chunks(BATCH).map(|batch| Task(Reading::Files(batch.to_vec())));
    let (sender, receiver) = crossbeam_channel::unbounded();
    let jobs = job.options.common.jobs();
    let hire = move || {
        let found = sender.clone();
        move |hand: &Hand<'_, Task<'f>>, tasks: Tasks<'_, Task<'f>>| {
            // By read(2) only: an error of the disk is then an error, and no signal.
            let mut reader = Reader::new(hand, job.progress, Scratch::new(false), jobs > 1);
            let mut hasher = Hasher { job, inventory, found };
            tasks.for_each(|task| reader.perform(task.0, &mut hasher));
        }
    };
    Pool::run(jobs, seeds, || job.interrupt.came(), hire, || receiver.iter().collect())
}
