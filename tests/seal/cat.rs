//! `ms-seal --cat` and listings that somebody has edited by hand.

use crate::support;

use support::Sandbox;
use support::archive::moved;

/// Two volumes; the listing of the first has got another line.
fn edited(line: &[u8]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/a.jpg", "first");
    sandbox.put_archived("0002/2013/b.jpg", "second");
    let rows = [moved(&sandbox, "0001/2012/a.jpg", (1, 1)), moved(&sandbox, "0002/2013/b.jpg", (1, 1))];
    sandbox.seal_rows(&rows).expect_status(0);
    let listing = [&sandbox.read("Archive/catalog/0001.tsv"), line, b"\n"].concat();
    sandbox.write("Archive/catalog/0001.tsv", listing);
    sandbox
}

#[test]
fn a_malformed_line_is_named_and_the_others_are_written() {
    let lines: [(&[u8], &str); 5] = [
        (b"0001/\x1b]0;owned\x07\t-\t1\t-\t-", "column 1 (path)"),
        (b"0001/2012/\xff\t-\t1\t-\t-", "column 1 (path)"),
        (b"0001/c\t-\tmany\t-\t-", "column 3 (size)"),
        (b"0001/c", "1 columns"),
        (b"0001/c\t-\t1\t-\t-\t-\t-\t-\t\x1b[2J", "2"),
    ];
    for (line, problem) in lines {
        for format in [&["--cat"][..], &["--cat", "--csv"], &["--cat", "--header"]] {
            let sandbox = edited(line);
            let outcome = sandbox.run_seal(format);
            let all = [&outcome.stdout[..], outcome.stderr.as_bytes()].concat();
            let is_raw = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t');
            assert!(!all.iter().any(is_raw), "{format:?}: {:?}", String::from_utf8_lossy(&all));
            assert!(!outcome.stderr.contains("standard output"), "{}", outcome.stderr);
            let records = outcome.lines().iter().filter(|line| line.starts_with("Archive/")).count();
            if line.len() > 20 && line.ends_with(b"J") {
                // What comes after the eighth column is nobody's.
                assert_eq!((outcome.status, records), (0, 3), "{}", outcome.stderr);
                continue;
            }
            assert_eq!((outcome.status, records), (1, 2), "{format:?} {}", outcome.stderr);
            outcome.expect_stderr("reading: Archive/catalog/0001.tsv:2: ").expect_stderr(problem);
        }
    }
}

#[test]
fn every_record_has_the_five_columns_of_an_index() {
    let sandbox = edited(b"0001/2012/c.jpg\t-\t1");
    let fields: Vec<usize> = sandbox.run_seal(&["--cat"]).expect_status(0).rows().iter().map(Vec::len).collect();
    assert_eq!(fields, [5, 5, 5]);
    let csv = sandbox.run_seal(&["--cat", "--csv"]).expect_status(0).lines();
    assert_eq!(csv[2], "Archive/0001/2012/c.jpg,-,1,-,-");
}

#[test]
fn what_leads_out_of_its_volume_is_no_record_of_it() {
    for path in ["0002/2013/b.jpg", "0001/../../etc/passwd", "/etc/passwd", "0001"] {
        let sandbox = edited(format!("{path}\t-\t1\t-\t-").as_bytes());
        let outcome = sandbox.run_seal(&["--cat"]).expect_status(1);
        assert_eq!(outcome.lines().len(), 2, "{path}");
        outcome.expect_stderr("reading: Archive/catalog/0001.tsv:2: ").expect_stderr("leads out of the volume");
    }
}
