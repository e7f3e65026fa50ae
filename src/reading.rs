//! Reading many files with all workers of a [`Pool`](crate::pool::Pool) at once, whoever wants to know their hashes.
//!
//! Files come in batches. What a worker has not come to after some bytes it offers to the others, and a very large file
//! is read by all of them in pieces. So none is idle while there is anything to read. What is on a [disk](crate::disk) that
//! turns is read by one of them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use blake3::hazmat::ChainingValue;

use crate::disk::Hardware;
use crate::hash::pieces::Pieces;
use crate::hash::{Opened, Scratch, Status, Trouble};
use crate::pool::Hand;
use crate::progress::Progress;
use crate::record::{ContentHash, Timestamp};

/// How many files make a task.
pub(crate) const BATCH: usize = 64;

/// Once a worker has read so many bytes of a batch, it offers the rest to the others.
const SHARE: u64 = 4 << 20;

/// A file of this size and more is read by all workers at once.
const DIVIDED: u64 = 64 << 20;

/// Reading, as a worker can be asked to do it.
#[derive(Debug)]
pub(crate) enum Reading<F> {
    /// Open some files, and read them.
    Files(Vec<F>),
    /// Open some files that lie on one disk that turns, and read them one after the other, as that disk would have it.
    InTurn(Vec<F>),
    /// Read pieces of a large file.
    Pieces(Arc<LargeFile<F>>),
}

impl<F> Reading<F> {
    /// What there is to do where all files are known from the start, in the order in which disks have them: those on a disk
    /// that turns in one task, the others in many.
    pub(crate) fn of_all<'p>(files: Vec<F>, disks: &Hardware, path: impl Fn(&F) -> &'p Path) -> Vec<Self> {
        let (lanes, others) = disks.divide(files, path);
        let mut tasks: Vec<Self> = lanes.into_iter().map(Self::InTurn).collect();
        let mut others = others.into_iter();
        while others.len() > 0 {
            tasks.push(Self::Files(others.by_ref().take(BATCH).collect()));
        }
        tasks
    }
}

/// A file that is read in pieces.
#[derive(Debug)]
pub(crate) struct LargeFile<F> {
    file: F,
    pieces: Pieces,
}

/// Who has files read. Each worker has its own.
pub(crate) trait Client {
    /// What it knows of a file.
    type File: Clone;

    /// Opens a file to be read; `None` where that is not needed, or failed, and all is done about it.
    fn open(&mut self, file: Self::File) -> Option<(Self::File, Opened)>;

    /// The chaining values of pieces of a large file that were hashed before, by their numbers.
    fn known_pieces(&self, _opened: &Opened) -> HashMap<u64, ChainingValue> {
        HashMap::new()
    }

    /// A piece of a large file was hashed: which one, and its chaining value. The file has this status and this time of
    /// its last change.
    fn take_piece(&mut self, _status: &Status, _ctime: Timestamp, _piece: (u64, ChainingValue)) {}

    /// A file was read: what it was, and its hash or why it has none.
    fn take(&mut self, file: Self::File, status: Status, result: Result<ContentHash, Trouble>);

    /// The task in hand is finished, or a large file is.
    fn flush(&mut self);

    /// Whether to leave the rest.
    fn is_stopped(&self) -> bool;
}

/// One worker's means to read.
pub(crate) struct Reader<'h, T> {
    hand: &'h Hand<'h, T>,
    progress: &'h Progress,
    scratch: Scratch,
    /// Large files are read in pieces.
    divides: bool,
}

impl<'h, T: Send> Reader<'h, T> {
    /// `divides`: large files are read in pieces, so that other workers can help, or the client can keep what is done.
    pub(crate) fn new(hand: &'h Hand<'h, T>, progress: &'h Progress, scratch: Scratch, divides: bool) -> Self {
        Self { hand, progress, scratch, divides }
    }

    /// Reads, and offers to the others what they could do meanwhile.
    pub(crate) fn perform<C: Client>(&mut self, reading: Reading<C::File>, client: &mut C)
    where
        T: From<Reading<C::File>>,
    {
        match reading {
            Reading::Files(files) => self.read_files(files, client),
            Reading::InTurn(files) => self.read_in_turn(files, client),
            Reading::Pieces(file) => self.read_pieces(&file, client),
        }
    }

    fn read_files<C: Client>(&mut self, files: Vec<C::File>, client: &mut C)
    where
        T: From<Reading<C::File>>,
    {
        let mut read = 0;
        let mut files = files.into_iter();
        while let Some(file) = files.next() {
            if let Some((file, opened)) = client.open(file) {
                match self.divide(opened, client) {
                    Ok(pieces) => {
                        self.share(files.by_ref().collect());
                        self.read_pieces(&Arc::new(LargeFile { file, pieces }), client);
                    }
                    Err(opened) => read += self.read_whole(file, &opened, client),
                }
            }
            if client.is_stopped() {
                break;
            }
            if read > SHARE {
                self.share(files.by_ref().collect());
            }
        }
        client.flush();
    }

    fn read_in_turn<C: Client>(&mut self, files: Vec<C::File>, client: &mut C) {
        for (number, file) in files.into_iter().enumerate() {
            if let Some((file, opened)) = client.open(file) {
                match self.divide(opened, client) {
                    Ok(pieces) => self.read_what_is_left(&LargeFile { file, pieces }, client),
                    Err(opened) => drop(self.read_whole(file, &opened, client)),
                }
            }
            if client.is_stopped() {
                break;
            }
            if number % BATCH == BATCH - 1 {
                client.flush();
            }
        }
        client.flush();
    }

    fn divide<C: Client>(&self, opened: Opened, client: &C) -> Result<Pieces, Opened> {
        if !self.divides || opened.status().size < DIVIDED {
            return Err(opened);
        }
        let known = client.known_pieces(&opened);
        Pieces::new(opened, known)
    }

    /// Tells how many bytes were read.
    fn read_whole<C: Client>(&mut self, file: C::File, opened: &Opened, client: &mut C) -> u64 {
        let (status, result) = (*opened.status(), opened.hash(&mut self.scratch));
        let read = if result.is_ok() { status.size } else { 0 };
        self.progress.add_bytes(read);
        client.take(file, status, result);
        read
    }

    /// Offers files to the others; what nobody takes comes back.
    fn share<F>(&self, mut files: Vec<F>)
    where
        T: From<Reading<F>>,
    {
        if files.len() > 1 {
            let half = files.split_off(files.len() / 2);
            self.hand.push(Reading::Files(half).into());
        }
        if !files.is_empty() {
            self.hand.push(Reading::Files(files).into());
        }
    }

    /// Offers the file to the others, and works on it until no piece is left.
    fn read_pieces<C: Client>(&mut self, large: &Arc<LargeFile<C::File>>, client: &mut C)
    where
        T: From<Reading<C::File>>,
    {
        if large.pieces.any_left() {
            self.hand.push(Reading::Pieces(Arc::clone(large)).into());
        }
        self.read_what_is_left(large, client);
    }

    fn read_what_is_left<C: Client>(&mut self, large: &LargeFile<C::File>, client: &mut C) {
        while !client.is_stopped()
            && let Some(step) = large.pieces.hash_next(&mut self.scratch)
        {
            self.progress.add_bytes(step.len);
            if let Some(piece) = step.new {
                client.take_piece(large.pieces.status(), large.pieces.ctime(), piece);
            }
            if let Some(result) = step.result {
                client.take(large.file.clone(), *large.pieces.status(), result);
                client.flush();
            }
        }
    }
}
