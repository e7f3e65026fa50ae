//! Black-box tests: every command of the documents is run as it stands there, in a world that has the places which it names.

#[path = "../support/mod.rs"]
mod support;

mod document;
mod example;
mod markdown;
mod mdoc;
mod pages;
mod readme;
mod session;
mod stream_page;
mod unattended;
mod workflow_page;
mod world;
