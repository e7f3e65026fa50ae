//! Files that change, go or come while `ms-mv` moves them on one filesystem.

use crate::support;

use std::fs::{hard_link, remove_file, rename};
use std::io::Write as _;
use support::hold::{At, hold};
use support::plan::{Row, plan};
use support::{Outcome, Sandbox, needs};

fn meanwhile(sandbox: &Sandbox, row: Row, act: impl FnOnce()) -> Outcome {
    let held = hold(sandbox, At::first("renameat2"), "ms-mv", &[], &plan(&[row]));
    act();
    held.go()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    sandbox.write("other", "other");
    sandbox
}

#[test]
fn a_source_that_is_replaced_at_the_last_moment_is_put_back() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    let act = || {
        rename(sandbox.path("a"), sandbox.path("a.old")).expect("rename");
        rename(sandbox.path("other"), sandbox.path("a")).expect("rename");
    };
    meanwhile(&sandbox, Row::new(&sandbox, "a", "b"), act).expect_status(1).expect_stderr("replaced by another file");
    assert_eq!((sandbox.read("a"), sandbox.read("a.old")), (b"other".to_vec(), b"alpha".to_vec()));
    assert!(!sandbox.exists("b"));
}

#[test]
fn a_directory_in_the_place_of_the_source_is_put_back() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    let act = || {
        rename(sandbox.path("a"), sandbox.path("a.old")).expect("rename");
        sandbox.write("a/inside", "inside");
    };
    meanwhile(&sandbox, Row::new(&sandbox, "a", "b"), act).expect_status(1);
    assert_eq!((sandbox.read("a/inside"), sandbox.read("a.old")), (b"inside".to_vec(), b"alpha".to_vec()));
}

#[test]
fn a_source_that_grows_at_the_last_moment_is_put_back() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    let act = || {
        let file = std::fs::OpenOptions::new().append(true).open(sandbox.path("a"));
        file.and_then(|mut file| file.write_all(b" and more")).expect("append");
    };
    meanwhile(&sandbox, Row::new(&sandbox, "a", "b"), act).expect_status(1);
    assert_eq!(sandbox.read("a"), b"alpha and more");
    assert!(!sandbox.exists("b"));
}

#[test]
fn a_destination_that_somebody_makes_first_is_left() {
    if !needs("strace") {
        return;
    }
    for (make, calls) in [(false, "renameat2"), (true, "renameat2")] {
        let sandbox = sandbox();
        let held = hold(&sandbox, At::first(calls), "ms-mv", &[], &plan(&[Row::new(&sandbox, "a", "b")]));
        if make {
            sandbox.symlink("other", "b");
        } else {
            sandbox.write("b", "mine");
        }
        held.go().expect_status(1).expect_stderr("stands there already");
        assert_eq!(sandbox.read("a"), b"alpha");
        assert_eq!(sandbox.read("b"), if make { &b"other"[..] } else { b"mine" });
        assert_eq!(sandbox.read("other"), b"other");
    }
}

/// A duplicate and its keeper, and what happens to the keeper: the duplicate must be back where it was.
fn keeper_suffers(act: impl FnOnce(&Sandbox)) {
    let sandbox = Sandbox::new();
    sandbox.write("k/keeper", "alpha");
    sandbox.write("a", "alpha");
    sandbox.mkdir("q");
    let row = Row::new(&sandbox, "a", "q/a").keep(&sandbox, "k/keeper");
    meanwhile(&sandbox, row, || act(&sandbox)).expect_status(1).expect_stderr("taken back");
    assert_eq!(sandbox.read("a"), b"alpha");
    assert!(!sandbox.exists("q/a"));
}

#[test]
fn a_duplicate_comes_back_if_its_keeper_does_not_stay() {
    if !needs("strace") {
        return;
    }
    keeper_suffers(|sandbox| remove_file(sandbox.path("k/keeper")).expect("removal"));
    keeper_suffers(|sandbox| {
        remove_file(sandbox.path("k/keeper")).expect("removal");
        hard_link(sandbox.path("a"), sandbox.path("k/keeper")).expect("link");
    });
    keeper_suffers(|sandbox| {
        remove_file(sandbox.path("k/keeper")).expect("removal");
        sandbox.symlink("../a", "k/keeper");
    });
    keeper_suffers(|sandbox| {
        rename(sandbox.path("k"), sandbox.path("k.old")).expect("rename");
        sandbox.symlink("q", "k");
    });
    keeper_suffers(|sandbox| drop(sandbox.write("k/keeper", "ALPHA")));
}
