//! gavel-conformance
