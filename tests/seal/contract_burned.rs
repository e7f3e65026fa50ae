//! `ms-seal`: burns, the table for people, and what is known of discs on a shelf.

use crate::support;

use serde_json::{Value, json};
use support::plan::Row;
use support::sealed::{MTIME, expect_same};
use support::{Outcome, Sandbox, csv_fields, hash, snapshot};

/// An archive whose volumes 7 and 8 have just been sealed.
fn sealed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.sealed(7);
    sandbox.sealed(8);
    sandbox
}

#[track_caller]
fn burn(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.seal(&[&["--burned"], args].concat(), &[]).expect_status(0)
}

/// The burns of a volume without their dates, each of which must be one.
#[track_caller]
fn burns(sandbox: &Sandbox, number: u64) -> Vec<(Value, Value)> {
    let entry = sandbox.entry(number).expect("the volume");
    let burns = entry["burns"].as_array().expect("burns").iter();
    let burn = |burn: &Value| {
        let date = burn["date"].as_str().expect("a date");
        assert!(date.len() == 10 && date.starts_with("20") && date.matches('-').count() == 2, "{date}");
        (burn["copy"].clone(), burn["media_id"].clone())
    };
    burns.map(burn).collect()
}

#[test]
fn a_burn_is_noted_and_the_marker_goes() {
    let sandbox = sealed();
    let before = snapshot(&sandbox.path("Archive/0007"));
    burn(&sandbox, &["7", "--copy", "home", "--media-id", "MKM-001"]);
    assert_eq!(burns(&sandbox, 7), [("home".into(), "MKM-001".into())]);
    assert_eq!(sandbox.entry(7).expect("volume 7")["state"], "burned");
    assert!(!sandbox.exists("Archive/0007.UNBURNED") && sandbox.exists("Archive/0008.UNBURNED"));
    expect_same(&snapshot(&sandbox.path("Archive/0007")), &before, "the volume is never touched");
    assert_eq!((burns(&sandbox, 8).len(), &sandbox.entry(8).expect("volume 8")["state"]), (0, &"sealed".into()));
}

#[test]
fn a_volume_may_be_burned_several_times() {
    let sandbox = sealed();
    burn(&sandbox, &["7", "--copy", "home"]);
    burn(&sandbox, &["7", "--copy", "elsewhere"]);
    burn(&sandbox, &["7"]);
    assert_eq!(
        burns(&sandbox, 7),
        [("home".into(), Value::Null), ("elsewhere".into(), Value::Null), (Value::Null, Value::Null)]
    );
}

#[test]
fn a_volume_is_named_by_number_directory_or_label() {
    for spelling in ["7", "0007", "MS_0007"] {
        let sandbox = sealed();
        burn(&sandbox, &[spelling]);
        assert_eq!(burns(&sandbox, 7).len(), 1, "{spelling}");
    }
}

#[test]
fn the_date_of_a_burn_is_that_of_the_user() {
    let sandbox = sealed();
    for (zone, shown) in [("Pacific/Kiritimati", "UTC-14"), ("Etc/GMT+12", "UTC+12")] {
        let mut command = sandbox.command("ms-seal");
        command.env("TZ", zone).args(["--burned", "7", "--copy", zone, "Archive"]);
        support::finish(command, b"").expect_status(0);
        let today = std::process::Command::new("date").env("TZ", shown).arg("+%F").output().expect("date(1)").stdout;
        let entry = sandbox.entry(7).expect("volume 7");
        let last = entry["burns"].as_array().expect("burns").last().expect("a burn").clone();
        assert_eq!(last["date"], String::from_utf8_lossy(&today).trim(), "{zone}");
    }
}

#[test]
fn a_volume_on_the_shelf_may_be_burned_again() {
    let sandbox = sealed();
    burn(&sandbox, &["7"]);
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("to the shelf");
    burn(&sandbox, &["7", "--copy", "elsewhere"]);
    assert_eq!(burns(&sandbox, 7).len(), 2);
}

