//! The whole line, `ms-crawl … | ms-dupes … | ms-mv`, on real trees.

use crate::support;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use support::plan::{journals, undo};
use support::{Mount, Sandbox, Seen, contents, hash, needs_root, set_mtime, snapshot};

const LINE: &str = "ms-crawl data | ms-dupes | ms-mv";

/// Three copies of one picture, two of another, and what must not be taken for a duplicate.
fn photos() -> Sandbox {
    let sandbox = Sandbox::new();
    let times = 1_500_000_000..;
    for ((name, content), seconds) in [
        ("data/2019/07/a.jpg", "first picture"),
        ("data/backup/a.jpg", "first picture"),
        ("data/backup/deep/a copy.jpg", "first picture"),
        ("data/2019/08/b.jpg", "second one"),
        ("data/phone/b.jpg", "second one"),
        ("data/phone/c.jpg", "second ONE"),
        ("data/only.txt", "only"),
        ("data/empty1", ""),
        ("data/empty2", ""),
    ]
    .into_iter()
    .zip(times)
    {
        let path = sandbox.write(name, content);
        set_mtime(&path, seconds, 250_000_000);
    }
    sandbox
}

/// The tree that the line leaves: of each content the copy with the smallest path has stayed.
fn expected(sandbox: &Sandbox) -> BTreeMap<PathBuf, Seen> {
    let mut files = files(sandbox);
    for name in ["data/backup/a.jpg", "data/backup/deep/a copy.jpg", "data/phone/b.jpg"] {
        let seen = files.remove(Path::new(name)).expect("a duplicate");
        files.insert(Path::new("duplicates").join(name), seen);
    }
    files
}

fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Seen> {
    let mut all = snapshot(&sandbox.work());
    all.retain(|_, seen| seen.kind == 'f');
    all
}

/// Runs a line on the photos, expects what the plain line does, and takes it back.
#[track_caller]
fn expect_same_result(line: &str) {
    let sandbox = photos();
    let start = snapshot(&sandbox.work());
    let end = expected(&sandbox);
    sandbox.shell(line).expect_status(0);
    assert_eq!(files(&sandbox), end, "{line}");
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), start, "{line}");
}

#[test]
fn duplicates_go_to_the_quarantine_and_undo_brings_them_back() {
    expect_same_result(LINE);
}

#[test]
fn plans_and_indexes_can_lie_in_files() {
    expect_same_result("ms-crawl data > ../index && ms-dupes ../index > ../plan && ms-mv ../plan > ../moved");
}

#[test]
fn headers_change_nothing() {
    for line in [
        "ms-crawl --header data | ms-dupes --header | ms-mv --header",
        "ms-crawl --header data | ms-dupes | ms-mv",
        "ms-crawl --header data | sort | ms-dupes --header | sort -r | ms-mv",
        "ms-crawl --header data | grep -v only | ms-dupes --header | tail -n +2 | ms-mv",
        "{ ms-crawl --header data/2019; ms-crawl --header data/backup data/phone; } | ms-dupes | ms-mv",
    ] {
        expect_same_result(line);
    }
}

#[test]
fn csv_changes_nothing() {
    for line in [
        "ms-crawl --csv data | ms-dupes --csv | ms-mv --csv",
        "ms-crawl --csv data | ms-dupes | ms-mv --csv",
        "ms-crawl data | ms-dupes --csv --no-header | ms-mv",
        "ms-crawl --csv --no-header data | shuf | ms-dupes --csv | ms-mv",
        "ms-crawl --csv data | sort | ms-dupes --csv | sort | ms-mv",
    ] {
        expect_same_result(line);
    }
}

#[test]
fn the_order_of_lines_changes_nothing() {
    for line in [
        "ms-crawl data | shuf | ms-dupes | shuf | ms-mv",
        "ms-crawl data | sort -r | ms-dupes | sort -t $'\\t' -k 3,3n | ms-mv",
        "ms-crawl --sort data | tac | ms-dupes | tac | ms-mv",
    ] {
        expect_same_result(line);
    }
}

#[test]
fn lines_that_say_nothing_about_duplicates_can_be_left_out() {
    for line in [
        "ms-crawl data | grep jpg | ms-dupes | grep jpg | ms-mv",
        "ms-crawl data | awk -F '\\t' '$3 > 0' | ms-dupes | ms-mv",
        "ms-crawl --min-size 1 data | ms-dupes | ms-mv",
        "ms-crawl --include '*.jpg' data | ms-dupes | ms-mv",
    ] {
        expect_same_result(line);
    }
}

