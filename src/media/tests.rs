use std::fs::{self, File};

use super::trial::sample::{Tiff, Value, boxed, dated, jpeg_with, packet, small};
use super::trial::{dates, facts, survives_damage};
use super::{Facts, Kind, Moment, Precision, Source, read, tell, when};

const DATE: &str = "2019:01:02 03:04:05";

/// A picture with EXIF in each format, and what it is.
fn pictures() -> Vec<(&'static str, Kind, Vec<u8>)> {
    let tiff = Tiff::of(dated(DATE));
    let block = tiff.bytes();
    let other = |version| Tiff { version, ..tiff.clone().little() }.bytes();
    let jpeg = jpeg_with(&tiff);
    let riff = [b"EXIF", &small(block.len()).to_le_bytes()[..], &block].concat();
    let webp = [b"RIFF", &small(riff.len() + 22).to_le_bytes()[..], b"WEBPVP8X\x0a\0\0\0\x08", &[0; 9], &riff].concat();
    let raf = [&b"FUJIFILMCCD-RAW 0201FF383501X100"[..], &[0; 52], &200_u32.to_be_bytes(), &[0; 112], &jpeg].concat();
    let mrw = [b"\0MRM\0\0\x10\0\0PRD\0\0\0\x02ab\0TTW", &small(block.len()).to_be_bytes()[..], &block].concat();
    let resource = [b"8BIM\x04\x22\0\0", &small(block.len()).to_be_bytes()[..], &block].concat();
    let psd = [&b"8BPS\0\x01"[..], &[0; 20], b"\0\0\0\x02ab", &small(resource.len()).to_be_bytes(), &resource].concat();
    let png = [b"\x89PNG\r\n\x1a\n", &small(block.len()).to_be_bytes()[..], b"eXIf", &block, b"crc."].concat();
    let jxl = [b"\0\0\0\x0cJXL \r\n\x87\n".to_vec(), boxed(*b"Exif", &[&[0; 4], &block[..]].concat())].concat();
    vec![
        ("jpeg", Kind::Still, jpeg.clone()),
        ("png", Kind::Still, png),
        ("webp", Kind::Still, webp),
        ("tiff", Kind::Still, block),
        ("rw2", Kind::Raw, other(0x55)),
        ("orf", Kind::Raw, other(0x4f52)),
        ("orf of later cameras", Kind::Raw, other(0x5352)),
        ("raf", Kind::Raw, raf),
        ("mrw", Kind::Raw, mrw),
        ("x3f", Kind::Raw, sigma(&[(b"IMA2", [&b"SECi\0\0\x02\0\x02\0\0\0\x12\0\0\0"[..], &[0; 12], &jpeg].concat())])),
        ("psd", Kind::Still, psd),
        ("jxl", Kind::Still, jxl),
    ]
}

/// An X3F of these sections.
fn sigma(sections: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = [b"FOVb\0\0\x02\0", &[0; 32][..]].concat();
    let mut directory = [b"SECd\0\0\x02\0", &small(sections.len()).to_le_bytes()[..]].concat();
    for (kind, content) in sections {
        directory.extend([small(out.len()).to_le_bytes(), small(content.len()).to_le_bytes(), **kind].concat());
        out.extend(content);
    }
    let start = small(out.len()).to_le_bytes();
    [out, directory, start.to_vec()].concat()
}

