//! Records in portions: read by all workers in the order of the disk, and handed on in the order of the input.

use std::vec;

use super::Job;
use super::claim::{Claim, Inspector, Verdict};
use super::input::Input;
use crate::cli::Failure;
use crate::hash::Scratch;
use crate::host::PassedOver;
use crate::pool::{Hand, Pool, Tasks};
use crate::reading::{Reader, Reading};
use crate::stream::table::Part;

/// A portion has at most so many records: enough to sort them as the disk has them, little enough to hold.
const MOST: usize = 1 << 14;

/// A portion ends once it has so many bytes, so that results do not wait long.
const BYTES: u64 = 4 << 30;

/// All records of all inputs, in order.
pub(super) struct Rows<'a> {
    inputs: &'a [Input],
    /// The number of the next input.
    next: usize,
    parts: vec::IntoIter<Part<'a>>,
    part: Option<Part<'a>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(inputs: &'a [Input]) -> Self {
        Self { inputs, next: 0, parts: Vec::new().into_iter(), part: None }
    }

    /// The next portion; `None` at the end.
    pub(super) fn portion(&mut self) -> Option<Vec<Claim>> {
        let (mut claims, mut bytes) = (Vec::new(), 0_u64);
        while claims.len() < MOST && bytes < BYTES {
            let Some(claim) = self.claim(claims.len()) else { break };
            bytes = bytes.saturating_add(claim.size.unwrap_or(0));
            claims.push(claim);
        }
        (!claims.is_empty()).then_some(claims)
    }

    fn claim(&mut self, place: usize) -> Option<Claim> {
        loop {
            let Some(part) = &mut self.part else {
                self.part = Some(self.next_part()?);
                continue;
            };
            match part.next_row() {
                Some((at, Ok(row))) => {
                    let number = self.next - 1;
                    let input = &self.inputs[number];
                    // The others were counted before.
                    if input.is_ours(&row, &mut PassedOver::default()) {
                        return Some(input.claim(number, place, at, &row));
                    }
                }
                // It was named before.
                Some((_, Err(_))) => {}
                None => self.part = None,
            }
        }
    }

    fn next_part(&mut self) -> Option<Part<'a>> {
        loop {
            if let Some(part) = self.parts.next() {
                return Some(part);
            }
            self.parts = self.inputs.get(self.next)?.table.parts(1).into_iter();
            self.next += 1;
        }
    }
}

/// What a worker can be asked to do.
struct Task<'c>(Reading<&'c Claim>);

impl<'c> From<Reading<&'c Claim>> for Task<'c> {
    fn from(reading: Reading<&'c Claim>) -> Self {
        Self(reading)
    }
}

/// Finds out what is true of each claim; `None` where an interrupt came before.
pub(super) fn verify<'c>(claims: &'c [Claim], job: &'c Job<'c>) -> Result<Vec<Option<Verdict>>, Failure> {
    let mut in_disk_order: Vec<&Claim> = claims.iter().collect();
    // In the order of their inodes, in which most filesystems have them on the disk; otherwise, as they came.
    in_disk_order.sort_by_key(|claim| claim.inode);
    let jobs = job.disks.jobs(&job.options.common, in_disk_order.iter().map(|claim| &*claim.path));
    let seeds = Reading::of_all(in_disk_order, &job.disks, |claim| &claim.path);
    let (sender, receiver) = crossbeam_channel::unbounded();
    let hire = move || {
        let found = sender.clone();
        move |hand: &Hand<'_, Task<'c>>, tasks: Tasks<'_, Task<'c>>| {
            // By read(2) only: an error of the disk is then an error, and no signal.
            let mut reader = Reader::new(hand, job.progress, Scratch::new(false), jobs > 1);
            let mut inspector = Inspector::new(job, found);
            tasks.for_each(|task| reader.perform(task.0, &mut inspector));
        }
    };
    let mut verdicts: Vec<Option<Verdict>> = claims.iter().map(|_| None).collect();
    let collect = || receiver.iter().for_each(|(place, verdict)| verdicts[place] = Some(verdict));
    Pool::run(jobs, seeds.into_iter().map(Task), || job.interrupt.came(), hire, collect)?;
    Ok(verdicts)
}
