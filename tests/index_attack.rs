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

#[test]
fn a_directory_emptied_on_a_filesystem_with_another_number_is_no_missing_disk() {
    if !needs_root() || !needs("mkfs.ext4") {
        return;
    }
    let sandbox = Sandbox::new();
    for image in ["disk.img", "other.img"] {
        fs::File::create(sandbox.path(image)).and_then(|file| file.set_len(4 << 20)).expect("an image");
        sandbox.shell(&format!("mkfs.ext4 -q {image}")).expect_status(0);
    }
    let mount = |image: &str, at: &str| {
        Mount::new(&[OsStr::new("-o"), OsStr::new("loop"), sandbox.path(image).as_os_str()], &sandbox.mkdir(at))
    };
    let disk = mount("disk.img", "d");
    sandbox.old_file("d/a", "a");
    sandbox.old_file("d/sub/b", "b");
    crawl(&sandbox, &["d"]).expect_status(0);
    let before = sandbox.indexed("d/a", 4);
    drop(disk);
    let _other = mount("other.img", "other");
    let disk = mount("disk.img", "d");
    fs::remove_file(sandbox.path("d/sub/b")).expect("removal");
    crawl(&sandbox, &["d"]).expect_status(0);
    assert_eq!(sandbox.indexed_paths(), ["d/a"]);
    assert_ne!(sandbox.indexed("d/a", 4), before, "the disk has got the same number again");
    drop(disk);
    crawl(&sandbox, &["d"]).expect_status(2).expect_stderr("is it mounted?");
    assert!(sandbox.exists(COMPANION));
}
