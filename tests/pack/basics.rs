//! `ms-pack` as a planner: which files go where, what is left out, and what is told.

use crate::support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use support::{Outcome, Sandbox};

const MB: u64 = 1_000_000;

/// An index of files that need not exist, each with its size; the hash tells the content.
fn index(files: &[(&str, u64)]) -> String {
    files.iter().enumerate().fold(String::new(), |mut text, (number, (path, size))| {
        writeln!(text, "{path}\t{:064x}\t{size}\t1300000000.000000000\t1:{}", number + 1, number + 1).expect("text");
        text
    })
}

fn pack(sandbox: &Sandbox, args: &[&str], input: &str) -> Outcome {
    let args: Vec<&str> = ["--to", "Archive"].iter().chain(args).copied().collect();
    sandbox.run("ms-pack", &args, input.as_bytes())
}

/// Destinations by source.
fn dests(outcome: &Outcome) -> BTreeMap<String, String> {
    outcome.rows().into_iter().map(|row| (row[0].clone(), row[5].clone())).collect()
}

fn volumes(outcome: &Outcome) -> BTreeSet<String> {
    outcome.rows().into_iter().map(|row| row[5].split('/').nth(1).expect("a volume").to_owned()).collect()
}

/// Ten days of photos, eight of 8 MB on each, in folders of dates.
fn ten_days() -> Vec<(String, u64)> {
    (1..=10).flat_map(|day| (0..8).map(move |number| (format!("/p/2012/03/{day:02}/{number}.jpg"), 8 * MB))).collect()
}

fn as_index(files: &[(String, u64)]) -> String {
    index(&files.iter().map(|(path, size)| (path.as_str(), *size)).collect::<Vec<_>>())
}

#[test]
fn days_stay_together_and_the_oldest_go_first() {
    let sandbox = Sandbox::new();
    // A disc holds two days and a half.
    let outcome = pack(&sandbox, &["--capacity", "160M", "--min-fill", "79"], &as_index(&ten_days())).expect_status(0);
    let mut volume_of_day: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, dest) in dests(&outcome) {
        assert_eq!(dest.split('/').skip(2).collect::<Vec<_>>(), path.split('/').skip(2).collect::<Vec<_>>());
        let (day, volume) = (path.split('/').nth(4).expect("a day"), dest.split('/').nth(1).expect("a volume"));
        volume_of_day.entry(day.to_owned()).or_default().insert(volume.to_owned());
    }
    let first = volume_of_day.values().next().expect("days");
    assert_eq!(first, &BTreeSet::from(["0001".to_owned()]));
    // Two volumes are open, so that at most one day in three is divided.
    let divided = volume_of_day.values().filter(|volumes| volumes.len() > 1).count();
    assert!(divided <= 4, "{volume_of_day:?}");
}

#[test]
fn what_does_not_fill_a_disc_stays_unless_it_is_flushed() {
    let sandbox = Sandbox::new();
    let input = as_index(&ten_days());
    let stays = pack(&sandbox, &["--media", "dvd"], &input)
        .expect_status(0)
        .expect_stderr("remaining: 80 files, 640 MB, 2012-03-01 to 2012-03-10");
    assert_eq!(stays.stdout, b"");
    let flushed = pack(&sandbox, &["--media", "dvd", "--flush"], &input).expect_status(0);
    assert_eq!(flushed.rows().len(), 80);
    assert!(!flushed.stderr.contains("remaining"), "{}", flushed.stderr);
}

#[test]
fn a_note_tells_the_volume_and_the_disc() {
    let sandbox = Sandbox::new();
    let outcome =
        pack(&sandbox, &["--media", "cd", "--fs", "udf", "--flush"], &index(&[("/p/2012/a", 1), ("/p/2012/b", 2)]));
    let notes: Vec<String> = outcome.rows().into_iter().map(|row| row[7].clone()).collect();
    let capacity = 359_424 * 2048;
    assert_eq!(notes, [1, 2].map(|row| format!("volume=1 file={row}/2 fs=udf capacity={capacity}")));
    assert!(outcome.rows().iter().all(|row| row[6] == "-"));
}

