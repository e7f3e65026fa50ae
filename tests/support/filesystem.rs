//! Real filesystems: made in sparse images, mounted for one test, and taken away after it.

use super::{Mount, is_root, needs, skip};
use rustix::fs::{RenameFlags, renameat_with};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A kind of filesystem that photos are found on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ext4,
    Xfs,
    Btrfs,
    Tmpfs,
    /// With both layers on one tmpfs.
    Overlay,
    /// By the kernel's driver only. The one server for FUSE that can write, fusefat, loops for ever now and then.
    Vfat,
    /// By the kernel's driver, else by FUSE.
    Exfat,
}

/// A mounted filesystem.
pub struct Filesystem {
    pub at: PathBuf,
    /// What was mounted last goes first.
    mounts: Vec<Mount>,
    /// For one that is in an image, the image and who reads it.
    image: Option<(PathBuf, Driver)>,
}

impl Filesystem {
    /// Whether it is served from outside the kernel.
    pub fn is_fuse(&self) -> bool {
        matches!(self.image, Some((_, Driver::FuseExfat)))
    }

    /// Unplugs the disk.
    pub fn unplug(&mut self) {
        assert!(self.image.is_some(), "this would be lost");
        let at = self.mounts.pop().expect("it is plugged in").taken();
        let umount = || Command::new("umount").arg(&at).stderr(Stdio::null()).status().expect("umount(8)").success();
        assert!((0..100).any(|_| umount() || rest()), "umount {}", at.display());
        if self.is_fuse() {
            // Its server writes what is left, and lets go of the image, after that.
            let (image, _) = self.image.as_ref().expect("an image");
            assert!((0..500).any(|_| !is_served(image) || rest()), "the server of {} goes on", image.display());
        }
    }

    /// Plugs it in again.
    pub fn plug_in(&mut self) {
        let (image, driver) = self.image.as_ref().expect("an image");
        self.mounts.push(driver.mount(image, &self.at));
    }

    pub fn remount(&self, options: &str) -> bool {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.at).stderr(Stdio::null()).status();
        status.expect("mount(8)").success()
    }
}

/// Waits a moment before something is tried again.
pub fn rest() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(20));
    false
}

/// Whether a process or a loop device still has an image open.
fn is_served(image: &Path) -> bool {
    let loops = Command::new("losetup").arg("-j").arg(image).output().expect("losetup(8)");
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    let has_it_open = |process: PathBuf| {
        let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        open.filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|target| target == image)
    };
    !loops.stdout.is_empty() || processes.flatten().any(|process| has_it_open(process.path()))
}

impl Drop for Filesystem {
    fn drop(&mut self) {
        while self.mounts.pop().is_some() {}
    }
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Ext4, Self::Xfs, Self::Btrfs, Self::Tmpfs, Self::Overlay, Self::Vfat, Self::Exfat];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Tmpfs => "tmpfs",
            Self::Overlay => "overlay",
            Self::Vfat => "vfat",
            Self::Exfat => "exfat",
        }
    }

    /// Whether it is a filesystem of Unix, which keeps every name, mode, time, link and attribute.
    pub fn is_native(self) -> bool {
        !matches!(self, Self::Vfat | Self::Exfat)
    }

    /// Mounts a fresh one at `at`, its image in a tmpfs beside that. Nothing, after a loud line, where this cannot be: a missing
    /// program is a failure in CI, a kernel without the filesystem is not.
    pub fn mount(self, at: &Path) -> Option<Filesystem> {
        self.mount_sized(at, "512M")
    }

    /// As [`Kind::mount`]; `size` as truncate(1) takes it.
    pub fn mount_sized(self, at: &Path, size: &str) -> Option<Filesystem> {
        if !is_root() {
            skip("mounting a filesystem needs root");
            return None;
        }
        match self {
            Self::Tmpfs => {
                let mounts = vec![Mount::tmpfs(&format!("size={size}"), at)];
                return Some(Filesystem { at: at.to_owned(), mounts, image: None });
            }
            Self::Overlay => return overlay(at, &format!("size={size}")),
            _ => {}
        }
        let driver = self.driver()?;
        let maker = self.maker();
        if !needs(maker[0]) {
            return None;
        }
        // In memory, where what is synced costs no time.
        let base = at.with_extension("base");
        let below = Mount::tmpfs("size=1g", &base);
        let image = base.join("image");
        std::fs::File::create(&image).expect("image");
        run(Command::new("truncate").args(["-s", size]).arg(&image));
        run(Command::new(maker[0]).args(&maker[1..]).arg(&image));
        Some(Filesystem {
            at: at.to_owned(),
            mounts: vec![below, driver.mount(&image, at)],
            image: Some((image, driver)),
        })
    }

    fn maker(self) -> &'static [&'static str] {
        match self {
            Self::Ext4 => &["mkfs.ext4", "-q", "-E", "lazy_itable_init=1"],
            Self::Xfs => &["mkfs.xfs", "-q"],
            Self::Btrfs => &["mkfs.btrfs", "-q"],
            Self::Vfat => &["mkfs.vfat", "-F", "32"],
            Self::Exfat => &["mkfs.exfat"],
            Self::Tmpfs | Self::Overlay => unreachable!("these have no image"),
        }
    }

    fn driver(self) -> Option<Driver> {
        let fuse = match self {
            _ if kernel_knows(self.name()) => return Some(Driver::Kernel(self)),
            Self::Exfat => Driver::FuseExfat,
            _ => {
                missing(self.name());
                return None;
            }
        };
        if !kernel_knows("fuse") {
            missing(self.name());
            return None;
        }
        needs(fuse.program()).then_some(fuse)
    }
}

