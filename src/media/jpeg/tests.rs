use super::super::source::Bytes;
use super::super::trial::sample::{Tiff, dated, jpeg, jpeg_with, packet};
use super::super::trial::{dates, survives_damage};
use super::super::{Facts, Source};

const DATE: &str = "2019:01:02 03:04:05";

fn read(bytes: &mut Bytes, facts: &mut Facts) {
    super::read(bytes, 0..bytes.len(), facts);
}

fn exif() -> (u8, Vec<u8>) {
    (0xe1, [b"Exif\0\0", &Tiff::of(dated(DATE)).bytes()[..]].concat())
}

fn xmp(name: &[u8]) -> (u8, Vec<u8>) {
    (0xe1, [name, &packet("xmp:CreateDate='2018-01-01T01:01:01'", "")].concat())
}

/// A resource of IPTC with the day and the time of creation.
fn iptc() -> Vec<u8> {
    let records = b"\x1c\x01\x5a\0\x03\x1b%G\x1c\x02\x37\0\x0820170101\x1c\x02\x3c\0\x0b020304+0100";
    let len = u8::try_from(records.len()).expect("short");
    [b"8BIM\x04\x04\x03odd\0\0\0", &[len][..], records, &[0; 1][..usize::from(len % 2)]].concat()
}

#[test]
fn exif_xmp_and_iptc_are_found_among_segments() {
    let resources = [b"Photoshop 3.0\0".to_vec(), b"8BIM\x03\xed\0\0\0\0\0\x03abc\0".to_vec(), iptc()].concat();
    let picture =
        jpeg(&[(0xfe, b"a comment".to_vec()), (0xed, resources), xmp(b"http://ns.adobe.com/xap/1.0/\0"), exif()]);
    let expected = [
        (Source::ExifOriginal, "2019-01-02 03:04:05"),
        (Source::Iptc, "2017-01-01 02:03:04 +60"),
        (Source::XmpCreate, "2018-01-01 01:01:01"),
    ];
    assert_eq!(dates(&picture, read), expected.map(|(source, text)| (source, text.to_owned())));
}

#[test]
fn a_resource_may_go_on_in_the_next_segment() {
    let resources = iptc();
    let (first, second) = resources.split_at(30);
    let part = |part: &[u8]| (0xed, [b"Photoshop 3.0\0", part].concat());
    assert_eq!(dates(&jpeg(&[part(first), part(second)]), read).len(), 1);
    assert_eq!(dates(&jpeg(&[part(first)]), read), []);
}

#[test]
fn xmp_under_a_damaged_name_counts_and_the_rest_of_a_split_packet_does_not() {
    assert_eq!(dates(&jpeg(&[xmp(b"XMP\0://ns.adobe.com/xap/1.0/\0")]), read).len(), 1);
    assert_eq!(dates(&jpeg(&[xmp(b"http://ns.adobe.com/xmp/extension/\0")]), read), []);
}

#[test]
fn megabytes_of_other_segments_leave_the_budget_alone() {
    let thermal = (0xe1, [&b"FLIR\0\x01"[..], &vec![7; 60_000]].concat());
    let more = (0xe1, [&b"http://ns.adobe.com/xmp/extension/\0"[..], &vec![b'<'; 60_000]].concat());
    let mut segments: Vec<(u8, Vec<u8>)> = (0..100).flat_map(|_| [thermal.clone(), more.clone()]).collect();
    segments.push(exif());
    assert_eq!(dates(&jpeg(&segments), read).len(), 1);
}

#[test]
fn nothing_counts_behind_the_start_of_the_scan() {
    let picture = [jpeg(&[]), jpeg(&[exif()])].concat();
    assert_eq!(dates(&picture, read), []);
}

#[test]
fn padding_and_rubbish_between_segments_are_skipped() {
    let whole = jpeg(&[exif()]);
    let with = |between: &[u8]| [&whole[..2], between, &whole[2..]].concat();
    assert_eq!(dates(&with(b"\xff\xff\xff"), read).len(), 1);
    assert_eq!(dates(&with(b"\0\0rubbish"), read).len(), 1);
    assert_eq!(dates(&with(&[0; 5000]), read), []);
    assert_eq!(dates(&with(b"\xff\xe0\0\0"), read).len(), 1, "a length too short for itself");
}

#[test]
fn a_segment_that_is_cut_short_gives_what_it_has() {
    let whole = jpeg_with(&Tiff::of(dated(DATE)));
    let until = whole.windows(4).position(|window| window == b"\xff\xda\0\x08").expect("a scan");
    let mut longer = whole[..until].to_vec();
    longer[22] = 0xff;
    assert_eq!(longer[20..22], [0xff, 0xe1]);
    assert_eq!(dates(&longer, read).len(), 1);
}

#[test]
fn damaged_pictures_do_no_harm() {
    let resources = [b"Photoshop 3.0\0".to_vec(), iptc()].concat();
    let all = jpeg(&[(0xed, resources), xmp(b"http://ns.adobe.com/xap/1.0/\0"), exif()]);
    survives_damage(&[all, jpeg_with(&Tiff::of(dated(DATE)).little())], read);
}
