//! `ms-ingest`: which date of a file is its capture time.

use crate::support;

use chrono::{Duration, Utc};
use support::Sandbox;
use support::ingest::{Case, FROM_MTIME, MTIME, expect_dates};
use support::media::movies::{Movie, avi, crw, m2ts, mkv, seconds};
use support::media::{DIGITIZED, Ifd, OFFSET_ORIGINAL, ORIGINAL, Picture, salt, takeout};

/// The answer wherever the year alone tells the sources apart.
fn answer(year: u32) -> String {
    format!("{year}0102_030405")
}

fn new() -> Picture {
    Picture::new()
}

/// A way to put a date of a year into a picture.
type Add = fn(Picture, u32) -> Picture;

/// The sources of a JPEG, the best first.
const JPEG: [(&str, Add); 7] = [
    ("DateTimeOriginal", |picture, year| picture.original(&exif(year))),
    ("DateTimeDigitized", |picture, year| picture.digitized(&exif(year))),
    ("exif DateTimeOriginal of XMP", |picture, year| picture.xmp("exif:DateTimeOriginal", &iso(year))),
    ("photoshop DateCreated", |picture, year| picture.xmp("photoshop:DateCreated", &iso(year))),
    ("IPTC", |picture, year| picture.iptc(55, &format!("{year}0102")).iptc(60, "030405")),
    ("xmp CreateDate", |picture, year| picture.xmp("xmp:CreateDate", &iso(year))),
    ("GPS", |picture, year| picture.gps(&format!("{year}:01:02"), [3, 4, 5])),
];

/// The sources of a PNG, the best first.
const PNG: [(&str, Add); 4] = [
    ("DateTimeOriginal", |picture, year| picture.original(&exif(year))),
    ("xmp CreateDate", |picture, year| picture.xmp("xmp:CreateDate", &iso(year))),
    ("Creation Time", |picture, year| picture.text("Creation Time", &exif(year))),
    ("GPS", |picture, year| picture.gps(&format!("{year}:01:02"), [3, 4, 5])),
];

fn exif(year: u32) -> String {
    format!("{year}:01:02 03:04:05")
}

fn iso(year: u32) -> String {
    format!("{year}-01-02T03:04:05")
}

/// Each source alone, each before its neighbour, and each before all that follow it.
#[track_caller]
fn expect_order(sources: &[(&str, Add)], extension: &str, write: fn(&Picture) -> Vec<u8>) {
    let mut samples = Vec::new();
    for (index, (name, _)) in sources.iter().enumerate() {
        for last in [index, index + 1, sources.len() - 1] {
            let added = sources.iter().enumerate().skip(index).take_while(|(at, _)| *at <= last);
            let picture =
                added.fold(new(), |picture, (at, (_, add))| add(picture, 2010 + u32::try_from(at).unwrap_or(0)));
            let year = 2010 + u32::try_from(index).expect("few");
            samples.push((format!("{name} to {last}.{extension}"), write(&picture), answer(year)));
        }
    }
    expect_dates(
        &[],
        &samples.iter().map(|(name, content, stamp)| (&name[..], content.clone(), &stamp[..])).collect::<Vec<_>>(),
    );
}

#[test]
fn the_sources_of_a_jpeg_in_their_order() {
    expect_order(&JPEG, "jpg", Picture::jpeg);
}

#[test]
fn the_sources_of_a_png_in_their_order() {
    expect_order(&PNG, "png", Picture::png);
}

#[test]
fn exif_in_every_kind_of_picture() {
    let picture = new().original(&exif(2019));
    expect_dates(
        &[],
        &[
            ("a.jpg", picture.jpeg(), "20190102_030405"),
            ("a.png", picture.png(), "20190102_030405"),
            ("a.tif", picture.tiff(), "20190102_030405"),
            ("a.dng", picture.dng(), "20190102_030405"),
            ("a.cr2", picture.cr2(), "20190102_030405"),
            ("a.heic", picture.heic(), "20190102_030405"),
            ("a.crw", crw("2019-01-02 03:04:05"), "20190102_030405"),
            ("wrong name.mov", new().original(&exif(2018)).jpeg(), "20180102_030405"),
            ("no extension", new().original(&exif(2017)).jpeg(), "20170102_030405"),
        ],
    );
}

