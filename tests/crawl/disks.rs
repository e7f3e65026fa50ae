//! Disks that turn: one file is read at a time from each, in the order in which it lies there.
//!
//! The disks are files that are mounted by loop devices; that they turn is said by a sysfs that is made up and lies over
//! the kernel's own in a mount namespace.

use super::support::filesystem::{Filesystem, Kind};
use super::support::trace;
use super::support::{Sandbox, needs};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A sandbox with filesystems mounted in it, and a made-up sysfs beside them.
struct Machine {
    sandbox: Sandbox,
    disks: Vec<Filesystem>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // What was mounted last goes first.
        while self.disks.pop().is_some() {}
    }
}

/// Files of each disk, enough for several batches.
const FILES: usize = 150;

impl Machine {
    /// Mounts a disk at each of these names; whether it turns is said beside it. Nothing where this cannot be.
    fn new(disks: &[(&str, bool)]) -> Option<Self> {
        if !needs("unshare") || !needs("strace") {
            return None;
        }
        let sandbox = Sandbox::new();
        let mut machine = Self { sandbox, disks: Vec::new() };
        for (name, turns) in disks {
            let disk = Kind::Ext4.mount_sized(&machine.sandbox.path(name), "32M")?;
            machine.declare(name, disk.at.metadata().expect("a disk").dev(), *turns);
            machine.disks.push(disk);
            // Neither by name nor in the order in which they were made are they in the order of their inodes.
            for number in 0..FILES {
                let file = number * 71 % FILES;
                machine.sandbox.write(format!("{name}/{}/{file}.jpg", file % 7), format!("{name} {}", file / 2));
            }
        }
        Some(machine)
    }

    fn sysfs(&self) -> PathBuf {
        self.sandbox.work().parent().expect("the sandbox").join("sys")
    }

    fn declare(&self, name: &str, device: u64, turns: bool) {
        let name = &name.replace('/', "-");
        let number = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
        let sysfs = self.sysfs();
        let disk = sysfs.join("devices").join(name);
        std::fs::create_dir_all(disk.join("queue")).expect("directory");
        std::fs::write(disk.join("dev"), format!("{number}\n")).expect("attribute");
        std::fs::write(disk.join("queue/rotational"), if turns { "1\n" } else { "0\n" }).expect("attribute");
        for (dir, link, up) in [("block", name, ".."), ("dev/block", &number, "../..")] {
            std::fs::create_dir_all(sysfs.join(dir)).expect("directory");
            let target = format!("{up}/devices/{name}");
            std::os::unix::fs::symlink(target, sysfs.join(dir).join(link)).expect("link");
        }
    }

    /// Runs a command line with the made-up sysfs; gives when which file of which disk was opened and closed.
    fn run(&self, command: &str) -> Vec<Step> {
        let log = trace::log(&self.sandbox);
        let traced = format!("strace -f -qq -y -s 1 -e trace=openat,close -o {} {command}", log.display());
        let script = format!("mount --bind {} /sys && exec {traced}", self.sysfs().display());
        self.sandbox.shell(&format!("unshare --mount sh -c '{script}'")).expect_status(0);
        self.steps(&std::fs::read_to_string(log).expect("the log"))
    }

    /// The openings and closings of files in a log of strace, in its order.
    fn steps(&self, log: &str) -> Vec<Step> {
        let work = self.sandbox.work().canonicalize().expect("real path");
        let mut steps = Vec::new();
        for line in log.lines() {
            let (thread, call) = line.split_once(' ').expect("a thread");
            let call = call.trim_start();
            let opens = call.starts_with("openat(") || call.contains("openat resumed");
            // A file is closed when that begins, and open when that has ended.
            let path = match call.strip_prefix("close(") {
                Some(closed) => closed.split_once('<').and_then(|(_, rest)| rest.split_once('>')),
                None if opens => call
                    .rsplit_once(" = ")
                    .and_then(|(_, result)| result.split_once('<').and_then(|(_, rest)| rest.split_once('>'))),
                None => None,
            };
            let Some(below) = path.and_then(|(path, _)| Path::new(path).strip_prefix(&work).ok()) else { continue };
            if below.extension().is_some_and(|extension| extension == "jpg") {
                let disk = below.iter().next().and_then(|name| name.to_str()).expect("a disk").to_owned();
                steps.push(Step { thread: thread.to_owned(), disk, path: work.join(below), opens });
            }
        }
        steps
    }
}

