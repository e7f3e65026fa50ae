//! Black-box tests: a fault at every step of everything that changes anything, and the order that survives a power cut.

#[path = "../support/mod.rs"]
mod support;

mod crawl_index;
mod moves;
mod mv_copy;
mod mv_link;
mod mv_rename;
mod mv_undo;
mod order;
mod seal;
