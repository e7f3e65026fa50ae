//! Black-box tests: several tools at once, as the manuals show them.

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod basics;
mod hosts;
mod names;
