//! Every run can be undone, as long as nobody has changed the files since.

use crate::support;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use support::plan::{Row, journals, mv, plan, undo};
use support::{Sandbox, Seen, finish, set_mtime, snapshot};

const NONE: &[&str] = &[];

/// Three files with odd modes and times.
fn tree() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, mode, seconds) in [("a", 0o640, 1_000_000), ("d/b", 0o444, -5), ("d/e/c", 0o755, 2_000_000_000)] {
        let path = sandbox.write(name, format!("content of {name}"));
        set_mtime(&path, seconds, 123_456_789);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
    }
    sandbox
}

fn rows(sandbox: &Sandbox) -> [Row; 3] {
    [Row::new(sandbox, "a", "new/deep/a"), Row::new(sandbox, "d/b", "new/b"), Row::new(sandbox, "d/e/c", "d/c")]
}

fn moved() -> (Sandbox, BTreeMap<PathBuf, Seen>) {
    let sandbox = tree();
    let before = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &rows(&sandbox)).expect_status(0);
    (sandbox, before)
}

fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Seen> {
    let mut all = snapshot(&sandbox.work());
    all.retain(|_, seen| seen.kind == 'f');
    all
}

#[test]
fn undo_restores_names_mtimes_and_modes_and_removes_what_was_created() {
    let (sandbox, before) = moved();
    assert!(sandbox.exists("new/deep/a") && !sandbox.exists("a"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn undo_prints_a_record_for_each_file_put_back() {
    let (sandbox, _) = moved();
    let outcome = undo(&sandbox).expect_status(0);
    let rows = outcome.rows();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let at = sandbox.path(&row[0]);
        let meta = at.metadata().expect("where it now is");
        assert_eq!(row[4], support::plan::id(&meta));
        assert!(!sandbox.exists(&row[5]), "dest is where it came from: {row:?}");
    }
}

#[test]
fn undo_keeps_what_others_put_into_a_created_directory() {
    let (sandbox, before) = moved();
    sandbox.write("new/theirs", "not ours");
    undo(&sandbox);
    assert_eq!(sandbox.read("new/theirs"), b"not ours");
    assert!(!sandbox.exists("new/deep"));
    assert_eq!(files(&sandbox).len(), before.values().filter(|s| s.kind == 'f').count() + 1);
}

#[test]
fn a_second_undo_has_nothing_to_do() {
    let (sandbox, before) = moved();
    undo(&sandbox).expect_status(0);
    let again = undo(&sandbox).expect_status(2).expect_stderr("ms-mv: ");
    assert_eq!(again.stdout, b"");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_second_undo_of_a_named_journal_has_nothing_to_do() {
    let (sandbox, before) = moved();
    let journal = journals(&sandbox)[0].display().to_string();
    for status in [0, 2] {
        sandbox.run("ms-mv", &["--undo", &journal], b"").expect_status(status);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn undo_without_any_run_has_nothing_to_do() {
    let sandbox = tree();
    let before = snapshot(&sandbox.work());
    undo(&sandbox).expect_status(2).expect_stderr("ms-mv: ");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn undo_after_undo_goes_back_run_by_run() {
    let sandbox = tree();
    let start = snapshot(&sandbox.work());
    let [first, second, third] = rows(&sandbox);
    mv(&sandbox, NONE, &[first]).expect_status(0);
    let after_one = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &[second]).expect_status(0);
    let after_two = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &[third]).expect_status(0);

    for expected in [after_two, after_one, start] {
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.work()), expected);
    }
    undo(&sandbox).expect_status(2);
}

#[test]
fn an_older_run_can_be_named() {
    let sandbox = tree();
    let [first, second, _] = rows(&sandbox);
    mv(&sandbox, &["--journal", "one.journal"], &[first]).expect_status(0);
    mv(&sandbox, NONE, &[second]).expect_status(0);
    sandbox.run("ms-mv", &["--undo", "one.journal"], b"").expect_status(0);
    assert!(sandbox.exists("a") && !sandbox.exists("new/deep/a"));
    assert!(sandbox.exists("new/b") && !sandbox.exists("d/b"));
}

#[test]
fn a_file_that_went_through_two_runs_comes_back_through_both() {
    let sandbox = tree();
    let start = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &[Row::new(&sandbox, "a", "x/a")]).expect_status(0);
    mv(&sandbox, NONE, &[Row::new(&sandbox, "x/a", "y/a")]).expect_status(0);
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("x/a"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), start);
}

/// Undoes a run after `spoil`; `named` must be refused by name, the other two files must be back.
#[track_caller]
fn expect_partial_undo(spoil: impl FnOnce(&Sandbox), named: &str) -> Sandbox {
    let (sandbox, before) = moved();
    spoil(&sandbox);
    let outcome = undo(&sandbox).expect_status(1).expect_stderr(named);
    assert_eq!(outcome.rows().len(), 2);
    let after = snapshot(&sandbox.work());
    for name in ["d/b", "d/e/c"] {
        assert_eq!(after[Path::new(name)], before[Path::new(name)]);
    }
    sandbox
}

