//! `ms-pack`: which numbers volumes get, and which volumes get more.

use crate::support;

use support::image_model::{Format, image_bytes};
use support::pack::{Pack, contents, noted, record};
use support::{Sandbox, snapshot};

/// An entry of the catalogue.
fn entry(volume: u64, state: &str) -> String {
    let numbers = r#""files":1,"bytes":1,"image_bytes":400000,"capacity":24220008448"#;
    let dates = r#""first_date":"2012-03-05","last_date":"2012-03-05","burns":[]"#;
    format!(r#"{{"volume":{volume},"label":"MS_{volume:04}","state":"{state}",{numbers},{dates}}}"#)
}

fn catalogue(entries: &[String]) -> String {
    format!(r#"{{"format":"mediastruct-archive/1","volumes":[{}]}}"#, entries.join(","))
}

/// A listing of `catalog/`, with one file.
fn listing(volume: u64) -> String {
    format!("{volume:04}/2012/03/05/old.jpg\t{}\t3\t1500000000.000000000\t-\n", support::hash(b"old"))
}

/// What `ms-seal` leaves in the directory of a volume.
fn write_seal(sandbox: &Sandbox, volume: &str) {
    sandbox.write(format!("Archive/{volume}/index.json"), "{\"format\":\"mediastruct-volume/1\",\"files\":[]}");
    sandbox.write(format!("Archive/{volume}/B3SUMS"), "");
    sandbox.write(format!("Archive/{volume}/README.txt"), "readme");
}

/// The one volume to which a small file goes.
#[track_caller]
fn next(sandbox: &Sandbox) -> u64 {
    let before = snapshot(&sandbox.path("Archive"));
    let outcome = sandbox.pack(&["--flush"], &record("photos/2015/06/07/new.jpg", 1000)).expect_status(0);
    assert_eq!(snapshot(&sandbox.path("Archive")), before, "a planner only reads");
    Pack::of(outcome).volume("photos/2015/06/07/new.jpg").expect("a volume")
}

#[test]
fn numbers_go_on_after_sealed_directories() {
    let sandbox = Sandbox::new();
    for volume in ["0001", "0002", "0007"] {
        write_seal(&sandbox, volume);
    }
    assert_eq!(next(&sandbox), 8);
}

#[test]
fn numbers_go_on_after_markers() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0005.UNBURNED", "");
    assert_eq!(next(&sandbox), 6);
}

#[test]
fn numbers_go_on_after_the_catalogue() {
    for state in ["sealed", "burned"] {
        let sandbox = Sandbox::new();
        sandbox.write("Archive/index.json", catalogue(&[entry(3, state), entry(9, state), entry(4, state)]));
        assert_eq!(next(&sandbox), 10, "{state}");
    }
}

#[test]
fn numbers_go_on_after_the_listings() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/catalog/0012.tsv", listing(12));
    assert_eq!(next(&sandbox), 13);
}

#[test]
fn the_highest_that_anything_tells_of_counts() {
    let sandbox = Sandbox::new();
    write_seal(&sandbox, "0002");
    sandbox.write("Archive/0004.UNBURNED", "");
    sandbox.write("Archive/catalog/0003.tsv", listing(3));
    sandbox.write("Archive/index.json", catalogue(&[entry(1, "burned")]));
    assert_eq!(next(&sandbox), 5);
    sandbox.write("Archive/catalog/0006.tsv", listing(6));
    assert_eq!(next(&sandbox), 7);
    write_seal(&sandbox, "0009");
    assert_eq!(next(&sandbox), 10);
    sandbox.write("Archive/index.json", catalogue(&[entry(1, "burned"), entry(11, "burned")]));
    assert_eq!(next(&sandbox), 12);
}

#[test]
fn a_volume_that_is_gone_without_a_trace_but_in_the_catalogue_is_never_numbered_again() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/index.json", catalogue(&[entry(1, "burned"), entry(2, "open")]));
    assert_eq!(next(&sandbox), 3);
}

#[test]
fn what_is_no_number_is_no_volume() {
    let sandbox = Sandbox::new();
    for name in ["12", "0007.bak", "misc", "00x9", "0008.UNBURNED.old", "catalog/0020.txt", "catalog/x.tsv", "-0030"] {
        sandbox.write(format!("Archive/{name}/file"), "x");
    }
    assert_eq!(next(&sandbox), 1);
}

#[test]
fn numbers_grow_beyond_four_digits() {
    let sandbox = Sandbox::new();
    write_seal(&sandbox, "9999");
    assert_eq!(next(&sandbox), 10_000);
    write_seal(&sandbox, "10000");
    assert_eq!(next(&sandbox), 10_001);
}

