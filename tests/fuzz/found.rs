//! What hostile bytes have done once, and never do again.
