//! A duplicate moves only while its `keep` is another file, there, and unchanged.

use crate::support;

use std::os::unix::fs::symlink;
use std::path::Path;
use support::plan::{Row, mv, undo};
use support::{Mount, Outcome, Sandbox, contents, needs_root, set_mtime, snapshot};

const NONE: &[&str] = &[];
const CONTENT: &[&str] = &["--check", "content"];

/// A file `keeper` and its duplicate `dup`, both with known times.
fn pair() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["keeper", "dup"] {
        let path = sandbox.write(name, "same bytes");
        set_mtime(&path, 1_000_000, 5);
    }
    sandbox
}

/// Carries out `row` alone and expects a refusal that names the duplicate and touches nothing.
#[track_caller]
fn expect_refused(sandbox: &Sandbox, args: &[&str], row: Row) -> Outcome {
    let before = snapshot(&sandbox.work());
    let source = format!(": {}: ", row.path);
    let outcome = mv(sandbox, args, &[row]).expect_status(1).expect_stderr(&source);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(snapshot(&sandbox.work()), before);
    outcome
}

fn row(sandbox: &Sandbox) -> Row {
    Row::new(sandbox, "dup", "q/dup").keep(sandbox, "keeper")
}

fn unnoted(sandbox: &Sandbox) -> Row {
    Row::new(sandbox, "dup", "q/dup").keep_unnoted("keeper")
}

/// Changes a file in place; size and mtime are as before.
fn edit_unseen(path: &Path) {
    std::fs::write(path, "SAME BYTES").expect("edit in place");
    set_mtime(path, 1_000_000, 5);
}

#[test]
fn a_duplicate_with_a_sound_keeper_moves() {
    for args in [NONE, CONTENT] {
        for make in [row, unnoted] {
            let sandbox = pair();
            mv(&sandbox, args, &[make(&sandbox)]).expect_status(0);
            assert_eq!(sandbox.read("q/dup"), b"same bytes");
            assert_eq!(sandbox.read("keeper"), b"same bytes");
            assert!(!sandbox.exists("dup"));
        }
    }
}

#[test]
fn a_deleted_keeper_keeps_its_duplicate_in_place() {
    for make in [row, unnoted] {
        let sandbox = pair();
        let row = make(&sandbox);
        std::fs::remove_file(sandbox.path("keeper")).expect("delete");
        expect_refused(&sandbox, NONE, row).expect_stderr("keeper");
    }
}

#[test]
fn a_keeper_edited_with_a_new_mtime_is_found_by_the_default_check() {
    for make in [row, unnoted] {
        let sandbox = pair();
        let row = make(&sandbox);
        sandbox.write("keeper", "SAME BYTES");
        expect_refused(&sandbox, NONE, row).expect_stderr("keeper");
    }
}

#[test]
fn a_keeper_of_another_size_is_found_by_the_default_check() {
    for make in [row, unnoted] {
        let sandbox = pair();
        let row = make(&sandbox);
        let path = sandbox.write("keeper", "same");
        set_mtime(&path, 1_000_000, 5);
        expect_refused(&sandbox, NONE, row).expect_stderr("keeper");
    }
}

#[test]
fn a_keeper_replaced_by_another_file_of_its_size_and_mtime_is_found_by_its_id() {
    let sandbox = pair();
    let row = row(&sandbox);
    let other = sandbox.write("other", "SAME BYTES");
    set_mtime(&other, 1_000_000, 5);
    std::fs::rename(other, sandbox.path("keeper")).expect("replace");
    expect_refused(&sandbox, NONE, row).expect_stderr("keeper");
}

#[test]
fn a_keeper_edited_unseen_is_found_where_the_plan_does_not_tell_its_mtime() {
    let sandbox = pair();
    let row = unnoted(&sandbox);
    edit_unseen(&sandbox.path("keeper"));
    expect_refused(&sandbox, NONE, row).expect_stderr("keeper");
}

#[test]
fn check_content_finds_a_keeper_edited_with_size_and_mtime_restored() {
    for make in [row, unnoted] {
        let sandbox = pair();
        let row = make(&sandbox);
        edit_unseen(&sandbox.path("keeper"));
        expect_refused(&sandbox, CONTENT, row).expect_stderr("keeper");
    }
}

#[test]
fn check_content_finds_a_duplicate_edited_with_size_and_mtime_restored() {
    for make in [row, unnoted] {
        let sandbox = pair();
        let row = make(&sandbox);
        edit_unseen(&sandbox.path("dup"));
        expect_refused(&sandbox, CONTENT, row);
    }
}

#[test]
fn check_content_compares_with_the_keeper_where_the_row_has_no_hash() {
    let sandbox = pair();
    let mut row = row(&sandbox);
    row.hash = "-".to_owned();
    edit_unseen(&sandbox.path("dup"));
    expect_refused(&sandbox, CONTENT, row);
}

