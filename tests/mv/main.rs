//! Black-box tests: `ms-mv`.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod copy;
mod crash;
mod fallback;
mod hosts;
mod keep;
mod left_over;
mod offline;
mod plan;
mod property;
mod protect;
mod prune;
mod refuse;
mod signals;
mod undo;
