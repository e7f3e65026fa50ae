//! Reading a few places of a file, however large it is or however often its content sends the reader elsewhere.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that are read of one file at most. Metadata of real files take a few kilobytes; previews are never read.
const BYTES: u64 = 8 << 20;

/// Reads of one file at most: enough for the chunks of a 40 MB PNG at 8 KiB each.
const READS: u32 = 8192;

/// Questions answered at most, those from memory included, so that content that leads round in circles comes to an end.
const CALLS: u32 = 1 << 16;

/// What is read at least, in bytes: headers stand close together. [`READS`] of it are just within [`BYTES`].
const WINDOW: u64 = 1024;

/// A file's bytes by position, within a budget. What is past the end, over budget or unreadable is `None`.
#[derive(Debug)]
pub(crate) struct Bytes<'f> {
    origin: Origin<'f>,
    len: u64,
    /// What the system said where it could not read first.
    failure: Option<io::Error>,
    /// What is left of the budget.
    left: Left,
    /// What was read last, and where it starts.
    window: Vec<u8>,
    start: u64,
}

#[derive(Debug)]
struct Left {
    bytes: u64,
    reads: u32,
    calls: u32,
}

/// Where bytes come from.
#[derive(Debug)]
enum Origin<'f> {
    File(&'f File),
    Memory(&'f [u8]),
}

impl<'f> Bytes<'f> {
    /// The bytes of `file`, none read yet.
    ///
    /// # Errors
    /// What the system says where the file's length is not to be had.
    pub(crate) fn new(file: &'f File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self::from(Origin::File(file), len))
    }

    /// Bytes that stand nowhere as they are: compressed, or in pieces that were put together.
    pub(crate) fn of(memory: &'f [u8]) -> Self {
        Self::from(Origin::Memory(memory), u64::try_from(memory.len()).unwrap_or(u64::MAX))
    }

    fn from(origin: Origin<'f>, len: u64) -> Self {
        let left = Left { bytes: BYTES, reads: READS, calls: CALLS };
        Self { origin, len, failure: None, left, window: Vec::new(), start: 0 }
    }

    /// Whether all that was asked for could be read.
    ///
    /// # Errors
    /// What the system said first where it could not.
    pub(crate) fn check(self) -> io::Result<()> {
        self.failure.map_or(Ok(()), Err)
    }

    /// As [`Bytes::check`], where reading goes on.
    ///
    /// # Errors
    /// What the system said first.
    pub(crate) fn check_so_far(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Length of the file in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes from `offset`: all of them, or `None`.
    pub(crate) fn at(&mut self, offset: u64, len: usize) -> Option<Vec<u8>> {
        self.near(offset, len).map(<[u8]>::to_vec)
    }

    /// The bytes from `offset`, as many as there are but no more than `most`; none past the end.
    pub(crate) fn up_to(&mut self, offset: u64, most: usize) -> Option<Vec<u8>> {
        let left = self.len.saturating_sub(offset);
        self.at(offset, usize::try_from(left).map_or(most, |left| left.min(most)))
    }

    /// `N` bytes from `offset`, as [`Bytes::at`].
    pub(crate) fn array<const N: usize>(&mut self, offset: u64) -> Option<[u8; N]> {
        self.near(offset, N)?.try_into().ok()
    }

    /// The same, where it lies in the window.
    fn near(&mut self, offset: u64, len: usize) -> Option<&[u8]> {
        self.left.calls = self.left.calls.checked_sub(1)?;
        let wanted = u64::try_from(len).ok()?;
        if offset.checked_add(wanted)? > self.len {
            return None;
        }
        if self.held(offset, len).is_none() {
            self.window = self.fetch(offset, wanted.max(WINDOW).min(self.len - offset))?;
            self.start = offset;
        }
        self.held(offset, len)
    }

    fn held(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.window.get(from..from.checked_add(len)?)
    }

    fn fetch(&mut self, offset: u64, len: u64) -> Option<Vec<u8>> {
        self.left.bytes = self.left.bytes.checked_sub(len)?;
        self.left.reads = self.left.reads.checked_sub(1)?;
        let len = usize::try_from(len).ok()?;
        match self.origin {
            Origin::File(file) => {
                let mut buffer = vec![0; len];
                match file.read_exact_at(&mut buffer, offset) {
                    Ok(()) => Some(buffer),
                    Err(error) => {
                        self.failure.get_or_insert(error);
                        None
                    }
                }
            }
            Origin::Memory(memory) => {
                let from = usize::try_from(offset).ok()?;
                memory.get(from..from.checked_add(len)?).map(<[u8]>::to_vec)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(content).expect("written");
        file
    }

    #[test]
    fn reads_are_whole_or_nothing() {
        let content: Vec<u8> = (0..5000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let file = file(&content);
        let mut bytes = Bytes::new(&file).expect("a length");
        assert_eq!(bytes.len(), 5000);
        for (offset, len) in [(0, 4), (2, 1020), (1020, 8), (100, 4900), (4999, 1), (5000, 0), (3, 0)] {
            let from = usize::try_from(offset).expect("small");
            assert_eq!(bytes.at(offset, len).as_deref(), content.get(from..from + len), "{offset} {len}");
        }
        for (offset, len) in [(4999, 2), (5001, 0), (u64::MAX, 1), (0, usize::MAX), (0, 5001)] {
            assert_eq!(bytes.at(offset, len), None, "{offset} {len}");
        }
        assert_eq!(bytes.up_to(4990, 64).map(|tail| tail.len()), Some(10));
        assert_eq!(bytes.up_to(5001, 64), None);
        assert_eq!(bytes.array(1), Some([1, 2, 3]));
    }

    #[test]
    fn what_the_system_could_not_read_is_told_apart_from_what_is_not_there() {
        let file = file(&[7; 5000]);
        let mut bytes = Bytes::new(&file).expect("a length");
        assert_eq!(bytes.at(5000, 1), None);
        file.set_len(10).expect("cut short");
        assert_eq!(bytes.at(0, 4), None);
        assert_eq!(bytes.check().map_err(|error| error.kind()), Err(io::ErrorKind::UnexpectedEof));
        let mut bytes = Bytes::new(&file).expect("a length");
        assert_eq!((bytes.at(0, 10), bytes.at(9, 2)), (Some(vec![7; 10]), None));
        assert!(bytes.check().is_ok());
    }

    #[test]
    fn a_budget_ends_all_reading() {
        let file = file(b"");
        file.set_len(1 << 25).expect("a sparse file");
        let mut bytes = Bytes::new(&file).expect("a length");
        assert_eq!(bytes.at(0, 9 << 20), None);
        assert!(bytes.at(0, 8 << 20).is_some());
        assert_eq!(bytes.at(1 << 24, 4), None);

        let mut bytes = Bytes::new(&file).expect("a length");
        let scattered = (0..1 << 20).take_while(|n| bytes.at(n << 11, 4).is_some()).count();
        assert_eq!(scattered, usize::try_from(READS).expect("small"));

        let mut bytes = Bytes::new(&file).expect("a length");
        let repeated = (0..1 << 20).take_while(|_: &u64| bytes.at(0, 4).is_some()).count();
        assert_eq!(repeated, usize::try_from(CALLS).expect("small"));
    }
}
