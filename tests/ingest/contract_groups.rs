//! `ms-ingest`: files that belong together share time and stem.

use crate::support;

use support::ingest::{FROM_MTIME, Planned, last, stem};
use support::media::movies::{Movie, avi, seconds};
use support::media::{Picture, salt, takeout};
use support::{Sandbox, hash};

fn still() -> Picture {
    Picture::new().original("2019:01:02 03:04:05")
}

/// The stem that a picture of this content gets at that time.
fn stem_of(content: &[u8], stamp: &str) -> String {
    format!("photos/{}/{}/{stamp}_{}", &stamp[..4], &stamp[4..6], &hash(content)[..16])
}

/// Drops the files and plans them.
#[track_caller]
fn plan(files: &[(&str, &[u8])]) -> Planned {
    let sandbox = Sandbox::new();
    for (name, content) in files {
        sandbox.drop_file(name, content);
    }
    let plan = sandbox.plan(&[]);
    assert_eq!(plan.rows.len(), files.len(), "a row for every file: {:#?}", plan.rows);
    plan
}

/// The files must go to one stem; the extensions that they get, in their order.
#[track_caller]
fn expect_together(files: &[(&str, &[u8])], stamp: &str, extensions: &[&str]) -> String {
    let plan = plan(files);
    let together = stem(plan.dest(files[0].0)).to_owned();
    assert!(last(&together).starts_with(stamp), "{stamp}, but {together}");
    for ((name, _), extension) in files.iter().zip(extensions) {
        assert_eq!(plan.dest(name), format!("{together}.{extension}"), "{name}");
    }
    together
}

#[track_caller]
fn expect_apart(files: &[(&str, &[u8])]) {
    let plan = plan(files);
    let mut stems: Vec<_> = files.iter().map(|(name, _)| stem(plan.dest(name))).collect();
    stems.sort_unstable();
    stems.dedup();
    assert_eq!(stems.len(), files.len(), "{:#?}", plan.rows);
}

/// The primary is a picture or a movie, never a sidecar.
#[track_caller]
fn expect_hash_of_one(together: &str, contents: &[&[u8]]) {
    let names_one = contents.iter().any(|content| together.ends_with(&format!("_{}", &hash(content)[..16])));
    assert!(names_one, "{together} has the hash of another file");
}

#[test]
fn a_raw_picture_and_its_jpeg() {
    for (name, raw) in [("IMG_0001.CR2", still().cr2()), ("IMG_0001.DNG", still().dng())] {
        let jpeg = still().jpeg();
        let extension = name[name.len() - 3..].to_lowercase();
        let files = [(name, &raw[..]), ("IMG_0001.JPG", &jpeg)];
        let together = expect_together(&files, "20190102_030405", &[&extension, "jpg"]);
        expect_hash_of_one(&together, &[&raw, &jpeg]);
    }
}

#[test]
fn case_and_long_extensions_do_not_keep_a_raw_picture_from_its_jpeg() {
    let (raw, jpeg) = (still().cr2(), still().jpeg());
    expect_together(&[("IMG_0001.cr2", &raw), ("IMG_0001.JPEG", &jpeg)], "20190102_030405", &["cr2", "jpeg"]);
}

#[test]
fn the_time_is_that_of_the_best_source() {
    let bare = || Picture::new().modified("2017:01:02 03:04:05");
    let (raw, jpeg) = (bare().cr2(), still().jpeg());
    expect_together(&[("a.cr2", &raw), ("a.jpg", &jpeg)], "20190102_030405", &["cr2", "jpg"]);
    let (raw, jpeg) = (still().cr2(), bare().jpeg());
    expect_together(&[("a.cr2", &raw), ("a.jpg", &jpeg)], "20190102_030405", &["cr2", "jpg"]);

    let movie = Movie::new().creation_date("2018-01-02T03:04:05+0200").mov();
    let jpeg = bare().jpeg();
    expect_together(&[("a.jpg", &jpeg), ("a.mov", &movie)], "20180102_030405", &["jpg", "mov"]);
}

#[test]
fn of_equal_sources_that_of_the_raw_picture_counts() {
    let (raw, jpeg) = (still().cr2(), Picture::new().original("2018:01:02 03:04:05").jpeg());
    expect_together(&[("a.jpg", &jpeg), ("a.cr2", &raw)], "20190102_030405", &["jpg", "cr2"]);
}

