//! The stream through the real tools: every form of an index is read alike, and every fault in one is found.

use crate::support;

use support::{Outcome, Sandbox, csv_fields, hash, index_line};

const COLUMNS: [&str; 8] = ["path", "hash", "size", "mtime", "id", "dest", "keep", "note"];

/// A tree with duplicates under awkward names, and its index.
fn tree_and_index() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    for name in [
        "plain",
        "tab\tnew\nline",
        "back\\slash",
        "quote\"comma,semi;",
        " spaces ",
        "-dash",
        "\u{2003}em\u{e9}",
        "1234",
        "path",
    ] {
        sandbox.write(format!("d/{name}"), name);
        sandbox.write(format!("d/copy/{name}"), name);
    }
    sandbox.write(support::name(b"d/\xff\xfe"), "not UTF-8");
    sandbox.write(support::name(b"d/copy/\xff\xfe"), "not UTF-8");
    let index = sandbox.run("ms-crawl", &["--sort", "d"], b"").expect_status(0).stdout;
    let index = String::from_utf8(index).expect("streams are UTF-8");
    assert_eq!(index.lines().count(), 20, "{index}");
    sandbox.write("index.tsv", &index);
    (sandbox, index)
}

#[track_caller]
fn plan(sandbox: &Sandbox, args: &[&str], index: &str) -> Outcome {
    sandbox.run("ms-dupes", args, index.as_bytes()).expect_status(0)
}

/// Path, dest and keep, which do not depend on the columns that some forms leave out.
fn essence(outcome: &Outcome) -> Vec<Vec<String>> {
    outcome.rows().into_iter().map(|row| [0, 1, 2, 5, 6].map(|i| row[i].clone()).to_vec()).collect()
}

/// The columns of every line in a new order, under a header that says so.
fn rearranged(index: &str, order: &[usize]) -> String {
    let pick = |fields: &[&str]| order.iter().map(|&i| fields[i]).collect::<Vec<_>>().join("\t") + "\n";
    let rows = index.lines().map(|line| pick(&line.split('\t').collect::<Vec<_>>()));
    pick(&COLUMNS) + &rows.collect::<String>()
}

fn each_line(index: &str, change: impl Fn(&str) -> String) -> String {
    index.lines().map(|line| change(line) + "\n").collect()
}

#[test]
fn header_and_csv_forms_hold_the_same_records() {
    let (sandbox, index) = tree_and_index();
    let crawl = |options: &[&str]| {
        let outcome = sandbox.run("ms-crawl", &[options, &["--sort", "d"]].concat(), b"").expect_status(0);
        outcome.lines()
    };
    let expected: Vec<Vec<String>> = index.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();

    let headed = crawl(&["--header"]);
    assert_eq!(headed[0], COLUMNS[..5].join("\t"));
    assert_eq!(headed[1..], index.lines().collect::<Vec<_>>());
    let csv = crawl(&["--csv"]);
    assert_eq!(csv[0].trim_end_matches('\r'), COLUMNS[..5].join(","));
    let rows: Vec<_> = csv[1..].iter().map(|line| csv_fields(line.trim_end_matches('\r'))).collect();
    assert_eq!(rows, expected);
    assert_eq!(crawl(&["--csv", "--no-header"]), csv[1..]);
    assert_eq!(crawl(&["--no-header"]), index.lines().collect::<Vec<_>>());
}

#[test]
fn a_header_stands_also_over_no_records() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("empty");
    let header =
        |options: &[&str]| sandbox.run("ms-crawl", &[options, &["empty"]].concat(), b"").expect_status(0).lines();
    assert_eq!(header(&["--header"]), [COLUMNS[..5].join("\t")]);
    assert_eq!(header(&["--csv"]).len(), 1);
    assert_eq!(header(&["--csv", "--no-header"]), [""; 0]);
    assert_eq!(plan(&sandbox, &["--header"], "").lines(), [COLUMNS.join("\t")]);
    for only_header in ["path\thash\tsize\n", "path,hash,size\n"] {
        assert!(plan(&sandbox, &[], only_header).stdout.is_empty());
    }
}

#[test]
fn plans_have_eight_columns_in_every_form() {
    let (sandbox, index) = tree_and_index();
    let expected = plan(&sandbox, &[], &index).rows();
    assert_eq!(expected.len(), 10);
    assert!(expected.iter().all(|row| row.len() == 8), "{expected:?}");
    let csv = plan(&sandbox, &["--csv"], &index).lines();
    assert_eq!(csv[0].trim_end_matches('\r'), COLUMNS.join(","));
    assert_eq!(csv[1..].iter().map(|line| csv_fields(line.trim_end_matches('\r'))).collect::<Vec<_>>(), expected);
    let headed = plan(&sandbox, &["--header"], &index).rows();
    assert_eq!(headed[0], COLUMNS);
    assert_eq!(headed[1..], expected);
}

#[test]
fn every_form_that_a_crawl_writes_gives_the_same_plan() {
    let (sandbox, index) = tree_and_index();
    let expected = plan(&sandbox, &[], &index);
    for options in [&["--header"][..], &["--csv"], &["--csv", "--no-header"], &["--no-header"], &["-j", "7"]] {
        let written = sandbox.run("ms-crawl", &[options, &["d"]].concat(), b"").expect_status(0).stdout;
        let read = sandbox.run("ms-dupes", &[""; 0], &written).expect_status(0);
        assert_eq!(read.lines(), expected.lines(), "{options:?}");
    }
}

