//! `ms-pack`: what people and programs get wrong, and what they are told then.

use crate::support;

use support::Sandbox;
use support::pack::{Pack, packed, record, timed};

#[test]
fn a_plan_of_duplicates_is_refused_as_a_whole() {
    let sandbox = Sandbox::new();
    let duplicate = "photos/2012/b.jpg\t-\t5\t-\t-\tduplicates/photos/2012/b.jpg\tphotos/2012/a.jpg\t-\n";
    let stream = record("photos/2012/a.jpg", 5) + duplicate;
    let outcome = sandbox.pack(&["--flush"], &stream).expect_status(2);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("standard input:2: ").expect_stderr("ms-dupes --unique");
}

#[test]
fn a_root_that_holds_none_of_the_files_is_told_once() {
    let sandbox = Sandbox::new();
    let stream = record("photos/2012/a.jpg", 5) + &record("photos/2013/b.jpg", 5);
    let outcome = sandbox.pack(&["--flush", "--root", "fotos"], &stream).expect_status(2);
    assert_eq!(outcome.stderr, "ms-pack: --root: fotos: none of the files is below it\n");
    // Where some are, the others are named.
    sandbox.pack(&["--flush", "--root", "photos/2012"], &stream).expect_status(1).expect_stderr("photos/2013/b.jpg: ");
}

#[test]
fn a_share_without_its_sign_is_no_reserve_of_some_bytes() {
    let sandbox = Sandbox::new();
    sandbox.pack(&["--reserve", "15"], "").expect_status(2).expect_stderr("5%");
    sandbox.pack(&["--reserve", "0"], "").expect_status(0);
}

#[test]
fn a_path_longer_than_the_system_takes_is_left_out() {
    let deep = format!("photos/2012/{}f", "a/".repeat(100_000));
    let outcome = Sandbox::new().pack(&["--flush"], &(record(&deep, 5) + &record("photos/2013/b.jpg", 5)));
    let outcome = outcome.expect_status(1).expect_stderr("left out: its path is longer than the 4096 bytes");
    assert_eq!(Pack::of(outcome).dests(), ["Archive/0001/2013/b.jpg"]);
}

#[test]
fn an_unfinished_copy_is_left_out() {
    let stream = record("photos/2012/.ms-mv-20120305T120000Z-1.part", 5) + &record("photos/2013/b.jpg", 5);
    let outcome = Sandbox::new().pack(&["--flush"], &stream).expect_status(1).expect_stderr("unfinished copy");
    assert_eq!(Pack::of(outcome).dests().len(), 1);
}

#[test]
fn a_directory_that_is_reached_in_two_ways_is_packed_once() {
    let sandbox = Sandbox::new();
    sandbox.write("p/2012/a.jpg", "content");
    sandbox.symlink("p", "q");
    let rows = ["p/2012/a.jpg", "q/2012/a.jpg"].map(|path| format!("{path}\t-\t7\t-\t5:6\n"));
    let plans = [rows.concat(), rows.iter().rev().cloned().collect()].map(|stream: String| {
        let outcome = sandbox.pack(&["--flush"], &stream).expect_status(0).expect_stderr("whose content is the same");
        Pack::of(outcome).stdout
    });
    assert_eq!(plans[0], plans[1]);
    assert!(String::from_utf8_lossy(&plans[0]).starts_with("p/2012/a.jpg\t"));
}

#[test]
fn a_number_is_not_given_again_while_something_has_it() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    sandbox.write("Archive/0003", "no directory");
    sandbox.symlink("/no/such/disk", "Archive/0005");
    let outcome = sandbox.pack(&["--flush"], &record("photos/2012/a.jpg", 5)).expect_status(0);
    assert_eq!(Pack::of(outcome).dests(), ["Archive/0006/2012/a.jpg"]);
}

#[test]
fn names_that_only_case_tells_apart_are_seen_at_any_depth() {
    let cases = [
        (["photos/2012/ROME/raw/1", "photos/2012/Rome/jpg/2"], "2012/Rome: only case"),
        (["photos/2012/Rome", "photos/2012/ROME/1"], "2012/Rome: only case"),
        (["photos/readme.txt", "photos/2012/1"], "readme.txt: only case"),
    ];
    for (paths, told) in cases {
        let pack = packed(&["--flush", "--root", "photos"], &paths.map(|path| record(path, 5)).concat());
        assert_eq!(pack.rows.len(), 2);
        assert!(pack.stderr.contains(told), "{paths:?}: {}", pack.stderr);
    }
    let same = packed(&["--flush"], &["photos/2012/r/1", "photos/2012/r/2"].map(|path| record(path, 5)).concat());
    assert!(!same.stderr.contains("only case"), "{}", same.stderr);
}

