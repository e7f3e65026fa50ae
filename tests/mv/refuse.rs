//! What `ms-mv` refuses, and that a refusal leaves everything as it was.

use crate::support;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use support::plan::{Row, mv, mv_as_nobody, plan, undo};
use support::{Outcome, Sandbox, contents, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// A file `apple` under test and an innocent file `plum`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("apple", "alpha");
    sandbox.write("plum", "plum");
    sandbox
}

/// Runs `row`, then an innocent row, and expects that only the innocent one is carried out.
#[track_caller]
fn expect_only_the_other_moves(sandbox: &Sandbox, row: Row) -> Outcome {
    let mut before = snapshot(&sandbox.work());
    let source = row.path.clone();
    let rows = [row, Row::new(sandbox, "plum", "moved")];

    let outcome = mv(sandbox, NONE, &rows).expect_status(1).expect_stderr(&source);

    assert_eq!(outcome.column(0), ["moved"]);
    let other = before.remove(Path::new("plum")).expect("plum");
    before.insert("moved".into(), other);
    assert_eq!(snapshot(&sandbox.work()), before);
    outcome
}

#[test]
fn an_existing_destination_is_left_alone() {
    let sandbox = sandbox();
    sandbox.write("taken", "precious");
    let row = Row::new(&sandbox, "apple", "taken");
    expect_only_the_other_moves(&sandbox, row).expect_stderr("taken");
}

