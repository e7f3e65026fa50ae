//! Faults in a stream: each is named by file, line and column, and nothing is planned from it.

use crate::support;

use support::{Sandbox, hash, index_line};

fn good(path: &str) -> String {
    index_line(path, "x", 5, "1.000000000", "1:1").replace("1:1", "-")
}

/// Lines that no reader takes, with the number of the column that is at fault where there is one.
fn malformed_lines() -> Vec<(String, &'static str)> {
    let h = hash(b"x");
    let upper = h.to_uppercase();
    vec![
        (String::new(), ""),
        ("p".to_owned(), ""),
        (format!("p\t{h}"), ""),
        (format!("\t{h}\t5\t-\t-"), "column 1"),
        (format!("-\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\\qb\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\\\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\\x4\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\\xg0\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\\x00b\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\x01b\t{h}\t5\t-\t-"), "column 1"),
        (format!("a\x7fb\t{h}\t5\t-\t-"), "column 1"),
        (format!("p\t{}\t5\t-\t-", &h[1..]), "column 2"),
        (format!("p\t{h}0\t5\t-\t-"), "column 2"),
        (format!("p\t{upper}\t5\t-\t-"), "column 2"),
        (format!("p\t{}g\t5\t-\t-", &h[1..]), "column 2"),
        ("p\t\t5\t-\t-".to_owned(), "column 2"),
        (format!("p\t{h}\tabc\t-\t-"), "column 3"),
        (format!("p\t{h}\t-\t-\t-"), "column 3"),
        (format!("p\t{h}\t-5\t-\t-"), "column 3"),
        (format!("p\t{h}\t+5\t-\t-"), "column 3"),
        (format!("p\t{h}\t5.0\t-\t-"), "column 3"),
        (format!("p\t{h}\t\t-\t-"), "column 3"),
        (format!("p\t{h}\t18446744073709551616\t-\t-"), "column 3"),
        (format!("p\t{h}\t5\t12\t-"), "column 4"),
        (format!("p\t{h}\t5\t12.5\t-"), "column 4"),
        (format!("p\t{h}\t5\t12.0000000000\t-"), "column 4"),
        (format!("p\t{h}\t5\t+12.000000000\t-"), "column 4"),
        (format!("p\t{h}\t5\tyesterday\t-"), "column 4"),
        (format!("p\t{h}\t5\t-\t12"), "column 5"),
        (format!("p\t{h}\t5\t-\t1:x"), "column 5"),
        (format!("p\t{h}\t5\t-\t1:2:3"), "column 5"),
        (format!("p\t{h}\t5\t-\t-\t\\q"), "column 6"),
        (format!("p\t{h}\t5\t-\t-\t-\t\\q"), "column 7"),
    ]
}

