//! Black-box tests: `ms-gen`.

#[path = "../support/mod.rs"]
mod support;

mod basics;
