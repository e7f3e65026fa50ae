use super::super::source::Bytes;
use super::super::tiff::Place;
use super::super::trial::sample::{Directory, Tiff, Value, dated, packet};
use super::super::trial::{dates, facts, survives_damage};
use super::super::{Base, Facts, Kind, Precision, Source};
use super::{read, read_file, read_raw};
use Value::{Bytes as Binary, Directories, Fractions, Raw, Short, Text};

fn block(bytes: &mut Bytes, facts: &mut Facts) {
    read(bytes, 0..bytes.len(), Place::Main, facts);
}

fn found(page: Directory) -> Vec<(Source, String)> {
    let little = Tiff::of(page.clone()).little().bytes();
    let found = dates(&Tiff::of(page).bytes(), block);
    assert_eq!(dates(&little, block), found, "byte order changes nothing");
    found
}

fn shot(fields: Directory) -> Directory {
    vec![(0x8769, Directories(vec![fields]))]
}

const DATE: &str = "2019:01:02 03:04:05";

#[test]
fn each_date_takes_its_own_parts_of_a_second_and_offset() {
    let fields = found(vec![
        (0x0132, Text("2019:03:03 03:03:03")),
        (
            0x8769,
            Directories(vec![vec![
                (0x9003, Text(DATE)),
                (0x9004, Text("2019:02:02 02:02:02")),
                (0x9010, Text("+03:00")),
                (0x9011, Text("+01:00")),
                (0x9012, Text("-02:30")),
                (0x9290, Text("3")),
                (0x9291, Text("125")),
                (0x9292, Text("50  ")),
            ]]),
        ),
    ]);
    let expected = [
        (Source::ExifOriginal, "2019-01-02 03:04:05.125 +60"),
        (Source::ExifDigitized, "2019-02-02 02:02:02.500 -150"),
        (Source::ExifModified, "2019-03-03 03:03:03.300 +180"),
    ];
    assert_eq!(fields, expected.map(|(source, text)| (source, text.to_owned())));
}

#[test]
fn the_directory_of_the_shot_is_believed_before_others_and_only_what_is_valid() {
    let original = |found: Vec<(Source, String)>| found.into_iter().find(|date| date.0 == Source::ExifOriginal);
    let both = |inner, outer| {
        original(found(vec![(0x9003, Text(outer)), (0x8769, Directories(vec![vec![(0x9003, Text(inner))]]))]))
    };
    let one = Some((Source::ExifOriginal, "2019-01-02 03:04:05".to_owned()));
    assert_eq!(both(DATE, "2020:01:01 01:01:01"), one);
    assert_eq!(both("0000:00:00 00:00:00", DATE), one);
    assert_eq!(both("    :  :     :  :  ", DATE), one);
    assert_eq!(both("", DATE), one);
    assert_eq!(original(found(vec![(0x014a, Directories(vec![vec![], shot(vec![(0x9003, Text(DATE))])]))])), one);
    assert_eq!(original(found(shot(vec![(0x9003, Binary(DATE.into()))]))), one);
    assert_eq!(original(found(shot(vec![(0x9003, Short(2019))]))), None);
}

#[test]
fn a_field_that_leads_outside_leaves_the_others() {
    let page = vec![
        (0x010f, Raw(2, 400_000, 26)),
        (0x0110, Raw(2, 20, 0xffff_fff0)),
        (0x0111, Raw(77, 1, 1)),
        (0x0132, Raw(5, u32::MAX, 8)),
        (0x8825, Raw(4, 1, 0x00ff_0000)),
        (0x8769, Directories(vec![vec![(0x9003, Text(DATE))]])),
    ];
    assert_eq!(found(page).len(), 1);
}

#[test]
fn directories_that_lead_in_circles_end() {
    let page = vec![(0x014a, Raw(4, 1, 8)), (0x8769, Raw(4, 1, 8)), (0x0132, Text(DATE))];
    assert_eq!(found(page), [(Source::ExifModified, "2019-01-02 03:04:05".to_owned())]);
}

#[test]
fn a_directory_that_is_cut_short_gives_what_it_has() {
    let whole = Tiff::of(vec![(0x0132, Text(DATE)), (0x8298, Text("Copyright"))]);
    let mut bytes = whole.bytes();
    bytes[9] = 200;
    assert_eq!(dates(&bytes, block).len(), 1);
}

#[test]
fn a_position_has_a_time_in_utc() {
    let gps = |date, time| {
        let page = vec![(0x8825, Directories(vec![vec![(0x0007, Fractions(time)), (0x001d, Text(date))]]))];
        let little = facts(&Tiff::of(page.clone()).little().bytes(), block);
        let found = facts(&Tiff::of(page).bytes(), block);
        assert_eq!(found, little);
        found.dates.into_iter().map(|(source, date)| (source, date.time.to_string(), date.base, date.fraction)).next()
    };
    let expect = |text: &str, fraction| Some((Source::Gps, text.to_owned(), Base::Utc, fraction));
    assert_eq!(gps("2019:01:02", vec![(3, 1), (4, 1), (5, 1)]), expect("2019-01-02 03:04:05", false));
    assert_eq!(gps("2019-01-02", vec![(23, 1), (590, 10), (59_250, 1000)]), expect("2019-01-02 23:59:59.250", true));
    assert_eq!(gps("2019:01:02", vec![(3, 0), (4, 1), (5, 1)]), None);
    assert_eq!(gps("2019:01:02", vec![(25, 1), (4, 1), (5, 1)]), None);
    assert_eq!(gps("2019:01:02", vec![(u32::MAX, 1), (u32::MAX, 1), (u32::MAX, 1)]), None);
    assert_eq!(gps("2019:01:02", vec![(3, 1), (4, 1)]), None);
    assert_eq!(gps("0000:00:00", vec![(3, 1), (4, 1), (5, 1)]), None);
}

