//! What a filesystem is on: a disk that turns, a network, or neither. How many files are read from it at a time follows.
//!
//! A disk that turns reads little while its arm moves, and two readers send the arm to and fro between them; from each
//! such disk one file is read at a time. A network answers many questions in the time of one. What the kernel says of
//! disks stands in sysfs (Documentation/ABI/stable/sysfs-block); what it says of mounts, in `proc_pid_mountinfo(5)`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lexopt::Parser;
use rustix::fs::{AtFlags, CWD, StatxFlags, major, makedev, minor, statx};

use crate::cli::{self, Common, Failure};
use crate::place;

/// What disks are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disks {
    /// For what the system says they are.
    #[default]
    Auto,
    /// One that turns under each filesystem.
    Rotating,
    /// None turns.
    Solid,
}

impl Disks {
    /// Takes `--disks`; `false` for any other option.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a value that does not do.
    pub fn take(&mut self, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
        if option != "--disks" {
            return Ok(false);
        }
        let words = [("auto", Self::Auto), ("rotating", Self::Rotating), ("solid", Self::Solid)];
        *self = cli::choose(option, &parser.value()?, &words)?;
        Ok(true)
    }
}

/// A disk that turns, by its device number; where any is taken for one, by that of the filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spindle(u64);

/// A filesystem on a disk that turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) spindle: Spindle,
    /// Of the filesystem.
    pub(crate) device: u64,
}

/// What a filesystem is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    Spindle(Spindle),
    Network,
    Other,
}

/// Tells what filesystems are on.
#[derive(Debug)]
pub(crate) struct Hardware {
    disks: Disks,
    system: System,
    /// All disks of this machine that turn.
    spindles: BTreeSet<Spindle>,
    /// By the device number of the filesystem.
    known: Mutex<HashMap<u64, Ground>>,
}

/// Readers at least, whatever the number of processors: a disk that does not turn answers several at once. Of two
/// processors, eight threads took two thirds of the time of two where nothing was in memory, and the same where all was.
const READERS: usize = 8;

/// With a network between: with 1 ms more for each opening and reading, sixteen took a quarter of the time of two.
const READERS_OF_A_NETWORK: usize = 16;

/// With more disks than this the processors, and not the disks, are what is scarce.
const MOST_SPINDLES: usize = 16;

/// Places that are looked at to see whether one is on a network.
const PLACES: usize = 64;

impl Hardware {
    pub(crate) fn new(disks: Disks) -> Self {
        Self::of(disks, System::default())
    }

    fn of(disks: Disks, system: System) -> Self {
        let spindles = if disks == Disks::Auto { system.spindles() } else { BTreeSet::new() };
        Self { disks, system, spindles, known: Mutex::default() }
    }

    /// Whether any disk may turn. If not, nothing is on one.
    pub(crate) fn any_spindle(&self) -> bool {
        self.disks == Disks::Rotating || !self.spindles.is_empty()
    }

    /// The disk that turns under the filesystem `device`, in which `path` lies.
    pub(crate) fn place(&self, device: u64, path: &Path) -> Option<Place> {
        if !self.any_spindle() {
            return None;
        }
        match self.ground(device, path) {
            Ground::Spindle(spindle) => Some(Place { spindle, device }),
            Ground::Network | Ground::Other => None,
        }
    }

    /// The disk that turns under `path`.
    pub(crate) fn place_of(&self, path: &Path) -> Option<Place> {
        if !self.any_spindle() {
            return None;
        }
        self.place(path.metadata().ok()?.dev(), path)
    }

    /// Divides things by the disk that turns under each, and behind them those under which none does, all in their order.
    pub(crate) fn divide<'p, T>(&self, things: Vec<T>, path: impl Fn(&T) -> &'p Path) -> (Vec<Vec<T>>, Vec<T>) {
        if !self.any_spindle() {
            return (Vec::new(), things);
        }
        let (mut lanes, mut others) = (BTreeMap::<Spindle, Vec<T>>::new(), Vec::new());
        let mut last: Option<(PathBuf, Option<Place>)> = None;
        for thing in things {
            // Neighbours lie on one disk.
            let dir = place::parent(path(&thing));
            let place = match &last {
                Some((known, place)) if known == dir => *place,
                _ => last.insert((dir.to_path_buf(), self.place_of(dir))).1,
            };
            place.map_or(&mut others, |place| lanes.entry(place.spindle).or_default()).push(thing);
        }
        (lanes.into_values().collect(), others)
    }

    fn ground(&self, device: u64, path: &Path) -> Ground {
        if self.disks == Disks::Rotating {
            return Ground::Spindle(Spindle(device));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(device).or_insert_with(|| self.system.ground(device, path))
    }

    /// How many threads are to read: as many as were asked for, else one for each processor and [`READERS`] at least, more
    /// where one of the first `places` is on a network, and one more for each disk that turns, which it waits for.
    pub(crate) fn jobs<'p>(&self, common: &Common, places: impl IntoIterator<Item = &'p Path>) -> usize {
        let jobs = common.jobs();
        if common.asks_for_jobs() || self.disks == Disks::Rotating {
            return jobs;
        }
        let on_network =
            |path: &Path| path.metadata().is_ok_and(|status| self.ground(status.dev(), path) == Ground::Network);
        let readers = match self.disks {
            Disks::Auto if places.into_iter().take(PLACES).any(on_network) => READERS_OF_A_NETWORK,
            _ => READERS,
        };
        cli::limited(jobs.max(readers) + self.spindles.len().min(MOST_SPINDLES))
    }
}

