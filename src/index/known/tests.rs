//! Which rows are believed, one rule after the other.

use std::io::Write as _;
use std::path::Path;

use super::super::companion::MAGIC;
use super::*;
use crate::record::ContentHash;
use crate::stream::Held;

const LONG_AGO: Timestamp = Timestamp { seconds: 1000, nanoseconds: 7 };
pub(in crate::index) const START: Timestamp = Timestamp { seconds: 2000, nanoseconds: 7 };

/// The line of a row of 5 bytes that were last modified [`LONG_AGO`]; `hash` 0 is none.
pub(in crate::index) fn line(path: &str, hash: u8, ino: u64) -> String {
    let hash = if hash == 0 { "-".to_owned() } else { ContentHash([hash; 32]).to_string() };
    format!("{path}\t{hash}\t5\t{LONG_AGO}\t1:{ino}\n")
}

/// What an index knows, and a companion with crawls of which each has some rows.
pub(in crate::index) fn known_with(index: &str, start: Option<Timestamp>, crawls: &[(Begin, &str)]) -> Known {
    let held = Held::made_from("index", |out| {
        out.write_all(index.as_bytes()).expect("index");
        Ok(())
    });
    let table = Table::of(held.expect("held")).expect("table");
    let mut log = MAGIC.to_vec();
    for (begin, rows) in crawls {
        log.extend(begin.to_line());
        for row in rows.lines() {
            lines::push_row(&mut log, row.as_bytes());
        }
    }
    let mut begins = lines::read(&log).begins;
    for (begin, (given, _)) in begins.iter_mut().zip(crawls) {
        (begin.trusted, begin.holds_here) = (given.trusted, given.holds_here);
    }
    let mut file = tempfile::tempfile().expect("companion");
    file.write_all(&log).expect("companion");
    let map = Mapping::new(&file, 0, log.len()).expect("map");
    let trust =
        Trust { start, began: start, told_apart: false, holds_here: true, is_of_crawl: true, host: None, begins };
    Known::new(table, Some(map), trust, 2, &Reporter::new("test", true)).expect("an index")
}

pub(in crate::index) fn known(index: &str) -> Known {
    known_with(index, Some(START), &[])
}

fn begin(trusted: bool, holds_here: bool) -> Begin {
    Begin { at: 0, start: START, process: 1, rehash: false, directory: None, trusted, holds_here }
}

fn status(ino: u64) -> Status {
    Status { size: 5, mtime: LONG_AGO, id: FileId::here(1, ino) }
}

/// The hash that is known of a file, as its first byte; 0 for none.
fn hash_of(known: &Known, path: &str, status: &Status) -> u8 {
    let kept = known.find(Path::new(path), status, &mut Reader::new());
    kept.and_then(|kept| kept.hash).map_or(0, |hash| hash.0[0])
}

#[test]
fn a_file_is_known_by_its_path_or_its_identity_with_its_size_and_time() {
    let known = known(&(line("a", 1, 10) + &line("b\\n", 2, 20)));
    assert_eq!(hash_of(&known, "a", &status(10)), 1);
    assert_eq!(hash_of(&known, "a", &status(99)), 1, "restored");
    assert_eq!(hash_of(&known, "moved", &status(10)), 1, "renamed");
    assert_eq!(hash_of(&known, "b\n", &status(99)), 2, "escaped");
    assert_eq!(hash_of(&known, "b\\n", &status(99)), 0, "another name");
    assert_eq!(hash_of(&known, "moved", &status(99)), 0);
    for other in [
        Status { size: 6, ..status(10) },
        Status { mtime: Timestamp { nanoseconds: 8, ..LONG_AGO }, ..status(10) },
        Status { mtime: Timestamp { seconds: 999, ..LONG_AGO }, ..status(10) },
    ] {
        assert_eq!(hash_of(&known, "a", &other), 0, "{other:?}");
    }
    let elsewhere = Status { id: FileId::here(2, 10), ..status(10) };
    assert_eq!(hash_of(&known, "moved", &elsewhere), 0, "the number is that of another filesystem");
}

