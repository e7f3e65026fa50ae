//! `ms-crawl`: one record per name, however a file is reached: overlaps, links, loops, mounts.

use crate::support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use support::{Mount, Sandbox, finish, needs_root};

#[track_caller]
fn paths(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let mut command = sandbox.guarded("ms-crawl");
    command.args(args);
    finish(command, b"").expect_status(0).column(0)
}

/// The plan for what a crawl of `args` found, as rows.
#[track_caller]
fn duplicates(sandbox: &Sandbox, args: &[&str]) -> Vec<Vec<String>> {
    let index = sandbox.run("ms-crawl", args, b"").expect_status(0);
    sandbox.run("ms-dupes", &["-q"], &index.stdout).expect_status(0).rows()
}

#[test]
fn two_hard_links_are_two_records_with_one_id() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "x");
    sandbox.hard_link("d/a", "d/b");
    let rows = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0).rows();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0][0].as_str(), rows[1][0].as_str()), ("d/a", "d/b"));
    assert_eq!(rows[0][1..], rows[1][1..]);
}

#[test]
fn the_same_root_twice_gives_each_file_once_as_first_spelled() {
    let sandbox = Sandbox::new();
    sandbox.write("d/s/a", "a");
    for (first, second, path) in [
        ("d", "d", "d/s/a"),
        ("d", "./d", "d/s/a"),
        ("./d", "d", "./d/s/a"),
        ("d/", "d", "d/s/a"),
        ("d", ".//d/", "d/s/a"),
    ] {
        assert_eq!(paths(&sandbox, &[first, second]), [path], "{first} {second}");
    }
}

#[test]
fn a_directory_and_a_file_in_it_give_that_file_once() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/b", "b");
    assert_eq!(paths(&sandbox, &["d", "d/a"]), ["d/a", "d/b"]);
    assert_eq!(paths(&sandbox, &["d/a", "d"]), ["d/a", "d/b"]);
    assert_eq!(paths(&sandbox, &["d/a", "d/a"]), ["d/a"]);
}

#[test]
fn a_directory_and_one_below_it_give_each_file_once() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/s/t/b", "b");
    assert_eq!(paths(&sandbox, &["d", "d/s"]), ["d/a", "d/s/t/b"]);
    assert_eq!(paths(&sandbox, &["d/s/t", "d/s", "d"]), ["d/a", "d/s/t/b"]);
    assert_eq!(paths(&sandbox, &[".", "d/s"]).len(), 2);
}

#[test]
fn a_directory_is_not_below_one_whose_name_it_only_begins_with() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d2/a", "a");
    assert_eq!(paths(&sandbox, &["d", "d2"]), ["d/a", "d2/a"]);
}

#[test]
fn a_root_by_its_name_and_by_a_symbolic_link_gives_two_names_of_one_file() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.symlink("d", "door");
    let rows = sandbox.run("ms-crawl", &["--sort", "d", "door"], b"").expect_status(0).rows();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0][0].as_str(), rows[1][0].as_str()), ("d/a", "door/a"));
    assert_eq!(rows[0][4], rows[1][4]);
    assert_eq!(duplicates(&sandbox, &["d", "door"]), [[""; 0]; 0]);
}

#[test]
fn an_unknown_operand_is_named_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.symlink("nowhere", "dangling");
    for operand in ["gone", "gone/deeper", "dangling", "d/a/below-a-file"] {
        let outcome = sandbox.run("ms-crawl", &[operand, "d"], b"").expect_status(1).expect_stderr(operand);
        assert_eq!(outcome.column(0), ["d/a"]);
    }
}

#[test]
fn following_links_ends_in_loops_and_finds_each_file_once() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("d/s/b", "b");
    sandbox.symlink(".", "d/loop");
    sandbox.symlink("..", "d/s/up");
    sandbox.symlink("../s", "d/s/around");
    assert_eq!(paths(&sandbox, &["-L", "d"]), ["d/a", "d/s/b"]);
}

#[test]
fn following_two_trees_that_link_to_each_other_ends() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("e/b", "b");
    sandbox.symlink("../e", "d/e");
    sandbox.symlink("../d", "e/d");
    assert_eq!(paths(&sandbox, &["-L", "d"]), ["d/a", "d/e/b"]);
    assert_eq!(paths(&sandbox, &["-L", "d", "e"]), ["d/a", "e/b"]);
}

