//! One example of a document, and what is known of it besides its text.

/// A command, or a few that belong together, as a reader sees them.
#[derive(Debug, PartialEq)]
pub(crate) struct Example {
    /// The line of the document on which it begins.
    pub line: usize,
    pub text: String,
    /// Where the document shows what is printed, this is it.
    pub shown: Option<String>,
}

impl Example {
    pub(crate) fn new(line: usize, text: impl Into<String>) -> Self {
        Self { line, text: text.into(), shown: None }
    }
}

/// What an example takes for granted, and what it is expected to do: where nothing is known of it, to end with 0.
#[derive(Default)]
pub(crate) struct Known {
    /// Words that are in this example only.
    pub words: &'static str,
    /// Run before it, by bash.
    pub before: &'static str,
    /// Run after it; what it prints is not looked at, but it must end with 0.
    pub after: &'static str,
    pub status: i32,
    /// What its output must contain.
    pub prints: Vec<&'static str>,
    /// What it must not contain.
    pub prints_no: Option<&'static str>,
    pub instead: Option<Instead>,
}

/// How an example is run otherwise than it stands there, and why.
pub(crate) enum Instead {
    /// A part of it is put in place of another.
    Part { old: &'static str, new: &'static str, why: &'static str },
    /// Another command shows that it is right; `$EXAMPLE` is its text.
    Whole { command: &'static str, why: &'static str },
}

impl Known {
    /// Of the example with these words.
    pub(crate) fn of(words: &'static str) -> Self {
        Self { words, ..Self::default() }
    }

    pub(crate) fn before(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    pub(crate) fn after(self, after: &'static str) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn status(self, status: i32) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn prints(mut self, words: &'static str) -> Self {
        self.prints.push(words);
        self
    }

    pub(crate) fn prints_no(self, words: &'static str) -> Self {
        Self { prints_no: Some(words), ..self }
    }

    pub(crate) fn with(self, old: &'static str, new: &'static str, why: &'static str) -> Self {
        Self { instead: Some(Instead::Part { old, new, why }), ..self }
    }

    pub(crate) fn instead(self, command: &'static str, why: &'static str) -> Self {
        Self { instead: Some(Instead::Whole { command, why }), ..self }
    }

    /// What is run for `text`.
    ///
    /// # Panics
    ///
    /// Where the part that is to be put in place of another is not there, or no reason is given.
    pub(crate) fn command(&self, text: &str) -> String {
        match self.instead {
            None => text.to_owned(),
            Some(Instead::Part { old, new, why }) => {
                assert!(text.contains(old) && !why.is_empty(), "{old:?} is not in this example any more:\n{text}");
                text.replace(old, new)
            }
            Some(Instead::Whole { command, why }) => {
                assert!(!why.is_empty(), "an exception without a reason: {}", self.words);
                format!("EXAMPLE={}\n{command}", quoted(text))
            }
        }
    }
}

/// One word of bash that stands for `text`.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
