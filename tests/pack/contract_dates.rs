//! `ms-pack`: the date of a file, and that the oldest go first.

use crate::support;

use support::pack::{Pack, packed, record, shuffled, timed};
use support::{Sandbox, finish};

/// The date in the table for one file with that path and mtime, for `--root photos`.
#[track_caller]
fn date_of(path: &str, mtime: &str) -> String {
    let pack = packed(&["--flush", "--root", "photos"], &timed(&format!("photos/{path}"), 100, mtime));
    let table = pack.table();
    assert_eq!(table.len(), 1, "{}", pack.stderr);
    assert_eq!(table[0].first, table[0].last);
    table[0].first.clone()
}

#[track_caller]
fn expect_dates(mtime: &str, cases: &[(&str, &str)]) {
    for (path, date) in cases {
        assert_eq!(date_of(path, mtime), *date, "{path} with mtime {mtime}");
    }
}

/// 2019-05-06 07:08:09 UTC: agrees with no folder below.
const ELSE: &str = "1557126489.000000000";
/// 2012-03-09 12:00:00 UTC.
const IN_MARCH: &str = "1331294400.000000000";

#[test]
fn year_month_and_day_folders_tell_the_day() {
    expect_dates(
        ELSE,
        &[
            ("2012/03/05/a.jpg", "2012-03-05"),
            ("2012/03 March/05 Beach/a.jpg", "2012-03-05"),
            ("2012/03/05/raw/deep/a.jpg", "2012-03-05"),
            ("phone/2012/03/05/a.jpg", "2012-03-05"),
            ("1826/01/01/a.jpg", "1826-01-01"),
            ("2199/12/31/a.jpg", "2199-12-31"),
        ],
    );
}

#[test]
fn one_folder_may_tell_all() {
    expect_dates(
        ELSE,
        &[
            ("2012-03-05/a.jpg", "2012-03-05"),
            ("2012_03_05/a.jpg", "2012-03-05"),
            ("2012.03.05/a.jpg", "2012-03-05"),
            ("20120305/a.jpg", "2012-03-05"),
            ("2012-03-05 Beach/a.jpg", "2012-03-05"),
            ("20120305_beach/a.jpg", "2012-03-05"),
            ("trips/2012-03-05/x/a.jpg", "2012-03-05"),
            ("2012-03/a.jpg", "2012-03"),
            ("2012-03 Spring/a.jpg", "2012-03"),
        ],
    );
}

#[test]
fn what_the_folders_leave_open_the_name_tells_if_it_agrees() {
    expect_dates(
        ELSE,
        &[
            ("2012/03/IMG_20120307_101112.jpg", "2012-03-07"),
            ("2012/03/20120307.jpg", "2012-03-07"),
            ("2012/03/2012-03-07 10.11.12.jpg", "2012-03-07"),
            ("2012/IMG-20120307-WA0001.jpg", "2012-03-07"),
            ("2012-03/VID_20120307.mp4", "2012-03-07"),
            ("2012/03/IMG_20120407.jpg", "2012-03"),
            ("2012/IMG_20130407.jpg", "2012"),
            ("2012/03/IMG_20120332.jpg", "2012-03"),
        ],
    );
}

#[test]
fn else_the_mtime_tells_if_it_agrees() {
    expect_dates(
        IN_MARCH,
        &[
            ("2012/03/a.jpg", "2012-03-09"),
            ("2012/a.jpg", "2012-03-09"),
            ("2012-03/a.jpg", "2012-03-09"),
            ("2012/03/IMG_20120407.jpg", "2012-03-09"),
            ("2012/03/IMG_20120307.jpg", "2012-03-07"),
            ("2012/04/a.jpg", "2012-04"),
            ("2013/a.jpg", "2013"),
            ("2012/03/05/a.jpg", "2012-03-05"),
        ],
    );
}

#[test]
fn what_nothing_tells_stays_unknown() {
    expect_dates(ELSE, &[("2012/03/a.jpg", "2012-03"), ("2012/a.jpg", "2012")]);
    expect_dates("-", &[("2012/03/a.jpg", "2012-03"), ("2012/a.jpg", "2012")]);
}

#[test]
fn folders_that_are_no_dates_tell_nothing() {
    expect_dates(
        "-",
        &[
            ("2012/13/a.jpg", "2012"),
            ("2012/00/a.jpg", "2012"),
            ("2012/3/a.jpg", "2012"),
            ("2012/030/a.jpg", "2012"),
            ("2012/02/30/a.jpg", "2012-02"),
            ("2012/02/29/a.jpg", "2012-02-29"),
            ("2013/02/29/a.jpg", "2013-02"),
            ("2012/03/123/a.jpg", "2012-03"),
            ("2012/x/03/a.jpg", "2012"),
        ],
    );
    expect_dates(
        ELSE,
        &[("2200/03/05/a.jpg", "2019-05-06"), ("1825/a.jpg", "2019-05-06"), ("03/05/a.jpg", "2019-05-06")],
    );
    expect_dates(ELSE, &[("12012/03/a.jpg", "2019-05-06"), ("x2012/03/a.jpg", "2019-05-06")]);
}

