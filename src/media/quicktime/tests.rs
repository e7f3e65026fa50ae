use std::os::unix::fs::FileExt;

use super::super::source::Bytes;
use super::super::trial::{dates, facts, survives_damage};
use super::super::{Facts, Source};
use super::read;

/// Seconds from 1904-01-01 to 2019-01-02 03:04:05 UTC.
const JANUARY: u32 = 3_629_243_045;

fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).expect("small");
    [&size.to_be_bytes(), kind, content].concat()
}

/// `mvhd` or `mdhd` of version 0.
fn header(kind: &[u8], seconds: u32) -> Vec<u8> {
    boxed(kind, &[&[0; 4], &seconds.to_be_bytes()[..], &[0; 16]].concat())
}

fn track(seconds: u32) -> Vec<u8> {
    boxed(b"trak", &[boxed(b"tkhd", &[0; 84]), boxed(b"mdia", &header(b"mdhd", seconds))].concat())
}

fn movie(parts: &[Vec<u8>]) -> Vec<u8> {
    [boxed(b"ftyp", b"qt  \0\0\0\0qt  "), boxed(b"moov", &parts.concat())].concat()
}

/// Apple's text of user data: length, language, text.
fn apple(kind: &[u8], text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).expect("small");
    boxed(kind, &[&len.to_be_bytes(), &[0x15, 0xC7], text.as_bytes()].concat())
}

fn data(text: &str) -> Vec<u8> {
    boxed(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], text.as_bytes()].concat())
}

/// Metadata by name, in `QuickTime`'s form or, as a full box, in that of ISO.
fn keyed(pairs: &[(&str, &str)], full: bool) -> Vec<u8> {
    let handler = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0mdta\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let mut names = vec![0; 4];
    names.extend(u32::try_from(pairs.len()).expect("small").to_be_bytes());
    let mut values = Vec::new();
    for (number, (name, value)) in (1_u32..).zip(pairs) {
        names.extend(boxed(b"mdta", name.as_bytes()));
        values.extend(boxed(&number.to_be_bytes(), &data(value)));
    }
    let version: &[u8] = if full { &[0; 4] } else { &[] };
    boxed(b"meta", &[version, &handler, &boxed(b"keys", &names), &boxed(b"ilst", &values)].concat())
}

fn user_data(parts: &[Vec<u8>]) -> Vec<u8> {
    boxed(b"udta", &parts.concat())
}

/// A movie as a phone writes it.
fn phone() -> Vec<u8> {
    movie(&[
        header(b"mvhd", JANUARY),
        track(JANUARY),
        user_data(&[apple(b"\xA9day", "2019-01-02T04:04:04+0100"), apple(b"\xA9mak", "Maker"), vec![0; 4]]),
        keyed(
            &[
                ("com.apple.quicktime.location.ISO6709", "+47.1+008.3/"),
                ("com.apple.quicktime.creationdate", "2019-01-02T04:04:03+0100"),
                ("com.apple.quicktime.make", "Apple\0"),
                ("com.apple.quicktime.model", " iPhone X "),
                ("com.apple.quicktime.content.identifier", "9C1F4D2A"),
                ("com.samsung.android.utc_offset", "-0330"),
            ],
            false,
        ),
    ])
}

