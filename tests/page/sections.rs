//! `ms-report`: what each sort of rows becomes on the page.

use crate::support;
use crate::{page, read, row};

use support::{Sandbox, index_line};

#[track_caller]
fn expect(text: &str, needles: &[&str]) {
    for needle in needles {
        assert!(text.contains(needle), "{needle:?} is not in:\n{text}");
    }
}

fn at(path: &str, size: u64) -> String {
    index_line(path, path, size, "1500000000.000000000", "-")
}

#[test]
fn an_index_is_summed_up_by_date_kind_and_folder() {
    let sandbox = Sandbox::new();
    let stream =
        [at("p/2012/03/a.jpg", 3000), at("p/2012/03/b.NEF", 5000), at("p/2015/c.mp4", 2000), at("p/x/d", 1000)];
    let page = page(&sandbox, &[], &stream.concat());
    let text = read(&page);
    expect(
        &text,
        &[
            "4 files, 11.0 kB, in 3 folders, from 2012 to 2017; nothing is going to move.",
            "2012-03",
            "2015, month unknown",
        ],
    );
    // The last row tells no date but that of its last change.
    expect(&text, &["2017-07", "Raw pictures nef 1", "Videos mp4 1", "Other files others 1"]);
    expect(&text, &["p/2012/0328.00 kB72.7%", "Everything is below p"]);
    expect(
        &page,
        &[
            "<title>2012-03: 2 files, 8.00 kB</title>",
            "<title>Videos: 2.00 kB</title>",
            "<title>p/2012/03: 2 files, 8.00 kB</title>",
        ],
    );
    let largest = text.split("The largest files").nth(1).expect("a list");
    let places: Vec<usize> =
        ["b.NEF", "a.jpg", "c.mp4", "dp/x"].iter().map(|name| largest.find(name).expect(name)).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_row_without_a_hash_is_counted_and_so_is_what_did_not_hold() {
    let sandbox = Sandbox::new();
    let stream = "a.jpg\t-\t5\t-\t-\nb.jpg\t-\t7\t-\t-\t-\t-\trotten\n";
    let text = read(&page(&sandbox, &[], stream));
    expect(&text, &["2 records have no hash", "rotten: 1 file, 7 bytes", "1 file is not what it was."]);
}

#[test]
fn a_plan_for_duplicates_says_what_goes_and_what_stays() {
    let sandbox = Sandbox::new();
    for name in ["photos/a.jpg", "phone/a.jpg", "phone/2/a.jpg", "photos/b.jpg", "phone/b.jpg"] {
        sandbox.write(name, if name.ends_with("a.jpg") { "aa" } else { "bbb" });
    }
    let outcome = sandbox.shell("ms-crawl -q phone photos | ms-dupes -q --prefer photos | ms-report").expect_status(0);
    let page = crate::text(&outcome);
    let text = read(&page);
    expect(
        &text,
        &[
            "3 files, 7 bytes, go to duplicates; every one has a copy that stays.",
            "3 files, 7 bytes of 2 files that stay",
        ],
    );
    expect(&text, &["phone has copies of photos2 files, 5 bytes", "phone/2 has copies of photos1 file, 2 bytes"]);
    assert_eq!((page.matches("class=\"stays\"").count(), page.matches("class=\"goes\"").count()), (3, 3));
    let pairs: Vec<usize> =
        ["phone has copies", "phone/2 has copies"].iter().map(|pair| text.find(pair).expect(pair)).collect();
    assert!(pairs.is_sorted(), "what frees most comes first");
}

#[test]
fn lists_of_copies_have_an_end_that_is_told() {
    let sandbox = Sandbox::new();
    let copies: String =
        (0..10).map(|number| row(&format!("a/{number}"), 5, &format!("d/{number}"), "k/1", "-")).collect();
    let page = page(&sandbox, &[], &copies);
    assert_eq!((page.matches("class=\"stays\"").count(), page.matches("class=\"goes\"").count()), (1, 6));
    expect(&read(&page), &["10 files, 50 bytes of 1 file that stays", "and 4 more"]);
    let pairs: String = (0..1200)
        .map(|number| row(&format!("a/{number}"), 5, &format!("d/{number}"), &format!("k/{number}"), "-"))
        .collect();
    let page = self::page(&sandbox, &[], &pairs);
    assert_eq!(page.matches("class=\"goes\"").count(), 1000);
    // Of these, the first three hundred are looked for, and have a place for their pictures.
    assert_eq!(page.matches("class=\"frame\"").count(), 600);
    expect(&read(&page), &["a has copies of k1,200 files", "And 200 more copies, not shown."]);
    let folders: String =
        (0..160).map(|number| row(&format!("a{number}/x"), 5, &format!("d/{number}"), "k/1", "-")).collect();
    expect(&read(&self::page(&sandbox, &[], &folders)), &["And 10 more pairs of folders."]);
}

#[test]
fn a_keeper_that_goes_as_well_is_told() {
    let sandbox = Sandbox::new();
    let chain = row("a", 5, "d/a", "b", "-") + &row("b", 5, "d/b", "c", "-") + &row("e", 5, "d/e", "b", "-");
    let html = page(&sandbox, &[], &chain);
    let text = read(&html);
    expect(
        &text,
        &[
            "3 files, 15 bytes, go to d; but one of the copies",
            "1 file that should stay would not stay: this stream wants it moved, too.",
        ],
    );
    expect(&text, &["Where such a file goes first, ms-mv refuses the copies that count on it"]);
    // `b` stands as what stays for `a` and `e`, and as what goes for `c`.
    assert_eq!(text.matches("stays and goes b").count(), 2, "{text}");
    assert_eq!(
        ["torn", "stays", "goes"].map(|class| html.matches(&format!("<li class=\"{class}\">")).count()),
        [2, 1, 2]
    );
    let moved = row("a", 5, "d/a", "b", "-") + &row("b", 5, "elsewhere/b", "-", "-");
    expect(&read(&page(&sandbox, &[], &moved)), &["but one of the copies", "What moves where"]);
    let sound = row("a", 5, "d/a", "c", "-") + &row("b", 5, "d/b", "c", "-");
    let text = read(&page(&sandbox, &["--no-thumbnails"], &sound));
    expect(&text, &["2 files, 10 bytes, go to d; each has a copy that stays, as the plan says."]);
    assert!(!text.contains("should stay"));
}

#[test]
fn a_plan_of_ingest_begins_with_the_doubtful_dates() {
    let sandbox = Sandbox::new();
    let stream = row("drop/a.jpg", 5, "lib/2019/07/a.jpg", "-", "date=exif:DateTimeOriginal precision=second")
        + &row("drop/b.jpg", 6, "lib/2019/08/b.jpg", "-", "date=mtime zone=tz offset=+00:00 precision=second")
        + &row("drop/c.jpg", 7, "lib/2019/08/c.jpg", "-", "date=name precision=day")
        + &row("drop/d.jpg", 8, "lib/undated/d.jpg", "-", "date=none")
        + &row("drop/e.mp4", 9, "lib/2019/08/e.mp4", "-", "date=qt:mvhd zone=tz offset=+02:00 precision=second")
        + &row(
            "drop/f.jpg",
            5,
            "duplicates/drop/f.jpg",
            "lib/2019/07/a.jpg",
            "keep mtime=1.000000000 date=name precision=second",
        )
        + &row("drop/f.xmp", 1, "duplicates/drop/f.xmp", "-", "date=name precision=second");
    let text = read(&page(&sandbox, &["--no-thumbnails"], &stream));
    expect(
        &text,
        &[
            "5 files, 35 bytes, go from drop to lib, sorted by date; 3 dates are doubtful.",
            "1 duplicate, 5 bytes, goes to duplicates; it has",
        ],
    );
    expect(
        &text,
        &[
            "1 file tells its time in UTC only; it was turned into the local time of the computer that made the plan. Is that where it was taken? If not: ms-ingest --tz.",
            "Besides, 1 file, 1 byte go to the quarantine",
        ],
    );
    let order = [
        "No date at all: 1 file",
        "d.jpg",
        "Only the last change of the file: 1 file",
        "b.jpg",
        "A day without a time: 1 file",
        "c.jpg",
        "Where the dates are from",
        "exif:DateTimeOriginal",
    ];
    let places: Vec<usize> =
        order.iter().map(|words| text.find(words).unwrap_or_else(|| panic!("{words}:\n{text}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
}

/// Of two equal files that come in together, one goes to its place, which the other names as what stays.
#[test]
fn a_keeper_that_comes_in_is_shown_where_it_is_now() {
    let sandbox = Sandbox::new();
    sandbox.write("drop/a/20190705_030405.txt", "same");
    sandbox.write("drop/b/20190705_030405.txt", "same");
    let outcome = sandbox.shell("ms-ingest -q --to lib drop | ms-report").expect_status(0);
    let page = crate::text(&outcome);
    expect(&read(&page), &["now drop/a/20190705_030405.txt"]);
    let link = format!("file://{}/drop/a/20190705_030405.txt", sandbox.work().display());
    assert!(page.contains(&link), "{link}");
    assert!(!outcome.stderr.contains("not found"), "{}", outcome.stderr);
}

#[test]
fn a_plan_of_pack_has_a_bar_for_each_volume() {
    let sandbox = Sandbox::new();
    for number in 0..6 {
        sandbox.write(format!("p/201{number}/a.jpg"), vec![number; 300_000]);
    }
    let line = "ms-crawl -q p | ms-pack -q --to arch --capacity 1500K --min-fill 50 --flush | tee pack.tsv | ms-report";
    let page = crate::text(&sandbox.shell(line).expect_status(0));
    let text = read(&page);
    let rows = sandbox.read("pack.tsv");
    let volumes = String::from_utf8_lossy(&rows)
        .lines()
        .map(|line| line.split('\t').nth(7).expect("note").split(' ').next().expect("volume").to_owned())
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    assert!(volumes > 1);
    expect(
        &text,
        &[
            &format!("6 files, 1.80 MB, go from p to arch, in {volumes} volumes."),
            "MS_0001 arch/0001",
            " of 1.50 MB (",
            "a volume at 94% here may be full. What is in the volume already is not counted.",
        ],
    );
    assert_eq!(page.matches("class=\"bar\"").count(), volumes);
    // A plan that was cut says so.
    let rows = String::from_utf8_lossy(&rows).into_owned();
    let (_, part) = rows.split_once('\n').expect("several rows");
    expect(&read(&self::page(&sandbox, &[], part)), &["planned files are in this stream"]);
}

#[test]
fn volumes_of_an_index_have_bars_once_their_disc_is_known() {
    let sandbox = Sandbox::new();
    let shelf = at("/arch/0001/2012/a.jpg", 2000) + &at("/arch/0002/2013/b.jpg", 900_000_000);
    expect(&read(&page(&sandbox, &[], &shelf)), &["in 2 volumes", "--media or --capacity tells it"]);
    let text = read(&page(&sandbox, &["--media", "cd"], &shelf));
    expect(&text, &["900 MB of 736 MB (122.26%) more than the disc holds", "2.00 kB of 736 MB (0.00%)"]);
    assert!(!text.contains("is not counted"), "{text}");
    // Beside other files, a directory of four digits may be anything.
    let mixed = shelf + &at("/data/2012/c.jpg", 1);
    assert!(!read(&page(&sandbox, &[], &mixed)).contains("MS_0001"));
    expect(&read(&page(&sandbox, &["--capacity", "1G"], &mixed)), &["MS_0001", "of 1.00 GB"]);
}

#[test]
fn other_destinations_are_summed_up_by_folder() {
    let sandbox = Sandbox::new();
    let stream = row("a/1", 5, "b/1", "-", "-") + &row("a/2", 6, "b/2", "-", "-") + &row("c/3", 1, "d/3", "-", "-");
    let text = read(&page(&sandbox, &[], &stream));
    expect(&text, &["3 files, 12 bytes, go to other folders.", "a \u{2192} b211 bytes", "c \u{2192} d11 byte"]);
    let years = row("a/1", 5, "lib/2019/07/1", "-", "-");
    assert!(!read(&page(&sandbox, &[], &years)).contains("MS_"), "a year is no volume");
}

#[test]
fn where_files_leave_from_is_said_where_that_is_one_folder() {
    let sandbox = Sandbox::new();
    let stream = row("/data/a/1", 5, "/b/1", "-", "-") + &row("/data/c/2", 6, "/b/2", "-", "-");
    expect(&read(&page(&sandbox, &[], &stream)), &["2 files, 11 bytes, go from /data to /b."]);
}

#[test]
fn records_of_a_run_are_told_from_a_plan_of_what_is_still_to_come() {
    let sandbox = Sandbox::new();
    let words = "These may be the records of a run: then the files have moved, and this is the way back.";
    let bare = row("q/a", 5, "a", "-", "-");
    let text = read(&page(&sandbox, &[], &bare));
    expect(&text, &["ms-report moves nothing. ms-mv carries out a plan", words]);
    for other in [row("b", 5, "q/b", "k", "-"), row("b", 5, "lib/b", "-", "date=none")] {
        let text = read(&page(&sandbox, &[], &(bare.clone() + &other)));
        expect(&text, &["ms-report moves nothing. ms-mv carries out a plan"]);
        assert!(!text.contains(words) && !text.contains("nothing has moved yet"), "{text}");
    }
}

#[test]
fn years_of_the_last_change_are_told_as_such() {
    let sandbox = Sandbox::new();
    expect(&read(&page(&sandbox, &[], &at("x/a.jpg", 5))), &["in 1 folder, last changed in 2017; nothing"]);
    let older = index_line("y", "y", 5, "1400000000.000000000", "-");
    expect(&read(&page(&sandbox, &[], &(older + &at("x/a.jpg", 5)))), &["last changed from 2014 to 2017; nothing"]);
    expect(&read(&page(&sandbox, &[], &at("p/2017/03/a.jpg", 5))), &["all from 2017; nothing"]);
}

#[test]
fn kinds_take_a_row_where_there_are_few_years() {
    let sandbox = Sandbox::new();
    let wide = "<div class=\"part wide\"><h3>By kind";
    assert!(page(&sandbox, &[], &at("p/2017/03/a.jpg", 5)).contains(wide));
    let years: String = (2000..2020).map(|year| at(&format!("p/{year}/03/a.jpg"), 5)).collect();
    assert!(!page(&sandbox, &[], &years).contains(wide));
}
