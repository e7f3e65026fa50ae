//! Files that change, go or come while `ms-mv` copies them to another filesystem.

use crate::support;

use std::ffi::OsString;
use std::fs::{OpenOptions, rename};
use std::io::Write as _;
use support::hold::{At, hold};
use support::plan::{Row, plan};
use support::trace::traced;
use support::{Mount, Outcome, Sandbox, needs, needs_root, set_mtime, snapshot};

const CONTENT: &str = "alpha, a little longer";

fn across() -> Option<(Sandbox, Mount)> {
    if !needs("strace") || !needs_root() {
        return None;
    }
    let sandbox = Sandbox::new();
    sandbox.write("near/a", CONTENT);
    sandbox.write("other", "other");
    let mount = Mount::tmpfs("size=8m", &sandbox.path("far"));
    Some((sandbox, mount))
}

fn held_at(sandbox: &Sandbox, at: At<'_>, act: impl FnOnce()) -> Outcome {
    let held = hold(sandbox, at, "ms-mv", &[], &plan(&[Row::new(sandbox, "near/a", "far/b")]));
    act();
    held.go()
}

/// No file but those that are named.
#[track_caller]
fn expect_names(sandbox: &Sandbox, dir: &str, names: &[&str]) {
    let found: Vec<_> = snapshot(&sandbox.path(dir)).into_keys().collect();
    let found: Vec<_> = found.iter().map(|path| path.to_str().expect("UTF-8")).collect();
    assert_eq!(found, names, "{dir}");
}

fn replace_source(sandbox: &Sandbox) {
    sandbox.write("new", "newer");
    rename(sandbox.path("new"), sandbox.path("near/a")).expect("rename");
}

fn append(sandbox: &Sandbox) {
    let file = OpenOptions::new().append(true).open(sandbox.path("near/a"));
    file.and_then(|mut file| file.write_all(b"more")).expect("append");
}

/// As long as before, and with the same modification time: only that it was changed can be seen.
fn change_unseen(sandbox: &Sandbox) {
    set_mtime(&sandbox.path("near/a"), 1_500_000_000, 5);
    let text = CONTENT.replace('a', "o");
    OpenOptions::new()
        .write(true)
        .open(sandbox.path("near/a"))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("write");
    set_mtime(&sandbox.path("near/a"), 1_500_000_000, 5);
}

fn cut(sandbox: &Sandbox) {
    OpenOptions::new().write(true).open(sandbox.path("near/a")).and_then(|file| file.set_len(3)).expect("cut");
}

/// What a neighbour does to the source.
type Deed = fn(&Sandbox);

/// When the source was checked and the copy was begun; when all of it was read and the copy is about to be compared; when its copy has its name
/// and the source is about to go. By then the old content must stand at the destination; before nothing else may.
const MOMENTS: [(&str, usize, bool); 3] = [("fdatasync", 1, false), ("fadvise64", 1, false), ("renameat2", 3, true)];

#[test]
fn a_source_that_changes_stays_as_it_was_left() {
    for (call, turn, is_copied) in MOMENTS {
        // Once it has been looked at for the last time, a change in place that leaves size and time cannot be seen any more.
        let unseen = if turn == 3 { None } else { Some(change_unseen as Deed) };
        for deed in [replace_source as Deed, append, cut].into_iter().chain(unseen) {
            let Some((sandbox, _mount)) = across() else {
                return;
            };
            set_mtime(&sandbox.path("near/a"), 1_500_000_000, 5);
            let mut left = Vec::new();
            held_at(&sandbox, At::first(call).turn(turn), || {
                deed(&sandbox);
                left = sandbox.read("near/a");
            })
            .expect_status(1);
            assert_eq!(sandbox.read("near/a"), left, "{call}");
            expect_names(&sandbox, "near", &["a"]);
            // One that was read to its end before it was replaced has become another file, and that is seen only later.
            if is_copied {
                assert_eq!(sandbox.read("far/b"), CONTENT.as_bytes(), "{call}");
                expect_names(&sandbox, "far", &["b"]);
            } else if sandbox.exists("far/b") {
                assert_eq!(sandbox.read("far/b"), CONTENT.as_bytes(), "{call}");
            }
        }
    }
}

#[test]
fn a_file_that_takes_the_name_of_the_copied_source_stays() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    let act = || drop(sandbox.write("near/a", "newer"));
    held_at(&sandbox, At::first("unlinkat"), act).expect_status(0);
    assert_eq!((sandbox.read("near/a"), sandbox.read("far/b")), (b"newer".to_vec(), CONTENT.into()));
    expect_names(&sandbox, "near", &["a"]);
}

fn part(sandbox: &Sandbox) -> OsString {
    let found = snapshot(&sandbox.path("far")).into_keys().next();
    sandbox.path("far").join(found.expect("an unfinished copy")).into_os_string()
}

#[test]
fn a_file_in_the_place_of_the_unfinished_copy_is_neither_used_nor_removed() {
    for content in [CONTENT, "something else"] {
        let Some((sandbox, _mount)) = across() else {
            return;
        };
        let mut name = OsString::new();
        held_at(&sandbox, At::first("fadvise64"), || {
            name = part(&sandbox);
            sandbox.write("far/new", content);
            rename(sandbox.path("far/new"), &name).expect("rename");
        })
        .expect_status(1);
        assert_eq!(std::fs::read(&name).expect("the file"), content.as_bytes());
        assert_eq!(sandbox.read("near/a"), CONTENT.as_bytes());
        assert!(!sandbox.exists("far/b"));
    }
}

