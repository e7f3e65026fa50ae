//! How `ms-crawl --index` replaces FILE: in an order that survives a power cut, and not at all where the disk says no.

use crate::support;

use std::fs;
use support::index::{FILE, crawl, expect_index_of, watch};
use support::trace::{log, traced};
use support::{Mount, Sandbox, needs, needs_root};

/// A tree with its index, and then a file more.
fn grown() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/old", "old");
    crawl(&sandbox, &["d"]).expect_status(0);
    sandbox.old_file("d/young", "young");
    sandbox
}

const ARGS: [&str; 5] = ["-j", "1", "--index", FILE, "d"];

/// FILE.new by the names under which strace may see it.
fn new_file(sandbox: &Sandbox) -> [String; 4] {
    let path = sandbox.work().canonicalize().expect("real path").join("index.tsv.new");
    ["-P".to_owned(), path.display().to_string(), "-P".to_owned(), "index.tsv.new".to_owned()]
}

#[test]
fn where_the_disk_says_no_file_is_as_it_was() {
    if !needs("strace") {
        return;
    }
    let writes = "write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range";
    for (calls, error) in [
        (writes, "ENOSPC"),
        (writes, "EIO"),
        ("fsync,fdatasync", "EIO"),
        ("fsync,fdatasync", "ENOSPC"),
        ("?rename,?renameat,renameat2", "EIO"),
        ("?open,openat,?openat2,?creat", "EACCES"),
    ] {
        let sandbox = grown();
        let before = sandbox.index();
        let paths = new_file(&sandbox);
        let mut strace: Vec<&str> = paths.iter().map(String::as_str).collect();
        let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:error={error}"));
        strace.extend(["-e", &trace, "-e", &inject]);

        let outcome = traced(&sandbox, &strace, "ms-crawl", &ARGS, b"");

        let text = fs::read_to_string(log(&sandbox)).expect("what strace wrote");
        assert!(text.contains("INJECTED"), "{calls} {error} was never met: {text}");
        let outcome = outcome.expect_status(2).expect_stderr("ms-crawl: ");
        assert!(outcome.stderr.contains(FILE), "{calls} {error}: {}", outcome.stderr);
        assert_eq!(sandbox.index(), before, "{calls} {error}");
        // The disk is well again.
        let watched = watch(&sandbox, "ms-crawl", &ARGS);
        watched.outcome.expect_status(0);
        assert!(!watched.opened.contains(&"d/old".to_owned()), "{calls} {error}: {:?}", watched.opened);
        expect_index_of(&sandbox, &["d"]);
    }
}

#[test]
fn a_full_disk_under_file_leaves_it_as_it_was() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let _mount = Mount::tmpfs("size=256k", &sandbox.path("small"));
    sandbox.old_file("d/old", "old");
    let args = ["--index", "small/index.tsv", "d"];
    sandbox.run("ms-crawl", &args, b"").expect_status(0);
    let before = sandbox.read("small/index.tsv");
    for i in 0..2000 {
        sandbox.old_file(format!("d/{i}"), i.to_string());
    }
    sandbox
        .run("ms-crawl", &args, b"")
        .expect_status(2)
        .expect_stderr("small/index.tsv")
        .expect_stderr("No space left");
    assert_eq!(sandbox.read("small/index.tsv"), before);
}

#[test]
fn a_full_disk_under_standard_output_is_exit_2() {
    let sandbox = grown();
    let outcome = sandbox.shell(&format!("ms-crawl --index {FILE} d > /dev/full")).expect_status(2);
    assert!(outcome.stderr.contains("No space left"), "{}", outcome.stderr);
    crawl(&sandbox, &["d"]).expect_status(0);
    expect_index_of(&sandbox, &["d"]);
}

#[test]
fn a_file_of_somebody_else_under_the_name_of_a_temporary_is_never_removed() {
    for name in ["index.tsv.new", "index.tsv.crawl.new"] {
        let sandbox = grown();
        let before = sandbox.index();
        sandbox.write(name, "mine");
        for _ in 0..3 {
            let outcome = crawl(&sandbox, &["d"]).expect_status(2).expect_stderr(name);
            assert!(outcome.stdout.is_empty(), "it is known before anything is crawled");
            assert_eq!((sandbox.read(name), sandbox.index()), (b"mine".to_vec(), before.clone()));
        }
        fs::remove_file(sandbox.path(name)).expect("remove");
        crawl(&sandbox, &["d"]).expect_status(0);
        expect_index_of(&sandbox, &["d"]);
    }
}

#[test]
fn what_a_dead_crawl_has_left_beside_its_companion_is_no_part_of_the_tree() {
    let sandbox = Sandbox::new();
    sandbox.old_file("d/a", "one");
    sandbox.write("d/kept.tsv.crawl.new", "mediastruct-crawl 1\n");
    let outcome = sandbox.run("ms-crawl", &["--index", "d/kept.tsv", "d"], b"").expect_status(0);
    assert_eq!(outcome.column(0), ["d/a"]);
    assert!(!sandbox.exists("d/kept.tsv.crawl.new"));
}
