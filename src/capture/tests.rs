use super::*;
use crate::media::when;
use proptest::prelude::*;

fn wall(text: &str) -> Moment {
    when::parse(text.as_bytes()).expect("a date")
}

fn utc(text: &str) -> Moment {
    wall(text).utc()
}

fn facts(dates: &[(Source, Moment)]) -> Facts {
    Facts { dates: dates.to_vec(), ..Facts::default() }
}

fn berlin() -> Rules {
    Rules { zone: Zone::parse("Europe/Berlin").expect("a zone"), ..Rules::default() }
}

fn evidence<'a>(facts: &'a Facts, name: &'a str) -> Evidence<'a> {
    Evidence { facts, name: OsStr::new(name), sidecar: None, takeout: None, mtime: None, paired_offset: None }
}

/// The wall clock in Berlin and the note; `none` for no date.
fn line(evidence: &Evidence) -> String {
    capture(evidence, &berlin()).map_or_else(|| "none".to_owned(), |capture| format!("{} {capture}", capture.wall))
}

/// What `date` of `source` and a file's name give in Berlin.
fn in_berlin(source: Source, date: Moment, name: &str) -> String {
    line(&evidence(&facts(&[(source, date)]), name))
}

const TAKEN: Timestamp = Timestamp { seconds: 1_546_398_245, nanoseconds: 250_000_000 };

#[test]
fn an_offset_that_is_told_shifts_nothing() {
    assert_eq!(
        in_berlin(Source::ExifOriginal, wall("2019:07:02 03:04:05-08:00"), "IMG_20190102_030405.jpg"),
        "2019-07-02 03:04:05 date=exif:DateTimeOriginal offset=-08:00 precision=second"
    );
    assert_eq!(
        in_berlin(Source::ExifOriginal, wall("2019:07:02 03:04"), "x.jpg"),
        "2019-07-02 03:04:00 date=exif:DateTimeOriginal precision=minute"
    );
}

#[test]
fn the_zone_of_the_rules_tells_utc() {
    assert_eq!(
        in_berlin(Source::QtMovieHeader, utc("2019:07:02 22:04:05"), "GX010123.MP4"),
        "2019-07-03 00:04:05 date=qt:mvhd zone=tz offset=+02:00 precision=second"
    );
    assert_eq!(
        in_berlin(Source::Gps, utc("2019:01:02 22:04:05"), "DJI_0001.JPG"),
        "2019-01-02 23:04:05 date=gps:DateStamp zone=tz offset=+01:00 precision=second"
    );
}

#[test]
fn a_local_time_in_the_name_tells_the_zone_and_the_time() {
    let ended = utc("2019:01:02 03:04:47");
    let by_name = |name| in_berlin(Source::QtMovieHeader, ended, name);
    let nepal = "2019-01-02 08:49:05 date=qt:mvhd zone=name offset=+05:45 precision=second";
    assert_eq!(by_name("VID_20190102_084905.mp4"), nepal);
    assert_eq!(by_name("VID_20190102_084905.678.mp4"), nepal);
    // A camera that stores local time is recognized too.
    let local = "2019-01-02 03:04:05 date=qt:mvhd zone=name offset=+00:00 precision=second";
    assert_eq!(by_name("VID_20190102_030405.mp4"), local);
    let west = "2019-01-01 17:04:05 date=qt:mvhd zone=name offset=-10:00 precision=second";
    assert_eq!(by_name("20190101_170405.mp4"), west);
}

#[test]
fn names_that_do_not_fit_tell_no_zone() {
    let by_rules = "2019-01-02 04:04:47 date=qt:mvhd zone=tz offset=+01:00 precision=second";
    for name in [
        "VID_20190102_084205.mp4",    // Five minutes from the quarter of an hour.
        "VID_20190103_030405.mp4",    // A day later.
        "VID_20190102_180500.mp4",    // Fifteen hours and some seconds.
        "VID-20190102-WA0001.mp4",    // A day.
        "PXL_20190102_080405678.mp4", // UTC.
    ] {
        assert_eq!(in_berlin(Source::QtMovieHeader, utc("2019:01:02 03:04:47"), name), by_rules, "{name}");
    }
}

