//! Black-box tests: the stream of records, as all tools read and write it.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod errors;
mod paths;
