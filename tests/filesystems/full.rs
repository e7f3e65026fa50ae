//! No room left: on the disk, within a quota, for the journal.

use crate::support;

use rustix::fs::{FallocateFlags, fallocate};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;
use support::filesystem::Kind;
use support::plan::{Row, mv, plan, undo, undo_everything};
use support::{Mount, Sandbox, needs_root, snapshot};

const NONE: &[&str] = &[];

/// Takes all the room there is: at once, where the filesystem can give it without being written to, and then by writing.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).expect("filler");
    let mut length = 0;
    for step in [64, 16, 4, 1_u64].map(|step| step << 20) {
        while fallocate(&file, FallocateFlags::empty(), length, step).is_ok() {
            length += step;
        }
    }
    file.seek(SeekFrom::End(0)).expect("the end");
    for chunk in [vec![0x5a; 1 << 20], vec![0x5a; 4096]] {
        while file.write_all(&chunk).is_ok() {}
    }
    // What is still in memory may not find room either.
    file.sync_all().unwrap_or(());
}

/// Moves a file for which there is no room and one for which there is; `make_room` lets the first go, too.
#[track_caller]
fn check_no_room(sandbox: &Sandbox, dest: &str, reason: &str, make_room: impl FnOnce()) {
    sandbox.write("home/big", (0..4 << 20).map(|i: u32| i.to_le_bytes()[1]).collect::<Vec<_>>());
    sandbox.write("home/small", "small");
    let before = snapshot(&sandbox.path("home"));
    let there = snapshot(&sandbox.path(dest));
    let rows = ["big", "small"].map(|name| Row::new(sandbox, format!("home/{name}"), format!("{dest}/new/{name}")));
    let outcome = mv(sandbox, NONE, &rows).expect_status(1).expect_stderr("home/big: copying to");
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    assert!(sandbox.exists("home/big"));
    let mut now = snapshot(&sandbox.path(dest));
    now.retain(|path, seen| !there.contains_key(path) && seen.kind == 'f');
    let names: Vec<_> = now.keys().collect();
    assert!(names.len() <= 1 && names.iter().all(|name| name.ends_with("new/small")), "half-done: {names:?}");

    make_room();
    mv(sandbox, NONE, &rows).expect_status(0);
    assert_eq!(sandbox.read(format!("{dest}/new/small")), b"small");
    assert!(sandbox.read(format!("{dest}/new/big")) == before[Path::new("big")].content);
    undo_everything(sandbox);
    assert!(snapshot(&sandbox.path("home")) == before, "not as at the start");
}

#[test]
fn a_full_disk_keeps_nothing_half_done_and_the_plan_goes_on_when_there_is_room() {
    let small = [
        (Kind::Ext4, "16M"),
        (Kind::Xfs, "300M"),
        (Kind::Btrfs, "128M"),
        (Kind::Tmpfs, "8M"),
        (Kind::Overlay, "8M"),
        (Kind::Vfat, "40M"),
        (Kind::Exfat, "16M"),
    ];
    for (kind, size) in small {
        let sandbox = Sandbox::new();
        let Some(disk) = kind.mount_sized(&sandbox.path("disk"), size) else {
            continue;
        };
        let filler = sandbox.path("disk/filler");
        fill(&filler);
        // Room for a directory and the small file, on most filesystems.
        let length = filler.metadata().expect("filler").len();
        let file = std::fs::File::options().write(true).open(&filler).expect("filler");
        file.set_len(length.saturating_sub(1 << 20)).and_then(|()| file.sync_all()).expect("a little room");
        drop(file);
        check_no_room(&sandbox, "disk", "No space left", || std::fs::remove_file(&filler).expect("room"));
        drop(disk);
    }
}

#[test]
fn a_quota_keeps_nothing_half_done_and_the_plan_goes_on_when_it_is_raised() {
    let sandbox = Sandbox::new();
    let Some(_disk) = Kind::Btrfs.mount(&sandbox.path("disk")) else {
        return;
    };
    let btrfs = |args: &[&str], path: &str| {
        let output = Command::new("btrfs").args(args).arg(sandbox.path(path)).output().expect("btrfs(8)");
        assert!(output.status.success(), "btrfs {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    btrfs(&["quota", "enable"], "disk");
    btrfs(&["subvolume", "create"], "disk/limited");
    btrfs(&["qgroup", "limit", "2M"], "disk/limited");
    check_no_room(&sandbox, "disk/limited", "quota", || btrfs(&["qgroup", "limit", "none"], "disk/limited"));
}

#[test]
fn a_journal_that_finds_no_room_at_the_start_lets_nothing_move() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let rows = (0..100).map(|i| {
        sandbox.write(format!("from/{i}"), "photo");
        Row::new(&sandbox, format!("from/{i}"), format!("to/{i}"))
    });
    let rows: Vec<_> = rows.collect();
    let before = snapshot(&sandbox.work());
    let _state = Mount::tmpfs("size=8k", &sandbox.state());
    mv(&sandbox, NONE, &rows).expect_status(2).expect_stderr("writing the journal");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_journal_that_finds_no_room_in_the_middle_stops_the_run_which_can_be_gone_on_with_and_undone() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let rows = (0..600).map(|i| {
        sandbox.write(format!("from/{i:03}"), format!("photo {i}"));
        Row::new(&sandbox, format!("from/{i:03}"), format!("to/{i:03}"))
    });
    let rows: Vec<_> = rows.collect();
    let before = snapshot(&sandbox.work());
    // The rows take some more in the journal, where their paths are absolute; its lines of what was done take as much again.
    let absolute = 2 * sandbox.work().as_os_str().len() * rows.len();
    let size = plan(&rows).len() + absolute + (16 << 10);
    let state = Mount::tmpfs(&format!("size={}", size.next_multiple_of(4096)), &sandbox.state());
    mv(&sandbox, NONE, &rows).expect_status(2).expect_stderr("writing the journal");
    let moved = rows.iter().filter(|row| sandbox.exists(&row.dest)).count();
    assert!(0 < moved && moved < rows.len(), "{moved}");
    assert!(rows.iter().all(|row| sandbox.exists(&row.dest) != sandbox.exists(&row.path)));

    let raised = Command::new("mount").args(["-o", "remount,size=8m"]).arg(sandbox.state()).status();
    assert!(raised.expect("mount(8)").success());
    mv(&sandbox, NONE, &rows).expect_status(0);
    assert!(rows.iter().all(|row| sandbox.exists(&row.dest)));
    undo(&sandbox).expect_status(0);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
    drop(state);
}
