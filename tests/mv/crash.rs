//! Signals and sudden death: whenever it happens, every file is whole, the plan can be completed, and the
//! run can be undone.

use crate::support;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use support::filesystem::Abilities;
use support::plan::{Row, journals, mtime, mv, plan, undo, undo_everything};
use support::trace::traced;
use support::{Mount, Sandbox, contents, needs, needs_root, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// Enough rows that their output does not fit into a pipe, so that a run whose output nobody reads waits
/// in the middle.
const MANY: usize = 1500;

fn many_files(number: usize) -> (Sandbox, Vec<Row>) {
    let sandbox = Sandbox::new();
    let rows = (0..number).map(|i| {
        let name = format!("data/{:02}/{i:04}", i % 20);
        set_mtime(&sandbox.write(&name, name.clone()), 1_000_000, 5);
        Row::new(&sandbox, &name, format!("out/{:02}/{i:04}", i % 30))
    });
    let rows = rows.collect();
    (sandbox, rows)
}

/// Keeps the plan beside the working directory, where no snapshot sees it.
fn keep_plan(sandbox: &Sandbox, rows: &[Row]) -> PathBuf {
    let path = sandbox.state().with_extension("plan");
    std::fs::write(&path, plan(rows)).expect("plan");
    path
}

fn start(sandbox: &Sandbox, rows: &[Row], stdout: Stdio) -> Child {
    let input = std::fs::File::open(keep_plan(sandbox, rows)).expect("plan");
    sandbox.command("ms-mv").stdin(input).stdout(stdout).stderr(Stdio::piped()).spawn().expect("ms-mv starts")
}

/// Asserts for each row that the file is whole under exactly one of its names, and counts the moved ones.
#[track_caller]
fn expect_each_in_one_place(sandbox: &Sandbox, rows: &[Row]) -> usize {
    let mut moved = 0;
    for row in rows {
        let (old, new) = (sandbox.exists(&row.path), sandbox.exists(&row.dest));
        assert!(old != new, "{}: here {old}, there {new}", row.path);
        let at = if new { &row.dest } else { &row.path };
        assert_eq!(sandbox.read(at), row.path.as_bytes());
        moved += usize::from(new);
    }
    moved
}

/// Sends `signal` while the run is in the middle; gives its exit code and what it wrote.
fn interrupt(sandbox: &Sandbox, rows: &[Row], signal: Signal) -> (Option<i32>, String, String) {
    let mut child = start(sandbox, rows, Stdio::piped());
    let mut reader = BufReader::new(child.stdout.take().expect("stdout"));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    // The first line says that moves have begun; then the full pipe holds the run.
    reader.read_line(&mut stdout).expect("a first record");
    kill_process(Pid::from_child(&child), signal).expect("kill");
    std::thread::sleep(Duration::from_millis(50));
    reader.read_to_string(&mut stdout).expect("the rest");
    let mut messages = child.stderr.take().expect("stderr");
    messages.read_to_string(&mut stderr).expect("messages");
    (child.wait().expect("the end").code(), stdout, stderr)
}

#[test]
fn a_signal_in_a_long_plan_ends_it_after_the_step_in_hand() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let (sandbox, rows) = many_files(MANY);
        let before = snapshot(&sandbox.work());

        let (status, stdout, stderr) = interrupt(&sandbox, &rows, signal);

        // An exit code, not death by the signal: the tool has ended in order.
        assert_eq!(status, Some(code), "{stderr}");
        let moved = expect_each_in_one_place(&sandbox, &rows);
        assert!(0 < moved && moved < MANY, "{moved}");
        assert!(stdout.ends_with('\n'));
        assert_eq!(stdout.lines().count(), moved, "a record for every move");
        assert!(stderr.contains("ms-mv: "), "it says what was done: {stderr}");
        undo(&sandbox).expect_status(0);
        assert!(snapshot(&sandbox.work()) == before, "not as at the start");
    }
}

