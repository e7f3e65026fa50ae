//! `ms-seal`: what keeps a volume open, what is named, and with which exit status.

use crate::support;

use std::os::unix::net::UnixListener;
use support::plan::{Row, plan};
use support::sealed::expect_same;
use support::{Outcome, Sandbox, set_mtime, snapshot};

/// Volumes 7 and 8, both ready to be sealed.
fn two() -> (Sandbox, Vec<Row>) {
    let sandbox = Sandbox::new();
    let seven = sandbox.volume(7, &[("2012/03/05/a.jpg", "alpha"), ("2012/03/05/b.jpg", "beta")]);
    let eight = sandbox.volume(8, &[("2013/03/05/c.jpg", "gamma")]);
    (sandbox, [seven, eight].concat())
}

/// Seals: volume 7 must stay open, volume 8 must be sealed, and the exit status must be 1.
#[track_caller]
fn expect_seven_stays_open(sandbox: &Sandbox, rows: &[Row]) -> Outcome {
    let outcome = sandbox.seal(&[], rows).expect_status(1);
    sandbox.expect_open(7);
    sandbox.expect_sealed(8);
    outcome
}

#[test]
fn a_row_whose_file_is_gone_is_an_error() {
    let (sandbox, rows) = two();
    std::fs::remove_file(sandbox.path("Archive/0007/2012/03/05/b.jpg")).expect("remove");
    expect_seven_stays_open(&sandbox, &rows).expect_stderr("Archive/0007/2012/03/05/b.jpg");
}

#[test]
fn a_row_whose_file_has_another_size_or_time_is_an_error() {
    let (sandbox, rows) = two();
    sandbox.write("Archive/0007/2012/03/05/b.jpg", "longer than before");
    set_mtime(&sandbox.path("Archive/0007/2012/03/05/b.jpg"), 1_500_000_000, 250_000_000);
    expect_seven_stays_open(&sandbox, &rows).expect_stderr("Archive/0007/2012/03/05/b.jpg");

    let (sandbox, rows) = two();
    set_mtime(&sandbox.path("Archive/0007/2012/03/05/b.jpg"), 1_500_000_000, 250_000_001);
    expect_seven_stays_open(&sandbox, &rows).expect_stderr("Archive/0007/2012/03/05/b.jpg");
}

#[test]
fn a_volume_that_was_not_filled_to_the_end_stays_open() {
    let (sandbox, mut rows) = two();
    rows.remove(1);
    expect_seven_stays_open(&sandbox, &rows).expect_stderr("--all").expect_stderr("0007");
    sandbox.seal(&["--all"], &[]).expect_status(0);
    sandbox.expect_sealed(7);
    assert_eq!(sandbox.json("0007/index.json")["files"].as_array().expect("files").len(), 2, "what is really there");
}

#[test]
fn a_row_in_no_volume_is_named_and_the_others_are_sealed() {
    for path in ["elsewhere/a.jpg", "Archive/loose.jpg", "Archive/misc/a.jpg"] {
        let (sandbox, mut rows) = two();
        sandbox.write(path, "x");
        rows.push(Row::new(&sandbox, path, "photos/a.jpg"));
        sandbox.seal(&[], &rows).expect_status(1).expect_stderr(path);
        sandbox.expect_sealed(7);
        sandbox.expect_sealed(8);
    }
}

#[test]
fn what_no_disc_could_keep_is_named_and_the_volume_stays_open() {
    let odd = "Archive/0007/2012/odd";
    let (sandbox, rows) = two();
    sandbox.symlink("03/05/a.jpg", odd);
    expect_seven_stays_open(&sandbox, &rows).expect_stderr(odd);

    let (sandbox, rows) = two();
    sandbox.symlink("03", odd);
    expect_seven_stays_open(&sandbox, &rows).expect_stderr(odd);

    let (sandbox, rows) = two();
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path(odd)).status().expect("mkfifo(1)").success());
    expect_seven_stays_open(&sandbox, &rows).expect_stderr(odd);

    let (sandbox, rows) = two();
    let _socket = UnixListener::bind(sandbox.path(odd)).expect("socket");
    expect_seven_stays_open(&sandbox, &rows).expect_stderr(odd);
}

#[test]
fn an_unfinished_copy_keeps_its_volume_open() {
    let (sandbox, rows) = two();
    let part = "Archive/0007/2012/.ms-mv-0123.part";
    sandbox.write(part, "half a fi");
    expect_seven_stays_open(&sandbox, &rows).expect_stderr(part);
    assert!(sandbox.exists(part), "it is not ours to remove");
}

#[test]
fn a_seal_file_with_another_content_is_left_as_it_is() {
    for name in ["index.json", "B3SUMS", "README.txt"] {
        let (sandbox, rows) = two();
        let path = format!("Archive/0007/{name}");
        sandbox.write(&path, "somebody else's");
        let before = snapshot(&sandbox.path("Archive/0007"));
        sandbox.seal(&[], &rows).expect_status(1).expect_stderr(&path);
        expect_same(&snapshot(&sandbox.path("Archive/0007")), &before, name);
        sandbox.expect_sealed(8);
    }
}

#[test]
fn a_seal_file_with_another_content_is_not_taken_for_a_seal_later() {
    for name in ["index.json", "B3SUMS", "README.txt"] {
        let (sandbox, rows) = two();
        sandbox.write(format!("Archive/0007/{name}"), "somebody else's");
        for args in [&[][..], &["--all"], &["--all"]] {
            sandbox.seal(args, &rows).expect_status(1);
            assert!(!sandbox.exists("Archive/catalog/0007.tsv") && !sandbox.exists("Archive/0007.UNBURNED"), "{name}");
        }
        assert_ne!(sandbox.seal(&["--burned", "7"], &[]).status, 0, "{name}");
    }
}

