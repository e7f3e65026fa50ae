use super::*;
use proptest::prelude::*;

/// A date as one line: time, offset in minutes, precision.
fn line(moment: Option<Moment>) -> String {
    let Some(moment) = moment else { return "none".to_owned() };
    let offset = moment.offset.map_or_else(|| "-".to_owned(), |offset| (offset / 60).to_string());
    format!("{} {offset} {:?}", moment.time.format("%Y-%m-%d %H:%M:%S%.f"), moment.precision)
}

#[track_caller]
fn reads(text: &str, expected: &str) {
    assert_eq!(line(parse(text.as_bytes())), expected, "{text:?}");
}

#[test]
fn every_separator_is_read() {
    for text in [
        "2019:01:02 03:04:05",
        "2019-01-02 03:04:05",
        "2019/01/02 03:04:05",
        "2019.01.02 03.04.05",
        "2019-01-02T03:04:05",
        "2019:01:02T03:04:05",
        "2019:01:02:03:04:05",
        "2019-01-02 03-04-05",
        "2019-01-02-03-04-05",
        "20190102T030405",
        "20190102030405",
        "20190102 030405",
        "2019: 1: 2  3: 4: 5",
        "2019/1/2 3:04:05 AM",
        "2019:01:02\x0003:04:05\0",
        "  2019:01:02 03:04:05 \0\0",
        "2019:01:02 03:04:05 CEST",
        "Wed, 2 Jan 2019 03:04:05",
        "Wed Jan  2 03:04:05 2019\n",
        "WED JAN 02 03:04:05 2019\n\0",
        "Wednesday, January 2, 2019 3:04:05 AM",
        "02 Jan 2019 03:04:05",
        "2-Jan-2019 03:04:05",
        "Wed Jan  2 03:04:05 CEST 2019",
    ] {
        reads(text, "2019-01-02 03:04:05 - Second");
    }
}

#[test]
fn fractions_and_missing_seconds_are_read() {
    reads("2019-01-02T03:04:05.678", "2019-01-02 03:04:05.678 - Second");
    reads("2019-01-02T03:04:05,5Z", "2019-01-02 03:04:05.500 0 Second");
    reads("2019-01-02T03:04:05.1234567891", "2019-01-02 03:04:05.123456789 - Second");
    reads("2019:01:02 03:04", "2019-01-02 03:04:00 - Minute");
    reads("2019:01:02 03:04:  ", "2019-01-02 03:04:00 - Minute");
    reads("2019-01-02T03:04+02:00", "2019-01-02 03:04:00 120 Minute");
    reads("2019-01-02T03:04-05:00", "2019-01-02 03:04:00 -300 Minute");
    reads("2001/ 1/27  1:42PM", "2001-01-27 13:42:00 - Minute");
    reads("2001/ 1/27 12:42 am", "2001-01-27 00:42:00 - Minute");
    reads("2001/ 1/27 13:42:07 PM", "2001-01-27 13:42:07 - Second");
    reads("2001/ 1/27 00:42:07 AM", "2001-01-27 00:42:07 - Second");
    assert!(parse(b"2019-01-02T03:04:05.000").is_some_and(|moment| moment.fraction));
    assert!(parse(b"2019-01-02T03:04:05").is_some_and(|moment| !moment.fraction));
}

#[test]
fn offsets_are_read_and_shift_nothing() {
    reads("2019:01:02 03:04:05Z", "2019-01-02 03:04:05 0 Second");
    reads("2019:01:02 03:04:05 z", "2019-01-02 03:04:05 0 Second");
    reads("2019:01:02 03:04:05+02:00", "2019-01-02 03:04:05 120 Second");
    reads("2019:01:02 03:04:05+0200", "2019-01-02 03:04:05 120 Second");
    reads("2019:01:02 03:04:05 -0330", "2019-01-02 03:04:05 -210 Second");
    reads("2019:01:02 03:04:05-08", "2019-01-02 03:04:05 -480 Second");
    reads("2019:01:02 03:04:05+02:00 DST", "2019-01-02 03:04:05 120 Second");
    reads("2019:01:02 03:04:05 DST", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05DST", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05 UTC+02:00", "2019-01-02 03:04:05 120 Second");
    reads("Mon, 13 Oct 2008 10:18:30 -0500", "2008-10-13 10:18:30 -300 Second");
    reads("Mon 9 Aug 2004 21:17:36 -0000", "2004-08-09 21:17:36 0 Second");
    reads("9 Aug 2004 21:17:36 EST", "2004-08-09 21:17:36 -300 Second");
    reads("Mon Aug  9 21:17:36 PDT 2004", "2004-08-09 21:17:36 -420 Second");
}