#[test]
fn two_minutes_are_near_and_fifteen_hours_are_far() {
    let utc: NaiveDateTime = "2019-01-02T12:00:00".parse().expect("a date");
    let offset = |ahead: i64, duration| offset_by_name(utc, utc + TimeDelta::seconds(ahead), duration);
    assert_eq!(offset(7200, None), Some(7200));
    assert_eq!(offset(7200 + 120, None), Some(7200));
    assert_eq!(offset(7200 - 120, None), Some(7200));
    assert_eq!(offset(7200 + 121, None), None);
    assert_eq!(offset(7200 - 121, None), None);
    assert_eq!(offset(-12_600 - 60, None), Some(-12_600));
    assert_eq!(offset(15 * 3600, None), Some(15 * 3600));
    assert_eq!(offset(15 * 3600 + 1, None), None);
    assert_eq!(offset(-15 * 3600 - 1, None), None);
    // Ten minutes of recording end at the time in the header; or start there.
    assert_eq!(offset(7200 - 600, Some(600)), Some(7200));
    assert_eq!(offset(7200 - 600, Some(300)), None);
    assert_eq!(offset(7200, Some(600)), Some(7200));
    assert_eq!(offset(7200 - 850, Some(850)), Some(7200));
    assert_eq!(offset(0, Some(u32::MAX)), Some(0));
}

#[test]
fn an_offset_beyond_all_zones_is_not_told() {
    assert_eq!(
        in_berlin(Source::QtMovieHeader, utc("2019:01:02 03:04:05"), "VID_20190102_173405.mp4"),
        "2019-01-02 17:34:05 date=qt:mvhd zone=name precision=second"
    );
}

#[test]
fn a_phones_offset_comes_before_the_stills_and_the_zone() {
    let stored = |utc_offset| Facts { utc_offset, ..facts(&[(Source::QtMovieHeader, utc("2019:01:02 22:04:05"))]) };
    let with_still = |utc_offset, name| {
        let facts = stored(utc_offset);
        line(&Evidence { paired_offset: Some(-18_000), ..evidence(&facts, name) })
    };
    let by_still = "2019-01-02 17:04:05 date=qt:mvhd zone=still offset=-05:00 precision=second";
    assert_eq!(with_still(None, "video.mp4"), by_still);
    assert_eq!(with_still(Some(15 * 3600), "video.mp4"), by_still);
    let by_phone = "2019-01-03 07:04:05 date=qt:mvhd zone=phone offset=+09:00 precision=second";
    assert_eq!(with_still(Some(32_400), "video.mp4"), by_phone);
    let by_name = "2019-01-02 21:04:05 date=qt:mvhd zone=name offset=-01:00 precision=second";
    assert_eq!(with_still(Some(32_400), "VID_20190102_210405.mp4"), by_name);
}

#[test]
fn headers_hold_what_the_user_says() {
    let both = [Source::QtMovieHeader, Source::QtMediaHeader];
    for source in both {
        let facts = facts(&[(source, utc("2019:01:02 22:04:05"))]);
        let evidence = evidence(&facts, "VID_20190102_230405.mp4");
        let local = capture(&evidence, &Rules { qt_time: Some(QtTime::Local), ..berlin() }).expect("a date");
        assert_eq!((local.wall.to_string().as_str(), local.offset), ("2019-01-02 22:04:05", None));
        let utc = capture(&evidence, &Rules { qt_time: Some(QtTime::Utc), ..berlin() });
        assert_eq!(utc, capture(&evidence, &berlin()));
    }
    // Other sources are UTC whatever is said of headers.
    let facts = facts(&[(Source::Gps, utc("2019:01:02 22:04:05"))]);
    let rules = Rules { qt_time: Some(QtTime::Local), ..berlin() };
    assert_eq!(capture(&evidence(&facts, "x.jpg"), &rules), capture(&evidence(&facts, "x.jpg"), &berlin()));
}

