//! What holds for any set of records.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::cli::ProgressWhen;

/// Plans with few rows, which are the whole of it: `path`, content, `mtime` or 0 for unknown, `id` or 0.
type Line = (String, u8, u8, u8);

fn text(lines: &[Line]) -> String {
    lines.iter().fold(String::new(), |mut text, (path, content, mtime, id)| {
        // Content 0 has no hash, content 1 is empty.
        let hash = if *content == 0 { "-".into() } else { format!("{:064x}", u64::from(*content) << 3) };
        let unknown = |value: u8, known: String| if value == 0 { "-".into() } else { known };
        let (mtime, id) = (unknown(*mtime, format!("{mtime}.000000000")), unknown(*id, format!("1:{id}")));
        writeln!(text, "{path}\t{hash}\t{}\t{mtime}\t{id}", content / 2).expect("text");
        text
    })
}

/// The output for some records, split into columns.
fn output(text: &str, options: &Options, jobs: usize) -> Vec<Vec<String>> {
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), text).expect("write");
    let table = Table::open(&[file.path().as_os_str().to_owned()]).expect("table");
    let reporter = Reporter::new("test", true);
    let interrupt = Interrupt::default();
    let job =
        Job { table: &table, options, jobs, format: Format::default(), reporter: &reporter, interrupt: &interrupt };
    let progress = Progress::start("test", ProgressWhen::Never);
    let plan = plan(&job, &progress).expect("plan").expect("no interrupt");
    let mut out = Vec::new();
    plan.write(&mut out).expect("output");
    let out = String::from_utf8(out).expect("UTF-8");
    out.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Few names, so that paths, spellings and files meet.
fn lines() -> impl Strategy<Value = Vec<Line>> {
    let path = r"(\./|/|\.\./|a/\.\./)?([ab]/){0,2}([a-c]|\\x61|\\n|\\xff)";
    // An id has one content, as a file has.
    let line = (path, 0..6_u8, 0..4_u8, 0..4_u8)
        .prop_map(|(path, content, mtime, id)| (path, content, mtime, if id == 0 { 0 } else { content * 4 + id }));
    proptest::collection::vec(line, 0..40)
}

fn options() -> impl Strategy<Value = Options> {
    let dirs = proptest::collection::vec(prop_oneof![Just(PathBuf::from("a")), Just(PathBuf::from("b/a"))], 0..2);
    let keep = prop_oneof![Just(Keep::First), Just(Keep::Oldest), Just(Keep::Newest), Just(Keep::Shortest)];
    let mode = prop_oneof![Just(Mode::Plan), Just(Mode::Groups), Just(Mode::Unique)];
    (dirs.clone(), dirs, keep, mode, any::<bool>()).prop_map(|(protect, prefer, keep, mode, empty)| Options {
        protect,
        prefer,
        keep,
        empty,
        mode,
        ..Options::default()
    })
}

proptest! {
    #[test]
    fn any_order_of_records_gives_the_same_output(
        (lines, shuffled) in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        options in options(),
    ) {
        prop_assert_eq!(output(&text(&lines), &options, 1), output(&text(&shuffled), &options, 3));
    }

    #[test]
    fn a_plan_is_sound(lines in lines(), options in options()) {
        let options = Options { mode: Mode::Plan, ..options };
        let plan = output(&text(&lines), &options, 2);
        let going: BTreeSet<&str> = plan.iter().map(|row| row[0].as_str()).collect();
        let dests: BTreeSet<&str> = plan.iter().map(|row| row[5].as_str()).collect();
        prop_assert_eq!(dests.len(), plan.len(), "each destination once");
        for row in &plan {
            prop_assert!(row[1] != "-", "no evidence, no duplicate");
            prop_assert!(!going.contains(row[6].as_str()), "a keeper stays");
            prop_assert!(row[5].starts_with("duplicates/") && !row[5].contains("/../"));
            let protected = |dir: &&PathBuf| row[0].starts_with(&format!("{}/", dir.display())) && !row[0].contains("..");
            prop_assert!(!options.protect.iter().any(|dir| protected(&dir)), "what is protected stays");
            let id = |path: &str| lines.iter().find(|line| line.0 == path).map_or(0, |line| line.3);
            prop_assert!(id(&row[0]) == 0 || !row[7].ends_with(&format!("id={}", row[4])), "no file is its own keeper");
        }
        prop_assert!(plan.windows(2).all(|pair| escaped_order(&pair[0][0], &pair[1][0])), "in the order of paths");
    }

    #[test]
    fn what_stays_still_has_every_content(lines in lines(), options in options()) {
        let plan = output(&text(&lines), &Options { mode: Mode::Plan, ..options.clone() }, 2);
        let groups = output(&text(&lines), &Options { mode: Mode::Groups, ..options }, 2);
        let mut stays: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &groups {
            *stays.entry(&row[1]).or_default() += usize::from(row[5] == "-");
        }
        prop_assert!(stays.values().all(|count| *count > 0));
        let goes: BTreeSet<&Vec<String>> = groups.iter().filter(|row| row[5] != "-").collect();
        prop_assert_eq!(goes, plan.iter().collect::<BTreeSet<_>>(), "groups and plan agree");
    }
}

fn escaped_order(one: &str, other: &str) -> bool {
    entry::unescaped(one.as_bytes()) < entry::unescaped(other.as_bytes())
}

#[test]
fn fingerprints_that_meet_do_not_make_duplicates() {
    // The same first eight bytes of the hash, so that all sort together.
    let hash = |last: u8| format!("{}{last:02x}", "0".repeat(62));
    let lines: String = (0..40_u8).fold(String::new(), |text, number| {
        text + &format!("f{number:02}\t{}\t5\t-\t1:{}\n", hash(number / 2), number % 2 + 1)
    });
    let plan = output(&lines, &Options::default(), 2);
    let pairs: Vec<(&str, &str)> = plan.iter().map(|row| (row[0].as_str(), row[6].as_str())).collect();
    assert_eq!(pairs.len(), 20);
    assert!(pairs.contains(&("f01", "f00")) && pairs.contains(&("f39", "f38")));
}

#[test]
fn many_paths_sort_by_their_bytes() {
    let hash = "7".repeat(64);
    let lines: String = (0..3000_u64).fold(String::new(), |text, number| {
        let name = number * 7919 % 3000;
        text + &format!(
            "/data/photos/{:04}/{}/long name {name}\t{hash}\t5\n",
            name % 13,
            "x".repeat((name % 5) as usize)
        )
    });
    let plan = output(&lines, &Options::default(), 3);
    assert_eq!(plan.len(), 2999);
    assert!(plan.windows(2).all(|pair| pair[0][0] < pair[1][0]));
}

#[test]
fn a_file_and_a_directory_of_one_name_do_not_meet_in_the_quarantine() {
    let hash = "7".repeat(64);
    let lines = format!("-\t{hash}\t5\n./0\t{hash}\t5\nx\t{hash}\t5\n/x/y\t{hash}\t5\n").replacen("-\t", "./-\t", 1);
    let dests: BTreeSet<String> =
        output(&lines, &Options::default(), 1).into_iter().map(|row| row[5].clone()).collect();
    assert!(dests.contains("duplicates/x/y") && !dests.contains("duplicates/x"), "{dests:?}");
}
