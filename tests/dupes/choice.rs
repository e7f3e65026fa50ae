//! `ms-dupes`: which copy stays (`--keep`, `--prefer`) and where the others go (`--to`).

use crate::support;

use std::collections::BTreeSet;
use support::{Outcome, Sandbox, index_line};

fn line(path: &str, mtime: &str) -> String {
    index_line(path, "x", 10, mtime, "-")
}

fn index(paths: &[&str]) -> String {
    paths.iter().map(|path| line(path, "1000.000000000")).collect()
}

#[track_caller]
fn plan(sandbox: &Sandbox, args: &[&str], index: &str) -> Outcome {
    sandbox.run("ms-dupes", args, index.as_bytes()).expect_status(0)
}

/// The one path that stays of the copies in `index`.
#[track_caller]
fn keeper(args: &[&str], index: &str) -> String {
    let kept: BTreeSet<_> = plan(&Sandbox::new(), args, index).column(6).into_iter().collect();
    assert_eq!(kept.len(), 1, "one copy stays: {kept:?}");
    kept.into_iter().next().expect("one")
}

/// Where the second of two copies goes, with the rows that have no second copy left out.
#[track_caller]
fn dest(sandbox: &Sandbox, args: &[&str], stays: &str, goes: &str) -> String {
    let rows = plan(sandbox, args, &index(&[stays, goes])).rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0][0], goes);
    rows[0][5].clone()
}

#[test]
fn first_keeps_the_smallest_path_by_its_bytes() {
    assert_eq!(keeper(&[], &index(&["b", "a", "c"])), "a");
    assert_eq!(keeper(&["--keep", "first"], &index(&["a", "B"])), "B");
    assert_eq!(keeper(&["--keep=first"], &index(&["a/b", "a-b"])), "a-b");
    assert_eq!(keeper(&[], &index(&["z", "é"])), "z");
}

#[test]
fn first_compares_the_bytes_of_the_path_and_not_its_escapes() {
    // Escaped, a newline begins with a backslash and would come after the letter.
    assert_eq!(keeper(&[], &index(&["A", "\\n"])), "\\n");
    assert_eq!(keeper(&[], &index(&["\\xff", "~"])), "~");
}

#[test]
fn oldest_and_newest_compare_times_as_numbers() {
    let copies =
        line("a", "1000000000.000000000") + &line("b", "999999999.999999999") + &line("c", "1000000000.000000001");
    assert_eq!(keeper(&["--keep", "oldest"], &copies), "b");
    assert_eq!(keeper(&["--keep", "newest"], &copies), "c");
    let before_1970 = line("a", "-0.500000000") + &line("b", "-1.500000000") + &line("c", "-0.250000000");
    assert_eq!(keeper(&["--keep", "oldest"], &before_1970), "b");
    assert_eq!(keeper(&["--keep", "newest"], &before_1970), "c");
}

#[test]
fn shortest_keeps_the_shortest_path() {
    assert_eq!(keeper(&["--keep", "shortest"], &index(&["a/b/c", "zz", "m/n"])), "zz");
}

#[test]
fn ties_go_to_the_smallest_path() {
    let copies = index(&["c", "a", "b"]);
    for rule in ["oldest", "newest", "shortest"] {
        assert_eq!(keeper(&["--keep", rule], &copies), "a", "{rule}");
    }
}

#[test]
fn preferred_directories_win_in_the_order_given_and_over_the_rule() {
    let copies = line("a/x", "1.000000000") + &line("p/x", "5.000000000") + &line("q/x", "9.000000000");
    assert_eq!(keeper(&["--prefer", "q"], &copies), "q/x");
    assert_eq!(keeper(&["--prefer", "q", "--prefer", "p"], &copies), "q/x");
    assert_eq!(keeper(&["--prefer", "p", "--prefer", "q", "--keep", "newest"], &copies), "p/x");
    assert_eq!(keeper(&["--prefer", "elsewhere", "--keep", "newest"], &copies), "q/x");
}

#[test]
fn among_preferred_copies_the_rule_decides() {
    let copies = line("p/a", "9.000000000") + &line("p/b", "1.000000000") + &line("c", "0.000000000");
    assert_eq!(keeper(&["--prefer", "p", "--keep", "oldest"], &copies), "p/b");
    assert_eq!(keeper(&["--prefer", "./p/"], &copies), "p/a", "spelled otherwise");
}

#[test]
fn a_preferred_directory_is_no_prefix_of_a_name() {
    assert_eq!(keeper(&["--prefer", "p"], &index(&["a/x", "pp/x"])), "a/x");
    assert_eq!(keeper(&["--prefer", "p"], &index(&["a/x", "p/deep/er/x"])), "p/deep/er/x");
}

#[test]
fn a_file_is_preferred_by_any_of_its_names() {
    let copies = index_line("a", "x", 10, "-", "1:1")
        + &index_line("m", "x", 10, "-", "1:2")
        + &index_line("p/m", "x", 10, "-", "1:2");
    let rows = plan(&Sandbox::new(), &["--prefer", "p"], &copies).rows();
    assert_eq!(rows.len(), 1, "both names of the preferred file stay: {rows:?}");
    assert_eq!(rows[0][0], "a");
}

