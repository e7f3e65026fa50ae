//! `ms-pack`: media and capacities, destinations, the rows of the plan, and what is wrong usage.

use crate::support;

use support::image_model::{Format, SECTOR};
use support::pack::{Pack, noted, packed, record, shuffled, timed, volume_of};
use support::{Outcome, Sandbox, csv_fields, hash};

/// Media and their sectors, formatted with the drive's default spare area.
const MEDIA: [(&str, u64); 7] = [
    ("cd", 359_424),
    ("dvd", 2_295_104),
    ("dvd-dl", 4_171_712),
    ("bd25", 11_826_176),
    ("bd50", 23_652_352),
    ("bd100", 47_305_728),
    ("bd128", 60_403_712),
];

/// The capacity in the note of a plan for one small file.
#[track_caller]
fn capacity(args: &[&str]) -> u64 {
    let pack = packed(&[&["--flush"], args].concat(), &record("photos/2012/03/05/a.jpg", 1));
    noted(&pack.rows[0], "capacity").parse().expect("bytes")
}

/// A capacity that was asked for in bytes may be cut to whole sectors.
#[track_caller]
fn expect_about(found: u64, bytes: u64) {
    assert!(found <= bytes && bytes - found < SECTOR, "{found} instead of {bytes}");
}

#[test]
fn each_medium_has_the_capacity_of_its_discs() {
    for (medium, sectors) in MEDIA {
        assert_eq!(capacity(&["--media", medium]), sectors * SECTOR, "{medium}");
    }
}

#[test]
fn the_default_medium_is_bd25() {
    assert_eq!(capacity(&[]), 11_826_176 * SECTOR);
    assert_eq!(capacity(&[]), capacity(&["--media", "bd25"]));
}

#[test]
fn a_file_that_fills_a_disc_goes_in_and_one_byte_more_than_the_disc_does_not() {
    for (medium, sectors) in MEDIA {
        let stream = record("photos/2012/fits", sectors * SECTOR - 1_000_000)
            + &record("photos/2013/large", sectors * SECTOR + 1);
        let outcome = Sandbox::new().pack(&["--flush", "--media", medium], &stream).expect_status(1);
        let pack = Pack::of(outcome.expect_stderr("photos/2013/large"));
        assert_eq!(pack.dests(), ["Archive/0001/2012/fits"], "{medium}");
        pack.expect_fits(sectors * SECTOR, Format::Iso);
    }
}

#[test]
fn a_capacity_of_ones_own_in_all_spellings() {
    expect_about(capacity(&["--capacity", "5000000"]), 5_000_000);
    expect_about(capacity(&["--capacity", "700M"]), 700_000_000);
    expect_about(capacity(&["--capacity", "2Gi"]), 2 << 30);
}

#[test]
fn a_reserve_is_taken_from_the_capacity() {
    let disc = 11_826_176 * SECTOR;
    expect_about(capacity(&["--reserve", "5%"]), disc / 100 * 95 + disc % 100 * 95 / 100);
    expect_about(capacity(&["--reserve", "2.5%"]), disc / 1000 * 975 + disc % 1000 * 975 / 1000);
    expect_about(capacity(&["--reserve", "1G"]), disc - 1_000_000_000);
    expect_about(capacity(&["--capacity", "100M", "--reserve", "10%"]), 90_000_000);
    assert_eq!(capacity(&["--reserve", "0"]), disc);
}

/// 400 small files, each alone in a directory.
fn scattered() -> String {
    (0..400).map(|n| record(&format!("photos/2012/03/{:02}/dir{n:03}/a.jpg", n % 28 + 1), 2048)).collect()
}

#[test]
fn the_metadata_of_each_format_counts() {
    let mut volumes = Vec::new();
    for format in ["raw", "iso", "udf"] {
        let pack = packed(&["--flush", "--fs", format, "--capacity", "2M", "--root", "photos"], &scattered());
        assert_eq!(pack.rows.len(), 400);
        assert!(pack.rows.iter().all(|row| noted(row, "fs") == format));
        pack.expect_fits(2_000_000, Format::of(format));
        volumes.push(pack.volumes().len());
    }
    // 0.8 MB of content; with the directories 3.3 MB and 0.4 MB in each image; 5.8 MB and 1 MB.
    assert_eq!(volumes[0], 1);
    assert!(volumes[0] < volumes[1] && volumes[1] < volumes[2], "{volumes:?}");
    let iso = packed(&["--flush", "--capacity", "2M", "--root", "photos"], &scattered());
    assert_eq!(iso.volumes().len(), volumes[1], "iso is the default");
}

