//! The mounts of this process, to see through bind mounts.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags};

/// The mounts as `proc_pid_mountinfo(5)` lists them, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    mounts: Vec<Mount>,
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// The number of the mount.
    id: u64,
    /// `major:minor` of the filesystem.
    device: String,
    /// The directory inside the filesystem that is shown.
    root: PathBuf,
    /// Where it is shown.
    point: PathBuf,
}

impl Mounts {
    /// Without /proc there are none to be known, and only resolved paths are compared.
    pub(super) fn read() -> Self {
        std::fs::read("/proc/self/mountinfo").map(|text| Self::parse(&text)).unwrap_or_default()
    }

    fn parse(text: &[u8]) -> Self {
        Self { mounts: text.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect() }
    }

    /// The filesystem that holds the resolved path `real`, and the path inside it.
    pub(super) fn inner(&self, real: &Path) -> Option<(String, PathBuf)> {
        let mount = self.over(real)?;
        let below = real.strip_prefix(&mount.point).ok()?;
        Some((mount.device.clone(), mount.root.join(below)))
    }

    /// The mount that shows `real`: the one that the kernel names, since one that lies deeper may be hidden under another.
    /// Where it names none, the last made one of those at the deepest mount point above.
    fn over(&self, real: &Path) -> Option<&Mount> {
        let above = || self.mounts.iter().filter(|mount| real.starts_with(&mount.point));
        let named = number_of(real).and_then(|id| above().find(|mount| mount.id == id));
        named.or_else(|| above().max_by_key(|mount| mount.point.components().count()))
    }

    /// The other paths of `real`: through each mount that shows it too. What lies above them may not lie above `real`.
    pub(super) fn other_ways(&self, real: &Path) -> Vec<PathBuf> {
        let Some(own) = self.over(real) else { return Vec::new() };
        let Some((device, path)) = self.inner(real) else { return Vec::new() };
        let others = self.mounts.iter().filter(|mount| mount.device == device && mount.id != own.id);
        others.filter_map(|mount| self.way_through(mount, &path)).collect()
    }

    /// The path inside a filesystem as a path through `mount`, if nothing else is mounted in front of it.
    fn way_through(&self, mount: &Mount, path: &Path) -> Option<PathBuf> {
        let way = mount.point.join(path.strip_prefix(&mount.root).ok()?);
        let uncovered = self.inner(&way).is_some_and(|(device, inner)| device == mount.device && inner == path);
        uncovered.then_some(way)
    }
}

/// The number of the mount that a path leads to (`STATX_MNT_ID`, Linux 5.8).
fn number_of(path: &Path) -> Option<u64> {
    let found = rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID).ok()?;
    (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
}

impl Mount {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let id = String::from_utf8_lossy(fields.next()?).parse().ok()?;
        let mut fields = fields.skip(1);
        let device = String::from_utf8(fields.next()?.to_vec()).ok()?;
        Some(Self { id, device, root: unescape(fields.next()?), point: unescape(fields.next()?) })
    }
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = rest {
            bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"1 0 8:1 / / rw - ext4 /dev/a rw\n\
        2 1 8:2 / /Archive rw - ext4 /dev/b rw\n\
        3 1 8:2 /0007 /mnt/disc\\040seven rw - ext4 /dev/b rw\n\
        4 2 8:3 / /Archive/inner rw - ext4 /dev/c rw\n";

    #[test]
    fn a_bind_mount_of_a_subdirectory_is_seen_through() {
        let mounts = Mounts::parse(MOUNTS);
        let inner = mounts.inner(Path::new("/mnt/disc seven/2012"));
        assert_eq!(inner, Some(("8:2".into(), PathBuf::from("/0007/2012"))));
        assert_eq!(mounts.other_ways(Path::new("/mnt/disc seven/2012")), [PathBuf::from("/Archive/0007/2012")]);
    }

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = Mounts::parse(MOUNTS);
        assert_eq!(mounts.inner(Path::new("/Archive/inner/x")), Some(("8:3".into(), PathBuf::from("/x"))));
        assert_eq!(mounts.inner(Path::new("/Archives")), Some(("8:1".into(), PathBuf::from("/Archives"))));
    }
}