#[test]
fn fewer_columns_are_enough() {
    for line in [
        "ms-crawl data | cut -f 1-3 | ms-dupes | ms-mv",
        "ms-crawl data | cut -f 1-4 | ms-dupes | ms-mv",
        "ms-crawl data | ms-dupes | cut -f 1-7 | ms-mv",
        "ms-crawl data | ms-dupes | cut -f 1-6 | ms-mv",
    ] {
        expect_same_result(line);
    }
}

#[test]
fn more_columns_and_other_orders_are_understood() {
    let swap = "awk -F '\\t' -v OFS='\\t' '{ print $3, $1, $5, $2, $4 }'";
    for line in [
        format!("ms-crawl --header data | {swap} | ms-dupes | ms-mv"),
        "ms-crawl data | ms-dupes | awk -v OFS='\\t' '{ print $0, \"mine\" }' | ms-mv".to_owned(),
    ] {
        expect_same_result(&line);
    }
}

#[test]
fn a_row_taken_out_of_the_plan_stays_where_it_is() {
    let sandbox = photos();
    let mut end = expected(&sandbox);
    let seen = end.remove(Path::new("duplicates/data/phone/b.jpg"));
    end.insert("data/phone/b.jpg".into(), seen.expect("a duplicate"));
    sandbox.shell("ms-crawl data | ms-dupes | grep -v '^data/phone/' | ms-mv").expect_status(0);
    assert_eq!(files(&sandbox), end);
}

#[test]
fn a_plan_is_an_index_too() {
    let sandbox = photos();
    let line = "ms-crawl data > ../index; ms-dupes ../index > ../plan; cat ../index ../plan | ms-dupes";
    let again = sandbox.shell(line).expect_status(0);
    let plan = std::fs::read(sandbox.state().with_file_name("plan")).expect("plan");
    assert_eq!(again.lines().len(), 3);
    assert_eq!(again.stdout, plan);
}

#[test]
fn the_output_is_the_index_that_a_crawl_of_the_quarantine_gives() {
    let sandbox = photos();
    let moved = sandbox.shell(&format!("{LINE} | cut -f 1-5 | LC_ALL=C sort"));
    let crawled = sandbox.shell("ms-crawl duplicates | LC_ALL=C sort");
    assert_eq!(moved.expect_status(0).lines(), crawled.lines());
    assert_eq!(crawled.lines().len(), 3);
}

#[test]
fn the_output_fed_back_restores_every_file() {
    let sandbox = photos();
    let start = files(&sandbox);
    sandbox.shell(&format!("{LINE} > ../moved && shuf ../moved | ms-mv")).expect_status(0);
    assert_eq!(files(&sandbox), start);
}

#[test]
fn a_second_pass_finds_nothing() {
    let sandbox = photos();
    sandbox.shell(LINE).expect_status(0);
    let after = snapshot(&sandbox.work());
    for line in [LINE, "ms-crawl | ms-dupes | ms-mv"] {
        let again = sandbox.shell(line).expect_status(0);
        assert_eq!(again.stdout, b"", "{line}");
        assert_eq!(snapshot(&sandbox.work()), after, "{line}");
    }
    assert_eq!(journals(&sandbox).len(), 1, "nothing done, no journal");
}

#[test]
fn the_working_directory_can_be_crawled() {
    let sandbox = photos();
    let start = snapshot(&sandbox.work());
    let end = expected(&sandbox);
    sandbox.shell("ms-crawl | ms-dupes | ms-mv").expect_status(0);
    assert_eq!(files(&sandbox), end);
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), start);
}

#[test]
fn absolute_paths_work_from_anywhere() {
    let sandbox = photos();
    let start = files(&sandbox);
    let work = sandbox.work().display().to_string();
    let line = format!("cd / && ms-crawl '{work}/data' | ms-dupes --to '{work}/q' | ms-mv");
    sandbox.shell(&line).expect_status(0);
    let moved = format!("q{work}/data/phone/b.jpg");
    assert_eq!(sandbox.read(moved), b"second one");
    assert_eq!(contents(&sandbox.path("q")).len(), 3);
    undo(&sandbox).expect_status(0);
    assert_eq!(files(&sandbox), start);
}

#[test]
fn hashing_only_what_can_have_a_duplicate_changes_nothing() {
    expect_same_result("ms-crawl --hash dups data | ms-dupes | ms-mv");
}

