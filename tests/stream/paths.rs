//! Names: any bytes that the kernel allows come back byte for byte, in TSV and in CSV, through every tool.

use crate::support;

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use support::{Outcome, Sandbox, csv_fields, unescape};

/// Names as kernels allow them, leaning towards the bytes that have a meaning somewhere.
fn file_name() -> impl Strategy<Value = Vec<u8>> {
    let awkward = prop::sample::select(b"\t\n\r\\\"',;x- .0~\x01\x1b\x7f\x80\xc2\xe2\xff".to_vec());
    let any_byte = any::<u8>().prop_filter("no name holds it", |byte| !matches!(byte, 0 | b'/'));
    let bytes = prop::collection::vec(prop_oneof![awkward, any_byte], 1..=255);
    let text = "[\\PC\\n\\u{80}-\\u{a0}\\u{2000}-\\u{2030}\\u{feff}]{1,60}"
        .prop_map(|text| text.replace('/', "_").into_bytes());
    prop_oneof![bytes, text]
        .prop_filter("names of directories", |name| name != b"." && name != b"..")
        .prop_filter("too long", |name| name.len() <= 255 && !name.contains(&0))
}

/// Every line must be printable: nothing in it can reach a terminal or split it.
#[track_caller]
fn assert_printable(outcome: &Outcome) {
    for line in outcome.lines() {
        let controls =
            line.chars().find(|&c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'));
        assert_eq!(controls, None, "{line:?}");
    }
}

fn decoded(fields: impl Iterator<Item = String>) -> BTreeSet<Vec<u8>> {
    fields.map(|field| unescape(&field)).collect()
}

fn below(directory: &str, names: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    names.iter().map(|name| [directory.as_bytes(), b"/", name].concat()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_name_comes_back_from_tsv_and_csv(names in prop::collection::btree_set(file_name(), 1..12)) {
        let sandbox = Sandbox::new();
        for name in &names {
            // The content is the name, so that each `keep` can be told to be right.
            sandbox.write(OsStr::from_bytes(&[b"d/", &name[..]].concat()), name);
            sandbox.write(OsStr::from_bytes(&[b"e/", &name[..]].concat()), name);
        }
        let tsv = sandbox.run("ms-crawl", &["d", "e"], b"").expect_status(0);
        let csv = sandbox.run("ms-crawl", &["--csv", "d", "e"], b"").expect_status(0);
        assert_printable(&tsv);
        assert_printable(&csv);
        let all: BTreeSet<_> = below("d", &names).union(&below("e", &names)).cloned().collect();
        prop_assert_eq!(tsv.rows().len(), all.len());
        prop_assert_eq!(decoded(tsv.column(0).into_iter()), all.clone());
        let rows = csv.lines().into_iter().skip(1).map(|line| csv_fields(line.trim_end_matches('\r')).swap_remove(0));
        prop_assert_eq!(decoded(rows), all);

        for index in [&tsv, &csv] {
            let plan = sandbox.run("ms-dupes", &[""; 0], &index.stdout).expect_status(0);
            assert_printable(&plan);
            prop_assert_eq!(decoded(plan.column(0).into_iter()), below("e", &names));
            prop_assert_eq!(decoded(plan.column(5).into_iter()), below("duplicates/e", &names));
            for row in plan.rows() {
                let (path, keep) = (unescape(&row[0]), unescape(&row[6]));
                prop_assert_eq!(&path[2..], &keep[2..], "the keeper of a name is its namesake");
            }
        }
    }
}

#[test]
fn names_are_escaped_by_the_letter_of_the_format() {
    let sandbox = Sandbox::new();
    let cases: [(&[u8], &str); 17] = [
        (b"tab\there", "tab\\there"),
        (b"new\nline", "new\\nline"),
        (b"carriage\rreturn", "carriage\\rreturn"),
        (b"back\\slash", "back\\\\slash"),
        (b"back\\nslash", "back\\\\nslash"),
        (b"\x01\x1b\x7f", "\\x01\\x1b\\x7f"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"half \xc3", "half \\xc3"),
        (b"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"),
        ("next line \u{85}".as_bytes(), "next line \\xc2\\x85"),
        ("separators \u{2028}\u{2029}".as_bytes(), "separators \\xe2\\x80\\xa8\\xe2\\x80\\xa9"),
        ("\u{feff}mark".as_bytes(), "\\xef\\xbb\\xbfmark"),
        ("\u{2003}em\u{2003}".as_bytes(), "\u{2003}em\u{2003}"),
        ("caf\u{e9} \u{1f4f7}".as_bytes(), "caf\u{e9} \u{1f4f7}"),
        (b" spaces ", " spaces "),
        (b"-dash", "-dash"),
        (b"quote\"comma,", "quote\"comma,"),
    ];
    for (name, _) in cases {
        sandbox.write(OsStr::from_bytes(&[b"d/", name].concat()), name);
    }
    let printed = sandbox.run("ms-crawl", &["d"], b"").expect_status(0).column(0);
    let mut expected: Vec<_> = cases.iter().map(|(_, written)| format!("d/{written}")).collect();
    expected.sort();
    assert_eq!(printed, expected);
}

#[test]
fn csv_quotes_what_the_rfc_wants_quoted() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a,\"b\"", "x");
    let csv = sandbox.run("ms-crawl", &["--csv", "--no-header", "d"], b"").expect_status(0).lines();
    assert!(csv[0].starts_with("\"d/a,\"\"b\"\"\","), "{csv:?}");
}

#[test]
fn the_longest_names_come_back() {
    let sandbox = Sandbox::new();
    let plain = vec![b'n'; 255];
    let worst = vec![0xff; 255];
    for name in [&plain, &worst] {
        sandbox.write(OsStr::from_bytes(&[b"d/", &name[..]].concat()), "same");
    }
    let index = sandbox.run("ms-crawl", &["d"], b"").expect_status(0);
    let rows = sandbox.run("ms-dupes", &[""; 0], &index.stdout).expect_status(0).rows();
    assert_eq!(unescape(&rows[0][0]), [b"d/", &worst[..]].concat());
    assert_eq!(unescape(&rows[0][6]), [b"d/", &plain[..]].concat());
}

#[test]
fn a_keeper_called_dash_is_told_from_no_keeper() {
    let sandbox = Sandbox::new();
    for (name, content) in [("-", "x"), ("a", "x")] {
        sandbox.write(name, content);
    }
    let index = sandbox.run("ms-crawl", &["--files-from", "-"], b"-\na\n").expect_status(0);
    let rows = sandbox.run("ms-dupes", &[""; 0], &index.stdout).expect_status(0).rows();
    assert_eq!((rows[0][0].as_str(), rows[0][6].as_str()), ("a", "./-"));
}