#[test]
fn following_links_real_names_win_over_names_through_links() {
    let sandbox = Sandbox::new();
    sandbox.write("d/m/file", "f");
    sandbox.symlink("m", "d/0-before");
    sandbox.symlink("m/file", "d/1-before");
    sandbox.symlink("m", "d/z-after");
    assert_eq!(paths(&sandbox, &["-L", "d"]), ["d/m/file"]);
}

#[test]
fn following_links_reaches_what_lies_outside_once() {
    let sandbox = Sandbox::new();
    sandbox.write("out/dir/a", "a");
    sandbox.write("out/file", "b");
    sandbox.write("d/own", "c");
    for (target, link) in [("../out/dir", "d/x"), ("../out/dir", "d/y"), ("../out/file", "d/p"), ("../out/file", "d/q")]
    {
        sandbox.symlink(target, link);
    }
    let found = paths(&sandbox, &["-L", "d"]);
    let ends: Vec<_> = found.iter().map(|path| path.split('/').skip(1).collect::<Vec<_>>()).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(ends.iter().filter(|end| end.last() == Some(&"a")).count(), 1, "{found:?}");
    for _ in 0..10 {
        assert_eq!(paths(&sandbox, &["-L", "-j", "8", "d"]), found, "the choice never depends on timing");
    }
}

#[test]
fn a_link_to_itself_does_not_stop_a_crawl_that_follows_links() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.symlink("self", "d/self");
    sandbox.symlink("nowhere", "d/dangling");
    let mut command = sandbox.guarded("ms-crawl");
    command.args(["-L", "d"]);
    let outcome = finish(command, b"");
    assert_eq!(outcome.column(0), ["d/a"]);
    assert!(outcome.status <= 1, "{}: {}", outcome.status, outcome.stderr);
}

#[test]
fn a_deep_tree_and_a_wide_directory_are_crawled_whole() {
    let sandbox = Sandbox::new();
    let deep = format!("d/{}leaf", "n/".repeat(500));
    sandbox.write(&deep, "leaf");
    for i in 0..3000 {
        sandbox.write(format!("d/w/{i:04}"), b"");
    }
    let found = paths(&sandbox, &["d"]);
    assert_eq!(found.len(), 3001);
    assert_eq!(found[0], deep);
    assert!((0..3000).all(|i| found[i + 1] == format!("d/w/{i:04}")));
}

#[test]
fn a_bind_mount_is_one_file_under_two_names() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("d/real/a", "a");
    let _mount = Mount::bind(&sandbox.path("d/real"), &sandbox.path("d/again"));
    let rows = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0).rows();
    assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["d/again/a", "d/real/a"]);
    assert_eq!(rows[0][4], rows[1][4]);
    assert_eq!(duplicates(&sandbox, &["d"]), [[""; 0]; 0]);
    assert_eq!(duplicates(&sandbox, &["--hash", "dups", "d"]), [[""; 0]; 0]);
}

#[test]
fn a_directory_bound_below_itself_ends() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    let _mount = Mount::bind(&sandbox.path("d"), &sandbox.path("d/inner"));
    assert_eq!(paths(&sandbox, &["d"]), ["d/a", "d/inner/a"]);
}

#[test]
fn one_file_system_stays_on_that_of_the_operand() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    let _mount = Mount::tmpfs("size=1m", &sandbox.path("d/mnt"));
    sandbox.write("d/mnt/b", "b");
    assert_eq!(paths(&sandbox, &["d"]), ["d/a", "d/mnt/b"]);
    assert_eq!(paths(&sandbox, &["-x", "d"]), ["d/a"]);
    assert_eq!(paths(&sandbox, &["--one-file-system", "d/mnt"]), ["d/mnt/b"]);
    assert_eq!(paths(&sandbox, &["-x", "d", "d/mnt"]), ["d/a", "d/mnt/b"]);
}

#[test]
fn equal_inode_numbers_on_two_file_systems_are_two_files() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let _one = Mount::tmpfs("size=1m", &sandbox.path("d/one"));
    let _two = Mount::tmpfs("size=1m", &sandbox.path("d/two"));
    let inode = |path: &Path| fs::metadata(path).expect("metadata").ino();
    let one = sandbox.write("d/one/a", "same");
    let two = sandbox.write("d/two/a", "same");
    assert_eq!(inode(&one), inode(&two), "a fresh tmpfs counts from the same number");

    for how in ["all", "dups"] {
        let plan = duplicates(&sandbox, &["--hash", how, "d"]);
        assert_eq!(plan.len(), 1, "--hash {how}");
        assert_eq!((plan[0][0].as_str(), plan[0][6].as_str()), ("d/two/a", "d/one/a"));
    }
}
