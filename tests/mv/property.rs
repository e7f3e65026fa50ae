//! Whatever tree and whatever plan: no content is lost, and undo leads back to the start.

use crate::support;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use support::plan::{Row, mv, undo};
use support::{Sandbox, contents, set_mtime, snapshot};

/// Where files may be: no name is a file in one place and a directory in another.
const SOURCES: [&str; 9] = ["a", "b", "d/a", "d/b", "d/e/a", "d/e/c", "f/a", "f/g/h/a", "z z"];

/// Where they may be wanted: free names, names taken, below files, directories, other spellings.
const DESTS: [&str; 16] = [
    "q/a",
    "q/b",
    "q/b/c",
    "./q/a",
    "d/../q/b",
    "new/x/y",
    "new/x",
    "d/new",
    "d",
    "a",
    "a/below",
    "d/a",
    "d/e/a/below",
    "f/g/h/b",
    "f//g/./n",
    "z z",
];

const CONTENTS: [&str; 4] = ["", "one", "two", "a longer content"];

#[derive(Debug, Clone)]
struct File {
    path: &'static str,
    content: &'static str,
    seconds: i64,
    mode: u32,
}

#[derive(Debug, Clone)]
struct Wish {
    source: &'static str,
    dest: &'static str,
    keep: Option<&'static str>,
    hashed: bool,
    noted: bool,
}

fn tree() -> impl Strategy<Value = Vec<File>> {
    let paths = subsequence(SOURCES.to_vec(), 1..=SOURCES.len());
    paths.prop_flat_map(|paths| {
        let files: Vec<_> = paths.into_iter().map(file).collect();
        files
    })
}

fn file(path: &'static str) -> impl Strategy<Value = File> {
    let mode = select(vec![0o644, 0o600, 0o444, 0o755]);
    let parts = (select(CONTENTS.to_vec()), -3_i64..2_000_000_000, mode);
    parts.prop_map(move |(content, seconds, mode)| File { path, content, seconds, mode })
}

fn wish() -> impl Strategy<Value = Wish> {
    let keeps: Vec<_> = SOURCES.into_iter().chain(DESTS).collect();
    let parts = (
        select(SOURCES.to_vec()),
        select(DESTS.to_vec()),
        prop::option::of(select(keeps)),
        any::<bool>(),
        any::<bool>(),
    );
    parts.prop_map(|(source, dest, keep, hashed, noted)| Wish { source, dest, keep, hashed, noted })
}

fn plant(sandbox: &Sandbox, files: &[File]) {
    use std::os::unix::fs::PermissionsExt as _;
    for file in files {
        let path = sandbox.write(file.path, file.content);
        set_mtime(&path, file.seconds, 999_999_999);
        let permissions = std::fs::Permissions::from_mode(file.mode);
        std::fs::set_permissions(path, permissions).expect("mode");
    }
}

fn row(sandbox: &Sandbox, wish: &Wish) -> Row {
    let mut row = Row::new(sandbox, wish.source, wish.dest);
    if !wish.hashed {
        "-".clone_into(&mut row.hash);
    }
    match wish.keep {
        Some(keep) if wish.noted && sandbox.path(keep).is_file() => row.keep(sandbox, keep),
        Some(keep) => row.keep_unnoted(keep),
        None => row,
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_plan_loses_content_and_undo_leads_back(
        files in tree(),
        wishes in prop::collection::vec(wish(), 1..6),
        flags in subsequence(vec!["--prune", "--check=content", "-q"], 0..=3),
    ) {
        let sandbox = Sandbox::new();
        plant(&sandbox, &files);
        let before = snapshot(&sandbox.work());
        let held = contents(&sandbox.work());
        let rows: Vec<_> = wishes.iter().map(|wish| row(&sandbox, wish)).collect();

        let dry = mv(&sandbox, &["-n"], &rows);
        prop_assert_eq!(&snapshot(&sandbox.work()), &before);
        prop_assert!(!sandbox.state().exists());

        let outcome = mv(&sandbox, &flags, &rows);
        prop_assert!((0..=2).contains(&outcome.status), "{}", outcome.stderr);
        prop_assert_eq!(dry.status == 2, outcome.status == 2);
        let after = snapshot(&sandbox.work());
        prop_assert_eq!(contents(&sandbox.work()), held);

        if outcome.status == 2 {
            prop_assert_eq!(&after, &before);
            prop_assert_eq!(outcome.stdout, b"");
            return Ok(());
        }
        for record in outcome.rows() {
            prop_assert!(sandbox.exists(&record[0]), "{} is not there", record[0]);
        }
        let back = undo(&sandbox);
        let nothing_was_done = after == before;
        prop_assert_eq!(back.status, if nothing_was_done { 2 } else { 0 }, "{}", back.stderr);
        prop_assert_eq!(snapshot(&sandbox.work()), before);
    }
}

proptest! {
    #![proptest_config(config())]

    /// Distinct sources to distinct new names always go, and the plan run again changes nothing.
    #[test]
    fn a_plan_without_conflicts_is_carried_out_in_full(
        files in tree(),
        seed in any::<u64>(),
        prune in any::<bool>(),
    ) {
        let sandbox = Sandbox::new();
        plant(&sandbox, &files);
        let before = snapshot(&sandbox.work());
        let flags: &[&str] = if prune { &["--prune"] } else { &[] };
        let dest = |i: usize| format!("out/{}/{i}", (seed >> (i % 60)) % 3);
        let rows: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(i, file)| Row::new(&sandbox, file.path, dest(i)))
            .collect();

        let first = mv(&sandbox, flags, &rows);
        prop_assert_eq!(first.status, 0, "{}", first.stderr);
        let after = snapshot(&sandbox.work());
        for (i, file) in files.iter().enumerate() {
            let (old, new) = (std::path::Path::new(file.path), dest(i));
            prop_assert!(!after.contains_key(old));
            prop_assert_eq!(after.get(std::path::Path::new(&new)), before.get(old));
        }

        let second = mv(&sandbox, flags, &rows);
        prop_assert_eq!(second.status, 0, "{}", second.stderr);
        prop_assert_eq!(second.lines(), first.lines());
        prop_assert_eq!(snapshot(&sandbox.work()), after);
        support::plan::undo_everything(&sandbox);
        prop_assert_eq!(snapshot(&sandbox.work()), before);
    }
}
