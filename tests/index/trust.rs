//! `ms-crawl --index`: which rows of an old FILE are believed, and when none is.

use crate::support;

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::Duration;
use support::index::{COMPANION, Clock, FILE, as_nobody, chmod, crawl, expect_index_of, stream, watch_crawl};
use support::plan::{id, mtime};
use support::{Sandbox, finish, hash, needs, set_mtime};

const NOTHING: [&str; 0] = [];

/// A clock in the past for the crawl that writes FILE: half a second past this.
const START: i64 = 1_600_000_000;

#[test]
fn what_changed_no_earlier_than_the_crawl_began_is_read_again() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(clock) = Clock::new(&sandbox) else { return };
    for (name, seconds, nanoseconds) in [
        ("long-before", START - 1000, 1),
        ("long-before-and-coarse", START - 1000, 0),
        ("coarse-to-two-seconds", START - 1, 0),
        ("coarse-to-one-second", START, 0),
        ("at-the-start", START, 500_000_000),
        ("just-after", START, 500_000_001),
        ("later", START + 3600, 7),
    ] {
        set_mtime(&sandbox.write(format!("d/{name}"), name), seconds, nanoseconds);
    }
    clock.crawl(&sandbox, START, &["d"]).expect_status(0);

    let opened = watch_crawl(&sandbox, &["d"]);

    assert_eq!(
        opened,
        ["d/at-the-start", "d/coarse-to-one-second", "d/coarse-to-two-seconds", "d/just-after", "d/later"]
    );
    expect_index_of(&sandbox, &["d"]);
    assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING, "this crawl began long after all of them");
}

#[test]
fn a_change_within_the_granule_of_the_clock_is_noticed() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("d/racy", "before");
    let later = std::time::SystemTime::now() + Duration::from_secs(3600);
    let set =
        |path: &Path| fs::File::options().write(true).open(path).and_then(|f| f.set_modified(later)).expect("mtime");
    set(&file);
    crawl(&sandbox, &["d"]).expect_status(0);
    for content in ["after!", "and on"] {
        sandbox.write("d/racy", content);
        set(&file);
        crawl(&sandbox, &["d"]).expect_status(0);
        assert_eq!(sandbox.indexed("d/racy", 1), hash(content.as_bytes()));
    }
}

/// A row of an index made by hand, whose hash is that of nothing on the disk: where it comes out again, it was believed.
fn row(path: &str, hash: &str, size: u64, mtime: &str, id: &str) -> String {
    format!("{path}\t{hash}\t{size}\t{mtime}\t{id}\n")
}

