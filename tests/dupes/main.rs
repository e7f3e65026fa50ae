//! Black-box tests: `ms-dupes`.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod choice;
mod hosts;
mod order;
mod protect;
mod shard;
mod sorted;
