//! `ms-mv --host`: the rows of this host of a plan of several hosts, and copies that stay on another.

use crate::support;

use std::path::Path;
use std::time::Duration;
use support::plan::{Row, mv, plan, undo};
use support::{Outcome, Sandbox, hash, snapshot};

/// The row of a file here, as the host `nas` is told of it: absolute, with its id.
fn row(sandbox: &Sandbox, path: &str, dest: &str) -> Row {
    let mut row = Row::new(sandbox, path, dest);
    row.path = located(sandbox, path);
    row.id = format!("nas/{}", row.id);
    row
}

fn located(sandbox: &Sandbox, path: &str) -> String {
    format!("nas:{}", sandbox.path(path).display())
}

fn with_keep(row: Row, keep: &str, note: &str) -> Row {
    Row { keep: keep.to_owned(), note: note.to_owned(), ..row }
}

/// A proof of one copy on the host `tower`.
fn write_proof(sandbox: &Sandbox, path: &str, content: &str) {
    let line = format!("{path}\t{}\t{}\t1.000000000\ttower/1:2\n", hash(content.as_bytes()), content.len());
    sandbox.write("proof.tsv", line);
}

/// Carries out a plan that is a file, as `--keep-proof` needs.
fn mv_file(sandbox: &Sandbox, args: &[&str], rows: &[Row]) -> Outcome {
    sandbox.write("plan.tsv", plan(rows));
    let old = std::time::SystemTime::now() - Duration::from_secs(60);
    let file = std::fs::File::options().write(true).open(sandbox.path("plan.tsv")).expect("plan");
    file.set_modified(old).expect("time");
    sandbox.run("ms-mv", &[args, &["plan.tsv"]].concat(), b"")
}

#[test]
fn the_rows_of_this_host_are_carried_out_and_others_are_counted() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "one");
    sandbox.write("b", "two");
    let other = Row { path: "tower:/a".into(), ..row(&sandbox, "b", "tower:/q/a") };
    let none = Row::new(&sandbox, "b", "q/b");
    let rows = [row(&sandbox, "a", &located(&sandbox, "q/a")), other.clone(), other, none];
    let outcome = mv(&sandbox, &["--host", "nas"], &rows).expect_status(0);
    assert!(sandbox.exists("q/a") && !sandbox.exists("a") && sandbox.exists("b"));
    let moved = &outcome.rows()[0];
    assert_eq!((&moved[0], &moved[5]), (&located(&sandbox, "q/a"), &located(&sandbox, "a")));
    assert_eq!(moved[4], rows[0].id, "a rename keeps the id");
    outcome.expect_stderr("moved 1 file, 3 bytes; 2 rows of other hosts and 1 row of no host passed over; to undo");
}

#[test]
fn the_output_takes_the_files_back_and_so_does_the_journal() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "one");
    let before = snapshot(&sandbox.work());
    let rows = [row(&sandbox, "d/a", &located(&sandbox, "d/b"))];
    let moved = mv(&sandbox, &["--host", "nas"], &rows).expect_status(0);
    let back = sandbox.run("ms-mv", &["--host", "NAS"], &moved.stdout).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
    assert_eq!(back.rows()[0][0], located(&sandbox, "d/a"));
    mv(&sandbox, &["--host", "nas"], &rows).expect_status(0);
    let undone = sandbox.run("ms-mv", &["--host", "nas", "--undo"], b"").expect_status(0);
    assert_eq!(undone.rows()[0][0], located(&sandbox, "d/a"));
    assert_eq!(snapshot(&sandbox.work()), before);
    mv(&sandbox, &["--host", "nas"], &rows).expect_status(0);
    let plain = undo(&sandbox).expect_status(0);
    assert_eq!(plain.rows()[0][0], sandbox.path("d/a").display().to_string(), "a journal has real paths");
}

