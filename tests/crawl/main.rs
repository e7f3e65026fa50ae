//! Black-box tests: `ms-crawl` without an index that is kept.

#[path = "../support/mod.rs"]
mod support;

mod alike;
mod basics;
mod changes;
mod disks;
mod errors;
mod filters;
mod hosts;
mod walk;
