//! `ms-seal` and plans that were not carried out as a whole: the volume stays open, for it has room for what is missing.

use crate::support;

use support::archive::{moved, told};
use support::plan::{Row, mv, plan};
use support::{Sandbox, snapshot};

/// A volume with so many files, and the rows of a plan of `rows` that brought them there.
fn filled(files: u64, rows: u64) -> (Sandbox, Vec<Row>) {
    let sandbox = Sandbox::new();
    let name = |number: u64| format!("0001/2012/{number:02}.jpg");
    (1..=files).for_each(|number| drop(sandbox.put_archived(name(number), number.to_string())));
    let rows = (1..=files).map(|number| moved(&sandbox, &name(number), (number, rows))).collect();
    (sandbox, rows)
}

#[track_caller]
fn expect_open(sandbox: &Sandbox, rows: &[Row], reason: &str) {
    let before = snapshot(&sandbox.work());
    let outcome = sandbox.seal_rows(rows).expect_status(1).expect_stderr(reason);
    assert!(outcome.stderr.ends_with("not sealed: 1 volume: 0001\n"), "{}", outcome.stderr);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_volume_of_which_any_row_is_missing_stays_open() {
    let (sandbox, rows) = filled(20, 20);
    let reason = "Archive/0001: 1 of 20 rows that were planned is told, and 19 are missing: run the same plan again";
    expect_open(&sandbox, &rows[19..], reason);
    expect_open(&sandbox, &rows[..19], "19 of 20 rows that were planned are told, and 1 is missing");
    expect_open(&sandbox, &rows[1..], "19 of 20 rows that were planned are told, and 1 is missing");
    // The same row again is not another one.
    let again = [&rows[..19], &rows[..1]].concat();
    expect_open(&sandbox, &again, "19 of 20 rows that were planned are told, and 1 is missing");
    sandbox.seal_rows(&rows).expect_status(0);
}

#[test]
fn all_seals_what_there_is() {
    let (sandbox, rows) = filled(20, 20);
    expect_open(&sandbox, &rows[19..], "19 are missing");
    sandbox.run_seal(&["--all"]).expect_status(0);
    assert_eq!(sandbox.indexed_in("0001").len(), 20);
}

#[test]
fn what_the_mover_refused_is_missing_until_the_same_plan_is_carried_out() {
    let sandbox = Sandbox::new();
    let rows: Vec<Row> = (1..=3)
        .map(|number| {
            let path = format!("photos/{number}.jpg");
            sandbox.write(&path, number.to_string());
            let note = format!("volume=1 file={number}/3 fs=iso capacity=24220008448");
            Row { note, ..Row::new(&sandbox, &path, format!("Archive/0001/{number}.jpg")) }
        })
        .collect();
    std::fs::rename(sandbox.path("photos/1.jpg"), sandbox.path("aside")).expect("rename");
    let first = mv(&sandbox, &[], &rows).expect_status(1);
    let outcome = sandbox.run("ms-seal", &["Archive"], &first.stdout).expect_status(1);
    outcome.expect_stderr("2 of 3 rows that were planned are told, and 1 is missing");
    std::fs::rename(sandbox.path("aside"), sandbox.path("photos/1.jpg")).expect("rename");
    let second = mv(&sandbox, &[], &rows).expect_status(0);
    sandbox.run("ms-seal", &["Archive"], &second.stdout).expect_status(0);
    assert_eq!(sandbox.indexed_in("0001").len(), 3);
}

#[test]
fn of_several_plans_one_that_is_whole_is_enough() {
    let (sandbox, mut rows) = filled(3, 20);
    // Two of twenty were moved; another plan brought the third.
    rows[2].note = "volume=1 file=1/1 fs=iso capacity=24220008448".into();
    sandbox.seal_rows(&rows).expect_status(0);
    // Rows of plans for other discs do not add up.
    let (sandbox, mut rows) = filled(2, 2);
    rows[1].note = "volume=1 file=2/2 fs=iso capacity=4700000256".into();
    expect_open(&sandbox, &rows, "1 of 2 rows that were planned is told, and 1 is missing");
}

#[test]
fn a_row_that_no_plan_can_have_completes_nothing() {
    for place in ["0/0", "0/1", "2/1", "18446744073709551615/0"] {
        let (sandbox, mut rows) = filled(1, 1);
        let whole = rows[0].clone();
        rows[0].note = format!("volume=1 file={place} fs=iso capacity=24220008448");
        let reason = format!("a row says file={place}, which no plan has");
        expect_open(&sandbox, &rows, &reason);
        expect_open(&sandbox, &[rows[0].clone(), whole], &reason);
    }
    let (sandbox, mut rows) = filled(1, 1);
    rows[0].note = "volume=1 file=1/18446744073709551615 fs=iso capacity=24220008448".into();
    expect_open(&sandbox, &rows, "1 of 18,446,744,073,709,551,615 rows");
}

#[test]
fn rows_without_a_plan_seal_as_before() {
    let (sandbox, _) = filled(2, 2);
    let stream = plan(&[told(&sandbox, "0001/2012/01.jpg")]);
    sandbox.run("ms-seal", &["Archive"], &stream).expect_status(0);
}
