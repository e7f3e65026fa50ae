//! `ms-crawl --index FILE --max-age AGE`: a FILE that is young enough is streamed, and nothing in the trees is touched.

use crate::support;

use std::fs;
use support::index::{Clock, FILE, crawl, expect_index_of, plain, sorted_crawl};
use support::{Outcome, Sandbox, finish, hash, needs, set_mtime, trace};

/// A clock in the past for the crawl that writes FILE.
const PAST: i64 = 1_600_000_000;

/// Two trees and their index; then a file that only a crawl can know of, so that its record tells what was done.
fn indexed(args: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["trees/one/a", "trees/one/b.jpg", "trees/two/c"] {
        sandbox.old_file(name, name);
    }
    crawl(&sandbox, args).expect_status(0);
    sandbox.old_file("trees/one/later", "later");
    sandbox.old_file("trees/two/later", "later");
    sandbox
}

const OPERANDS: [&str; 2] = ["trees/one", "trees/two"];

/// A crawl with `--max-age 1d`; it must succeed.
#[track_caller]
fn aged(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    crawl(sandbox, &[&["--max-age", "1d"], args].concat()).expect_status(0)
}

#[track_caller]
fn expect_streamed(sandbox: &Sandbox, args: &[&str]) {
    let before = sandbox.index();
    let outcome = aged(sandbox, args);
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), before, "{args:?}");
    assert_eq!(sandbox.index(), before, "{args:?}");
}

#[track_caller]
fn expect_crawled(sandbox: &Sandbox, args: &[&str]) {
    aged(sandbox, args);
    expect_index_of(sandbox, args);
}

#[test]
fn a_fresh_index_is_streamed_and_nothing_in_the_trees_is_touched() {
    if !needs("strace") {
        return;
    }
    let sandbox = indexed(&OPERANDS);
    let calls = ["-y", "-xx", "-e", "trace=%file,%desc"];
    let args = [&["--index", FILE, "--max-age", "1d"][..], &OPERANDS].concat();

    let outcome = trace::traced(&sandbox, &calls, "ms-crawl", &args, b"").expect_status(0);

    assert_eq!(outcome.stdout, sandbox.index().as_bytes());
    let log = fs::read_to_string(trace::log(&sandbox)).expect("what strace wrote");
    let in_trees = |line: &String| {
        let call = line.split_ascii_whitespace().nth(1).unwrap_or_default();
        // The operands stand in the arguments, the paths in what is read and written.
        let by_name =
            !["execve(", "read", "write", "pread", "pwrite", "mmap"].iter().any(|name| call.starts_with(name));
        (by_name && line.contains("trees")) || line.contains("getdents")
    };
    let touched: Vec<_> = log.lines().map(plain).filter(in_trees).collect();
    assert_eq!(touched, [""; 0]);
    assert!(log.contains("openat("), "strace saw the run: {log}");
}

#[test]
fn a_fresh_index_is_streamed_where_the_trees_are_not_even_there() {
    let sandbox = indexed(&OPERANDS);
    fs::rename(sandbox.path("trees"), sandbox.path("elsewhere")).expect("rename");
    expect_streamed(&sandbox, &OPERANDS);
}

#[test]
fn the_summary_says_that_nothing_was_crawled() {
    let sandbox = indexed(&OPERANDS);
    let outcome = aged(&sandbox, &OPERANDS);
    let summary = outcome.stderr.lines().last().expect("a summary").to_owned();
    assert!(summary.starts_with("ms-crawl: "), "{summary}");
    assert!(!summary.contains(" read ("), "{summary}");
    assert_eq!(aged(&sandbox, &["-q", "trees/one", "trees/two"]).stderr, "");
}

#[test]
fn the_order_of_operands_is_all_one() {
    let sandbox = indexed(&OPERANDS);
    expect_streamed(&sandbox, &["trees/two", "trees/one"]);
}

#[test]
fn other_operands_are_crawled() {
    for operands in [&["trees/one"][..], &["trees/two"], &["trees"], &["trees/one", "trees/two", "trees/one/a"]] {
        let sandbox = indexed(&OPERANDS);
        expect_crawled(&sandbox, operands);
    }
}

#[test]
fn options_that_decide_what_comes_are_part_of_the_question() {
    let options: [&[&str]; 9] = [
        &["-L"],
        &["-x"],
        &["-a"],
        &["--no-junk"],
        &["--include", "*"],
        &["--exclude", "nothing"],
        &["--min-size", "1"],
        &["--max-size", "1G"],
        &["--hash", "dups"],
    ];
    for option in options {
        let with = [option, &OPERANDS].concat();
        let count = |sandbox: &Sandbox| sandbox.indexed_paths().len();

        let sandbox = indexed(&OPERANDS);
        aged(&sandbox, &with);
        assert_eq!(count(&sandbox), 5, "added: {option:?}");

        let sandbox = indexed(&with);
        expect_streamed(&sandbox, &with);
        aged(&sandbox, &OPERANDS);
        assert_eq!(count(&sandbox), 5, "taken away: {option:?}");
    }
}