#[test]
fn the_table_tells_of_each_volume_what_the_plan_says() {
    let stream: String = (1..=9).map(|n| record(&format!("photos/2012/0{n}/05/a.jpg"), 900_000)).collect();
    let pack = packed(&["--flush", "--capacity", "4M", "--open", "1"], &stream);
    let (table, volumes) = (pack.table(), pack.volumes());
    assert_eq!(table.iter().map(|line| line.volume).collect::<Vec<_>>(), volumes.keys().copied().collect::<Vec<_>>());
    for line in &table {
        let rows = &volumes[&line.volume];
        let months: Vec<&str> = rows.iter().map(|row| &row.path["photos/2012/".len()..][..2]).collect();
        assert_eq!((line.files, line.bytes), (rows.len() as u64, 900_000 * rows.len() as u64));
        let dates = [&line.first, &line.last];
        assert_eq!(dates, [&format!("2012-{}-05", months[0]), &format!("2012-{}-05", months[rows.len() - 1])]);
        let least = support::image_model::image_bytes(&support::pack::contents(rows), Format::Iso);
        assert!((least..=least + 50_000).contains(&line.image_bytes), "{} bytes, at least {least}", line.image_bytes);
        let fill = 100.0 * f64::from(u32::try_from(line.image_bytes).expect("small")) / 4e6;
        assert!((fill - line.fill).abs() < 0.1, "{line:?}");
    }
}

#[test]
fn a_row_is_the_record_of_the_file_its_place_and_its_number_in_the_volume() {
    let stream = "photos/2012/03/05/b.jpg\t-\t7\t1500000000.250000000\t5:7\nphotos/2012/03/04/a.jpg\t-\t8\t-\t-\n";
    let pack = packed(&["--flush"], stream);
    let lines = [
        "photos/2012/03/04/a.jpg\t-\t8\t-\t-\tArchive/0001/2012/03/04/a.jpg\t-\tvolume=1 file=1/2 fs=iso capacity=24220008448\n",
        "photos/2012/03/05/b.jpg\t-\t7\t1500000000.250000000\t5:7\tArchive/0001/2012/03/05/b.jpg\t-\tvolume=1 file=2/2 fs=iso capacity=24220008448\n",
    ];
    assert_eq!(String::from_utf8_lossy(&pack.stdout), lines.concat());
}

#[test]
fn rows_are_sorted_by_volume_then_path_and_counted_in_each_volume() {
    let stream: String =
        (0..60).map(|n| record(&format!("photos/201{}/0{}/05/{n}.jpg", n % 7, n % 9 + 1), 400_000)).collect();
    let pack = packed(&["--flush", "--capacity", "5M"], &shuffled(&stream, 1));
    assert_eq!(pack.rows.len(), 60);
    let order: Vec<(u64, &str)> = pack.rows.iter().map(|row| (volume_of(&row.dest), &row.path[..])).collect();
    assert!(order.is_sorted(), "{order:?}");
    for (volume, rows) in pack.volumes() {
        for (index, row) in rows.iter().enumerate() {
            assert_eq!(noted(row, "volume"), volume.to_string());
            assert_eq!(noted(row, "file"), format!("{}/{}", index + 1, rows.len()));
        }
    }
}

#[test]
fn volumes_begin_with_one_and_have_four_digits() {
    let stream: String = (1..=30).map(|n| record(&format!("photos/2012/03/{n:02}/a.jpg"), 1_000_000)).collect();
    let pack = packed(&["--flush", "--capacity", "3M"], &stream);
    let found: Vec<u64> = pack.volumes().into_keys().collect();
    assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
    assert!(pack.rows.iter().all(|row| row.dest.starts_with("Archive/00")), "{:?}", pack.dests());
}

/// Paths, one argument for `--root` each, and what they are below the volume.
#[track_caller]
fn expect_places(roots: &[&str], places: &[(&str, &str)]) {
    let stream: String = places.iter().map(|(path, _)| record(path, 100)).collect();
    let args: Vec<&str> = roots.iter().flat_map(|root| ["--root", root]).chain(["--flush"]).collect();
    let pack = packed(&args, &stream);
    for (path, place) in places {
        assert_eq!(pack.dest(path), Some(&format!("Archive/0001/{place}")[..]), "{roots:?}");
    }
}

