//! A kept index among the other tools: planned from, moved by, verified, and asked what the archive proves.

use crate::support;

use support::index::{FILE, crawl, expect_index_of, watch_crawl};
use support::plan::undo;
use support::{Sandbox, contents, needs, snapshot};

const NOTHING: [&str; 0] = [];

/// A live tree with copies of its own and copies of what is archived.
fn photos() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, content) in [
        ("data/2019/a.jpg", "first picture"),
        ("data/backup/a.jpg", "first picture"),
        ("data/phone/b.jpg", "second one"),
        ("data/phone/c.jpg", "not archived"),
        ("arch/0001/b.jpg", "second one"),
        ("arch/0001/d.jpg", "archived only"),
    ] {
        sandbox.old_file(name, content);
    }
    sandbox
}

#[test]
fn duplicates_are_planned_and_moved_from_a_kept_index() {
    let sandbox = photos();
    crawl(&sandbox, &["data"]).expect_status(0);
    let plain = sandbox.shell("ms-crawl data | ms-dupes").expect_status(0);
    for line in ["ms-dupes index.tsv", "ms-dupes < index.tsv", "ms-crawl --index index.tsv data | ms-dupes"] {
        assert_eq!(sandbox.shell(line).expect_status(0).stdout, plain.stdout, "{line}");
    }
    let start = snapshot(&sandbox.path("data"));
    sandbox.shell("ms-dupes index.tsv | ms-mv").expect_status(0);
    assert!(sandbox.exists("duplicates/data/backup/a.jpg") && !sandbox.exists("data/backup/a.jpg"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.path("data")), start);
}

#[test]
fn a_stale_index_moves_nothing_that_has_changed() {
    let sandbox = photos();
    crawl(&sandbox, &["data"]).expect_status(0);
    sandbox.edit("data/backup/a.jpg", "edited since!");
    sandbox.shell("ms-dupes index.tsv | ms-mv").expect_status(1).expect_stderr("data/backup/a.jpg");
    assert!(sandbox.exists("data/backup/a.jpg"));
}

#[test]
fn a_crawl_after_a_move_reads_nothing() {
    if !needs("strace") {
        return;
    }
    let sandbox = photos();
    crawl(&sandbox, &["."]).expect_status(0);
    sandbox.shell("ms-dupes --to ./attic index.tsv | ms-mv").expect_status(0);
    assert!(sandbox.exists("attic/data/backup/a.jpg") || sandbox.exists("attic/./data/backup/a.jpg"));
    assert_eq!(watch_crawl(&sandbox, &["."]), NOTHING, "what moved is known by its id");
    assert!(!sandbox.exists("data/backup/a.jpg"));
    assert!(!sandbox.indexed_paths().contains(&"./data/backup/a.jpg".to_owned()));
}

#[test]
fn what_was_moved_is_verified_from_the_record_of_the_move() {
    let sandbox = photos();
    let line = "ms-crawl data | ms-dupes | ms-mv | tee ../moved | ms-verify";
    let outcome = sandbox.shell(line).expect_status(0);
    assert_eq!(outcome.stdout, sandbox.read("../moved"), "a plan that takes it back stays one");
    assert_eq!(outcome.rows().len(), 1);
    let start = contents(&sandbox.path("duplicates"));
    // What was verified is what is undone.
    sandbox.shell("ms-verify ../moved | ms-mv").expect_status(0);
    assert!(sandbox.exists("data/backup/a.jpg") && !start.is_empty());
    sandbox.shell("ms-verify --failed ../moved").expect_status(1).expect_stderr("missing");
}

#[test]
fn only_what_still_holds_is_moved_when_a_plan_is_verified_first() {
    let sandbox = photos();
    sandbox.old_file("data/backup/b.jpg", "second one");
    sandbox.shell("ms-crawl data | ms-dupes > ../plan").expect_status(0);
    assert_eq!(String::from_utf8_lossy(&sandbox.read("../plan")).lines().count(), 2);
    // One of the two has rotted: the same size, the same time, other bytes.
    sandbox.old_file("data/backup/a.jpg", "FIRST picture");
    let outcome = sandbox.shell("ms-verify ../plan > ../good; echo $?; ms-mv ../good").expect_stderr("rotten");
    assert_eq!(outcome.lines()[0], "1");
    assert_eq!(outcome.lines().len(), 2, "one was moved");
    assert!(sandbox.exists("data/backup/a.jpg"));
}

#[test]
fn a_kept_index_is_verified() {
    let sandbox = photos();
    crawl(&sandbox, &["data", "arch"]).expect_status(0);
    let outcome = sandbox.run("ms-verify", &[FILE], b"").expect_status(0);
    assert_eq!(outcome.stdout, sandbox.read(FILE));
    sandbox.old_file("arch/0001/d.jpg", "archived ONLY");
    // The crawl believes the time; only reading tells.
    crawl(&sandbox, &["data", "arch"]).expect_status(0);
    let outcome = sandbox.run("ms-verify", &["--failed", FILE], b"").expect_status(1);
    assert_eq!(
        (outcome.rows().len(), &*outcome.rows()[0][0], &*outcome.rows()[0][7]),
        (1, "arch/0001/d.jpg", "rotten")
    );
    let outcome = sandbox.shell("ms-verify index.tsv | wc -l").expect_stderr("1 rotten");
    assert_eq!(outcome.lines(), ["5"]);
}

