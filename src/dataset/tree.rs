//! Writing the tree.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File as OpenFile};
use std::io::{self, BufWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};

use super::kind::Kind;
use super::plan::{Content, File, Plan};
use super::{jpeg, movie, png, text};
use crate::cli::{Common, Exit, Failure};
use crate::guide;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{self, Reporter};
use crate::straight;

/// Writes all files of `plan` below `root`, and says what was done.
///
/// Files are only ever created: what should be there already is named as a failure and left alone. A file that could
/// not be finished is removed. When the machine dies, files may be missing or short: nothing is synced.
///
/// # Errors
/// [`Failure::Stop`] where `root` is no empty directory and cannot be made, or where the filesystem is full.
pub fn write(plan: &Plan, root: &Path, common: &Common, interrupt: &Interrupt) -> Result<Exit, Failure> {
    prepare(root)?;
    let progress = Progress::start("ms-gen", common.progress);
    progress.expect_bytes(plan.bytes());
    let reporter = progress.reporter("ms-gen", common.quiet);
    let directories = directories(plan);
    let place = open_root(root)?;
    make_directories(root, &place, &directories, &reporter);
    let order = order(plan);
    let work = Work {
        plan,
        order: &order,
        root,
        place: &place,
        reporter: &reporter,
        progress: &progress,
        interrupt,
        state: State::default(),
    };
    std::thread::scope(|scope| {
        for _ in 0..common.jobs().min(plan.files.len()) {
            scope.spawn(|| work.run());
        }
    });
    date_directories(root, &place, &directories, &reporter);
    let (summary, hopeless) = (work.summary(), work.state.hopeless.into_inner());
    drop(progress);
    reporter.summary(&summary);
    if hopeless {
        return Ok(Exit::Stopped);
    }
    Ok(interrupt.exit().unwrap_or_else(|| reporter.exit()))
}

/// Sees to it that `root` is an empty directory.
fn prepare(root: &Path) -> Result<(), Failure> {
    let name = report::shown(root);
    let stop = |reason: &str| Err(Failure::Stop(format!("making the tree: {name}: {reason}")));
    let failed = |error: &io::Error| stop(&report::reason(error));
    match fs::symlink_metadata(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::create_dir_all(root).or_else(|error| failed(&error));
        }
        Err(error) => return failed(&error),
        Ok(found) if found.is_symlink() && !root.exists() => return stop("is a symbolic link that leads nowhere"),
        Ok(_) => {}
    }
    match fs::read_dir(root).and_then(|mut entries| entries.next().transpose()) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => stop("is not empty; name one that is, or a new one"),
        Err(error) => failed(&error),
    }
}

/// All directories of the tree, parents first, each with the date of the newest file below it.
fn directories(plan: &Plan) -> BTreeMap<&Path, DateTime<Utc>> {
    let mut directories = BTreeMap::new();
    for file in &plan.files {
        let taken = plan.contents[file.content].taken;
        for directory in file.path.ancestors().skip(1) {
            let newest = directories.entry(directory).or_insert(taken);
            *newest = taken.max(*newest);
        }
    }
    directories
}

/// The directory in which all is made, wherever its path leads later.
fn open_root(root: &Path) -> Result<OwnedFd, Failure> {
    let opened = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    opened.map_err(|error| {
        Failure::Stop(format!("making the tree: {}: {}", report::shown(root), report::reason(&error.into())))
    })
}

/// The directory that holds `path`, and the name there. A symbolic link that somebody puts in the tree is not followed.
fn above<'p>(place: &OwnedFd, path: &'p Path) -> io::Result<(OwnedFd, &'p OsStr)> {
    let above = straight::open_dir(place, path.parent().unwrap_or(Path::new("")))?;
    Ok((above, path.file_name().unwrap_or_default()))
}

