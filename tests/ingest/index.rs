//! `ms-ingest` with an index on standard input, and what is said of wrong usage.

use crate::support;

use support::plan::Row;
use support::{Outcome, Sandbox, hash, set_mtime};

fn ingest(sandbox: &Sandbox, args: &[&str], index: &str) -> Outcome {
    sandbox.run("ms-ingest", &[&["--to", "photos"], args].concat(), index.as_bytes())
}

/// The first five columns of a row about a file as it is now.
fn listed(sandbox: &Sandbox, path: &str) -> Vec<String> {
    let line = Row::new(sandbox, path, "x").line();
    line.split('\t').take(5).map(str::to_owned).collect()
}

fn line(columns: &[String]) -> String {
    columns.join("\t") + "\n"
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["drop/1.CR2", "drop/1.JPG", "drop/1.xmp", "drop/2.JPG"] {
        set_mtime(&sandbox.write(name, name), 1_562_295_845, 0);
    }
    sandbox
}

#[test]
fn a_hash_is_taken_from_its_row_and_made_where_there_is_none() {
    let sandbox = sandbox();
    let mut known = listed(&sandbox, "drop/2.JPG");
    known[1] = "c0ffee".repeat(10) + "c0ff";
    let mut unknown = listed(&sandbox, "drop/1.JPG");
    unknown[1] = "-".into();
    unknown.truncate(3);
    let outcome = ingest(&sandbox, &[], &(line(&known) + &line(&unknown))).expect_status(0);
    let rows = outcome.rows();
    assert_eq!(rows[0][..5], listed(&sandbox, "drop/1.JPG"));
    assert_eq!(rows[0][1], hash(b"drop/1.JPG"));
    assert_eq!(rows[1][5], "photos/2019/07/20190705_030405_c0ffeec0ffeec0ff.jpg");
}

#[test]
fn sizes_that_no_disk_has_are_refused_and_add_up() {
    let sandbox = sandbox();
    let index: String = ["drop/1.JPG", "drop/2.JPG"].map(|path| format!("{path}\t-\t{}\n", u64::MAX)).concat();
    let outcome = ingest(&sandbox, &[], &index).expect_status(1);
    assert!(outcome.stdout.is_empty());
    outcome.expect_stderr("reading: drop/2.JPG: it was changed since it was listed");
}

#[test]
fn a_file_that_changed_since_stays_with_its_companions() {
    let sandbox = sandbox();
    for column in [2, 3, 4] {
        let mut raw = listed(&sandbox, "drop/1.CR2");
        raw[column] = ["", "", "77", "1.000000000", "1:1"][column].into();
        let mut index = line(&raw);
        for path in ["drop/1.JPG", "drop/1.xmp", "drop/2.JPG"] {
            index.push_str(&line(&listed(&sandbox, path)));
        }
        let outcome = ingest(&sandbox, &[], &index).expect_status(1);
        assert_eq!(outcome.column(0), ["drop/2.JPG"], "{column}");
        outcome
            .expect_stderr("reading: drop/1.CR2: it was changed since it was listed")
            .expect_stderr("planning: drop/1.JPG: it stays with drop/1.CR2, which could not be read")
            .expect_stderr("planning: drop/1.xmp: it stays with drop/1.CR2, which could not be read");
    }
}

#[test]
fn a_file_that_is_gone_is_named_and_the_rest_goes_on() {
    let sandbox = sandbox();
    let index = line(&listed(&sandbox, "drop/2.JPG")) + "drop/none.jpg\t-\t1\n";
    let outcome = ingest(&sandbox, &[], &index).expect_status(1);
    assert_eq!(outcome.column(0), ["drop/2.JPG"]);
    outcome.expect_stderr("ms-ingest: reading: drop/none.jpg: No such file or directory");
}

#[test]
fn a_file_that_is_listed_twice_counts_once() {
    let sandbox = sandbox();
    let known = line(&listed(&sandbox, "drop/2.JPG"));
    let again = known.replace("drop/2.JPG", "./drop//2.JPG");
    let outcome = ingest(&sandbox, &[], &(again.clone() + &known)).expect_status(0);
    assert_eq!(outcome.lines().len(), 1);
    let other = again.replace(&hash(b"drop/2.JPG"), &hash(b"x"));
    let outcome = ingest(&sandbox, &[], &(other + &known)).expect_status(1);
    assert!(outcome.stdout.is_empty());
    outcome.expect_stderr("its records disagree about hash or size");
}

