//! Black-box tests: all tools with less than they would like to have.

#[path = "../support/mod.rs"]
mod support;

mod descriptors;
mod memory;
mod paths;
