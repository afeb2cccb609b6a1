//! gavel-benches
fn main() {}
