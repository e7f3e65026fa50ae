//! `ms-dupes --sorted`: the plan of all records, made group by group.

use crate::support;

use proptest::prelude::*;
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use support::{Sandbox, hash, index_line};

const MTIME: &str = "1.000000000";

const OPTIONS: [&[&str]; 10] = [
    &[],
    &["-u"],
    &["-g"],
    &["--empty"],
    &["--empty", "-u"],
    &["--keep", "oldest", "-g"],
    &["--keep", "newest", "--prefer", "d2"],
    &["--protect", "d1", "--keep", "shortest", "-g"],
    &["--protect", "d0", "-u", "--csv"],
    &["--prefer", "d2", "--to", "d1", "-g"],
];

/// Lines of few paths, spelled in several ways, and few contents. A path is listed twice within one content only: what else
/// a run over all records finds, one that holds a single group cannot.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let spelling = prop::sample::select(vec!["", "./", ".//"]);
    let line =
        (0..9u8, spelling, 0..4u8, 0..4i64, any::<bool>()).prop_map(|(name, spelling, file, seconds, has_id)| {
            let content = name % 3;
            let id = if has_id { format!("9:{}", file * 3 + content) } else { "-".to_owned() };
            let path = format!("{spelling}d{}/{name} \\xff\\\\", file % 3);
            let content = if content == 0 { "" } else { &"x".repeat(content.into()) };
            index_line(&path, content, content.len() as u64, &format!("{seconds}.000000000"), &id)
        });
    prop::collection::vec(line, 0..40)
}

/// In the order in which `LC_ALL=C sort -k 2,2` has them.
fn by_hash(mut lines: Vec<String>) -> String {
    lines.sort_by(|one, other| one.split('\t').nth(1).cmp(&other.split('\t').nth(1)));
    lines.concat()
}