#[test]
fn indexes_of_several_trees_are_read_as_one() {
    let sandbox = photos();
    let whole = sandbox.shell("ms-crawl data arch | ms-dupes --protect arch").expect_status(0);
    sandbox
        .shell("ms-crawl -q --index data.tsv data > /dev/null; ms-crawl -q --index arch.tsv arch > /dev/null")
        .expect_status(0);
    for line in [
        "ms-dupes --protect arch data.tsv arch.tsv",
        "cat arch.tsv data.tsv | ms-dupes --protect arch",
        "{ ms-crawl --index data.tsv --max-age 1d data; cat arch.tsv; } | ms-dupes --protect arch",
    ] {
        assert_eq!(sandbox.shell(line).expect_status(0).stdout, whole.stdout, "{line}");
    }
    assert!(!whole.stdout.is_empty());
}

/// Path and keeper of each row.
fn proved(sandbox: &Sandbox, line: &str) -> Vec<(String, String)> {
    let rows = sandbox.shell(line).expect_status(0).rows();
    rows.into_iter().map(|row| (row[0].clone(), row[6].clone())).collect()
}

#[test]
fn what_is_in_quarantine_and_proved_to_be_in_the_archive() {
    let sandbox = photos();
    for (name, content) in [
        ("duplicates/data/b.jpg", "second one"),
        ("duplicates/data/deep/b.jpg", "second one"),
        ("duplicates/data/d.jpg", "archived only"),
        ("duplicates/data/x.jpg", "in no archive"),
    ] {
        sandbox.old_file(name, content);
    }
    sandbox.shell("ms-crawl -q --index archive.tsv arch > /dev/null").expect_status(0);
    let expected = [
        ("duplicates/data/b.jpg", "arch/0001/b.jpg"),
        ("duplicates/data/d.jpg", "arch/0001/d.jpg"),
        ("duplicates/data/deep/b.jpg", "arch/0001/b.jpg"),
    ]
    .map(|(path, keep)| (path.to_owned(), keep.to_owned()));
    // Another destination, since what lies under the destination already is not considered.
    let line = "{ ms-crawl duplicates; cat archive.tsv; } | ms-dupes --protect arch --to proved";
    assert_eq!(proved(&sandbox, line), expected);
    let kept = "{ ms-crawl --index q.tsv duplicates; cat archive.tsv; } | ms-dupes --protect arch --to proved";
    assert_eq!(proved(&sandbox, kept), expected);

    // Only what the archive holds to this day is a proof.
    sandbox.old_file("arch/0001/d.jpg", "archived ONLY");
    let verified = "{ ms-crawl duplicates; ms-verify archive.tsv; true; } | ms-dupes --protect arch --to proved";
    assert_eq!(proved(&sandbox, verified), [expected[0].clone(), expected[2].clone()]);
}

#[test]
fn an_archive_that_is_on_the_shelf_proves_by_its_index() {
    let sandbox = photos();
    sandbox.old_file("attic/b.jpg", "second one");
    sandbox.shell("ms-crawl -q --index archive.tsv arch > /dev/null; mv arch shelf").expect_status(0);
    let line = "{ ms-crawl attic; cat archive.tsv; } | ms-dupes --protect arch";
    assert_eq!(proved(&sandbox, line), [("attic/b.jpg".to_owned(), "arch/0001/b.jpg".to_owned())]);
    // A proof on paper moves nothing: the copy that stays is not there.
    sandbox.shell(&format!("{line} | ms-mv")).expect_status(1).expect_stderr("attic/b.jpg");
    assert!(sandbox.exists("attic/b.jpg"));
}

#[test]
fn a_generated_tree_is_kept_moved_and_verified() {
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen --seed 5 --files 120 --total 2M --dup-share 30 --hostile data").expect_status(0);
    let all = contents(&sandbox.path("data"));
    crawl(&sandbox, &["data"]).expect_status(0);
    expect_index_of(&sandbox, &["data"]);
    sandbox.shell("ms-verify index.tsv | cmp - index.tsv").expect_status(0);
    sandbox.shell("ms-dupes index.tsv | ms-mv | ms-verify > ../moved").expect_status(0);
    crawl(&sandbox, &["data", "duplicates"]).expect_status(0);
    expect_index_of(&sandbox, &["data", "duplicates"]);
    sandbox.shell("ms-verify -q index.tsv | cmp - index.tsv").expect_status(0);
    undo(&sandbox).expect_status(0);
    assert_eq!(contents(&sandbox.path("data")), all);
    crawl(&sandbox, &["data"]).expect_status(0);
    expect_index_of(&sandbox, &["data"]);
}
