use super::*;
use chrono::Datelike as _;
use proptest::prelude::*;

/// The date in a name as one line; empty for none.
fn line(name: &str) -> String {
    let Some(NameDate { moment, .. }) = date(OsStr::new(name)) else { return String::new() };
    match (moment.precision, moment.base) {
        (Precision::Day, _) => moment.time.format("%Y-%m-%d").to_string(),
        (_, Base::Utc) => moment.time.format("%Y-%m-%d %H:%M:%S%.f UTC").to_string(),
        _ => moment.time.format("%Y-%m-%d %H:%M:%S%.f").to_string(),
    }
}

#[track_caller]
fn all_read(expected: &str, names: &[&str]) {
    for name in names {
        assert_eq!(line(name), expected, "{name}");
    }
}

#[test]
fn cameras_and_phones_tell_date_and_time() {
    all_read(
        "2019-01-02 03:04:05",
        &[
            "IMG_20190102_030405.jpg",
            "IMG_20190102_030405",
            "VID_20190102_030405.mp4",
            "MVIMG_20190102_030405.jpg",
            "PANO_20190102_030405.vr.jpg",
            "20190102_030405.jpg",
            "20190102_030405(0).jpg",
            "20190102_030405_001.jpg",
            "20190102_030405_HDR.jpg",
            "20190102_030405~2.jpg",
            "20190102-030405.jpg",
            "20190102T030405.jpg",
            "20190102 030405.jpg",
            "20190102030405.jpg",
            "IMG20190102030405.jpg",
            "VID20190102030405.mp4",
            "IMG_20190102_030405_1.jpg",
            "IMG_20190102_030405-EDITED.jpg",
            "IMG_20190102_030405-tiny.jpg",
            "IMG_20190102_030405HDR.jpg",
            "IMG_20190102_030405_BURST001_COVER.jpg",
            "00000IMG_00000_BURST20190102030405_COVER.jpg",
            "BURST20190102030405.jpg",
            "Burst_Cover_GIF_Action_20190102030405.gif",
            "P_20190102_030405.jpg",
            "DJI_20190102030405_0001_D.MP4",
            "WP_20190102_03_04_05_Pro.jpg",
            "WIN_20190102_03_04_05_Pro.jpg",
            "WIN_20190102_030405.JPG",
            "Resized_20190102_030405.jpeg",
            "img20190102_03040599.jpg",
            "date_20190102_030405.jpg",
            "NO20190102-030405-000001F.MP4",
            "2019_0102_030405_001.MP4",
            "2019_0102_030405_001A.MOV",
            "2019-01-02-03h04m05s.png",
            "vlcsnap-2019-01-02-03h04m05s678.png",
            "20190102_03h04m05.jpg",
            "IMG_20190102_030405_00_001.insp",
            "DSCPDC_0001_BURST20190102030405.JPG",
            "WP_20190102_03_04_05_Pro__highres.jpg",
            "IMG_20190102_030405_123.jpg",
            "C360_2019-01-02-03-04-05-678.jpg",
        ],
    );
    all_read("2023-01-02 03:04:05", &["DJI_20230102030405_0001_D", "DJI_20230102030405_0001_D.DNG"]);
    all_read(
        "2017-11-11 03:00:39",
        &["00100dPORTRAIT_00100_BURST20171111030039_COVER.jpg", "IMG_BURST20171111030039.jpg"],
    );
    all_read("2014-01-02 03:04:05", &["WP_20140102_03_04_05_Pro", "WP_20140102_03_04_05_Pro.mp4"]);
    all_read("2019-01-02 03:04:05.678", &["IMG_20190102_030405678.jpg", "VID_20190102030405678.mp4"]);
}

