//! `ms-crawl` on files that change under it, and on a signal: no wrong record, no torn line.
//!
//! A change must fall between the opening and the closing of a file. The tests watch the tool open it, and where
//! the change came too late all the same, they try again with a larger file.

use crate::support;

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use support::{Sandbox, exit_status, hash};

const FIRST_SIZE: u64 = 512 << 20;
const TRIES: u32 = 5;

/// A file of zeros that takes no room on the disk, last changed long ago.
fn sparse(path: &Path, size: u64) {
    File::create(path).and_then(|file| file.set_len(size)).expect("sparse file");
    support::set_mtime(path, 1_000_000_000, 0);
}

fn hash_of_zeros(size: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    let block = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        hasher.update(&block);
    }
    hasher.finalize().to_hex().to_string()
}

fn start(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool starts")
}

/// Waits until the process has a file open or mapped at or below `path`; false if it ended before that was seen.
fn seen_open(child: &mut Child, path: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let path = path.canonicalize().expect("real path");
    while child.try_wait().expect("state of the tool").is_none() {
        if has_open(&process, &path) {
            return true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    false
}

fn has_open(process: &Path, path: &Path) -> bool {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let mapped = || fs::read_to_string(process.join("maps")).unwrap_or_default();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target.is_file() && target.starts_with(path))
        || mapped().contains(&*path.to_string_lossy())
}

/// What a crawl of `d` said.
struct Crawled {
    status: i32,
    rows: Vec<Vec<String>>,
    stderr: String,
}

impl From<Output> for Crawled {
    fn from(output: Output) -> Self {
        let stdout = String::from_utf8(output.stdout).expect("streams are UTF-8");
        assert!(stdout.is_empty() || stdout.ends_with('\n'), "a torn line: {stdout}");
        Self {
            status: exit_status(output.status),
            rows: stdout.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect(),
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }
}

impl Crawled {
    fn row(&self, path: &str) -> Option<&[String]> {
        self.rows.iter().find(|row| row[0] == path).map(Vec::as_slice)
    }
}

/// Crawls `d` and makes the change to `d/large` as soon as the tool is seen to have it open.
fn crawl_during(sandbox: &Sandbox, options: &[&str], change: fn(&Path)) -> Crawled {
    let large = sandbox.path("d/large");
    let mut command = sandbox.command("ms-crawl");
    command.args(options).arg("d");
    let mut child = start(command);
    if seen_open(&mut child, &large) {
        change(&large);
    }
    Crawled::from(child.wait_with_output().expect("the tool ends"))
}

/// The change must cost `d/large` its record, and one message, and nothing else.
#[track_caller]
fn costs_only_its_record(options: &[&str], change: fn(&Path)) {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/z", "z");
    let large = sandbox.path("d/large");
    for doubling in 0..TRIES {
        let size = FIRST_SIZE << doubling;
        sparse(&large, size);
        if options.contains(&"dups") {
            sparse(&sandbox.path("d/twin"), size);
        }
        let crawled = crawl_during(&sandbox, options, change);
        assert!(crawled.row("d/a").is_some() && crawled.row("d/z").is_some(), "{}", crawled.stderr);
        let Some(row) = crawled.row("d/large") else {
            assert_eq!(crawled.status, 1, "{}", crawled.stderr);
            let messages = crawled.stderr.lines().filter(|line| line.contains("d/large: ")).count();
            assert_eq!(messages, 1, "{}", crawled.stderr);
            return;
        };
        assert_eq!(row[1..3], [hash_of_zeros(size), size.to_string()], "a wrong record: {}", crawled.stderr);
    }
    panic!("of {TRIES} changes under the crawl none was noticed");
}

fn shrink(path: &Path) {
    File::options().write(true).open(path).and_then(|file| file.set_len(10)).expect("shrink");
}

fn grow(path: &Path) {
    let file = File::options().append(true).open(path).expect("open");
    std::io::Write::write_all(&mut &file, b"more").expect("grow");
}

fn rewrite(path: &Path) {
    let file = File::options().write(true).open(path).expect("open");
    file.write_all_at(b"other bytes of the same file", 4096).expect("rewrite");
}

fn vanish(path: &Path) {
    fs::remove_file(path).expect("removal");
}

fn replace(path: &Path) {
    let new = path.with_extension("new");
    fs::write(&new, "new").and_then(|()| fs::rename(&new, path)).expect("replacement");
}

#[test]
fn a_file_that_shrinks_while_it_is_read_costs_only_its_record() {
    costs_only_its_record(&["-j", "1"], shrink);
}

#[test]
fn a_file_that_shrinks_while_all_cores_read_it_costs_only_its_record() {
    costs_only_its_record(&["-j", "4"], shrink);
}

#[test]
fn a_mapped_file_that_shrinks_costs_only_its_record_and_no_signal_ends_the_crawl() {
    costs_only_its_record(&["--mmap", "-j", "1"], shrink);
    costs_only_its_record(&["--mmap", "-j", "4"], shrink);
}

#[test]
fn a_file_that_grows_while_it_is_read_costs_only_its_record() {
    costs_only_its_record(&[], grow);
}

#[test]
fn a_file_rewritten_while_it_is_read_costs_only_its_record() {
    costs_only_its_record(&[], rewrite);
}

#[test]
fn a_file_that_vanishes_while_it_is_read_costs_only_its_record() {
    costs_only_its_record(&[], vanish);
}

#[test]
fn a_candidate_for_hash_dups_that_shrinks_costs_only_its_record() {
    costs_only_its_record(&["--hash", "dups"], shrink);
}

#[test]
fn a_file_replaced_while_it_is_read_never_lends_its_hash_to_the_new_one() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("d");
    let large = sandbox.path("d/large");
    sparse(&large, FIRST_SIZE);
    let identity =
        |path: &Path| fs::metadata(path).map(|meta| format!("{}:{}", meta.dev(), meta.ino())).expect("metadata");
    let old = identity(&large);

    let crawled = crawl_during(&sandbox, &[], replace);

    let Some(row) = crawled.row("d/large") else {
        assert_eq!(crawled.status, 1, "{}", crawled.stderr);
        return;
    };
    let of_old = [hash_of_zeros(FIRST_SIZE), FIRST_SIZE.to_string(), old];
    let of_new = [hash(b"new"), "3".to_owned(), identity(&large)];
    let said = [row[1].clone(), row[2].clone(), row[4].clone()];
    assert!(said == of_old || said == of_new, "{said:?} mixes {of_old:?} and {of_new:?}");
}

#[test]
fn ctrl_c_ends_a_long_crawl_with_whole_lines_and_130() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("d");
    for i in 0..2000 {
        sparse(&sandbox.path(format!("d/{i}")), 16 << 20);
    }
    let mut command = sandbox.command("ms-crawl");
    command.arg("d");
    let mut child = start(command);
    assert!(seen_open(&mut child, &sandbox.path("d")), "the crawl ended before a file was seen open");
    kill_process(Pid::from_child(&child), Signal::INT).expect("kill");

    let crawled = Crawled::from(child.wait_with_output().expect("the tool ends"));

    assert_eq!(crawled.status, 130, "{}", crawled.stderr);
    assert!(crawled.stderr.contains("ms-crawl: "), "it says what was done: {:?}", crawled.stderr);
    assert!(crawled.rows.len() < 2000, "the crawl went on to its end");
    let zeros = hash_of_zeros(16 << 20);
    assert!(crawled.rows.iter().all(|row| row.len() == 5 && row[1] == zeros), "{:?}", crawled.rows);
}

#[test]
fn ctrl_c_ends_a_tool_that_waits_for_its_input() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.guarded("ms-dupes");
    // `timeout` hands the signal on to the tool and still guards against a hang.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool starts");
    let input = child.stdin.take().expect("stdin");
    std::io::Write::write_all(&mut &input, support::index_line("a", "x", 1, "-", "-").as_bytes()).expect("a record");
    // Before its handler stands the signal kills the tool, which a shell reports as 130, too.
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&child), Signal::INT).expect("kill");

    let output = child.wait_with_output().expect("the tool ends");

    drop(input);
    assert_eq!(exit_status(output.status), 130);
    assert!(output.stdout.is_empty(), "a plan from half an input");
}