#[test]
fn without_a_date_in_the_path_the_mtime_in_utc_counts() {
    expect_dates("1433719800.000000000", &[("misc/a.jpg", "2015-06-07"), ("a.jpg", "2015-06-07")]);
    expect_dates("1433721599.999999999", &[("a.jpg", "2015-06-07")]);
    expect_dates("1433721600.000000000", &[("a.jpg", "2015-06-08")]);
    expect_dates("-0.500000000", &[("a.jpg", "1969-12-31")]);
    expect_dates("0.000000000", &[("a.jpg", "1970-01-01")]);
    expect_dates(ELSE, &[("misc/IMG_20120305.jpg", "2019-05-06")]);
}

#[test]
fn the_zone_of_the_user_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    for zone in ["Pacific/Kiritimati", "America/New_York", "UTC"] {
        let mut command = sandbox.command("ms-pack");
        command.env("TZ", zone).args(["--to", "Archive", "--flush"]);
        let pack = Pack::of(finish(command, timed("photos/a.jpg", 1, "1433719800.000000000").as_bytes()));
        assert_eq!(pack.table()[0].first, "2015-06-07", "{zone}");
    }
}

#[test]
fn a_directory_above_the_root_tells_no_date() {
    let pack = packed(&["--flush", "--root", "2012/03/05"], &timed("2012/03/05/misc/a.jpg", 100, ELSE));
    assert_eq!(pack.table()[0].first, "2019-05-06");
}

/// Discs of 4 MB, each of which holds one of these files.
const ONE_EACH: [&str; 7] = ["--flush", "--capacity", "4M", "--open", "1", "--root", "photos"];

/// The order in which files that fill a disc each go to volumes.
#[track_caller]
fn expect_order(files: &[(&str, &str)]) {
    let stream: String = files.iter().map(|(path, mtime)| timed(&format!("photos/{path}"), 3_000_000, mtime)).collect();
    let pack = packed(&ONE_EACH, &shuffled(&stream, 5));
    let found: Vec<&str> = pack.rows.iter().map(|row| &row.path["photos/".len()..]).collect();
    assert_eq!(found, files.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    assert_eq!(pack.volumes().len(), files.len());
}

#[test]
fn the_oldest_go_first() {
    expect_order(&[
        ("zoo/a.jpg", "-86400.000000000"),
        ("1999/12/31/a.jpg", ELSE),
        ("2000-01-01/a.jpg", ELSE),
        ("phone/2003/b.jpg", ELSE),
        ("b/a.jpg", IN_MARCH),
        ("2012/03/10/a.jpg", "-"),
        ("a/a.jpg", ELSE),
    ]);
}

#[test]
fn what_has_no_date_goes_last() {
    expect_order(&[("2012/03/05/a.jpg", "-"), ("b.jpg", ELSE), ("2199/12/31/c.jpg", "-"), ("aaa.jpg", "-")]);
}

#[test]
fn a_month_or_year_without_a_day_goes_before_its_days() {
    expect_order(&[
        ("2011/12/31/a.jpg", "-"),
        ("2012/z.jpg", "-"),
        ("2012/01/01/a.jpg", "-"),
        ("2012/03/z.jpg", "-"),
        ("2012/03/01/a.jpg", "-"),
    ]);
}

#[test]
fn a_day_found_in_several_ways_is_one_day() {
    // Three of a day fill a disc; the same day is told by folders, a name and an mtime.
    let day = ["2012/03/09/a.jpg", "2012/03/IMG_20120309.jpg", "x/a.jpg"];
    let files = day.map(|path| timed(&format!("photos/{path}"), 1_000_000, IN_MARCH)).concat();
    let before = record("photos/2012/03/08/b.jpg", 3_000_000);
    let pack = packed(&ONE_EACH, &(files + &before));
    assert_eq!(pack.volume("photos/2012/03/08/b.jpg"), Some(1));
    assert!(day.iter().all(|path| pack.volume(&format!("photos/{path}")) == Some(2)), "{:?}", pack.dests());
}

#[test]
fn an_undated_stream_is_packed_all_the_same() {
    let stream: String = (0..9).map(|n| record(&format!("photos/x/{n}.jpg"), 900_000)).collect();
    let pack = packed(&ONE_EACH, &stream);
    assert_eq!(pack.rows.len(), 9);
    assert!(!pack.table()[0].first.contains(|c: char| c.is_ascii_digit()), "{}", pack.stderr);
}
