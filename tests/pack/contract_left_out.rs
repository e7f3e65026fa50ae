//! `ms-pack`: what it leaves out, what it only warns of, and with which exit status.

use crate::support;

use support::image_model::{Format, SECTOR};
use support::pack::{Pack, record, record_of};
use support::{Outcome, Sandbox};

/// A file that every plan must have, whatever is wrong with the others.
const INNOCENT: &str = "photos/2016/07/08/innocent.jpg";

/// Plans the records and the innocent one, with `--flush`.
#[track_caller]
fn pack_with(args: &[&str], stream: &str, status: i32) -> (Pack, Outcome) {
    let stream = format!("{stream}{}", record(INNOCENT, 1000));
    let outcome = Sandbox::new().pack(&[&["--flush"], args].concat(), &stream).expect_status(status);
    let copy = Outcome { status: outcome.status, stdout: outcome.stdout.clone(), stderr: outcome.stderr.clone() };
    let pack = Pack::of(outcome);
    assert!(pack.dest(INNOCENT).is_some(), "the others go on:\n{}", pack.stderr);
    (pack, copy)
}

/// Nothing but the innocent file is planned, the others are named, and the exit status tells.
#[track_caller]
fn expect_left_out(args: &[&str], stream: &str, named: &[&str]) {
    let (pack, mut outcome) = pack_with(args, stream, 1);
    assert_eq!(pack.rows.len(), 1, "{:?}", pack.dests());
    for name in named {
        outcome = outcome.expect_stderr(name);
    }
}

/// The files are planned all the same, named, and the exit status is 0.
#[track_caller]
fn expect_warning(args: &[&str], paths: &[&str], named: &[&str]) {
    let stream: String = paths.iter().map(|path| record(path, 100)).collect();
    let (pack, mut outcome) = pack_with(args, &stream, 0);
    assert_eq!(pack.rows.len(), paths.len() + 1, "{}", pack.stderr);
    for path in paths {
        let below = path.strip_prefix("photos/").expect("below photos");
        assert_eq!(pack.dest(path), Some(&format!("Archive/0001/{below}")[..]));
    }
    for name in named {
        outcome = outcome.expect_stderr(name);
    }
}

#[track_caller]
fn expect_no_warning(paths: &[&str]) {
    let stream: String = paths.iter().map(|path| record(path, 100)).collect();
    let (pack, outcome) = pack_with(&["-q"], &stream, 0);
    assert_eq!((pack.rows.len(), &outcome.stderr[..]), (paths.len() + 1, ""));
}

#[test]
fn a_file_larger_than_a_disc_is_named_and_left_out() {
    let large = record("photos/2012/large.mp4", 30_000_000_000);
    expect_left_out(&[], &large, &["photos/2012/large.mp4"]);
    pack_with(&["--media", "bd50"], &large, 0);
    expect_left_out(&["--media", "bd50", "--reserve", "40%"], &large, &["photos/2012/large.mp4"]);
}

#[test]
fn a_file_that_leaves_no_room_for_the_file_system_is_larger_than_a_disc() {
    let disc = 11_826_176 * SECTOR;
    expect_left_out(&[], &record("photos/2012/large.mp4", disc), &["photos/2012/large.mp4"]);
    let (pack, _) = pack_with(&[], &record("photos/2012/large.mp4", disc - 600_000), 0);
    pack.expect_fits(disc, Format::Iso);
}

#[test]
fn what_is_larger_than_a_disc_is_left_out_without_flush_too() {
    let outcome = Sandbox::new().pack(&[], &record("photos/2012/large.mp4", 30_000_000_000)).expect_status(1);
    assert!(outcome.expect_stderr("photos/2012/large.mp4").stdout.is_empty());
}

#[test]
fn records_outside_the_root_are_named_and_left_out() {
    let stream = record("videos/2012/a.mp4", 5) + &record("photos2/2012/b.jpg", 5) + &record("photo", 5);
    expect_left_out(&["--root", "photos"], &stream, &["videos/2012/a.mp4", "photos2/2012/b.jpg", "photo"]);
}

#[test]
fn names_of_the_seal_at_the_top_of_a_volume_are_named_and_left_out() {
    for name in ["index.json", "B3SUMS", "README.txt", ".ms-seal.tmp", "README.txt/2012/a.jpg", "index.json/x"] {
        let path = format!("photos/{name}");
        expect_left_out(&["--root", "photos"], &record(&path, 5), &[&path]);
    }
}

