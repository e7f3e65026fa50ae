//! `ms-gen`: datasets that real programs open, the same from the same seed.

use crate::support;

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Outcome, Sandbox, contents, needs, snapshot};

/// Runs `ms-gen` with the options, split at spaces, and the directory.
fn generate(sandbox: &Sandbox, options: &str, dir: &str) -> Outcome {
    let args: Vec<&str> = options.split_whitespace().chain([dir]).collect();
    sandbox.run("ms-gen", &args, b"")
}

#[track_caller]
fn make(sandbox: &Sandbox, options: &str) -> Vec<PathBuf> {
    let outcome = generate(sandbox, options, "set").expect_status(0);
    assert!(outcome.stdout.is_empty(), "the summary belongs on stderr");
    files(&sandbox.path("set"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    snapshot(dir).into_iter().filter(|(_, seen)| seen.kind == 'f').map(|(path, _)| dir.join(path)).collect()
}

fn kind(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn size(path: &Path) -> u64 {
    path.metadata().expect("metadata").len()
}

/// What a program prints about a file; it must be content with it.
#[track_caller]
fn told(program: &str, args: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(args).arg(file).output().expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program} {}: {errors}", file.display());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn the_same_seed_makes_the_same_tree() {
    let sandbox = Sandbox::new();
    let options = "--seed 42 --files 60 --min-size 2K --max-size 60K --dup-share 30 --hostile";
    for dir in ["one", "two"] {
        generate(&sandbox, options, dir).expect_status(0);
    }
    let (one, two) = (snapshot(&sandbox.path("one")), snapshot(&sandbox.path("two")));
    assert!(one.keys().eq(two.keys()), "names");
    for (path, seen) in &one {
        assert!(*seen == two[path], "{} differs in content, mode or mtime", path.display());
    }
    assert!(one.values().filter(|seen| seen.kind == 'f').all(|seen| seen.mtime.0 > 0));
}

#[test]
fn another_seed_makes_another_tree() {
    let sandbox = Sandbox::new();
    for seed in ["1", "2"] {
        generate(&sandbox, &format!("--seed {seed} --files 20 --min-size 2K --max-size 60K"), seed).expect_status(0);
    }
    assert_ne!(contents(&sandbox.path("1")), contents(&sandbox.path("2")));
}

#[test]
fn a_directory_that_is_not_empty_is_refused_untouched() {
    let sandbox = Sandbox::new();
    sandbox.write("set/mine", "mine");
    let before = snapshot(&sandbox.work());
    generate(&sandbox, "--files 5", "set").expect_status(2).expect_stderr("set: ");
    assert_eq!(snapshot(&sandbox.work()), before);

    generate(&sandbox, "--files 5", "set/mine").expect_status(2).expect_stderr("set/mine: ");
    assert_eq!(snapshot(&sandbox.work()), before);
}

#[test]
fn one_hidden_file_makes_a_directory_not_empty() {
    let sandbox = Sandbox::new();
    sandbox.write("set/.hidden", "");
    generate(&sandbox, "--files 5", "set").expect_status(2);
    assert_eq!(files(&sandbox.path("set")).len(), 1);
}

#[test]
fn an_empty_directory_and_a_new_one_are_filled() {
    let sandbox = Sandbox::new();
    sandbox.mkdir("set");
    assert_eq!(make(&sandbox, "--files 5 --min-size 2K --max-size 60K").len(), 5);
    generate(&sandbox, "--files 5 --min-size 2K --max-size 60K", "new/deeper").expect_status(0);
    assert_eq!(files(&sandbox.path("new/deeper")).len(), 5);
}

#[test]
fn exactly_one_directory_is_wanted() {
    let sandbox = Sandbox::new();
    generate(&sandbox, "--files", "5").expect_status(2).expect_stderr("ms-gen: ");
    generate(&sandbox, "--files 5 a", "b").expect_status(2).expect_stderr("ms-gen: ");
    assert_eq!(snapshot(&sandbox.work()).len(), 0);
}

#[test]
fn the_number_of_files_is_exact() {
    for count in [1, 7, 130] {
        let sandbox = Sandbox::new();
        assert_eq!(make(&sandbox, &format!("--files {count} --min-size 2K --max-size 30K")).len(), count);
    }
}

#[test]
fn sizes_keep_within_their_limits() {
    let sandbox = Sandbox::new();
    let made = make(&sandbox, "--files 60 --min-size 20Ki --max-size 50K --seed 3");
    let sizes: BTreeSet<_> = made.iter().map(|path| size(path)).collect();
    assert!(sizes.iter().all(|size| (20_480..=50_000).contains(size)), "{sizes:?}");
    assert!(sizes.len() > 10, "sizes vary: {sizes:?}");
}

#[test]
fn the_total_is_near_what_was_asked() {
    let sandbox = Sandbox::new();
    let total: u64 = make(&sandbox, "--files 80 --total 8M --seed 3").iter().map(|path| size(path)).sum();
    assert!((6_400_000..=9_600_000).contains(&total), "{total}");
}

#[test]
fn the_share_of_duplicates_is_honoured() {
    for (share, copies) in [("0", 0..=0), ("40", 60..=100), ("10", 10..=30)] {
        let sandbox = Sandbox::new();
        make(&sandbox, &format!("--files 200 --min-size 2K --max-size 20K --dup-share {share} --seed 9"));
        let contents = contents(&sandbox.path("set"));
        let distinct: BTreeSet<_> = contents.iter().collect();
        let surplus = contents.len() - distinct.len();
        assert!(copies.contains(&surplus), "--dup-share {share}: {surplus} of 200 files have a copy already");
    }
}

#[test]
fn copies_are_files_of_their_own() {
    use std::os::unix::fs::MetadataExt as _;
    let sandbox = Sandbox::new();
    let made = make(&sandbox, "--files 50 --min-size 2K --max-size 20K --dup-share 50");
    let inodes: BTreeSet<_> = made.iter().map(|path| path.metadata().expect("metadata").ino()).collect();
    assert_eq!(inodes.len(), made.len());
    assert!(made.iter().all(|path| path.symlink_metadata().expect("metadata").is_file()));
}

#[test]
fn depth_limits_how_far_directories_nest() {
    let depth = |levels: &str| {
        let sandbox = Sandbox::new();
        let made = make(&sandbox, &format!("--files 120 --min-size 2K --max-size 20K --depth {levels}"));
        let root = sandbox.path("set").components().count();
        made.iter().map(|path| path.components().count() - root - 1).max().expect("files")
    };
    assert_eq!(depth("0"), 0);
    assert_eq!(depth("1"), 1);
    assert_eq!(depth("4"), 4);
}

#[test]
fn kinds_are_what_was_asked_and_by_default_all() {
    for (asked, expected) in [("jpg", &["jpg"][..]), ("png,txt", &["png", "txt"]), ("mp4,mov", &["mov", "mp4"])] {
        let sandbox = Sandbox::new();
        let made = make(&sandbox, &format!("--files 30 --min-size 9K --max-size 30K --kinds {asked}"));
        let kinds: BTreeSet<_> = made.iter().map(|path| kind(path)).collect();
        assert!(kinds.iter().eq(expected), "{asked}: {kinds:?}");
    }
    let sandbox = Sandbox::new();
    let made = make(&sandbox, "--files 200 --min-size 2K --max-size 30K");
    let kinds: BTreeSet<_> = made.iter().map(|path| kind(path)).collect();
    assert!(["jpg", "mov", "mp4", "png", "txt"].iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
}

#[test]
fn every_file_is_what_its_name_says() {
    if !needs("file") {
        return;
    }
    let sandbox = Sandbox::new();
    for file in make(&sandbox, "--files 40 --min-size 2K --max-size 40K --seed 5") {
        let mime = told("file", &["--brief", "--mime-type"], &file);
        let expected = match kind(&file).as_str() {
            "jpg" => "image/jpeg",
            "png" => "image/png",
            "mp4" => "video/mp4",
            "mov" => "video/quicktime",
            "txt" => "text/plain",
            other => panic!("a kind that nobody asked for: {other}"),
        };
        assert_eq!(mime, expected, "{}", file.display());
    }
}

#[test]
fn exiftool_reads_the_date_of_every_jpeg() {
    if !needs("exiftool") {
        return;
    }
    let sandbox = Sandbox::new();
    let made =
        make(&sandbox, "--from 2003-02-01 --until 2004-03-31 --files 25 --min-size 2K --max-size 60K --kinds jpg");
    let dates: BTreeSet<_> =
        made.iter().map(|file| told("exiftool", &["-s3", "-d", "%Y-%m-%d", "-DateTimeOriginal"], file)).collect();
    assert!(dates.iter().all(|date| ("2003-02-01".."2004-04-01").contains(&date.as_str())), "{dates:?}");
    assert!(dates.len() > 5, "dates vary: {dates:?}");
    for file in &made {
        assert_eq!(told("exiftool", &["-s3", "-Error", "-Warning"], file), "", "{}", file.display());
    }
}

#[test]
fn ffprobe_reads_pictures_whole() {
    if !needs("ffprobe") {
        return;
    }
    let sandbox = Sandbox::new();
    for file in make(&sandbox, "--files 16 --min-size 2K --max-size 60K --kinds jpg,png") {
        let frames = told(
            "ffprobe",
            &["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"],
            &file,
        );
        assert_eq!(frames, "1", "{}", file.display());
    }
}

#[test]
fn ffprobe_reads_the_creation_time_of_every_video() {
    if !needs("ffprobe") {
        return;
    }
    let sandbox = Sandbox::new();
    let made =
        make(&sandbox, "--from 2011-05-01 --until 2011-12-31 --files 16 --min-size 9K --max-size 90K --kinds mp4,mov");
    let show = ["-v", "error", "-show_entries", "format_tags=creation_time", "-of", "csv=p=0"];
    for file in made {
        let time = told("ffprobe", &show, &file);
        assert!(time.starts_with("2011-") || time.starts_with("2012-01-01"), "{}: {time:?}", file.display());
    }
}

#[test]
fn dates_that_run_backwards_and_sizes_that_do_are_refused() {
    let sandbox = Sandbox::new();
    for (args, option) in
        [("--from 2020-01-01 --until 2019-01-01", "--until"), ("--min-size 2M --max-size 1M", "--max-size")]
    {
        let outcome = generate(&sandbox, args, "set").expect_status(2);
        assert!(outcome.stderr.contains(option) || outcome.stderr.contains(&args[..6]), "{}", outcome.stderr);
        assert!(!sandbox.exists("set"));
    }
}

#[test]
fn hostile_names_of_every_sort_are_there() {
    let sandbox = Sandbox::new();
    let made = make(&sandbox, "--files 150 --min-size 2K --max-size 20K --kinds txt --hostile --seed 1");
    assert_eq!(made.len(), 150);
    let names: Vec<Vec<u8>> = snapshot(&sandbox.path("set"))
        .into_keys()
        .map(|path| path.file_name().expect("a name").as_bytes().to_vec())
        .collect();
    let any = |what: &str, test: &dyn Fn(&[u8]) -> bool| {
        assert!(names.iter().any(|name| test(name)), "no name with {what}");
    };
    any("a newline", &|name| name.contains(&b'\n'));
    any("a tab", &|name| name.contains(&b'\t'));
    any("a backslash", &|name| name.contains(&b'\\'));
    any("invalid UTF-8", &|name| std::str::from_utf8(name).is_err());
    any("a leading dash", &|name| name.starts_with(b"-"));
    any("255 bytes", &|name| name.len() == 255);
    any("a trailing space", &|name| name.ends_with(b" "));
}

#[test]
fn names_are_harmless_unless_asked_otherwise() {
    let sandbox = Sandbox::new();
    for path in make(&sandbox, "--files 100 --min-size 2K --max-size 20K") {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        assert!(!name.starts_with('-') && !name.contains(['\n', '\t', '\\']), "{name:?}");
    }
}

#[test]
fn a_hostile_dataset_goes_through_crawl_and_dupes_whole() {
    let sandbox = Sandbox::new();
    make(&sandbox, "--files 150 --min-size 2K --max-size 20K --dup-share 40 --hostile --seed 8");
    let contents = contents(&sandbox.path("set"));
    let distinct: BTreeSet<_> = contents.iter().collect();
    let index = sandbox.run("ms-crawl", &["set"], b"").expect_status(0);
    assert_eq!(index.rows().len(), contents.len());
    let plan = sandbox.run("ms-dupes", &[""; 0], &index.stdout).expect_status(0);
    assert_eq!(plan.rows().len(), contents.len() - distinct.len());
    let unique = sandbox.run("ms-dupes", &["-u"], &index.stdout).expect_status(0);
    assert_eq!(unique.rows().len(), distinct.len());
}

#[test]
fn the_summary_is_on_standard_error_and_can_be_silenced() {
    let sandbox = Sandbox::new();
    let loud = generate(&sandbox, "--files 5 --min-size 2K --max-size 30K", "loud").expect_status(0);
    assert!(loud.stderr.starts_with("ms-gen: ") && loud.stderr.contains('5'), "{}", loud.stderr);
    let quiet = generate(&sandbox, "-q --files 5 --min-size 2K --max-size 30K", "quiet").expect_status(0);
    assert_eq!((quiet.stdout.len(), quiet.stderr.as_str()), (0, ""));
}

#[test]
fn an_empty_name_is_no_directory_to_fill() {
    let sandbox = Sandbox::new();
    sandbox.write("mine", "photo");
    sandbox.run("ms-gen", &["--files", "3", ""], b"").expect_status(2).expect_stderr("DIR: \"\" is not a path");
    assert_eq!(std::fs::read_dir(sandbox.work()).expect("entries").count(), 1);
}