/// Waits until the clock of the file system has moved on, so that what is made next is younger than what is there.
fn next_tick(sandbox: &Sandbox, since: &Path) {
    let birth = |path: &Path| path.metadata().and_then(|meta| meta.created()).expect("a time of birth");
    let probe = sandbox.path("probe");
    loop {
        fs::write(&probe, "").expect("probe");
        let newer = birth(&probe) > birth(since);
        fs::remove_file(&probe).expect("removal");
        if newer {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A tree with `d/a` and `d/b` of one size and one time, then FILE with these rows, then, born later, `d/late`.
fn crawl_with_rows(rows: impl Fn(&Metadata, &Metadata) -> String) -> Option<Sandbox> {
    let sandbox = Sandbox::new();
    let a = sandbox.old_file("d/a", "one");
    let b = sandbox.old_file("d/b", "two");
    if a.metadata().and_then(|meta| meta.created()).is_err() {
        return None;
    }
    next_tick(&sandbox, &b);
    let (a, b) = (a.metadata().expect("metadata"), b.metadata().expect("metadata"));
    sandbox.write(FILE, rows(&a, &b));
    crawl(&sandbox, &["d"]).expect_status(0);
    Some(sandbox)
}

/// The row that these values make must be believed for `d/a`, or not.
#[track_caller]
fn expect_belief(what: &str, believed: bool, rows: impl Fn(&Metadata, &Metadata, &str) -> String) {
    let fake = hash(b"on no disk");
    let Some(sandbox) = crawl_with_rows(|a, b| rows(a, b, &fake)) else { return };
    let expected = if believed { fake.clone() } else { hash(b"one") };
    assert_eq!(sandbox.indexed("d/a", 1), expected, "{what}");
    assert_eq!(sandbox.indexed("d/b", 1), hash(b"two"), "{what}");
}

#[test]
fn a_row_is_believed_by_path_size_and_time() {
    expect_belief("all is right", true, |a, _, fake| row("d/a", fake, 3, &mtime(a), &id(a)));
    expect_belief("no id", true, |a, _, fake| row("d/a", fake, 3, &mtime(a), "-"));
    expect_belief("another id", true, |a, _, fake| row("d/a", fake, 3, &mtime(a), "1:1"));
    expect_belief("another size", false, |a, _, fake| row("d/a", fake, 4, &mtime(a), &id(a)));
    expect_belief("no time", false, |a, _, fake| row("d/a", fake, 3, "-", &id(a)));
    expect_belief("another time", false, |a, _, fake| row("d/a", fake, 3, "1500000000.123456788", &id(a)));
    expect_belief("no hash", false, |a, _, _| row("d/a", "-", 3, &mtime(a), &id(a)));
}

#[test]
fn a_row_is_believed_by_id_size_and_time() {
    expect_belief("another path", true, |a, _, fake| row("d/before", fake, 3, &mtime(a), &id(a)));
    expect_belief("no id", false, |a, _, fake| row("d/before", fake, 3, &mtime(a), "-"));
    expect_belief("another id", false, |a, _, fake| row("d/before", fake, 3, &mtime(a), "1:1"));
    expect_belief("another size", false, |a, _, fake| row("d/before", fake, 4, &mtime(a), &id(a)));
    expect_belief("no time", false, |a, _, fake| row("d/before", fake, 3, "-", &id(a)));
    expect_belief("another time", false, |a, _, fake| row("d/before", fake, 3, "1500000000.123456788", &id(a)));
    expect_belief("no hash", false, |a, _, _| row("d/before", "-", 3, &mtime(a), &id(a)));
}

#[test]
fn rows_that_contradict_each_other_are_not_believed() {
    expect_belief("path and id", false, |a, _, fake| {
        row("d/a", fake, 3, &mtime(a), "1:1") + &row("d/z", &hash(b"another"), 3, &mtime(a), &id(a))
    });
    expect_belief("path and id agree", true, |a, _, fake| {
        row("d/a", fake, 3, &mtime(a), "1:1") + &row("d/z", fake, 3, &mtime(a), &id(a))
    });
}

#[test]
fn an_id_says_nothing_about_a_file_born_after_the_crawl() {
    let sandbox = Sandbox::new();
    let index = sandbox.write(FILE, "");
    if index.metadata().and_then(|meta| meta.created()).is_err() {
        return;
    }
    next_tick(&sandbox, &index);
    let late = sandbox.old_file("d/late", "one");
    let meta = late.metadata().expect("metadata");
    // Written into the FILE that is there, whose birth is the start that counts.
    fs::write(&index, row("d/gone", &hash(b"on no disk"), 3, &mtime(&meta), &id(&meta))).expect("index");
    crawl(&sandbox, &["d"]).expect_status(0);
    assert_eq!(sandbox.indexed("d/late", 1), hash(b"one"));
}

#[test]
fn an_index_without_a_companion_is_taken_up_in_any_order() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    for i in 0..40 {
        sandbox.old_file(format!("d/{i}"), i.to_string());
    }
    if sandbox.path("d/0").metadata().and_then(|meta| meta.created()).is_err() {
        return;
    }
    sandbox.shell(&format!("ms-crawl d | sort -R > {FILE}")).expect_status(0);
    let young = sandbox.path("d/young");
    next_tick(&sandbox, &sandbox.path(FILE));
    fs::write(&young, "young").expect("write");
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/young"]);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn what_changed_after_the_birth_of_an_index_without_a_companion_is_read() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let (early, late) = (sandbox.old_file("d/early", "one"), sandbox.write("d/late", "two"));
    if early.metadata().and_then(|meta| meta.created()).is_err() {
        return;
    }
    let tomorrow = std::time::SystemTime::now() + Duration::from_secs(86_400);
    fs::File::options().write(true).open(late).and_then(|file| file.set_modified(tomorrow)).expect("mtime");
    next_tick(&sandbox, &early);
    sandbox.shell(&format!("ms-crawl d > {FILE}")).expect_status(0);
    assert_eq!(watch_crawl(&sandbox, &["d"]), ["d/late"]);
}

#[test]
fn an_index_that_is_not_what_its_companion_says_is_not_believed() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.old_file("d/b", "two");
    crawl(&sandbox, &["d"]).expect_status(0);
    let whole = sandbox.index();
    let swapped = whole.replace(&hash(b"one"), &hash(b"on no disk"));
    let shortened = stream(whole.lines().skip(1));
    for damaged in [swapped, shortened, format!("{whole}{}", whole.replace("d/a", "d/z")), String::new()] {
        sandbox.write(FILE, &damaged);
        let watched = support::index::watch(&sandbox, "ms-crawl", &["--index", FILE, "-q", "d"]);
        watched.outcome.expect_status(0).expect_stderr(FILE);
        assert_eq!(watched.opened, ["d/a", "d/b"], "{damaged}");
        assert_eq!(sandbox.index(), whole);
        assert_eq!(watch_crawl(&sandbox, &["d"]), NOTHING);
    }
}

#[test]
fn a_companion_damaged_anywhere_makes_no_wrong_index() {
    let sandbox = Sandbox::new();
    for i in 0..5 {
        sandbox.old_file(format!("d/{i}"), format!("content {i}"));
    }
    crawl(&sandbox, &["d"]).expect_status(0);
    let (index, companion) = (sandbox.index(), sandbox.read(COMPANION));
    let first_line = companion.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    let mut damaged = Vec::new();
    for at in (first_line..companion.len()).step_by((companion.len() / 12).max(1)) {
        damaged.push(companion[..at].to_vec());
        damaged.push([&companion[..at], &[companion[at] ^ 1], &companion[at + 1..]].concat());
        damaged.push([&companion[..at], b"\xff\0garbage\n", &companion[at..]].concat());
    }
    damaged.push([&companion[..], &[0; 4096]].concat());
    for bytes in damaged {
        sandbox.edit("d/0", "edited");
        sandbox.old_file("d/5", "added");
        fs::write(sandbox.path(COMPANION), &bytes).expect("companion");
        crawl(&sandbox, &["d"]).expect_status(0);
        expect_index_of(&sandbox, &["d"]);
        // Back to the tree and FILE that the companion was about.
        sandbox.old_file("d/0", "content 0");
        fs::remove_file(sandbox.path("d/5")).expect("removal");
        fs::write(sandbox.path(FILE), &index).expect("index");
    }
}

#[test]
fn a_file_was_told_apart_only_from_those_that_were_there_to_compare() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/away/twin", "the same");
    crawl(&sandbox, &["d"]).expect_status(0);
    // While one twin is out of reach, and only its hash is remembered, the other one comes and is alone.
    sandbox.old_file("d/twin", "the same");
    let mut command = as_nobody(&sandbox, "ms-crawl");
    chmod(&sandbox.path("d/away"), 0o000);
    command.args(["--index", FILE, "--hash", "dups", "d"]);
    finish(command, b"").expect_status(1).expect_stderr("d/away");
    assert_eq!((sandbox.indexed_paths(), sandbox.indexed("d/twin", 1)), (vec!["d/twin".to_owned()], "-".to_owned()));
    chmod(&sandbox.path("d/away"), 0o755);

    crawl(&sandbox, &["--hash", "dups", "d"]).expect_status(0);

    for name in ["d/away/twin", "d/twin"] {
        assert_eq!(sandbox.indexed(name, 1), hash(b"the same"), "{name}");
    }
}

#[test]
fn a_plan_is_not_taken_for_an_index() {
    let sandbox = Sandbox::new();
    sandbox.write("photos/a", "content");
    let plan = "photos/a\t-\t7\t-\t-\tlibrary/a\t-\tdate=exif:DateTimeOriginal\n";
    sandbox.write("plan.tsv", plan);
    let crawl = |sandbox: &Sandbox| sandbox.run("ms-crawl", &["--index", "plan.tsv", "photos"], b"");
    crawl(&sandbox).expect_status(2).expect_stderr("this file is a plan, no index, and is left as it is");
    assert_eq!(sandbox.read("plan.tsv"), plan.as_bytes());
    // To an index of a crawl, what ms-mv wrote may have been added.
    sandbox.run("ms-crawl", &["--index", "index.tsv", "photos"], b"").expect_status(0);
    let added = [&sandbox.read("index.tsv")[..], plan.as_bytes()].concat();
    sandbox.write("index.tsv", added);
    sandbox.run("ms-crawl", &["--index", "index.tsv", "photos"], b"").expect_status(0);
}