#[test]
fn the_repetition_of_a_crashed_burn_adds_nothing() {
    let sandbox = sealed();
    burn(&sandbox, &["7", "--copy", "home"]);
    sandbox.write("Archive/0007.UNBURNED", "");
    burn(&sandbox, &["7", "--copy", "home"]);
    assert_eq!(burns(&sandbox, 7).len(), 1);
    assert!(!sandbox.exists("Archive/0007.UNBURNED"));
    sandbox.write("Archive/0007.UNBURNED", "");
    burn(&sandbox, &["7", "--copy", "elsewhere"]);
    assert_eq!(burns(&sandbox, 7).len(), 2, "another burn");
}

#[test]
fn only_sealed_volumes_are_burned() {
    let sandbox = sealed();
    sandbox.volume(9, &[("2014/a.jpg", "x")]);
    let before = snapshot(&sandbox.path("Archive"));
    for (number, named) in [("9", "0009"), ("10", "10")] {
        let outcome = sandbox.seal(&["--burned", number], &[]);
        assert!(matches!(outcome.status, 1 | 2), "{}", outcome.status);
        outcome.expect_stderr(named);
        let mut after = snapshot(&sandbox.path("Archive"));
        after.insert("index.json".into(), before[std::path::Path::new("index.json")].clone());
        expect_same(&after, &before, "nothing changes");
        assert!(sandbox.entry(10).is_none());
        assert!(sandbox.entry(9).is_none_or(|entry| entry["state"] == "open" && entry["burns"] == json!([])));
    }
}

#[test]
fn the_list_is_a_table_of_all_volumes() {
    let sandbox = sealed();
    burn(&sandbox, &["7", "--copy", "home"]);
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("to the shelf");
    sandbox.volume(9, &[("2014/a.jpg", "x")]);
    let before = snapshot(&sandbox.path("Archive"));
    let lines = sandbox.seal(&["--list"], &[]).expect_status(0).lines();
    for (number, words) in [
        ("0007", &["burned", "2012-03-05", "2013-01-02", "home"][..]),
        ("0008", &["sealed", "2012-03-05", "2013-01-02"]),
        ("0009", &["open"]),
    ] {
        let line =
            lines.iter().find(|line| line.contains(number)).unwrap_or_else(|| panic!("no {number} in {lines:#?}"));
        assert!(words.iter().all(|word| line.contains(word)), "{words:?} in {lines:#?}");
    }
    expect_same(&snapshot(&sandbox.path("Archive")), &before, "it only reads");
}

#[test]
fn the_list_of_an_empty_archive_is_no_error() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    sandbox.seal(&["--list"], &[]).expect_status(0);
    assert!(sandbox.seal(&["--cat"], &[]).expect_status(0).stdout.is_empty());
    assert!(snapshot(&sandbox.path("Archive")).is_empty());
}

#[test]
fn cat_streams_the_records_of_all_volumes_also_of_those_on_the_shelf() {
    let sandbox = sealed();
    let record = |number: u64, path: &str, word: &str| {
        let content = format!("{word} {number}");
        let hash = hash(content.as_bytes());
        format!("Archive/{number:04}/{path}\t{hash}\t{}\t{MTIME}\t-", content.len())
    };
    let expected: Vec<String> = [7, 8]
        .into_iter()
        .flat_map(|number| [record(number, "2012/03/05/a.jpg", "alpha"), record(number, "2013/01/02/b.jpg", "beta")])
        .collect();
    assert_eq!(sandbox.seal(&["--cat"], &[]).expect_status(0).lines(), expected);
    burn(&sandbox, &["7"]);
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("to the shelf");
    assert_eq!(sandbox.seal(&["--cat"], &[]).expect_status(0).lines(), expected);
    assert_eq!(sandbox.seal(&["--cat", "--header"], &[]).lines()[0], "path\thash\tsize\tmtime\tid");
    let csv = sandbox.seal(&["--cat", "--csv"], &[]).expect_status(0).lines();
    assert_eq!((&csv[0][..], csv.len()), ("path,hash,size,mtime,id", 5));
    assert_eq!(csv_fields(&csv[1]).join("\t"), expected[0]);
    assert_eq!(sandbox.seal(&["--cat", "--csv", "--no-header"], &[]).lines(), csv[1..]);
}

#[test]
fn cat_begins_paths_as_the_archive_was_named() {
    let sandbox = sealed();
    let absolute = sandbox.path("Archive").to_str().expect("UTF-8").to_owned();
    for spelling in ["./Archive", "Archive/", &absolute] {
        let rows = sandbox.run("ms-seal", &["--cat", spelling], b"").expect_status(0).rows();
        assert_eq!(rows[0][0], format!("{}/0007/2012/03/05/a.jpg", spelling.trim_end_matches('/')));
    }
}

