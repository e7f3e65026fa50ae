//! `ms-seal`: running it again, after a crash and without one; and that a sealed volume gets no further byte.

use crate::support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use support::plan::{Row, mv, plan, undo};
use support::sealed::{MTIME, expect_same};
use support::{Sandbox, Seen, set_mtime, snapshot};

/// An archive whose volumes 7 and 8 have just been sealed, and the rows.
fn sealed() -> (Sandbox, Vec<Row>) {
    let sandbox = Sandbox::new();
    let rows = [sandbox.sealed(7), sandbox.sealed(8)].concat();
    (sandbox, rows)
}

#[test]
fn sealing_again_changes_nothing() {
    let (sandbox, rows) = sealed();
    let before = sandbox.archive_inodes();
    for (args, rows) in [(&[][..], &rows[..]), (&[][..], &[]), (&["--all"][..], &[]), (&["-q"][..], &rows[..2])] {
        sandbox.seal(args, rows).expect_status(0);
        let mut after = sandbox.archive_inodes();
        // The catalogue may be written anew, but not with another content.
        let catalogue = |all: &BTreeMap<_, (u64, Seen)>| all[Path::new("index.json")].1.content.clone();
        assert_eq!(catalogue(&after), catalogue(&before), "{args:?}");
        after.insert("index.json".into(), before[Path::new("index.json")].clone());
        expect_same(&before, &after, &format!("{args:?}"));
    }
}

