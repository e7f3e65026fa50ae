//! `ms-verify`: what holds, and what does not, and why.

use crate::support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use support::trace::{log, traced};
use support::{Outcome, Sandbox, bin, finish, hash, is_root, needs, set_mtime};

/// Five files in `d`, all of one age, and their index.
fn five() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c", "e", "f"] {
        set_mtime(&sandbox.write(format!("d/{name}"), format!("content of {name}")), 1_500_000_001, 123_456_789);
    }
    let index = sandbox.run("ms-crawl", &["-q", "--sort", "d"], b"").expect_status(0).stdout;
    (sandbox, index)
}

/// Flips a bit of a file and sets its time back, as a disk would that lies.
fn rot(path: &Path, offset: usize) {
    let before = fs::metadata(path).expect("metadata").modified().expect("mtime");
    let mut content = fs::read(path).expect("content");
    content[offset] ^= 1;
    fs::write(path, content).expect("write");
    fs::File::options().write(true).open(path).and_then(|file| file.set_modified(before)).expect("mtime");
}

/// Path and note of each record.
fn notes(outcome: &Outcome) -> Vec<(String, String)> {
    outcome.rows().into_iter().map(|row| (row[0].clone(), row[7].clone())).collect()
}

fn pair(path: &str, note: &str) -> (String, String) {
    (path.to_owned(), note.to_owned())
}

#[test]
fn what_holds_comes_out_as_it_came() {
    let (sandbox, index) = five();
    let outcome = sandbox.run("ms-verify", &[] as &[&str], &index).expect_status(0);
    assert_eq!(outcome.stdout, index);
    assert_eq!(
        outcome.stderr,
        "ms-verify: 5 records: 5 hold (60 bytes read), 0 missing, 0 changed, 0 rotten, 0 unreadable\n"
    );
    let none = sandbox.run("ms-verify", &["-q", "--failed"], &index).expect_status(0);
    assert_eq!((none.stdout.as_slice(), none.stderr.as_str()), (b"".as_slice(), ""));
}

#[test]
fn rot_change_and_loss_are_told_apart() {
    let (sandbox, index) = five();
    rot(&sandbox.path("d/b"), 3);
    fs::remove_file(sandbox.path("d/c")).expect("loss");
    sandbox.write("d/e", "content of e, and more");
    set_mtime(&sandbox.path("d/f"), 1_500_000_001, 123_456_788);

    let holds = sandbox.run("ms-verify", &[] as &[&str], &index).expect_status(1);
    assert_eq!(holds.stdout, index.split_inclusive(|byte| *byte == b'\n').next().expect("a line"));
    assert_eq!(
        holds.stderr.lines().collect::<Vec<_>>(),
        [
            "ms-verify: verifying: d/b: rotten: its content is another, though its size and time of modification are the same",
            "ms-verify: verifying: d/c: missing: No such file or directory",
            "ms-verify: verifying: d/e: changed: its size is 22, and was 12",
            "ms-verify: verifying: d/f: changed: its time of modification is 1500000001.123456788, and was 1500000001.123456789",
            "ms-verify: 5 records: 1 hold (24 bytes read), 1 missing, 2 changed, 1 rotten, 0 unreadable",
        ]
    );

    let failed = sandbox.run("ms-verify", &["--failed"], &index).expect_status(1);
    let expected = [pair("d/b", "rotten"), pair("d/c", "missing"), pair("d/e", "changed"), pair("d/f", "changed")];
    assert_eq!(notes(&failed), expected);
    assert!(failed.rows().iter().all(|row| row.len() == 8 && row[5] == "-" && row[6] == "-"));
    // The record says what was recorded, and not what is there.
    assert_eq!(failed.rows()[0][1], hash(b"content of b"));
    assert_eq!(failed.rows()[2][2], "12");
}

#[test]
fn quick_opens_no_file_and_sees_no_rot() {
    let (sandbox, index) = five();
    rot(&sandbox.path("d/b"), 0);
    fs::remove_file(sandbox.path("d/c")).expect("loss");
    set_mtime(&sandbox.path("d/f"), 1_500_000_000, 0);
    sandbox.write("index", &index);
    if needs("strace") {
        traced(&sandbox, &["-e", "trace=open,openat"], "ms-verify", &["--quick", "index"], b"").expect_status(1);
        let calls = fs::read_to_string(log(&sandbox)).expect("trace");
        assert!(calls.contains("\"index\"") && !calls.contains("\"d/"), "{calls}");
    }
    let outcome = sandbox.run("ms-verify", &["--quick", "index"], b"").expect_status(1);
    assert_eq!(outcome.column(0), ["d/a", "d/b", "d/e", "d/f"], "two whole seconds are what FAT keeps");
    outcome.expect_stderr("5 records: 4 hold (0 bytes read), 1 missing, 0 changed, 0 rotten, 0 unreadable\n");
}

