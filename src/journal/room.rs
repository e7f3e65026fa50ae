//! Room on the disk for lines of a journal that must not fail: a file is moved first and its line written then, so the
//! disk must not be found full in between.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// No `done` is longer, with four numbers of up to twenty digits and nine digits of a time; and there is room for an
/// `end` behind it.
const LINE: u64 = 256;

/// So much is asked for at a time, since that takes longer than to write a line.
const AHEAD: u64 = 1 << 16;

/// Space behind the end of a file that belongs to it already.
#[derive(Debug, Default)]
pub(super) struct Room {
    left: u64,
    /// The filesystem gives no space ahead. Then a line that is lost is inferred from the file it was about.
    is_unsupported: bool,
}

impl Room {
    /// Sees to it that there is room for one more line.
    pub(super) fn make(&mut self, file: &File) -> io::Result<()> {
        if self.left >= LINE || self.is_unsupported {
            return Ok(());
        }
        let length = file.metadata()?.size();
        let allowed = getrlimit(Resource::Fsize).current.map_or(AHEAD, |most| most.saturating_sub(length).min(AHEAD));
        if allowed < LINE {
            return Err(Errno::FBIG.into());
        }
        self.left = match reserve(file, length, allowed) {
            Ok(()) => allowed,
            Err(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => reserve(file, length, LINE).map(|()| LINE)?,
            Err(_) => {
                self.is_unsupported = true;
                0
            }
        };
        Ok(())
    }

    /// A line of so many bytes was written.
    pub(super) fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
    }

    /// Cuts off what lies behind the end of the file.
    pub(super) fn give_back(&mut self, file: &File) -> io::Result<()> {
        if std::mem::take(&mut self.left) > 0 {
            file.set_len(file.metadata()?.size())?;
        }
        Ok(())
    }
}

fn reserve(file: &File, from: u64, length: u64) -> Result<(), Errno> {
    loop {
        match fallocate(file, FallocateFlags::KEEP_SIZE, from, length) {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