/// Takes away what a crash had not written yet when volume 8 was sealed; running it again must bring the very same
/// back.
#[track_caller]
fn expect_repaired(missing: &[&str], args: &[&str], rows_again: bool) {
    let sandbox = Sandbox::new();
    let mut rows = sandbox.sealed(7);
    let earlier = sandbox.read("Archive/index.json");
    rows.extend(sandbox.sealed(8));
    let (before, entries) = (snapshot(&sandbox.path("Archive")), [sandbox.entry(7), sandbox.entry(8)]);
    for name in missing {
        std::fs::remove_file(sandbox.path(format!("Archive/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    // The catalogue comes last.
    sandbox.write("Archive/index.json", earlier);

    sandbox.seal(args, if rows_again { &rows } else { &[] }).expect_status(0);

    let (mut after, mut before) = (snapshot(&sandbox.path("Archive")), before);
    for seen in [&mut before, &mut after] {
        seen.remove(Path::new("index.json"));
        seen.iter_mut()
            .filter(|(path, _)| missing.iter().any(|name| path.as_path() == Path::new(name)))
            .for_each(|(_, seen)| seen.mtime = (0, 0));
    }
    let context = format!("without {missing:?}, {args:?}");
    expect_same(&before, &after, &context);
    assert_eq!(sandbox.entry(7), entries[0], "{context}");
    let without_capacity = |entry: Option<Value>| {
        let mut entry = entry.expect("an entry");
        // Only the stream tells it.
        entry["capacity"] = Value::Null;
        entry
    };
    assert_eq!(without_capacity(sandbox.entry(8)), without_capacity(entries[1].clone()), "{context}");
}

#[test]
fn a_crash_is_repaired_by_the_same_run() {
    for missing in [&["0008.UNBURNED"][..], &["catalog/0008.tsv"], &["0008.UNBURNED", "catalog/0008.tsv"], &[]] {
        expect_repaired(missing, &[], true);
        expect_repaired(missing, &["--all"], false);
    }
    expect_repaired(
        &["0008/README.txt", "0008/B3SUMS", "0008/index.json", "0008.UNBURNED", "catalog/0008.tsv"],
        &[],
        true,
    );
    expect_repaired(&[".ms-protect"], &[], true);
}

#[test]
fn a_half_sealed_volume_is_finished_by_any_run() {
    for half in ["0008/B3SUMS", "0008/index.json"] {
        for args in [&[][..], &["--all"]] {
            expect_repaired(&[half, "0008.UNBURNED", "catalog/0008.tsv"], args, false);
        }
        expect_repaired(&[half, "0008.UNBURNED", "catalog/0008.tsv"], &[], true);
    }
}

#[test]
fn what_a_crash_left_under_a_temporary_name_is_in_no_seal() {
    let sandbox = Sandbox::new();
    let rows = sandbox.volume(7, &[("2012/a.jpg", "alpha")]);
    sandbox.write("Archive/0007/.ms-seal.tmp", "MS_0007\n=======\n\nThis is vol");
    sandbox.seal(&[], &rows).expect_status(0);
    sandbox.expect_sealed(7);
    assert!(!sandbox.exists("Archive/0007/.ms-seal.tmp"));
    assert_eq!(sandbox.json("0007/index.json")["files"].as_array().expect("files").len(), 1);
}

#[test]
fn a_burned_volume_that_is_named_again_gets_no_marker_again() {
    let (sandbox, rows) = sealed();
    sandbox.seal(&["--burned", "7"], &[]).expect_status(0);
    let before = snapshot(&sandbox.path("Archive"));
    sandbox.seal(&[], &rows).expect_status(0);
    sandbox.seal(&["--all"], &[]).expect_status(0);
    assert!(!sandbox.exists("Archive/0007.UNBURNED"));
    assert_eq!(
        snapshot(&sandbox.path("Archive/0007")).len(),
        before.keys().filter(|p| p.starts_with("0007")).count() - 1
    );
    assert_eq!(sandbox.entry(7).expect("volume 7")["state"], "burned");
}

#[test]
fn a_volume_whose_directory_is_gone_stays_in_the_catalogue() {
    let (sandbox, _) = sealed();
    sandbox.seal(&["--burned", "7"], &[]).expect_status(0);
    let entry = sandbox.entry(7);
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("to the shelf");
    sandbox.sealed(9);
    sandbox.seal(&["--all"], &[]).expect_status(0);
    assert_eq!(sandbox.entry(7), entry);
    assert_eq!(sandbox.listing(7).len(), 2);
}

#[test]
fn unknown_members_of_the_catalogue_are_kept() {
    let (sandbox, _) = sealed();
    let mut catalogue = sandbox.catalogue().expect("a catalogue");
    catalogue["owner"] = json!({"name": "me", "since": 2005});
    catalogue["volumes"][0]["shelf"] = Value::from("attic");
    catalogue["volumes"][0]["burns"] =
        json!([{"date": "2026-01-02", "copy": null, "media_id": null, "drive": "BW-16"}]);
    sandbox.write("Archive/index.json", serde_json::to_vec(&catalogue).expect("JSON"));
    sandbox.sealed(9);
    sandbox.seal(&["--burned", "7", "--copy", "elsewhere"], &[]).expect_status(0);
    let after = sandbox.catalogue().expect("a catalogue");
    assert_eq!(after["owner"], catalogue["owner"]);
    let entry = sandbox.entry(7).expect("volume 7");
    assert_eq!(entry["shelf"], "attic");
    assert_eq!((&entry["burns"][0]["drive"], entry["burns"].as_array().map(Vec::len)), (&"BW-16".into(), Some(2)));
}

#[test]
fn a_move_into_a_volume_can_be_undone_until_it_is_sealed() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("photos/2012/a.jpg", "alpha");
    set_mtime(&path, 1_500_000_000, 250_000_000);
    let row = Row::new(&sandbox, "photos/2012/a.jpg", "Archive/0001/2012/a.jpg");
    let moved = mv(&sandbox, &[], std::slice::from_ref(&row)).expect_status(0);
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("photos/2012/a.jpg"));

    let again = mv(&sandbox, &[], &[row]).expect_status(0);
    assert_eq!(moved.lines(), again.lines());
    sandbox.run("ms-seal", &["Archive"], &again.stdout).expect_status(0);
    sandbox.expect_sealed(1);
    let before = snapshot(&sandbox.work());
    assert_ne!(undo(&sandbox).status, 0, "the volume is sealed");
    expect_same(&snapshot(&sandbox.work()), &before, "--undo");
    sandbox.run("ms-mv", &[""; 0], &again.stdout).expect_status(1).expect_stderr("Archive/0001/2012/a.jpg");
    expect_same(&snapshot(&sandbox.work()), &before, "nor is its output a way out");
}

#[test]
fn undo_is_refused_after_the_burn_too() {
    let sandbox = Sandbox::new();
    sandbox.write("photos/2012/a.jpg", "alpha");
    let row = Row::new(&sandbox, "photos/2012/a.jpg", "Archive/0001/2012/a.jpg");
    let moved = mv(&sandbox, &[], &[row]).expect_status(0);
    sandbox.run("ms-seal", &["Archive"], &moved.stdout).expect_status(0);
    sandbox.seal(&["--burned", "1"], &[]).expect_status(0);
    assert_ne!(undo(&sandbox).status, 0);
    assert!(sandbox.exists("Archive/0001/2012/a.jpg") && !sandbox.exists("photos/2012/a.jpg"));
}

#[test]
fn nothing_is_moved_into_a_sealed_volume() {
    let (sandbox, _) = sealed();
    sandbox.write("photos/new.jpg", "new");
    sandbox.write("photos/other.jpg", "other");
    let before = snapshot(&sandbox.path("Archive"));
    for spelling in
        ["Archive/0007/2012/03/05/new.jpg", "Archive/../Archive/0007/new.jpg", "Archive/0007/new/deep/n.jpg"]
    {
        let rows =
            [Row::new(&sandbox, "photos/new.jpg", spelling), Row::new(&sandbox, "photos/other.jpg", "moved/other.jpg")];
        mv(&sandbox, &[], &rows).expect_status(1).expect_stderr("photos/new.jpg");
        assert!(sandbox.exists("photos/new.jpg"));
        expect_same(&snapshot(&sandbox.path("Archive")), &before, spelling);
        undo(&sandbox).expect_status(0);
    }
    sandbox.symlink("Archive/0007", "link");
    mv(&sandbox, &["--copy"], &[Row::new(&sandbox, "photos/new.jpg", "link/n.jpg")]).expect_status(1);
    expect_same(&snapshot(&sandbox.path("Archive")), &before, "through a link");
}

#[test]
fn an_open_volume_of_the_archive_still_takes_files() {
    let (sandbox, _) = sealed();
    sandbox.write("photos/new.jpg", "new");
    let moved = mv(&sandbox, &[], &[Row::new(&sandbox, "photos/new.jpg", "Archive/0009/new.jpg")]).expect_status(0);
    sandbox.run("ms-seal", &["Archive"], &moved.stdout).expect_status(0);
    sandbox.expect_sealed(9);
}

#[test]
fn the_same_files_give_the_same_seal() {
    let seal = |rows: &dyn Fn(Vec<Row>) -> Vec<Row>| {
        let sandbox = Sandbox::new();
        let made = sandbox.volume(7, &[("2012/b.jpg", "beta"), ("2012/a.jpg", "alpha")]);
        sandbox.run("ms-seal", &["Archive"], &plan(&rows(made))).expect_status(0);
        ["0007/index.json", "0007/B3SUMS", "0007/README.txt", "index.json", "catalog/0007.tsv"]
            .map(|name| sandbox.read(format!("Archive/{name}")))
    };
    let first = seal(&|rows| rows);
    assert!(String::from_utf8_lossy(&first[0]).contains(MTIME));
    assert_eq!(seal(&|rows| rows.into_iter().rev().collect()), first);
}