#[test]
fn a_live_photo_by_its_stem() {
    let movie = || Movie::new().creation_date("2019-01-02T03:04:03+0200").mov();
    for (name, content) in [("IMG_0001.HEIC", still().heic()), ("IMG_0001.JPG", still().jpeg())] {
        for movie_name in ["IMG_0001.MOV", "IMG_0001_HEVC.MOV"] {
            let movie = movie();
            let extension = name[9..].to_lowercase();
            let files = [(name, &content[..]), (movie_name, &movie)];
            let together = expect_together(&files, "20190102_030405", &[&extension, "mov"]);
            expect_hash_of_one(&together, &[&content, &movie]);
        }
    }
}

#[test]
fn a_live_photo_by_its_identifier() {
    const ID: &str = "7E4B7A0A-3C1F-4B0B-9C8D-0123456789AB";
    let movie = Movie::new().creation_date("2019-01-02T03:04:03+0200").content_id(ID).mov();
    for (name, content) in
        [("IMG_0001.JPG", still().content_id(ID).jpeg()), ("x/IMG_0001.HEIC", still().content_id(ID).heic())]
    {
        for movie_name in ["clip 7.mov", "y/clip.mov"] {
            let extension = name[name.find('.').expect("an extension") + 1..].to_lowercase();
            let files = [(name, &content[..]), (movie_name, &movie)];
            expect_together(&files, "20190102_030405", &[&extension, "mov"]);
        }
    }
}

#[test]
fn what_does_not_belong_together() {
    let movie = |id| Movie::new().creation_date("2019-01-02T03:04:05+0200").content_id(id).mov();
    let (one, two) = (still().content_id("ONE").jpeg(), still().content_id("TWO").jpeg());
    expect_apart(&[("a.jpg", &one), ("b.jpg", &two), ("c.mov", &movie("THREE"))]);
    let (jpeg, raw) = (still().jpeg(), still().cr2());
    expect_apart(&[("x/IMG_0001.JPG", &jpeg), ("y/IMG_0001.CR2", &raw)]);
    expect_apart(&[("IMG_0001.JPG", &jpeg), ("IMG_0002.CR2", &raw)]);
    expect_apart(&[("IMG_0001.JPG", &jpeg), ("IMG_0001(1).CR2", &raw)]);
    let other = Movie::new().header("2018-01-02 03:04:05").mov();
    expect_apart(&[("x/IMG_0001.JPG", &jpeg), ("y/IMG_0001.MOV", &other)]);
}

/// A sidecar of a picture: it must go to the picture's stem, with this extension.
#[track_caller]
fn expect_sidecar(name: &str, content: &[u8], sidecar: &str, text: &str, extension: &str) {
    let plan = plan(&[(name, content), (sidecar, text.as_bytes())]);
    let together = stem(plan.dest(name));
    assert!(together.ends_with(&format!("_{}", &hash(content)[..16])), "{together}");
    assert_eq!(plan.dest(sidecar), format!("{together}.{extension}"), "{sidecar}");
}

#[test]
fn sidecars_go_with_their_pictures_and_keep_their_form() {
    let xmp = || Picture::new().xmp("xmp:Rating", "3").sidecar();
    let edits = "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict/></plist>";
    expect_sidecar("IMG_1.JPG", &still().jpeg(), "IMG_1.xmp", &xmp(), "xmp");
    expect_sidecar("IMG_1.JPG", &still().jpeg(), "IMG_1.XMP", &xmp(), "xmp");
    expect_sidecar("IMG_1.JPG", &still().jpeg(), "IMG_1.JPG.xmp", &xmp(), "jpg.xmp");
    expect_sidecar("IMG_1.CR2", &still().cr2(), "IMG_1.xmp", &xmp(), "xmp");
    expect_sidecar("IMG_1.CR2", &still().cr2(), "IMG_1.CR2.xmp", &xmp(), "cr2.xmp");
    expect_sidecar("IMG_1.HEIC", &still().heic(), "IMG_1.AAE", edits, "aae");
    expect_sidecar("MVI_1.AVI", &avi("Wed Jan 02 03:04:05 2019"), "MVI_1.THM", &salt(), "thm");
    expect_sidecar("GOPR1234.MP4", &Movie::new().header("2019-01-02 03:04:05").mp4(), "GOPR1234.THM", &salt(), "thm");
}