#[test]
fn rows_of_another_host_tell_nothing_of_this_one() {
    let rows = line("nas:/a", 1, 10).replace("\t1:", "\tnas/1:");
    let known_on = |host: &str| {
        let mut known = known(&rows);
        known.host = Host::parse(host.as_bytes());
        known
    };
    let nas = known_on("nas");
    assert_eq!((hash_of(&nas, "/a", &status(99)), hash_of(&nas, "/moved", &status(10))), (1, 1));
    assert_eq!(nas.path_here(b"nas:/a"), Some(b"/a".as_slice()));
    for other in [known_on("laptop"), known(&rows)] {
        assert_eq!((hash_of(&other, "/a", &status(10)), hash_of(&other, "/moved", &status(10))), (0, 0));
        assert_eq!(other.path_here(b"nas:/a"), None);
    }
}

#[test]
fn what_rows_say_differently_is_not_known() {
    let known = known(&(line("a", 1, 10) + &line("b", 2, 20) + &line("c", 3, 10)));
    assert_eq!(hash_of(&known, "a", &status(20)), 0, "by path and by identity");
    assert_eq!(hash_of(&known, "a", &status(10)), 0, "twice by identity");
    assert_eq!(hash_of(&known, "a", &status(99)), 1);
    assert_eq!(hash_of(&known, "b", &status(20)), 2);
}

#[test]
fn a_file_that_could_have_changed_since_the_crawl_began_is_not_known() {
    let at = |mtime: Timestamp| {
        let row = format!("a\t{}\t5\t{mtime}\t1:10\n", ContentHash([1; 32]));
        hash_of(&known(&row), "a", &Status { mtime, ..status(10) })
    };
    assert_eq!(at(Timestamp { seconds: 1999, nanoseconds: 1 }), 1);
    assert_eq!(at(START), 0);
    assert_eq!(at(Timestamp { seconds: 3000, nanoseconds: 1 }), 0);
    assert_eq!(at(Timestamp { seconds: 1999, nanoseconds: 0 }), 0, "a coarse clock");
    assert_eq!(at(Timestamp { seconds: 1998, nanoseconds: 0 }), 1);
    let untrusted = known_with(&line("a", 1, 10), None, &[]);
    assert_eq!(hash_of(&untrusted, "a", &status(10)), 0);
}

#[test]
fn rows_without_a_hash_a_time_or_an_identity_prove_nothing_by_that() {
    let known = known(&(line("a", 0, 10) + &format!("b\t{}\t5\t-\t1:20\n", ContentHash([2; 32]))));
    assert_eq!(hash_of(&known, "a", &status(10)), 0);
    assert_eq!(hash_of(&known, "b", &status(20)), 0);
    let known = self::known(&format!("c\t{}\t5\t{LONG_AGO}\t-\n", ContentHash([3; 32])));
    assert_eq!(hash_of(&known, "c", &status(30)), 3, "its path and time are known");
    assert_eq!(hash_of(&known, "moved", &status(30)), 0);
}

#[test]
fn a_row_without_a_hash_still_says_that_the_file_was_there() {
    let known =
        known_with(&(line("a", 0, 10) + &line("b", 2, 20)), Some(START), &[(begin(true, true), &line("c", 0, 30))]);
    let unread = |path: &str, status: &Status| known.find_unread(Path::new(path), status, &mut Reader::new()).is_some();
    assert!(unread("a", &status(10)));
    assert!(
        !unread("moved", &status(10)) && !unread("a", &status(99)) && !unread("a", &Status { size: 6, ..status(10) })
    );
    assert!(!unread("b", &status(20)), "it was read");
    assert!(!unread("c", &status(30)), "nobody says what an unfinished crawl has compared");
}

#[test]
fn only_the_line_that_a_new_row_would_have_is_used_as_it_stands() {
    let wide = line("b", 2, 20).trim_end().to_owned() + "\tsomewhere\t-\t-\n";
    let known = known(&(line("a", 1, 10) + &wide));
    let seen = |path: &str, ino| known.find(Path::new(path), &status(ino), &mut Reader::new()).expect("known").seen;
    assert!(seen("a", 10).verbatim);
    assert_eq!(known.line(seen("a", 10).place), line("a", 1, 10).as_bytes());
    assert!(!seen("a", 99).verbatim, "another identity");
    assert!(!seen("moved", 10).verbatim, "another path");
    assert!(!seen("b", 20).verbatim, "more columns");
}

