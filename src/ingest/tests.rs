//! Groups, their times and their places, without a disk.

use super::*;
use crate::capture::{Capture, Rules, Zone};
use crate::cli;
use crate::disk::{Disks, Hardware};
use crate::hash::Status;
use crate::media::{Base, Facts, Kind, Moment, Precision, Source};
use crate::record::{ContentHash, FileId, Timestamp};
use chrono::NaiveDate;
use destination::Fate;

/// 2019-07-05 03:04:05 UTC.
const MTIME: Timestamp = Timestamp { seconds: 1_562_295_845, nanoseconds: 0 };

/// A file of a test.
struct Made {
    path: &'static str,
    content: u8,
    dates: Vec<(Source, Moment)>,
    takeout: Option<Moment>,
}

fn made(path: &'static str, content: u8) -> Made {
    Made { path, content, dates: Vec::new(), takeout: None }
}

impl Made {
    fn date(mut self, source: Source, year: i32) -> Self {
        self.dates.push((source, moment(year)));
        self
    }

    fn takeout(mut self, year: i32) -> Self {
        self.takeout = Some(moment(year).utc());
        self
    }
}

/// New Year's Eve at noon.
fn moment(year: i32) -> Moment {
    let time = NaiveDate::from_ymd_opt(year, 12, 31).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a date");
    Moment { time, base: Base::Wall, offset: None, precision: Precision::Second, fraction: false }
}

/// The files in the order of their paths. A content of 0 could not be read.
fn inbox(mut files: Vec<Made>) -> Inbox {
    files.sort_by_key(|file| file.path);
    let mut inbox = Inbox::default();
    for (number, file) in (1..).zip(files) {
        let path = Path::new(file.path);
        let id = FileId::here(1, number);
        inbox.files.push(Incoming {
            path: path.to_owned(),
            dir: path.parent().unwrap_or(path).into(),
            size: 1,
            mtime: Some(MTIME),
            id: Some(id),
            hash: None,
            is_disputed: false,
        });
        let facts = Facts { kind: Kind::Other, dates: file.dates, ..Facts::default() };
        inbox.contents.push((file.content != 0).then_some(Content {
            status: Status { size: 1, mtime: MTIME, id },
            hash: ContentHash([file.content; 32]),
            facts,
            takeout: file.takeout,
        }));
    }
    inbox
}

fn rules() -> Rules {
    Rules { zone: Zone::parse("UTC").expect("a zone"), ..Rules::default() }
}

/// The years of the groups, in their order, each with what told it.
fn years(files: Vec<Made>, rules: Rules) -> Vec<String> {
    let inbox = inbox(files);
    let told = |capture: Capture| format!("{} {}", capture.wall.format("%Y"), capture.origin);
    let of_group = |group: &Group| dates::of_group(group, &inbox, rules).map_or_else(|| "none".into(), told);
    inbox.groups().iter().map(of_group).collect()
}

/// Where the files go, in the order of their paths: only the name; `copy`, `follows` or `stays`.
fn places(files: Vec<Made>) -> Vec<String> {
    let inbox = inbox(files);
    let groups = inbox.groups();
    let captures: Vec<_> = groups.iter().map(|group| dates::of_group(group, &inbox, rules())).collect();
    let mut builder = Builder::default();
    let mut arguments = lexopt::Parser::from_args(["--to=/nowhere/to/be/found", "--template=%Y-{hash:2}.{ext}"]);
    while let Some(cli::Argument::Option(option)) = cli::next(&cli::tools::INGEST, &mut arguments).expect("arguments") {
        assert!(builder.take(&option, &mut arguments).expect("an option"));
    }
    builder.operand("drop".into());
    let options = builder.build().expect("options");
    let reporter = Reporter::new(TOOL, true);
    let progress = Progress::start(TOOL, cli::ProgressWhen::Never);
    let interrupt = Interrupt::default();
    let disks = &Hardware::new(Disks::Auto);
    let job = Job { options: &options, disks, reporter: &reporter, progress: &progress, interrupt: &interrupt };
    let namer = naming::Namer::new(&inbox, &groups, &captures, &options);
    let name = |path: &Path| String::from_utf8_lossy(name_of(path)).into_owned();
    let shown = |fate: &Fate| match fate {
        Fate::Goes(path) => name(path),
        Fate::Duplicate(keeper) => format!("copy of {}", name(&keeper.path)),
        Fate::SecondName => "second name".into(),
        Fate::Follows => "follows".into(),
        Fate::Unread | Fate::Refused(_) => "stays".into(),
    };
    destination::decide(&inbox, &groups, &namer, &job).iter().map(shown).collect()
}

