//! One table of options: what `--help` tells, what the manual tells, and what the tool takes are the same.

use std::collections::BTreeSet;
use std::path::Path;

use mediastruct::cli::synopsis::{Opt, Value};
use mediastruct::cli::tools;

use crate::support::{Sandbox, bin};

/// The options that a help text lists, `-q` and `--quiet` alike.
pub(crate) fn in_help(sandbox: &Sandbox, tool: &str) -> BTreeSet<String> {
    let lines = sandbox.run(tool, &["--help"], b"").expect_status(0).lines();
    let listed = lines.iter().filter(|line| line.starts_with("  -") || line.starts_with("      --"));
    let words = listed.flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')));
    words.map(|word| word.trim_end_matches(',').split(['=', '[']).next().unwrap_or_default().to_owned()).collect()
}

/// The options whose meaning a manual tells: those of `.It Fl`, also between `Xo` and `Xc`.
fn in_manual(tool: &str) -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("man/{tool}.1"));
    let page = std::fs::read_to_string(page).expect("the manual");
    let mut found = BTreeSet::new();
    let mut is_within = false;
    for line in page.lines() {
        if line == ".It Xo" || line == ".Xc" {
            is_within = line == ".It Xo";
        } else if line.starts_with(".It Fl ") || is_within && line.starts_with(".Fl ") {
            flags(line.trim_start_matches(".It ").trim_start_matches('.'), &mut found);
        }
    }
    found
}

/// What follows `Fl` are options, until another macro.
fn flags(line: &str, found: &mut BTreeSet<String>) {
    let mut is_flag = false;
    for word in line.split(' ') {
        match word {
            "Fl" => is_flag = true,
            "Ar" | "Cm" | "Ns" | "Op" => is_flag = false,
            "," => {}
            _ if is_flag => drop(found.insert(format!("-{word}"))),
            _ => {}
        }
    }
}

#[test]
fn every_tool_has_a_table_and_every_table_a_tool() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let files = std::fs::read_dir(dir).expect("src/bin").map(|entry| entry.expect("entry").path());
    let built: BTreeSet<String> =
        files.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    let known: BTreeSet<String> = tools::ALL.iter().map(|tool| tool.name.to_owned()).collect();
    assert_eq!(built, known);
    assert!(known.iter().all(|tool| Path::new(bin(tool)).exists()));
}

#[test]
fn every_option_of_the_help_is_in_the_manual_and_conversely() {
    let sandbox = Sandbox::new();
    for tool in tools::ALL {
        let help = in_help(&sandbox, tool.name);
        assert!(help.len() > 10, "{}: {help:?}", tool.name);
        assert_eq!(help, in_manual(tool.name), "{}: help on the left, manual on the right", tool.name);
    }
}

#[test]
fn every_option_of_the_help_is_taken() {
    let sandbox = Sandbox::new();
    for tool in tools::ALL {
        for option in tool.options() {
            let long = match value(option) {
                None => option.long.to_owned(),
                Some(value) => format!("{}={value}", option.long),
            };
            // The arguments before it were taken when the version is printed.
            sandbox.run(tool.name, &[long.as_str(), "--version"], b"").expect_status(0);
            if let Some(letter) = option.short {
                let short = format!("-{letter}{}", value(option).unwrap_or_default());
                sandbox.run(tool.name, &[short.as_str(), "--version"], b"").expect_status(0);
            }
        }
    }
}

/// A value that the option takes.
fn value(option: &Opt) -> Option<&'static str> {
    Some(match option.value {
        Value::None => return None,
        Value::File | Value::Dir => "somewhere",
        Value::Word(words) | Value::Words(words) => words.first().expect("a word"),
        Value::Size => "650M",
        Value::Age => "12h",
        Value::Number => "7",
        Value::Glob => "*.jpg",
        Value::Text => match option.long {
            "--from" | "--until" => "2019-07-04",
            "--template" => "%Y/{hash}",
            "--tz" => "Europe/Berlin",
            "--reserve" => "2%",
            "--burned" | "--unburned" => "0007",
            "--host" => "nas",
            "--shard" => "1/2",
            "--title" => "Plan",
            "--copy" | "--media-id" => "shelf",
            other => panic!("no value of {other} is known here"),
        },
    })
}

#[test]
fn every_word_of_the_table_is_taken_and_no_other() {
    let sandbox = Sandbox::new();
    for tool in tools::ALL {
        for (option, words) in tool.options().filter_map(words) {
            for word in words {
                let given = format!("{}={word}", option.long);
                sandbox.run(tool.name, &[given.as_str(), "--version"], b"").expect_status(0);
            }
            let outcome = sandbox.run(tool.name, &[format!("{}=bogus", option.long)], b"").expect_status(2);
            let (_, listed) = outcome.stderr.split_once("is not one of ").expect("the words");
            let listed: BTreeSet<&str> = listed.lines().next().unwrap_or_default().split(", ").collect();
            assert_eq!(listed, words.iter().copied().collect(), "{} {}", tool.name, option.long);
        }
    }
}

fn words(option: &'static Opt) -> Option<(&'static Opt, &'static [&'static str])> {
    match option.value {
        Value::Word(words) | Value::Words(words) => Some((option, words)),
        _ => None,
    }
}

#[test]
fn help_fits_a_terminal_and_tells_words() {
    let sandbox = Sandbox::new();
    for tool in tools::ALL {
        let lines = sandbox.run(tool.name, &["--help"], b"").expect_status(0).lines();
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert!(lines[0].starts_with(&format!("usage: {} ", tool.name)), "{lines:#?}");
        let text = lines.join("\n");
        for (option, words) in tool.options().filter_map(words) {
            let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", option.long);
        }
    }
}

#[test]
fn an_option_that_does_not_exist_is_told_with_the_nearest() {
    let sandbox = Sandbox::new();
    for (tool, written, told) in [
        ("ms-crawl", "--exlude=x", "--exlude: there is no such option; the nearest is --exclude"),
        ("ms-dupes", "--protct", "--protct: there is no such option; the nearest is --protect"),
        ("ms-mv", "--dry", "--dry: there is no such option; the nearest is --dry-run"),
        ("ms-mv", "-undo", "-undo: there is no such option; the nearest is --undo"),
        ("ms-seal", "--brunded", "--brunded: there is no such option; the nearest is --burned"),
        ("ms-verify", "--exclude", "--exclude: there is no such option here; it is one of ms-crawl and ms-ingest"),
        ("ms-mv", "--jobs=3", "--jobs: there is no such option here; it is one of ms-crawl, ms-dupes, ms-gen,"),
        ("ms-gen", "--csv", "--csv: there is no such option here; it is one of ms-crawl, ms-dupes, ms-ingest,"),
        ("ms-pack", "--bogus", "--bogus: there is no such option\n"),
    ] {
        let outcome = sandbox.run(tool, &[written], b"").expect_status(2);
        assert!(outcome.stderr.starts_with(&format!("{tool}: {told}")), "{}", outcome.stderr);
    }
}

#[test]
fn a_value_that_is_missing_is_told_with_how_it_is_written() {
    let sandbox = Sandbox::new();
    for (tool, written, told) in [
        ("ms-crawl", "--hash", "--hash: a value is missing: it is written --hash all|dups|none"),
        ("ms-crawl", "-j", "-j: a value is missing: it is written --jobs N"),
        ("ms-pack", "--to", "--to: a value is missing: it is written --to ARCHIVE"),
    ] {
        let outcome = sandbox.run(tool, &[written], b"").expect_status(2);
        assert!(outcome.stderr.starts_with(&format!("{tool}: {told}\n")), "{}", outcome.stderr);
    }
}
