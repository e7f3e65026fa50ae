//! `ms-crawl`: what a record says, how operands are spelled, what is hashed.

use crate::support;

use std::os::unix::fs::MetadataExt as _;
use support::{Sandbox, hash, set_mtime};

/// A content whose blocks differ, so that one read at a wrong place shows in the hash.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251 + i / 65_521).to_le_bytes()[0]).collect()
}

/// The paths that a crawl prints, sorted; the crawl must succeed.
#[track_caller]
fn paths(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    sandbox.run("ms-crawl", args, b"").expect_status(0).column(0)
}

#[test]
fn a_record_has_path_hash_size_mtime_and_id() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("dir/a.txt", "hello");
    set_mtime(&file, 1_500_000_000, 123_456_789);
    let meta = file.metadata().expect("metadata");

    let rows = sandbox.run("ms-crawl", &["dir"], b"").expect_status(0).rows();

    let id = format!("{}:{}", meta.dev(), meta.ino());
    assert_eq!(rows, [["dir/a.txt", &hash(b"hello"), "5", "1500000000.123456789", &id]]);
}

#[test]
fn times_before_1970_count_backwards() {
    let sandbox = Sandbox::new();
    for (name, seconds, nanoseconds) in [("a", -1, 500_000_000), ("b", -2, 750_000_000), ("c", -1, 0), ("d", 0, 1)] {
        set_mtime(&sandbox.write(format!("t/{name}"), name), seconds, nanoseconds);
    }

    let times: Vec<_> = sandbox
        .run("ms-crawl", &["--sort", "t"], b"")
        .expect_status(0)
        .rows()
        .into_iter()
        .map(|row| row[3].clone())
        .collect();

    assert_eq!(times, ["-0.500000000", "-1.250000000", "-1.000000000", "0.000000001"]);
}

#[test]
fn every_content_gets_its_blake3_whatever_its_size() {
    let sandbox = Sandbox::new();
    let edges = [0, 1, 1024, 4096, 16_384, 65_536, 131_072, 1 << 20, 4 << 20, 16 << 20];
    let sizes: Vec<usize> = edges.iter().flat_map(|&edge: &usize| [edge.saturating_sub(1), edge, edge + 1]).collect();
    for &size in &sizes {
        sandbox.write(format!("d/{size}"), bytes(size));
    }

    let rows = sandbox.run("ms-crawl", &["d"], b"").expect_status(0).rows();

    for &size in &sizes {
        let row = rows
            .iter()
            .find(|row| row[0] == format!("d/{size}"))
            .unwrap_or_else(|| panic!("no record of {size} bytes"));
        assert_eq!(row[1], hash(&bytes(size)), "hash of {size} bytes");
        assert_eq!(row[2], size.to_string());
    }
}

#[test]
fn the_number_of_jobs_changes_nothing_but_the_order() {
    let sandbox = Sandbox::new();
    for i in 0..300 {
        sandbox.write(format!("d/{}/{}/{i}", i % 7, i % 3), bytes(i * 97));
    }
    sandbox.write("d/large", bytes(8 << 20));

    let one = sandbox.run("ms-crawl", &["--sort", "-j", "1", "d"], b"").expect_status(0);
    let many = sandbox.run("ms-crawl", &["--sort", "-j", "16", "d"], b"").expect_status(0);
    let mut unsorted = sandbox.run("ms-crawl", &["--jobs=4", "d"], b"").expect_status(0).rows();
    unsorted.sort();

    assert_eq!(one.rows().len(), 301);
    assert_eq!(one.stdout, many.stdout);
    let mut sorted = one.rows();
    sorted.sort();
    assert_eq!(sorted, unsorted);
}

