//! `ms-crawl --index` and sudden death: FILE is whole at every moment, and what was hashed is not hashed again.

use crate::support;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::index::{
    COMPANION, FILE, Opened, WATCH, crawl, expect_index_of, now, opened, sorted_crawl, watch, watch_crawl,
};
use support::{Sandbox, bin, exit_status, needs};

const NOTHING: [&str; 0] = [];

/// So much work may be lost to SIGKILL and power cuts, in seconds.
const A_FEW_SECONDS: f64 = 3.0;

/// How many files may be in hand at once, in a crawl with one job.
const IN_HAND: usize = 8;

/// `number` files that nobody has crawled; each `version` has other contents and other times.
fn tree(sandbox: &Sandbox, number: usize, version: usize) {
    for i in 0..number {
        let path = sandbox.write(format!("d/{:02}/{i}", i % 7), format!("{i} in version {version}"));
        support::set_mtime(&path, 1_400_000_000 + i64::try_from(version).expect("few") * 100, 5);
    }
}

/// A crawl that is slowed down and watched from outside.
struct Watched {
    strace: Child,
    log: PathBuf,
}

impl Watched {
    /// Each opening of a file is held up by `delay` microseconds.
    fn new(sandbox: &Sandbox, delay: u32, args: &[&str]) -> Self {
        let log = sandbox.work().parent().expect("the sandbox").join("watched.log");
        fs::remove_file(&log).ok();
        let mut command = Command::new("strace");
        command.arg("-f").arg("-qq").arg("-o").arg(&log).args(WATCH);
        command.args(["-e", &format!("inject=?open,openat,?openat2:delay_enter={delay}")]);
        command.arg(bin("ms-crawl")).args(["-j", "1", "--index", FILE]).args(args).current_dir(sandbox.work());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self { strace: command.spawn().expect("strace starts"), log }
    }

    /// The process that is crawling, once it has done anything; nothing once it has ended.
    fn process(&mut self) -> Option<Pid> {
        while self.strace.try_wait().expect("state").is_none() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(pid) = log.split_once(' ').and_then(|(pid, _)| pid.parse().ok()) {
                return Pid::from_raw(pid);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// Waits until so many files were opened, or the end.
    fn wait_for(&mut self, sandbox: &Sandbox, files: usize) {
        while opened(sandbox, &self.log).len() < files && self.strace.try_wait().expect("state").is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends the signal, if there still is a process, and gives when.
    fn send(&mut self, signal: Signal) -> f64 {
        if let Some(process) = self.process() {
            // It may end in this very moment.
            kill_process(process, signal).ok();
        }
        now()
    }

    /// Exit status, messages, and what was opened.
    fn end(self, sandbox: &Sandbox) -> (i32, String, Vec<Opened>) {
        let output = self.strace.wait_with_output().expect("the end");
        let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
        (exit_status(output.status), stderr, opened(sandbox, &self.log))
    }
}

fn paths(opened: &[Opened]) -> BTreeSet<&str> {
    opened.iter().map(|file| file.path.as_str()).collect()
}

/// What was opened a few seconds before the kill must not be opened again.
#[track_caller]
fn expect_carried_over(before: &[Opened], killed: f64, after: &BTreeSet<&str>) {
    for file in before.iter().filter(|file| file.time < killed - A_FEW_SECONDS) {
        assert!(!after.contains(file.path.as_str()), "{} was read {} s before", file.path, killed - file.time);
    }
}

/// The next number of a sequence that is the same in every run (xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn killed_thirty_times_file_is_always_whole_and_work_is_carried_over() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut version, mut finished) = (1, 0);
    tree(&sandbox, 150, version);
    let (mut old, mut new) = (String::new(), sorted_crawl(&sandbox, &["d"]));
    let mut runs: Vec<(f64, Vec<Opened>)> = Vec::new();
    let mut state = 0x00C0_FFEE;
    for kill in 0..30 {
        let mut run = Watched::new(&sandbox, 1000, &["d"]);
        run.process();
        std::thread::sleep(Duration::from_micros(random(&mut state) % 300_000));
        let killed = run.send(Signal::KILL);
        let (_, _, files) = run.end(&sandbox);

        let index = sandbox.index();
        assert!(index == old || index == new, "after kill {kill}:\n{index}");
        assert_eq!(sandbox.exists(FILE), !index.is_empty(), "an empty FILE after kill {kill}");
        for (killed, before) in &runs {
            expect_carried_over(before, *killed, &paths(&files));
        }
        runs.push((killed, files));
        if index == new {
            finished += 1;
            version += 1;
            tree(&sandbox, 150, version);
            old = std::mem::replace(&mut new, sorted_crawl(&sandbox, &["d"]));
            runs.clear();
        }
    }
    assert!(finished < 30, "every crawl ended before it was killed");
    let last = watch_crawl(&sandbox, &["d"]);
    for (killed, before) in &runs {
        expect_carried_over(before, *killed, &last.iter().map(String::as_str).collect());
    }
    expect_index_of(&sandbox, &["d"]);
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
}

#[test]
fn a_long_crawl_that_is_killed_loses_no_more_than_a_few_seconds() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    tree(&sandbox, 260, 1);
    let mut run = Watched::new(&sandbox, 25_000, &["d"]);
    // At 25 ms for each file, this is five seconds after the first.
    run.wait_for(&sandbox, 200);
    let killed = run.send(Signal::KILL);
    let (status, _, before) = run.end(&sandbox);
    assert_eq!(status, 137);
    assert!(!sandbox.exists(FILE), "half a crawl is no index");
    let early = before.iter().filter(|file| file.time < killed - A_FEW_SECONDS).count();
    assert!(early > 0, "the crawl was too fast to tell");

    let after = watch_crawl(&sandbox, &["d"]);

    expect_carried_over(&before, killed, &after.iter().map(String::as_str).collect());
    let all: BTreeSet<_> = paths(&before).into_iter().chain(after.iter().map(String::as_str)).collect();
    assert_eq!(all.len(), 260, "every file was read by one of them");
    expect_index_of(&sandbox, &["d"]);
}

/// A crawl of 120 new files, over an index of 5 others, that got a signal after 60. Gives what it had opened.
fn interrupted(sandbox: &Sandbox, signal: Signal, code: i32) -> Vec<Opened> {
    for i in 0..5 {
        sandbox.old_file(format!("d/known/{i}"), format!("known {i}"));
    }
    crawl(sandbox, &["d"]).expect_status(0);
    let index = sandbox.index();
    tree(sandbox, 120, 1);
    let mut run = Watched::new(sandbox, 10_000, &["d"]);
    run.wait_for(sandbox, 60);
    run.send(signal);
    let (status, stderr, before) = run.end(sandbox);
    assert_eq!(status, code, "{stderr}");
    assert!(stderr.lines().any(|line| line.starts_with("ms-crawl: interrupted")), "it says what was kept: {stderr}");
    assert!(before.len() >= 60 && before.len() < 120, "{}", before.len());
    assert_eq!(sandbox.index(), index, "FILE is as it was");
    before
}

#[test]
fn a_crawl_ended_by_a_signal_is_taken_up_where_it_was() {
    if !needs("strace") {
        return;
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let sandbox = Sandbox::new();
        let before = interrupted(&sandbox, signal, code);
        sandbox.run("ms-dupes", &[FILE], b"").expect_status(0);
        sandbox.run("ms-dupes", &[COMPANION], b"").expect_status(2);

        let after = watch_crawl(&sandbox, &["d"]);

        let twice = after.iter().filter(|path| paths(&before).contains(path.as_str())).count();
        assert!(twice <= IN_HAND, "{twice} files were read again");
        assert!(!after.iter().any(|path| path.starts_with("d/known")), "{after:?}");
        expect_index_of(&sandbox, &["d"]);
        assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    }
}

#[test]
fn what_changed_since_the_interruption_is_read_again() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let before = interrupted(&sandbox, Signal::INT, 130);
    for file in &before[..10] {
        sandbox.edit(&file.path, format!("{} was edited", file.path));
    }
    fs::remove_file(sandbox.path(&before[11].path)).expect("removal");
    fs::rename(sandbox.path(&before[12].path), sandbox.path("d/renamed")).expect("rename");

