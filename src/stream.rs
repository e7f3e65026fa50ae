//! Streams of records: one line each, TSV or CSV, with a header or without.
//!
//! [`mod@line`] turns one line into a [`line::Row`], `plain` does so faster with most lines, [`table`] holds whole streams for random access,
//! [`writer`] writes them.

pub mod line;
mod plain;
pub mod table;
pub mod writer;

pub use line::{Fault, Row};
pub use table::{RowRef, Table};
pub use writer::{Format, Writer};
