//! Black-box tests: the index that `ms-crawl` keeps on disk.

#[path = "../support/mod.rs"]
mod support;

mod age;
mod attack;
mod crash;
mod lock;
mod pieces;
mod pipeline;
mod replace;
mod reuse;
mod roots;
mod summary;
mod trust;
