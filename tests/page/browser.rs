//! `ms-report` in Chromium: no error on the console, everything can be clicked and reached by keyboard, nothing is wider
//! than a phone, and all text has enough contrast, in light and in dark.

use std::path::Path;
use std::process::Command;

use crate::support;

use support::{Sandbox, finish, needs};

/// The Python of the system, for which Selenium is packaged.
const PYTHON: &str = "/usr/bin/python3";

/// A page of each kind, of real files with hostile names among them.
const PAGES: [(&str, &str); 7] = [
    ("index", "ms-crawl -q photos | ms-report -q"),
    ("plan", "ms-crawl -q photos | ms-dupes -q | ms-report -q"),
    ("bare", "ms-crawl -q photos | ms-dupes -q | ms-report -q --no-thumbnails"),
    ("ingest", "ms-ingest -q --to lib photos | ms-report -q 2>/dev/null"),
    ("volumes", "ms-crawl -q photos | ms-pack -q --to arch --capacity 3M --flush | ms-report -q"),
    ("moves", "ms-crawl -q photos | ms-dupes -q | cut -f 1-6 | cat - rotten.tsv | ms-report -q"),
    ("empty", "ms-report -q < /dev/null"),
];

fn has_browser() -> bool {
    let finds_selenium = format!("{PYTHON} -c 'import selenium'");
    let python = Command::new("sh").args(["-c", &finds_selenium]).output().is_ok_and(|output| output.status.success());
    needs("chromium") && needs("chromedriver") && (python || needs("python3-selenium"))
}

#[test]
fn every_page_works_in_a_browser() {
    if !has_browser() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.shell("ms-gen -q --seed 3 --files 50 --total 5M --dup-share 30 --hostile photos").expect_status(0);
    sandbox.write("rotten.tsv", "gone/<b>.jpg\t-\t5\t-\t-\t-\t-\trotten\n");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/browser.py");
    let mut command = Command::new("timeout");
    // It writes into its home: a profile, and what is left of a crash.
    command.args(["-k", "5", "300", PYTHON]).arg(script).env("HOME", sandbox.mkdir("home"));
    for (name, line) in PAGES {
        let page = sandbox.shell(line).expect_status(0).stdout;
        command.arg(sandbox.write(format!("{name}.html"), page));
    }
    let outcome = finish(command, b"").expect_status(0);
    let checked = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert_eq!(checked.lines().filter(|line| line.contains(": fine")).count(), PAGES.len() * 3, "{checked}");
}
