//! `ms-seal` and volumes that came back from elsewhere with their seals: what they say of themselves is compared with what is
//! there before the archive remembers it.

use crate::support;

use std::fs;
use support::archive::{MTIME, moved, standing};
use support::{Sandbox, set_mtime};

const FILES: [&str; 2] = ["0001/2012/a.jpg", "0001/2013/b.jpg"];

/// A sealed volume that no archive knows, beside one that is as it should be.
fn restored() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in FILES {
        sandbox.put_archived(name, name);
    }
    sandbox.put_archived("0002/2014/c.jpg", "third");
    let rows = [
        moved(&sandbox, FILES[0], (1, 2)),
        moved(&sandbox, FILES[1], (2, 2)),
        moved(&sandbox, "0002/2014/c.jpg", (1, 1)),
    ];
    sandbox.seal_rows(&rows).expect_status(0);
    for name in ["index.json", "0001.UNBURNED", "0002.UNBURNED"] {
        fs::remove_file(sandbox.path(format!("Archive/{name}"))).expect("removal");
    }
    fs::remove_dir_all(sandbox.path("Archive/catalog")).expect("removal");
    sandbox
}

/// The first volume is left out, also by what only reads, and the second is not.
#[track_caller]
fn expect_left_out(sandbox: &Sandbox, volume: u64, reason: &str) {
    let cat = sandbox.run_seal(&["--cat"]).expect_status(1).expect_stderr(reason);
    assert!(cat.lines().iter().all(|line| line.starts_with("Archive/0002/")), "{:?}", cat.lines());
    for args in [&[][..], &["--all"]] {
        let outcome = sandbox.run_seal(args).expect_status(1).expect_stderr(reason);
        assert_eq!(outcome.stderr.matches(reason).count(), 1, "{}", outcome.stderr);
        let volumes = sandbox.catalogue_now()["volumes"].as_array().expect("volumes").clone();
        assert_eq!(volumes.iter().map(|volume| volume["volume"].as_u64()).collect::<Vec<_>>(), [Some(2)]);
        assert!(!sandbox.exists(format!("Archive/catalog/{volume:04}.tsv")));
        assert!(!sandbox.exists(format!("Archive/{volume:04}.UNBURNED")));
    }
    sandbox.run_seal(&["--burned", &volume.to_string()]).expect_status(2).expect_stderr("its burn is not recorded");
}

#[test]
fn a_volume_that_came_back_with_a_file_missing_is_left_out() {
    let sandbox = restored();
    fs::remove_file(sandbox.path("Archive/0001/2013/b.jpg")).expect("removal");
    expect_left_out(&sandbox, 1, "Archive/0001/2013/b.jpg: it is not there, and its volume was sealed with it");
}

#[test]
fn a_volume_that_came_back_with_another_file_is_left_out() {
    let sandbox = restored();
    let path = sandbox.put_archived(FILES[1], "longer than it was before");
    expect_left_out(
        &sandbox,
        1,
        "Archive/0001/2013/b.jpg: its volume was sealed with another file of this name: its size",
    );
    fs::write(&path, FILES[1]).expect("write");
    set_mtime(&path, MTIME + 1, 0);
    expect_left_out(&sandbox, 1, "with another file of this name: its modification time differs");
    fs::remove_file(&path).expect("removal");
    sandbox.symlink("../2012/a.jpg", "Archive/0001/2013/b.jpg");
    expect_left_out(&sandbox, 1, "Archive/0001/2013/b.jpg: a symbolic link");
}

#[test]
fn a_medium_may_keep_times_less_exactly() {
    let sandbox = restored();
    for name in FILES {
        set_mtime(&sandbox.path(format!("Archive/{name}")), MTIME, 0);
    }
    sandbox.run_seal(&[]).expect_status(0).expect_stderr("completed what the archive tells of 2 volumes: 0001, 0002");
    assert!(String::from_utf8_lossy(&sandbox.read("Archive/catalog/0001.tsv")).contains("1330948800.123456789"));
}

#[test]
fn a_volume_under_another_number_is_left_out() {
    let sandbox = restored();
    fs::rename(sandbox.path("Archive/0001"), sandbox.path("Archive/0009")).expect("rename");
    let reason = "Archive/0009/index.json: it is that of volume 1, and not of 0009";
    expect_left_out(&sandbox, 9, reason);
    let list = sandbox.run_seal(&["--list"]).expect_status(1).expect_stderr(reason);
    assert_eq!(list.lines().len(), 3, "the others are listed: {:?}", list.lines());
}

#[test]
fn an_index_that_tells_of_a_file_twice_is_left_out() {
    let sandbox = restored();
    let index = String::from_utf8(sandbox.read("Archive/0001/index.json")).expect("JSON");
    sandbox.write("Archive/0001/index.json", index.replace("2013/b.jpg", "2012/a.jpg"));
    expect_left_out(&sandbox, 1, "Archive/0001/index.json: 2012/a.jpg: this path is there twice");
}

#[test]
fn what_is_remembered_is_not_looked_at_again() {
    let sandbox = restored();
    sandbox.run_seal(&[]).expect_status(0);
    let before = standing(&sandbox);
    set_mtime(&sandbox.path(format!("Archive/{}", FILES[0])), MTIME + 1, 0);
    sandbox.run_seal(&[]).expect_status(0);
    assert_eq!(standing(&sandbox), before);
}