#[test]
fn an_unsealed_volume_is_continued() {
    let sandbox = Sandbox::new();
    write_seal(&sandbox, "0001");
    sandbox.write("Archive/0002/2014/01/02/old.jpg", vec![1; 3_000_000]);
    let stream: String = (1..=5).map(|n| record(&format!("photos/2015/06/0{n}/new.jpg"), 900_000)).collect();
    let outcome = sandbox.pack(&["--flush", "--capacity", "5M", "--open", "1"], &stream).expect_status(0);
    let pack = Pack::of(outcome);
    assert_eq!(pack.volumes().into_keys().collect::<Vec<_>>(), [2, 3]);
    let continued = &pack.volumes()[&2];
    assert_eq!(continued.len(), 1, "3 MB were there, 0.4 MB are the file system's, 0.9 MB go in");
    assert_eq!(noted(continued[0], "file"), "1/1", "only what this plan moves is counted");
    let mut all = contents(continued);
    all.push((b"2014/01/02/old.jpg".to_vec(), 3_000_000));
    assert!(image_bytes(&all, Format::Iso) <= 5_000_000);
    pack.expect_fits(5_000_000, Format::Iso);
    assert_eq!(pack.rows.len(), 5);
}

#[test]
fn an_empty_directory_is_a_volume_to_be_continued() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive/0003");
    assert_eq!(next(&sandbox), 3);
}

#[test]
fn two_unsealed_volumes_are_both_continued() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2014/01/02/old.jpg", vec![1; 3_000_000]);
    sandbox.write("Archive/0002/2014/01/03/old.jpg", vec![2; 2_000_000]);
    let stream: String = (1..=20).map(|n| record(&format!("photos/2015/06/{n:02}/new.jpg"), 450_000)).collect();
    let pack = Pack::of(sandbox.pack(&["--flush", "--capacity", "5M"], &stream).expect_status(0));
    let volumes = pack.volumes();
    assert!(volumes.contains_key(&1) && volumes.contains_key(&2), "{:?}", pack.dests());
    for (volume, old) in [(1, 3_000_000), (2, 2_000_000)] {
        let mut all = contents(&volumes[&volume]);
        all.push((b"2014/01/0x/old.jpg".to_vec(), old));
        assert!(image_bytes(&all, Format::Iso) <= 5_000_000, "volume {volume}");
    }
}

#[test]
fn a_full_unsealed_volume_gets_nothing_more() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2014/01/02/old.jpg", vec![1; 4_700_000]);
    let stream = record("photos/2015/06/07/new.jpg", 1_000_000);
    let pack = Pack::of(sandbox.pack(&["--flush", "--capacity", "5M"], &stream).expect_status(0));
    assert_eq!(pack.dests(), ["Archive/0002/2015/06/07/new.jpg"]);
}

#[test]
fn a_destination_that_is_taken_in_a_continued_volume_is_left_out() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2015/06/07/taken.jpg", "old");
    sandbox.write("Archive/0001/2015/06/08", "a file where a directory should be");
    sandbox.mkdir("Archive/0001/2015/06/09/directory.jpg");
    let taken = ["2015/06/07/taken.jpg", "2015/06/08/below.jpg", "2015/06/09/directory.jpg"];
    let stream: String = taken.iter().map(|path| record(&format!("photos/{path}"), 100)).collect();
    let stream = stream + &record("photos/2015/06/07/free.jpg", 100);
    let mut outcome = sandbox.pack(&["--flush"], &stream).expect_status(1);
    for path in taken {
        outcome = outcome.expect_stderr(&format!("photos/{path}"));
    }
    assert_eq!(Pack::of(outcome).dests(), ["Archive/0001/2015/06/07/free.jpg"]);
}

#[test]
fn a_sealed_volume_gets_nothing_more() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2012/03/05/old.jpg", "old");
    write_seal(&sandbox, "0001");
    assert_eq!(next(&sandbox), 2);
}

#[test]
fn a_volume_that_only_its_listing_or_the_catalogue_calls_sealed_gets_nothing_more() {
    let told: [(&str, String); 3] = [
        ("catalog/0001.tsv", listing(1)),
        ("index.json", catalogue(&[entry(1, "sealed")])),
        ("index.json", catalogue(&[entry(1, "burned")])),
    ];
    for (name, text) in told {
        let sandbox = Sandbox::new();
        sandbox.write("Archive/0001/2012/03/05/old.jpg", "old");
        sandbox.write(format!("Archive/{name}"), &text);
        assert_eq!(next(&sandbox), 2, "{text}");
    }
}

#[test]
fn a_half_sealed_volume_gets_nothing_more() {
    for half in ["index.json", "B3SUMS"] {
        let sandbox = Sandbox::new();
        sandbox.write("Archive/0001/2012/03/05/old.jpg", "old");
        sandbox.write(format!("Archive/0001/{half}"), "");
        assert_eq!(next(&sandbox), 2, "{half}");
    }
}

#[test]
fn a_volume_that_the_catalogue_calls_open_is_continued() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2012/03/05/old.jpg", "old");
    sandbox.write("Archive/index.json", catalogue(&[entry(1, "open")]));
    assert_eq!(next(&sandbox), 1);
}

#[test]
fn a_catalogue_that_cannot_be_read_stops_the_planner() {
    for broken in ["", "{", "{\"format\":\"mediastruct-archive/2\",\"volumes\":[]}", "[]", "{\"format\":\"x\"}"] {
        let sandbox = Sandbox::new();
        sandbox.write("Archive/index.json", broken);
        let outcome = sandbox.pack(&["--flush"], &record("photos/2012/a.jpg", 1)).expect_status(2);
        assert!(outcome.expect_stderr("Archive/index.json").stdout.is_empty(), "{broken:?}");
    }
}

