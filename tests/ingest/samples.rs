//! The capture times of real photos and videos, against reviewed answers.
//!
//! `MEDIASTRUCT_SAMPLES` names a directory with `expected.tsv` (a header, then `path`, `filetype`, `datetime`, `offset`
//! and `source` per line), maybe `unsure.tsv` with the same first column, and the files below it. Where the variable is
//! not set, nothing is measured, and that is said.

#![allow(clippy::print_stderr, reason = "what was measured, and what was skipped, is said loudly")]

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mediastruct::capture::{Capture, Evidence, Rules, Zone, capture};
use mediastruct::media;

/// The most of the dated files that may be missed, in percent.
const MOST_MISSED: usize = 2;

/// One line of `expected.tsv`.
struct Sample {
    path: String,
    datetime: String,
    offset: String,
    source: String,
}

fn samples() -> Option<PathBuf> {
    let samples = env::var_os("MEDIASTRUCT_SAMPLES").filter(|value| !value.is_empty()).map(PathBuf::from);
    if samples.is_none() {
        eprintln!("SKIPPED: MEDIASTRUCT_SAMPLES names no directory of samples");
    }
    samples
}

fn lines(table: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(table).unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn expected(table: &Path) -> Vec<Sample> {
    let sample = |columns: Vec<String>| {
        let column = |index: usize| columns.get(index).cloned().unwrap_or_default();
        Sample { path: column(0), datetime: column(2), offset: column(3), source: column(4) }
    };
    lines(table).into_iter().map(sample).collect()
}

/// What a file alone in a directory says, where UTC stands as it is stored and its mtime is no answer.
fn answer(path: &Path) -> Option<Capture> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let facts = media::read(&file).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().expect("a file has a name");
    let evidence = Evidence { facts: &facts, name, sidecar: None, takeout: None, mtime: None, paired_offset: None };
    let rules = Rules { zone: Zone::parse("UTC").expect("a zone"), use_mtime: false, ..Rules::default() };
    capture(&evidence, &rules)
}

fn offset(answer: &Capture) -> String {
    answer.offset.map_or_else(String::new, |offset| {
        let sign = if offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", offset.unsigned_abs() / 3600, offset.unsigned_abs() / 60 % 60)
    })
}

/// Whether the answer is that of the sample. An offset counts where the sample has one, or the answer's is not the
/// zone's.
fn agrees(sample: &Sample, answer: &Capture) -> bool {
    let known = !sample.offset.is_empty() || answer.zone.is_none();
    answer.wall.format("%Y-%m-%d %H:%M:%S").to_string() == sample.datetime
        && (!known || offset(answer) == sample.offset)
}

#[test]
fn real_samples_have_their_dates_and_none_is_invented() {
    let Some(root) = samples() else { return };
    let (mut dated, mut missed, mut wrong, mut invented) = (0_usize, 0_usize, 0_usize, 0_usize);
    let samples = expected(&root.join("expected.tsv"));
    assert!(!samples.is_empty(), "expected.tsv has no rows");
    for sample in &samples {
        let answer = answer(&root.join(&sample.path));
        dated += usize::from(!sample.datetime.is_empty());
        let (count, what) = match (&answer, sample.datetime.is_empty()) {
            (None, true) => continue,
            (None, false) => (&mut missed, "missed"),
            (Some(_), true) => (&mut invented, "invented"),
            (Some(answer), false) if agrees(sample, answer) => continue,
            (Some(_), false) => (&mut wrong, "wrong"),
        };
        *count += 1;
        let got = answer.map_or_else(|| "none".to_owned(), |answer| format!("{} {answer}", answer.wall));
        eprintln!("{what}: {}: {} {} {}, not {got}", sample.path, sample.datetime, sample.offset, sample.source);
    }
    eprintln!("{} files, {dated} dated: {missed} missed, {wrong} wrong, {invented} invented", samples.len());
    assert_eq!((wrong, invented), (0, 0), "wrong and invented dates");
    assert!(missed * 100 <= dated * MOST_MISSED, "{missed} of {dated} dates are missed");
}

#[test]
fn samples_without_a_sure_answer_are_read_all_the_same() {
    let Some(root) = samples() else { return };
    let table = root.join("unsure.tsv");
    if !table.exists() {
        eprintln!("SKIPPED: there is no unsure.tsv");
        return;
    }
    for columns in lines(&table) {
        let path = columns.first().expect("a path");
        let got =
            answer(&root.join(path)).map_or_else(|| "none".to_owned(), |answer| format!("{} {answer}", answer.wall));
        eprintln!("unsure: {path}: {got}");
    }
}
