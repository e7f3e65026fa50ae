//! Whether files still are what their records say.
//!
//! 1. `input`: what kind of text an operand holds; `volume::index` and `volume::sums` turn what is no stream into one.
//! 2. `portion`: records in portions, whose files all workers read together in the order of the disk, and which come out
//!    in the order of the input.
//! 3. `claim`: what a record says of its file, and what is found to be true of it.
//! 4. `output`: the records that hold, or the others with the reason.

mod claim;
mod input;
mod output;
mod portion;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Common, Exit, Failure};
use crate::disk::{Disks, Hardware};
use crate::guide;
use crate::host::{Host, PassedOver};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{self, Reporter};
use crate::stream::Faults;
pub(crate) use claim::Reason;
use claim::{Claim, Verdict};
use input::Input;
use output::Output;

/// What the user decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What this host is called in streams of several hosts: only its records are verified.
    pub host: Option<Host>,
    /// Where relative paths hold, if not where their kind of input says.
    pub root: Option<PathBuf>,
    /// Whether to leave contents alone.
    pub quick: bool,
    /// Whether to write the records that do not hold, rather than those that do.
    pub failed: bool,
    /// Whether to go on without malformed lines.
    pub skip_bad_lines: bool,
    /// What the disks are taken for.
    pub disks: Disks,
    /// What all tools have.
    pub common: Common,
}

/// What all parts of a run share.
#[derive(Debug)]
struct Job<'a> {
    options: &'a Options,
    disks: Hardware,
    reporter: &'a Reporter,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

/// Verifies the records of `operands` and writes to standard output.
///
/// # Errors
/// [`Failure`] where an input or the output cannot be used.
pub fn run(operands: &[OsString], options: &Options) -> Result<Exit, Failure> {
    if let Some(root) = &options.root {
        check_root(root)?;
    }
    // Nothing has begun while records are still coming, so a signal may end that at once.
    let inputs = input::open(operands, options)?;
    let interrupt = Interrupt::install()?;
    let mut progress = Progress::start("ms-verify", options.common.progress);
    let reporter = progress.reporter("ms-verify", options.common.quiet);
    let disks = Hardware::new(options.disks);
    let job = Job { options, disks, reporter: &reporter, progress: &progress, interrupt: &interrupt };
    let result = job.verify(&inputs, io::stdout().lock());
    progress.finish();
    let tally = result?;
    tally.tell(options, &reporter, &interrupt);
    Ok(interrupt.exit().unwrap_or_else(|| reporter.exit()))
}

/// Where a disc is not mounted, nothing is missing.
fn check_root(root: &Path) -> Result<(), Failure> {
    let reason = match root.metadata() {
        Ok(status) if status.is_dir() => return Ok(()),
        Ok(_) => rustix::io::Errno::NOTDIR.into(),
        Err(error) => error,
    };
    Err(Failure::Stop(format!("--root: {}: {}", report::shown(root), report::reason(&reason))))
}

impl Job<'_> {
    fn verify(&self, inputs: &[Input], out: impl Write) -> Result<Tally, Failure> {
        let survey = self.survey(inputs)?;
        if survey.knows_bytes && !self.options.quick {
            self.progress.expect_bytes(survey.bytes);
        }
        let mut output = Output::new(io::BufWriter::with_capacity(1 << 16, out), self.options, survey.is_wide)?;
        let mut tally = Tally { passed_over: survey.passed_over, ..Tally::default() };
        let mut rows = portion::Rows::new(inputs);
        while !self.interrupt.came()
            && let Some(claims) = rows.portion()
        {
            let verdicts = portion::verify(&claims, self)?;
            check_whole(inputs)?;
            for (claim, verdict) in claims.iter().zip(verdicts) {
                let Some(verdict) = verdict else { continue };
                tally.add(claim, &verdict);
                if let Err((reason, detail)) = &verdict.result {
                    self.reporter.failed("verifying", &claim.path, &format!("{}: {detail}", reason.name()));
                }
                output.take(claim, &verdict, &inputs[claim.input])?;
            }
            output.flush()?;
        }
        output.flush()?;
        Ok(tally)
    }

    /// Looks through all records before the first file is touched.
    fn survey(&self, inputs: &[Input]) -> Result<Survey, Failure> {
        let mut survey = Survey { knows_bytes: true, ..Survey::default() };
        for input in inputs {
            let faults = survey.add(input, self.options.skip_bad_lines)?;
            input.table.check_whole()?;
            input.judge(self.reporter)?;
            input.table.judge(&faults, self.reporter)?;
        }
        Ok(survey)
    }
}

