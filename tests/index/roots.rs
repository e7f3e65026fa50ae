//! `ms-crawl --index` where a tree is not there: an unmounted disk never empties an index. And where FILE may lie.

use crate::support;

use rustix::fs::{CWD, FileType, Mode};
use std::fs;
use std::path::Path;
use support::index::{COMPANION, FILE, as_nobody, chmod, crawl, expect_index_of, watch_crawl};
use support::{Mount, Outcome, Sandbox, finish, hash, needs, needs_root, set_mtime};

const NOTHING: [&str; 0] = [];

/// Two trees in one index.
fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["d/a", "d/deep/b", "e/c"] {
        sandbox.old_file(name, name);
    }
    crawl(&sandbox, &["d", "e"]).expect_status(0);
    sandbox.old_file("e/later", "later");
    sandbox
}

/// The crawl must fail as a whole: nothing streamed, FILE as it was, the root named.
#[track_caller]
fn expect_nothing_done(sandbox: &Sandbox, outcome: Outcome, before: &str, root: &str) {
    let outcome = outcome.expect_status(2).expect_stderr(&format!("{root}: "));
    assert!(outcome.stdout.is_empty(), "{:?}", outcome.lines());
    assert_eq!(sandbox.index(), before);
}

#[test]
fn a_missing_root_leaves_file_as_it_was() {
    for operands in [["d", "e"], ["e", "d"]] {
        for options in [&[][..], &["--rehash"], &["--hash", "none"], &["--max-age", "1d", "-L"]] {
            let sandbox = two();
            fs::rename(sandbox.path("d"), sandbox.path("away")).expect("rename");
            let before = sandbox.index();
            let outcome = crawl(&sandbox, &[options, &operands].concat());
            expect_nothing_done(&sandbox, outcome, &before, "d");
            // It comes back, and nothing was lost.
            fs::rename(sandbox.path("away"), sandbox.path("d")).expect("rename");
            crawl(&sandbox, &operands).expect_status(0);
            expect_index_of(&sandbox, &operands);
        }
    }
}

#[test]
fn a_missing_file_among_the_operands_is_a_missing_root() {
    let sandbox = two();
    let before = sandbox.index();
    let outcome = crawl(&sandbox, &["d", "e", "d/none"]);
    expect_nothing_done(&sandbox, outcome, &before, "d/none");
}

#[test]
fn a_first_crawl_of_a_missing_root_makes_no_file() {
    let sandbox = Sandbox::new();
    sandbox.old_file("e/f", "f");
    let outcome = crawl(&sandbox, &["missing", "e"]).expect_status(2).expect_stderr("missing: ");
    assert!(outcome.stdout.is_empty() && !sandbox.exists(FILE));
}

#[test]
fn an_unreadable_root_leaves_file_as_it_was() {
    let sandbox = two();
    let before = sandbox.index();
    let mut command = as_nobody(&sandbox, "ms-crawl");
    chmod(&sandbox.path("d"), 0o000);
    command.args(["--index", FILE, "e", "d"]);
    let outcome = finish(command, b"");
    chmod(&sandbox.path("d"), 0o755);
    expect_nothing_done(&sandbox, outcome, &before, "d");
}

#[test]
fn a_root_that_fails_after_the_start_leaves_file_as_it_was() {
    if !needs("strace") {
        return;
    }
    let sandbox = two();
    let before = sandbox.index();
    let line = format!(
        "strace -f -qq -o ../trace -P \"$PWD/d\" -P d -e trace=getdents64,?getdents \
         -e inject=getdents64,?getdents:error=EIO ms-crawl --index {FILE} e d"
    );
    let outcome = sandbox.shell(&line).expect_status(2).expect_stderr("d: ");
    let trace = fs::read_to_string(sandbox.path("../trace")).expect("what strace wrote");
    assert!(trace.contains("INJECTED"), "the fault was never met: {trace}");
    assert!(outcome.stderr.contains("Input/output error"), "{}", outcome.stderr);
    assert_eq!(sandbox.index(), before);
    let opened = watch_crawl(&sandbox, &["d", "e"]);
    assert!(!opened.iter().any(|path| path != "e/later"), "{opened:?}");
    expect_index_of(&sandbox, &["d", "e"]);
}

/// A disk mounted inside of the tree and one that is an operand itself.
fn mounted() -> Option<(Sandbox, [Mount; 2])> {
    if !needs_root() {
        return None;
    }
    let sandbox = Sandbox::new();
    let store = Mount::tmpfs("size=1m", &sandbox.path("store"));
    for name in ["d/a", "store/2012/b", "store/c"] {
        sandbox.old_file(name, name);
    }
    let disk = Mount::bind(&sandbox.path("store"), &sandbox.path("d/disk"));
    Some((sandbox, [store, disk]))
}

