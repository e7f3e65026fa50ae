//! `ms-ingest … | ms-mv`: what the two leave behind, and how it is taken back.

use crate::support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use support::ingest::Planned;
use support::media::movies::{Movie, avi, seconds};
use support::media::{Picture, salt, takeout};
use support::plan::undo;
use support::{Sandbox, Seen, contents, hash, name, snapshot};

const LINE: &str = "ms-ingest --to photos drop | ms-mv --prune";

fn still() -> Picture {
    Picture::new().original("2019:01:02 03:04:05")
}

/// A drop with everything that people drop.
fn dropped() -> Sandbox {
    let sandbox = Sandbox::new();
    let copied = still().jpeg();
    let files: [(&str, Vec<u8>); 14] = [
        ("phone/IMG_0001.HEIC", still().heic()),
        ("phone/IMG_0001.MOV", Movie::new().creation_date("2019-01-02T03:04:04+0100").mov()),
        ("phone/IMG_0001.AAE", salt().into_bytes()),
        ("camera/100/DSC_0001.CR2", still().cr2()),
        ("camera/100/DSC_0001.JPG", still().jpeg()),
        ("camera/100/DSC_0001.CR2.xmp", Picture::new().xmp("xmp:Rating", "3").sidecar().into_bytes()),
        ("camera/100/MVI_0002.AVI", avi("Wed Jan 02 03:04:05 2019")),
        ("takeout/holiday.jpg", Picture::new().jpeg()),
        (
            "takeout/holiday.jpg.supplemental-metadata.json",
            takeout("holiday.jpg", seconds("2018-01-02 03:04:05")).into_bytes(),
        ),
        ("takeout/metadata.json", salt().into_bytes()),
        ("copies/one.jpg", copied.clone()),
        ("copies/two.jpg", copied),
        ("VID_20190102_030405.mp4", Movie::new().header("2019-01-02 02:04:05").mp4()),
        ("notes", salt().into_bytes()),
    ];
    for (name, content) in files {
        sandbox.drop_file(name, content);
    }
    sandbox
}

/// Regular files below a directory, by their paths relative to it.
fn files(dir: &Path) -> BTreeMap<PathBuf, Seen> {
    snapshot(dir).into_iter().filter(|(_, seen)| seen.kind == 'f').collect()
}

#[test]
fn the_drop_is_untouched_by_the_plan() {
    let sandbox = dropped();
    let before = snapshot(&sandbox.work());
    assert_eq!(sandbox.plan(&[]).rows.len(), 14);
    assert_eq!(snapshot(&sandbox.work()), before, "also no directory was made");
}

