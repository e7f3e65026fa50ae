//! Black-box tests: `ms-seal`.

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod basics;
mod cat;
mod catalogue;
mod contract;
mod contract_again;
mod contract_burned;
mod contract_refuse;
mod crash;
mod leftover;
mod mended;
mod planned;
mod restored;
mod rows;
mod years;
