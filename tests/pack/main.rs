//! Black-box tests: `ms-pack`.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod contract;
mod contract_dates;
mod contract_left_out;
mod contract_numbers;
mod fill;
mod image;
mod misuse;