#[test]
fn exif_dates_in_the_first_directory_count_after_those_in_their_own() {
    let first = |tag| new().tag(Ifd::First, tag, &exif(2019));
    expect_dates(
        &[],
        &[
            ("original.jpg", first(ORIGINAL).jpeg(), "20190102_030405"),
            ("digitized.jpg", first(DIGITIZED).jpeg(), "20190102_030405"),
            ("both.jpg", first(ORIGINAL).original(&exif(2018)).jpeg(), "20180102_030405"),
            ("before digitized.jpg", first(ORIGINAL).digitized(&exif(2018)).jpeg(), "20190102_030405"),
            ("blank.jpg", first(ORIGINAL).original("                   ").jpeg(), "20190102_030405"),
        ],
    );
}

#[test]
fn the_sources_of_the_quicktime_family_in_their_order() {
    let media = || Movie::new().media("2013-01-02 03:04:05");
    let header = || media().header("2012-01-02 03:04:05");
    let day = || header().day("2011-01-02T03:04:05");
    let keys = || day().creation_date("2010-01-02T03:04:05+0000");
    expect_dates(
        &[],
        &[
            ("keys.mov", keys().mov(), "20100102_030405"),
            ("keys alone.mov", Movie::new().creation_date("2010-01-02T03:04:05+0000").mov(), "20100102_030405"),
            ("day.mp4", day().mp4(), "20110102_030405"),
            ("day alone.mov", Movie::new().day("2011-01-02T03:04:05").mov(), "20110102_030405"),
            ("day without a time.mov", header().day("2011-01-02").mov(), "20120102_030405"),
            ("day is a year.mp4", header().day("2011").mp4(), "20120102_030405"),
            ("header.mp4", header().mp4(), "20120102_030405"),
            ("header.3gp", header().mp4(), "20120102_030405"),
            ("header.m4v", header().mp4(), "20120102_030405"),
            ("media.mov", media().mov(), "20130102_030405"),
            ("second track.mov", Movie::new().track_raw(0).media("2014-01-02 03:04:05").mov(), "20140102_030405"),
            ("two tracks.mov", media().media("2014-01-02 03:04:05").mov(), "20130102_030405"),
        ],
    );
}

#[test]
fn the_sources_of_other_videos() {
    expect_dates(
        &[],
        &[
            ("a.avi", avi("Wed Jan 02 03:04:05 2019"), "20190102_030405"),
            ("a.mts", m2ts("20190102030405"), "20190102_030405"),
            ("a.m2ts", m2ts("20180102030405"), "20180102_030405"),
            ("a.mkv", mkv(None, Some("2019-01-02 03:04:05")), "20190102_030405"),
            ("b.mkv", mkv(Some("2018-01-02 03:04:05"), Some("2019-01-02 03:04:05")), "20190102_030405"),
            ("c.mkv", mkv(Some("2018-01-02 03:04:05"), None), "20180102_030405"),
        ],
    );
}

