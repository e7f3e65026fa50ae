//! `ms-dupes` on the records of several hosts, whose paths are `NAME:/path` and whose ids are `NAME/dev:ino`.

use crate::support;

use support::{Outcome, Sandbox, index_line};

const MTIME: &str = "1.000000000";

/// Records of four bytes each: path, content, id.
fn index(rows: &[(&str, &str, &str)]) -> String {
    rows.iter().map(|(path, content, id)| index_line(path, content, 4, MTIME, id)).collect()
}

/// Runs both ways of making a plan, which must agree, and gives the plan.
#[track_caller]
fn dupes(sandbox: &Sandbox, args: &[&str], rows: &[(&str, &str, &str)]) -> Outcome {
    let mut rows = rows.to_vec();
    let whole = sandbox.run("ms-dupes", args, index(&rows).as_bytes()).expect_status(0);
    rows.sort_by_key(|(_, content, _)| support::hash(content.as_bytes()));
    let sorted = sandbox.run("ms-dupes", &[&["--sorted"], args].concat(), index(&rows).as_bytes());
    let (mut one, mut other) = (whole.lines(), sorted.expect_status(0).lines());
    one.sort();
    other.sort();
    assert_eq!(one, other, "{args:?}");
    whole
}

fn going(outcome: &Outcome) -> Vec<(String, String, String)> {
    outcome.rows().iter().map(|row| (row[0].clone(), row[5].clone(), row[6].clone())).collect()
}

fn row(path: &str, dest: &str, keep: &str) -> (String, String, String) {
    (path.into(), dest.into(), keep.into())
}

#[test]
fn equal_numbers_on_two_hosts_are_two_files() {
    let sandbox = Sandbox::new();
    let rows =
        [("nas:/a", "same", "nas/7:9"), ("laptop:/a", "same", "laptop/7:9"), ("laptop:/b", "same", "laptop/7:9")];
    let plan = dupes(&sandbox, &[], &rows);
    assert_eq!(going(&plan), [row("nas:/a", "duplicates/nas/a", "laptop:/a")]);
    assert_eq!(plan.rows()[0][4], "nas/7:9");
    assert_eq!(plan.rows()[0][7], format!("keep mtime={MTIME} id=laptop/7:9"));
    let here = dupes(&sandbox, &[], &[("/a", "same", "7:9"), ("nas:/a", "same", "nas/7:9")]);
    assert_eq!(going(&here), [row("nas:/a", "duplicates/nas/a", "/a")]);
}

#[test]
fn each_copy_goes_to_a_quarantine_on_its_own_host() {
    let sandbox = Sandbox::new();
    let rows = [
        ("/x/a", "same", "-"),
        ("laptop:/home/a", "same", "-"),
        ("nas:/data/a", "same", "-"),
        ("tower:/data/a", "same", "-"),
    ];
    let args = ["--to", "/q", "--to", "nas:/data/q", "--to", "tower:/old", "--to", "tower:/q2/"];
    assert_eq!(
        going(&dupes(&sandbox, &args, &rows)),
        [
            row("laptop:/home/a", "laptop:/q/home/a", "/x/a"),
            row("nas:/data/a", "nas:/data/q/data/a", "/x/a"),
            row("tower:/data/a", "tower:/q2/data/a", "/x/a"),
        ]
    );
    let relative = going(&dupes(&sandbox, &["--to", "q"], &rows[1..]));
    assert_eq!(relative[0], row("nas:/data/a", "q/nas/data/a", "laptop:/home/a"));
}

#[test]
fn what_is_in_the_quarantine_of_its_host_is_not_considered() {
    let sandbox = Sandbox::new();
    let rows = [("nas:/q/a", "same", "-"), ("nas:/x/a", "same", "-"), ("laptop:/q/a", "same", "-")];
    let paths = |args: &[&str]| dupes(&sandbox, args, &rows).column(0);
    assert_eq!(paths(&["--to", "/q", "-g"]), [""; 0]);
    assert_eq!(paths(&["--to", "nas:/q", "-g"]), ["laptop:/q/a", "nas:/x/a"]);
    assert_eq!(paths(&["--to", "/q", "--to", "laptop:/r", "-g"]), ["laptop:/q/a", "nas:/x/a"]);
}