#[test]
fn names_of_the_seal_are_free_in_the_folders() {
    expect_no_warning(&[
        "photos/2012/index.json",
        "photos/2012/B3SUMS",
        "photos/2012/README.txt/x",
        "photos/2013/README.txt",
    ]);
}

#[test]
fn the_same_path_twice_counts_once() {
    let line = record("photos/2012/a.jpg", 5);
    let (pack, outcome) = pack_with(&["-q"], &format!("{line}{line}{line}"), 0);
    assert_eq!((pack.rows.len(), &outcome.stderr[..]), (2, ""));
}

#[test]
fn the_same_path_with_two_hashes_is_named_and_left_out() {
    let stream = record_of("photos/2012/a.jpg", "one", 5, "-") + &record_of("photos/2012/a.jpg", "two", 5, "-");
    expect_left_out(&[], &stream, &["photos/2012/a.jpg"]);
    expect_left_out(&[], &format!("{stream}{stream}"), &["photos/2012/a.jpg"]);
}

#[test]
fn two_sources_of_one_content_for_one_destination_go_once() {
    let roots = ["--root", "photos", "--root", "backup", "--root", "aaa"];
    let stream: String =
        ["photos", "backup"].map(|root| record_of(&format!("{root}/2012/a.jpg"), "same", 5, "-")).concat();
    let (pack, outcome) = pack_with(&roots, &stream, 0);
    assert_eq!(
        (pack.rows.len(), pack.dest("backup/2012/a.jpg")),
        (2, Some("Archive/0001/2012/a.jpg")),
        "the smallest path"
    );
    outcome.expect_stderr("photos/2012/a.jpg");

    let stream = stream + &record_of("aaa/2012/a.jpg", "same", 5, "-");
    let (pack, outcome) = pack_with(&roots, &stream, 0);
    assert_eq!((pack.rows.len(), pack.dest("aaa/2012/a.jpg")), (2, Some("Archive/0001/2012/a.jpg")));
    outcome.expect_stderr("photos/2012/a.jpg").expect_stderr("backup/2012/a.jpg");
}

#[test]
fn two_sources_of_two_contents_for_one_destination_are_both_left_out() {
    let roots = ["--root", "photos", "--root", "backup"];
    let named = ["photos/2012/a.jpg", "backup/2012/a.jpg"];
    let stream = record(named[0], 5) + &record(named[1], 5);
    expect_left_out(&roots, &stream, &named);
    let same_hash_other_size = record_of(named[0], "same", 5, "-") + &record_of(named[1], "same", 6, "-");
    expect_left_out(&roots, &same_hash_other_size, &named);
    let one_without_a_hash = record(named[0], 5) + "backup/2012/a.jpg\t-\t5\t-\t-\n";
    expect_left_out(&roots, &one_without_a_hash, &named);
    let none_with_a_hash = "photos/2012/a.jpg\t-\t5\t-\t-\nbackup/2012/a.jpg\t-\t5\t-\t-\n";
    expect_left_out(&roots, none_with_a_hash, &named);
}

#[test]
fn two_of_one_content_and_one_of_another_for_one_destination_are_all_left_out() {
    let roots = ["--root", "a", "--root", "b", "--root", "c", "--root", "photos"];
    let stream = ["a", "b"].map(|root| record_of(&format!("{root}/2012/x"), "same", 5, "-")).concat();
    expect_left_out(&roots, &(stream + &record_of("c/2012/x", "other", 5, "-")), &["a/2012/x", "b/2012/x", "c/2012/x"]);
}

#[test]
fn a_file_where_another_source_needs_a_directory_is_refused() {
    let stream = record("photos/2012/x", 5) + &record("backup/2012/x/y.jpg", 5);
    let (pack, _) = pack_with(&["--root", "photos", "--root", "backup"], &stream, 1);
    let both = pack.dest("photos/2012/x").is_some() && pack.dest("backup/2012/x/y.jpg").is_some();
    let one_volume = pack.volume("photos/2012/x") == pack.volume("backup/2012/x/y.jpg");
    assert!(!(both && one_volume), "{:?}", pack.dests());
}