#[test]
fn sources_win_in_their_order() {
    let exif = facts(&[(Source::ExifDigitized, wall("2012:01:01 00:00:01"))]);
    let changed = facts(&[(Source::ExifModified, wall("2013:01:01 00:00:01"))]);
    let day = facts(&[(Source::Iptc, wall("2014:01:01"))]);
    let nothing = Facts::default();
    let sidecar = facts(&[(Source::XmpCreate, wall("2015:01:01 00:00:01")), (Source::XmpOriginal, wall("2016:01:01"))]);
    let sidecar_day = facts(&[(Source::XmpOriginal, wall("2016:01:01"))]);
    let full = |facts, name, sidecar| Evidence {
        sidecar,
        takeout: Some(utc("2018:01:01 00:00:01")),
        mtime: Some(TAKEN),
        ..evidence(facts, name)
    };
    let prefer = Rules { sidecar_first: true, ..berlin() };
    let origin = |evidence: &Evidence, rules: &Rules| capture(evidence, rules).expect("a date").origin;
    let named = "IMG_20170101_000001.jpg";
    assert_eq!(origin(&full(&exif, named, Some(&sidecar)), &prefer), Origin::PreferredSidecar(Source::XmpCreate));
    assert_eq!(origin(&full(&exif, named, Some(&sidecar_day)), &prefer), Origin::PreferredSidecar(Source::XmpOriginal));
    assert_eq!(origin(&full(&exif, named, Some(&sidecar_day)), &berlin()), Origin::File(Source::ExifDigitized));
    assert_eq!(origin(&full(&exif, named, Some(&sidecar)), &berlin()), Origin::File(Source::ExifDigitized));
    assert_eq!(origin(&full(&changed, named, Some(&sidecar)), &berlin()), Origin::Sidecar(Source::XmpCreate));
    assert_eq!(origin(&full(&changed, named, None), &berlin()), Origin::Name);
    assert_eq!(origin(&full(&changed, "IMG-20170101-WA0001.jpg", None), &berlin()), Origin::Takeout);
    let without_takeout = |facts, name, sidecar| Evidence { takeout: None, ..full(facts, name, sidecar) };
    let by_day = "IMG-20170101-WA0001.jpg";
    assert_eq!(
        origin(&without_takeout(&changed, by_day, Some(&sidecar_day)), &berlin()),
        Origin::Changed(Source::ExifModified)
    );
    assert_eq!(origin(&without_takeout(&day, by_day, Some(&sidecar_day)), &berlin()), Origin::FileDay(Source::Iptc));
    assert_eq!(
        origin(&without_takeout(&nothing, by_day, Some(&sidecar_day)), &berlin()),
        Origin::SidecarDay(Source::XmpOriginal)
    );
    assert_eq!(origin(&without_takeout(&nothing, by_day, None), &berlin()), Origin::NameDay);
    assert_eq!(origin(&without_takeout(&nothing, "x.jpg", None), &berlin()), Origin::Mtime);
    let no_mtime = Rules { use_mtime: false, ..berlin() };
    assert_eq!(capture(&without_takeout(&nothing, "x.jpg", None), &no_mtime), None);
    assert_eq!(capture(&evidence(&nothing, "x.jpg"), &berlin()), None);
}

#[test]
fn each_source_says_its_name() {
    let nothing = Facts::default();
    let with = |name| Evidence { mtime: Some(TAKEN), ..evidence(&nothing, name) };
    for (name, expected) in [
        ("x.jpg", "2019-01-02 04:04:05.250 date=mtime zone=tz offset=+01:00 precision=second"),
        ("IMG_20170101_000001.jpg", "2017-01-01 00:00:01 date=name precision=second"),
        ("PXL_20210203_040506789.jpg", "2021-02-03 05:05:06.789 date=name zone=tz offset=+01:00 precision=second"),
        ("IMG-20170101-WA0001.jpg", "2017-01-01 00:00:00 date=name precision=day"),
    ] {
        assert_eq!(line(&with(name)), expected);
    }
    let takeout = Evidence { takeout: Some(utc("2018:01:01 00:00:01")), ..with("x.jpg") };
    assert_eq!(
        line(&takeout),
        "2018-01-01 01:00:01 date=takeout:photoTakenTime zone=tz offset=+01:00 precision=second"
    );
    let sidecar = facts(&[(Source::XmpDateCreated, wall("2015:01:01 00:00:01Z"))]);
    assert_eq!(
        line(&Evidence { sidecar: Some(&sidecar), ..with("x.jpg") }),
        "2015-01-01 00:00:01 date=sidecar:xmp:DateCreated offset=+00:00 precision=second"
    );
}

#[test]
fn only_an_offset_that_a_still_tells_is_lent() {
    let lent = |source, date, name| {
        let facts = facts(&[(source, date)]);
        capture(&evidence(&facts, name), &berlin()).expect("a date").offset_to_lend()
    };
    assert_eq!(lent(Source::ExifOriginal, wall("2019:07:02 03:04:05-08:00"), "x.heic"), Some(-28_800));
    assert_eq!(lent(Source::ExifOriginal, wall("2019:07:02 03:04:05"), "x.heic"), None);
    assert_eq!(lent(Source::Gps, utc("2019:07:02 03:04:05"), "IMG_20190702_060405.heic"), Some(10_800));
    assert_eq!(lent(Source::Gps, utc("2019:07:02 03:04:05"), "x.heic"), None);
    let nothing = Facts::default();
    let dated = Evidence { mtime: Some(TAKEN), ..evidence(&nothing, "x.heic") };
    assert_eq!(capture(&dated, &berlin()).expect("a date").offset_to_lend(), None);
}

