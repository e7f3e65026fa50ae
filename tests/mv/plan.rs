//! Plans that contradict themselves and streams that are broken: nothing moves at all.

use crate::support;

use std::os::unix::fs::symlink;
use support::plan::{Row, journals, mv, plan};
use support::{Sandbox, snapshot};

const NONE: &[&str] = &[];

/// Two files, `apple` and `plum`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("apple", "alpha");
    sandbox.write("plum", "plum");
    sandbox
}

/// Runs a plan that contradicts itself: status 2, nothing touched, no journal, each of `named` in a message.
#[track_caller]
fn expect_nothing_moves(sandbox: &Sandbox, stream: &[u8], args: &[&str], named: &[&str]) {
    let before = snapshot(&sandbox.work());
    let outcome = sandbox.run("ms-mv", args, stream).expect_status(2);
    for needle in named {
        assert!(outcome.stderr.contains(needle), "{needle:?} is not in:\n{}", outcome.stderr);
    }
    assert_eq!(outcome.stdout, b"");
    assert_eq!(snapshot(&sandbox.work()), before);
    assert_eq!(journals(sandbox).len(), 0);
}

#[test]
fn two_rows_with_one_destination_are_a_contradiction() {
    let sandbox = sandbox();
    let rows = [Row::new(&sandbox, "apple", "d/f"), Row::new(&sandbox, "plum", "d/f")];
    expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["d/f", "apple", "plum"]);
}

#[test]
fn one_destination_in_two_spellings_is_a_contradiction() {
    for spelling in ["d/./f", "d//f", "x/../d/f", "link/f", "./d/f"] {
        let sandbox = sandbox();
        for dir in ["d", "x"] {
            std::fs::create_dir(sandbox.path(dir)).expect("dir");
        }
        symlink("d", sandbox.path("link")).expect("link");
        let rows = [Row::new(&sandbox, "apple", "d/f"), Row::new(&sandbox, "plum", spelling)];
        expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["/f", "apple", "plum"]);
    }
}

#[test]
fn one_destination_relative_and_absolute_is_a_contradiction() {
    let sandbox = sandbox();
    // The directory does not exist yet, so it has no identity to compare.
    let rows = [Row::new(&sandbox, "apple", "d/f"), Row::new(&sandbox, "plum", sandbox.path("d/f"))];
    expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["d/f", "plum"]);
}

#[test]
fn one_destination_below_directories_to_be_made_is_a_contradiction() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path("d")).expect("dir");
    symlink("d", sandbox.path("link")).expect("link");
    let rows = [Row::new(&sandbox, "apple", "d/new/f"), Row::new(&sandbox, "plum", "link/new/./f")];
    expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["new"]);
}

#[test]
fn dot_dot_after_a_link_leads_where_the_kernel_says() {
    // `x/../f` is `elsewhere/f` here, so the two destinations are different.
    let sandbox = sandbox();
    std::fs::create_dir_all(sandbox.path("elsewhere/deep")).expect("dirs");
    symlink("elsewhere/deep", sandbox.path("x")).expect("link");
    let rows = [Row::new(&sandbox, "apple", "f"), Row::new(&sandbox, "plum", "x/../f")];
    mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(sandbox.read("f"), b"alpha");
    assert_eq!(sandbox.read("elsewhere/f"), b"plum");
}

#[test]
fn a_source_that_is_another_rows_destination_is_a_contradiction() {
    for reversed in [false, true] {
        let sandbox = sandbox();
        let mut rows = [Row::new(&sandbox, "plum", "x"), Row::new(&sandbox, "apple", "plum")];
        if reversed {
            rows.reverse();
        }
        expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["plum"]);
    }
}

#[test]
fn a_source_that_is_a_destination_in_another_spelling_is_a_contradiction() {
    let sandbox = sandbox();
    sandbox.write("d/f", "f");
    symlink("d", sandbox.path("link")).expect("link");
    let rows = [Row::new(&sandbox, "d/f", "x"), Row::new(&sandbox, "apple", "link/f")];
    expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["f"]);
}

#[test]
fn one_source_with_two_destinations_is_a_contradiction() {
    for second in ["apple", "./apple", "link/apple"] {
        let sandbox = sandbox();
        symlink(".", sandbox.path("link")).expect("link");
        let rows = [Row::new(&sandbox, "apple", "x"), Row::new(&sandbox, second, "y")];
        expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["apple"]);
    }
}

#[test]
fn a_row_without_destination_is_an_error_without_to() {
    let sandbox = sandbox();
    let rows = [Row::new(&sandbox, "plum", "x"), Row::new(&sandbox, "apple", "-")];
    expect_nothing_moves(&sandbox, &plan(&rows), NONE, &["apple"]);
}

#[test]
fn a_row_to_itself_leaves_the_file_alone() {
    let sandbox = sandbox();
    let before = snapshot(&sandbox.work());
    for dest in ["apple", "./apple"] {
        mv(&sandbox, NONE, &[Row::new(&sandbox, "apple", dest)]);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn a_stream_cut_in_the_middle_of_a_line_moves_nothing() {
    for args in [&[][..], &["--skip-bad-lines"]] {
        let sandbox = sandbox();
        let mut stream = plan(&[Row::new(&sandbox, "apple", "x"), Row::new(&sandbox, "plum", "y")]);
        stream.pop();
        expect_nothing_moves(&sandbox, &stream, args, &["standard input:2"]);
    }
}

#[test]
fn a_malformed_line_in_the_middle_moves_nothing() {
    let sandbox = sandbox();
    let (a, other) = (Row::new(&sandbox, "apple", "x"), Row::new(&sandbox, "plum", "y"));
    let stream = format!("{}bad\t-\tmany\n{}", a.line(), other.line());
    expect_nothing_moves(&sandbox, stream.as_bytes(), NONE, &["standard input:2", "size", "many"]);
}

#[test]
fn bad_lines_are_skipped_on_request_and_named() {
    let sandbox = sandbox();
    let (a, other) = (Row::new(&sandbox, "apple", "x"), Row::new(&sandbox, "plum", "y"));
    let stream = format!("{}bad\t-\tmany\n{}", a.line(), other.line());
    sandbox.run("ms-mv", &["--skip-bad-lines"], stream.as_bytes()).expect_status(1).expect_stderr("standard input:2");
    assert_eq!((sandbox.read("x"), sandbox.read("y")), (b"alpha".to_vec(), b"plum".to_vec()));
}

#[test]
fn a_signal_while_the_plan_is_read_ends_it_at_once() {
    use rustix::process::{Pid, Signal, kill_process};
    let sandbox = Sandbox::new();
    let mut child = sandbox.guarded("ms-mv").stdin(std::process::Stdio::piped()).spawn().expect("ms-mv");
    std::thread::sleep(std::time::Duration::from_millis(500));
    kill_process(Pid::from_child(&child), Signal::INT).expect("kill");
    let start = std::time::Instant::now();
    // Its standard input stays open all the while.
    while child.try_wait().expect("wait").is_none() {
        assert!(start.elapsed().as_secs() < 20, "still waiting for a plan");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop(child.stdin.take());
}
