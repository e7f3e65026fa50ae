//! Whatever files are called, and whatever they say of themselves: no planner leads one out of its `--to`.

use crate::support;

use proptest::prelude::*;
use std::path::{Component, Path, PathBuf};
use support::media::{Ifd, Picture, takeout};
use support::{Outcome, Sandbox, hash, set_mtime, unescape};

/// Names, and values of metadata.
const HOSTILE: [&str; 22] = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "...",
    "",
    " ",
    "/",
    "//",
    "./",
    "a/../../b",
    "~",
    "~root/x",
    "-rf",
    "--to=/",
    "a\0b",
    "a\nb\u{1b}[2J",
    "\u{202e}gpj",
    "C:\\x\\..\\y",
    "$HOME`id`",
    "%2e%2e%2f",
    "{make}%Y",
];

fn long() -> String {
    "../".repeat(100) + &"n".repeat(300)
}

/// All destinations lie below `to`, and are what a file can be called.
#[track_caller]
fn expect_inside(outcome: &Outcome, to: &str) -> usize {
    let rows = outcome.rows();
    for row in &rows {
        let dest = PathBuf::from(std::ffi::OsString::from(String::from_utf8_lossy(&unescape(&row[5])).into_owned()));
        let below = dest.strip_prefix(Path::new(to)).unwrap_or_else(|_| panic!("{row:?} is not below {to}"));
        let names: Vec<Component<'_>> = below.components().collect();
        assert!(!names.is_empty() && names.iter().all(|name| matches!(name, Component::Normal(_))), "{row:?}");
        assert!(!unescape(&row[5]).contains(&0), "{row:?}");
    }
    rows.len()
}

/// Files that say such things of themselves, each under a plain name, and files with such names.
fn drop_of_hostile_files() -> Sandbox {
    let sandbox = Sandbox::new();
    let long = long();
    for (number, value) in HOSTILE.into_iter().chain([&long[..]]).enumerate() {
        let made = Picture::new().tag(Ifd::First, 0x010f, value).tag(Ifd::First, 0x0110, value);
        sandbox.drop_file(format!("made/{number}.jpg"), made.original("2019:07:05 03:04:05").jpeg());
        let title = value.escape_default().to_string();
        sandbox.drop_file(format!("takeout/{number}.jpg"), format!("plain {number}"));
        sandbox.drop_file(format!("takeout/{number}.jpg.json"), takeout(&title, 1_562_295_845));
        let name: String = value.chars().filter(|c| !['/', '\0'].contains(c)).take(100).collect();
        for name in [format!("{name}.jpg"), format!("x{name}"), format!("x.{name}"), format!("..{name}.{name}")] {
            sandbox.drop_file(format!("named/{number}/{name}"), format!("{number} {name}"));
        }
    }
    sandbox
}

#[test]
fn nothing_that_a_file_tells_leads_an_import_out() {
    let sandbox = drop_of_hostile_files();
    let templates =
        ["{make}/{model}/{hash}.{ext}", "{name}/{make}.{ext}", "{ext}/{name}", "%Y/{name}.{ext}", "{model}{make}"];
    let absolute = sandbox.path("photos/../photos").to_str().expect("UTF-8").to_owned();
    let mut planned = 0;
    for template in templates {
        for to in ["photos", "./photos/", "../desk/photos", &absolute] {
            let outcome = sandbox.run("ms-ingest", &["--to", to, "--template", template, "drop"], b"");
            assert!(matches!(outcome.status, 0 | 1), "{}", outcome.stderr);
            planned += expect_inside(&outcome, to);
        }
    }
    assert!(planned > 500, "only {planned} rows");
}

#[test]
fn a_template_that_leads_out_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.drop_file("a.jpg", "alpha");
    for template in ["../{name}", "/{name}", "a/../../{name}", "{name}/..", "{name}/", ".", "a/./b", "a\0b"] {
        let mut command = sandbox.command("ms-ingest");
        if template.contains('\0') {
            continue;
        }
        command.args(["--to", "photos", "--template", template, "drop"]);
        let outcome = support::finish(command, b"").expect_status(2);
        assert!(outcome.stdout.is_empty(), "{template}");
    }
}

/// Paths that climb, lead back, begin anywhere.
fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => Just("..".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just(String::new()),
        2 => "[a-c]",
        1 => proptest::sample::select(vec!["~", "-x", "\u{202e}", "\u{1b}", "0001", "2012"]).prop_map(str::to_owned),
    ];
    (proptest::sample::select(vec!["", "/", "./", "../"]), proptest::collection::vec(part, 1..7), "[a-z]{1,3}")
        .prop_map(|(begin, parts, name)| format!("{begin}{}/{name}", parts.join("/")))
}

fn records(paths: &[String], content: impl Fn(usize) -> String) -> String {
    let line = |(number, path): (usize, &String)| {
        let path = support::plan::escape(path.as_bytes());
        format!("{path}\t{}\t1000\t1500000000.000000000\t-\n", hash(content(number).as_bytes()))
    };
    paths.iter().enumerate().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_path_leads_out_of_the_quarantine_or_the_archive(paths in proptest::collection::vec(path(), 2..12)) {
        let sandbox = Sandbox::new();
        sandbox.mkdir("Archive");
        let alike = records(&paths, |_| "one".to_owned());
        for to in ["q", "../desk/q", "/nowhere/q"] {
            let outcome = sandbox.run("ms-dupes", &["--to", to], alike.as_bytes());
            prop_assert!(matches!(outcome.status, 0 | 1), "{}", outcome.stderr);
            expect_inside(&outcome, to);
        }
        let all = records(&paths, |number| number.to_string());
        let outcome = sandbox.run("ms-pack", &["--to", "Archive", "--flush", "--media", "bd25"], all.as_bytes());
        prop_assert!(matches!(outcome.status, 0 | 1), "{}", outcome.stderr);
        expect_inside(&outcome, "Archive");
        // And where the mover itself gives the destination: a dry run tells it as the path of what it would move.
        let outcome = sandbox.run("ms-mv", &["--dry-run", "--to", "q"], all.as_bytes());
        for row in outcome.rows() {
            let path = String::from_utf8_lossy(&unescape(&row[0])).into_owned();
            prop_assert!(Path::new(&path).starts_with("q") && !path.contains("/../"), "{row:?}");
        }
    }
}

#[test]
fn a_link_below_the_destination_changes_no_plan() {
    let sandbox = Sandbox::new();
    set_mtime(&sandbox.drop_file("a.jpg", "alpha"), 1_562_295_845, 0);
    sandbox.mkdir("photos");
    sandbox.symlink("/etc", "photos/2019");
    let outcome = sandbox.ingest(&["--template", "%Y/{name}.{ext}"]);
    expect_inside(&outcome, "photos");
}