#[test]
fn a_disk_that_is_not_mounted_leaves_file_as_it_was() {
    // The mount point below an operand, the operand itself, and a directory above both.
    for operands in [&["d"][..], &["d/disk"], &["d/a", "d/disk"], &["."]] {
        let Some((sandbox, [_store, disk])) = mounted() else { return };
        // Only one name of the store is crawled.
        let args = [&["--exclude", "store"], operands].concat();
        crawl(&sandbox, &args).expect_status(0);
        let before = sandbox.index();
        assert!(before.contains("d/disk/2012/b\t"), "{before}");
        drop(disk);

        let outcome = crawl(&sandbox, &args).expect_status(2).expect_stderr("d/disk");

        assert!(outcome.stderr.contains("is it mounted?"), "{}", outcome.stderr);
        assert_eq!(sandbox.index(), before, "{operands:?}");
        crawl(&sandbox, &[&["--rehash"][..], &args].concat()).expect_status(2).expect_stderr("is it mounted?");
        assert_eq!(sandbox.index(), before, "{operands:?}");

        let _again = Mount::bind(&sandbox.path("store"), &sandbox.path("d/disk"));
        let opened = watch_crawl(&sandbox, &args);
        assert_eq!(opened, NOTHING, "{operands:?}");
        assert_eq!(sandbox.index(), before);
    }
}

#[test]
fn a_directory_emptied_on_its_own_filesystem_is_no_missing_disk() {
    let sandbox = two();
    fs::remove_file(sandbox.path("d/deep/b")).expect("removal");
    crawl(&sandbox, &["d", "e"]).expect_status(0);
    assert_eq!(sandbox.indexed_paths(), ["d/a", "e/c", "e/later"]);
    fs::remove_file(sandbox.path("d/a")).expect("removal");
    crawl(&sandbox, &["d", "e"]).expect_status(0);
    fs::remove_dir(sandbox.path("d/deep")).expect("removal");
    for name in ["e/c", "e/later"] {
        fs::remove_file(sandbox.path(name)).expect("removal");
    }
    crawl(&sandbox, &["d", "e"]).expect_status(0);
    assert_eq!(sandbox.index(), "", "both roots are there and empty");
}

#[test]
fn a_mounted_disk_that_was_emptied_is_no_missing_disk() {
    let Some((sandbox, _mounts)) = mounted() else { return };
    crawl(&sandbox, &["d"]).expect_status(0);
    fs::remove_file(sandbox.path("d/disk/c")).expect("removal");
    fs::remove_dir_all(sandbox.path("d/disk/2012")).expect("removal");
    crawl(&sandbox, &["d"]).expect_status(0);
    assert_eq!(sandbox.indexed_paths(), ["d/a"]);
}

#[test]
fn what_is_known_below_an_unreadable_directory_is_remembered() {
    let sandbox = two();
    let known = sandbox.index();
    let unreadable = as_nobody(&sandbox, "ms-crawl");
    let program = unreadable.get_program().to_owned();
    drop(unreadable);
    // The same size and time with other bytes: whether it is read again shows in the hash.
    let rotten = sandbox.write("d/deep/b", "D/DEEP/B");
    set_mtime(&rotten, support::index::LONG_AGO.0, support::index::LONG_AGO.1);
    chmod(&sandbox.path("d/deep"), 0o000);
    let as_nobody_once = || {
        let mut command = as_nobody(&sandbox, "ms-crawl");
        assert_eq!(command.get_program(), program);
        command.args(["--index", FILE, "d", "e"]);
        finish(command, b"")
    };

    for _ in 0..2 {
        as_nobody_once().expect_status(1).expect_stderr("d/deep: ");
        assert_eq!(sandbox.indexed_paths(), ["d/a", "e/c", "e/later"]);
    }

    chmod(&sandbox.path("d/deep"), 0o755);
    as_nobody_once().expect_status(0);
    assert!(known.contains(&sandbox.indexed("d/deep/b", 1)), "it was read again");
    assert_eq!(sandbox.indexed("d/deep/b", 1), hash(b"d/deep/b"));
}

#[test]
fn what_is_known_below_a_directory_with_a_read_error_is_remembered() {
    if !needs("strace") {
        return;
    }
    let sandbox = two();
    crawl(&sandbox, &["d", "e"]).expect_status(0);
    let line = format!(
        "strace -f -qq -o ../trace -P \"$PWD/d/deep\" -P d/deep -e trace=getdents64,?getdents \
         -e inject=getdents64,?getdents:error=EIO ms-crawl --index {FILE} e d"
    );
    sandbox.shell(&line).expect_status(1).expect_stderr("d/deep: ");
    assert_eq!(sandbox.indexed_paths(), ["d/a", "e/c", "e/later"]);
    assert_eq!(watch_crawl(&sandbox, &["d", "e"]), NOTHING);
    expect_index_of(&sandbox, &["d", "e"]);
}