fn sandbox_with_directories() -> Sandbox {
    let sandbox = Sandbox::new();
    (0..3).for_each(|number| drop(sandbox.mkdir(format!("d{number}"))));
    sandbox
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// What the summary counts. Whether a record that nothing shares its content with lies in the quarantine, a run that holds all
/// records may tell or not: it forgets most of those that are alone, and not all.
fn counts(stderr: &str) -> Option<&str> {
    stderr.lines().find(|line| line.contains(" records: ") || line.contains(" record: "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_plan_is_that_of_all_records(lines in lines()) {
        let sandbox = sandbox_with_directories();
        let index = by_hash(lines);
        for args in OPTIONS {
            let whole = sandbox.run("ms-dupes", args, index.as_bytes()).expect_status(0);
            let passed = sandbox.run("ms-dupes", &[&["--sorted"], args].concat(), index.as_bytes()).expect_status(0);
            prop_assert_eq!(counts(&passed.stderr), counts(&whole.stderr), "{:?}", args);
            prop_assert_eq!(sorted(passed.lines()), sorted(whole.lines()), "{:?}", args);
            let shards = (1..=3).flat_map(|number| {
                let shard = format!("--shard={number}/3");
                sandbox.run("ms-dupes", &[args, &["--sorted", &shard]].concat(), index.as_bytes()).lines()
            });
            let header = if args.contains(&"--csv") { whole.lines().len().min(1) } else { 0 };
            let mut shards: Vec<String> = shards.collect();
            if header > 0 {
                shards.retain(|line| !line.starts_with("path,"));
            }
            prop_assert_eq!(sorted(shards), sorted(whole.lines()[header..].to_vec()), "{:?}", args);
        }
    }
}

#[test]
fn groups_come_in_the_order_of_their_hashes_and_members_by_path() {
    let sandbox = Sandbox::new();
    let rows = [("z", "one"), ("a", "one"), ("m", "one"), ("b", "two"), ("c", "two")];
    let index = by_hash(rows.iter().map(|(path, content)| index_line(path, content, 3, MTIME, "-")).collect());
    let groups = sandbox.run("ms-dupes", &["--sorted", "-g"], index.as_bytes()).expect_status(0);
    let hashes: Vec<String> = groups.rows().iter().map(|row| row[1].clone()).collect();
    assert!(hashes.is_sorted());
    let of = |content: &str| -> Vec<String> {
        groups.rows().iter().filter(|row| row[1] == hash(content.as_bytes())).map(|row| row[0].clone()).collect()
    };
    assert_eq!((of("one"), of("two")), (vec!["a".into(), "m".into(), "z".into()], vec!["b".into(), "c".into()]));
}

#[test]
fn sort_merges_the_indexes_of_a_crawl() {
    let sandbox = Sandbox::new();
    for (name, content) in [("one/a", "x"), ("one/b", "y"), ("two/c", "x"), ("two/d", "z"), ("two/e", "y")] {
        sandbox.write(name, content);
    }
    let line = "export LC_ALL=C tab=$'\\t'
        for dir in one two; do ms-crawl -q $dir | sort -t \"$tab\" -k 2,2 > $dir.tsv; done
        sort -m -t \"$tab\" -k 2,2 one.tsv two.tsv | ms-dupes --sorted | cut -f 1,7 | sort";
    sandbox.shell(line).expect_status(0).expect_stdout("two/c\tone/a\ntwo/e\tone/b");
}

#[test]
fn rows_in_no_order_are_an_error_that_names_the_line_and_nobody_acts_on_the_output() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "one");
    sandbox.write("b", "one");
    let (low, high) = ("0".repeat(64), "f".repeat(64));
    let index = format!("a\t{low}\t3\nb\t{low}\t3\nx\t{high}\t3\ny\t{low}\t3\n");
    let outcome = sandbox.run("ms-dupes", &["--sorted"], index.as_bytes()).expect_status(2);
    assert_eq!(outcome.lines()[0].split('\t').next(), Some("b"));
    assert!(!outcome.stdout.ends_with(b"\n"), "the last line is cut off");
    let moved = sandbox.run("ms-mv", &[] as &[&str], &outcome.stdout).expect_status(2);
    moved.expect_stderr("the last line is cut off");
    assert!(sandbox.exists("b"));
    outcome.expect_stderr("standard input:4: the rows are not in the order of their hashes").expect_stderr("sort -t");
}

#[test]
fn records_without_a_hash_may_stand_anywhere_and_are_counted() {
    let sandbox = Sandbox::new();
    let hash = "3".repeat(64);
    let index = format!("a\t-\t5\nb\t{hash}\t5\nc\t-\t5\nd\t{hash}\t5\ne\t-\t6\n");
    let plan = sandbox.run("ms-dupes", &["--sorted"], index.as_bytes()).expect_status(0);
    assert_eq!(plan.column(0), ["d"]);
    plan.expect_stderr("3 records without a hash were not compared");
    let unique = sandbox.run("ms-dupes", &["--sorted", "-u"], index.as_bytes()).expect_status(0);
    assert_eq!(unique.column(0), ["a", "b", "c", "e"]);
    unique.expect_stderr("5 records: 4 unique contents");
}

#[test]
fn a_marker_must_be_known_beforehand() {
    let sandbox = Sandbox::new();
    let rows = [("keep/x", "same"), ("a", "same"), ("keep/.ms-protect", "marker")];
    let index = by_hash(rows.iter().map(|(path, content)| index_line(path, content, 4, MTIME, "-")).collect());
    let outcome = sandbox.run("ms-dupes", &["--sorted"], index.as_bytes()).expect_status(2);
    assert!(!outcome.stdout.ends_with(b"\n"));
    outcome.expect_stderr("this file protects keep").expect_stderr("--protect keep");
    let protected = sandbox.run("ms-dupes", &["--sorted", "--protect", "keep"], index.as_bytes()).expect_status(0);
    assert_eq!(protected.column(0), ["a"]);
    // On disk, it is known.
    sandbox.write("keep/.ms-protect", "");
    assert_eq!(sandbox.run("ms-dupes", &["--sorted"], index.as_bytes()).expect_status(0).column(0), ["a"]);
}

#[test]
fn destinations_that_could_meet_are_refused() {
    let sandbox = Sandbox::new();
    let index = |paths: [&str; 3]| paths.map(|path| index_line(path, "same", 4, MTIME, "-")).concat();
    let outcome = sandbox.run("ms-dupes", &["--sorted"], index(["a", "b", "c/../d"]).as_bytes()).expect_status(2);
    outcome.expect_stderr("--sorted: ").expect_stderr("ms-crawl -a");
    sandbox.run("ms-dupes", &["--sorted"], index(["/a", "b", "/c"]).as_bytes()).expect_status(2);
    // What stays goes nowhere.
    sandbox.run("ms-dupes", &["--sorted"], index(["/a", "b", "c"]).as_bytes()).expect_status(0);
}

#[test]
fn malformed_lines_are_named_and_end_it_unless_they_are_skipped() {
    let sandbox = Sandbox::new();
    let hash = "3".repeat(64);
    let index = format!("a\t{hash}\t5\nb\t{hash}\t5\nbad\nc\t{hash}\t5\n");
    let outcome = sandbox.run("ms-dupes", &["--sorted"], index.as_bytes()).expect_status(2);
    outcome.expect_stderr("standard input:3: ").expect_stderr("--skip-bad-lines");
    let skipped = sandbox.run("ms-dupes", &["--sorted", "--skip-bad-lines"], index.as_bytes()).expect_status(1);
    assert_eq!(skipped.column(0), ["b", "c"]);
    let cut = sandbox.run("ms-dupes", &["--sorted"], index.replace("bad\n", "").trim_end().as_bytes());
    cut.expect_status(2).expect_stderr("the last line is cut off");
}

#[test]
fn a_path_counts_once_in_a_group_and_disagreement_about_its_size_is_named() {
    let sandbox = Sandbox::new();
    let hash = "3".repeat(64);
    let index = format!("a\t{hash}\t5\nb\t{hash}\t5\n./b\t{hash}\t5\nc\t{hash}\t5\n./c\t{hash}\t6\n");
    let outcome = sandbox.run("ms-dupes", &["--sorted"], index.as_bytes()).expect_status(1);
    assert_eq!(outcome.lines().len(), 1);
    outcome.expect_stderr("comparing: c: its records disagree about hash or size");
}

#[test]
fn a_signal_ends_it_while_it_waits_for_rows() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command("ms-dupes")
        .arg("--sorted")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut input = child.stdin.take().expect("stdin");
    let hash = "3".repeat(64);
    input.write_all(format!("a\t{hash}\t5\nb\t{hash}\t5\n").as_bytes()).expect("rows");
    // Catching signals is the first thing that it does; it is told by /proc.
    let catches = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        status
            .lines()
            .any(|line| line.starts_with("SigCgt:") && line.trim_end().ends_with(|c: char| "2367abef".contains(c)))
    };
    while !catches() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("signal");
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(support::exit_status(output.status), 130);
    assert!(output.stdout.is_empty(), "of half a group nothing is said");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
}

#[test]
fn memory_is_that_of_one_group_however_many_rows_there_are() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command("ms-dupes")
        .args(["--sorted", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut input = child.stdin.take().expect("stdin");
    let feeder = std::thread::spawn(move || {
        let mut rows = std::io::BufWriter::new(&mut input);
        for number in 0..300_000_u64 {
            let path = format!("archive/{:02}/a-file-name-of-usual-length-{number:08}.jpg", number % 89);
            writeln!(rows, "{path}\t{:064x}\t1000\t{MTIME}\t2049:{number}", number / 2).expect("a row");
        }
    });
    let mut stdout = child.stdout.take().expect("stdout");
    let (mut block, mut lines, mut peak) = (vec![0; 1 << 16], 0, 0);
    loop {
        let read = stdout.read(&mut block).expect("output");
        lines += memchr::memchr_iter(b'\n', &block[..read]).count();
        if read == 0 {
            break;
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        peak = peak.max(kib.and_then(|kib| kib.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0_u64));
    }
    feeder.join().expect("feeder");
    assert_eq!((support::exit_status(child.wait().expect("the tool ends")), lines), (0, 150_000));
    assert!((1..4096).contains(&peak), "{peak} KiB");
}
