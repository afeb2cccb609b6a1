//! Rego and PolicyDomain text in, image and diagnostics out. Pure: no files, clocks, sockets, environment, logging.
#![forbid(unsafe_code)]

pub mod ast;
pub mod diagnostic;
pub mod domain;
pub mod hir;
pub mod source;
pub mod types;
