//! What every file will be: its path, content, size and date.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::hostile;
use super::kind::Kind;
use super::names::{self, Camera};
use super::options::{Options, Range};
use super::random::Random;
use super::sizes;
use crate::cli::Failure;
use crate::memory;

/// What is in one or more files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) seed: u64,
    /// Counts the contents of a plan.
    pub(super) number: u64,
    /// Contents of one form are equal but for a few bytes in the middle; otherwise each has its own.
    pub(super) form: u64,
    pub(super) alike: bool,
    /// In bytes.
    pub(super) size: u64,
    pub(super) kind: Kind,
    pub(super) camera: &'static Camera,
    /// The capture date that is written in the content.
    pub(super) inside: DateTime<Utc>,
    /// The capture date by which its files are named and stamped.
    pub(super) taken: DateTime<Utc>,
}

impl Content {
    /// Random numbers that are the same for all contents of this form.
    pub(super) fn random(&self, purpose: &str) -> Random {
        Random::new(self.seed, purpose, self.form)
    }
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// Below the root of the tree.
    pub(super) path: PathBuf,
    /// Which content, by its number.
    pub(super) content: usize,
}

/// A tree that can be written.
#[derive(Debug)]
pub struct Plan {
    pub(super) contents: Vec<Content>,
    /// First those that have a new content, in the order of the contents; then the duplicates.
    pub(super) files: Vec<File>,
    pub(super) seed: u64,
}

impl Plan {
    /// Settles everything that `options` leave open.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the options contradict each other.
    pub fn new(options: &Options) -> Result<Self, Failure> {
        let range = options.range()?;
        let originals = options.files - options.duplicates();
        let sources = sources(options, originals)?;
        let sizes = content_sizes(options, range, originals, &sources)?;
        let contents: Vec<Content> =
            sizes.iter().zip(0..).map(|(size, number)| content(options, *size, number)).collect();
        let files = lay_out(options, &contents, &sources);
        Ok(Self { contents, files, seed: options.seed })
    }

    /// The sizes of all files together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| self.contents[file.content].size).fold(0, u64::saturating_add)
    }
}

/// Which content each duplicate has. The first content stays single, if it is not the only one: its size
/// can then make up any total.
fn sources(options: &Options, originals: u64) -> Result<Vec<usize>, Failure> {
    let too_many = || Failure::Usage(format!("--files: {} is more than this machine can count", options.files));
    let limit = usize::try_from(options.files).map_err(|_| too_many())?;
    let mut sources = Vec::new();
    memory::may_fail(|| sources.try_reserve_exact(limit)).map_err(|_| too_many())?;
    let single = u64::from(originals > 1);
    let draw = |number| single + Random::new(options.seed, "source", number).below(originals - single);
    sources.extend((0..options.duplicates()).map(|number| usize::try_from(draw(number)).unwrap_or(0)));
    Ok(sources)
}

fn content_sizes(options: &Options, range: Range, originals: u64, sources: &[usize]) -> Result<Vec<u64>, Failure> {
    if let Some(alike) = options.alike {
        // As far apart as the range allows, so that no two are the same.
        let step = (range.max - range.min) / (alike - 1).max(1);
        return Ok((0..originals).map(|number| range.min + number % alike * step).collect());
    }
    let mut copies = vec![1; usize::try_from(originals).unwrap_or(0)];
    for source in sources {
        copies[*source] += 1;
    }
    sizes::allot(&copies, range, options.total, options.seed).ok_or_else(|| {
        Failure::Usage(
            "--total: cannot be met to the byte with so many duplicates; change it or --dup-share".to_owned(),
        )
    })
}

fn content(options: &Options, size: u64, number: u64) -> Content {
    let form = options.alike.map_or(number, |alike| number % alike);
    let mut random = Random::new(options.seed, "content", form);
    let kind = Kind::choose(&options.kinds, size, &mut random).unwrap_or(Kind::Txt);
    let camera = Camera::any(&mut random);
    let inside = moment(options, form);
    let taken = moment(options, number);
    Content { seed: options.seed, number, form, alike: options.alike.is_some(), size, kind, camera, inside, taken }
}

