//! What `ms-crawl --index` says: of what is gone, of what was altered behind its back, of what it will not do.

use crate::support;

use std::fs;

use support::index::{FILE, LONG_AGO, crawl, expect_index_of};
use support::{Sandbox, hash, set_mtime};

fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.old_file("d/b", "two");
    crawl(&sandbox, &["d"]).expect_status(0);
    sandbox
}

#[test]
fn what_is_gone_is_counted() {
    let sandbox = two();
    fs::remove_file(sandbox.path("d/b")).expect("removal");
    crawl(&sandbox, &["d"]).expect_status(0).expect_stderr("0 read (0 bytes), 1 unchanged, 1 gone from the index");
    let outcome = crawl(&sandbox, &["d"]).expect_status(0);
    assert!(!outcome.stderr.contains("gone"), "{}", outcome.stderr);
}

#[test]
fn what_is_left_out_now_is_counted_as_gone() {
    let sandbox = two();
    crawl(&sandbox, &["--exclude", "b", "d"]).expect_status(0).expect_stderr("1 gone from the index");
    assert_eq!(sandbox.indexed_paths(), ["d/a"]);
}

#[test]
fn rehash_names_what_was_altered_though_nobody_wrote_to_it() {
    let sandbox = two();
    let rotten = sandbox.write("d/b", "twO");
    set_mtime(&rotten, LONG_AGO.0, LONG_AGO.1);
    // It looks unchanged, so it is not read.
    crawl(&sandbox, &["d"]).expect_status(0).expect_stderr("2 unchanged");
    let outcome = crawl(&sandbox, &["--rehash", "d"]).expect_status(0);
    let expected = format!(
        "ms-crawl: reading: d/b: its content is another, though its size and time are the same; its hash was {}",
        hash(b"two")
    );
    let outcome = outcome.expect_stderr(&expected);
    assert!(!outcome.stderr.contains("d/a:"), "{}", outcome.stderr);
    expect_index_of(&sandbox, &["d"]);
    let again = crawl(&sandbox, &["--rehash", "d"]).expect_status(0);
    assert!(!again.stderr.contains("another"), "{}", again.stderr);
}

#[test]
fn an_edited_file_is_no_alarm() {
    let sandbox = two();
    sandbox.edit("d/b", "twO");
    let outcome = crawl(&sandbox, &["--rehash", "d"]).expect_status(0);
    assert!(!outcome.stderr.contains("another"), "{}", outcome.stderr);
}

#[test]
fn an_empty_list_empties_no_index() {
    let sandbox = two();
    let before = sandbox.index();
    let outcome = sandbox.run("ms-crawl", &["--index", FILE, "--files-from", "-"], b"").expect_status(2);
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("no names are listed"), "{}", outcome.stderr);
    assert_eq!(sandbox.index(), before);
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    let sandbox = two();
    for args in [&["--index", "-", "d"][..], &["--rehash", "d"], &["--max-age", "1d", "d"]] {
        sandbox.run("ms-crawl", args, b"").expect_status(2);
    }
    crawl(&sandbox, &["--rehash", "--hash", "none", "d"]).expect_status(2).expect_stderr("nothing is read");
    assert!(!sandbox.exists("-"));
}