#[test]
fn the_same_plan_comes_of_the_same_records_in_any_order() {
    let sandbox = Sandbox::new();
    let files = ten_days();
    let text = as_index(&files);
    let expected = pack(&sandbox, &["--capacity", "160M", "--flush"], &text).expect_status(0);
    let mut lines: Vec<&str> = text.lines().collect();
    for step in [1, 7, 33] {
        lines.rotate_left(step);
        lines.reverse();
        let shuffled = lines.iter().fold(String::new(), |text, line| text + line + "\n");
        for jobs in ["1", "3"] {
            let other = pack(&sandbox, &["--capacity", "160M", "--flush", "-j", jobs], &shuffled);
            assert_eq!(other.stdout, expected.stdout);
            assert_eq!(other.stderr, expected.stderr);
        }
    }
}

#[test]
fn a_file_larger_than_a_disc_is_named_and_all_else_is_packed() {
    let sandbox = Sandbox::new();
    let input = index(&[("/p/2012/a", MB), ("/p/2012/film.mov", 800 * MB), ("/p/2012/z", MB)]);
    let outcome = pack(&sandbox, &["--media", "cd", "--flush"], &input).expect_status(1);
    assert_eq!(outcome.column(0), ["/p/2012/a", "/p/2012/z"]);
    outcome.expect_stderr("ms-pack: planning: /p/2012/film.mov: left out: its 800 MB do not fit on a disc of 736 MB");
}

#[test]
fn two_sources_with_one_place_are_told_apart_by_their_content() {
    let sandbox = Sandbox::new();
    let same = format!("/p/2012/a\t{0:064x}\t5\t-\t-\n/q/2012/a\t{0:064x}\t5\t-\t-\n", 7);
    let roots = ["--root", "/p", "--root", "/q", "--flush"];
    let outcome = pack(&sandbox, &roots, &same).expect_status(0);
    assert_eq!(dests(&outcome), BTreeMap::from([("/p/2012/a".to_owned(), "Archive/0001/2012/a".to_owned())]));
    outcome
        .expect_stderr("/q/2012/a: not packed: its place in a volume is that of /p/2012/a, whose content is the same");
    for other in [same.replacen("7\t5", "8\t5", 1), same.replacen(&format!("{:064x}", 7), "-", 1)] {
        let outcome = pack(&sandbox, &roots, &(other + &index(&[("/p/2012/b", 1)]))).expect_status(1);
        assert_eq!(outcome.column(0), ["/p/2012/b"]);
        for (one, other) in [("/p/2012/a", "/q/2012/a"), ("/q/2012/a", "/p/2012/a")] {
            assert!(
                outcome.stderr.contains(&format!("planning: {one}: its place in a volume is also that of {other}"))
            );
        }
    }
}

#[test]
fn a_path_that_is_listed_twice_counts_once_unless_its_records_disagree() {
    let sandbox = Sandbox::new();
    let once = index(&[("/p/2012/a", 5)]);
    let twice = once.clone() + &once.replace("/p/2012/a", "/p/./2012//a").replace("1:1", "-");
    let outcome = pack(&sandbox, &["--flush"], &twice).expect_status(0);
    assert_eq!(outcome.rows().len(), 1);
    let disputed = once.clone() + &once.replace(&format!("{:064x}", 1), &format!("{:064x}", 2));
    let outcome = pack(&sandbox, &["--flush"], &disputed).expect_status(1);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("planning: /p/2012/a: left out: its records disagree about hash or size");
}

#[test]
fn what_lies_outside_the_root_or_in_the_way_of_a_seal_is_left_out() {
    let sandbox = Sandbox::new();
    let input = index(&[
        ("/p/2012/a", 1),
        ("/elsewhere/b", 1),
        ("/p/index.json", 1),
        ("/p/B3SUMS/x", 1),
        ("/p/README.txt", 1),
        ("/p/2012/README.txt", 1),
    ]);
    let outcome = pack(&sandbox, &["--root", "/p", "--flush"], &input).expect_status(1);
    assert_eq!(outcome.column(0), ["/p/2012/README.txt", "/p/2012/a"]);
    assert!(
        outcome.stderr.contains("planning: /elsewhere/b: left out: it is not below /p, the root"),
        "{}",
        outcome.stderr
    );
    for path in ["/p/index.json", "/p/B3SUMS/x", "/p/README.txt"] {
        let expected = format!("planning: {path}: left out: ms-seal needs this name at the top of a volume");
        assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    }
}

