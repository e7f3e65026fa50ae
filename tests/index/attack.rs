//! `ms-crawl --index` under attack: what went wrong once.

use crate::support;

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

/// A tree whose records do not fit into a pipe, so that a crawl whose output nobody reads waits in the middle.
fn long_tree() -> Sandbox {
    let sandbox = Sandbox::new();
    let long = "n".repeat(200);
    for i in 0..1200 {
        sandbox.old_file(format!("d/{i}{long}"), i.to_string());
    }
    sandbox
}

/// Does something in the middle of a crawl of `d`, and tells how that ended and what it printed.
fn meanwhile(sandbox: &Sandbox, act: impl FnOnce()) -> (i32, String) {
    let mut command = sandbox.command("ms-crawl");
    command.args(["--index", FILE, "d"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("ms-crawl starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let mut text = String::new();
    stdout.read_line(&mut text).expect("a first record");
    act();
    stdout.read_to_string(&mut text).expect("the rest");
    (exit_status(child.wait().expect("the end")), text)
}

#[test]
fn a_file_that_somebody_else_puts_in_the_place_of_a_first_index_is_not_replaced() {
    let sandbox = long_tree();
    let (status, _) = meanwhile(&sandbox, || fs::write(sandbox.path(FILE), "precious\n").expect("write"));
    assert_eq!((status, sandbox.index()), (2, "precious\n".to_owned()));
    assert!(!sandbox.exists("index.tsv.new"));
}

#[test]
fn a_file_that_somebody_else_puts_in_the_place_of_an_index_is_not_replaced() {
    for grows in [false, true] {
        let sandbox = long_tree();
        crawl(&sandbox, &["d"]).expect_status(0);
        if grows {
            sandbox.old_file("d/more", "more");
        }
        let (status, _) = meanwhile(&sandbox, || {
            sandbox.write("other", "precious\n");
            fs::rename(sandbox.path("other"), sandbox.path(FILE)).expect("rename");
        });
        assert_eq!((status, sandbox.index()), (2, "precious\n".to_owned()), "grows: {grows}");
    }
}

#[test]
fn an_index_that_is_removed_while_nothing_changes_is_written_again() {
    let sandbox = long_tree();
    crawl(&sandbox, &["d"]).expect_status(0);
    let (status, _) = meanwhile(&sandbox, || fs::remove_file(sandbox.path(FILE)).expect("removal"));
    assert_eq!(status, 0);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn an_index_that_is_edited_while_nothing_changes_ends_the_crawl() {
    let sandbox = long_tree();
    crawl(&sandbox, &["d"]).expect_status(0);
    let edited = sandbox.index().replace("\t5", "\t6");
    let (status, text) = meanwhile(&sandbox, || fs::write(sandbox.path(FILE), &edited).expect("write"));
    assert_eq!((status, sandbox.index()), (2, edited));
    // What was in the pipe had been looked up before; what comes later is not printed.
    assert!(text.lines().count() < 1200, "{} lines", text.lines().count());
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
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

#[test]
fn a_fresh_index_is_not_printed_into_itself() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "a");
    crawl(&sandbox, &["d"]).expect_status(0);
    let before = sandbox.index();
    let mut command = sandbox.command("ms-crawl");
    let output = fs::OpenOptions::new().append(true).open(sandbox.path(FILE)).expect("FILE");
    command.args(["--index", FILE, "--max-age", "1d", "d"]).stdin(Stdio::null()).stderr(Stdio::null()).stdout(output);
    assert_eq!(exit_status(command.status().expect("ms-crawl starts")), 2);
    assert_eq!(sandbox.index(), before);
}

#[test]
fn a_name_that_a_failed_crawl_has_used_belongs_to_whoever_uses_it_next() {
    if !needs("strace") {
        return;
    }
    // The first rename is that of FILE, the second one that of its companion.
    for when in [1, 2] {
        let sandbox = Sandbox::new();
        sandbox.old_file("d/a", "a");
        let inject = format!("inject=rename,renameat,renameat2:error=EIO:when={when}");
        let strace = ["-e", "trace=rename,renameat,renameat2", "-e", &inject];
        traced(&sandbox, &strace, "ms-crawl", &["-j", "1", "--index", FILE, "d"], b"").expect_status(2);
        sandbox.write("index.tsv.new", "precious");
        crawl(&sandbox, &["d"]).expect_status(2).expect_stderr("in the way");
        assert_eq!(sandbox.read("index.tsv.new"), b"precious", "rename {when}");
    }
}
