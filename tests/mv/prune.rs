//! `--prune`: only directories that this run emptied, and never the one below which it looks.

use crate::support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use support::plan::{Row, mv, plan, undo};
use support::{Sandbox, set_mtime, snapshot};

/// `src/a/1`, `src/b/c/2`, and an empty directory that was there before.
fn tree() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["src/a/1", "src/b/c/2"] {
        set_mtime(&sandbox.write(name, name), 1_000_000, 9);
    }
    std::fs::create_dir(sandbox.path("src/empty")).expect("dir");
    sandbox
}

fn all_rows(sandbox: &Sandbox) -> [Row; 2] {
    [Row::new(sandbox, "src/a/1", "out/1"), Row::new(sandbox, "src/b/c/2", "out/2")]
}

/// The directories that are left, relative to the working directory.
fn directories(sandbox: &Sandbox) -> Vec<String> {
    snapshot(&sandbox.work())
        .into_iter()
        .filter(|(_, seen)| seen.kind == 'd')
        .map(|(path, _)| path.display().to_string())
        .collect()
}

#[test]
fn prune_takes_what_was_emptied_and_leaves_the_common_directory() {
    let sandbox = tree();
    mv(&sandbox, &["--prune"], &all_rows(&sandbox)).expect_status(0);
    assert_eq!(directories(&sandbox), ["out", "src", "src/empty"]);
}

#[test]
fn the_common_directory_stays_also_when_nothing_is_left_in_it() {
    let sandbox = tree();
    std::fs::remove_dir(sandbox.path("src/empty")).expect("rmdir");
    mv(&sandbox, &["--prune"], &all_rows(&sandbox)).expect_status(0);
    assert_eq!(directories(&sandbox), ["out", "src"]);
}

#[test]
fn with_one_source_its_own_directory_is_the_common_one() {
    let sandbox = tree();
    let row = Row::new(&sandbox, "src/b/c/2", "out/2");
    mv(&sandbox, &["--prune"], &[row]).expect_status(0);
    let left = ["out", "src", "src/a", "src/b", "src/b/c", "src/empty"];
    assert_eq!(directories(&sandbox), left);
}

#[test]
fn prune_below_a_named_directory_takes_all_but_that() {
    for dir in ["src", "src/", "./src", "out/../src"] {
        let sandbox = tree();
        std::fs::create_dir(sandbox.path("out")).expect("dir");
        let row = Row::new(&sandbox, "src/b/c/2", "out/2");
        mv(&sandbox, &[&format!("--prune={dir}")], &[row]).expect_status(0);
        assert_eq!(directories(&sandbox), ["out", "src", "src/a", "src/empty"]);
    }
}

#[test]
fn prune_below_another_directory_takes_nothing() {
    let sandbox = tree();
    std::fs::create_dir(sandbox.path("elsewhere")).expect("dir");
    mv(&sandbox, &["--prune=elsewhere"], &all_rows(&sandbox)).expect_status(0);
    for dir in ["src/a", "src/b/c", "elsewhere"] {
        assert!(sandbox.exists(dir), "{dir}");
    }
}

#[test]
fn a_directory_with_anything_left_stays() {
    let sandbox = tree();
    sandbox.write("src/a/.hidden", "left");
    std::fs::create_dir(sandbox.path("src/b/c/was-empty")).expect("dir");
    mv(&sandbox, &["--prune"], &all_rows(&sandbox)).expect_status(0);
    assert!(sandbox.exists("src/a/.hidden"));
    assert!(sandbox.exists("src/b/c/was-empty"), "this run did not empty it");
}

#[test]
fn a_refused_row_keeps_its_directory() {
    let sandbox = tree();
    let mut rows = all_rows(&sandbox);
    rows[0].size = "99".to_owned();
    mv(&sandbox, &["--prune"], &rows).expect_status(1);
    assert!(sandbox.exists("src/a/1"));
    assert!(!sandbox.exists("src/b"));
}

#[test]
fn a_copy_empties_nothing() {
    let sandbox = tree();
    let before = snapshot(&sandbox.path("src"));
    mv(&sandbox, &["--prune", "--copy"], &all_rows(&sandbox)).expect_status(0);
    assert_eq!(snapshot(&sandbox.path("src")), before);
}

#[test]
fn a_destination_below_the_pruned_tree_keeps_its_directories() {
    let sandbox = tree();
    let rows = [Row::new(&sandbox, "src/a/1", "src/b/1"), Row::new(&sandbox, "src/b/c/2", "src/b/2")];
    mv(&sandbox, &["--prune"], &rows).expect_status(0);
    assert_eq!(directories(&sandbox), ["src", "src/b", "src/empty"]);
    assert!(sandbox.exists("src/b/1") && sandbox.exists("src/b/2"));
}

#[test]
fn undo_brings_pruned_directories_back_with_their_modes() {
    let sandbox = tree();
    for (dir, mode) in [("src/a", 0o711), ("src/b", 0o2750), ("src/b/c", 0o1777)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(sandbox.path(dir), permissions).expect("mode");
    }
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &["--prune=src"], &all_rows(&sandbox)).expect_status(0);
    assert!(!snapshot(&sandbox.work()).contains_key(Path::new("src/b")));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn prune_does_not_follow_links_out_of_the_tree() {
    let sandbox = tree();
    sandbox.write("far/only", "far");
    std::os::unix::fs::symlink("../far", sandbox.path("src/way-out")).expect("link");
    let row = Row::new(&sandbox, "src/way-out/only", "out/only");
    mv(&sandbox, &["--prune=src"], &[row]).expect_status(0);
    assert!(sandbox.exists("far"), "it lies outside of src");
    assert!(sandbox.exists("src/way-out"), "a link is no directory");
}

#[test]
fn emptied_directories_go_though_nobody_reads_the_output() {
    use std::io::Write as _;
    let sandbox = Sandbox::new();
    sandbox.write("in/sub/f", "content");
    let rows = [Row::new(&sandbox, "in/sub/f", "out/f")];
    let mut command = sandbox.guarded("ms-mv");
    let piped = std::process::Stdio::piped;
    let mut child = command.arg("--prune=in").stdin(piped()).stdout(piped()).spawn().expect("ms-mv");
    drop(child.stdout.take());
    child.stdin.take().expect("stdin").write_all(&plan(&rows)).expect("plan");
    assert!(child.wait().expect("ends").success());
    assert!(sandbox.exists("out/f") && !sandbox.exists("in/sub"));
}
