//! What comes after sealing: burns are recorded, volumes listed, and their records streamed, also from the shelf.

use crate::support;

use std::fs;
use support::archive::told;
use support::{Sandbox, hash, needs, snapshot};

/// Volumes 1 and 2 are sealed, 3 is open, of 5 there is only a number.
fn archive() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put_archived("0001/2012/03/a.jpg", "first");
    sandbox.put_archived("0002/2013/b.jpg", "second");
    sandbox.put_archived("0002/2014-05-06/c.jpg", "third");
    let rows = ["0001/2012/03/a.jpg", "0002/2013/b.jpg", "0002/2014-05-06/c.jpg"].map(|name| told(&sandbox, name));
    let stream = support::plan::plan(&rows);
    sandbox.run("ms-seal", &["--capacity", "1M", "Archive"], &stream).expect_status(0);
    sandbox.put_archived("0003/2015/d.jpg", "fourth");
    sandbox.write("Archive/0005.UNBURNED", "");
    sandbox
}

fn today() -> String {
    chrono::Local::now().date_naive().format("%Y-%m-%d").to_string()
}

#[test]
fn a_burn_is_recorded_and_the_volume_is_not_touched() {
    let sandbox = archive();
    let before = snapshot(&sandbox.path("Archive/0001"));
    let outcome = sandbox.run_seal(&["--burned", "1", "--copy", "home", "--media-id", "BD-7"]).expect_status(0);
    let message = "ms-seal: volume 0001: burn 1 recorded (home, BD-7); a second copy in another place is still to be made; \
                   never burned yet: 0002\n";
    assert_eq!(outcome.stderr, message);
    assert!(!sandbox.exists("Archive/0001.UNBURNED") && sandbox.exists("Archive/0002.UNBURNED"));
    let volume = sandbox.cataloged(1);
    assert_eq!(volume["state"], "burned");
    assert_eq!(volume["burns"], serde_json::json!([{"date": today(), "copy": "home", "media_id": "BD-7"}]));

    let outcome = sandbox.run_seal(&["--burned", "MS_0001", "--copy=else\u{1b}where"]).expect_status(0);
    assert!(
        outcome.stderr.starts_with("ms-seal: volume 0001: burn 2 recorded (else\\x1bwhere); never"),
        "{}",
        outcome.stderr
    );
    sandbox.run_seal(&["--burned=0001"]).expect_status(0).expect_stderr("burn 3 recorded; never");
    let burns = sandbox.cataloged(1)["burns"].clone();
    assert_eq!(burns[1]["copy"], "else\u{1b}where");
    assert_eq!(burns[2], serde_json::json!({"date": today(), "copy": null, "media_id": null}));
    assert_eq!(snapshot(&sandbox.path("Archive/0001")), before);
}

#[test]
fn burns_and_what_others_wrote_survive_a_further_sealing() {
    let sandbox = archive();
    sandbox.run_seal(&["--burned", "1", "--copy", "home"]).expect_status(0);
    let json = String::from_utf8(sandbox.read("Archive/index.json")).expect("JSON");
    let json = json.replace("\"label\":\"MS_0001\"", "\"shelf\":\"left\",\"label\":\"MS_0001\"");
    fs::write(sandbox.path("Archive/index.json"), json.replace("\"volumes\":", "\"owner\":\"Ada\",\"volumes\":"))
        .expect("write");
    sandbox.run_seal(&["--all"]).expect_status(0).expect_stderr("sealed 1 volume: 0003");
    assert_eq!(sandbox.catalogue_now()["owner"], "Ada");
    assert_eq!(sandbox.cataloged(1)["shelf"], "left");
    assert_eq!(sandbox.cataloged(1)["burns"][0]["copy"], "home");
    assert!(!sandbox.exists("Archive/0001.UNBURNED"), "a burned volume gets no marker");
}