/// Some millisecond of the days that were asked for.
fn moment(options: &Options, number: u64) -> DateTime<Utc> {
    const DAY: u64 = 86_400_000;
    let days = u64::try_from((options.until - options.from).num_days()).unwrap_or(0) + 1;
    let milliseconds = Random::new(options.seed, "moment", number).below(days * DAY);
    let offset = TimeDelta::milliseconds(i64::try_from(milliseconds).unwrap_or(0));
    options.from.and_time(NaiveTime::MIN).and_utc() + offset
}

fn lay_out(options: &Options, contents: &[Content], sources: &[usize]) -> Vec<File> {
    let mut layout = Layout { options, taken: HashMap::new() };
    let mut names = Vec::with_capacity(contents.len());
    let mut files = Vec::with_capacity(contents.len() + sources.len());
    for (at, content) in contents.iter().enumerate() {
        let mut random = Random::new(options.seed, "name", content.number);
        let name = names::original(content.kind, content.camera, content.taken, &mut random);
        let directory = names::directory(None, content.taken, options.depth, &mut random);
        files.push(File { path: layout.place(directory, &name, at as u64), content: at });
        names.push(name);
    }
    for (at, source) in (0..).zip(sources) {
        let mut random = Random::new(options.seed, "copy", at);
        let backup = names::backup(&mut random);
        // One in eight lies beside or near its original, under another name.
        let near = random.below(8) == 0;
        let content = &contents[*source];
        let plain = &names[*source];
        let name = if near || random.below(3) == 0 { names::renamed(plain, &mut random) } else { plain.clone() };
        let backup = if near { None } else { Some(backup) };
        let directory = names::directory(backup, content.taken, options.depth, &mut random);
        files.push(File { path: layout.place(directory, &name, (contents.len() as u64) + at), content: *source });
    }
    files
}

/// Gives every file a path of its own.
struct Layout<'a> {
    options: &'a Options,
    /// The last number given to each path that was wanted. Fingerprints take a fraction of the paths' memory, and where two paths
    /// should ever share one, a file gets a number that it did not need.
    taken: HashMap<u64, u64>,
}

impl Layout<'_> {
    fn place(&mut self, mut directory: PathBuf, plain: &str, number: u64) -> PathBuf {
        let mut name = OsString::from(plain);
        if let Some(turn) = self.hostile_turn(number) {
            // First all names of files, then all names of directories, and so on.
            if turn / hostile::WAYS % 2 == 1 && directory.pop() {
                directory.push(hostile::twist("album", turn));
            } else {
                name = hostile::twist(plain, turn);
            }
        }
        self.free(&directory, &name)
    }

    /// Which hostile name the file gets: up to every third one, and more often where there are few files, so
    /// that each way has its turn.
    fn hostile_turn(&self, number: u64) -> Option<u64> {
        let step = (self.options.files / (2 * hostile::WAYS)).clamp(1, 3);
        (self.options.hostile && number.is_multiple_of(step)).then_some(number / step)
    }

    /// The path, with a number if there is such a file already.
    fn free(&mut self, directory: &Path, name: &OsStr) -> PathBuf {
        let wanted = directory.join(name);
        let Entry::Occupied(times) = self.taken.entry(fingerprint(&wanted)) else {
            self.taken.insert(fingerprint(&wanted), 1);
            return wanted;
        };
        // Counting on from the last number spares the thousandth file of a name a thousand attempts.
        let mut number = *times.get();
        let path = loop {
            number += 1;
            let path = directory.join(numbered(name, number));
            if let Entry::Vacant(free) = self.taken.entry(fingerprint(&path)) {
                free.insert(1);
                break path;
            }
        };
        self.taken.insert(fingerprint(&wanted), number);
        path
    }
}