#[test]
fn a_time_that_the_filesystem_cut_down_is_no_change() {
    let (sandbox, index) = five();
    for (seconds, nanoseconds, holds) in [
        (1_500_000_001, 123_456_700, true),
        (1_500_000_001, 123_456_000, true),
        (1_500_000_001, 120_000_000, true),
        (1_500_000_001, 0, true),
        (1_500_000_000, 0, true),
        (1_500_000_002, 0, false),
        (1_500_000_000, 123_456_789, false),
        (1_500_000_001, 200_000_000, false),
    ] {
        set_mtime(&sandbox.path("d/a"), seconds, nanoseconds);
        let outcome = sandbox.run("ms-verify", &["-q"], &index).expect_status(i32::from(!holds));
        assert_eq!(outcome.rows().len(), if holds { 5 } else { 4 }, "{seconds}.{nanoseconds}");
    }
    // The rest of the record counts as ever.
    set_mtime(&sandbox.path("d/a"), 1_500_000_000, 0);
    rot(&sandbox.path("d/a"), 1);
    sandbox.run("ms-verify", &["-q"], &index).expect_status(1).expect_stderr("d/a: rotten: ");
}

#[test]
fn what_is_no_regular_file_any_more_has_changed_and_is_not_opened() {
    let (sandbox, index) = five();
    for name in ["d/a", "d/b", "d/c", "d/e"] {
        fs::remove_file(sandbox.path(name)).expect("remove");
    }
    sandbox.mkdir("d/a");
    let fifo = Command::new("mkfifo").arg(sandbox.path("d/b")).status().expect("mkfifo(1)");
    assert!(fifo.success());
    // A link is followed, and what is found there is another content of one size and time. One to itself leads nowhere.
    sandbox.symlink("f", "d/c");
    sandbox.symlink("e", "d/e");
    let mut command = sandbox.guarded("ms-verify");
    command.arg("--failed");
    let outcome = finish(command, &index).expect_status(1);
    let expected = [pair("d/a", "changed"), pair("d/b", "changed"), pair("d/c", "rotten"), pair("d/e", "unreadable")];
    assert_eq!(notes(&outcome), expected);
    outcome.expect_stderr("d/a: changed: now it is a directory").expect_stderr("d/b: changed: now it is a FIFO");
}

#[test]
fn a_directory_that_became_a_file_makes_what_was_below_it_missing() {
    let (sandbox, index) = five();
    fs::remove_dir_all(sandbox.path("d")).expect("remove");
    sandbox.write("d", "a file");
    let outcome = sandbox.run("ms-verify", &["--failed"], &index).expect_status(1);
    assert!(notes(&outcome).iter().all(|(_, note)| note == "missing"));
    outcome.expect_stderr("d/a: missing: Not a directory");
}

#[test]
fn an_error_of_the_disk_is_unreadable_and_the_others_go_on() {
    if !needs("strace") {
        return;
    }
    let (sandbox, index) = five();
    sandbox.write("index", &index);
    for call in ["read,pread64,preadv", "openat"] {
        let inject = format!("inject={call}:error=EIO");
        let trace = format!("trace={call},mmap");
        let args = ["-P", "d/b", "-e", &trace, "-e", &inject];
        let outcome = traced(&sandbox, &args, "ms-verify", &["--failed", "index"], b"").expect_status(1);
        let calls = fs::read_to_string(log(&sandbox)).expect("trace");
        assert!(calls.contains("INJECTED") && !calls.contains("mmap"), "{calls}");
        assert_eq!(notes(&outcome), [pair("d/b", "unreadable")], "{call}");
        outcome.expect_stderr("d/b: unreadable: Input/output error").expect_stderr("4 hold");
    }
}

#[test]
fn an_error_in_one_piece_of_a_large_file_makes_it_unreadable() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let file = fs::File::create(sandbox.path("large")).expect("file");
    file.set_len(80 << 20).expect("length");
    let index = sandbox.run("ms-crawl", &["-q", "large"], b"").expect_status(0).stdout;
    sandbox.run("ms-verify", &["-j", "2"], &index).expect_status(0).expect_stderr("1 hold (83.9 MB read)");
    let args = ["-P", "large", "-e", "trace=pread64", "-e", "inject=pread64:error=EIO:when=300"];
    let outcome = traced(&sandbox, &args, "ms-verify", &["-j", "2", "--failed"], &index).expect_status(1);
    assert_eq!(notes(&outcome), [pair("large", "unreadable")]);
}

