//! `ms-ingest`: dates in file names, and what only looks like one.

use crate::support;

use support::ingest::{FROM_MTIME, MTIME, Planned, expect_dates, last};
use support::media::{Picture, salt};
use support::{Sandbox, set_mtime};

/// Pictures that tell nothing but their names.
#[track_caller]
fn expect_names(args: &[&str], names: &[(&str, &str)]) {
    expect_dates(
        args,
        &names.iter().map(|(name, expected)| (*name, Picture::new().jpeg(), *expected)).collect::<Vec<_>>(),
    );
}

#[test]
fn names_with_a_local_date_and_time() {
    expect_names(
        &["--tz", "Asia/Tokyo"],
        &[
            ("00000IMG_00000_BURST20171111030039.jpg", "20171111_030039"),
            ("00000IMG_00000_BURST20171111030039_COVER.jpg", "20171111_030039"),
            ("IMG_20190102_030405.jpg", "20190102_030405 precision=second"),
            ("IMG_20190102_030405_1.jpg", "20190102_030405"),
            ("IMG_20190102_030405123.jpg", "20190102_030405"),
            ("VID_20190102_030405.mp4", "20190102_030405"),
            ("MVIMG_20190102_030405.jpg", "20190102_030405"),
            ("20190102_030405.jpg", "20190102_030405"),
            ("20190102_030405(0).jpg", "20190102_030405"),
            ("Screenshot_20190201-212530_App.png", "20190201_212530"),
            ("WP_20140102_03_04_05_Pro.jpg", "20140102_030405"),
            ("DJI_20230102030405_0001_D.JPG", "20230102_030405"),
            ("Screenshot_2019-01-02-03-04-05.png", "20190102_030405"),
            ("signal-2020-01-02-030405.jpg", "20200102_030405"),
            ("signal-2020-01-02-030405_002.jpg", "20200102_030405"),
            ("2019-01-02 03.04.05.jpg", "20190102_030405"),
            ("2019-01-02 03.04.05-1.jpg", "20190102_030405"),
            ("WhatsApp Image 2016-08-31 at 15.41.14.jpeg", "20160831_154114"),
            ("WhatsApp Video 2016-08-31 at 15.41.14 (1).mp4", "20160831_154114"),
            ("photo_2023-08-27_14-43-35.jpg", "20230827_144335"),
            ("img_20190102_030405.JPG", "20190102_030405"),
        ],
    );
}

#[test]
fn names_with_a_clock_of_twelve_hours() {
    expect_names(
        &[],
        &[
            ("Screen Shot 2019-01-02 at 3.04.05 PM.png", "20190102_150405"),
            ("Screen Shot 2019-01-02 at 3.04.05 AM.png", "20190102_030405"),
            ("Screen Shot 2019-01-02 at 12.04.05 AM.png", "20190102_000405"),
            ("Screen Shot 2019-01-02 at 12.04.05 PM.png", "20190102_120405"),
            ("Screen Shot 2019-01-02 at 15.04.05.png", "20190102_150405"),
            ("Screenshot 2023-01-02 at 3.04.05\u{202f}PM.png", "20230102_150405"),
        ],
    );
}

#[test]
fn names_that_count_in_utc() {
    let names = |expected: [&'static str; 4]| {
        let names = [
            "PXL_20210203_040506789.jpg",
            "FB_IMG_1546398245123.jpg",
            "mmexport1546398245123.jpg",
            "PXL_20210203_040506789.PORTRAIT.jpg",
        ];
        names.into_iter().zip(expected).collect::<Vec<_>>()
    };
    let utc = ["20210203_040506", "20190102_030405", "20190102_030405", "20210203_040506"];
    expect_names(&["--tz", "UTC"], &names(utc));
    let tokyo = ["20210203_130506 offset=+09:00", "20190102_120405", "20190102_120405", "20210203_130506"];
    expect_names(&["--tz", "Asia/Tokyo"], &names(tokyo));
}

#[test]
fn names_with_a_date_only() {
    expect_names(
        &[],
        &[
            ("IMG-20190102-WA0001.jpg", "20190102 precision=day"),
            ("VID-20190102-WA0001.mp4", "20190102 precision=day"),
            ("WP_20140102_001.jpg", "20140102 precision=day"),
            ("DSC_20190102.jpg", "20190102 precision=day"),
        ],
    );
}