#[test]
fn a_keeper_that_is_a_hard_link_of_the_duplicate_is_no_other_file() {
    let sandbox = pair();
    std::fs::hard_link(sandbox.path("dup"), sandbox.path("name")).expect("link");
    let row = Row::new(&sandbox, "dup", "q/dup").keep(&sandbox, "name");
    expect_refused(&sandbox, NONE, row);
}

#[test]
fn a_keeper_that_is_the_duplicate_in_another_spelling_is_no_other_file() {
    for spelling in ["dup", "./dup", "x/../dup", "link/dup"] {
        let sandbox = pair();
        std::fs::create_dir(sandbox.path("x")).expect("dir");
        symlink(".", sandbox.path("link")).expect("link");
        let row = Row::new(&sandbox, "dup", "q/dup").keep(&sandbox, spelling);
        expect_refused(&sandbox, NONE, row);
    }
}

#[test]
fn a_keeper_that_is_a_link_to_the_duplicate_is_no_other_file() {
    let sandbox = pair();
    symlink("dup", sandbox.path("name")).expect("link");
    for args in [NONE, CONTENT] {
        let row = Row::new(&sandbox, "dup", "q/dup").keep(&sandbox, "name");
        expect_refused(&sandbox, args, row);
    }
}

#[test]
fn a_keeper_that_is_the_duplicate_through_a_bind_mount_is_no_other_file() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("real/f", "same bytes");
    let _mount = Mount::bind(&sandbox.path("real"), &sandbox.path("bound"));
    for (source, keep) in [("real/f", "bound/f"), ("bound/f", "real/f")] {
        for args in [NONE, CONTENT] {
            let row = Row::new(&sandbox, source, "real/moved").keep(&sandbox, keep);
            expect_refused(&sandbox, args, row);
        }
    }
}

/// A directory that is seen a second time, as `merged`, through an overlay mount: the same files under
/// other device numbers. The upper directory lies on a tmpfs because not every filesystem can be one.
fn overlay(sandbox: &Sandbox) -> [Mount; 2] {
    let base = Mount::tmpfs("size=4m", &sandbox.path("base"));
    for dir in ["lower", "upper", "scratch"] {
        std::fs::create_dir(sandbox.path("base").join(dir)).expect("dir");
    }
    let at = |dir: &str| sandbox.path("base").join(dir).display().to_string();
    let options = format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("scratch"));
    let args = ["-t", "overlay", "-o", &options, "overlay"].map(AsRef::as_ref);
    let merged = Mount::new(&args, &sandbox.path("merged"));
    // The overlay is taken away before what it lies on.
    [merged, base]
}

#[test]
fn a_move_is_taken_back_when_the_keeper_turns_out_to_be_the_same_file() {
    if !needs_root() {
        return;
    }
    for noted in [true, false] {
        let sandbox = Sandbox::new();
        let _mounts = overlay(&sandbox);
        sandbox.write("merged/f", "only copy");
        let row = Row::new(&sandbox, "merged/f", "merged/q/f");
        let row = if noted { row.keep(&sandbox, "base/upper/f") } else { row.keep_unnoted("base/upper/f") };
        let device = |path: &str| support::plan::id(&sandbox.path(path).metadata().expect("id"));
        assert_ne!(device("merged/f"), device("base/upper/f"), "the two spellings cannot be told apart");

        let outcome = mv(&sandbox, NONE, &[row]).expect_status(1).expect_stderr("merged/f");

        assert_eq!(outcome.stdout, b"");
        assert_eq!(sandbox.read("merged/f"), b"only copy");
        assert!(!sandbox.exists("merged/q/f"));
    }
}

#[test]
fn what_was_taken_back_is_nothing_to_undo() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let _mounts = overlay(&sandbox);
    sandbox.write("merged/f", "only copy");
    let row = Row::new(&sandbox, "merged/f", "merged/q").keep(&sandbox, "base/upper/f");
    mv(&sandbox, NONE, &[row]).expect_status(1);
    undo(&sandbox).expect_status(2);
    assert_eq!(sandbox.read("merged/f"), b"only copy");
}

#[test]
fn a_keeper_may_be_the_destination_of_an_earlier_row() {
    for noted in [true, false] {
        let sandbox = pair();
        let first = Row::new(&sandbox, "keeper", "archive/keeper");
        let second = Row::new(&sandbox, "dup", "q/dup").keep(&sandbox, "keeper");
        let second =
            Row { keep: "archive/keeper".to_owned(), note: if noted { second.note } else { "-".to_owned() }, ..second };
        let dry = mv(&sandbox, &["-n"], &[first.clone(), second.clone()]).expect_status(0);
        let real = mv(&sandbox, NONE, &[first, second]).expect_status(0);
        assert_eq!(dry.column(0), real.column(0));
        assert_eq!(sandbox.read("archive/keeper"), b"same bytes");
        assert_eq!(sandbox.read("q/dup"), b"same bytes");
    }
}