#[test]
fn records_under_the_archive_are_only_counted() {
    for archive in ["Archive", "./Archive", "photos/../Archive"] {
        let stream = record(&format!("{archive}/0001/2012/a.jpg"), 5) + &record(&format!("{archive}/x"), 5);
        let (pack, outcome) = pack_with(&[], &stream, 0);
        assert_eq!(pack.rows.len(), 1, "{archive}: {:?}", pack.dests());
        assert!(!outcome.stderr.contains("0001/2012/a.jpg"), "not named:\n{}", outcome.stderr);
        let counted = |line: &str| line.split(|c: char| !c.is_ascii_digit()).any(|number| number == "2");
        assert!(
            outcome.stderr.lines().any(|line| line.to_lowercase().contains("archive") && counted(line)),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn records_under_the_archive_do_not_move_the_default_root() {
    let stream = record("Archive/0001/2012/a.jpg", 5);
    let (pack, _) = pack_with(&[], &stream, 0);
    assert_eq!(pack.dests(), ["Archive/0001/2016/07/08/innocent.jpg"]);
}

#[test]
fn an_absolute_record_under_a_relative_archive_is_under_it() {
    let sandbox = Sandbox::new();
    let inside = sandbox.path("Archive/0001/2012/a.jpg");
    let stream = record(inside.to_str().expect("UTF-8"), 5) + &record(INNOCENT, 5);
    let pack = Pack::of(sandbox.pack(&["--flush"], &stream).expect_status(0));
    assert_eq!(pack.rows.len(), 1, "{:?}", pack.dests());
}

#[test]
fn what_only_begins_like_the_archive_is_not_under_it() {
    let stream = record("Archive2/2012/a.jpg", 5) + &record("Archive.old/2012/b.jpg", 5);
    let (pack, _) = pack_with(&[], &stream, 0);
    assert_eq!(pack.rows.len(), 3);
}

#[test]
fn names_that_differ_only_in_case_are_warned_of() {
    let paths = ["photos/2012/DSC1.jpg", "photos/2012/dsc1.JPG"];
    expect_warning(&[], &paths, &["dsc1.JPG"]);
    expect_warning(&[], &["photos/2012/Ärger.jpg", "photos/2012/ärger.jpg"], &["rger.jpg"]);
    expect_warning(&[], &["photos/2012/Trip/a.jpg", "photos/2012/trip/b.jpg"], &["rip"]);
}

#[test]
fn names_that_differ_only_in_their_normal_form_are_warned_of() {
    expect_warning(&[], &["photos/2012/caf\u{e9}.jpg", "photos/2012/cafe\u{301}.jpg"], &["caf"]);
}

#[test]
fn names_that_joliet_cuts_are_warned_of() {
    let (fits, long) = (format!("{}.jpg", "n".repeat(99)), format!("{}.jpg", "n".repeat(100)));
    expect_no_warning(&[&format!("photos/2012/{fits}")]);
    expect_warning(&[], &[&format!("photos/2012/{long}")], &[&long]);
    let wide = format!("{}.jpg", "\u{1F600}".repeat(50));
    expect_warning(&[], &[&format!("photos/2012/{wide}")], &[&wide]);
    let directory = "d".repeat(104);
    expect_warning(&[], &[&format!("photos/2012/{directory}/a.jpg")], &[&directory]);
    let longest = "l".repeat(255);
    expect_warning(&[], &[&format!("photos/2012/{longest}")], &[&longest]);
}

#[test]
fn names_that_are_no_utf_8_are_warned_of() {
    expect_warning(&[], &["photos/2012/a\\xffb.jpg"], &["a\\xffb.jpg"]);
}

#[test]
fn names_in_two_directories_do_not_collide() {
    expect_no_warning(&["photos/2012/03/a.jpg", "photos/2012/04/A.jpg"]);
}

#[test]
fn malformed_rows_let_nothing_be_planned() {
    let good = record(INNOCENT, 5);
    for bad in
        ["photos/2012/a.jpg\t-\tmany\t-\t-\n", "photos/2012/a.jpg\tbeef\t5\t-\t-\n", "photos/2012/a.jpg\n", "\t-\t5\n"]
    {
        for stream in [format!("{good}{bad}"), format!("{good}{bad}{good}")] {
            let outcome = Sandbox::new().pack(&["--flush"], &stream).expect_status(2);
            assert!(outcome.expect_stderr("2").stdout.is_empty(), "{bad:?}");
        }
        let outcome = Sandbox::new().pack(&["--flush", "--skip-bad-lines"], &format!("{good}{bad}")).expect_status(1);
        assert_eq!(Pack::of(outcome).rows.len(), 1, "{bad:?}");
    }
}

#[test]
fn a_truncated_stream_lets_nothing_be_planned() {
    let stream = record(INNOCENT, 5) + "photos/2012/a.jpg\t-\t5\t-\t-";
    assert!(Sandbox::new().pack(&["--flush"], &stream).expect_status(2).stdout.is_empty());
}
