//! Looking into files: their content's hash, and what they say of themselves.

use std::io::{self, Read as _};
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::Job;
use super::companions::split;
use super::incoming::Incoming;
use crate::capture;
use crate::cli::Failure;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::media::{self, Facts, Moment};
use crate::pool::{Hand, Pool, Tasks};
use crate::reading::{Client, Reader, Reading};
use crate::record::ContentHash;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) status: Status,
    pub(super) hash: ContentHash,
    pub(super) facts: Facts,
    /// What a JSON of Google Takeout says of the picture beside it.
    pub(super) takeout: Option<Moment>,
}

/// So many bytes of an XMP sidecar are read: dates stand at its beginning, and lists of edits behind them.
const MOST_XMP: u64 = 1 << 20;

/// Reads all files, by all workers together: what is in each, or why that is not known; `None` after an interrupt.
///
/// # Errors
/// [`Failure::Stop`] where the system has not a single thread to give.
pub(super) fn read(files: &[Incoming], job: &Job<'_>) -> Result<Vec<Option<Result<Content, String>>>, Failure> {
    let unhashed = files.iter().filter(|file| file.hash.is_none());
    // Sizes in an index are what somebody says.
    job.progress.expect_bytes(unhashed.fold(0, |sum, file| sum.saturating_add(file.size)));
    let mut in_disk_order: Vec<usize> = (0..files.len()).collect();
    // In the order of their inodes, in which most filesystems have them on the disk.
    in_disk_order.sort_by_key(|file| files[*file].id);
    let asked = in_disk_order.into_iter().map(|place| Asked { place, said: None }).collect();
    let jobs = job.disks.jobs(&job.options.crawl.common, files.iter().map(|file| &*file.path));
    let seeds = Reading::of_all(asked, job.disks, |asked| &files[asked.place].path);
    let (sender, receiver) = crossbeam_channel::unbounded();
    let hire = move || {
        let found = sender.clone();
        move |hand: &Hand<'_, Task>, tasks: Tasks<'_, Task>| {
            let scratch = Scratch::new(job.options.crawl.mmap);
            let mut reader = Reader::new(hand, job.progress, scratch, jobs > 1);
            let mut looker = Looker { files, job, found };
            tasks.for_each(|task| reader.perform(task.0, &mut looker));
        }
    };
    let mut results: Vec<Option<Result<Content, String>>> = files.iter().map(|_| None).collect();
    let collect = || receiver.iter().for_each(|(place, result)| results[place] = Some(result));
    Pool::run(jobs, seeds.into_iter().map(Task), || job.interrupt.came(), hire, collect)?;
    Ok(results)
}

/// What a worker can be asked to do.
struct Task(Reading<Asked>);

impl From<Reading<Asked>> for Task {
    fn from(reading: Reading<Asked>) -> Self {
        Self(reading)
    }
}

/// A file by its place, and what it says, once it was open.
#[derive(Clone)]
struct Asked {
    place: usize,
    said: Option<Arc<(Facts, Option<Moment>)>>,
}

/// Looks into files, for one worker.
struct Looker<'a> {
    files: &'a [Incoming],
    job: &'a Job<'a>,
    found: Sender<(usize, Result<Content, String>)>,
}

impl Looker<'_> {
    fn conclude(&self, asked: Asked, status: Status, hash: Result<ContentHash, String>) {
        let (facts, takeout) = asked.said.map(Arc::unwrap_or_clone).unwrap_or_default();
        let content = hash.map(|hash| Content { status, hash, facts, takeout });
        // Who takes them waits until the last worker is done.
        self.found.send((asked.place, content)).unwrap_or(());
    }
}

impl Client for Looker<'_> {
    type File = Asked;

    fn open(&mut self, asked: Asked) -> Option<(Asked, Opened)> {
        let file = &self.files[asked.place];
        let looked = open(file).and_then(|opened| Ok((look(file, &opened)?, opened)));
        let (said, opened) = match looked {
            Ok(looked) => looked,
            Err(reason) => {
                self.found.send((asked.place, Err(reason))).unwrap_or(());
                return None;
            }
        };
        let asked = Asked { said: Some(Arc::new(said)), ..asked };
        let Some(hash) = file.hash else { return Some((asked, opened)) };
        let hash = opened.check_unchanged().map(|()| hash).map_err(|trouble| trouble.to_string());
        self.conclude(asked, *opened.status(), hash);
        None
    }

    fn take(&mut self, asked: Asked, status: Status, result: Result<ContentHash, Trouble>) {
        self.conclude(asked, status, result.map_err(|trouble| trouble.to_string()));
    }

    fn flush(&mut self) {}

    fn is_stopped(&self) -> bool {
        self.job.interrupt.came()
    }
}

fn open(file: &Incoming) -> Result<Opened, String> {
    if file.is_disputed {
        return Err("its records disagree about hash or size".into());
    }
    // What a symbolic link names cannot be moved by that name, and counted as a further name it would send the file itself
    // to the quarantine.
    let opened = Opened::new(&file.path, Links::Refuse)
        // Opening tells of a symbolic link as of a loop of them.
        .map_err(|trouble| Status::of(&file.path, Links::Refuse).err().unwrap_or(trouble).to_string())?;
    let status = opened.status();
    let is_listed = status.size == file.size
        && file.mtime.is_none_or(|mtime| mtime == status.mtime)
        && file.id.is_none_or(|id| id == status.id);
    if is_listed { Ok(opened) } else { Err("it was changed since it was listed".into()) }
}

/// What a file says of itself or, where it is a sidecar, of another one.
fn look(file: &Incoming, opened: &Opened) -> Result<(Facts, Option<Moment>), String> {
    let look = || -> io::Result<(Facts, Option<Moment>)> {
        let (_, extension) = split(super::name_of(&file.path));
        if extension.eq_ignore_ascii_case(b"xmp") {
            let mut packet = Vec::new();
            opened.file().take(MOST_XMP).read_to_end(&mut packet)?;
            return Ok((media::xmp::dates(&packet), None));
        }
        let is_json = extension.eq_ignore_ascii_case(b"json");
        let takeout = if is_json { capture::read_takeout(opened.file())? } else { None };
        Ok((media::read(opened.file())?, takeout))
    };
    look().map_err(|error| opened.explain(error).to_string())
}
