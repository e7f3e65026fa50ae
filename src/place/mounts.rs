//! The mounts of this process, to see through bind mounts.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::record::decimal;

/// The mounts as `proc_pid_mountinfo(5)` lists them, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    mounts: Vec<Mount>,
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    id: u64,
    /// The mount that this one stands in.
    parent: u64,
    /// `major:minor` of the filesystem.
    device: String,
    /// The directory inside the filesystem that is shown.
    root: PathBuf,
    /// Where it is shown.
    point: PathBuf,
    /// How many names that path has.
    depth: usize,
}

/// A directory by the device number of its filesystem and the path inside it, the same whichever mount leads there.
pub(super) type Inner = (String, PathBuf);

impl Mounts {
    /// Without /proc there are none to be known, and only resolved paths are compared.
    pub(super) fn read() -> Self {
        std::fs::read("/proc/self/mountinfo").map(|text| Self::parse(&text)).unwrap_or_default()
    }

    fn parse(text: &[u8]) -> Self {
        Self { mounts: text.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect() }
    }

    /// The filesystem that holds the resolved path `real`, and the path inside it.
    pub(super) fn inner(&self, real: &Path) -> Option<Inner> {
        let mount = self.over(real)?;
        let below = real.strip_prefix(&mount.point).ok()?;
        Some((mount.device.clone(), mount.root.join(below)))
    }

    /// The mount that shows `real`: what the kernel comes to when it goes from mount to mount down that path.
    fn over(&self, real: &Path) -> Option<&Mount> {
        let above = |mount: &&Mount| leads_to(&mount.point, real);
        let depth = |mount: &&Mount| mount.depth;
        let is_first = |mount: &&Mount| !self.mounts.iter().any(|other| other.id == mount.parent && other != *mount);
        let mut mount = self.mounts.iter().filter(above).filter(is_first).max_by_key(depth)?;
        let inside = |outer: &Mount| {
            let (id, point) = (outer.id, &outer.point);
            let mounts = self.mounts.iter().filter(move |mount| mount.parent == id && mount.id != id);
            mounts.filter(above).filter(|mount| leads_to(point, &mount.point)).min_by_key(depth)
        };
        while let Some(next) = inside(mount) {
            mount = next;
        }
        Some(mount)
    }

    /// All paths that lead to `real`, itself first, and all that lead to a directory in which a mount stands that shows it.
    pub(super) fn ways(&self, real: &Path) -> Vec<PathBuf> {
        let mut ways = vec![real.to_owned()];
        let mut next = 0;
        while let Some(way) = ways.get(next) {
            next += 1;
            let Some((device, path)) = self.inner(way) else { continue };
            for mount in self.mounts.iter().filter(|mount| mount.device == device) {
                let Some(other) = self.way_through(mount, &path) else { continue };
                for found in mount.point.parent().map(Path::to_owned).into_iter().chain([other]) {
                    if !ways.contains(&found) {
                        ways.push(found);
                    }
                }
            }
        }
        ways
    }

    /// The path inside a filesystem as a path through `mount`, if nothing else is mounted in front of it.
    fn way_through(&self, mount: &Mount, path: &Path) -> Option<PathBuf> {
        let way = mount.point.join(path.strip_prefix(&mount.root).ok()?);
        let uncovered = self.inner(&way).is_some_and(|(device, inner)| device == mount.device && inner == path);
        uncovered.then_some(way)
    }
}

impl Mount {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let (id, parent) = (decimal(fields.next()?)?, decimal(fields.next()?)?);
        let device = String::from_utf8(fields.next()?.to_vec()).ok()?;
        let (root, point) = (unescape(fields.next()?), unescape(fields.next()?));
        let depth = point.components().count();
        Some(Self { id, parent, device, root, point, depth })
    }
}

/// Whether a path is that of `above` or lies below it. Both are resolved, so that their bytes can be compared, which is done
/// for each mount and each directory.
fn leads_to(above: &Path, path: &Path) -> bool {
    let (above, path) = (above.as_os_str().as_bytes(), path.as_os_str().as_bytes());
    match path.strip_prefix(above) {
        Some([]) => true,
        Some(below) => below[0] == b'/' || above.ends_with(b"/"),
        None => false,
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
        assert!(mounts.ways(Path::new("/mnt/disc seven/2012")).contains(&PathBuf::from("/Archive/0007/2012")));
    }

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = Mounts::parse(MOUNTS);
        assert_eq!(mounts.inner(Path::new("/Archive/inner/x")), Some(("8:3".into(), PathBuf::from("/x"))));
        assert_eq!(mounts.inner(Path::new("/Archives")), Some(("8:1".into(), PathBuf::from("/Archives"))));
    }

    #[test]
    fn a_filesystem_that_is_seen_twice_stands_in_both_places() {
        let mounts = Mounts::parse(
            b"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /Archive/disc rw - ext4 /dev/b rw\n3 1 8:2 / /mnt rw - ext4 /dev/b rw\n",
        );
        let ways = mounts.ways(Path::new("/mnt/x"));
        for way in ["/mnt/x", "/Archive/disc/x", "/Archive"] {
            assert!(ways.contains(&PathBuf::from(way)), "{way}: {ways:?}");
        }
    }

    #[test]
    fn what_a_later_mount_covers_is_not_seen() {
        let mounts = Mounts::parse(
            b"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /a/b rw - ext4 /dev/b rw\n3 1 8:3 / /a rw - ext4 /dev/c rw\n",
        );
        assert_eq!(mounts.inner(Path::new("/a/b/x")), Some(("8:3".into(), PathBuf::from("/b/x"))));
    }
}