#[test]
fn a_file_cannot_stand_where_others_need_a_directory() {
    let sandbox = Sandbox::new();
    let input = index(&[("/p/2012", 1), ("/q/2012/a", 1)]);
    let outcome = pack(&sandbox, &["--root", "/p", "--root", "/q", "--flush"], &input).expect_status(1);
    assert_eq!(outcome.column(0), ["/q/2012/a"]);
    outcome.expect_stderr("/p/2012: left out: in a volume, its path is that of a directory of other files");
}

#[test]
fn records_in_the_archive_are_only_counted_however_it_is_spelled() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2011/x.jpg", "x");
    std::os::unix::fs::symlink("Archive", sandbox.path("link")).expect("link");
    let input = index(&[
        ("p/2012/a", 1),
        ("Archive/0001/2011/x.jpg", 1),
        ("link/0001/2011/x.jpg", 1),
        ("p/../Archive/0001/2011/y", 1),
    ]);
    let outcome = pack(&sandbox, &["--flush"], &input).expect_status(0);
    assert_eq!(outcome.column(0), ["p/2012/a"]);
    outcome.expect_stderr("ms-pack: 3 records in the archive already");
}

#[test]
fn an_unsealed_volume_is_continued_and_a_sealed_one_never() {
    let sandbox = Sandbox::new();
    for (name, text) in
        [("0001/index.json", "{}"), ("0001/B3SUMS", ""), ("0003/2011/old.jpg", "123"), ("0004/README.txt", "")]
    {
        sandbox.write(format!("Archive/{name}"), text);
    }
    sandbox.write("Archive/0006.UNBURNED", "");
    // Two days, of which the continued volume holds one.
    let input = index(&[("/p/2012/03/01/a", 100 * MB), ("/p/2012/03/02/a", 90 * MB), ("/p/2012/03/02/b", 10 * MB)]);
    let outcome = pack(&sandbox, &["--capacity", "110M", "--min-fill", "90"], &input).expect_status(0);
    assert_eq!(volumes(&outcome), BTreeSet::from(["0003".to_owned(), "0007".to_owned()]));
    let outcome = outcome.expect_stderr("volume 0003: 1 file of these are there already");
    outcome.expect_stderr("sealing was cut off in 0004; to finish it: ms-seal Archive < /dev/null");
}

#[test]
fn what_is_in_an_unsealed_volume_takes_its_room_and_its_places() {
    let sandbox = Sandbox::new();
    let there = std::fs::File::create(sandbox.write("Archive/0001/2011/old.mov", "")).expect("file");
    there.set_len(60 * MB).expect("sparse");
    let input = index(&[("/p/2012/a", 60 * MB), ("/p/2011/old.mov", 1)]);
    let outcome = pack(&sandbox, &["--capacity", "110M", "--root", "/p", "--flush"], &input).expect_status(1);
    assert_eq!(dests(&outcome), BTreeMap::from([("/p/2012/a".to_owned(), "Archive/0002/2012/a".to_owned())]));
    outcome.expect_stderr(
        "/p/2011/old.mov: left out: something stands at its place in volume 0001, which is not sealed yet",
    );
}

#[test]
fn a_volume_that_only_wants_sealing_is_told() {
    let sandbox = Sandbox::new();
    let there = std::fs::File::create(sandbox.write("Archive/0001/2011/old.mov", "")).expect("file");
    there.set_len(109 * MB).expect("sparse");
    let outcome = pack(&sandbox, &["--capacity", "110M"], &index(&[("/p/2012/a", 60 * MB)])).expect_status(0);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("volume 0001: full, but not sealed: ms-seal --all Archive does that");
}

#[test]
fn a_tree_of_years_is_not_taken_for_an_archive() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/2012/03/a.jpg", "a");
    let outcome = pack(&sandbox, &["--flush"], &index(&[("/p/2012/a", 1)])).expect_status(2);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("--to: Archive/2012: a tree that is sorted by years looks like this");
}

