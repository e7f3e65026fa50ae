//! `ms-report`: however many rows there are, and however long their names, the page has an end.

use std::fmt::Write as _;

use crate::support;
use crate::{read, text};

use support::Sandbox;

/// What a page has at most, in bytes.
const MOST: usize = 5_000_000;

#[test]
fn a_million_rows_give_a_page_with_all_sums_and_short_lists() {
    let sandbox = Sandbox::new();
    let mut stream = String::new();
    for number in 0..1_000_000_u32 {
        let (year, month) = (1990 + number % 35, 1 + number % 12);
        writeln!(stream, "/data/{year}/{month:02}/IMG_{number}.jpg\t-\t1000\t-\t-").expect("a line");
    }
    let outcome = sandbox.run("ms-report", &["--no-thumbnails"], stream.as_bytes()).expect_status(0);
    assert!(outcome.stdout.len() < 200_000, "{}", outcome.stdout.len());
    let page = read(&text(&outcome));
    assert!(page.contains("1,000,000 files, 1.00 GB, in 420 folders, from 1990 to 2024"), "{}", &page[..500]);
    assert!(page.contains("And 999,950 more files.") && page.contains("And 320 more folders."));
    assert!(page.contains("jpg 1,000,000"));
}

#[test]
fn no_names_are_so_long_that_the_page_grows_beyond_its_size() {
    let sandbox = Sandbox::new();
    let mut stream = String::new();
    // Every byte of these names takes twelve in a link and in a text, and every list is full of them.
    let long = "\\xff<&".repeat(1300);
    for number in 0..400_u32 {
        let path = format!("{number}/{long}/{number}.jpg");
        let rest = "-\t5\t-\t-";
        let date = ["mtime", "none", "name precision=day"][number as usize % 3];
        let kept = format!("k{number}/{long}");
        writeln!(stream, "{path}\t{rest}").expect("a line");
        writeln!(stream, "{path}\t{rest}\t-\t-\trotten").expect("a line");
        writeln!(stream, "a{path}\t{rest}\tlib/{path}x\t-\tdate={date}").expect("a line");
        writeln!(stream, "b{path}\t{rest}\tq/{path}\t{kept}\t-").expect("a line");
        writeln!(stream, "c{path}\t{rest}\tm/{path}\t-\t-").expect("a line");
        writeln!(stream, "d{path}\t{rest}\t{long}/0{:03}/{path}\t-\t-", 1 + number % 999).expect("a line");
    }
    let outcome = sandbox.run("ms-report", &[""; 0], stream.as_bytes()).expect_status(0);
    let len = outcome.stdout.len();
    // Three quarters of what is left of 5 MB are for pictures.
    assert!(len < MOST - 1_900_000, "{len}");
    assert!(len > 1_000_000, "lists use their room: {len}");
}
