//! Black-box tests: `ms-verify`.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod contract;
mod formats;
mod hosts;
mod inputs;
mod pipelines;