#[test]
fn file_and_what_belongs_to_it_are_left_out_of_the_tree_they_lie_in() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.old_file("d/other.tsv", "a file like any other");
    for operand in ["d", "."] {
        for index in ["d/kept.tsv", "./d/kept.tsv"] {
            for _ in 0..2 {
                let outcome = sandbox.run("ms-crawl", &["-q", "--index", index, operand], b"").expect_status(0);
                assert_eq!(outcome.stderr, "", "silently");
                let names: Vec<_> =
                    outcome.column(0).iter().map(|path| path.trim_start_matches("./").to_owned()).collect();
                assert_eq!(names, ["d/a", "d/other.tsv"], "{index} {operand}");
            }
        }
    }
    let other = sandbox.run("ms-crawl", &["-q", "d"], b"").expect_status(0).column(0);
    assert_eq!(other, ["d/a", "d/kept.tsv", "d/kept.tsv.crawl", "d/other.tsv"], "for others they are files");
}

#[test]
fn a_symbolic_link_stays_and_what_it_leads_to_is_replaced() {
    let sandbox = two();
    sandbox.mkdir("kept");
    sandbox.shell("ms-crawl d > kept/real.tsv").expect_status(0);
    sandbox.symlink("kept/real.tsv", "link.tsv");
    for _ in 0..2 {
        sandbox.run("ms-crawl", &["--index", "link.tsv", "d"], b"").expect_status(0);
        assert_eq!(fs::read_link(sandbox.path("link.tsv")).expect("a link"), Path::new("kept/real.tsv"));
        let expected = support::index::sorted_crawl(&sandbox, &["d"]);
        assert_eq!(String::from_utf8_lossy(&sandbox.read("kept/real.tsv")), expected);
        sandbox.old_file("d/more", "more");
    }
    assert!(sandbox.path("kept/real.tsv").symlink_metadata().expect("metadata").is_file());
}

/// `ms-crawl --index AT d` must refuse and touch nothing.
#[track_caller]
fn expect_refused(sandbox: &Sandbox, at: &str) {
    let before = support::snapshot(&sandbox.work());
    for options in [&[][..], &["--rehash"], &["--max-age", "1d"]] {
        let mut command = sandbox.guarded("ms-crawl");
        command.args(["--index", at]).args(options).arg("d");
        let outcome = finish(command, b"").expect_status(2).expect_stderr(at);
        assert!(outcome.stdout.is_empty(), "{at}");
        let mut after = support::snapshot(&sandbox.work());
        // Its companion may have been made for the lock.
        after.retain(|path, _| !path.as_os_str().to_string_lossy().ends_with(".crawl"));
        assert_eq!(after, before, "{at} {options:?}");
    }
}

#[test]
fn a_file_that_is_no_index_is_never_replaced() {
    let line = support::index_line("d/a", "one", 3, "-", "-");
    let contents: [(&str, Vec<u8>); 7] = [
        ("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\0\0\x01\0\x01\0\0".to_vec()),
        ("text", b"a letter to somebody\n".to_vec()),
        ("malformed.tsv", format!("{line}d/b\tno hash\t3\n").into_bytes()),
        ("cut-off.tsv", line.trim_end().as_bytes().to_vec()),
        ("cut-in-the-middle.tsv", format!("{line}d/b\t0123").into_bytes()),
        ("zeros", vec![0; 5000]),
        ("one-line-is-bad.tsv", format!("{line}\n{line}").into_bytes()),
    ];
    for (name, content) in contents {
        let sandbox = Sandbox::new();
        sandbox.old_file("d/a", "one");
        sandbox.old_file(name, content);
        expect_refused(&sandbox, name);
    }
}

#[test]
fn an_index_that_was_cut_off_is_refused_also_with_its_companion() {
    let sandbox = two();
    let whole = sandbox.index();
    let cut = &whole.as_bytes()[..whole.len() - 5];
    sandbox.write(FILE, cut);
    let companion = sandbox.exists(COMPANION);
    crawl(&sandbox, &["d", "e"]).expect_status(2).expect_stderr(FILE);
    assert_eq!(sandbox.read(FILE), cut);
    assert_eq!(sandbox.exists(COMPANION), companion);
}

#[test]
fn what_is_no_regular_file_is_never_replaced() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.mkdir("directory");
    sandbox.symlink("directory", "to-directory");
    rustix::fs::mknodat(CWD, sandbox.path("pipe"), FileType::Fifo, Mode::RWXU, 0).expect("FIFO");
    for at in ["directory", "to-directory", "pipe", "missing/index.tsv", "d/a/index.tsv"] {
        expect_refused(&sandbox, at);
    }
    let outcome = sandbox.run("ms-crawl", &["--index", "/dev/null", "d"], b"").expect_status(2);
    assert!(outcome.stdout.is_empty() && !Path::new("/dev/null.crawl").exists());
}