#[test]
fn a_group_has_the_time_of_its_best_source() {
    let files = vec![
        made("d/1.CR2", 1).date(Source::ExifModified, 2011),
        made("d/1.JPG", 2).date(Source::ExifDigitized, 2012),
        made("d/2.HEIC", 3).date(Source::Gps, 2013),
        made("d/2.MOV", 4).date(Source::QtCreationDate, 2014),
        made("d/3.CR2", 5),
        made("d/3.JPG", 6),
    ];
    assert_eq!(years(files, rules()), ["2012 exif:DateTimeDigitized", "2013 gps:DateStamp", "2019 mtime"]);
}

#[test]
fn of_equal_sources_the_raw_counts_then_the_picture() {
    let original = |path, content, year| made(path, content).date(Source::ExifOriginal, year);
    let files = vec![
        original("d/1.CR2", 1, 2011),
        original("d/1.JPG", 2, 2010),
        original("d/2.JPG", 3, 2012),
        original("d/2.MOV", 4, 2010),
    ];
    assert_eq!(years(files, rules()), ["2011 exif:DateTimeOriginal", "2012 exif:DateTimeOriginal"]);
}

#[test]
fn sidecars_tell_of_their_owners() {
    let files = || {
        vec![
            made("d/1.JPG", 1).date(Source::ExifOriginal, 2011),
            made("d/1.xmp", 2).date(Source::XmpOriginal, 2012),
            made("d/2.JPG", 3),
            made("d/2.JPG.xmp", 4).date(Source::XmpOriginal, 2013),
            made("d/2.xmp", 5).date(Source::XmpOriginal, 2014),
            made("d/3.AVI", 6).date(Source::ExifModified, 2015),
            made("d/3.THM", 7).date(Source::ExifOriginal, 2016),
            made("d/4.JPG", 8).date(Source::ExifModified, 2017),
            made("d/4.JPG.json", 9).takeout(2018),
        ]
    };
    assert_eq!(
        years(files(), rules()),
        [
            "2011 exif:DateTimeOriginal",
            "2013 sidecar:xmp:DateTimeOriginal",
            "2016 exif:DateTimeOriginal",
            "2018 takeout:photoTakenTime"
        ]
    );
    let preferred = years(files(), Rules { sidecar_first: true, ..rules() });
    assert_eq!(preferred[0], "2012 sidecar:xmp:DateTimeOriginal");
}

#[test]
fn a_video_is_told_the_offset_of_its_picture() {
    let mut still = made("d/1.HEIC", 1).date(Source::ExifModified, 2011);
    still.dates[0].1.offset = Some(9 * 3600);
    let mut video = made("d/1.MOV", 2).date(Source::QtMovieHeader, 2012);
    video.dates[0].1 = video.dates[0].1.utc();
    let inbox = inbox(vec![still, video]);
    let capture = dates::of_group(&inbox.groups()[0], &inbox, rules()).expect("a time");
    assert_eq!(capture.wall.to_string(), "2012-12-31 21:00:00");
    assert_eq!(capture.to_string(), "date=qt:mvhd zone=still offset=+09:00 precision=second");
}

#[test]
fn without_mtimes_some_have_no_time() {
    let files = vec![made("d/1.JPG", 1), made("d/2.JPG", 2).date(Source::Gps, 2011)];
    assert_eq!(years(files, Rules { use_mtime: false, ..rules() }), ["none", "2011 gps:DateStamp"]);
}

#[test]
fn a_copy_goes_where_its_content_goes() {
    let files =
        vec![made("a/1.JPG", 1), made("b/1.jpeg", 1), made("b/1.xmp", 2), made("c/1.CR2", 3), made("c/1.JPG", 1)];
    assert_eq!(places(files), ["2019-03.jpg", "copy of 2019-03.jpg", "follows", "2019-03.cr2", "copy of 2019-03.jpg"]);
}

#[test]
fn a_picture_of_a_raw_that_came_before_has_its_own_name() {
    let files =
        vec![made("a/1.CR2", 1), made("a/1.JPG", 2), made("b/1.CR2", 1), made("b/1.JPG", 3), made("b/1.xmp", 4)];
    assert_eq!(places(files), ["2019-01.cr2", "2019-01.jpg", "copy of 2019-01.cr2", "2019-03.jpg", "follows"]);
}

#[test]
fn a_group_stays_where_one_of_it_could_not_be_read() {
    let files = vec![
        made("a/1.CR2", 0),
        made("a/1.JPG", 1),
        made("a/1.xmp", 2),
        made("b/1.JPG", 1),
        made("b/2.JPG", 3),
        made("b/2.JPG.json", 0),
    ];
    assert_eq!(places(files), ["stays", "stays", "stays", "2019-01.jpg", "stays", "stays"]);
}

#[test]
fn sidecars_alike_are_no_copies_unless_they_meet() {
    let files =
        vec![made("a/1.JPG", 1), made("a/1.aae", 9), made("a/2.JPG", 2), made("a/2.AAE", 9), made("a/2.aae", 9)];
    assert_eq!(places(files), ["2019-01.jpg", "2019-01.aae", "2019-02.aae", "2019-02.jpg", "copy of 2019-02.aae"]);
}
