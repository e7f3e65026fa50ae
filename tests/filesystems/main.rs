//! Black-box tests: `ms-mv` on real filesystems of many kinds.

#[path = "../support/mod.rs"]
mod support;

mod full;
mod ids;
mod pairs;
mod read_only;
mod times;
