//! `ms-pack`: how full the discs become, in which order, and what is split, on streams of about forty discs.

use crate::support;

use std::collections::{BTreeMap, BTreeSet};
use support::image_model::{Format, SECTOR};
use support::pack::{Pack, Random, noted, packed, record};
use support::plan::Row;

const BD25: u64 = 11_826_176 * SECTOR;

/// How many discs' worth of files a stream has.
const DISCS: u64 = 40;

/// A day of the years from 2000 on, as folders; months of 28 days do.
fn day(number: u64) -> String {
    format!("{}/{:02}/{:02}", 2000 + number / 336, number % 336 / 28 + 1, number % 28 + 1)
}

/// Photos of some megabytes, day after day, one to a hundred a day. Of every hundred files, `videos` are large
/// videos instead.
fn collection(seed: u64, videos: u64) -> String {
    let mut random = Random::new(seed);
    let (mut stream, mut bytes, mut number) = (String::new(), 0, 0);
    while bytes < DISCS * BD25 {
        let files = random.log_between(1, 128);
        for file in 0..files {
            let video = random.below(100) < videos;
            let size = if video { random.log_between(100_000_000, 1_600_000_000) } else { photo(&mut random) };
            let name = if video { "VID" } else { "IMG" };
            stream += &record(&format!("photos/{}/{name}_{file:04}.jpg", day(number)), size);
            bytes += size;
        }
        number += 1 + random.below(3);
    }
    stream
}

fn photo(random: &mut Random) -> u64 {
    2_000_000 + random.below(6_000_000)
}

/// A plan, and what it was made of.
struct Run {
    pack: Pack,
    files: usize,
    bytes: u64,
}

#[track_caller]
fn run(args: &[&str], stream: &str) -> Run {
    let sizes = stream.lines().map(|line| line.split('\t').nth(2).expect("a size").parse::<u64>().expect("bytes"));
    Run { pack: packed(args, stream), files: stream.lines().count(), bytes: sizes.sum() }
}

impl Run {
    /// The goals that hold for every kind of stream, but for the mean fill, which is given back.
    #[track_caller]
    fn expect_goals(&self, seed: u64) -> f64 {
        let table = self.pack.table();
        assert_eq!(table.len(), self.pack.volumes().len(), "a line for each volume");
        self.pack.expect_fits(BD25, Format::Iso);
        let fills: Vec<f64> = table.iter().map(|line| percent(line.image_bytes, BD25)).collect();
        let mean = fills.iter().sum::<f64>() / percent(fills.len() as u64, 100);
        let worst = fills.iter().copied().fold(100.0, f64::min);
        assert!(worst >= 98.0, "seed {seed}: worst disc {worst}");
        let planned: u64 = self.pack.rows.iter().map(|row| row.size.parse::<u64>().expect("bytes")).sum();
        assert!(self.bytes - planned <= 2 * BD25, "seed {seed}: {} discs left over", (self.bytes - planned) / BD25);
        self.expect_all_accounted_for();
        mean
    }

    /// Every file is planned once or remains.
    #[track_caller]
    fn expect_all_accounted_for(&self) {
        let planned: BTreeSet<&str> = self.pack.rows.iter().map(|row| &row.path[..]).collect();
        assert_eq!(planned.len(), self.pack.rows.len(), "no file twice");
        let remaining = self.pack.remaining().map_or(0, |line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let at = words.iter().position(|word| word.starts_with("file")).expect("files");
            words[at - 1].replace(',', "").parse().expect("a count")
        });
        assert_eq!(planned.len() + remaining, self.files, "{:?}", self.pack.remaining());
    }

    /// The share of neighbouring volumes of which the second is not the older one, by the date of the middle byte.
    fn in_order(&self) -> f64 {
        let middles: Vec<String> = self.pack.volumes().values().map(|rows| middle(rows)).collect();
        let good = middles.windows(2).filter(|pair| pair[0] <= pair[1]).count();
        percent(good as u64, middles.len() as u64 - 1) / 100.0
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// The day of the byte in the middle of a volume, its files taken by date.
fn middle(rows: &[&Row]) -> String {
    let mut days: Vec<(&str, u64)> =
        rows.iter().map(|row| (date(&row.path), row.size.parse().expect("bytes"))).collect();
    days.sort_unstable();
    let half = days.iter().map(|(_, size)| size).sum::<u64>() / 2;
    let mut sum = 0;
    let found = days.iter().find(|(_, size)| {
        sum += size;
        sum >= half
    });
    found.expect("a day").0.to_owned()
}

/// `2012/03/05` of `photos/2012/03/05/…`.
fn date(path: &str) -> &str {
    &path["photos/".len()..][..10]
}

/// How many volumes each day went to.
fn volumes_of_days(pack: &Pack) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut days: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &pack.rows {
        days.entry(date(&row.path)).or_default().insert(noted(row, "volume"));
    }
    days
}

