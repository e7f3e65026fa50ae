//! `ms-ingest`: from times of UTC to the clock on the wall.

use crate::support;

use support::ingest::{FROM_MTIME, Planned, expect_dates};
use support::media::movies::{Movie, mkv, seconds};
use support::media::{Ifd, OFFSET_ORIGINAL, Picture, takeout};
use support::{Sandbox, finish};

/// A movie whose header tells 02:04:05 UTC of 2 January 2019, and nothing else.
fn winter() -> Movie {
    Movie::new().header("2019-01-02 02:04:05")
}

fn summer() -> Movie {
    Movie::new().header("2019-07-02 02:04:05")
}

const UTC_OFFSET: &str = "com.samsung.android.utc_offset";

#[test]
fn the_zone_that_is_given_with_its_summer_time() {
    expect_dates(
        &["--tz", "Europe/Berlin"],
        &[
            ("winter.mp4", winter().mp4(), "20190102_030405 offset=+01:00"),
            ("summer.mp4", summer().mp4(), "20190702_040405 offset=+02:00"),
            ("media.mp4", Movie::new().media("2019-07-02 02:04:05").mp4(), "20190702_040405 offset=+02:00"),
            ("gps.jpg", Picture::new().gps("2019:07:02", [2, 4, 5]).jpeg(), "20190702_040405 offset=+02:00"),
            ("date.mkv", mkv(Some("2019-07-02 02:04:05"), None), "20190702_040405 offset=+02:00"),
            ("mtime.jpg", Picture::new().jpeg(), "20220607_100910"),
        ],
    );
    expect_dates(
        &["--tz", "America/St_Johns"],
        &[
            ("winter.mp4", winter().mp4(), "20190101_223405 offset=-03:30"),
            ("summer.mp4", summer().mp4(), "20190701_233405 offset=-02:30"),
        ],
    );
}

#[test]
fn a_time_that_tells_its_own_wall_clock_knows_no_zone() {
    expect_dates(
        &["--tz", "Asia/Tokyo"],
        &[
            ("exif.jpg", Picture::new().original("2019:01:02 03:04:05").jpeg(), "20190102_030405"),
            ("keys.mov", Movie::new().creation_date("2019-01-02T03:04:05+0200").mov(), "20190102_030405 offset=+02:00"),
            ("IMG_20190102_030405.jpg", Picture::new().jpeg(), "20190102_030405"),
            ("recorded.mkv", mkv(None, Some("2019-01-02 03:04:05")), "20190102_030405"),
        ],
    );
}

#[test]
fn without_a_zone_the_system_s_counts() {
    for (zone, expected) in [("Asia/Tokyo", "20190102_110405"), ("America/New_York", "20190101_210405")] {
        let sandbox = Sandbox::new();
        sandbox.drop_file("a.mp4", winter().mp4());
        let mut command = sandbox.command("ms-ingest");
        command.args(["--to", "photos", "drop"]).env("TZ", zone);
        let plan = Planned::of(&finish(command, b"").expect_status(0));
        assert!(plan.name("a.mp4").starts_with(expected), "{zone}: {}", plan.dest("a.mp4"));
    }
}

#[test]
fn a_zone_that_nobody_knows_is_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.mp4", winter().mp4());
    for args in [["--tz", "Mars/Olympus"], ["--tz", ""], ["--qt-time", "lunar"], ["--sidecar", "maybe"]] {
        let outcome = sandbox.ingest(&args).expect_status(2).expect_stderr(args[0]);
        assert_eq!(outcome.lines(), [""; 0], "{args:?}");
    }
}

#[test]
fn a_local_file_name_near_a_quarter_hour_decides_zone_and_time() {
    expect_dates(
        &["--tz", "Asia/Tokyo"],
        &[
            ("VID_20190102_030405.mp4", winter().mp4(), "20190102_030405 offset=+01:00"),
            // The header may tell when the recording ended.
            ("VID_20190102_030400.mp4", winter().mp4(), "20190102_030400 offset=+01:00"),
            ("20190101_223405.mp4", winter().mp4(), "20190101_223405 offset=-03:30"),
            ("20190102_074905.mp4", winter().mp4(), "20190102_074905 offset=+05:45"),
            ("VID_20190102_020405.mp4", winter().mp4(), "20190102_020405 offset=+00:00"),
            ("VID_20190102_160405.mp4", winter().mp4(), "20190102_160405 offset=+14:00"),
        ],
    );
}