#[test]
fn an_equal_file_at_the_destination_is_left_alone_too() {
    let sandbox = sandbox();
    sandbox.write("taken", "alpha");
    let row = Row::new(&sandbox, "apple", "taken");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_dangling_link_at_the_destination_is_left_alone() {
    let sandbox = sandbox();
    symlink("nowhere", sandbox.path("link")).expect("link");
    let row = Row::new(&sandbox, "apple", "link");
    expect_only_the_other_moves(&sandbox, row);
    assert!(!sandbox.exists("nowhere"));
}

#[test]
fn a_link_to_a_directory_at_the_destination_is_left_alone() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path("dir")).expect("dir");
    symlink("dir", sandbox.path("link")).expect("link");
    let row = Row::new(&sandbox, "apple", "link");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_directory_at_the_destination_is_not_moved_into() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path("dir")).expect("dir");
    let row = Row::new(&sandbox, "apple", "dir");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_file_where_a_parent_should_be_is_left_alone() {
    let sandbox = sandbox();
    sandbox.write("file", "no directory");
    let row = Row::new(&sandbox, "apple", "file/below/a");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_destination_with_a_slash_at_its_end_is_refused() {
    let sandbox = sandbox();
    let before = snapshot(&sandbox.work());
    let row = Row::new(&sandbox, "apple", "dir/");
    let outcome = mv(&sandbox, NONE, &[row]);
    assert!(matches!(outcome.status, 1 | 2), "{}", outcome.status);
    outcome.expect_stderr("dir/");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_missing_source_is_named() {
    let sandbox = sandbox();
    let row = Row::new(&sandbox, "never-was", "x");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_source_of_another_size_is_refused() {
    let sandbox = sandbox();
    let mut row = Row::new(&sandbox, "apple", "x");
    row.size = "4".to_owned();
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_source_with_a_new_mtime_is_refused() {
    let sandbox = sandbox();
    let path = sandbox.path("apple");
    set_mtime(&path, 1000, 1);
    let row = Row::new(&sandbox, "apple", "x");
    set_mtime(&path, 1000, 2);
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn another_file_of_the_same_size_and_mtime_is_refused() {
    let sandbox = sandbox();
    set_mtime(&sandbox.path("apple"), 1000, 1);
    let row = Row::new(&sandbox, "apple", "x");
    let replacement = sandbox.write("b", "ALPHA");
    set_mtime(&replacement, 1000, 1);
    std::fs::rename(replacement, sandbox.path("apple")).expect("replace");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn check_content_finds_a_source_edited_with_size_and_mtime_restored() {
    let sandbox = sandbox();
    let path = sandbox.path("apple");
    set_mtime(&path, 1000, 1);
    let row = Row::new(&sandbox, "apple", "x");
    std::fs::write(&path, "ALPHA").expect("edit in place");
    set_mtime(&path, 1000, 1);
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &["--check", "content"], &[row]).expect_status(1).expect_stderr(": apple: ");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn check_content_moves_what_is_as_the_row_says() {
    let sandbox = sandbox();
    let row = Row::new(&sandbox, "apple", "x");
    mv(&sandbox, &["--check=content"], &[row]).expect_status(0);
    assert_eq!(sandbox.read("x"), b"alpha");
}

#[test]
fn a_symbolic_link_is_no_source() {
    let sandbox = sandbox();
    symlink("apple", sandbox.path("link")).expect("link");
    // As a crawl with the link as operand would write it: with what it points to.
    let mut row = Row::new(&sandbox, "apple", "x");
    row.path = "link".to_owned();
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_directory_is_no_source() {
    let sandbox = sandbox();
    sandbox.write("dir/below", "b");
    let row = Row::new(&sandbox, "dir", "x");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_fifo_is_no_source() {
    let sandbox = sandbox();
    let (path, kind) = (sandbox.path("fifo"), rustix::fs::FileType::Fifo);
    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, 0o600.into(), 0).expect("fifo");
    let row = Row::new(&sandbox, "fifo", "x");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_socket_is_no_source() {
    let sandbox = sandbox();
    // Bound by a relative name: the path of a socket is limited to 108 bytes.
    let line = "import socket,sys; socket.socket(socket.AF_UNIX).bind('sock')";
    if !support::needs("python3") {
        return;
    }
    sandbox.shell(&format!("python3 -c \"{line}\"")).expect_status(0);
    let row = Row::new(&sandbox, "sock", "x");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn a_place_for_the_journal_that_cannot_be_made_stops_before_the_first_move() {
    let sandbox = sandbox();
    // Below a regular file nothing can be made, not even by root.
    std::fs::write(sandbox.state(), "a file").expect("state");
    let before = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &[Row::new(&sandbox, "apple", "x")]).expect_status(2).expect_stderr("journal");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn an_existing_file_is_not_taken_as_journal() {
    let sandbox = sandbox();
    sandbox.write("diary", "dear diary\n");
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &["--journal", "diary"], &[Row::new(&sandbox, "apple", "x")]).expect_status(2).expect_stderr("diary");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn output_to_a_full_device_is_an_error_and_can_be_undone() {
    let sandbox = sandbox();
    let before = snapshot(&sandbox.work());
    let rows = [Row::new(&sandbox, "apple", "x/y"), Row::new(&sandbox, "plum", "z")];
    std::fs::write(sandbox.state().with_extension("plan"), plan(&rows)).expect("plan");
    sandbox.shell("ms-mv < ../state.plan > /dev/full").expect_status(2).expect_stderr("ms-mv: ");
    assert_eq!(contents(&sandbox.work()), [b"alpha".to_vec(), b"plum".to_vec()]);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn a_read_only_parent_of_the_source_is_named_and_the_rest_goes_on() {
    let sandbox = sandbox();
    sandbox.write("fixed/f", "fixed");
    let rows = [Row::new(&sandbox, "fixed/f", "x"), Row::new(&sandbox, "apple", "y")];
    chmod(&sandbox.path("fixed"), 0o555);
    let outcome = mv_as_nobody(&sandbox, &rows);
    chmod(&sandbox.path("fixed"), 0o755);
    outcome.expect_status(1).expect_stderr("fixed/f");
    assert_eq!(sandbox.read("fixed/f"), b"fixed");
    assert!(!sandbox.exists("x"));
    assert_eq!(sandbox.read("y"), b"alpha");
}

#[test]
fn a_read_only_parent_of_the_destination_is_named_and_the_rest_goes_on() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path("fixed")).expect("dir");
    let rows = [Row::new(&sandbox, "apple", "fixed/new/a"), Row::new(&sandbox, "plum", "y")];
    chmod(&sandbox.path("fixed"), 0o555);
    let outcome = mv_as_nobody(&sandbox, &rows);
    chmod(&sandbox.path("fixed"), 0o755);
    outcome.expect_status(1).expect_stderr(": apple: ");
    assert_eq!(sandbox.read("apple"), b"alpha");
    assert_eq!(sandbox.read("y"), b"plum");
}

#[test]
fn hard_linked_names_move_apart_and_stay_one_file() {
    let sandbox = sandbox();
    std::fs::hard_link(sandbox.path("apple"), sandbox.path("b")).expect("link");
    let rows = [Row::new(&sandbox, "apple", "q/a"), Row::new(&sandbox, "b", "q/b")];
    mv(&sandbox, NONE, &rows).expect_status(0);
    let inode = |name: &str| sandbox.path(name).metadata().expect("metadata").ino();
    assert_eq!(inode("q/a"), inode("q/b"));
    assert!(!sandbox.exists("apple") && !sandbox.exists("b"));
}

#[test]
fn a_hard_link_of_the_source_at_the_destination_does_not_lose_the_source_name() {
    // rename(2) of two names of one file does nothing and reports success; a mover must not fall for it.
    let sandbox = sandbox();
    std::fs::hard_link(sandbox.path("apple"), sandbox.path("b")).expect("link");
    let row = Row::new(&sandbox, "apple", "b");
    expect_only_the_other_moves(&sandbox, row);
}

#[test]
fn an_unknown_mtime_or_id_is_not_compared() {
    let sandbox = sandbox();
    let mut row = Row::new(&sandbox, "apple", "x");
    (row.mtime, row.id) = ("-".to_owned(), "-".to_owned());
    mv(&sandbox, NONE, &[row]).expect_status(0);
    assert_eq!(sandbox.read("x"), b"alpha");
}
