//! Commands that a sentence mentions: whether the tool takes the options that are shown.

use super::support::bin;
use std::path::Path;
use std::process::Command;

/// `ms-crawl --index FILE` and its like, with the line on which each stands.
fn mentions(path: &str) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the document");
    let of_line = |line: &str| -> Vec<String> {
        let quoted: Vec<&str> = match line.split_once("Ql ms-") {
            Some((_, rest)) => vec![rest],
            // A manual has no such quotation marks.
            None => line.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("ms-")).collect(),
        };
        // What comes after another program of a pipeline is not its option.
        quoted.iter().map(|rest| format!("ms-{}", rest.split(['|', ';']).next().unwrap_or_default())).collect()
    };
    (1..)
        .zip(text.lines())
        .flat_map(|(number, line)| of_line(line).into_iter().map(move |found| (number, found)))
        .collect()
}

/// The words of a command that are options, without their values.
fn options(mention: &str) -> Vec<&str> {
    let words = mention.split_whitespace().skip(1).filter_map(|word| word.split('=').next());
    words.filter(|word| word.starts_with('-') && word.len() > 1).collect()
}

fn help(tool: &str) -> String {
    let output = Command::new(bin(tool)).arg("--help").output().expect("the tool");
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

fn takes(help: &str, option: &str) -> bool {
    help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == option)
}

#[test]
fn every_option_that_a_sentence_mentions_is_one() {
    let mut checked = 0;
    let pages = ["mediastruct.5", "mediastruct.7", "ms-crawl.1", "ms-dupes.1", "ms-gen.1", "ms-ingest.1", "ms-mv.1"];
    let more = ["ms-pack.1", "ms-seal.1", "ms-verify.1"];
    let pages = pages.iter().chain(&more).map(|page| format!("man/{page}"));
    for path in pages.chain(["README.md".to_owned()]) {
        for (line, mention) in mentions(&path) {
            let tool = mention.split_whitespace().next().expect("a tool");
            for option in options(&mention) {
                assert!(takes(&help(tool), option), "{path}:{line}: {tool} has no {option}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 30, "only {checked} options were found");
}
