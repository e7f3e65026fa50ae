//! The code blocks of a text in Markdown.

use super::example::Example;
use super::session;

/// All examples of a document: blocks that are indented by four columns, and those between fences.
pub(crate) fn examples(text: &str) -> Vec<Example> {
    blocks(text).iter().flat_map(|(line, block)| session::examples(block, *line)).collect()
}

const INDENT: &str = "    ";
const FENCE: &str = "```";

/// The blocks, and the line on which each begins.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut fenced = false;
    // An indented line goes on with the paragraph above it, if there is one.
    let mut before = "";
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with(FENCE) {
            fenced = !fenced;
            inside = false;
        } else if let Some(code) = code(line, fenced, inside || before.is_empty()) {
            if !inside {
                blocks.push((number, String::new()));
            }
            inside = true;
            if let Some((_, block)) = blocks.last_mut() {
                block.extend([code, "\n"]);
            }
        } else if line.is_empty() && inside {
            // It belongs to the block if more of it follows.
            if let Some((_, block)) = blocks.last_mut() {
                block.push('\n');
            }
        } else {
            inside = false;
        }
        before = line;
    }
    assert!(!fenced, "the last {FENCE} has no end");
    blocks
}

fn code(line: &str, fenced: bool, may_begin: bool) -> Option<&str> {
    if fenced { Some(line) } else { line.strip_prefix(INDENT).filter(|_| may_begin) }
}

#[test]
fn code_is_told_from_text() {
    let text = "a\n    not code\n\n    one\n\n    two\n\nb\n- c\n    d\n\n```sh\nthree\n    four\n```\n";
    let expected = [(4, "one\n\ntwo\n\n".to_owned()), (13, "three\n    four\n".to_owned())];
    assert_eq!(blocks(text), expected);
}