fn split_days(pack: &Pack) -> usize {
    volumes_of_days(pack).values().filter(|volumes| volumes.len() > 1).count()
}

/// All goals, for streams of several seeds of which so many files in a hundred are large videos.
#[track_caller]
fn expect_all_goals(args: &[&str], videos: u64, seeds: &[u64]) {
    let mut means = Vec::new();
    for seed in seeds {
        let run = run(args, &collection(*seed, videos));
        means.push(run.expect_goals(*seed));
        assert!(run.in_order() >= 0.9, "seed {seed}: {} of the discs are in order", run.in_order());
    }
    let mean = means.iter().sum::<f64>() / percent(means.len() as u64, 100);
    assert!(mean >= 99.95, "mean fills {means:?}");
}

#[test]
fn photos_fill_their_discs_in_order() {
    expect_all_goals(&[], 0, &[1, 2, 3]);
}

#[test]
fn photos_among_large_videos_fill_their_discs_in_order() {
    expect_all_goals(&[], 2, &[11, 12, 13, 14]);
}

#[test]
fn photos_are_split_at_most_once_a_disc() {
    let pack = run(&[], &collection(21, 0)).pack;
    let (split, volumes) = (split_days(&pack), pack.volumes().len());
    assert!(split <= volumes, "{split} days are split for {volumes} volumes");
    let most = volumes_of_days(&pack).values().map(BTreeSet::len).max();
    assert!(most <= Some(2), "one day is on {most:?} volumes");
}

#[test]
fn with_one_open_volume_photos_go_by_date() {
    let run = run(&["--open", "1"], &collection(31, 0));
    run.expect_goals(31);
    assert!(run.in_order() >= 1.0, "{}", run.in_order());
}

#[test]
fn with_one_open_volume_large_videos_break_no_promise() {
    let run = run(&["--open", "1"], &collection(32, 2));
    run.pack.expect_fits(BD25, Format::Iso);
    run.expect_all_accounted_for();
    assert!(run.pack.table().iter().all(|line| line.fill >= 85.0), "{}", run.pack.stderr);
}

#[test]
fn more_open_volumes_break_no_promise() {
    for open in ["3", "8"] {
        let run = run(&["--open", open], &collection(33, 2));
        run.pack.expect_fits(BD25, Format::Iso);
        run.expect_all_accounted_for();
        assert!(run.pack.table().iter().all(|line| line.fill >= 85.0), "{}", run.pack.stderr);
    }
}

/// Days of ten photos that are each a bit less than a tenth of a disc: ten of them leave a fifth of a percent.
fn tenths() -> String {
    let size = BD25 / 1000 * 998 / 100;
    let files = (0..400).flat_map(|number| (0..10).map(move |file| (number, file)));
    files.map(|(number, file)| record(&format!("photos/{}/{file}.jpg", day(number)), size)).collect()
}

#[test]
fn days_that_fill_a_disc_together_are_not_split() {
    for args in [&[][..], &["--open", "1"], &["--atomic", "day"]] {
        let pack = run(args, &tenths()).pack;
        assert!(pack.volumes().len() >= 38, "{}", pack.volumes().len());
        assert_eq!(split_days(&pack), 0, "{args:?}");
    }
}

/// Days of 30 photos that are a third of a disc, less a bit: three of them leave a tenth.
fn thirds() -> String {
    let files = (0..120).flat_map(|number| (0..30).map(move |file| (number, file)));
    files.map(|(number, file)| record(&format!("photos/{}/{file:02}.jpg", day(number)), BD25 / 100)).collect()
}

#[test]
fn days_are_split_rather_than_leave_a_tenth_of_a_disc_empty() {
    let pack = run(&[], &thirds()).pack;
    assert!(pack.volumes().len() >= 34, "{}", pack.volumes().len());
    assert!(pack.table().iter().all(|line| line.fill >= 98.0), "{}", pack.stderr);
    let split = split_days(&pack);
    assert!((1..=pack.volumes().len()).contains(&split), "{split}");
}

#[test]
fn a_day_larger_than_a_disc_is_spread() {
    let stream: String = (0..400).map(|file| record(&format!("photos/2012/03/05/{file}.jpg"), BD25 / 100)).collect();
    let pack = packed(&["--flush"], &stream);
    pack.expect_fits(BD25, Format::Iso);
    assert_eq!(pack.rows.len(), 400);
    assert_eq!(pack.volumes().len(), 5, "99 of these go on a disc");
}

#[test]
fn atomic_none_reaches_the_goals_too() {
    expect_all_goals(&["--atomic", "none"], 2, &[41, 42]);
}