#[test]
fn a_keeper_that_a_refused_row_should_have_brought_is_missing() {
    let sandbox = pair();
    let mut first = Row::new(&sandbox, "keeper", "archive/keeper");
    first.size = "9".to_owned();
    let second = Row::new(&sandbox, "dup", "q/dup").keep_unnoted("archive/keeper");
    let before = snapshot(&sandbox.work());
    let rows = [first, second];
    for args in [&["-n"][..], NONE] {
        mv(&sandbox, args, &rows).expect_status(1).expect_stderr(": dup: ");
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn a_keeper_that_a_later_row_would_bring_is_missing() {
    let sandbox = pair();
    let first = Row::new(&sandbox, "dup", "q/dup").keep_unnoted("archive/keeper");
    let second = Row::new(&sandbox, "keeper", "archive/keeper");
    mv(&sandbox, NONE, &[first, second]).expect_status(1).expect_stderr(": dup: ");
    assert!(sandbox.exists("dup"));
    assert!(sandbox.exists("archive/keeper"));
}

#[test]
fn a_keeper_that_an_earlier_row_took_away_is_missing() {
    let sandbox = pair();
    let first = Row::new(&sandbox, "keeper", "elsewhere");
    let second = row(&sandbox);
    mv(&sandbox, NONE, &[first, second]).expect_status(1).expect_stderr(": dup: ");
    assert!(sandbox.exists("dup") && sandbox.exists("elsewhere"));
}

#[test]
fn of_two_files_that_name_each_other_as_keeper_one_stays() {
    let sandbox = pair();
    let rows = [
        Row::new(&sandbox, "dup", "q/dup").keep(&sandbox, "keeper"),
        Row::new(&sandbox, "keeper", "q/keeper").keep(&sandbox, "dup"),
    ];
    mv(&sandbox, NONE, &rows).expect_status(1).expect_stderr(": keeper: ");
    assert!(sandbox.exists("keeper") && sandbox.exists("q/dup"));
    assert_eq!(contents(&sandbox.work()).len(), 2);
}

#[test]
fn a_keeper_that_is_no_regular_file_does_not_count() {
    let sandbox = pair();
    std::fs::create_dir(sandbox.path("dir")).expect("dir");
    symlink("nowhere", sandbox.path("dangling")).expect("link");
    for keep in ["dir", "dangling", "dup/below"] {
        let row = Row::new(&sandbox, "dup", "q/dup").keep_unnoted(keep);
        expect_refused(&sandbox, NONE, row);
    }
}

#[test]
fn a_fifo_as_keeper_does_not_make_the_mover_wait() {
    let sandbox = pair();
    let (path, kind) = (sandbox.path("fifo"), rustix::fs::FileType::Fifo);
    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, 0o600.into(), 0).expect("fifo");
    sandbox.write("empty", "");
    let row = Row::new(&sandbox, "empty", "q/empty").keep_unnoted("fifo");
    expect_refused(&sandbox, CONTENT, row);
}

#[test]
fn a_refused_duplicate_does_not_hold_up_the_others() {
    let sandbox = pair();
    sandbox.write("free", "free");
    let rows = [Row::new(&sandbox, "dup", "q/dup").keep_unnoted("gone"), Row::new(&sandbox, "free", "q/free")];
    let outcome = mv(&sandbox, NONE, &rows).expect_status(1).expect_stderr("gone");
    assert_eq!(outcome.column(0), ["q/free"]);
    assert!(sandbox.exists("dup") && sandbox.exists("q/free"));
}

#[test]
fn a_keeper_across_filesystems_is_compared_byte_by_byte() {
    if !needs_root() {
        return;
    }
    let sandbox = pair();
    let _mount = Mount::far("4m", &sandbox.path("far"));
    let keeper = sandbox.write("far/keeper", "SAME BYTES");
    set_mtime(&keeper, 1_000_000, 5);
    let row = Row::new(&sandbox, "dup", "q/dup").keep(&sandbox, "far/keeper");
    expect_refused(&sandbox, CONTENT, row).expect_stderr("far/keeper");
}

#[test]
fn an_equal_inode_number_on_another_filesystem_is_another_file() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    // Fresh mounts of one kind number their files alike.
    let _one = Mount::tmpfs("size=1m", &sandbox.path("one"));
    let _two = Mount::tmpfs("size=1m", &sandbox.path("two"));
    sandbox.write("one/f", "same bytes");
    sandbox.write("two/f", "same bytes");
    let inode = |path: &str| {
        let id = support::plan::id(&sandbox.path(path).metadata().expect("id"));
        id.split_once(':').expect("dev:ino").1.to_owned()
    };
    assert_eq!(inode("one/f"), inode("two/f"));
    let row = Row::new(&sandbox, "one/f", "one/q/f").keep(&sandbox, "two/f");
    mv(&sandbox, NONE, &[row]).expect_status(0);
    assert!(sandbox.exists("one/q/f") && sandbox.exists("two/f"));
}