/// Whoever reads and writes an image.
#[derive(Debug, Clone, Copy)]
enum Driver {
    Kernel(Kind),
    FuseExfat,
}

impl Driver {
    fn program(self) -> &'static str {
        match self {
            Self::Kernel(_) => "mount",
            Self::FuseExfat => "mount.exfat-fuse",
        }
    }

    fn mount(self, image: &Path, at: &Path) -> Mount {
        std::fs::create_dir_all(at).expect("mount point");
        match self {
            Self::Kernel(kind) => {
                let options = if kind == Kind::Vfat { "loop,utf8" } else { "loop" };
                let args = ["-t", kind.name(), "-o", options].map(OsStr::new);
                Mount::new(&[&args[..], &[image.as_os_str()]].concat(), at)
            }
            Self::FuseExfat => {
                let device =
                    Command::new("losetup").args(["--find", "--show"]).arg(image).output().expect("losetup(8)");
                assert!(device.status.success(), "losetup: {}", String::from_utf8_lossy(&device.stderr));
                let device = OsStr::from_bytes(device.stdout.trim_ascii_end()).to_owned();
                let mounted = Command::new("mount.exfat-fuse").arg(&device).arg(at).stdout(Stdio::null()).status();
                // From now on it lasts only as long as it is in use.
                run(Command::new("losetup").arg("--detach").arg(&device));
                assert!(mounted.is_ok_and(|status| status.success()), "mount.exfat-fuse");
                Mount::made(at)
            }
        }
    }
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether the kernel has a filesystem built in, or as a module that it may load.
pub fn kernel_knows(name: &str) -> bool {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let is_listed = |text: &str| text.lines().any(|line| line.split_whitespace().next_back() == Some(name));
    is_listed(&known) || {
        let loaded = Command::new("modprobe").arg("-q").arg(name).stderr(Stdio::null()).status();
        loaded.is_ok_and(|status| status.success())
            && is_listed(&std::fs::read_to_string("/proc/filesystems").unwrap_or_default())
    }
}

/// No program can be installed for what a kernel lacks, so this is loud, but no failure in CI either.
pub fn missing(what: &str) {
    eprintln!("SKIPPED: this kernel has no {what}");
}

/// An overlay at `at`, both of its layers on one fresh tmpfs.
fn overlay(at: &Path, options: &str) -> Option<Filesystem> {
    if !kernel_knows("overlay") {
        missing("overlay");
        return None;
    }
    let base = at.with_extension("base");
    let below = Mount::tmpfs(options, &base);
    Some(Filesystem { at: at.to_owned(), mounts: vec![below, overlay_of(&base, &base, at)], image: None })
}

/// An overlay of `LOWER/lower` and `UPPER/upper`.
pub fn overlay_of(lower: &Path, upper: &Path, at: &Path) -> Mount {
    let [lower, upper, scratch] = [lower.join("lower"), upper.join("upper"), upper.join("scratch")];
    for dir in [&lower, &upper, &scratch] {
        std::fs::create_dir_all(dir).expect("layer");
    }
    let options = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), scratch.display());
    Mount::new(&["-t", "overlay", "-o", &options, "overlay"].map(AsRef::as_ref), at)
}

/// What a filesystem can do, found out by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is there or not")]
pub struct Abilities {
    pub hard_links: bool,
    pub attributes: bool,
    pub modes: bool,
    pub case: bool,
    pub noreplace: bool,
    /// A time of 123,456,789 nanoseconds after an odd second came back the same.
    pub nanoseconds: bool,
}

impl Abilities {
    pub fn of(dir: &Path) -> Self {
        let scratch = tempfile::Builder::new().prefix("abilities-").tempdir_in(dir).expect("scratch");
        let file = scratch.path().join("file");
        std::fs::write(&file, "x").expect("write");
        let other = scratch.path().join("other");
        let hard_links = std::fs::hard_link(&file, &other).is_ok();
        let attributes = rustix::fs::setxattr(&file, "user.x", b"y", rustix::fs::XattrFlags::empty()).is_ok();
        let chmod = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640));
        let mode = || file.metadata().expect("metadata").mode() & 0o777;
        let modes = chmod.is_ok() && mode() == 0o640;
        super::set_mtime(&file, 1_000_000_001, 123_456_789);
        let meta = file.metadata().expect("metadata");
        let nanoseconds = (meta.mtime(), meta.mtime_nsec()) == (1_000_000_001, 123_456_789);
        let case = scratch.path().join("FILE").symlink_metadata().is_err();
        let moved = scratch.path().join("moved");
        let noreplace = renameat_with(rustix::fs::CWD, &file, rustix::fs::CWD, &moved, RenameFlags::NOREPLACE).is_ok();
        Self { hard_links, attributes, modes, case, noreplace, nanoseconds }
    }
}

/// Whether a file of this name can be made in `dir`, under just this name.
pub fn takes_name(dir: &Path, name: &OsStr) -> bool {
    let scratch = tempfile::Builder::new().prefix("names-").tempdir_in(dir).expect("scratch");
    let made = std::fs::File::create_new(scratch.path().join(name)).is_ok();
    made && std::fs::read_dir(scratch.path())
        .expect("scratch")
        .any(|entry| entry.is_ok_and(|entry| entry.file_name() == name))
}