#[test]
fn a_relative_destination_holds_where_the_mover_runs() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "one");
    let outcome = mv(&sandbox, &["--host", "nas"], &[row(&sandbox, "a", "q/nas/a")]).expect_status(0);
    assert_eq!(outcome.rows()[0][0], located(&sandbox, "q/nas/a"));
    assert!(sandbox.exists("q/nas/a"));
    let to = located(&sandbox, "r");
    let rows = [Row { dest: "-".into(), ..row(&sandbox, "q/nas/a", "-") }];
    mv(&sandbox, &["--host", "nas", "--to", &to], &rows).expect_status(0);
    assert!(sandbox.exists(format!("r{}", sandbox.path("q/nas/a").display())));
}

#[test]
fn what_is_on_another_host_is_refused_row_by_row() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c", "d", "e"] {
        sandbox.write(name, "same");
    }
    let dest = |name: &str| located(&sandbox, &format!("q/{name}"));
    let rows = [
        row(&sandbox, "a", "tower:/q/a"),
        with_keep(row(&sandbox, "b", &dest("b")), "tower:/x", "-"),
        with_keep(row(&sandbox, "c", &dest("c")), "/x", "-"),
        Row { id: "tower/1:2".into(), ..row(&sandbox, "d", &dest("d")) },
        row(&sandbox, "e", &dest("e")),
    ];
    let outcome = mv(&sandbox, &["--host", "nas"], &rows).expect_status(1);
    assert_eq!(outcome.column(0), [dest("e")]);
    assert!(["a", "b", "c", "d"].iter().all(|name| sandbox.exists(name)));
    outcome
        .expect_stderr("its destination is on the host tower, and nothing moves from one host to another: tower:/q/a")
        .expect_stderr("checking the copy that stays tower:/x: it is on another host: --keep-proof FILE takes")
        .expect_stderr("the copy that should stay names no host: /x")
        .expect_stderr("its id is that of a file on the host tower")
        .expect_stderr("4 refused or failed");
}

#[test]
fn without_a_name_nothing_of_a_plan_of_hosts_is_done() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "one");
    for (path, id, dest) in [
        (located(&sandbox, "a"), None, sandbox.path("b").display().to_string()),
        ("a".to_owned(), None, "nas:/q/a".to_owned()),
        ("a".to_owned(), Some("nas/1:2"), "b".to_owned()),
    ] {
        let plain = Row::new(&sandbox, "a", &dest);
        let id = id.map_or(plain.id.clone(), str::to_owned);
        let rows = [Row { path, id, ..plain }];
        let outcome = mv(&sandbox, &[], &rows).expect_status(2);
        assert!(sandbox.exists("a") && outcome.stdout.is_empty());
        outcome.expect_stderr("host nas").expect_stderr("nothing is done: 1 row that cannot be carried out");
    }
    sandbox.run("ms-mv", &["--to", "nas:/q"], b"").expect_status(2).expect_stderr("--to: nas:/q: it names a host");
    sandbox.run("ms-mv", &["--protect", "nas:/q"], b"").expect_status(2).expect_stderr("--protect: nas:/q");
    let other = ["--host", "nas", "--to", "tower:/q"];
    sandbox.run("ms-mv", &other, b"").expect_status(2).expect_stderr("--to: tower:/q: it names a host");
    sandbox.run("ms-mv", &["--host", "a_b"], b"").expect_status(2).expect_stderr("--host: \"a_b\"");
}

#[test]
fn a_directory_that_is_called_like_a_host_still_moves() {
    let sandbox = Sandbox::new();
    sandbox.write("nas:/x", "one");
    sandbox.write("nas:/y", "two");
    // Plans that are older than names of hosts spell it without the dot.
    for (path, dest) in [("./nas:/x", "q/x"), ("nas:/y", "q/y")] {
        mv(&sandbox, &[], &[Row::new(&sandbox, path, dest)]).expect_status(0);
        assert!(sandbox.exists(dest));
    }
}

#[test]
fn protection_holds_for_this_host() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "one");
    let rows = [row(&sandbox, "d/a", &located(&sandbox, "q/a"))];
    let dir = located(&sandbox, "d");
    let outcome = mv(&sandbox, &["--host", "nas", "--protect", &dir], &rows).expect_status(1);
    outcome.expect_stderr("it is in a protected directory");
    mv(&sandbox, &["--host", "nas", "--protect", "tower:/no/such/dir"], &rows).expect_status(0);
}

