//! Black-box tests: `ms-report`.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod browser;
mod large;
mod names;
mod pictures;
mod presence;
mod sections;

use support::{Outcome, Sandbox};

/// The page for a stream, of which no file is there.
#[track_caller]
fn page(sandbox: &Sandbox, args: &[&str], stream: &str) -> String {
    text(&sandbox.run("ms-report", args, stream.as_bytes()).expect_status(0))
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8(outcome.stdout.clone()).expect("a page is UTF-8")
}

/// What a person reads of a page: no markup, no names of characters.
fn read(page: &str) -> String {
    let body = page.split_once("<body>").expect("a body").1;
    let mut text = String::new();
    let mut is_tag = false;
    for character in body.chars() {
        match character {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(character),
            _ => {}
        }
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text, |text, (name, character)| text.replace(name, character))
}

/// A row of a plan.
fn row(path: &str, size: u64, dest: &str, keep: &str, note: &str) -> String {
    format!("{path}\t{}\t{size}\t1500000000.000000000\t-\t{dest}\t{keep}\t{note}\n", support::hash(path.as_bytes()))
}
