//! What `ms-ingest` plans: where files go, what is one copy too many, what is refused, and that `ms-mv` carries it out.

use crate::support;

use std::path::Path;

use support::{Mount, Outcome, Sandbox, contents, hash, needs_root, set_mtime, snapshot, unescape};

/// 2019-07-05 03:04:05 UTC.
const MTIME: i64 = 1_562_295_845;

/// A file of the drop whose name tells nothing, with [`MTIME`].
fn plain(sandbox: &Sandbox, name: &str, content: &str) {
    set_mtime(&sandbox.write(name, content), MTIME, 0);
}

fn ingest(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run("ms-ingest", &[&["--to", "photos"], args].concat(), b"")
}

/// `photos/2019/07/20190705_030405_<hash of CONTENT>REST`.
fn at(content: &str, rest: &str) -> String {
    format!("photos/2019/07/20190705_030405_{}{rest}", &hash(content.as_bytes())[..16])
}

/// Path, `dest` and `keep` of every row.
fn rows(outcome: &Outcome) -> Vec<[String; 3]> {
    outcome.rows().into_iter().map(|row| [row[0].clone(), row[5].clone(), row[6].clone()]).collect()
}

fn row(path: &str, dest: &str, keep: &str) -> [String; 3] {
    [path, dest, keep].map(str::to_owned)
}

#[test]
fn a_plan_tells_where_each_file_goes_and_touches_nothing() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/b.JPG", "b");
    plain(&sandbox, "drop/a", "a");
    sandbox.write("drop/IMG_20190102_030405.png", "c");
    let before = snapshot(&sandbox.work());
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    let dated = format!("photos/2019/01/20190102_030405_{}.png", &hash(b"c")[..16]);
    assert_eq!(
        rows(&outcome),
        [
            row("drop/IMG_20190102_030405.png", &dated, "-"),
            row("drop/a", &at("a", ""), "-"),
            row("drop/b.JPG", &at("b", ".jpg"), "-")
        ]
    );
    let notes = outcome.rows().into_iter().map(|row| row[7].clone()).collect::<Vec<_>>();
    assert!(notes[0].starts_with("date=name ") && notes[1].starts_with("date=mtime "), "{notes:?}");
    assert!(
        outcome.stderr.contains("3 files: 3 to be moved") && outcome.stderr.contains("mtime 2"),
        "{}",
        outcome.stderr
    );
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_further_copy_goes_to_the_quarantine_once_the_first_is_in_place() {
    let sandbox = Sandbox::new();
    for name in ["drop/a.jpg", "drop/b.jpg", "drop/sub/c.JPG"] {
        plain(&sandbox, name, "same");
    }
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    let dest = at("same", ".jpg");
    assert_eq!(
        rows(&outcome),
        [
            row("drop/a.jpg", &dest, "-"),
            row("drop/b.jpg", "duplicates/drop/b.jpg", &dest),
            row("drop/sub/c.JPG", "duplicates/drop/sub/c.JPG", &dest),
        ]
    );
    assert!(outcome.rows()[1][7].starts_with(&format!("keep mtime={MTIME}.000000000 date=mtime ")));
    sandbox.run("ms-mv", &["--prune"], &outcome.stdout).expect_status(0);
    assert!(sandbox.exists(&dest) && sandbox.exists("duplicates/drop/sub/c.JPG") && !sandbox.exists("drop/sub"));
}

#[test]
fn the_mover_accepts_such_a_plan_across_filesystems() {
    if !needs_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let _mount = Mount::tmpfs("size=8m", &sandbox.path("photos"));
    for name in ["drop/a.jpg", "drop/b.jpg", "drop/c.jpg"] {
        plain(&sandbox, name, if name == "drop/c.jpg" { "other" } else { "same" });
    }
    let before = contents(&sandbox.path("drop"));
    sandbox.shell("ms-ingest --to photos drop | ms-mv --prune").expect_status(0);
    assert!(sandbox.exists(at("same", ".jpg")) && sandbox.exists("duplicates/drop/b.jpg"));
    assert_eq!(contents(&sandbox.work()), before);
}

