//! Hostile bytes: what reads them neither panics nor hangs, and takes no more than 64 MiB.
//!
//! The functions in `targets` are those of cargo-fuzz, too: `fuzz/README.md` says how that is run. Here each gets seeds
//! that were damaged by fixed numbers, some thousand times, or for as many seconds as `MEDIASTRUCT_FUZZ_SECONDS` says.

#![allow(unreachable_pub, reason = "some of these files are part of another crate, too")]
#![allow(clippy::print_stderr, reason = "what is found is said loudly")]

#[path = "../support/mod.rs"]
mod support;

mod found;
mod guard;
mod mutate;
mod seeded;
mod seeds;
mod targets;