#[test]
fn both_forms_of_an_xmp_sidecar_with_a_raw_picture_and_its_jpeg() {
    let (raw, jpeg) = (still().cr2(), still().jpeg());
    let texts = [1, 2, 3].map(|rating| Picture::new().xmp("xmp:Rating", &rating.to_string()).sidecar());
    let [plain, of_raw, of_jpeg] = &texts;
    let files = [
        ("a.CR2", &raw[..]),
        ("a.JPG", &jpeg),
        ("a.xmp", plain.as_bytes()),
        ("a.CR2.xmp", of_raw.as_bytes()),
        ("a.JPG.xmp", of_jpeg.as_bytes()),
    ];
    expect_together(&files, "20190102_030405", &["cr2", "jpg", "xmp", "cr2.xmp", "jpg.xmp"]);
}

#[test]
fn a_sidecar_never_lends_its_mtime_or_hash() {
    let jpeg = Picture::new().jpeg();
    let plan = plan(&[("a.jpg", &jpeg), ("a.aae", salt().as_bytes())]);
    let together = stem_of(&jpeg, FROM_MTIME);
    assert_eq!(plan.dest("a.jpg"), format!("{together}.jpg"));
    assert_eq!(plan.dest("a.aae"), format!("{together}.aae"));
}

/// A picture whose time only Takeout's JSON knows: both go to that time's stem.
#[track_caller]
fn expect_takeout(name: &str, json: &str) {
    let jpeg = Picture::new().jpeg();
    let text = takeout(name, seconds("2016-01-02 03:04:05"));
    let plan = plan(&[(name, &jpeg), (json, text.as_bytes())]);
    let together = stem_of(&jpeg, "20160102_030405");
    assert_eq!(plan.dest(name), format!("{together}.jpg"), "{name} with {json}");
    let sidecar = plan.dest(json);
    assert!(
        sidecar.starts_with(&format!("{together}.")) && sidecar.rsplit('.').next() == Some("json"),
        "{json}: {sidecar}"
    );
}

#[test]
fn takeout_in_its_forms() {
    expect_takeout("holiday.jpg", "holiday.jpg.json");
    expect_takeout("holiday.jpg", "holiday.jpg.supplemental-metadata.json");
    expect_takeout("HOLIDAY.JPG", "HOLIDAY.JPG.supplemental-metadata.json");
}

#[test]
fn takeout_with_counters() {
    expect_takeout("holiday(1).jpg", "holiday.jpg(1).json");
    expect_takeout("holiday(12).jpg", "holiday.jpg(12).json");
    expect_takeout("holiday(1).jpg", "holiday.jpg.supplemental-metadata(1).json");
}

#[test]
fn takeout_cut_to_46_characters() {
    for stem in
        ["a picture of the harbour", "a picture of the harbour in the rain", "a picture of the harbour in the rain, a"]
    {
        let name = format!("{stem}.jpg");
        let cut: String = format!("{name}.supplemental-metadata").chars().take(46).collect();
        assert!(cut.len() == 46 && cut.len() < name.len() + 22, "{cut} is cut");
        expect_takeout(&name, &format!("{cut}.json"));
    }
    // Old form: the name itself is cut.
    let name = "a picture of the harbour in the rain, early one.jpg";
    let cut: String = name.chars().take(46).collect();
    expect_takeout(name, &format!("{cut}.json"));
}

#[test]
fn takeout_counters_tell_pictures_of_one_name_apart() {
    let (first, second) = (Picture::new().jpeg(), Picture::new().jpeg());
    let text = |utc| takeout("holiday.jpg", seconds(utc));
    let (of_first, of_second) = (text("2016-01-02 03:04:05"), text("2015-01-02 03:04:05"));
    let plan = plan(&[
        ("holiday.jpg", &first),
        ("holiday(1).jpg", &second),
        ("holiday.jpg.supplemental-metadata.json", of_first.as_bytes()),
        ("holiday.jpg.supplemental-metadata(1).json", of_second.as_bytes()),
    ]);
    assert_eq!(plan.dest("holiday.jpg"), stem_of(&first, "20160102_030405") + ".jpg");
    assert_eq!(plan.dest("holiday(1).jpg"), stem_of(&second, "20150102_030405") + ".jpg");
    let json = plan.dest("holiday.jpg.supplemental-metadata(1).json");
    assert!(json.starts_with(&stem_of(&second, "20150102_030405")), "{json}");
}