#[test]
fn a_file_name_comes_after_the_capture_times_in_the_file_and_before_its_last_change() {
    const NAME: &str = "IMG_20150102_030405";
    let named = |extension: &str| format!("{NAME}.{extension}");
    let (jpg, png, avi_, mkv_, mp4) = (named("jpg"), named("png"), named("avi"), named("mkv"), named("mp4"));
    expect_dates(
        &[],
        &[
            (&jpg, new().gps("2018:01:02", [3, 4, 5]).jpeg(), "20180102_030405"),
            (&png, new().text("Creation Time", &exif(2018)).png(), "20180102_030405"),
            (&mp4, Movie::new().media("2018-01-02 03:04:05").mp4(), "20180102_030405"),
            (&avi_, avi("Tue Jan 02 03:04:05 2018"), "20180102_030405"),
            (&mkv_, mkv(None, Some("2018-01-02 03:04:05")), "20180102_030405"),
            (&jpg, new().modified(&exif(2018)).jpeg(), "20150102_030405"),
            (&png, new().time(2018, [1, 2, 3, 4, 5]).png(), "20150102_030405"),
            (&mkv_, mkv(Some("2018-01-02 03:04:05"), None), "20150102_030405"),
            (&jpg, new().iptc(55, "20180102").jpeg(), "20150102_030405"),
        ],
    );
}

#[test]
fn the_last_change_comes_before_dates_without_a_time_and_those_before_the_mtime() {
    expect_dates(
        &[],
        &[
            ("modified.jpg", new().modified(&exif(2018)).iptc(55, "20170102").jpeg(), "20180102_030405"),
            (
                "time.png",
                new().time(2018, [1, 2, 3, 4, 5]).xmp("xmp:CreateDate", "2017-01-02").png(),
                "20180102_030405",
            ),
            ("IMG-20190102-WA0001.jpg", new().modified(&exif(2018)).jpeg(), "20180102_030405"),
            ("iptc.jpg", new().iptc(55, "20170102").jpeg(), "20170102 precision=day"),
            ("xmp.jpg", new().xmp("photoshop:DateCreated", "2017-01-02").jpeg(), "20170102 precision=day"),
            ("IMG-20190102-WA0001.jpg", new().jpeg(), "20190102 precision=day"),
            ("mtime.jpg", new().jpeg(), FROM_MTIME),
        ],
    );
}

/// A picture alone with its sidecar: where the picture goes.
#[track_caller]
fn expect_with(sidecar: &str, text: &str, name: &str, content: &[u8], args: &[&str], expected: &str) {
    let sandbox = Sandbox::new();
    sandbox.drop_file(name, content);
    sandbox.drop_file(sidecar, text);
    let plan = sandbox.plan(args);
    assert!(plan.name(name).starts_with(expected), "{expected}, but {} {}", plan.dest(name), plan.row(name).note);
}

#[test]
fn takeout_comes_after_the_file_name_and_before_the_last_change() {
    let text = |title: &str| takeout(title, seconds("2016-01-02 03:04:05"));
    let expect = |name: &str, content: &[u8], expected: &str| {
        expect_with(&format!("{name}.json"), &text(name), name, content, &[], expected);
    };
    expect("a.jpg", &new().gps("2018:01:02", [3, 4, 5]).jpeg(), "20180102_030405");
    expect("IMG_20150102_030405.jpg", &new().jpeg(), "20150102_030405");
    expect("b.jpg", &new().modified(&exif(2018)).jpeg(), "20160102_030405");
    expect("c.jpg", &new().iptc(55, "20180102").jpeg(), "20160102_030405");
    expect("IMG-20190102-WA0001.jpg", &new().jpeg(), "20160102_030405");
    expect("d.png", &new().time(2018, [1, 2, 3, 4, 5]).png(), "20160102_030405");
    expect("e.jpg", &new().jpeg(), "20160102_030405");
}

#[test]
fn an_xmp_sidecar_is_a_fallback_unless_it_is_preferred() {
    let packet = new().xmp("exif:DateTimeOriginal", &iso(2016));
    let full = new().original(&exif(2018)).jpeg();
    for text in [packet.sidecar(), packet.sidecar_of_elements()] {
        for sidecar in ["IMG_1.xmp", "IMG_1.jpg.xmp"] {
            expect_with(sidecar, &text, "IMG_1.jpg", &full, &[], "20180102_030405");
            expect_with(sidecar, &text, "IMG_1.jpg", &full, &["--sidecar", "prefer"], "20160102_030405");
            expect_with(sidecar, &text, "IMG_1.jpg", &new().jpeg(), &[], "20160102_030405");
        }
    }
    let empty = new().xmp("xmp:Rating", "3").sidecar();
    expect_with("a.xmp", &empty, "a.jpg", &full, &["--sidecar", "prefer"], "20180102_030405");
}

