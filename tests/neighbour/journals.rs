//! Journals, spools and temporary files where others may write: who can read them, who can put one there.

use crate::support;

use std::os::unix::fs::{PermissionsExt as _, chown};
use support::plan::{Row, journals, mv, plan, undo};
use support::trace::{log, traced};
use support::{Mount, Sandbox, finish, needs, needs_root};

/// What strace(1) told of files that were made: the rest of each line from the flags on.
fn made(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read_to_string(log(sandbox)).expect("what strace wrote");
    let lines = text.lines().filter(|line| !line.contains("= -1") && !line.contains("/dev/"));
    lines.filter(|line| line.contains("O_CREAT") || line.contains("O_TMPFILE")).map(str::to_owned).collect()
}

const OPENS: [&str; 2] = ["-e", "trace=?open,openat,openat2,?creat"];

/// All files that a run makes are new, and nobody else's to read.
#[track_caller]
fn expect_private(sandbox: &Sandbox, least: usize) {
    let made = made(sandbox);
    assert!(made.len() >= least, "{made:?}");
    for line in made {
        let is_new = line.contains("O_EXCL") || line.contains("O_TMPFILE");
        assert!(is_new && line.contains(", 0600)"), "{line}");
    }
}

#[test]
fn what_a_move_writes_is_new_and_private() {
    if !needs("strace") || !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    let _mount = Mount::tmpfs("size=8m", &sandbox.path("far"));
    let stream = plan(&[Row::new(&sandbox, "a", "far/a")]);
    // The plan comes through a pipe. The journal, what is kept of the plan, and the unfinished copy.
    traced(&sandbox, &OPENS, "ms-mv", &[], &stream).expect_status(0);
    expect_private(&sandbox, 3);
}

#[test]
fn where_no_file_without_a_name_can_be_made_a_spool_is_new_and_private_too() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = |inject: &[&str]| {
        let args = [&["-e", "trace=openat"], inject].concat();
        traced(&sandbox, &args, "ms-dupes", &[], b"a\t-\t1\n").expect_status(0);
        std::fs::read_to_string(log(&sandbox)).expect("what strace wrote")
    };
    // Which of its calls it is tells a run that nothing happens to.
    let turn = run(&[]).lines().position(|line| line.contains("O_TMPFILE")).expect("a spool") + 1;
    let text = run(&["-e", &format!("inject=openat:error=EOPNOTSUPP:when={turn}")]);
    assert!(text.lines().any(|line| line.contains("O_TMPFILE") && line.contains("INJECTED")), "{text}");
    expect_private(&sandbox, 1);
}

#[test]
fn a_mask_that_takes_nothing_away_opens_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    sandbox.write("plan", plan(&[Row::new(&sandbox, "a", "b")]));
    sandbox.shell("umask 0; ms-mv plan; ms-crawl --index index.tsv b").expect_status(0);
    let mode = |path: &std::path::Path| path.metadata().expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&journals(&sandbox)[0]), 0o600);
    assert_eq!(mode(&sandbox.state().join("mediastruct")), 0o700);
    assert_eq!(mode(&sandbox.path("index.tsv.crawl")), 0o600);
}

#[test]
fn a_link_with_the_name_of_a_journal_is_not_written_through() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    sandbox.write("precious", "");
    sandbox.symlink("precious", "journal");
    let rows = [Row::new(&sandbox, "a", "b")];
    mv(&sandbox, &["--journal", "journal"], &rows).expect_status(2);
    sandbox.symlink("nothing", "dangling");
    mv(&sandbox, &["--journal", "dangling"], &rows).expect_status(2);
    assert!(sandbox.read("precious").is_empty() && !sandbox.exists("nothing"));
    assert_eq!(sandbox.read("a"), b"alpha");
}

/// A journal that a run has left, as if another user had put it there.
fn foreign_journal(sandbox: &Sandbox) {
    chown(&journals(sandbox)[0], Some(65534), Some(65534)).expect("chown");
}

#[test]
fn a_journal_of_another_user_moves_nothing_unless_it_is_named() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    mv(&sandbox, &[], &[Row::new(&sandbox, "a", "b")]).expect_status(0);
    foreign_journal(&sandbox);
    undo(&sandbox).expect_status(2).expect_stderr("it belongs to another user");
    assert_eq!(sandbox.read("b"), b"alpha");
    let journal = journals(&sandbox)[0].to_str().expect("UTF-8").to_owned();
    sandbox.run("ms-mv", &["--undo", &journal], b"").expect_status(0);
    assert_eq!(sandbox.read("a"), b"alpha");
}

#[test]
fn a_link_among_the_journals_is_not_one_of_them() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    mv(&sandbox, &["--journal", "elsewhere"], &[Row::new(&sandbox, "a", "b")]).expect_status(0);
    let dir = sandbox.state().join("mediastruct");
    std::fs::create_dir_all(&dir).expect("directory");
    std::os::unix::fs::symlink(sandbox.path("elsewhere"), dir.join("99990101T000000Z-1.journal")).expect("link");
    undo(&sandbox).expect_status(2);
    assert_eq!(sandbox.read("b"), b"alpha");
}

#[test]
fn an_unfinished_journal_of_another_user_is_not_taken_up() {
    if !needs("strace") || !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("a", "alpha");
    let stream = plan(&[Row::new(&sandbox, "a", "b")]);
    let inject = ["-e", "trace=renameat2", "-e", "inject=renameat2:signal=SIGKILL"];
    traced(&sandbox, &inject, "ms-mv", &[], &stream).expect_status(137);
    foreign_journal(&sandbox);
    finish(sandbox.command("ms-mv"), &stream).expect_status(0);
    assert_eq!(journals(&sandbox).len(), 2);
    assert_eq!(sandbox.read("b"), b"alpha");
}
