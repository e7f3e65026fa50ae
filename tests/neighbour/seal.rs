//! What somebody does to an archive while `ms-seal` works: nothing is written through a link, nor into another directory.

use crate::support;

use std::fs::rename;
use support::hold::{At, hold};
use support::plan::plan;
use support::{Outcome, Sandbox, needs, snapshot};

/// A volume that is about to be sealed, and the stream that tells of it.
fn open_volume() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::new();
    let rows = sandbox.volume(1, &[("2012/03/05/a.jpg", "alpha"), ("2013/01/02/b.jpg", "beta")]);
    sandbox.write("precious", "precious");
    (sandbox, plan(&rows))
}

fn meanwhile(sandbox: &Sandbox, at: At<'_>, args: &[&str], stream: &[u8], act: impl FnOnce()) -> Outcome {
    let held = hold(sandbox, at, "ms-seal", &[args, &["Archive"]].concat(), stream);
    act();
    held.go()
}

#[test]
fn a_volume_that_is_exchanged_for_another_directory_is_not_described_there() {
    if !needs("strace") {
        return;
    }
    for is_link in [true, false] {
        // Before anything is written, and before the first, second and third of the files that describe it has its name.
        for (call, turn) in [("syncfs", 1), ("renameat2", 3), ("renameat2", 4), ("renameat2", 5)] {
            let (sandbox, stream) = open_volume();
            sandbox.write("other/mine", "mine");
            sandbox.mkdir("Archive");
            let other = if is_link { "other" } else { "Archive/0001" };
            let outcome = meanwhile(&sandbox, At::first(call).turn(turn), &[], &stream, || {
                rename(sandbox.path("Archive/0001"), sandbox.path("away")).expect("rename");
                if is_link {
                    sandbox.symlink("../other", "Archive/0001");
                } else {
                    rename(sandbox.path("other"), sandbox.path("Archive/0001")).expect("rename");
                }
            });
            let context = format!("{call} {turn}: {}", outcome.stderr);
            assert!(matches!(outcome.status, 1 | 2), "{context}");
            assert_eq!(snapshot(&sandbox.path(other)).len(), 1, "{context}");
            let catalogue = String::from_utf8(sandbox.read("Archive/index.json")).expect("text");
            assert!(catalogue.contains("\"open\"") && !sandbox.exists("Archive/0001.UNBURNED"), "{context}");
        }
    }
}

/// The files that a first sealing makes, in their order.
const MADE: [&str; 7] = [
    ".ms-protect",
    "index.json",
    "0001/README.txt",
    "0001/index.json",
    "0001/B3SUMS",
    "catalog/0001.tsv",
    "0001.UNBURNED",
];

#[test]
fn nothing_is_written_through_a_link_or_over_a_file() {
    if !needs("strace") {
        return;
    }
    for (turn, name) in MADE.iter().enumerate() {
        for is_link in [true, false] {
            let (sandbox, stream) = open_volume();
            let path = format!("Archive/{name}");
            let outcome = meanwhile(&sandbox, At::first("renameat2").turn(turn + 1), &[], &stream, || {
                assert!(!sandbox.exists(&path), "{path} stands already");
                if is_link {
                    std::os::unix::fs::symlink(sandbox.path("precious"), sandbox.path(&path)).expect("symbolic link");
                } else {
                    sandbox.write(&path, "mine");
                }
            });
            assert!(matches!(outcome.status, 1 | 2), "{path}: {}", outcome.stderr);
            assert_eq!(sandbox.read("precious"), b"precious", "{path}");
            assert_eq!(sandbox.read(&path), if is_link { &b"precious"[..] } else { b"mine" }, "{path}");
        }
    }
}

#[test]
fn links_that_wait_for_the_sealing_are_not_written_through() {
    for name in MADE.into_iter().chain(["0001/.ms-seal.tmp", ".ms-seal.tmp", "catalog/.ms-seal.tmp"]) {
        let (sandbox, stream) = open_volume();
        sandbox.mkdir("Archive/catalog");
        sandbox.write("precious", "");
        std::os::unix::fs::symlink(sandbox.path("precious"), sandbox.path(format!("Archive/{name}"))).expect("link");
        sandbox.run("ms-seal", &["Archive"], &stream);
        assert_eq!(sandbox.read("precious"), b"", "{name}");
    }
}

#[test]
fn a_catalogue_that_somebody_else_writes_meanwhile_is_not_replaced() {
    if !needs("strace") {
        return;
    }
    for is_link in [true, false] {
        let sandbox = Sandbox::new();
        sandbox.sealed(1);
        sandbox.write("precious", "precious");
        let outcome = meanwhile(&sandbox, At::first("renameat2"), &["--burned", "1"], b"", || {
            std::fs::remove_file(sandbox.path("Archive/index.json")).expect("removal");
            if is_link {
                sandbox.symlink("../precious", "Archive/index.json");
            } else {
                sandbox.write("Archive/index.json", "precious");
            }
        });
        let outcome = outcome.expect_status(2).expect_stderr("somebody else has put another file there");
        assert_eq!(sandbox.read("Archive/index.json"), b"precious", "{}", outcome.stderr);
        assert_eq!(sandbox.read("precious"), b"precious");
        assert!(!sandbox.exists("Archive/.ms-seal.tmp") && sandbox.exists("Archive/0001.UNBURNED"));
    }
}

#[test]
fn a_directory_of_listings_that_becomes_a_link_gets_none() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.sealed(1);
    let rows = sandbox.volume(2, &[("2014/a.jpg", "gamma")]);
    sandbox.mkdir("other");
    // The files of the volume come first.
    let at = At::first("renameat2").turn(4);
    let outcome = meanwhile(&sandbox, at, &[], &plan(&rows), || {
        rename(sandbox.path("Archive/catalog"), sandbox.path("away")).expect("rename");
        sandbox.symlink("../other", "Archive/catalog");
    });
    outcome.expect_status(2).expect_stderr("another directory was put in its place");
    assert_eq!(snapshot(&sandbox.path("other")).len(), 0);
}

#[test]
fn an_archive_that_is_exchanged_is_not_sealed_by_halves() {
    if !needs("strace") {
        return;
    }
    let (sandbox, stream) = open_volume();
    sandbox.write("other/0001/mine", "mine");
    let before = snapshot(&sandbox.path("other"));
    let outcome = meanwhile(&sandbox, At::first("syncfs"), &[], &stream, || {
        rename(sandbox.path("Archive"), sandbox.path("away")).expect("rename");
        sandbox.symlink("other", "Archive");
    });
    assert!(matches!(outcome.status, 1 | 2), "{}", outcome.stderr);
    assert_eq!(snapshot(&sandbox.path("other")), before);
}
