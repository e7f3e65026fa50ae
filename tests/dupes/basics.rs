//! `ms-dupes`: what is a duplicate, where it goes, and what the other outputs say.

use crate::support;

use support::{Outcome, Sandbox, hash, index_line};

/// A record about which only path, content and file matter.
fn line(path: &str, content: &str, id: &str) -> String {
    index_line(path, content, 10, "1000.000000000", id)
}

#[track_caller]
fn plan(sandbox: &Sandbox, args: &[&str], index: &str) -> Outcome {
    sandbox.run("ms-dupes", args, index.as_bytes()).expect_status(0)
}

/// Path and keeper of every row, in the order printed.
fn moves(outcome: &Outcome) -> Vec<(String, String)> {
    outcome.rows().into_iter().map(|row| (row[0].clone(), row[6].clone())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|&(path, keep)| (path.to_owned(), keep.to_owned())).collect()
}

/// The plan for real files by both ways to hash, which must agree.
#[track_caller]
fn plan_of_tree(sandbox: &Sandbox, args: &[&str]) -> Vec<(String, String)> {
    let [all, dups] = ["all", "dups"].map(|how| {
        let index = sandbox.run("ms-crawl", &["--hash", how, "d"], b"").expect_status(0);
        sandbox.run("ms-dupes", args, &index.stdout).expect_status(0)
    });
    assert_eq!(all.lines(), dups.lines(), "--hash all and --hash dups");
    moves(&all)
}

#[test]
fn no_input_no_plan() {
    let sandbox = Sandbox::new();
    for args in [&[][..], &["-u"], &["-g"], &["--protect", "."]] {
        assert!(plan(&sandbox, args, "").stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_row_says_what_goes_where_and_what_stays() {
    let sandbox = Sandbox::new();
    let index =
        index_line("p/a", "x", 10, "1000.000000000", "7:1") + &index_line("p/b", "x", 10, "2000.500000000", "7:2");
    let rows = plan(&sandbox, &[], &index).rows();
    let note = "keep mtime=1000.000000000 id=7:1";
    assert_eq!(rows, [["p/b", &hash(b"x"), "10", "2000.500000000", "7:2", "duplicates/p/b", "p/a", note]]);
}

#[test]
fn of_three_copies_two_go_and_rows_are_sorted_by_path() {
    let sandbox = Sandbox::new();
    let index = line("c", "x", "1:3")
        + &line("b", "y", "1:4")
        + &line("a", "x", "1:1")
        + &line("b2", "x", "1:2")
        + &line("a2", "y", "1:5");
    assert_eq!(moves(&plan(&sandbox, &[], &index)), pairs(&[("b", "a2"), ("b2", "a"), ("c", "a")]));
}

#[test]
fn another_size_or_another_hash_is_another_content() {
    let sandbox = Sandbox::new();
    let index =
        index_line("a", "x", 10, "-", "-") + &index_line("b", "x", 11, "-", "-") + &index_line("c", "y", 10, "-", "-");
    assert!(plan(&sandbox, &[], &index).stdout.is_empty());
}

#[test]
fn records_without_id_are_files_of_their_own() {
    let sandbox = Sandbox::new();
    let index = index_line("a", "x", 10, "-", "-") + &index_line("b", "x", 10, "-", "-");
    let outcome = plan(&sandbox, &[], &index);
    assert_eq!(moves(&outcome), pairs(&[("b", "a")]));
    assert_eq!(outcome.rows()[0][3..5], ["-", "-"]);
}

#[test]
fn two_hard_links_are_no_duplicate() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "content");
    sandbox.hard_link("d/a", "d/b");
    assert_eq!(plan_of_tree(&sandbox, &[]), []);
}

#[test]
fn a_copy_of_a_file_with_two_names_goes_and_both_names_stay() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "content");
    sandbox.hard_link("d/a", "d/b");
    sandbox.write("d/z", "content");
    assert_eq!(plan_of_tree(&sandbox, &[]), pairs(&[("d/z", "d/a")]));
}

#[test]
fn a_file_with_two_names_goes_with_both() {
    let sandbox = Sandbox::new();
    sandbox.write("d/m", "content");
    sandbox.hard_link("d/m", "d/n");
    sandbox.write("d/a", "content");
    assert_eq!(plan_of_tree(&sandbox, &[]), pairs(&[("d/m", "d/a"), ("d/n", "d/a")]));

    let index = sandbox.run("ms-crawl", &["d"], b"").expect_status(0);
    let dests = sandbox.run("ms-dupes", &[""; 0], &index.stdout).expect_status(0).column(5);
    assert_eq!(dests, ["duplicates/d/m", "duplicates/d/n"]);
}

#[test]
fn names_of_the_loser_on_both_sides_of_the_keeper_go_together() {
    let sandbox = Sandbox::new();
    sandbox.write("d/a", "content");
    sandbox.hard_link("d/a", "d/z");
    sandbox.write("d/k/m", "content");
    assert_eq!(plan_of_tree(&sandbox, &["--prefer", "d/k"]), pairs(&[("d/a", "d/k/m"), ("d/z", "d/k/m")]));
}