#[test]
fn a_file_name_that_is_too_far_decides_nothing() {
    expect_dates(
        &["--tz", "Asia/Tokyo"],
        &[
            ("VID_20190102_180405.mp4", winter().mp4(), "20190102_110405 offset=+09:00"),
            ("VID_20190101_100405.mp4", winter().mp4(), "20190102_110405 offset=+09:00"),
            ("VID_20150102_030405.mp4", winter().mp4(), "20190102_110405 offset=+09:00"),
            ("VID_20190102_031135.mp4", winter().mp4(), "20190102_110405 offset=+09:00"),
            ("PXL_20190102_020405123.mp4", winter().mp4(), "20190102_110405 offset=+09:00"),
            ("VID-20190102-WA0001.mp4", winter().mp4(), "20190102_110405 offset=+09:00"),
        ],
    );
}

#[test]
fn the_offset_that_a_phone_stores_comes_after_the_name_and_before_the_zone() {
    let phone = |offset| winter().key(UTC_OFFSET, offset).mp4();
    expect_dates(
        &["--tz", "Asia/Tokyo"],
        &[
            ("east.mp4", phone("+0100"), "20190102_030405 offset=+01:00"),
            ("west.mp4", phone("-0330"), "20190101_223405 offset=-03:30"),
            ("too far.mp4", phone("+1500"), "20190102_110405 offset=+09:00"),
            ("senseless.mp4", phone("somewhere"), "20190102_110405 offset=+09:00"),
            ("20190102_040405.mp4", phone("+0100"), "20190102_040405 offset=+02:00"),
        ],
    );
}

#[test]
fn cameras_that_store_local_time() {
    expect_dates(
        &["--qt-time", "local", "--tz", "Asia/Tokyo"],
        &[
            ("header.mp4", winter().mp4(), "20190102_020405"),
            ("media.mp4", Movie::new().media("2019-01-02 02:04:05").mp4(), "20190102_020405"),
            ("keys.mov", winter().creation_date("2019-01-02T03:04:05+0200").mov(), "20190102_030405 offset=+02:00"),
            ("gps.jpg", Picture::new().gps("2019:01:02", [2, 4, 5]).jpeg(), "20190102_110405"),
        ],
    );
    expect_dates(&["--qt-time", "utc", "--tz", "Asia/Tokyo"], &[("header.mp4", winter().mp4(), "20190102_110405")]);
}

#[test]
fn takeout_counts_in_utc() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", Picture::new().jpeg());
    sandbox.drop_file("a.jpg.json", takeout("a.jpg", seconds("2019-07-02 02:04:05")));
    let plan = sandbox.plan(&["--tz", "Europe/Berlin"]);
    assert!(plan.name("a.jpg").starts_with("20190702_040405"), "{}", plan.dest("a.jpg"));
    assert!(plan.row("a.jpg").note.contains("offset=+02:00"), "{}", plan.row("a.jpg").note);
}

#[test]
fn the_still_of_a_pair_lends_its_offset() {
    // The still tells only when it was changed, and in which zone: the movie has the better source.
    let still = Picture::new().modified("2018:01:02 03:04:05").tag(Ifd::Exif, OFFSET_TIME, "+02:00");
    let still = still.tag(Ifd::Exif, OFFSET_ORIGINAL, "+02:00");
    let sandbox = Sandbox::new();
    sandbox.drop_file("IMG_0001.JPG", still.jpeg());
    sandbox.drop_file("IMG_0001.MOV", winter().mov());
    let plan = sandbox.plan(&["--tz", "Asia/Tokyo"]);
    for name in ["IMG_0001.JPG", "IMG_0001.MOV"] {
        assert!(plan.name(name).starts_with("20190102_040405"), "{name}: {}", plan.dest(name));
    }
}

/// `OffsetTime`, the offset of EXIF's last change.
const OFFSET_TIME: u16 = 0x9010;

#[test]
fn the_zone_does_not_move_an_mtime_of_utc() {
    expect_dates(&["--tz", "UTC"], &[("mtime.jpg", Picture::new().jpeg(), FROM_MTIME)]);
}
