//! Directories that are moved, or led elsewhere, while `ms-mv` works: between its check of the plan and a row, and between
//! its last look and the move itself.

use crate::support;

use std::fs::{create_dir, hard_link, rename};
use std::path::Path;
use support::hold::{At, hold};
use support::plan::{Row, mv, plan};
use support::{Outcome, Sandbox, needs, snapshot};

/// A file to be moved from `live/d` to `new`, and places where a path could be led to: each has an empty directory, and the
/// very file under a further name.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("live/d/a", "alpha");
    sandbox.mkdir("new");
    for place in PLACES {
        sandbox.write(format!("{place}/mine"), "precious");
        sandbox.mkdir(format!("{place}/deep"));
        hard_link(sandbox.path("live/d/a"), sandbox.path(format!("{place}/a"))).expect("link");
    }
    sandbox.write("Archive/.ms-protect", "");
    sandbox.write("0001/index.json", "{}");
    sandbox.write("0001/B3SUMS", "");
    sandbox
}

/// A protected tree, a place outside, a sealed volume.
const PLACES: [&str; 3] = ["Archive/d", "outside", "0001"];

fn row(sandbox: &Sandbox, dest: &str) -> Vec<u8> {
    plan(&[Row::new(sandbox, "live/d/a", dest)])
}

/// Puts a symbolic link to `place` where the directory `dir` was.
fn lead_elsewhere(sandbox: &Sandbox, dir: &str, place: &str) {
    rename(sandbox.path(dir), sandbox.path("away")).expect("rename");
    std::os::unix::fs::symlink(sandbox.path(place), sandbox.path(dir)).expect("symbolic link");
}

/// Before the first row, when the journal is written; and when all is checked and the file is about to be moved.
const MOMENTS: [&str; 2] = ["fsync", "renameat2"];

#[test]
fn a_directory_that_becomes_a_link_leads_nowhere_else() {
    if !needs("strace") {
        return;
    }
    for (dir, file) in [("live/d", "away/a"), ("new", "live/d/a")] {
        for (place, moment) in PLACES.into_iter().flat_map(|place| MOMENTS.map(|moment| (place, moment))) {
            let sandbox = sandbox();
            let before = PLACES.map(|place| snapshot(&sandbox.path(place)));
            let held = hold(&sandbox, At::first(moment), "ms-mv", &[], &row(&sandbox, "new/b"));
            lead_elsewhere(&sandbox, dir, place);
            held.go().expect_status(1).expect_stderr("ms-mv: moving: ");
            let context = format!("{dir} to {place} at {moment}");
            assert_eq!(PLACES.map(|place| snapshot(&sandbox.path(place))), before, "{context}");
            assert_eq!(sandbox.read(file), b"alpha", "{context}");
            assert!(!sandbox.exists("new/b") && !sandbox.exists("away/b"), "{context}");
        }
    }
}

#[test]
fn a_new_directory_that_becomes_a_link_leads_nowhere_else() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    let before = snapshot(&sandbox.path("outside"));
    let parent = sandbox.path("new").canonicalize().expect("real path");
    let at = At::first("mkdirat").on(parent.to_str().expect("UTF-8"));
    let held = hold(&sandbox, at, "ms-mv", &[], &row(&sandbox, "new/deep/b"));
    lead_elsewhere(&sandbox, "new", "outside");
    held.go().expect_status(1);
    assert_eq!(snapshot(&sandbox.path("outside")), before);
    assert_eq!(sandbox.read("live/d/a"), b"alpha");
}

#[test]
fn a_link_or_copy_whose_directory_was_led_elsewhere_is_taken_away() {
    if !needs("strace") {
        return;
    }
    for (mode, moment) in [("--link", "linkat"), ("--copy", "renameat2")] {
        let sandbox = sandbox();
        let before = snapshot(&sandbox.path("outside"));
        let held = hold(&sandbox, At::first(moment), "ms-mv", &[mode], &row(&sandbox, "new/b"));
        lead_elsewhere(&sandbox, "new", "outside");
        held.go().expect_status(1);
        assert_eq!(snapshot(&sandbox.path("outside")), before, "{mode}");
        assert_eq!(snapshot(&sandbox.path("away")).len(), 0, "{mode}");
        assert_eq!(sandbox.read("live/d/a"), b"alpha", "{mode}");
    }
}

/// Holds the move, does `act`, lets it go on.
fn meanwhile(sandbox: &Sandbox, args: &[&str], rows: &[Row], act: impl FnOnce()) -> Outcome {
    let held = hold(sandbox, At::first("renameat2"), "ms-mv", args, &plan(rows));
    act();
    held.go()
}

#[test]
fn a_source_whose_directory_moves_into_a_protected_one_stays_in_it() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    let rows = [Row::new(&sandbox, "live/d/a", "new/b")];
    let act = || rename(sandbox.path("live/d"), sandbox.path("Archive/d2")).expect("rename");
    meanwhile(&sandbox, &[], &rows, act).expect_status(1).expect_stderr("moved or replaced");
    assert_eq!(sandbox.read("Archive/d2/a"), b"alpha");
    assert!(!sandbox.exists("new/b"));
}

#[test]
fn a_destination_that_moves_into_a_protected_directory_gets_nothing() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    let rows = [Row::new(&sandbox, "live/d/a", "new/b")];
    let act = || {
        rename(sandbox.path("new"), sandbox.path("Archive/new")).expect("rename");
        create_dir(sandbox.path("new")).expect("another");
    };
    meanwhile(&sandbox, &[], &rows, act).expect_status(1).expect_stderr("moved or replaced");
    assert_eq!(sandbox.read("live/d/a"), b"alpha");
    assert!(!sandbox.exists("Archive/new/b"));
}