#[test]
fn atomic_dir_keeps_directories_together() {
    // Six directories a day, ten of which fill a disc but for a fifth of a percent.
    let size = BD25 / 1000 * 998 / 100;
    let directories = (0..400).map(|number| format!("photos/{}/{}", day(number / 6), number % 6));
    let stream: String =
        directories.flat_map(|dir| (0..10).map(move |file| record(&format!("{dir}/{file}.jpg"), size))).collect();
    let pack = packed(&["--atomic", "dir"], &stream);
    assert!(pack.volumes().len() >= 38, "{}", pack.volumes().len());
    let mut directories: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &pack.rows {
        let dir = row.path.rsplit_once('/').expect("a directory").0;
        directories.entry(dir).or_default().insert(noted(row, "volume"));
    }
    assert!(directories.values().all(|volumes| volumes.len() == 1), "{directories:?}");
    assert!(split_days(&pack) > 10, "days are not what is kept together");
}

#[test]
fn the_metadata_of_many_small_files_is_counted_and_the_discs_are_full_all_the_same() {
    for format in ["iso", "udf", "raw"] {
        let mut random = Random::new(51);
        let mut small = |number: u64| {
            let mut draw = |end| usize::try_from(random.below(end)).expect("small");
            let (length, size) = (draw(60) + 1, draw(20_000) as u64);
            let name = ["n", "é", "写"][draw(3)].repeat(length);
            record(&format!("photos/{}/{name}{number}", day(number / 20)), size)
        };
        let stream: String = (0..20_000).map(&mut small).collect();
        let pack = run(&["--capacity", "20M", "--fs", format], &stream).pack;
        pack.expect_fits(20_000_000, Format::of(format));
        assert!(pack.volumes().len() >= 10);
        assert!(pack.table().iter().all(|line| line.fill >= 99.0), "{format}: {}", pack.stderr);
    }
}

/// Clips of that size, one a day, for forty discs of `a_disc` each.
fn clips(size: u64, a_disc: u64) -> String {
    (0..DISCS * a_disc).map(|number| record(&format!("photos/{}/clip.mov", day(number)), size)).collect()
}

#[test]
fn clips_that_leave_a_gap_none_of_them_fits_in_are_emitted_with_a_warning() {
    // Five clips are 91 % of a disc.
    let run = run(&[], &clips(4_400_000_000, 5));
    run.pack.expect_fits(BD25, Format::Iso);
    run.expect_all_accounted_for();
    let volumes = run.pack.volumes();
    assert!(volumes.len() >= 38, "{}", run.pack.stderr);
    assert!(volumes.values().all(|rows| rows.len() == 5));
    let mut said: Vec<&str> = run.pack.stderr.lines().collect();
    said.retain(|line| line.split_whitespace().count() != 8 || !line.contains('%'));
    for volume in volumes.keys() {
        let number = format!("{volume:04}");
        assert!(
            said.iter().any(|line| line.contains(&number)),
            "no warning for {number}:
{}",
            run.pack.stderr
        );
    }
}

#[test]
fn discs_that_clips_leave_a_fifth_empty_are_not_emitted() {
    // Two clips are 80 % of a disc.
    let stream = clips(9_700_000_000, 2);
    let run = run(&[], &stream);
    assert_eq!(run.pack.rows.len(), 0);
    run.expect_all_accounted_for();
    let flushed = packed(&["--flush"], &stream);
    assert_eq!((flushed.rows.len(), flushed.volumes().len()), (80, 40));
}

#[test]
fn min_fill_says_how_full_is_full_enough() {
    let stream = clips(9_700_000_000, 2);
    for percent in ["75", "75%", "79.5%"] {
        let pack = packed(&["--min-fill", percent], &stream);
        assert!(pack.volumes().len() >= 38, "--min-fill {percent}: {}", pack.stderr);
        assert!(pack.volumes().values().all(|rows| rows.len() == 2));
    }
    assert_eq!(packed(&["--min-fill", "81"], &stream).rows.len(), 0);
}

#[test]
fn what_does_not_fill_a_disc_remains_unless_flushed() {
    let stream: String = (1..=9).map(|n| record(&format!("photos/2012/03/0{n}/a.jpg"), 1_000_000_000)).collect();
    let pack = packed(&[], &stream);
    assert_eq!(pack.rows.len(), 0);
    let remaining = pack.remaining().expect("what remains is told");
    for word in ["9 files", "9.00 GB", "2012-03-01 to 2012-03-09", "--flush"] {
        assert!(remaining.contains(word), "{word:?} is not in {remaining}");
    }
    let flushed = packed(&["--flush"], &stream);
    assert_eq!((flushed.rows.len(), flushed.remaining()), (9, None));
}