#[test]
fn what_was_edited_since_is_refused_by_name_and_the_rest_comes_back() {
    let sandbox = expect_partial_undo(|sandbox| drop(sandbox.write("new/deep/a", "edited since")), "new/deep/a");
    assert_eq!(sandbox.read("new/deep/a"), b"edited since");
    assert!(!sandbox.exists("a"));
}

#[test]
fn what_was_touched_since_is_refused_by_name() {
    let sandbox = expect_partial_undo(|sandbox| set_mtime(&sandbox.path("new/deep/a"), 1_000_000, 1), "new/deep/a");
    assert!(sandbox.exists("new/deep/a"));
}

#[test]
fn what_was_replaced_since_is_refused_by_name() {
    let replace = |sandbox: &Sandbox| {
        let other = sandbox.write("other", "CONTENT OF a");
        set_mtime(&other, 1_000_000, 123_456_789);
        std::fs::rename(other, sandbox.path("new/deep/a")).expect("replace");
    };
    let sandbox = expect_partial_undo(replace, "new/deep/a");
    assert_eq!(sandbox.read("new/deep/a"), b"CONTENT OF a");
}

#[test]
fn what_was_deleted_since_is_refused_by_name() {
    let delete = |sandbox: &Sandbox| std::fs::remove_file(sandbox.path("new/deep/a")).expect("delete");
    expect_partial_undo(delete, "new/deep/a");
}

#[test]
fn an_old_name_that_is_taken_is_refused_and_both_files_stay() {
    let sandbox = expect_partial_undo(|sandbox| drop(sandbox.write("a", "newcomer")), ": ");
    assert_eq!(sandbox.read("a"), b"newcomer");
    assert_eq!(sandbox.read("new/deep/a"), b"content of a");
}

#[test]
fn what_an_undo_had_to_leave_can_be_undone_later() {
    let sandbox = expect_partial_undo(|sandbox| drop(sandbox.write("a", "newcomer")), ": ");
    std::fs::remove_file(sandbox.path("a")).expect("make room");
    undo(&sandbox).expect_status(0);
    assert_eq!(sandbox.read("a"), b"content of a");
    assert!(!sandbox.exists("new"));
}

#[test]
fn undo_makes_directories_again_that_somebody_removed() {
    let (sandbox, before) = moved();
    std::fs::remove_dir(sandbox.path("d/e")).expect("rmdir");
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work())[Path::new("d/e/c")], before[Path::new("d/e/c")]);
}

#[test]
fn undo_works_from_any_directory() {
    let (sandbox, before) = moved();
    let mut command = sandbox.command("ms-mv");
    command.arg("--undo").current_dir("/");
    finish(command, b"").expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_dry_run_of_undo_touches_nothing() {
    let (sandbox, _) = moved();
    let (work, state) = (snapshot(&sandbox.work()), snapshot(&sandbox.state()));
    let dry = sandbox.run("ms-mv", &["-n", "--undo"], b"").expect_status(0);
    assert_eq!(dry.rows().len(), 3);
    assert_eq!(snapshot(&sandbox.work()), work);
    assert_eq!(snapshot(&sandbox.state()), state);
    let real = undo(&sandbox).expect_status(0);
    assert_eq!(dry.column(0), real.column(0));
}

#[test]
fn the_output_fed_back_is_the_plan_that_undoes_it() {
    let sandbox = tree();
    let before = files(&sandbox);
    let outcome = mv(&sandbox, NONE, &rows(&sandbox)).expect_status(0);
    assert_ne!(files(&sandbox), before);
    sandbox.run("ms-mv", NONE, &outcome.stdout).expect_status(0);
    assert_eq!(files(&sandbox), before);
}

#[test]
fn a_run_of_the_output_can_itself_be_undone() {
    let sandbox = tree();
    let outcome = mv(&sandbox, NONE, &rows(&sandbox)).expect_status(0);
    let after = snapshot(&sandbox.work());
    sandbox.run("ms-mv", NONE, &outcome.stdout).expect_status(0);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), after);
}

#[test]
fn the_output_of_undo_fed_back_does_the_run_again() {
    let (sandbox, _) = moved();
    let after = files(&sandbox);
    let undone = undo(&sandbox).expect_status(0);
    sandbox.run("ms-mv", NONE, &undone.stdout).expect_status(0);
    assert_eq!(files(&sandbox), after);
}

