//! What really is in a volume.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::hash::{Links, Status, Trouble};
use crate::record::ContentHash;
use crate::volume::{INDEX, README, SUMS};

/// A file of a volume.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its path below the volume.
    pub(super) below: PathBuf,
    pub(super) status: Status,
    pub(super) hash: Option<ContentHash>,
}

/// What is in a volume, beside what describes it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// In the order of their paths, bytewise.
    pub(super) files: Vec<File>,
    /// Directories, by their paths below the volume.
    pub(super) dirs: Vec<PathBuf>,
    /// What can be no part of a volume, and why.
    pub(super) strange: Vec<(PathBuf, String)>,
}

impl Contents {
    /// Looks at all of a volume.
    pub(super) fn of(dir: &Path) -> Self {
        let mut contents = Self::default();
        for entry in WalkDir::new(dir).min_depth(1).follow_root_links(true) {
            match entry {
                Ok(entry) => {
                    let below = entry.path().strip_prefix(dir).unwrap_or(entry.path());
                    contents.take(dir, below, entry.file_type().is_dir());
                }
                Err(error) => {
                    let path = error.path().unwrap_or(dir).to_owned();
                    let reason = crate::report::reason(&io::Error::from(error));
                    contents.strange.push((path, reason));
                }
            }
        }
        contents.files.sort_unstable_by(|one, other| bytes(&one.below).cmp(bytes(&other.below)));
        contents.strange.sort_unstable();
        contents
    }

    fn take(&mut self, dir: &Path, below: &Path, is_dir: bool) {
        if is_dir {
            self.dirs.push(below.to_owned());
            return;
        }
        if [INDEX, SUMS, README].iter().any(|name| below == Path::new(name)) {
            return;
        }
        let path = dir.join(below);
        match Status::of(&path, Links::Refuse) {
            Ok(_) if is_unfinished(below) => {
                let reason = "an unfinished copy of ms-mv: run the same plan again".to_owned();
                self.strange.push((path, reason));
            }
            Ok(status) => self.files.push(File { below: below.to_owned(), status, hash: None }),
            Err(Trouble::NotRegular(what)) => {
                self.strange.push((path, format!("{what}, and a volume holds files only: move it elsewhere")));
            }
            Err(trouble) => self.strange.push((path, trouble.to_string())),
        }
    }

    /// Whether no file has changed since it was looked at; otherwise the first that has.
    pub(super) fn changed(&self, dir: &Path) -> Option<&File> {
        self.files
            .iter()
            .find(|file| Status::of(&dir.join(&file.below), Links::Refuse).ok().as_ref() != Some(&file.status))
    }
}

/// A name that only `ms-mv` gives: `.ms-mv-RUN-NUMBER.part`.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.starts_with(b".ms-mv-") && name.ends_with(b".part")
}

fn bytes(path: &Path) -> &[u8] {
    OsStr::as_bytes(path.as_os_str())
}