#[test]
fn only_what_is_sealed_can_be_burned() {
    let sandbox = archive();
    let before = snapshot(&sandbox.work());
    for (volume, reason) in [
        ("3", "volume 0003 is not sealed; ms-seal --all Archive does that"),
        ("5", "volume 0005 does not exist; ms-seal --list Archive shows those that do"),
        ("9", "volume 0009 does not exist; ms-seal --list Archive shows those that do"),
    ] {
        let outcome = sandbox.run_seal(&["--burned", volume]).expect_status(2);
        assert_eq!(outcome.stderr, format!("ms-seal: recording a burn: Archive: {reason}\n"));
    }
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_burn_of_a_volume_that_the_catalogue_lost_is_recorded() {
    let sandbox = archive();
    fs::remove_file(sandbox.path("Archive/index.json")).expect("removal");
    fs::remove_dir_all(sandbox.path("Archive/0002")).expect("removal");
    fs::remove_file(sandbox.path("Archive/0002.UNBURNED")).expect("removal");
    sandbox.run_seal(&["--burned", "2"]).expect_status(0);
    let volume = sandbox.cataloged(2);
    assert_eq!((volume["state"].as_str(), volume["files"].as_u64()), (Some("burned"), Some(2)));
    assert!(!sandbox.exists("Archive/0002.UNBURNED"));
}

#[test]
fn the_list_is_a_table() {
    let sandbox = archive();
    sandbox.run_seal(&["--burned", "1", "--copy", "home"]).expect_status(0);
    sandbox.run_seal(&["--burned", "1", "--copy", "else where"]).expect_status(0);
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    let before = snapshot(&sandbox.work());
    let outcome = sandbox.run_seal(&["--list"]).expect_status(0);
    assert_eq!(outcome.stderr, "");
    let lines = outcome.lines();
    let fields: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(|cell| cell.trim().to_owned()).collect())
        .collect();
    let without_image = |row: &[String]| [&row[..5], &row[7..]].concat().join("|");
    assert_eq!(fields[0].join("|"), "volume|label|state|files|bytes|image|fill|first|last|copies|where");
    assert_eq!(
        without_image(&fields[1]),
        "0001|MS_0001|burned|1|5 bytes|2012-03-05|2012-03-05|2: home, else where|on shelf"
    );
    assert_eq!(without_image(&fields[2]), "0002|MS_0002|sealed|2|11 bytes|2013|2014-05-06|-|here");
    assert_eq!(without_image(&fields[3]), "0003|MS_0003|open|1|6 bytes|2015|2015|-|here");
    assert_eq!(fields[4].join("|"), "0005|MS_0005|lost|-|-|-|-|-|-|-|-");
    let fill: Vec<&str> = fields[1..4].iter().map(|row| row[6].as_str()).collect();
    assert!(fill[0].ends_with('%') && fill[1].ends_with('%') && fill[2] == "-", "{fill:?}");
    // Columns stand below each other.
    let places: Vec<_> = lines[..3].iter().map(|line| line.find("MS_").or(line.find("label"))).collect();
    assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "{lines:#?}");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn a_sealed_volume_that_is_gone_and_was_never_burned_is_loud() {
    let sandbox = archive();
    fs::remove_dir_all(sandbox.path("Archive/0002")).expect("removal");
    let outcome = sandbox.run_seal(&["--list"]).expect_status(1);
    assert!(outcome.lines()[2].ends_with("  missing"), "{:?}", outcome.lines());
    outcome.expect_stderr("listing: Archive/0002: it is sealed and was never burned, and its directory is gone");
}

#[test]
fn a_list_of_nothing_is_empty() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    sandbox.run_seal(&["--list"]).expect_status(0).expect_stderr("ms-seal: no volumes\n").expect_stdout("");
    sandbox.run_seal(&["--cat"]).expect_status(0).expect_stdout("");
}