#[test]
fn what_stands_at_its_destination_already_is_a_duplicate_of_that() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a.jpg", "same");
    sandbox.shell("ms-ingest --to photos drop | ms-mv").expect_status(0);
    for name in ["drop/x.jpg", "drop/y.jpg"] {
        plain(&sandbox, name, "same");
    }
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    let dest = at("same", ".jpg");
    assert_eq!(
        rows(&outcome),
        [row("drop/x.jpg", "duplicates/drop/x.jpg", &dest), row("drop/y.jpg", "duplicates/drop/y.jpg", &dest)]
    );
    assert!(outcome.rows()[0][7].contains(" id="), "{}", outcome.rows()[0][7]);
    sandbox.run::<&str>("ms-mv", &[], &outcome.stdout).expect_status(0);
    assert_eq!(contents(&sandbox.work()), [b"same"; 3]);
}

#[test]
fn another_file_under_the_name_is_refused_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a.jpg", "four");
    plain(&sandbox, "drop/a.jpg.xmp", "edits");
    plain(&sandbox, "drop/b.jpg", "b");
    plain(&sandbox, "drop/c.jpg", "c");
    sandbox.write(at("four", ".jpg"), "five");
    sandbox.mkdir(at("b", ".jpg"));
    let outcome = ingest(&sandbox, &["drop"]).expect_status(1);
    assert_eq!(rows(&outcome), [row("drop/c.jpg", &at("c", ".jpg"), "-")]);
    for message in [
        format!("ms-ingest: planning: drop/a.jpg: {}: another file stands there already", at("four", ".jpg")),
        "ms-ingest: planning: drop/a.jpg.xmp: it stays with drop/a.jpg".into(),
        format!("ms-ingest: planning: drop/b.jpg: {}: a directory stands there already", at("b", ".jpg")),
    ] {
        assert!(outcome.stderr.contains(&message), "{message}\n{}", outcome.stderr);
    }
}

#[test]
fn two_files_that_a_template_sends_to_one_place_are_not_told_apart_by_a_suffix() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a.jpg", "a");
    plain(&sandbox, "drop/b.jpg", "b");
    let outcome = ingest(&sandbox, &["--template", "%Y/%m%d.{ext}", "drop"]).expect_status(1);
    assert_eq!(rows(&outcome), [row("drop/a.jpg", "photos/2019/0705.jpg", "-")]);
    outcome.expect_stderr("planning: drop/b.jpg: photos/2019/0705.jpg: another file goes there: drop/a.jpg");
}

#[test]
fn companions_share_time_and_stem() {
    let sandbox = Sandbox::new();
    for name in ["IMG_1.CR2", "IMG_1.JPG", "IMG_1.xmp", "IMG_1.JPG.xmp", "IMG_2.JPG", "IMG_2.AAE", "IMG_2.MOV"] {
        sandbox.write(format!("drop/{name}"), name);
    }
    plain(&sandbox, "drop/IMG_1.CR2", "IMG_1.CR2");
    plain(&sandbox, "drop/IMG_2.JPG", "IMG_2.JPG");
    plain(&sandbox, "drop/IMG_2.JPG.supplemental-metad.json", "{}");
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    let (raw, still) = (|rest| at("IMG_1.CR2", rest), |rest| at("IMG_2.JPG", rest));
    assert_eq!(
        rows(&outcome),
        [
            row("drop/IMG_1.CR2", &raw(".cr2"), "-"),
            row("drop/IMG_1.JPG", &raw(".jpg"), "-"),
            row("drop/IMG_1.JPG.xmp", &raw(".jpg.xmp"), "-"),
            row("drop/IMG_1.xmp", &raw(".xmp"), "-"),
            row("drop/IMG_2.AAE", &still(".aae"), "-"),
            row("drop/IMG_2.JPG", &still(".jpg"), "-"),
            row("drop/IMG_2.JPG.supplemental-metad.json", &still(".jpg.supplemental-metadata.json"), "-"),
            row("drop/IMG_2.MOV", &still(".mov"), "-"),
        ]
    );
}

#[test]
fn a_sidecar_stays_beside_its_picture_whatever_the_template() {
    let sandbox = Sandbox::new();
    for name in ["1.JPG", "1.xmp", "1.JPG.xmp"] {
        plain(&sandbox, &format!("drop/{name}"), name);
    }
    for (template, stem, whole) in [
        ("{ext}/{name}.{ext}", "photos/jpg/1.xmp", "photos/jpg/1.jpg.xmp"),
        ("{ext}_{name}", "photos/jpg_1.xmp", "photos/jpg_1.xmp"),
        (".{ext}", "photos/.jpg.xmp", "photos/.jpg.xmp"),
    ] {
        let outcome = ingest(&sandbox, &["--template", template, "drop"]);
        let dest = |path: &str| rows(&outcome).into_iter().find(|row| row[0] == path).map(|row| row[1].clone());
        // Where the two meet, none is parted from the picture.
        let refused = stem == whole;
        assert_eq!(dest("drop/1.JPG.xmp"), (!refused).then(|| whole.to_owned()), "{template}");
        assert_eq!(dest("drop/1.xmp"), (!refused).then(|| stem.to_owned()), "{template}");
        assert_eq!(dest("drop/1.JPG").is_none(), refused, "{template}");
        assert_eq!(outcome.status, i32::from(refused), "{template}");
    }
}

