//! Looking into files: their content's hash, and what they say of themselves.

use std::cmp::Reverse;
use std::io::{self, Read as _};

use super::Job;
use super::companions::split;
use super::incoming::Incoming;
use crate::capture;
use crate::hash::pieces::Pieces;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::media::{self, Facts, Moment};
use crate::record::ContentHash;
use crate::report;
use crate::threads::each;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) status: Status,
    pub(super) hash: ContentHash,
    pub(super) facts: Facts,
    /// What a JSON of Google Takeout says of the picture beside it.
    pub(super) takeout: Option<Moment>,
}

/// A file of this size and more is hashed by all threads at once, one such file after the other.
const DIVIDED: u64 = 64 << 20;

/// A file of this size and more is worth a turn of its own.
const LARGE: u64 = 8 << 20;

/// So many bytes of an XMP sidecar are read: dates stand at its beginning, and lists of edits behind them.
const MOST_XMP: u64 = 1 << 20;

/// So many small files are read in one turn.
const BATCH: usize = 16;

/// Reads all files, by several threads: what is in each, or why that is not known; `None` after an interrupt.
pub(super) fn read(files: &[Incoming], job: &Job<'_>) -> Vec<Option<Result<Content, String>>> {
    let unhashed = files.iter().filter(|file| file.hash.is_none());
    job.progress.expect_bytes(unhashed.map(|file| file.size).sum());
    let mut results: Vec<Option<Result<Content, String>>> = files.iter().map(|_| None).collect();
    let (divided, others): (Vec<usize>, Vec<usize>) =
        (0..files.len()).partition(|file| files[*file].hash.is_none() && files[*file].size >= DIVIDED);
    for file in divided {
        if !job.interrupt.came() {
            results[file] = read_divided(&files[file], job).transpose();
        }
    }
    let read = each(job.jobs, turns(others, files), |turn| read_turn(&turn, files, job));
    for (file, result) in read.into_iter().flatten() {
        results[file] = Some(result);
    }
    results
}

/// Large files first, so that none is left to the end; the others as most filesystems have them on the disk.
fn turns(some: Vec<usize>, files: &[Incoming]) -> Vec<Vec<usize>> {
    let is_large = |file: &usize| files[*file].hash.is_none() && files[*file].size >= LARGE;
    let (mut large, mut small): (Vec<usize>, Vec<usize>) = some.into_iter().partition(is_large);
    large.sort_by_key(|file| Reverse(files[*file].size));
    small.sort_by_key(|file| files[*file].id);
    let large = large.into_iter().map(|file| vec![file]);
    large.chain(small.chunks(BATCH).map(<[usize]>::to_vec)).collect()
}

fn read_turn(turn: &[usize], files: &[Incoming], job: &Job<'_>) -> Vec<(usize, Result<Content, String>)> {
    let mut scratch = Scratch::new(job.options.crawl.mmap);
    let mut results = Vec::with_capacity(turn.len());
    for file in turn {
        if job.interrupt.came() {
            break;
        }
        results.push((*file, read_file(&files[*file], &mut scratch, job)));
    }
    results
}

fn read_file(file: &Incoming, scratch: &mut Scratch, job: &Job<'_>) -> Result<Content, String> {
    let opened = open(file)?;
    let (facts, takeout) = look(file, &opened)?;
    let status = *opened.status();
    let hash = match file.hash {
        Some(hash) => opened.check_unchanged().map(|()| hash),
        None => opened.hash(scratch).inspect(|_| job.progress.add_bytes(status.size)),
    };
    Ok(Content { status, hash: hash.map_err(|trouble| trouble.to_string())?, facts, takeout })
}

/// As [`read_file`], by all threads together; `None` after an interrupt, which does not wait for the end of the file.
fn read_divided(file: &Incoming, job: &Job<'_>) -> Result<Option<Content>, String> {
    let opened = open(file)?;
    let (facts, takeout) = look(file, &opened)?;
    let status = *opened.status();
    let pieces = Pieces::new(opened).map_err(|_| Trouble::Changed.to_string())?;
    let results = each(job.jobs, vec![(); job.jobs], |()| {
        let mut scratch = Scratch::new(job.options.crawl.mmap);
        let mut last = None;
        while !job.interrupt.came()
            && let Some((len, result)) = pieces.hash_next(&mut scratch)
        {
            job.progress.add_bytes(len);
            last = last.or(result);
        }
        last
    });
    let hash = results.into_iter().flatten().next().transpose().map_err(|trouble| trouble.to_string())?;
    Ok(hash.map(|hash| Content { status, hash, facts, takeout }))
}

fn open(file: &Incoming) -> Result<Opened, String> {
    if file.is_disputed {
        return Err("its records disagree about hash or size".into());
    }
    // Where it is known which file this is, it may be reached by a symbolic link.
    let links = if file.id.is_some() { Links::Follow } else { Links::Refuse };
    let opened = Opened::new(&file.path, links).map_err(|trouble| trouble.to_string())?;
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
    look().map_err(|error| report::reason(&error))
}
