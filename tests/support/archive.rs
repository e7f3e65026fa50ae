//! Archives with real volumes in them.