#[test]
fn a_row_whose_begun_copy_somebody_removed_is_carried_out() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    sandbox.write("near/c", CONTENT);
    let stream = plan(&[Row::new(&sandbox, "near/a", "far/b"), Row::new(&sandbox, "near/c", "far/c")]);
    let held = hold(&sandbox, At::first("fadvise64"), "ms-mv", &[], &stream);
    let begun = snapshot(&sandbox.path("far")).into_keys().find(|name| name.to_string_lossy().ends_with("-1.part"));
    std::fs::remove_file(sandbox.path("far").join(begun.expect("a copy that was begun"))).expect("removal");
    held.go().expect_status(0);
    expect_names(&sandbox, "far", &["b", "c"]);
}

#[test]
fn a_changed_source_that_cannot_go_back_stays_where_people_are_told_that_it_is() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    sandbox.write("else/c", CONTENT);
    let stream = plan(&[Row::new(&sandbox, "near/a", "far/a"), Row::new(&sandbox, "else/c", "far/c")]);
    let source = sandbox.path("near/a");
    let mut file = OpenOptions::new().append(true).open(&source).expect("the source");
    // Each rename lasts a while after its work is done.
    let neighbour = std::thread::spawn(move || {
        while source.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        file.write_all(b", and the end").and_then(|()| std::fs::write(&source, "newer")).expect("write");
    });
    let outcome = traced(&sandbox, &["-e", "inject=renameat2:delay_exit=400000"], "ms-mv", &[], &stream);
    neighbour.join().expect("the neighbour");
    let outcome = outcome.expect_status(1);
    let (_, told) = outcome.stderr.split_once("it is in ").expect("where it is");
    let (told, _) = told.split_once(" beside it").expect("where it is");
    assert_eq!(sandbox.read(format!("near/{told}/a")), format!("{CONTENT}, and the end").as_bytes());
    assert_eq!(sandbox.read("near/a"), b"newer");
    expect_names(&sandbox, "else", &[]);
}

#[test]
fn a_link_in_the_place_of_the_unfinished_copy_is_not_written_through() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    held_at(&sandbox, At::first("fdatasync"), || {
        let name = part(&sandbox);
        std::fs::remove_file(&name).expect("removal");
        std::os::unix::fs::symlink(sandbox.path("other"), &name).expect("symbolic link");
    })
    .expect_status(1);
    assert_eq!((sandbox.read("near/a"), sandbox.read("other")), (CONTENT.into(), b"other".to_vec()));
    assert!(!sandbox.exists("far/b"));
}

#[test]
fn a_destination_that_somebody_makes_first_is_left() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    let act = || drop(sandbox.write("far/b", "mine"));
    held_at(&sandbox, At::first("renameat2").turn(2), act).expect_status(1).expect_stderr("stands there already");
    assert_eq!((sandbox.read("near/a"), sandbox.read("far/b")), (CONTENT.into(), b"mine".to_vec()));
    expect_names(&sandbox, "far", &["b"]);
}

#[test]
fn a_copy_whose_directory_moves_away_costs_nothing() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    sandbox.mkdir("far/d");
    let stream = plan(&[Row::new(&sandbox, "near/a", "far/d/b")]);
    let held = hold(&sandbox, At::first("renameat2").turn(2), "ms-mv", &[], &stream);
    rename(sandbox.path("far/d"), sandbox.path("far/e")).expect("rename");
    sandbox.symlink("../near", "far/d");
    held.go().expect_status(1).expect_stderr("moved or replaced");
    assert_eq!(sandbox.read("near/a"), CONTENT.as_bytes());
    expect_names(&sandbox, "far/e", &[]);
    expect_names(&sandbox, "near", &["a"]);
}

#[test]
fn a_crash_while_the_source_goes_leaves_nothing_for_ever() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    for command in ["again", "undo"] {
        let stream = plan(&[Row::new(&sandbox, "near/a", "far/b")]);
        // It is dropped, and so killed, when the source is out of its place and not gone yet.
        drop(hold(&sandbox, At::first("unlinkat"), "ms-mv", &[], &stream));
        assert_eq!(sandbox.read("far/b"), CONTENT.as_bytes());
        assert!(!sandbox.exists("near/a"));
        if command == "again" {
            sandbox.run("ms-mv", &[] as &[&str], &stream).expect_status(0);
            assert_eq!(sandbox.read("far/b"), CONTENT.as_bytes());
            expect_names(&sandbox, "near", &[]);
        }
        sandbox.run("ms-mv", &["--undo"], b"").expect_status(0);
        assert_eq!(sandbox.read("near/a"), CONTENT.as_bytes());
        expect_names(&sandbox, "near", &["a"]);
        expect_names(&sandbox, "far", &[]);
    }
}

#[test]
fn a_crash_while_the_source_goes_does_not_cost_the_file_that_came_in_its_place() {
    let Some((sandbox, _mount)) = across() else {
        return;
    };
    let stream = plan(&[Row::new(&sandbox, "near/a", "far/b")]);
    let held = hold(&sandbox, At::first("renameat2").turn(3), "ms-mv", &[], &stream);
    replace_source(&sandbox);
    drop(held);
    assert_eq!((sandbox.read("near/a"), sandbox.read("far/b")), (b"newer".to_vec(), CONTENT.into()));
    sandbox.run("ms-mv", &[] as &[&str], &stream).expect_status(1);
    assert_eq!((sandbox.read("near/a"), sandbox.read("far/b")), (b"newer".to_vec(), CONTENT.into()));
}
