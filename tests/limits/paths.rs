//! Paths that are longer than the kernel takes (`PATH_MAX`, 4096 bytes with the NUL), and very deep ones.

use crate::support;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use support::plan::{Row, mv, undo};
use support::{Sandbox, contents, snapshot};

/// Directories in each other below `top`, each with a file `f`; made by steps, since their paths may be too long.
fn chain(top: &Path, levels: usize, name: &str) {
    std::fs::create_dir_all(top).expect("top");
    let open =
        |dir: &OwnedFd, name: &str, flags| openat(dir, name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o644));
    let mut dir = openat(CWD, top, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).expect("top");
    for level in 0..levels {
        mkdirat(&dir, name, Mode::from_raw_mode(0o755)).expect("a directory");
        dir = open(&dir, name, OFlags::DIRECTORY).expect("the directory");
        let file = open(&dir, "f", OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY).expect("a file");
        std::fs::File::from(file).write_all(format!("level {level}").as_bytes()).expect("content");
    }
}

/// How many levels of [`chain`] with names of 40 bytes have a file whose path below the operand `top` is not too long.
fn reached(top: &str) -> usize {
    (4095 - top.len() - 2) / 41
}

const LEVELS: usize = 150;

fn too_long() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let name = "n".repeat(40);
    chain(&sandbox.path("in/tree"), LEVELS, &name);
    sandbox.write("in/a/other", "other");
    sandbox.write("in/z/other", "another");
    (sandbox, name)
}

#[test]
fn what_no_path_can_reach_costs_a_crawl_a_message_and_no_more() {
    let (sandbox, _) = too_long();
    let expected = reached("in/tree") + 2;
    assert!(expected < LEVELS);
    for args in [&["in"][..], &["--hash", "dups", "in"], &["--sort", "in"], &["--index", "i.tsv", "in"], &["-L", "in"]]
    {
        let outcome = sandbox.run("ms-crawl", args, b"").expect_status(1).expect_stderr(": File name too long\n");
        assert_eq!(outcome.lines().len(), expected, "{args:?}");
        assert_eq!(outcome.stderr.matches("File name too long").count(), 1, "{}", outcome.stderr);
    }
    // From inside, there is more to be reached.
    let deep = format!("in/tree/{}", vec!["n".repeat(40); 80].join("/"));
    let outcome = sandbox.shell(&format!("cd {deep} && ms-crawl ."));
    assert_eq!(outcome.expect_status(0).lines().len(), LEVELS - 79);
}

#[test]
fn what_no_path_can_reach_costs_an_import_a_message_and_no_more() {
    let (sandbox, _) = too_long();
    let outcome = sandbox.run("ms-ingest", &["--to", "out", "in"], b"").expect_status(1);
    let outcome = outcome.expect_stderr(": File name too long\n");
    assert_eq!(outcome.lines().len(), reached("in/tree") + 2);
}

#[test]
fn a_row_with_a_path_that_is_too_long_is_refused_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c", "d", "e"] {
        sandbox.write(format!("in/{name}"), name);
    }
    let (path, name) = ("d/".repeat(2500) + "f", "n".repeat(300));
    let rows = [
        Row::new(&sandbox, "in/a", "out/a"),
        Row { path: path.clone(), ..Row::new(&sandbox, "in/a", "out/no-source") },
        Row::new(&sandbox, "in/b", "to/".to_owned() + &path),
        Row::new(&sandbox, "in/c", format!("new/{name}")),
        Row::new(&sandbox, "in/d", format!("newer/still/{name}/f")),
        Row { keep: path, ..Row::new(&sandbox, "in/e", "out/no-keeper") },
        Row::new(&sandbox, "in/e", "out/e"),
    ];
    // The one with the keeper goes alone: two rows have that source.
    let others = [&rows[..5], &rows[6..]].concat();
    for args in [&["--dry-run"][..], &[]] {
        let outcome = mv(&sandbox, args, &others).expect_status(1);
        assert_eq!(outcome.stderr.matches("File name too long").count(), 4, "{}", outcome.stderr);
        if args.is_empty() {
            assert_eq!(outcome.column(0), ["out/a", "out/e"]);
        }
    }
    assert!(!sandbox.exists("new") && !sandbox.exists("newer"), "directories that nothing needs");
    undo(&sandbox).expect_status(0);
    mv(&sandbox, &[], &rows[5..6]).expect_status(1).expect_stderr("File name too long");
    assert_eq!(contents(&sandbox.path("in")).len(), 5);
}

/// Nobody can tell whether such a file is in a protected directory, so it is held to be.
#[test]
fn planners_leave_what_no_path_can_reach_and_plan_the_others() {
    let sandbox = Sandbox::new();
    let path = "d/".repeat(2500);
    let line = |name: &str, id: &str| support::index_line(name, "content", 7, "1000000000.000000000", id);
    let index = [line(&(path.clone() + "a"), "1:2"), line(&(path + "b"), "1:3"), line("c", "1:4")].concat();
    let outcome = sandbox.run("ms-dupes", &[] as &[&str], index.as_bytes()).expect_status(0);
    assert!(outcome.column(0) == ["c"], "not c alone");
    let outcome = sandbox.run("ms-verify", &["--failed"], index.as_bytes()).expect_status(1);
    assert_eq!(outcome.column(7), ["missing", "unreadable", "unreadable"]);
    let packed = sandbox.run("ms-pack", &["--to", "archive", "--flush"], index.as_bytes());
    assert!(packed.status <= 1 && !packed.stderr.contains("panicked"), "{}", packed.status);
    assert_eq!(packed.column(0).iter().filter(|path| *path == "c").count(), 1);
}

