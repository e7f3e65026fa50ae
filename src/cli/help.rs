//! What `--help` prints.

use std::fmt::Write as _;

use super::synopsis::{Opt, Tool};

/// No line is wider than a terminal has always been.
const WIDTH: usize = 80;

/// Where the text about an option begins.
const TEXT: usize = 28;

/// The usage, what the tool does, and its options.
#[must_use]
pub fn of(tool: &Tool) -> String {
    let mut text = String::new();
    for (number, usage) in tool.usage.iter().enumerate() {
        let begin = if number == 0 { "usage:" } else { "      " };
        line(&mut text, format_args!("{begin} {} {usage}", tool.name));
    }
    line(&mut text, format_args!(""));
    for words in wrapped(tool.about, WIDTH) {
        line(&mut text, format_args!("{words}"));
    }
    for section in tool.sections {
        line(&mut text, format_args!(""));
        if !section.title.is_empty() {
            line(&mut text, format_args!("{}", section.title));
        }
        section.options.iter().for_each(|option| describe(&mut text, option));
    }
    if !tool.remarks.is_empty() {
        line(&mut text, format_args!(""));
    }
    for words in tool.remarks.iter().flat_map(|remark| wrapped(remark, WIDTH)) {
        line(&mut text, format_args!("{words}"));
    }
    text
}

/// The option on the left, what it does on the right; below, where the option is too long for that.
fn describe(text: &mut String, option: &Opt) {
    let letter = option.short.map_or_else(|| "   ".to_owned(), |letter| format!("-{letter},"));
    let left = format!("  {letter} {}", option.usage());
    let mut right = wrapped(option.help, WIDTH - TEXT).into_iter();
    if left.len() + 2 > TEXT {
        line(text, format_args!("{left}"));
    } else {
        line(text, format_args!("{left:TEXT$}{}", right.next().unwrap_or_default()));
    }
    right.for_each(|words| line(text, format_args!("{:TEXT$}{words}", "")));
}

/// Words put together to lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Nothing is in the way of writing to a string.
    writeln!(text, "{words}").unwrap_or_default();
}
