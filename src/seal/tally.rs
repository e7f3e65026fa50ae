//! How much a volume holds, as the catalogue tells it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::inventory::{self, Met};
use crate::record::{Record, Timestamp};
use crate::volume::Number;
use crate::volume::catalogue::{State, Volume};
use crate::volume::date::Date;
use crate::volume::extent::Extent;
use crate::volume::image::Filesystem;

/// The files and directories of a volume, added up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    filesystem: Filesystem,
    pub(super) files: u64,
    pub(super) bytes: u64,
    extent: Extent,
    first: Date,
    last: Option<Date>,
}

impl Tally {
    /// Of nothing yet.
    pub(super) fn new(filesystem: Filesystem) -> Self {
        Self { filesystem, files: 0, bytes: 0, extent: Extent::default(), first: Date::NONE, last: None }
    }

    /// Of the files with these records, and of directories, by their paths below the volume.
    pub(super) fn of<'r, P: AsRef<Path>>(
        filesystem: Filesystem,
        files: impl Iterator<Item = &'r Record>,
        dirs: impl Iterator<Item = P>,
    ) -> Self {
        let mut tally = Self::new(filesystem);
        files.for_each(|file| tally.add_file(&file.path, file.size, file.mtime));
        dirs.for_each(|dir| tally.add_dir(dir.as_ref()));
        tally
    }

    /// Of what stands in the volume in `dir`, where what no volume can have counts nothing. Each thing that cannot be looked at
    /// is `failed`.
    pub(super) fn of_dir(filesystem: Filesystem, dir: &Path, mut failed: impl FnMut(&Path, &str)) -> Self {
        let mut tally = Self::new(filesystem);
        inventory::walk(dir, |met| match met {
            Met::Failed(path, reason) => failed(&path, &reason),
            other => tally.add(&other),
        });
        tally
    }

    fn add(&mut self, met: &Met) {
        match met {
            Met::Dir(path) => self.add_dir(path),
            Met::File(path, status, _) => self.add_file(path, status.size, Some(status.mtime)),
            Met::Odd(..) | Met::Failed(..) => {}
        }
    }

    /// One file more, by its path below the volume.
    pub(super) fn add_file(&mut self, path: &Path, size: u64, mtime: Option<Timestamp>) {
        let path = path.as_os_str().as_bytes();
        let date = Date::of_file(path, mtime);
        self.files += 1;
        self.bytes = self.bytes.saturating_add(size);
        self.extent += Extent::of_file(self.filesystem, path, size);
        self.first = self.first.min(date);
        if date != Date::NONE {
            self.last = self.last.max(Some(date));
        }
    }

    /// One directory more, by its path below the volume.
    pub(super) fn add_dir(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().as_bytes();
        self.extent += Extent::of_dir(self.filesystem, name);
    }

    /// A bound of the image, in bytes.
    pub(super) fn image_bytes(&self) -> u64 {
        self.extent.image_bytes(self.filesystem)
    }

    /// The date of the first file; `None` where none has a date.
    pub(super) fn first_date(&self) -> Option<String> {
        (self.first != Date::NONE).then(|| self.first.to_string())
    }

    /// The date of the last file.
    pub(super) fn last_date(&self) -> Option<String> {
        self.last.map(|date| date.to_string())
    }

    /// What the catalogue is to tell.
    pub(super) fn volume(&self, number: Number, state: State, capacity: Option<u64>) -> Volume {
        Volume {
            number,
            label: number.label(),
            state,
            files: self.files,
            bytes: self.bytes,
            image_bytes: self.image_bytes(),
            capacity,
            fs: Some(self.filesystem),
            first_date: self.first_date(),
            last_date: self.last_date(),
            burns: Vec::new(),
            other: crate::volume::catalogue::Others::default(),
        }
    }
}
