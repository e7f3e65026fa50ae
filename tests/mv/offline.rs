//! `ms-mv` and sealed volumes: nothing more comes into one, and a copy on the shelf is believed in only if that is asked for.

use crate::support;

use support::plan::{Row, mv, plan, undo};
use support::{Sandbox, hash, needs};

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

#[test]
fn nothing_comes_into_a_volume_whose_sealing_has_begun() {
    for (name, text) in
        [("README.txt", "MS_0003\n=======\n\nThis is volume 0003"), ("index.json", "{}"), ("B3SUMS", "")]
    {
        let sandbox = Sandbox::new();
        sandbox.write(format!("Archive/0003/{name}"), text);
        sandbox.write("photos/new.jpg", "new");
        let refused = mv(&sandbox, &[], &[Row::new(&sandbox, "photos/new.jpg", "Archive/0003/2012/n.jpg")]);
        refused.expect_status(1).expect_stderr("or in one whose sealing has begun");
        assert!(sandbox.exists("photos/new.jpg") && !sandbox.exists("Archive/0003/2012"), "{name}");
    }
    // A text of somebody else is no sign of that, nor is a list in a directory that is no volume.
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0003/README.txt", "Holidays\n========\n");
    sandbox.write("site/index.json", "{}");
    sandbox.write("photos/a.jpg", "a");
    sandbox.write("photos/b.jpg", "b");
    let rows =
        [Row::new(&sandbox, "photos/a.jpg", "Archive/0003/a.jpg"), Row::new(&sandbox, "photos/b.jpg", "site/b.jpg")];
    mv(&sandbox, &[], &rows).expect_status(0);
}

#[test]
fn nothing_leaves_a_sealed_volume_that_is_elsewhere_or_lost_its_protection() {
    let sandbox = Sandbox::new();
    sandbox.write("other/v1/2012/a.jpg", "a");
    sandbox.mkdir("A");
    sandbox.symlink("../other/v1", "A/0001");
    sandbox.write("C/0001/2012/a.jpg", "c");
    for archive in ["A", "C"] {
        sandbox.run("ms-seal", &["--all", archive], b"").expect_status(0);
    }
    std::fs::remove_file(sandbox.path("C/.ms-protect")).expect("removal");
    for source in ["A/0001/2012/a.jpg", "other/v1/2012/a.jpg", "C/0001/2012/a.jpg"] {
        for check in [&[][..], &["--dry-run"]] {
            let refused = mv(&sandbox, check, &[Row::new(&sandbox, source, "out/a.jpg")]).expect_status(1);
            refused.expect_stderr("it is in a sealed volume");
            assert!(sandbox.exists(source) && !sandbox.exists("out/a.jpg"));
        }
    }
    // A copy takes nothing away.
    mv(&sandbox, &["--copy"], &[Row::new(&sandbox, "C/0001/2012/a.jpg", "out/a.jpg")]).expect_status(0);
}

#[test]
fn what_was_never_burned_is_not_called_to_be_on_the_shelf() {
    let sandbox = Sandbox::new();
    let row = duplicate(&sandbox, "the same");
    shelf(&sandbox, "sealed", "", "the same");
    let refused = mv(&sandbox, &[], &[row]).expect_status(1);
    let refused = refused.expect_stderr("it is not here, and the catalogue knows of no disc of volume 0007");
    assert!(!refused.stderr.contains("shelf"), "{}", refused.stderr);
}

#[test]
fn a_damaged_catalogue_or_listing_refuses_only_the_rows_that_depend_on_it() {
    for (name, text) in [
        ("Other/index.json", "{"),
        ("Other/index.json", "{\"format\":\"mediastruct-archive/2\",\"volumes\":[]}"),
        ("Other/catalog/0007.tsv", "0007/2012/a.jpg\t-\t1\t-\t-"),
    ] {
        let sandbox = Sandbox::new();
        shelf(&sandbox, "burned", BURN, "the same");
        sandbox.shell("cp -r Archive Other").expect_status(0);
        sandbox.write(name, text);
        let row = |number: u32, archive: &str| {
            let path = format!("photos/{number}.jpg");
            sandbox.write(&path, "the same");
            let row = Row::new(&sandbox, path, format!("out/{number}.jpg"));
            if archive.is_empty() { row } else { row.keep_unnoted(&format!("{archive}/0007/2012/a.jpg")) }
        };
        let rows = [row(1, "Other"), row(2, "Archive"), row(3, "Other"), row(4, "")];
        let dry = mv(&sandbox, &["--offline-keep", "--dry-run"], &rows).expect_status(1);
        assert_eq!(dry.rows().len(), 2, "{name}: {}", dry.stderr);
        let outcome = mv(&sandbox, &["--offline-keep"], &rows).expect_status(1);
        assert_eq!(outcome.column(0), ["out/2.jpg", "out/4.jpg"], "{name}: {}", outcome.stderr);
        for refused in ["photos/1.jpg", "photos/3.jpg"] {
            assert!(
                sandbox.exists(refused) && outcome.stderr.contains(&format!("moving: {refused}: ")),
                "{}",
                outcome.stderr
            );
        }
        assert_eq!(outcome.stderr.matches(name).count(), 2, "{}", outcome.stderr);
        undo(&sandbox).expect_status(0);
    }
}

#[test]
fn the_catalogue_is_read_once_for_all_rows() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    shelf(&sandbox, "burned", BURN, "the same");
    let row = |number: usize| {
        let path = format!("photos/{number}.jpg");
        sandbox.write(&path, "the same");
        Row::new(&sandbox, path, format!("out/{number}.jpg")).keep_unnoted("Archive/0007/2012/a.jpg")
    };
    let rows: Vec<Row> = (0..20).map(row).collect();
    for (args, status) in [(&["-q"][..], 1), (&["-q", "--offline-keep"], 0)] {
        let traced = support::trace::traced(&sandbox, &["--trace=openat"], "ms-mv", args, &plan(&rows));
        traced.expect_status(status);
        let log = std::fs::read_to_string(support::trace::log(&sandbox)).expect("log");
        assert_eq!(log.matches("Archive/index.json\"").count(), 1, "{log}");
    }
    // One that cannot be read, too.
    sandbox.write("Archive/index.json", "{");
    let rows = [row(20), row(21)];
    let traced =
        support::trace::traced(&sandbox, &["--trace=openat"], "ms-mv", &["-q", "--offline-keep"], &plan(&rows));
    traced.expect_status(1);
    let log = std::fs::read_to_string(support::trace::log(&sandbox)).expect("log");
    assert_eq!(log.matches("Archive/index.json\"").count(), 1, "{log}");
}

#[test]
fn why_no_link_could_be_made_is_told() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let rows = plan(&[Row::new(&sandbox, "a", "b")]);
    let args = ["-e", "inject=linkat:error=EPERM"];
    let outcome = support::trace::traced(&sandbox, &args, "ms-mv", &["--link"], &rows).expect_status(1);
    outcome.expect_stderr("nor make hard links (Operation not permitted)");
    if support::needs_root()
        && std::process::Command::new("chattr").arg("+i").arg(sandbox.path("a")).status().is_ok_and(|it| it.success())
    {
        let outcome = sandbox.run("ms-mv", &["--link"], &rows);
        assert!(
            std::process::Command::new("chattr").arg("-i").arg(sandbox.path("a")).status().expect("chattr").success()
        );
        outcome.expect_status(1).expect_stderr("it is marked as immutable");
    }
}