#[test]
fn the_value_of_an_option_is_part_of_the_question() {
    for (one, other) in [
        (&["--exclude", "x"][..], &["--exclude", "y"][..]),
        (&["--min-size", "1"], &["--min-size", "2"]),
        (&["--hash", "dups"], &["--hash", "none"]),
    ] {
        let sandbox = indexed(&[one, &OPERANDS].concat());
        aged(&sandbox, &[other, &OPERANDS].concat());
        assert_eq!(sandbox.indexed_paths().len(), 5, "{other:?} after {one:?}");
    }
}

#[test]
fn options_that_change_no_record_are_all_one() {
    let options: [&[&str]; 4] = [&["-j", "1"], &["--mmap"], &["--sort"], &["--progress", "never"]];
    for option in options {
        let sandbox = indexed(&OPERANDS);
        expect_streamed(&sandbox, &[option, &OPERANDS].concat());
        let sandbox = indexed(&[option, &OPERANDS].concat());
        expect_streamed(&sandbox, &OPERANDS);
    }
}

#[test]
fn a_fresh_index_is_written_in_the_form_that_is_asked_for() {
    for form in [&["--csv"][..], &["--header"], &["--csv", "--no-header"]] {
        let sandbox = indexed(&OPERANDS);
        for later in ["trees/one/later", "trees/two/later"] {
            fs::remove_file(sandbox.path(later)).expect("removal");
        }
        let expected = sorted_crawl(&sandbox, &[form, &OPERANDS].concat());
        fs::remove_file(sandbox.path("trees/one/a")).expect("removal");
        let before = sandbox.index();
        let outcome = aged(&sandbox, &[form, &OPERANDS].concat());
        assert_eq!(String::from_utf8_lossy(&outcome.stdout), expected);
        assert_eq!(sandbox.index(), before);
    }
}

/// A crawl with `--max-age 1d` in another directory.
fn aged_in(sandbox: &Sandbox, place: &str, operand: &str) -> Outcome {
    let mut command = sandbox.command("ms-crawl");
    command.arg("--index").arg(sandbox.path(FILE)).args(["--max-age", "1d", operand]).current_dir(sandbox.path(place));
    finish(command, b"").expect_status(0)
}

#[test]
fn a_relative_operand_means_another_tree_elsewhere_and_an_absolute_one_does_not() {
    let sandbox = Sandbox::new();
    sandbox.old_file("here/d/f", "one");
    sandbox.old_file("there/d/f", "other");
    aged_in(&sandbox, "here", "d");
    assert_eq!(sandbox.indexed("d/f", 1), hash(b"one"));
    sandbox.old_file("here/d/later", "later");
    assert_eq!(aged_in(&sandbox, "here", "d").column(0), ["d/f"]);
    let outcome = aged_in(&sandbox, "there", "d");
    assert_eq!(outcome.rows()[0][1], hash(b"other"));

    let absolute = sandbox.path("here/d").display().to_string();
    assert_eq!(aged_in(&sandbox, "here", &absolute).rows().len(), 2);
    sandbox.old_file("here/d/last", "last");
    assert_eq!(aged_in(&sandbox, "there", &absolute).rows().len(), 2);
}

#[test]
fn age_is_not_that_of_the_file() {
    let sandbox = indexed(&OPERANDS);
    set_mtime(&sandbox.path(FILE), 1_000_000_000, 0);
    expect_streamed(&sandbox, &OPERANDS);

    let sandbox = Sandbox::new();
    let Some(clock) = Clock::new(&sandbox) else { return };
    sandbox.old_file("d/a", "one");
    clock.crawl(&sandbox, PAST, &["d"]).expect_status(0);
    sandbox.old_file("d/later", "later");
    // FILE was written a moment ago; the crawl that it comes from began years ago by its own clock.
    expect_crawled(&sandbox, &["d"]);
}

#[test]
fn age_counts_up_to_the_limit_and_the_next_crawl_renews_it() {
    let sandbox = Sandbox::new();
    let Some(clock) = Clock::new(&sandbox) else { return };
    sandbox.old_file("d/a", "one");
    clock.crawl(&sandbox, PAST, &["d"]).expect_status(0);
    sandbox.old_file("d/later", "later");
    let records = |seconds: i64, age: &str| {
        clock.crawl(&sandbox, seconds, &["--max-age", age, "d"]).expect_status(0).rows().len()
    };
    let day = 86_400;
    assert_eq!(records(PAST + 119 * day, "120d"), 1);
    assert_eq!(records(PAST + 3600, "1h"), 1, "not a moment older than that");
    assert_eq!(records(PAST + 89, "90s"), 1);
    assert_eq!(records(PAST + 120 * day + 1, "120d"), 2);
    sandbox.old_file("d/last", "last");
    assert_eq!(records(PAST + 121 * day, "120d"), 2, "the start was renewed");
}