#[test]
fn the_choice_shows_in_unique_and_groups() {
    let copies = line("a", "9.000000000") + &line("b", "1.000000000");
    let sandbox = Sandbox::new();
    assert_eq!(plan(&sandbox, &["-u", "--keep", "oldest"], &copies).column(0), ["b"]);
    assert_eq!(plan(&sandbox, &["-g", "--keep", "oldest"], &copies).rows()[0][0], "b");
}

#[test]
fn dest_is_the_quarantine_plus_the_whole_source_path() {
    let sandbox = Sandbox::new();
    assert_eq!(dest(&sandbox, &[], "a", "b/c"), "duplicates/b/c");
    assert_eq!(dest(&sandbox, &[], "-a", "./b/c"), "duplicates/b/c");
    assert_eq!(dest(&sandbox, &[], "a", "b/./c"), "duplicates/b/c");
    assert_eq!(dest(&sandbox, &[], "/a", "/b/c"), "duplicates/b/c");
    assert_eq!(dest(&sandbox, &["--to", "q/r"], "a", "b/c"), "q/r/b/c");
    assert_eq!(dest(&sandbox, &["--to", "q/"], "a", "b/c"), "q/b/c");
    assert_eq!(dest(&sandbox, &["--to", "/q"], "a", "b/c"), "/q/b/c");
    assert_eq!(dest(&sandbox, &["--to", "../q"], "a", "b/c"), "../q/b/c");
}

#[test]
fn a_path_that_climbs_is_made_absolute_below_the_quarantine() {
    let sandbox = Sandbox::new();
    sandbox.write("../beside/x", "x");
    let here = sandbox.work().canonicalize().expect("working directory");
    let beside = here.parent().expect("parent").join("beside/x");
    let expected = format!("duplicates{}", beside.to_str().expect("a plain name"));
    assert_eq!(dest(&sandbox, &[], "-a", "../beside/x"), expected);
    let inside = dest(&sandbox, &[], "-a", "d/../e");
    assert!(inside.starts_with("duplicates/") && !inside.contains(".."), "{inside}");
}

#[test]
fn no_two_files_are_sent_to_one_place() {
    let sandbox = Sandbox::new();
    let paths = ["-keep", "tmp/x", "/tmp/x", "./tmp//y", "/tmp/y", "../x", "a/../w", "/x", "x"];
    let rows = plan(&sandbox, &[], &index(&paths)).rows();
    let dests: BTreeSet<_> = rows.iter().map(|row| row[5].as_str()).collect();
    assert_eq!(rows.len(), paths.len() - 1);
    assert_eq!(dests.len(), rows.len(), "{rows:?}");
    assert!(dests.iter().all(|dest| dest.starts_with("duplicates/") && !dest.contains("/../")), "{dests:?}");
}

#[test]
fn what_lies_in_the_quarantine_is_not_considered() {
    let sandbox = Sandbox::new();
    sandbox.write("duplicates/d/x", "x");
    let absolute = sandbox.path("duplicates/d/x").canonicalize().expect("real path");
    let absolute = absolute.to_str().expect("a plain name");
    for quarantined in ["duplicates/d/x", "./duplicates/d/x", "d/../duplicates/d/x", absolute] {
        let two = index(&["x", quarantined]);
        for args in [&[][..], &["-g"], &["--prefer", "duplicates"], &["--to", "./duplicates/"]] {
            let outcome = plan(&sandbox, args, &two);
            assert!(outcome.stdout.is_empty(), "{quarantined} {args:?}: {:?}", outcome.lines());
        }
        assert_eq!(plan(&sandbox, &["-u"], &two).column(0), ["x"], "{quarantined}");
    }
    // What lies there is no reason for a copy elsewhere to go, whatever the quarantine of this run is called.
    let other = plan(&sandbox, &["--to", "other"], &index(&["duplicates/d/x", "x"]));
    assert_eq!(other.column(0), ["duplicates/d/x"]);
    other.expect_stderr("1 record below another directory called other or duplicates");
    assert_eq!(plan(&sandbox, &[], &index(&["a", "duplicates2/x"])).column(0), ["duplicates2/x"]);
}

#[test]
fn the_quarantine_is_known_by_a_link_to_it() {
    let sandbox = Sandbox::new();
    sandbox.write("duplicates/d/x", "x");
    sandbox.symlink("duplicates", "link");
    assert!(plan(&sandbox, &[], &index(&["x", "link/d/x"])).stdout.is_empty());
    assert!(plan(&sandbox, &["--to", "link"], &index(&["x", "duplicates/d/x"])).stdout.is_empty());
}

#[test]
fn a_name_inside_the_quarantine_does_not_drag_its_file_out_of_consideration() {
    let sandbox = Sandbox::new();
    let copies = index_line("duplicates/n", "x", 10, "-", "1:1")
        + &index_line("m", "x", 10, "-", "1:1")
        + &index_line("z", "x", 10, "-", "1:2");
    let rows = plan(&sandbox, &[], &copies).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0][0].as_str(), rows[0][6].as_str()), ("z", "m"));
}
