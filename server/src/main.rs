//! Entry point of the `gavel` binary.
fn main() {}