#[test]
fn an_interrupted_plan_run_again_is_completed_and_can_be_undone() {
    let (sandbox, rows) = many_files(MANY);
    let before = snapshot(&sandbox.work());
    interrupt(&sandbox, &rows, Signal::INT);
    let outcome = mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(outcome.rows().len(), MANY);
    assert_eq!(expect_each_in_one_place(&sandbox, &rows), MANY);
    undo_everything(&sandbox);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn a_reader_that_goes_away_stops_a_long_plan_in_good_order() {
    let (sandbox, rows) = many_files(MANY);
    let before = snapshot(&sandbox.work());
    keep_plan(&sandbox, &rows);

    let outcome = sandbox.shell("ms-mv < ../state.plan | head -n 1").expect_status(2).expect_stderr("ms-mv: ");

    assert_eq!(outcome.lines().len(), 1);
    let moved = expect_each_in_one_place(&sandbox, &rows);
    assert!(0 < moved && moved < MANY, "{moved}");
    assert_eq!(journals(&sandbox).len(), 1);
    undo(&sandbox).expect_status(0);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn a_reader_that_goes_away_after_the_last_move_is_no_error() {
    let (sandbox, rows) = many_files(1);
    let before = snapshot(&sandbox.work());
    keep_plan(&sandbox, &rows);
    let line = "(sleep 0.2; ms-mv -q < ../state.plan) | true";
    let outcome = sandbox.shell(line).expect_status(0);
    assert_eq!(outcome.stderr, "");
    assert_eq!(expect_each_in_one_place(&sandbox, &rows), 1);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

/// The next number of a sequence that is the same in every run (xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn a_plan_killed_again_and_again_is_completed_in_the_end_and_can_be_undone() {
    let (sandbox, rows) = many_files(600);
    let before = snapshot(&sandbox.work());
    let mut state = 0x5EED;
    for _ in 0..10 {
        let mut child = start(&sandbox, &rows, Stdio::null());
        std::thread::sleep(Duration::from_micros(500 + random(&mut state) % 30_000));
        child.kill().expect("SIGKILL");
        child.wait().expect("the end");
        expect_each_in_one_place(&sandbox, &rows);
    }
    mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(expect_each_in_one_place(&sandbox, &rows), rows.len());
    undo_everything(&sandbox);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn a_killed_plan_can_be_undone_without_completing_it() {
    let mut state = 0xDEAD;
    for _ in 0..5 {
        let (sandbox, rows) = many_files(300);
        let before = snapshot(&sandbox.work());
        let mut child = start(&sandbox, &rows, Stdio::null());
        std::thread::sleep(Duration::from_micros(500 + random(&mut state) % 20_000));
        child.kill().expect("SIGKILL");
        child.wait().expect("the end");
        undo_everything(&sandbox);
        assert_eq!(contents(&sandbox.work()).len(), rows.len());
        let after = snapshot(&sandbox.work());
        for (path, seen) in &before {
            assert_eq!(after.get(path), Some(seen));
        }
    }
}

#[test]
fn two_runs_of_one_plan_at_once_lose_nothing() {
    let (sandbox, rows) = many_files(400);
    let before = contents(&sandbox.work());
    let both = [start(&sandbox, &rows, Stdio::null()), start(&sandbox, &rows, Stdio::null())];
    for child in both {
        // The loser of a race may refuse rows or the whole plan, but never crash.
        let output = child.wait_with_output().expect("the end");
        let code = output.status.code().expect("no signal");
        assert!((0..=2).contains(&code), "{code}");
    }
    assert_eq!(contents(&sandbox.work()), before);
    expect_each_in_one_place(&sandbox, &rows);
    mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(expect_each_in_one_place(&sandbox, &rows), rows.len());
}

/// One file to be renamed and one to cross to another filesystem, from directories that get pruned.
fn small_tree() -> (Sandbox, Mount, [Row; 2]) {
    let sandbox = Sandbox::new();
    let mount = Mount::far("2m", &sandbox.path("far"));
    for name in ["src/a", "src/d/b"] {
        set_mtime(&sandbox.write(name, name), 1_000_000, 5);
    }
    let rows = [Row::new(&sandbox, "src/a", "new/a"), Row::new(&sandbox, "src/d/b", "far/deep/b")];
    (sandbox, mount, rows)
}

/// At this instant each file must be whole under its old name, its new name, or both.
#[track_caller]
fn expect_whole(sandbox: &Sandbox, rows: &[Row]) {
    for row in rows {
        let names = [&row.path, &row.dest];
        let there: Vec<_> = names.iter().filter(|name| sandbox.exists(name)).collect();
        assert!(!there.is_empty(), "{} is lost", row.path);
        let is_whole = |name: &str| sandbox.read(name) == row.path.as_bytes();
        for name in &there {
            let has_other = there.iter().any(|other| other != name && is_whole(other));
            assert!(is_whole(name) || has_other && is_being_copied(sandbox, name, row), "{name}");
        }
    }
}

/// Where a filesystem can neither rename without replacing nor make hard links, a copy has its final name from the start.
fn is_being_copied(sandbox: &Sandbox, name: &str, row: &Row) -> bool {
    let able = Abilities::of(sandbox.path(name).parent().expect("a directory"));
    !able.noreplace && !able.hard_links && row.path.as_bytes().starts_with(&sandbox.read(name))
}

/// The calls that leave something behind; a run dies on the way into each of them, one after the other.
/// A question mark lets strace pass over what this architecture does not have.
const DEADLY: [&str; 20] = [
    "write",
    "writev",
    "pwrite64",
    "fsync",
    "fdatasync",
    "renameat2",
    "?rename",
    "?renameat",
    "?link",
    "linkat",
    "?unlink",
    "unlinkat",
    "?rmdir",
    "?mkdir",
    "mkdirat",
    "fchmod",
    "utimensat",
    "copy_file_range",
    "sendfile",
    "ftruncate",
];

/// Lets `args` die on the way into the `turn`-th `call`. False if it came to its end before.
fn die_at(sandbox: &Sandbox, call: &str, turn: usize, args: &[&str], stdin: &[u8]) -> bool {
    let inject = format!("inject={call}:signal=SIGKILL:when={turn}");
    let outcome = traced(sandbox, &["-e", &inject], "ms-mv", args, stdin);
    if outcome.status != 137 {
        outcome.expect_status(0);
        return false;
    }
    true
}

/// Runs `after` for every point at which a run can die.
fn for_every_death(after: impl Fn(&Sandbox, &[Row], &dyn Fn(&str))) {
    if !needs("strace") || !needs_root() {
        return;
    }
    let mut deaths = 0;
    for call in DEADLY {
        for turn in 1.. {
            let (sandbox, _mount, rows) = small_tree();
            let before = snapshot(&sandbox.work());
            if !die_at(&sandbox, call, turn, &["--prune=src"], &plan(&rows)) {
                break;
            }
            deaths += 1;
            expect_whole(&sandbox, &rows);
            let as_before = |what: &str| {
                let after = snapshot(&sandbox.work());
                assert_eq!(after, before, "{what} after death at {call} {turn}");
            };
            after(&sandbox, &rows, &as_before);
        }
    }
    assert!(deaths > 5, "only {deaths} points to die at");
}

#[test]
fn wherever_a_run_dies_the_same_plan_completes_it_and_undo_restores() {
    for_every_death(|sandbox, rows, as_before| {
        mv(sandbox, &["--prune=src"], rows).expect_status(0);
        let mut files = snapshot(&sandbox.work());
        files.retain(|_, seen| seen.kind == 'f');
        let names: Vec<_> = files.keys().map(PathBuf::as_path).collect();
        assert_eq!(names, [Path::new("far/deep/b"), Path::new("new/a")]);
        expect_whole(sandbox, rows);
        undo_everything(sandbox);
        as_before("undone");
    });
}

#[test]
fn wherever_a_run_dies_undo_restores_the_files() {
    for_every_death(|sandbox, rows, _| {
        undo_everything(sandbox);
        let mut files = snapshot(&sandbox.work());
        files.retain(|_, seen| seen.kind == 'f');
        let names: Vec<_> = files.keys().map(PathBuf::as_path).collect();
        assert_eq!(names, [Path::new("src/a"), Path::new("src/d/b")]);
        expect_whole(sandbox, rows);
        assert_eq!(mtime(&sandbox.path("src/d/b").metadata().expect("it is back")), rows[1].mtime);
    });
}

#[test]
fn wherever_an_undo_dies_undo_again_restores() {
    if !needs("strace") || !needs_root() {
        return;
    }
    for call in DEADLY {
        for turn in 1.. {
            let (sandbox, _mount, rows) = small_tree();
            let before = snapshot(&sandbox.work());
            mv(&sandbox, &["--prune=src"], &rows).expect_status(0);
            let died = die_at(&sandbox, call, turn, &["--undo"], b"");
            expect_whole(&sandbox, &rows);
            undo_everything(&sandbox);
            assert_eq!(snapshot(&sandbox.work()), before, "{call} {turn}");
            if !died {
                break;
            }
        }
    }
}