#[test]
fn by_default_the_root_is_the_longest_common_directory() {
    expect_places(&[], &[("/data/photos/2012/03/a.jpg", "2012/03/a.jpg"), ("/data/photos/2013/b.jpg", "2013/b.jpg")]);
    expect_places(
        &[],
        &[("/data/photos/2012/03/a.jpg", "photos/2012/03/a.jpg"), ("/data/videos/2012/b.mp4", "videos/2012/b.mp4")],
    );
    expect_places(&[], &[("photos/phone/a.jpg", "a.jpg"), ("photos/phone/b/c.jpg", "b/c.jpg")]);
    expect_places(&[], &[("/a/x.jpg", "a/x.jpg"), ("/b/y.jpg", "b/y.jpg")]);
    expect_places(&[], &[("a/x.jpg", "a/x.jpg"), ("b/y.jpg", "b/y.jpg")]);
    expect_places(&[], &[("photos/ab/x.jpg", "ab/x.jpg"), ("photos/abc/y.jpg", "abc/y.jpg")]);
}

#[test]
fn the_default_root_is_cut_before_the_first_year_or_date() {
    for (root, dated) in [
        ("/data/photos/", "2012/03/05/a.jpg"),
        ("/data/photos/", "2012/03/a.jpg"),
        ("", "2012/03/a.jpg"),
        ("data/", "2012-03-05/a.jpg"),
        ("data/", "2012-03-05 Beach/raw/a.jpg"),
        ("data/", "2012-03/a.jpg"),
        ("data/", "2012_03_05/a.jpg"),
        ("data/", "20120305/a.jpg"),
        ("data/x/", "1999/holidays/2012/a.jpg"),
    ] {
        expect_places(&[], &[(&format!("{root}{dated}"), dated)]);
    }
}

#[test]
fn a_given_root_is_what_paths_are_kept_below() {
    expect_places(&["/data"], &[("/data/photos/2012/03/a.jpg", "photos/2012/03/a.jpg")]);
    expect_places(&["/data/"], &[("/data/photos/2012/03/a.jpg", "photos/2012/03/a.jpg")]);
    expect_places(&["photos/2012"], &[("photos/2012/03/a.jpg", "03/a.jpg")]);
    expect_places(&["a", "b/c"], &[("a/2012/x.jpg", "2012/x.jpg"), ("b/c/2013/y.jpg", "2013/y.jpg")]);
}

#[test]
fn the_first_root_that_holds_a_file_counts() {
    expect_places(&["data", "data/photos"], &[("data/photos/2012/a.jpg", "photos/2012/a.jpg")]);
    expect_places(&["data/photos", "data"], &[("data/photos/2012/a.jpg", "2012/a.jpg"), ("data/x/b.jpg", "x/b.jpg")]);
}

#[test]
fn date_folders_and_names_stay_as_they_are() {
    let odd = ["2012/03 March/05 a\\tb/IMG 1.jpg", "2012-03-05 Geburtstag Müller/\\xffx.jpg", "2013/n\\\\o\\n/-"];
    let places: Vec<(String, &str)> = odd.iter().map(|place| (format!("photos/{place}"), *place)).collect();
    let stream: String = places.iter().map(|(path, _)| record(path, 100)).collect();
    let pack = Pack::of(Sandbox::new().pack(&["--flush"], &stream).expect_status(0));
    for (path, place) in &places {
        assert_eq!(pack.dest(path), Some(&format!("Archive/0001/{place}")[..]));
    }
}

#[test]
fn shuffled_input_gives_the_identical_plan() {
    let size = |n: u64| if n.is_multiple_of(50) { 9_000_000 } else { 100_000 + n * 7919 % 300_000 };
    let path = |n: u64| format!("photos/20{:02}/{:02}/{:02}/{n}.jpg", n % 15, n % 12 + 1, n * 31 % 28 + 1);
    let stream: String = (0..1500).map(|n| timed(&path(n), size(n), "1500000000.000000000")).collect();
    for args in [
        &["--capacity", "20M"][..],
        &["--capacity", "20M", "--flush"],
        &["--capacity", "20M", "--atomic", "none", "-j", "1"],
    ] {
        let first = packed(args, &stream);
        assert!(first.volumes().len() > 5);
        for seed in 1..4 {
            let again = packed(args, &shuffled(&stream, seed));
            assert!(first.stdout == again.stdout, "{args:?}: other input order, other plan");
            assert_eq!(first.stderr, again.stderr, "{args:?}");
        }
    }
}

#[test]
fn headers_and_csv_as_everywhere() {
    let stream = record("photos/2012/a, \"b\".jpg", 5);
    let names = ["path", "hash", "size", "mtime", "id", "dest", "keep", "note"];
    let run = |args: &[&str]| {
        let outcome = Sandbox::new().pack(&[&["--flush"], args].concat(), &stream);
        outcome.expect_status(0).lines()
    };
    assert_eq!(run(&["--header"]), [names.join("\t"), run(&[])[0].clone()]);
    let csv = run(&["--csv"]);
    assert_eq!((csv.len(), csv_fields(&csv[0])), (2, names.map(str::to_owned).to_vec()));
    assert_eq!(csv_fields(&csv[1]).join("\t"), run(&[])[0]);
    assert_eq!(run(&["--csv", "--no-header"]), [csv[1].clone()]);
}

