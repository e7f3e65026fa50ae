//! Black-box tests: every command of the documents is run as it stands there, in a world that has the places it names.
//!
//! An example of which nothing is known is expected to end with 0. What it takes for granted, what it must print, and
//! why it is run otherwise than it stands there, if it is, stands in the module of its document.

#[path = "../support/mod.rs"]
mod support;

mod document;
mod example;
mod markdown;
mod mdoc;
mod mentions;
mod pages;
mod readme;
mod session;
mod stream_page;
mod unattended;
mod workflow_page;
mod world;
