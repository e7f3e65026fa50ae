//! `ms-seal`: what a volume and its archive get.

use crate::support;

use serde_json::Value;
use support::image_model::{Format, image_bytes};
use support::plan::{Row, escape, plan};
use support::sealed::{CAPACITY, MTIME};
use support::{Sandbox, hash, name, needs};

const FILES: [(&str, &str); 3] =
    [("2012/03/05/b.jpg", "beta"), ("2012/03/04/a.jpg", "alpha"), ("2013/07/c d.jpg", "gamma gamma")];

/// An archive whose volume 7 has just been sealed.
fn sealed() -> Sandbox {
    let sandbox = Sandbox::new();
    let rows = sandbox.volume(7, &FILES);
    let outcome = sandbox.seal(&[], &rows).expect_status(0);
    assert!(outcome.stdout.is_empty(), "nothing goes to stdout");
    sandbox.expect_sealed(7);
    sandbox
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_index_of_a_volume_has_its_shape() {
    let sandbox = sealed();
    let index = sandbox.json("0007/index.json");
    assert_eq!(keys(&index), ["files", "format", "label", "volume"]);
    assert_eq!(
        (&index["format"], &index["volume"], &index["label"]),
        (&"mediastruct-volume/1".into(), &7.into(), &"MS_0007".into())
    );
    let files = index["files"].as_array().expect("files");
    let paths: Vec<&str> = files.iter().map(|file| file["path"].as_str().expect("a path")).collect();
    assert_eq!(paths, ["2012/03/04/a.jpg", "2012/03/05/b.jpg", "2013/07/c d.jpg"]);
    for file in files {
        assert_eq!(keys(file), ["hash", "mtime", "path", "size"]);
        let (_, content) = FILES.iter().find(|(path, _)| *path == file["path"]).expect("one of the files");
        assert_eq!((&file["hash"], &file["size"]), (&hash(content.as_bytes()).into(), &content.len().into()));
    }
    let text = String::from_utf8(sandbox.read("Archive/0007/index.json")).expect("UTF-8");
    assert_eq!(text.matches(MTIME).count(), 3, "times keep all their digits:\n{text}");
}

#[test]
fn the_checksums_of_a_volume_are_those_of_its_files_in_order() {
    let sandbox = sealed();
    let line = |path: &str, content: &str| format!("{}  {path}\n", hash(content.as_bytes()));
    let expected =
        line("2012/03/04/a.jpg", "alpha") + &line("2012/03/05/b.jpg", "beta") + &line("2013/07/c d.jpg", "gamma gamma");
    assert_eq!(String::from_utf8_lossy(&sandbox.read("Archive/0007/B3SUMS")), expected);
}

#[test]
fn b3sum_accepts_the_checksums_and_sees_what_was_damaged() {
    if !needs("b3sum") {
        return;
    }
    let sandbox = sealed();
    assert!(sandbox.b3sum_check("Archive/0007").status.success());
    sandbox.write("Archive/0007/2012/03/04/a.jpg", "ALPHA");
    assert!(!sandbox.b3sum_check("Archive/0007").status.success());
}

#[test]
fn the_readme_tells_a_stranger_what_this_is_and_how_to_check_it() {
    let sandbox = sealed();
    let text = String::from_utf8(sandbox.read("Archive/0007/README.txt")).expect("UTF-8");
    for word in ["MS_0007", "index.json", "B3SUMS", "b3sum --check", "BLAKE3"] {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[test]
fn the_marker_stands_beside_the_volume() {
    let sandbox = sealed();
    assert!(sandbox.exists("Archive/0007.UNBURNED"));
    assert!(!sandbox.exists("Archive/0007/0007.UNBURNED"));
}

#[test]
fn nothing_else_is_left_in_the_archive() {
    let sandbox = sealed();
    let files: Vec<String> = support::snapshot(&sandbox.path("Archive"))
        .into_iter()
        .filter(|(_, seen)| seen.kind != 'd')
        .map(|(path, _)| path.to_str().expect("UTF-8").to_owned())
        .collect();
    let seal = [
        "0007/B3SUMS",
        "0007/README.txt",
        "0007/index.json",
        "0007.UNBURNED",
        ".ms-protect",
        "catalog/0007.tsv",
        "index.json",
    ];
    let mut expected: Vec<String> = seal.map(str::to_owned).to_vec();
    expected.extend(FILES.map(|(path, _)| format!("0007/{path}")));
    expected.sort();
    let mut files = files;
    files.sort();
    assert_eq!(files, expected);
}

#[test]
fn the_archive_is_protected() {
    let sandbox = sealed();
    assert_eq!(sandbox.read("Archive/.ms-protect"), b"");
    let row = Row::new(&sandbox, "Archive/0007/2012/03/04/a.jpg", "elsewhere");
    sandbox.run("ms-mv", &[""; 0], &plan(&[row])).expect_status(1);
    assert!(sandbox.exists("Archive/0007/2012/03/04/a.jpg") && !sandbox.exists("elsewhere"));
}

#[test]
fn the_catalogue_has_its_shape() {
    let sandbox = sealed();
    let catalogue = sandbox.catalogue().expect("a catalogue");
    assert_eq!(keys(&catalogue), ["format", "volumes"]);
    assert_eq!(catalogue["format"], "mediastruct-archive/1");
    let entry = sandbox.entry(7).expect("volume 7");
    let members = [
        "burns",
        "bytes",
        "capacity",
        "files",
        "first_date",
        "fs",
        "image_bytes",
        "label",
        "last_date",
        "state",
        "volume",
    ];
    assert_eq!(keys(&entry), members);
    assert_eq!((&entry["label"], &entry["state"]), (&"MS_0007".into(), &"sealed".into()));
    assert_eq!((&entry["files"], &entry["bytes"]), (&3.into(), &20.into()));
    assert_eq!((&entry["first_date"], &entry["last_date"]), (&"2012-03-04".into(), &"2013-07".into()));
    assert_eq!((&entry["capacity"], &entry["burns"]), (&CAPACITY.into(), &Value::Array(Vec::new())));
}

#[test]
fn the_image_that_the_catalogue_tells_of_is_that_of_the_files_and_the_seal() {
    let sandbox = sealed();
    let image = sandbox.entry(7).expect("volume 7")["image_bytes"].as_u64().expect("bytes");
    let files: Vec<_> = FILES.iter().map(|(path, content)| (path.as_bytes().to_vec(), content.len() as u64)).collect();
    let least = image_bytes(&files, Format::Iso);
    assert!((least..least + 20_000).contains(&image), "{image}, at least {least}");
}

#[test]
fn the_listing_is_an_index_of_the_volume_that_outlives_it() {
    let sandbox = sealed();
    let record = |path: &str, content: &str| {
        [&format!("0007/{path}"), &hash(content.as_bytes()), &content.len().to_string(), MTIME, "-"]
            .map(str::to_owned)
            .to_vec()
    };
    let expected = [
        record("2012/03/04/a.jpg", "alpha"),
        record("2012/03/05/b.jpg", "beta"),
        record("2013/07/c d.jpg", "gamma gamma"),
    ];
    assert_eq!(sandbox.listing(7), expected);
}

#[test]
fn ms_verify_reads_what_was_sealed() {
    let sandbox = sealed();
    for (args, count) in [
        (&["Archive/0007/index.json"][..], 3),
        (&["Archive/0007/B3SUMS"], 3),
        (&["--root", "Archive/0007", "Archive/0007/index.json"], 3),
        (&["--root", "Archive", "Archive/catalog/0007.tsv"], 3),
    ] {
        let outcome = sandbox.run("ms-verify", args, b"").expect_status(0);
        assert_eq!(outcome.lines().len(), count, "{args:?}");
    }
    sandbox.write("Archive/0007/2012/03/04/a.jpg", "ALPHA");
    sandbox.run("ms-verify", &["Archive/0007/index.json"], b"").expect_status(1).expect_stderr("a.jpg");
}

#[test]
fn files_that_were_there_before_are_included() {
    let sandbox = Sandbox::new();
    sandbox.archived(7, "2011/12/24/old.jpg".as_ref(), "there before");
    let rows = sandbox.volume(7, &FILES);
    sandbox.seal(&[], &rows).expect_status(0);
    sandbox.expect_sealed(7);
    let index = sandbox.json("0007/index.json");
    let files = index["files"].as_array().expect("files");
    assert_eq!((files.len(), &files[0]["path"]), (4, &"2011/12/24/old.jpg".into()));
    assert_eq!(files[0]["hash"], hash(b"there before"));
    assert_eq!(sandbox.entry(7).expect("volume 7")["first_date"], "2011-12-24");
}

#[test]
fn a_row_without_a_hash_is_hashed() {
    let sandbox = Sandbox::new();
    let mut rows = sandbox.volume(7, &FILES);
    rows[0].hash = "-".to_owned();
    sandbox.seal(&[], &rows).expect_status(0);
    assert_eq!(sandbox.json("0007/index.json")["files"][1]["hash"], hash(b"beta"));
}

#[test]
fn every_name_that_the_kernel_allows_is_sealed() {
    let hostile: [&[u8]; 9] = [
        b"new\nline",
        b"tab\there",
        b"back\\slash",
        b"cr\r",
        b"\x01\x1b[31m",
        b"-rf",
        b" space ",
        b"\"quoted\",",
        "写真 é".as_bytes(),
    ];
    let sandbox = Sandbox::new();
    let files: Vec<_> = hostile.iter().map(|bytes| ([b"2012/03/05/", *bytes].concat(), "content")).collect();
    let files: Vec<_> = files.iter().map(|(path, content)| (name(path), *content)).collect();
    let rows = sandbox.volume(7, &files);
    sandbox.seal(&[], &rows).expect_status(0);
    let index = sandbox.json("0007/index.json");
    let found: Vec<&str> =
        index["files"].as_array().expect("files").iter().map(|f| f["path"].as_str().expect("text")).collect();
    let mut expected: Vec<&[u8]> = hostile.to_vec();
    expected.sort_unstable();
    let expected: Vec<String> = expected.iter().map(|bytes| escape(&[b"2012/03/05/", *bytes].concat())).collect();
    assert_eq!(found, expected, "sorted by their bytes, escaped as in the stream");
    sandbox.run("ms-verify", &["Archive/0007/index.json"], b"").expect_status(0);
    sandbox.run("ms-verify", &["Archive/0007/B3SUMS"], b"").expect_status(0);
    if needs("b3sum") {
        let checked = sandbox.b3sum_check("Archive/0007");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        // Versions of b3sum disagree on how a carriage return is written, so that name may be left out.
        let good = checked.stdout.windows(4).filter(|window| window == b": OK").count();
        assert!(good + 1 >= hostile.len(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

#[test]
fn names_that_b3sum_cannot_check_are_only_in_the_index() {
    let sandbox = Sandbox::new();
    let files = [
        (name(b"2012/bad\xff.jpg"), "x"),
        (name("2012/replaced\u{fffd}.jpg".as_bytes()), "y"),
        (name(b"2012/good.jpg"), "z"),
    ];
    let rows = sandbox.volume(7, &files);
    sandbox.seal(&[], &rows).expect_status(0).expect_stderr("B3SUMS");
    assert_eq!(sandbox.json("0007/index.json")["files"].as_array().expect("files").len(), 3);
    let sums = String::from_utf8(sandbox.read("Archive/0007/B3SUMS")).expect("UTF-8");
    assert_eq!(sums, format!("{}  2012/good.jpg\n", hash(b"z")));
    sandbox.run("ms-verify", &["Archive/0007/index.json"], b"").expect_status(0);
    if needs("b3sum") {
        assert!(sandbox.b3sum_check("Archive/0007").status.success());
    }
}

#[test]
fn several_volumes_are_sealed_in_one_run_and_told_of() {
    let sandbox = Sandbox::new();
    let rows = [sandbox.volume(7, &FILES), sandbox.volume(8, &[("2014/a.jpg", "x")])].concat();
    let reversed: Vec<Row> = rows.into_iter().rev().collect();
    sandbox.seal(&[], &reversed).expect_status(0).expect_stderr("sealed 2 volumes: 0007, 0008 (4 files, 21 bytes)");
    sandbox.expect_sealed(7);
    sandbox.expect_sealed(8);
}

#[test]
fn only_the_volumes_that_are_named_are_sealed() {
    let sandbox = Sandbox::new();
    sandbox.volume(6, &[("2014/a.jpg", "x")]);
    let rows = sandbox.volume(7, &FILES);
    sandbox.seal(&[], &rows).expect_status(0);
    sandbox.expect_sealed(7);
    sandbox.expect_open(6);
    assert_eq!(sandbox.entry(6).expect("an open volume is listed")["state"], "open");
}

#[test]
fn all_finds_the_unsealed_volumes_and_hashes_them() {
    let sandbox = sealed();
    sandbox.volume(8, &[("2014/a.jpg", "x")]);
    sandbox.volume(9, &[("2015/b.jpg", "y")]);
    sandbox.seal(&["--all"], &[]).expect_status(0).expect_stderr("0008, 0009");
    for number in [7, 8, 9] {
        sandbox.expect_sealed(number);
    }
    assert_eq!(sandbox.json("0009/index.json")["files"][0]["hash"], hash(b"y"));
    let volumes = sandbox.catalogue().expect("a catalogue")["volumes"].as_array().expect("volumes").len();
    assert_eq!(volumes, 3);
}

#[test]
fn all_is_told_what_the_discs_are() {
    let sandbox = Sandbox::new();
    sandbox.volume(1, &[("2014/a.jpg", "x")]);
    sandbox.seal(&["--all", "--media", "dvd"], &[]).expect_status(0);
    assert_eq!(sandbox.entry(1).expect("volume 1")["capacity"], 2_295_104_u64 * 2048);
    sandbox.volume(2, &[("2014/a.jpg", "y")]);
    sandbox.seal(&["--all", "--media", "cd", "--reserve", "10%"], &[]).expect_status(0);
    let capacity = sandbox.entry(2).expect("volume 2")["capacity"].as_u64().expect("bytes");
    assert!((359_423 * 2048 / 10 * 9..=359_424 * 2048 / 10 * 9).contains(&capacity), "{capacity}");
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let sandbox = Sandbox::new();
    let rows = sandbox.volume(7, &FILES);
    assert_eq!(sandbox.seal(&["-q"], &rows).expect_status(0).stderr, "");
}

#[test]
fn streams_of_every_form_are_read() {
    for line in ["cat ../rows", "shuf ../rows", "ms-verify --header ../rows", "ms-verify --csv ../rows"] {
        let sandbox = Sandbox::new();
        let rows = sandbox.volume(7, &FILES);
        std::fs::write(sandbox.path("../rows"), plan(&rows)).expect("rows");
        sandbox.shell(&format!("{line} | ms-seal Archive")).expect_status(0);
        sandbox.expect_sealed(7);
    }
}