#[test]
fn a_crawl_that_found_nothing_changed_renews_the_age() {
    let sandbox = Sandbox::new();
    let Some(clock) = Clock::new(&sandbox) else { return };
    sandbox.old_file("d/a", "one");
    clock.crawl(&sandbox, PAST, &["d"]).expect_status(0);
    crawl(&sandbox, &["d"]).expect_status(0);
    sandbox.old_file("d/later", "later");
    expect_streamed(&sandbox, &["d"]);
}

#[test]
fn age_counts_from_the_start_of_a_long_crawl() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.old_file("d/slow", "one");
    // Reading this one file takes longer than the age, however its reading is done.
    let slow = ["-P", "d/slow", "-P", &sandbox.path("d/slow").display().to_string()].map(str::to_owned);
    let mut strace: Vec<&str> = slow.iter().map(String::as_str).collect();
    strace.extend(["-e", "trace=read,readv,pread64,preadv,mmap,close"]);
    strace.extend(["-e", "inject=read,readv,pread64,preadv,mmap,close:delay_enter=1100000:when=1"]);
    trace::traced(&sandbox, &strace, "ms-crawl", &["--index", FILE, "d"], b"").expect_status(0);
    let log = fs::read_to_string(trace::log(&sandbox)).expect("what strace wrote");
    assert!(log.contains("DELAYED"), "nothing was slow: {log}");
    sandbox.old_file("d/later", "later");
    assert_eq!(crawl(&sandbox, &["--max-age", "1s", "d"]).expect_status(0).rows().len(), 2);
}

#[test]
fn a_start_in_the_future_is_not_fresh() {
    let sandbox = Sandbox::new();
    let Some(clock) = Clock::new(&sandbox) else { return };
    sandbox.old_file("d/a", "one");
    clock.crawl(&sandbox, 4_000_000_000, &["d"]).expect_status(0);
    sandbox.old_file("d/later", "later");
    expect_crawled(&sandbox, &["d"]);
}

#[test]
fn a_file_that_is_not_whole_or_not_its_companion_s_is_not_fresh() {
    let sandbox = indexed(&OPERANDS);
    let whole = sandbox.index();
    sandbox.write(FILE, whole.replace(&hash(b"trees/two/c"), &hash(b"on no disk")));
    expect_crawled(&sandbox, &OPERANDS);

    let sandbox = indexed(&OPERANDS);
    let first = sandbox.index().lines().next().expect("a record").to_owned() + "\n";
    sandbox.write(FILE, first);
    expect_crawled(&sandbox, &OPERANDS);
}

#[test]
fn a_file_without_a_companion_is_not_fresh() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.shell(&format!("ms-crawl --sort d > {FILE}")).expect_status(0);
    sandbox.old_file("d/later", "later");
    expect_crawled(&sandbox, &["d"]);
}

#[test]
fn without_a_file_there_is_a_crawl() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    expect_crawled(&sandbox, &["d"]);
}

#[test]
fn rehash_wins_over_a_fresh_index() {
    let sandbox = indexed(&OPERANDS);
    sandbox.old_file("trees/one/a", "trees/one/A");
    aged(&sandbox, &[&["--rehash"][..], &OPERANDS].concat());
    assert_eq!(sandbox.indexed("trees/one/a", 1), hash(b"trees/one/A"));
    expect_index_of(&sandbox, &OPERANDS);
}

#[test]
fn age_and_rehash_need_an_index() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    for (args, option) in [(&["--max-age", "1d", "d"][..], "--max-age"), (&["--rehash", "d"], "--rehash")] {
        let outcome =
            sandbox.run("ms-crawl", args, b"").expect_status(2).expect_stderr(option).expect_stderr("--index");
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn a_wrong_age_is_named_and_nothing_is_done() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    for age in ["soon", "5", "-1d", "1q", "99999999999999999999y", ""] {
        let option = format!("--max-age={age}");
        let args = ["--index", FILE, &option, "d"];
        let outcome = sandbox.run("ms-crawl", &args, b"").expect_status(2).expect_stderr("--max-age");
        assert!(outcome.stdout.is_empty() && !sandbox.exists(FILE), "{age}");
    }
    for option in ["--index", "--max-age"] {
        sandbox.run("ms-crawl", &[option], b"").expect_status(2).expect_stderr(option);
    }
}