#[test]
fn of_many_twins_the_same_are_named_in_every_run() {
    let stream: String =
        (0..60).map(|i| record(&format!("p/2012/a{i}"), 5) + &record(&format!("p/2012/A{i}"), 5)).collect();
    let told = || packed(&["--flush"], &stream).stderr;
    let first = told();
    assert!(first.contains("40 more like that"), "{first}");
    assert!((0..3).all(|_| told() == first));
}

#[test]
fn long_names_that_are_in_the_volume_already_count() {
    let sandbox = Sandbox::new();
    let name = |i: usize| format!("{i:03}{}", "n".repeat(252));
    for i in 0..8 {
        sandbox.write(format!("Archive/0001/2012/{}", name(i)), "x");
    }
    let stream: String = (8..16).map(|i| record(&format!("photos/2012/{}", name(i)), 5)).collect();
    sandbox.pack(&["--flush"], &stream).expect_status(0).expect_stderr("so many long names that xorriso");
    let alone = packed(&["--flush"], &stream).stderr;
    assert!(!alone.contains("so many long names"), "{alone}");
}

#[test]
fn a_file_from_before_1970_counts_in_a_volume_that_is_continued() {
    let sandbox = Sandbox::new();
    let old = sandbox.write("Archive/0001/scan.jpg", "x");
    sandbox.shell(&format!("touch -d 1965-05-05T12:00:00Z '{}'", old.display())).expect_status(0);
    let outcome = sandbox.pack(&["--flush"], &timed("photos/a.jpg", 5, "1577880000.000000000")).expect_status(0);
    assert_eq!(Pack::of(outcome).table()[0].first, "1965-05-05");
}

/// 98 % of a disc of 100 MB, which no two of these days fill.
const DISC: &[&str] = &["--capacity", "100M", "--fs", "raw"];

#[test]
fn what_is_in_two_volumes_and_fills_one_goes_to_one() {
    // The third day fits into no gap, so it begins a second volume; at the end it fills the gap of the first.
    let day = |day: u32, files: u32, size: u64| -> String {
        (0..files).map(|i| record(&format!("photos/2012/03/{day:02}/{i:03}.jpg"), size)).collect()
    };
    let stream = day(1, 45, 1_000_000) + &day(2, 45, 1_000_000) + &day(3, 20, 1_000_000);
    let pack = packed(DISC, &stream);
    let table = pack.table();
    assert_eq!(table.len(), 1, "{}", pack.stderr);
    assert!(table[0].files == 99 && pack.remaining().is_some_and(|line| line.contains("11 files")), "{}", pack.stderr);
}

#[test]
fn gaps_of_all_volumes_are_filled_at_the_end() {
    let sizes = [(1, 80_000_000), (2, 50_000_000), (3, 24_500_000), (3, 24_500_001), (3, 24_500_002)];
    let stream: String = sizes.iter().map(|(day, size)| record(&format!("p/2012/03/0{day}/{size}"), *size)).collect();
    let pack = packed(DISC, &stream);
    assert_eq!(pack.table().len(), 1, "{}", pack.stderr);
    assert_eq!(pack.rows.len(), 3, "{}", pack.stderr);
}

#[test]
fn it_is_told_why_more_than_a_disc_remains() {
    let stream: String = (0..10).map(|i| record(&format!("photos/2012/{i}.mp4"), 30_000_000)).collect();
    let waits = packed(&[DISC, &["--min-fill", "98"]].concat(), &stream);
    // Three fill nine tenths, which is enough where nothing else is left.
    assert_eq!(waits.table().len(), 3, "{}", waits.stderr);
    let stream: String = (0..10).map(|i| record(&format!("photos/2012/{i}.mp4"), 40_000_000)).collect();
    let waits = packed(DISC, &stream);
    let remaining = waits.remaining().expect("remaining").to_owned();
    assert!(remaining.contains("none gets fuller than 80.0") && remaining.contains("--min-fill"), "{remaining}");
    assert_eq!(packed(&[DISC, &["--min-fill", "80"]].concat(), &stream).rows.len(), 10);
}

#[test]
fn a_volume_that_is_larger_than_the_disc_is_not_called_full() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2012/a", vec![b'x'; 3_000_000]);
    let stream = record("photos/2012/b", 5);
    let outcome = sandbox.pack(&["--capacity", "2M", "--flush"], &stream).expect_status(0);
    outcome.expect_stderr("volume 0001: not sealed, and its image of").expect_stderr("would not fit");
}

#[test]
fn of_an_option_that_is_given_again_the_last_counts() {
    // As in all tools, so that a line in a script can be completed.
    let sandbox = Sandbox::new();
    let args = ["--to", "Other", "--to", "Archive", "--media", "cd", "--media", "bd25", "--flush"];
    let outcome = sandbox.run("ms-pack", &args, record("photos/2012/a.jpg", 5).as_bytes()).expect_status(0);
    let pack = Pack::of(outcome);
    assert_eq!(pack.dests(), ["Archive/0001/2012/a.jpg"]);
    assert!(String::from_utf8_lossy(&pack.stdout).contains("capacity=24220008448"));
}
