//! `ms-crawl --index`: two crawls of one FILE exclude each other, until the first is really at its end.

use crate::support;

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use support::index::{FILE, crawl, expect_index_of, sorted_crawl};
use support::{Sandbox, bin, exit_status, needs, trace};

/// So many files with such long names that their records do not fit into a pipe: a crawl whose output nobody reads
/// waits in the middle.
fn more_than_a_pipe_holds() -> Sandbox {
    let sandbox = Sandbox::new();
    let long = "n".repeat(200);
    for i in 0..1200 {
        sandbox.old_file(format!("d/{i}{long}"), i.to_string());
    }
    sandbox
}

/// A crawl that has begun and is held by its output.
struct Held {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Held {
    fn new(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = sandbox.command("ms-crawl");
        command.args(["--index", FILE]).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("ms-crawl starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        stdout.read_line(&mut String::new()).expect("a first record");
        Self { child, stdout }
    }

    /// Reads what it has to say, to the end.
    fn release(mut self) -> i32 {
        self.stdout.read_to_end(&mut Vec::new()).expect("the rest");
        exit_status(self.child.wait().expect("the end"))
    }

    fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("the end");
    }
}

/// A second crawl must refuse at once and name the process that is at work.
#[track_caller]
fn expect_refusal(sandbox: &Sandbox, process: u32, args: &[&str]) {
    let before = fs::read(sandbox.path(FILE)).ok();
    let message = format!("ms-crawl: {FILE}: another ms-crawl (process {process}) is at work on it");
    let outcome = crawl(sandbox, args).expect_status(2).expect_stderr(&message);
    assert!(outcome.stdout.is_empty());
    assert_eq!(fs::read(sandbox.path(FILE)).ok(), before);
}

#[test]
fn a_second_crawl_of_one_file_refuses_and_harms_nothing() {
    let sandbox = more_than_a_pipe_holds();
    sandbox.old_file("e/f", "other");
    let held = Held::new(&sandbox, &["d"]);
    for args in [&["d"][..], &["e"], &["--rehash", "d"], &["--max-age", "1d", "d"]] {
        expect_refusal(&sandbox, held.child.id(), args);
    }
    assert_eq!(held.release(), 0);
    expect_index_of(&sandbox, &["d"]);
    crawl(&sandbox, &["d"]).expect_status(0);
}

#[test]
fn another_file_is_no_business_of_the_lock() {
    let sandbox = more_than_a_pipe_holds();
    sandbox.old_file("e/f", "other");
    let held = Held::new(&sandbox, &["d"]);
    sandbox.run("ms-crawl", &["--index", "other.tsv", "e"], b"").expect_status(0);
    assert_eq!(String::from_utf8_lossy(&sandbox.read("other.tsv")), sorted_crawl(&sandbox, &["e"]));
    assert_eq!(held.release(), 0);
}

#[test]
fn death_releases_the_lock() {
    let sandbox = more_than_a_pipe_holds();
    for _ in 0..2 {
        Held::new(&sandbox, &["d"]).kill();
        assert!(!sandbox.exists(FILE), "half a crawl is no index");
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn a_fresh_index_is_streamed_while_another_crawl_is_at_work() {
    let sandbox = more_than_a_pipe_holds();
    crawl(&sandbox, &["d"]).expect_status(0);
    let before = sandbox.index();
    sandbox.old_file("d/later", "later");
    for args in [&["d"][..], &["--rehash", "d"]] {
        let held = Held::new(&sandbox, args);
        let fresh = crawl(&sandbox, &["--max-age", "1d", "d"]).expect_status(0);
        assert_eq!(String::from_utf8_lossy(&fresh.stdout), before);
        held.kill();
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
}

/// The state of a process by proc(5), such as `T` or `t` for stopped; nothing once it is gone.
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn the_lock_is_held_to_the_very_end() {
    if !needs("strace") {
        return;
    }
    // Stopped at the sync of what is to replace FILE, and around the renames, the first as well as the last.
    for at in ["fsync:when=1", "?rename,?renameat,renameat2:when=1", "?rename,?renameat,renameat2:when=2"] {
        let sandbox = Sandbox::new();
        sandbox.old_file("d/a", "one");
        crawl(&sandbox, &["d"]).expect_status(0);
        sandbox.edit("d/a", "other");
        let (calls, when) = at.split_once(':').expect("calls and when");
        let log = trace::log(&sandbox);
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(&log).args(["-e", &format!("trace={calls}")]);
        command.args(["-e", &format!("inject={calls}:signal=SIGSTOP:{when}")]);
        command.arg(bin("ms-crawl")).args(["--index", FILE, "d"]).current_dir(sandbox.work());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut strace = command.spawn().expect("strace starts");
        let stopped = || fs::read_to_string(&log).unwrap_or_default().contains("--- stopped by SIGSTOP");
        while !stopped() && strace.try_wait().expect("state").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if !stopped() {
            // It never came to so many of these calls in one thread.
            assert!(at.ends_with('2'), "{at}: {}", fs::read_to_string(&log).unwrap_or_default());
            continue;
        }
        let process = process_in(&log);
        assert!(state(process).is_some_and(|state| "Tt".contains(state)), "{at}");

        expect_refusal(&sandbox, process.unsigned_abs(), &["d"]);

        kill_process(Pid::from_raw(process).expect("a process"), Signal::CONT).expect("kill");
        let status = strace.wait().expect("the end");
        assert_eq!(exit_status(status), 0, "{at}");
        expect_index_of(&sandbox, &["d"]);
    }
}

/// The process, not one of its threads, that a log of strace is about.
fn process_in(log: &std::path::Path) -> i32 {
    let text = fs::read_to_string(log).expect("what strace wrote");
    let thread = text.split_ascii_whitespace().next().expect("a thread");
    let status = fs::read_to_string(format!("/proc/{thread}/status")).expect("a thread that lives");
    let process = status.lines().find_map(|line| line.strip_prefix("Tgid:")).expect("its process");
    process.trim().parse().expect("a number")
}

#[test]
fn of_many_crawls_at_once_each_is_done_or_refused() {
    let sandbox = Sandbox::new();
    for i in 0..100 {
        sandbox.old_file(format!("d/{i}"), i.to_string());
    }
    let start = || {
        let mut command = sandbox.command("ms-crawl");
        command.args(["--index", FILE, "d"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("ms-crawl starts")
    };
    let children: Vec<_> = (0..8).map(|_| start()).collect();
    let mut done = 0;
    for child in children {
        let output = child.wait_with_output().expect("the end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        match exit_status(output.status) {
            0 => done += 1,
            status => assert!(status == 2 && stderr.contains("is at work on it"), "{status}: {stderr}"),
        }
    }
    assert!(done > 0, "all were refused");
    expect_index_of(&sandbox, &["d"]);
}