#[test]
fn records_of_all_volumes_come_also_from_the_shelf() {
    let sandbox = archive();
    sandbox.run_seal(&["--burned", "1"]).expect_status(0);
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(0);
    let expected: Vec<String> =
        [("0001/2012/03/a.jpg", "first"), ("0002/2013/b.jpg", "second"), ("0002/2014-05-06/c.jpg", "third")]
            .iter()
            .map(|(path, text)| {
                format!("Archive/{path}\t{}\t{}\t1330948800.123456789\t-", hash(text.as_bytes()), text.len())
            })
            .collect();
    assert_eq!(outcome.lines(), expected);
    assert!(
        outcome.stderr.contains("listing: Archive/0003: it is not sealed, so it has no listing"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.ends_with("ms-seal: 3 records of 2 volumes\n"), "{}", outcome.stderr);

    let csv = sandbox.run_seal(&["--cat", "--csv", "-q"]).expect_status(0).lines();
    assert_eq!((csv.len(), csv[0].as_str()), (4, "path,hash,size,mtime,id"));
    assert!(csv[1].starts_with("Archive/0001/2012/03/a.jpg,"));
    let header = sandbox.run_seal(&["--cat", "--header"]).expect_status(0).lines();
    assert_eq!((header.len(), header[0].as_str()), (4, "path\thash\tsize\tmtime\tid"));
}

#[test]
fn records_have_the_path_by_which_the_archive_was_named() {
    let sandbox = archive();
    fs::rename(sandbox.path("Archive"), sandbox.path("tab\there")).expect("rename");
    for (name, begin) in [("tab\there", "tab\\there/0001/"), ("./tab\there/", "./tab\\there/0001/")] {
        let outcome = sandbox.run("ms-seal", &["--cat", name], b"").expect_status(0);
        assert!(
            outcome.lines().iter().all(|line| line.starts_with(begin) || line.contains("/0002/")),
            "{:?}",
            outcome.lines()
        );
    }
}

#[test]
fn what_is_on_the_shelf_is_known_to_be_archived() {
    let sandbox = archive();
    sandbox.run_seal(&["--burned", "1"]).expect_status(0);
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    sandbox.write("photos/again.jpg", "first");
    sandbox.write("photos/new.jpg", "new");
    let line = "{ ms-crawl -q photos Archive; ms-seal -q --cat Archive; } | ms-dupes -q --protect Archive";
    let plan = sandbox.shell(line).expect_status(0).rows();
    assert_eq!(plan.len(), 1);
    assert_eq!((plan[0][0].as_str(), plan[0][6].as_str()), ("photos/again.jpg", "Archive/0001/2012/03/a.jpg"));
    let unique = sandbox.shell(&format!("{line} --unique")).expect_status(0).column(0);
    assert_eq!(unique, ["photos/new.jpg"]);
}

#[test]
fn a_listing_that_is_cut_off_or_lost_is_named_and_the_others_go_on() {
    let sandbox = archive();
    let path = sandbox.path("Archive/catalog/0001.tsv");
    let listing = fs::read(&path).expect("listing");
    fs::write(&path, &listing[..listing.len() - 1]).expect("write");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(1);
    assert_eq!(outcome.lines().len(), 2);
    outcome.expect_stderr(
        "listing: Archive/catalog/0001.tsv: reading: Archive/catalog/0001.tsv:1: the last line is cut off",
    );
    fs::remove_file(&path).expect("removal");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(0);
    outcome.expect_stderr("listing: Archive/0001: it has no listing yet; ms-seal Archive < /dev/null makes it");
    let catalogue = String::from_utf8(sandbox.read("Archive/index.json")).expect("JSON");
    fs::write(sandbox.path("Archive/index.json"), catalogue.replacen("sealed", "burned", 1)).expect("write");
    fs::remove_dir_all(sandbox.path("Archive/0001")).expect("removal");
    let outcome = sandbox.run_seal(&["--cat"]).expect_status(1);
    outcome.expect_stderr("listing: Archive/0001: its listing is missing, and so is the volume");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let sandbox = archive();
    let mut listing = String::new();
    for number in 0..50_000 {
        listing += &support::index_line(&format!("0004/{number}"), "x", 1, "1.000000000", "-");
    }
    sandbox.write("Archive/catalog/0004.tsv", listing);
    sandbox.mkdir("Archive/0004");
    let outcome = sandbox.shell("ms-seal -q --cat Archive 2> messages | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}");
    outcome.expect_status(0).expect_stdout("0");
    assert!(!String::from_utf8_lossy(&sandbox.read("messages")).contains("pipe"));
    sandbox.shell("ms-seal --cat Archive > /dev/full").expect_status(2).expect_stderr("writing: standard output");
    sandbox.shell("ms-seal --list Archive > /dev/full").expect_status(2).expect_stderr("writing: standard output");
}

#[test]
fn options_that_would_be_of_no_use_are_refused() {
    let sandbox = archive();
    let before = snapshot(&sandbox.work());
    for (args, problem) in [
        (&["--all", "--list"][..], "--all and --list exclude each other"),
        (&["--cat", "--burned", "1"], "--cat and --burned exclude each other"),
        (&["--burned", "1", "--burned", "2"], "--burned: one volume at a time"),
        (&["--copy", "home"], "--copy, --media-id: these are for --burned"),
        (&["--all", "--media-id", "x"], "--copy, --media-id: these are for --burned"),
        (&["--list", "--media", "dvd"], "--media, --capacity, --reserve, --fs: these are for sealing"),
        (&["--cat", "--fs", "udf"], "these are for sealing"),
        (&["--all", "--skip-bad-lines"], "--skip-bad-lines: only a stream has lines to be skipped"),
        (&["--all", "--csv"], "--csv, --header, --no-header: these are for --cat"),
        (&["--list", "--header"], "these are for --cat"),
        (&["--all", "--media", "dvd", "--capacity", "1G"], "--media and --capacity: one of them"),
        (&["--burned", "1", "--copy", " "], "--copy: \" \" is not a text"),
        (&["--all", "more"], "\"Archive\": one ARCHIVE only"),
    ] {
        sandbox.run_seal(args).expect_status(2).expect_stderr(problem);
    }
    sandbox
        .run("ms-seal", &["--all"], b"")
        .expect_status(2)
        .expect_stderr("ARCHIVE: the directory of the archive is missing");
    sandbox.run("ms-seal", &["--all", ""], b"").expect_status(2).expect_stderr("ARCHIVE: \"\" is not a path");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn the_whole_way_from_photos_to_a_disc_that_is_verified() {
    if !needs("xorriso") || !needs("b3sum") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --seed 5 --files 60 --total 3M --hostile photos").expect_status(0);
    sandbox
        .shell(
            "ms-crawl -q photos | ms-dupes -q -u > unique.tsv && ms-pack -q --to Archive --capacity 2M unique.tsv > plan.tsv 2> /dev/null; \
             ms-mv -q plan.tsv | ms-seal -q Archive",
        )
        .expect_status(0);
    let volumes: Vec<_> =
        (1..9).map(|number| format!("{number:04}")).filter(|volume| sandbox.is_described(volume)).collect();
    assert!(!volumes.is_empty(), "a volume was filled");
    for volume in volumes {
        let number: u64 = volume.parse().expect("a number");
        let make = format!(
            "xorriso -as mkisofs -quiet -r -J -joliet-long -iso-level 3 -V MS_{volume} -o disc.iso Archive/{volume} 2>&1"
        );
        sandbox.shell(&make).expect_status(0);
        let size = sandbox.path("disc.iso").metadata().expect("image").len();
        let told = sandbox.cataloged(number);
        let (bound, capacity) =
            (told["image_bytes"].as_u64().expect("bytes"), told["capacity"].as_u64().expect("bytes"));
        assert!(size <= bound && bound <= capacity, "{size} {bound} {capacity}");
        sandbox
            .shell("rm -rf disc; xorriso -osirrox on -indev disc.iso -extract / disc 2>&1; chmod -R u+w disc")
            .expect_status(0);
        let failed =
            sandbox.shell(&format!("ms-verify --failed --root disc Archive/{volume}/index.json")).expect_status(0);
        assert_eq!(failed.stdout, b"");
        sandbox
            .shell("cd disc && b3sum --quiet --check B3SUMS && ms-verify --root . index.json | grep -c .")
            .expect_status(0);
        sandbox.run_seal(&["--burned", &volume]).expect_status(0);
    }
}
