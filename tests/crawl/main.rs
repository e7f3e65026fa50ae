//! Black-box tests: `ms-crawl` without an index that is kept.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod changes;
mod errors;
mod filters;
mod walk;