fn make_directories(root: &Path, place: &OwnedFd, directories: &BTreeMap<&Path, DateTime<Utc>>, reporter: &Reporter) {
    for directory in directories.keys().filter(|directory| !directory.as_os_str().is_empty()) {
        let made =
            above(place, directory).and_then(|(above, name)| Ok(mkdirat(above, name, Mode::from_raw_mode(0o777))?));
        if let Err(error) = made {
            reporter.failed("making a directory", &root.join(directory), &report::reason(&error));
        }
    }
}

/// The order in which files are written: a directory at a time, which filesystems do faster than here and there.
fn order(plan: &Plan) -> Vec<usize> {
    let mut order: Vec<usize> = (0..plan.files.len()).collect();
    order.sort_unstable_by_key(|at| &plan.files[*at].path);
    order
}

/// Done last, because every file that is made changes its directory's date.
fn date_directories(root: &Path, place: &OwnedFd, directories: &BTreeMap<&Path, DateTime<Utc>>, reporter: &Reporter) {
    for (directory, newest) in directories {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dated = straight::open_dir(place, directory)
            .and_then(|directory| Ok(OpenFile::from(openat(directory, ".", flags, Mode::empty())?)))
            .and_then(|open| open.set_modified(SystemTime::from(*newest)));
        if let Err(error) = dated {
            reporter.failed("dating a directory", &root.join(directory), &report::reason(&error));
        }
    }
}

/// What the threads share.
struct Work<'a> {
    plan: &'a Plan,
    order: &'a [usize],
    root: &'a Path,
    place: &'a OwnedFd,
    reporter: &'a Reporter,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    next: AtomicUsize,
    files: AtomicU64,
    duplicates: AtomicU64,
    bytes: AtomicU64,
    /// Nothing more can be written.
    hopeless: AtomicBool,
}

impl Work<'_> {
    /// Takes file after file until there are no more.
    fn run(&self) {
        while !self.interrupt.came() && !self.state.hopeless.load(Ordering::Relaxed) {
            let turn = self.state.next.fetch_add(1, Ordering::Relaxed);
            let Some(at) = self.order.get(turn) else { return };
            let file = &self.plan.files[*at];
            match self.write_file(file) {
                Ok(size) => self.count(*at, size),
                Err(error) => self.failed(file, &error),
            }
        }
    }

    fn count(&self, at: usize, size: u64) {
        self.state.files.fetch_add(1, Ordering::Relaxed);
        self.state.bytes.fetch_add(size, Ordering::Relaxed);
        if at >= self.plan.contents.len() {
            self.state.duplicates.fetch_add(1, Ordering::Relaxed);
        }
        self.progress.add_files(1);
        self.progress.add_bytes(size);
    }

    fn failed(&self, file: &File, error: &io::Error) {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        self.reporter.failed("writing", &self.root.join(&file.path), &report::reason(error));
        if matches!(error.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull) {
            self.state.hopeless.store(true, Ordering::Relaxed);
        }
    }

    fn write_file(&self, file: &File) -> io::Result<u64> {
        let content = &self.plan.contents[file.content];
        let (above, name) = above(self.place, &file.path)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = OpenFile::from(openat(&above, name, flags, Mode::from_raw_mode(0o666))?);
        let written = write_content(content, &open).and_then(|()| open.set_modified(SystemTime::from(content.taken)));
        if let Err(error) = written {
            // This run made the file, and half of one would be taken for a whole one. What went wrong with the
            // writing tells more than what goes wrong here.
            unlinkat(&above, name, AtFlags::empty()).unwrap_or(());
            return Err(error);
        }
        Ok(content.size)
    }

    fn summary(&self) -> String {
        let State { files, duplicates, bytes, .. } = &self.state;
        let number = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let planned = report::count(self.plan.files.len() as u64, "file");
        let unfinished = number(files) < self.plan.files.len() as u64;
        let done = if unfinished { format!("{} of {planned}", number(files)) } else { planned };
        let next = if unfinished || !guide::is_for_people() {
            String::new()
        } else {
            format!("; next: ms-crawl {} | ms-dupes > plan.tsv", guide::word(self.root))
        };
        format!(
            "{}: {done}, {}, {} of them duplicates, seed {}{next}",
            report::shown(self.root),
            report::bytes(number(bytes)),
            number(duplicates),
            self.plan.seed
        )
    }
}

