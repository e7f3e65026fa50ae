//! Displays of what is typed into a terminal: prompts, commands, and what they print.

use super::example::Example;
use std::process::{Command, Stdio};

/// What a shell shows where it waits for a command.
pub(crate) const PROMPT: &str = "$ ";

/// The examples of one display that begins on `line`. Where no line has a prompt, paragraphs are taken for scripts.
pub(crate) fn examples(display: &str, line: usize) -> Vec<Example> {
    if display.lines().any(|text| text.starts_with(PROMPT)) { commands(display, line) } else { scripts(display, line) }
}

fn scripts(display: &str, first: usize) -> Vec<Example> {
    let mut scripts: Vec<Example> = Vec::new();
    let mut begins = true;
    for (number, text) in display.lines().enumerate() {
        match scripts.last_mut() {
            _ if text.trim().is_empty() => begins = true,
            Some(script) if !begins => script.text = format!("{}\n{text}", script.text),
            _ => {
                scripts.push(Example::new(first + number, text));
                begins = false;
            }
        }
    }
    scripts
}

/// Where at least one command prints something, the display is a transcript: the others print nothing.
fn commands(display: &str, first: usize) -> Vec<Example> {
    let mut commands: Vec<Example> = Vec::new();
    let mut prints = false;
    for (number, text) in display.lines().enumerate() {
        if let Some(command) = text.strip_prefix(PROMPT) {
            commands.push(Example { shown: Some(String::new()), ..Example::new(first + number, command) });
            continue;
        }
        let Some(last) = commands.last_mut() else { panic!("line {}: no command: {text}", first + number) };
        if !is_whole(&last.text) {
            last.text = format!("{}\n{text}", last.text);
        } else if !text.is_empty() {
            prints = true;
            last.shown.get_or_insert_default().extend([text, "\n"]);
        }
    }
    if !prints {
        for command in &mut commands {
            command.shown = None;
        }
    }
    commands
}

/// Whether bash would not ask for another line.
fn is_whole(command: &str) -> bool {
    let mut bash = Command::new("bash");
    let parsed = bash.args(["-n", "-c", command]).stderr(Stdio::null()).status().expect("bash");
    parsed.success() && !command.ends_with('\\')
}

#[test]
fn a_transcript_is_told_from_commands_that_are_only_listed() {
    let display = "$ a |\n    b \\\n  c\n$ d 'x\n  y'\n";
    let listed = examples(display, 7);
    assert_eq!(listed, [Example::new(7, "a |\n    b \\\n  c"), Example::new(10, "d 'x\n  y'")]);
    let shown = examples("$ a\none\ntwo\n\n$ b\n", 1);
    assert_eq!(shown[0].shown.as_deref(), Some("one\ntwo\n"));
    assert_eq!(shown[1].shown.as_deref(), Some(""));
}

#[test]
fn paragraphs_without_prompts_are_scripts() {
    let scripts = examples("# why\na |\n  b\n\nc\n", 3);
    assert_eq!(scripts, [Example::new(3, "# why\na |\n  b"), Example::new(7, "c")]);
}
