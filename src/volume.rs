//! Volumes: portions of an archive that each fit one disc.

pub mod image;