#[test]
fn prune_leaves_no_empty_directories_and_undo_makes_them_again() {
    let sandbox = photos();
    let start = snapshot(&sandbox.work());
    let end = expected(&sandbox);
    sandbox.shell("ms-crawl data | ms-dupes | ms-mv --prune").expect_status(0);
    assert_eq!(files(&sandbox), end);
    assert!(!sandbox.exists("data/backup") && sandbox.exists("data/phone"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), start);
}

#[test]
fn copies_of_what_is_archived_leave_the_live_tree_only() {
    for (marker, protect) in [(false, "--protect arch"), (true, "")] {
        let sandbox = photos();
        sandbox.write("arch/0001/b.jpg", "second one");
        sandbox.write("arch/0002/b.jpg", "second one");
        if marker {
            sandbox.write("arch/.ms-protect", "");
        }
        let archive = snapshot(&sandbox.path("arch"));
        let line = format!("ms-crawl data arch | ms-dupes {protect} | ms-mv");
        sandbox.shell(&line).expect_status(0);
        assert_eq!(snapshot(&sandbox.path("arch")), archive);
        for name in ["data/2019/08/b.jpg", "data/phone/b.jpg"] {
            assert!(sandbox.exists(format!("duplicates/{name}")), "{name}");
        }
        assert!(sandbox.exists("data/2019/07/a.jpg"));
    }
}

#[test]
fn copies_only_in_the_archive_stay_however_it_is_spelled() {
    for protect in ["arch", ".", "../desk/arch", "link", "data/../arch/"] {
        let sandbox = Sandbox::new();
        for name in ["arch/1/f", "arch/2/f", "data/other"] {
            sandbox.write(name, if name == "data/other" { "x" } else { "twice" });
        }
        symlink("arch", sandbox.path("link")).expect("link");
        let start = snapshot(&sandbox.work());
        for crawled in ["arch data", "./arch", "link", "../desk/arch"] {
            let line = format!("ms-crawl {crawled} | ms-dupes --protect {protect} | ms-mv --protect {protect}");
            let outcome = sandbox.shell(&line).expect_status(0);
            assert_eq!(outcome.stdout, b"", "{line}");
            assert_eq!(snapshot(&sandbox.work()), start, "{line}");
        }
    }
}

#[test]
fn copies_only_in_the_archive_stay_when_it_is_crawled_through_a_bind_mount() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["arch/1/f", "arch/2/f"] {
        sandbox.write(name, "twice");
    }
    let _mount = Mount::bind(&sandbox.path("arch"), &sandbox.path("bound"));
    let start = snapshot(&sandbox.work());
    for line in [
        "ms-crawl bound | ms-dupes --protect arch | ms-mv --protect arch",
        "ms-crawl arch | ms-dupes --protect bound | ms-mv --protect bound",
        "ms-crawl arch bound | ms-dupes --protect arch | ms-mv --protect arch",
    ] {
        // A planner that cannot see through the mount leaves the refusal to the mover.
        let outcome = sandbox.shell(line);
        assert!(outcome.status < 2, "{}", outcome.stderr);
        assert_eq!(snapshot(&sandbox.work()), start, "{line}");
    }
}

#[test]
fn what_is_not_archived_yet_can_be_staged() {
    let sandbox = photos();
    sandbox.write("arch/a.jpg", "first picture");
    let archive = snapshot(&sandbox.path("arch"));
    sandbox.shell("ms-crawl data arch | ms-dupes --protect arch -u | grep jpg | ms-mv --to stage").expect_status(0);
    let staged = [&b"second ONE"[..], b"second one"].map(<[u8]>::to_vec);
    assert_eq!(contents(&sandbox.path("stage")), staged);
    assert_eq!(snapshot(&sandbox.path("arch")), archive);
}

#[test]
fn a_file_edited_between_crawl_and_move_is_named_and_stays() {
    let sandbox = photos();
    sandbox.shell("ms-crawl data | ms-dupes > ../plan").expect_status(0);
    sandbox.write("data/phone/b.jpg", "edited now");
    let outcome = sandbox.shell("ms-mv ../plan").expect_status(1).expect_stderr("data/phone/b.jpg");
    assert_eq!(outcome.rows().len(), 2);
    assert_eq!(sandbox.read("data/phone/b.jpg"), b"edited now");
}

#[test]
fn a_keeper_deleted_between_crawl_and_move_keeps_the_other_copy() {
    let sandbox = photos();
    sandbox.shell("ms-crawl data | ms-dupes > ../plan").expect_status(0);
    std::fs::remove_file(sandbox.path("data/2019/08/b.jpg")).expect("delete");
    sandbox.shell("ms-mv ../plan").expect_status(1).expect_stderr("data/phone/b.jpg");
    assert_eq!(sandbox.read("data/phone/b.jpg"), b"second one");
}