#[test]
fn one_byte_files_equal_and_unequal() {
    let sandbox = Sandbox::new();
    for (name, content) in [("a", "1"), ("b", "2"), ("c", "1"), ("e", "3")] {
        sandbox.write(format!("d/{name}"), content);
    }
    assert_eq!(plan_of_tree(&sandbox, &[]), pairs(&[("d/c", "d/a")]));
}

#[test]
fn empty_files_are_left_alone_unless_asked_for() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.write(format!("d/{name}"), "");
    }
    assert_eq!(plan_of_tree(&sandbox, &[]), []);
    assert_eq!(plan_of_tree(&sandbox, &["-g"]), []);
    assert_eq!(plan_of_tree(&sandbox, &["--empty"]), pairs(&[("d/b", "d/a"), ("d/c", "d/a")]));
}

#[test]
fn one_byte_anywhere_makes_another_file() {
    let sandbox = Sandbox::new();
    let size = 300_000;
    let original: Vec<u8> = (0..size).map(|i: usize| (i % 253).to_le_bytes()[0]).collect();
    sandbox.write("d/original", &original);
    for at in [0, 1, 4095, 4096, 4097, 65_535, 65_536, size / 2, size - 4097, size - 4096, size - 1] {
        let mut changed = original.clone();
        changed[at] ^= 1;
        sandbox.write(format!("d/changed-at-{at}"), changed);
    }
    assert_eq!(plan_of_tree(&sandbox, &[]), []);
    sandbox.write("d/zz-copy", &original);
    assert_eq!(plan_of_tree(&sandbox, &[]), pairs(&[("d/zz-copy", "d/original")]));
}

#[test]
fn sizes_around_a_page_are_told_apart() {
    let sandbox = Sandbox::new();
    for size in [4095, 4096, 4097] {
        sandbox.write(format!("d/{size}"), vec![7; size]);
        sandbox.write(format!("d/{size}-last"), [vec![7; size - 1], vec![8]].concat());
        sandbox.write(format!("d/{size}-first"), [vec![8], vec![7; size - 1]].concat());
    }
    assert_eq!(plan_of_tree(&sandbox, &[]), []);
    sandbox.write("d/4096-z", vec![7; 4096]);
    assert_eq!(plan_of_tree(&sandbox, &[]), pairs(&[("d/4096-z", "d/4096")]));
}

#[test]
fn records_without_a_hash_are_no_evidence_but_are_spoken_of() {
    let sandbox = Sandbox::new();
    let index = "a\t-\t77\t-\t1:1\nb\t-\t77\t-\t1:2\nc\t-\t77\t-\t1:3\nalone\t-\t5\t-\t1:4\n";
    let outcome = plan(&sandbox, &[], index).expect_stderr("3").expect_stderr("ms-crawl --hash");
    assert!(outcome.stdout.is_empty());

    let outcome = plan(&sandbox, &[], "a\t-\t77\t-\t1:1\nb\t-\t78\t-\t1:2\n");
    assert!(!outcome.stderr.contains("--hash"), "no two share a size: {}", outcome.stderr);
}

#[test]
fn the_same_path_twice_counts_once() {
    let sandbox = Sandbox::new();
    let index = line("a", "x", "1:1") + &line("a", "x", "1:1");
    assert!(plan(&sandbox, &[], &index).stdout.is_empty());
    let index = line("b", "x", "-") + &line("./b", "x", "-") + &line(".//b", "x", "-");
    assert!(plan(&sandbox, &[], &index).stdout.is_empty(), "spellings of one path");
    let index = index + &line("a", "x", "-");
    assert_eq!(plan(&sandbox, &[], &index).rows().len(), 1);
}

#[test]
fn the_same_path_with_two_hashes_is_left_out_and_named() {
    let sandbox = Sandbox::new();
    let index =
        line("both", "x", "1:1") + &line("y", "x", "1:2") + &line("both", "other", "1:1") + &line("z", "x", "1:3");
    let outcome = sandbox.run("ms-dupes", &[""; 0], index.as_bytes()).expect_status(1).expect_stderr("both: ");
    assert_eq!(moves(&outcome), pairs(&[("z", "y")]));
    let unique = sandbox.run("ms-dupes", &["-u"], index.as_bytes()).expect_status(1);
    assert_eq!(unique.column(0), ["y"]);
}

#[test]
fn unique_prints_one_record_per_content() {
    let sandbox = Sandbox::new();
    let index = line("c", "x", "1:1")
        + &line("a", "y", "1:2")
        + &line("b", "x", "1:3")
        + &line("h", "z", "1:4")
        + &line("i", "z", "1:4");
    for option in ["-u", "--unique"] {
        let rows = plan(&sandbox, &[option], &index).rows();
        assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["a", "b", "h"]);
        assert!(rows.iter().all(|row| row.len() == 8 && row[5] == "-" && row[6] == "-"), "{rows:?}");
    }
}