#[test]
fn screens_and_messengers_tell_date_and_time() {
    all_read("2019-02-01 21:25:30", &["Screenshot_20190201-212530_App.jpg", "Screenshot_20190201-212530_App"]);
    all_read("2020-01-02 03:04:05", &["signal-2020-01-02-030405.jpg", "signal-2020-01-02-03-04-05-678.jpg"]);
    all_read("2023-08-27 14:43:35", &["photo_2023-08-27_14-43-35.jpg", "photo_2023-08-27_14-43-35 (2).jpg"]);
    all_read(
        "2026-08-31 15:41:14",
        &["WhatsApp Image 2026-08-31 at 15.41.14.jpeg", "WhatsApp Image 2026-08-31 at 15.41.14 (1).jpeg"],
    );
    all_read(
        "2019-01-02 03:04:05",
        &[
            "Screenshot_2019-01-02-03-04-05.png",
            "Screenshot_2019-01-02-03-04-05-123_com.app.jpg",
            "Screenshot from 2019-01-02 03-04-05.png",
            "Screen Shot 2019-01-02 at 3.04.05 AM.png",
            "Screen Shot 2019-01-02 at 03.04.05.png",
            "Screenshot 2019-01-02 at 3.04.05\u{202f}AM.png",
            "Bildschirmfoto 2019-01-02 um 03.04.05.png",
            "Capture d\u{2019}\u{e9}cran 2019-01-02 \u{e0} 03.04.05.png",
            "Schermata 2019-01-02 alle 03.04.05.png",
            "Captura de pantalla 2019-01-02 a las 3.04.05.png",
            "Sk\u{e4}rmavbild 2019-01-02 kl. 03.04.05.png",
            "Screenshot 2019-01-02 030405.png",
            "WhatsApp Image 2019-01-02 at 03.04.05_1a2b3c4d.jpg",
            "CleanShot 2019-01-02 at 03.04.05@2x.png",
            "2019-01-02 03.04.05.jpg",
            "2019-01-02 03.04.05",
            "2019-01-02 03.04.05-1.jpg",
            "2019-01-02_03-04-05.jpg",
            "2019-01-02-03-04-05-sep-2006-08-03-16-29-38a.jpg",
            "2019-01-02T03:04:05.jpg",
            "2019:01:02 03:04:05.jpg",
            "2019_01_02_03_04_05.jpg",
            "viber_image_2019-01-02_03-04-05.jpg",
            "WhatsApp Video 2019-01-02 at 3.04.05 AM.mp4",
        ],
    );
    all_read(
        "2019-01-02 15:04:05",
        &["Screen Shot 2019-01-02 at 3.04.05 PM", "Screen Shot 2019-01-02 at 3.04.05 PM (2).png"],
    );
    all_read("2019-01-02 00:04:05", &["Screen Shot 2019-01-02 at 12.04.05 AM.png"]);
}

#[test]
fn some_programs_tell_utc() {
    all_read(
        "2021-02-03 04:05:06.789 UTC",
        &["PXL_20210203_040506789", "PXL_20210203_040506789.NIGHT.jpg", "PXL_20210203_040506789~2.jpg"],
    );
    all_read("2021-02-03 04:05:06 UTC", &["PXL_20210203_040506.jpg", "20210203T040506Z.jpg"]);
    all_read(
        "2019-01-02 03:04:05.123 UTC",
        &[
            "FB_IMG_1546398245123.jpg",
            "mmexport1546398245123.jpg",
            "wx_camera_1546398245123.jpg",
            "mmexport1546398245123(1).jpg",
        ],
    );
}

#[test]
fn some_names_tell_a_day() {
    all_read(
        "2019-01-02",
        &[
            "IMG-20190102-WA0001.jpg",
            "VID-20190102-WA0012.mp4",
            "DSC_20190102.jpg",
            "IMG_20190102.jpg",
            "IMG_20190102_0001.pdf",
            "Scan_20190102.jpg",
            "Scan_20190102 (2).jpg",
            "2019-01-02.jpg",
            "2019-01-02 Birthday.jpg",
            "Scan 2019-01-02.png",
            "2019-01-02-001.jpg",
            "2019_01_02.jpg",
            "2019.01.02.jpg",
        ],
    );
    all_read("2014-01-02", &["WP_20140102_001.jpg", "WP_20140102_001"]);
}