#[test]
fn both_names_of_a_linked_loser_go_and_stay_one_file() {
    let sandbox = Sandbox::new();
    sandbox.write("data/a", "same");
    let loser = sandbox.write("data/y", "same");
    std::fs::hard_link(loser, sandbox.path("data/z")).expect("link");
    let start = snapshot(&sandbox.work());
    sandbox.shell(LINE).expect_status(0);
    let inode = |name: &str| sandbox.path(name).metadata().expect("metadata").ino();
    assert_eq!(inode("duplicates/data/y"), inode("duplicates/data/z"));
    assert!(sandbox.exists("data/a") && !sandbox.exists("data/y"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), start);
    assert_eq!(inode("data/y"), inode("data/z"));
}

#[test]
fn nothing_moves_when_a_stream_is_cut_anywhere_in_the_line() {
    for line in [
        "ms-crawl data | head -c -1 | ms-dupes | ms-mv",
        "ms-crawl data | ms-dupes | head -c -1 | ms-mv",
        "ms-crawl data | ms-dupes | head -c -20 | ms-mv --skip-bad-lines",
    ] {
        let sandbox = photos();
        let start = snapshot(&sandbox.work());
        sandbox.shell(line).expect_status(2);
        assert_eq!(snapshot(&sandbox.work()), start, "{line}");
    }
}

#[test]
fn an_empty_tree_gives_an_empty_line() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("data")).expect("dir");
    let outcome = sandbox.shell(LINE).expect_status(0);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(snapshot(&sandbox.work()).len(), 1);
}

#[test]
fn a_quarantine_on_another_filesystem_is_filled_and_emptied() {
    if !needs_root() {
        return;
    }
    let sandbox = photos();
    let _mount = Mount::tmpfs("size=4m", &sandbox.path("far"));
    let start = snapshot(&sandbox.work());
    sandbox.shell("ms-crawl data | ms-dupes --to far/q | ms-mv").expect_status(0);
    assert_eq!(snapshot(&sandbox.path("far/q/data"))[Path::new("phone/b.jpg")], start[Path::new("data/phone/b.jpg")]);
    assert!(!sandbox.exists("data/phone/b.jpg"));
    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), start);
}

#[test]
fn a_generated_tree_loses_no_content_and_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen --seed 7 --files 150 --total 2M --dup-share 30 --hostile data").expect_status(0);
    let start = snapshot(&sandbox.work());
    let all = contents(&sandbox.work());
    let mut distinct = all.clone();
    distinct.dedup();
    assert!(distinct.len() < all.len(), "there are duplicates to find");

    sandbox.shell(LINE).expect_status(0);

    assert_eq!(contents(&sandbox.work()), all);
    let left = contents(&sandbox.path("data"));
    let of_each = |all: &[Vec<u8>]| -> Vec<String> {
        let full = all.iter().filter(|content| !content.is_empty());
        full.map(|content| hash(content)).collect()
    };
    assert_eq!(of_each(&left), of_each(&distinct), "one of each stays");
    undo(&sandbox).expect_status(0);
    assert!(snapshot(&sandbox.work()) == start, "not as at the start");
}

#[test]
fn a_generated_tree_gives_one_end_however_the_lines_are_shuffled() {
    let mut ends = Vec::new();
    for line in [
        LINE,
        "ms-crawl -j 1 data | shuf | ms-dupes | shuf | ms-mv",
        "ms-crawl --hash dups data | sort | ms-dupes --csv | ms-mv",
    ] {
        let sandbox = Sandbox::new();
        sandbox.shell("ms-gen --seed 11 --files 80 --total 1M --dup-share 40 --hostile data").expect_status(0);
        sandbox.shell(line).expect_status(0);
        ends.push(snapshot(&sandbox.work()));
    }
    assert!(ends[0].keys().any(|path| path.starts_with("duplicates")));
    assert!(ends[0] == ends[1], "shuffled");
    assert!(ends[0] == ends[2], "other ways of hashing and writing");
}

#[test]
fn an_index_given_to_the_mover_is_told_from_a_plan_in_one_message() {
    let sandbox = Sandbox::new();
    for name in ["d/a", "d/b"] {
        sandbox.write(name, name);
    }
    let outcome = sandbox.shell("ms-crawl -q d | ms-mv").expect_status(2).expect_stderr("an index, no plan");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(sandbox.exists("d/a") && sandbox.exists("d/b"));
}
