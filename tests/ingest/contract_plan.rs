//! `ms-ingest`: the plan itself, its names, duplicates and refusals.

use crate::support;

use support::ingest::{FROM_MTIME, Planned, last};
use support::media::{Ifd, MAKE, MODEL, Picture, SUBSEC_ORIGINAL, salt};
use support::plan::{id, mtime};
use support::{Sandbox, hash, set_mtime, snapshot, unescape};

fn still() -> Picture {
    Picture::new().original("2019:01:02 03:04:05")
}

/// The default name of a picture of that time.
fn place(content: &[u8], extension: &str) -> String {
    format!("photos/2019/01/20190102_030405_{}.{extension}", &hash(content)[..16])
}

/// One file, planned with the template: where it goes below `photos`.
#[track_caller]
fn expand(name: &str, content: &[u8], template: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.drop_file(name, content);
    let plan = sandbox.plan(&["--template", template]);
    plan.dest(name).strip_prefix("photos/").expect("inside").to_owned()
}

#[test]
fn a_row_is_the_record_of_the_file_and_its_place() {
    let sandbox = Sandbox::new();
    let content = still().jpeg();
    let path = sandbox.drop_file("deep/IMG_0001.JPG", &content);
    let plan = sandbox.plan(&[]);
    let meta = path.metadata().expect("metadata");
    let row = plan.row("deep/IMG_0001.JPG");
    assert_eq!(plan.rows.len(), 1);
    assert_eq!((&row.hash, &row.size), (&hash(&content), &content.len().to_string()));
    assert_eq!((&row.mtime, &row.id), (&mtime(&meta), &id(&meta)));
    assert_eq!((&row.dest[..], &row.keep[..]), (&place(&content, "jpg")[..], "-"));
}

#[test]
fn every_field_of_a_template() {
    let picture = still().tag(Ifd::First, MAKE, "Maker").tag(Ifd::First, MODEL, "Model 1");
    let picture = picture.tag(Ifd::Exif, SUBSEC_ORIGINAL, "678");
    let content = picture.jpeg();
    let name = "My Picture.JPG";
    let expanded = expand(name, &content, "%Y-%m-%d/%j/{make}/{model}/{name}_%H%M%S_{ms}_{hash:8}.{ext}");
    assert_eq!(expanded, format!("2019-01-02/002/Maker/Model 1/My Picture_030405_678_{}.jpg", &hash(&content)[..8]));
    assert_eq!(expand(name, &content, "{hash}.{ext}"), format!("{}.jpg", &hash(&content)[..16]));
    assert_eq!(expand(name, &content, "{hash:64}"), hash(&content));
    assert_eq!(expand(name, &content, "100%%_{hash:1}"), format!("100%_{}", &hash(&content)[..1]));
}

#[test]
fn milliseconds() {
    let milliseconds = |text: &str| expand("a.jpg", &still().tag(Ifd::Exif, SUBSEC_ORIGINAL, text).jpeg(), "{ms}");
    assert_eq!(milliseconds("678"), "678");
    assert_eq!(milliseconds("5"), "500");
    assert_eq!(milliseconds("05"), "050");
    assert_eq!(milliseconds("678999"), "678");
    assert_eq!(milliseconds("   "), "000");
    assert_eq!(expand("a.jpg", &still().jpeg(), "{ms}"), "000");
    assert_eq!(expand("a.jpg", &Picture::new().original("2019:01:02 03:04:05.25").jpeg(), "{ms}"), "250");
}

#[test]
fn values_of_metadata_stay_inside_the_destination() {
    for hostile in ["../../etc", "/etc", "..", ".", ".hidden", "a/../../../b", "..\\..", "a\x01b\x1b[2J\nc", "////"] {
        let content = still().tag(Ifd::First, MAKE, hostile).tag(Ifd::First, MODEL, hostile).jpeg();
        let expanded = unescape(&expand("a.jpg", &content, "{make}/x{model}/%Y_{hash}.{ext}"));
        let expanded = String::from_utf8(expanded).expect("UTF-8");
        let parts: Vec<_> = expanded.split('/').collect();
        assert!(parts.len() <= 3 && parts.iter().all(|part| !part.starts_with('.')), "{hostile:?}: {expanded:?}");
        assert!(!expanded.chars().any(char::is_control), "{hostile:?}: {expanded:?}");
        assert_eq!(last(&expanded), format!("2019_{}.jpg", &hash(&content)[..16]), "{hostile:?}");
    }
}

#[test]
fn an_empty_extension_takes_its_dot_along() {
    let content = still().jpeg();
    assert_eq!(expand("IMG_0001", &content, "%Y_{hash:4}.{ext}"), format!("2019_{}", &hash(&content)[..4]));
    assert_eq!(expand("IMG_0001.JPeG", &content, "%Y.{ext}"), "2019.jpeg");
}

#[test]
fn a_template_that_means_nothing_is_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", still().jpeg());
    for template in ["{nope}", "%Y/{hash", "{hash:0}", "{hash:65}", "{hash:x}", "%!", ""] {
        let outcome = sandbox.ingest(&["--template", template]).expect_status(2).expect_stderr("--template");
        assert_eq!(outcome.lines(), [""; 0], "{template}");
    }
}

