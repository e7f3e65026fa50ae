//! Black-box tests: `ms-ingest`.

#[path = "../support/mod.rs"]
mod support;

mod attack;
mod contract_dates;
mod contract_groups;
mod contract_names;
mod contract_plan;
mod contract_run;
mod contract_samples;
mod contract_zones;
mod index;
mod plan;
mod samples;