#[test]
fn a_name_made_from_the_mtime_is_still_the_mtime() {
    let nothing = Facts::default();
    let ours = |name| Evidence { mtime: Some(TAKEN), ..evidence(&nothing, name) };
    let no_mtime = Rules { use_mtime: false, ..berlin() };
    let made = ours("20190102_040405_0123456789abcdef.jpg");
    assert_eq!(capture(&made, &berlin()), capture(&ours("x.jpg"), &berlin()));
    assert_eq!(capture(&made, &no_mtime), None);
    for name in [
        "20190102_040406_0123456789abcdef.jpg", // Another second.
        "20190102_030405_0123456789abcdef.jpg", // Another zone.
        "20190102_040405.jpg",                  // A camera's.
        "IMG_20190102_040405_0123456789abcdef.jpg",
    ] {
        assert_eq!(capture(&ours(name), &no_mtime).map(|capture| capture.origin), Some(Origin::Name), "{name}");
    }
    // Milliseconds between date and hash are not lost, whether or not the name is believed.
    let exact = "20190102_040405_250_0123456789abcdef.jpg";
    assert_eq!(capture(&ours(exact), &berlin()), capture(&ours("x.jpg"), &berlin()));
    let later = Evidence { mtime: None, ..ours(exact) };
    assert_eq!(line(&later), "2019-01-02 04:04:05.250 date=name precision=second");
    // It still tells the zone of a header, as it may have been made from that.
    let video = facts(&[(Source::QtMovieHeader, utc("2019:01:02 08:04:35"))]);
    let made = Evidence { facts: &video, ..made };
    assert_eq!(capture(&made, &berlin()).map(|capture| capture.zone), Some(Some(Hint::Name)));
}

const SOURCES: [Source; 19] = [
    Source::ExifOriginal,
    Source::ExifDigitized,
    Source::MakerDate,
    Source::XmpOriginal,
    Source::XmpDateCreated,
    Source::Iptc,
    Source::XmpCreate,
    Source::PngCreation,
    Source::Gps,
    Source::QtCreationDate,
    Source::QtUserData,
    Source::QtMovieHeader,
    Source::QtMediaHeader,
    Source::AviIdit,
    Source::Mdpm,
    Source::MkvRecorded,
    Source::ExifModified,
    Source::PngTime,
    Source::MkvDateUtc,
];

#[test]
fn the_manual_names_every_source() {
    let manual = include_str!("../../man/ms-ingest.1");
    for source in SOURCES {
        let name = Origin::File(source).to_string();
        assert!(manual.contains(&format!("Pq Ql {name} ")), "{name}");
    }
}

fn any_date() -> impl Strategy<Value = (Source, Moment)> {
    (0..SOURCES.len(), 1_000_000_001_i64..1_700_000_000, any::<bool>(), 0..4_u8).prop_map(
        |(source, seconds, utc, day)| {
            let moment = when::from_unix(seconds, None).expect("a date");
            let moment = if utc { moment } else { Moment { base: Base::Wall, ..moment } };
            let precision = if day == 0 { Precision::Day } else { Precision::Second };
            (SOURCES[source], Moment { precision, ..moment })
        },
    )
}

proptest! {
    #[test]
    fn the_winner_does_not_hang_on_the_order_of_finding(
        dates in prop::collection::vec(any_date(), 1..8).prop_flat_map(|dates| (Just(dates.clone()), Just(dates).prop_shuffle())),
        beside in prop::collection::vec(any_date(), 0..4),
        prefer in any::<bool>(),
    ) {
        let (found, shuffled) = (facts(&dates.0), facts(&dates.1));
        let (beside, turned) = (facts(&beside), facts(&beside.iter().rev().copied().collect::<Vec<_>>()));
        let rules = Rules { sidecar_first: prefer, ..berlin() };
        let one = Evidence { sidecar: Some(&beside), ..evidence(&found, "IMG_20190102_030405.jpg") };
        let other = Evidence { sidecar: Some(&turned), ..evidence(&shuffled, "IMG_20190102_030405.jpg") };
        prop_assert_eq!(capture(&one, &rules), capture(&other, &rules));
    }

    #[test]
    fn no_other_source_with_a_time_is_better_than_the_winner(dates in prop::collection::vec(any_date(), 1..8)) {
        let found = facts(&dates);
        let winner = capture(&evidence(&found, "x.jpg"), &berlin()).expect("a date");
        for (source, moment) in dates {
            prop_assert!(winner.origin <= own_origin(source, moment));
        }
    }

    #[test]
    fn the_name_that_a_date_gives_changes_nothing_when_it_comes_again(date in any_date(), duration in prop::option::of(0..5000_u32)) {
        let mut found = facts(&[date]);
        found.duration = duration;
        let first = capture(&evidence(&found, "video.mp4"), &berlin()).expect("a date");
        let name = first.wall.format("%Y%m%d_%H%M%S_0123456789abcdef.mp4").to_string();
        let again = capture(&evidence(&found, &name), &berlin()).expect("a date");
        prop_assert_eq!(first.wall.with_nanosecond(0), again.wall.with_nanosecond(0));
    }
}
