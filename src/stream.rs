//! Streams of records: one line each, TSV or CSV, with a header or without.
//!
//! [`mod@line`] turns one line into a [`line::Row`], `plain` does so faster with most lines, [`table`] holds whole streams for random access (and [`held`] their bytes),
//! [`flow`] hands them out row by row, [`writer`] writes them.

mod fault;
mod faults;
pub mod flow;
pub mod held;
pub mod line;
mod plain;
pub mod table;
pub mod writer;

pub use fault::Fault;
pub use faults::Faults;
pub use flow::Flow;
pub use held::Held;
pub use line::Row;
pub use table::{RowRef, Table};
pub use writer::{Format, Writer};
