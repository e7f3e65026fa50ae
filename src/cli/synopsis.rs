//! What a tool can be told: the table that reading arguments, `--help` and completion have in common.

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use super::{Failure, nearest};

/// A tool, and all that it can be told.
#[derive(Debug)]
pub struct Tool {
    /// What it is called.
    pub name: &'static str,
    /// What may follow its name, one for each way to use it.
    pub usage: &'static [&'static str],
    /// What it does, as one paragraph.
    pub about: &'static str,
    /// What operands are.
    pub operands: Value,
    /// What it reads from standard input, as in "reading a plan"; empty where it reads nothing from there.
    pub reads: &'static str,
    /// Its options, as they are shown.
    pub sections: &'static [Section],
    /// What is to be known besides, a paragraph each.
    pub remarks: &'static [&'static str],
}

/// Options that are shown together.
#[derive(Debug)]
pub struct Section {
    /// A line above them, or nothing.
    pub title: &'static str,
    /// One line or more each.
    pub options: &'static [Opt],
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// As in `-q`.
    pub short: Option<char>,
    /// With its dashes: `--quiet`.
    pub long: &'static str,
    /// What its value is.
    pub value: Value,
    /// What its value is called: `DIR`. For words, nothing, where they are shown themselves.
    pub name: &'static str,
    /// The value can be left out, and is only taken after an equals sign.
    pub optional: bool,
    /// It can be given more than once.
    pub again: bool,
    /// What it does, in a line or two.
    pub help: &'static str,
}

/// What the value of an option is, or an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    None,
    /// The path of a file.
    File,
    /// The path of a directory.
    Dir,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, with commas between them.
    Words(&'static [&'static str]),
    /// Bytes, or a number with a unit.
    Size,
    /// A number with a unit of time.
    Age,
    /// A whole number.
    Number,
    /// A pattern of names.
    Glob,
    /// Anything else.
    Text,
}

impl Opt {
    /// One that takes no value.
    #[must_use]
    pub const fn flag(long: &'static str, help: &'static str) -> Self {
        Self::with(long, Value::None, "", help)
    }

    /// One that takes a value of this kind and name.
    #[must_use]
    pub const fn with(long: &'static str, value: Value, name: &'static str, help: &'static str) -> Self {
        Self { short: None, long, value, name, optional: false, again: false, help }
    }

    /// The same with a letter.
    #[must_use]
    pub const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// The same, and it can be given more than once.
    #[must_use]
    pub const fn again(self) -> Self {
        Self { again: true, ..self }
    }

    /// The same, but its value can be left out.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// The same with other words about it.
    #[must_use]
    pub const fn meaning(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// What its value is called; empty where it takes none.
    #[must_use]
    pub fn value_name(&self) -> String {
        match self.value {
            Value::Word(words) if self.name.is_empty() => words.join("|"),
            _ => self.name.to_owned(),
        }
    }

    /// As one writes it, with what its value is called: `--to DIR`.
    #[must_use]
    pub fn usage(&self) -> String {
        match (self.value, self.optional) {
            (Value::None, _) => self.long.to_owned(),
            (_, true) => format!("{}[={}]", self.long, self.value_name()),
            (_, false) => format!("{} {}", self.long, self.value_name()),
        }
    }

    fn is_called(&self, written: &str) -> bool {
        self.long == written
            || self.short.is_some_and(|letter| written.strip_prefix('-').is_some_and(|rest| rest.chars().eq([letter])))
    }
}

impl Tool {
    /// All its options, in the order of `--help`.
    pub fn options(&self) -> impl Iterator<Item = &'static Opt> {
        self.sections.iter().flat_map(|section| section.options)
    }

    /// The option that is written so, `-q` or `--quiet`.
    #[must_use]
    pub fn option(&self, written: &str) -> Option<&'static Opt> {
        self.options().find(|option| option.is_called(written))
    }
}

/// One argument of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// An option of the table as it is written, without its value: `-q`, `--quiet`.
    Option(String),
    /// Anything else.
    Operand(OsString),
}

/// The next argument, or `None` at the end.
///
/// # Errors
/// [`Failure::Usage`] for an option that is not in the table, and for one that was given a value it does not take.
pub fn next(tool: &Tool, parser: &mut Parser) -> Result<Option<Argument>, Failure> {
    let option = match parser.next()? {
        None => return Ok(None),
        Some(Arg::Value(value)) => return Ok(Some(Argument::Operand(value))),
        Some(Arg::Short(letter)) => format!("-{letter}"),
        Some(Arg::Long(name)) => format!("--{name}"),
    };
    if tool.option(&option).is_some() {
        return Ok(Some(Argument::Option(option)));
    }
    let rest = if option.starts_with("--") { None } else { parser.optional_value() };
    Err(Failure::Usage(nearest::instead_of(tool, &option, rest.as_deref())))
}

/// The error for an option that is in the table, but that nothing takes.
#[must_use]
pub fn unknown_option(option: &str) -> Failure {
    Failure::Usage(format!("{option}: there is no such option"))
}