#[test]
fn a_run_with_refusals_is_undone_in_what_it_did() {
    let sandbox = tree();
    let mut rows = rows(&sandbox);
    rows[1].size = "1".to_owned();
    let before = snapshot(&sandbox.work());
    mv(&sandbox, NONE, &rows).expect_status(1);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_run_that_moved_nothing_does_not_hide_the_one_before() {
    let (sandbox, before) = moved();
    let row = Row::new(&sandbox, "never-was", "x");
    mv(&sandbox, NONE, &[row]).expect_status(1);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn the_plan_run_twice_is_undone_completely() {
    let (sandbox, before) = moved();
    let done = [Row::new(&sandbox, "new/deep/a", "new/deep/a"), Row::new(&sandbox, "new/b", "new/b")].map(|row| Row {
        path: match row.dest.as_str() {
            "new/b" => "d/b".to_owned(),
            _ => "a".to_owned(),
        },
        ..row
    });
    mv(&sandbox, NONE, &done).expect_status(0);
    support::plan::undo_everything(&sandbox);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn rows_that_build_on_each_other_are_undone_backwards() {
    // The second row makes a directory where the file of the first one was.
    let sandbox = tree();
    let before = snapshot(&sandbox.work());
    let rows = [Row::new(&sandbox, "a", "x"), Row::new(&sandbox, "d/b", "a/b")];
    let outcome = mv(&sandbox, NONE, &rows);
    if outcome.status == 0 {
        assert_eq!(sandbox.read("a/b"), b"content of d/b");
    }
    // A mover that refuses such a plan (2) has touched nothing.
    if outcome.status < 2 {
        undo(&sandbox).expect_status(0);
    }
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn undoing_a_copy_removes_it_only_while_the_original_is_there_and_equal() {
    for (spoiled, status) in [("not", 0), ("edited", 1), ("deleted", 1)] {
        let sandbox = tree();
        mv(&sandbox, &["--copy"], &[Row::new(&sandbox, "a", "x/a")]).expect_status(0);
        match spoiled {
            "edited" => drop(sandbox.write("a", "CONTENT OF a")),
            "deleted" => std::fs::remove_file(sandbox.path("a")).expect("delete"),
            _ => (),
        }
        undo(&sandbox).expect_status(status);
        assert_eq!(sandbox.exists("x/a"), status == 1);
        assert_eq!(sandbox.exists("x"), status == 1);
    }
}

#[test]
fn undoing_a_link_removes_the_new_name_only() {
    let sandbox = tree();
    let before = snapshot(&sandbox.work());
    mv(&sandbox, &["--link"], &rows(&sandbox)).expect_status(0);
    assert_eq!(sandbox.path("a").metadata().expect("a").nlink(), 2);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
    assert_eq!(sandbox.path("a").metadata().expect("a").nlink(), 1);
}

#[test]
fn undoing_a_link_whose_original_is_gone_keeps_the_last_name() {
    let sandbox = tree();
    mv(&sandbox, &["--link"], &[Row::new(&sandbox, "a", "x/a")]).expect_status(0);
    std::fs::remove_file(sandbox.path("a")).expect("delete");
    undo(&sandbox).expect_status(1);
    assert_eq!(sandbox.read("x/a"), b"content of a");
}

#[test]
fn something_that_is_no_journal_is_named_and_moves_nothing() {
    let sandbox = tree();
    std::fs::write(sandbox.path("plan.tsv"), plan(&rows(&sandbox))).expect("plan");
    sandbox.write("noise", b"\xff\x00\n\n\nnoise");
    let before = snapshot(&sandbox.work());
    for journal in ["plan.tsv", "noise", "absent.journal"] {
        sandbox.run("ms-mv", &["--undo", journal], b"").expect_status(2).expect_stderr(journal);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn where_the_newest_journal_cannot_be_read_no_older_run_is_undone() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "content");
    mv(&sandbox, NONE, &[Row::new(&sandbox, "a", "b")]).expect_status(0);
    let newest = sandbox.state().join("mediastruct/99990101T000000.000000000Z-1.journal");
    std::fs::write(&newest, "mediastruct-journal\t1\tmove\tdigest\trun\nstart\nnonsense\n").expect("journal");
    undo(&sandbox).expect_status(2).expect_stderr("99990101T000000");
    assert!(sandbox.exists("b"));
    // A run that was cut off before anything was moved is no reason to stop.
    std::fs::write(&newest, "").expect("journal");
    undo(&sandbox).expect_status(0);
    assert!(sandbox.exists("a"));
}

#[test]
fn where_all_of_the_newest_run_is_sealed_by_now_no_older_one_is_undone_in_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    sandbox.write("b", "b");
    mv(&sandbox, &[], &[Row::new(&sandbox, "a", "elsewhere/a")]).expect_status(0);
    mv(&sandbox, &[], &[Row::new(&sandbox, "b", "Archive/0001/2012/b")]).expect_status(0);
    for name in ["index.json", "B3SUMS"] {
        sandbox.write(format!("Archive/0001/{name}"), "");
    }
    let before = snapshot(&sandbox.work());
    let [older, _newest] = &journals(&sandbox)[..] else { panic!("two journals") };
    let advice = format!("to undo the run before it: ms-mv --undo {}", older.display());
    undo(&sandbox)
        .expect_status(2)
        .expect_stderr("all that it moved is sealed by now, and stays")
        .expect_stderr(&advice);
    assert_eq!(snapshot(&sandbox.work()), before);
    // Whoever names it is told what keeps each file there.
    let newest = journals(&sandbox).pop().expect("a journal");
    let named = sandbox.run("ms-mv", &["--undo".as_ref(), newest.as_os_str()], b"").expect_status(1);
    named.expect_stderr("it is in a sealed volume");
}
