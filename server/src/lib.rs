//! gavel-server