#[test]
fn directories_of_hosts_are_protected_and_preferred_by_their_spelling() {
    let sandbox = Sandbox::new();
    let rows = [("laptop:/a/x", "same", "-"), ("nas:/Archive/x", "same", "-"), ("nas:/Archive2/x", "same", "-")];
    let keep = |args: &[&str]| dupes(&sandbox, args, &rows).column(6);
    assert_eq!(keep(&[]), ["laptop:/a/x", "laptop:/a/x"]);
    for dir in ["nas:/Archive", "nas://Archive/", "nas:/x/../Archive"] {
        assert_eq!(keep(&["--protect", dir]), ["nas:/Archive/x", "nas:/Archive/x"], "{dir}");
        assert_eq!(keep(&["--prefer", dir]), ["nas:/Archive/x", "nas:/Archive/x"], "{dir}");
        assert_eq!(dupes(&sandbox, &["--protect", dir, "-u"], &rows).stdout, b"");
    }
    let other = dupes(&sandbox, &["--protect", "laptop:/Archive"], &rows);
    assert_eq!((other.column(6).len(), other.stderr.contains("--protect: ")), (2, false), "{}", other.stderr);
}

#[test]
fn a_directory_of_this_host_protects_no_other_and_that_is_said() {
    let sandbox = Sandbox::new();
    let archive = sandbox.mkdir("Archive");
    let dir = archive.to_str().expect("UTF-8");
    let rows = [(&*format!("nas:{dir}/x"), "same", "-"), ("laptop:/a", "same", "-")];
    let plan = dupes(&sandbox, &["--protect", dir], &rows);
    assert_eq!(plan.column(6), ["laptop:/a"]);
    plan.expect_stderr(&format!("--protect: {dir}: there are records that name hosts"));
    let rows = [(&*format!("{dir}/x"), "same", "-"), ("/a", "same", "-")];
    assert!(!dupes(&sandbox, &["--protect", dir], &rows).stderr.contains("name hosts"));
}

#[test]
fn a_marker_in_the_index_of_a_host_protects_there() {
    let sandbox = Sandbox::new();
    let rows = [("laptop:/.ms-protect", "-m", "-"), ("laptop:/z/x", "same", "-"), ("nas:/a", "same", "-")];
    let plan = sandbox.run("ms-dupes", &[] as &[&str], index(&rows).as_bytes()).expect_status(0);
    assert_eq!(going(&plan), [row("nas:/a", "duplicates/nas/a", "laptop:/z/x")]);
    let rows = [("laptop:/k/.ms-protect", "-m", "-"), ("laptop:/k/x", "same", "-"), ("nas:/k/x", "same", "-")];
    let plan = sandbox.run("ms-dupes", &["--prefer", "nas:/"], index(&rows).as_bytes()).expect_status(0);
    assert_eq!(going(&plan), [row("nas:/k/x", "duplicates/nas/k/x", "laptop:/k/x")]);
}

#[test]
fn a_directory_that_is_called_like_a_host_is_none() {
    let sandbox = Sandbox::new();
    let rows = [("./nas:/x", "same", "-"), ("nas:/x", "same", "-"), ("nas://x", "same", "-")];
    let plan = sandbox.run("ms-dupes", &["-g"], index(&rows).as_bytes()).expect_status(0);
    assert_eq!(plan.column(0), ["./nas:/x", "nas://x"], "two of the three are one");
    let mut rows = [("./nas/x", "same", "-"), ("nas:/x", "same", "-"), ("0", "same", "-")];
    let plan = sandbox.run("ms-dupes", &[] as &[&str], index(&rows).as_bytes()).expect_status(0);
    let dests = plan.column(5);
    assert!(dests[0] != dests[1], "they do not meet: {dests:?}");
    rows.reverse();
    assert_eq!(sandbox.run("ms-dupes", &[] as &[&str], index(&rows).as_bytes()).stdout, plan.stdout);
    // A quarantine of this host is spelled so that it is no other's.
    let plan = sandbox.run("ms-dupes", &["--to", "nas:"], index(&[("/a", "s", "-"), ("/b", "s", "-")]).as_bytes());
    assert_eq!(plan.expect_status(0).column(5), ["./nas:/b"]);
}

#[test]
fn malformed_ids_are_named() {
    let sandbox = Sandbox::new();
    for id in ["NAS/7:9", "nas/7", "a b/7:9", "/7:9", "nas:7/9"] {
        let outcome = sandbox.run("ms-dupes", &[] as &[&str], index(&[("a", "x", id)]).as_bytes()).expect_status(2);
        outcome.expect_stderr(&format!("column 5 (id): \"{id}\" is neither DEVICE:INODE, after HOST/ or not, nor -"));
    }
}