/// Whether what lies at `path` may be on another machine. Where it is not known what is mounted there, the filesystem's own
/// number tells (statfs(2)), and FUSE may be anything.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "all magic numbers have 32 bits")]
#[allow(clippy::unnecessary_cast, reason = "the field has another type on other architectures")]
pub(crate) fn is_on_network(path: &Path) -> bool {
    const NETWORKS: [u32; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x6573_5546];
    match System::default().mount(path) {
        Some((kind, _)) => is_network(&kind),
        None => rustix::fs::statfs(path).is_ok_and(|found| NETWORKS.contains(&(found.f_type as u32))),
    }
}

/// Where the kernel tells of disks and mounts.
#[derive(Debug)]
struct System {
    sysfs: PathBuf,
    mounts: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        Self { sysfs: "/sys".into(), mounts: "/proc/self/mountinfo".into() }
    }
}

/// Disks upon disks (a volume of LVM on an array of encrypted disks) are followed so far.
const DEEPEST: usize = 8;

impl System {
    fn spindles(&self) -> BTreeSet<Spindle> {
        let disks = fs::read_dir(self.sysfs.join("block")).into_iter().flatten().flatten();
        disks.filter_map(|disk| spindle_of(&disk.path().canonicalize().ok()?, DEEPEST)).collect()
    }

    fn ground(&self, device: u64, path: &Path) -> Ground {
        // Without a block device of its own (btrfs, fuseblk, all networks), the mount tells.
        if major(device) != 0 {
            return self.block_device(device);
        }
        let Some((kind, source)) = self.mount(path) else { return Ground::Other };
        if is_network(&kind) {
            return Ground::Network;
        }
        let source = source.starts_with("/dev/").then(|| Path::new(&source).metadata().ok()).flatten();
        source.map_or(Ground::Other, |status| self.block_device(status.rdev()))
    }

    fn block_device(&self, device: u64) -> Ground {
        let link = self.sysfs.join(format!("dev/block/{}:{}", major(device), minor(device)));
        let spindle = link.canonicalize().ok().and_then(|dir| spindle_of(&dir, DEEPEST));
        spindle.map_or(Ground::Other, Ground::Spindle)
    }

    /// The type and the source of the mount that shows `path`.
    fn mount(&self, path: &Path) -> Option<(String, String)> {
        let status = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        let known = StatxFlags::from_bits_retain(status.stx_mask).contains(StatxFlags::MNT_ID);
        let id = known.then(|| status.stx_mnt_id.to_string())?;
        let mounts = fs::read(&self.mounts).ok()?;
        let mounts = String::from_utf8_lossy(&mounts);
        let line = mounts.lines().find(|line| line.split(' ').next() == Some(&id))?;
        let (_, after) = line.split_once(" - ")?;
        let mut fields = after.split(' ');
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    }
}

/// The disk that turns under a block device, whose directory in sysfs is `device`: itself, the whole of which it is a
/// part, or the first of those that it is made of.
fn spindle_of(device: &Path, depth: usize) -> Option<Spindle> {
    let whole = if device.join("partition").exists() { device.parent()? } else { device };
    let below = fs::read_dir(whole.join("slaves")).into_iter().flatten().flatten();
    let mut below = below.filter_map(|disk| disk.path().canonicalize().ok()).peekable();
    if below.peek().is_some() {
        let depth = depth.checked_sub(1)?;
        return below.filter_map(|disk| spindle_of(&disk, depth)).min();
    }
    let turns = line_of(&whole.join("queue/rotational"))? == "1" && !is_virtual(whole);
    let number = line_of(&whole.join("dev"))?;
    let (major, minor) = number.split_once(':')?;
    turns.then_some(Spindle(makedev(major.parse().ok()?, minor.parse().ok()?)))
}

/// What virtual machines are given says that it turns, whatever it is on: by its driver, or by who made it.
fn is_virtual(disk: &Path) -> bool {
    let driver = fs::read_link(disk.join("device/driver")).ok();
    let driver = driver.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let made_by = |attribute: &str| {
        let maker = line_of(&disk.join("device").join(attribute)).unwrap_or_default();
        ["QEMU", "VMware", "VBOX", "Msft", "Virtual", "Google", "Amazon"].iter().any(|name| maker.starts_with(name))
    };
    matches!(driver, Some("virtio_blk" | "vbd")) || made_by("vendor") || made_by("model")
}

/// Types of filesystems that are somewhere else, as mountinfo names them.
fn is_network(kind: &str) -> bool {
    let kinds = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs", "lustre", "davfs", "glusterfs"];
    let in_fuse = ["sshfs", "rclone", "glusterfs", "ceph", "s3fs", "gcsfuse", "davfs", "smbnetfs", "curlftpfs"];
    let below = kind.strip_prefix("fuse.").unwrap_or_default();
    kinds.contains(&kind) || in_fuse.contains(&below)
}

fn line_of(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests;