fn write_content(content: &Content, file: &OpenFile) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(buffer_size(content.size), file);
    match content.kind {
        Kind::Jpg => jpeg::write(content, &mut out)?,
        Kind::Png => png::write(content, &mut out)?,
        Kind::Mp4 | Kind::Mov => movie::write(content, &mut out)?,
        Kind::Txt => text::write(content, &mut out)?,
    }
    out.flush()
}

/// One write for a small file; for a large one, blocks of the filling that pass the buffer by.
fn buffer_size(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX).clamp(1, 1 << 15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ProgressWhen;
    use crate::dataset::Options;
    use std::collections::BTreeSet;

    fn make(change: impl FnOnce(&mut Options)) -> (tempfile::TempDir, Plan) {
        let mut options = Options::default();
        change(&mut options);
        let plan = Plan::new(&options).expect("possible");
        let root = tempfile::tempdir().expect("a directory");
        let mut common = Common::default();
        (common.quiet, common.progress) = (true, ProgressWhen::Never);
        let exit = write(&plan, root.path(), &common, &Interrupt::default()).expect("written");
        assert_eq!(exit, Exit::Done);
        (root, plan)
    }

    fn read(root: &tempfile::TempDir, file: &File) -> Vec<u8> {
        fs::read(root.path().join(&file.path)).expect("readable")
    }

    #[test]
    fn every_file_has_its_size_and_date_and_equals_only_its_duplicates() {
        let (root, plan) = make(|options| (options.files, options.min_size) = (300, Some(2000)));
        let contents: BTreeSet<Vec<u8>> = plan.files.iter().map(|file| read(&root, file)).collect();
        assert_eq!(contents.len(), plan.contents.len());
        for file in &plan.files {
            let found = fs::metadata(root.path().join(&file.path)).expect("there");
            let content = &plan.contents[file.content];
            assert_eq!((found.len(), found.modified().ok()), (content.size, Some(content.taken.into())));
        }
    }

    /// The sizes at which pictures grow are where one could come out too large.
    #[test]
    fn every_kind_can_be_made_from_its_smallest_size_on() {
        for kind in Kind::ALL {
            for size in [kind.smallest(), kind.smallest() + 1, 8000, 32_000, 64_000, 128_000, 1_000_000] {
                let (root, plan) = make(|options| {
                    (options.files, options.min_size, options.max_size) = (60, Some(size), Some(size));
                    options.kinds = vec![kind];
                });
                assert!(plan.files.iter().all(|file| read(&root, file).len() as u64 == size), "{kind:?} {size}");
            }
        }
    }

    #[test]
    fn alike_files_differ_only_in_the_middle() {
        let (root, plan) = make(|options| {
            (options.files, options.alike, options.dup_share) = (40, Some(5), 0);
            (options.min_size, options.max_size) = (Some(100_000), Some(120_000));
        });
        for pair in plan.files.chunks_exact(5).collect::<Vec<_>>().windows(2) {
            for (one, other) in pair[0].iter().zip(pair[1]) {
                let (one, other) = (read(&root, one), read(&root, other));
                let ends = one.len() / 5;
                assert!(one != other);
                assert!(one[..ends] == other[..ends]);
                assert!(one[one.len() - ends..] == other[other.len() - ends..]);
            }
        }
    }

    #[test]
    fn a_directory_that_holds_anything_is_refused() {
        let root = tempfile::tempdir().expect("a directory");
        assert!(prepare(root.path()).is_ok());
        fs::write(root.path().join(".hidden"), "").expect("written");
        let Err(Failure::Stop(text)) = prepare(root.path()) else { panic!("refused") };
        assert!(text.contains(": is not empty; "), "{text}");
        let link = root.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).expect("a link");
        assert!(prepare(&link).is_err());
        assert!(prepare(&root.path().join(".hidden")).is_err());
        assert!(prepare(&root.path().join("new/deep")).is_ok());
    }
}
