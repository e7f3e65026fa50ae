//! Names that would drive a terminal, or make one show something else than there is.

use crate::support;

use support::plan::{Row, mv};
use support::{Sandbox, hash};

/// Controls of either set, what changes the order of a text or ends a line, and what is not seen at all.
const HOSTILE: [&str; 16] = [
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\u{7}",
    "\r",
    "\u{8}\u{8}",
    "\u{7f}",
    "\u{202e}gpj.exe",
    "\u{2066}\u{2069}",
    "\u{200e}\u{200f}",
    "\u{61c}",
    "\u{2028}",
    "\u{2029}",
    "\u{200b}\u{200d}",
    "\u{feff}\u{2060}\u{ad}",
    "\u{85}\u{90}",
];

/// Written a second time here, so that the tools are not measured by their own code.
fn is_hostile(character: char) -> bool {
    HOSTILE.concat().contains(character) && !character.is_ascii_graphic() || character.is_control()
}

#[track_caller]
fn expect_tame(text: &str, what: &str) {
    let hostile: Vec<char> = text.chars().filter(|c| *c != '\n' && is_hostile(*c)).collect();
    assert!(hostile.is_empty(), "{what}: {hostile:?} in {text:?}");
}

#[test]
fn messages_of_every_tool_show_such_names_tamely() {
    let sandbox = Sandbox::new();
    for (number, part) in HOSTILE.iter().enumerate() {
        let name = format!("{number}{part}x");
        let tools: [(&str, Vec<&str>); 8] = [
            ("ms-crawl", vec![&name]),
            ("ms-dupes", vec![&name]),
            ("ms-mv", vec![&name]),
            ("ms-mv", vec!["--protect", &name, "plan"]),
            ("ms-ingest", vec!["--to", "q", &name]),
            ("ms-pack", vec!["--to", &name, "--media", &name]),
            ("ms-seal", vec!["--list", &name]),
            ("ms-verify", vec![&name]),
        ];
        for (tool, args) in tools {
            let outcome = sandbox.run(tool, &args, b"");
            assert!(outcome.status != 0 && outcome.stderr.contains(&number.to_string()), "{tool}: {}", outcome.stderr);
            expect_tame(&outcome.stderr, tool);
            // What is not known is shown as well.
            for args in [vec![format!("--{name}")], vec![format!("--progress={name}")], vec![format!("-{part}")]] {
                let outcome = sandbox.run(tool, &args, b"");
                assert_eq!(outcome.status, 2, "{tool} {args:?}");
                expect_tame(&outcome.stderr, tool);
            }
        }
    }
}

#[test]
fn files_with_such_names_are_refused_tamely_and_come_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = HOSTILE.iter().enumerate().map(|(number, part)| format!("{number}{part}x")).collect();
    for name in &names {
        sandbox.write(name, name);
        sandbox.write(format!("taken/{name}"), "taken");
    }
    let rows: Vec<Row> = names.iter().map(|name| Row::new(&sandbox, name, format!("taken/{name}"))).collect();
    let outcome = mv(&sandbox, &["--progress", "always"], &rows).expect_status(1);
    expect_tame(&outcome.stderr, "ms-mv");
    let rows: Vec<Row> = names.iter().map(|name| Row::new(&sandbox, name, format!("new/{name}"))).collect();
    let outcome = mv(&sandbox, &[], &rows).expect_status(0);
    for name in &names {
        assert_eq!(sandbox.read(format!("new/{name}")), name.as_bytes());
    }
    // A stream has no control character and no line end in it, whoever looks at it.
    let stream = String::from_utf8(outcome.stdout).expect("UTF-8");
    let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t' || ['\u{2028}', '\u{2029}'].contains(&c);
    assert!(!stream.contains(is_bad), "{stream:?}");
    assert_eq!(stream.lines().count(), names.len());
    sandbox.run("ms-mv", &[] as &[&str], stream.as_bytes()).expect_status(0);
    for name in &names {
        assert_eq!(sandbox.read(name), name.as_bytes());
    }
}

#[test]
fn a_table_for_people_shows_what_stands_in_a_catalogue_tamely() {
    let sandbox = Sandbox::new();
    sandbox.sealed(1);
    let all = HOSTILE.concat();
    let json = serde_json::json!({"format": "mediastruct-archive/1", "volumes": [{
        "volume": 1, "label": all, "state": "burned", "files": 1, "bytes": 1, "image_bytes": 1,
        "first_date": all, "last_date": all, "burns": [{"date": all, "copy": all, "media_id": all}],
    }]});
    sandbox.write("Archive/index.json", json.to_string());
    let outcome = sandbox.run("ms-seal", &["--list", "Archive"], b"").expect_status(0);
    expect_tame(&String::from_utf8(outcome.stdout).expect("UTF-8"), "--list");
    let outcome = sandbox.run("ms-seal", &["--burned", "1", "--copy", &all.replace('\r', ""), "Archive"], b"");
    expect_tame(&outcome.stderr, "--burned");
}

#[test]
fn what_is_wrong_with_hostile_files_is_told_tamely() {
    let sandbox = Sandbox::new();
    let all = HOSTILE.concat();
    let formats = [format!("{{\"format\":{},\"volumes\":[]}}", serde_json::json!(all)), format!("{{\"{all}\":1}}")];
    for text in formats {
        sandbox.write("Archive/index.json", &text);
        let outcome = sandbox.run("ms-seal", &["--list", "Archive"], b"").expect_status(2);
        expect_tame(&outcome.stderr, "ms-seal");
        sandbox.write("index.json", &text);
        let outcome = sandbox.run("ms-verify", &["index.json"], b"");
        expect_tame(&outcome.stderr, "ms-verify");
    }
    for line in [format!("a\t{all}\t1\n"), format!("a\t-\t{all}\n"), format!("{all}\n"), format!("a,{all},1\n")] {
        for tool in ["ms-mv", "ms-dupes", "ms-verify"] {
            expect_tame(&sandbox.run(tool, &[] as &[&str], line.as_bytes()).stderr, tool);
        }
        let outcome = sandbox.run("ms-pack", &["--to", "Archive2"], line.as_bytes());
        expect_tame(&outcome.stderr, "ms-pack");
    }
    // Two places that contradict each other are both named.
    let path: String = HOSTILE.iter().map(|part| support::plan::escape(part.as_bytes())).collect();
    let row = format!("{path}\t{}\t1\t-\t-\tx\n", hash(b"x"));
    let outcome = sandbox.run("ms-mv", &[] as &[&str], row.repeat(2).as_bytes()).expect_status(2);
    expect_tame(&outcome.stderr, "ms-mv");
}