#[test]
fn every_form_of_a_stream_is_read() {
    let plan = packed(&["--flush"], "photos/2012/a.jpg\t-\t5\t-\t-\nphotos/2013/b.jpg\t-\t6\t-\t-\n");
    for other in [
        "photos/2013/b.jpg\t-\t6\nphotos/2012/a.jpg\t-\t5\n",
        "path\tsize\thash\nphotos/2013/b.jpg\t6\t-\nphotos/2012/a.jpg\t5\t-\n",
        "photos/2012/a.jpg,-,5,-,-\nphotos/2013/b.jpg,-,6,-,-\n",
        "path,hash,size\nphotos/2012/a.jpg,-,5\nphotos/2013/b.jpg,-,6\n",
        "photos/2012/a.jpg\t-\t5\t-\t-\tsome/where\t-\twhy\nphotos/2013/b.jpg\t-\t6\t-\t-\t-\t-\t-\n",
    ] {
        assert_eq!(packed(&["--flush"], other).stdout, plan.stdout, "{other}");
    }
}

#[test]
fn indexes_can_lie_in_files() {
    let sandbox = Sandbox::new();
    sandbox.write("one", record("photos/2012/a.jpg", 5));
    sandbox.write("two", record("photos/2013/b.jpg", 5));
    let outcome = sandbox.pack(&["--flush", "one", "-", "two"], &record("photos/2014/c.jpg", 5)).expect_status(0);
    assert_eq!(Pack::of(outcome).dests().len(), 3);
    sandbox.pack(&["--flush", "one", "nowhere"], "").expect_status(2).expect_stderr("nowhere");
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let pack = packed(&["--flush", "-q"], &record("photos/2012/a.jpg", 5));
    assert_eq!((pack.rows.len(), &pack.stderr[..]), (1, ""));
    assert_eq!(packed(&["-q"], &record("photos/2012/a.jpg", 5)).stderr, "");
}

#[test]
fn nothing_to_pack_is_an_empty_plan() {
    for args in [&[][..], &["--flush"]] {
        assert_eq!(packed(args, "").dests(), [""; 0]);
    }
}

#[test]
fn nothing_is_written_to_the_archive() {
    let sandbox = Sandbox::new();
    sandbox.pack(&["--flush"], &record("photos/2012/a.jpg", 5)).expect_status(0);
    assert!(support::snapshot(&sandbox.path("Archive")).is_empty());
}

#[track_caller]
fn expect_usage(args: &[&str], word: &str) {
    let sandbox = Sandbox::new();
    sandbox.mkdir("Archive");
    let outcome = sandbox.run("ms-pack", args, record("photos/2012/a.jpg", 5).as_bytes());
    let Outcome { stdout, .. } = outcome.expect_status(2).expect_stderr(word);
    assert!(stdout.is_empty(), "{args:?}");
}

#[test]
fn wrong_usage_names_its_option() {
    expect_usage(&["--flush"], "--to");
    for (option, values) in [
        ("--media", &["vhs", "", "BD 25"][..]),
        ("--capacity", &["", "x", "-5", "0", "5 M", "99999999999T"]),
        ("--reserve", &["", "x", "100%", "101%", "-1%", "30G"]),
        ("--fs", &["ext4", ""]),
        ("--atomic", &["week", ""]),
        ("--open", &["0", "x", "-1", "1.5", ""]),
        ("--min-fill", &["101", "x", "-1", "", "100.1%"]),
    ] {
        for value in values {
            expect_usage(&["--to", "Archive", option, value], option);
        }
    }
    expect_usage(&["--to", "Archive", "--no-such-option"], "--no-such-option");
}

#[test]
fn help_and_version_go_to_stdout() {
    let sandbox = Sandbox::new();
    let help = sandbox.run("ms-pack", &["--help"], b"").expect_status(0);
    for option in
        ["--to", "--media", "--capacity", "--reserve", "--fs", "--root", "--atomic", "--open", "--min-fill", "--flush"]
    {
        assert!(help.lines().iter().any(|line| line.contains(option)), "{option}");
    }
    assert_eq!(
        sandbox.run("ms-pack", &["-V"], b"").expect_status(0).lines(),
        [format!("ms-pack (mediastruct) {}", env!("CARGO_PKG_VERSION"))]
    );
}

#[test]
fn a_hash_is_carried_along() {
    let pack = packed(&["--flush"], &record("photos/2012/a.jpg", 5));
    assert_eq!(pack.rows[0].hash, hash(b"photos/2012/a.jpg"));
}
