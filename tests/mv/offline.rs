//! `ms-mv` and sealed volumes: nothing more comes into one, and a copy on the shelf is believed in only if that is asked for.

use crate::support;

use support::plan::{Row, mv, undo};
use support::{Sandbox, hash};

/// An archive that tells of volume 7, whose directory is gone, with one file in it.
fn shelf(sandbox: &Sandbox, state: &str, burns: &str, content: &str) {
    let listing =
        format!("0007/2012/a.jpg\t{}\t{}\t1300000000.000000000\t-\n", hash(content.as_bytes()), content.len());
    sandbox.write("Archive/catalog/0007.tsv", listing);
    let entry = format!(
        "{{\"volume\":7,\"label\":\"MS_0007\",\"state\":\"{state}\",\"files\":1,\"bytes\":1,\"image_bytes\":1,\"burns\":[{burns}]}}"
    );
    sandbox.write("Archive/index.json", format!("{{\"format\":\"mediastruct-archive/1\",\"volumes\":[{entry}]}}"));
}

const BURN: &str = "{\"date\":\"2026-11-28\"}";

fn duplicate(sandbox: &Sandbox, content: &str) -> Row {
    sandbox.write("photos/again.jpg", content);
    Row::new(sandbox, "photos/again.jpg", "duplicates/again.jpg").keep_unnoted("Archive/0007/2012/a.jpg")
}

#[test]
fn a_duplicate_of_what_is_on_the_shelf_moves_only_if_it_is_asked_for() {
    let sandbox = Sandbox::new();
    shelf(&sandbox, "burned", BURN, "the same");
    let row = duplicate(&sandbox, "the same");
    let refused = mv(&sandbox, &[], std::slice::from_ref(&row)).expect_status(1);
    refused.expect_stderr("Archive/0007/2012/a.jpg: it is not here, but in volume 0007 on the shelf: --offline-keep");
    assert!(sandbox.exists("photos/again.jpg"));
    let dry = mv(&sandbox, &["--offline-keep", "--dry-run"], std::slice::from_ref(&row)).expect_status(0);
    assert_eq!(dry.rows().len(), 1);
    mv(&sandbox, &["--offline-keep"], &[row]).expect_status(0);
    assert_eq!(sandbox.read("duplicates/again.jpg"), b"the same");
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("photos/again.jpg"));
}

#[test]
fn the_archive_must_vouch_for_the_copy() {
    let sandbox = Sandbox::new();
    let row = duplicate(&sandbox, "the same");
    let refuse = |row: &Row, expected: &str| {
        let refused = mv(&sandbox, &["--offline-keep"], std::slice::from_ref(row)).expect_status(1);
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
        assert!(sandbox.exists("photos/again.jpg"), "{expected}");
    };
    shelf(&sandbox, "sealed", "", "the same");
    refuse(&row, "the catalogue knows of no disc of volume 0007");
    shelf(&sandbox, "burned", "", "the same");
    refuse(&row, "the catalogue knows of no disc of volume 0007");
    shelf(&sandbox, "burned", BURN, "not that");
    refuse(&row, "in volume 0007 on the shelf, it has another content");
    shelf(&sandbox, "burned", BURN, "the same");
    refuse(&Row { hash: "-".into(), ..row.clone() }, "the row has no hash");
    refuse(&Row { keep: "Archive/0007/2012/b.jpg".into(), ..row.clone() }, "it is not in its listing");
    refuse(&Row { keep: "Archive/0008/2012/a.jpg".into(), ..row.clone() }, "No such file or directory");
    // Where the volume is here, but the file is not, something is wrong with the archive.
    sandbox.write("Archive/0007/2012/b.jpg", "");
    refuse(&row, "Archive/0007/2012/a.jpg: it is not there any more");
}

#[test]
fn nothing_comes_into_a_sealed_volume() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0003/index.json", "{}");
    sandbox.write("Archive/0003/B3SUMS", "");
    shelf(&sandbox, "burned", BURN, "the same");
    sandbox.write("photos/new.jpg", "new");
    for dest in ["Archive/0003/new.jpg", "Archive/0003/2012/03/new.jpg", "Archive/0007/2012/new.jpg"] {
        for mode in [&[] as &[&str], &["--copy"], &["--link"], &["--dry-run"]] {
            let refused = mv(&sandbox, mode, &[Row::new(&sandbox, "photos/new.jpg", dest)]).expect_status(1);
            refused.expect_stderr("it would be in a sealed volume, which never changes");
            assert!(!sandbox.exists(dest) && sandbox.exists("photos/new.jpg"), "{dest} {mode:?}");
        }
    }
    assert!(!sandbox.exists("Archive/0003/2012") && !sandbox.exists("Archive/0007"), "no directory is made, either");
    mv(&sandbox, &[], &[Row::new(&sandbox, "photos/new.jpg", "Archive/0004/new.jpg")]).expect_status(0);
}