#[test]
fn a_tree_sorted_by_year_is_no_archive() {
    for year in ["1826", "2012", "2199"] {
        let sandbox = Sandbox::new();
        sandbox.write(format!("Archive/{year}/03/05/a.jpg"), "a");
        let outcome = sandbox.pack(&["--flush"], &record("photos/2012/a.jpg", 1)).expect_status(2);
        let outcome = outcome.expect_stderr(year).expect_stderr("year");
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn a_tree_sorted_by_date_is_no_archive_whatever_else_stands_in_it() {
    let trees: [&[(&str, &str)]; 6] = [
        &[("2005/README.txt", "Holidays\n")],
        &[("2005/index.json", "{}")],
        &[("2005/B3SUMS", ""), ("2005/index.json", "{\"format\":\"geojson\"}")],
        &[("201203/a.jpg", "a")],
        &[("20120305/a.jpg", "a")],
        &[("4294967295/a.jpg", "a")],
    ];
    for files in trees {
        let sandbox = Sandbox::new();
        sandbox.write("Archive/2012/03/05/a.jpg", "a");
        let (first, _) = files[0].0.split_once('/').expect("a directory");
        if first != "2005" {
            std::fs::remove_dir_all(sandbox.path("Archive/2012")).expect("removal");
        }
        for (name, text) in files {
            sandbox.write(format!("Archive/{name}"), text);
        }
        let outcome = sandbox.pack(&["--flush"], &record("photos/2012/a.jpg", 1)).expect_status(2);
        let outcome = outcome.expect_stderr(&format!("--to: Archive/{first}: a tree that is sorted by "));
        assert!(outcome.stdout.is_empty(), "{files:?}");
    }
}

#[test]
fn an_archive_with_very_many_volumes_is_one() {
    for number in [12_345, 100_001, 20_120_305] {
        let sandbox = Sandbox::new();
        sandbox.write(format!("Archive/{number}/2012/03/05/old.jpg"), "old");
        sandbox.write("Archive/index.json", catalogue(&[entry(number - 1, "burned")]));
        assert_eq!(next(&sandbox), number, "{number}");
    }
}

#[test]
fn numbers_that_are_no_years_are_volumes() {
    for number in ["1825", "2200"] {
        let sandbox = Sandbox::new();
        sandbox.write(format!("Archive/{number}/03/05/a.jpg"), "a");
        assert_eq!(next(&sandbox).to_string(), number);
    }
}

#[test]
fn an_archive_that_grew_to_two_thousand_volumes_is_one() {
    let told: [(&str, String); 3] = [
        ("catalog/2011.tsv", listing(2011)),
        ("catalog/1000.tsv", listing(1000)),
        ("index.json", catalogue(&[entry(2011, "burned")])),
    ];
    for (name, text) in told {
        let sandbox = Sandbox::new();
        sandbox.write("Archive/2012/03/05/old.jpg", "old");
        sandbox.write(format!("Archive/{name}"), &text);
        assert_eq!(next(&sandbox), 2012, "{name}");
    }
    let sandbox = Sandbox::new();
    sandbox.write("Archive/2012/03/05/old.jpg", "old");
    sandbox.write("Archive/0999.UNBURNED", "");
    sandbox.pack(&["--flush"], &record("photos/2012/a.jpg", 1)).expect_status(2).expect_stderr("2012");
}

#[test]
fn the_archive_may_be_named_in_any_way() {
    let sandbox = Sandbox::new();
    write_seal(&sandbox, "0004");
    sandbox.symlink("Archive", "link");
    let stream = record("photos/2012/a.jpg", 1);
    let absolute = sandbox.path("Archive").to_str().expect("UTF-8").to_owned();
    for spelling in ["Archive/", "./Archive", &absolute, "link"] {
        let outcome = sandbox.run("ms-pack", &["--to", spelling, "--flush"], stream.as_bytes()).expect_status(0);
        assert_eq!(outcome.rows()[0][5], format!("{}/0005/2012/a.jpg", spelling.trim_end_matches('/')));
    }
}

#[test]
fn an_archive_that_is_no_directory_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "x");
    let outcome = sandbox.run("ms-pack", &["--to", "file", "--flush"], record("photos/2012/a.jpg", 1).as_bytes());
    assert!(outcome.expect_status(2).expect_stderr("file").stdout.is_empty());
}

#[test]
fn a_name_that_collides_on_the_disc_with_one_that_is_there_is_warned_of() {
    let sandbox = Sandbox::new();
    sandbox.write("Archive/0001/2015/06/07/DSC1.JPG", "old");
    let outcome = sandbox.pack(&["--flush"], &record("photos/2015/06/07/dsc1.jpg", 100)).expect_status(0);
    let pack = Pack::of(outcome.expect_stderr("dsc1.jpg"));
    assert_eq!(pack.dests(), ["Archive/0001/2015/06/07/dsc1.jpg"]);
}