#[test]
fn paths_are_spelled_as_find_spells_them() {
    let sandbox = Sandbox::new();
    sandbox.write("d/sub/a", "a");
    let absolute = sandbox.path("d").into_os_string().into_string().expect("a plain name");
    let inside_absolute = format!("{absolute}/sub/a");
    let cases = [
        (".", "./d/sub/a"),
        ("./", "./d/sub/a"),
        ("d", "d/sub/a"),
        ("d/", "d/sub/a"),
        ("./d", "./d/sub/a"),
        ("../desk/d", "../desk/d/sub/a"),
        ("d/sub/a", "d/sub/a"),
        (absolute.as_str(), inside_absolute.as_str()),
    ];
    for (operand, path) in cases {
        assert_eq!(paths(&sandbox, &[operand]), [path], "operand {operand}");
    }
}

#[test]
fn without_an_operand_the_working_directory_is_crawled() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a");
    sandbox.write("d/b", "b");
    assert_eq!(paths(&sandbox, &[]), ["./a", "./d/b"]);
}

#[test]
fn an_empty_directory_gives_nothing() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("empty");
    let outcome = sandbox.run("ms-crawl", &["empty"], b"").expect_status(0);
    assert!(outcome.stdout.is_empty());
}

#[test]
fn names_that_look_like_options_are_files_after_two_dashes() {
    let sandbox = Sandbox::new();
    sandbox.write("-x", "x");
    sandbox.write("--sort/y", "y");
    assert_eq!(paths(&sandbox, &["--", "-x", "--sort"]), ["--sort/y", "-x"]);
}

#[test]
fn a_file_called_dash_is_never_written_bare() {
    let sandbox = Sandbox::new();
    sandbox.write("-", "dash");
    let outcome = sandbox.run("ms-crawl", &["--files-from", "list"], b"");
    assert_eq!(outcome.status, 2, "a list that is not there");
    sandbox.write("list", "-\n");
    assert_eq!(paths(&sandbox, &["--files-from", "list"]), ["./-"]);
}

#[test]
fn symbolic_links_in_a_tree_are_passed_over_in_silence() {
    let sandbox = Sandbox::new();
    sandbox.write("d/real", "x");
    sandbox.write("elsewhere/file", "y");
    sandbox.symlink("real", "d/to-file");
    sandbox.symlink("../elsewhere", "d/to-dir");
    sandbox.symlink("nowhere", "d/dangling");

    let outcome = sandbox.run("ms-crawl", &["-q", "d"], b"").expect_status(0);

    assert_eq!(outcome.column(0), ["d/real"]);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn an_operand_that_is_a_symbolic_link_is_followed() {
    let sandbox = Sandbox::new();
    sandbox.write("real/a", "x");
    sandbox.symlink("real", "door");
    sandbox.symlink("real/a", "file-door");
    assert_eq!(paths(&sandbox, &["door"]), ["door/a"]);
    let rows = sandbox.run("ms-crawl", &["file-door"], b"").expect_status(0).rows();
    assert_eq!(rows[0][0], "file-door");
    assert_eq!(rows[0][1..3], [hash(b"x"), "1".to_owned()]);
}

#[test]
fn sort_orders_by_the_bytes_of_the_path() {
    let sandbox = Sandbox::new();
    for name in ["b", "B", "a-", "a/x", "a.b", "a0", "é", "Z/z", "~"] {
        sandbox.write(format!("d/{name}"), name);
    }
    let printed: Vec<_> = sandbox
        .run("ms-crawl", &["--sort", "d"], b"")
        .expect_status(0)
        .rows()
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(printed, ["d/B", "d/Z/z", "d/a-", "d/a.b", "d/a/x", "d/a0", "d/b", "d/~", "d/é"]);
}

#[test]
fn sort_orders_by_path_and_not_by_its_escapes() {
    let sandbox = Sandbox::new();
    // Escaped, a newline begins with a backslash and would come after the letter.
    sandbox.write("d/A", "1");
    sandbox.write("d/\n", "2");
    let printed: Vec<_> = sandbox
        .run("ms-crawl", &["--sort", "d"], b"")
        .expect_status(0)
        .rows()
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(printed, ["d/\\n", "d/A"]);
}

#[test]
fn absolute_makes_every_path_start_at_the_root() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    let here = sandbox.work().canonicalize().expect("working directory");
    let expected = here.join("d/a").into_os_string().into_string().expect("a plain name");
    assert_eq!(paths(&sandbox, &["-a", "d"]), [expected.as_str()]);
    assert_eq!(paths(&sandbox, &["--absolute", "./d/"]), [expected.as_str()]);
    assert_eq!(paths(&sandbox, &["-a"]), [expected.as_str()]);
}

