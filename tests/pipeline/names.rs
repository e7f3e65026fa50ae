//! Hostile names through the whole line, byte for byte.

use crate::support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use support::plan::{escape, undo};
use support::{Sandbox, Seen, name, snapshot};

const LINE: &str = "ms-crawl data | ms-dupes | ms-mv";

fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Seen> {
    let mut all = snapshot(&sandbox.work());
    all.retain(|_, seen| seen.kind == 'f');
    all
}

/// Names that break tools which take a stream of lines lightly.
fn hostile() -> Vec<Vec<u8>> {
    [
        &b"new\nline"[..],
        b"\n",
        b"tab\there",
        b"cr\rhere",
        b"back\\slash",
        b"not\\na\\tnewline",
        b"bad\xff\xfe",
        b"\xc3",
        b"trailing ",
        b" ",
        "em\u{2003}space".as_bytes(),
        "line\u{2028}separator".as_bytes(),
        "\u{feff}mark".as_bytes(),
        "next\u{85}line".as_bytes(),
        b"-rf",
        b"-",
        b"--",
        b"quo\"te,comma",
        b"esc\x1b[31m",
        b"#path",
        b"path",
        b"size",
        &[b'n'; 255],
        &[0xff; 255],
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

/// Each hostile name twice with one content of its own: in `data/keep` and in `data/lose`.
fn hostile_tree() -> Sandbox {
    let sandbox = Sandbox::new();
    for bytes in hostile() {
        for dir in ["keep", "lose"] {
            let path = [b"data/", dir.as_bytes(), b"/", &bytes].concat();
            sandbox.write(name(&path), [b"content of ", &bytes[..]].concat());
        }
    }
    sandbox
}

#[test]
fn hostile_names_go_through_the_whole_line_byte_for_byte() {
    for line in [
        LINE,
        "ms-crawl --csv data | ms-dupes --csv | ms-mv --csv",
        "ms-crawl --header data | ms-dupes --header --csv | ms-mv",
        "ms-crawl data | shuf | ms-dupes | sort | awk -F '\\t' 'NF == 8' | ms-mv",
        "cd data && ms-crawl | ms-dupes --to ../duplicates/data | ms-mv",
    ] {
        let sandbox = hostile_tree();
        let start = snapshot(&sandbox.work());
        sandbox.shell(line).expect_status(0);
        for bytes in hostile() {
            let content = [b"content of ", &bytes[..]].concat();
            let at = |dir: &str| sandbox.path(dir).join(name(&bytes));
            let kept = std::fs::read(at("data/keep")).expect("the one that stays");
            let moved = std::fs::read(at("duplicates/data/lose")).expect("the one that goes");
            assert_eq!((&kept, &moved), (&content, &content), "{line}");
            assert!(at("data/lose").symlink_metadata().is_err());
        }
        undo(&sandbox).expect_status(0);
        assert_eq!(snapshot(&sandbox.work()), start, "{line}");
    }
}

#[test]
fn hostile_names_are_one_printable_line_each_in_every_tool() {
    let sandbox = hostile_tree();
    let names = hostile().len();
    for (line, lines) in [("ms-crawl data", 2 * names), ("ms-crawl data | ms-dupes", names), (LINE, names)] {
        let outcome = sandbox.shell(line).expect_status(0);
        let text = String::from_utf8(outcome.stdout).expect("UTF-8");
        assert_eq!(text.split_terminator('\n').count(), lines, "{line}");
        let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
        assert!(!text.contains(control), "{line}");
    }
}

#[test]
fn hostile_names_are_written_with_the_documented_escapes() {
    let sandbox = hostile_tree();
    let outcome = sandbox.shell("ms-crawl data/lose").expect_status(0);
    let mut expected: Vec<_> = hostile().iter().map(|bytes| escape(&[b"data/lose/", &bytes[..]].concat())).collect();
    expected.sort();
    assert_eq!(outcome.column(0), expected);
}

#[test]
fn hostile_names_in_the_working_directory_are_no_options_and_no_dashes() {
    let sandbox = Sandbox::new();
    for bytes in hostile() {
        sandbox.write(name(&bytes), [b"content of ", &bytes[..]].concat());
    }
    let start = files(&sandbox);
    sandbox.shell("ms-crawl | ms-mv --to q > ../moved").expect_status(0);
    for bytes in hostile() {
        assert!(!sandbox.exists(name(&bytes)));
        assert!(sandbox.exists(name(&[b"q/", &bytes[..]].concat())));
    }
    sandbox.shell("ms-mv ../moved").expect_status(0);
    assert_eq!(files(&sandbox), start);
}