#[test]
fn names_without_a_date() {
    let none = [
        "GOPR1234.JPG",
        "GX010123.MP4",
        "DJI_0001.JPG",
        "DSC_0001.JPG",
        "IMG_0001.JPG",
        "IMG_2019.JPG",
        "DSC02019.JPG",
        "P1020304.JPG",
        "Photo on 1-2-19.jpg",
        "20190102-0304-4050-8607-123456789abc.jpg",
        "a1b2c3d4-2019-4102-8030-405060708090.jpg",
        "2019AB02-0304-4050-A607-201901020304.jpg",
        "c0ffee20190102030405deadbeefcafe0123.jpg",
        "9720190102030405123456.jpg",
        "120190102_0304051.jpg",
        "12345678901234567890.jpg",
        "serial 4201901023.jpg",
        "FB_IMG_99999999999999.jpg",
        "IMG_20191302_030405.jpg",
        "IMG_20190230_030405.jpg",
        "IMG_19650102_030405.jpg",
        "IMG_20990102_030405.jpg",
        "Screenshot_2019-13-02-03-04-05.png",
        "DJI_20231302030405_0001_D.JPG",
        "IMG-20190230-WA0001.jpg",
        "DSC_19991332.jpg",
        "holiday.jpg",
    ];
    expect_names(&[], &none.map(|name| (name, FROM_MTIME)));
}

#[test]
fn round_times_that_stand_for_no_time_are_none_in_a_name_either() {
    expect_names(
        &[],
        &[
            ("IMG_20000101_000000.jpg", FROM_MTIME),
            ("IMG_19700101_000000.jpg", FROM_MTIME),
            ("IMG_20010101_000000.jpg", FROM_MTIME),
            ("IMG_20000101_000001.jpg", "20000101_000001"),
        ],
    );
}

/// A picture without a date, planned once: the name that its mtime gives it.
#[track_caller]
fn named_from_mtime(content: &[u8]) -> String {
    let sandbox = Sandbox::new();
    sandbox.drop_file("holiday.jpg", content);
    sandbox.plan(&[]).name("holiday.jpg").to_owned()
}

#[test]
fn a_name_made_from_an_mtime_tells_no_date() {
    let content = Picture::new().jpeg();
    let name = named_from_mtime(&content);
    let sandbox = Sandbox::new();
    sandbox.drop_file(&name, &content);
    let plan = sandbox.plan(&[]);
    assert_eq!(plan.name(&name), name, "the name stays");
    assert!(plan.row(&name).note.contains("mtime"), "{}", plan.row(&name).note);

    let undated = sandbox.plan(&["--no-mtime"]);
    assert!(undated.dest(&name).starts_with("photos/undated/"), "{}", undated.dest(&name));
}

#[test]
fn such_a_name_is_a_date_where_the_mtime_is_another() {
    let content = Picture::new().jpeg();
    let name = named_from_mtime(&content);
    let sandbox = Sandbox::new();
    let path = sandbox.drop_file(&name, &content);
    set_mtime(&path, MTIME + 86_400, 0);
    let plan = sandbox.plan(&[]);
    assert_eq!(plan.name(&name), name, "the name stays");
    assert!(!plan.row(&name).note.contains("mtime"), "{}", plan.row(&name).note);
}

#[test]
fn files_of_unknown_kinds_are_dated_by_name_and_mtime() {
    let sandbox = Sandbox::new();
    for name in ["recording_20190102_030405.opus", "IMG_20180102_030405.xyz", "notes.TXT", "no extension"] {
        sandbox.drop_file(name, salt());
    }
    let plan: Planned = sandbox.plan(&[]);
    let begins = |name: &str, stamp: &str, end: &str| {
        let dest = plan.dest(name);
        assert!(last(dest).starts_with(stamp) && dest.ends_with(end), "{name}: {dest}");
    };
    begins("recording_20190102_030405.opus", "20190102_030405", ".opus");
    begins("IMG_20180102_030405.xyz", "20180102_030405", ".xyz");
    begins("notes.TXT", FROM_MTIME, ".txt");
    begins("no extension", FROM_MTIME, "");
    assert!(!plan.name("no extension").contains('.'), "{}", plan.dest("no extension"));
}