#[test]
fn json_that_is_no_companion_is_a_file_like_any_other() {
    let (jpeg, text) = (still().jpeg(), "{\"albums\": []}");
    let plan = plan(&[("a.jpg", &jpeg), ("metadata.json", text.as_bytes())]);
    assert_eq!(plan.dest("metadata.json"), stem_of(text.as_bytes(), FROM_MTIME) + ".json");
}

#[test]
fn json_that_is_damaged_travels_along_and_tells_nothing() {
    for text in ["", "{", "[1, 2", "{\"photoTakenTime\": {\"timestamp\": \"soon\"}}", "\u{0}\u{1}"] {
        let jpeg = still().jpeg();
        let plan = plan(&[("a.jpg", &jpeg), ("a.jpg.json", text.as_bytes())]);
        let together = stem_of(&jpeg, "20190102_030405");
        assert_eq!(plan.dest("a.jpg"), format!("{together}.jpg"), "{text:?}");
        assert!(plan.dest("a.jpg.json").starts_with(&format!("{together}.")), "{text:?}: {}", plan.dest("a.jpg.json"));
    }
}

#[test]
fn sidecars_alike_are_no_duplicates() {
    let (one, two) = (still().jpeg(), still().jpeg());
    let edits = salt();
    let files = [("a.jpg", &one[..]), ("a.aae", edits.as_bytes()), ("b.jpg", &two), ("b.aae", edits.as_bytes())];
    let plan = plan(&files);
    for (name, picture, sidecar) in [("a.jpg", &one, "a.aae"), ("b.jpg", &two, "b.aae")] {
        let together = stem_of(picture, "20190102_030405");
        assert_eq!(plan.dest(name), format!("{together}.jpg"));
        assert_eq!(plan.dest(sidecar), format!("{together}.aae"));
        assert_eq!(plan.row(sidecar).keep, "-", "{sidecar} is no duplicate");
    }
}

#[test]
fn the_sidecar_of_a_duplicate_goes_to_the_quarantine_with_it() {
    let jpeg = still().jpeg();
    for texts in [["the same edits", "the same edits"], ["some edits", "other edits"]] {
        let [first, second] = texts.map(str::as_bytes);
        let plan = plan(&[("x/a.jpg", &jpeg), ("x/a.aae", first), ("y/b.jpg", &jpeg), ("y/b.aae", second)]);
        let together = stem_of(&jpeg, "20190102_030405");
        assert_eq!(plan.dest("x/a.jpg"), format!("{together}.jpg"));
        assert_eq!(plan.dest("x/a.aae"), format!("{together}.aae"));
        let (copy, sidecar) = (plan.dest("y/b.jpg"), plan.dest("y/b.aae"));
        assert!(copy.starts_with("duplicates/"), "{copy}");
        assert_eq!(plan.row("y/b.jpg").keep, format!("{together}.jpg"));
        assert_eq!(format!("{}.aae", stem(copy)), sidecar, "beside its primary");
    }
}

#[test]
fn a_group_twice_is_moved_and_quarantined_whole() {
    let sandbox = Sandbox::new();
    let (raw, jpeg, edits) = (still().cr2(), still().jpeg(), salt());
    for dir in ["x", "y"] {
        sandbox.drop_file(format!("{dir}/a.CR2"), &raw);
        sandbox.drop_file(format!("{dir}/a.JPG"), &jpeg);
        sandbox.drop_file(format!("{dir}/a.xmp"), &edits);
    }
    let before = support::contents(&sandbox.work());
    sandbox.shell("ms-ingest --to photos drop | ms-mv").expect_status(0);
    assert_eq!(support::contents(&sandbox.work()), before, "nothing is lost");
    for dir in ["photos", "duplicates"] {
        let mut expected = vec![raw.clone(), jpeg.clone(), edits.clone().into_bytes()];
        expected.sort();
        assert_eq!(support::contents(&sandbox.path(dir)), expected, "{dir}");
    }
}