#[test]
fn sidecars_are_no_duplicates_and_go_where_their_picture_goes() {
    let sandbox = Sandbox::new();
    for name in ["a/1.jpg", "b/1.jpg"] {
        plain(&sandbox, &format!("drop/{name}"), "same picture");
    }
    plain(&sandbox, "drop/a/2.jpg", "another");
    for name in ["a/1.aae", "a/2.aae", "b/1.aae"] {
        plain(&sandbox, &format!("drop/{name}"), "same edits");
    }
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    let first = at("same picture", ".jpg");
    assert_eq!(
        rows(&outcome),
        [
            row("drop/a/1.aae", &at("same picture", ".aae"), "-"),
            row("drop/a/1.jpg", &first, "-"),
            row("drop/a/2.aae", &at("another", ".aae"), "-"),
            row("drop/a/2.jpg", &at("another", ".jpg"), "-"),
            row("drop/b/1.aae", "duplicates/drop/b/1.aae", "-"),
            row("drop/b/1.jpg", "duplicates/drop/b/1.jpg", &first),
        ]
    );
    sandbox.run::<&str>("ms-mv", &[], &outcome.stdout).expect_status(0);
}

#[test]
fn a_picture_stays_with_its_raw_though_a_lone_copy_comes_first() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a/1.JPG", "jpeg");
    plain(&sandbox, "drop/b/1.CR2", "raw");
    plain(&sandbox, "drop/b/1.JPG", "jpeg");
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    assert_eq!(
        rows(&outcome),
        [
            row("drop/a/1.JPG", &at("raw", ".jpg"), "-"),
            row("drop/b/1.CR2", &at("raw", ".cr2"), "-"),
            row("drop/b/1.JPG", "duplicates/drop/b/1.JPG", &at("raw", ".jpg")),
        ]
    );
}

#[test]
fn the_copy_that_knows_its_date_best_dates_them_all() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a.jpg", "same");
    plain(&sandbox, "drop/b_20180102_030405.jpg", "same");
    let dest = format!("photos/2018/01/20180102_030405_{}.jpg", &hash(b"same")[..16]);
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    assert_eq!(rows(&outcome)[0], row("drop/a.jpg", &dest, "-"));
    assert_eq!(rows(&outcome)[1][2], dest);
}

#[test]
fn empty_files_are_no_duplicates() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a.jpg", "");
    plain(&sandbox, "drop/b.txt", "");
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    assert_eq!(rows(&outcome), [row("drop/a.jpg", &at("", ".jpg"), "-"), row("drop/b.txt", &at("", ".txt"), "-")]);
}

#[test]
fn a_second_name_of_one_file_leaves_the_drop_too() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/a.jpg", "same");
    sandbox.hard_link("drop/a.jpg", "drop/b.jpg");
    let outcome = ingest(&sandbox, &["drop"]).expect_status(0);
    assert_eq!(rows(&outcome)[1], row("drop/b.jpg", "duplicates/drop/b.jpg", "-"));
    assert!(outcome.rows()[1][7].starts_with("hardlink date="));
    sandbox.run::<&str>("ms-mv", &[], &outcome.stdout).expect_status(0);
    assert!(sandbox.exists(at("same", ".jpg")) && sandbox.exists("duplicates/drop/b.jpg"));
}

#[test]
fn drop_and_destination_may_not_overlap() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "data/photos/a.jpg", "a");
    plain(&sandbox, "data/drop/b.jpg", "b");
    sandbox.symlink("data/photos", "link");
    for (to, drop) in [
        ("data/photos", "data/photos"),
        ("data/photos", "data"),
        ("data", "data/drop"),
        ("data/photos/new", "link"),
        ("link", "data/photos"),
        ("data/drop/../photos", "data/photos/a.jpg"),
    ] {
        let outcome =
            sandbox.run("ms-ingest", &["--to", to, drop], b"").expect_status(2).expect_stderr("the destination");
        assert!(outcome.stdout.is_empty(), "{to} {drop}");
    }
    for line in ["ms-crawl -q data | ms-ingest --to data/photos", "ms-ingest -L --to data/photos data/drop"] {
        sandbox.symlink("../photos", if line.contains("-L") { "data/drop/in" } else { "unused" });
        let outcome = sandbox.shell(line).expect_status(2).expect_stderr("it lies in the destination data/photos");
        assert!(outcome.stdout.is_empty(), "{line}");
    }
    // A file beside the destination is no overlap.
    plain(&sandbox, "data/c.jpg", "c");
    sandbox.run("ms-ingest", &["--to", "data/photos", "data/c.jpg"], b"").expect_status(0);
}