#[test]
fn what_permissions_forbid_is_unreadable() {
    let (sandbox, index) = five();
    fs::set_permissions(sandbox.path("d/c"), fs::Permissions::from_mode(0o000)).expect("chmod");
    sandbox.write("locked/g", "g");
    let locked = sandbox.run("ms-crawl", &["-q", "locked"], b"").expect_status(0).stdout;
    fs::set_permissions(sandbox.path("locked"), fs::Permissions::from_mode(0o000)).expect("chmod");
    let home = sandbox.work().parent().expect("sandbox").to_owned();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("chmod");
    let tool = home.join("ms-verify");
    let copied = Command::new("cp").arg(bin("ms-verify")).arg(&tool).status().expect("cp(1)");
    assert!(copied.success());
    let mut command = Command::new(tool);
    command.arg("--failed").current_dir(sandbox.work());
    if is_root() {
        command.uid(65_534).gid(65_534);
    }

    let outcome = finish(command, &[index, locked].concat());

    fs::set_permissions(sandbox.path("locked"), fs::Permissions::from_mode(0o755)).expect("chmod");
    let outcome = outcome.expect_status(1).expect_stderr("d/c: unreadable: Permission denied");
    assert_eq!(notes(&outcome), [pair("d/c", "unreadable"), pair("locked/g", "unreadable")]);
}

#[test]
fn a_record_without_a_hash_is_compared_by_size_and_time() {
    let (sandbox, _) = five();
    let index = sandbox.run("ms-crawl", &["-q", "--hash", "none", "--sort", "d"], b"").expect_status(0).stdout;
    rot(&sandbox.path("d/a"), 0);
    sandbox.write("d/b", "another length");
    let outcome = sandbox.run("ms-verify", &[] as &[&str], &index).expect_status(1);
    assert_eq!(outcome.column(0), ["d/a", "d/c", "d/e", "d/f"]);
    outcome.expect_stderr("ms-verify: 5 records without a hash: only size and time could be compared\n").expect_stderr(
        "5 records: 4 hold (0 bytes read), 0 missing, 1 changed, 0 rotten, 0 unreadable; 5 without a hash\n",
    );
}

#[test]
fn what_a_record_does_not_tell_is_not_compared() {
    let (sandbox, _) = five();
    let stream = format!("d/a\t{}\t12\nd/b\t{}\t12\t-\t1:1\n", hash(b"content of a"), hash(b"content of b"));
    set_mtime(&sandbox.path("d/a"), 5, 5);
    let outcome = sandbox.run("ms-verify", &[] as &[&str], stream.as_bytes()).expect_status(0);
    assert_eq!(outcome.stdout, stream.as_bytes(), "the id is not compared, and lines stay as they are");
    sandbox.write("d/a", "content of A");
    sandbox.run("ms-verify", &[] as &[&str], stream.as_bytes()).expect_status(1).expect_stderr("d/a: rotten: ");
}

#[test]
fn a_path_that_comes_twice_is_verified_twice() {
    let (sandbox, index) = five();
    rot(&sandbox.path("d/a"), 0);
    let twice = [index.as_slice(), &index].concat();
    let outcome = sandbox.run("ms-verify", &["--failed"], &twice).expect_status(1);
    assert_eq!(notes(&outcome), [pair("d/a", "rotten"), pair("d/a", "rotten")]);
    outcome.expect_stderr("10 records: 8 hold (120 bytes read)");
}

#[test]
fn relative_paths_hold_below_the_root_and_come_out_as_they_were() {
    let (sandbox, index) = five();
    sandbox.mkdir("mnt");
    fs::rename(sandbox.path("d"), sandbox.path("mnt/d")).expect("rename");
    let absolute = sandbox.write("absolute", "x");
    let line = format!("{}\t{}\t1\n", absolute.display(), hash(b"x"));
    let index = [index.as_slice(), line.as_bytes()].concat();
    sandbox.run("ms-verify", &["-q"], &index).expect_status(1).expect_stderr("d/a: missing");
    let outcome = sandbox.run("ms-verify", &["--root", "mnt"], &index).expect_status(0);
    assert_eq!(outcome.stdout, index);
    rot(&sandbox.path("mnt/d/b"), 0);
    let outcome = sandbox.run("ms-verify", &["--failed", "--root=mnt"], &index).expect_status(1);
    assert_eq!(notes(&outcome), [pair("d/b", "rotten")]);
    outcome.expect_stderr("verifying: mnt/d/b: rotten: ");
}

#[test]
fn a_root_that_is_not_there_is_not_taken_for_loss() {
    let (sandbox, index) = five();
    for root in ["nowhere", "d/a"] {
        let outcome = sandbox.run("ms-verify", &["--failed", "--root", root], &index).expect_status(2);
        assert!(outcome.stdout.is_empty());
        outcome.expect_stderr(&format!("ms-verify: --root: {root}: No"));
    }
}