#[test]
fn a_volume_that_does_not_fit_its_disc_stays_open() {
    let sandbox = Sandbox::new();
    sandbox.archived(7, "2012/a.jpg".as_ref(), &"x".repeat(700_000));
    sandbox.seal(&["--all", "--capacity", "1M"], &[]).expect_status(1).expect_stderr("0007");
    sandbox.expect_open(7);
    sandbox.seal(&["--all", "--capacity", "1.2M"], &[]).expect_status(2);
    sandbox.seal(&["--all", "--capacity", "2M"], &[]).expect_status(0);
    sandbox.expect_sealed(7);
}

#[test]
fn files_that_came_later_and_make_a_volume_too_large_keep_it_open() {
    let sandbox = Sandbox::new();
    let mut rows = sandbox.volume(7, &[("2012/a.jpg", "alpha")]);
    rows[0].note = "volume=7 file=1/1 fs=iso capacity=1000448".to_owned();
    sandbox.archived(7, "2012/b.jpg".as_ref(), &"x".repeat(700_000));
    sandbox.seal(&[], &rows).expect_status(1).expect_stderr("0007");
    sandbox.expect_open(7);
}

#[test]
fn an_empty_stream_seals_nothing() {
    let (sandbox, _) = two();
    sandbox.seal(&[], &[]).expect_status(0);
    sandbox.expect_open(7);
    sandbox.expect_open(8);
}

#[test]
fn nothing_is_sealed_of_a_stream_with_a_malformed_line() {
    let (sandbox, rows) = two();
    for bad in ["Archive/0007/x\tbeef\t1\t-\t-\n", "nonsense\n", "Archive/0007/2012/03/05/a.jpg\t-\t5"] {
        let stream = [plan(&rows), bad.as_bytes().to_vec()].concat();
        sandbox.run("ms-seal", &["Archive"], &stream).expect_status(2);
        sandbox.expect_open(7);
        sandbox.expect_open(8);
    }
    let stream = [plan(&rows), b"nonsense\n".to_vec()].concat();
    sandbox.run("ms-seal", &["--skip-bad-lines", "Archive"], &stream).expect_status(1);
    sandbox.expect_sealed(7);
}

#[test]
fn an_unreadable_file_keeps_its_volume_open() {
    use std::os::unix::process::CommandExt as _;
    let (sandbox, mut rows) = two();
    rows[0].hash = "-".to_owned();
    support::index::chmod(&sandbox.path("Archive/0007/2012/03/05/a.jpg"), 0);
    let mut command = support::index::as_nobody(&sandbox, "ms-seal");
    command.arg("Archive").arg0("ms-seal");
    let outcome = support::finish(command, &plan(&rows));
    outcome.expect_status(1).expect_stderr("Archive/0007/2012/03/05/a.jpg");
    sandbox.expect_open(7);
    sandbox.expect_sealed(8);
}

#[track_caller]
fn expect_usage(args: &[&str]) {
    let (sandbox, rows) = two();
    let before = snapshot(&sandbox.work());
    sandbox.run("ms-seal", args, &plan(&rows)).expect_status(2);
    expect_same(&snapshot(&sandbox.work()), &before, &format!("{args:?}"));
}

#[test]
fn wrong_usage_touches_nothing() {
    expect_usage(&[]);
    expect_usage(&["Archive", "Archive"]);
    expect_usage(&["nowhere"]);
    expect_usage(&["Archive/0007/2012/03/05/a.jpg"]);
    expect_usage(&["--no-such-option", "Archive"]);
    for pair in [["--all", "--list"], ["--all", "--cat"], ["--list", "--cat"]] {
        expect_usage(&[pair[0], pair[1], "Archive"]);
    }
    for other in ["--all", "--list", "--cat"] {
        expect_usage(&[other, "--burned", "7", "Archive"]);
    }
    expect_usage(&["--copy", "home", "Archive"]);
    expect_usage(&["--media-id", "x", "Archive"]);
    expect_usage(&["--all", "--media", "vhs", "Archive"]);
    expect_usage(&["--burned", "seven", "Archive"]);
}

#[test]
fn two_runs_exclude_each_other() {
    let (sandbox, rows) = two();
    let directory = std::fs::File::open(sandbox.path("Archive")).expect("the archive");
    rustix::fs::flock(&directory, rustix::fs::FlockOperation::NonBlockingLockExclusive).expect("lock");
    for args in [&[][..], &["--all"], &["--burned", "7"]] {
        let outcome = sandbox.seal(args, &rows).expect_status(2);
        assert!(outcome.stderr.contains("Archive"), "{}", outcome.stderr);
        sandbox.expect_open(7);
    }
    drop(directory);
    sandbox.seal(&[], &rows).expect_status(0);
    sandbox.expect_sealed(7);
}

#[test]
fn a_catalogue_that_cannot_be_read_stops_everything() {
    for broken in ["", "{", "[]", "{\"format\":\"mediastruct-archive/2\",\"volumes\":[]}"] {
        let (sandbox, rows) = two();
        sandbox.write("Archive/index.json", broken);
        let before = snapshot(&sandbox.path("Archive"));
        sandbox.seal(&[], &rows).expect_status(2).expect_stderr("Archive/index.json");
        expect_same(&snapshot(&sandbox.path("Archive")), &before, &format!("{broken:?}"));
    }
}