#[test]
fn a_proof_lets_a_duplicate_go_whose_copy_stays_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "same");
    write_proof(&sandbox, "tower:/x", "same");
    let note = "keep mtime=1.000000000 id=tower/1:2";
    let rows = [with_keep(row(&sandbox, "a", &located(&sandbox, "q/a")), "tower:/x", note)];
    let args = ["--host", "nas", "--keep-proof", "proof.tsv"];
    let dry = mv_file(&sandbox, &[&args[..], &["-n"]].concat(), &rows).expect_status(0);
    assert_eq!((dry.column(0), sandbox.exists("a")), (vec![located(&sandbox, "q/a")], true));
    let outcome = mv_file(&sandbox, &args, &rows).expect_status(0);
    assert_eq!((outcome.column(0), sandbox.exists("a")), (vec![located(&sandbox, "q/a")], false));
    undo(&sandbox).expect_status(0);
    // A host without a name may have copies on one that has one.
    let plain = [Row { keep: "tower:/x".into(), ..Row::new(&sandbox, "a", "q/b") }];
    mv_file(&sandbox, &["--keep-proof", "proof.tsv"], &plain).expect_status(0);
    assert!(sandbox.exists("q/b"));
}

#[test]
fn what_is_no_proof_is_none() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "same");
    let (right, wrong) = (hash(b"same"), hash(b"another"));
    let held = format!("tower:/x\t{right}\t4\t-\ttower/1:2\n");
    let here = Row::new(&sandbox, "a", "-").id;
    for (proof, problem) in [
        (String::new(), "the proof does not have it"),
        (
            format!("tower:/y\t{right}\t4\nx\t{right}\t4\n/x\t{right}\t4\nnas:/x\t{right}\t4\n"),
            "the proof does not have it",
        ),
        (format!("tower:/x\t{wrong}\t4\n"), "the proof says that it has another content"),
        (format!("tower:/x\t{right}\t5\n"), "the proof says that it has another content"),
        ("tower:/x\t-\t4\n".to_owned(), "the proof says that it does not hold"),
        (held.trim_end().to_owned() + "\t-\t-\trotten\n", "the proof says that it does not hold"),
        (format!("{held}tower:/x\t{wrong}\t4\n"), "the proof says that it does not hold"),
        (format!("tower:/x\t{right}\t4\t-\ttower/{here}\n"), "may be that very file"),
    ] {
        sandbox.write("proof.tsv", &proof);
        let rows = [with_keep(row(&sandbox, "a", &located(&sandbox, "q/a")), "tower:/x", "-")];
        let outcome = mv_file(&sandbox, &["--host", "nas", "--keep-proof", "proof.tsv"], &rows).expect_status(1);
        assert!(sandbox.exists("a"), "{proof}");
        outcome.expect_stderr(problem);
    }
    write_proof(&sandbox, "tower:/x", "same");
    let unhashed = Row { hash: "-".into(), ..row(&sandbox, "a", &located(&sandbox, "q/a")) };
    let outcome =
        mv_file(&sandbox, &["--host", "nas", "--keep-proof", "proof.tsv"], &[with_keep(unhashed, "tower:/x", "-")]);
    outcome.expect_status(1).expect_stderr("the row has no hash");
    // A machine that was given two names has its files twice in the streams.
    let twice = with_keep(row(&sandbox, "a", &located(&sandbox, "q/a")), "tower:/x", &format!("keep id=tower/{here}"));
    let outcome = mv_file(&sandbox, &["--host", "nas", "--keep-proof", "proof.tsv"], &[twice]).expect_status(1);
    outcome.expect_stderr("the device and inode number of the file to be moved");
}