#[test]
fn what_follows_a_whole_date_changes_nothing() {
    reads("2019:01:02 03:04:05 and more", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05+", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05:06", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05+02:00 and more", "2019-01-02 03:04:05 120 Second");
}

#[test]
fn offsets_that_no_place_has_are_ignored() {
    reads("2019:01:02 03:04:05+14:00", "2019-01-02 03:04:05 840 Second");
    reads("2019:01:02 03:04:05-14:00", "2019-01-02 03:04:05 -840 Second");
    reads("2019:01:02 03:04:05+14:01", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05-24:00", "2019-01-02 03:04:05 - Second");
    reads("2019:01:02 03:04:05+01:60", "2019-01-02 03:04:05 - Second");
    let bare = parse(b"2019:01:02 03:04:05").expect("a date");
    for (text, offset) in [
        ("+02:00", Some(7200)),
        ("+02:00\0", Some(7200)),
        (" -0330", Some(-12_600)),
        ("Z", Some(0)),
        ("+15:00", None),
        ("   :  ", None),
        ("", None),
        ("+02:00x", None),
        ("two", None),
    ] {
        assert_eq!(bare.with_offset_text(text.as_bytes()), Moment { offset, ..bare }, "{text:?}");
    }
    let told = Moment { offset: Some(3600), ..bare };
    assert_eq!(told.with_offset_text(b"+02:00"), told);
}

#[test]
fn parts_of_a_second_join_only_where_there_are_none() {
    let bare = parse(b"2019:01:02 03:04:05").expect("a date");
    assert_eq!(line(Some(bare.with_subseconds(b"12"))), "2019-01-02 03:04:05.120 - Second");
    assert_eq!(line(Some(bare.with_subseconds(b"007 \0"))), "2019-01-02 03:04:05.007 - Second");
    assert_eq!(line(Some(bare.with_subseconds(b"1234567899"))), "2019-01-02 03:04:05.123456789 - Second");
    for nothing in ["", "   ", "1x", "-5", "\0"] {
        assert_eq!(bare.with_subseconds(nothing.as_bytes()), bare, "{nothing:?}");
    }
    let told = parse(b"2019:01:02 03:04:05.5").expect("a date");
    assert_eq!(told.with_subseconds(b"12"), told);
    let day = parse(b"2019:01:02").expect("a date");
    assert_eq!(day.with_subseconds(b"12").with_offset_text(b"+02:00"), day);
}

#[test]
fn days_without_a_time_are_days() {
    reads("2019:01:02", "2019-01-02 00:00:00 - Day");
    reads("20190102", "2019-01-02 00:00:00 - Day");
    reads("2019-01-02+02:00", "2019-01-02 00:00:00 - Day");
    reads("2019-01-02-05:00", "2019-01-02 00:00:00 - Day");
    reads("2019-01-02Z", "2019-01-02 00:00:00 - Day");
    reads("2019:01:02   :  :  ", "2019-01-02 00:00:00 - Day");
    reads("2 January 2019", "2019-01-02 00:00:00 - Day");
    reads("January 2, 2019", "2019-01-02 00:00:00 - Day");
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        " ",
        "\0\0\0",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "2019:00:00 00:00:00",
        "2019:02:30 03:04:05",
        "2019:02:29 03:04:05",
        "2019:13:01 03:04:05",
        "2019:01:02 24:00:00",
        "2019:01:02 03:60:05",
        "2019:01:02 03:04:61",
        "2019:01:02 03",
        "2019:01:02 13:04:05 AM",
        "2019:01:02 00:04:05 PM",
        "2019:01:02 03:04:056",
        "2019:01:02 03:04 and more",
        "2019:01:02 junk here",
        "2019",
        "2019-05",
        "06/05/08",
        "02/01/2019 03:04:05",
        "201901020",
        "1546398245",
        "Mon 9 Aug 2004 2O:17:36 -0000",
        "Mon 9 Aug",
        "Mon Aug 9 21:17:36",
        "9 Aux 2004 21:17:36",
        "-019:01:02 03:04:05",
        "\u{fffd}2019:01:02",
    ] {
        reads(text, "none");
    }
}

#[test]
fn years_before_the_first_are_none() {
    reads("1825:12:31 23:59:59", "none");
    reads("1826:01:01 00:00:00", "1826-01-01 00:00:00 - Second");
    reads("1969:12:31 23:59:59", "1969-12-31 23:59:59 - Second");
    assert_eq!(parse_container(b"1969-12-31 23:59:59"), None);
    assert!(parse_container(b"1970-01-01 00:00:01").is_some());
}

#[test]
fn clocks_that_were_never_set_are_none() {
    for year in [1904, 1970, 1980, 2000, 2001] {
        reads(&format!("{year}:01:01 00:00:00"), "none");
        reads(&format!("{year}-01-01T00:00:00.5+01:00"), "none");
        reads(&format!("{year}-01-01T00:00"), "none");
        reads(&format!("{year}-01-01"), "none");
        reads(&format!("{year}:01:01 00:00:01"), &format!("{year}-01-01 00:00:01 - Second"));
        reads(&format!("{year}:01:02 00:00:00"), &format!("{year}-01-02 00:00:00 - Second"));
    }
    reads("1999:01:01 00:00:00", "1999-01-01 00:00:00 - Second");
}

#[test]
fn two_days_ahead_is_the_limit() {
    let noon = parse(b"2020:01:03 12:00:00").expect("a date");
    let two_days_before = noon.time.and_utc().timestamp() - 48 * 3600;
    assert_eq!(noon.valid(FIRST_PICTURE, two_days_before), Some(noon));
    assert_eq!(noon.valid(FIRST_PICTURE, two_days_before - 1), None);
    let east = Moment { offset: Some(7200), ..noon };
    assert_eq!(east.valid(FIRST_PICTURE, two_days_before - 7200), Some(east));
    assert_eq!(east.valid(FIRST_PICTURE, two_days_before - 7201), None);
    assert_eq!(parse(b"9999:12:31 23:59:59"), None);
}

#[test]
fn numbers_count_from_their_epochs() {
    let line = |moment: Option<Moment>| line(moment.inspect(|moment| assert_eq!(moment.base, Base::Utc)));
    assert_eq!(line(from_unix(1_546_398_245, Some(123_000_000))), "2019-01-02 03:04:05.123 - Second");
    assert_eq!(line(from_unix(0, None)), "none");
    assert_eq!(line(from_unix(-1, None)), "none");
    assert_eq!(line(from_unix(i64::MAX, None)), "none");
    assert_eq!(line(from_unix(1, Some(u32::MAX))), "none");
    assert_eq!(line(from_1904(0)), "none");
    assert_eq!(line(from_1904(2_082_844_800)), "none");
    assert_eq!(line(from_1904(2_082_844_800 + 1_546_398_245)), "2019-01-02 03:04:05 - Second");
    assert_eq!(line(from_1904(1_546_398_245)), "2019-01-02 03:04:05 - Second");
    assert_eq!(line(from_1904(u64::MAX)), "none");
    assert_eq!(line(from_2001_nanoseconds(0)), "none");
    assert_eq!(line(from_2001_nanoseconds(1_500_000_000)), "2001-01-01 00:00:01.500 - Second");
    assert_eq!(line(from_2001_nanoseconds(i64::MIN)), "none");
}

proptest! {
    #[test]
    fn no_text_makes_it_fall_over(text in prop::collection::vec(any::<u8>(), 0..80)) {
        let moment = parse(&text);
        prop_assert!(moment.is_none_or(|moment| moment.base == Base::Wall));
    }

    #[test]
    fn nearly_dates_are_believable_or_none(text in "[0-9: TZ+./-]{0,30}") {
        if let Some(moment) = parse(text.as_bytes()) {
            prop_assert!(moment.time.year() >= FIRST_PICTURE);
            prop_assert!(moment.offset.is_none_or(|offset| offset.unsigned_abs() <= FURTHEST_OFFSET));
        }
    }

    #[test]
    fn every_second_comes_back(seconds in 1_000_000_001_i64..1_700_000_000) {
        let moment = from_unix(seconds, None).expect("a date");
        let text = moment.time.format("%Y:%m:%d %H:%M:%S").to_string();
        prop_assert_eq!(parse(text.as_bytes()).map(Moment::utc), Some(moment));
    }
}
