//! The samples of the other tests of `ms-ingest`: an old hand at metadata must read in them what was put in.

use crate::support;

use std::process::Command;
use support::media::movies::{Movie, avi, crw, m2ts, mkv};
use support::media::{Ifd, MODEL, OFFSET_ORIGINAL, Picture, SUBSEC_ORIGINAL};
use support::{Sandbox, needs};

/// Asks exiftool for the tags of a file in one run; no two of them have the same value.
#[track_caller]
fn expect_tags(name: &str, content: &[u8], tags: &[(&str, &str)]) {
    if !needs("exiftool") {
        return;
    }
    let sandbox = Sandbox::new();
    let path = sandbox.write(name, content);
    let asked = tags.iter().map(|(tag, _)| format!("-{tag}"));
    let output = Command::new("exiftool").args(["-s3", "-ee", "-a"]).args(asked).arg(path).output();
    let told = String::from_utf8(output.expect("exiftool runs").stdout).expect("UTF-8");
    for (tag, expected) in tags {
        assert!(told.lines().any(|line| line == *expected), "{name}: {tag} is not {expected:?} in:\n{told}");
    }
}

fn picture() -> Picture {
    Picture::new()
        .original("2019:01:02 03:04:05")
        .digitized("2018:01:02 03:04:05")
        .modified("2017:01:02 03:04:05")
        .tag(Ifd::Exif, OFFSET_ORIGINAL, "+02:00")
        .tag(Ifd::Exif, SUBSEC_ORIGINAL, "678")
        .tag(Ifd::First, MODEL, "Model 1")
        .gps("2016:01:02", [3, 4, 5])
        .content_id("AAAA-BBBB")
        .xmp("exif:DateTimeOriginal", "2015-01-02T03:04:05")
        .xmp("photoshop:DateCreated", "2014-01-02")
        .iptc(55, "20130102")
        .iptc(60, "030405+0100")
        .text("Creation Time", "2012:01:02 03:04:05")
        .time(2011, [1, 2, 3, 4, 5])
}

const EXIF: [(&str, &str); 9] = [
    ("ExifIFD:DateTimeOriginal", "2019:01:02 03:04:05"),
    ("ExifIFD:CreateDate", "2018:01:02 03:04:05"),
    ("IFD0:ModifyDate", "2017:01:02 03:04:05"),
    ("ExifIFD:OffsetTimeOriginal", "+02:00"),
    ("ExifIFD:SubSecTimeOriginal", "678"),
    ("IFD0:Make", "Apple"),
    ("IFD0:Model", "Model 1"),
    ("Composite:GPSDateTime", "2016:01:02 03:04:05Z"),
    ("Apple:all", "AAAA-BBBB"),
];

const XMP: [(&str, &str); 2] =
    [("XMP-exif:DateTimeOriginal", "2015:01:02 03:04:05"), ("XMP-photoshop:DateCreated", "2014:01:02")];

#[test]
fn pictures() {
    let picture = picture();
    for (name, content) in [
        ("a.jpg", picture.jpeg()),
        ("a.png", picture.png()),
        ("a.tif", picture.tiff()),
        ("a.dng", picture.dng()),
        ("a.heic", picture.heic()),
    ] {
        expect_tags(name, &content, &EXIF);
    }
    for (name, content) in [("a.jpg", picture.jpeg()), ("a.png", picture.png())] {
        expect_tags(name, &content, &XMP);
    }
    let iptc = [("IPTC:DateCreated", "2013:01:02"), ("IPTC:TimeCreated", "03:04:05+01:00")];
    expect_tags("a.jpg", &picture.jpeg(), &iptc);
    let chunks = [("PNG:CreationTime", "2012:01:02 03:04:05"), ("PNG:ModifyDate", "2011:01:02 03:04:05")];
    expect_tags("a.png", &picture.png(), &chunks);
    expect_tags("a.cr2", &picture.cr2(), &[("FileType", "CR2"), ("ExifIFD:DateTimeOriginal", "2019:01:02 03:04:05")]);
    expect_tags("a.crw", &crw("2019-01-02 03:04:05"), &[("CanonRaw:DateTimeOriginal", "2019:01:02 03:04:05")]);
}

#[test]
fn sidecars() {
    expect_tags("a.xmp", picture().sidecar().as_bytes(), &XMP);
    expect_tags("a.xmp", picture().sidecar_of_elements().as_bytes(), &XMP);
}

#[test]
fn movies() {
    let movie = Movie::new()
        .header("2019-01-02 02:04:05")
        .media("2018-01-02 03:04:05")
        .creation_date("2019-01-02T03:04:05+0200")
        .day("2017-01-02T03:04:05Z")
        .content_id("AAAA")
        .key("com.samsung.android.utc_offset", "+0100");
    for (name, content) in [("a.mov", movie.mov()), ("a.mp4", movie.mp4())] {
        let tags = [
            ("QuickTime:CreateDate", "2019:01:02 02:04:05"),
            ("Track1:MediaCreateDate", "2018:01:02 03:04:05"),
            ("Keys:CreationDate", "2019:01:02 03:04:05+02:00"),
            ("UserData:ContentCreateDate", "2017:01:02 03:04:05Z"),
            ("Keys:ContentIdentifier", "AAAA"),
        ];
        expect_tags(name, &content, &tags);
    }
    expect_tags("a.avi", &avi("Wed Jan 02 03:04:05 2019"), &[("RIFF:DateTimeOriginal", "2019:01:02 03:04:05")]);
    expect_tags("a.mts", &m2ts("20190102030405"), &[("H264:DateTimeOriginal", "2019:01:02 03:04:05+01:00")]);
    let both = mkv(Some("2019-01-02 03:04:05"), Some("2018-01-02 03:04:05"));
    let tags =
        [("Matroska:DateTimeOriginal", "2019:01:02 03:04:05Z"), ("Matroska:DateTimeOriginal", "2018:01:02 03:04:05")];
    expect_tags("a.mkv", &both, &tags);
}