#[test]
fn the_line_moves_everything_and_undo_brings_it_back() {
    let sandbox = dropped();
    let before = snapshot(&sandbox.work());
    let all = contents(&sandbox.work());
    let plan = sandbox.plan(&[]);
    sandbox.shell(LINE).expect_status(0);
    for (from, to) in plan.moves() {
        assert!(!sandbox.exists(name(&from)) && sandbox.exists(name(&to)), "{}", String::from_utf8_lossy(&from));
    }
    assert_eq!(contents(&sandbox.work()), all, "every content is still there");
    assert_eq!(contents(&sandbox.path("photos")).len(), 13);
    assert_eq!(contents(&sandbox.path("duplicates")).len(), 1);
    assert_eq!(snapshot(&sandbox.path("drop")).len(), 0, "emptied directories went");
    assert!(sandbox.exists("drop"), "but not the drop itself");

    undo(&sandbox).expect_status(0);
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn companions_arrive_together() {
    let sandbox = dropped();
    sandbox.shell(LINE).expect_status(0);
    let mut by_stem: BTreeMap<OsString, Vec<String>> = BTreeMap::new();
    for path in files(&sandbox.path("photos")).into_keys() {
        let bytes = path.as_os_str().as_bytes();
        let slash = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let dot = bytes[slash..].iter().position(|byte| *byte == b'.').map_or(bytes.len(), |at| slash + at);
        let extension = String::from_utf8(bytes[dot..].to_vec()).expect("UTF-8");
        by_stem.entry(OsString::from_vec(bytes[..dot].to_vec())).or_default().push(extension);
    }
    let together: Vec<_> = by_stem.into_values().collect();
    for group in [&[".aae", ".heic", ".mov"][..], &[".cr2", ".cr2.xmp", ".jpg"]] {
        assert!(together.iter().any(|extensions| extensions == group), "{group:?} in {together:?}");
    }
}

#[test]
fn ingesting_the_result_again_changes_no_name() {
    let sandbox = dropped();
    sandbox.shell(LINE).expect_status(0);
    let first = files(&sandbox.path("photos"));
    std::fs::remove_dir(sandbox.path("drop")).expect("an empty drop");
    std::fs::rename(sandbox.path("photos"), sandbox.path("drop")).expect("renamed");
    sandbox.shell(LINE).expect_status(0);
    let names = |files: &BTreeMap<PathBuf, Seen>| files.keys().cloned().collect::<Vec<_>>();
    let again = files(&sandbox.path("photos"));
    assert_eq!(names(&again), names(&first));
    assert_eq!(again, first, "and each name has its own content");
}

#[test]
fn a_second_drop_of_the_same_files_goes_to_the_quarantine() {
    let sandbox = dropped();
    let saved = files(&sandbox.path("drop"));
    sandbox.shell(LINE).expect_status(0);
    let first = snapshot(&sandbox.path("photos"));
    for (path, seen) in &saved {
        sandbox.drop_file(path, &seen.content);
    }
    sandbox.shell("ms-ingest --to photos --quarantine spare drop | ms-mv --prune").expect_status(0);
    assert_eq!(snapshot(&sandbox.path("photos")), first, "what was there stays as it was");
    assert_eq!(contents(&sandbox.path("spare")).len(), saved.len());
    assert_eq!(contents(&sandbox.path("drop")).len(), 0);
}

#[test]
fn hostile_names_arrive() {
    let sandbox = Sandbox::new();
    let names: [&[u8]; 9] = [
        b"new\nline.jpg",
        b"tab\there.jpg",
        b"back\\slash.jpg",
        b"latin \xe4\xf6\xfc.jpg",
        b"-rf.jpg",
        b" blank .jpg",
        b"odd.j\xffp\ng",
        b"...jpg",
        b"quote\"comma,.jpg",
    ];
    let mut expected = Vec::new();
    for bytes in names {
        let content = still().jpeg();
        expected.push(hash(&content)[..16].to_owned());
        sandbox.drop_file(Path::new(name(b"d")).join(name(bytes)), &content);
    }
    let plan = Planned::of(&sandbox.ingest(&[]).expect_status(0));
    let moves = plan.moves();
    for bytes in names {
        assert!(moves.contains_key(&[b"drop/d/", bytes].concat()), "{}", String::from_utf8_lossy(bytes));
    }
    sandbox.shell(LINE).expect_status(0);
    let arrived = files(&sandbox.path("photos/2019/01"));
    for hash in &expected {
        let begins = format!("20190102_030405_{hash}");
        let at = arrived.keys().filter(|path| path.as_os_str().as_bytes().starts_with(begins.as_bytes()));
        assert_eq!(at.count(), 1, "{begins}");
    }
    assert_eq!(arrived.len(), names.len());
    undo(&sandbox).expect_status(0);
    assert_eq!(files(&sandbox.path("drop")).len(), names.len());
}

#[test]
fn hostile_names_in_a_template_stay_inside() {
    let sandbox = Sandbox::new();
    for bytes in [&b"..jpg"[..], b"...", b".hidden.jpg", b"a\nb.jpg", b"\x1b[2J.jpg", b"caf\xe9.jpg"] {
        sandbox.drop_file(name(bytes), still().jpeg());
    }
    sandbox.shell("ms-ingest --to photos --template '{name}/{hash}.{ext}' drop | ms-mv").expect_status(0);
    assert_eq!(contents(&sandbox.path("photos")).len(), 6, "all below --to");
}

#[test]
fn links_and_directories_in_the_drop_stay() {
    let sandbox = Sandbox::new();
    sandbox.write("elsewhere/secret.jpg", still().jpeg());
    sandbox.drop_file("a.jpg", still().jpeg());
    sandbox.mkdir("drop/empty");
    sandbox.symlink("../elsewhere/secret.jpg", "drop/link.jpg");
    sandbox.symlink("../elsewhere", "drop/linked");
    assert_eq!(sandbox.plan(&[]).rows.len(), 1);
    sandbox.shell(LINE).expect_status(0);
    assert!(sandbox.exists("drop/empty") && sandbox.exists("drop/link.jpg") && sandbox.exists("elsewhere/secret.jpg"));
}

#[test]
fn a_destination_that_is_absolute_and_several_drops() {
    let sandbox = Sandbox::new();
    let (one, two) = (still().jpeg(), still().jpeg());
    sandbox.write("card 1/DCIM/IMG_0001.JPG", &one);
    sandbox.write("card 2/DCIM/IMG_0001.JPG", &two);
    let to = sandbox.path("photos");
    let to = to.to_str().expect("UTF-8");
    let outcome = sandbox.run("ms-ingest", &["--to", to, "card 1", "card 2"], b"").expect_status(0);
    let mut expected = [&one, &two].map(|content| format!("{to}/2019/01/20190102_030405_{}.jpg", &hash(content)[..16]));
    expected.sort();
    assert_eq!(outcome.column(5), expected);
}

#[test]
fn a_video_of_three_gibibytes_is_dated_in_little_memory() {
    let sandbox = Sandbox::new();
    let movie = Movie::new().header("2019-01-02 03:04:05").mp4();
    let boxes = movie.windows(4).position(|bytes| bytes == b"moov").expect("moov") - 4;
    let media: u64 = 3 << 30;
    // A box whose length has eight bytes (ISO/IEC 14496-12, 4.2), then a hole, then what tells the date.
    let header = [b"\0\0\0\x01mdat", &(media + 16).to_be_bytes()[..]].concat();
    let path = sandbox.drop_file("large.mp4", [&movie[..24], &header].concat());
    let file = std::fs::File::options().write(true).open(path).expect("opened");
    file.write_all_at(&movie[boxes..], 24 + 16 + media).expect("written");
    let mark = format!("awk -F'\\t' -v OFS='\\t' '{{ $2 = \"{}\"; print }}'", hash(b"large"));
    let line = format!("ms-crawl --hash none drop | {mark} | (ulimit -d 400000; ms-ingest -j 1 --to photos)");
    let plan = Planned::of(&sandbox.shell(&line).expect_status(0));
    assert!(plan.name("large.mp4").starts_with("20190102_030405_"), "{}", plan.dest("large.mp4"));
}
