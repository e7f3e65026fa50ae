//! Where journals are kept, how one is begun, and how an interrupted one is taken up again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::read::Past;
use super::{Entry, Journal, Mode, failure, row_line};
use crate::cli::Failure;
use crate::plan::Plan;
use crate::report;

/// The place of a run's journal: as asked for, or a new file in the state directory.
#[derive(Debug, Clone)]
pub enum Store {
    /// This file.
    File(PathBuf),
    /// A new file in this directory.
    Dir(PathBuf),
}

impl Store {
    /// `$XDG_STATE_HOME/mediastruct`, or `$HOME/.local/state/mediastruct` (XDG Base Directory Specification 0.8).
    ///
    /// # Errors
    /// [`Failure::Stop`] where neither variable is an absolute path.
    pub fn default_dir() -> Result<PathBuf, Failure> {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("mediastruct"))
            .ok_or_else(|| {
                Failure::Stop(
                    "no place for a journal: neither XDG_STATE_HOME nor HOME is an absolute path; give --journal FILE"
                        .into(),
                )
            })
    }

    /// Begins the journal of a plan, or takes up the unfinished one of the very same plan. When this returns, all rows
    /// are on disk and the journal is locked.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it cannot be written, or another process is carrying out the same plan.
    pub fn begin(&self, plan: &Plan, mode: Mode) -> Result<(Journal, Past), Failure> {
        let digest = digest(plan, mode)?;
        match self {
            Self::File(path) if path.symlink_metadata().is_ok() => take_up_named(path, &digest),
            Self::File(path) => create(path, &name_of_run(), plan, mode, &digest),
            Self::Dir(dir) => {
                make_dir(dir).map_err(|error| not_begun("making the directory of journals", dir, &error))?;
                if let Some(taken) = take_up_found(dir, &digest)? {
                    return Ok(taken);
                }
                let run = name_of_run();
                create(&dir.join(format!("{run}.journal")), &run, plan, mode, &digest)
            }
        }
    }
}

/// A run without a journal could not be undone, so it does not begin.
fn not_begun(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let advice = "nothing is done without a journal; --journal FILE keeps it elsewhere";
    failure(doing, path, &io::Error::other(format!("{}; {advice}", report::reason(error))))
}

/// Makes a directory and those above it, each on the disk before anything is put into it.
fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent() {
        make_dir(above)?;
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
            made => made?,
        }
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// The journals in a directory, the newest first: their names begin with the time.
///
/// # Errors
/// What reading the directory gives, unless there is none.
pub fn newest_first(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut journals = Vec::new();
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry?;
                // Opening a FIFO would wait for its other end.
                if entry.file_type()?.is_file() {
                    journals.push(entry.path());
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    journals.retain(|path| path.extension().is_some_and(|extension| extension == "journal"));
    journals.sort_unstable_by(|one, other| other.cmp(one));
    Ok(journals)
}

/// Time with nanoseconds and process number: no two runs on one machine share them, and names sort by time.
fn name_of_run() -> String {
    let now = chrono::Utc::now().format("%Y%m%dT%H%M%S.%9fZ");
    format!("{now}-{}", std::process::id())
}

fn digest(plan: &Plan, mode: Mode) -> Result<String, Failure> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(mode.word().as_bytes());
    let mut line = Vec::new();
    for step in plan.steps() {
        row_line(&step?, plan.working_dir(), &mut line);
        hasher.update(&line);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn create(path: &Path, run: &str, plan: &Plan, mode: Mode, digest: &str) -> Result<(Journal, Past), Failure> {
    let stop = |error: &io::Error| not_begun("writing the journal", path, error);
    let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| stop(&error))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| stop(&error.into()))?;
    let result =
        write_rows(&file, path, run, plan, mode, digest).and_then(|()| sync(&file, path).map_err(|error| stop(&error)));
    if let Err(failure) = result {
        // Nothing has been moved yet, so this journal tells of nothing.
        std::fs::remove_file(path).unwrap_or(());
        return Err(failure);
    }
    let past = Past::fresh(mode, run.to_owned(), plan.len());
    Ok((Journal::new(file, path, run.to_owned()), past))
}