/// Properties of an X3F.
fn properties(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut table = Vec::new();
    let mut texts = Vec::new();
    for text in pairs.iter().flat_map(|&(name, value)| [name, value]) {
        table.extend(small(texts.len() / 2).to_le_bytes());
        texts.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    let (count, len) = (small(pairs.len()).to_le_bytes(), small(texts.len() / 2).to_le_bytes());
    [b"SECp\0\0\x02\0", &count[..], &[0; 8], &len, &table, &texts].concat()
}

#[test]
fn sigma_counts_seconds_among_properties() {
    let file = sigma(&[(b"PROP", properties(&[("CAMMANUF", "SIGMA"), ("TIME", "1546398245"), ("CAMMODEL", "SD9")]))]);
    assert_eq!(dates(&file, tell), [(Source::MakerDate, "2019-01-02 03:04:05".to_owned())]);
    assert_eq!(facts(&file, tell).model.as_deref(), Some("SD9"));
    survives_damage(&[file], tell);
}

#[test]
fn every_format_is_known_by_its_first_bytes() {
    for (name, kind, content) in pictures() {
        assert_eq!(dates(&content, tell), [(Source::ExifOriginal, "2019-01-02 03:04:05".to_owned())], "{name}");
        let told = facts(&content, tell);
        assert_eq!((told.kind, told.make.as_deref()), (kind, Some("Maker")), "{name}");
    }
    let kind = |content: &[u8]| facts(content, tell).kind;
    assert_eq!(kind(&boxed(*b"ftyp", b"avif\0\0\0\0")), Kind::Still);
    assert_eq!(kind(&boxed(*b"ftyp", b"crx \0\0\0\0")), Kind::Raw);
    assert_eq!(kind(&boxed(*b"ftyp", b"isom\0\0\0\0")), Kind::Video);
    assert_eq!(kind(&boxed(*b"styp", b"msdh\0\0\0\0")), Kind::Video);
    assert_eq!(kind(&boxed(*b"ftyp", b"none\0\0\0\0mif1heic")), Kind::Still);
    assert_eq!(kind(&boxed(*b"ftyp", b"none\0\0\0\0mif1isom")), Kind::Video);
    assert_eq!(kind(&boxed(*b"ftyp", b"qt  \0\0\0\0mif1")), Kind::Video);
    assert_eq!(kind(&boxed(*b"moov", b"")), Kind::Video);
    assert_eq!(kind(b"\x1a\x45\xdf\xa3"), Kind::Video);
    assert_eq!(kind(b"RIFF\0\0\0\0AVI LIST"), Kind::Video);
    assert_eq!(kind(b"RIFF\0\0\0\0WAVEfmt "), Kind::Other);
    assert_eq!(kind(b"GIF89a"), Kind::Still);
    assert_eq!(kind(b"II"), Kind::Other);
    assert_eq!(kind(b"plain text"), Kind::Other);
    assert_eq!(kind(b""), Kind::Other);
}

#[test]
fn panasonic_may_keep_its_exif_in_the_picture_within() {
    let jpeg = jpeg_with(&Tiff::of(dated(DATE)));
    let raw = Tiff { version: 0x55, ..Tiff::of(vec![(0x002e, Value::Bytes(jpeg))]).little() };
    assert_eq!(dates(&raw.bytes(), tell).len(), 1);
}

#[test]
fn a_time_is_kept_before_a_day_and_the_first_before_others() {
    let date = |text: &str| when::parse(text.as_bytes());
    let kept = |texts: &[&str]| {
        let mut facts = Facts::default();
        for text in texts {
            facts.found(Source::Iptc, date(text));
        }
        facts.dates.first().map(|(_, Moment { time, precision, .. })| (time.to_string(), *precision))
    };
    let time = Some(("2019-01-02 03:04:05".to_owned(), Precision::Second));
    assert_eq!(kept(&["2018-01-01", DATE, "2020-01-01 01:01:01"]), time);
    assert_eq!(kept(&["never", DATE, "2018-01-01"]), time);
    assert_eq!(kept(&["2018-01-01", "2019-01-02"]), Some(("2018-01-01 00:00:00".to_owned(), Precision::Day)));
    assert_eq!(kept(&["never"]), None);
}

#[test]
fn files_are_read_and_what_is_none_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.jpg");
    fs::write(&path, jpeg_with(&Tiff::of(dated(DATE)))).expect("written");
    let told = read(&File::open(&path).expect("opened")).expect("read");
    assert_eq!((told.kind, told.dates.len()), (Kind::Still, 1));
    assert!(read(&File::options().append(true).open(&path).expect("opened")).is_err(), "it is open for writing only");
    fs::write(&path, "").expect("written");
    assert_eq!(read(&File::open(&path).expect("opened")).expect("read"), Facts::default());
    assert!(read(&File::open(directory.path()).expect("opened")).is_err());
}

#[test]
fn damaged_files_do_no_harm() {
    let mut samples: Vec<Vec<u8>> = pictures().into_iter().map(|(_, _, content)| content).collect();
    samples.push(packet("xmp:CreateDate='2018-01-01T01:01:01'", ""));
    survives_damage(&samples, tell);
}