fn check_whole(inputs: &[Input]) -> Result<(), Failure> {
    inputs.iter().try_for_each(|input| input.table.check_whole())
}

/// What is known before the first file is touched.
#[derive(Debug, Default)]
struct Survey {
    /// Whether some record has more columns than those of an index.
    is_wide: bool,
    /// How many bytes are to be read.
    bytes: u64,
    /// Whether that is known.
    knows_bytes: bool,
    /// Records that are not for this host to verify.
    passed_over: PassedOver,
}

impl Survey {
    /// # Errors
    /// [`Failure::Stop`] for a record of a host, where it is not known which host this is.
    fn add(&mut self, input: &Input, skip_bad_lines: bool) -> Result<Faults, Failure> {
        let mut faults = Faults::new(skip_bad_lines);
        self.is_wide |= input.table.begins_wide();
        self.knows_bytes &= input.has_sizes;
        for mut part in input.table.parts(1) {
            while let Some((at, row)) = part.next_row() {
                match row {
                    Ok(row) if !input.is_ours(&row, &mut self.passed_over) => {}
                    Ok(row) => {
                        input.refuse_elsewhere(at, &row)?;
                        self.is_wide |= row.dest.is_some() || row.keep.is_some() || row.note.is_some();
                        self.bytes = self.bytes.saturating_add(row.hash.map_or(0, |_| row.size));
                    }
                    Err(_) => faults.push(at),
                }
            }
        }
        Ok(faults)
    }
}

/// What became of the records.
#[derive(Debug, Default)]
struct Tally {
    hold: u64,
    failed: [u64; Reason::ALL.len()],
    unhashed: u64,
    bytes: u64,
    passed_over: PassedOver,
    /// Files that hold and have the number that their records tell, and those that have another one.
    same: u64,
    other: u64,
}

impl Tally {
    fn add(&mut self, claim: &Claim, verdict: &Verdict) {
        let inode = verdict.status.filter(|_| verdict.result.is_ok()).map(|status| status.id.ino);
        if let Some((told, found)) = claim.inode.zip(inode) {
            self.same += u64::from(told == found);
            self.other += u64::from(told != found);
        }
        match &verdict.result {
            Ok(()) => self.hold += 1,
            Err((reason, _)) => self.failed[*reason as usize] += 1,
        }
        self.unhashed += u64::from(claim.hash.is_none());
        self.bytes = self.bytes.saturating_add(verdict.read);
    }

    fn tell(&self, options: &Options, reporter: &Reporter, interrupt: &Interrupt) {
        if self.unhashed > 0 && !options.quick {
            let records = report::count(self.unhashed, "record");
            reporter.warn(&format!("{records} without a hash: only size and time could be compared"));
        }
        let missing = self.failed[Reason::Missing as usize];
        if missing > 1 && self.hold + self.failed.iter().sum::<u64>() == missing {
            reporter.warn(
                "none of the files is there: is their disk mounted? relative paths hold where they were crawled, and \
                 --root DIR says where else",
            );
        }
        // Two computers may well have the same files under the same paths.
        if let Some(host) = options.host.filter(|_| self.same == 0 && self.other > 0) {
            reporter.warn(&format!(
                "--host: not one of these files has the number that its record tells: if this is not the host {host}, what was \
                 verified are other files, and proves nothing about that host"
            ));
        }
        let begin = if interrupt.came() { "interrupted after " } else { "" };
        let records = report::count(self.hold + self.failed.iter().sum::<u64>(), "record");
        let hold = report::number(self.hold);
        let failed = Reason::ALL.iter().zip(self.failed);
        let failed: Vec<String> =
            failed.map(|(reason, count)| format!("{} {}", report::number(count), reason.name())).collect();
        let unhashed = if self.unhashed > 0 {
            format!("; {} without a hash", report::number(self.unhashed))
        } else {
            String::new()
        };
        let next = if missing < self.failed.iter().sum() && guide::is_for_people() {
            "; what to do now: man 7 mediastruct"
        } else {
            ""
        };
        let (read, failed) = (report::bytes(self.bytes), failed.join(", "));
        let others = self.passed_over.told().map(|others| format!("; {others}")).unwrap_or_default();
        reporter.summary(&format!("{begin}{records}: {hold} hold ({read} read), {failed}{unhashed}{others}{next}"));
    }
}
