//! `ms-mv` when all is well: what moves, what it says, what it leaves behind.

use crate::support;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use support::plan::{Row, id, journals, mtime, mv, plan};
use support::{Sandbox, contents, hash, name, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// Two files, `a` and `b/c`, with odd modes and times.
fn two_files() -> Sandbox {
    let sandbox = Sandbox::new();
    let a = sandbox.write("a", "alpha");
    let c = sandbox.write("b/c", "gamma");
    std::fs::set_permissions(&a, std::fs::Permissions::from_mode(0o640)).expect("mode");
    set_mtime(&a, 1_234_567_890, 987_654_321);
    set_mtime(&c, -1, 500_000_000);
    sandbox
}

fn two_rows(sandbox: &Sandbox) -> [Row; 2] {
    [Row::new(sandbox, "a", "new/deep/a"), Row::new(sandbox, "b/c", "c")]
}

/// Directory times, which `snapshot` leaves out: a name that came and went shows in them.
fn directory_times(dir: &Path) -> Vec<(PathBuf, i64, i64)> {
    walkdir::WalkDir::new(dir)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("entry"))
        .filter(|entry| entry.file_type().is_dir())
        .map(|entry| {
            let meta = entry.metadata().expect("metadata");
            (entry.into_path(), meta.mtime(), meta.mtime_nsec())
        })
        .collect()
}

#[test]
fn a_move_keeps_content_mode_mtime_and_inode_and_makes_parents() {
    let sandbox = two_files();
    let before = snapshot(&sandbox.work());
    let inode = sandbox.path("a").metadata().expect("a").ino();

    mv(&sandbox, NONE, &two_rows(&sandbox)).expect_status(0);

    let after = snapshot(&sandbox.work());
    assert_eq!(after[Path::new("new/deep/a")], before[Path::new("a")]);
    assert_eq!(after[Path::new("c")], before[Path::new("b/c")]);
    assert!(!sandbox.exists("a") && !sandbox.exists("b/c"));
    let moved = sandbox.path("new/deep/a").metadata().expect("moved");
    assert_eq!(moved.ino(), inode, "on one filesystem it is a rename");
    assert!(sandbox.exists("b"), "without --prune the emptied directory stays");
}

#[test]
fn the_output_is_a_true_index_of_what_moved() {
    let sandbox = two_files();
    let outcome = mv(&sandbox, NONE, &two_rows(&sandbox)).expect_status(0);

    let rows = outcome.rows();
    assert_eq!(outcome.column(0), ["c", "new/deep/a"]);
    for row in &rows {
        assert_eq!(row.len(), 8, "{row:?}");
        let meta = sandbox.path(&row[0]).metadata().expect("where it now is");
        assert_eq!(row[1], hash(&sandbox.read(&row[0])));
        assert_eq!(row[2], meta.len().to_string());
        assert_eq!(row[3], mtime(&meta));
        assert_eq!(row[4], id(&meta));
    }
    let came_from: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[5].as_str())).collect();
    assert_eq!(came_from, [("new/deep/a", "a"), ("c", "b/c")], "plan order");
    assert_eq!(rows[1][3], "-0.500000000");
}

#[test]
fn a_summary_goes_to_stderr_and_quiet_leaves_it_out() {
    let sandbox = two_files();
    let [first, second] = two_rows(&sandbox);
    let loud = mv(&sandbox, NONE, &[first]).expect_status(0);
    let quiet = mv(&sandbox, &["-q"], &[second]).expect_status(0);
    assert_ne!(loud.stderr, "");
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.rows().len(), 1);
}

#[test]
fn an_empty_plan_does_nothing_and_leaves_no_journal() {
    let sandbox = two_files();
    let before = snapshot(&sandbox.work());
    let outcome = mv(&sandbox, NONE, &[]).expect_status(0);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(snapshot(&sandbox.work()), before);
    assert_eq!(journals(&sandbox), Vec::<PathBuf>::new());
}

#[test]
fn a_dry_run_touches_nothing_at_all() {
    let sandbox = two_files();
    let before = snapshot(&sandbox.work());
    let times = directory_times(&sandbox.work());

    mv(&sandbox, &["-n", "--prune"], &two_rows(&sandbox)).expect_status(0);

    assert_eq!(snapshot(&sandbox.work()), before);
    assert_eq!(directory_times(&sandbox.work()), times);
    assert!(!sandbox.state().exists(), "a dry run does not even make the place for journals");
}