fn fingerprint(path: &Path) -> u64 {
    let hash = blake3::hash(path.as_os_str().as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// `name.jpg` as `name (2).jpg`, cut where it would become too long for a name.
fn numbered(name: &OsStr, number: u64) -> OsString {
    let bytes = name.as_bytes();
    let at = bytes.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0).unwrap_or(bytes.len());
    let (stem, extension) = bytes.split_at(at);
    let suffix = format!(" ({number})");
    let room = hostile::LONGEST.saturating_sub(suffix.len() + extension.len());
    OsString::from_vec([&stem[..stem.len().min(room)], suffix.as_bytes(), extension].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn plan(change: impl FnOnce(&mut Options)) -> Plan {
        let mut options = Options::default();
        change(&mut options);
        Plan::new(&options).expect("possible")
    }

    fn paths(plan: &Plan) -> BTreeSet<&Path> {
        plan.files.iter().map(|file| file.path.as_path()).collect()
    }

    #[test]
    fn the_benchmark_trees_can_be_had() {
        let small = plan(|options| (options.files, options.max_size) = (1000, Some(99)));
        assert!(small.contents.iter().all(|content| content.kind == Kind::Txt && content.size <= 99));
        let pair = plan(|options| {
            (options.files, options.min_size, options.max_size) = (4, Some(768_000_000), Some(768_000_000));
            options.kinds = vec![Kind::Mp4];
        });
        assert_eq!((pair.contents.len(), pair.files.len(), pair.bytes()), (3, 4, 4 * 768_000_000));
        let photos = plan(|options| {
            (options.files, options.total) = (9000, Some(5_600_000_000));
            options.kinds = vec![Kind::Jpg];
        });
        assert_eq!((photos.contents.len(), photos.files.len(), photos.bytes()), (6750, 9000, 5_600_000_000));
    }

    #[test]
    fn every_file_has_a_path_of_its_own() {
        for depth in [0, 1, 5] {
            let plan = plan(|options| {
                (options.files, options.depth, options.hostile) = (3000, depth, true);
                options.until = options.from;
            });
            assert_eq!(paths(&plan).len(), 3000);
            assert!(plan.files.iter().all(|file| file.path.components().count() == depth + 1));
        }
    }

    #[test]
    fn hostile_names_leave_plain_ones() {
        let plan = plan(|options| options.hostile = true);
        let ordinary = plan.files.iter().filter(|file| {
            let bytes = file.path.as_os_str().as_bytes();
            bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-/ ()".contains(byte))
        });
        assert!((50..180).contains(&ordinary.count()));
        assert!(paths(&plan).iter().any(|path| path.parent().is_some_and(|dir| dir.to_str().is_none())));
    }

    #[test]
    fn alike_contents_share_form_and_size() {
        let plan = plan(|options| options.alike = Some(3));
        let sizes: BTreeSet<u64> = plan.contents.iter().map(|content| content.size).collect();
        assert_eq!(sizes, BTreeSet::from([20_000, 210_000, 400_000]));
        let first = plan.contents[0];
        let same = plan.contents.iter().filter(|content| content.size == first.size);
        assert!(same.clone().all(|content| content.inside == first.inside && content.kind == first.kind));
        assert!(same.clone().any(|content| content.taken != first.taken));
    }

    #[test]
    fn dates_stay_within_their_days() {
        let plan = plan(|options| options.until = options.from);
        assert!(plan.contents.iter().all(|content| content.taken.date_naive() == Options::default().from));
    }

    #[test]
    fn a_name_of_255_bytes_is_numbered_within_255() {
        let long = hostile::twist("a.jpg", 5);
        assert_eq!((long.len(), numbered(&long, 2).len()), (255, 255));
        assert_eq!(numbered(OsStr::new("a.jpg"), 2), OsString::from("a (2).jpg"));
    }
}