#[test]
fn cat_warns_of_a_volume_that_is_open() {
    let sandbox = sealed();
    sandbox.volume(9, &[("2014/a.jpg", "x")]);
    let outcome = sandbox.seal(&["--cat"], &[]).expect_status(0).expect_stderr("0009");
    assert_eq!(outcome.lines().len(), 4);
}

#[test]
fn what_is_on_the_shelf_is_known_to_be_archived() {
    let sandbox = sealed();
    burn(&sandbox, &["7"]);
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("to the shelf");
    sandbox.write("photos/copy.jpg", "alpha 7");
    sandbox.write("photos/new.jpg", "not archived");
    let line = "{ ms-crawl photos; ms-seal --cat Archive; } | ms-dupes --protect Archive";
    let rows = sandbox.shell(line).expect_status(0).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0][0][..], &rows[0][6][..]), ("photos/copy.jpg", "Archive/0007/2012/03/05/a.jpg"));
    let unique = sandbox.shell(&format!("{line} --unique")).expect_status(0);
    assert_eq!(unique.column(0), ["photos/new.jpg"]);
}

/// A duplicate of a file on the shelf, and its row.
fn duplicate(sandbox: &Sandbox) -> Row {
    sandbox.write("photos/copy.jpg", "alpha 7");
    let mut row = Row::new(sandbox, "photos/copy.jpg", "duplicates/photos/copy.jpg");
    "Archive/0007/2012/03/05/a.jpg".clone_into(&mut row.keep);
    row
}

#[track_caller]
fn expect_moves(sandbox: &Sandbox, args: &[&str], row: Row, moves: bool) {
    let outcome = support::plan::mv(sandbox, args, &[row]).expect_status(i32::from(!moves));
    assert_eq!(sandbox.exists("duplicates/photos/copy.jpg"), moves, "{}", outcome.stderr);
    assert_eq!(sandbox.exists("photos/copy.jpg"), !moves);
    if !moves {
        outcome.expect_stderr("photos/copy.jpg");
    }
}

fn on_the_shelf() -> Sandbox {
    let sandbox = sealed();
    burn(&sandbox, &["7"]);
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("to the shelf");
    sandbox
}

#[test]
fn a_duplicate_of_what_is_on_the_shelf_moves_only_when_that_is_asked_for() {
    let sandbox = on_the_shelf();
    expect_moves(&sandbox, &[], duplicate(&sandbox), false);
    expect_moves(&sandbox, &["--offline-keep"], duplicate(&sandbox), true);
}

#[test]
fn a_keeper_that_no_disc_is_known_to_hold_is_none() {
    let sandbox = on_the_shelf();
    let good = duplicate(&sandbox);

    let mut unlisted = good.clone();
    "Archive/0007/2012/03/05/other.jpg".clone_into(&mut unlisted.keep);
    expect_moves(&sandbox, &["--offline-keep"], unlisted, false);

    sandbox.write("photos/copy.jpg", "another content");
    let mut other_content = Row::new(&sandbox, "photos/copy.jpg", "duplicates/photos/copy.jpg");
    other_content.keep.clone_from(&good.keep);
    expect_moves(&sandbox, &["--offline-keep"], other_content, false);
}

#[test]
fn a_keeper_in_a_volume_that_was_never_burned_is_none() {
    let sandbox = sealed();
    std::fs::remove_dir_all(sandbox.path("Archive/0007")).expect("lost");
    expect_moves(&sandbox, &["--offline-keep"], duplicate(&sandbox), false);
}

#[test]
fn a_keeper_that_is_gone_from_a_volume_that_is_there_is_none() {
    let sandbox = sealed();
    burn(&sandbox, &["7"]);
    std::fs::remove_file(sandbox.path("Archive/0007/2012/03/05/a.jpg")).expect("lost");
    expect_moves(&sandbox, &["--offline-keep"], duplicate(&sandbox), false);
}

#[test]
fn a_keeper_that_is_there_is_checked_as_ever() {
    let sandbox = sealed();
    expect_moves(&sandbox, &["--offline-keep"], duplicate(&sandbox), true);
}