#[test]
fn a_dry_run_leaves_older_journals_as_they_are() {
    let sandbox = two_files();
    let [first, second] = two_rows(&sandbox);
    mv(&sandbox, NONE, &[first]).expect_status(0);
    let state = snapshot(&sandbox.state());
    assert_ne!(state.len(), 0);
    mv(&sandbox, &["--dry-run"], &[second]).expect_status(0);
    assert_eq!(snapshot(&sandbox.state()), state);
}

#[test]
fn a_dry_run_prints_what_the_run_then_prints() {
    let sandbox = two_files();
    let rows = two_rows(&sandbox);
    let dry = mv(&sandbox, &["-n"], &rows).expect_status(0);
    let real = mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(real.rows().len(), 2);
    assert_eq!(dry.lines(), real.lines());
}

#[test]
fn a_dry_run_names_the_refusals_of_the_run_with_the_same_status() {
    let sandbox = two_files();
    sandbox.write("c", "in the way");
    let rows = two_rows(&sandbox);
    let dry = mv(&sandbox, &["-n"], &rows).expect_status(1).expect_stderr("b/c");
    assert!(sandbox.exists("a"));
    let real = mv(&sandbox, NONE, &rows).expect_status(1);
    assert_eq!(dry.column(0), real.column(0));
    assert_eq!(real.column(0), ["new/deep/a"]);
}

#[test]
fn three_columns_are_enough_with_to() {
    let sandbox = two_files();
    let line = format!("a\t{}\t5\nb/c\t-\t5\n", hash(b"alpha"));
    sandbox.run("ms-mv", &["--to", "q"], line.as_bytes()).expect_status(0);
    assert_eq!(sandbox.read("q/a"), b"alpha");
    assert_eq!(sandbox.read("q/b/c"), b"gamma");
}

#[test]
fn to_leaves_a_destination_that_the_row_has() {
    let sandbox = two_files();
    let rows = [Row::new(&sandbox, "a", "mine"), Row::new(&sandbox, "b/c", "-")];
    mv(&sandbox, &["--to", "q"], &rows).expect_status(0);
    assert_eq!(sandbox.read("mine"), b"alpha");
    assert_eq!(sandbox.read("q/b/c"), b"gamma");
}

#[test]
fn to_takes_the_whole_source_path_absolute_or_climbing() {
    let sandbox = two_files();
    std::fs::create_dir(sandbox.path("here")).expect("here");
    let absolute = sandbox.path("a");
    let rows = [Row::new(&sandbox, &absolute, "-"), Row::new(&sandbox, "here/../b/c", "-")];
    mv(&sandbox, &["--to", "q"], &rows).expect_status(0);
    let below = |path: &Path| sandbox.path("q").join(path.strip_prefix("/").expect("/"));
    assert_eq!(std::fs::read(below(&absolute)).expect("a"), b"alpha");
    assert_eq!(contents(&sandbox.path("q")).len(), 2);
    assert!(!sandbox.exists("b/c"));
}

#[test]
fn plans_are_read_from_files_and_from_standard_input() {
    let sandbox = two_files();
    let [first, second] = two_rows(&sandbox);
    std::fs::write(sandbox.path("one.tsv"), plan(&[first])).expect("plan");
    sandbox.run("ms-mv", &["one.tsv", "-"], &plan(&[second])).expect_status(0);
    assert_eq!(sandbox.read("new/deep/a"), b"alpha");
    assert_eq!(sandbox.read("c"), b"gamma");
}

#[test]
fn a_plan_file_that_is_missing_moves_nothing_of_the_other() {
    let sandbox = two_files();
    std::fs::write(sandbox.path("one.tsv"), plan(&two_rows(&sandbox))).expect("plan");
    let before = snapshot(&sandbox.work());
    sandbox.run("ms-mv", &["one.tsv", "absent.tsv"], b"").expect_status(2).expect_stderr("absent.tsv");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn hostile_names_move_byte_for_byte() {
    let long = vec![b'n'; 255];
    let names: [&[u8]; 9] = [
        b"new\nline",
        b"tab\there",
        b"back\\slash\\n",
        b"bad\xff\xfeutf8",
        b"trailing ",
        "em\u{2003}space".as_bytes(),
        b"-rf",
        b"-",
        &long,
    ];
    let sandbox = Sandbox::new();
    let mut rows = Vec::new();
    for bytes in names {
        // A bare `-` would mean "unknown", so such a file is spelled with its directory.
        let source = [b"./", bytes].concat();
        let dest = [b"out/", bytes].concat();
        sandbox.write(name(&source), bytes);
        rows.push(Row::new(&sandbox, name(&source), name(&dest)));
    }

    let outcome = mv(&sandbox, NONE, &rows).expect_status(0);

    assert_eq!(outcome.lines().len(), names.len());
    for bytes in names {
        assert_eq!(sandbox.read(name(&[b"out/", bytes].concat())), bytes);
        assert!(!sandbox.exists(name(bytes)));
    }
}

#[test]
fn the_same_plan_again_is_done_already() {
    let sandbox = two_files();
    let rows = two_rows(&sandbox);
    let first = mv(&sandbox, NONE, &rows).expect_status(0);
    let after = snapshot(&sandbox.work());
    let second = mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), after);
    assert_eq!(second.lines(), first.lines());
}