#[test]
fn a_catalogue_that_cannot_be_read_ends_it() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/index.json", "{\"format\":\"mediastruct-archive/1\"");
    let outcome = pack(&sandbox, &["--flush"], &index(&[("/p/2012/a", 1)])).expect_status(2);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("reading the catalogue: Archive/index.json: EOF");
}

#[test]
fn of_a_stream_with_a_malformed_line_nothing_is_planned() {
    let sandbox = Sandbox::new();
    let input = index(&[("/p/2012/a", 1)]) + "/p/2012/b\t-\tmany\n";
    let outcome = pack(&sandbox, &["--flush"], &input).expect_status(2);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("standard input:2: ");
    let outcome = pack(&sandbox, &["--flush", "--skip-bad-lines"], &input).expect_status(1);
    assert_eq!(outcome.column(0), ["/p/2012/a"]);
}

#[test]
fn clips_of_several_gigabytes_do_not_wait_for_ever() {
    let sandbox = Sandbox::new();
    let clips: Vec<(String, u64)> =
        (0..20).map(|clip| (format!("/p/2012/03/{:02}/clip{clip}.mov", clip + 1), 4_500_000_000)).collect();
    let outcome = pack(&sandbox, &[], &as_index(&clips)).expect_status(0);
    // Five of them are 93 percent of a disc. As long as two may be open, nothing needs a place for the last ten.
    assert_eq!((outcome.rows().len(), volumes(&outcome).len()), (10, 2));
    let outcome = outcome.expect_stderr("volume 0001: closed at 92.9");
    outcome.expect_stderr("since each file that is left is larger than its gap");
    // Three of 6.5 GB are 80 percent, and that is too little.
    let clips: Vec<(String, u64)> = clips.into_iter().map(|(path, _)| (path, 6_500_000_000)).collect();
    let outcome = pack(&sandbox, &[], &as_index(&clips)).expect_status(0);
    assert_eq!(outcome.stdout, b"");
    outcome.expect_stderr("remaining: 20 files, 130 GB");
    assert_eq!(pack(&sandbox, &["--min-fill", "80"], &as_index(&clips)).rows().len(), 18);
}

#[test]
fn a_directory_of_many_long_names_is_told_since_xorriso_may_write_it_wrong() {
    let sandbox = Sandbox::new();
    let index_of = |count: usize| {
        let files: Vec<(String, u64)> =
            (0..count).map(|number| (format!("/p/2012/03/{number:03}{}", "n".repeat(252)), 1)).collect();
        as_index(&files)
    };
    let few = pack(&sandbox, &["--flush"], &index_of(5)).expect_status(0);
    assert!(!few.stderr.contains("may write a wrong image"), "{}", few.stderr);
    let many = pack(&sandbox, &["--flush"], &index_of(30)).expect_status(0);
    assert!(many.stderr.contains("planning: 2012/03: the directory has so many long names"), "{}", many.stderr);
    let other = pack(&sandbox, &["--flush", "--fs", "udf"], &index_of(30)).expect_status(0);
    assert!(!other.stderr.contains("may write a wrong image"), "genisoimage makes that one: {}", other.stderr);
}

#[test]
fn names_that_a_medium_changes_are_packed_with_a_warning() {
    let sandbox = Sandbox::new();
    let long = format!("/p/2012/{}.jpg", "n".repeat(110));
    let input = index(&[
        ("/p/2012/IMG.jpg", 1),
        ("/p/2012/img.JPG", 1),
        ("/p/2012/\\xff.jpg", 1),
        (&long, 1),
        ("/p/2012/é", 1),
        ("/p/2012/e\u{301}", 1),
    ]);
    let outcome = pack(&sandbox, &["--flush"], &input).expect_status(0);
    assert_eq!(outcome.rows().len(), 6);
    for expected in [
        "2012/img.JPG: only case or the form of accents tells its name apart from 2012/IMG.jpg",
        "2012/é: only case or the form of accents tells its name apart from 2012/e\u{301}",
        "2012/\\xff.jpg: the name is not UTF-8",
        "n.jpg: the name is longer than 103 characters",
    ] {
        assert!(outcome.stderr.contains(expected), "{expected}: {}", outcome.stderr);
    }
}