#[test]
fn a_day_without_a_time_is_told_as_such() {
    let found = facts(&Tiff::of(shot(vec![(0x9003, Text("2019:01:02"))])).bytes(), block);
    assert_eq!(found.dates.first().map(|date| date.1.precision), Some(Precision::Day));
}

#[test]
fn camera_and_live_photo_are_named() {
    let apple = Tiff::of(vec![(0x0001, Raw(9, 1, 14)), (0x0011, Text("6F1A-55"))]).directory(14);
    let note = [b"Apple iOS\0\0\x01MM".to_vec(), apple].concat();
    let mut page = dated(DATE);
    page.push((0x8769, Directories(vec![vec![(0x927c, Binary(note))]])));
    let told = facts(&Tiff::of(page).little().bytes(), block);
    assert_eq!(told.make.as_deref(), Some("Maker"));
    assert_eq!(told.model.as_deref(), Some("Model 5"));
    assert_eq!(told.content_id.as_deref(), Some("6F1A-55"));
    assert_eq!(told.kind, Kind::Other, "a block of EXIF says nothing of the file it is in");
}

#[test]
fn tiff_holds_xmp_iptc_and_resources() {
    let xmp = packet("xmp:CreateDate='2018-01-01T01:01:01'", "");
    let resources = [b"8BIM\x04\x04\0\0\0\0\0\x0d\x1c\x02\x37\0\x0820170101\0".to_vec()].concat();
    let file = Tiff::of(vec![(0x02bc, Binary(xmp)), (0x8649, Binary(resources.clone()))]).bytes();
    let expected =
        [(Source::Iptc, "2017-01-01 00:00:00".to_owned()), (Source::XmpCreate, "2018-01-01 01:01:01".to_owned())];
    assert_eq!(dates(&file, read_file), expected);
    let file = Tiff::of(vec![(0x83bb, Binary(b"\x1c\x02\x37\0\x0820170101".to_vec()))]).bytes();
    assert_eq!(dates(&file, read_file), expected[..1]);
}

#[test]
fn a_packet_longer_than_is_read_gives_what_it_begins_with() {
    let xmp = packet("xmp:CreateDate='2018-01-01T01:01:01'", &"<a>history</a>".repeat(100_000));
    assert!(xmp.len() > super::PACKET);
    assert_eq!(dates(&Tiff::of(vec![(0x02bc, Binary(xmp))]).bytes(), read_file).len(), 1);
}

#[test]
fn raw_files_are_told_from_pictures() {
    let kind = |page| facts(&Tiff::of(page).bytes(), read_file).kind;
    assert_eq!(kind(dated(DATE)), Kind::Still);
    assert_eq!(kind(vec![(0x0106, Short(2)), (0x0103, Short(7))]), Kind::Still);
    assert_eq!(kind(vec![(0xc612, Binary(vec![1, 4, 0, 0]))]), Kind::Raw);
    assert_eq!(kind(vec![(0x014a, Directories(vec![vec![(0x0106, Short(32_803))]]))]), Kind::Raw);
    assert_eq!(kind(vec![(0x014a, Directories(vec![vec![(0x0103, Short(34_713))]]))]), Kind::Raw);
}

#[test]
fn wide_offsets_are_read() {
    // BigTIFF: header of 16 bytes, a count of 8, entries of 20.
    let mut file = b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x01".to_vec();
    file.extend(b"\x01\x32\0\x02\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0\x34\0\0\0\0\0\0\0\0");
    file.extend(b"2019:01:02 03:04:05\0");
    assert_eq!(dates(&file, read_file), [(Source::ExifModified, "2019-01-02 03:04:05".to_owned())]);
}

fn samples() -> Vec<Vec<u8>> {
    let apple = [b"Apple iOS\0\0\x01MM".to_vec(), Tiff::of(vec![(0x0011, Text("6F1A-55"))]).directory(14)].concat();
    let mut page = dated(DATE);
    page.push((0x02bc, Binary(packet("xmp:CreateDate='2018-01-01T01:01:01'", ""))));
    page.push((0x8649, Binary(b"8BIM\x04\x04\0\0\0\0\0\x0d\x1c\x02\x37\0\x0820170101\0".to_vec())));
    page.push((0x8825, Directories(vec![vec![(0x0007, Fractions(vec![(3, 1); 3])), (0x001d, Text("2019:01:02"))]])));
    page.push((0x014a, Directories(vec![vec![(0x0106, Short(32_803))], shot(vec![(0x927c, Binary(apple))])])));
    let file = Tiff { pages: vec![page.clone(), dated(DATE)], ..Tiff::of(Vec::new()) };
    vec![file.bytes(), file.little().bytes(), Tiff::of(shot(vec![(0x9003, Text(DATE))])).bytes()]
}

#[test]
fn damaged_exif_does_no_harm() {
    survives_damage(&samples(), block);
    survives_damage(&samples(), read_file);
    survives_damage(&samples(), read_raw);
}