struct Step {
    thread: String,
    disk: String,
    path: PathBuf,
    opens: bool,
}

/// All files of these disks were opened in the order of their inodes, never two of one disk at a time.
#[track_caller]
fn expect_in_turn(steps: &[Step], disks: &[&str]) {
    for disk in disks {
        let inodes = opened_one_by_one(steps, disk);
        assert_eq!(inodes.len(), FILES, "{disk}");
        assert!(inodes.is_sorted(), "{disk}: {inodes:?}");
    }
}

#[track_caller]
fn opened_one_by_one(steps: &[Step], disk: &str) -> Vec<u64> {
    let mut inodes = Vec::new();
    let mut open = 0;
    for step in steps.iter().filter(|step| step.disk == disk) {
        open = if step.opens { open + 1 } else { open - 1 };
        assert!((0..=1).contains(&open), "{}: two files are open", step.path.display());
        if step.opens {
            inodes.push(step.path.metadata().expect("a file").ino());
        }
    }
    inodes
}

#[test]
fn one_file_is_read_at_a_time_from_each_disk_that_turns() {
    let Some(machine) = Machine::new(&[("one", true), ("two", true), ("solid", false)]) else { return };
    let steps = machine.run("ms-crawl -q -j 6 one two solid");
    expect_in_turn(&steps, &["one", "two"]);
    assert_eq!(steps.iter().filter(|step| step.disk == "solid" && step.opens).count(), FILES);
}

/// Files are found in the middle of another walk as well.
#[test]
fn a_disk_that_is_mounted_below_an_operand_is_read_in_turn() {
    let Some(machine) = Machine::new(&[("solid", false), ("solid/inner", true)]) else { return };
    let steps = machine.run("ms-crawl -q -j 4 solid");
    let inner: Vec<Step> = steps
        .into_iter()
        .filter(|step| step.path.iter().any(|name| name == "inner"))
        .map(|step| Step { disk: "inner".into(), ..step })
        .collect();
    expect_in_turn(&inner, &["inner"]);
}

#[test]
fn candidates_for_duplicates_are_read_in_turn() {
    let Some(machine) = Machine::new(&[("one", true), ("two", true)]) else { return };
    let steps = machine.run("ms-crawl -q -j 4 --hash dups one two");
    expect_in_turn(&steps, &["one", "two"]);
}

#[test]
fn an_index_is_verified_and_a_drop_ingested_in_turn() {
    let Some(machine) = Machine::new(&[("one", true), ("two", true)]) else { return };
    machine.sandbox.shell("ms-crawl -q one two >index").expect_status(0);
    let verified = machine.run("ms-verify -q -j 4 index");
    let ingested = machine.run("ms-ingest -q -j 4 --to photos one two");
    expect_in_turn(&verified, &["one", "two"]);
    expect_in_turn(&ingested, &["one", "two"]);
}

/// Whatever the system says.
#[test]
fn it_can_be_said_what_a_disk_is() {
    let Some(machine) = Machine::new(&[("one", true), ("two", false)]) else { return };
    let steps = machine.run("ms-crawl -q -j 4 --disks rotating two");
    expect_in_turn(&steps, &["two"]);
    // One thread takes a batch at a time, and others take the next ones.
    let steps = machine.run("ms-crawl -q -j 4 --disks solid one");
    let threads: std::collections::HashSet<&str> = steps.iter().map(|step| &*step.thread).collect();
    assert!(threads.len() > 1, "one of four threads read it all");
}

#[test]
fn what_is_found_does_not_depend_on_the_disks() {
    let sandbox = Sandbox::new();
    for number in 0..300 {
        sandbox.write(format!("d/{}/{number}", number % 11), format!("{}", number / 3));
    }
    sandbox.write("d/large", vec![7; 70 << 20]);
    std::os::unix::fs::symlink("../1", sandbox.path("d/2/link")).expect("link");
    for more in [&[][..], &["--hash", "dups"], &["--hash", "none"], &["-L"], &["-L", "--hash", "dups"], &["-x"]] {
        let crawl = |disks| {
            let args = [&["--sort", "-q", "--disks", disks], more, &["d", "d/1/1"]].concat();
            sandbox.run("ms-crawl", &args, b"").expect_status(0).expect_stderr("").stdout
        };
        assert_eq!(crawl("rotating"), crawl("solid"), "{more:?}");
    }
    sandbox.run("ms-crawl", &["--disks", "fast"], b"").expect_status(2).expect_stderr("--disks: \"fast\"");
}
