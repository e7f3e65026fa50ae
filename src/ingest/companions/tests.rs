use super::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// A file of a test: its path, and `#ID` behind it for its content identifier.
fn named(text: &str) -> Named<'_> {
    let (path, id) = text.split_once('#').map_or((text, None), |(path, id)| (path, Some(id)));
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    Named { dir: Path::new(dir), name: name.as_bytes(), kind: Kind::Other, content_id: id, is_takeout: false }
}

/// The groups, each as its members and then, behind a bar, its sidecars with the form and their owners.
fn groups(paths: &[&str]) -> Vec<String> {
    let mut paths = paths.to_vec();
    paths.sort_unstable();
    let files: Vec<Named<'_>> = paths.iter().map(|path| named(path)).collect();
    let name = |file: usize| OsStr::from_bytes(files[file].name).to_string_lossy().into_owned();
    let show = |group: &Group| {
        let members: Vec<String> = group.members.iter().map(|(_, file)| name(*file)).collect();
        let sidecars = group.sidecars.iter();
        let sidecars: Vec<String> =
            sidecars.map(|car| format!("{} {:?} {}", name(car.file), car.form, name(car.owner))).collect();
        [&[members.join(" ")][..], &sidecars].concat().join(" | ")
    };
    group(&files).iter().map(show).collect()
}

#[test]
fn a_raw_travels_with_the_pictures_of_its_stem() {
    assert_eq!(
        groups(&["a/IMG_1.CR2", "a/IMG_1.JPG", "a/IMG_1.heic", "a/IMG_1.png", "a/IMG_2.JPG", "b/IMG_1.JPG"]),
        ["IMG_1.CR2 IMG_1.JPG IMG_1.heic", "IMG_1.png", "IMG_2.JPG", "IMG_1.JPG"]
    );
}

#[test]
fn a_live_photo_is_known_by_its_identifier() {
    assert_eq!(groups(&["IMG_1.HEIC#x", "IMG_2.MOV#x", "IMG_1.MOV#y"]), ["IMG_1.HEIC IMG_2.MOV", "IMG_1.MOV"]);
    assert_eq!(groups(&["a/IMG_1.HEIC#x", "b/IMG_1.MP4#x"]), ["IMG_1.HEIC IMG_1.MP4"]);
}

#[test]
fn copies_of_a_live_photo_pair_with_what_stands_beside_them() {
    assert_eq!(groups(&["a/1.HEIC#x", "a/1.MOV#x", "b/1.HEIC#x", "b/1.MOV#x"]), ["1.HEIC 1.MOV", "1.HEIC 1.MOV"]);
    // The picture that was edited keeps the identifier, but only one of the two has the video.
    assert_eq!(groups(&["IMG_1.HEIC#x", "IMG_1.MOV#x", "IMG_E1.HEIC#x"]), ["IMG_1.HEIC IMG_1.MOV", "IMG_E1.HEIC"]);
}

#[test]
fn a_live_photo_is_known_by_its_stem_else() {
    assert_eq!(groups(&["IMG_1.HEIC", "IMG_1.MOV"]), ["IMG_1.HEIC IMG_1.MOV"]);
    assert_eq!(groups(&["IMG_1.JPG#x", "IMG_1_HEVC.MOV"]), ["IMG_1.JPG IMG_1_HEVC.MOV"]);
    assert_eq!(groups(&["IMG_1.HEIC", "IMG_1.JPG", "IMG_1.MOV"]), ["IMG_1.HEIC IMG_1.MOV", "IMG_1.JPG"]);
    assert_eq!(groups(&["IMG_1.JPG", "IMG_1.MP4"]), ["IMG_1.JPG", "IMG_1.MP4"]);
    assert_eq!(groups(&["a/IMG_1.JPG", "b/IMG_1.MOV"]), ["IMG_1.JPG", "IMG_1.MOV"]);
    assert_eq!(groups(&["_HEVC.MOV", "a.JPG"]), ["_HEVC.MOV", "a.JPG"]);
}

#[test]
fn raw_picture_and_video_of_one_stem_are_one() {
    assert_eq!(groups(&["IMG_1.DNG", "IMG_1.HEIC", "IMG_1.MOV"]), ["IMG_1.DNG IMG_1.HEIC IMG_1.MOV"]);
}

