use super::super::trial::sample::{Tiff, Value, boxed, packet, small};
use super::super::trial::{dates, facts, survives_damage};
use super::super::{Base, Source};
use super::{CANON_UUID, cr3, crw};

/// The directory of each kind in a box of its own, as `IFD0` of a block of TIFF.
fn new() -> Vec<u8> {
    let block = |fields| Tiff::of(fields).little().bytes();
    let camera = block(vec![(0x0110, Value::Text("Model 5")), (0x0132, Value::Text("2019:01:02 03:04:06"))]);
    let shot = block(vec![(0x9003, Value::Text("2019:01:02 03:04:05")), (0x9011, Value::Text("+01:00"))]);
    let place =
        block(vec![(0x0007, Value::Fractions(vec![(2, 1), (4, 1), (5, 1)])), (0x001d, Value::Text("2019:01:02"))]);
    let parts =
        [&CANON_UUID[..], &boxed(*b"CMT1", &camera), &boxed(*b"CMT2", &shot), &boxed(*b"CMT4", &place)].concat();
    let xmp = [
        &b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"[..],
        &packet("xmp:CreateDate='2018-01-01T01:01:01'", ""),
    ]
    .concat();
    [boxed(*b"ftyp", b"crx \0\0\0\x01crx isom"), boxed(*b"moov", &boxed(*b"uuid", &parts)), boxed(*b"uuid", &xmp)]
        .concat()
}

/// A heap of values and its directory of type and value.
fn heap(values: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = u16::try_from(values.len()).expect("few").to_le_bytes().to_vec();
    for (kind, value) in values {
        directory.extend(kind.to_le_bytes());
        directory.extend(small(value.len()).to_le_bytes());
        directory.extend(small(out.len()).to_le_bytes());
        out.extend(value);
    }
    let start = small(out.len()).to_le_bytes();
    [out, directory, start.to_vec()].concat()
}

fn old(seconds: u32) -> Vec<u8> {
    let camera = heap(&[(0x080a, b"Maker\0Model 5\0\0\0".to_vec())]);
    let time = [seconds.to_le_bytes(), [0; 4], [0; 4]].concat();
    let properties = heap(&[(0x2807, camera), (0x180e, time)]);
    let root = heap(&[(0x2005, vec![9; 100]), (0x300a, properties)]);
    [b"II\x1a\0\0\0HEAPCCDR\x02\0\x01\0\0\0\0\0\0\0\0\0".to_vec(), root].concat()
}

#[test]
fn a_cr3_has_a_box_for_each_directory() {
    let expected = [
        (Source::ExifOriginal, "2019-01-02 03:04:05 +60"),
        (Source::XmpCreate, "2018-01-01 01:01:01"),
        (Source::Gps, "2019-01-02 02:04:05"),
        (Source::ExifModified, "2019-01-02 03:04:06"),
    ];
    assert_eq!(dates(&new(), cr3), expected.map(|(source, text)| (source, text.to_owned())));
    assert_eq!(facts(&new(), cr3).model.as_deref(), Some("Model 5"));
}

#[test]
fn a_crw_counts_seconds_on_the_wall_clock() {
    // 2019-01-02 03:04:05, were it UTC.
    let told = facts(&old(1_546_398_245), crw);
    assert_eq!(told.make.as_deref(), Some("Maker"));
    assert_eq!(told.model.as_deref(), Some("Model 5"));
    let [(Source::MakerDate, date)] = told.dates[..] else { panic!("{:?}", told.dates) };
    assert_eq!((date.time.to_string().as_str(), date.base, date.offset), ("2019-01-02 03:04:05", Base::Wall, None));
    assert_eq!(dates(&old(0), crw), []);
}

#[test]
fn heaps_within_themselves_end() {
    // A directory whose one entry is all of the heap again.
    let file = b"II\x0e\0\0\0HEAPCCDR\x01\0\x0a\x30\x10\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(dates(file, crw), []);
}

#[test]
fn damaged_raw_files_do_no_harm() {
    survives_damage(&[new()], cr3);
    survives_damage(&[old(1_546_398_245)], crw);
}
