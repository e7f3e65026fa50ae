//! Copies that stay on another host, where they cannot be looked at: what `ms-verify` has let through there.
//!
//! A proof is a file with the records that `ms-verify` has written on that host. It must not be older than the plan, so that
//! nothing is proved by what was true before the plan was made. After the move, nothing can be looked at again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::dirs::Entry;
use super::facts::Facts;
use super::trouble::Trouble;
use crate::cli::Failure;
use crate::disk;
use crate::plan::{Keeper, Plan, Step};
use crate::record::{ContentHash, FileId, Timestamp};
use crate::report::shown;
use crate::stream::{Held, Table};
use crate::verify::Reason;

const CHECKING: &str = "checking the copy that stays";

/// What is known of copies on other hosts.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// Absent where nothing was given.
    records: Option<Records>,
    /// Which filesystems, by their device number, may be another host's.
    networks: RefCell<HashMap<u64, bool>>,
}

/// The records of those copies that the plan has stay on other hosts, by their paths.
type Records = HashMap<Vec<u8>, Record>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    /// Nothing is said of it.
    Absent,
    Holds {
        hash: ContentHash,
        size: u64,
        id: Option<FileId>,
    },
    /// Its records contradict each other, or say that it does not hold.
    Doubtful,
    /// The plan has its own host move it away.
    Leaves,
}

impl Proof {
    /// What `file` says of the copies that stay on other hosts.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it is no file, cannot be read, has a malformed line, or is older than the plan.
    pub(super) fn read(file: &Path, plan: &Plan) -> Result<Self, Failure> {
        let mut records = Records::new();
        for step in plan.steps() {
            if let Some(keeper) = step?.keeper.filter(Keeper::is_elsewhere) {
                records.insert(keeper.path.as_os_str().as_bytes().to_vec(), Record::Absent);
            }
        }
        let held = Held::open(file.as_os_str())?;
        check_age(held.last_written(), plan.last_written(), file)?;
        let table = Table::of(held)?;
        for mut part in table.parts(1) {
            while let Some((at, row)) = part.next_row() {
                let row = row.map_err(|fault| stop(file, &format!("{}: {fault}", table.describe(at))))?;
                if let Some(known) = records.get_mut(&*row.path_bytes()) {
                    let doubtful = row.hash.is_none() || row.note.is_some_and(Reason::is_named);
                    let holds = row.hash.filter(|_| !doubtful);
                    let told =
                        holds.map_or(Record::Doubtful, |hash| Record::Holds { hash, size: row.size, id: row.id });
                    *known = if *known == Record::Absent || *known == told { told } else { Record::Doubtful };
                }
            }
        }
        table.check_whole()?;
        // Each of two hosts would else move its copy away for that of the other.
        plan.leaving_elsewhere(|path| {
            if let Some(record) = records.get_mut(path) {
                *record = Record::Leaves;
            }
        });
        Ok(Self { records: Some(records), ..Self::default() })
    }

    /// Whether it proves that the copy on another host is what the row of its duplicate says.
    pub(super) fn vouch(&self, keeper: &Keeper, step: &Step, (source, facts): (&Entry, &Facts)) -> Result<(), Trouble> {
        let refused = |reason: &str| Err(Trouble::refused(CHECKING, &keeper.path, reason));
        let Some(records) = &self.records else {
            return refused("it is on another host: --keep-proof FILE takes what ms-verify has let through there");
        };
        let Some(hash) = step.hash else {
            return refused("it is on another host, and the row has no hash by which to know it");
        };
        let id = match records.get(keeper.path.as_os_str().as_bytes()) {
            None | Some(Record::Absent) => return refused("it is on another host, and the proof does not have it"),
            Some(Record::Doubtful) => {
                return refused("it is on another host, and the proof says that it does not hold");
            }
            Some(Record::Leaves) => {
                return refused("it is on another host, and this plan has it leave its place there");
            }
            Some(Record::Holds { hash: proved, size, .. }) if *proved != hash || *size != step.expected.size => {
                return refused("it is on another host, and the proof says that it has another content");
            }
            Some(Record::Holds { id, .. }) => *id,
        };
        // One machine may have been given two names, and another one's disk be mounted here.
        if [id, keeper.id].into_iter().flatten().any(|id| id.on(None) == facts.id) {
            return refused("it has the device and inode number of the file to be moved, and may be that very file");
        }
        if self.is_on_network(source, facts.id.dev) {
            return refused("the file to be moved is on a network filesystem, and may be that very file");
        }
        Ok(())
    }

    fn is_on_network(&self, source: &Entry, device: u64) -> bool {
        let look = || disk::is_on_network(source.dir.location().real());
        *self.networks.borrow_mut().entry(device).or_insert_with(look)
    }
}

/// What is older than the plan proves nothing of the time after it.
fn check_age(proof: Option<Timestamp>, plan: Option<Timestamp>, file: &Path) -> Result<(), Failure> {
    let plan = plan.ok_or_else(|| {
        stop(
            file,
            "a plan that comes through a pipe has no age, so that nobody knows whether this is younger: save it first",
        )
    })?;
    let proof = proof.ok_or_else(|| stop(file, "what comes through a pipe has no age: save it first"))?;
    if proof < plan {
        return Err(stop(file, "it is older than the plan: run ms-verify again on the host of the copies that stay"));
    }
    Ok(())
}

fn stop(file: &Path, problem: &str) -> Failure {
    Failure::Stop(format!("--keep-proof: {}: {problem}", shown(file)))
}