fn write_rows(file: &File, path: &Path, run: &str, plan: &Plan, mode: Mode, digest: &str) -> Result<(), Failure> {
    let stop = |error: io::Error| not_begun("writing the journal", path, &error);
    let mut out = BufWriter::with_capacity(1 << 16, file);
    let mut first = Entry::new("mediastruct-journal");
    first.show(1).show(mode.word()).show(digest).show(run);
    first.text.push(b'\n');
    out.write_all(&first.text).map_err(stop)?;
    let mut line = Vec::new();
    for step in plan.steps() {
        row_line(&step?, plan.working_dir(), &mut line);
        out.write_all(&line).map_err(stop)?;
    }
    out.write_all(b"start\n").and_then(|()| out.flush()).map_err(stop)
}

/// The file, and the directory entry that leads to it.
fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

/// An unfinished journal of the same plan, if a run of it was cut off.
fn take_up_found(dir: &Path, digest: &str) -> Result<Option<(Journal, Past)>, Failure> {
    let journals = newest_first(dir).map_err(|error| failure("reading the directory of journals", dir, &error))?;
    for path in journals {
        // A journal that cannot be read is another user's, damaged, or was cut off before anything was moved: no reason
        // not to begin a new one.
        let same = || Past::digest_if_unfinished(&path).is_some_and(|known| known == digest);
        if own(&path).is_ok_and(|file| same() && Past::read(&file).is_ok_and(|past| !past.has_ended())) {
            return open(&path, Origin::Found).map(Some);
        }
    }
    Ok(None)
}

fn take_up_named(path: &Path, digest: &str) -> Result<(Journal, Past), Failure> {
    match Past::digest_if_unfinished(path) {
        Some(known) if known == digest => open(path, Origin::Named),
        _ => Err(failure(
            "writing the journal",
            path,
            &io::Error::other("it exists, and is not the unfinished journal of this plan"),
        )),
    }
}

/// Opens a journal to add to it: to finish its run, or to undo it.
///
/// # Errors
/// [`Failure::Stop`] where it cannot be read or written, or is in use.
pub(crate) fn open(path: &Path, origin: Origin) -> Result<(Journal, Past), Failure> {
    let (journal, past) = lock(path, OpenOptions::new().read(true).append(true), origin)?;
    let trim = || {
        // A line that the crash cut off must not run into the next one.
        let is_cut = journal.file.metadata()?.len() != past.length();
        if is_cut { journal.file.set_len(past.length()) } else { Ok(()) }
    };
    trim().map_err(|error| failure("opening the journal", path, &error))?;
    Ok((journal, past))
}

/// Opens a journal only to look at it.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_to_look(path: &Path, origin: Origin) -> Result<(Journal, Past), Failure> {
    lock(path, OpenOptions::new().read(true), origin)
}

/// How a journal came to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Somebody named it.
    Named,
    /// It was found in the state directory. Where others may write to that, they could have put it there, and it would move
    /// files as they like.
    Found,
}

/// Opens a journal that was found, if it belongs to whoever runs this.
///
/// # Errors
/// What the system gives, and `PermissionDenied` for a file of somebody else.
pub(crate) fn own(path: &Path) -> io::Result<File> {
    own_opened(OpenOptions::new().read(true), path)
}

fn own_opened(how: &OpenOptions, path: &Path) -> io::Result<File> {
    let file = how.clone().custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() && meta.uid() == rustix::process::geteuid().as_raw() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"))
}

fn lock(path: &Path, how: &OpenOptions, origin: Origin) -> Result<(Journal, Past), Failure> {
    let stop = |error: &io::Error| failure("opening the journal", path, error);
    let file = match origin {
        Origin::Named => how.clone().custom_flags(libc::O_NONBLOCK).open(path),
        Origin::Found => own_opened(how, path),
    };
    let file = file.map_err(|error| stop(&error))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        Errno::WOULDBLOCK => stop(&io::Error::other("another process is carrying it out or undoing it")),
        other => stop(&other.into()),
    })?;
    let past = Past::read(&file).map_err(|error| stop(&error))?;
    let run = past.run().to_owned();
    Ok((Journal::new(file, path, run), past))
}
