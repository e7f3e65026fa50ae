//! Very large files under `ms-crawl --index`: an interrupted crawl goes on within them.

use crate::support;

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use support::index::{FILE, LONG_AGO, crawl, expect_index_of};
use support::{Sandbox, needs, set_mtime, trace};

/// Length of a piece of a large file, in bytes.
const PIECE: u64 = 8 << 20;

/// Pieces of the file.
const COUNT: u64 = 12;

/// A file of twelve pieces, each of which begins differently, in `d`.
fn large(sandbox: &Sandbox) -> fs::File {
    let path = sandbox.write("d/film.mov", "");
    let file = fs::File::options().read(true).write(true).open(&path).expect("file");
    file.set_len(COUNT * PIECE).expect("length");
    for piece in 0..COUNT {
        file.write_all_at(format!("piece {piece}").as_bytes(), piece * PIECE).expect("content");
    }
    set_mtime(&path, LONG_AGO.0, LONG_AGO.1);
    // What was changed within a tick of the clock before a crawl proves nothing.
    std::thread::sleep(Duration::from_millis(30));
    file
}

/// A crawl by one worker that is killed after so many of its readings.
fn kill_after(sandbox: &Sandbox, readings: u64) {
    let kill = format!("inject=pread64:signal=SIGKILL:when={readings}");
    let args = ["--trace=pread64", "-e", &kill];
    trace::traced(sandbox, &args, "ms-crawl", &["-j1", "--index", FILE, "d"], b"").expect_status(137);
    assert!(!sandbox.exists(FILE), "half a crawl is no index");
}

/// Goes on, and tells how many bytes were read.
fn go_on(sandbox: &Sandbox) -> u64 {
    let args = ["--trace=pread64", "-y"];
    trace::traced(sandbox, &args, "ms-crawl", &["-j1", "--index", FILE, "d"], b"").expect_status(0);
    let log = fs::read_to_string(trace::log(sandbox)).expect("what strace wrote");
    let read = log.lines().filter(|line| line.contains("film.mov"));
    read.filter_map(|line| line.rsplit_once(" = ")?.1.trim().parse::<u64>().ok()).sum()
}

#[test]
fn pieces_that_were_hashed_are_not_read_again() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    large(&sandbox);
    // Sixty-four readings of 128 KiB make a piece.
    kill_after(&sandbox, 64 * 7 + 10);
    assert_eq!(go_on(&sandbox), (COUNT - 7) * PIECE);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn pieces_of_a_file_that_was_changed_since_count_for_nothing() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let file = large(&sandbox);
    kill_after(&sandbox, 64 * 7 + 10);
    file.write_all_at(b"changed", PIECE).expect("content");
    // Nobody can set back the time of the last change of a file's status.
    set_mtime(&sandbox.path("d/film.mov"), LONG_AGO.0, LONG_AGO.1);
    assert_eq!(go_on(&sandbox), COUNT * PIECE);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn a_crawl_that_reads_everything_goes_on_with_its_own_pieces_only() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    large(&sandbox);
    kill_after(&sandbox, 64 * 7 + 10);
    let rehash = ["-j1", "--index", FILE, "--rehash", "d"];
    let kill = ["--trace=pread64", "-e", "inject=pread64:signal=SIGKILL:when=330"];
    trace::traced(&sandbox, &kill, "ms-crawl", &rehash, b"").expect_status(137);
    let outcome = trace::traced(&sandbox, &["--trace=pread64", "-y"], "ms-crawl", &rehash, b"").expect_status(0);
    assert!(outcome.stderr.contains("1 read"), "{}", outcome.stderr);
    let log = fs::read_to_string(trace::log(&sandbox)).expect("what strace wrote");
    let read = log.lines().filter(|line| line.contains("film.mov")).count();
    assert!(read > 64 * 6, "what an ordinary crawl has read does not count: {read}");
    expect_index_of(&sandbox, &["d"]);
    crawl(&sandbox, &["d"]).expect_status(0).expect_stderr("0 read (0 bytes), 1 unchanged");
}