#[test]
fn unique_passes_records_without_a_hash() {
    let sandbox = Sandbox::new();
    let index = "b\t-\t5\t-\t-\na\t-\t5\t-\t-\n".to_owned() + &line("c", "x", "-") + &line("d", "x", "-");
    assert_eq!(plan(&sandbox, &["-u"], &index).column(0), ["a", "b", "c"]);
}

#[test]
fn groups_start_with_the_one_that_stays() {
    let sandbox = Sandbox::new();
    let index = line("q", "y", "1:1")
        + &line("z", "x", "1:2")
        + &line("b", "y", "1:3")
        + &line("a", "x", "1:4")
        + &line("m", "x", "1:5")
        + &line("alone", "w", "1:6");
    for option in ["-g", "--groups"] {
        let outcome = plan(&sandbox, &[option], &index);
        assert_eq!(moves(&outcome), pairs(&[("a", "-"), ("m", "a"), ("z", "a"), ("b", "-"), ("q", "b")]));
        let dests: Vec<_> = outcome.rows().into_iter().map(|row| row[5].clone()).collect();
        assert_eq!(dests, ["-", "duplicates/m", "duplicates/z", "-", "duplicates/q"]);
    }
}

#[test]
fn groups_fed_back_are_the_same_groups() {
    let sandbox = Sandbox::new();
    let index: String =
        (0..40).map(|i| line(&format!("f{i}"), &format!("c{}", i % 7), &format!("1:{}", i % 23))).collect();
    let groups = plan(&sandbox, &["-g"], &index);
    let again = sandbox.run("ms-dupes", &["-g"], &groups.stdout).expect_status(0);
    assert!(groups.rows().len() > 10);
    assert_eq!(groups.lines(), again.lines());
}

#[test]
fn many_indexes_are_read_as_one() {
    let sandbox = Sandbox::new();
    sandbox.write("one.tsv", line("a", "x", "1:1"));
    sandbox.write("two.tsv", line("b", "x", "1:2"));
    let outcome = plan(&sandbox, &["two.tsv", "one.tsv"], "ignored, as no operand says -");
    assert_eq!(moves(&outcome), pairs(&[("b", "a")]));
    let outcome = plan(&sandbox, &["one.tsv", "-", "two.tsv"], &line("c", "x", "1:3"));
    assert_eq!(moves(&outcome), pairs(&[("b", "a"), ("c", "a")]));
}

#[test]
fn an_index_that_cannot_be_read_is_exit_2_and_no_plan() {
    let sandbox = Sandbox::new();
    sandbox.write("good.tsv", line("a", "x", "1:1") + &line("b", "x", "1:2"));
    sandbox.mkdir("directory");
    for bad in ["missing.tsv", "directory"] {
        let outcome = sandbox.run("ms-dupes", &["good.tsv", bad], b"").expect_status(2).expect_stderr(bad);
        assert!(outcome.stdout.is_empty(), "{bad}");
    }
}

#[test]
fn a_file_a_pipe_and_a_redirected_file_give_the_same_plan() {
    let sandbox = Sandbox::new();
    let index: String =
        (0..50_000).map(|i| line(&format!("d/{i:06}"), &(i % 30_000).to_string(), &format!("1:{i}"))).collect();
    sandbox.write("index.tsv", &index);
    let by_name = plan(&sandbox, &["index.tsv"], "");
    assert_eq!(by_name.rows().len(), 20_000);
    for line in
        ["cat index.tsv | ms-dupes", "ms-dupes < index.tsv", "ms-dupes - < index.tsv", "ms-dupes <(cat index.tsv)"]
    {
        assert!(sandbox.shell(line).expect_status(0).stdout == by_name.stdout, "{line}");
    }
}

#[test]
fn outputs_that_fail_or_close_end_the_tool_as_they_should() {
    let sandbox = Sandbox::new();
    let index: String = (0..5_000).map(|i| line(&format!("d/{i:06}"), "x", &format!("1:{i}"))).collect();
    sandbox.write("index.tsv", &index);
    sandbox.write("small.tsv", line("a", "x", "1:1") + &line("b", "x", "1:2"));
    for (option, file) in [("", "small.tsv"), ("-g", "small.tsv"), ("-u", "small.tsv"), ("", "index.tsv")] {
        sandbox.shell(&format!("ms-dupes {option} {file} > /dev/full")).expect_status(2).expect_stderr("No space left");
    }
    let closed = sandbox.shell("ms-dupes -q index.tsv | head -1; echo \"${PIPESTATUS[0]}\"");
    assert_eq!(closed.lines()[1..], ["0"]);
    assert_eq!(closed.stderr, "");
}

#[test]
fn quiet_means_not_a_word_and_otherwise_there_is_a_summary() {
    let sandbox = Sandbox::new();
    let index = line("a", "x", "1:1") + &line("b", "x", "1:2");
    assert_eq!(plan(&sandbox, &["-q"], &index).stderr, "");
    let plain = plan(&sandbox, &[], &index);
    assert!(plain.stderr.starts_with("ms-dupes: "), "{}", plain.stderr);
}