#[test]
fn without_a_destination_it_is_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", still().jpeg());
    sandbox.run("ms-ingest", &["drop"], b"").expect_status(2).expect_stderr("--to");
    sandbox.run("ms-ingest", &["--to", "photos", "--no-such-option", "drop"], b"").expect_status(2);
}

#[test]
fn mtimes_are_counted_in_the_summary_or_kept_apart() {
    let sandbox = Sandbox::new();
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        sandbox.drop_file(name, Picture::new().jpeg());
    }
    let dated = still().jpeg();
    sandbox.drop_file("d.jpg", &dated);
    let outcome = sandbox.ingest(&[]).expect_status(0);
    let counted = |line: &str| line.contains("mtime") && line.split(|c: char| !c.is_ascii_digit()).any(|n| n == "3");
    assert!(outcome.stderr.lines().any(counted), "{}", outcome.stderr);
    assert_eq!(sandbox.ingest(&["-q"]).expect_status(0).stderr, "");

    let plan = sandbox.plan(&["--no-mtime"]);
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        let dest = plan.dest(name);
        assert!(dest.starts_with("photos/undated/") && dest.rsplit('.').next() == Some("jpg"), "{dest}");
        assert!(!dest.contains(FROM_MTIME), "{dest}");
    }
    assert_eq!(plan.dest("d.jpg"), place(&dated, "jpg"));
}

#[test]
fn two_files_of_one_second_differ_by_hash() {
    let sandbox = Sandbox::new();
    let (one, two) = (still().jpeg(), still().jpeg());
    sandbox.drop_file("a.jpg", &one);
    sandbox.drop_file("b.jpg", &two);
    let plan = sandbox.plan(&[]);
    assert_eq!([plan.dest("a.jpg"), plan.dest("b.jpg")], [place(&one, "jpg"), place(&two, "jpg")]);
}

#[test]
fn the_same_content_twice_goes_once() {
    let sandbox = Sandbox::new();
    let content = still().jpeg();
    for name in ["a/1.jpg", "b/2.jpg", "c/3.jpg"] {
        sandbox.drop_file(name, &content);
    }
    for (args, quarantine) in [(&[][..], "duplicates/"), (&["--quarantine", "spare"][..], "spare/")] {
        let plan = sandbox.plan(args);
        assert_eq!((plan.dest("a/1.jpg"), &plan.row("a/1.jpg").keep[..]), (&place(&content, "jpg")[..], "-"));
        for name in ["b/2.jpg", "c/3.jpg"] {
            let row = plan.row(name);
            assert!(row.dest.starts_with(quarantine), "{}", row.dest);
            assert_eq!(row.keep, place(&content, "jpg"), "where the first copy then stands");
        }
    }
}

#[test]
fn what_is_at_the_destination_already_is_not_moved_there_again() {
    let sandbox = Sandbox::new();
    let content = still().jpeg();
    sandbox.write(place(&content, "jpg"), &content);
    sandbox.drop_file("a.jpg", &content);
    let plan = sandbox.plan(&[]);
    let row = plan.row("a.jpg");
    assert!(row.dest.starts_with("duplicates/"), "{}", row.dest);
    assert_eq!(row.keep, place(&content, "jpg"));

    let before = support::contents(&sandbox.work());
    sandbox.shell("ms-ingest --to photos drop | ms-mv --check content").expect_status(0);
    assert_eq!(support::contents(&sandbox.work()), before);
    assert_eq!(support::contents(&sandbox.path("duplicates")), [content]);
}

#[test]
fn another_file_under_the_name_is_never_given_way() {
    for of_its_size in [false, true] {
        let sandbox = Sandbox::new();
        let (content, free) = (still().jpeg(), still().jpeg());
        sandbox.write(place(&content, "jpg"), vec![0; if of_its_size { content.len() } else { 7 }]);
        sandbox.drop_file("taken.jpg", &content);
        sandbox.drop_file("free.jpg", &free);
        let outcome = sandbox.ingest(&[]).expect_status(1).expect_stderr(&place(&content, "jpg"));
        let plan = Planned::of(&outcome);
        assert_eq!(plan.rows.len(), 1, "the other goes on");
        assert_eq!(plan.dest("free.jpg"), place(&free, "jpg"));
    }
}

#[test]
fn different_files_that_meet_in_one_name_are_never_told_apart_by_a_suffix() {
    let sandbox = Sandbox::new();
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        sandbox.drop_file(name, still().jpeg());
    }
    let outcome = sandbox.ingest(&["--template", "%Y.{ext}"]).expect_status(1).expect_stderr("photos/2019.jpg");
    let plan = Planned::of(&outcome);
    assert!(plan.rows.len() <= 1 && plan.rows.iter().all(|row| row.dest == "photos/2019.jpg"), "{:#?}", plan.rows);
    assert!(outcome.stderr.contains("drop/c.jpg"), "each is named: {}", outcome.stderr);
}