#[test]
fn dates_that_cannot_be_true_give_way_to_the_next_source() {
    let ahead = (Utc::now() + Duration::hours(72)).format("%Y:%m:%d %H:%M:%S").to_string();
    let rejected = [
        "                   ",
        "    :  :     :  :  ",
        "",
        "0000:00:00 00:00:00",
        "2019:02:30 10:00:00",
        "2019:13:01 10:00:00",
        "2019:00:10 10:00:00",
        "2019:01:02 25:00:00",
        "2019:01:02 10:61:00",
        "1825:12:31 23:59:59",
        "1904:01:01 00:00:00",
        "1970:01:01 00:00:00",
        "1980:01:01 00:00:00",
        "2000:01:01 00:00:00",
        "2001:01:01 00:00:00",
        "2999:01:02 03:04:05",
        "yesterday afternoon",
        ahead.as_str(),
    ];
    let case = |text: &str| new().original(text).digitized(&exif(2011)).jpeg();
    let names: Vec<_> = (0..rejected.len()).map(|index| format!("rejected {index}.jpg")).collect();
    let cases = rejected.iter().zip(&names).map(|(text, name)| (&name[..], case(text), "20110102_030405"));
    expect_dates(&[], &cases.collect::<Vec<_>>());
}

#[test]
fn dates_near_those_are_accepted() {
    let soon = Utc::now() + Duration::hours(24);
    let (text, stamp) = (soon.format("%Y:%m:%d %H:%M:%S").to_string(), soon.format("%Y%m%d_%H%M%S").to_string());
    let picture = |text: &str| new().original(text).digitized(&exif(2011)).jpeg();
    expect_dates(
        &[],
        &[
            ("eldest.jpg", picture("1826:06:01 10:00:00"), "18260601_100000"),
            ("scan.jpg", picture("1904:01:01 00:00:01"), "19040101_000001"),
            ("before 1970.jpg", picture("1955:05:05 10:00:00"), "19550505_100000"),
            ("second.jpg", picture("2000:01:01 00:00:01"), "20000101_000001"),
            ("day.jpg", picture("2001:01:02 00:00:00"), "20010102_000000"),
            ("leap.jpg", picture("2020:02:29 10:00:00"), "20200229_100000"),
            ("tomorrow.jpg", picture(&text), &stamp),
        ],
    );
}

#[test]
fn containers_tell_no_time_before_1970() {
    let media = || Movie::new().media("2013-01-02 03:04:05");
    let count = |utc: &str| u32::try_from(seconds(utc)).expect("after 1970");
    expect_dates(
        &[],
        &[
            ("keys.mov", media().creation_date("1965-01-02T03:04:05+0000").mov(), "20130102_030405"),
            ("day.mov", media().day("1965-01-02T03:04:05").mov(), "20130102_030405"),
            ("zero.mov", media().header_raw(0).mov(), "20130102_030405"),
            ("1970.mov", media().header("1970-01-01 00:00:00").mov(), "20130102_030405"),
            ("2001.mov", media().header("2001-01-01 00:00:00").mov(), "20130102_030405"),
            ("ahead.mov", media().header_raw(u32::MAX).mov(), "20130102_030405"),
            ("unix.mov", media().header_raw(count("2012-01-02 03:04:05")).mov(), "20120102_030405"),
            ("avi.avi", avi("Sat Jan 02 03:04:05 1965"), FROM_MTIME),
            ("mkv.mkv", mkv(Some("2001-01-01 00:00:00"), None), FROM_MTIME),
        ],
    );
}