#[test]
fn hash_none_reads_no_content() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "same");
    sandbox.write("d/b", "same");
    let rows = sandbox.run("ms-crawl", &["--hash", "none", "d"], b"").expect_status(0).rows();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row[1] == "-" && row[2] == "4"), "{rows:?}");
}

#[test]
fn hash_dups_hashes_what_can_have_a_duplicate_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("d/alone", "the only one of its size");
    sandbox.write("d/copy1", bytes(70_000));
    sandbox.write("d/copy2", bytes(70_000));
    sandbox.write("d/empty", "");
    let rows = sandbox.run("ms-crawl", &["--hash=dups", "--sort", "d"], b"").expect_status(0).rows();
    let hashes: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
    let copy = hash(&bytes(70_000));
    assert_eq!(hashes, ["-".to_owned(), copy.clone(), copy, hash(b"")]);
}

#[test]
fn two_names_of_one_file_are_no_candidates_for_hash_dups() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "linked");
    sandbox.hard_link("d/a", "d/b");
    let rows = sandbox.run("ms-crawl", &["--hash", "dups", "d"], b"").expect_status(0).rows();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row[1] == "-"), "{rows:?}");
}

#[test]
fn quiet_means_not_a_word_and_otherwise_there_is_a_summary() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    let quiet = sandbox.run("ms-crawl", &["-q", "d"], b"").expect_status(0);
    assert_eq!(quiet.stderr, "");
    let plain = sandbox.run("ms-crawl", &["d"], b"").expect_status(0);
    assert!(plain.stderr.starts_with("ms-crawl: "), "{}", plain.stderr);
    assert_eq!(plain.stdout, quiet.stdout);
}

#[test]
fn progress_shows_when_asked_and_not_on_a_pipe_by_itself() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", bytes(1 << 20));
    let draws = |when: &str| {
        let stderr = sandbox.run("ms-crawl", &["--progress", when, "d"], b"").expect_status(0).stderr;
        stderr.split(['\r', '\n', '\x1b']).filter(|piece| !piece.is_empty()).count()
    };
    assert!(draws("always") > draws("never"));
    assert_eq!(draws("auto"), draws("never"), "stderr is a pipe here");
}

#[test]
fn mapping_large_files_gives_the_index_that_reading_gives() {
    let sandbox = Sandbox::new();
    for (name, size) in [("small", 1000), ("window", 4 << 20), ("odd", (9 << 20) + 7), ("pieces", (65 << 20) + 1)] {
        sandbox.write(format!("d/{name}"), bytes(size));
    }
    let read = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0);
    for hashing in ["all", "dups"] {
        let args = ["--sort", "--mmap", "--hash", hashing, "d"];
        let mapped = sandbox.run("ms-crawl", &args, b"").expect_status(0);
        assert_eq!(mapped.column(0), read.column(0), "{hashing}");
        assert!(hashing == "dups" || mapped.stdout == read.stdout);
    }
}

#[test]
fn the_index_that_is_being_written_is_no_part_of_itself() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "a");
    let outcome = sandbox.shell("ms-crawl d > d/index.tsv").expect_status(0).expect_stderr("d/index.tsv: left out");
    assert!(outcome.stdout.is_empty());
    let index = String::from_utf8(sandbox.read("d/index.tsv")).expect("an index");
    assert!(index.starts_with("d/a\t") && index.lines().count() == 1, "{index}");
}