#[test]
fn what_is_in_the_quarantine_stays_there() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/duplicates/a.jpg", "a");
    plain(&sandbox, "drop/b.jpg", "b");
    let outcome = ingest(&sandbox, &["--quarantine", "drop/duplicates", "drop"]).expect_status(0);
    assert_eq!(rows(&outcome), [row("drop/b.jpg", &at("b", ".jpg"), "-")]);
    outcome.expect_stderr("1 in the quarantine already");
}

#[test]
fn what_has_no_date_but_its_mtime_can_be_set_apart() {
    let sandbox = Sandbox::new();
    plain(&sandbox, "drop/..odd name.JPG", "a");
    plain(&sandbox, "drop/..odd name.JPG.xmp", "x");
    let name = format!("odd name_{}.jpg", &hash(b"a")[..16]);
    let outcome = ingest(&sandbox, &["--no-mtime", "drop"]).expect_status(0);
    assert_eq!(rows(&outcome)[0][1], format!("photos/undated/{name}"));
    assert_eq!(rows(&outcome)[1][1], format!("photos/undated/{name}.xmp"));
    assert_eq!(outcome.rows()[0][7], "date=none");
    sandbox.run::<&str>("ms-mv", &[], &outcome.stdout).expect_status(0);
    let again = sandbox.run("ms-ingest", &["--to", "again", "--no-mtime", "photos"], b"").expect_status(0);
    assert_eq!(rows(&again)[0][1], format!("again/undated/{name}"));
}

#[test]
fn the_same_drop_gives_the_same_plan() {
    let sandbox = Sandbox::new();
    sandbox
        .run(
            "ms-gen",
            &["--seed", "5", "--files", "120", "--total", "3M", "--dup-share", "30", "--hostile", "drop"],
            b"",
        )
        .expect_status(0);
    let one = ingest(&sandbox, &["-j", "1", "drop"]).expect_status(0);
    let many = ingest(&sandbox, &["-j", "8", "drop"]).expect_status(0);
    assert_eq!(one.lines(), many.lines());
    let shuffled = sandbox.shell("ms-crawl -q --hash none drop | sort -R | ms-ingest --to photos").expect_status(0);
    assert_eq!(one.lines(), shuffled.lines());
    let mut sorted = one.lines();
    sorted.sort_by_key(|line| line.split('\t').next().map(unescape));
    assert_eq!(one.lines(), sorted);
}

#[test]
fn its_own_result_keeps_its_names() {
    let sandbox = Sandbox::new();
    sandbox
        .run(
            "ms-gen",
            &["--seed", "6", "--files", "100", "--total", "3M", "--dup-share", "20", "--hostile", "drop"],
            b"",
        )
        .expect_status(0);
    for name in [
        "a.CR2",
        "a.JPG",
        "a.xmp",
        "b_HEVC.MOV",
        "b.HEIC",
        "b.HEIC.json",
        "20180102_030405.mov",
        "IMG-20190102-WA0001.jpg",
    ] {
        plain(&sandbox, &format!("drop/{name}"), name);
    }
    let before = contents(&sandbox.path("drop"));
    sandbox.shell("ms-ingest -q --to photos drop | ms-mv -q --prune > moved.tsv").expect_status(0);
    let again = sandbox.run("ms-ingest", &["--to", "again", "photos"], b"").expect_status(0);
    for [path, dest, keep] in rows(&again) {
        assert_eq!((dest.strip_prefix("again/"), keep.as_str()), (path.strip_prefix("photos/"), "-"));
    }
    assert!(again.lines().len() > 70);
    sandbox.run("ms-mv", &["-q", "moved.tsv"], b"").expect_status(0);
    assert_eq!(contents(&sandbox.path("drop")), before);
    assert!(Path::new(&sandbox.path("drop/a.CR2")).exists());
}