fn one(content: &[u8]) -> (Source, String) {
    let mut found = dates(content, read);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_phone_tells_all() {
    let Facts { dates: _, utc_offset, make, model, content_id, .. } = facts(&phone(), read);
    assert_eq!(utc_offset, Some(-12_600));
    assert_eq!((make.as_deref(), model.as_deref()), (Some("Maker"), Some("iPhone X")));
    assert_eq!(content_id.as_deref(), Some("9C1F4D2A"));
    let expected = [
        (Source::QtCreationDate, "2019-01-02 04:04:03 +60"),
        (Source::QtUserData, "2019-01-02 04:04:04 +60"),
        (Source::QtMovieHeader, "2019-01-02 03:04:05"),
    ];
    assert_eq!(dates(&phone(), read), expected.map(|(source, date)| (source, date.to_owned())));
}

#[test]
fn metadata_may_be_a_full_box_and_may_stand_in_the_user_data() {
    let keys = keyed(&[("com.apple.quicktime.creationdate", "2019-01-02T03:04:05Z")], true);
    for content in [movie(std::slice::from_ref(&keys)), movie(&[user_data(&[keys])])] {
        assert_eq!(one(&content), (Source::QtCreationDate, "2019-01-02 03:04:05 +0".to_owned()));
    }
}

#[test]
fn user_data_is_text_of_many_forms() {
    let threegp = [&[0, 0, 0, 0, 0x15, 0xC7], &b"2019-01-02 03:04:05\0"[..]].concat();
    let items =
        boxed(b"meta", &[vec![0; 4], boxed(b"ilst", &boxed(b"\xA9day", &data("2019-01-02 03:04:05")))].concat());
    for part in [
        apple(b"\xA9day", "2019-01-02T03:04:05"),
        boxed(b"\xA9day", b"2019-01-02 03:04:05"),
        boxed(b"date", b"2019-01-02T03:04:05"),
        boxed(b"@day", &threegp),
        boxed(b"IDIT", b"2019-01-02T03:04:05\0"),
        items,
    ] {
        let content = movie(&[user_data(&[boxed(b"free", b"x"), part])]);
        assert_eq!(one(&content), (Source::QtUserData, "2019-01-02 03:04:05".to_owned()));
    }
}

#[test]
fn the_recording_goes_before_the_publication() {
    let day = apple(b"\xA9day", "2019-05-06T07:08:09");
    let content = movie(&[user_data(&[day, boxed(b"date", b"2019-01-02T03:04:05")])]);
    assert_eq!(one(&content), (Source::QtUserData, "2019-01-02 03:04:05".to_owned()));
}

#[test]
fn a_day_without_a_time_is_a_publication() {
    let keys = keyed(&[("com.apple.quicktime.creationdate", "2019-01-02")], false);
    for day in ["2019", "2019-01-02", "0000-00-00T00:00:00"] {
        assert_eq!(dates(&movie(&[user_data(&[apple(b"\xA9day", day)]), keys.clone()]), read), []);
    }
}

#[test]
fn nikon_keeps_records() {
    let text = b"2019:01:02 03:04:05\0";
    let records = [
        &b"\0\0\0\x01\0\x02\0\x06Nikon\0"[..],
        b"\0\0\0\x13\0\x04\0\x02\0\0\x01\xD3\0\0\0\0",
        b"\0\0\0\x12\0\x02\0\x14",
        text,
    ];
    let content = movie(&[user_data(&[boxed(b"NCDT", &boxed(b"NCTG", &records.concat()))])]);
    assert_eq!(one(&content), (Source::QtUserData, "2019-01-02 03:04:05".to_owned()));
    assert_eq!(facts(&content, read).make.as_deref(), Some("Nikon"));
}

#[test]
fn headers_count_from_1904_or_1970_in_32_or_64_bits() {
    let wide = [&[1, 0, 0, 0, 0, 0, 0, 0], &JANUARY.to_be_bytes()[..], &[0; 24]].concat();
    for header in [header(b"mvhd", JANUARY), header(b"mvhd", 1_546_398_245), boxed(b"mvhd", &wide)] {
        assert_eq!(one(&movie(&[header])), (Source::QtMovieHeader, "2019-01-02 03:04:05".to_owned()));
    }
    for nothing in [0, 2_082_844_800, u32::MAX] {
        assert_eq!(dates(&movie(&[header(b"mvhd", nothing)]), read), []);
    }
}

#[test]
fn the_first_track_that_has_a_date_stands_in_for_the_header() {
    let tracks = [header(b"mvhd", 0), track(0), boxed(b"trak", b""), track(JANUARY), track(JANUARY + 60)];
    assert_eq!(one(&movie(&tracks)), (Source::QtMediaHeader, "2019-01-02 03:04:05".to_owned()));
}

#[test]
fn a_date_behind_thousands_of_tracks_is_found() {
    let mut parts = vec![track(0); 5000];
    parts.push(header(b"mvhd", JANUARY));
    assert_eq!(one(&movie(&parts)).0, Source::QtMovieHeader);
}

#[test]
fn the_movie_may_stand_behind_wide_and_unsized_boxes() {
    let wide = [&[0, 0, 0, 1], &b"mdat"[..], &24_u64.to_be_bytes(), b"pictures"].concat();
    let mut rest = boxed(b"moov", &header(b"mvhd", JANUARY));
    rest[..4].fill(0);
    let content = [boxed(b"wide", b""), wide, boxed(b"uuid", &[7; 20]), rest].concat();
    assert_eq!(one(&content).0, Source::QtMovieHeader);
}

#[test]
fn a_movie_behind_three_gibibytes_is_read_alone() {
    let movie = boxed(b"moov", &header(b"mvhd", JANUARY));
    let pictures = 3_u64 << 30;
    let file = tempfile::tempfile().expect("a temporary file");
    file.write_all_at(&[&[0, 0, 0, 1], &b"mdat"[..], &pictures.to_be_bytes()].concat(), 0).expect("written");
    file.write_all_at(&movie, pictures).expect("written");
    let mut bytes = Bytes::new(&file).expect("a length");
    let mut facts = Facts::default();
    read(&mut bytes, &mut facts);
    assert!(facts.has(Source::QtMovieHeader));
}

#[test]
fn what_is_cut_short_tells_what_is_left() {
    let content = movie(&[header(b"mvhd", JANUARY), user_data(&[apple(b"\xA9day", "2019-01-02T04:05:06")])]);
    assert_eq!(dates(&content, read).len(), 2);
    assert_eq!(one(&content[..content.len() - 4]).0, Source::QtMovieHeader);
    assert_eq!(dates(&content[..36], read), []);
}

#[test]
fn damage_is_survived() {
    let header_only = movie(&[header(b"mvhd", 0), track(0), track(JANUARY)]);
    survives_damage(&[phone(), header_only], read);
}

/// EXIF with one date in its second directory.
fn exif(date: &[u8; 20]) -> Vec<u8> {
    let first = [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0"[..]].concat();
    let second = [&b"\0\x01\x90\x03\0\x02\0\0\0\x14\0\0\0\x2C\0\0\0\0"[..], date].concat();
    [first, second].concat()
}

#[test]
fn canon_and_panasonic_keep_pictures_with_exif() {
    let preview = [&[0xFF, 0xD8, 0xFF, 0xE1, 0, 0x60][..], &exif(b"2019:01:02 03:04:05\0")].concat();
    let old = boxed(b"CNTH", &boxed(b"CNDA", &exif(b"1904:01:02 03:04:05\0")));
    for part in [
        boxed(b"CNTH", &boxed(b"CNDA", &preview)),
        boxed(b"PANA", &[&[0; 16], &preview[..]].concat()),
        boxed(b"LEIC", &[&[0; 16 << 10], &preview[..]].concat()),
    ] {
        let content = movie(&[user_data(&[old.clone(), part])]);
        assert_eq!(one(&content), (Source::QtUserData, "2019-01-02 03:04:05".to_owned()));
    }
}

#[test]
fn a_movie_tells_its_length() {
    let narrow = |scale: u32, units: u32| {
        let head = [0, JANUARY, JANUARY, scale, units].map(u32::to_be_bytes).concat();
        facts(&movie(&[boxed(b"mvhd", &head)]), read).duration
    };
    assert_eq!(narrow(600, 600 * 90 + 599), Some(90));
    assert_eq!(narrow(0, 600), None);
    assert_eq!(narrow(600, u32::MAX), None);
    let wide = |units: u64| {
        let times = [u64::from(JANUARY); 2].map(u64::to_be_bytes).concat();
        let head = [&[1, 0, 0, 0], times.as_slice(), &1000_u32.to_be_bytes(), &units.to_be_bytes()].concat();
        facts(&movie(&[boxed(b"mvhd", &head)]), read).duration
    };
    assert_eq!(wide(90_000), Some(90));
    assert_eq!(wide(u64::MAX), None);
    assert_eq!(facts(&movie(&[header(b"mvhd", JANUARY)]), read).duration, None);
}