#[test]
fn a_malformed_line_ends_it_unless_it_is_to_be_skipped() {
    let sandbox = sandbox();
    let index = line(&listed(&sandbox, "drop/2.JPG")) + "drop/1.JPG\tx\t1\n";
    let outcome = ingest(&sandbox, &[], &index).expect_status(2).expect_stderr("1 malformed line");
    assert!(outcome.stdout.is_empty());
    let outcome = ingest(&sandbox, &["--skip-bad-lines"], &index).expect_status(1);
    assert_eq!(outcome.column(0), ["drop/2.JPG"]);
}

#[test]
fn an_empty_index_gives_an_empty_plan() {
    let sandbox = Sandbox::new();
    let outcome = ingest(&sandbox, &["-"], "").expect_status(0);
    assert!(outcome.stdout.is_empty());
    let outcome = ingest(&sandbox, &["--csv"], "").expect_status(0);
    assert_eq!(outcome.lines(), ["path,hash,size,mtime,id,dest,keep,note"]);
}

#[test]
fn wrong_usage_is_named_and_nothing_is_written() {
    let sandbox = sandbox();
    for (args, message) in [
        (&["drop"][..], "--to: the directory where files are to go is missing"),
        (&["--to", "", "drop"], "--to: \"\" is not a path"),
        (&["--to", "p", "--template", "%Y/%Q", "drop"], "--template: \"%Y/%Q\" does not do: %Q at character 4"),
        (&["--to", "p", "--template", "../{hash}", "drop"], "a name in it is . or .."),
        (&["--to", "p", "--tz", "Berlin", "drop"], "--tz: \"Berlin\" is not a time zone"),
        (&["--to", "p", "--qt-time", "gmt", "drop"], "--qt-time: \"gmt\" is not one of auto, utc, local"),
        (&["--to", "p", "--sidecar", "only", "drop"], "--sidecar: \"only\" is not one of fallback, prefer"),
        (&["--to", "p", "--exclude", "x"], "--exclude: is for directories"),
        (&["--to", "p", "--hash", "none", "drop"], "--hash: there is no such option"),
        (&["--to", "p", "--sort", "drop"], "--sort: there is no such option"),
    ] {
        let outcome = sandbox.run("ms-ingest", args, b"").expect_status(2).expect_stderr(message);
        assert!(outcome.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_crawl_of_its_own_heeds_the_options_of_a_crawl() {
    let sandbox = sandbox();
    sandbox.write("list", "drop/1.CR2\0drop/2.JPG");
    let outcome = ingest(&sandbox, &["--exclude", "1.*", "-a", "drop"], "").expect_status(0);
    assert_eq!(outcome.column(0), [sandbox.path("drop/2.JPG").to_str().expect("UTF-8")]);
    let outcome = ingest(&sandbox, &["-0", "--files-from", "list"], "").expect_status(0);
    assert_eq!(outcome.column(0), ["drop/1.CR2", "drop/2.JPG"]);
    ingest(&sandbox, &["nowhere"], "").expect_status(1).expect_stderr("nowhere: No such file or directory");
}

#[test]
fn a_very_large_file_is_hashed_as_any_other() {
    let sandbox = Sandbox::new();
    let size = (64 << 20) + 5;
    let path = sandbox.write("drop/large.bin", "x");
    std::fs::File::options().write(true).open(path).and_then(|file| file.set_len(size)).expect("a hole");
    sandbox.write("drop/small.bin", "x");
    let crawled = sandbox.shell("ms-crawl -q --sort drop").expect_status(0);
    for jobs in ["1", "3"] {
        let outcome = ingest(&sandbox, &["-j", jobs, "drop"], "").expect_status(0);
        let listed: Vec<Vec<String>> = outcome.rows().into_iter().map(|row| row[..5].to_vec()).collect();
        assert_eq!(listed, crawled.rows());
    }
}