#[test]
fn a_half_done_plan_goes_on_where_it_was() {
    let sandbox = two_files();
    let rows = two_rows(&sandbox);
    mv(&sandbox, NONE, &rows[..1]).expect_status(0);
    let outcome = mv(&sandbox, NONE, &rows).expect_status(0);
    assert_eq!(outcome.column(0), ["c", "new/deep/a"]);
    assert_eq!(sandbox.read("c"), b"gamma");
}

#[test]
fn another_file_at_the_destination_is_not_taken_for_a_row_done() {
    let sandbox = two_files();
    let rows = two_rows(&sandbox);
    std::fs::remove_file(sandbox.path("a")).expect("remove");
    sandbox.write("new/deep/a", "other");
    mv(&sandbox, NONE, &rows).expect_status(1).expect_stderr(": a: ");
    assert_eq!(sandbox.read("new/deep/a"), b"other");
    assert_eq!(sandbox.read("c"), b"gamma");
}

#[test]
fn the_journal_is_private_text() {
    let sandbox = two_files();
    mv(&sandbox, NONE, &two_rows(&sandbox)).expect_status(0);
    let found = journals(&sandbox);
    assert_eq!(found.len(), 1);
    let mode = |path: &Path| path.metadata().expect("mode").permissions().mode() & 0o7777;
    assert_eq!(mode(&found[0]), 0o600);
    assert_eq!(mode(found[0].parent().expect("directory")), 0o700);
    let text = std::fs::read_to_string(&found[0]).expect("text");
    assert!(text.contains("new/deep/a"), "{text}");
}

#[test]
fn a_journal_goes_where_it_is_told() {
    let sandbox = two_files();
    mv(&sandbox, &["--journal", "my.journal"], &two_rows(&sandbox)).expect_status(0);
    assert!(sandbox.exists("my.journal"));
    assert_eq!(journals(&sandbox), Vec::<PathBuf>::new());
}

#[test]
fn without_xdg_state_home_the_journal_goes_below_the_home_directory() {
    let sandbox = two_files();
    let mut command = sandbox.command("ms-mv");
    command.env_remove("XDG_STATE_HOME").env("HOME", sandbox.path("home"));
    support::finish(command, &plan(&two_rows(&sandbox))).expect_status(0);
    let state = sandbox.path("home/.local/state/mediastruct");
    assert_eq!(state.read_dir().expect("state directory").count(), 1);
}

#[test]
fn a_header_and_csv_are_written_on_request() {
    let sandbox = two_files();
    let [first, second] = two_rows(&sandbox);
    let tsv = mv(&sandbox, &["--header"], &[first]).expect_status(0);
    let csv = mv(&sandbox, &["--csv"], &[second]).expect_status(0);
    assert_eq!(tsv.lines()[0], "path\thash\tsize\tmtime\tid\tdest\tkeep\tnote");
    assert_eq!(csv.lines()[0].trim_end(), "path,hash,size,mtime,id,dest,keep,note");
    assert!(csv.lines()[1].starts_with("c,"), "{:?}", csv.lines());
}

#[test]
fn help_and_version_go_to_stdout() {
    let sandbox = Sandbox::new();
    let help = sandbox.run("ms-mv", &["--help"], b"").expect_status(0);
    assert!(help.lines().iter().any(|line| line.contains("--undo")));
    let version = sandbox.run("ms-mv", &["-V"], b"").expect_status(0);
    assert_eq!(version.lines().len(), 1);
}

#[test]
fn wrong_usage_is_named_and_moves_nothing() {
    let sandbox = two_files();
    let before = snapshot(&sandbox.work());
    let rows = two_rows(&sandbox);
    mv(&sandbox, &["--no-such-option"], &rows).expect_status(2).expect_stderr("--no-such-option");
    mv(&sandbox, &["--check", "vibes"], &rows).expect_status(2).expect_stderr("--check");
    assert_eq!(snapshot(&sandbox.work()), before);
}
