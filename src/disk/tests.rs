use std::os::unix::fs::symlink;

use super::*;

/// A sysfs of disks that are made up.
struct Made {
    dir: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("directory");
        fs::create_dir_all(dir.path().join("block")).expect("directory");
        fs::create_dir_all(dir.path().join("dev/block")).expect("directory");
        Self { dir }
    }

    /// A whole disk, or a part of one where `name` has a slash.
    fn add(&self, name: &str, number: &str, rotational: Option<&str>) -> PathBuf {
        let device = self.dir.path().join("devices").join(name);
        fs::create_dir_all(device.join("queue")).expect("directory");
        fs::write(device.join("dev"), format!("{number}\n")).expect("number");
        match rotational {
            Some(rotational) => {
                fs::write(device.join("queue/rotational"), format!("{rotational}\n")).expect("attribute");
                symlink(&device, self.dir.path().join("block").join(name)).expect("link");
            }
            None => fs::write(device.join("partition"), "1\n").expect("attribute"),
        }
        symlink(&device, self.dir.path().join("dev/block").join(number)).expect("link");
        device
    }

    fn system(&self) -> System {
        System { sysfs: self.dir.path().into(), mounts: self.dir.path().join("mountinfo") }
    }

    fn ground(&self, device: u64) -> Ground {
        self.system().ground(device, Path::new("/"))
    }
}

fn on(disk: &Path, below: &Path) {
    fs::create_dir_all(disk.join("slaves")).expect("directory");
    symlink(below, disk.join("slaves").join(below.file_name().expect("name"))).expect("link");
}

/// 8:0, as makedev(3) lays out small numbers.
const SDA: Ground = Ground::Spindle(Spindle(8 << 8));

#[test]
fn a_part_of_a_disk_turns_as_the_whole_does() {
    let made = Made::new();
    made.add("sda", "8:0", Some("1"));
    made.add("sda/sda2", "8:2", None);
    made.add("sdb", "8:16", Some("0"));
    assert_eq!(made.ground(makedev(8, 0)), SDA);
    assert_eq!(made.ground(makedev(8, 2)), SDA);
    assert_eq!(made.ground(makedev(8, 16)), Ground::Other);
    assert_eq!(made.ground(makedev(8, 32)), Ground::Other, "unknown");
    assert_eq!(made.system().spindles().len(), 1);
}

#[test]
fn what_is_made_of_disks_turns_if_one_of_them_does() {
    let made = Made::new();
    let part = {
        made.add("sda", "8:0", Some("1"));
        made.add("sda/sda1", "8:1", None)
    };
    let solid = made.add("nvme0n1", "259:0", Some("0"));
    let crypt = made.add("dm-0", "253:0", Some("1"));
    on(&crypt, &part);
    let volume = made.add("dm-1", "253:1", Some("1"));
    on(&volume, &solid);
    on(&volume, &crypt);
    let other = made.add("dm-2", "253:2", Some("1"));
    on(&other, &solid);
    assert_eq!(made.ground(makedev(253, 0)), SDA);
    assert_eq!(made.ground(makedev(253, 1)), SDA);
    assert_eq!(made.ground(makedev(253, 2)), Ground::Other);
    assert_eq!(made.system().spindles().len(), 1, "two volumes on one disk are one");
    // What stands on itself as well comes to an end.
    on(&crypt, &crypt);
    assert_eq!(made.ground(makedev(253, 0)), SDA);
}

#[test]
fn virtual_disks_say_nothing() {
    let made = Made::new();
    let disk = made.add("vda", "254:0", Some("1"));
    fs::create_dir_all(disk.join("device")).expect("directory");
    symlink("../../../bus/virtio/drivers/virtio_blk", disk.join("device/driver")).expect("link");
    assert_eq!(made.ground(makedev(254, 0)), Ground::Other);
    for (number, model) in [(0, "QEMU HARDDISK   "), (16, "VBOX HARDDISK")] {
        let disk = made.add(&format!("sd{number}"), &format!("8:{number}"), Some("1"));
        fs::create_dir_all(disk.join("device")).expect("directory");
        fs::write(disk.join("device/model"), model).expect("model");
        assert_eq!(made.ground(makedev(8, number)), Ground::Other, "{model}");
    }
    assert!(made.system().spindles().is_empty());
}

/// A filesystem without a block device of its own, as the kernel would list the one that the sandbox is on.
#[test]
fn the_mount_tells_of_what_has_no_device_of_its_own() {
    let made = Made::new();
    let path = made.dir.path();
    let status = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).expect("a mount");
    let mounts = |kind: &str, source: &str| {
        let line = format!("{} 1 0:99 / /x rw shared:1 - {kind} {source} rw\n", status.stx_mnt_id);
        fs::write(path.join("mountinfo"), format!("1 1 0:1 / / rw - rootfs none rw\n{line}")).expect("mounts");
        made.system().ground(makedev(0, 99), path)
    };
    for (kind, source) in [("nfs4", "nas:/photos"), ("cifs", "//nas/photos"), ("fuse.sshfs", "nas:")] {
        assert_eq!(mounts(kind, source), Ground::Network, "{kind}");
    }
    for (kind, source) in [("tmpfs", "tmpfs"), ("btrfs", "/dev/null/none"), ("fuse.portal", "portal"), ("zfs", "tank")]
    {
        assert_eq!(mounts(kind, source), Ground::Other, "{kind}");
    }
    // A device that is there on every machine stands for a disk.
    let null = Path::new("/dev/null").metadata().expect("a device").rdev();
    made.add("sda", &format!("{}:{}", major(null), minor(null)), Some("1"));
    assert_eq!(mounts("btrfs", "/dev/null"), Ground::Spindle(Spindle(null)));
}

#[test]
fn threads_are_as_many_as_there_is_use_for() {
    let made = Made::new();
    let processors = Common::default().jobs();
    let jobs = |disks| Hardware::of(disks, made.system()).jobs(&Common::default(), []);
    assert_eq!(jobs(Disks::Auto), processors.max(READERS));
    made.add("sda", "8:0", Some("1"));
    made.add("sdb", "8:16", Some("1"));
    assert_eq!(jobs(Disks::Auto), processors.max(READERS) + 2);
    assert_eq!(jobs(Disks::Solid), processors.max(READERS));
    assert_eq!(jobs(Disks::Rotating), processors);
    assert!(!Hardware::of(Disks::Solid, made.system()).any_spindle());
}

#[test]
fn a_network_has_more_readers() {
    let made = Made::new();
    let path = made.dir.path();
    let hardware = Hardware::of(Disks::Auto, made.system());
    hardware.known.lock().expect("a lock").insert(path.metadata().expect("it is there").dev(), Ground::Network);
    let jobs = |places: &[&Path]| hardware.jobs(&Common::default(), places.iter().copied());
    assert_eq!(jobs(&[path]), Common::default().jobs().max(READERS_OF_A_NETWORK));
    assert_eq!(jobs(&[Path::new("/proc")]), Common::default().jobs().max(READERS));
}