#[test]
fn two_hosts_do_not_each_move_a_copy_away_for_that_of_the_other() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "same");
    write_proof(&sandbox, "tower:/x", "same");
    let own = with_keep(row(&sandbox, "a", &located(&sandbox, "q/a")), "tower:/x", "-");
    let other = Row {
        path: "tower:/x".into(),
        id: "tower/1:2".into(),
        dest: "tower:/q/x".into(),
        keep: located(&sandbox, "a"),
        ..own.clone()
    };
    let args = ["--host", "nas", "--keep-proof", "proof.tsv"];
    let outcome = mv_file(&sandbox, &args, &[own.clone(), other.clone()]).expect_status(1);
    outcome.expect_stderr("this plan has it leave its place there");
    assert!(sandbox.exists("a"));
    // What only stands in the plan, as ms-dupes --groups has it, stays.
    mv_file(&sandbox, &args, &[own, Row { dest: "-".into(), keep: "-".into(), ..other }]).expect_status(0);
}

#[test]
fn a_proof_is_a_file_that_is_not_older_than_the_plan() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "same");
    write_proof(&sandbox, "tower:/x", "same");
    let rows = [with_keep(row(&sandbox, "a", &located(&sandbox, "q/a")), "tower:/x", "-")];
    let args = ["--host", "nas", "--keep-proof", "proof.tsv"];
    let piped = mv(&sandbox, &args, &rows).expect_status(2);
    piped
        .expect_stderr("--keep-proof: proof.tsv: a plan that comes through a pipe has no age")
        .expect_stderr("save it");
    support::set_mtime(&sandbox.path("proof.tsv"), 1_000_000_000, 0);
    let old = mv_file(&sandbox, &args, &rows).expect_status(2);
    old.expect_stderr("--keep-proof: proof.tsv: it is older than the plan: run ms-verify again");
    let both = sandbox.shell("ms-mv --host nas --keep-proof <(cat proof.tsv) plan.tsv").expect_status(2);
    both.expect_stderr("what comes through a pipe has no age");
    sandbox.write("proof.tsv", "no record\n");
    mv_file(&sandbox, &args, &rows).expect_status(2).expect_stderr("proof.tsv:1: ");
    sandbox.write("proof.tsv", "cut");
    mv_file(&sandbox, &args, &rows).expect_status(2).expect_stderr("the last line is cut off");
    std::fs::remove_file(sandbox.path("proof.tsv")).expect("removal");
    mv_file(&sandbox, &args, &rows).expect_status(2).expect_stderr("proof.tsv: No such file");
    assert!(sandbox.exists("a"));
    let undone = sandbox.run("ms-mv", &["--undo", "--keep-proof", "x"], b"").expect_status(2);
    undone.expect_stderr("--keep-proof");
    // A plan on standard input that is a file has an age.
    write_proof(&sandbox, "tower:/x", "same");
    sandbox.shell("ms-mv --host nas --keep-proof proof.tsv < plan.tsv").expect_status(0);
}

#[test]
fn a_plan_without_rows_for_this_host_says_so() {
    let sandbox = Sandbox::new();
    let row = "tower:/a\t-\t1\t-\t-\ttower:/b\n";
    let outcome = sandbox.run("ms-mv", &["--host", "nas"], row.as_bytes()).expect_status(0);
    outcome.expect_stderr("nothing to do for the host nas: 1 row of other hosts passed over");
    assert!(!Path::new(&sandbox.state()).join("mediastruct").exists(), "there is no journal of nothing");
}

#[test]
fn the_same_plan_is_completed_after_it_was_cut_off() {
    let sandbox = Sandbox::new();
    for name in ["a", "b"] {
        sandbox.write(name, name);
    }
    let rows = ["a", "b"].map(|name| row(&sandbox, name, &located(&sandbox, &format!("q/{name}"))));
    mv(&sandbox, &["--host", "nas"], &rows[..1]).expect_status(0);
    let outcome = mv(&sandbox, &["--host", "nas"], &rows).expect_status(0);
    outcome.expect_stderr("1 file there already");
    assert!(sandbox.exists("q/a") && sandbox.exists("q/b"));
}