#[test]
fn line_tools_in_between_change_nothing() {
    let (sandbox, index) = tree_and_index();
    let expected = plan(&sandbox, &[], &index).lines();
    for filter in [
        "sort",
        "sort -r",
        "shuf",
        "tac",
        "grep .",
        "awk '{print}'",
        "awk -F'\\t' -v OFS='\\t' '{$1=$1; print}'",
        "sed -n p",
        "cat - index.tsv",
    ] {
        for form in ["", "--header", "--csv", "--csv --no-header"] {
            if filter == "cat - index.tsv" && form.starts_with("--csv") || filter.contains("OFS") && !form.is_empty() {
                continue;
            }
            let outcome = sandbox.shell(&format!("ms-crawl {form} d | {filter} | ms-dupes")).expect_status(0);
            assert_eq!(outcome.lines(), expected, "{form} | {filter}");
        }
    }
}

#[test]
fn headers_in_the_middle_are_passed_over() {
    let (sandbox, index) = tree_and_index();
    let expected = plan(&sandbox, &[], &index).lines();
    let header = COLUMNS[..5].join("\t") + "\n";
    let (front, back) = index.split_at(index.find("d/p").expect("a line to cut before"));
    for joined in
        [format!("{front}{header}{back}"), format!("{header}{front}{header}{back}{header}"), format!("{index}{header}")]
    {
        assert_eq!(plan(&sandbox, &[], &joined).lines(), expected, "{joined}");
    }
}

#[test]
fn three_columns_are_enough() {
    let sandbox = Sandbox::new();
    let index = index_line("a", "x", 5, "-", "-") + &index_line("b", "x", 5, "-", "-");
    let expected = essence(&plan(&sandbox, &[], &index));
    assert_eq!(expected.len(), 1);
    for count in 3..=5 {
        let cut = each_line(&index, |line| line.split('\t').take(count).collect::<Vec<_>>().join("\t"));
        assert_eq!(essence(&plan(&sandbox, &[], &cut)), expected, "{count} columns in TSV");
        assert_eq!(essence(&plan(&sandbox, &[], &cut.replace('\t', ","))), expected, "{count} columns in CSV");
    }
}

#[test]
fn columns_after_the_eighth_are_ignored() {
    let (sandbox, index) = tree_and_index();
    let expected = plan(&sandbox, &[], &index).lines();
    for more in ["-\t-\t-\tninth", "old-dest\told-keep\told note\t9\t10\t\t12"] {
        let wide = each_line(&index, |line| format!("{line}\t{more}"));
        assert_eq!(plan(&sandbox, &[], &wide).lines(), expected, "{more}");
    }
    let csv = "a,HASH,5,-,-,-,-,-,\"nine, and\",ten\nb,HASH,5,-,-,-,-,-,9,10\n".replace("HASH", &hash(b"x"));
    assert_eq!(plan(&sandbox, &[], &csv).column(0), ["b"]);
}

#[test]
fn a_plan_is_an_index() {
    let (sandbox, index) = tree_and_index();
    let groups = plan(&sandbox, &["-g"], &index);
    let again = sandbox.run("ms-dupes", &[""; 0], &groups.stdout).expect_status(0);
    assert_eq!(again.lines(), plan(&sandbox, &[], &index).lines());
}

#[test]
fn a_header_names_the_columns_in_any_order() {
    let (sandbox, index) = tree_and_index();
    let expected = plan(&sandbox, &[], &index).lines();
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
        assert_eq!(plan(&sandbox, &[], &rearranged(&index, &order)).lines(), expected, "{order:?}");
    }
    let least = essence(&plan(&sandbox, &[], &rearranged(&index, &[2, 1, 0])));
    assert_eq!(least, essence(&plan(&sandbox, &[], &rearranged(&index, &[0, 1, 2]))));
}

#[test]
fn a_header_may_name_columns_that_nobody_knows() {
    let sandbox = Sandbox::new();
    let hash = hash(b"x");
    let tsv = format!("camera\tsize\tpath\trating\thash\nNikon\t5\ta\t3\t{hash}\n\t5\tb\tx\\qy\t{hash}\n");
    assert_eq!(plan(&sandbox, &[], &tsv).column(0), ["b"]);
    let csv = format!("size,\"path\",camera,hash\r\n5,\"a,\"\"1\"\"\",,{hash}\r\n5,b,\"Nikon\",{hash}\r\n");
    let rows = plan(&sandbox, &[], &csv).rows();
    assert_eq!((rows[0][0].as_str(), rows[0][6].as_str()), ("b", "a,\"1\""));
}

#[test]
fn a_file_called_like_a_column_is_no_header() {
    let sandbox = Sandbox::new();
    let index = index_line("path", "x", 4, "-", "-") + &index_line("size", "x", 4, "-", "-");
    assert_eq!(plan(&sandbox, &[], &index).column(0), ["size"]);
}

#[test]
fn escapes_of_either_case_and_of_plain_letters_are_read() {
    let sandbox = Sandbox::new();
    let twice = index_line("\\x41\\xFF", "x", 5, "-", "-") + &index_line("A\\xff", "x", 5, "-", "-");
    assert!(plan(&sandbox, &[], &twice).stdout.is_empty(), "two spellings of one path");
    let rows = plan(&sandbox, &[], &(twice + &index_line("A", "x", 5, "-", "-"))).rows();
    assert_eq!((rows[0][0].as_str(), rows[0][6].as_str()), ("A\\xff", "A"));
}

#[test]
fn csv_may_end_its_lines_as_the_rfc_does() {
    let (sandbox, index) = tree_and_index();
    let csv = sandbox.run("ms-crawl", &["--csv", "d"], b"").expect_status(0);
    let with_returns: String = csv.lines().iter().map(|line| line.trim_end_matches('\r').to_owned() + "\r\n").collect();
    assert_eq!(plan(&sandbox, &[], &with_returns).lines(), plan(&sandbox, &[], &index).lines());
}