    let after = watch_crawl(&sandbox, &["d"]);

    for file in &before[..10] {
        assert!(after.contains(&file.path), "{} was changed", file.path);
    }
    assert!(!after.contains(&"d/renamed".to_owned()), "its id is known");
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn rehash_does_not_believe_an_unfinished_crawl_either() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    interrupted(&sandbox, Signal::INT, 130);
    assert_eq!(watch_crawl(&sandbox, &["--rehash", "d"]).len(), 125);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn an_unfinished_crawl_whose_notes_are_torn_is_taken_up() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    interrupted(&sandbox, Signal::INT, 130);
    let (index, notes) = (sandbox.index(), sandbox.read(COMPANION));
    let first_line = notes.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    for i in 0..20 {
        let length = first_line + (notes.len() - first_line) * i / 20;
        fs::write(sandbox.path(COMPANION), &notes[..length]).expect("companion");
        fs::write(sandbox.path(FILE), &index).expect("index");
        crawl(&sandbox, &["d"]).expect_status(0);
        expect_index_of(&sandbox, &["d"]);
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_crawl_quietly_and_costs_no_work() {
    if !needs("strace") {
        return;
    }
    let files = 1500;
    let sandbox = Sandbox::new();
    sandbox.old_file("d/known", "known");
    crawl(&sandbox, &["d"]).expect_status(0);
    let index = sandbox.index();
    let long = "n".repeat(200);
    for i in 0..files {
        sandbox.old_file(format!("d/{i}{long}"), i.to_string());
    }
    let line = format!("ms-crawl -q -j 1 --index {FILE} d | head -c 60000 > /dev/null; echo \"${{PIPESTATUS[0]}}\"");

    let outcome = sandbox.shell(&line);

    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.lines(), ["0"]);
    assert_eq!(sandbox.index(), index, "FILE is as it was");
    let after = watch_crawl(&sandbox, &["d"]).len();
    // 60,000 bytes were read before, less than 400 for each file.
    assert!(after <= files - 100, "{after} of them were read again");
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn a_new_index_and_none_are_told_apart_by_whoever_dies_first() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    tree(&sandbox, 60, 1);
    let mut run = Watched::new(&sandbox, 10_000, &["d"]);
    run.wait_for(&sandbox, 20);
    run.send(Signal::KILL);
    run.end(&sandbox);
    assert!(!sandbox.exists(FILE));
    let fresh = watch(&sandbox, "ms-crawl", &["--index", FILE, "--max-age", "1d", "d"]);
    assert_eq!(fresh.outcome.expect_status(0).rows().len(), 60, "an unfinished crawl is not fresh");
    expect_index_of(&sandbox, &["d"]);
}
