//! Rego and PolicyDomain text in, image and diagnostics out. Pure: no files, clocks, sockets, environment, logging.
#![forbid(unsafe_code)]

pub mod ast;
pub mod lexer;
pub mod limits;
pub mod parse;
mod layout;
pub mod token;
pub mod diagnostic;
pub mod domain;
pub mod dump;
pub mod emit;
pub mod hir;
pub mod plan;
pub mod source;
pub mod types;