#[test]
fn each_row_of_a_companion_is_believed_as_the_crawl_that_it_comes_from() {
    let crawls = [
        (begin(true, true), line("a", 1, 10)),
        (begin(false, true), line("b", 2, 20)),
        (begin(true, false), line("c", 3, 30) + &line("/c", 4, 40)),
    ];
    let crawls = crawls.each_ref().map(|(begin, rows)| (begin.clone(), rows.as_str()));
    let known = known_with("", None, &crawls);
    assert_eq!(hash_of(&known, "a", &status(99)), 1);
    assert_eq!(hash_of(&known, "b", &status(20)), 0, "not trusted");
    assert_eq!(hash_of(&known, "c", &status(99)), 0, "another working directory");
    assert_eq!(hash_of(&known, "c", &status(30)), 3, "its identity holds anywhere");
    assert_eq!(hash_of(&known, "/c", &status(99)), 4, "an absolute path, too");
}

#[test]
fn a_row_of_the_index_comes_before_one_of_the_companion() {
    let known = known_with(&line("a", 1, 10), Some(START), &[(begin(true, true), &line("a", 1, 10))]);
    let kept = known.find(Path::new("a"), &status(10), &mut Reader::new()).expect("known");
    assert!(known.is_in_index(kept.seen.place));
    let known = known_with(&line("a", 1, 10), Some(START), &[(begin(true, true), &line("a", 2, 10))]);
    assert_eq!(hash_of(&known, "a", &status(10)), 0, "they must agree");
}

#[test]
fn an_identity_proves_nothing_about_a_file_that_is_younger() {
    let file = tempfile::NamedTempFile::new().expect("file");
    let path = file.path().to_str().expect("path");
    if birth(file.path()).is_none() {
        return;
    }
    let known = known(&(line("gone", 1, 10) + &line(path, 2, 20)));
    assert_eq!(hash_of(&known, path, &status(10)), 0, "path and identity disagree");
    assert_eq!(hash_of(&known, path, &status(99)), 2, "the path holds whoever made the file");
    let by_id = self::known(&line("gone", 1, 10));
    assert_eq!(hash_of(&by_id, path, &status(10)), 0);
    let later = Timestamp { seconds: i64::from(u32::MAX), nanoseconds: 0 };
    let by_id = known_with(&line("gone", 1, 10), Some(later), &[]);
    assert_eq!(hash_of(&by_id, path, &status(10)), 1);
}

#[test]
fn a_file_of_very_many_names_is_found_by_each_of_them() {
    let names = || (0..3 * MOST_NAMES).map(|number| format!("{number:04}"));
    let known = known(&names().map(|name| line(&name, 1, 10)).collect::<String>());
    for name in names() {
        assert_eq!(hash_of(&known, &name, &status(10)), 1, "{name}");
    }
}

#[test]
fn an_index_is_as_it_should_be_once_all_of_its_rows_are_kept() {
    let rows = [line("a", 1, 10), line("b", 0, 20), line("c", 3, 30)];
    let known = known(&rows.concat());
    assert!(known.is_sorted());
    let mut places = Vec::new();
    known.each_in_index(|at, row| {
        assert!(!known.is_alive(at, row));
        places.push(at);
    });
    for at in places {
        assert!(!known.is_all_alive());
        known.keep_alive(at);
    }
    assert!(known.is_all_alive());
    known.each_in_index(|at, row| assert!(known.is_alive(at, row)));
    for unsorted in [[1, 0, 2], [0, 2, 1], [0, 0, 1]] {
        assert!(!self::known(&unsorted.map(|number: usize| rows[number].clone()).concat()).is_sorted(), "{unsorted:?}");
    }
}

#[test]
fn the_order_is_that_of_the_names_and_not_of_how_they_are_written() {
    // Escaped, the first two would come the other way round.
    assert!(known(&(line("a\\x01", 1, 10) + &line("aA", 2, 20))).is_sorted());
    assert!(!known(&(line("aA", 1, 10) + &line("a\\x01", 2, 20))).is_sorted());
    // Long enough for several threads.
    let many = |last: &str| (0..5000).map(|number| line(&format!("{number:04}"), 1, number)).collect::<String>() + last;
    assert!(known(&many(&line("9", 1, 1))).is_sorted());
    assert!(!known(&many(&line("0", 1, 1))).is_sorted());
}

#[test]
fn shorter_rows_are_never_taken_for_kept_ones() {
    // These lie so close together that they would share a mark.
    let known = known("a\t-\t1\nb\t-\t2\nc\t-\t3\n");
    known.each_in_index(|at, row| {
        known.keep_alive(at);
        assert!(!known.is_alive(at, row));
    });
    assert!(!known.is_all_alive());
}
