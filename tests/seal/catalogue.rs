//! `ms-seal` and catalogues that somebody else has had a hand in.

use crate::support;

use std::fs;
use support::archive::moved;
use support::{Sandbox, snapshot};

/// Volume 1 is sealed.
fn sealed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    sandbox.seal_rows(&[moved(&sandbox, "0001/2012/a.jpg", (1, 1))]).expect_status(0);
    sandbox
}

#[test]
fn a_catalogue_that_is_a_link_is_read_and_not_replaced() {
    let sandbox = sealed();
    sandbox.mkdir("synced");
    fs::rename(sandbox.path("Archive/index.json"), sandbox.path("synced/catalogue.json")).expect("rename");
    sandbox.symlink("../synced/catalogue.json", "Archive/index.json");
    sandbox.put_archived("0002/2013/b.jpg", "second");
    let before = snapshot(&sandbox.work());
    for args in [&[][..], &["--all"], &["--burned", "1"], &["--unburned", "1"]] {
        let outcome = sandbox.run_seal(args).expect_status(2);
        outcome
            .expect_stderr("Archive/index.json: it is a symbolic link, and no other file is put in its place")
            .expect_stderr("the catalogue itself");
        assert_eq!(snapshot(&sandbox.work()), before, "{args:?}");
    }
    assert_eq!(sandbox.run_seal(&["--list"]).expect_status(0).lines().len(), 3);
    assert_eq!(sandbox.run_seal(&["--cat"]).expect_status(0).lines().len(), 1);
    // One that leads nowhere is no archive without a catalogue, either.
    fs::remove_file(sandbox.path("synced/catalogue.json")).expect("removal");
    sandbox.run_seal(&["--all"]).expect_status(2).expect_stderr("it is a symbolic link");
    assert!(sandbox.path("Archive/index.json").is_symlink());
}

#[test]
fn a_volume_that_is_called_burned_without_a_burn_is_listed_as_what_is_known() {
    let sandbox = sealed();
    let catalogue = String::from_utf8(sandbox.read("Archive/index.json")).expect("JSON");
    sandbox.write("Archive/index.json", catalogue.replace("sealed", "burned"));
    let row = |outcome: &support::Outcome| {
        let line = outcome.lines()[1].clone();
        let cells = line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned());
        cells.collect::<Vec<_>>()
    };
    let here = row(&sandbox.run_seal(&["--list"]).expect_status(0));
    assert_eq!((here[2].as_str(), &here[9..]), ("burned", &["unknown".to_owned(), "here".to_owned()][..]));
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    let outcome = sandbox.run_seal(&["--list"]).expect_status(0);
    let gone = row(&outcome);
    assert_eq!((gone[2].as_str(), &gone[9..]), ("burned", &["unknown".to_owned(), "not here".to_owned()][..]));
    outcome.expect_stderr("listing: Archive/0001: the catalogue calls it burned, and tells of no disc of it");
}