#[test]
fn an_xmp_keeps_its_form() {
    assert_eq!(
        groups(&["IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_1.JPG", "IMG_1.JPG.XMP", "IMG_1.xmp"]),
        [
            "IMG_1.CR2 IMG_1.JPG | IMG_1.CR2.xmp Whole IMG_1.CR2 | IMG_1.JPG.XMP Whole IMG_1.JPG | IMG_1.xmp Stem IMG_1.CR2"
        ]
    );
    assert_eq!(groups(&["img_1.jpg", "IMG_1.JPG.xmp"]), ["img_1.jpg | IMG_1.JPG.xmp Whole img_1.jpg"]);
}

#[test]
fn other_sidecars_go_by_the_stem() {
    assert_eq!(groups(&["IMG_1.AAE", "IMG_1.HEIC"]), ["IMG_1.HEIC | IMG_1.AAE Stem IMG_1.HEIC"]);
    assert_eq!(groups(&["MVI_1.AVI", "MVI_1.JPG", "MVI_1.THM"]), ["MVI_1.AVI | MVI_1.THM Stem MVI_1.AVI", "MVI_1.JPG"]);
    assert_eq!(groups(&["CRW_1.CRW", "CRW_1.THM"]), ["CRW_1.CRW | CRW_1.THM Stem CRW_1.CRW"]);
}

#[test]
fn a_sidecar_of_nothing_is_a_file_like_any_other() {
    assert_eq!(groups(&["IMG_1.xmp", "IMG_1.aae", "other.json"]), ["IMG_1.aae", "IMG_1.xmp", "other.json"]);
}

#[test]
fn takeout_json_in_all_its_forms() {
    for (json, form) in [
        ("P.jpg.json", "Whole"),
        ("P.jpg.supplemental-metadata.json", "Supplemental"),
        ("P.jpg.supplemental-me.json", "Supplemental"),
        ("P.jpg.s.json", "Supplemental"),
        ("P.jpg..json", "Supplemental"),
    ] {
        assert_eq!(groups(&["P.jpg", json]), [format!("P.jpg | {json} {form} P.jpg")], "{json}");
    }
    for json in
        ["P.jpg.sapplemental.json", "P.jp.json", "P.json", "P.jpg(1).json", "P.jpg.supplemental-metadata(1).json"]
    {
        assert_eq!(groups(&["P.jpg", json]).len(), 2, "{json}");
    }
}

#[test]
fn takeout_numbers_its_copies() {
    for json in
        ["P.jpg(2).json", "P.jpg.supplemental-metadata(2).json", "P(2).jpg.json", "P.jpg.supplemental-meta(2).json"]
    {
        let form = if json.contains(".s") { "Supplemental" } else { "Whole" };
        assert_eq!(
            groups(&["P.jpg", "P(2).jpg", json]),
            [&format!("P(2).jpg | {json} {form} P(2).jpg"), "P.jpg"],
            "{json}"
        );
    }
}

#[test]
fn takeout_cuts_long_names() {
    let long = "Screenshot_20190102-030405_a_name_that_is_much_too_long.jpg";
    let json = format!("{}.json", &long[..46]);
    assert_eq!(groups(&[long, &json]), [format!("{long} | {json} Whole {long}")]);
    let shorter = format!("{}.json", &long[..45]);
    assert_eq!(groups(&[long, &shorter]).len(), 2);
}

#[test]
fn every_file_is_in_one_group() {
    let paths = [
        "a/1.CR2",
        "a/1.JPG",
        "a/1.xmp",
        "a/1.JPG.xmp",
        "a/1.MOV",
        "a/1.AAE",
        "b/1.JPG#x",
        "b/2.MOV#x",
        "b/x.json",
        "b/1.JPG.json",
        "b/.json",
        "b/.xmp",
        "c/.xmp.xmp",
        "c/1",
        "c/1.",
        "c/1..xmp",
        "c/..xmp",
        "c/(1).json",
    ];
    let mut sorted = paths;
    sorted.sort_unstable();
    let files: Vec<Named<'_>> = sorted.iter().map(|path| named(path)).collect();
    let mut all: Vec<usize> = Vec::new();
    for group in group(&files) {
        assert!(!group.members.is_empty());
        all.extend(group.members.iter().map(|(_, file)| *file));
        all.extend(group.sidecars.iter().map(|sidecar| sidecar.file));
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..paths.len()));
}