#[test]
fn a_protected_directory_stays_so_under_another_name() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("Precious/a", "alpha");
    sandbox.mkdir("live");
    let stream = plan(&[Row { path: "live/d/a".into(), ..Row::new(&sandbox, "Precious/a", "new/b") }]);
    let held = hold(&sandbox, At::first("fsync"), "ms-mv", &["--protect", "Precious"], &stream);
    rename(sandbox.path("Precious"), sandbox.path("live/d")).expect("rename");
    held.go().expect_status(1).expect_stderr("it is in a protected directory");
    assert_eq!(sandbox.read("live/d/a"), b"alpha");
}

/// Two files of one directory, so that it is open already when the second one's turn comes.
fn two_rows(sandbox: &Sandbox, dest: &str) -> [Row; 2] {
    ["a", "b"].map(|name| {
        sandbox.write(format!("live/{name}"), name);
        Row::new(sandbox, format!("live/{name}"), format!("{dest}/{name}"))
    })
}

#[test]
fn a_directory_can_be_protected_while_a_plan_is_carried_out() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let rows = two_rows(&sandbox, "new");
    let act = || drop(sandbox.write("live/.ms-protect", ""));
    meanwhile(&sandbox, &[], &rows, act).expect_status(1).expect_stderr("live/b: it is in a protected directory");
    assert!(sandbox.exists("live/b"));
}

#[test]
fn a_volume_can_be_sealed_while_a_plan_is_carried_out() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive/0001");
    let rows = two_rows(&sandbox, "Archive/0001");
    let act = || {
        sandbox.write("Archive/0001/index.json", "{}");
        sandbox.write("Archive/0001/B3SUMS", "");
    };
    let outcome = meanwhile(&sandbox, &[], &rows, act).expect_status(1);
    let outcome = outcome.expect_stderr("its volume was sealed at the last moment");
    outcome.expect_stderr("it would be in a sealed volume");
    assert_eq!([sandbox.read("live/a"), sandbox.read("live/b")], [b"a", b"b"]);
}

#[test]
fn a_sealed_volume_that_comes_in_the_place_of_another_gets_nothing() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive/0001/2012");
    sandbox.write("sealed/2013/c", "sealed");
    sandbox.write("sealed/index.json", "{}");
    sandbox.write("sealed/B3SUMS", "");
    let names = ["a", "b", "d"].iter().zip(["2012", "new", "2013"]);
    let mut rows: Vec<Row> = names
        .map(|(name, year)| {
            sandbox.write(format!("live/{name}"), name);
            Row::new(&sandbox, format!("live/{name}"), format!("Archive/0001/{year}/{name}"))
        })
        .collect();
    // It is refused, but its destination has been opened, and stays so.
    rows[0].size = "7".into();
    let held = hold(&sandbox, At::first("mkdirat"), "ms-mv", &[], &plan(&rows));
    std::fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    rename(sandbox.path("sealed"), sandbox.path("Archive/0001")).expect("rename");
    held.go().expect_status(1).expect_stderr("live/d: moving to Archive/0001/2013/d: it would be in a sealed volume");
    assert!(sandbox.exists("live/b") && sandbox.exists("live/d") && !sandbox.exists("Archive/0001/2013/d"));
}

#[test]
fn without_openat2_directories_are_opened_name_by_name() {
    if !needs("strace") {
        return;
    }
    for error in ["ENOSYS", "EPERM"] {
        let sandbox = sandbox();
        std::os::unix::fs::symlink("live", sandbox.path("link")).expect("symbolic link");
        let rows = [Row { path: "link/d/a".into(), ..Row::new(&sandbox, "live/d/a", "new/b") }];
        let inject = format!("inject=openat2:error={error}");
        // The library may be reached through a link that was there before.
        let args = ["-e", "trace=openat2", "-e", &inject];
        support::trace::traced(&sandbox, &args, "ms-mv", &[], &plan(&rows)).expect_status(0);
        assert_eq!(sandbox.read("new/b"), b"alpha");
    }
}

#[test]
fn a_pruned_directory_is_never_one_elsewhere() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    sandbox.mkdir("live/d/deep");
    sandbox.write("live/d/deep/c", "gamma");
    sandbox.write("live/e", "epsilon");
    let rows = ["d/deep/c", "e"].map(|name| Row::new(&sandbox, format!("live/{name}"), format!("new/{}", name.len())));
    let held = hold(&sandbox, At::first("unlinkat"), "ms-mv", &["--prune"], &plan(&rows));
    lead_elsewhere(&sandbox, "live/d", "outside");
    held.go();
    assert!(sandbox.exists("outside/deep"), "an empty directory elsewhere is gone");
}

#[test]
fn undo_gives_modes_to_no_directory_elsewhere() {
    if !needs("strace") {
        return;
    }
    let sandbox = sandbox();
    sandbox.write("live/e", "epsilon");
    let rows = ["d/a", "e"].map(|name| Row::new(&sandbox, format!("live/{name}"), format!("new/{}", name.len())));
    mv(&sandbox, &["--prune"], &rows).expect_status(0);
    assert!(!sandbox.exists("live/d"));
    let mode = |path: &Path| std::os::unix::fs::MetadataExt::mode(&path.metadata().expect("metadata"));
    let victim = sandbox.mkdir("victim");
    std::fs::set_permissions(&victim, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("mode");
    let held = hold(&sandbox, At::first("fchown"), "ms-mv", &["--undo"], b"");
    lead_elsewhere(&sandbox, "live/d", "victim");
    held.go().expect_status(1);
    assert_eq!(mode(&victim) & 0o7777, 0o700);
    assert_eq!((sandbox.read("new/3"), sandbox.read("live/e")), (b"alpha".to_vec(), b"epsilon".to_vec()));
    assert_eq!(snapshot(&victim).len(), 0);
}
