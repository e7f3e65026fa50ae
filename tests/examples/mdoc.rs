//! The displays of a manual, as a reader sees them.

use super::example::Example;
use super::session;

/// The examples of a manual: all displays, or those of one section and what has a prompt elsewhere.
///
/// # Panics
///
/// On what this module does not know of the language: nothing is guessed.
pub(crate) fn examples(page: &str, section: Option<&str>) -> Vec<Example> {
    let mut lines = Lines { lines: (1..).zip(page.lines()).collect(), at: 0 };
    let mut examples = Vec::new();
    let mut wanted = section.is_none();
    while let Some((number, line)) = lines.next() {
        if let Some(heading) = line.strip_prefix(".Sh ") {
            wanted = section.is_none_or(|section| section == heading);
        } else if line.starts_with(".Bd ") {
            let display = lines.display(line);
            if wanted || display.lines().any(|text| text.starts_with(session::PROMPT)) {
                examples.extend(session::examples(&display, number + 1));
            }
        } else if let Some(display) =
            line.strip_prefix(".Dl ").filter(|text| wanted || text.starts_with(session::PROMPT))
        {
            // Here, quotation marks would be taken for those of an argument.
            assert!(!display.contains('"'), "line {number}: in .Dl, write \\(dq: {line}");
            examples.extend(session::examples(&as_read(display, number), number));
        }
    }
    examples
}

struct Lines<'a> {
    lines: Vec<(usize, &'a str)>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        self.at += 1;
        self.lines.get(self.at - 1).copied()
    }

    /// The lines up to the end of a display.
    fn display(&mut self, head: &str) -> String {
        assert!(head.starts_with(".Bd -literal"), "{head}: what display is this?");
        let mut text = String::new();
        while let Some((number, line)) = self.next() {
            if line == ".Ed" {
                return text;
            }
            assert!(!line.starts_with(['.', '\'']), "line {number}: a macro in a display: {line}");
            text += &(as_read(line, number) + "\n");
        }
        panic!("{head} has no end");
    }
}

/// What stands for what in the source of a manual: man 7 `mandoc_char`.
const ESCAPES: [(&str, &str); 10] = [
    ("e", "\\"),
    ("&", ""),
    ("-", "-"),
    ("(aq", "'"),
    ("(dq", "\""),
    ("(ha", "^"),
    ("(ti", "~"),
    ("(ga", "`"),
    ("(rs", "\\"),
    (" ", " "),
];

fn as_read(line: &str, number: usize) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        let known = ESCAPES.iter().find_map(|(escape, plain)| Some((plain, after.strip_prefix(escape)?)));
        let Some((plain, after)) = known else { panic!("line {number}: what escape is this? {line}") };
        text = text + before + plain;
        rest = after;
    }
    text + rest
}

#[test]
fn displays_are_read_as_they_are_shown() {
    let page = ".Sh A\n.Bd -literal\nno\n.Ed\n.Sh B\n.Pp\n\
                .Bd -literal -offset indent\n$ a \\e\n  \\(aqb\\(ti\\(aq\n.Ed\n\
                .Dl $ c \\(dqd\\(dq\n.Sh C\n.Dl e\n.Dl $ f\n";
    let expected = [Example::new(8, "a \\\n  'b~'"), Example::new(11, "c \"d\""), Example::new(14, "f")];
    assert_eq!(examples(page, Some("B")), expected);
    assert_eq!(examples(page, None).len(), 5);
}
