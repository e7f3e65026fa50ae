//! `ms-verify --host`: the records of this host in a stream of several hosts.

use crate::support;

use support::{Sandbox, hash};

fn line(path: &str, content: &str) -> String {
    format!("{path}\t{}\t{}\t-\tnas/1:2\n", hash(content.as_bytes()), content.len())
}

#[test]
fn records_of_this_host_are_verified_and_others_are_counted() {
    let sandbox = Sandbox::new();
    let path = |name: &str| format!("nas:{}", sandbox.path(name).display());
    sandbox.write("a", "one");
    sandbox.write("b", "two");
    let own = line(&path("a"), "one");
    let rotten = line(&path("b"), "TWO");
    let index = format!("{own}{rotten}{}{}", line("tower:/a", "one"), line("a", "one"));
    let outcome = sandbox.run("ms-verify", &["--host", "NAS"], index.as_bytes()).expect_status(1);
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), own);
    outcome.expect_stderr("2 records: 1 hold").expect_stderr("1 row of other hosts and 1 row of no host passed over");
    let failed = sandbox.run("ms-verify", &["--host", "nas", "--failed"], index.as_bytes()).expect_status(1);
    assert_eq!((failed.column(0), failed.column(7)), (vec![path("b")], vec!["rotten".to_owned()]));
    let none = sandbox.run("ms-verify", &["--host", "desk"], index.as_bytes()).expect_status(0);
    assert!(none.stdout.is_empty());
    none.expect_stderr("0 records: 0 hold").expect_stderr("3 rows of other hosts");
}

#[test]
fn records_of_a_host_are_not_taken_for_missing_here() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("a", "one");
    let index = line("a", "one") + &line(&format!("nas:{}", path.display()), "one");
    let outcome = sandbox.run("ms-verify", &[] as &[&str], index.as_bytes()).expect_status(2);
    assert!(outcome.stdout.is_empty());
    outcome.expect_stderr("standard input:2: nas:/").expect_stderr("--host nas verifies its records");
    sandbox.write("nas:/x", "one");
    let plain = line("nas:/x", "one").replace("nas/1:2", "-");
    sandbox.run("ms-verify", &[] as &[&str], plain.as_bytes()).expect_status(0);
}

#[test]
fn who_verifies_on_another_host_is_told_so() {
    let sandbox = Sandbox::new();
    let path = format!("nas:{}", sandbox.write("a", "one").display());
    let verify = |stream: &str| sandbox.run("ms-verify", &["--host", "nas"], stream.as_bytes()).expect_status(0);
    verify(&line(&path, "one")).expect_stderr("if this is not the host nas");
    let own = sandbox.run("ms-crawl", &["--host", "nas", "a"], b"").expect_status(0);
    let own = String::from_utf8_lossy(&own.stdout).into_owned();
    assert!(!verify(&own).stderr.contains("if this is not"), "{own}");
}

#[test]
fn checksums_name_no_hosts() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "one");
    sandbox.write("nas:/x", "one");
    let sums = format!("{0}  a\n{0}  nas:/x\n", hash(b"one"));
    for args in [&["--host", "nas"][..], &[]] {
        let outcome = sandbox.run("ms-verify", args, sums.as_bytes()).expect_status(0);
        assert_eq!(outcome.column(0), ["./nas:/x", "a"]);
    }
}
