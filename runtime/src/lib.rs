//! gavel-runtime
