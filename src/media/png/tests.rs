use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::super::trial::sample::{Tiff, dated, packet, small};
use super::super::trial::{dates, facts, survives_damage};
use super::super::{Base, Source};
use super::read;

const DATE: &str = "2019:01:02 03:04:05";

fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let ends: [(&[u8; 4], Vec<u8>); 1] = [(b"IEND", Vec::new())];
    for (kind, content) in chunks.iter().chain(&ends) {
        out.extend(small(content.len()).to_be_bytes());
        out.extend(*kind);
        out.extend(content);
        out.extend([0; 4]);
    }
    out
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("into memory");
    encoder.finish().expect("into memory")
}

/// As `ImageMagick` writes it: 36 bytes a line.
fn profile(name: &str, content: &[u8]) -> Vec<u8> {
    let mut text = format!("\n{name}\n{:8}\n", content.len());
    for (place, byte) in content.iter().enumerate() {
        text.push_str(if place > 0 && place % 36 == 0 { "\n" } else { "" });
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    (text + "\n").into_bytes()
}

fn one(source: Source, text: &str) -> Vec<(Source, String)> {
    vec![(source, text.to_owned())]
}

#[test]
fn exif_stands_in_a_chunk_even_behind_the_picture() {
    let block = Tiff::of(dated(DATE)).bytes();
    let expected = one(Source::ExifOriginal, "2019-01-02 03:04:05");
    assert_eq!(dates(&png(&[(b"IDAT", vec![7; 9000]), (b"eXIf", block.clone())]), read), expected);
    assert_eq!(dates(&png(&[(b"eXIf", [b"Exif\0\0", &block[..]].concat())]), read), expected);
    assert_eq!(dates(&png(&[(b"IEND", Vec::new()), (b"eXIf", block)]), read), []);
}

#[test]
fn texts_are_plain_packed_or_international() {
    let expected = one(Source::PngCreation, "2019-01-02 03:04:05 +60");
    let text = b"2019-01-02T03:04:05+01:00";
    let chunks: [(&[u8; 4], Vec<u8>); 4] = [
        (b"tEXt", [b"Creation Time\0", &text[..]].concat()),
        (b"zTXt", [b"Creation Time\0\0", &deflated(text)[..]].concat()),
        (b"iTXt", [b"Creation Time\0\0\0en\0When\0", &text[..]].concat()),
        (b"iTXt", [b"Creation Time\0\x01\0\0\0", &deflated(text)[..]].concat()),
    ];
    for chunk in chunks {
        assert_eq!(dates(&png(std::slice::from_ref(&chunk)), read), expected, "{chunk:?}");
    }
    assert_eq!(dates(&png(&[(b"tEXt", b"Title\x002019-01-02T03:04:05".to_vec())]), read), []);
}

#[test]
fn xmp_and_raw_profiles_are_read() {
    let xmp = packet("xmp:CreateDate='2018-01-01T01:01:01'", "");
    let created = one(Source::XmpCreate, "2018-01-01 01:01:01");
    assert_eq!(dates(&png(&[(b"iTXt", [b"XML:com.adobe.xmp\0\0\0\0\0", &xmp[..]].concat())]), read), created);
    let raw = |name: &str, content: &[u8]| {
        let text = profile(name, content);
        let plain = (b"tEXt", [format!("Raw profile type {name}\0").as_bytes(), &text].concat());
        let packed = (b"zTXt", [format!("Raw profile type {name}\0\0").as_bytes(), &deflated(&text)].concat());
        let found = dates(&png(&[plain]), read);
        assert_eq!(dates(&png(&[packed]), read), found);
        found
    };
    let block = [b"Exif\0\0", &Tiff::of(dated(DATE)).bytes()[..]].concat();
    assert_eq!(raw("exif", &block), one(Source::ExifOriginal, "2019-01-02 03:04:05"));
    assert_eq!(raw("APP1", &block), one(Source::ExifOriginal, "2019-01-02 03:04:05"));
    assert_eq!(raw("APP1", &[b"http://ns.adobe.com/xap/1.0/\0", &xmp[..]].concat()), created);
    assert_eq!(raw("xmp", &xmp), created);
    let records = b"\x1c\x02\x37\0\x0820170101";
    assert_eq!(raw("iptc", records), one(Source::Iptc, "2017-01-01 00:00:00"));
    let resource = [b"8BIM\x04\x04\0\0\0\0\0\x0d", &records[..], b"\0"].concat();
    assert_eq!(raw("iptc", &resource), one(Source::Iptc, "2017-01-01 00:00:00"));
    assert_eq!(raw("8bim", &resource), one(Source::Iptc, "2017-01-01 00:00:00"));
}

#[test]
fn the_last_change_is_in_utc() {
    let found = facts(&png(&[(b"tIME", b"\x07\xe3\x01\x02\x03\x04\x05".to_vec())]), read).dates;
    let [(Source::PngTime, date)] = found[..] else { panic!("{found:?}") };
    assert_eq!((date.time.to_string().as_str(), date.base), ("2019-01-02 03:04:05", Base::Utc));
    for bad in [&b"\x07\xe3\x0d\x02\x03\x04\x05"[..], b"\x07\xe3\x01\x02\x18\x04\x05", b"\0\0\0\0\0\0\0", b"\x07"] {
        assert_eq!(dates(&png(&[(b"tIME", bad.to_vec())]), read), [], "{bad:?}");
    }
}

#[test]
fn texts_about_something_else_are_not_counted() {
    let other: (&[u8; 4], Vec<u8>) = (b"zTXt", [b"Comment\0\0", &deflated(b"2018-01-01T01:01:01")[..]].concat());
    let mut chunks = vec![other; 100];
    chunks.push((b"tEXt", b"Creation Time\x002019-01-02T03:04:05".to_vec()));
    assert_eq!(dates(&png(&chunks), read), one(Source::PngCreation, "2019-01-02 03:04:05"));
    assert_eq!(dates(&png(&[(b"tEXt", vec![b'k'; 200])]), read), []);
}

#[test]
fn a_text_that_inflates_without_end_is_cut() {
    let mut bomb = vec![b' '; 40 << 20];
    bomb.extend(b"2019-01-02T03:04:05");
    let packed = deflated(&bomb);
    assert_eq!(dates(&png(&[(b"zTXt", [b"Creation Time\0\0", &packed[..]].concat())]), read), []);
}

#[test]
fn damaged_pictures_do_no_harm() {
    let block = Tiff::of(dated(DATE)).bytes();
    let text = [b"Raw profile type exif\0\0", &deflated(&profile("exif", &block))[..]].concat();
    let xmp = packet("xmp:CreateDate='2018-01-01T01:01:01'", "");
    let plain = png(&[(b"eXIf", block), (b"tIME", b"\x07\xe3\x01\x02\x03\x04\x05".to_vec())]);
    let packed = png(&[(b"zTXt", text), (b"iTXt", [b"XML:com.adobe.xmp\0\0\0\0\0", &xmp[..]].concat())]);
    survives_damage(&[plain, packed], read);
}