#[test]
fn numbers_are_no_dates() {
    all_read(
        "",
        &[
            // Counters.
            "GOPR1234.MP4",
            "GX010123.MP4",
            "GH010123.MP4",
            "DJI_0001.JPG",
            "DSC_0001.JPG",
            "IMG_0001.JPG",
            "IMG_2019.JPG",
            "100_0306.AVI",
            "P1020190.JPG",
            "_MG_2019.CR2",
            "DSC02019.ARW",
            "Photo on 1-2-19.jpg",
            "Photo on 1-2-19 at 3.04 PM.jpg",
            // UUIDs, hashes, and what social networks make of names.
            "20190102-0304-0506-0708-091011121314.jpg",
            "20190102-0304-4506-8899-aabbccddeeff.jpg",
            "3f2b8c1a-2019-0102-0304-050607080910.jpg",
            "a1b2c3d4-e5f6-2019-0102-030405201901.jpg",
            "3f20190102030405ab.jpg",
            "a20190102030405.jpg",
            "20190102030405abcdef.jpg",
            "c0a76d267196727887d45de4889bec33.png",
            "20190102aabbccdd20190102aabbccdd.jpg",
            "12345678_20190102a1_030405.jpg",
            "12345678_1234567890123456_1234567890123456789_n.jpg",
            "received_10156398245123456.jpeg",
            "Snapchat-1546398245.jpg",
            "1546398245123.jpg",
            "SN1546398245123.jpg",
            "IMG_1546398245123.jpg",
            "a1FB20190102x7.jpg",
            "x20190102030405Zq9.jpg",
            // Telephone numbers, prices, serial and version numbers.
            "+4920190102.jpg",
            "+20190102 030405.jpg",
            "+49 170 20190102.jpg",
            "0049-2019-01-02.jpg",
            "invoice 1,20190102 030405.jpg",
            "12.20190102030405.jpg",
            "price 2019.99.jpg",
            "SN20190102.jpg",
            "serial-20190102.jpg",
            "20190102.jpg",
            "20190102-12345678.jpg",
            "2019_0102.jpg",
            "2019_0102_0304.jpg",
            "2019_1302_030405.jpg",
            "2019-01-02-03h04m61s.png",
            "12019010203040.jpg",
            "201901020304051.jpg",
            "1.2019.01.02.png",
            "app-2019.01.02.3.png",
            // Outside what can be true.
            "mmexport0000001000000.jpg",
            "mmexport9999999999999.jpg",
            "FB_IMG_9546398245123.jpg",
            "FB_IMG_154639824512.jpg",
            "FB_IMG_15463982451234.jpg",
            "FB_IMG_1546398245123a.jpg",
            "IMG_20200230.jpg",
            "IMG_20200230_030405.jpg",
            "IMG_20190102_256199.jpg",
            "IMG_20191301_030405.jpg",
            "IMG_19690102_030405.jpg",
            "IMG_18300102_030405.jpg",
            "IMG_20990102_030405.jpg",
            "IMG_19700101_000000.jpg",
            "IMG_19800101_000000.jpg",
            "IMG-20000101-WA0001.jpg",
            "2099-08-12-19-59-29-sep-2099-08-12-19-59-29a.jpg",
            "2019-02-29 03.04.05.jpg",
            "2019-01-02 25.04.05.jpg",
            "2019-01-02 13.04.05 PM.jpg",
            "2019-13-01.jpg",
            "2019-1-2.jpg",
            "19-01-02.jpg",
            "01-02-2019.jpg",
            "photo_5@27-08-2023_14-43-35.jpg",
            "XRecorder_02012019_030405.mp4",
            "20122019_030405.jpg",
            "FILE190102-030405.MP4",
            // Nothing at all.
            "",
            ".",
            "..",
            ".jpg",
            "photo.jpg",
            "\u{661}\u{662}.jpg",
        ],
    );
}

#[test]
fn the_first_date_that_can_be_true_counts() {
    all_read("2019-01-02 03:04:05", &["20990102_030405_20190102_030405.jpg", "2018-01-01 IMG_20190102_030405.jpg"]);
    all_read("2006-08-03 16:29:38", &["2006-08-03-16-29-38-sep-2019-01-02-03-04-05.jpg"]);
}

#[test]
fn names_that_ingest_gave_are_known() {
    for (name, ours) in [
        ("20190102_030405_0123456789abcdef.jpg", true),
        ("20190102_030405_1234567890123456.jpg", true),
        ("20190102_030405_0123456789abcdef", true),
        ("2019-01-02 03.04.05_01234567.jpg", true),
        ("2019-01-02 03.04.05 01234567.jpg", true),
        ("20190102_030405_001.jpg", false),
        ("20190102_030405_0123456789ABCDEF.jpg", false),
        ("20190102_030405_HDR.jpg", false),
        ("20190102_030405.jpg", false),
        ("IMG_20190102_030405_0123456789abcdef.jpg", false),
    ] {
        assert_eq!(line(name), "2019-01-02 03:04:05", "{name}");
        assert_eq!(date(OsStr::new(name)).is_some_and(|date| date.ours), ours, "{name}");
    }
}

proptest! {
    #[test]
    fn no_name_makes_it_fall_over(name in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Some(date) = date(OsStr::from_bytes(&name)) {
            prop_assert!(date.moment.time.year() >= FIRST_CONTAINER);
        }
    }

    #[test]
    fn nearly_dates_are_believable_or_none(name in "[0-9A-Fa-f_. -]{8,40}") {
        if let Some(date) = date(OsStr::new(&name)) {
            prop_assert!(date.moment.time.year() >= FIRST_CONTAINER);
        }
    }

    #[test]
    fn no_uuid_is_a_date(high in any::<u64>(), low in any::<u64>()) {
        let digits = format!("{high:016x}{low:016x}");
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
        prop_assert_eq!(line(&format!("{}.jpg", parts.join("-"))), "");
        prop_assert_eq!(line(&format!("{digits}.jpg")), "");
    }

    #[test]
    fn every_second_is_read(seconds in 1_000_000_001_i64..1_700_000_000) {
        let time = chrono::DateTime::from_timestamp(seconds, 0).expect("a time").naive_utc();
        let expected = time.format("%Y-%m-%d %H:%M:%S").to_string();
        for form in ["IMG_%Y%m%d_%H%M%S.jpg", "%Y-%m-%d %H.%M.%S.jpg", "at %Y-%m-%d at %I.%M.%S %p", "DJI_%Y%m%d%H%M%S_0001"] {
            prop_assert_eq!(line(&time.format(form).to_string()), expected.as_str(), "{}", form);
        }
    }
}
