//! Little memory (`ulimit -v`): one line that says so and exit status 2, nothing half-done, whenever it gives out.

use crate::support;

use support::plan::undo_everything;
use support::{Outcome, Sandbox, contents, snapshot};

/// The address space that is given, in units of 1024 bytes: from so little that no program begins, in small steps.
fn limits(step: usize) -> impl Iterator<Item = usize> {
    (4_000..200_000).step_by(step)
}

/// Runs a tool in too little memory, then in a little more, and so on until it has enough. Every failure must be told in
/// its own words, without a panic or an abort; `after` looks at what each of them left.
#[track_caller]
fn until_it_is_enough(sandbox: &Sandbox, step: usize, line: &str, mut after: impl FnMut(&Outcome)) -> Outcome {
    let mut told = 0;
    let tool = line.split(' ').next().expect("a tool");
    // Below that, the kernel or the dynamic linker end it before it can say anything.
    let begins = |limit: &usize| sandbox.shell(&format!("ulimit -v {limit}; exec {tool} --version")).status == 0;
    for limit in limits(step).skip_while(|limit| !begins(limit)) {
        let outcome = sandbox.shell(&format!("ulimit -v {limit}; exec {line}"));
        let why = format!("{line}: {limit}: {}: {}", outcome.status, outcome.stderr);
        match outcome.status {
            0 => {
                assert!(told > 0, "{line}: it never came to an end of its memory");
                return outcome;
            }
            // The C library has messages of its own for what it cannot do without memory, and aborts.
            134 if outcome.stderr.contains("glibc error") => {}
            status => {
                assert!(status == 2, "{why}");
                assert!(!outcome.stderr.contains("panicked") && !outcome.stderr.contains("backtrace"), "{why}");
                assert!(outcome.stderr.starts_with("ms-"), "{why}");
                told += usize::from(outcome.stderr.contains("out of memory"));
            }
        }
        after(&outcome);
    }
    panic!("{line}: never enough")
}

/// An index of files that are not there, a tenth of them duplicates.
fn index(records: usize) -> Vec<u8> {
    let line = |at: usize| {
        let id = format!("1:{}", at + 2);
        support::index_line(
            &format!("in/{}/{at}", at % 100),
            &(at / 10 * 9).to_string(),
            9,
            "1000000000.000000000",
            &id,
        )
    };
    (0..records).map(line).collect::<String>().into_bytes()
}

#[test]
fn a_planner_without_memory_plans_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("index.tsv", index(60_000));
    for line in ["ms-dupes -j 2 index.tsv", "ms-pack --to archive --flush index.tsv", "ms-report -j 2 index.tsv"] {
        let whole = until_it_is_enough(&sandbox, 1_500, line, |outcome| assert!(outcome.stdout.is_empty(), "{line}"));
        assert!(!whole.stdout.is_empty());
    }
    assert!(!sandbox.exists("archive"));
}

fn files(number: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    for at in 0..number {
        sandbox.write(format!("in/{:02}/{at}", at % 20), format!("content {at}"));
    }
    sandbox
}

#[test]
fn a_crawl_without_memory_says_so_and_leaves_its_index_as_it_was() {
    let sandbox = files(2_000);
    let line = "ms-crawl -j 2 --index kept.tsv in";
    sandbox.shell(line).expect_status(0);
    let before = sandbox.read("kept.tsv");
    for at in 0..2_000 {
        sandbox.write(format!("in/new/{at}"), format!("new {at}"));
    }
    let whole = until_it_is_enough(&sandbox, 400, line, |_| assert!(sandbox.read("kept.tsv") == before));
    assert_eq!(whole.lines().len(), 4_000);
    assert!(sandbox.read("kept.tsv") != before);
}

#[test]
fn reading_files_without_memory_is_told_and_nothing_is_wrong_about_them() {
    let sandbox = files(500);
    sandbox.shell("ms-crawl in > index.tsv").expect_status(0);
    until_it_is_enough(&sandbox, 400, "ms-verify -j 2 index.tsv", |outcome| {
        let stderr = &outcome.stderr;
        assert!(!["rotten", "missing", "changed"].iter().any(|word| stderr.contains(word)), "{stderr}");
    });
    until_it_is_enough(&sandbox, 400, "ms-ingest -j 2 --to out in", |_| {});
}

#[test]
fn a_plan_without_memory_moves_nothing_or_can_be_undone() {
    let sandbox = files(1_000);
    let (before, all) = (snapshot(&sandbox.path("in")), contents(&sandbox.path("in")));
    let index = sandbox.run("ms-crawl", &["in"], b"").expect_status(0);
    sandbox.write("plan.tsv", &index.stdout);
    let line = "ms-mv --to q plan.tsv";
    let whole = until_it_is_enough(&sandbox, 60, line, |outcome| {
        for row in outcome.rows() {
            assert!(sandbox.exists(&row[0]) && !sandbox.exists(&row[5]), "{row:?}");
        }
        undo_everything(&sandbox);
        assert!(!sandbox.exists("q"));
        assert!(snapshot(&sandbox.path("in")) == before, "not as at the start");
    });
    assert_eq!(whole.lines().len(), 1_000);
    assert_eq!(contents(&sandbox.path("q")), all);
}
