//! Overlapping plans, signals at any moment, input that never ends, and journals that cannot be written: nothing is lost,
//! and what is told is what happened.

use crate::support;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use support::plan::{Row, journals, mv, mv_as_nobody, plan, undo, undo_everything};
use support::trace::traced;
use support::{Mount, Outcome, Sandbox, exit_status, needs, needs_root, set_mtime, snapshot};

/// Files `in/0000` and on.
fn files(number: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    for at in 0..number {
        set_mtime(&sandbox.write(format!("in/{at:04}"), format!("content {at}")), 1_000_000, 5);
    }
    sandbox
}

fn rows_to(sandbox: &Sandbox, numbers: impl Iterator<Item = usize>, dir: &str) -> Vec<Row> {
    numbers.map(|at| Row::new(sandbox, format!("in/{at:04}"), format!("{dir}/{at:04}"))).collect()
}

/// A run whose records are read one by one, so that it waits while nobody reads on and the pipe is full.
struct Run {
    child: Child,
    stdout: BufReader<ChildStdout>,
    read: String,
}

impl Run {
    fn begin(sandbox: &Sandbox, rows: &[Row]) -> Self {
        let path = sandbox.work().with_file_name(format!("{}.plan", rows[0].dest.replace('/', "-")));
        std::fs::write(&path, plan(rows)).expect("plan");
        let mut command = sandbox.command("ms-mv");
        command.arg(path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("ms-mv starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        Self { child, stdout, read: String::new() }
    }

    /// Waits until so many records are written.
    fn await_records(&mut self, number: usize) {
        for _ in 0..number {
            self.stdout.read_line(&mut self.read).expect("a record");
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("kill");
    }

    fn end(mut self) -> Outcome {
        let mut stderr = String::new();
        self.stdout.read_to_string(&mut self.read).expect("the rest");
        self.child.stderr.take().expect("stderr").read_to_string(&mut stderr).expect("messages");
        let status = exit_status(self.child.wait().expect("the end"));
        Outcome { status, stdout: self.read.into_bytes(), stderr }
    }
}

/// Asserts that each of `number` files is whole in exactly one of the directories, and gives those in the last one.
#[track_caller]
fn expect_each_once(sandbox: &Sandbox, number: usize, dirs: &[&str]) -> Vec<usize> {
    let mut last = Vec::new();
    for at in 0..number {
        let there: Vec<_> = dirs.iter().filter(|dir| sandbox.exists(format!("{dir}/{at:04}"))).collect();
        assert_eq!(there.len(), 1, "{at}: {there:?}");
        assert_eq!(sandbox.read(format!("{}/{at:04}", there[0])), format!("content {at}").as_bytes());
        if there[0] == dirs.last().expect("directories") {
            last.push(at);
        }
    }
    last
}

/// Asserts that a run has told of exactly the files that are in `dir`, and named every other row.
#[track_caller]
fn expect_told(sandbox: &Sandbox, outcome: &Outcome, rows: &[Row], dir: &str) {
    let there: BTreeSet<String> = rows.iter().map(|row| row.dest.clone()).filter(|dest| sandbox.exists(dest)).collect();
    let told: BTreeSet<String> = outcome.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(told, there, "{dir}: {}", outcome.stderr);
    for row in rows.iter().filter(|row| !told.contains(&row.dest)) {
        let message = format!("moving: {}: it is not there any more", row.path);
        assert!(outcome.stderr.contains(&message), "{message}: {}", outcome.stderr);
    }
}

#[test]
fn of_two_overlapping_plans_at_once_each_row_is_told_by_the_run_that_did_it() {
    const NUMBER: usize = 1500;
    // First one run waits in the middle while the other goes through; then both go as fast as they can.
    for waits in [true, false] {
        let sandbox = files(NUMBER);
        let before = snapshot(&sandbox.work());
        let one = rows_to(&sandbox, 0..1100, "one");
        let other = rows_to(&sandbox, (400..NUMBER).rev(), "other");
        let mut first = Run::begin(&sandbox, &one);
        first.await_records(1);
        let second = Run::begin(&sandbox, &other);
        let (first, second) = if waits {
            let second = second.end();
            (first.end(), second)
        } else {
            let first = std::thread::spawn(|| first.end());
            let second = second.end();
            (first.join().expect("the first"), second)
        };
        assert_eq!(second.status, 1, "{}", second.stderr);
        expect_each_once(&sandbox, NUMBER, &["one", "other"]);
        expect_told(&sandbox, &first, &one, "one");
        expect_told(&sandbox, &second, &other, "other");
        assert_eq!(first.rows().len() + second.rows().len(), NUMBER);
        assert_eq!(journals(&sandbox).len(), 2);
        undo(&sandbox).expect_status(0);
        undo(&sandbox).expect_status(0);
        assert!(snapshot(&sandbox.work()) == before, "not as at the start");
    }
}

#[test]
fn runs_that_moved_the_same_file_one_after_the_other_are_undone_the_last_one_first() {
    let sandbox = files(3);
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &[], &rows_to(&sandbox, 0..3, "one")).expect_status(0);
    let first = journals(&sandbox).remove(0);
    let on: Vec<_> = (1..3).map(|at| Row::new(&sandbox, format!("one/{at:04}"), format!("two/{at:04}"))).collect();
    mv(&sandbox, &[], &on).expect_status(0);

    // What has moved on is not there to be put back, and is left where it is.
    let early = sandbox.run("ms-mv", &["--undo".as_ref(), first.as_os_str()], b"");
    assert_eq!(early.rows().len(), 1, "{}", early.stderr);
    assert_eq!(early.status, 1, "{}", early.stderr);
    assert!(sandbox.exists("in/0000") && sandbox.exists("two/0001") && sandbox.exists("two/0002"));

    undo(&sandbox).expect_status(0);
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

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

#[test]
fn a_signal_after_any_record_ends_the_run_in_good_order() {
    const NUMBER: usize = 900;
    let mut state = 0x5EED;
    let sandbox = files(NUMBER);
    let before = snapshot(&sandbox.work());
    let rows = rows_to(&sandbox, 0..NUMBER, "out");
    for turn in 0..30 {
        let (signal, code) = SIGNALS[turn % SIGNALS.len()];
        let records = 1 + usize::try_from(random(&mut state) % 300).expect("small");
        let mut run = Run::begin(&sandbox, &rows);
        run.await_records(records);
        run.signal(signal);
        let outcome = run.end();
        // It may just have written its last record.
        assert!([code, 0].contains(&outcome.status), "{turn}: {}", outcome.stderr);
        let moved = expect_each_once(&sandbox, NUMBER, &["in", "out"]);
        assert_eq!(outcome.rows().len(), moved.len(), "{turn}: a record for every move");
        assert!(moved.len() >= records, "{turn}");
        let rest = format!("stopped by a signal: {} row", NUMBER - moved.len());
        assert!(outcome.status == 0 || outcome.stderr.contains(&rest), "{turn}: {rest}: {}", outcome.stderr);
        undo(&sandbox).expect_status(0);
        assert!(snapshot(&sandbox.work()) == before, "{turn}: not as at the start");
    }
}

#[test]
fn a_signal_at_any_system_call_leaves_a_run_that_can_be_completed_and_undone() {
    if !needs("strace") {
        return;
    }
    let calls =
        ["openat", "newfstatat,?statx", "read", "write", "renameat2", "fsync,fdatasync", "readlink,?readlinkat"];
    let mut state = 0xCA11;
    let mut ended = 0;
    for turn in 0..24 {
        let (signal, code) = SIGNALS[turn % SIGNALS.len()];
        let call = calls[turn % calls.len()];
        let when = 1 + random(&mut state) % 40;
        let sandbox = files(20);
        let before = snapshot(&sandbox.work());
        let rows = rows_to(&sandbox, 0..20, "out");
        let inject = format!("inject={call}:signal={}:when={when}", signal.as_raw());
        let outcome = traced(&sandbox, &["-e", &inject], "ms-mv", &[], &plan(&rows));
        // Before the first row is begun, the signal ends it as any other program; and it may come too late, or never.
        assert!([code, 0].contains(&outcome.status), "{inject}: {}: {}", outcome.status, outcome.stderr);
        ended += usize::from(outcome.status == code);
        let moved = expect_each_once(&sandbox, 20, &["in", "out"]);
        assert_eq!(outcome.rows().len(), moved.len(), "{inject}: a record for every move");
        mv(&sandbox, &[], &rows).expect_status(0);
        assert_eq!(expect_each_once(&sandbox, 20, &["in", "out"]).len(), 20);
        undo_everything(&sandbox);
        assert!(snapshot(&sandbox.work()) == before, "{inject}: not as at the start");
    }
    assert!(ended > 8, "only {ended} were ended by their signal");
}

#[test]
fn a_reader_that_leaves_an_undoing_stops_it_and_it_can_be_taken_up_again() {
    let sandbox = files(1500);
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &[], &rows_to(&sandbox, 0..1500, "out")).expect_status(0);
    sandbox.shell("ms-mv --undo | head -n 1").expect_status(2).expect_stderr("nobody reads it any more");
    let back = 1500 - expect_each_once(&sandbox, 1500, &["in", "out"]).len();
    assert!(0 < back && back < 1500, "{back}");
    undo(&sandbox).expect_status(0);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn output_that_cannot_be_written_stops_a_run_and_closed_output_is_nobodys_wish_for_records() {
    let sandbox = files(5);
    let before = snapshot(&sandbox.work());
    sandbox.write("../out.plan", plan(&rows_to(&sandbox, 0..5, "out")));
    let full = sandbox.shell("ms-mv ../out.plan > /dev/full");
    assert_eq!(full.status, 2, "{}", full.stderr);
    assert!(full.stderr.contains("No space left on device"), "{}", full.stderr);
    expect_each_once(&sandbox, 5, &["in", "out"]);
    undo_everything(&sandbox);
    assert_eq!(snapshot(&sandbox.work()), before);
    sandbox.shell("ms-mv ../out.plan >&-").expect_status(0);
    assert_eq!(expect_each_once(&sandbox, 5, &["in", "out"]).len(), 5);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

/// A FIFO is a plan that has not come to its end as long as anybody holds it open.
#[test]
fn while_a_plan_is_still_coming_a_signal_ends_the_run_and_nothing_has_moved() {
    let sandbox = files(600);
    let before = snapshot(&sandbox.work());
    let rows = rows_to(&sandbox, 0..600, "out");
    let fifo = sandbox.work().with_file_name("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
        .expect("a FIFO");
    for (signal, code) in SIGNALS {
        for operand in [None, Some(fifo.as_path())] {
            let mut command = sandbox.command("ms-mv");
            command.args(operand).stdout(Stdio::piped()).stderr(Stdio::piped());
            // To open it for both keeps either side from waiting for the other.
            let mut writer = OpenOptions::new().read(true).write(true).open(&fifo).expect("the FIFO");
            let reader = OpenOptions::new().read(true).open(&fifo).expect("the FIFO");
            let child = command.stdin(reader).spawn().expect("ms-mv starts");
            // More than the FIFO holds: once all is written, the run has read the most of it.
            let text = plan(&rows);
            assert!(text.len() > 1 << 16);
            writer.write_all(&text).expect("the plan");
            kill_process(Pid::from_child(&child), signal).expect("kill");
            let output = child.wait_with_output().expect("the end");
            assert_eq!(exit_status(output.status), code);
            assert!(output.stdout.is_empty());
            assert!(journals(&sandbox).is_empty());
            assert!(snapshot(&sandbox.work()) == before, "something has moved");
        }
    }
}

/// Asserts that a run is refused for want of a journal, and told what would do, before anything has moved.
#[track_caller]
fn expect_not_begun(sandbox: &Sandbox, args: &[&str], reason: &str) {
    let before = snapshot(&sandbox.work());
    let rows = rows_to(sandbox, 0..4, "out");
    let message = format!("{reason}; nothing is done without a journal; --journal FILE keeps it elsewhere\n");
    let outcome = mv(sandbox, args, &rows).expect_status(2).expect_stderr(&message);
    assert!(outcome.stdout.is_empty());
    assert_eq!(snapshot(&sandbox.work()), before);
    mv(sandbox, &["--journal", "../elsewhere"], &rows).expect_status(0);
    undo_named(sandbox, &sandbox.path("../elsewhere"));
}

#[track_caller]
fn undo_named(sandbox: &Sandbox, journal: &Path) {
    sandbox.run("ms-mv", &["--undo".as_ref(), journal.as_os_str()], b"").expect_status(0);
}

#[test]
fn a_journal_in_a_directory_that_is_missing_or_none_is_refused_before_the_first_move() {
    let sandbox = files(4);
    expect_not_begun(&sandbox, &["--journal", "no/such/dir/journal"], "no/such/dir/journal: No such file or directory");
    let sandbox = files(4);
    expect_not_begun(&sandbox, &["--journal", "in/0000/journal"], "in/0000/journal: Not a directory");
    let sandbox = files(4);
    std::fs::write(sandbox.state(), "a file").expect("file");
    expect_not_begun(&sandbox, &[], ": File exists");
}

#[test]
fn a_journal_on_a_filesystem_that_is_full_or_read_only_is_refused_before_the_first_move() {
    if !needs_root() {
        return;
    }
    for (options, reason) in [
        ("size=4k", "No space left on device"),
        ("nr_inodes=1", "No space left on device"),
        ("ro", "Read-only file system"),
    ] {
        let sandbox = files(40);
        let _mount = Mount::tmpfs(options, &sandbox.state());
        let rows = rows_to(&sandbox, 0..40, "out");
        assert!(plan(&rows).len() > 4096);
        let before = snapshot(&sandbox.work());
        let message = format!("{reason}; nothing is done without a journal");
        mv(&sandbox, &[], &rows).expect_status(2).expect_stderr(&message);
        assert!(snapshot(&sandbox.work()) == before, "{options}: something has moved");
        assert!(journals(&sandbox).is_empty(), "{options}: a journal of nothing is left");
        mv(&sandbox, &["--journal", "../elsewhere"], &rows).expect_status(0);
    }
}

#[test]
fn a_journal_in_a_directory_that_is_not_writable_is_refused_before_the_first_move() {
    let sandbox = files(4);
    let before = snapshot(&sandbox.work());
    std::fs::create_dir(sandbox.state()).expect("directory");
    std::fs::set_permissions(sandbox.state(), std::os::unix::fs::PermissionsExt::from_mode(0o555)).expect("mode");
    let outcome = mv_as_nobody(&sandbox, &rows_to(&sandbox, 0..4, "out")).expect_status(2);
    outcome.expect_stderr("mediastruct: Permission denied; nothing is done without a journal; --journal FILE");
    assert_eq!(snapshot(&sandbox.work()), before);
}

/// How long the journal of a plan is when the first file moves, in bytes.
fn journal_at_start(sandbox: &Sandbox, rows: &[Row]) -> usize {
    mv(sandbox, &["--journal", "../probe"], rows).expect_status(0);
    let journal = std::fs::read(sandbox.path("../probe")).expect("the journal");
    undo_named(sandbox, &sandbox.path("../probe"));
    let start = journal.windows(7).position(|bytes| bytes == b"\nstart\n").expect("start");
    start + 7
}

/// The `done` lines in a journal.
fn done_lines(journal: &Path) -> usize {
    let text = std::fs::read_to_string(journal).expect("the journal");
    text.lines().filter(|line| line.starts_with("done\t")).count()
}

/// After a journal ran full: what it tells, what was printed, and what is there must be the same.
#[track_caller]
fn expect_stopped_in_the_middle(
    sandbox: &Sandbox,
    outcome: &Outcome,
    journal: &Path,
    reason: &str,
    number: usize,
) -> usize {
    assert_eq!(outcome.status, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&format!("writing the journal: {}: {reason}", journal.display())),
        "{}",
        outcome.stderr
    );
    let moved = expect_each_once(sandbox, number, &["in", "out"]).len();
    assert!(0 < moved && moved < number, "{moved}");
    assert_eq!(outcome.rows().len(), moved, "a record for every move");
    let rest = format!("{} rows not carried out", number - moved);
    assert!(outcome.stderr.contains(&rest), "{rest}: {}", outcome.stderr);
    moved
}

const ROWS: usize = 600;

/// A plan whose journal lies on a filesystem with room for its rows and little more.
fn almost_full() -> (Sandbox, Vec<Row>, Mount, PathBuf) {
    let sandbox = files(ROWS);
    let rows = rows_to(&sandbox, 0..ROWS, "out");
    let pages = journal_at_start(&sandbox, &rows).div_ceil(4096) + 2;
    let mount = Mount::tmpfs(&format!("size={}k", 4 * pages), &sandbox.path("../small"));
    let journal = sandbox.path("../small/journal");
    (sandbox, rows, mount, journal)
}

#[test]
fn a_journal_that_becomes_full_stops_the_run_before_a_file_whose_line_has_no_room() {
    if !needs_root() {
        return;
    }
    let (sandbox, rows, _mount, journal) = almost_full();
    let before = snapshot(&sandbox.work());
    let outcome = mv(&sandbox, &["--journal", &journal.to_string_lossy()], &rows);
    let moved = expect_stopped_in_the_middle(&sandbox, &outcome, &journal, "No space left on device", ROWS);
    assert_eq!(done_lines(&journal), moved, "a line for every move");
    // Undoing needs lines, too.
    let outcome = sandbox.run("ms-mv", &["--undo".as_ref(), journal.as_os_str()], b"");
    let back = outcome.expect_status(2).expect_stderr("No space left on device").rows().len();
    assert_eq!(expect_each_once(&sandbox, ROWS, &["in", "out"]).len(), moved - back);
    // Where there is room, the copy of a journal does as well.
    let copy = sandbox.path("../copy");
    std::fs::copy(&journal, &copy).expect("copy");
    undo_named(&sandbox, &copy);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn a_journal_that_becomes_full_where_no_room_can_be_kept_still_tells_of_every_move() {
    if !needs_root() || !needs("strace") {
        return;
    }
    let (sandbox, rows, _mount, journal) = almost_full();
    let before = snapshot(&sandbox.work());
    let inject = ["-e", "inject=fallocate:error=EOPNOTSUPP", "-e", "trace=fallocate"];
    let args = ["--journal", &journal.to_string_lossy()];
    let outcome = traced(&sandbox, &inject, "ms-mv", &args, &plan(&rows));
    let moved = expect_stopped_in_the_middle(&sandbox, &outcome, &journal, "No space left on device", ROWS);
    assert!(moved - done_lines(&journal) <= 1, "at most the last line is lost");
    let copy = sandbox.path("../copy");
    std::fs::copy(&journal, &copy).expect("copy");
    undo_named(&sandbox, &copy);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}

#[test]
fn a_limit_on_the_size_of_files_is_met_before_a_move_and_is_no_deadly_signal() {
    let sandbox = files(ROWS);
    let before = snapshot(&sandbox.work());
    let rows = rows_to(&sandbox, 0..ROWS, "out");
    let journal = sandbox.path("../journal");
    sandbox.write("../out.plan", plan(&rows));
    let kilobytes = journal_at_start(&sandbox, &rows).div_ceil(1024) + 4;

    let run = |limit: usize| sandbox.shell(&format!("ulimit -f {limit}; exec ms-mv --journal ../journal ../out.plan"));
    let outcome =
        run(8).expect_status(2).expect_stderr("../journal: File too large; nothing is done without a journal");
    assert!(outcome.stdout.is_empty() && !journal.exists());
    assert!(snapshot(&sandbox.work()) == before, "something has moved");

    let outcome = run(kilobytes);
    let moved = expect_stopped_in_the_middle(&sandbox, &outcome, Path::new("../journal"), "File too large", ROWS);
    assert_eq!(done_lines(&journal), moved, "a line for every move");
    sandbox.shell("exec ms-mv --journal ../journal ../out.plan").expect_status(0);
    assert_eq!(expect_each_once(&sandbox, ROWS, &["in", "out"]).len(), ROWS);
    undo_named(&sandbox, &journal);
    assert!(snapshot(&sandbox.work()) == before, "not as at the start");
}
