//! Black-box tests: command lines, help and manuals of all tools.

#[path = "../support/mod.rs"]
mod support;

mod completion;
mod guide;
mod options;
mod table;
