//! `ms-report`: what goes in, what comes out, and how it ends.

use crate::support;
use crate::{page, read, row};

use support::pack::shuffled;
use support::{Sandbox, index_line};

fn index() -> String {
    let line = |number: u32| {
        let (year, month) = (2000 + number % 20, 1 + number % 12);
        let path = format!("photos/{year}/{month:02}/IMG_{number}.jpg");
        index_line(&path, &number.to_string(), u64::from(number % 7 * 1000), "1500000000.000000000", "-")
    };
    (0..300).map(line).collect()
}

/// All sorts of rows, several of them alike in what lists are sorted by.
fn mixed() -> String {
    let mut stream = index();
    for number in 0..60 {
        let name = format!("{number}.jpg");
        let keep = format!("photos/{}.jpg", number / 3);
        let quarantine = format!("duplicates/backup{}/{name}", number % 4);
        stream += &row(&format!("backup{}/{name}", number % 4), 500, &quarantine, &keep, "keep mtime=1.000000000");
        let dates = [
            "date=mtime zone=tz precision=second",
            "date=name precision=day",
            "date=none",
            "date=gps:DateStamp zone=tz",
        ];
        stream += &row(&format!("drop/{name}"), 700, &format!("library/2019/07/{name}"), "-", dates[number % 4]);
        let note = format!("volume={} file=1/30 fs=iso capacity=24220008448", 1 + number % 2);
        stream += &row(&format!("old/{name}"), 900, &format!("archive/000{}/2012/{name}", 1 + number % 2), "-", &note);
        stream += &row(&format!("here/{name}"), 300, &format!("there/{number}/{name}"), "-", "-");
    }
    stream
}

#[test]
fn the_order_of_rows_and_the_number_of_threads_do_not_show() {
    let sandbox = Sandbox::new();
    for stream in [index(), mixed()] {
        let first = page(&sandbox, &["-j1"], &stream);
        for seed in 1..4 {
            assert!(page(&sandbox, &["-j4"], &shuffled(&stream, seed)) == first, "{seed}");
        }
    }
}

#[test]
fn every_dialect_gives_the_same_page() {
    let sandbox = Sandbox::new();
    sandbox.write("a/2012/1.jpg", "one");
    sandbox.write("b, \"c\"/2.jpg", "one");
    let page = |format: &str| {
        let line = format!("ms-crawl -q {format} a b* | ms-dupes -q {format} | ms-report -q");
        sandbox.shell(&line).expect_status(0).stdout
    };
    let plain = page("");
    assert!(plain.len() > 1000);
    for format in ["--csv", "--header", "--csv --no-header"] {
        assert!(page(format) == plain, "{format}");
    }
}

#[test]
fn streams_are_named_or_come_by_a_pipe() {
    let sandbox = Sandbox::new();
    sandbox.write("index.tsv", index());
    let named = sandbox.run("ms-report", &["-q", "index.tsv"], b"").expect_status(0);
    assert_eq!(named.stderr, "");
    assert!(named.stdout == page(&sandbox, &["-"], &index()).into_bytes());
    let twice =
        sandbox.run("ms-report", &["index.tsv", "index.tsv"], b"").expect_status(0).expect_stderr("600 records");
    assert!(read(&crate::text(&twice)).contains("600 files"));
    sandbox.run("ms-report", &["none.tsv"], b"").expect_status(2).expect_stderr("reading: none.tsv: ");
}

#[test]
fn nothing_gives_a_page_that_says_so() {
    let sandbox = Sandbox::new();
    assert!(read(&page(&sandbox, &[], "")).contains("Nothing is going to happen"));
    assert!(read(&page(&sandbox, &[], "path\thash\tsize\n")).contains("Nothing is going to happen"));
}

#[test]
fn a_malformed_line_is_named_and_there_is_no_page() {
    let sandbox = Sandbox::new();
    for bad in ["a\t-\tmany\n", "a\t-\n", "a\\q\t-\t1\n", "a\t-\t1\t-\t-\tb\t-\tno\x1btes\n"] {
        let stream = format!("{}{bad}", index());
        let outcome = sandbox.run("ms-report", &[""; 0], stream.as_bytes()).expect_status(2);
        assert!(outcome.stdout.is_empty(), "{bad:?}");
        outcome.expect_stderr("reading: standard input:301: ").expect_stderr("--skip-bad-lines");
        let skipped = sandbox.run("ms-report", &["--skip-bad-lines"], stream.as_bytes()).expect_status(1);
        assert!(skipped.stdout == page(&sandbox, &[], &index()).into_bytes(), "{bad:?}");
        skipped.expect_stderr("standard input:301: ");
    }
    let cut = index();
    let outcome = sandbox.run("ms-report", &["--skip-bad-lines"], cut.trim_end().as_bytes()).expect_status(2);
    assert!(outcome.stdout.is_empty());
    outcome.expect_stderr("the last line is cut off");
}

#[test]
fn a_terminal_gets_no_page() {
    if !support::needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("index.tsv", index());
    let outcome = sandbox.shell("script -qec 'ms-report index.tsv' typescript < /dev/null").expect_status(2);
    let shown = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(shown.contains("standard output is a terminal") && !shown.contains("<html"), "{shown}");
}

#[test]
fn output_that_fails_is_told_and_a_closed_pipe_is_not() {
    let sandbox = Sandbox::new();
    sandbox.write("index.tsv", index());
    sandbox.shell("ms-report index.tsv > /dev/full").expect_status(2).expect_stderr("writing: standard output: ");
    let closed = sandbox.shell("ms-report -q index.tsv | true").expect_status(0);
    assert_eq!(closed.stderr, "");
}

#[test]
fn the_title_is_text() {
    let sandbox = Sandbox::new();
    let page = page(&sandbox, &["--title", "Before </title><script> & after"], &index());
    assert!(page.contains("<title>Before &lt;/title&gt;&lt;script&gt; &amp; after</title>"));
    assert!(!page.contains("<script"));
    for title in ["", " ", "two\nlines"] {
        sandbox.run("ms-report", &["--title", title], b"").expect_status(2).expect_stderr("--title");
    }
    sandbox.run("ms-report", &["--media", "cd", "--capacity", "1G"], b"").expect_status(2).expect_stderr("--media");
}

#[test]
fn what_is_no_stream_at_all_is_told_as_such() {
    let sandbox = Sandbox::new();
    sandbox.write("page.html", "<!DOCTYPE html>\n<html>\n<p>text\n</html>\n");
    let outcome = sandbox.run("ms-report", &["page.html"], b"").expect_status(2);
    assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("--skip-bad-lines"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    outcome.expect_stderr("ms-report: reading: page.html:1: ").expect_stderr("this is no index or plan");
}