#[test]
fn an_operand_that_is_too_long_is_named_with_its_reason() {
    let sandbox = Sandbox::new();
    let path = "d/".repeat(2500);
    for (tool, args, status) in [
        ("ms-crawl", &[path.as_str()][..], 1),
        ("ms-dupes", &[&path], 2),
        ("ms-mv", &[&path], 2),
        ("ms-mv", &["--undo", &path], 2),
        ("ms-verify", &[&path], 2),
        ("ms-pack", &["--to", "a", &path], 2),
        ("ms-ingest", &["--to", "a", &path], 1),
        ("ms-seal", &[&path], 2),
    ] {
        let outcome = sandbox.run(tool, args, b"");
        let begin = format!("{tool}: ");
        assert_eq!(outcome.status, status, "{tool}: {}", outcome.stderr);
        assert!(
            outcome.stderr.starts_with(&begin) && outcome.stderr.contains("File name too long"),
            "{}",
            outcome.stderr
        );
    }
    assert!(snapshot(&sandbox.work()).is_empty());
}

/// A marker's path is longer than that of the file it protects, and may be too long.
#[test]
fn next_to_the_limit_a_marker_is_found_and_nothing_else_is_taken_for_one() {
    for marked in [false, true] {
        let sandbox = Sandbox::new();
        let deep = format!("in{}", "/n".repeat((4095 - sandbox.work().as_os_str().len() - "/in/f".len() - 4) / 2));
        sandbox.write(format!("{deep}/f"), "content");
        if marked {
            let made = sandbox.shell(&format!("cd {deep} && touch .ms-protect"));
            made.expect_status(0);
        }
        let outcome = mv(&sandbox, &[], &[Row::new(&sandbox, format!("{deep}/f"), "out")]);
        assert_eq!(outcome.status, i32::from(marked), "status");
        assert_eq!(outcome.stderr.contains("it is in a protected directory"), marked);
        assert_eq!(sandbox.exists("out"), !marked);
    }
}

/// The journal has absolute paths, by which such a file could not be put back.
#[test]
fn a_file_that_only_a_relative_path_reaches_is_refused() {
    let (sandbox, name) = too_long();
    let deep = format!("in/tree/{}", vec![name; 80].join("/"));
    let all = LEVELS - 79;
    for args in ["--dry-run", ""] {
        let outcome = sandbox.shell(&format!("cd {deep} && ms-crawl . | ms-mv {args} --to ../q")).expect_status(1);
        let too_long = outcome.stderr.matches("File name too long").count();
        assert!(!outcome.lines().is_empty() && 0 < too_long);
        assert_eq!(outcome.lines().len() + too_long, all, "{args}");
    }
    undo(&sandbox).expect_status(0);
    assert_eq!(sandbox.shell(&format!("cd {deep} && ms-crawl .")).expect_status(0).lines().len(), all);
}

#[test]
fn a_journal_whose_path_is_too_long_keeps_anything_from_moving() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    let rows = [Row::new(&sandbox, "a", "b")];
    let path = "d/".repeat(2500) + "journal";
    mv(&sandbox, &["--journal", &path], &rows).expect_status(2).expect_stderr("File name too long; nothing is done");
    assert!(sandbox.exists("a") && !sandbox.exists("b"));
}

#[test]
fn many_levels_are_crawled_moved_pruned_and_put_back() {
    let sandbox = Sandbox::new();
    chain(&sandbox.path("in"), 120, "d");
    let before = snapshot(&sandbox.work());
    let index = sandbox.run("ms-crawl", &["-j", "4", "in"], b"").expect_status(0);
    assert_eq!(index.lines().len(), 120);
    let moved = sandbox.run("ms-mv", &["--to", "q", "--prune=."], &index.stdout).expect_status(0);
    assert_eq!(moved.lines().len(), 120);
    assert!(!sandbox.exists("in"));
    undo(&sandbox).expect_status(0);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn a_thousand_levels_are_crawled_and_the_deepest_file_moved() {
    let sandbox = Sandbox::new();
    chain(&sandbox.path("in"), 1000, "d");
    for args in [&["-j", "1", "in"][..], &["-j", "8", "in"]] {
        assert_eq!(sandbox.run("ms-crawl", args, b"").expect_status(0).lines().len(), 1000);
    }
    let deepest = "in/".to_owned() + &"d/".repeat(1000) + "f";
    mv(&sandbox, &[], &[Row::new(&sandbox, &deepest, "out")]).expect_status(0);
    assert!(sandbox.exists("out"));
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists(deepest));
}
