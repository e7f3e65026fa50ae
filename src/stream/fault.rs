//! What is wrong with a line.

use std::fmt;

/// Why a line is not a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Place and name of the column at fault, counted from 1.
    pub(super) column: Option<(usize, &'static str)>,
    pub(super) problem: String,
}

impl Fault {
    pub(crate) fn of_line(problem: impl Into<String>) -> Self {
        Self { column: None, problem: problem.into() }
    }

    /// For a line that was a row when it was read before.
    pub(crate) fn changed() -> Self {
        Self::of_line("it was changed while it was read")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((number, name)) = self.column {
            write!(out, "column {number} ({name}): ")?;
        }
        out.write_str(&self.problem)
    }
}