#[test]
fn overlap_of_drop_and_destination_is_refused() {
    for (to, drop) in [
        ("drop", "drop"),
        ("drop/photos", "drop"),
        ("photos", "photos/drop"),
        (".", "drop"),
        ("photos/../drop/x", "drop"),
        ("alias", "drop"),
        ("alias/photos", "drop"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.drop_file("a.jpg", still().jpeg());
        sandbox.write("photos/drop/b.jpg", still().jpeg());
        sandbox.symlink("drop", "alias");
        let before = snapshot(&sandbox.work());
        let outcome = sandbox.run("ms-ingest", &["--to", to, drop], b"").expect_status(2);
        assert_eq!(outcome.lines(), [""; 0], "--to {to} {drop}");
        assert!(outcome.stderr.starts_with("ms-ingest: "), "{}", outcome.stderr);
        assert_eq!(snapshot(&sandbox.work()), before);
    }
}

#[test]
fn a_name_that_only_begins_like_the_drop_is_no_overlap() {
    let sandbox = Sandbox::new();
    let content = still().jpeg();
    sandbox.drop_file("a.jpg", &content);
    let outcome = sandbox.run("ms-ingest", &["--to", "drop2", "drop"], b"").expect_status(0);
    assert_eq!(Planned::of(&outcome).dest("a.jpg"), place(&content, "jpg").replace("photos/", "drop2/"));
}

#[test]
fn an_index_on_standard_input_with_and_without_hashes() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", still().jpeg());
    sandbox.drop_file("b/c.png", still().png());
    sandbox.drop_file("b/c copy.txt", salt());
    let mut expected = sandbox.ingest(&[]).expect_status(0).lines();
    expected.sort();
    for crawl in ["ms-crawl drop", "ms-crawl --hash none drop", "ms-crawl --csv drop"] {
        let mut lines = sandbox.shell(&format!("{crawl} | ms-ingest --to photos")).expect_status(0).lines();
        lines.sort();
        assert_eq!(lines, expected, "{crawl}");
    }
    let some = sandbox.shell("ms-crawl drop | grep a.jpg | ms-ingest --to photos").expect_status(0);
    assert_eq!(some.lines().len(), 1);
}

#[test]
fn a_damaged_index_is_not_acted_on() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", still().jpeg());
    let good = sandbox.run("ms-crawl", &["drop"], b"").expect_status(0).stdout;
    let bad = [&good[..], b"drop/b.jpg\tnot a hash\t1\t-\t-\n"].concat();
    for stream in [&bad[..], &good[..good.len() - 1]] {
        let outcome = sandbox.run("ms-ingest", &["--to", "photos"], stream).expect_status(2);
        assert_eq!(outcome.lines(), [""; 0]);
    }
    let outcome = sandbox.run("ms-ingest", &["--to", "photos", "--skip-bad-lines"], &bad).expect_status(1);
    assert_eq!(outcome.lines().len(), 1);
}

#[test]
fn what_is_gone_or_unreadable_is_named_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", still().jpeg());
    sandbox.drop_file("b.jpg", still().jpeg());
    let index = sandbox.run("ms-crawl", &["--hash", "none", "drop"], b"").expect_status(0).stdout;
    std::fs::remove_file(sandbox.path("drop/b.jpg")).expect("removed");
    let outcome = sandbox.run("ms-ingest", &["--to", "photos"], &index).expect_status(1).expect_stderr("drop/b.jpg");
    let plan = Planned::of(&outcome);
    assert_eq!(plan.rows.len(), 1);
    plan.row("a.jpg");

    let outcome = sandbox.run("ms-ingest", &["--to", "photos", "drop", "nowhere"], b"").expect_stderr("nowhere");
    assert_eq!((outcome.status, outcome.lines().len()), (1, 1));
}

#[test]
fn headers_csv_and_the_number_of_jobs() {
    let sandbox = Sandbox::new();
    for index in 0..40 {
        sandbox.drop_file(format!("{}/{index}.jpg", index % 7), still().jpeg());
    }
    let plain = sandbox.ingest(&["-j", "1"]).expect_status(0);
    assert_eq!(sandbox.ingest(&["-j", "4"]).expect_status(0).lines(), plain.lines());
    let header = sandbox.ingest(&["--header"]).expect_status(0).lines();
    assert_eq!(header[0], "path\thash\tsize\tmtime\tid\tdest\tkeep\tnote");
    assert_eq!(header[1..], plain.lines());
    let csv = sandbox.ingest(&["--csv"]).expect_status(0).lines();
    assert_eq!(csv[0], "path,hash,size,mtime,id,dest,keep,note");
    assert_eq!(csv.len(), header.len());
}

#[test]
fn empty_files_are_no_duplicates() {
    let sandbox = Sandbox::new();
    for (name, seconds) in [("a.txt", 1_500_000_000), ("b.txt", 1_600_000_000)] {
        set_mtime(&sandbox.drop_file(name, ""), seconds, 0);
    }
    let plan = sandbox.plan(&[]);
    assert!(plan.rows.iter().all(|row| row.dest.starts_with("photos/") && row.keep == "-"), "{:#?}", plan.rows);
}
