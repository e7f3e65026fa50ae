//! `ms-crawl --index` under attack: what went wrong once.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use support::index::{COMPANION, FILE, crawl, expect_index_of};
use support::trace::traced;
use support::{Mount, Sandbox, exit_status, needs, needs_root};

/// `ms-crawl -L --index FILE ARGS…`, where the directory `dir` fails with EIO at its getdents64 number `when`.
fn crawl_with_read_error(sandbox: &Sandbox, dir: &str, when: u32, args: &[&str]) -> support::Outcome {
    let path = sandbox.path(dir).canonicalize().expect("real path");
    let path = path.to_str().expect("UTF-8");
    let inject = format!("inject=getdents64:error=EIO:when={when}+");
    let strace = ["-P", path, "-e", "trace=getdents64", "-e", &inject];
    traced(sandbox, &strace, "ms-crawl", &[&["-j", "1", "-L", "--index", FILE], args].concat(), b"")
}

#[test]
fn what_is_known_below_a_directory_behind_a_link_is_remembered() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.old_file("real/a", "a");
    sandbox.old_file("real/deep/b", "b");
    sandbox.mkdir("d");
    sandbox.symlink("../real", "d/link");
    crawl(&sandbox, &["-L", "d"]).expect_status(0);
    crawl_with_read_error(&sandbox, "real/deep", 1, &["d"]).expect_status(1);
    assert_eq!(sandbox.indexed_paths(), ["d/link/a"]);
    crawl(&sandbox, &["-L", "d"]).expect_status(0).expect_stderr("0 read");
    expect_index_of(&sandbox, &["-L", "d"]);
}

#[test]
fn a_root_behind_a_link_that_fails_after_the_start_leaves_file_as_it_was() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.old_file("real/a", "a");
    sandbox.symlink("real", "root");
    crawl(&sandbox, &["-L", "root"]).expect_status(0);
    let before = sandbox.index();
    // The main thread has looked once before the workers begin.
    crawl_with_read_error(&sandbox, "real", 2, &["root"]).expect_status(2).expect_stderr("left as it was");
    assert_eq!(sandbox.index(), before);
}

#[test]
fn a_mark_at_the_beginning_of_an_index_does_not_stay() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "a");
    let rows = support::index::sorted_crawl(&sandbox, &["d"]);
    sandbox.write(FILE, format!("\u{feff}{rows}"));
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn a_long_name_that_leaves_no_room_for_the_companion_is_refused_at_once() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "a");
    let name = "n".repeat(249);
    let outcome = sandbox.run("ms-crawl", &["--index", &name, "d"], b"").expect_status(2);
    assert!(outcome.stdout.is_empty() && !sandbox.exists(&name) && !sandbox.exists(format!("{name}.crawl")));
}