#[test]
fn spellings() {
    let spelled = [
        ("2019-01-02 03:04:05", "20190102_030405"),
        ("2019/01/02 03:04:05", "20190102_030405"),
        ("2019.01.02 03:04:05", "20190102_030405"),
        ("2019-01-02T03:04:05", "20190102_030405"),
        ("2019-01-02T03:04:05.678", "20190102_030405"),
        ("2019:01:02 03:04", "20190102_0304 precision=minute"),
        ("2019-01-02T03:04+02:00", "20190102_0304 precision=minute offset=+02:00"),
        ("2019-01-02T03:04:05Z", "20190102_030405 offset=+00:00"),
        ("2019:01:02 03:04:05+02:00", "20190102_030405 offset=+02:00"),
        ("2019:01:02 03:04:05-0930", "20190102_030405 offset=-09:30"),
        ("2019-01-02T03:04:05.678+05:45", "20190102_030405 offset=+05:45"),
        ("2019:01:02 03:04:05+02:00 DST", "20190102_030405"),
        ("2019:01:02 03:04:05 DST", "20190102_030405"),
        ("2019:01:02 03:04:05+15:00", "20190102_030405 !offset="),
    ];
    // Names in which no date can be read.
    let names: Vec<_> = (0..spelled.len()).map(|index| format!("spelling {index}.jpg")).collect();
    let each = |write: fn(&str) -> Vec<u8>| -> Vec<Case<'_>> {
        let cases = spelled.iter().zip(&names);
        cases.map(|((text, expected), name)| (&name[..], write(text), *expected)).collect()
    };
    expect_dates(&[], &each(|text| new().original(text).jpeg()));
    expect_dates(&[], &each(|text| new().xmp("exif:DateTimeOriginal", text).jpeg()));
}

#[test]
fn an_offset_is_reported_and_never_shifts() {
    let offset = |text: &str| new().original(&exif(2019)).tag(Ifd::Exif, OFFSET_ORIGINAL, text).jpeg();
    let keys = |text: &str| Movie::new().creation_date(text).mov();
    expect_dates(
        &["--tz", "Asia/Tokyo"],
        &[
            ("east.jpg", offset("+02:00"), "20190102_030405 offset=+02:00 precision=second"),
            ("west.jpg", offset("-03:30"), "20190102_030405 offset=-03:30"),
            ("farthest.jpg", offset("+14:00"), "20190102_030405 offset=+14:00"),
            ("too far.jpg", offset("+15:00"), "20190102_030405 !offset="),
            ("blank.jpg", offset("   :  "), "20190102_030405 !offset="),
            ("none.jpg", new().original(&exif(2019)).jpeg(), "20190102_030405 !offset="),
            ("keys.mov", keys("2019-01-02T03:04:05+0200"), "20190102_030405 offset=+02:00"),
            ("keys colon.mov", keys("2019-01-02T03:04:05-08:00"), "20190102_030405 offset=-08:00"),
            ("iptc.jpg", new().iptc(55, "20190102").iptc(60, "030405+0100").jpeg(), "20190102_030405 offset=+01:00"),
        ],
    );
}

#[test]
fn the_mtime_is_said() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", new().jpeg());
    sandbox.drop_file("b.txt", salt());
    sandbox.drop_file("c.jpg", new().original(&exif(2019)).jpeg());
    let plan = sandbox.plan(&[]);
    for name in ["a.jpg", "b.txt"] {
        assert!(plan.name(name).starts_with(FROM_MTIME), "{MTIME} is {}", plan.dest(name));
        assert!(plan.row(name).note.contains("mtime"), "{}", plan.row(name).note);
    }
    assert!(!plan.row("c.jpg").note.contains("mtime"), "{}", plan.row("c.jpg").note);
    assert!(plan.row("c.jpg").note.split(' ').any(|word| word.starts_with("date=")), "{}", plan.row("c.jpg").note);
}