#[test]
fn every_malformed_line_is_named_and_nothing_is_planned() {
    let sandbox = Sandbox::new();
    for (bad, column) in malformed_lines() {
        let stream = format!("{}{bad}\n{}", good("a"), good("b"));
        let outcome = sandbox.run("ms-dupes", &[""; 0], stream.as_bytes());
        assert_eq!(outcome.status, 2, "{bad:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{bad:?}");
        let place =
            if column.is_empty() { "standard input:2: ".to_owned() } else { format!("standard input:2: {column} ") };
        assert!(outcome.stderr.contains(&place), "{bad:?}: {place:?} is not in {}", outcome.stderr);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_malformed() {
    let sandbox = Sandbox::new();
    let stream = [good("a").as_bytes(), b"\xff\t", &good("x").as_bytes()[2..], good("b").as_bytes()].concat();
    let outcome = sandbox.run("ms-dupes", &[""; 0], &stream).expect_status(2).expect_stderr("standard input:2: ");
    assert!(outcome.stdout.is_empty());
}

#[test]
fn the_message_names_file_line_column_and_what_was_wrong() {
    let sandbox = Sandbox::new();
    sandbox.write("fine.tsv", good("a") + &good("b"));
    sandbox.write("bad.tsv", good("c") + &good("d") + &format!("e\t{}\tabc\n", hash(b"x")));
    sandbox
        .run("ms-dupes", &["fine.tsv", "bad.tsv"], b"")
        .expect_status(2)
        .expect_stderr("ms-dupes: reading: bad.tsv:3: column 3 (size): \"abc\" is not a whole number of bytes");
}

#[test]
fn bad_lines_can_be_skipped_but_are_named_each() {
    let sandbox = Sandbox::new();
    for (bad, _) in malformed_lines() {
        let stream = format!("{}{bad}\n{}{bad}\n", good("a"), good("b"));
        let outcome = sandbox.run("ms-dupes", &["-q", "--skip-bad-lines"], stream.as_bytes()).expect_status(1);
        assert_eq!(outcome.column(0), ["b"], "{bad:?}");
        assert!(
            outcome.stderr.contains("standard input:2: ") && outcome.stderr.contains("standard input:4: "),
            "{}",
            outcome.stderr
        );
    }
    let clean = sandbox.run("ms-dupes", &["--skip-bad-lines"], (good("a") + &good("b")).as_bytes()).expect_status(0);
    assert_eq!(clean.column(0), ["b"]);
}

#[test]
fn a_stream_cut_anywhere_is_never_acted_on() {
    let sandbox = Sandbox::new();
    let whole = good("a") + &good("b") + &good("c");
    let third = good("a").len() * 2;
    for cut in [whole.len() - 1, whole.len() - 2, third + 1, third + 10, third + 66, third + 68] {
        for args in [&[][..], &["--skip-bad-lines"]] {
            let outcome = sandbox.run("ms-dupes", args, &whole.as_bytes()[..cut]);
            assert_eq!(outcome.status, 2, "cut after {cut} bytes, {args:?}: {}", outcome.stderr);
            assert!(outcome.stdout.is_empty(), "cut after {cut} bytes, {args:?}");
            assert!(outcome.stderr.contains("standard input:3"), "{}", outcome.stderr);
        }
    }
    let at_a_line_end = sandbox.run("ms-dupes", &[""; 0], &whole.as_bytes()[..third]).expect_status(0);
    assert_eq!(at_a_line_end.column(0), ["b"]);
}

#[test]
fn a_cut_csv_is_never_acted_on() {
    let sandbox = Sandbox::new();
    let row = |path: &str| format!("\"{path}\",{},5\n", hash(b"x"));
    let whole = format!("path,hash,size\n{}{}{}", row("a"), row("b"), row("c"));
    let last = whole.len() - row("c").len();
    for cut in [whole.len() - 1, last + 1, last + 2, last + 20] {
        let outcome = sandbox.run("ms-dupes", &[""; 0], &whole.as_bytes()[..cut]);
        assert_eq!(outcome.status, 2, "cut after {cut} bytes: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "cut after {cut} bytes");
    }
    assert_eq!(sandbox.run("ms-dupes", &[""; 0], whole.as_bytes()).expect_status(0).column(0), ["b", "c"]);
}

#[test]
fn a_fault_in_csv_is_named_by_its_line() {
    let sandbox = Sandbox::new();
    let row = |path: &str, size: &str| format!("{path},{},{size}\n", hash(b"x"));
    for bad in [row("c", "abc"), "c\n".to_owned(), row("", "5"), row("a\\q", "5")] {
        let stream = format!("path,hash,size\n{}{}{bad}{}", row("a", "5"), row("b", "5"), row("d", "5"));
        let outcome =
            sandbox.run("ms-dupes", &[""; 0], stream.as_bytes()).expect_status(2).expect_stderr("standard input:4: ");
        assert!(outcome.stdout.is_empty(), "{bad:?}");
        let skipped = sandbox.run("ms-dupes", &["--skip-bad-lines"], stream.as_bytes()).expect_status(1);
        assert_eq!(skipped.column(0), ["b", "d"], "{bad:?}");
    }
}

#[test]
fn a_later_header_of_another_order_is_malformed() {
    let sandbox = Sandbox::new();
    let stream = format!("path\thash\tsize\n{}hash\tpath\tsize\n", good("a"));
    let outcome =
        sandbox.run("ms-dupes", &[""; 0], stream.as_bytes()).expect_status(2).expect_stderr("standard input:3: ");
    assert!(outcome.stdout.is_empty());
}

#[test]
fn binary_input_is_refused_without_a_panic() {
    let sandbox = Sandbox::new();
    let noise: Vec<u8> = (0..100_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    for input in [&noise[..], b"\0\0\0\0\n", b"\n", b"\t\t\t\n", b"\"\n", b"\xef\xbb\xbfpath\thash\tsize\n\t\t\n"] {
        let outcome = sandbox.run("ms-dupes", &[""; 0], input).expect_status(2);
        assert!(outcome.stdout.is_empty());
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    }
}
