//! A filesystem that becomes read-only in the middle of a run, as after an error of its disk.

use crate::support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use support::filesystem::{Filesystem, Kind, rest};
use support::plan::{Row, mv, plan, undo_everything};
use support::{Sandbox, exit_status, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// Enough rows that their output does not fit into a pipe, so that a run whose output nobody reads waits in the middle.
const MANY: usize = 1000;

fn many(sandbox: &Sandbox, from: &str) -> Vec<Row> {
    let rows = (0..MANY).map(|i| {
        let path = format!("{from}/from/{i:04}");
        set_mtime(&sandbox.write(&path, format!("photo {i}")), 1_000_000_000, 0);
        Row::new(sandbox, path, format!("disk/to/{:02}/{i:04}", i / 50))
    });
    rows.collect()
}

/// Runs the rows, makes the disk read-only once the run has begun and waits, and lets it go on.
fn run_into_read_only(sandbox: &Sandbox, disk: &Filesystem, rows: &[Row]) -> (i32, String) {
    let input = sandbox.state().with_extension("plan");
    std::fs::write(&input, plan(rows)).expect("plan");
    let input = std::fs::File::open(input).expect("plan");
    let mut command = sandbox.guarded("ms-mv");
    let mut child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ms-mv starts");
    let mut reader = BufReader::new(child.stdout.take().expect("stdout"));
    let mut stderr = child.stderr.take().expect("stderr");
    let messages = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).expect("messages");
        text
    });
    let mut records = String::new();
    reader.read_line(&mut records).expect("a first record");
    // Refused as long as a file is open for writing, which none is once the run waits for its output to be read.
    assert!((0..1000).any(|_| disk.remount("ro") || rest()), "it does not become read-only");
    reader.read_to_string(&mut records).expect("the rest");
    let status = exit_status(child.wait().expect("the end"));
    let moved = rows.iter().filter(|row| sandbox.exists(&row.dest)).count();
    assert_eq!(records.lines().count(), moved, "a record for every move");
    assert!(0 < moved && moved < MANY, "{moved}");
    (status, messages.join().expect("messages"))
}

/// `from` is where the files are: on the disk itself, or beside it.
fn check(kind: Kind, from: &str) {
    let sandbox = Sandbox::new();
    let Some(disk) = kind.mount(&sandbox.path("disk")) else {
        return;
    };
    sandbox.mkdir("home");
    let rows = many(&sandbox, from);
    let (before, beside) = (snapshot(&disk.at), snapshot(&sandbox.path("home")));

    let (status, stderr) = run_into_read_only(&sandbox, &disk, &rows);

    assert_eq!(status, 1, "{stderr}");
    assert!(stderr.contains("Read-only file system"), "{stderr}");
    for row in &rows {
        assert!(sandbox.exists(&row.path) != sandbox.exists(&row.dest), "{}", row.path);
    }
    assert!(disk.remount("rw"), "it does not become writable");
    mv(&sandbox, NONE, &rows).expect_status(0);
    for row in &rows {
        assert!(sandbox.exists(&row.dest) && !sandbox.exists(&row.path));
    }
    undo_everything(&sandbox);
    assert!((snapshot(&disk.at), snapshot(&sandbox.path("home"))) == (before, beside), "not as at the start");
}

#[test]
fn ext4_that_becomes_read_only_keeps_each_file_in_one_place() {
    check(Kind::Ext4, "disk");
}

#[test]
fn ext4_that_becomes_read_only_keeps_the_sources_of_what_it_did_not_get() {
    check(Kind::Ext4, "home");
}

#[test]
fn xfs_that_becomes_read_only_keeps_each_file_in_one_place() {
    check(Kind::Xfs, "disk");
}

#[test]
fn btrfs_that_becomes_read_only_keeps_the_sources_of_what_it_did_not_get() {
    check(Kind::Btrfs, "home");
}

#[test]
fn tmpfs_that_becomes_read_only_keeps_the_sources_of_what_it_did_not_get() {
    check(Kind::Tmpfs, "home");
}
