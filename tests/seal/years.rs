//! `ms-seal` and trees that are sorted by date: nothing is written into them, whatever else stands there.

use crate::support;

use support::archive::told;
use support::{Sandbox, snapshot};

#[track_caller]
fn expect_refused(sandbox: &Sandbox, dir: &str, file: &str) {
    let before = snapshot(&sandbox.work());
    for args in [&["--all"][..], &["--list"], &["--cat"]] {
        sandbox.run_seal(args).expect_status(2).expect_stderr(&format!("Archive/{dir}: a tree that is sorted by "));
    }
    let outcome = sandbox.seal_rows(&[told(sandbox, file)]).expect_status(2);
    outcome.expect_stderr(&format!("Archive/{dir}: a tree that is sorted by "));
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_tree_of_years_is_known_also_where_one_of_them_has_lists_of_its_own() {
    let sets: [&[(&str, &str)]; 6] = [
        &[("README.txt", "Holidays\n")],
        &[("index.json", "{}")],
        &[("B3SUMS", "")],
        &[("index.json", "{\"format\":\"geojson\"}"), ("B3SUMS", "x")],
        &[("README.txt", "MS_0007\n=======\n\nThis is volume 0007")],
        &[("index.json", "{}"), ("B3SUMS", ""), ("README.txt", "")],
    ];
    for files in sets {
        let sandbox = Sandbox::new();
        sandbox.put_archived("2005/03/a.jpg", "first");
        sandbox.put_archived("2006/03/b.jpg", "second");
        for (name, text) in files {
            sandbox.put_archived(format!("2005/{name}"), text);
        }
        expect_refused(&sandbox, "2005", "2005/03/a.jpg");
    }
}

#[test]
fn a_tree_of_days_or_of_anything_else_with_long_numbers_is_known() {
    for dir in ["201203", "20120305", "4294967295"] {
        let sandbox = Sandbox::new();
        sandbox.put_archived(format!("{dir}/a.jpg"), "first");
        sandbox.put_archived(format!("{dir}/README.txt"), "Holidays\n");
        expect_refused(&sandbox, dir, &format!("{dir}/a.jpg"));
    }
}

#[test]
fn a_volume_with_the_number_of_a_year_is_one_where_the_archive_knows_it() {
    let sandbox = Sandbox::new();
    sandbox.put_archived("1999/2012/a.jpg", "first");
    sandbox.put_archived("1999.UNBURNED", "");
    sandbox.run_seal(&["--all"]).expect_status(0);
    // It is known by its own files, too.
    std::fs::remove_file(sandbox.path("Archive/1999.UNBURNED")).expect("removal");
    std::fs::remove_file(sandbox.path("Archive/index.json")).expect("removal");
    std::fs::remove_dir_all(sandbox.path("Archive/catalog")).expect("removal");
    sandbox.run_seal(&["--all"]).expect_status(0);
    assert_eq!(sandbox.cataloged(1999)["state"], "sealed");
    for name in ["README.txt", "index.json"] {
        std::fs::remove_file(sandbox.path("Archive/1999.UNBURNED")).expect("removal");
        std::fs::remove_file(sandbox.path("Archive/index.json")).expect("removal");
        std::fs::remove_dir_all(sandbox.path("Archive/catalog")).expect("removal");
        std::fs::remove_file(sandbox.path(format!("Archive/1999/{name}"))).expect("removal");
        let text = sandbox.run_seal(&["--list"]);
        if name == "README.txt" {
            text.expect_status(0);
            sandbox.run_seal(&["--all"]).expect_status(0);
        } else {
            text.expect_status(2).expect_stderr("Archive/1999: a tree that is sorted by years");
        }
    }
}
