//! `ms-ingest` under attack: drops and indexes that are made to part what belongs together or to lose a file.

use crate::support;

use support::ingest::Planned;
use support::{Sandbox, hash, set_mtime};

/// Plans, moves, and undoes; what is refused is named by `ms-ingest`, never first by `ms-mv`.
#[track_caller]
fn plan_and_move(sandbox: &Sandbox, args: &[&str], status: i32) -> Planned {
    let plan = sandbox.ingest(args).expect_status(status);
    sandbox.run("ms-mv", &[] as &[&str], &plan.stdout).expect_status(0);
    Planned::of(&plan)
}

const BY_NAME: [&str; 2] = ["--template", "{name}.{ext}"];

#[test]
fn a_sidecar_of_nothing_never_takes_the_place_of_one_that_has_an_owner() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a/1.jpg", "picture");
    sandbox.drop_file("a/1.xmp", "of the picture");
    sandbox.drop_file("b/1.xmp", "of nothing");
    plan_and_move(&sandbox, &BY_NAME, 1);
    assert_eq!(sandbox.read("photos/1.xmp"), b"of the picture");
    assert_eq!(sandbox.read("drop/b/1.xmp"), b"of nothing");
}

#[test]
fn a_copy_never_comes_before_the_one_to_keep() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("b/1.jpg", "picture");
    sandbox.drop_file("b/1.xmp", "alike");
    sandbox.drop_file("a/1.xmp", "alike");
    sandbox.drop_file("c/1.xmp", "alike");
    let plan = plan_and_move(&sandbox, &BY_NAME, 1);
    assert_eq!(plan.row("c/1.xmp").keep, "photos/1.xmp");
    assert!(sandbox.exists("photos/1.jpg") && sandbox.exists("photos/1.xmp") && sandbox.exists("drop/a/1.xmp"));
    plan_and_move(&sandbox, &BY_NAME, 0);
    assert!(sandbox.exists("duplicates/drop/a/1.xmp"));
}

#[test]
fn a_picture_stays_with_a_sidecar_that_has_no_place() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("1.jpg", "picture");
    sandbox.drop_file("1.aae", "one edit");
    sandbox.drop_file("1.AAE", "another edit");
    sandbox.drop_file("1.jpg.xmp", "more");
    sandbox.drop_file("2.jpg", "other picture");
    let outcome = sandbox.ingest(&[]).expect_status(1);
    assert_eq!(outcome.column(0), ["drop/2.jpg"], "{}", outcome.stderr);
    for (file, reason) in [("1.aae", "another file goes there"), ("1.jpg", "it stays with drop/1.a")] {
        assert!(outcome.stderr.lines().any(|line| line.contains(&format!("drop/{file}: ")) && line.contains(reason)));
    }
}

#[test]
fn a_copy_takes_the_place_that_a_staying_picture_gave_up() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a/1.jpg", "picture");
    sandbox.drop_file("a/1.aae", "one edit");
    sandbox.drop_file("a/1.AAE", "another edit");
    sandbox.drop_file("b/2.jpg", "picture");
    let plan = plan_and_move(&sandbox, &[], 1);
    assert_eq!(plan.rows.len(), 1);
    assert!(plan.dest("b/2.jpg").starts_with("photos/"));
}

#[test]
fn a_symbolic_link_is_no_further_name_that_sends_its_file_away() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("z.jpg", "picture");
    sandbox.symlink("drop/z.jpg", "a.jpg");
    let operands = ["--to", "photos", "a.jpg", "drop"];
    let index = sandbox.run("ms-crawl", &operands[2..], b"").expect_status(0);
    for (args, stdin) in [(&operands[..], &b""[..]), (&operands[..2], &index.stdout[..])] {
        let outcome = sandbox.run("ms-ingest", args, stdin).expect_status(1).expect_stderr("a.jpg: a symbolic link");
        let plan = Planned::of(&outcome);
        assert_eq!(plan.rows.len(), 1);
        assert!(plan.dest("z.jpg").starts_with("photos/"), "{:?}", plan.rows[0]);
    }
}

#[test]
fn the_first_second_of_all_times_is_read_back() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", "picture");
    set_mtime(&sandbox.path("drop/a.jpg"), 1_500_000_000, 0);
    let index = format!("drop/a.jpg\t{}\t7\t-9223372036854775808.000000000\t-\n", hash(b"picture"));
    let args = ["--to", "photos"];
    sandbox.run("ms-ingest", &args, index.as_bytes()).expect_status(1).expect_stderr("changed since it was listed");
}
