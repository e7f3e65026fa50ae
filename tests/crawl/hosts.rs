//! `ms-crawl --host`: paths and ids that name this host, in the stream and in an index that is kept.

use crate::support;

use std::os::unix::fs::MetadataExt as _;
use support::{Outcome, Sandbox, name};

fn crawl(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run("ms-crawl", args, b"")
}

#[test]
fn paths_and_ids_name_the_host() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("d/a", "one");
    sandbox.write(name(b"d/\xff\t"), "two");
    let plain = crawl(&sandbox, &["-a", "--sort", "d"]).expect_status(0).rows();
    let named = crawl(&sandbox, &["--host", "NAS.home", "--sort", "d"]).expect_status(0).rows();
    let expected = plain.into_iter().map(|mut row| {
        row[0] = format!("nas.home:{}", row[0]);
        row[4] = format!("nas.home/{}", row[4]);
        row
    });
    assert_eq!(named, expected.collect::<Vec<_>>());
    let meta = path.metadata().expect("metadata");
    assert_eq!(named[0][4], format!("nas.home/{}:{}", meta.dev(), meta.ino()));
    assert_eq!(named[0][0], format!("nas.home:{}", path.display()));
}

#[test]
fn an_index_with_a_host_is_kept_and_known_again() {
    let sandbox = Sandbox::new();
    for file in ["d/a", "d/b", "d/c"] {
        sandbox.write(file, file);
        support::set_mtime(&sandbox.path(file), 1_000_000, 5);
    }
    let args = ["--host", "nas", "--index", "i.tsv", "d"];
    crawl(&sandbox, &args).expect_status(0).expect_stderr("3 read");
    std::fs::rename(sandbox.path("d/a"), sandbox.path("d/z")).expect("rename");
    std::fs::remove_file(sandbox.path("d/b")).expect("removal");
    let again = crawl(&sandbox, &args).expect_status(0).expect_stderr("0 read").expect_stderr("2 unchanged, 2 gone");
    let mut lines = again.lines();
    lines.sort();
    assert_eq!(String::from_utf8(sandbox.read("i.tsv")).expect("text"), lines.join("\n") + "\n");
    assert!(lines[0].starts_with("nas:/") && lines[0].contains("/d/c\t"), "{lines:?}");
    let young = crawl(&sandbox, &["--host", "nas", "--index", "i.tsv", "--max-age", "1d", "d"]).expect_status(0);
    assert_eq!(young.lines(), lines);
}

#[test]
fn the_index_of_another_host_is_not_believed() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    support::set_mtime(&sandbox.path("d/a"), 1_000_000, 5);
    crawl(&sandbox, &["--host", "nas", "--index", "i.tsv", "d"]).expect_status(0);
    // By numbers alone, it would be known.
    crawl(&sandbox, &["--host", "laptop", "--index", "i.tsv", "d"]).expect_status(0).expect_stderr("1 read");
    crawl(&sandbox, &["-a", "--index", "i.tsv", "--max-age", "1d", "d"]).expect_status(0).expect_stderr("1 read");
    let index = String::from_utf8(sandbox.read("i.tsv")).expect("text");
    assert!(index.starts_with('/') && index.lines().count() == 1, "{index}");
}

#[test]
fn what_could_not_be_looked_at_stays_remembered_under_its_host() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    sandbox.write("e/b", "b");
    let list = |sandbox: &Sandbox| crawl(sandbox, &["--host", "nas", "--index", "i.tsv", "d", "e"]);
    list(&sandbox).expect_status(0);
    std::fs::rename(sandbox.path("e"), sandbox.path("f")).expect("rename");
    list(&sandbox).expect_status(2).expect_stderr("i.tsv is left as it was");
    assert_eq!(String::from_utf8(sandbox.read("i.tsv")).expect("text").lines().count(), 2);
}

#[test]
fn a_directory_that_is_called_like_a_host_is_spelled_otherwise() {
    let sandbox = Sandbox::new();
    sandbox.write("nas:/x", "x");
    for operand in ["nas:", "nas:/", "nas:/x", "./nas:"] {
        let path = crawl(&sandbox, &[operand]).expect_status(0).column(0);
        assert_eq!(path, ["./nas:/x"], "{operand}");
    }
    assert_eq!(crawl(&sandbox, &[]).expect_status(0).column(0), ["./nas:/x"]);
    let named = crawl(&sandbox, &["--host", "laptop", "nas:"]).expect_status(0).column(0);
    assert_eq!(named, [format!("laptop:{}", sandbox.path("nas:/x").display())]);
}

#[test]
fn what_is_no_name_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for host in ["", "a_b", "a/b", "nas:", "-nas", "nas.", "ä"] {
        let outcome = crawl(&sandbox, &[&format!("--host={host}")]).expect_status(2);
        outcome.expect_stderr(&format!("ms-crawl: --host: \"{host}\" is not the name of a host"));
    }
}
